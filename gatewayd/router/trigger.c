/* Four ways to fire on a value. "Change" is every change. "Equals", "above" and "below" fire when the value gets there, not
 * while it stays, and only again after it has been away, by the hysteresis for the two thresholds: a sensor that
 * trembles around its limit must not make a relay tremble. A value with none before it arms and does not fire. */
#include <math.h>
#include "router/trigger.h"

static bool edge(struct trigger_state *state, bool inside, bool outside)
{
	bool fires = state->known && state->armed && inside;
	if (inside)
		state->armed = false;
	else if (outside)
		state->armed = true;
	state->known = true;
	return fires;
}

static bool fires(const struct automation_rule *rule, struct trigger_state *state, const struct value *value)
{
	struct value threshold = value_box_get(&rule->threshold);
	double v = value_number(value), limit = value_number(&threshold);

	switch (rule->trigger) {
	case TRIGGER_EQUALS: {
		bool same = value_equal(value, &threshold) || (!isnan(v) && v == limit);
		return edge(state, same, !same);
	}
	case TRIGGER_ABOVE:
		return !isnan(v) && edge(state, v > limit, v <= limit - rule->hysteresis);
	case TRIGGER_BELOW:
		return !isnan(v) && edge(state, v < limit, v >= limit + rule->hysteresis);
	case TRIGGER_CHANGE:
	case TRIGGER_TIME:
		break;
	}
	return false;
}

bool trigger_fires(const struct automation_rule *rule, struct trigger_state *state, const struct value *value, const struct value *before)
{
	if (rule->trigger == TRIGGER_CHANGE)
		return before && !value_equal(before, value);
	/* A rule that has seen nothing yet learns from the value before this one on which side the world was. */
	if (!state->known && before)
		(void)fires(rule, state, before);
	return fires(rule, state, value);
}

bool trigger_at(const struct automation_rule *rule, uint8_t day, uint16_t minute)
{
	return rule->trigger == TRIGGER_TIME && rule->minute == minute && (rule->days & (1u << day));
}

const char *trigger_fault(const struct automation_rule *rule)
{
	struct value threshold = value_box_get(&rule->threshold);
	bool timed = rule->trigger == TRIGGER_TIME, limited = rule->trigger == TRIGGER_ABOVE || rule->trigger == TRIGGER_BELOW;

	if (!timed && (device_id_is_none(rule->device) || rule->cap == 0))
		return "when: names no device or capability";
	if (timed && (rule->minute >= 1440 || (rule->days & 0x7f) == 0))
		return "at: is no time of day, or on no day";
	if (limited && isnan(value_number(&threshold)))
		return "threshold: is no number";
	if (limited && (!isfinite(rule->hysteresis) || rule->hysteresis < 0))
		return "hysteresis: must be a number of 0 or more";
	if (rule->trigger == TRIGGER_EQUALS && threshold.type == VALUE_NONE)
		return "equals: has no value";
	if (device_id_is_none(rule->target) || rule->target_cap == 0)
		return "then: names no device or capability";
	if (timed && rule->target_value.value.type == VALUE_NONE)
		return "then: has no value to set";
	return NULL;
}
