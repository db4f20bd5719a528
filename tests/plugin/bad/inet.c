/* Wants the network and says so; whether it gets any is not its decision. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int try_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#define TRY(self)                                         \
	do {                                              \
		bad_report(self, try_socket(AF_INET));    \
		bad_report(self, try_socket(AF_INET6));   \
		bad_report(self, try_socket(AF_NETLINK)); \
	} while (0)

#define BAD_NAME       "inet"
#define BAD_FLAGS      GWA_F_NET
#define BAD_OPEN(self) TRY(self)
#define BAD_COMMAND(self, req)                                      \
	do {                                                        \
		TRY(self);                                          \
		gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
