/* What the broker's plugin is told is what conf/broker/README.md shows, which is tested against the broker itself. */
#include "check.h"

#include "base/text.h"
#include "ctl/broker.h"
#include "sys/host.h"

/* The block ```json NAME of the page, as its canonical text. */
static char *page_block(const char *name)
{
	const char *root = getenv("GW_SOURCE_ROOT");
	char path[512], fence[64], *page = NULL, *text = NULL;
	struct json *json = NULL;
	size_t len;
	check_true(root != NULL);
	text_print(path, sizeof(path), "%s/conf/broker/README.md", root);
	check_ok(host_read_file(path, HOST_FILE_MAX, &page, &len));
	text_print(fence, sizeof(fence), "```json %s\n", name);
	char *from = strstr(page, fence), *to = from ? strstr(from + strlen(fence), "```") : NULL;
	check_true(from && to);
	from += strlen(fence);
	check_ok(json_parse(from, (size_t)(to - from), 65536, 8, NULL, 0, &json));
	check_ok(json_print(json, &text, NULL));
	json_free(json);
	free(page);
	return text;
}

/* Objects have no order: both are compared key by key. */
static bool same(const struct json *a, const struct json *b)
{
	struct json *value;
	void *cursor = NULL;
	const char *key;
	char *text_a = NULL, *text_b = NULL;
	if (json_kind(a) != json_kind(b))
		return false;
	if (json_kind(a) == JSON_OBJECT) {
		if (json_len(a) != json_len(b))
			return false;
		while ((key = json_next((struct json *)(uintptr_t)a, &cursor, &value)))
			if (!json_get(b, key) || !same(value, json_get(b, key)))
				return false;
		return true;
	}
	if (json_kind(a) == JSON_ARRAY) {
		if (json_len(a) != json_len(b))
			return false;
		for (size_t i = 0; i < json_len(a); i++)
			if (!same(json_at(a, i), json_at(b, i)))
				return false;
		return true;
	}
	check_ok(json_print(a, &text_a, NULL));
	check_ok(json_print(b, &text_b, NULL));
	bool equal = strcmp(text_a, text_b) == 0;
	free(text_a);
	free(text_b);
	return equal;
}

/* The page numbers its commands through: ours begin with one in each request. */
static void check_same(struct json *made, const char *block)
{
	char *text = page_block(block), *mine = NULL;
	struct json *want = NULL;
	check_ok(json_parse(text, strlen(text), 65536, 8, NULL, 0, &want));
	struct json *list = json_get(want, "commands");
	for (size_t i = 0; i < json_len(list); i++) {
		char number[8];
		text_print(number, sizeof(number), "%zu", i + 1);
		json_set_text(json_at(list, i), "correlationData", number);
	}
	check_ok(json_print(made, &mine, NULL));
	if (!same(made, want))
		print_error("made %s\npage %s\n", mine, text);
	check_true(same(made, want) && same(want, made));
	free(text);
	free(mine);
	json_free(want);
	json_free(made);
}

static void requests(void **state)
{
	(void)state;
	check_same(broker_add_request("shed", BROKER_PREFIX, NULL, "made-by-gatewayctl-and-shown-once"), "add");
	check_same(broker_add_request("plug2", BROKER_TASMOTA, "112233445566", "another-made-by-gatewayctl"), "tasmota");
	check_same(broker_add_request("hall", BROKER_DISCOVERY, NULL, "a-third-made-by-gatewayctl"), "discovery");
	check_same(broker_add_request("shelly1minig3-5432045e3f74", BROKER_SHELLY, NULL, "a-fourth-made-by-gatewayctl"), "shelly");
	check_same(broker_remove_request("shed"), "remove");
}

static void answers(void **state)
{
	char *text = page_block("answer"), error[200] = "";
	struct json *answer = NULL, *good = NULL, *nothing = json_new_object();
	static const char fine[] = "{\"responses\":[{\"command\":\"createRole\"},{\"command\":\"createClient\"}]}";
	(void)state;
	check_ok(json_parse(text, strlen(text), 65536, 8, NULL, 0, &answer));
	check_ok(json_parse(fine, strlen(fine), 65536, 8, NULL, 0, &good));
	check_int(broker_judge(answer, 2, error, sizeof(error)), BROKER_E_REFUSED);
	check_text(error, "the broker says of createClient: Client already exists");
	check_ok(broker_judge(good, 2, error, sizeof(error)));
	check_int(broker_judge(good, 3, error, sizeof(error)), BROKER_E_REFUSED);
	check_int(broker_judge(nothing, 1, error, sizeof(error)), BROKER_E_REFUSED);
	json_free(answer);
	json_free(good);
	json_free(nothing);
	free(text);
}

static void nobody_there(void **state)
{
	char error[200] = "";
	struct json *request = broker_remove_request("shed");
	(void)state;
	check_int(broker_ask("/nowhere/lan.sock", "a", "b", request, error, sizeof(error)), -ECONNREFUSED);
	check_text(error, "no broker listens at its socket");
	json_free(request);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(requests), cmocka_unit_test(answers), cmocka_unit_test(nobody_there) };
	return CHECK_RUN(rows);
}
