/* Does not answer the first command, answers the others. */
#define BAD_NAME "never-done"
#define BAD_COMMAND(self, req)                                              \
	do {                                                                \
		if ((self)->number++)                                       \
			gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
