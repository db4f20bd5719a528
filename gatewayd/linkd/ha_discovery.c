/* Discovery: one payload for a device, with a component for each entity. Device, origin and components are all needed, or
 * Home Assistant refuses the whole; the components inherit availability and the state topic from the root.
 */
#include "linkd/ha_codec.h"

#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "model/device_id.h"

/* A component while it is written. */
struct component {
	struct jsonw *w;
	const struct ha_topics *topics;
	const struct ha_entity *entity;
	struct device_id id;
	char text[DEVICE_ID_TEXT_MAX];
};

static void put_topic(const struct component *c, const char *key, const char *what, const char *part)
{
	char topic[HA_TOPIC_LEN];

	text_print(topic, sizeof(topic), "%s/device/%s/%s/%s%s", c->topics->base, c->text, what, c->entity->object, part);
	jsonw_text(c->w, key, topic);
}

static void put_template(const struct component *c, const char *key, const char *part)
{
	char template[HA_OBJECT_MAX + 48];

	text_print(template, sizeof(template), "{{ value_json.%s%s }}", c->entity->object, part);
	jsonw_text(c->w, key, template);
}

static void put_name(const struct component *c)
{
	const struct ha_entity *e = c->entity;
	char name[64];

	if (e->is_main) {
		jsonw_null(c->w, "name");
		return;
	}
	if (e->row)
		text_copy(name, sizeof(name), e->row->name);
	else
		text_copy(name, sizeof(name), e->platform == HA_LIGHT ? "Light" : e->platform == HA_COVER ? "Cover" :
					      e->platform == HA_CLIMATE ? "Climate" : e->object);
	if (e->row || e->platform >= HA_LIGHT)
		if (e->endpoint != 1)
			text_append(name, sizeof(name), " %u", e->endpoint);
	jsonw_text(c->w, "name", name);
}

static void put_range(const struct component *c, const char *min_key, const char *max_key, const char *step_key)
{
	const struct capability_desc *cap = c->entity->cap;
	const struct capability *row = capability_find(cap->id);
	double per = cap->type == VALUE_REAL ? 1000.0 : 1.0, min = 0, max = 0, step = 0;

	if (cap->min || cap->max || cap->step) {
		min = (double)cap->min / per;
		max = (double)cap->max / per;
		step = (double)cap->step / per;
	} else if (row) {
		min = row->min;
		max = row->max;
		step = row->step;
	}
	if (min < max) {
		jsonw_f64(c->w, min_key, min);
		jsonw_f64(c->w, max_key, max);
	}
	if (step <= 0)
		step = cap->type == VALUE_REAL ? 0.1 : 1;
	jsonw_f64(c->w, step_key, step);
}

static void put_options(const struct component *c, const char *choices)
{
	jsonw_open(c->w, "ops", '[');
	for (const char *at = choices, *bar; at; at = bar ? bar + 1 : NULL) {
		bar = strchr(at, '|');
		jsonw_text_n(c->w, NULL, at, bar ? (size_t)(bar - at) : strlen(at));
	}
	jsonw_shut(c->w, ']');
}

static void put_sensor(const struct component *c)
{
	const struct ha_row *row = c->entity->row;
	const struct capability *cap = capability_find(c->entity->cap->id);

	if (row && row->unit)
		jsonw_text(c->w, "unit_of_meas", row->unit);
	if (row && row->stat_cla)
		jsonw_text(c->w, "stat_cla", row->stat_cla);
	if (row && row->dev_cla && strcmp(row->dev_cla, "enum") == 0 && cap && cap->choices)
		put_options(c, cap->choices);
}

static void put_light(const struct component *c)
{
	bool warmth = ha_part(c->entity, CAP_COLOR_TEMPERATURE);
	bool color = ha_part(c->entity, CAP_COLOR_HUE) && ha_part(c->entity, CAP_COLOR_SATURATION);
	const struct capability_desc *cap = ha_part(c->entity, CAP_COLOR_TEMPERATURE);

	jsonw_text(c->w, "schema", "json");
	put_topic(c, "stat_t", "state", "");
	if (ha_part(c->entity, CAP_LEVEL)) {
		jsonw_bool(c->w, "brightness", true);
		jsonw_i64(c->w, "bri_scl", 100);
	}
	jsonw_open(c->w, "sup_clrm", '[');
	if (warmth)
		jsonw_text(c->w, NULL, "color_temp");
	if (color)
		jsonw_text(c->w, NULL, "hs");
	if (!warmth && !color)
		jsonw_text(c->w, NULL, "brightness");
	jsonw_shut(c->w, ']');
	if (cap && cap->min < cap->max) {
		jsonw_i64(c->w, "min_mirs", cap->min);
		jsonw_i64(c->w, "max_mirs", cap->max);
	}
}

static void put_cover(const struct component *c)
{
	put_template(c, "val_tpl", "");
	if (!ha_part(c->entity, CAP_COVER_MOVE) && !ha_part(c->entity, CAP_COVER_POSITION))
		return;
	if (!ha_part(c->entity, CAP_COVER_MOVE))
		jsonw_null(c->w, "pl_stop");
	if (!ha_part(c->entity, CAP_COVER_POSITION))
		return;
	put_topic(c, "set_pos_t", "set", "_position");
	{
		char topic[HA_TOPIC_LEN];

		ha_device_topic(c->topics, c->id, "state", topic);
		jsonw_text(c->w, "pos_t", topic);
	}
	put_template(c, "pos_tpl", "_position");
}

static void put_climate(const struct component *c)
{
	const struct capability_desc *mode = ha_part(c->entity, CAP_THERMOSTAT_MODE);
	char topic[HA_TOPIC_LEN];

	ha_device_topic(c->topics, c->id, "state", topic);
	put_topic(c, "temp_cmd_t", "set", "_temperature");
	jsonw_text(c->w, "temp_stat_t", topic);
	put_template(c, "temp_stat_tpl", "_temperature");
	if (ha_part(c->entity, CAP_TEMPERATURE)) {
		char template[64];

		jsonw_text(c->w, "curr_temp_t", topic);
		if (c->entity->endpoint == 1)
			text_copy(template, sizeof(template), "{{ value_json.temperature }}");
		else
			text_print(template, sizeof(template), "{{ value_json.temperature_%u }}", c->entity->endpoint);
		jsonw_text(c->w, "curr_temp_tpl", template);
	}
	if (mode && ha_is_writable(mode))
		put_topic(c, "mode_cmd_t", "set", "_mode");
	jsonw_text(c->w, "mode_stat_t", topic);
	put_template(c, "mode_stat_tpl", "_mode");
	jsonw_open(c->w, "modes", '[');
	if (mode)
		for (const char *const *m = (const char *const[]){ "off", "auto", "cool", "heat", "fan_only", "dry", NULL }; *m; m++)
			jsonw_text(c->w, NULL, *m);
	else
		jsonw_text(c->w, NULL, "heat");
	jsonw_shut(c->w, ']');
	put_range(c, "min_temp", "max_temp", "temp_step");
	jsonw_text(c->w, "temp_unit", "C");
}

static void put_own(const struct component *c)
{
	const struct capability *cap = capability_find(c->entity->cap->id);

	switch (c->entity->platform) {
	case HA_LIGHT:
		put_light(c);
		return;
	case HA_COVER:
		put_cover(c);
		return;
	case HA_CLIMATE:
		put_climate(c);
		return;
	case HA_SENSOR:
		put_template(c, "val_tpl", "");
		put_sensor(c);
		return;
	case HA_NUMBER:
		put_template(c, "val_tpl", "");
		if (c->entity->row && c->entity->row->unit)
			jsonw_text(c->w, "unit_of_meas", c->entity->row->unit);
		put_range(c, "min", "max", "step");
		return;
	case HA_SELECT:
		put_template(c, "val_tpl", "");
		if (cap && cap->choices)
			put_options(c, cap->choices);
		return;
	case HA_BINARY:
	case HA_SWITCH:
		put_template(c, "val_tpl", "");
		jsonw_text(c->w, "pl_on", "ON");
		jsonw_text(c->w, "pl_off", "OFF");
		return;
	case HA_LOCK:
	case HA_VALVE:
	case HA_PLATFORMS:
		put_template(c, "val_tpl", "");
	}
}

static bool has_commands(const struct ha_entity *entity)
{
	return entity->platform >= HA_SWITCH && entity->platform != HA_CLIMATE && ha_is_writable(entity->cap);
}

static void put_component(const struct component *c)
{
	const struct ha_entity *e = c->entity;
	char unique[HA_OBJECT_MAX + 40];

	jsonw_open(c->w, e->object, '{');
	jsonw_text(c->w, "p", ha_platform_name(e->platform));
	put_name(c);
	text_print(unique, sizeof(unique), "gwd_%s_%s", c->text, e->object);
	jsonw_text(c->w, "uniq_id", unique);
	if (e->row && e->row->dev_cla)
		jsonw_text(c->w, "dev_cla", e->row->dev_cla);
	if (e->row && e->row->diagnostic)
		jsonw_text(c->w, "ent_cat", "diagnostic");
	if (has_commands(e))
		put_topic(c, "cmd_t", "set", "");
	put_own(c);
	jsonw_shut(c->w, '}');
}

static void put_origin(struct jsonw *w)
{
	jsonw_open(w, "o", '{');
	jsonw_text(w, "name", "gatewayd");
	jsonw_text(w, "sw", GW_VERSION);
	jsonw_shut(w, '}');
}

static void put_ids(struct jsonw *w, const char *id)
{
	jsonw_open(w, "ids", '[');
	jsonw_text(w, NULL, id);
	jsonw_shut(w, ']');
}

static void put_text_if(struct jsonw *w, const char *key, const char *text)
{
	if (text[0])
		jsonw_text(w, key, text);
}

static void put_root(struct jsonw *w, const struct ha_topics *topics, const struct known *known, const char *text)
{
	const struct device_desc *desc = known->desc;
	char topic[HA_TOPIC_LEN], id[32];

	text_print(id, sizeof(id), "gwd_%s", text);
	jsonw_open(w, "dev", '{');
	put_ids(w, id);
	jsonw_text(w, "name", desc->name[0] ? desc->name : id);
	put_text_if(w, "mf", desc->vendor);
	put_text_if(w, "mdl", desc->model);
	put_text_if(w, "sw", desc->firmware);
	put_text_if(w, "sa", known->room);
	jsonw_text(w, "via_device", topics->gateway);
	jsonw_shut(w, '}');
	put_origin(w);
	jsonw_open(w, "avty", '[');
	ha_device_topic(topics, known->id, "availability", topic);
	for (size_t i = 0; i < 2; i++) {
		jsonw_open(w, NULL, '{');
		jsonw_text(w, "t", i == 0 ? topics->bridge_state : topic);
		jsonw_text(w, "val_tpl", "{{ value_json.state }}");
		jsonw_shut(w, '}');
	}
	jsonw_shut(w, ']');
	jsonw_text(w, "avty_mode", "all");
	ha_device_topic(topics, known->id, "state", topic);
	jsonw_text(w, "stat_t", topic);
	jsonw_i64(w, "qos", 1);
}

void ha_put_device(struct jsonw *w, const struct ha_topics *topics, const struct known *known)
{
	struct ha_entity entities[HA_ENTITIES_MAX];
	size_t n = ha_entities(known->desc, entities);
	struct component c = { .w = w, .topics = topics, .id = known->id };

	device_id_print(known->id, c.text);
	jsonw_open(w, NULL, '{');
	put_root(w, topics, known, c.text);
	jsonw_open(w, "cmps", '{');
	for (size_t i = 0; i < n; i++) {
		c.entity = &entities[i];
		put_component(&c);
	}
	jsonw_shut(w, '}');
	jsonw_shut(w, '}');
}

/* The gateway itself: is it there, how is it, what was wrong last. */
void ha_put_gateway(struct jsonw *w, const struct ha_topics *topics)
{
	static const struct {
		const char *object, *p, *name, *dev_cla, *unit, *stat_cla, *member;
		bool alarm;
	} rows[] = {
		{ "connection", "binary_sensor", "Connection", "connectivity", NULL, NULL, "state", false },
		{ "uptime", "sensor", "Uptime", "duration", "s", "total_increasing", "uptime_s", false },
		{ "memory", "sensor", "Memory", "data_size", "KiB", "measurement", "rss_kib", false },
		{ "queued", "sensor", "Waiting to be sent", NULL, NULL, "measurement", "spool_queued", false },
		{ "alarm", "sensor", "Last alarm", NULL, NULL, NULL, "alarm", true },
	};
	char text[160];

	jsonw_open(w, NULL, '{');
	jsonw_open(w, "dev", '{');
	put_ids(w, topics->gateway);
	jsonw_text(w, "name", "gatewayd");
	jsonw_text(w, "sw", GW_VERSION);
	jsonw_shut(w, '}');
	put_origin(w);
	jsonw_text(w, "stat_t", topics->bridge_health);
	jsonw_i64(w, "qos", 1);
	jsonw_open(w, "cmps", '{');
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		jsonw_open(w, rows[i].object, '{');
		jsonw_text(w, "p", rows[i].p);
		jsonw_text(w, "name", rows[i].name);
		text_print(text, sizeof(text), "%s_%s", topics->gateway, rows[i].object);
		jsonw_text(w, "uniq_id", text);
		jsonw_text(w, "ent_cat", "diagnostic");
		put_text_if(w, "dev_cla", rows[i].dev_cla ? rows[i].dev_cla : "");
		put_text_if(w, "unit_of_meas", rows[i].unit ? rows[i].unit : "");
		put_text_if(w, "stat_cla", rows[i].stat_cla ? rows[i].stat_cla : "");
		if (i == 0) {
			jsonw_text(w, "stat_t", topics->bridge_state);
			jsonw_text(w, "pl_on", "online");
			jsonw_text(w, "pl_off", "offline");
		}
		if (rows[i].alarm) {
			jsonw_text(w, "stat_t", topics->bridge_alarm);
			jsonw_text(w, "json_attr_t", topics->bridge_alarm);
		}
		text_print(text, sizeof(text), "{{ value_json.%s }}", rows[i].member);
		jsonw_text(w, "val_tpl", text);
		jsonw_shut(w, '}');
	}
	jsonw_shut(w, '}');
	jsonw_shut(w, '}');
}
