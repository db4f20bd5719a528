#include <signal.h>

#define BAD_NAME "crash-command"
#define BAD_COMMAND(self, req)  \
	do {                    \
		(void)(self);   \
		(void)(req);    \
		raise(SIGSEGV); \
	} while (0)
#include "bad.h"
