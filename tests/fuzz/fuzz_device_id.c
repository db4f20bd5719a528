/* Any text as an identity or an address: what is read is printed as the same text, but for the case
 * of its letters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/device.h"
#include "model/device_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	char again[2 * ADDRESS_MAX + 1];
	struct device_id id;
	struct address addr;

	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (device_id_parse(text, len, &id) == 0) {
		device_id_print(id, again);
		if (strcasecmp(again, text) ||
		    !device_id_equal(device_id_join(device_id_split(id)), id))
			abort();
	}
	if (address_parse(text, &addr) == 0) {
		address_print(&addr, again);
		if (strcasecmp(again, text))
			abort();
	}
	free(text);
	return 0;
}
