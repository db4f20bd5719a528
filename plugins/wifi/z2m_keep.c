/* Zigbee2MQTT's list has thousands of bytes a device, most of them words for people. What we need of it is kept by the
 * gateway, so that a message that the broker kept for us while we were away is understood before the list is said again.
 */
#include "wifi/z2m_keep.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { KEEP_DEPTH_MAX = 64 };

static const char *const keys[] = {
	"type", "ieee_address", "friendly_name", "interview_completed", "disabled", "power_source", "software_build_id",
	"definition", "vendor", "model", "exposes", "features", "name", "property", "access", "endpoint", "unit",
	"value_min", "value_max", "value_step", "values", "value_on", "value_off",
};

static bool is_kept(const char *key)
{
	for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
		if (text_equal(keys[i], key))
			return true;
	}
	return false;
}

/* A leaf with no row: it would only be counted. */
static bool is_unknown_leaf(const struct json *json)
{
	return json_get(json, "access") && !json_get(json, "features") && !z2m_knows(json_get_text(json, "name"));
}

static struct json *pruned(struct json *json)
{
	struct json *copy, *value;
	void *cursor = NULL;
	const char *key;

	if (json_kind(json) == JSON_ARRAY) {
		copy = json_new_array();
		for (size_t i = 0; i < json_len(json); i++) {
			if (!is_unknown_leaf(json_at(json, i)))
				json_push(copy, pruned(json_at(json, i)));
		}
		return copy;
	}
	if (json_kind(json) != JSON_OBJECT)
		return json_copy(json);
	copy = json_new_object();
	while ((key = json_next(json, &cursor, &value))) {
		if (is_kept(key))
			json_set(copy, key, pruned(value));
	}
	return copy;
}

/* Entries joined into "[a,b]" as long as they fit. */
struct part {
	char *text;
	size_t len, max;
};

static void part_end(struct part *part, void (*on_part)(void *ctx, const char *text, size_t len), void *ctx)
{
	if (part->len > 1) {
		part->text[part->len++] = ']';
		on_part(ctx, part->text, part->len);
	}
	part->text[0] = '[';
	part->len = 1;
}

int z2m_keep(const void *data, size_t len, size_t max, void (*on_part)(void *ctx, const char *text, size_t len),
	     void *ctx)
{
	cleanup(json_freep) struct json *list = NULL;
	struct part part = { malloc(max), 0, max };

	if (!part.text)
		return -ENOMEM;
	if (json_parse(data, len, Z2M_LIST_BYTES_MAX, KEEP_DEPTH_MAX, NULL, 0, &list) || json_kind(list) != JSON_ARRAY) {
		free(part.text);
		return Z2M_E_MALFORMED;
	}
	part_end(&part, on_part, ctx);
	for (size_t i = 0; i < json_len(list); i++) {
		struct json *entry = pruned(json_at(list, i));
		char *text = NULL;
		size_t n = 0;

		if (json_print(entry, &text, &n))
			abort();
		json_free(entry);
		if (part.len + n + 2 > max)
			part_end(&part, on_part, ctx);
		if (part.len + n + 2 <= max) {
			if (part.len > 1)
				part.text[part.len++] = ',';
			memcpy(part.text + part.len, text, n);
			part.len += n;
		}
		free(text);
	}
	part_end(&part, on_part, ctx);
	free(part.text);
	return 0;
}
