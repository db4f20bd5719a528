#pragma once
/* template_inside - what a rendering keeps: where it stands in the text, what it may spend, the names that it knows.
 *
 *   above   wifi/template  wifi/template_expr  wifi/template_value
 *   below   base/base  base/text  sys/json  wifi/template
 *   owns    struct rendering: JSON trees that literals made; scratch for texts
 *   limits  RENDERING_SCRATCH RENDERING_TREES_MAX
 */
#include "base/base.h"
#include "sys/json.h"
#include "wifi/template.h"

enum { RENDERING_SCRATCH = 6144, RENDERING_TREES_MAX = 16 };

enum tv_kind { TV_UNDEFINED, TV_NONE, TV_BOOL, TV_INT, TV_REAL, TV_TEXT, TV_TREE };
struct tv {
	enum tv_kind kind;
	int64_t i; /* BOOL, INT */
	double f;
	const char *text; /* TEXT: borrowed or in the scratch */
	size_t len;
	const struct json *tree; /* TREE: a list or an object */
};

struct rendering_name {
	const char *name;
	size_t len;
	struct tv value;
};
struct rendering {
	const char *p, *end;
	bool dry; /* look at the syntax alone: values mean nothing */
	unsigned depth, steps;
	int error; /* TEMPLATE_E_*, sticky */
	size_t n_names;
	struct rendering_name names[TEMPLATE_NAMES_MAX + 8];
	size_t n_trees;
	struct json *trees[RENDERING_TREES_MAX];
	size_t used;
	char scratch[RENDERING_SCRATCH];
};

void rendering_fail(struct rendering *r, int error); /* the first one counts */

/* template_expr: from *p up to what is no part of an expression. */
struct tv expr(struct rendering *r);
void expr_space(struct rendering *r);
bool expr_take(struct rendering *r, const char *word); /* a sign, or a word that ends there */
bool expr_name(struct rendering *r, const char **ret, size_t *ret_len);

/* template_value */
struct tv tv_text(const char *text, size_t len);
struct tv tv_keep(struct rendering *r, const char *text, size_t len); /* copied into the scratch */
struct tv tv_json(const struct json *json);
bool tv_is_true(const struct tv *v);
bool tv_number(const struct tv *v, double *ret); /* of numbers and bools alone */
bool tv_equal(const struct tv *a, const struct tv *b);
struct tv tv_as_text(struct rendering *r, const struct tv *v);
struct tv tv_member(struct rendering *r, const struct tv *of, const struct tv *key);
struct tv tv_compute(struct rendering *r, char op, const struct tv *a, const struct tv *b); /* + - * / % and i: // */
struct tv tv_contains(struct rendering *r, const struct tv *item, const struct tv *in);
struct json *tv_to_json(const struct tv *v); /* the caller's */
/* A filter with its arguments; first is what it is applied to. */
struct tv tv_filter(struct rendering *r, const char *name, size_t len, const struct tv *first, const struct tv *args, size_t n);
