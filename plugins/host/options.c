/* Keys and values in the order in which they came. */
#include "host/options.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

int options_add(struct options *options, struct view key, struct view value)
{
	char *copy;

	if (options->n == OPTIONS_MAX)
		return OPTIONS_E_FULL;
	copy = calloc(1, key.len + value.len + 2);
	if (!copy)
		return -ENOMEM;
	if (key.len)
		memcpy(copy, key.data, key.len);
	if (value.len)
		memcpy(copy + key.len + 1, value.data, value.len);
	options->all[options->n++] = (struct gwa_opt){ .key = copy, .value = copy + key.len + 1 };
	return 0;
}

const char *options_find(const struct options *options, const char *key)
{
	for (size_t i = 0; i < options->n; i++) {
		if (text_equal(options->all[i].key, key))
			return options->all[i].value;
	}
	return NULL;
}

bool options_equal(const struct options *a, const struct options *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!text_equal(a->all[i].key, b->all[i].key) ||
		    !text_equal(a->all[i].value, b->all[i].value))
			return false;
	}
	return true;
}

static bool is_ours(const char *key)
{
	return text_equal(key, "plugin") || text_equal(key, "plugin.sha256") ||
	       text_equal(key, "net") || strncmp(key, "port.", 5) == 0;
}

size_t options_for_plugin(const struct options *options, struct gwa_opt ret[OPTIONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < options->n; i++) {
		if (!is_ours(options->all[i].key))
			ret[n++] = options->all[i];
	}
	return n;
}

const char *options_next(const struct options *options, const char *prefix, size_t *cursor,
			 const char **ret_rest)
{
	size_t len = strlen(prefix);

	while (*cursor < options->n) {
		const struct gwa_opt *option = &options->all[(*cursor)++];

		if (strncmp(option->key, prefix, len) != 0)
			continue;
		*ret_rest = option->key + len;
		return option->value;
	}
	return NULL;
}

const char *options_next_file(const struct options *options, size_t *cursor)
{
	static const char suffix[] = "_file";
	size_t suffix_len = sizeof(suffix) - 1;

	while (*cursor < options->n) {
		const struct gwa_opt *option = &options->all[(*cursor)++];
		size_t len = strlen(option->key);

		if (len > suffix_len && strcmp(option->key + len - suffix_len, suffix) == 0)
			return option->value;
	}
	return NULL;
}

void options_deinit(struct options *options)
{
	for (size_t i = 0; i < options->n; i++)
		free((char *)(uintptr_t)options->all[i].key);
	options->n = 0;
}
