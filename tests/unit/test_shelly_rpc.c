/* JSON-RPC: what is a frame and what is not, requests, and a device's description of itself. */
#include "check.h"

#include <stdlib.h>
#include "base/text.h"
#include "shelly/rpc.h"

static int read_text(const char *text, struct rpc_message *ret)
{
	return rpc_read(text, strlen(text), ret);
}

static void frames(void **state)
{
	static const struct {
		const char *text;
		int error;
		enum rpc_kind kind;
	} rows[] = {
		{ "{\"id\":1,\"src\":\"s-a8032abe54dc\",\"dst\":\"gw\",\"result\":{\"was_on\":false}}", 0, RPC_RESULT },
		{ "{\"id\":1,\"result\":null}", 0, RPC_RESULT },
		{ "{\"id\":1,\"error\":{\"code\":-103,\"message\":\"Argument\"}}", 0, RPC_ERROR },
		{ "{\"id\":1,\"error\":{\"code\":401}}", 0, RPC_ERROR },
		{ "{\"src\":\"s\",\"method\":\"NotifyStatus\",\"params\":{\"ts\":1.5}}", 0, RPC_STATUS },
		{ "{\"src\":\"s\",\"method\":\"NotifyFullStatus\",\"params\":{}}", 0, RPC_FULL_STATUS },
		{ "{\"src\":\"s\",\"method\":\"NotifyEvent\",\"params\":{\"events\":[]}}", 0, RPC_EVENT },
		{ "{\"src\":\"s\",\"method\":\"NotifyNews\"}", 0, RPC_OTHER },
		{ "{\"id\":9,\"method\":\"Shelly.GetStatus\",\"new\":{}}", 0, RPC_OTHER },
		{ "{\"src\":\"s\",\"method\":\"NotifyStatus\",\"params\":[]}", RPC_E_TYPE, 0 },
		{ "{\"src\":\"s\",\"method\":\"NotifyStatus\"}", RPC_E_TYPE, 0 },
		{ "{\"id\":1}", RPC_E_TYPE, 0 },
		{ "{\"id\":\"1\",\"result\":{}}", RPC_E_TYPE, 0 },
		{ "{\"result\":{}}", RPC_E_TYPE, 0 },
		{ "{\"id\":1,\"result\":{},\"error\":{\"code\":1}}", RPC_E_TYPE, 0 },
		{ "{\"id\":1,\"error\":{\"code\":\"1\"}}", RPC_E_TYPE, 0 },
		{ "{\"id\":1,\"error\":null}", RPC_E_TYPE, 0 },
		{ "[]", RPC_E_TYPE, 0 },
		{ "", RPC_E_MALFORMED, 0 },
		{ "{\"id\":1,\"id\":1,\"result\":{}}", RPC_E_MALFORMED, 0 },
		{ "{\"id\":1,\"result\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", RPC_E_MALFORMED, 0 },
	};
	struct rpc_message message;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r = read_text(rows[i].text, &message);

		if (r != rows[i].error || (!r && message.kind != rows[i].kind))
			fail_msg("%s: %d", rows[i].text, r);
		if (!r)
			rpc_message_deinit(&message);
	}
	check_ok(read_text(rows[0].text, &message));
	check_text(message.src, "s-a8032abe54dc");
	check_text(message.dst, "gw");
	check_int(message.id, 1);
	check_true(json_kind(message.body) == JSON_OBJECT);
	rpc_message_deinit(&message);
	check_ok(read_text(rows[2].text, &message));
	check_int(message.code, -103);
	check_text(message.text, "Argument");
	rpc_message_deinit(&message);
}

static void a_frame_is_bounded(void **state)
{
	char *text = malloc(RPC_BYTES_MAX + 2);
	struct rpc_message message;
	char name[RPC_NAME_MAX + 80];

	(void)state;
	assert_non_null(text);
	memset(text, ' ', RPC_BYTES_MAX + 1);
	memcpy(text, "{\"id\":1,\"result\":{}}", 20);
	check_ok(rpc_read(text, RPC_BYTES_MAX, &message));
	rpc_message_deinit(&message);
	check_int(rpc_read(text, RPC_BYTES_MAX + 1, &message), RPC_E_SIZE);
	free(text);
	/* A sender whose name is too long has none. */
	text_print(name, sizeof(name), "{\"id\":1,\"result\":{},\"src\":\"%065d\"}", 0);
	check_ok(read_text(name, &message));
	check_text(message.src, "");
	rpc_message_deinit(&message);
	_Static_assert(RPC_DEPTH_MAX == 16, "the nested row above is one deeper");
}

static void requests(void **state)
{
	struct json *params = json_new_object(), *auth = json_new_object();
	char *text = NULL;
	size_t len = 0;

	(void)state;
	json_set_i64(params, "id", 0);
	json_set_bool(params, "on", true);
	json_set_text(auth, "realm", "r");
	check_ok(rpc_write(7, "gw", "Switch.Set", params, auth, &text, &len));
	check_text(text, "{\"id\":7,\"src\":\"gw\",\"method\":\"Switch.Set\",\"params\":{\"id\":0,\"on\":true},\"auth\":{\"realm\":\"r\"}}");
	check_uint(len, strlen(text));
	free(text);
	check_ok(rpc_write(8, "gw", "Shelly.GetStatus", NULL, NULL, &text, &len));
	check_text(text, "{\"id\":8,\"src\":\"gw\",\"method\":\"Shelly.GetStatus\"}");
	free(text);
}

static void outcomes(void **state)
{
	(void)state;
	check_int(rpc_outcome(-103), GWA_BAD_VALUE);
	check_int(rpc_outcome(-104), GWA_TIMEOUT);
	check_int(rpc_outcome(-105), GWA_UNSUPPORTED);
	check_int(rpc_outcome(404), GWA_UNSUPPORTED);
	check_int(rpc_outcome(503), GWA_BUSY);
	check_int(rpc_outcome(12345), GWA_FAILED);
}

#define INFO(from, to) "{\"name\":\"Kettle/1\",\"id\":\"shellyplus1pm-a8032abe54dc\",\"mac\":\"A8032ABE54DC\"," from to "}"
#define REST "\"model\":\"SNSW-001P16EU\",\"gen\":2,\"fw_id\":\"x\",\"ver\":\"1.4.4\",\"app\":\"Plus1PM\",\"auth_en\":true"

static int read_info(const char *text, struct rpc_info *ret)
{
	struct json *json = NULL;
	int r;

	check_ok(json_parse(text, strlen(text), 4096, 8, NULL, 0, &json));
	r = rpc_info_read(json, ret);
	json_free(json);
	return r;
}

static void who_it_is(void **state)
{
	const uint8_t mac[6] = { 0xa8, 0x03, 0x2a, 0xbe, 0x54, 0xdc };
	uint8_t found[6];
	struct rpc_info info;

	(void)state;
	check_ok(read_info(INFO(REST, ""), &info));
	check_bytes(info.mac, 6, mac, 6);
	check_text(info.id, "shellyplus1pm-a8032abe54dc");
	check_text(info.name, "Kettle 1");
	check_text(info.model, "Plus1PM");
	check_text(info.firmware, "1.4.4");
	check_uint(info.generation, 2);
	check_true(info.wants_password);
	check_ok(read_info("{\"name\":null,\"id\":\"x\",\"mac\":\"A8032ABE54DC\",\"gen\":3,\"model\":\"S3\"}", &info));
	check_text(info.name, "");
	check_text(info.model, "S3");
	check_true(!info.wants_password);
	check_int(read_info("{\"id\":\"x\",\"mac\":\"A8032ABE54DC\",\"gen\":1}", &info), RPC_E_GENERATION);
	check_int(read_info("{\"type\":\"SHSW-25\",\"mac\":\"A8032ABE54DC\",\"auth\":false}", &info), RPC_E_TYPE);
	check_int(read_info("{\"id\":\"x\",\"mac\":\"A8032ABE54D\",\"gen\":2}", &info), RPC_E_TYPE);
	check_int(read_info("{\"id\":\"\",\"mac\":\"A8032ABE54DC\",\"gen\":2}", &info), RPC_E_TYPE);

	check_true(rpc_mac_of("shellyplus1pm-a8032abe54dc", 26, found));
	check_bytes(found, 6, mac, 6);
	check_true(rpc_mac_of("ShellyPro-4PM-A8032ABE54DC", 26, found));
	check_true(!rpc_mac_of("shellyplus1pm", 13, found));
	check_true(!rpc_mac_of("shelly-a8032abe54dx", 19, found));
	check_true(!rpc_mac_of("", 0, found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),	cmocka_unit_test(a_frame_is_bounded), cmocka_unit_test(requests),
		cmocka_unit_test(outcomes), cmocka_unit_test(who_it_is),
	};

	return CHECK_RUN(tests);
}
