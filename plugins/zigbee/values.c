/* An attribute's number by the rows of the table: none where the device says that it has none, where the endpoint has no such
 * capability, or where the value is none that the capability can have.
 */
#include "zigbee/traits.h"

#include <math.h>
#include <string.h>
#include "model/capability.h"
#include "sdk/gw_caps.h"
#include "zigbee/clusters.h"
#include "zigbee/color.h"

enum { SHARE_MAX = 254, COVER_MAX = 100 };

static struct gwa_value truth(bool b)
{
	return (struct gwa_value){ .type = GWA_T_BOOL, .v.i = b };
}

static struct gwa_value whole(double f)
{
	return (struct gwa_value){ .type = GWA_T_INT, .v.i = llround(f) };
}

/* Bytes of a table's word; none for NULL. */
static struct gwa_value word(const char *text)
{
	return (struct gwa_value){ .type = text ? GWA_T_TEXT : GWA_T_NONE, .len = text ? (uint32_t)strlen(text) : 0, .v.data = text };
}

static bool number_of(const struct zcl_value *value, double *ret)
{
	if (!value->type || value->none)
		return false;
	switch ((enum zcl_form)value->type->form) {
	case ZCL_F_BOOL:
	case ZCL_F_UINT:
		*ret = (double)value->u;
		return true;
	case ZCL_F_INT:
		*ret = (double)value->i;
		return true;
	case ZCL_F_FLOAT:
		*ret = value->f;
		return isfinite(value->f);
	case ZCL_F_NONE:
	case ZCL_F_BYTES:
	case ZCL_F_STRING:
	case ZCL_F_LONG:
	case ZCL_F_LIST:
	case ZCL_F_STRUCT:
		break;
	}
	return false;
}

/* A scale of 0.01 is not a binary number: readings are decimals of at most nine places. */
static struct gwa_value scaled(double raw, double scale, double factor)
{
	double f = raw * factor * scale, digits = fabs(f) < 1e6 ? 1e9 : 1e3;

	return (struct gwa_value){ .type = GWA_T_REAL, .v.f = fabs(f) < 1e15 ? round(f * digits) / digits : f };
}

static struct gwa_value share(double raw)
{
	double percent = raw * 100 / SHARE_MAX;

	if (raw > SHARE_MAX || raw < 0)
		return (struct gwa_value){ .type = GWA_T_NONE };
	return whole(raw > 0 && percent < 1 ? 1 : percent);
}

static struct gwa_value covering(const struct cluster_row *row, const struct node_endpoint *endpoint, double raw)
{
	if (raw < 0 || raw > COVER_MAX)
		return (struct gwa_value){ .type = GWA_T_NONE };
	if (clusters_has_quirk(endpoint, MODEL_TURNED_COVER))
		raw = COVER_MAX - raw;
	return row->form == FORM_OPEN ? whole(COVER_MAX - raw) : word(raw < COVER_MAX ? "open" : "close");
}

/* Full at 3 V, and then steeply down: a lithium cell under load. */
static double lithium(double mv)
{
	static const struct {
		double mv, percent;
	} knees[] = { { 2100, 0 }, { 2440, 6 }, { 2740, 18 }, { 2900, 42 }, { 3000, 100 } };

	for (size_t i = 0; mv >= knees[0].mv && i + 1 < N_ELEMENTS(knees); i++) {
		double share = (mv - knees[i].mv) / (knees[i + 1].mv - knees[i].mv);

		if (share < 1)
			return knees[i].percent + share * (knees[i + 1].percent - knees[i].percent);
	}
	return mv < knees[0].mv ? 0 : 100;
}

/* In the order of tests/sim/models.mjs; those from the third on are straight lines. */
static struct gwa_value cell(uint8_t curve, double mv)
{
	enum { LITHIUM = 1, ALKALINE, LINES };
	static const uint16_t lines[][2] = { { 2500, 3000 }, { 2850, 3000 }, { 2500, 3200 }, { 3000, 4200 }, { 2200, 3100 }, { 2200, 3000 },
					     { 2100, 3000 }, { 2500, 2800 }, { 4400, 6400 }, { 2800, 3000 }, { 3450, 4100 }, { 2500, 3300 },
					     { 5400, 6800 } };
	double percent;

	_Static_assert(LINES + N_ELEMENTS(lines) - 1 == MODEL_CURVES, "a curve of the generator is missing");
	if (curve == LITHIUM)
		percent = lithium(mv);
	else if (curve == ALKALINE)
		percent = 235 - 370000 / (mv + 1);
	else
		percent = (mv - lines[curve - LINES][0]) * 100 / (lines[curve - LINES][1] - lines[curve - LINES][0]);
	return (struct gwa_value){ .type = GWA_T_REAL, .v.f = round(fmin(fmax(percent, 0), 100)) };
}

/* What lamps say of themselves is in both attributes; the other one was heard before. */
static size_t color_readings(const struct node_endpoint *endpoint, uint16_t attribute, double raw, struct trait_reading *ret)
{
	struct color_xy xy = { (uint16_t)node_fact(endpoint, FACT_COLOR_X, 0), (uint16_t)node_fact(endpoint, FACT_COLOR_Y, 0) };
	struct color_hs hs;

	if (raw < 0 || raw > UINT16_MAX || !(endpoint->known & 1u << (attribute == 3 ? FACT_COLOR_Y : FACT_COLOR_X)))
		return 0;
	if (attribute == 3)
		xy.x = (uint16_t)raw;
	else
		xy.y = (uint16_t)raw;
	hs = color_to_hs(xy);
	ret[0] = (struct trait_reading){ endpoint->id, GWA_CAP_COLOR_HUE, whole(hs.hue) };
	ret[1] = (struct trait_reading){ endpoint->id, GWA_CAP_COLOR_SATURATION, whole(hs.saturation) };
	return 2;
}

static struct gwa_value value_of(const struct cluster_row *row, const struct node_endpoint *endpoint, double raw)
{
	uint32_t bits = raw >= 0 && raw <= UINT32_MAX ? (uint32_t)raw : 0;
	double factor = clusters_factor(row, endpoint);

	switch ((enum cluster_form)row->form) {
	case FORM_NUMBER:
		/* Without a divisor the demand is in watts already; nobody writes kilowatts as a whole number. */
		if (row->cluster == CLUSTER_METERING && row->cap == GWA_CAP_POWER && !node_fact(endpoint, FACT_METER_DIVISOR, 0))
			return scaled(raw, 1, 1);
		if (row->cap == GWA_CAP_BATTERY && clusters_has_quirk(endpoint, MODEL_WHOLE_BATTERY))
			factor *= 2;
		if (row->cap == GWA_CAP_ENERGY)
			factor *= clusters_meter_unit(endpoint);
		return scaled(raw, 1, factor * row->scale);
	case FORM_METER:
		return scaled(raw, row->scale, factor * clusters_meter_unit(endpoint));
	case FORM_WHOLE:
		return whole(raw);
	case FORM_TRUTH:
		return truth(raw != 0);
	case FORM_BITS:
		return truth((bits & row->arg) != 0);
	case FORM_NO_BITS:
		return truth((bits & row->arg) == 0);
	case FORM_WORD:
		return word(raw < 0 ? NULL : clusters_word(row->arg, bits));
	case FORM_LUX:
		return scaled(raw < 1 ? 0 : pow(10, (raw - 1) / 10000), 1, 1);
	case FORM_SHARE:
		return share(raw);
	case FORM_TURN:
		return whole(raw * 360 / SHARE_MAX);
	case FORM_TURN16:
		return whole(raw * 360 / UINT16_MAX);
	case FORM_OPEN:
	case FORM_MOVE:
		return covering(row, endpoint, raw);
	case FORM_CELL:
		return cell(clusters_curve(endpoint), raw * 100);
	case FORM_COLOR:
	case FORM_ORDER:
		break;
	}
	return (struct gwa_value){ .type = GWA_T_NONE };
}

static bool is_fit(uint16_t id, const struct gwa_value *value)
{
	const struct capability *cap = capability_find(id);
	double number = value->type == GWA_T_INT ? (double)value->v.i : value->v.f;

	if (value->type == GWA_T_NONE || !cap)
		return false;
	if ((value->type != GWA_T_INT && value->type != GWA_T_REAL) || (cap->min == 0 && cap->max == 0))
		return true;
	return number >= cap->min && number <= cap->max;
}

size_t traits_attribute(const struct node *node, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer, uint16_t attribute,
			const struct zcl_value *value, struct trait_reading ret[TRAITS_READINGS_MAX])
{
	const struct node_endpoint *at = node_endpoint(node, endpoint);
	const struct cluster_row *row;
	double raw;
	size_t n = 0;

	if (!at || manufacturer || !number_of(value, &raw))
		return 0;
	for (size_t i = 0; (row = clusters_at(i)) && n < TRAITS_READINGS_MAX; i++) {
		struct gwa_value reading;

		if (row->cluster != cluster || row->attribute != attribute || !clusters_apply(row, at))
			continue;
		if (row->form == FORM_COLOR)
			return color_readings(at, attribute, raw, ret);
		reading = value_of(row, at, raw);
		if (is_fit(row->cap, &reading))
			ret[n++] = (struct trait_reading){ endpoint, row->cap, reading };
	}
	return n;
}
