/* Settings back to text: --show-config, which can be loaded again, and the comparison of a running
 * configuration with the next one. Both go over the same list of (path, value).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/conf.h"
#include "conf/load.h"
#include "conf/table.h"
#include "conf/value.h"
#include "model/capability.h"

/* Double quotes always: then nothing depends on what YAML makes of a plain word. */
static void put_quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void put_text(FILE *to, const struct conf_row *row, const void *field)
{
	(void)row;
	put_quoted(to, *(char *const *)field);
}

static void put_int(FILE *to, const struct conf_row *row, const void *field)
{
	(void)row;
	fprintf(to, "%u", *(const unsigned *)field);
}

static void put_mode(FILE *to, const struct conf_row *row, const void *field)
{
	(void)row;
	fprintf(to, "\"%04o\"", *(const unsigned *)field);
}

static void put_code(FILE *to, const struct conf_row *row, const void *field)
{
	(void)row;
	fprintf(to, "\"%06" PRIx32 "\"", *(const uint32_t *)field);
}

static void put_bool(FILE *to, const struct conf_row *row, const void *field)
{
	(void)row;
	fputs(*(const bool *)field ? "true" : "false", to);
}

static void put_size(FILE *to, const struct conf_row *row, const void *field)
{
	static const char *const units[] = { "", " KiB", " MiB", " GiB" };
	uint64_t v = *(const uint64_t *)field;
	size_t unit = 0;

	(void)row;
	for (; v && v % 1024 == 0 && unit + 1 < N_ELEMENTS(units); unit++)
		v /= 1024;
	fprintf(to, "%" PRIu64 "%s", v, units[unit]);
}

static void put_choice(FILE *to, const struct conf_row *row, const void *field)
{
	int place = value_choice_is_bool(row) ? *(const bool *)field : *(const int *)field;
	const char *p = row->choices;

	for (place -= (int)row->min; place > 0; place--)
		p += strcspn(p, "|") + 1;
	fprintf(to, "%.*s", (int)strcspn(p, "|"), p);
}

static void put_capability(FILE *to, const struct conf_row *row, const void *field)
{
	char name[CAPABILITY_NAME_MAX];

	(void)row;
	capability_name(*(const uint16_t *)field, name);
	fputs(name, to);
}

typedef void (*put_fn)(FILE *to, const struct conf_row *row, const void *field);

/* What is not here is a text. Of lists, the writer of one member. */
static const put_fn writers[TYPES] = {
	[TYPE_INT] = put_int,	      [TYPE_SIZE] = put_size, [TYPE_BOOL] = put_bool,
	[TYPE_CHOICE] = put_choice,   [TYPE_MODE] = put_mode, [TYPE_CODE] = put_code,
	[TYPE_CAPS] = put_capability,
};

static void put_one(FILE *to, const struct conf_row *row, const void *field)
{
	(writers[row->type] ? writers[row->type] : put_text)(to, row, field);
}

static const void *field_of(const struct conf_row *row, const void *base)
{
	return (const char *)base + row->at;
}

static size_t count_of(const struct conf_row *row, const void *base)
{
	return *(const size_t *)(const void *)((const char *)base + row->count_at);
}

static void put_list(FILE *to, const struct conf_row *row, const void *base)
{
	const char *item = field_of(row, base);

	fputc('[', to);
	for (size_t i = 0; i < count_of(row, base); i++) {
		fputs(i > 0 ? ", " : "", to);
		put_one(to, row, item + i * value_item_size(row));
	}
	fputc(']', to);
}

static void put_shares(FILE *to, const struct conf_share *shares, size_t n)
{
	fputc('[', to);
	for (size_t i = 0; i < n; i++) {
		fprintf(to, "%s{device: ", i > 0 ? ", " : "");
		put_quoted(to, shares[i].device);
		fprintf(to, ", class: %s", data_class_name(shares[i].class_max));
		if (shares[i].n_caps > 0) {
			fputs(", capabilities: ", to);
			put_list(to, conf_row_find("links.<name>.share[].capabilities"),
				 &shares[i]);
		}
		fputc('}', to);
	}
	fputc(']', to);
}

/* False: it has no value and no line. */
static bool put_row(FILE *to, const struct conf_row *row, const void *base)
{
	if (row->type == TYPE_SHARES) {
		put_shares(to, field_of(row, base), count_of(row, base));
		return count_of(row, base) > 0;
	}
	if (value_is_list(row)) {
		put_list(to, row, base);
		return count_of(row, base) > 0;
	}
	if (!writers[row->type] && !*(char *const *)field_of(row, base))
		return false;
	put_one(to, row, field_of(row, base));
	return true;
}

/* path is concrete; value is one line of YAML, borrowed for the call. */
typedef int (*conf_each_fn)(void *ctx, const struct conf_row *row, const char *path,
			    const char *value);

struct each {
	conf_each_fn fn;
	void *ctx;
};

must_check static int each_map(const struct each *each, const struct conf_row *row,
			       const char *path, const void *base)
{
	const struct conf_option *options = field_of(row, base);

	for (size_t i = 0; i < count_of(row, base); i++) {
		char *text = NULL, whole[CONF_PATH_MAX];
		size_t len = 0;
		FILE *to = open_memstream(&text, &len);
		int r;

		if (!to)
			return -ENOMEM;
		put_quoted(to, options[i].value);
		if (fclose(to) != 0) {
			free(text);
			return -ENOMEM;
		}
		text_print(whole, sizeof(whole), "%s.%s", path, options[i].key);
		r = each->fn(each->ctx, row, whole, text);
		free(text);
		if (r)
			return r;
	}
	return 0;
}

must_check static int each_row(const struct each *each, const struct conf_row *row,
			       const char *path, const void *base)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to;
	bool has_value;
	int r;

	if (row->type == TYPE_OPTIONS || row->type == TYPE_PORTS)
		return each_map(each, row, path, base);
	to = open_memstream(&text, &len);
	if (!to)
		return -ENOMEM;
	has_value = put_row(to, row, base);
	r = fclose(to) == 0 ? 0 : -ENOMEM;
	if (!r && has_value)
		r = each->fn(each->ctx, row, path, text);
	free(text);
	return r;
}

must_check static int each_group(const struct each *each, enum conf_group group,
				 const char *section, const char *name, const void *base)
{
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(i)); i++) {
		char path[CONF_PATH_MAX];
		int r;

		if (row->group != group)
			continue;
		text_print(path, sizeof(path), "%s", row->path);
		if (*section)
			text_print(path, sizeof(path), "%s.%s.%s", section, name,
				   strrchr(row->path, '.') + 1);
		r = each_row(each, row, path, base);
		if (r)
			return r;
	}
	return 0;
}

/* Every setting that has a value, in the table's order; stops at the first that does not return 0.
 */
must_check static int conf_each(const struct conf *conf, conf_each_fn fn, void *ctx)
{
	const struct each each = { .fn = fn, .ctx = ctx };
	int r = each_group(&each, IN_CONF, "", "", conf);

	for (size_t i = 0; !r && i < conf->n_adapters; i++)
		r = each_group(&each, IN_ADAPTER, "adapters", conf->adapters[i].name,
			       &conf->adapters[i]);
	for (size_t i = 0; !r && i < conf->n_links; i++)
		r = each_group(&each, IN_LINK, "links", conf->links[i].name, &conf->links[i]);
	return r;
}

struct show {
	FILE *to;
	const struct conf *conf;
	char last[CONF_PATH_MAX]; /* path of the line before: sections it shares are not said again
				   */
};

/* The sections of path that the last line was not in, each on a line of its own. Returns the depth
 * of the key. */
static int show_sections(struct show *show, const char *path)
{
	bool same = true;
	int depth = 0;
	size_t at = 0;

	for (;;) {
		size_t n = strcspn(path + at, ".");

		if (!path[at + n])
			return depth;
		same = same && !strncmp(path, show->last, at + n + 1);
		if (!same)
			fprintf(show->to, "%*s%.*s:\n", depth * 2, "", (int)n, path + at);
		at += n + 1;
		depth++;
	}
}

static int show_setting(void *ctx, const struct conf_row *row, const char *path, const char *value)
{
	struct show *show = ctx;
	const char *place = conf_origin_of(show->conf, path), *key = strrchr(path, '.');
	int depth = show_sections(show, path);

	(void)row;
	fprintf(show->to, "%*s%s: %s  # %s\n", depth * 2, "", key ? key + 1 : path, value,
		place ? place : "default");
	text_print(show->last, sizeof(show->last), "%s", path);
	return 0;
}

int conf_show(const struct conf *conf, char **ret)
{
	struct show show = { .conf = conf };
	char *text = NULL;
	size_t len = 0;
	int r;

	show.to = open_memstream(&text, &len);
	if (!show.to)
		return -ENOMEM;
	r = conf_each(conf, show_setting, &show);
	if (fclose(show.to) != 0 && !r)
		r = -ENOMEM;
	if (r)
		free(text);
	else
		*ret = text;
	return r;
}

/* One line a setting that only a restart changes: "path: value\n". */
static int list_fixed(void *ctx, const struct conf_row *row, const char *path, const char *value)
{
	if (row->change == RESTART)
		fprintf(ctx, "%s: %s\n", path, value);
	return 0;
}

must_check static int fixed_settings(const struct conf *conf, char **ret)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	int r;

	if (!to)
		return -ENOMEM;
	r = conf_each(conf, list_fixed, to);
	if (fclose(to) != 0 && !r)
		r = -ENOMEM;
	if (r)
		free(text);
	else
		*ret = text;
	return r;
}

/* The first line in which the two part names the setting; what only one of them has differs, too.
 */
must_check static int compare_lines(const char *now, const char *next, char *error,
				    size_t error_cap)
{
	while (*now || *next) {
		size_t n = strcspn(now, "\n"), m = strcspn(next, "\n");

		if (n != m || memcmp(now, next, n)) {
			const char *line = *next ? next : now;

			text_print(error, error_cap, "%.*s: a change needs a restart",
				   (int)strcspn(line, ":"), line);
			return CONF_E_RESTART;
		}
		now += n + (now[n] == '\n');
		next += m + (next[m] == '\n');
	}
	return 0;
}

int conf_may_apply(const struct conf *now, const struct conf *next, char *error, size_t error_cap)
{
	char *a = NULL, *b = NULL;
	int r = fixed_settings(now, &a);

	if (!r)
		r = fixed_settings(next, &b);
	if (!r)
		r = compare_lines(a, b, error, error_cap);
	free(a);
	free(b);
	return r;
}
