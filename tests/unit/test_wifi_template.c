/* Templates as Zigbee2MQTT and ESPHome publish them, what Jinja makes of them, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/template.h"
#include "wifi/template_inside.h"

static int render(const char *text, const char *payload, char ret[TEMPLATE_OUT_MAX])
{
	struct json *json = NULL;
	int r;

	if (json_parse(payload, strlen(payload), 65536, 8, NULL, 0, &json))
		json = NULL;
	r = template_render(text, view_text(payload), json, ret);
	json_free(json);
	return r;
}

/* What Jinja 3.1 gave for each, with Home Assistant's int, float and round; checked with it when a row was added. */
static const struct {
	const char *text, *payload, *out;
} good[] = {
	{ "{{ value_json[\"state\"] }}", "{\"state\":\"ON\"}", "ON" },
	{ "{{ value_json.last_seen }}", "{\"last_seen\":12}", "12" },
	{ "{{ value_json.a.b['c'] }}", "{\"a\":{\"b\":{\"c\":1.50}}}", "1.5" },
	{ "{{ value_json.l[1] }}{{ value_json.l[-1] }}", "{\"l\":[1,2,3]}", "23" },
	{ "{{ value }}", " bare ", "bare" },
	{ "{{ value_json.missing }}", "{}", "" },
	{ "{{ value_json.t }}", "{\"t\":true}", "True" },
	{ "{{ value_json.t | lower }}", "{\"t\":true}", "true" },
	{ "{{ value_json.n }}", "{\"n\":null}", "None" },
	{ "{{ value_json.x / 10 }}", "{\"x\":215}", "21.5" },
	{ "{{ value_json.x / 10 }}", "{\"x\":210}", "21.0" },
	{ "{{ (value_json.x | float) * 0.001 | round(3) }}", "{\"x\":\"1500\"}", "1.5" },
	{ "{{ (value_json.x / 3) | round(2) }}", "{\"x\":10}", "3.33" },
	{ "{{ value | float | round }}", "20.6", "21" },
	{ "{{ value | int(0) + 1 }}", "nothing", "1" },
	{ "{{ 7 // 2 }} {{ 7 % 4 }} {{ -7 // 2 }} {{ 2 * 3 - 1 }}", "{}", "3 3 -4 5" },
	{ "{{ 'a' ~ 1 ~ value_json.x }}", "{\"x\":0.1}", "a10.1" },
	{ "{{ 'ON' if value_json.x == 'yes' else 'OFF' }}", "{\"x\":\"yes\"}", "ON" },
	{ "{{ 'ON' if value_json.x > 3 else 'OFF' }}", "{\"x\":3}", "OFF" },
	{ "{{ 'a' if false else 'b' if true else 'c' }}", "{}", "b" },
	{ "{{ value_json.x is defined }} {{ value_json.y is not defined }}", "{\"x\":1}", "True True" },
	{ "{{ value_json.x | default('none yet') }}", "{}", "none yet" },
	{ "{{ value_json[\"pin_code\"] | default('',True) | string | truncate(254, True, '', 0) }}", "{\"pin_code\":null}", "" },
	{ "{{ value_json[\"x\"] | default('',True) | string | truncate(3, True, '', 0) }}", "{\"x\":12345}", "123" },
	{ "{% set values = {None:None,'idle':'idle','heat':'heating'} %}{{ values[value_json[\"r\"]] }}", "{\"r\":\"heat\"}", "heating" },
	{ "{% set values = {None:None,'idle':'idle'} %}{{ values[value_json[\"r\"]] }}", "{\"r\":null}", "None" },
	{ "{{ {'low':33,'high':100}[value_json[\"mode\"]] | default('None') }}", "{\"mode\":\"high\"}", "100" },
	{ "{{ {'low':33,'high':100}[value_json[\"mode\"]] | default('None') }}", "{\"mode\":\"odd\"}", "None" },
	{ "{{ value_json[\"f\"] if value_json[\"f\"] in ['auto', 'on'] else 'None' | default('None') }}", "{\"f\":\"auto\"}", "auto" },
	{ "{% if \"m\" in value_json and value_json[\"m\"] %} {% if value_json[\"p\"] == 100 %} closing {% else %} opening {% endif %} {% else %} "
	  "stopped {% endif %}", "{\"m\":true,\"p\":40}", "opening" },
	{ "{% if value == 'a' %}1{% elif value == 'b' %}2{% elif value == 'c' %}3{% else %}4{% endif %}", "b", "2" },
	{ "{% if value == 'a' %}1{% elif value == 'b' %}2{% else %}4{% endif %}", "z", "4" },
	{ "{\"latest_version\":\"{{ value_json['update']['latest_version'] }}\",\"update_percentage\":{{ value_json['update'].get('progress', 'null') }},"
	  "\"in_progress\":{{ (value_json['update']['state'] == 'updating')|lower }}}", "{\"update\":{\"latest_version\":3,\"state\":\"idle\"}}",
	  "{\"latest_version\":\"3\",\"update_percentage\":null,\"in_progress\":false}" },
	{ "{{ value_json.x | tojson }}", "{\"x\":{\"a\":[1,null]}}", "{\"a\":[1,null]}" },
	{ "a {#- nothing -#} b{{- 1 -}}  c", "{}", "ab1c" },
	{ "{{ value_json.a and value_json.a.b }}{{ value_json.z or 'zed' }}{{ not true }}", "{\"a\":{\"b\":5}}", "5zedFalse" },
	{ "{{ value | replace('a', 'bb') | upper | trim | length }}", "a-a", "5" },
	{ "{{ int(value, 7) * 2 }} {{ 1 < 2 }} {{ 'x' not in 'abc' }} {{ -5 | abs }}", "4", "8 True True 5" },
	{ "plain", "{}", "plain" },
};

static void test_what_is_covered_gives_what_jinja_gives(void **state)
{
	char out[TEMPLATE_OUT_MAX];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		if (template_check(good[i].text))
			fail_msg("%s: not covered", good[i].text);
		if (render(good[i].text, good[i].payload, out))
			fail_msg("%s of %s: no value", good[i].text, good[i].payload);
		if (strcmp(out, good[i].out) != 0)
			fail_msg("%s of %s: \"%s\", not \"%s\"", good[i].text, good[i].payload, out, good[i].out);
	}
}

static const char *const uncovered[] = {
	"{{ states('sensor.x') }}",
	"{{ now() }}",
	"{% for x in value_json %}{{ x }}{% endfor %}",
	"{% macro a() %}{% endmacro %}",
	"{{ value_json.x | regex_replace('a', 'b') }}",
	"{{ value_json.x",
	"{{ value_json. }}",
	"{{ }}",
	"{{ 1 + }}",
	"{{ (1 }}",
	"{{ [1, 2 }}",
	"{{ {1 2} }}",
	"{{ 'open }}",
	"{% if value %}never ended",
	"{% endif %}",
	"{% else %}",
	"{% if a %}{% else %}{% else %}{% endif %}",
	"{# never ended",
	"{{ true if value else states('x') }}", /* the branch that would not be taken counts, too */
	"{{ value is number }}",
	"{{ value_json.x.upper() }}",
	"{{ 12345678901234567890123456789012345678901234567890 }}",
};

static void test_what_is_not_covered_is_said_so(void **state)
{
	char out[TEMPLATE_OUT_MAX];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(uncovered); i++) {
		if (template_check(uncovered[i]) != TEMPLATE_E_UNCOVERED)
			fail_msg("%s: taken for covered", uncovered[i]);
	}
	assert_int_equal(render("{{ value.x }}", "text", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value_json.missing.deeper }}", "{}", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value | float }}", "text", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value_json.x / 0 }}", "{\"x\":1}", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value_json.x | is_defined }}", "{}", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value_json.x + 'a' }}", "{\"x\":1}", out), TEMPLATE_E_VALUE);
	assert_int_equal(render("{{ value_json }}", "{\"x\":1}", out), TEMPLATE_E_VALUE);
}

static void test_limits_are_reached(void **state)
{
	static char text[TEMPLATE_LEN_MAX + 64];
	char out[TEMPLATE_OUT_MAX], payload[2 * TEMPLATE_OUT_MAX + 8];
	size_t n;

	(void)state;
	memset(text, 'x', TEMPLATE_LEN_MAX + 1);
	assert_int_equal(template_check(text), TEMPLATE_E_SIZE);
	memset(text, 0, sizeof(text));
	memset(payload, 'x', TEMPLATE_OUT_MAX);
	payload[TEMPLATE_OUT_MAX] = '\0';
	assert_int_equal(render("{{ value }}", payload, out), TEMPLATE_E_SIZE);
	payload[TEMPLATE_OUT_MAX - 1] = '\0';
	assert_int_equal(render("{{ value }}", payload, out), 0);
	assert_int_equal(strlen(out), TEMPLATE_OUT_MAX - 1);

	/* Brackets in brackets. */
	text_copy(text, sizeof(text), "{{ ");
	for (n = 0; n < TEMPLATE_DEPTH_MAX; n++)
		text_append(text, sizeof(text), "(");
	assert_int_equal(template_check(text), TEMPLATE_E_SIZE);

	/* Names, and steps. */
	text[0] = '\0';
	for (n = 0; n < TEMPLATE_NAMES_MAX; n++)
		text_append(text, sizeof(text), "{%% set a = 1 %%}");
	assert_int_equal(template_check(text), 0);
	for (n = 0; n < TEMPLATE_NAMES_MAX; n++)
		text_append(text, sizeof(text), "{%% set a = 1 %%}");
	assert_int_equal(template_check(text), TEMPLATE_E_SIZE);
	text_copy(text, sizeof(text), "{{ 1");
	while (strlen(text) < TEMPLATE_LEN_MAX - 8)
		text_append(text, sizeof(text), "+1");
	text_append(text, sizeof(text), " }}");
	assert_int_equal(render(text, "{}", out), 0); /* 1,000 operands, each looked at three times */
	assert_true(TEMPLATE_STEPS_MAX > 3000);

	/* Scratch and trees. */
	text_copy(text, sizeof(text), "{{ ");
	for (n = 0; n < RENDERING_TREES_MAX + 1; n++)
		text_append(text, sizeof(text), "[1] is defined and ");
	text_append(text, sizeof(text), "1 }}");
	assert_int_equal(render(text, "{}", out), TEMPLATE_E_SIZE);
	memset(payload, 'x', TEMPLATE_OUT_MAX);
	text_copy(text, sizeof(text), "{{ value ~ value");
	for (n = 0; n < RENDERING_SCRATCH / TEMPLATE_OUT_MAX; n++)
		text_append(text, sizeof(text), " ~ value");
	text_append(text, sizeof(text), " | length }}");
	payload[TEMPLATE_OUT_MAX - 1] = '\0';
	assert_int_equal(render(text, payload, out), TEMPLATE_E_SIZE);
}

static void test_orders_are_written(void **state)
{
	const struct template_name names[] = { { "position", NULL, 40 }, { "value", "auto", 0 } };
	const struct template_name half[] = { { "value", NULL, 21.5 } };
	char out[TEMPLATE_OUT_MAX];

	(void)state;
	assert_int_equal(template_order("{ \"position\": {{ position }} }", names, 2, out), 0);
	assert_string_equal(out, "{ \"position\": 40 }");
	assert_int_equal(template_order("{{ {'auto':'AUTO'}[value] | default('') }}", names, 2, out), 0);
	assert_string_equal(out, "AUTO");
	assert_int_equal(template_order("{{ value * 2 }}/{{ value | int }}", half, 1, out), 0);
	assert_string_equal(out, "43.0/21");
	assert_int_equal(template_order("{{ other }}", half, 1, out), TEMPLATE_E_UNCOVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_covered_gives_what_jinja_gives),
		cmocka_unit_test(test_what_is_not_covered_is_said_so),
		cmocka_unit_test(test_limits_are_reached),
		cmocka_unit_test(test_orders_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
