/* The way back: a capability's value to a method and its params, and the smallest status that a description can be made of again. */
#include <math.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "shelly/status.h"

struct move {
	const char *word, *method;
};
static const struct move moves[] = {
	{ "open", "Cover.Open" },
	{ "close", "Cover.Close" },
	{ "stop", "Cover.Stop" },
};

static bool text_is(const struct gwa_value *value, const char *word)
{
	return value->type == GWA_T_TEXT && value->len == strlen(word) && memcmp(value->v.data, word, value->len) == 0;
}

static bool number_of(const struct status_trait *trait, const struct gwa_value *value, double *ret)
{
	const struct capability *cap = capability_find(trait->row->cap);

	if (value->type != (uint32_t)cap->type || (value->type != GWA_T_INT && value->type != GWA_T_REAL))
		return false;
	*ret = value->type == GWA_T_INT ? (double)value->v.i : value->v.f;
	return isfinite(*ret) && *ret >= cap->min && *ret <= cap->max;
}

/* The colour of that hue and saturation at full value: how bright it is, is another order. */
static void set_color(struct json *params, const char *param, double hue, double saturation)
{
	struct json *holder, *rgb = json_new_array();

	for (unsigned i = 0; i < 3; i++) {
		double k = fmod(5 - 2 * (double)i + hue / 60, 6), part = fmax(0, fmin(fmin(k, 4 - k), 1));

		holder = json_new_object();
		json_set_i64(holder, "v", (int64_t)llround(255 * (1 - saturation / 100 * part)));
		json_push(rgb, json_copy(json_get(holder, "v")));
		json_free(holder);
	}
	json_set(params, param, rgb);
}

/* Hue goes with the saturation that was read last, and the other way round; a grey that gets a hue gets colour. */
static void set_hue(const struct status_map *map, const struct status_trait *trait, double number, struct json *params)
{
	bool is_hue = trait->row->form == FORM_HUE;
	const struct status_trait *other = status_find(map, trait->endpoint, is_hue ? CAP_COLOR_SATURATION : CAP_COLOR_HUE);
	double last = other ? other->last : 0;

	if (is_hue)
		set_color(params, trait->row->param, number, last > 0 ? last : 100);
	else
		set_color(params, trait->row->param, last, number);
}

static bool set_param(const struct status_map *map, const struct status_trait *trait, const struct gwa_value *value, struct json *params)
{
	const struct status_row *row = trait->row;
	double number;

	if (row->form == FORM_BOOL && value->type == GWA_T_BOOL) {
		json_set_bool(params, row->param, value->v.i != 0);
		return true;
	}
	if (row->form == FORM_HEAT) {
		json_set_bool(params, row->param, text_is(value, "heat"));
		return text_is(value, "heat") || text_is(value, "off");
	}
	if (!number_of(trait, value, &number))
		return false;
	if (row->form == FORM_HUE || row->form == FORM_SATURATION)
		set_hue(map, trait, number, params);
	else if (row->form == FORM_KELVIN)
		json_set_i64(params, row->param, (int64_t)llround(1e6 / number));
	else if (value->type == GWA_T_INT)
		json_set_i64(params, row->param, value->v.i);
	else
		json_set_f64(params, row->param, number);
	return row->form != FORM_BOOL;
}

static int order_cover(const struct status_trait *trait, const struct gwa_value *value, struct status_order *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(moves); i++) {
		if (!text_is(value, moves[i].word))
			continue;
		text_copy(ret->method, sizeof(ret->method), moves[i].method);
		ret->params = json_new_object();
		json_set_i64(ret->params, "id", trait->id);
		return 0;
	}
	return STATUS_E_VALUE;
}

static void name_method(const struct status_trait *trait, const char *verb, struct status_order *ret)
{
	text_print(ret->method, sizeof(ret->method), "%s.%s", trait->component->word, verb);
}

/* What is around the params: nothing, a configuration, or a call that the gateway hands to its valve. */
static void wrap(const struct status_trait *trait, struct json *params, struct status_order *ret)
{
	struct json *outer = json_new_object();

	if (trait->row->way == WAY_CONFIG) {
		json_set(outer, "config", params);
		name_method(trait, trait->row->method, ret);
	} else {
		json_set_i64(outer, "id", trait->id);
		json_set_text(outer, "method", trait->row->method);
		json_set(outer, "params", params);
		name_method(trait, "Call", ret);
	}
	ret->params = outer;
}

int status_order(const struct status_map *map, uint8_t endpoint, uint16_t cap, const struct gwa_value *value, struct status_order *ret)
{
	const struct status_trait *trait = status_find(map, endpoint, cap);
	struct json *params;

	if (!trait || !trait->row->way)
		return STATUS_E_UNKNOWN;
	if (trait->row->way == WAY_COVER)
		return order_cover(trait, value, ret);
	params = json_new_object();
	json_set_i64(params, "id", trait->row->way == WAY_VALVE ? 0 : trait->id);
	if (!set_param(map, trait, value, params)) {
		json_free(params);
		return STATUS_E_VALUE;
	}
	if (trait->row->way == WAY_SET) {
		name_method(trait, trait->row->method, ret);
		ret->params = params;
	} else {
		wrap(trait, params, ret);
	}
	return 0;
}

/* Keeping */

static struct json *member(struct json *object, const char *key)
{
	struct json *at = json_get(object, key);

	if (!at) {
		json_set(object, key, json_new_object());
		at = json_get(object, key);
	}
	return at;
}

static struct json *black(void)
{
	struct json *holder = json_new_object(), *rgb = json_new_array();

	json_set_i64(holder, "v", 0);
	for (unsigned i = 0; i < 3; i++)
		json_push(rgb, json_copy(json_get(holder, "v")));
	json_free(holder);
	return rgb;
}

/* Any value of the right kind. */
static void set_sample(struct json *at, const char *key, enum status_form form)
{
	if (form == FORM_BOOL || form == FORM_HEAT)
		json_set_bool(at, key, false);
	else if (form == FORM_PUSH)
		json_set_null(at, key);
	else if (form == FORM_MOVE)
		json_set_text(at, key, "stopped");
	else if (form == FORM_HUE || form == FORM_SATURATION)
		json_set(at, key, black());
	else
		json_set_i64(at, key, form == FORM_KELVIN ? 4000 : 0);
}

struct json *status_skeleton(const struct status_map *map)
{
	struct json *status = json_new_object(), *at;
	char key[STATUS_KEY_MAX];

	for (size_t i = 0; i < map->n; i++) {
		const struct status_row *row = map->traits[i].row;

		status_key(&map->traits[i], key);
		at = member(status, key);
		if (row->inner)
			set_sample(member(at, row->key), row->inner, row->form);
		else
			set_sample(at, row->key, row->form);
	}
	if (map->sleep_s)
		json_set_i64(member(status, "sys"), "wakeup_period", map->sleep_s);
	return status;
}
