/* Any bytes as a shared object: an answer, and no read outside of them. */
#include <stdint.h>
#include <stdlib.h>

#include "host/elf_symbol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (elf_symbol_find(data, len, "gwa_plugin_v1") < 0)
		abort();
	return 0;
}
