/* Expressions, read and computed in one pass from left to right, a function for each strength of binding. A branch that is
 * not taken is read all the same, "dry": its syntax counts, its values do not.
 */
#include <ctype.h>
#include <string.h>
#include "base/text.h"
#include "wifi/template_inside.h"

enum { ARGS_MAX = 4, LITERAL_MAX = 256 };

static struct tv undefined(void)
{
	return (struct tv){ .kind = TV_UNDEFINED };
}

static struct tv fail(struct rendering *r, int error)
{
	rendering_fail(r, error);
	return undefined();
}

void expr_space(struct rendering *r)
{
	while (r->p < r->end && strchr(" \t\r\n", *r->p))
		r->p++;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool expr_take(struct rendering *r, const char *word)
{
	size_t len = strlen(word);

	expr_space(r);
	if (r->error || (size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return false;
	if (is_word(word[len - 1]) && r->p + len < r->end && is_word(r->p[len]))
		return false;
	r->p += len;
	return true;
}

bool expr_name(struct rendering *r, const char **ret, size_t *ret_len)
{
	const char *start;

	expr_space(r);
	start = r->p;
	if (start == r->end || isdigit((unsigned char)*start) || !is_word(*start))
		return false;
	while (r->p < r->end && is_word(*r->p))
		r->p++;
	*ret = start;
	*ret_len = (size_t)(r->p - start);
	return true;
}

static bool name_is(const char *name, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(name, word, len) == 0;
}

static bool deeper(struct rendering *r)
{
	if (++r->depth <= TEMPLATE_DEPTH_MAX && ++r->steps <= TEMPLATE_STEPS_MAX)
		return !r->error;
	rendering_fail(r, TEMPLATE_E_SIZE);
	return false;
}

/* Operands */

static struct tv quoted(struct rendering *r, char quote)
{
	char text[LITERAL_MAX];
	size_t n = 0;

	while (r->p < r->end && *r->p != quote) {
		char c = *r->p++;

		if (c == '\\' && r->p < r->end) {
			c = *r->p++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		if (n == sizeof(text))
			return fail(r, TEMPLATE_E_SIZE);
		text[n++] = c;
	}
	if (r->p == r->end)
		return fail(r, TEMPLATE_E_UNCOVERED);
	r->p++;
	return tv_keep(r, text, n);
}

static struct tv number(struct rendering *r)
{
	const char *start = r->p;
	char text[40];
	struct tv v = { .kind = TV_INT };

	while (r->p < r->end && isdigit((unsigned char)*r->p))
		r->p++;
	if (r->p + 1 < r->end && *r->p == '.' && isdigit((unsigned char)r->p[1])) {
		v.kind = TV_REAL;
		r->p++;
		while (r->p < r->end && isdigit((unsigned char)*r->p))
			r->p++;
	}
	if (!text_copy_n(text, sizeof(text), start, (size_t)(r->p - start)))
		return fail(r, TEMPLATE_E_UNCOVERED);
	if (v.kind == TV_INT ? text_to_i64(text, 0, INT64_C(9007199254740992), &v.i) : text_to_f64(text, 0, 1e300, &v.f))
		return fail(r, TEMPLATE_E_UNCOVERED);
	return v;
}

static struct tv tree(struct rendering *r, struct json *json)
{
	if (r->dry || r->n_trees == RENDERING_TREES_MAX) {
		json_free(json);
		return r->dry ? undefined() : fail(r, TEMPLATE_E_SIZE);
	}
	r->trees[r->n_trees++] = json;
	return (struct tv){ .kind = TV_TREE, .tree = json };
}

static struct tv list(struct rendering *r)
{
	struct json *json = json_new_array();

	while (!r->error && !expr_take(r, "]")) {
		struct tv v = expr(r);

		if (!r->dry && !r->error)
			json_push(json, tv_to_json(&v));
		if (!expr_take(r, ",") && !expr_take(r, "]"))
			rendering_fail(r, TEMPLATE_E_UNCOVERED);
		else if (r->p[-1] == ']')
			break;
	}
	return tree(r, json);
}

static struct tv dict(struct rendering *r)
{
	struct json *json = json_new_object();

	while (!r->error && !expr_take(r, "}")) {
		struct tv key = expr(r), value, text;
		char name[JSON_KEY_MAX + 1];

		if (!expr_take(r, ":"))
			rendering_fail(r, TEMPLATE_E_UNCOVERED);
		value = expr(r);
		/* Dry values lie where the next ones are written: they are not looked at. */
		text = r->dry ? undefined() : tv_as_text(r, &key);
		if (!r->dry && !r->error && !text_copy_n(name, sizeof(name), text.text, text.len))
			rendering_fail(r, TEMPLATE_E_SIZE);
		if (!r->dry && !r->error)
			json_set(json, name, tv_to_json(&value));
		if (!expr_take(r, ",") && !expr_take(r, "}"))
			rendering_fail(r, TEMPLATE_E_UNCOVERED);
		else if (r->p[-1] == '}')
			break;
	}
	return tree(r, json);
}

/* Behind an opening bracket. */
static size_t arguments(struct rendering *r, struct tv args[ARGS_MAX])
{
	size_t n = 0;

	while (!r->error && !expr_take(r, ")")) {
		if (n == ARGS_MAX) {
			rendering_fail(r, TEMPLATE_E_UNCOVERED);
			break;
		}
		args[n++] = expr(r);
		if (expr_take(r, ")"))
			break;
		if (!expr_take(r, ","))
			rendering_fail(r, TEMPLATE_E_UNCOVERED);
	}
	return n;
}

static struct tv named(struct rendering *r, const char *name, size_t len)
{
	struct tv args[ARGS_MAX];

	if (name_is(name, len, "true") || name_is(name, len, "True"))
		return (struct tv){ .kind = TV_BOOL, .i = 1, .f = 1 };
	if (name_is(name, len, "false") || name_is(name, len, "False"))
		return (struct tv){ .kind = TV_BOOL };
	if (name_is(name, len, "none") || name_is(name, len, "None"))
		return (struct tv){ .kind = TV_NONE };
	if (expr_take(r, "(")) { /* int(x, otherwise), float(x, otherwise): the filters of the same names */
		size_t n = arguments(r, args);

		if (!n || (!name_is(name, len, "int") && !name_is(name, len, "float")))
			return fail(r, TEMPLATE_E_UNCOVERED);
		return tv_filter(r, name, len, &args[0], args + 1, n - 1);
	}
	for (size_t i = r->n_names; i > 0; i--) {
		if (r->names[i - 1].len == len && memcmp(r->names[i - 1].name, name, len) == 0)
			return r->names[i - 1].value;
	}
	return fail(r, TEMPLATE_E_UNCOVERED); /* states(), now, another's variable */
}

static struct tv operand(struct rendering *r)
{
	const char *name;
	struct tv v;
	size_t len;

	expr_space(r);
	if (r->p == r->end)
		return fail(r, TEMPLATE_E_UNCOVERED);
	if (*r->p == '"' || *r->p == '\'')
		return quoted(r, *r->p++);
	if (isdigit((unsigned char)*r->p))
		return number(r);
	if (expr_take(r, "(")) {
		v = expr(r);
		return expr_take(r, ")") ? v : fail(r, TEMPLATE_E_UNCOVERED);
	}
	if (expr_take(r, "["))
		return list(r);
	if (expr_take(r, "{"))
		return dict(r);
	return expr_name(r, &name, &len) ? named(r, name, len) : fail(r, TEMPLATE_E_UNCOVERED);
}

/* .name and .get(key, otherwise) */
static struct tv member(struct rendering *r, const struct tv *of)
{
	struct tv args[ARGS_MAX], key, v;
	const char *name;
	size_t len, n;

	if (!expr_name(r, &name, &len))
		return fail(r, TEMPLATE_E_UNCOVERED);
	if (!expr_take(r, "(")) {
		key = tv_text(name, len);
		return tv_member(r, of, &key);
	}
	n = arguments(r, args);
	if (n < 1 || n > 2 || !name_is(name, len, "get"))
		return fail(r, TEMPLATE_E_UNCOVERED);
	v = tv_member(r, of, &args[0]);
	if (v.kind != TV_UNDEFINED)
		return v;
	return n == 2 ? args[1] : (struct tv){ .kind = TV_NONE };
}

static struct tv bool_of(bool b)
{
	return (struct tv){ .kind = TV_BOOL, .i = b, .f = b };
}

/* Behind "is": defined, none and their contraries. */
static struct tv test(struct rendering *r, const struct tv *v)
{
	bool contrary = expr_take(r, "not"), holds;

	if (expr_take(r, "defined"))
		holds = v->kind != TV_UNDEFINED;
	else if (expr_take(r, "undefined"))
		holds = v->kind == TV_UNDEFINED;
	else if (expr_take(r, "none") || expr_take(r, "None"))
		holds = v->kind == TV_NONE;
	else
		return fail(r, TEMPLATE_E_UNCOVERED);
	return bool_of(holds != contrary);
}

static struct tv filtered(struct rendering *r, const struct tv *v)
{
	struct tv args[ARGS_MAX];
	const char *name;
	size_t len, n = 0;

	if (!expr_name(r, &name, &len))
		return fail(r, TEMPLATE_E_UNCOVERED);
	if (expr_take(r, "("))
		n = arguments(r, args);
	return tv_filter(r, name, len, v, args, n);
}

static struct tv postfix(struct rendering *r)
{
	struct tv v = operand(r), key;

	while (!r->error) {
		if (expr_take(r, ".")) {
			v = member(r, &v);
		} else if (expr_take(r, "[")) {
			key = expr(r);
			if (!expr_take(r, "]"))
				return fail(r, TEMPLATE_E_UNCOVERED);
			v = tv_member(r, &v, &key);
		} else {
			break;
		}
	}
	return v;
}

/* A minus is nearer than a filter: -5 | abs is 5. */
static struct tv negated(struct rendering *r)
{
	struct tv zero = { .kind = TV_INT }, v;

	if (!deeper(r))
		return undefined();
	if (expr_take(r, "-")) {
		v = negated(r);
		v = tv_compute(r, '-', &zero, &v);
	} else {
		v = postfix(r);
	}
	r->depth--;
	return v;
}

static struct tv unary(struct rendering *r)
{
	struct tv v = negated(r);

	while (!r->error) {
		if (expr_take(r, "|"))
			v = filtered(r, &v);
		else if (expr_take(r, "is"))
			v = test(r, &v);
		else
			break;
	}
	return v;
}

static struct tv product(struct rendering *r)
{
	struct tv v = unary(r), w;

	while (!r->error) {
		char op;

		if (expr_take(r, "//"))
			op = 'i';
		else if (expr_take(r, "*"))
			op = '*';
		else if (expr_take(r, "/"))
			op = '/';
		else if (r->end - r->p > 1 && r->p[1] != '}' && expr_take(r, "%"))
			op = '%';
		else
			break;
		w = unary(r);
		v = tv_compute(r, op, &v, &w);
	}
	return v;
}

/* The minus of "-}}" and "-%}" is none of ours. */
static bool takes_minus(struct rendering *r)
{
	expr_space(r);
	if (r->end - r->p > 1 && (r->p[1] == '}' || r->p[1] == '%'))
		return false;
	return expr_take(r, "-");
}

static struct tv sum(struct rendering *r)
{
	struct tv v = product(r), w;

	while (!r->error) {
		char op;

		if (expr_take(r, "+"))
			op = '+';
		else if (takes_minus(r))
			op = '-';
		else if (expr_take(r, "~"))
			op = '~';
		else
			break;
		w = product(r);
		v = tv_compute(r, op, &v, &w);
	}
	return v;
}

static struct tv order_of(struct rendering *r, const struct tv *a, const struct tv *b, bool less, bool or_equal)
{
	double x, y;

	if (r->dry)
		return bool_of(false);
	if (!tv_number(a, &x) || !tv_number(b, &y))
		return fail(r, TEMPLATE_E_VALUE);
	return bool_of((less ? x < y : x > y) || (or_equal && tv_equal(a, b)));
}

static bool takes_not_in(struct rendering *r)
{
	const char *start = r->p;

	if (expr_take(r, "not") && expr_take(r, "in"))
		return true;
	r->p = start;
	return false;
}

static struct tv comparison(struct rendering *r)
{
	struct tv v = sum(r), w;

	while (!r->error) {
		if (expr_take(r, "==")) {
			w = sum(r);
			v = bool_of(tv_equal(&v, &w));
		} else if (expr_take(r, "!=")) {
			w = sum(r);
			v = bool_of(!tv_equal(&v, &w));
		} else if (expr_take(r, "<=")) {
			w = sum(r);
			v = order_of(r, &v, &w, true, true);
		} else if (expr_take(r, ">=")) {
			w = sum(r);
			v = order_of(r, &v, &w, false, true);
		} else if (expr_take(r, "<")) {
			w = sum(r);
			v = order_of(r, &v, &w, true, false);
		} else if (expr_take(r, ">")) {
			w = sum(r);
			v = order_of(r, &v, &w, false, false);
		} else if (expr_take(r, "in")) {
			w = sum(r);
			v = tv_contains(r, &v, &w);
		} else if (takes_not_in(r)) {
			w = sum(r);
			v = tv_contains(r, &v, &w);
			v = bool_of(!tv_is_true(&v));
		} else {
			break;
		}
	}
	return v;
}

static struct tv negation(struct rendering *r)
{
	struct tv v;

	if (!deeper(r))
		return undefined();
	if (expr_take(r, "not")) {
		v = negation(r);
		v = bool_of(!tv_is_true(&v));
	} else {
		v = comparison(r);
	}
	r->depth--;
	return v;
}

/* The right side counts only when the left one leaves it open. */
static struct tv both(struct rendering *r)
{
	struct tv v = negation(r), w;

	while (!r->error && expr_take(r, "and")) {
		bool dry = r->dry, open = tv_is_true(&v);

		r->dry = dry || !open;
		w = negation(r);
		r->dry = dry;
		v = open ? w : v;
	}
	return v;
}

static struct tv either(struct rendering *r)
{
	struct tv v = both(r), w;

	while (!r->error && expr_take(r, "or")) {
		bool dry = r->dry, open = !tv_is_true(&v);

		r->dry = dry || !open;
		w = both(r);
		r->dry = dry;
		v = open ? w : v;
	}
	return v;
}

/* Behind "if": the condition, then what else. */
static struct tv choice(struct rendering *r, bool *ret_chosen)
{
	struct tv condition = either(r), otherwise = undefined();
	bool dry = r->dry;

	*ret_chosen = tv_is_true(&condition);
	if (expr_take(r, "else")) {
		r->dry = dry || *ret_chosen;
		otherwise = expr(r);
		r->dry = dry;
	}
	return otherwise;
}

/* "a if b else c" names a before it is known whether a counts: it is read dry, and read again if it does. */
struct tv expr(struct rendering *r)
{
	const char *start = r->p, *after = NULL;
	bool dry = r->dry, chosen = true;
	struct tv v, otherwise = undefined();
	size_t used = r->used;

	if (!deeper(r))
		return undefined();
	r->dry = true;
	v = either(r);
	r->dry = dry;
	r->used = used;
	if (expr_take(r, "if")) {
		otherwise = choice(r, &chosen);
		after = r->p;
	}
	if (!dry && chosen && !r->error) {
		r->p = start;
		v = either(r);
		r->p = after ? after : r->p;
	}
	r->depth--;
	return chosen ? v : otherwise;
}
