/* A library that is no plugin. If it were loaded to find that out, its constructor would already
 * have run. */
#include <unistd.h>

__attribute__((constructor)) static void ran(void)
{
	if (write(STDERR_FILENO, "constructor ran\n", 16) < 0)
		_exit(99);
}

__attribute__((visibility("default"))) extern const int gwa_plugin_v2;
const int gwa_plugin_v2 = 2;
