/* A LAN device's grammar names its properties and says how they are written: "state" is "ON" or "OFF", "brightness" is
 * 0 to 254, "voltage" may be in millivolts. A trait is what is left of that after the description was read: where in the
 * JSON the value stands, which capability it is, and how to turn the one into the other. Reading and writing a trait
 * looks at nothing else, so a state message costs one look-up a property.
 */
#include "wifi/trait.h"

#include <math.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

/* Values of ours travel as binary64 here: beyond this, whole numbers would not be whole. */
static const double number_max = 9007199254740992.0;

static struct trait_literal literal_of(const char *text)
{
	struct trait_literal literal = { .kind = JSON_TEXT };

	text_copy(literal.text, sizeof(literal.text), text);
	return literal;
}

static uint16_t all_words(const struct trait_word *words)
{
	uint16_t mask = 0;

	for (size_t i = 0; words && words[i].theirs && i < TRAIT_WORDS_MAX; i++)
		mask |= (uint16_t)(1u << i);
	return mask;
}

int trait_make(const struct trait_row *row, const char *key, const char *inner, uint8_t endpoint, unsigned access,
	       struct trait *ret)
{
	const struct capability *cap = capability_find(row->cap);
	struct trait trait = { .row = row, .endpoint = endpoint, .words = all_words(row->words) };

	if (!cap || !key[0] || !text_copy(trait.key, sizeof(trait.key), key) ||
	    !text_copy(trait.inner, sizeof(trait.inner), inner))
		return TRAIT_E_UNKNOWN;
	trait.access = (uint8_t)(access & cap->access);
	if (!trait.access)
		return TRAIT_E_UNKNOWN;
	trait.type = (uint8_t)cap->type;
	trait.scale = row->scale != 0 ? row->scale : 1;
	trait.on = literal_of("ON");
	trait.off = literal_of("OFF");
	*ret = trait;
	return 0;
}

/* The range in descriptor's numbers, inside the capability's own; a range that is none is no range. */
void trait_narrow(struct trait *trait, double min, double max, double step)
{
	const struct capability *cap = capability_find(trait->row->cap);
	double unit = trait->type == GWA_T_REAL ? 1000 : 1;
	double low = fmax(min * trait->scale, cap->min), high = fmin(max * trait->scale, cap->max);

	if (!(low < high) || fabs(low) > 1e12 || fabs(high) > 1e12)
		return;
	trait->min = (int64_t)ceil(low * unit);
	trait->max = (int64_t)floor(high * unit);
	trait->step = step > 0 && step < 1e12 ? (int64_t)llround(step * trait->scale * unit) : 0;
	if (trait->min >= trait->max)
		trait->min = trait->max = trait->step = 0;
}

struct gwa_cap trait_cap(const struct trait *trait)
{
	return (struct gwa_cap){ .id = trait->row->cap, .type = trait->type, .access = trait->access,
				 .unit = capability_find(trait->row->cap)->unit,
				 .min = trait->min, .max = trait->max, .step = trait->step };
}

static bool literal_is(const struct trait_literal *literal, const struct json *json)
{
	int64_t number;
	bool flag;

	if (literal->kind == JSON_BOOL)
		return json_to_bool(json, &flag) && flag == (literal->number != 0);
	if (literal->kind == JSON_INT)
		return json_to_i64(json, &number) && number == literal->number;
	return text_equal(json_text(json, NULL), literal->text);
}

static struct gwa_value text_value(const char *text, size_t len)
{
	return (struct gwa_value){ .type = GWA_T_TEXT, .len = (uint32_t)len, .v.data = text };
}

static int read_binary(const struct trait *trait, const struct json *json, struct gwa_value *ret)
{
	bool on = literal_is(&trait->on, json);

	if (!on && !literal_is(&trait->off, json))
		return TRAIT_E_VALUE;
	*ret = (struct gwa_value){ .type = GWA_T_BOOL, .v.i = on != ((trait->row->flags & TRAIT_INVERT) != 0) };
	return 0;
}

static int read_number(const struct trait *trait, const struct json *json, struct gwa_value *ret)
{
	const struct capability *cap = capability_find(trait->row->cap);
	double number;

	if (!json_to_f64(json, &number))
		return TRAIT_E_VALUE;
	number *= trait->scale;
	if (trait->type == GWA_T_INT)
		number = round(number);
	if (!(fabs(number) <= number_max))
		return TRAIT_E_VALUE;
	if ((cap->min != 0 || cap->max != 0) && (number < cap->min || number > cap->max))
		return TRAIT_E_VALUE;
	if (trait->type == GWA_T_INT)
		*ret = (struct gwa_value){ .type = GWA_T_INT, .v.i = (int64_t)number };
	else
		*ret = (struct gwa_value){ .type = GWA_T_REAL, .v.f = number };
	return 0;
}

static int read_words(const struct trait *trait, const struct json *json, struct gwa_value *ret)
{
	const struct trait_word *words = trait->row->words;
	const char *text = json_text(json, NULL);

	for (size_t i = 0; text && words[i].theirs; i++) {
		if (!text_equal(words[i].theirs, text))
			continue;
		*ret = text_value(words[i].ours, strlen(words[i].ours));
		return 0;
	}
	return TRAIT_E_VALUE;
}

static int read_event(const struct json *json, struct gwa_value *ret)
{
	size_t len;
	const char *text = json_text(json, &len);

	if (!text || len > GWA_VALUE_MAX)
		return TRAIT_E_VALUE;
	if (!len)
		return TRAIT_E_NOTHING;
	*ret = text_value(text, len);
	return 0;
}

int trait_read_value(const struct trait *trait, const struct json *json, struct gwa_value *ret)
{
	if (json_kind(json) == JSON_NULL)
		return TRAIT_E_NOTHING;
	if (trait->row->form == TRAIT_BINARY)
		return read_binary(trait, json, ret);
	if (trait->row->form == TRAIT_NUMBER)
		return read_number(trait, json, ret);
	if (trait->row->form == TRAIT_WORDS)
		return read_words(trait, json, ret);
	return read_event(json, ret);
}

int trait_read(const struct trait *trait, const struct json *json, struct gwa_value *ret)
{
	const struct json *at = json_get(json, trait->key);

	if (at && trait->inner[0])
		at = json_get(at, trait->inner);
	return at ? trait_read_value(trait, at, ret) : TRAIT_E_UNKNOWN;
}

/* JSON values have no constructor of their own: a member of an array is one. */
static struct json *json_of(void (*set)(struct json *object, const void *what), const void *what)
{
	struct json *holder = json_new_object();
	struct json *value;

	set(holder, what);
	value = json_copy(json_get(holder, "v"));
	json_free(holder);
	return value;
}

static void set_literal(struct json *object, const void *what)
{
	const struct trait_literal *literal = what;

	if (literal->kind == JSON_BOOL)
		json_set_bool(object, "v", literal->number != 0);
	else if (literal->kind == JSON_INT)
		json_set_i64(object, "v", literal->number);
	else
		json_set_text(object, "v", literal->text);
}

static void set_number(struct json *object, const void *what)
{
	double number = *(const double *)what;

	if (number == floor(number))
		json_set_i64(object, "v", (int64_t)number);
	else
		json_set_f64(object, "v", number);
}

static void set_text(struct json *object, const void *what)
{
	json_set_text(object, "v", what);
}

static bool number_of(const struct gwa_value *value, double *ret)
{
	if (value->type != GWA_T_INT && value->type != GWA_T_REAL)
		return false;
	*ret = value->type == GWA_T_INT ? (double)value->v.i : value->v.f;
	return fabs(*ret) <= number_max;
}

/* Thousandths of ours for REAL, as they are for INT. */
static bool in_range(const struct trait *trait, double number)
{
	const struct capability *cap = capability_find(trait->row->cap);
	double unit = trait->type == GWA_T_REAL ? 1000 : 1;

	if (trait->min || trait->max)
		return number * unit >= (double)trait->min && number * unit <= (double)trait->max;
	return number >= cap->min && number <= cap->max;
}

static int write_number(const struct trait *trait, const struct gwa_value *value, struct json **ret)
{
	double number;

	if (!number_of(value, &number) || !in_range(trait, number))
		return TRAIT_E_VALUE;
	number /= trait->scale;
	if (trait->row->flags & TRAIT_WHOLE)
		number = round(number);
	*ret = json_of(set_number, &number);
	return 0;
}

static int write_words(const struct trait *trait, const struct gwa_value *value, struct json **ret)
{
	const struct trait_word *words = trait->row->words;

	if (value->type != GWA_T_TEXT)
		return TRAIT_E_VALUE;
	for (size_t i = 0; words[i].theirs && i < TRAIT_WORDS_MAX; i++) {
		if (!(trait->words & 1u << i) || strlen(words[i].ours) != value->len ||
		    memcmp(words[i].ours, value->v.data, value->len) != 0)
			continue;
		*ret = json_of(set_text, words[i].theirs);
		return 0;
	}
	return TRAIT_E_VALUE;
}

int trait_write(const struct trait *trait, const struct gwa_value *value, struct json **ret)
{
	bool on;

	if (trait->row->form == TRAIT_NUMBER)
		return write_number(trait, value, ret);
	if (trait->row->form == TRAIT_WORDS)
		return write_words(trait, value, ret);
	if (trait->row->form != TRAIT_BINARY || value->type != GWA_T_BOOL)
		return TRAIT_E_VALUE;
	on = (value->v.i != 0) != ((trait->row->flags & TRAIT_INVERT) != 0);
	*ret = json_of(set_literal, on ? &trait->on : &trait->off);
	return 0;
}

bool trait_is_echo(const struct trait *trait, const struct gwa_value *order, const struct gwa_value *said)
{
	double a, b, slack;

	if (trait->row->flags & TRAIT_SLOW)
		return true;
	if (order->type == GWA_T_TEXT || said->type == GWA_T_TEXT)
		return order->type == said->type && order->len == said->len &&
		       memcmp(order->v.data, said->v.data, said->len) == 0;
	if (order->type == GWA_T_BOOL || said->type == GWA_T_BOOL)
		return order->type == said->type && !order->v.i == !said->v.i;
	slack = trait->row->flags & TRAIT_WHOLE ? fmax(trait->scale / 2, 0.5) : 0.005;
	return number_of(order, &a) && number_of(said, &b) && fabs(a - b) <= slack + 1e-9;
}
