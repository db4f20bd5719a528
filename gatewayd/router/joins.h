#pragma once
/* joins - the devices that join just now, as their adapters tell it: who, how far, since when, and why not.
 *
 *   above   router/claims
 *   below   base/base  base/text  model/device  model/wire  sys/crypto  sys/loop
 *   owns    the rows; digits of a passkey are wiped when they are over
 *   limits  JOINS_PER_ADAPTER_MAX JOINS_KEEP_MS JOINS_LATE_MS
 *
 * Nothing is decided by what stands here: it is shown to who opened the window and to owners, and forgotten. What was
 * heard while no window was open is nobody's, so only owners see it. Who was heard while one was open and takes his time (an
 * interview of a sleepy device) is that user's for JOINS_LATE_MS more.
 */
#include "base/base.h"
#include "model/device.h"
#include "model/wire.h"
#include "sys/loop.h"

enum { JOINS_PER_ADAPTER_MAX = 16, JOINS_ADAPTERS = 16, JOINS_KEEP_MS = 600000, JOINS_LATE_MS = 180000 };

struct join {
	char adapter[ADAPTER_NAME_MAX + 1];
	struct address addr;
	enum join_stage stage;
	char text[WIRE_TEXT_MAX + 1]; /* plain words; of JOIN_PASSKEY digits, for `user` and nobody else; "" */
	uint32_t user;		      /* whose window was open; 0 nobody's */
	int64_t since_ms, changed_ms;
	int64_t window_ms; /* until when it was open: a passkey is over then, and JOINS_KEEP_MS later all is */
};

struct joins;
must_check int joins_new(struct loop *loop, struct joins **ret);
struct joins *joins_close(struct joins *joins);
/* window_ms: loop time at which user's window closes; 0 with user 0: none is open. The one that was silent longest gives way. */
void joins_heard(struct joins *joins, const char *adapter, const struct address *addr, enum join_stage stage, const char *text,
		 uint32_t user, int64_t window_ms);
/* What was heard since from_ms while the window was being opened, is the user's too. */
void joins_adopt(struct joins *joins, const char *adapter, int64_t from_ms, uint32_t user, int64_t window_ms);
void joins_window_closed(struct joins *joins, const char *adapter); /* before its time */
/* In whose window it was heard, when that is open or was just now; 0 nobody's. */
uint32_t joins_user(const struct joins *joins, const char *adapter, const struct address *addr);
bool joins_has(const struct joins *joins, const char *adapter, const struct address *addr);
/* In the order in which they were first heard of; NULL past the end. */
const struct join *joins_at(const struct joins *joins, const char *adapter, size_t i);
const char *join_stage_name(enum join_stage stage);
