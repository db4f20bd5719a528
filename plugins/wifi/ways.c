/* Zigbee2MQTT and Tasmota have a grammar: who knows the device's name knows its topics. Under Home Assistant's discovery
 * each value may have a topic and a template of its own. Here such values are put together again into one state, an object
 * with a member for each trait, so that everything behind it is the same for all grammars.
 */
#include "wifi/ways.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/template.h"

static char *copied(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		abort();
	return copy;
}

void way_copy(const struct way *from, struct way *ret)
{
	*ret = *from;
	ret->state = copied(from->state);
	ret->value = copied(from->value);
	ret->command = copied(from->command);
	ret->order = copied(from->order);
}

void presence_copy(const struct presence *from, struct presence *ret)
{
	*ret = *from;
	ret->topic = copied(from->topic);
	ret->value = copied(from->value);
}

void way_deinit(struct way *way)
{
	free(way->state);
	free(way->value);
	free(way->command);
	free(way->order);
}

void presence_deinit(struct presence *presence)
{
	free(presence->topic);
	free(presence->value);
}

struct ways *ways_free(struct ways *ways)
{
	if (!ways)
		return NULL;
	for (size_t i = 0; i < ways->n; i++)
		way_deinit(&ways->all[i]);
	for (size_t i = 0; i < ways->n_presences; i++)
		presence_deinit(&ways->presences[i]);
	free(ways->all);
	free(ways->presences);
	free(ways);
	return NULL;
}

static bool words_equal(const struct way_word *a, size_t n, const struct way_word *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!text_equal(a[i].theirs, b[i].theirs) || !text_equal(a[i].ours, b[i].ours))
			return false;
	}
	return true;
}

static bool way_equal(const struct way *a, const struct way *b)
{
	return text_equal(a->state, b->state) && text_equal(a->value, b->value) && text_equal(a->command, b->command) &&
	       text_equal(a->order, b->order) && words_equal(a->heard, a->n_heard, b->heard, b->n_heard) &&
	       words_equal(a->said, a->n_said, b->said, b->n_said);
}

bool ways_equal(const struct ways *a, const struct ways *b)
{
	if (!a || !b)
		return a == b;
	if (a->n != b->n || a->n_presences != b->n_presences || a->any_presence != b->any_presence)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!way_equal(&a->all[i], &b->all[i]))
			return false;
	}
	for (size_t i = 0; i < a->n_presences; i++) {
		const struct presence *x = &a->presences[i], *y = &b->presences[i];

		if (!text_equal(x->topic, y->topic) || !text_equal(x->value, y->value) || !text_equal(x->online, y->online) ||
		    !text_equal(x->offline, y->offline))
			return false;
	}
	return true;
}

static const char *topic_of(const struct ways *ways, size_t k)
{
	return k < ways->n ? ways->all[k].state : ways->presences[k - ways->n].topic;
}

const char *ways_topic(const struct ways *ways, size_t k)
{
	const char *topic = k < ways->n + ways->n_presences ? topic_of(ways, k) : NULL;

	for (size_t i = 0; topic && i < k; i++) {
		if (text_equal(topic_of(ways, i), topic))
			return NULL;
	}
	return topic;
}

/* The payload through the template, or as it is. */
static int heard(const char *template, const void *payload, size_t len, const struct json *json, char ret[TEMPLATE_OUT_MAX])
{
	struct view view = { payload, len };

	if (template)
		return template_render(template, view, json, ret);
	return text_is_utf8(payload, len) && text_copy_n(ret, TEMPLATE_OUT_MAX, payload, len) ? 0 : TEMPLATE_E_VALUE;
}

static const char *translated(const struct way_word *words, size_t n, const char *theirs)
{
	for (size_t i = 0; i < n; i++) {
		if (text_equal(words[i].theirs, theirs))
			return words[i].ours;
	}
	return theirs;
}

/* Whatever a template gives is a text; what is to be a number is made one here. "" and "None" say nothing. */
static bool put_text(struct json *state, const struct way *way, const char *text)
{
	double number;

	if (!text[0] || text_equal(text, "None") || text_equal(text, "unknown") || text_equal(text, "unavailable"))
		return true;
	if (way->trait.row->form != TRAIT_NUMBER) {
		json_set_text(state, way->trait.key, translated(way->heard, way->n_heard, text));
		return true;
	}
	if (text_to_f64(text, -1e15, 1e15, &number))
		return false;
	json_set_f64(state, way->trait.key, number);
	return true;
}

struct json *ways_read(const struct ways *ways, const char *topic, const void *payload, size_t len, uint32_t *ret_bad)
{
	struct json *state = json_new_object(), *json = NULL;
	char text[TEMPLATE_OUT_MAX];
	uint32_t bad = 0;

	if (json_parse(payload, len, 65536, JSON_DEPTH_MAX, NULL, 0, &json))
		json = NULL;
	for (size_t i = 0; i < ways->n; i++) {
		const struct way *way = &ways->all[i];

		if (!text_equal(way->state, topic))
			continue;
		bad += heard(way->value, payload, len, json, text) || !put_text(state, way, text);
	}
	json_free(json);
	*ret_bad = bad;
	return state;
}

static const struct way *way_of(const struct ways *ways, const struct trait *trait)
{
	for (size_t i = 0; i < ways->n; i++) {
		if (text_equal(ways->all[i].trait.key, trait->key))
			return &ways->all[i];
	}
	return NULL;
}

int ways_order(const struct ways *ways, const struct trait *trait, const struct gwa_value *value, const char **ret_topic, char **ret_payload)
{
	const struct way *way = way_of(ways, trait);
	struct template_name name = { .name = "value" };
	char text[TEMPLATE_OUT_MAX];
	struct json *json = NULL;
	int r;

	if (!way || !way->command)
		return TRAIT_E_VALUE;
	r = trait_write(trait, value, &json);
	if (r)
		return r;
	if (json_to_f64(json, &name.number)) {
		if (name.number >= -9e15 && name.number <= 9e15 && !(name.number < (double)(int64_t)name.number) &&
		    !(name.number > (double)(int64_t)name.number))
			text_print(text, sizeof(text), "%lld", (long long)name.number);
		else
			text_print(text, sizeof(text), "%.10g", name.number);
	} else {
		text_copy(text, sizeof(text), json_text(json, NULL) ? json_text(json, NULL) : "");
		name.text = translated(way->said, way->n_said, text);
		if (name.text != text)
			text_copy(text, sizeof(text), name.text);
		name.text = text;
	}
	if (way->order) {
		char rendered[TEMPLATE_OUT_MAX];

		name.name = way->name ? way->name : "value";
		r = template_order(way->order, &name, 1, rendered);
		if (!r)
			text_copy(text, sizeof(text), rendered);
	}
	json_free(json);
	if (r)
		return TRAIT_E_VALUE;
	*ret_payload = copied(text);
	*ret_topic = way->command;
	return 0;
}

bool ways_hear_presence(struct ways *ways, const char *topic, const void *payload, size_t len)
{
	char text[TEMPLATE_OUT_MAX];
	bool ours = false;

	for (size_t i = 0; i < ways->n_presences; i++) {
		struct presence *presence = &ways->presences[i];
		struct json *json = NULL;

		if (!text_equal(presence->topic, topic))
			continue;
		ours = true;
		if (json_parse(payload, len, 4096, 8, NULL, 0, &json))
			json = NULL;
		if (!heard(presence->value, payload, len, json, text) &&
		    (text_equal(text, presence->online) || text_equal(text, presence->offline))) {
			presence->known = true;
			presence->here = text_equal(text, presence->online);
		}
		json_free(json);
	}
	return ours;
}

bool ways_are_present(const struct ways *ways)
{
	bool any = false, all = true, known = false;

	for (size_t i = 0; i < ways->n_presences; i++) {
		const struct presence *presence = &ways->presences[i];

		known = known || presence->known;
		any = any || !presence->known || presence->here;
		all = all && (!presence->known || presence->here);
	}
	return !known || (ways->any_presence ? any : all);
}
