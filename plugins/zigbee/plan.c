/* What to ask an endpoint, and what it is to say by itself. Facts are asked for once; whatever tells a fact later corrects it.
 */
#include "zigbee/traits.h"

#include "zigbee/clusters.h"

enum { UINT24 = 0x22, MAP16 = 0x19, MAP32 = 0x1b };

struct fact_row {
	uint16_t cluster, attribute;
	uint8_t type, fact;
	uint8_t presence; /* what counts is that it is there */
};

/* The kind of current comes before what depends on it. */
static const struct fact_row facts[] = {
	{ CLUSTER_ZONE, 0x0001, ZCL_ENUM16, FACT_ZONE_TYPE, 0 },
	{ CLUSTER_COLOR, 0x400a, MAP16, FACT_COLOR_CAPABILITIES, 0 },
	{ CLUSTER_COLOR, 0x400b, ZCL_UINT16, FACT_MIREDS_MIN, 0 },
	{ CLUSTER_COLOR, 0x400c, ZCL_UINT16, FACT_MIREDS_MAX, 0 },
	{ CLUSTER_COLOR, 0x0003, ZCL_UINT16, FACT_COLOR_X, 0 },
	{ CLUSTER_COLOR, 0x0004, ZCL_UINT16, FACT_COLOR_Y, 0 },
	{ CLUSTER_METERING, 0x0300, ZCL_ENUM8, FACT_METER_UNIT, 0 },
	{ CLUSTER_METERING, 0x0301, UINT24, FACT_METER_MULTIPLIER, 0 },
	{ CLUSTER_METERING, 0x0302, UINT24, FACT_METER_DIVISOR, 0 },
	{ CLUSTER_METERING, 0x0306, ZCL_MAP8, FACT_METER_DEVICE, 0 },
	{ CLUSTER_ELECTRICAL, 0x0000, MAP32, FACT_ELECTRICAL_TYPE, 0 },
	{ CLUSTER_ELECTRICAL, 0x0200, ZCL_UINT16, FACT_VOLTAGE_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0201, ZCL_UINT16, FACT_VOLTAGE_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0202, ZCL_UINT16, FACT_CURRENT_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0203, ZCL_UINT16, FACT_CURRENT_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0204, ZCL_UINT16, FACT_POWER_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0205, ZCL_UINT16, FACT_POWER_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0600, ZCL_UINT16, FACT_VOLTAGE_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0601, ZCL_UINT16, FACT_VOLTAGE_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0602, ZCL_UINT16, FACT_CURRENT_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0603, ZCL_UINT16, FACT_CURRENT_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0604, ZCL_UINT16, FACT_POWER_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0605, ZCL_UINT16, FACT_POWER_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0400, ZCL_UINT16, FACT_FREQUENCY_MULTIPLIER, 0 },
	{ CLUSTER_ELECTRICAL, 0x0401, ZCL_UINT16, FACT_FREQUENCY_DIVISOR, 0 },
	{ CLUSTER_ELECTRICAL, 0x0510, ZCL_INT8, FACT_POWER_FACTOR, 1 },
	{ CLUSTER_POWER, 0x0020, ZCL_UINT8, FACT_BATTERY_VOLTAGE, 1 },
	{ CLUSTER_POWER, 0x003e, MAP32, FACT_BATTERY_ALARM, 1 },
	{ CLUSTER_LOCK, 0x0003, ZCL_ENUM8, FACT_DOOR_STATE, 1 },
	{ CLUSTER_COVERING, 0x0000, ZCL_ENUM8, FACT_COVER_TYPE, 0 },
	{ CLUSTER_THERMOSTAT, 0x001b, ZCL_ENUM8, FACT_THERMOSTAT_MODES, 0 },
	{ CLUSTER_THERMOSTAT, 0x0003, ZCL_INT16, FACT_SETPOINT_MIN, 0 },
	{ CLUSTER_THERMOSTAT, 0x0004, ZCL_INT16, FACT_SETPOINT_MAX, 0 },
	{ CLUSTER_FAN, 0x0001, ZCL_ENUM8, FACT_FAN_MODES, 0 },
};

enum { DC_SCALE_FIRST = 0x0200, DC_SCALE_LAST = 0x0205, AC_SCALE_FIRST = 0x0600, AC_SCALE_LAST = 0x0605 };

/* Both kinds of current have their own multipliers; the endpoint keeps those of the kind it is. */
static bool is_other_current(const struct fact_row *row, const struct node_endpoint *endpoint)
{
	bool direct = node_fact(endpoint, FACT_ELECTRICAL_TYPE, 0) & 0x40 && !node_has_in(endpoint, CLUSTER_METERING);

	if (row->cluster != CLUSTER_ELECTRICAL)
		return false;
	if (row->attribute >= DC_SCALE_FIRST && row->attribute <= DC_SCALE_LAST)
		return !direct;
	return row->attribute >= AC_SCALE_FIRST && row->attribute <= AC_SCALE_LAST && direct;
}

static bool whole_number(const struct zcl_value *value, int32_t *ret)
{
	int64_t number;

	if (!value->type || value->none)
		return false;
	if (value->type->form == ZCL_F_INT)
		number = value->i;
	else if ((value->type->form == ZCL_F_UINT || value->type->form == ZCL_F_BOOL) && value->u <= INT32_MAX)
		number = (int64_t)value->u;
	else
		return false;
	if (number < INT32_MIN || number > INT32_MAX)
		return false;
	*ret = (int32_t)number;
	return true;
}

bool traits_learn(struct node_endpoint *endpoint, uint16_t cluster, uint16_t manufacturer, uint16_t attribute, const struct zcl_value *value)
{
	int32_t number;
	bool is_new = false;

	if (manufacturer || !node_has_in(endpoint, cluster) || !whole_number(value, &number))
		return false;
	for (size_t i = 0; i < N_ELEMENTS(facts); i++) {
		const struct fact_row *row = &facts[i];
		bool known = endpoint->known & 1u << row->fact;

		if (row->cluster != cluster || row->attribute != attribute || is_other_current(row, endpoint))
			continue;
		if (row->presence)
			number = 1;
		is_new = row->fact < NODE_FACTS_KEPT && (!known || endpoint->facts[row->fact] != number);
		endpoint->known |= 1u << row->fact;
		endpoint->facts[row->fact] = number;
	}
	return is_new;
}

void traits_know(struct node *node, const struct model *model)
{
	for (size_t i = 0; i < node->n_endpoints; i++) {
		node->endpoints[i].known |= 1u << FACT_QUIRKS;
		node->endpoints[i].facts[FACT_QUIRKS] = model->quirks;
	}
	/* Some are listed with nothing at all: remotes whose presses nobody wrote down. */
	node->exposes = !model->exposes || !model->exposes[0] || model->more || model->varies ? NULL : model->exposes;
}

static size_t add_attribute(struct trait_attribute *ret, size_t n, uint16_t cluster, uint16_t attribute, uint8_t type, uint8_t fact)
{
	for (size_t i = 0; i < n; i++) {
		if (ret[i].cluster == cluster && ret[i].attribute == attribute)
			return n;
	}
	if (n == TRAITS_PLAN_MAX)
		return n;
	ret[n] = (struct trait_attribute){ cluster, attribute, type, fact };
	return n + 1;
}

size_t traits_facts(const struct node_endpoint *endpoint, struct trait_attribute ret[TRAITS_PLAN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < N_ELEMENTS(facts); i++) {
		const struct fact_row *row = &facts[i];

		if (node_has_in(endpoint, row->cluster) && row->fact < NODE_FACTS_KEPT)
			n = add_attribute(ret, n, row->cluster, row->attribute, row->type, row->fact);
	}
	return n;
}

size_t traits_first(const struct node_endpoint *endpoint, struct trait_attribute ret[TRAITS_PLAN_MAX])
{
	const struct cluster_row *row;
	size_t n = 0;

	for (size_t i = 0; (row = clusters_at(i)); i++) {
		if (row->attribute != ATTRIBUTE_NONE && clusters_apply(row, endpoint))
			n = add_attribute(ret, n, row->cluster, row->attribute, row->type, NODE_FACTS);
	}
	return n;
}

static double change_of(const struct cluster_row *row, const struct node_endpoint *endpoint)
{
	const struct zcl_type *type = zcl_type_find(row->type);
	double change = row->change;

	if (!type->analog)
		return 0;
	if (row->multiplier != NODE_FACTS)
		change /= row->scale * clusters_factor(row, endpoint);
	if (type->form == ZCL_F_FLOAT)
		return change;
	/* A change of 0 would be every change, however small. */
	return change < 1 ? 1 : change > 32767 ? 32767 : (double)(int64_t)change;
}

static bool is_planned(const struct trait_report *reports, size_t n, uint16_t cluster, uint16_t attribute)
{
	for (size_t i = 0; i < n; i++) {
		if (reports[i].cluster == cluster && reports[i].attribute == attribute)
			return true;
	}
	return false;
}

size_t traits_reports(const struct node_endpoint *endpoint, struct trait_report ret[TRAITS_PLAN_MAX])
{
	const struct cluster_row *row;
	uint16_t cluster;
	size_t n = 0;

	for (size_t i = 0; (row = clusters_at(i)) && n < TRAITS_PLAN_MAX; i++) {
		if (!row->max_s || !clusters_apply(row, endpoint) || is_planned(ret, n, row->cluster, row->attribute))
			continue;
		ret[n++] = (struct trait_report){ .cluster = row->cluster, .attribute = row->attribute, .type = row->type,
						  .min_s = row->min_s, .max_s = row->max_s, .change = change_of(row, endpoint) };
	}
	for (size_t i = 0; (cluster = clusters_pressed_at(i)) && n < TRAITS_PLAN_MAX; i++) {
		if (node_has_out(endpoint, cluster))
			ret[n++] = (struct trait_report){ .cluster = cluster, .bind_only = true };
	}
	return n;
}
