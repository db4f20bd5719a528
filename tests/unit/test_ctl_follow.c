/* How a window is told: each change once, in plain words. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/follow.h"
#include "ctl/show.h"

static struct follow follow;

/* ' stands for "; what is said of it now. */
static char *said(const char *joins)
{
	char text[4096], *out = NULL;
	struct json *status = NULL;
	size_t len = 0;
	int n = snprintf(text, sizeof(text), "{'adapters': [{'adapter': 'a', 'open_s': 77, 'joins': []}, {'adapter': 'zigbee', 'open_s': 0, %s}]}", joins);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	check_ok(json_parse(text, (size_t)n, sizeof(text), 10, NULL, 0, &status));
	FILE *file = open_memstream(&out, &len);
	assert_non_null(file);
	check_int(follow_left_s(follow_adapter(status, "a")), 77);
	check_int(follow_left_s(follow_adapter(status, "zigbee")), 0);
	check_int(follow_left_s(follow_adapter(status, "b")), 0);
	follow_say(&follow, file, follow_adapter(status, "zigbee"));
	fclose(file);
	json_free(status);
	return out;
}

static void says(const char *joins, const char *want)
{
	char *got = said(joins);
	check_text(got, want);
	free(got);
}

static void a_join_in_words(void **state)
{
	(void)state;
	memset(&follow, 0, sizeof(follow));
	says("'joins': []", "");
	says("'joins': [{'address': 'ad01', 'stage': 'seen'}]", "ad01 was heard\n");
	says("'joins': [{'address': 'ad01', 'stage': 'seen'}]", "");
	says("'joins': [{'address': 'ad01', 'stage': 'interview', 'why': 'asked once more'}, {'address': 'ad02', 'stage': 'configure'}]",
	     "ad01 is telling what it is: asked once more\nad02 is being set up\n");
	says("'joins': [{'address': 'ad01', 'stage': 'passkey', 'passkey': '047293'}]", "ad01 enter or compare on the device: 047293\n");
	says("'joins': [{'address': 'ad01', 'stage': 'passkey'}]", "ad01 wants digits, which whoever opened the window sees\n");
	says("'joins': [{'address': 'ad01', 'stage': 'failed', 'why': 'it went\\u001b[2J silent'}]", "ad01 did not join: it went\\x1b[2J silent\n");
	says("'joins': [{'address': 'ad01', 'stage': 'ready', 'device': 'lamp', 'state': 'waiting'}]",
	     "ad01 has joined as \"lamp\" and waits for you: gatewayctl claim press, or claim confirm \"lamp\"\n");
	says("'joins': [{'address': 'ad01', 'stage': 'ready', 'device': 'lamp', 'state': 'ours'}]", "ad01 has joined as \"lamp\" (ours)\n");
	says("'joins': [{'address': 'ad01', 'stage': 'ready', 'device': 'lamp', 'state': 'ours', 'ways': 'it is known'}]",
	     "ad01 has joined; it is \"lamp\": it is known\n");
	says("'joins': [{'address': 'ad01', 'stage': 'ready'}]", "ad01 has joined\n");
	says("'joins': [{'stage': 'later'}, {'address': 'ad02'}]", "- later\nad02 -\n");
}

static void a_full_window(void **state)
{
	(void)state;
	memset(&follow, 0, sizeof(follow));
	says("'full': true", "The window has taken as many devices as it may: make those yours, then open another.\n");
	says("'full': true", "");
	says("'full': false", "");
}

/* What was over before the window was opened is not told; what goes on is, and what begins anew. */
static void what_was_before(void **state)
{
	static const char text[] = "{\"joins\": [{\"address\": \"01\", \"stage\": \"failed\", \"since_s\": 60, \"why\": \"w\"}, {\"address\": \"02\", \"since_s\": 9, \"stage\": \"ready\"},"
				   " {\"address\": \"03\", \"stage\": \"seen\"}]}";
	struct json *adapter = NULL;
	(void)state;
	memset(&follow, 0, sizeof(follow));
	check_ok(json_parse(text, strlen(text), sizeof(text), 10, NULL, 0, &adapter));
	follow_past(&follow, adapter);
	json_free(adapter);
	check_uint(follow.n_said, 0);
	says("'joins': [{'address': '01', 'stage': 'failed', 'why': 'w'}, {'address': '02', 'stage': 'ready'}, {'address': '03', 'stage': 'seen'}]", "03 was heard\n");
	says("'joins': [{'address': '01', 'stage': 'interview'}]", "01 is telling what it is\n");
	says("'joins': [{'address': '01', 'stage': 'failed', 'why': 'w'}]", "01 did not join: w\n");
	check_uint(follow.n_said, 3);
}

static void the_oldest_is_forgotten(void **state)
{
	char joins[4096] = "'joins': [";
	(void)state;
	memset(&follow, 0, sizeof(follow));
	for (int i = 0; i <= FOLLOW_ROWS_MAX; i++)
		snprintf(joins + strlen(joins), sizeof(joins) - strlen(joins), "%s{'address': 'x%d', 'stage': 'seen'}", i ? ", " : "", i);
	snprintf(joins + strlen(joins), sizeof(joins) - strlen(joins), "]");
	free(said(joins));
	check_uint(follow.n, FOLLOW_ROWS_MAX);
	check_text(follow.rows[FOLLOW_ROWS_MAX - 1].address, "x32");
	check_text(follow.rows[0].address, "x1");
	memset(joins, 0, sizeof(joins));
	snprintf(joins, sizeof(joins), "'joins': [{'address': 'x1', 'stage': 'failed', 'why': '%.*s'}]", FOLLOW_WORDS_MAX, "");
	says(joins, "x1 did not join: \n");
}

static char *shown(show_fn *show, const char *text)
{
	char copy[2048], *out = NULL;
	size_t len = 0;
	struct json *json = NULL;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	check_ok(json_parse(copy, strlen(copy), sizeof(copy), 10, NULL, 0, &json));
	FILE *file = open_memstream(&out, &len);
	assert_non_null(file);
	show(file, json);
	fclose(file);
	json_free(json);
	return out;
}

static void a_map_is_a_table(void **state)
{
	char *text;
	(void)state;
	text = shown(show_radio_map, "{'nodes': [{'eui': '01', 'kind': 'coordinator', 'name': ''}, {'eui': '02', 'kind': 'router', 'name': 'plug'}],"
				     " 'links': [{'from': '01', 'to': '02', 'lqi': 180, 'relation': 'child', 'depth': 1}, {'from': '02', 'to': '09'}, 7],"
				     " 'silent': ['02', '0a']}");
	check_text(text, "FROM             TO    LQI  RELATION\n"
			 "the coordinator  plug  180  child\n"
			 "plug             09    -    -\n"
			 "-                -     -    -\n"
			 "No answer came from: plug, 0a\n");
	free(text);
	text = shown(show_radio_map, "{}");
	free(text);
	text = shown(show_radio, "{'radio': 'znp', 'state': 'ready', 'channel': 15, 'counters': {'sent': 3}}");
	check_true(strstr(text, "znp") && strstr(text, "15") && strstr(text, "sent 3"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_join_in_words),
		cmocka_unit_test(a_full_window),
		cmocka_unit_test(what_was_before),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(a_map_is_a_table),
	};
	return CHECK_RUN(rows);
}
