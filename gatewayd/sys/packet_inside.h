#pragma once
/* packet_inside - what packet.c and packet_server.c share; nobody else includes it.
 *
 *   above   sys/packet  sys/packet_server
 *   below   base/base  sys/packet
 *   owns    struct packet_rx: the buffer that packets are received into, one for all connections of a server
 */
#include "base/base.h"
#include "sys/packet.h"

struct packet_rx {
	unsigned refs;
	uint8_t data[PACKET_LEN_MAX];
};

struct packet_rx *packet_rx_new(void);
struct packet_rx *packet_rx_ref(struct packet_rx *rx);
struct packet_rx *packet_rx_unref(struct packet_rx *rx);

/* Takes fd, also when it fails. rx may be NULL: then the connection makes one of its own. */
must_check int packet_conn_new(struct loop *loop, int fd, struct packet_rx *rx, struct packet_conn **ret);
