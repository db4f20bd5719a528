/* The port is shared with whoever else speaks multicast DNS on this machine (Avahi, a browser). There is no ioctl behind the
 * fence: the interface's number is asked for with SO_BINDTOIFINDEX. */
#include "shelly/finder.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static const uint8_t group[4] = { 224, 0, 0, 251 };
enum { HOPS = 255 /* RFC 6762, 11 */ };

static int set_one(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Once: who is bound may not bind itself again without a privilege. */
static int bind_interface(struct finder *finder)
{
	socklen_t len = sizeof(finder->index);

	if (!finder->interface || finder->index)
		return 0;
	if (setsockopt(finder->fd, SOL_SOCKET, SO_BINDTODEVICE, finder->interface, (socklen_t)strlen(finder->interface)) < 0 ||
	    getsockopt(finder->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &finder->index, &len) < 0)
		return -errno;
	return 0;
}

static int join(struct finder *finder)
{
	struct ip_mreqn where = { .imr_ifindex = 0 };
	int r = bind_interface(finder);

	if (r)
		return r;
	where.imr_ifindex = finder->index;
	memcpy(&where.imr_multiaddr, group, 4);
	if (setsockopt(finder->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof(where)) < 0 && errno != EADDRINUSE)
		return -errno;
	if (finder->index && setsockopt(finder->fd, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof(where)) < 0)
		return -errno;
	return 0;
}

/* Questions, ours as well, are half of what is said there: the kernel keeps them. The first byte of the flags, behind UDP's head. */
static int take_answers_only(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8 + 2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { N_ELEMENTS(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int set_up(int fd)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(MDNS_PORT) };
	int r = set_one(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!r)
		r = set_one(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!r)
		r = set_one(fd, IPPROTO_IP, IP_MULTICAST_TTL, HOPS);
	/* Only what this socket joined, not what others on the machine did. */
	if (!r)
		r = set_one(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (!r)
		r = take_answers_only(fd);
	if (!r && bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0)
		r = -errno;
	return r;
}

int finder_open(struct finder *finder, const char *interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_up(fd);
	if (r) {
		close(fd);
		return r;
	}
	*finder = (struct finder){ .fd = fd, .interface = interface };
	return 0;
}

void finder_close(struct finder *finder)
{
	if (finder->fd >= 0)
		close(finder->fd);
	finder->fd = -1;
}

int finder_ask(struct finder *finder)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(MDNS_PORT) };
	uint8_t ask[128];
	size_t len = mdns_ask(ask, sizeof(ask));
	int r = join(finder);

	if (r)
		return r;
	memcpy(&to.sin_addr, group, 4);
	return sendto(finder->fd, ask, len, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static bool is_home(const struct sockaddr_in *from)
{
	struct place place = { .port = 1 };

	memcpy(place.address, &from->sin_addr, 4);
	return place_is_home(&place);
}

bool finder_hear(const struct finder *finder, struct mdns_found ret[MDNS_FOUND_MAX], size_t *ret_n, bool *ret_bad)
{
	uint8_t packet[MDNS_BYTES_MAX];
	struct sockaddr_in from = { .sin_family = AF_UNSPEC };
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(finder->fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len);
	size_t kept = 0;
	int r;

	*ret_n = 0;
	*ret_bad = false;
	if (len < 0)
		return false;
	/* Answers come from the port itself (RFC 6762, 6). */
	if (from.sin_family != AF_INET || from.sin_port != htons(MDNS_PORT) || !is_home(&from))
		return true;
	r = mdns_read(packet, (size_t)len, ret, ret_n);
	*ret_bad = r == MDNS_E_MALFORMED;
	if (r)
		*ret_n = 0;
	for (size_t i = 0; i < *ret_n; i++) {
		struct place place = { .port = ret[i].port };

		memcpy(place.address, ret[i].address, 4);
		if (place_is_home(&place))
			ret[kept++] = ret[i];
	}
	*ret_n = kept;
	return true;
}
