/* A packet: what is found has a name that may be shown, and there are never more than there is room for. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "shelly/mdns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	size_t n = 0;

	if (mdns_read(data, size, found, &n))
		return 0;
	if (n > MDNS_FOUND_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (!found[i].port || !text_is_name(found[i].name, MDNS_LABEL_MAX))
			abort();
	}
	return 0;
}
