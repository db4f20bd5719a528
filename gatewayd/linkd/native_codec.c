/* Pure: JSON to and from plain values, by the tables of docs/spec/cloud.md. A platform that sends what is not in them is told
 * so, and nothing of it is guessed at: a missing counter or a key too many is no command.
 */
#include "linkd/native_codec.h"

#include <string.h>
#include "base/text.h"
#include "model/alarm.h"
#include "model/capability.h"
#include "model/device.h"
#include "model/device_id.h"
#include "model/value.h"
#include "sys/crypto.h"

/* 9999-12-31, so that milliseconds can be multiplied. */
static const int64_t ms_max = 253402300799999;

static void put_id(struct jsonw *w, const char *key, struct device_id id)
{
	char text[DEVICE_ID_TEXT_MAX];

	if (device_id_is_none(id))
		return;
	device_id_print(id, text);
	jsonw_text(w, key, text);
}

static void put_view(struct jsonw *w, const char *key, struct view v)
{
	if (v.len)
		jsonw_text_n(w, key, v.data, v.len);
}

/* Events. */

static void put_report(struct jsonw *w, const struct event *event)
{
	char name[CAPABILITY_NAME_MAX];

	capability_name(event->cap, name);
	jsonw_i64(w, "endpoint", event->endpoint);
	jsonw_text(w, "capability", name);
	jsonw_value(w, "value", &event->value);
}

static void put_alarm(struct jsonw *w, const struct event *event)
{
	static const char *const phases[] = { "raised", "acknowledged", "cleared" };

	put_view(w, "alarm", event->text);
	put_view(w, "detail", event->detail);
	jsonw_text(w, "severity", severity_name((enum severity)event->severity));
	jsonw_text(w, "phase", phases[event->phase < N_ELEMENTS(phases) ? event->phase : 0]);
}

static void put_anchor(struct jsonw *w, const struct event *event)
{
	char text[BASE64URL_CAP(WIRE_ANCHOR_MAX)];
	size_t len = event->value.len < WIRE_ANCHOR_MAX ? event->value.len : WIRE_ANCHOR_MAX;

	base64url_print(event->value.data, len, text, sizeof(text));
	jsonw_text(w, "anchor", text);
	put_view(w, "detail", event->detail);
}

void native_put_anchor(struct jsonw *w, const struct event *event)
{
	jsonw_open(w, NULL, '{');
	put_anchor(w, event);
	jsonw_shut(w, '}');
}

static void put_kind(struct jsonw *w, const struct event *event)
{
	switch (event->kind) {
	case EVENT_REPORT:
		put_report(w, event);
		return;
	case EVENT_AVAILABILITY:
		jsonw_value(w, "value", &event->value);
		return;
	case EVENT_DEVICE:
		put_view(w, "state", event->text);
		return;
	case EVENT_ALARM:
		put_alarm(w, event);
		return;
	case EVENT_HEALTH:
		put_view(w, "name", event->text);
		jsonw_value(w, "value", &event->value);
		return;
	case EVENT_ANCHOR:
		put_anchor(w, event);
		return;
	case EVENT_KINDS:
		break;
	}
}

void native_put_event(struct jsonw *w, const struct event *event, uint64_t number, bool duplicate)
{
	jsonw_open(w, NULL, '{');
	if (number)
		jsonw_u64(w, "seq", number);
	put_id(w, "device", event->device);
	jsonw_u64(w, "number", event->number);
	if (event->wall_us)
		jsonw_i64(w, "at", event->wall_us / 1000);
	else
		jsonw_null(w, "at");
	jsonw_text(w, "kind", event_kind_name(event->kind));
	put_kind(w, event);
	if (duplicate)
		jsonw_bool(w, "dup", true);
	jsonw_shut(w, '}');
}

/* Descriptions. */

static void put_access(struct jsonw *w, uint8_t access)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} bits[] = { { ACCESS_READ, "read" }, { ACCESS_WRITE, "write" }, { ACCESS_REPORT, "report" }, { ACCESS_SECURE, "secure" } };

	jsonw_open(w, "access", '[');
	for (size_t i = 0; i < N_ELEMENTS(bits); i++)
		if (access & bits[i].bit)
			jsonw_text(w, NULL, bits[i].name);
	jsonw_shut(w, ']');
}

static void put_range(struct jsonw *w, const struct capability_desc *cap, const struct capability *row)
{
	double per = cap->type == VALUE_REAL ? 1000.0 : 1.0, step = 0;

	if (cap->type != VALUE_INT && cap->type != VALUE_REAL)
		return;
	if (cap->min || cap->max || cap->step) {
		jsonw_f64(w, "min", (double)cap->min / per);
		jsonw_f64(w, "max", (double)cap->max / per);
		step = (double)cap->step / per;
	} else if (row && row->min < row->max) {
		jsonw_f64(w, "min", row->min);
		jsonw_f64(w, "max", row->max);
		step = row->step;
	}
	if (step > 0)
		jsonw_f64(w, "step", step);
}

static void put_choices(struct jsonw *w, const char *choices)
{
	jsonw_open(w, "choices", '[');
	for (const char *at = choices, *bar; at; at = bar ? bar + 1 : NULL) {
		bar = strchr(at, '|');
		jsonw_text_n(w, NULL, at, bar ? (size_t)(bar - at) : strlen(at));
	}
	jsonw_shut(w, ']');
}

static void put_capability(struct jsonw *w, const struct capability_desc *cap)
{
	static const char *const types[VALUE_TYPES] = { "none", "bool", "int", "real", "text", "bytes" };
	const struct capability *row = capability_find(cap->id);
	char name[CAPABILITY_NAME_MAX];

	capability_name(cap->id, name);
	jsonw_open(w, NULL, '{');
	jsonw_text(w, "name", name);
	jsonw_text(w, "type", types[cap->type < VALUE_TYPES ? cap->type : 0]);
	put_access(w, cap->access);
	if (cap->unit && cap->unit < UNITS)
		jsonw_text(w, "unit", unit_name((enum unit)cap->unit));
	else if (row && row->unit != UNIT_NONE)
		jsonw_text(w, "unit", unit_name(row->unit));
	put_range(w, cap, row);
	if (row && row->choices)
		put_choices(w, row->choices);
	jsonw_text(w, "class", data_class_name(capability_class(cap->id)));
	jsonw_text(w, "risk", risk_name(capability_risk(cap->id)));
	jsonw_shut(w, '}');
}

void native_put_device(struct jsonw *w, const struct known *known)
{
	const struct device_desc *desc = known->desc;

	jsonw_open(w, NULL, '{');
	put_id(w, "id", known->id);
	jsonw_text(w, "name", desc->name);
	jsonw_text(w, "room", known->room);
	jsonw_text(w, "vendor", desc->vendor);
	jsonw_text(w, "model", desc->model);
	jsonw_text(w, "firmware", desc->firmware);
	jsonw_text(w, "state", device_state_name((enum device_state)known->state));
	jsonw_bool(w, "reachable", known->reachable);
	jsonw_i64(w, "evidence", desc->evidence);
	jsonw_open(w, "endpoints", '[');
	for (uint8_t e = 0; e < desc->n_endpoints; e++) {
		jsonw_open(w, NULL, '{');
		jsonw_i64(w, "id", desc->endpoints[e].id);
		jsonw_open(w, "capabilities", '[');
		for (uint8_t c = 0; c < desc->endpoints[e].n_caps; c++)
			put_capability(w, &desc->endpoints[e].caps[c]);
		jsonw_shut(w, ']');
		jsonw_shut(w, '}');
	}
	jsonw_shut(w, ']');
	jsonw_shut(w, '}');
}

/* Answers. */

void native_put_answer(struct jsonw *w, const struct wire_msg *msg)
{
	char name[CAPABILITY_NAME_MAX];
	uint16_t result = msg->link_answer.result < RESULTS ? msg->link_answer.result : (uint16_t)RESULT_INTERNAL;

	jsonw_open(w, NULL, '{');
	jsonw_text_n(w, "id", msg->link_answer.id.data, msg->link_answer.id.len);
	jsonw_text_n(w, "sender", msg->link_answer.sender.data, msg->link_answer.sender.len);
	jsonw_text(w, "result", result_name((enum result)result));
	jsonw_text_n(w, "reason", msg->link_answer.reason.data, msg->link_answer.reason.len);
	put_id(w, "device", msg->link_answer.device);
	if (msg->link_answer.cap) {
		capability_name(msg->link_answer.cap, name);
		jsonw_text(w, "capability", name);
	}
	jsonw_shut(w, '}');
}

void native_put_refusal(struct jsonw *w, const struct native_command *command)
{
	jsonw_open(w, NULL, '{');
	jsonw_text(w, "id", command->id);
	jsonw_text(w, "sender", command->sender);
	jsonw_text(w, "result", result_name(command->fault == NOTE_BAD_VALUE ? RESULT_BAD_VALUE : RESULT_MALFORMED));
	jsonw_text(w, "reason", command->why);
	jsonw_shut(w, '}');
}

/* Commands. */

static const struct json_field command_fields[] = {
	{ "id", JSON_TEXT, true, 1, COMMAND_ID_MAX },
	{ "sender", JSON_TEXT, true, 1, SENDER_MAX },
	{ "issued_at", JSON_INT, true, 1, 253402300799999 },
	{ "not_after", JSON_INT, true, 1, 253402300799999 },
	{ "counter", JSON_INT, true, 1, INT64_MAX },
	{ "device", JSON_TEXT, true, 24, 24 },
	{ "capability", JSON_TEXT, true, 1, CAPABILITY_NAME_MAX - 1 },
	{ "endpoint", JSON_INT, false, 1, 255 },
	{ "value", JSON_NULL, true, 0, 0 },
};

static int refuse(struct native_command *command, enum note_kind fault, const char *why)
{
	command->fault = fault;
	if (why != command->why)
		text_copy(command->why, sizeof(command->why), why);
	return NATIVE_E_REFUSED;
}

/* Shown to people and kept in the audit record: nothing that moves a cursor. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void read_name(const struct json *json, const char *key, char *ret, size_t cap)
{
	const char *text = json_get_text(json, key);

	if (!text || !is_plain(text) || !text_copy(ret, cap, text))
		ret[0] = '\0';
}

must_check static int read_value(struct native_command *command, const struct json *json)
{
	struct value *value = &command->msg.link_command.value;
	size_t len = 0;

	switch (json_kind(json)) {
	case JSON_BOOL:
		value->type = VALUE_BOOL;
		return json_to_bool(json, &value->b) ? 0 : refuse(command, NOTE_BAD_VALUE, "value: not a truth value");
	case JSON_INT:
		value->type = VALUE_INT;
		return json_to_i64(json, &value->i) ? 0 : refuse(command, NOTE_BAD_VALUE, "value: not an integer");
	case JSON_REAL:
		value->type = VALUE_REAL;
		return json_to_f64(json, &value->f) ? 0 : refuse(command, NOTE_BAD_VALUE, "value: not a number");
	case JSON_TEXT:
		value->type = VALUE_TEXT;
		value->data = json_text(json, &len);
		value->len = (uint32_t)len;
		return len <= VALUE_LEN_MAX ? 0 : refuse(command, NOTE_BAD_VALUE, "value: text too long");
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return refuse(command, NOTE_BAD_VALUE, "value: expected true, false, a number or a text");
}

static int64_t read_i64(const struct json *json, const char *key)
{
	int64_t v = 0;

	return json_to_i64(json_get(json, key), &v) ? v : 0;
}

must_check static int read_target(struct native_command *command, const struct json *json)
{
	if (device_id_parse(json_get_text(json, "device"), 24, &command->msg.link_command.device) != 0)
		return refuse(command, NOTE_MALFORMED, "device: expected 24 hexadecimal digits");
	if (capability_id_of(json_get_text(json, "capability"), &command->msg.link_command.cap) != 0)
		return refuse(command, NOTE_BAD_VALUE, "capability: no such capability");
	command->msg.link_command.endpoint = (uint8_t)read_i64(json, "endpoint");
	return read_value(command, json_get(json, "value"));
}

static void read_guards(struct native_command *command, const struct json *json)
{
	struct wire_msg *msg = &command->msg;

	msg->link_command.id = view_text(command->id);
	msg->link_command.sender = view_text(command->sender);
	msg->link_command.has_counter = msg->link_command.has_times = true;
	msg->link_command.counter = (uint64_t)read_i64(json, "counter");
	msg->link_command.issued_us = read_i64(json, "issued_at") * 1000;
	msg->link_command.not_after_us = read_i64(json, "not_after") * 1000;
}

int native_read_command(const void *data, size_t len, struct native_command *ret)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->msg.type = WIRE_LINK_COMMAND;
	r = json_parse(data, len, NATIVE_PAYLOAD_MAX, NATIVE_DEPTH_MAX, ret->why, sizeof(ret->why), &ret->json);
	if (r)
		return refuse(ret, r == JSON_E_SIZE ? NOTE_OVERSIZE : NOTE_MALFORMED, ret->why);
	if (json_kind(ret->json) == JSON_OBJECT) {
		read_name(ret->json, "id", ret->id, sizeof(ret->id));
		read_name(ret->json, "sender", ret->sender, sizeof(ret->sender));
	}
	if (json_check(ret->json, command_fields, N_ELEMENTS(command_fields), ret->why, sizeof(ret->why)))
		return refuse(ret, NOTE_MALFORMED, ret->why);
	if (!ret->id[0] || !ret->sender[0])
		return refuse(ret, NOTE_MALFORMED, "id, sender: expected text without control characters");
	read_guards(ret, ret->json);
	return read_target(ret, ret->json);
}

void native_command_deinit(struct native_command *command)
{
	command->json = json_free(command->json);
}

int native_read_anchor(const void *data, size_t len, struct native_anchor *ret)
{
	static const struct json_field fields[] = { { "anchor", JSON_TEXT, true, 1, BASE64URL_CAP(WIRE_ANCHOR_MAX) - 1 },
						    { "detail", JSON_TEXT, true, 1, WIRE_TEXT_MAX } };
	struct json *json = NULL;
	const char *text;
	bool ok = json_parse(data, len, NATIVE_PAYLOAD_MAX, 2, NULL, 0, &json) == 0 &&
		  json_check(json, fields, N_ELEMENTS(fields), NULL, 0) == 0;

	if (ok) {
		text = json_text(json_get(json, "anchor"), NULL);
		ok = base64url_parse(text, strlen(text), ret->body, sizeof(ret->body), &ret->len) == 0;
	}
	if (ok)
		ok = text_copy(ret->signatures, sizeof(ret->signatures), json_text(json_get(json, "detail"), NULL));
	json_free(json);
	return ok ? 0 : NATIVE_E_REFUSED;
}

int native_read_time(const void *data, size_t len, int64_t *ret_us)
{
	static const struct json_field fields[] = { { "now", JSON_INT, true, 1, 253402300799999 } };
	struct json *json = NULL;
	int64_t ms = 0;
	bool ok = json_parse(data, len, 256, 2, NULL, 0, &json) == 0 && json_check(json, fields, 1, NULL, 0) == 0 &&
		  json_to_i64(json_get(json, "now"), &ms) && ms <= ms_max;

	json_free(json);
	if (!ok)
		return NATIVE_E_REFUSED;
	*ret_us = ms * 1000;
	return 0;
}
