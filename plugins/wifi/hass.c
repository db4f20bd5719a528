/* A configuration is an object of some forty keys, long or short, in which "~" stands for a topic that is said once. Each
 * face of its component (hass_faces.c) whose topic is there becomes a way. What cannot be understood is counted and left out: one
 * template that we do not cover costs its own value and nothing else of the device.
 */
#include "wifi/hass.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "wifi/hass_faces.h"
#include "wifi/lan_device.h"
#include "wifi/template.h"

struct config {
	const struct json *entity, *device; /* device: what stands around a component, or NULL */
	const char *root;                   /* "~" */
};

static const struct json *member(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	const char *brief = v ? NULL : hass_short(key);

	return brief ? json_get(object, brief) : v;
}

static const char *member_text(const struct json *object, const char *key)
{
	return json_text(member(object, key), NULL);
}

/* A word may be written as a text, a number or true; Home Assistant makes texts of them as Python does. */
static bool word(const struct json *json, char ret[TRAIT_WORD_MAX])
{
	int64_t number;
	bool flag;

	if (json_to_bool(json, &flag))
		return text_copy(ret, TRAIT_WORD_MAX, flag ? "True" : "False");
	if (json_kind(json) == JSON_INT && json_to_i64(json, &number))
		return text_print(ret, TRAIT_WORD_MAX, "%lld", (long long)number);
	return json_text(json, NULL) && text_copy(ret, TRAIT_WORD_MAX, json_text(json, NULL));
}

/* With "~" put in; NULL when there is none, or none that can be a topic. */
static char *topic(const struct config *config, const char *key)
{
	const char *text = key ? member_text(config->entity, key) : NULL;
	char full[LAN_TOPIC_MAX];
	size_t len = text ? strlen(text) : 0;
	bool fits;

	if (!len)
		return NULL;
	if (text[0] == '~' && config->root)
		fits = text_print(full, sizeof(full), "%s%s", config->root, text + 1);
	else if (text[len - 1] == '~' && config->root)
		fits = text_print(full, sizeof(full), "%.*s%s", (int)(len - 1), text, config->root);
	else
		fits = text_copy(full, sizeof(full), text);
	return fits && lan_topic_is_fit(full) ? strdup(full) : NULL;
}

/* A template that is configured, or built in. False: one that we do not cover. */
static bool template_of(const struct config *config, const char *key, const char *built_in, int (*check)(const char *), char **ret)
{
	const char *text = key ? member_text(config->entity, key) : NULL;

	if (!text)
		text = built_in;
	if (text && check(text))
		return false;
	*ret = text ? strdup(text) : NULL;
	return true;
}

static size_t words(const struct config *config, const struct face_word *from, bool heard, struct way_word *ret)
{
	size_t n = 0;

	for (; from && from->ours && n < WAYS_WORDS_MAX; from++) {
		char theirs[TRAIT_WORD_MAX];
		const struct json *said = member(config->entity, from->key);

		if (!said && from->otherwise)
			said = member(config->entity, from->otherwise);
		if (!said || !word(said, theirs))
			text_copy(theirs, sizeof(theirs), from->plain);
		text_copy(ret[n].theirs, sizeof(ret[n].theirs), heard ? theirs : from->ours);
		text_copy(ret[n].ours, sizeof(ret[n].ours), heard ? from->ours : theirs);
		n++;
	}
	return n;
}

static bool has_color_mode(const struct config *config, const char *mode)
{
	const struct json *modes = member(config->entity, "supported_color_modes");

	for (size_t i = 0; i < json_len(modes); i++) {
		if (text_equal(json_text(json_at(modes, i), NULL), mode))
			return true;
	}
	return false;
}

static bool has_what_it_needs(const struct config *config, const struct face *face)
{
	bool flag = false;

	if (!face->needs)
		return true;
	if (face->needs[0] == '~')
		return has_color_mode(config, face->needs + 1);
	return json_to_bool(member(config->entity, face->needs), &flag) && flag;
}

static bool is_that_kind(const struct config *config, const struct face *face)
{
	const char *class = member_text(config->entity, "device_class"), *unit = member_text(config->entity, "unit_of_measurement");

	if (face->class && !text_equal(face->class, class))
		return false;
	return !face->unit || text_equal(face->unit, unit);
}

static bool number_of(const struct config *config, const char *key, double *ret)
{
	return key && json_to_f64(member(config->entity, key), ret);
}

/* False: the other way round, or a range that starts elsewhere: we could not tell its meaning. */
static bool range(const struct config *config, const struct face *face, struct trait *trait)
{
	double high = face->span_is, low = 0, closed = 0, step = 0;

	if (face->span) {
		number_of(config, face->span, &high);
		if (text_equal(face->component, "cover") && number_of(config, "position_closed", &closed) && closed != 0)
			return false;
		if (!(high >= 1 && high <= 65535))
			return false;
		trait->scale = 100.0 / high;
	} else if (number_of(config, face->low, &low) && number_of(config, face->high, &high)) {
		number_of(config, face->step, &step);
		trait_narrow(trait, low, high, step);
	}
	return true;
}

/* Only the modes that it has can be ordered. */
static void modes(const struct config *config, struct trait *trait)
{
	const struct json *list = member(config->entity, "modes");
	uint16_t mask = 0;

	if (trait->row->cap != CAP_THERMOSTAT_MODE || !json_len(list))
		return;
	for (size_t i = 0; i < json_len(list); i++) {
		for (size_t k = 0; trait->row->words[k].theirs; k++) {
			if (text_equal(trait->row->words[k].theirs, json_text(json_at(list, i), NULL)))
				mask |= (uint16_t)(1u << k);
		}
	}
	trait->words = mask;
}

/* 0, HASS_E_NOTHING, HASS_E_UNCOVERED, HASS_E_TYPE. The way's key and endpoint are given later. */
static int way_from(const struct config *config, const struct face *face, struct way *ret)
{
	struct way way = { .name = face->name };
	unsigned access = 0;
	int r = HASS_E_NOTHING;

	if (!is_that_kind(config, face) || !has_what_it_needs(config, face))
		return HASS_E_NOTHING;
	way.state = topic(config, face->state);
	way.command = topic(config, face->command);
	if (way.state)
		access |= GWA_A_READ | GWA_A_REPORT;
	if (way.command)
		access |= GWA_A_WRITE;
	if (access)
		r = template_of(config, face->value, face->value_is, template_check, &way.value) &&
				    template_of(config, face->order, face->order_is, template_check_order, &way.order) ?
			    0 :
			    HASS_E_UNCOVERED;
	if (!r && trait_make(&face->row, "0", "", 1, access, &way.trait))
		r = HASS_E_NOTHING;
	if (!r && !range(config, face, &way.trait))
		r = HASS_E_UNCOVERED;
	if (r) {
		way_deinit(&way);
		return r;
	}
	modes(config, &way.trait);
	way.n_heard = words(config, face->heard, true, way.heard);
	way.n_said = words(config, face->said, false, way.said);
	*ret = way;
	return 0;
}

static void presence(const struct config *config, const struct json *object, const char *topic_key, const char *template_key,
		     struct hass_entity *entity)
{
	struct config of = { object, NULL, config->root };
	struct presence *at = &entity->presences[entity->n_presences];
	const struct json *here = member(object, "payload_available"), *away = member(object, "payload_not_available");

	if (entity->n_presences == HASS_AVAILABILITY_MAX)
		return;
	*at = (struct presence){ .topic = topic(&of, topic_key) };
	if (!at->topic || !template_of(&of, template_key, NULL, template_check, &at->value)) {
		presence_deinit(at);
		return;
	}
	if (!here || !word(here, at->online))
		text_copy(at->online, sizeof(at->online), "online");
	if (!away || !word(away, at->offline))
		text_copy(at->offline, sizeof(at->offline), "offline");
	entity->n_presences++;
}

static void presences(const struct config *config, struct hass_entity *entity)
{
	const struct json *around = member(config->entity, "availability") || member(config->entity, "availability_topic") || !config->device ?
					    config->entity :
					    config->device;
	const struct json *list = member(around, "availability");

	entity->any_presence = !text_equal(member_text(around, "availability_mode"), "all");
	if (member(around, "availability_topic"))
		presence(config, around, "availability_topic", "availability_template", entity);
	else if (json_kind(list) == JSON_OBJECT)
		presence(config, list, "topic", "value_template", entity);
	for (size_t i = 0; json_kind(list) == JSON_ARRAY && i < json_len(list); i++)
		presence(config, json_at(list, i), "topic", "value_template", entity);
}

/* "aa:bb:cc:dd:ee:ff", "aabbccddeeff", "0x00124b0012345678", "anything_0x00124b0012345678" */
static bool hardware(const char *text, struct gwa_addr *ret)
{
	const char *x = text ? strstr(text, "0x") : NULL;
	char digits[17];
	size_t n = 0;

	if (x && strlen(x) == 18 && hex_parse(x + 2, 16, ret->bytes, 8) == 0) {
		ret->len = 8;
		return true;
	}
	for (; text && *text; text++) {
		if (*text == ':' || *text == '-')
			continue;
		if (n == 16)
			return false;
		digits[n++] = *text;
	}
	if ((n != 12 && n != 16) || hex_parse(digits, n, ret->bytes, n / 2))
		return false;
	ret->len = (uint8_t)(n / 2);
	return true;
}

/* identifiers is a text or a list of them; connections a list of pairs. */
static bool identify(const struct json *device, struct hass_entity *entity)
{
	const struct json *ids = member(device, "identifiers"), *connections = member(device, "connections");
	const char *first = json_text(ids, NULL) ? json_text(ids, NULL) : json_text(json_at(ids, 0), NULL);

	for (size_t i = 0; i < json_len(connections) && !entity->hw.len; i++) {
		const struct json *pair = json_at(connections, i);
		const char *at = json_text(json_at(pair, 1), NULL);

		if (!first)
			first = at;
		hardware(at, &entity->hw);
	}
	if (!entity->hw.len)
		hardware(first, &entity->hw);
	return first && first[0] && text_copy(entity->device, sizeof(entity->device), first);
}

static void text_of(const struct json *object, const char *key, char ret[GWA_TEXT_MAX + 1])
{
	const char *text = member_text(object, key);

	if (text)
		lan_name(text, ret);
}

struct hass_entity *hass_entity_free(struct hass_entity *entity)
{
	if (!entity)
		return NULL;
	for (size_t i = 0; i < entity->n_ways; i++)
		way_deinit(&entity->ways[i]);
	for (size_t i = 0; i < entity->n_presences; i++)
		presence_deinit(&entity->presences[i]);
	free(entity->ways);
	free(entity);
	return NULL;
}

static void read_ways(const struct config *config, const char *component, struct hass_entity *entity, struct hass_sink *sink)
{
	const struct face *face;

	for (size_t i = 0; (face = hass_face(component, i)) && entity->n_ways < HASS_WAYS_MAX; i++) {
		struct way way, *grown;
		int r = way_from(config, face, &way);

		sink->uncovered += r == HASS_E_UNCOVERED;
		if (r)
			continue;
		grown = reallocarray(entity->ways, entity->n_ways + 1, sizeof(way));
		if (!grown)
			abort();
		entity->ways = grown;
		entity->ways[entity->n_ways++] = way;
	}
}

static void read_entity(const struct config *config, const char *component, const char *key, struct hass_sink *sink)
{
	const struct json *device = member(config->device ? config->device : config->entity, "device");
	bool json_light = text_equal(component, "light") && text_equal(member_text(config->entity, "schema"), "json");
	struct hass_entity *entity = calloc(1, sizeof(*entity));

	if (!entity)
		abort();
	if (json_kind(device) != JSON_OBJECT || !identify(device, entity)) {
		sink->bad++;
		hass_entity_free(entity);
		return;
	}
	text_of(device, "manufacturer", entity->vendor);
	text_of(device, "model", entity->model);
	text_of(device, "sw_version", entity->firmware);
	text_of(device, "name", entity->name);
	lan_name(member_text(config->entity, "unique_id") ? member_text(config->entity, "unique_id") : key, entity->unique);
	read_ways(config, json_light ? "light/json" : component, entity, sink);
	presences(config, entity);
	if (entity->n_ways) {
		sink->on_entity(sink->ctx, entity);
	} else {
		sink->nothing++;
		hass_entity_free(entity);
	}
}

bool hass_topic(const char *rest, char ret_component[24])
{
	const char *slash = strchr(rest, '/');
	size_t len = strlen(rest), levels = 0;

	for (const char *p = rest; *p; p++)
		levels += *p == '/';
	if (!slash || (levels != 2 && levels != 3) || len < 8 || strcmp(rest + len - 7, "/config") != 0)
		return false;
	return text_copy_n(ret_component, 24, rest, (size_t)(slash - rest)) && slash[1] != '/';
}

int hass_config(const char *component, const void *data, size_t len, struct hass_sink *sink)
{
	cleanup(json_freep) struct json *json = NULL;
	struct config config;
	struct json *parts, *part;
	const char *key;
	void *cursor = NULL;
	size_t n = 0;
	int r = json_parse(data, len, HASS_BYTES_MAX, HASS_NESTING_MAX, NULL, 0, &json);

	if (r)
		return r == JSON_E_SIZE ? HASS_E_SIZE : HASS_E_MALFORMED;
	if (json_kind(json) != JSON_OBJECT)
		return HASS_E_TYPE;
	config = (struct config){ .entity = json, .root = member_text(json, "~") };
	if (!text_equal(component, "device")) {
		read_entity(&config, component, "?", sink);
		return 0;
	}
	parts = (struct json *)(uintptr_t)member(json, "components");
	if (json_kind(parts) != JSON_OBJECT)
		return HASS_E_TYPE;
	config.device = json;
	while ((key = json_next(parts, &cursor, &part))) {
		const char *platform = json_kind(part) == JSON_OBJECT ? member_text(part, "platform") : NULL;

		if (!platform || ++n > HASS_PARTS_MAX) {
			sink->bad++;
			continue;
		}
		if (json_len(part) == 1) /* taken back */
			continue;
		config.entity = part;
		read_entity(&config, platform, key, sink);
	}
	return 0;
}
