#pragma once
/* render - the home's nouns as JSON, the same words on every door (docs/spec/door.md), and values back from it.
 *
 *   above   door
 *   below   audit/audit  base/base  base/text  conf/conf  door/when  model/event  people/people  policy/policy
 *           registry/registry  router/alarms  router/automation  sys/json
 *   owns    nothing: returns new documents
 *   limits  -
 */
#include "audit/audit.h"
#include "base/base.h"
#include "conf/conf.h"
#include "model/event.h"
#include "people/people.h"
#include "policy/policy.h"
#include "registry/registry.h"
#include "router/alarms.h"
#include "router/automation.h"
#include "sys/json.h"

void render_value(struct json *object, const char *key, const struct value *value);
/* type leads; *ret borrows from json. False: of another kind. */
bool value_from_json(const struct json *json, enum value_type type, struct value *ret);
void render_time(struct json *object, const char *key, int64_t wall_us); /* RFC 3339, UTC; null when 0 */
/* may NULL: every capability; else only those for which it says true. */
struct json *render_device(const struct registry *registry, const struct people *people, const struct device *device,
			   bool (*may)(void *ctx, const struct device *device, uint16_t cap), void *ctx);
struct json *render_event(const struct event *event, const struct device *device);
struct json *render_user(const struct user *user);
struct json *render_session(const struct session *session, const struct people *people, int64_t now_ms);
struct json *render_alarm(const struct alarm *alarm, const struct registry *registry);
struct json *render_policy_rule(const struct policy_rule *rule, const struct conf *conf, const struct registry *registry,
				const struct people *people);
struct json *render_automation(const struct automation_rule *rule, const struct registry *registry, const struct people *people);
struct json *render_audit(const struct audit_row *row, const struct registry *registry); /* registry NULL: no names of devices */
