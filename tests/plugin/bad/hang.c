#include <unistd.h>

#define BAD_NAME "hang"
#define BAD_COMMAND(self, req) \
	do {                   \
		(void)(self);  \
		(void)(req);   \
		sleep(60);     \
	} while (0)
#include "bad.h"
