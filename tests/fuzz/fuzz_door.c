/* Any bytes as a packet at the door: refused in words, or a request whose method and parameters fit their table. Nothing of
 * what came is repeated in the refusal. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "door/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[REQUEST_ERROR_MAX] = "";
	struct json *request = NULL;
	const struct method *method = NULL;
	int r = request_parse(data, size, error, &request);

	must(request && json_kind(request) == JSON_OBJECT);
	must(size <= REQUEST_LEN_MAX || r == REQUEST_E_SYNTAX);
	if (r != 0) {
		must(r == REQUEST_E_SYNTAX && error[0] && text_is_utf8(error, strlen(error)));
	} else {
		must(json_kind(json_get(request, "params")) == JSON_OBJECT && json_get_text(request, "method"));
		r = request_match(request, error, &method);
		must((r == REQUEST_E_METHOD) == !method);
		must(r == 0 || (error[0] && text_is_utf8(error, strlen(error))));
		must(!method || strcmp(method->name, json_get_text(request, "method")) == 0);
	}
	request_free(request);
	return 0;
}
