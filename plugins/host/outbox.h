#pragma once
/* outbox - numbered reports, encoded, kept until the core has stored them; sent as far as credit goes, and again.
 *
 *   above   host/host
 *   below   base/base
 *   owns    the encoded reports
 *   limits  OUTBOX_MAX OUTBOX_BYTES_MAX
 *   errors  OUTBOX_E_FULL
 */
#include "base/base.h"

enum { OUTBOX_MAX = 4096, OUTBOX_BYTES_MAX = 4 * 1024 * 1024 };
enum { OUTBOX_E_FULL = 1 };
/* Where an encoded report says that it is perhaps a duplicate: behind the message's head and its number (docs/spec/wire.md). */
enum { OUTBOX_AGAIN_AT = 4 + 8 };

struct outbox_item {
	uint8_t *bytes;
	size_t len;
};
/* (stored, sent] are on their way, (sent, last] wait. Zero-initialised is empty, with no credit. */
struct outbox {
	struct outbox_item items[OUTBOX_MAX];
	uint64_t stored, sent, last;
	uint32_t credit;
	size_t bytes;
};

uint64_t outbox_next(const struct outbox *box); /* the number that the next report gets; 0: full */
must_check int outbox_add(struct outbox *box, const void *bytes, size_t len);
/* The next to be sent, NULL: none, or no credit. outbox_sent when it is on its way. */
const struct outbox_item *outbox_peek(const struct outbox *box);
void outbox_sent(struct outbox *box);
/* False: a number that was never sent, or goes back. */
bool outbox_stored(struct outbox *box, uint64_t up_to, uint32_t credit);
/* A new connection: everything not stored is sent once more, and what was on its way is marked. */
void outbox_again(struct outbox *box, uint32_t credit);
void outbox_deinit(struct outbox *box);
