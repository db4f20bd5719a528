/* A tree of YAML nodes against the table. Beside each other run the pattern, in which the table is
 * asked (links.<name>.ca), and the path, which people are told (links.cloud.ca). A fault is told
 * and the walk goes on, so that one start shows all of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/load.h"
#include "conf/value.h"

enum { KEY_SHOWN_MAX = 64, NAME_LEN_MAX = 32 };

/* Where in the settings the walk is. base is the struct whose fields the rows below pattern are. */
struct spot {
	char pattern[CONF_PATH_MAX], path[CONF_PATH_MAX];
	void *base;
};

char *load_text(struct load *load, const char *text, size_t len)
{
	struct conf_text *copy = malloc(sizeof(*copy) + len + 1);

	if (!copy) {
		load->fatal = -ENOMEM;
		return NULL;
	}
	memcpy(copy->text, text, len);
	copy->text[len] = '\0';
	copy->next = load->conf->origins->texts;
	load->conf->origins->texts = copy;
	return copy->text;
}

char *load_join(struct load *load, const char *folder, const char *name)
{
	size_t len = strlen(folder) + 1 + strlen(name);
	char *joined = malloc(len + 1), *copy;

	if (!joined) {
		load->fatal = -ENOMEM;
		return NULL;
	}
	text_print(joined, len + 1, "%s/%s", folder, name);
	copy = load_text(load, joined, len);
	free(joined);
	return copy;
}

void load_error(struct load *load, const char *place, const char *path, const char *fmt, ...)
{
	char what[256];
	va_list args;

	if (load->n_errors++ >= CONF_ERRORS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	text_append(load->errors, load->errors_cap, "%s: %s%s%s\n", place, path, *path ? ": " : "",
		    what);
}

static const char *place_of(struct load *load, const char *file, unsigned line, unsigned column)
{
	char place[512];
	const char *copy;

	text_print(place, sizeof(place), "%s:%u:%u", file, line, column);
	copy = load_text(load, place, strlen(place));
	return copy ? copy : "";
}

static const char *place_of_value(struct load *load, const struct yaml_node *node)
{
	return place_of(load, node->file, node->line, node->column);
}

static const char *place_of_key(struct load *load, const struct yaml_node *node)
{
	return place_of(load, node->file, node->key_line, node->key_column);
}

const char *conf_origin_of(const struct conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->origins->n; i++) {
		if (text_equal(conf->origins->rows[i].path, path))
			return conf->origins->rows[i].place;
	}
	return NULL;
}

static void origin_add(struct load *load, const char *path, const char *place)
{
	struct conf_origins *origins = load->conf->origins;

	if (origins->n == origins->cap) {
		size_t cap = origins->cap ? origins->cap * 2 : 64;
		struct conf_origin *grown = reallocarray(origins->rows, cap, sizeof(*grown));

		if (!grown) {
			load->fatal = -ENOMEM;
			return;
		}
		origins->rows = grown;
		origins->cap = cap;
	}
	origins->rows[origins->n++] =
		(struct conf_origin){ .path = load_text(load, path, strlen(path)), .place = place };
}

/* False, and told, when path was set before: in this file or another. */
static bool claim(struct load *load, const struct yaml_node *node, const char *path)
{
	const char *before = conf_origin_of(load->conf, path);

	if (before) {
		load_error(load, place_of_key(load, node), path, "set twice, first at %s", before);
		return false;
	}
	origin_add(load, path, place_of_key(load, node));
	return true;
}

static void expected(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		     const char *path)
{
	char what[200];

	conf_row_expected(row, what, sizeof(what));
	load_error(load, place_of_value(load, node), path, "expected %s", what);
}

/* A key from outside, fit for a line of text. */
static void show_key(const char *key, char ret[KEY_SHOWN_MAX])
{
	text_copy(ret, KEY_SHOWN_MAX, key);
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
}

static void spot_add(char path[CONF_PATH_MAX], const char *key)
{
	text_append(path, CONF_PATH_MAX, "%s%s", path[0] ? "." : "", key);
}

static void *field_of(const struct conf_row *row, void *base)
{
	return (char *)base + row->at;
}

static size_t *count_of(const struct conf_row *row, void *base)
{
	return (size_t *)(void *)((char *)base + row->count_at);
}

static void set_scalar(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		       const struct spot *spot)
{
	if (node->kind != YAML_SCALAR ||
	    !value_read(load, row, node->text, node->quoted, field_of(row, spot->base)))
		expected(load, node, row, spot->path);
}

/* The next free place in a row's array, NULL and told when there is none. */
static void *next_place(struct load *load, const struct yaml_node *node, const struct conf_row *row,
			const struct spot *spot)
{
	size_t *n = count_of(row, spot->base);

	if (*n >= (size_t)row->max) {
		load_error(load, place_of_value(load, node), spot->path, "at most %lld of them",
			   (long long)row->max);
		return NULL;
	}
	return (char *)field_of(row, spot->base) + (*n)++ * value_item_size(row);
}

static void set_list(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		     const struct spot *spot)
{
	if (node->kind != YAML_LIST) {
		load_error(load, place_of_value(load, node), spot->path, "expected list");
		return;
	}
	if (row->min > 0 && !node->first)
		load_error(load, place_of_value(load, node), spot->path, "expected at least %lld",
			   (long long)row->min);
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		void *place = next_place(load, item, row, spot);

		if (!place)
			return;
		if (item->kind != YAML_SCALAR ||
		    !value_read(load, row, item->text, item->quoted, place))
			expected(load, item, row, spot->path);
	}
}

static void set_option(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		       const struct spot *spot)
{
	struct spot mine = *spot;
	struct conf_option *option;
	char shown[KEY_SHOWN_MAX];

	show_key(node->key, shown);
	spot_add(mine.path, shown);
	if (!value_key_is_good(row, node->key)) {
		load_error(load, place_of_key(load, node), mine.path,
			   "expected a key of 1..32 lower-case letters, digits, _ and -; secrets "
			   "only as a ..._file");
		return;
	}
	if (!claim(load, node, mine.path))
		return;
	option = next_place(load, node, row, spot);
	if (!option)
		return;
	option->key = load_text(load, node->key, strlen(node->key));
	/* An option may be empty: the core does not know what its plugin takes. */
	if (node->kind != YAML_SCALAR || !value_read(load, row, node->text, true, &option->value))
		expected(load, node, row, mine.path);
}

static void set_map(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		    const struct spot *spot)
{
	if (node->kind != YAML_MAP) {
		expected(load, node, row, spot->path);
		return;
	}
	for (const struct yaml_node *item = node->first; item; item = item->next)
		set_option(load, item, row, spot);
}

static void walk(struct load *load, const struct yaml_node *map, const struct spot *spot);

static void set_shares(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		       const struct spot *spot)
{
	size_t i = 0;

	if (node->kind != YAML_LIST) {
		expected(load, node, row, spot->path);
		return;
	}
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct spot mine = *spot;

		if (item->kind != YAML_MAP) {
			expected(load, item, row, spot->path);
			continue;
		}
		mine.base = next_place(load, item, row, spot);
		if (!mine.base)
			return;
		text_append(mine.pattern, CONF_PATH_MAX, "[]");
		text_append(mine.path, CONF_PATH_MAX, "[%zu]", i++);
		origin_add(load, mine.path, place_of_value(load, item));
		walk(load, item, &mine);
	}
}

static void set_row(struct load *load, const struct yaml_node *node, const struct conf_row *row,
		    const struct spot *spot)
{
	bool merges = row->type == TYPE_OPTIONS || row->type == TYPE_PORTS;

	/* Maps grow over several files, member by member; everything else is set once. */
	if (merges)
		set_map(load, node, row, spot);
	else if (!claim(load, node, spot->path))
		return;
	else if (row->type == TYPE_SHARES)
		set_shares(load, node, row, spot);
	else if (value_is_list(row))
		set_list(load, node, row, spot);
	else
		set_scalar(load, node, row, spot);
}

/* The adapter or link of that name, a new one when there is none yet. */
static void *named_place(struct load *load, const struct yaml_node *node, const struct spot *spot,
			 bool is_link)
{
	struct conf *conf = load->conf;
	size_t *n = is_link ? &conf->n_links : &conf->n_adapters;
	char **name;

	for (size_t i = 0; i < *n; i++) {
		if (text_equal(is_link ? conf->links[i].name : conf->adapters[i].name, node->key))
			return is_link ? (void *)&conf->links[i] : (void *)&conf->adapters[i];
	}
	if (*n == (is_link ? (size_t)CONF_LINKS_MAX : (size_t)CONF_ADAPTERS_MAX)) {
		load_error(load, place_of_key(load, node), spot->path, "at most %zu of them", *n);
		return NULL;
	}
	name = is_link ? &conf->links[*n].name : &conf->adapters[*n].name;
	*name = load_text(load, node->key, strlen(node->key));
	origin_add(load, spot->path, place_of_key(load, node));
	++*n;
	return is_link ? (void *)&conf->links[*n - 1] : (void *)&conf->adapters[*n - 1];
}

static void enter(struct load *load, const struct yaml_node *node, const struct spot *spot)
{
	if (node->kind == YAML_MAP)
		walk(load, node, spot);
	else if (node->kind == YAML_LIST || *node->text)
		load_error(load, place_of_value(load, node), spot->path,
			   "expected map of settings");
}

static void walk_named(struct load *load, const struct yaml_node *node, const struct spot *spot)
{
	struct spot mine = *spot;
	char shown[KEY_SHOWN_MAX];

	show_key(node->key, shown);
	spot_add(mine.path, shown);
	spot_add(mine.pattern, "<name>");
	if (!text_is_slug(node->key, NAME_LEN_MAX)) {
		load_error(load, place_of_key(load, node), mine.path,
			   "expected a name of 1..%d lower-case letters, digits, _ and -",
			   NAME_LEN_MAX);
		return;
	}
	mine.base = named_place(load, node, &mine, text_equal(spot->pattern, "links"));
	if (mine.base)
		enter(load, node, &mine);
}

static void unknown(struct load *load, const struct yaml_node *node, const struct spot *spot,
		    const char *path)
{
	const char *near = conf_row_near(spot->pattern, node->key);

	if (near)
		load_error(load, place_of_key(load, node), path, "no such setting; is %.*s meant?",
			   (int)strcspn(near, "."), near);
	else
		load_error(load, place_of_key(load, node), path, "no such setting");
}

static void walk_key(struct load *load, const struct yaml_node *node, const struct spot *spot)
{
	const struct conf_row *row;
	struct spot mine = *spot;
	char shown[KEY_SHOWN_MAX];

	show_key(node->key, shown);
	spot_add(mine.path, shown);
	spot_add(mine.pattern, node->key);
	row = conf_row_find(mine.pattern);
	if (row && !strchr(node->key, '.'))
		set_row(load, node, row, &mine);
	else if (conf_row_is_section(mine.pattern) && !strchr(node->key, '.'))
		enter(load, node, &mine);
	else
		unknown(load, node, spot, mine.path);
}

/* The same section twice in one map; of a setting that stands twice claim() tells. */
static bool stands_before(const struct yaml_node *map, const struct yaml_node *node)
{
	for (const struct yaml_node *other = map->first; other != node; other = other->next) {
		if (text_equal(other->key, node->key))
			return true;
	}
	return false;
}

static void walk(struct load *load, const struct yaml_node *map, const struct spot *spot)
{
	bool is_named = text_equal(spot->pattern, "adapters") || text_equal(spot->pattern, "links");

	for (const struct yaml_node *node = map->first; node && load->n_errors <= CONF_ERRORS_MAX;
	     node = node->next) {
		if (node->kind == YAML_MAP && stands_before(map, node)) {
			char shown[KEY_SHOWN_MAX];

			show_key(node->key, shown);
			load_error(load, place_of_key(load, node), shown, "stands twice");
		} else if (is_named) {
			walk_named(load, node, spot);
		} else {
			walk_key(load, node, spot);
		}
	}
}

void load_document(struct load *load, const struct yaml_node *root)
{
	struct spot spot = { .base = load->conf };

	if (!root)
		return;
	if (root->kind == YAML_MAP)
		walk(load, root, &spot);
	else
		load_error(load, place_of_value(load, root), "", "expected map of settings");
}

/* "<name>" in a default is the adapter's or link's own. */
static void set_preset(struct load *load, const struct conf_row *row, const char *name, void *base)
{
	const char *slot = strstr(row->preset, "<name>");
	char text[CONF_PATH_MAX] = "";

	if (slot)
		text_print(text, sizeof(text), "%.*s%s", (int)(slot - row->preset), row->preset,
			   name);
	if (!value_read(load, row, slot ? text : row->preset, false, field_of(row, base)))
		load_error(load, "default", row->path, "does not fit: %s",
			   slot ? text : row->preset);
}

/* element: "links.cloud", or "" for what is there once. */
static void defaults_of(struct load *load, enum conf_group group, const char *element,
			const char *name, void *base)
{
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(i)); i++) {
		char path[CONF_PATH_MAX];

		if (row->group != group)
			continue;
		if (group == IN_CONF)
			text_print(path, sizeof(path), "%s", row->path);
		else
			text_print(path, sizeof(path), "%s.%s", element,
				   strrchr(row->path, '.') + 1);
		if (conf_origin_of(load->conf, path))
			continue;
		if (row->rank == NEEDED) {
			char what[200];

			conf_row_expected(row, what, sizeof(what));
			load_error(load, conf_origin_of(load->conf, element), path, "is needed: %s",
				   what);
		} else if (row->preset) {
			set_preset(load, row, name, base);
		}
	}
}

void load_defaults(struct load *load)
{
	struct conf *conf = load->conf;
	char element[CONF_PATH_MAX];

	defaults_of(load, IN_CONF, "", "", conf);
	for (size_t i = 0; i < conf->n_adapters; i++) {
		text_print(element, sizeof(element), "adapters.%s", conf->adapters[i].name);
		defaults_of(load, IN_ADAPTER, element, conf->adapters[i].name, &conf->adapters[i]);
	}
	for (size_t i = 0; i < conf->n_links; i++) {
		struct conf_link *link = &conf->links[i];

		text_print(element, sizeof(element), "links.%s", link->name);
		defaults_of(load, IN_LINK, element, link->name, link);
		for (size_t k = 0; k < link->n_shares; k++) {
			text_print(element, sizeof(element), "links.%s.share[%zu]", link->name, k);
			defaults_of(load, IN_SHARE, element, "", &link->shares[k]);
		}
	}
}
