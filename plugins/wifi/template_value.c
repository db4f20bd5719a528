/* Values as Jinja has them: numbers, texts, lists, nothing, and "undefined", which is what a missing member is. Rules are
 * Python's where they show: 21.0 is written "21.0", True is written "True", 7 // 2 is 3.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/template_inside.h"

static const double whole_max = 9007199254740992.0;

struct tv tv_text(const char *text, size_t len)
{
	return (struct tv){ .kind = TV_TEXT, .text = text, .len = len };
}

static struct tv tv_int(int64_t i)
{
	return (struct tv){ .kind = TV_INT, .i = i, .f = (double)i };
}

static struct tv tv_real(double f)
{
	return (struct tv){ .kind = TV_REAL, .f = f };
}

static struct tv tv_bool(bool b)
{
	return (struct tv){ .kind = TV_BOOL, .i = b, .f = b };
}

static struct tv fail(struct rendering *r, int error)
{
	rendering_fail(r, error);
	return (struct tv){ .kind = TV_UNDEFINED };
}

struct tv tv_keep(struct rendering *r, const char *text, size_t len)
{
	char *at = r->scratch + r->used;

	if (len > sizeof(r->scratch) - r->used)
		return fail(r, TEMPLATE_E_SIZE);
	if (len)
		memcpy(at, text, len);
	r->used += len;
	return tv_text(at, len);
}

struct tv tv_json(const struct json *json)
{
	struct tv v = { .kind = TV_UNDEFINED };
	bool flag;

	if (!json)
		return v;
	switch (json_kind(json)) {
	case JSON_NULL:
		v.kind = TV_NONE;
		break;
	case JSON_BOOL:
		return tv_bool(json_to_bool(json, &flag) && flag);
	case JSON_INT:
		if (json_to_i64(json, &v.i))
			return tv_int(v.i);
		break;
	case JSON_REAL:
		if (json_to_f64(json, &v.f))
			return tv_real(v.f);
		break;
	case JSON_TEXT:
		v.kind = TV_TEXT;
		v.text = json_text(json, &v.len);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		v.kind = TV_TREE;
		v.tree = json;
		break;
	}
	return v;
}

bool tv_is_true(const struct tv *v)
{
	switch (v->kind) {
	case TV_UNDEFINED:
	case TV_NONE:
		return false;
	case TV_BOOL:
	case TV_INT:
		return v->i != 0;
	case TV_REAL:
		return v->f != 0;
	case TV_TEXT:
		return v->len != 0;
	case TV_TREE:
		return json_len(v->tree) != 0;
	}
	return false;
}

bool tv_number(const struct tv *v, double *ret)
{
	if (v->kind != TV_BOOL && v->kind != TV_INT && v->kind != TV_REAL)
		return false;
	*ret = v->kind == TV_REAL ? v->f : (double)v->i;
	return true;
}

bool tv_equal(const struct tv *a, const struct tv *b)
{
	double x, y;

	if (tv_number(a, &x) && tv_number(b, &y))
		return !(x < y) && !(x > y);
	if (a->kind == TV_TEXT && b->kind == TV_TEXT)
		return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
	return a->kind == b->kind && (a->kind == TV_NONE || a->kind == TV_UNDEFINED);
}

/* The fewest digits that read back the same, and a point in any case. */
static struct tv real_as_text(struct rendering *r, double f)
{
	char text[64];

	for (int digits = 1; digits <= 17; digits++) {
		text_print(text, sizeof(text), "%.*g", digits, f);
		if (strtod(text, NULL) == f) /* exact on purpose: does it read back? */
			break;
	}
	if (fabs(f) < 1e16 && strchr(text, 'e'))
		text_print(text, sizeof(text), "%.1f", f);
	if (!strpbrk(text, ".e"))
		text_append(text, sizeof(text), ".0");
	return tv_keep(r, text, strlen(text));
}

struct tv tv_as_text(struct rendering *r, const struct tv *v)
{
	char text[32];

	switch (v->kind) {
	case TV_UNDEFINED:
		return tv_text("", 0);
	case TV_NONE:
		return tv_text("None", 4);
	case TV_BOOL:
		return v->i ? tv_text("True", 4) : tv_text("False", 5);
	case TV_INT:
		text_print(text, sizeof(text), "%lld", (long long)v->i);
		return tv_keep(r, text, strlen(text));
	case TV_REAL:
		return isfinite(v->f) ? real_as_text(r, v->f) : fail(r, TEMPLATE_E_VALUE);
	case TV_TEXT:
		return *v;
	case TV_TREE: /* Python's own notation, which nobody reads back */
		break;
	}
	return fail(r, TEMPLATE_E_VALUE);
}

/* Keys are looked up as texts: {None: x} and {1: x} were put in so, too. */
static const struct json *member_of(struct rendering *r, const struct json *object, const struct tv *key)
{
	struct tv text = tv_as_text(r, key);
	char name[JSON_KEY_MAX + 1];

	if (text.kind != TV_TEXT || !text_copy_n(name, sizeof(name), text.text, text.len))
		return NULL;
	return json_get(object, name);
}

struct tv tv_member(struct rendering *r, const struct tv *of, const struct tv *key)
{
	double number;

	if (r->dry)
		return *of;
	if (of->kind != TV_TREE)
		return fail(r, TEMPLATE_E_VALUE);
	if (json_kind(of->tree) == JSON_OBJECT)
		return tv_json(member_of(r, of->tree, key));
	if (!tv_number(key, &number))
		return fail(r, TEMPLATE_E_VALUE);
	if (number < 0)
		number += (double)json_len(of->tree);
	if (!(number >= 0 && number < (double)json_len(of->tree)))
		return (struct tv){ .kind = TV_UNDEFINED };
	return tv_json(json_at(of->tree, (size_t)number));
}

static struct tv joined(struct rendering *r, const struct tv *a, const struct tv *b)
{
	size_t start = r->used;

	tv_keep(r, a->text, a->len);
	tv_keep(r, b->text, b->len);
	return r->error ? (struct tv){ .kind = TV_UNDEFINED } : tv_text(r->scratch + start, a->len + b->len);
}

struct tv tv_compute(struct rendering *r, char op, const struct tv *a, const struct tv *b)
{
	double x, y, z = 0;

	if (r->dry)
		return *a;
	if (op == '~') {
		struct tv left = tv_as_text(r, a), right = tv_as_text(r, b);

		return r->error ? left : joined(r, &left, &right);
	}
	if (op == '+' && a->kind == TV_TEXT && b->kind == TV_TEXT)
		return joined(r, a, b);
	if (!tv_number(a, &x) || !tv_number(b, &y) || (strchr("/%i", op) && y == 0))
		return fail(r, TEMPLATE_E_VALUE);
	if (op == '+' || op == '-')
		z = op == '+' ? x + y : x - y;
	else if (op == '*')
		z = x * y;
	else if (op == '/')
		z = x / y;
	else if (op == 'i')
		z = floor(x / y);
	else
		z = x - y * floor(x / y);
	if (op != '/' && a->kind != TV_REAL && b->kind != TV_REAL && fabs(z) <= whole_max)
		return tv_int((int64_t)z);
	return tv_real(z);
}

static bool text_holds(const struct tv *text, const struct tv *part)
{
	return part->len == 0 || memmem(text->text, text->len, part->text, part->len);
}

struct tv tv_contains(struct rendering *r, const struct tv *item, const struct tv *in)
{
	if (r->dry)
		return tv_bool(false);
	if (in->kind == TV_TEXT && item->kind == TV_TEXT)
		return tv_bool(text_holds(in, item));
	if (in->kind != TV_TREE)
		return fail(r, TEMPLATE_E_VALUE);
	if (json_kind(in->tree) == JSON_OBJECT)
		return tv_bool(member_of(r, in->tree, item) != NULL);
	for (size_t i = 0; i < json_len(in->tree); i++) {
		struct tv v = tv_json(json_at(in->tree, i));

		if (tv_equal(&v, item))
			return tv_bool(true);
	}
	return tv_bool(false);
}

/* JSON values have no constructor of their own: a member of an object is one. */
struct json *tv_to_json(const struct tv *v)
{
	struct json *holder = json_new_object(), *copy;
	char text[TEMPLATE_OUT_MAX];

	if (v->kind == TV_BOOL)
		json_set_bool(holder, "v", v->i != 0);
	else if (v->kind == TV_INT)
		json_set_i64(holder, "v", v->i);
	else if (v->kind == TV_REAL)
		json_set_f64(holder, "v", v->f);
	else if (v->kind == TV_TEXT)
		json_set_text(holder, "v", text_copy_n(text, sizeof(text), v->text, v->len) ? text : "");
	else if (v->kind == TV_TREE)
		json_set(holder, "v", json_copy(v->tree));
	else
		json_set_null(holder, "v");
	copy = json_copy(json_get(holder, "v"));
	json_free(holder);
	return copy;
}

/* Filters. Each is given what it is applied to, then its arguments. */

static struct tv filter_default(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)r;
	if (v->kind == TV_UNDEFINED || (n > 1 && tv_is_true(&args[1]) && !tv_is_true(v)))
		return n ? args[0] : tv_text("", 0);
	return *v;
}

static struct tv cased(struct rendering *r, const struct tv *v, char from, char to, int by)
{
	struct tv text = tv_as_text(r, v), copy = tv_keep(r, text.text, text.len);

	if (r->error)
		return copy;
	for (char *p = r->scratch + r->used - copy.len; p < r->scratch + r->used; p++) {
		if (*p >= from && *p <= to)
			*p = (char)(*p + by);
	}
	return copy;
}

static struct tv filter_lower(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	return cased(r, v, 'A', 'Z', 'a' - 'A');
}

static struct tv filter_upper(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	return cased(r, v, 'a', 'z', 'A' - 'a');
}

static struct tv filter_trim(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	struct tv text = tv_as_text(r, v);

	(void)args, (void)n;
	while (text.len && strchr(" \t\r\n", text.text[0]))
		text.text++, text.len--;
	while (text.len && strchr(" \t\r\n", text.text[text.len - 1]))
		text.len--;
	return text;
}

static bool number_from(struct rendering *r, const struct tv *v, double *ret)
{
	struct tv text;
	char copy[64];

	if (tv_number(v, ret))
		return true;
	if (v->kind != TV_TEXT)
		return false;
	text = filter_trim(r, v, NULL, 0);
	return text_copy_n(copy, sizeof(copy), text.text, text.len) && text_to_f64(copy, -1e300, 1e300, ret) == 0;
}

static struct tv filter_float(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	double f;

	if (number_from(r, v, &f))
		return tv_real(f);
	return n ? args[0] : fail(r, TEMPLATE_E_VALUE);
}

static struct tv filter_int(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	double f;

	if (number_from(r, v, &f) && fabs(f) <= whole_max)
		return tv_int((int64_t)f);
	return n ? args[0] : fail(r, TEMPLATE_E_VALUE);
}

static struct tv filter_round(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	double f, digits = 0, by;

	if (!number_from(r, v, &f) || (n && !tv_number(&args[0], &digits)) || fabs(digits) > 15)
		return fail(r, TEMPLATE_E_VALUE);
	by = pow(10, digits);
	/* To even, as Python does; without digits a whole number, as Home Assistant has it. */
	f = nearbyint(f * by) / by;
	return digits == 0 && fabs(f) <= whole_max ? tv_int((int64_t)f) : tv_real(f);
}

static struct tv filter_abs(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	if (v->kind == TV_INT && v->i > INT64_MIN)
		return tv_int(v->i < 0 ? -v->i : v->i);
	return v->kind == TV_REAL ? tv_real(fabs(v->f)) : fail(r, TEMPLATE_E_VALUE);
}

static struct tv filter_string(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	return tv_as_text(r, v);
}

static struct tv filter_length(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	if (v->kind == TV_TEXT)
		return tv_int((int64_t)v->len);
	return v->kind == TV_TREE ? tv_int((int64_t)json_len(v->tree)) : fail(r, TEMPLATE_E_VALUE);
}

static struct tv filter_truncate(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	struct tv text = tv_as_text(r, v);
	double len = 255;

	if (n && !tv_number(&args[0], &len))
		return fail(r, TEMPLATE_E_VALUE);
	if (len >= 0 && (double)text.len > len)
		text.len = (size_t)len;
	while (text.len && !text_is_utf8(text.text, text.len))
		text.len--;
	return text;
}

static struct tv filter_replace(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	struct tv text = tv_as_text(r, v);
	size_t start = r->used;

	if (n < 2 || args[0].kind != TV_TEXT || args[1].kind != TV_TEXT || args[0].len == 0)
		return fail(r, TEMPLATE_E_VALUE);
	while (text.len && !r->error) {
		bool hit = text.len >= args[0].len && memcmp(text.text, args[0].text, args[0].len) == 0;
		size_t step = hit ? args[0].len : 1;

		tv_keep(r, hit ? args[1].text : text.text, hit ? args[1].len : 1);
		text.text += step;
		text.len -= step;
	}
	return tv_text(r->scratch + start, r->used - start);
}

static struct tv filter_tojson(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	struct json *json = tv_to_json(v);
	struct tv text = { .kind = TV_UNDEFINED };
	char *printed;
	size_t len;

	(void)args, (void)n;
	if (json_print(json, &printed, &len) == 0) {
		text = tv_keep(r, printed, len);
		free(printed);
	} else {
		rendering_fail(r, TEMPLATE_E_VALUE);
	}
	json_free(json);
	return text;
}

/* Home Assistant's: what is not there is an error, and the state stays as it was. */
static struct tv filter_is_defined(struct rendering *r, const struct tv *v, const struct tv *args, size_t n)
{
	(void)args, (void)n;
	return v->kind == TV_UNDEFINED ? fail(r, TEMPLATE_E_VALUE) : *v;
}

static const struct {
	const char *name;
	struct tv (*apply)(struct rendering *r, const struct tv *v, const struct tv *args, size_t n);
	size_t args_max;
} filters[] = {
	{ "abs", filter_abs, 0 },           { "d", filter_default, 2 },         { "default", filter_default, 2 },
	{ "float", filter_float, 1 },       { "int", filter_int, 1 },           { "is_defined", filter_is_defined, 0 },
	{ "length", filter_length, 0 },     { "lower", filter_lower, 0 },       { "replace", filter_replace, 2 },
	{ "round", filter_round, 1 },       { "string", filter_string, 0 },     { "tojson", filter_tojson, 0 },
	{ "to_json", filter_tojson, 0 },    { "trim", filter_trim, 0 },         { "truncate", filter_truncate, 4 },
	{ "upper", filter_upper, 0 },
};

struct tv tv_filter(struct rendering *r, const char *name, size_t len, const struct tv *first, const struct tv *args, size_t n)
{
	for (size_t i = 0; i < N_ELEMENTS(filters); i++) {
		if (strlen(filters[i].name) != len || memcmp(filters[i].name, name, len) != 0)
			continue;
		if (n > filters[i].args_max)
			return fail(r, TEMPLATE_E_UNCOVERED);
		return r->dry || r->error ? *first : filters[i].apply(r, first, args, n);
	}
	return fail(r, TEMPLATE_E_UNCOVERED);
}
