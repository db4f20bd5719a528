/* Whatever the bytes: what decodes encodes to the same bytes again; signatures of any length are looked at and nothing more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct checkpoint c;
	uint8_t again[AUDIT_CHECKPOINT_MAX];
	struct checkpoint_signatures signatures = { .a = { data, len < 70 ? len : 64 }, .b = { data, 0 } };

	if (checkpoint_decode(data, len, &c))
		return 0;
	must(checkpoint_encode(&c, again) == len && memcmp(again, data, len) == 0);
	must(c.tree.size && c.number && c.reason < CHECKPOINT_REASONS);
	(void)checkpoint_check_signatures(&c, data, len, &signatures, NULL, 0);
	return 0;
}
