#include <errno.h>
#include <unistd.h>

static int try_exec(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	execv("/bin/true", argv);
	return errno;
}

#define BAD_NAME       "exec"
#define BAD_OPEN(self) bad_report(self, try_exec())
#define BAD_COMMAND(self, req)                                      \
	do {                                                        \
		bad_report(self, try_exec());                       \
		gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
