/* The home's nouns as JSON: the words and types that every door hears, and values back from it. */
#include "check.h"

#include <math.h>
#include "door/render.h"
#include "model/command.h"

static void check_json(struct json *json, const char *want)
{
	char *text = NULL;
	check_ok(json_print(json, &text, NULL));
	check_text(text, want);
	free(text);
	json_free(json);
}

static void values(void **state)
{
	const struct value bytes = { .type = VALUE_BYTES, .len = 2, .data = "\x01\xff" }, none = { .type = VALUE_NONE };
	const struct value list[] = { value_bool(true), value_int(INT64_MIN), value_real(21.5), value_text("a\"b"), bytes, none, value_real((double)NAN) };
	struct json *object = json_new_object();
	char key[2] = "a";
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(list); i++, key[0]++)
		render_value(object, key, &list[i]);
	check_json(object, "{\"a\":true,\"b\":-9223372036854775808,\"c\":21.5,\"d\":\"a\\\"b\",\"e\":\"01ff\",\"f\":null,\"g\":null}");
}

static void values_back(void **state)
{
	struct json *json = NULL;
	struct value value = { .type = VALUE_NONE };
	static const char text[] = "[true,7,7.0,7.5,\"on\",null,{}]";
	(void)state;
	check_ok(json_parse(text, strlen(text), 1000, 5, NULL, 0, &json));
	check_true(value_from_json(json_at(json, 0), VALUE_BOOL, &value) && value.b);
	check_true(value_from_json(json_at(json, 1), VALUE_INT, &value) && value.i == 7);
	check_true(value_from_json(json_at(json, 2), VALUE_INT, &value) && value.type == VALUE_INT);
	check_true(value_from_json(json_at(json, 1), VALUE_REAL, &value) && value.type == VALUE_REAL);
	check_true(value_from_json(json_at(json, 4), VALUE_TEXT, &value) && value.len == 2);
	check_true(!value_from_json(json_at(json, 3), VALUE_INT, &value));
	check_true(!value_from_json(json_at(json, 4), VALUE_BOOL, &value));
	check_true(!value_from_json(json_at(json, 1), VALUE_BOOL, &value));
	check_true(!value_from_json(json_at(json, 5), VALUE_TEXT, &value));
	check_true(!value_from_json(json_at(json, 6), VALUE_TEXT, &value));
	check_true(!value_from_json(NULL, VALUE_BOOL, &value));
	json_free(json);
}

static void times(void **state)
{
	struct json *object = json_new_object();
	(void)state;
	render_time(object, "a", INT64_C(1795420800) * 1000000 + 123456);
	render_time(object, "b", 0);
	render_time(object, "c", -5);
	render_time(object, "d", INT64_C(4102444800) * 1000000); /* 2100: beyond 32 bits */
	check_json(object, "{\"a\":\"2026-11-23T08:00:00.123Z\",\"b\":null,\"c\":null,\"d\":\"2100-01-01T00:00:00.000Z\"}");
}

static void events(void **state)
{
	struct device_id id = { { 1, 0, 0xd3, 0xa0, 0, 0, 1, 2, 3, 4, 5, 6 } };
	struct event report = { .kind = EVENT_REPORT, .device = id, .endpoint = 1, .cap = CAP_ON_OFF, .value = value_bool(false), .number = 9 };
	struct event alarm = { .kind = EVENT_ALARM, .severity = SEVERITY_ERROR, .phase = 2, .number = 3,
			       .text = { (const uint8_t *)"clone", 5 }, .detail = { (const uint8_t *)"two of them", 11 } };
	(void)state;
	check_json(render_event(&report, NULL), "{\"at\":null,\"device\":\"0100d3a00000010203040506\",\"name\":null,\"endpoint\":1,"
						"\"capability\":\"on-off\",\"value\":false,\"number\":9}");
	check_json(render_event(&alarm, NULL), "{\"at\":null,\"alarm\":\"clone\",\"detail\":\"two of them\",\"severity\":\"error\",\"phase\":\"cleared\","
					       "\"number\":3}");
}

static void records(void **state)
{
	struct audit_row row = { .seq = 7, .wall_us = 0, .record = { .kind = AUDIT_COMMAND, .outcome = AUDIT_DENIED, .result = RESULT_DENIED,
								     .subject = { SUBJECT_USER, 1 }, .subject_name = "anna", .subject_role = ROLE_OWNER,
								     .source_addr = "uid:0", .cap = CAP_ON_OFF, .action = "set on-off=true", .rule = -3, .count = 2 } };
	struct audit_row strange = { .seq = 8, .record = { .kind = 9999, .result = 999, .subject_role = 99 } };
	(void)state;
	check_json(render_audit(&row, NULL),
		   "{\"seq\":7,\"at\":null,\"time_trusted\":false,\"kind\":\"command\",\"outcome\":\"denied\",\"result\":\"denied\",\"subject\":\"user\","
		   "\"name\":\"anna\",\"role\":\"owner\",\"source\":\"uid:0\",\"device\":null,\"device_name\":null,\"object\":null,\"capability\":\"on-off\","
		   "\"action\":\"set on-off=true\",\"rule\":-3,\"count\":2,\"detail\":null}");
	/* A log of a newer version is shown as far as it is understood. */
	struct json *json = render_audit(&strange, NULL);
	check_text(json_get_text(json, "kind"), "?");
	check_text(json_get_text(json, "result"), "?");
	check_true(json_get_text(json, "role") == NULL);
	json_free(json);
}

static void user(void **state)
{
	const struct user anna = { .id = 3, .name = "anna", .role = ROLE_MEMBER, .disabled = true };
	(void)state;
	check_json(render_user(&anna), "{\"id\":3,\"name\":\"anna\",\"role\":\"member\",\"disabled\":true}");
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(values), cmocka_unit_test(values_back), cmocka_unit_test(times),
					   cmocka_unit_test(events), cmocka_unit_test(records), cmocka_unit_test(user) };
	return CHECK_RUN(rows);
}
