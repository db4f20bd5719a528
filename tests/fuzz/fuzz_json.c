/* Whatever parses must print, and what was printed must read back to the same text. */
#include <stdlib.h>
#include <string.h>

#include "sys/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_field fields[] = {
		{ "id", JSON_INT, true, 0, 1000 },
		{ "method", JSON_TEXT, true, 1, 32 },
		{ "params", JSON_OBJECT, false, 0, 8 },
	};
	struct json *json = NULL, *again = NULL;
	char *text = NULL, *text_again = NULL, error[128] = "";
	size_t len = 0;
	int r;

	r = json_parse(data, size, 65536, JSON_DEPTH_MAX, error, sizeof(error), &json);
	if (r) {
		must(r > 0 && !json && error[0]);
		return 0;
	}
	r = json_check(json, fields, N_ELEMENTS(fields), error, sizeof(error));
	must(r >= 0);
	must(!json_print(json, &text, &len) && strlen(text) == len);
	must(!json_parse(text, len, len, JSON_DEPTH_MAX, NULL, 0, &again));
	must(!json_print(again, &text_again, NULL) && !strcmp(text, text_again));
	free(text);
	free(text_again);
	json_free(again);
	json_free(json);
	return 0;
}
