/* Orders as frames. What cannot be said in one frame is two or three; a value that the cluster has no number for is refused
 * here, before anything went out. Zigbee counts how far a covering is closed: it is turned round here and in values.c, nowhere else.
 */
#include "zigbee/traits.h"

#include <math.h>
#include <string.h>
#include "model/capability.h"
#include "sdk/gw_caps.h"
#include "zigbee/clusters.h"
#include "zigbee/color.h"

enum {
	SHARE_MAX = 254,
	TRANSITION = 0,       /* tenths of a second */
	SIREN_S = 240,        /* ZCL 8.4.2.1: what a warning device takes when nobody says more */
	SIREN_BURGLAR = 0x16, /* 8.4.2.3.1.1: mode 1 burglar, strobe, level high */
};

struct order {
	const struct node_endpoint *endpoint;
	const struct cluster_row *row; /* the first of the capability */
	const struct gwa_value *value;
	double number; /* BOOL, INT, REAL */
};

static struct writer frame_begin(struct trait_frame *frame, uint16_t cluster, bool general, uint8_t command)
{
	*frame = (struct trait_frame){ .cluster = cluster, .general = general, .command = command };
	return writer_over(frame->payload, sizeof(frame->payload));
}

static void frame_end(struct trait_order *ret, struct writer *w)
{
	ret->frames[ret->n++].len = (uint8_t)writer_len(w);
}

/* Level and colour commands end with which of the lamp's own options are overridden: none (ZCL 3.10.2.3.1.3). */
#define OPTIONS { 1, 0 }, { 1, 0 }
enum { N_OPTIONS = 2 };

struct field {
	uint8_t width;
	uint16_t value;
};
static void send(struct trait_order *ret, uint16_t cluster, uint8_t command, const struct field *fields, size_t n)
{
	struct writer w = frame_begin(&ret->frames[ret->n], cluster, false, command);

	for (size_t i = 0; i < n; i++) {
		if (fields[i].width == 1)
			put_u8(&w, (uint8_t)fields[i].value);
		else
			put_u16(&w, fields[i].value);
	}
	frame_end(ret, &w);
}

static void send_to_lamp(const struct order *order, struct trait_order *ret, uint16_t cluster, uint8_t command, const struct field *fields,
			 size_t n)
{
	send(ret, cluster, command, fields, clusters_has_quirk(order->endpoint, MODEL_NO_OPTIONS) ? n - N_OPTIONS : n);
}

static int write_attribute(struct trait_order *ret, const struct cluster_row *row, const struct zcl_value *value)
{
	struct writer w = frame_begin(&ret->frames[ret->n], row->cluster, true, ZCL_WRITE);
	struct zcl_record record = { .attribute = row->attribute, .type = value->type, .value = *value };

	if (zcl_record_write(&w, ZCL_WRITE, &record))
		return TRAITS_E_VALUE;
	frame_end(ret, &w);
	return 0;
}

static uint8_t share_of(double percent)
{
	return percent <= 0 ? 0 : (uint8_t)fmax(1, round(percent * SHARE_MAX / 100));
}

static int order_on_off(const struct order *order, struct trait_order *ret)
{
	send(ret, CLUSTER_ON_OFF, order->number != 0, NULL, 0);
	return 0;
}

static int order_level(const struct order *order, struct trait_order *ret)
{
	/* Move to level, with on/off (ZCL 3.10.2.3.1). */
	send_to_lamp(order, ret, CLUSTER_LEVEL, 0x04, (const struct field[]){ { 1, share_of(order->number) }, { 2, TRANSITION }, OPTIONS }, 4);
	return 0;
}

static int order_mireds(const struct order *order, struct trait_order *ret)
{
	send_to_lamp(order, ret, CLUSTER_COLOR, 0x0a, (const struct field[]){ { 2, (uint16_t)order->number }, { 2, TRANSITION }, OPTIONS }, 4);
	return 0;
}

/* A lamp that knows no hue is told both together; the other half is what it showed last. */
static int order_xy(const struct order *order, struct trait_order *ret)
{
	struct color_xy xy = { (uint16_t)node_fact(order->endpoint, FACT_COLOR_X, 0),
			       (uint16_t)node_fact(order->endpoint, FACT_COLOR_Y, 0) };
	struct color_hs hs = { 0, 100 };

	if (xy.y)
		hs = color_to_hs(xy);
	if (order->row->cap == GWA_CAP_COLOR_HUE) {
		/* From white a hue is seen only with a saturation. */
		hs.saturation = hs.saturation ? hs.saturation : 100;
		hs.hue = (int)order->number;
	} else {
		hs.saturation = (int)order->number;
	}
	xy = color_to_xy(hs);
	send_to_lamp(order, ret, CLUSTER_COLOR, 0x07, (const struct field[]){ { 2, xy.x }, { 2, xy.y }, { 2, TRANSITION }, OPTIONS }, 5);
	return 0;
}

static int order_hue(const struct order *order, struct trait_order *ret)
{
	double turn = order->number / 360;

	if (order->row->form == FORM_COLOR)
		return order_xy(order, ret);
	/* Direction 0: the shorter way. */
	if (order->row->form == FORM_TURN16)
		send_to_lamp(order, ret, CLUSTER_COLOR, 0x40,
		     (const struct field[]){ { 2, (uint16_t)round(turn * UINT16_MAX) }, { 1, 0 }, { 2, TRANSITION }, OPTIONS }, 5);
	else
		send_to_lamp(order, ret, CLUSTER_COLOR, 0x00,
		     (const struct field[]){ { 1, (uint16_t)round(turn * SHARE_MAX) }, { 1, 0 }, { 2, TRANSITION }, OPTIONS }, 5);
	return 0;
}

static int order_saturation(const struct order *order, struct trait_order *ret)
{
	if (order->row->form == FORM_COLOR)
		return order_xy(order, ret);
	send_to_lamp(order, ret, CLUSTER_COLOR, 0x03, (const struct field[]){ { 1, share_of(order->number) }, { 2, TRANSITION }, OPTIONS }, 4);
	return 0;
}

static int order_cover(const struct order *order, struct trait_order *ret)
{
	uint8_t command = order->row->cap == GWA_CAP_COVER_POSITION ? 0x05 : 0x08;
	bool turned = clusters_has_quirk(order->endpoint, MODEL_TURNED_COVER);

	send(ret, CLUSTER_COVERING, command, (const struct field[]){ { 1, (uint16_t)(turned ? order->number : 100 - order->number) } }, 1);
	ret->said = false;
	return 0;
}

static int order_move(const struct order *order, struct trait_order *ret)
{
	static const char *const moves[] = { "open", "close", "stop" };
	struct view text = { order->value->v.data, order->value->len };

	for (uint8_t i = 0; i < N_ELEMENTS(moves); i++) {
		struct view move = view_text(moves[i]);

		if (move.len != text.len || memcmp(move.data, text.data, move.len) != 0)
			continue;
		send(ret, CLUSTER_COVERING, i, NULL, 0);
		ret->said = false;
		return 0;
	}
	return TRAITS_E_VALUE;
}

static int order_lock(const struct order *order, struct trait_order *ret)
{
	int state = clusters_number(WORDS_LOCK, order->value->v.data, order->value->len);

	if (state != 1 && state != 2)
		return TRAITS_E_VALUE;
	/* 0 locks, 1 unlocks; an empty code follows. What the bolt did is asked, not believed. */
	send(ret, CLUSTER_LOCK, (uint8_t)(state - 1), (const struct field[]){ { 1, 0 } }, 1);
	ret->said = false;
	ret->reread = true;
	return 0;
}

/* ZCL 6.3.2.2.1.21: who only heats is not told to cool. */
static bool mode_is_fit(const struct node_endpoint *endpoint, int mode)
{
	int32_t sequence = node_fact(endpoint, FACT_THERMOSTAT_MODES, -1);

	if (mode == 3 || mode == 6)
		return sequence != 2 && sequence != 3;
	if (mode == 4 || mode == 5)
		return sequence != 0 && sequence != 1;
	return true;
}

/* ZCL 6.4.2.2.2, fan mode sequence: bit by mode; what it leaves out the fan does not have. */
static bool fan_is_fit(const struct node_endpoint *endpoint, int mode)
{
	enum { OFF = 1, LOW = 2, MEDIUM = 4, HIGH = 8, ON = 16, AUTO = 32, ALL = 127 };
	static const uint8_t modes[] = { OFF | LOW | MEDIUM | HIGH | ON, OFF | LOW | HIGH | ON, OFF | LOW | MEDIUM | HIGH | ON | AUTO,
					 OFF | LOW | HIGH | ON | AUTO, OFF | ON | AUTO };
	int32_t sequence = node_fact(endpoint, FACT_FAN_MODES, -1);

	return (sequence >= 0 && sequence < (int32_t)N_ELEMENTS(modes) ? modes[sequence] : ALL) & 1u << mode;
}

static int order_word(const struct order *order, struct trait_order *ret)
{
	int number = clusters_number(order->row->arg, order->value->v.data, order->value->len);
	struct zcl_value value = { .type = zcl_type_find(order->row->type), .u = (uint64_t)number };

	if (number < 0 || (order->row->arg == WORDS_MODE && !mode_is_fit(order->endpoint, number)) ||
	    (order->row->arg == WORDS_FAN && !fan_is_fit(order->endpoint, number)))
		return TRAITS_E_VALUE;
	return write_attribute(ret, order->row, &value);
}

static int order_number(const struct order *order, struct trait_order *ret)
{
	struct zcl_value value = { .type = zcl_type_find(order->row->type) };
	double number = order->number / order->row->scale;

	if (value.type->form == ZCL_F_FLOAT)
		value.f = number;
	else if (value.type->form == ZCL_F_INT)
		value.i = llround(number);
	else
		value.u = (uint64_t)llround(number);
	return write_attribute(ret, order->row, &value);
}

static int order_siren(const struct order *order, struct trait_order *ret)
{
	bool on = order->number != 0;
	struct writer w = frame_begin(&ret->frames[ret->n], CLUSTER_WARNING, false, 0x00);

	put_u8(&w, on ? SIREN_BURGLAR : 0);
	put_u16(&w, on ? SIREN_S : 0);
	put_u8(&w, on ? 50 : 0); /* of each second, in percent */
	put_u8(&w, 1); /* strobe: medium */
	frame_end(ret, &w);
	return 0;
}

static const struct {
	uint16_t cap;
	int (*write)(const struct order *order, struct trait_order *ret);
} orders[] = {
	{ GWA_CAP_ON_OFF, order_on_off },
	{ GWA_CAP_LEVEL, order_level },
	{ GWA_CAP_COLOR_TEMPERATURE, order_mireds },
	{ GWA_CAP_COLOR_HUE, order_hue },
	{ GWA_CAP_COLOR_SATURATION, order_saturation },
	{ GWA_CAP_COVER_POSITION, order_cover },
	{ GWA_CAP_COVER_TILT, order_cover },
	{ GWA_CAP_COVER_MOVE, order_move },
	{ GWA_CAP_LOCK_STATE, order_lock },
	{ GWA_CAP_TARGET_TEMPERATURE, order_number },
	{ GWA_CAP_TARGET_COOLING, order_number },
	{ GWA_CAP_THERMOSTAT_MODE, order_word },
	{ GWA_CAP_FAN_MODE, order_word },
	{ GWA_CAP_SIREN, order_siren },
	{ GWA_CAP_OUTPUT, order_number },
	{ GWA_CAP_ANALOG_OUTPUT, order_number },
	{ GWA_CAP_STATE_OUTPUT, order_number },
};

/* The trait that is meant, and the row that made it. */
static bool find(const struct node *node, uint8_t endpoint, uint16_t cap, struct trait *ret_trait, struct order *ret)
{
	struct trait traits[TRAITS_MAX];
	size_t n = traits_of(node, traits);

	for (size_t i = 0; i < n; i++) {
		const struct cluster_row *row;

		if (traits[i].cap.id != cap || (endpoint && traits[i].endpoint != endpoint) || !(traits[i].cap.access & GWA_A_WRITE))
			continue;
		ret->endpoint = node_endpoint(node, traits[i].endpoint);
		for (size_t k = 0; (row = clusters_at(k)); k++) {
			if (row->cap != cap || !(row->access & GWA_A_WRITE) || !clusters_apply(row, ret->endpoint))
				continue;
			ret->row = row;
			*ret_trait = traits[i];
			return true;
		}
	}
	return false;
}

static bool is_fit(const struct gwa_cap *cap, const struct gwa_value *value, double *ret_number)
{
	const struct capability *row = capability_find(cap->id);
	double number, unit = cap->type == GWA_T_REAL ? 1000 : 1;

	if (cap->type == GWA_T_TEXT)
		return value->type == GWA_T_TEXT && value->v.data;
	if (value->type != cap->type && !(cap->type == GWA_T_REAL && value->type == GWA_T_INT))
		return false;
	number = value->type == GWA_T_REAL ? value->v.f : (double)value->v.i;
	*ret_number = number;
	if (cap->type == GWA_T_BOOL)
		return true;
	if (cap->min || cap->max)
		return number * unit >= (double)cap->min && number * unit <= (double)cap->max;
	return number >= row->min && number <= row->max;
}

int traits_order(const struct node *node, uint8_t endpoint, uint16_t cap, const struct gwa_value *value, struct trait_order *ret)
{
	struct order order = { .value = value };
	struct trait trait;
	struct trait_order made = { .said = true };
	int r;

	if (!find(node, endpoint, cap, &trait, &order))
		return TRAITS_E_NONE;
	if (!is_fit(&trait.cap, value, &order.number))
		return TRAITS_E_VALUE;
	made.endpoint = trait.endpoint;
	made.cluster = order.row->cluster;
	made.attribute = order.row->attribute;
	for (size_t i = 0; i < N_ELEMENTS(orders); i++) {
		if (orders[i].cap != cap)
			continue;
		r = orders[i].write(&order, &made);
		if (!r)
			*ret = made;
		return r;
	}
	return TRAITS_E_NONE;
}
