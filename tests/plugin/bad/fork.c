/* Tries to become two. What it gets is reported: the error number, 0 for a success. */
#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

#define BAD_NAME       "fork"
#define BAD_OPEN(self) bad_report(self, try_fork())
#define BAD_COMMAND(self, req)                                      \
	do {                                                        \
		bad_report(self, try_fork());                       \
		gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
