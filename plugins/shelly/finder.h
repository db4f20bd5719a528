#pragma once
/* finder - the socket for multicast DNS: asks who is there, hears who announces itself.
 *
 *   above   shelly/shelly_inside
 *   below   base/base  base/text  shelly/line  shelly/mdns
 *   owns    a UDP socket
 *
 * Answers count when they come from a home's address and name one.
 */
#include "base/base.h"
#include "shelly/line.h"
#include "shelly/mdns.h"

struct finder {
	int fd;		       /* -1: none */
	const char *interface; /* a name, borrowed; NULL: where the system would send */
	int index;	       /* the interface's; 0: not known yet, or none */
};

must_check int finder_open(struct finder *finder, const char *interface);
void finder_close(struct finder *finder);
/* Joins the group as well, where it is not a member: a network may come later than we do. Negative: nobody was asked. */
must_check int finder_ask(struct finder *finder);
/* One packet's worth. False: nothing more is there. *ret_n may be 0: somebody else's talk. */
bool finder_hear(const struct finder *finder, struct mdns_found ret[MDNS_FOUND_MAX], size_t *ret_n, bool *ret_bad);
