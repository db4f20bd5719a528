#pragma once
/* mdns - the part of multicast DNS (RFC 6762, 6763) that finds Shellys: a question, and what answers and announcements say.
 *
 *   above   shelly/finder
 *   below   base/base  base/bytes  base/text
 *   owns    nothing
 *   limits  MDNS_BYTES_MAX MDNS_RECORDS_MAX MDNS_NAME_MAX MDNS_JUMPS_MAX MDNS_FOUND_MAX MDNS_HOSTS_MAX MDNS_QUESTIONS_MAX
 *   errors  MDNS_E_MALFORMED MDNS_E_OTHER
 *
 * Names may point back into the packet; each pointer must lead to an earlier place than the one before, so they end.
 */
#include "base/base.h"

enum {
	MDNS_BYTES_MAX = 9000,	 /* RFC 6762, 17 */
	MDNS_RECORDS_MAX = 64,	 /* of one packet; what comes after them is not looked at */
	MDNS_QUESTIONS_MAX = 32, /* the same */
	MDNS_NAME_MAX = 255,
	MDNS_JUMPS_MAX = 16,
	MDNS_FOUND_MAX = 8,
	MDNS_HOSTS_MAX = 16,
	MDNS_LABEL_MAX = 63,
	MDNS_PORT = 5353,
};
enum {
	MDNS_E_MALFORMED = 1,
	MDNS_E_OTHER = 2, /* a question, or an error: not for us */
};

struct mdns_found {
	char name[MDNS_LABEL_MAX + 1]; /* the instance: shellyplus1pm-a8032abe54dc */
	uint8_t address[4];
	uint16_t port;
};

/* PTR of _shelly._tcp.local and _http._tcp.local. The packet's length; 0: no room. */
size_t mdns_ask(void *ret, size_t cap);
/* All Shellys of a second generation or later that the packet gives an address for; goodbyes are passed over. */
must_check int mdns_read(const void *data, size_t len, struct mdns_found ret[MDNS_FOUND_MAX], size_t *ret_n);
