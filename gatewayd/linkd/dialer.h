#pragma once
/* dialer - which endpoint next and when: in order, with growing patience, and back to the first in the end.
 *
 *   above   linkd/linkd
 *   below   base/base
 *   owns    nothing: pure
 *   limits  DIALER_WAIT_MS_MAX
 */
#include "base/base.h"

enum {
	DIALER_WAIT_MS = 1000,       /* after the first round that failed, and after a loss */
	DIALER_WAIT_MS_MAX = 60000,
	DIALER_JITTER_PERCENT = 20,
	DIALER_NEXT_MS = 100,        /* to the next endpoint within a round */
	DIALER_STABLE_MS = 10000,    /* a connection that lasted so long was a good one: patience starts anew */
	DIALER_FAILBACK_MS = 600000, /* connected elsewhere so long: the first one is tried again */
};

struct dialer {
	size_t n, at; /* endpoints; the one being tried or connected to */
	uint32_t wait_ms;
	int64_t up_since_ms; /* -1: not connected */
};

void dialer_init(struct dialer *dialer, size_t n);
void dialer_up(struct dialer *dialer, int64_t now_ms);
/* The attempt failed, or the connection ended: moves on and says how long to wait. random: any 32 bits. */
uint32_t dialer_down(struct dialer *dialer, int64_t now_ms, uint32_t random);
/* Connected to another than the first: when to leave it, from now; -1: never. */
int64_t dialer_failback_ms(const struct dialer *dialer, int64_t now_ms);
