/* A packet at the door: what is a request, what is refused and with which words; and the table of methods itself. */
#include "check.h"

#include "door/request.h"

static int parse(const char *text, char error[REQUEST_ERROR_MAX], struct json **ret)
{
	error[0] = 0;
	return request_parse(text, strlen(text), error, ret);
}

static void requests(void **state)
{
	struct json *request;
	const struct method *method = NULL;
	char error[REQUEST_ERROR_MAX];
	(void)state;
	check_ok(parse("{\"id\":1,\"method\":\"hello\"}", error, &request));
	check_int(json_kind(json_get(request, "params")), JSON_OBJECT);
	check_ok(request_match(request, error, &method));
	check_text(method->name, "hello");
	check_true(request_free(request) == NULL);
	check_true(request_free(NULL) == NULL);
}

static void refusals(void **state)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "[]", "a request is an object" },
		{ "1", "a request is an object" },
		{ "{}", "method: expected text of 1..64 bytes" },
		{ "{\"method\":1}", "method: expected text of 1..64 bytes" },
		{ "{\"method\":\"\"}", "method: expected text of 1..64 bytes" },
		{ "{\"method\":\"hello\",\"params\":[]}", "params: expected object" },
		{ "{\"method\":\"hello\",\"params\":null}", "params: expected object" },
		{ "{\"method\":\"hello\",\"token\":7}", "token: expected text of 1..64 bytes" },
	};
	struct json *request;
	char error[REQUEST_ERROR_MAX];
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_int(parse(rows[i].text, error, &request), REQUEST_E_SYNTAX);
		check_text(error, rows[i].error);
		check_int(json_kind(request), JSON_OBJECT);
		request_free(request);
	}
}

static void never_taken(void **state)
{
	static const char *const texts[] = { "", "{", "{\"method\":\"hello\",\"method\":\"login\"}", "{\"method\":\"hello\",\"more\":1}",
					     "{\"method\":\"\xff\"}", "{\"method\":\"a\\u0000b\"}", "{\"method\":\"hello\"} {}", "\xef\xbb\xbf{\"method\":\"hello\"}" };
	struct json *request;
	char error[REQUEST_ERROR_MAX];
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		int r = parse(texts[i], error, &request);
		if (r != REQUEST_E_SYNTAX)
			print_error("row %zu was taken\n", i);
		check_int(r, REQUEST_E_SYNTAX);
		check_true(error[0] != 0);
		request_free(request);
	}
}

/* The bounds: one byte, one step more is refused. */
static void bounds(void **state)
{
	static char text[REQUEST_LEN_MAX + 2];
	struct json *request;
	char error[REQUEST_ERROR_MAX];
	(void)state;
	for (size_t len = REQUEST_LEN_MAX; len <= REQUEST_LEN_MAX + 1; len++) {
		memset(text, ' ', len);
		memcpy(text, "{\"method\":\"hello\"}", 18);
		check_int(request_parse(text, len, error, &request), len > REQUEST_LEN_MAX ? REQUEST_E_SYNTAX : 0);
		request_free(request);
	}
	for (unsigned depth = REQUEST_DEPTH_MAX; depth <= REQUEST_DEPTH_MAX + 1; depth++) {
		/* The request and its params are two steps. */
		char deep[200] = "{\"method\":\"hello\",\"params\":{\"a\":";
		for (unsigned i = 0; i < depth - 2; i++)
			strcat(deep, "[");
		for (unsigned i = 0; i < depth - 2; i++)
			strcat(deep, "]");
		strcat(deep, "}}");
		check_int(parse(deep, error, &request), depth > REQUEST_DEPTH_MAX ? REQUEST_E_SYNTAX : 0);
		request_free(request);
	}
}

/* A password that stands where it should not is not repeated to anybody. */
static void secrets_are_not_repeated(void **state)
{
	static const char *const texts[] = {
		"{\"method\":\"login\",\"params\":{\"user\":7,\"password\":\"hunter2hunter2\"}}",
		"{\"method\":\"login\",\"params\":{\"user\":\"a\",\"password\":[\"hunter2hunter2\"]}}",
		"{\"method\":\"hunter2hunter2\"}",
		"{\"method\":\"hello\",\"token\":{\"hunter2hunter2\":1}}",
		"{\"method\":\"login\",\"params\":{\"user\":\"a\",\"password\":\"hunter2hunter2",
	};
	struct json *request;
	const struct method *method;
	char error[REQUEST_ERROR_MAX];
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		if (parse(texts[i], error, &request) == 0)
			check_true(request_match(request, error, &method) != 0);
		check_true(error[0] && !strstr(error, "hunter2"));
		request_free(request);
	}
}

static void table(void **state)
{
	const struct method *method;
	size_t n = 0;
	(void)state;
	for (; (method = method_at(n)); n++) {
		check_true(method_find(method->name) == method);
		check_true(method->help[0] && method->handle && method->who);
		check_true(method->n_fields <= METHOD_FIELDS_MAX && (method->fields || !method->n_fields));
		check_true(!method->audit_kind || audit_kind_row(method->audit_kind));
		/* Every text and list from outside has its bound. */
		for (size_t i = 0; i < method->n_fields; i++)
			if (method->fields[i].kind == JSON_TEXT || method->fields[i].kind == JSON_ARRAY)
				check_true(method->fields[i].max > 0);
	}
	check_true(n > 50 && !method_find("nothing"));
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(requests), cmocka_unit_test(refusals), cmocka_unit_test(never_taken),
					   cmocka_unit_test(bounds), cmocka_unit_test(secrets_are_not_repeated), cmocka_unit_test(table) };
	return CHECK_RUN(rows);
}
