/* Commands: a word, a number, or a light's JSON, according to which entity it is for. What comes out is checked once more
 * by the core against the device; here it only has to make sense.
 */
#include "linkd/ha_codec.h"

#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "model/device_id.h"
#include "sys/json.h"

int ha_read_topic(const struct ha_topics *topics, const char *topic, struct device_id *ret_id, const char **ret_object)
{
	size_t base = strlen(topics->base);
	const char *at = topic + base;

	if (strncmp(topic, topics->base, base) != 0 || strncmp(at, "/device/", 8) != 0)
		return HA_E_TOPIC;
	at += 8;
	if (strlen(at) < 30 || strncmp(at + 24, "/set/", 5) != 0 || device_id_parse(at, 24, ret_id) != 0 || strchr(at + 29, '/'))
		return HA_E_TOPIC;
	*ret_object = at + 29;
	return 0;
}

static int refuse(struct ha_orders *orders, int r, const char *why)
{
	text_copy(orders->why, sizeof(orders->why), why);
	return r;
}

static void order(struct ha_orders *orders, const struct ha_entity *entity, uint16_t cap, struct value value)
{
	if (orders->n < HA_ORDERS_MAX)
		orders->all[orders->n++] = (struct ha_order){ .endpoint = entity->endpoint, .cap = cap, .value = value };
}

/* words: "ON|OFF"; which one, or -1 */
static int word_of(const struct ha_orders *orders, const char *words)
{
	size_t len = strlen(orders->text);
	int which = 0;

	for (const char *at = words, *bar; at; at = bar ? bar + 1 : NULL, which++) {
		size_t n;

		bar = strchr(at, '|');
		n = bar ? (size_t)(bar - at) : strlen(at);
		if (n == len && memcmp(at, orders->text, n) == 0)
			return which;
	}
	return -1;
}

must_check static int read_bool(struct ha_orders *orders, const struct ha_entity *entity, const char *words)
{
	int which = word_of(orders, words);

	if (which < 0)
		return refuse(orders, HA_E_VALUE, "not one of the words of this entity");
	order(orders, entity, entity->cap->id, value_bool(which == 0));
	return 0;
}

must_check static int read_number(struct ha_orders *orders, const struct ha_entity *entity, const struct capability_desc *cap)
{
	double number;
	bool whole;

	if (!cap)
		return refuse(orders, HA_E_TOPIC, "no such entity");
	if (text_to_f64(orders->text, -1e15, 1e15, &number) != 0)
		return refuse(orders, HA_E_VALUE, "not a number");
	whole = (double)(int64_t)number == number;
	if (cap->type == VALUE_INT && !whole)
		return refuse(orders, HA_E_VALUE, "not an integer");
	order(orders, entity, cap->id, cap->type == VALUE_INT ? value_int((int64_t)number) : value_real(number));
	return 0;
}

must_check static int read_text(struct ha_orders *orders, const struct ha_entity *entity, const char *text)
{
	order(orders, entity, entity->cap->id, value_text(text));
	return 0;
}

must_check static int read_lock(struct ha_orders *orders, const struct ha_entity *entity)
{
	int which = word_of(orders, "LOCK|UNLOCK");

	if (which < 0)
		return refuse(orders, HA_E_VALUE, "not one of the words of this entity");
	return read_text(orders, entity, which == 0 ? "locked" : "unlocked");
}

must_check static int read_cover(struct ha_orders *orders, const struct ha_entity *entity, const char *part)
{
	const struct capability_desc *move = ha_part(entity, CAP_COVER_MOVE), *position = ha_part(entity, CAP_COVER_POSITION);
	static const char *const words[] = { "open", "close", "stop" };
	int which = word_of(orders, "OPEN|CLOSE|STOP");

	if (strcmp(part, "_position") == 0)
		return read_number(orders, entity, position);
	if (part[0])
		return refuse(orders, HA_E_TOPIC, "no such entity");
	if (which < 0 || (which == 2 && !move))
		return refuse(orders, HA_E_VALUE, "not one of the words of this entity");
	if (move && ha_is_writable(move))
		order(orders, entity, CAP_COVER_MOVE, value_text(words[which]));
	else
		order(orders, entity, CAP_COVER_POSITION, value_int(which == 0 ? 100 : 0));
	return 0;
}

must_check static int read_climate(struct ha_orders *orders, const struct ha_entity *entity, const char *part)
{
	const struct capability_desc *mode = ha_part(entity, CAP_THERMOSTAT_MODE);
	static const char *const words[] = { "off", "auto", "cool", "heat", "fan-only", "dry" };
	int which = word_of(orders, "off|auto|cool|heat|fan_only|dry");

	if (strcmp(part, "_temperature") == 0)
		return read_number(orders, entity, entity->cap);
	if (strcmp(part, "_mode") != 0 || !mode)
		return refuse(orders, HA_E_TOPIC, "no such entity");
	if (which < 0)
		return refuse(orders, HA_E_VALUE, "not one of the words of this entity");
	order(orders, entity, CAP_THERMOSTAT_MODE, value_text(words[which]));
	return 0;
}

/* Lights. */

static const struct json_field light_fields[] = {
	{ "state", JSON_TEXT, true, 2, 3 },	    { "brightness", JSON_REAL, false, 0, 100 },
	{ "color_temp", JSON_REAL, false, 1, 1000 }, { "color", JSON_OBJECT, false, 0, 0 },
	{ "transition", JSON_REAL, false, 0, 86400 }, { "flash", JSON_TEXT, false, 1, 16 },
};
static const struct json_field color_fields[] = { { "h", JSON_REAL, true, 0, 360 }, { "s", JSON_REAL, true, 0, 100 } };

static void order_number(struct ha_orders *orders, const struct ha_entity *entity, uint16_t cap, const struct json *json)
{
	double number;

	if (ha_part(entity, cap) && json && json_to_f64(json, &number))
		order(orders, entity, cap, value_int((int64_t)(number + 0.5)));
}

must_check static int take_light(struct ha_orders *orders, const struct ha_entity *entity, const struct json *json)
{
	struct json *color = json_get(json, "color");

	if (json_check(json, light_fields, N_ELEMENTS(light_fields), orders->why, sizeof(orders->why)) != 0)
		return HA_E_MALFORMED;
	if (color && json_check(color, color_fields, N_ELEMENTS(color_fields), orders->why, sizeof(orders->why)) != 0)
		return HA_E_MALFORMED;
	text_copy(orders->text, sizeof(orders->text), json_get_text(json, "state"));
	if (word_of(orders, "ON|OFF") < 0)
		return refuse(orders, HA_E_VALUE, "state: expected ON or OFF");
	order(orders, entity, CAP_ON_OFF, value_bool(word_of(orders, "ON|OFF") == 0));
	if (word_of(orders, "OFF") == 0)
		return 0;
	order_number(orders, entity, CAP_LEVEL, json_get(json, "brightness"));
	order_number(orders, entity, CAP_COLOR_TEMPERATURE, json_get(json, "color_temp"));
	if (color) {
		order_number(orders, entity, CAP_COLOR_HUE, json_get(color, "h"));
		order_number(orders, entity, CAP_COLOR_SATURATION, json_get(color, "s"));
	}
	return 0;
}

must_check static int read_light(struct ha_orders *orders, const struct ha_entity *entity, const void *payload, size_t len)
{
	struct json *json = NULL;
	int r = json_parse(payload, len, HA_PAYLOAD_MAX, HA_DEPTH_MAX, orders->why, sizeof(orders->why), &json);

	if (r == 0)
		r = take_light(orders, entity, json);
	else
		r = HA_E_MALFORMED;
	json_free(json);
	return r;
}

must_check static int read_select(struct ha_orders *orders, const struct ha_entity *entity)
{
	const struct capability *row = capability_find(entity->cap->id);

	if (!row || !row->choices || word_of(orders, row->choices) < 0)
		return refuse(orders, HA_E_VALUE, "not one of the words of this entity");
	return read_text(orders, entity, orders->text);
}

/* part: what follows the entity's object id in the topic */
must_check static int read_for(struct ha_orders *orders, const struct ha_entity *entity, const char *part)
{
	if (part[0] && entity->platform != HA_COVER && entity->platform != HA_CLIMATE)
		return refuse(orders, HA_E_TOPIC, "no such entity");
	switch (entity->platform) {
	case HA_SWITCH:
		return read_bool(orders, entity, "ON|OFF");
	case HA_VALVE:
		return read_bool(orders, entity, "OPEN|CLOSE");
	case HA_NUMBER:
		return read_number(orders, entity, entity->cap);
	case HA_SELECT:
		return read_select(orders, entity);
	case HA_LOCK:
		return read_lock(orders, entity);
	case HA_COVER:
		return read_cover(orders, entity, part);
	case HA_CLIMATE:
		return read_climate(orders, entity, part);
	case HA_SENSOR:
	case HA_BINARY:
	case HA_LIGHT:
	case HA_PLATFORMS:
		break;
	}
	return refuse(orders, HA_E_TOPIC, "an entity that takes no commands");
}

/* Exactly the object id; or, where an entity has parts, the object id and a part. */
static const struct ha_entity *find_entity(const struct ha_entity *entities, size_t n, const char *object, const char **ret_part)
{
	static const char *const parts[] = { "", "_position", "_temperature", "_mode" };

	for (size_t p = 0; p < N_ELEMENTS(parts); p++)
		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(entities[i].object);

			if (strncmp(object, entities[i].object, len) != 0 || strcmp(object + len, parts[p]) != 0)
				continue;
			*ret_part = parts[p];
			return &entities[i];
		}
	return NULL;
}

int ha_read_command(const struct device_desc *desc, const char *object, const void *payload, size_t len, struct ha_orders *ret)
{
	struct ha_entity entities[HA_ENTITIES_MAX];
	const struct ha_entity *entity;
	const char *part = "";

	memset(ret, 0, sizeof(*ret));
	if (len > HA_PAYLOAD_MAX)
		return refuse(ret, HA_E_MALFORMED, "a payload of more than 64 KiB");
	entity = find_entity(entities, ha_entities(desc, entities), object, &part);
	if (!entity)
		return refuse(ret, HA_E_TOPIC, "no such entity");
	if (entity->platform == HA_LIGHT && !part[0])
		return read_light(ret, entity, payload, len);
	if (!len || !text_is_utf8(payload, len) || !text_copy_n(ret->text, sizeof(ret->text), payload, len))
		return refuse(ret, HA_E_VALUE, "not a word or number of this entity");
	return read_for(ret, entity, part);
}
