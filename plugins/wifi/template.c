/* A template is text with {{ what is computed }} and {% what decides %} in it. It is read once from left to right, each
 * time that it is rendered: templates are a line long, and what is kept of one is the text that its publisher wrote.
 */
#include "wifi/template.h"

#include <string.h>
#include "base/text.h"
#include "wifi/template_inside.h"

enum branch { BRANCH_TAKEN, BRANCH_OPEN, BRANCH_OVER }; /* this one counts; none did yet; one did */

struct block { /* one {% if %} that is not ended */
	enum branch branch;
	bool dry; /* as it was around it */
	bool last; /* {% else %} was there */
};

struct render {
	struct rendering in;
	struct block blocks[TEMPLATE_DEPTH_MAX];
	size_t n_blocks, len;
	char *out; /* TEMPLATE_OUT_MAX, or NULL */
	bool strip; /* "-%}" was there: spaces are dropped up to the next sign */
};

void rendering_fail(struct rendering *r, int error)
{
	if (!r->error)
		r->error = error;
}

static void say(struct render *render, const char *text, size_t len)
{
	if (render->in.dry || !render->out)
		return;
	if (len >= TEMPLATE_OUT_MAX - render->len) {
		rendering_fail(&render->in, TEMPLATE_E_SIZE);
		return;
	}
	if (len)
		memcpy(render->out + render->len, text, len);
	render->len += len;
}

static void strip_before(struct render *render)
{
	while (!render->in.dry && render->len && strchr(" \t\r\n", render->out[render->len - 1]))
		render->len--;
}

/* "-}}" or "}}" */
static void close_sign(struct render *render, const char *plain, const char *stripping)
{
	render->strip = expr_take(&render->in, stripping);
	if (!render->strip && !expr_take(&render->in, plain))
		rendering_fail(&render->in, TEMPLATE_E_UNCOVERED);
}

static void computed(struct render *render)
{
	struct rendering *r = &render->in;
	struct tv v = expr(r), text;

	close_sign(render, "}}", "-}}");
	if (r->dry || r->error)
		return;
	text = tv_as_text(r, &v);
	if (!r->error)
		say(render, text.text, text.len);
}

static void set_name(struct render *render)
{
	struct rendering *r = &render->in;
	const char *name;
	struct tv v;
	size_t len;

	if (!expr_name(r, &name, &len) || !expr_take(r, "=")) {
		rendering_fail(r, TEMPLATE_E_UNCOVERED);
		return;
	}
	v = expr(r);
	if (r->n_names == N_ELEMENTS(r->names))
		rendering_fail(r, TEMPLATE_E_SIZE);
	else
		r->names[r->n_names++] = (struct rendering_name){ name, len, v };
}

/* A branch begins: its condition counts when none before it did. */
static void enter(struct render *render, struct block *block, bool has_condition)
{
	struct rendering *r = &render->in;
	struct tv condition = { .kind = TV_BOOL, .i = 1 };

	if (block->branch == BRANCH_TAKEN)
		block->branch = BRANCH_OVER;
	r->dry = block->dry || block->branch == BRANCH_OVER;
	if (has_condition)
		condition = expr(r);
	if (block->branch == BRANCH_OPEN && tv_is_true(&condition))
		block->branch = BRANCH_TAKEN;
	r->dry = block->dry || block->branch != BRANCH_TAKEN;
}

static void decide(struct render *render)
{
	struct rendering *r = &render->in;
	struct block *block = render->n_blocks ? &render->blocks[render->n_blocks - 1] : NULL;

	if (expr_take(r, "set")) {
		set_name(render);
	} else if (expr_take(r, "if")) {
		if (render->n_blocks == TEMPLATE_DEPTH_MAX) {
			rendering_fail(r, TEMPLATE_E_SIZE);
			return;
		}
		block = &render->blocks[render->n_blocks++];
		*block = (struct block){ .branch = BRANCH_OPEN, .dry = r->dry };
		enter(render, block, true);
	} else if (block && !block->last && expr_take(r, "elif")) {
		enter(render, block, true);
	} else if (block && !block->last && expr_take(r, "else")) {
		block->last = true;
		enter(render, block, false);
	} else if (block && expr_take(r, "endif")) {
		r->dry = block->dry;
		render->n_blocks--;
	} else {
		rendering_fail(r, TEMPLATE_E_UNCOVERED);
	}
	close_sign(render, "%}", "-%}");
}

static void comment(struct render *render)
{
	const char *end = memmem(render->in.p, (size_t)(render->in.end - render->in.p), "#}", 2);

	if (!end)
		rendering_fail(&render->in, TEMPLATE_E_UNCOVERED);
	else
		render->in.p = end + 2;
	render->strip = end && end[-1] == '-'; /* there is a sign before it in any case */
}

static const char *next_sign(const char *p, const char *end)
{
	for (; end - p > 1; p++) {
		if (p[0] == '{' && strchr("{%#", p[1]))
			return p;
	}
	return end;
}

static int run(struct render *render)
{
	struct rendering *r = &render->in;
	bool all_dry = r->dry;

	while (!r->error && r->p < r->end) {
		const char *sign = next_sign(r->p, r->end);
		char kind;

		while (render->strip && r->p < sign && strchr(" \t\r\n", *r->p))
			r->p++;
		render->strip = false;
		say(render, r->p, (size_t)(sign - r->p));
		r->p = sign;
		if (sign == r->end)
			break;
		kind = sign[1];
		r->p += 2;
		if (r->p < r->end && *r->p == '-') {
			strip_before(render);
			r->p++;
		}
		if (kind == '{')
			computed(render);
		else if (kind == '%')
			decide(render);
		else
			comment(render);
	}
	if (!r->error && (render->n_blocks || r->dry != all_dry))
		rendering_fail(r, TEMPLATE_E_UNCOVERED);
	for (size_t i = 0; i < r->n_trees; i++)
		json_free(r->trees[i]);
	return r->error;
}

static bool begin(struct render *render, const char *text, bool dry, char *out)
{
	size_t len = strlen(text);

	render->in.p = text;
	render->in.end = text + len;
	render->in.dry = dry;
	render->in.error = 0;
	render->in.depth = render->in.steps = 0;
	render->in.n_names = render->in.n_trees = render->in.used = 0;
	render->n_blocks = render->len = 0;
	render->strip = false;
	render->out = out;
	/* What is cut to pieces here has to be text: keys of literals end up in JSON. */
	if (!text_is_utf8(text, len))
		rendering_fail(&render->in, TEMPLATE_E_UNCOVERED);
	return len <= TEMPLATE_LEN_MAX;
}

static void know(struct render *render, const char *name, struct tv value)
{
	render->in.names[render->in.n_names++] = (struct rendering_name){ name, strlen(name), value };
}

static int check(const char *text, const char *const *names)
{
	struct render render;
	bool fits = begin(&render, text, true, NULL);

	for (; *names; names++)
		know(&render, *names, (struct tv){ .kind = TV_UNDEFINED });
	return fits ? run(&render) : TEMPLATE_E_SIZE;
}

int template_check(const char *text)
{
	static const char *const names[] = { "value", "value_json", NULL };

	return check(text, names);
}

int template_check_order(const char *text)
{
	static const char *const names[] = { "value", "position", "tilt_position", NULL };

	return check(text, names);
}

static int finish(struct render *render, char ret[TEMPLATE_OUT_MAX])
{
	size_t skip = 0;
	int r = run(render);

	if (r)
		return r;
	strip_before(render);
	while (skip < render->len && strchr(" \t\r\n", render->out[skip]))
		skip++;
	render->len -= skip;
	memcpy(ret, render->out + skip, render->len);
	ret[render->len] = '\0';
	return memchr(ret, '\0', render->len) || !text_is_utf8(ret, render->len) ? TEMPLATE_E_VALUE : 0;
}

int template_render(const char *text, struct view payload, const struct json *payload_json, char ret[TEMPLATE_OUT_MAX])
{
	struct render render;
	char out[TEMPLATE_OUT_MAX];

	if (!begin(&render, text, false, out))
		return TEMPLATE_E_SIZE;
	if (payload.len && !text_is_utf8(payload.data, payload.len))
		return TEMPLATE_E_VALUE;
	know(&render, "value", tv_text((const char *)payload.data, payload.len));
	know(&render, "value_json", tv_json(payload_json));
	return finish(&render, ret);
}

int template_order(const char *text, const struct template_name *names, size_t n, char ret[TEMPLATE_OUT_MAX])
{
	struct render render;
	char out[TEMPLATE_OUT_MAX];

	if (!begin(&render, text, false, out))
		return TEMPLATE_E_SIZE;
	for (size_t i = 0; i < n && i < TEMPLATE_NAMES_MAX; i++) {
		struct tv v = { .kind = TV_REAL, .f = names[i].number };

		if (names[i].text)
			v = tv_text(names[i].text, strlen(names[i].text));
		else if (names[i].number >= -9e15 && names[i].number <= 9e15 && !(names[i].number < (double)(int64_t)names[i].number) &&
			 !(names[i].number > (double)(int64_t)names[i].number))
			v = (struct tv){ .kind = TV_INT, .i = (int64_t)names[i].number };
		know(&render, names[i].name, v);
	}
	return finish(&render, ret);
}
