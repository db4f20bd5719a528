/* Topics and states. Only identities enter topics, never names: a device may be called "+/#" and nothing happens.
 *
 * A device's state is one JSON object, a member for each entity; lights have one of their own each, since Home Assistant
 * reads a light's state from the top of the payload.
 */
#include "linkd/ha_codec.h"

#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "model/device_id.h"

int ha_topics_init(struct ha_topics *topics, const char *base, const char *prefix, const char *client_id)
{
	bool ok = text_copy(topics->base, sizeof(topics->base), base) && text_copy(topics->prefix, sizeof(topics->prefix), prefix);

	ok &= text_print(topics->gateway, sizeof(topics->gateway), "gatewayd_%s", client_id);
	for (char *p = topics->gateway; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p))
			*p = '_';
	ok &= text_print(topics->bridge_state, sizeof(topics->bridge_state), "%s/bridge/state", base);
	ok &= text_print(topics->bridge_health, sizeof(topics->bridge_health), "%s/bridge/health", base);
	ok &= text_print(topics->bridge_alarm, sizeof(topics->bridge_alarm), "%s/bridge/alarm", base);
	ok &= text_print(topics->status, sizeof(topics->status), "%s/status", prefix);
	ok &= text_print(topics->commands, sizeof(topics->commands), "%s/device/+/set/+", base);
	return ok ? 0 : -ENAMETOOLONG;
}

void ha_config_topic(const struct ha_topics *topics, struct device_id id, char ret[HA_TOPIC_LEN])
{
	char text[DEVICE_ID_TEXT_MAX];

	device_id_print(id, text);
	text_print(ret, HA_TOPIC_LEN, "%s/device/gwd_%s/config", topics->prefix, text);
}

void ha_device_topic(const struct ha_topics *topics, struct device_id id, const char *end, char ret[HA_TOPIC_LEN])
{
	char text[DEVICE_ID_TEXT_MAX];

	device_id_print(id, text);
	text_print(ret, HA_TOPIC_LEN, "%s/device/%s/%s", topics->base, text, end);
}

static struct value value_of(const struct known *known, const struct ha_entity *entity, uint16_t cap)
{
	struct value_box *box = known_value(known, entity->endpoint, cap);

	return box ? value_box_get(box) : (struct value){ .type = VALUE_NONE };
}

static void put_onoff(struct jsonw *w, const char *key, bool on)
{
	jsonw_text(w, key, on ? "ON" : "OFF");
}

/* lock-state's words are Home Assistant's in small letters. */
static void put_upper(struct jsonw *w, const char *key, const struct value *v)
{
	char word[32];

	text_copy_n(word, sizeof(word), v->data, v->len);
	for (char *p = word; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	jsonw_text(w, key, word);
}

static const char *climate_mode(const struct value *v)
{
	static const struct {
		const char *ours, *theirs;
	} modes[] = {
		{ "off", "off" }, { "auto", "auto" }, { "cool", "cool" },	    { "heat", "heat" }, { "emergency-heat", "heat" },
		{ "precooling", "cool" }, { "fan-only", "fan_only" }, { "dry", "dry" }, { "sleep", "off" },
	};
	for (size_t i = 0; v->type == VALUE_TEXT && i < N_ELEMENTS(modes); i++)
		if (v->len == strlen(modes[i].ours) && memcmp(v->data, modes[i].ours, v->len) == 0)
			return modes[i].theirs;
	return NULL;
}

static void put_cover(struct jsonw *w, const struct known *known, const struct ha_entity *entity)
{
	struct value position = value_of(known, entity, CAP_COVER_POSITION), move = value_of(known, entity, CAP_COVER_MOVE);
	char key[HA_OBJECT_MAX + 16];

	if (position.type != VALUE_NONE) {
		jsonw_text(w, entity->object, value_number(&position) > 0 ? "open" : "closed");
		text_print(key, sizeof(key), "%s_position", entity->object);
		jsonw_value(w, key, &position);
	} else if (move.type == VALUE_TEXT && move.len) {
		jsonw_text(w, entity->object, move.data[0] == 'o' ? "opening" : move.data[0] == 'c' ? "closing" : "stopped");
	}
}

static void put_climate(struct jsonw *w, const struct known *known, const struct ha_entity *entity)
{
	struct value target = value_of(known, entity, CAP_TARGET_TEMPERATURE), mode = value_of(known, entity, CAP_THERMOSTAT_MODE);
	char key[HA_OBJECT_MAX + 16];

	text_print(key, sizeof(key), "%s_temperature", entity->object);
	if (target.type != VALUE_NONE)
		jsonw_value(w, key, &target);
	text_print(key, sizeof(key), "%s_mode", entity->object);
	if (!ha_part(entity, CAP_THERMOSTAT_MODE))
		jsonw_text(w, key, "heat");
	else if (climate_mode(&mode))
		jsonw_text(w, key, climate_mode(&mode));
}

static void put_entity(struct jsonw *w, const struct known *known, const struct ha_entity *entity)
{
	struct value v = value_of(known, entity, entity->cap->id);

	switch (entity->platform) {
	case HA_COVER:
		put_cover(w, known, entity);
		return;
	case HA_CLIMATE:
		put_climate(w, known, entity);
		return;
	case HA_LIGHT:
		return;
	case HA_BINARY:
	case HA_SWITCH:
		if (v.type == VALUE_BOOL)
			put_onoff(w, entity->object, v.b != (entity->row && entity->row->inverted));
		return;
	case HA_VALVE:
		if (v.type == VALUE_BOOL)
			jsonw_text(w, entity->object, v.b ? "open" : "closed");
		return;
	case HA_LOCK:
		if (v.type == VALUE_TEXT)
			put_upper(w, entity->object, &v);
		return;
	case HA_SENSOR:
	case HA_NUMBER:
	case HA_SELECT:
	case HA_PLATFORMS:
		if (v.type != VALUE_NONE)
			jsonw_value(w, entity->object, &v);
	}
}

void ha_put_state(struct jsonw *w, const struct known *known, const struct ha_entity *entities, size_t n)
{
	jsonw_open(w, NULL, '{');
	for (size_t i = 0; i < n; i++)
		put_entity(w, known, &entities[i]);
	jsonw_shut(w, '}');
}

bool ha_put_light(struct jsonw *w, const struct known *known, const struct ha_entity *entity)
{
	struct value on = value_of(known, entity, CAP_ON_OFF), level = value_of(known, entity, CAP_LEVEL);
	struct value warmth = value_of(known, entity, CAP_COLOR_TEMPERATURE), hue = value_of(known, entity, CAP_COLOR_HUE);
	struct value saturation = value_of(known, entity, CAP_COLOR_SATURATION);
	bool has_hs = hue.type != VALUE_NONE && saturation.type != VALUE_NONE;

	if (on.type != VALUE_BOOL)
		return false;
	jsonw_open(w, NULL, '{');
	put_onoff(w, "state", on.b);
	if (level.type != VALUE_NONE)
		jsonw_value(w, "brightness", &level);
	/* A lamp that can both says which it shows by the one it reported; white is the commoner. */
	if (warmth.type != VALUE_NONE) {
		jsonw_text(w, "color_mode", "color_temp");
		jsonw_value(w, "color_temp", &warmth);
	} else if (has_hs) {
		jsonw_text(w, "color_mode", "hs");
		jsonw_open(w, "color", '{');
		jsonw_value(w, "h", &hue);
		jsonw_value(w, "s", &saturation);
		jsonw_shut(w, '}');
	} else if (ha_part(entity, CAP_LEVEL)) {
		jsonw_text(w, "color_mode", "brightness");
	}
	jsonw_shut(w, '}');
	return true;
}
