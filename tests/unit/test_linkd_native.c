/* The native profile's JSON: what docs/spec/cloud.md shows is what is written and read, and nothing else is taken. */
#include "check.h"

#include "linkd/native_codec.h"
#include "model/alarm.h"
#include "sys/host.h"

static const struct device_id lamp = { { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 1 } };

/* The block "```json NAME" of the specification. */
static void block(const char *name, char *ret, size_t cap)
{
	const char *root = getenv("GW_SOURCE_ROOT");
	char path[512], mark[64], *text = NULL, *from, *to;
	size_t len;

	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/docs/spec/cloud.md", root);
	check_ok(host_read_file(path, HOST_FILE_MAX, &text, &len));
	snprintf(mark, sizeof(mark), "```json %s\n", name);
	from = strstr(text, mark);
	if (!from)
		fail_msg("no block %s", name);
	from += strlen(mark);
	to = strstr(from, "\n```");
	assert_non_null(to);
	assert_true((size_t)(to - from) < cap);
	memcpy(ret, from, (size_t)(to - from));
	ret[to - from] = '\0';
	free(text);
}

static void check_block(struct jsonw *w, const char *name)
{
	char want[4096];

	block(name, want, sizeof(want));
	check_true(!w->bad && w->depth == 0);
	check_text(w->data, want);
	jsonw_deinit(w);
}

static void writes_the_event_of_the_specification(void **state)
{
	const struct event event = { .kind = EVENT_REPORT, .device = lamp, .endpoint = 1, .cap = CAP_LEVEL, .value = value_int(40),
				     .wall_us = 1700000000000000, .number = 15 };
	struct jsonw w = { 0 };

	(void)state;
	native_put_event(&w, &event, 8, false);
	check_block(&w, "event");
}

static void writes_each_kind(void **state)
{
	const struct {
		struct event event;
		uint64_t number;
		bool duplicate;
		const char *want;
	} rows[] = {
		{ { .kind = EVENT_AVAILABILITY, .device = lamp, .value = value_bool(false), .number = 3 }, 9, true,
		  "{\"seq\":9,\"device\":\"0123456789abcdef00000001\",\"number\":3,\"at\":null,\"kind\":\"availability\",\"value\":false,"
		  "\"dup\":true}" },
		{ { .kind = EVENT_DEVICE, .device = lamp, .number = 3, .text = view_text("ours") }, 1, false,
		  "{\"seq\":1,\"device\":\"0123456789abcdef00000001\",\"number\":3,\"at\":null,\"kind\":\"device\",\"state\":\"ours\"}" },
		{ { .kind = EVENT_ALARM, .number = 4, .text = view_text("clone"), .detail = view_text("a \"b\""), .severity = SEVERITY_CRITICAL,
		    .phase = 2, .wall_us = 1999 },
		  2, false,
		  "{\"seq\":2,\"number\":4,\"at\":1,\"kind\":\"alarm\",\"alarm\":\"clone\",\"detail\":\"a \\\"b\\\"\",\"severity\":\"critical\","
		  "\"phase\":\"cleared\"}" },
		{ { .kind = EVENT_HEALTH, .value = value_int(7), .text = view_text("uptime_s") }, 3, false,
		  "{\"seq\":3,\"number\":0,\"at\":null,\"kind\":\"health\",\"name\":\"uptime_s\",\"value\":7}" },
		{ { .kind = EVENT_ANCHOR, .value = value_bytes("\0\377\1", 3), .detail = view_text("rest") }, 4, false,
		  "{\"seq\":4,\"number\":0,\"at\":null,\"kind\":\"anchor\",\"anchor\":\"AP8B\",\"detail\":\"rest\"}" },
		{ { .kind = EVENT_REPORT, .device = lamp, .endpoint = 2, .cap = 0x8001, .value = value_text("ü") }, 0, false,
		  "{\"device\":\"0123456789abcdef00000001\",\"number\":0,\"at\":null,\"kind\":\"report\",\"endpoint\":2,"
		  "\"capability\":\"vendor-8001\",\"value\":\"ü\"}" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct jsonw w = { 0 };

		native_put_event(&w, &rows[i].event, rows[i].number, rows[i].duplicate);
		check_text(w.data, rows[i].want);
		jsonw_deinit(&w);
	}
}

static void writes_the_description_of_the_specification(void **state)
{
	struct capability_desc caps[] = { { .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = 7 }, { .id = CAP_LEVEL, .type = VALUE_INT, .access = 7 } };
	struct endpoint_desc endpoint = { .id = 1, .n_caps = 2, .caps = caps };
	struct device_desc desc = { .vendor = "Acme", .model = "M-1", .firmware = "1.0", .name = "Lamp", .n_endpoints = 1,
				    .endpoints = &endpoint };
	struct known known = { .id = lamp, .state = DEVICE_OURS, .reachable = true, .room = "Hall", .desc = &desc };
	struct jsonw w = { 0 };

	(void)state;
	native_put_device(&w, &known);
	check_block(&w, "device");
}

static void writes_ranges_and_choices(void **state)
{
	struct capability_desc caps[] = {
		{ .id = CAP_TARGET_TEMPERATURE, .type = VALUE_REAL, .access = 7, .unit = UNIT_CELSIUS, .min = 5000, .max = 30500, .step = 500 },
		{ .id = CAP_COVER_MOVE, .type = VALUE_TEXT, .access = 7 | ACCESS_SECURE },
	};
	struct endpoint_desc endpoint = { .id = 3, .n_caps = 2, .caps = caps };
	struct device_desc desc = { .vendor = "", .model = "", .firmware = "", .name = "", .n_endpoints = 1, .endpoints = &endpoint };
	struct known known = { .id = lamp, .state = DEVICE_QUARANTINED, .desc = &desc };
	struct jsonw w = { 0 };

	(void)state;
	native_put_device(&w, &known);
	assert_non_null(strstr(w.data, "\"unit\":\"°C\",\"min\":5,\"max\":30.5,\"step\":0.5,"));
	assert_non_null(strstr(w.data, "\"access\":[\"read\",\"write\",\"report\",\"secure\"],\"choices\":[\"open\",\"close\",\"stop\"],"));
	jsonw_deinit(&w);
}

static void writes_the_answers_of_the_specification(void **state)
{
	struct wire_msg msg = { .type = WIRE_LINK_ANSWER };
	struct native_command command;
	struct jsonw w = { 0 };

	(void)state;
	msg.link_answer.id = view_text("c-5");
	msg.link_answer.sender = view_text("app");
	msg.link_answer.result = RESULT_DENIED;
	msg.link_answer.reason = view_text("rule 7");
	msg.link_answer.device = lamp;
	msg.link_answer.cap = CAP_ON_OFF;
	native_put_answer(&w, &msg);
	check_block(&w, "answer");
	check_int(native_read_command("{\"id\":\"c-6\"}", 12, &command), NATIVE_E_REFUSED);
	native_put_refusal(&w, &command);
	native_command_deinit(&command);
	check_block(&w, "refusal");
}

static void reads_the_command_of_the_specification(void **state)
{
	struct native_command command;
	char text[1024];

	(void)state;
	block("command", text, sizeof(text));
	check_int(native_read_command(text, strlen(text), &command), 0);
	check_bytes(command.msg.link_command.id.data, command.msg.link_command.id.len, "c-5", 3);
	check_bytes(command.msg.link_command.sender.data, command.msg.link_command.sender.len, "app", 3);
	check_true(device_id_equal(command.msg.link_command.device, lamp));
	check_int(command.msg.link_command.cap, CAP_ON_OFF);
	check_int(command.msg.link_command.endpoint, 0);
	check_true(command.msg.link_command.value.type == VALUE_BOOL && command.msg.link_command.value.b);
	check_true(command.msg.link_command.has_counter && command.msg.link_command.has_times);
	check_uint(command.msg.link_command.counter, 5);
	check_int(command.msg.link_command.issued_us, 1700000000000000);
	check_int(command.msg.link_command.not_after_us, 1700000005000000);
	native_command_deinit(&command);
}

#define GUARDS "\"id\":\"i\",\"sender\":\"s\",\"issued_at\":1,\"not_after\":2,\"counter\":3,"
#define TARGET "\"device\":\"0123456789abcdef00000001\",\"capability\":\"level\","

static void reads_each_kind_of_value(void **state)
{
	static const struct {
		const char *json;
		enum value_type type;
	} rows[] = {
		{ "true", VALUE_BOOL }, { "-7", VALUE_INT }, { "2.5", VALUE_REAL }, { "\"open\"", VALUE_TEXT }, { "\"\"", VALUE_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct native_command command;
		char text[512];
		int len = snprintf(text, sizeof(text), "{" GUARDS TARGET "\"endpoint\":9,\"value\":%s}", rows[i].json);

		check_int(native_read_command(text, (size_t)len, &command), 0);
		check_int(command.msg.link_command.value.type, rows[i].type);
		check_int(command.msg.link_command.endpoint, 9);
		native_command_deinit(&command);
	}
}

static void refuses_what_is_not_in_the_table(void **state)
{
	static const struct {
		const char *json;
		enum note_kind fault;
		bool has_id;
	} rows[] = {
		{ "", NOTE_MALFORMED, false },
		{ "[]", NOTE_MALFORMED, false },
		{ "{" GUARDS TARGET "\"value\":1", NOTE_MALFORMED, false },
		{ "{" GUARDS TARGET "\"value\":1,\"value\":2}", NOTE_MALFORMED, false },
		{ "{" GUARDS TARGET "\"value\":\"\xff\"}", NOTE_MALFORMED, false },
		{ "{" GUARDS TARGET "\"value\":[[[[[[[[[1]]]]]]]]]}", NOTE_MALFORMED, false },
		{ "{" GUARDS TARGET "\"value\":1,\"more\":1}", NOTE_MALFORMED, true },
		{ "{" GUARDS TARGET "\"value\":null}", NOTE_BAD_VALUE, true },
		{ "{" GUARDS TARGET "\"value\":{}}", NOTE_BAD_VALUE, true },
		{ "{" GUARDS TARGET "\"endpoint\":0,\"value\":1}", NOTE_MALFORMED, true },
		{ "{" GUARDS TARGET "\"endpoint\":256,\"value\":1}", NOTE_MALFORMED, true },
		{ "{" GUARDS "\"device\":\"0123456789abcdef0000000g\",\"capability\":\"level\",\"value\":1}", NOTE_MALFORMED, true },
		{ "{" GUARDS "\"device\":\"0123\",\"capability\":\"level\",\"value\":1}", NOTE_MALFORMED, true },
		{ "{" GUARDS "\"device\":\"0123456789abcdef00000001\",\"capability\":\"levels\",\"value\":1}", NOTE_BAD_VALUE, true },
		{ "{\"sender\":\"s\",\"issued_at\":1,\"not_after\":2,\"counter\":3," TARGET "\"value\":1}", NOTE_MALFORMED, false },
		{ "{\"id\":\"a\\nb\",\"sender\":\"s\",\"issued_at\":1,\"not_after\":2,\"counter\":3," TARGET "\"value\":1}", NOTE_MALFORMED, false },
		{ "{\"id\":\"i\",\"issued_at\":1,\"not_after\":2,\"counter\":3," TARGET "\"value\":1}", NOTE_MALFORMED, true },
		{ "{\"id\":\"i\",\"sender\":\"s\",\"issued_at\":1,\"not_after\":2," TARGET "\"value\":1}", NOTE_MALFORMED, true },
		{ "{\"id\":\"i\",\"sender\":\"s\",\"issued_at\":1,\"not_after\":2,\"counter\":0," TARGET "\"value\":1}", NOTE_MALFORMED, true },
		{ "{\"id\":\"i\",\"sender\":\"s\",\"issued_at\":1,\"not_after\":253402300800000,\"counter\":1," TARGET "\"value\":1}",
		  NOTE_MALFORMED, true },
		{ "{\"id\":\"i\",\"sender\":\"s\",\"issued_at\":1.5,\"not_after\":2,\"counter\":1," TARGET "\"value\":1}", NOTE_MALFORMED, true },
		{ "{\"id\":7,\"sender\":\"s\",\"issued_at\":1,\"not_after\":2,\"counter\":1," TARGET "\"value\":1}", NOTE_MALFORMED, false },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct native_command command;

		if (native_read_command(rows[i].json, strlen(rows[i].json), &command) != NATIVE_E_REFUSED)
			fail_msg("taken: %s", rows[i].json);
		check_int(command.fault, rows[i].fault);
		check_true(command.why[0]);
		if ((command.id[0] != 0) != rows[i].has_id)
			fail_msg("id \"%s\" of %s", command.id, rows[i].json);
		native_command_deinit(&command);
	}
}

static void refuses_more_than_the_limits(void **state)
{
	char *text = malloc(NATIVE_PAYLOAD_MAX + 2), nested[64] = "";
	struct native_command command;

	(void)state;
	memset(text, ' ', NATIVE_PAYLOAD_MAX + 1);
	check_int(native_read_command(text, NATIVE_PAYLOAD_MAX + 1, &command), NATIVE_E_REFUSED);
	check_int(command.fault, NOTE_OVERSIZE);
	native_command_deinit(&command);
	memset(nested, '[', NATIVE_DEPTH_MAX + 1);
	check_int(native_read_command(nested, strlen(nested), &command), NATIVE_E_REFUSED);
	check_int(command.fault, NOTE_MALFORMED);
	native_command_deinit(&command);
	free(text);
}

static void reads_the_time(void **state)
{
	static const char *const bad[] = { "", "{}", "{\"now\":0}", "{\"now\":-1}", "{\"now\":1.5}", "{\"now\":\"1\"}", "{\"now\":1,\"x\":1}",
					   "{\"now\":253402300800000}", "1", "{\"now\":[1]}" };
	char text[256];
	int64_t us = 0;

	(void)state;
	block("time", text, sizeof(text));
	check_int(native_read_time(text, strlen(text), &us), 0);
	check_int(us, 1700000000000000);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		if (native_read_time(bad[i], strlen(bad[i]), &us) != NATIVE_E_REFUSED)
			fail_msg("taken: %s", bad[i]);
	check_int(us, 1700000000000000);
}

/* What the broker kept for us comes back as it went, and nothing else passes. */
static void keeps_and_reads_an_anchor(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"anchor\":\"AP8B\"}", "{\"anchor\":\"\",\"detail\":\"x\"}", "{\"anchor\":\"A+8B\",\"detail\":\"x\"}",
		"{\"anchor\":\"AP8B\",\"detail\":\"x\",\"more\":1}", "{\"anchor\":5,\"detail\":\"x\"}",
	};
	uint8_t body[WIRE_ANCHOR_MAX];
	struct event event = { .kind = EVENT_ANCHOR, .detail = view_text("aa.bb") };
	struct native_anchor anchor;
	struct jsonw w = { 0 };

	(void)state;
	memset(body, 0xa5, sizeof(body));
	event.value = value_bytes(body, sizeof(body));
	native_put_anchor(&w, &event);
	check_ok(native_read_anchor(w.data, w.len, &anchor));
	check_bytes(anchor.body, anchor.len, body, sizeof(body));
	check_text(anchor.signatures, "aa.bb");
	jsonw_deinit(&w);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(native_read_anchor(bad[i], strlen(bad[i]), &anchor), NATIVE_E_REFUSED);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(writes_the_event_of_the_specification),
		cmocka_unit_test(writes_each_kind),
		cmocka_unit_test(writes_the_description_of_the_specification),
		cmocka_unit_test(writes_ranges_and_choices),
		cmocka_unit_test(writes_the_answers_of_the_specification),
		cmocka_unit_test(reads_the_command_of_the_specification),
		cmocka_unit_test(reads_each_kind_of_value),
		cmocka_unit_test(refuses_what_is_not_in_the_table),
		cmocka_unit_test(refuses_more_than_the_limits),
		cmocka_unit_test(reads_the_time),
		cmocka_unit_test(keeps_and_reads_an_anchor),
	};
	return CHECK_RUN(rows);
}
