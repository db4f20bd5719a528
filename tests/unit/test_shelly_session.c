/* The talk: greeting, challenges, orders, and what ends it; and what is kept of a device. */
#include "check.h"

#include <stdlib.h>
#include "base/text.h"
#include "shelly/keep.h"
#include "shelly/session.h"
#include "sys/crypto.h"

static const uint8_t mac[6] = { 0xa8, 0x03, 0x2a, 0xbe, 0x54, 0xdc };
#define ID "shellyplus1pm-a8032abe54dc"
#define INFO(auth) "{\"id\":\"" ID "\",\"mac\":\"A8032ABE54DC\",\"gen\":2,\"app\":\"Plus1PM\",\"ver\":\"1.4.4\",\"auth_en\":" auth "}"
#define STATUS "{\"switch:0\":{\"id\":0,\"output\":true}}"
#define CHALLENGE(nonce) "{\\\"auth_type\\\":\\\"digest\\\",\\\"nonce\\\":" nonce ",\\\"nc\\\":1,\\\"realm\\\":\\\"" ID "\\\",\\\"algorithm\\\":\\\"SHA-256\\\"}"

static char sent[1024]; /* what it said last; "": nothing */

static int result_of(int r, struct session_says *says)
{
	sent[0] = '\0';
	if (says->send)
		text_copy(sent, sizeof(sent), says->send);
	free(says->send);
	says->send = NULL;
	return r;
}

static int start(struct session *session)
{
	struct session_says says = { 0 };

	return result_of(session_start(session, 1000, &says), &says);
}

static int hear(struct session *session, const char *frame, struct session_says *says)
{
	struct rpc_message message;
	int r;

	*says = (struct session_says){ 0 };
	check_ok(rpc_read(frame, strlen(frame), &message));
	r = result_of(session_take(session, &message, 1000, says), says);
	rpc_message_deinit(&message);
	return r;
}

/* An answer to what was said last. */
static int answer(struct session *session, const char *member, struct session_says *says)
{
	char frame[1024];

	text_print(frame, sizeof(frame), "{\"id\":%lld,\"src\":\"" ID "\",%s}", (long long)session->last_id, member);
	return hear(session, frame, says);
}

static int order(struct session *session, uint64_t req, uint64_t deadline)
{
	struct session_says says = { 0 };
	struct json *params = json_new_object();

	json_set_bool(params, "on", true);
	return result_of(session_order(session, req, "Switch.Set", params, deadline, &says), &says);
}

static void live(struct session *session)
{
	struct session_says says;

	check_ok(start(session));
	check_ok(answer(session, "\"result\":" INFO("false"), &says));
	check_ok(answer(session, "\"result\":" STATUS, &says));
	check_true(session->stage == SESSION_LIVE);
}

static void an_open_one(void **state)
{
	struct session session = { .mac = mac };
	struct session_says says;

	(void)state;
	check_ok(start(&session));
	check_text(sent, "{\"id\":1,\"src\":\"gatewayd\",\"method\":\"Shelly.GetDeviceInfo\"}");
	/* Before it has said who it is, its news is nobody's. */
	check_ok(hear(&session, "{\"method\":\"NotifyStatus\",\"params\":" STATUS "}", &says));
	check_true(says.word == SAYS_NOTHING);
	check_ok(answer(&session, "\"result\":" INFO("false"), &says));
	check_true(says.word == SAYS_WHO);
	check_text(sent, "{\"id\":2,\"src\":\"gatewayd\",\"method\":\"Shelly.GetStatus\"}");
	check_ok(answer(&session, "\"result\":" STATUS, &says));
	check_true(says.word == SAYS_WHOLE && !session.proven);
	check_ok(hear(&session, "{\"method\":\"NotifyStatus\",\"params\":" STATUS "}", &says));
	check_true(says.word == SAYS_PART);
	check_ok(hear(&session, "{\"method\":\"NotifyFullStatus\",\"params\":" STATUS "}", &says));
	check_true(says.word == SAYS_WHOLE);
	check_ok(hear(&session, "{\"method\":\"NotifyEvent\",\"params\":{}}", &says));
	check_true(says.word == SAYS_EVENT);
	/* Answers to nothing, questions to us: counted. */
	check_ok(hear(&session, "{\"id\":77,\"result\":{}}", &says));
	check_ok(hear(&session, "{\"id\":77,\"error\":{\"code\":401,\"message\":\"" CHALLENGE("1") "\"}}", &says));
	check_ok(hear(&session, "{\"id\":-1,\"result\":{}}", &says));
	check_ok(hear(&session, "{\"id\":1,\"method\":\"Shelly.Reboot\"}", &says));
	check_uint(session.unknown, 5);
	session_stop(&session);
}

static void one_with_a_password(void **state)
{
	struct session session = { .mac = mac, .password = "mysecretpassword", .cnonce = 313273957, .must_prove = true };
	struct session_says says;

	(void)state;
	check_ok(start(&session));
	check_ok(answer(&session, "\"result\":" INFO("true"), &says));
	check_ok(answer(&session, "\"error\":{\"code\":401,\"message\":\"" CHALLENGE("5") "\"}", &says));
	assert_non_null(strstr(sent, "\"id\":3,"));
	assert_non_null(strstr(sent, "\"auth\":{\"realm\":\"" ID "\",\"username\":\"admin\",\"nonce\":5,\"cnonce\":313273957,\"response\":\""));
	assert_null(strstr(sent, "mysecret"));
	check_true(!session.proven);
	check_ok(answer(&session, "\"result\":" STATUS, &says));
	check_true(says.word == SAYS_WHOLE && session.proven);
	/* Later requests carry the same proof; when its number is used up, there is another one. */
	check_ok(order(&session, 9, 5000));
	assert_non_null(strstr(sent, "\"nonce\":5,"));
	check_ok(answer(&session, "\"error\":{\"code\":401,\"message\":\"" CHALLENGE("6") "\"}", &says));
	assert_non_null(strstr(sent, "\"nonce\":6,"));
	assert_non_null(strstr(sent, "\"params\":{\"on\":true}"));
	check_ok(answer(&session, "\"result\":null", &says));
	check_true(says.word == SAYS_DONE && says.req == 9 && says.status == GWA_OK);
	session_stop(&session);
	check_true(!session.proven && !session.challenged);
}

static void what_ends_it(void **state)
{
	struct session session = { .mac = mac, .password = "wrong" };
	const uint8_t other[6] = { 0 };
	struct session_says says;

	(void)state;
	check_ok(start(&session));
	check_ok(answer(&session, "\"result\":" INFO("true"), &says));
	for (unsigned i = 1; i < SESSION_TRIES_MAX; i++)
		check_ok(answer(&session, "\"error\":{\"code\":401,\"message\":\"" CHALLENGE("5") "\"}", &says));
	check_int(answer(&session, "\"error\":{\"code\":401,\"message\":\"" CHALLENGE("6") "\"}", &says), SESSION_E_PASSWORD);
	session.password = NULL;
	check_ok(start(&session));
	check_ok(answer(&session, "\"result\":" INFO("true"), &says));
	check_int(answer(&session, "\"error\":{\"code\":401,\"message\":\"" CHALLENGE("5") "\"}", &says), SESSION_E_NO_PASSWORD);
	session.password = "x";
	check_ok(start(&session));
	check_int(answer(&session, "\"error\":{\"code\":401,\"message\":\"go away\"}", &says), SESSION_E_NONSENSE);
	check_ok(start(&session));
	check_int(answer(&session, "\"error\":{\"code\":404}", &says), SESSION_E_NONSENSE);
	check_ok(start(&session));
	check_int(answer(&session, "\"result\":{\"type\":\"SHSW-1\",\"mac\":\"A8032ABE54DC\"}", &says), SESSION_E_NONSENSE);
	check_ok(start(&session));
	check_int(answer(&session, "\"result\":{\"id\":\"x\",\"mac\":\"A8032ABE54DC\",\"gen\":1}", &says), SESSION_E_OLD);
	check_ok(start(&session));
	check_ok(answer(&session, "\"result\":" INFO("false"), &says));
	check_int(answer(&session, "\"result\":7", &says), SESSION_E_NONSENSE);
	session.mac = other;
	check_ok(start(&session));
	check_int(answer(&session, "\"result\":" INFO("false"), &says), SESSION_E_OTHER);
	/* It had a password when we met: one that says it has none, and one that says so and does not ask. */
	session.mac = mac;
	session.must_prove = true;
	check_ok(start(&session));
	check_int(answer(&session, "\"result\":" INFO("false"), &says), SESSION_E_OPEN);
	check_ok(start(&session));
	check_ok(answer(&session, "\"result\":" INFO("true"), &says));
	check_int(answer(&session, "\"result\":" STATUS, &says), SESSION_E_OPEN);
	session_stop(&session);
	for (int r = SESSION_E_OTHER; r <= SESSION_E_SILENT; r++)
		check_true(strlen(session_reason(r)) > 0);
	assert_non_null(session_reason(-5));
}

static void orders_end_once(void **state)
{
	struct session session = { .mac = mac };
	struct session_says says;
	uint64_t req = 0;

	(void)state;
	live(&session);
	check_uint(session_deadline(&session), UINT64_MAX);
	for (uint64_t i = 1; i <= SESSION_CALLS_MAX; i++)
		check_ok(order(&session, i, 2000 + i));
	check_int(order(&session, 99, 5000), SESSION_E_BUSY);
	check_uint(session_deadline(&session), 2001);
	check_int(session_late(&session, 2000, &req), SESSION_E_NOTHING);
	check_ok(session_late(&session, 2001, &req));
	check_uint(req, 1);
	check_int(session_late(&session, 2001, &req), SESSION_E_NOTHING);
	check_ok(answer(&session, "\"error\":{\"code\":-103,\"message\":\"x\"}", &says));
	check_true(says.word == SAYS_DONE && says.req == SESSION_CALLS_MAX && says.status == GWA_BAD_VALUE);
	check_ok(answer(&session, "\"result\":{}", &says));
	check_true(says.word == SAYS_NOTHING);
	for (uint64_t i = 2; i < SESSION_CALLS_MAX; i++)
		check_uint(session_any(&session), i);
	check_uint(session_any(&session), 0);
	session_stop(&session);
	/* A greeting that is not answered is no order. */
	check_ok(start(&session));
	check_int(session_late(&session, 1000 + SESSION_GREET_MS, &req), SESSION_E_SILENT);
	check_uint(session_any(&session), 0);
	session_stop(&session);
	_Static_assert((int)SESSION_METHOD_MAX >= (int)STATUS_METHOD_MAX, "every method fits");
}

static struct kept one_kept(unsigned i)
{
	struct kept kept = { .place = { { 192, 168, 1, (uint8_t)i }, 80 }, .must_prove = true };
	struct json *status = NULL;

	memcpy(kept.info.mac, mac, 6);
	kept.info.mac[5] = (uint8_t)i;
	kept.info.generation = 2;
	text_copy(kept.info.id, sizeof(kept.info.id), ID);
	text_copy(kept.info.model, sizeof(kept.info.model), "Plus1PM");
	memset(kept.password, '"', SESSION_PASSWORD_MAX);
	check_ok(json_parse(STATUS, strlen(STATUS), 1000, 5, NULL, 0, &status));
	check_ok(status_map(status, &kept.map));
	json_free(status);
	return kept;
}

static void a_page_of_devices(void **state)
{
	struct kept kept[KEEP_PAGE_MAX], again[KEEP_PAGE_MAX];
	static const char unfit[] = "[{},7,{\"mac\":\"A8032ABE54DC\",\"id\":\"x\",\"gen\":2,\"place\":\"nowhere\"}]";
	const struct kept *page[KEEP_PAGE_MAX];
	char *text = NULL;
	size_t len = 0, n = 0;

	(void)state;
	for (unsigned i = 0; i < KEEP_PAGE_MAX; i++) {
		kept[i] = one_kept(i);
		page[i] = i == 3 ? NULL : &kept[i];
	}
	check_ok(keep_print(page, KEEP_PAGE_MAX, &text, &len));
	check_true(len < GWA_STATE_MAX);
	check_ok(keep_parse(text, len, again, &n));
	check_uint(n, KEEP_PAGE_MAX - 1);
	check_text(again[0].password, kept[0].password);
	check_true(again[0].must_prove && place_equal(&again[0].place, &kept[0].place));
	check_bytes(again[3].info.mac, 6, kept[4].info.mac, 6);
	check_true(status_map_equal(&again[0].map, &kept[0].map));
	for (size_t i = 0; i < n; i++)
		status_map_deinit(&again[i].map);
	for (unsigned i = 0; i < KEEP_PAGE_MAX; i++)
		status_map_deinit(&kept[i].map);
	free(text);
	check_int(keep_parse("{}", 2, again, &n), KEEP_E_MALFORMED);
	check_int(keep_parse("x", 1, again, &n), KEEP_E_MALFORMED);
	check_ok(keep_parse(unfit, sizeof(unfit) - 1, again, &n));
	check_uint(n, 0);
	_Static_assert(KEEP_PAGES_MAX <= 16, "as many blobs as the host keeps");
}

static void places(void **state)
{
	static const struct {
		const char *text;
		int home; /* -1: no place */
	} rows[] = {
		{ "192.168.1.5", 1 }, { "10.0.0.1:8080", 1 }, { "172.16.0.1", 1 },  { "172.31.255.255", 1 }, { "172.32.0.1", 0 },
		{ "169.254.9.9", 1 }, { "127.0.0.1", 1 },     { "8.8.8.8", 0 },	    { "192.169.1.1", 0 },    { "224.0.0.251", 0 },
		{ "1.2.3", -1 },      { "1.2.3.256", -1 },    { "1.2.3.4:0", -1 },  { "1.2.3.4:65536", -1 }, { "1.2.3.4x", -1 },
		{ "", -1 },	      { "a.b.c.d", -1 },      { "1.2.3.4:", -1 },   { "1..3.4", -1 },	     { "01234567.1.1.1", -1 },
	};
	struct place place;
	char text[24];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r = place_parse(rows[i].text, &place);

		if ((r != 0) != (rows[i].home < 0) || (!r && place_is_home(&place) != (rows[i].home == 1)))
			fail_msg("%s", rows[i].text);
		if (!r) {
			place_print(&place, text);
			check_text(text, rows[i].text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_one),	   cmocka_unit_test(one_with_a_password), cmocka_unit_test(what_ends_it),
		cmocka_unit_test(orders_end_once), cmocka_unit_test(a_page_of_devices),	  cmocka_unit_test(places),
	};

	return crypto_init() || CHECK_RUN(tests);
}
