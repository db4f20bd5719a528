#pragma once
/* waiting - messages that cannot be taken yet: whose device is not described so far, or that found no credit. In order.
 *
 *   above   wifi/wifi_inside
 *   below   base/base
 *   owns    copies of the messages
 *   limits  WAITING_MAX WAITING_BYTES_MAX
 *   errors  WAITING_E_FULL
 */
#include "base/base.h"

enum { WAITING_MAX = 2000, WAITING_BYTES_MAX = 8 * 1024 * 1024 };
enum { WAITING_E_FULL = 1 };

struct waiting_message {
	struct waiting_message *next;
	size_t len, skip; /* skip: reports of it that were taken already */
	const char *topic;
	const void *payload;
	bool acked; /* QoS above 0: the broker waits for our word */
	bool retained, again;
	char bytes[];
};
/* Zero-initialised is empty. */
struct waiting {
	struct waiting_message *first, **end;
	size_t n, bytes, n_acked;
};

/* A copy of what like's texts are; the rest of like is taken as it is. */
must_check int waiting_add(struct waiting *waiting, const struct waiting_message *like);
/* Removes *at, which may be the address of any next pointer. */
void waiting_remove(struct waiting *waiting, struct waiting_message **at);
void waiting_deinit(struct waiting *waiting);
