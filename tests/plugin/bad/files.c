/* Reads what everybody may read and what only root may, and writes where everybody may write. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#define TRY(self)                                                                   \
	do {                                                                        \
		bad_report(self, try_open("/etc/passwd", O_RDONLY));                \
		bad_report(self, try_open("/etc/shadow", O_RDONLY));                \
		bad_report(self, try_open("/tmp/gw-bad-file", O_CREAT | O_WRONLY)); \
	} while (0)

#define BAD_NAME       "files"
#define BAD_OPEN(self) TRY(self)
#define BAD_COMMAND(self, req)                                      \
	do {                                                        \
		TRY(self);                                          \
		gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
