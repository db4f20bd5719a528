/* An event is encoded once, when it happens, and these bytes are what lies in the spool and what a
 * link is given. The form is canonical: for each event there is one row of bytes, so two that are
 * equal are equal as bytes.
 */
#include "model/event.h"

#include <assert.h>
#include "base/text.h"
#include "model/alarm.h"

enum { EVENT_RISKY = 1u, EVENT_DUPLICATE = 2u, EVENT_PHASE_LAST = 2 };

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_REPORT] = "report", [EVENT_AVAILABILITY] = "availability",
	[EVENT_DEVICE] = "device", [EVENT_ALARM] = "alarm",
	[EVENT_HEALTH] = "health", [EVENT_ANCHOR] = "anchor",
};
static const char *const class_names[EVENT_CLASSES] = {
	[EVENT_CLASS_ALARM] = "alarm",
	[EVENT_CLASS_STATE] = "state",
	[EVENT_CLASS_TELEMETRY] = "telemetry",
};

/* What kind of value belongs to what kind of event. */
static bool value_fits(enum event_kind kind, enum value_type type)
{
	switch (kind) {
	case EVENT_REPORT:
		return type != VALUE_NONE;
	case EVENT_AVAILABILITY:
		return type == VALUE_BOOL;
	case EVENT_HEALTH:
		return type == VALUE_INT;
	case EVENT_DEVICE:
	case EVENT_ALARM:
		return type == VALUE_NONE;
	case EVENT_ANCHOR:
		return type == VALUE_BYTES;
	case EVENT_KINDS:
		break;
	}
	return false;
}

static void put_text(struct writer *w, struct view text)
{
	if (text.len > EVENT_TEXT_MAX || (text.len && !text_is_utf8(text.data, text.len)))
		w->bad = true;
	put_view16(w, text.data, text.len);
}

static bool is_sound(const struct event *e)
{
	return e->kind < EVENT_KINDS && e->event_class < EVENT_CLASSES &&
	       e->severity < SEVERITIES && e->phase <= EVENT_PHASE_LAST && e->wall_us >= 0 &&
	       value_fits(e->kind, e->value.type);
}

void event_put(struct writer *w, const struct event *event)
{
	if (!is_sound(event))
		w->bad = true;
	put_u8(w, (uint8_t)event->kind);
	put_u8(w, (uint8_t)event->event_class);
	put_u8(w, (uint8_t)((event->risky ? EVENT_RISKY : 0) | (event->duplicate ? EVENT_DUPLICATE : 0)));
	put_u8(w, event->severity);
	put_u8(w, event->phase);
	put_bytes(w, event->device.b, DEVICE_ID_LEN);
	put_u8(w, event->endpoint);
	put_u16(w, event->cap);
	put_i64(w, event->wall_us);
	put_u64(w, event->number);
	value_put(w, &event->value);
	put_text(w, event->text);
	put_text(w, event->detail);
}

static struct device_id get_device_id(struct reader *r)
{
	struct view v = get_view(r, DEVICE_ID_LEN);
	struct device_id id = { { 0 } };

	for (size_t i = 0; i < v.len; i++)
		id.b[i] = v.data[i];
	return id;
}

int event_get(struct reader *r, struct event *ret)
{
	struct event e = { 0 };
	uint8_t flags;

	e.kind = (enum event_kind)get_u8(r);
	e.event_class = (enum event_class)get_u8(r);
	flags = get_u8(r);
	e.risky = flags & EVENT_RISKY;
	e.duplicate = flags & EVENT_DUPLICATE;
	e.severity = get_u8(r);
	e.phase = get_u8(r);
	e.device = get_device_id(r);
	e.endpoint = get_u8(r);
	e.cap = get_u16(r);
	e.wall_us = get_i64(r);
	e.number = get_u64(r);
	if (value_get(r, &e.value))
		return EVENT_E_SYNTAX;
	e.text = get_text16(r, EVENT_TEXT_MAX);
	e.detail = get_text16(r, EVENT_TEXT_MAX);
	if (r->bad || flags > (EVENT_RISKY | EVENT_DUPLICATE) || !is_sound(&e))
		return EVENT_E_SYNTAX;
	*ret = e;
	return 0;
}

const char *event_kind_name(enum event_kind kind)
{
	assert(kind < EVENT_KINDS);
	return kind_names[kind];
}

const char *event_class_name(enum event_class c)
{
	assert(c < EVENT_CLASSES);
	return class_names[c];
}
