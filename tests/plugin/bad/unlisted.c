/* Sound, but in no list: nothing of it may run. */
#include <unistd.h>

__attribute__((constructor)) static void ran(void)
{
	if (write(STDERR_FILENO, "constructor ran\n", 16) < 0)
		_exit(99);
}

#define BAD_NAME "unlisted"
#include "bad.h"
