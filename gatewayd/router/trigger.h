#pragma once
/* trigger - does this event fire that rule? Pure: the rule's memory and an event in, an answer out.
 *
 *   above   router/automation
 *   below   base/base  model/value  router/automation
 *   owns    nothing: struct trigger_state is the caller's
 */
#include "base/base.h"
#include "model/value.h"
#include "router/automation.h"

struct trigger_state {
	bool known;  /* a value was seen before */
	bool armed;  /* ABOVE, BELOW, EQUALS: it was on the other side since it fired last */
};
/* A new value on the rule's device and capability. before: the one before it, NULL unknown; a rule made since then starts
 * from it. */
bool trigger_fires(const struct automation_rule *rule, struct trigger_state *state, const struct value *value,
		   const struct value *before);
/* A TIME rule at a local minute. */
bool trigger_at(const struct automation_rule *rule, uint8_t day, uint16_t minute);
/* PEOPLE's words: NULL when the rule makes sense, else what is wrong with it. */
const char *trigger_fault(const struct automation_rule *rule);
