/* Whatever people type in: what is taken is within its bounds, and hex is the same in groups or not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "router/join_secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct join_secret secret, again;
	struct address addr;
	char hex[2 * WIRE_CODE_MAX + 1];
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	if (join_secret_parse(text, &secret) == 0) {
		if (!secret.len || secret.len > WIRE_CODE_MAX || (secret.addr.len && secret.addr.len != 8) || strlen(text) > JOIN_SECRET_TEXT_MAX)
			abort();
		hex_print(secret.code, secret.len, hex);
		/* Shorter ones would be a PIN. */
		if (secret.len >= JOIN_SECRET_HEX_MIN &&
		    (join_secret_parse(hex, &again) != 0 || again.len != secret.len || memcmp(again.code, secret.code, secret.len) != 0))
			abort();
	}
	if (join_address_parse(text, &addr) == 0 && (!addr.len || addr.len > ADDRESS_MAX))
		abort();
	free(text);
	return 0;
}
