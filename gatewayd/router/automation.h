#pragma once
/* automation - the household's local rules: when a value changes, passes a threshold or a time of day comes, command a device.
 *
 *   above   app  door/method  door/methods_rule  door/render  router/internal  router/trigger
 *   below   audit/audit  base/base  base/text  model/device_id  model/event  model/value  router/trigger  sys/store
 *   owns    the rules; table automation of gateway.db
 *   limits  AUTOMATION_MAX AUTOMATION_DEPTH_MAX AUTOMATION_NAME_MAX
 *   errors  AUTOMATION_E_UNKNOWN AUTOMATION_E_RULE
 *
 * A rule runs with its owner's rights and no more (the router asks policy for subject rule, on behalf of the owner), with
 * the WAN cut, at most AUTOMATION_DEPTH_MAX deep and rate_per_minute times; one that triggers itself is stopped and named.
 * Deciding (router/trigger) is pure: state and event in, fire or not out.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "model/device_id.h"
#include "model/event.h"
#include "model/value.h"
#include "sys/store.h"

enum { AUTOMATION_MAX = 256, AUTOMATION_DEPTH_MAX = 4, AUTOMATION_NAME_MAX = 64 };
enum { AUTOMATION_E_UNKNOWN = 1, AUTOMATION_E_RULE = 2 };
enum trigger_kind { TRIGGER_CHANGE, TRIGGER_EQUALS, TRIGGER_ABOVE, TRIGGER_BELOW, TRIGGER_TIME };
struct automation_rule {
	uint32_t id, owner;
	char name[AUTOMATION_NAME_MAX + 1];
	bool enabled, stopped; /* stopped: by the loop guard, until a person enables it again */
	enum trigger_kind trigger;
	struct device_id device;
	uint8_t endpoint;
	uint16_t cap;
	struct value_box threshold; /* EQUALS, ABOVE, BELOW */
	double hysteresis;          /* ABOVE/BELOW: must pass back this far before it fires again */
	uint8_t days;               /* TIME and others: bit 0 Monday; 0x7f all */
	uint16_t minute;            /* TIME */
	struct device_id target;
	uint8_t target_endpoint;
	uint16_t target_cap;
	struct value_box target_value; /* VALUE_NONE: copy the triggering value; TEXT "toggle" on a bool toggles */
	uint32_t n_fired;
	int64_t fired_us;
};
extern const char automation_schema_1[]; /* part of gateway.db's version 1 */
struct automation;
typedef void (*automation_done_fn)(void *ctx, int r, uint32_t id, const char *error);
/* Called to fire: the router turns it into a command with depth + 1. */
typedef void (*automation_fire_fn)(void *ctx, const struct automation_rule *rule, const struct value *value, uint8_t depth);
typedef void (*automation_stopped_fn)(void *ctx, const struct automation_rule *rule, const char *why);
must_check int automation_new(struct loop *loop, struct store *store, unsigned db, uint32_t depth_max, uint32_t rate_per_minute,
			      automation_fire_fn fire, automation_stopped_fn stopped, void *ctx, struct automation **ret);
must_check int automation_load(struct automation *a);
struct automation *automation_close(struct automation *a);
/* before: the value before this one, NULL unknown. depth: of the command that caused this event, 0 when none is known. */
void automation_on_report(struct automation *a, const struct event *event, const struct value *before, uint8_t depth);
void automation_on_minute(struct automation *a, uint8_t day, uint16_t minute); /* local; each minute once, when time is trusted */
void automation_add(struct automation *a, const struct automation_rule *rule, const struct audit_record *record, automation_done_fn done, void *ctx);
void automation_remove(struct automation *a, uint32_t id, const struct audit_record *record, automation_done_fn done, void *ctx);
void automation_enable(struct automation *a, uint32_t id, bool enabled, const struct audit_record *record, automation_done_fn done, void *ctx);
const struct automation_rule *automation_at(const struct automation *a, size_t i);
