/* What comes in is looked at in this order: is it JSON within its bounds, is it a request, does the method exist, do the
 * parameters fit their table? Each refusal names the place and what was expected there, and repeats no value that came. */
#include "base/text.h"
#include "door/request.h"
#include "people/people.h"
#include "sys/crypto.h"

static const struct json_field fields[] = {
	{ "id", JSON_NULL, false, 0, 0 },
	{ "method", JSON_TEXT, true, 1, 64 },
	{ "params", JSON_OBJECT, false, 0, 0 },
	{ "token", JSON_TEXT, false, 1, TOKEN_TEXT_MAX },
};

int request_parse(const void *data, size_t len, char error[REQUEST_ERROR_MAX], struct json **ret)
{
	struct json *request = NULL;
	int r = json_parse(data, len, REQUEST_LEN_MAX, REQUEST_DEPTH_MAX, error, REQUEST_ERROR_MAX, &request);
	if (r == 0 && json_kind(request) != JSON_OBJECT) {
		text_copy(error, REQUEST_ERROR_MAX, "a request is an object");
		r = JSON_E_TYPE;
	}
	if (r == 0)
		r = json_check(request, fields, N_ELEMENTS(fields), error, REQUEST_ERROR_MAX);
	if (r == 0 && !json_get(request, "params"))
		json_set(request, "params", json_new_object());
	if (r < 0)
		text_copy(error, REQUEST_ERROR_MAX, "no memory");
	if (json_kind(request) != JSON_OBJECT) {
		request_free(request);
		request = json_new_object();
	}
	*ret = request;
	return r == 0 ? 0 : REQUEST_E_SYNTAX;
}

int request_match(const struct json *request, char error[REQUEST_ERROR_MAX], const struct method **ret)
{
	char field[REQUEST_ERROR_MAX];
	const struct method *method = method_find(json_get_text(request, "method"));
	if (!method) {
		text_copy(error, REQUEST_ERROR_MAX, "there is no method of this name");
		return REQUEST_E_METHOD;
	}
	*ret = method;
	if (json_check(json_get(request, "params"), method->fields, method->n_fields, field, sizeof(field)) == 0)
		return 0;
	text_print(error, REQUEST_ERROR_MAX, "params.%s", field);
	return REQUEST_E_PARAMS;
}

static void wipe_texts(struct json *json)
{
	size_t len = 0;
	const char *text = json_text(json, &len);
	struct json *value;
	void *cursor = NULL;

	if (text)
		crypto_wipe((char *)(uintptr_t)text, len);
	else if (json_kind(json) == JSON_ARRAY)
		for (size_t i = 0; i < json_len(json); i++)
			wipe_texts(json_at(json, i));
	else if (json_kind(json) == JSON_OBJECT)
		while (json_next(json, &cursor, &value))
			wipe_texts(value);
}

struct json *request_free(struct json *request)
{
	wipe_texts(request);
	return json_free(request);
}
