/* A serial line is set to 115200 8N1 without any interpretation; what is no terminal (a fifo, a socket pair of a test) is taken as
 * it is. Nothing blocks: what a line does not take waits, up to a bound beyond which the other side is as good as gone.
 */
#include "zigbee/port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include "base/text.h"

static void set_line(int fd)
{
	struct termios line;

	if (tcgetattr(fd, &line))
		return;
	cfmakeraw(&line);
	cfsetispeed(&line, B115200);
	cfsetospeed(&line, B115200);
	line.c_cflag |= CLOCAL | CREAD;
	line.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB | PARENB);
	line.c_cc[VMIN] = 1;
	line.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSANOW, &line) == 0)
		tcflush(fd, TCIOFLUSH);
}

static void watch(struct port *port)
{
	uint32_t events = POLLIN;

	if (port->fd < 0)
		return;
	if (port->connecting)
		events = POLLOUT;
	else if (port->n_out)
		events |= POLLOUT;
	if (gwa(port->host)->watch(port->host, port->fd, events))
		port->lost = true;
}

static bool parse(const char *text, struct sockaddr_in *ret)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint32_t number;

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!colon || !text_copy_n(host, sizeof(host), text, (size_t)(colon - text)) || text_to_u32(colon + 1, 1, 65535, &number) ||
	    inet_pton(AF_INET, host, &ret->sin_addr) != 1)
		return false;
	ret->sin_port = htons((uint16_t)number);
	return true;
}

static void later(struct port *port, uint64_t now_ms)
{
	uint64_t ms = (uint64_t)PORT_AGAIN_MS << (port->fails < 6 ? port->fails : 6);

	port->fails++;
	port->due_ms = now_ms + (ms < PORT_AGAIN_LONGEST_MS ? ms : PORT_AGAIN_LONGEST_MS);
}

static void let_go(struct port *port)
{
	if (port->fd >= 0)
		gwa(port->host)->watch(port->host, port->fd, 0);
	if (port->fd >= 0 && port->tcp)
		close(port->fd);
	port->fd = -1;
	port->n_out = 0;
	port->connecting = port->lost = false;
}

static void call_up(struct port *port, uint64_t now_ms)
{
	int one = 1, idle = 30, interval = 10, tries = 3;
	struct sockaddr_in addr;

	port->fd = parse(port->addr, &addr) ? socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
	if (port->fd < 0) {
		later(port, now_ms);
		return;
	}
	/* A coordinator that lost its power says nothing: the kernel asks whether it is there. */
	(void)setsockopt(port->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(port->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(port->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(port->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(port->fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	if (connect(port->fd, (struct sockaddr *)&addr, sizeof(addr)) && errno != EINPROGRESS) {
		port_lost(port, now_ms);
		return;
	}
	port->connecting = true;
	port->due_ms = now_ms + PORT_CONNECT_MS;
	watch(port);
}

int port_open(struct port *port, gwa_host *host, const char *tcp, uint64_t now_ms)
{
	struct sockaddr_in addr;

	*port = (struct port){ .host = host, .fd = -1, .tcp = tcp[0], .due_ms = UINT64_MAX };
	if (port->tcp) {
		if (!parse(tcp, &addr) || !text_copy(port->addr, sizeof(port->addr), tcp))
			return -EINVAL;
		call_up(port, now_ms);
		return 0;
	}
	port->fd = gwa(host)->port(host, "radio");
	if (port->fd < 0)
		return -ENODEV;
	set_line(port->fd);
	if (fcntl(port->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	watch(port);
	return 0;
}

void port_close(struct port *port)
{
	let_go(port);
	free(port->out);
	port->out = NULL;
}

bool port_is_up(const struct port *port)
{
	return port->fd >= 0 && !port->connecting && !port->lost;
}

static size_t push(struct port *port, const uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len && !port->lost) {
		ssize_t n = write(port->fd, data + done, len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		else if (n == 0 || errno != EINTR)
			port->lost = true;
	}
	return done;
}

void port_write(struct port *port, const void *data, size_t len)
{
	size_t done = 0;

	if (!port_is_up(port))
		return;
	if (!port->n_out)
		done = push(port, data, len);
	if (done == len || port->lost)
		return;
	if (!port->out)
		port->out = malloc(PORT_OUT_MAX);
	if (!port->out || len - done > PORT_OUT_MAX - port->n_out) {
		port->lost = true;
		return;
	}
	memcpy(port->out + port->n_out, (const uint8_t *)data + done, len - done);
	port->n_out += len - done;
	watch(port);
}

int port_read(struct port *port, void *buf, size_t cap, size_t *ret_len)
{
	ssize_t n;

	*ret_len = 0;
	if (port->lost)
		return PORT_E_LOST;
	if (!port_is_up(port))
		return 0;
	n = read(port->fd, buf, cap);
	if (n > 0) {
		*ret_len = (size_t)n;
		return 0;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : PORT_E_LOST;
}

bool port_on_writable(struct port *port)
{
	socklen_t len = sizeof(int);
	size_t done;
	int error = 0;

	if (port->fd < 0)
		return false;
	if (port->connecting) {
		if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
			port->lost = true;
			return false;
		}
		port->connecting = false;
		port->due_ms = UINT64_MAX;
		watch(port);
		return true;
	}
	if (port->n_out) {
		done = push(port, port->out, port->n_out);
		memmove(port->out, port->out + done, port->n_out - done);
		port->n_out -= done;
	}
	watch(port);
	return false;
}

void port_lost(struct port *port, uint64_t now_ms)
{
	let_go(port);
	later(port, now_ms);
}

void port_is_good(struct port *port)
{
	port->fails = 0;
}

void port_tick(struct port *port, uint64_t now_ms)
{
	if (!port->tcp || port->due_ms > now_ms)
		return;
	port->due_ms = UINT64_MAX;
	if (port->connecting)
		port_lost(port, now_ms);
	else if (port->fd < 0)
		call_up(port, now_ms);
}
