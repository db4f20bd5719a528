#pragma once
/* event - what listeners hear: reports, availability, device changes, alarms, health, answers.
 *
 *   above   door  linkd  model  registry  router  spool
 *   below   base/base  base/bytes  base/text  model/alarm  model/device_id  model/value
 *   owns    nothing: values and texts are borrowed
 *   limits  EVENT_LEN_MAX EVENT_TEXT_MAX
 *   errors  EVENT_E_SYNTAX
 *
 * The encoded form is what lies in the spool and what travels to a link (docs/spec/wire.md).
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/device_id.h"
#include "model/value.h"

enum { EVENT_LEN_MAX = 5120, EVENT_TEXT_MAX = 256 };
enum { EVENT_E_SYNTAX = 1 };
enum event_kind { EVENT_REPORT, EVENT_AVAILABILITY, EVENT_DEVICE, EVENT_ALARM, EVENT_HEALTH, EVENT_ANCHOR, EVENT_KINDS };
/* Order in which a full spool gives up and in which it drains: alarm and audit before state before telemetry. */
enum event_class { EVENT_CLASS_ALARM, EVENT_CLASS_STATE, EVENT_CLASS_TELEMETRY, EVENT_CLASSES };

struct event {
	enum event_kind kind;
	enum event_class event_class;
	struct device_id device;  /* none for the gateway's own */
	uint8_t endpoint;
	uint16_t cap;             /* REPORT */
	struct value value;       /* REPORT; AVAILABILITY: bool; HEALTH: int; ANCHOR: the checkpoint's bytes */
	int64_t wall_us;          /* when it was observed; 0 when time is not trusted */
	uint64_t number;          /* per device, rising: order and duplicates are visible outside */
	struct view text;         /* ALARM: kind name; DEVICE: state name; HEALTH: name */
	struct view detail;       /* ALARM: plain words; ANCHOR: its signatures, base64url with a dot between */
	uint8_t severity;         /* ALARM */
	uint8_t phase;            /* ALARM: 0 raised 1 acknowledged 2 cleared */
	bool risky;               /* capability of raised or high risk: synced before accepted */
	bool duplicate;           /* perhaps reported before: its source or its adapter sent it again */
};
void event_put(struct writer *w, const struct event *event);
must_check int event_get(struct reader *r, struct event *ret); /* borrows from the buffer */
const char *event_kind_name(enum event_kind kind);
const char *event_class_name(enum event_class c);
