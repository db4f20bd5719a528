#pragma once
/* session - our end of the wire: connects, says who we are, keeps the beat, and connects again when the core is gone.
 *
 *   above   host/adapter  linkd/linkd  linkd/outlet
 *   below   base/base  base/bytes  base/text  model/wire  sys/log  sys/loop  sys/packet
 *   owns    struct session: its connection and timers
 *   limits  SESSION_RETRY_MS_MAX
 */
#include "base/base.h"
#include "model/wire.h"
#include "sys/loop.h"

enum { SESSION_RETRY_MS = 10, SESSION_RETRY_MS_MAX = 2000 };

struct session;
struct session_ops {
	/* WELCOME, OPTION, STATE, START, and whatever comes in READY; not BEAT. */
	void (*on_message)(void *ctx, const struct wire_msg *msg);
	void (*on_turn)(void *ctx); /* after the last message of a packet */
	void (*on_room)(void *ctx); /* there is room again */
	void (*on_lost)(void *ctx, const char *why);
};

must_check int session_new(struct loop *loop, const char *path, enum wire_kind kind, const char *name,
			   const struct session_ops *ops, void *ctx, struct session **ret);
/* Answers START: error 0 makes the session ready. */
must_check int session_opened(struct session *session, uint8_t flags, int error,
			      const char *reason);
/* One encoded message. False: no room, or not connected. */
bool session_put(struct session *session, const void *message, size_t len);
/* Ends the connection and begins another; may be called from anywhere, takes effect in the next
 * turn. */
void session_drop(struct session *session, const char *why);
struct session *session_close(struct session *session);
