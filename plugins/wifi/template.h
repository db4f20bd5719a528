#pragma once
/* template - the small part of Jinja in which publishers of Home Assistant's MQTT discovery say where a value stands.
 *
 *   above   wifi/hass  wifi/hass_entity  wifi/template_inside
 *   below   base/base  base/bytes  base/text  sys/json  wifi/template_inside
 *   owns    nothing: a template is its text
 *   limits  TEMPLATE_LEN_MAX TEMPLATE_OUT_MAX TEMPLATE_DEPTH_MAX TEMPLATE_STEPS_MAX TEMPLATE_NAMES_MAX
 *   errors  TEMPLATE_E_UNCOVERED TEMPLATE_E_VALUE TEMPLATE_E_SIZE
 *
 * Covered: {{ }}, {% set %}, {% if %}/{% elif %}/{% else %}, comments; value, value_json and names that were set; texts, numbers, lists, dicts;
 * .member, [index], .get(key, otherwise); ~ + - * / // % comparisons, in, and, or, not, "a if b else c", "is defined", "is none";
 * filters default, lower, upper, trim, int, float, round, abs, string, length, truncate, replace, tojson, is_defined; functions int(), float(). Not
 * covered, and said so by template_check(): loops, macros, tests and filters not named here, states of other entities, time.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/json.h"

enum {
	TEMPLATE_LEN_MAX = 2048,
	TEMPLATE_OUT_MAX = 1024,
	TEMPLATE_DEPTH_MAX = 24,   /* brackets and ifs within each other */
	TEMPLATE_STEPS_MAX = 4096, /* operands looked at in one rendering */
	TEMPLATE_NAMES_MAX = 8,    /* {% set %} */
};
enum {
	TEMPLATE_E_UNCOVERED = 1, /* not a template, or more of Jinja than we know */
	TEMPLATE_E_VALUE = 2,     /* this value cannot be computed with so: a text that is no number, a division by zero */
	TEMPLATE_E_SIZE = 3,
};

/* Is the text a template that we cover? Every branch is looked at, nothing is computed. */
must_check int template_check(const char *text);
must_check int template_check_order(const char *text); /* of an order: it knows other names */

/* What the template makes of a payload: value is its text, value_json the same parsed, where it is JSON. ret is NUL-terminated and without
 * spaces at its ends; empty when what it names is not there. */
must_check int template_render(const char *text, struct view payload, const struct json *payload_json, char ret[TEMPLATE_OUT_MAX]);

/* The same for orders: names[] are what it may use ("value", "position"), numbers or texts. */
struct template_name {
	const char *name;
	const char *text; /* NULL: number */
	double number;
};
must_check int template_order(const char *text, const struct template_name *names, size_t n, char ret[TEMPLATE_OUT_MAX]);
