#pragma once
/* port - the bytes to a coordinator and back: a serial line that was given as a descriptor, or a TCP connection.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/text  sdk/gw_adapter
 *   owns    the socket, what waits to be written; a serial line's descriptor is the host's
 *   limits  PORT_OUT_MAX
 *   errors  PORT_E_LOST
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"

enum { PORT_OUT_MAX = 16384, PORT_CONNECT_MS = 10000, PORT_AGAIN_MS = 1000, PORT_AGAIN_LONGEST_MS = 60000 };
enum { PORT_E_LOST = 1 };

struct port {
	gwa_host *host;
	int fd;            /* -1: none */
	bool tcp, connecting;
	char addr[64];     /* tcp: a.b.c.d:port */
	unsigned fails;
	uint64_t due_ms;   /* to try again, or to give a connection up; UINT64_MAX: nothing is due */
	uint8_t *out;      /* what the line did not take yet */
	size_t n_out;
	bool lost;
};

/* tcp empty: the host's port "radio". -EINVAL: no such address; -ENODEV: no port was given. */
must_check int port_open(struct port *port, gwa_host *host, const char *tcp, uint64_t now_ms);
void port_close(struct port *port);
bool port_is_up(const struct port *port);
void port_write(struct port *port, const void *data, size_t len); /* a loss shows in the next port_read */
/* How many bytes, 0: none now. PORT_E_LOST: the line is gone. */
must_check int port_read(struct port *port, void *buf, size_t cap, size_t *ret_len);
/* After POLLOUT: what waits goes out, a connection is made. True: it has just come up. */
bool port_on_writable(struct port *port);
void port_lost(struct port *port, uint64_t now_ms); /* tcp: closed, and tried again later */
void port_is_good(struct port *port); /* somebody sensible answers: the next loss is a first one */
void port_tick(struct port *port, uint64_t now_ms);
