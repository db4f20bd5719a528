#include <signal.h>

#define BAD_NAME "crash-open"
#define BAD_OPEN(self)          \
	do {                    \
		(void)(self);   \
		raise(SIGKILL); \
	} while (0)
#include "bad.h"
