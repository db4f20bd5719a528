/* The core may start after us, and may start anew at any time. So a connection is an episode: it is
 * looked for with growing patience, greeted, kept awake by a beat each second, and when it ends for
 * whatever reason the next is looked for. What has to be said again then is the owner's business.
 */
#include "remote/session.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/text.h"
#include "sys/log.h"
#include "sys/packet.h"

struct session {
	struct loop *loop;
	const struct session_ops *ops;
	void *ctx;
	char path[108];
	char name[ADAPTER_NAME_MAX + 1];
	struct packet_conn *conn;
	struct timer *retry, *beat, *dropper;
	uint32_t retry_ms;
	struct wire_peer wire;
	struct wire_scratch scratch;
	struct wire_msg msg;
	int64_t heard_ms;
	uint64_t n_beats;
	int64_t beat_at_ms; /* the last one's time */
	uint16_t beat_ms;
	const char *drop_why;
	bool told; /* that the core cannot be reached */
};

static void lose(struct session *session, const char *why)
{
	if (session->conn)
		session->conn = packet_close(session->conn);
	timer_stop(session->beat);
	timer_stop(session->dropper);
	session->drop_why = NULL;
	session->wire.phase = WIRE_NEW;
	session->ops->on_lost(session->ctx, why);
	timer_start(session->retry, session->retry_ms);
}

static void on_dropper(void *ctx)
{
	struct session *session = ctx;

	if (session->drop_why)
		lose(session, session->drop_why);
}

void session_drop(struct session *session, const char *why)
{
	if (!session->conn || session->drop_why)
		return;
	session->drop_why = why;
	timer_start(session->dropper, 0);
}

static int say(struct session *session, const struct wire_msg *msg)
{
	size_t cap = wire_len_max(msg);
	uint8_t *room = packet_room(session->conn, cap);
	struct writer w = writer_over(room, cap);

	if (!room)
		return -EAGAIN;
	wire_put(&w, msg);
	if (w.bad)
		return -EMSGSIZE;
	packet_commit(session->conn, writer_len(&w));
	wire_peer_step(&session->wire, msg);
	return 0;
}

bool session_put(struct session *session, const void *message, size_t len)
{
	if (!session->conn || session->drop_why || session->wire.phase != WIRE_READY)
		return false;
	return packet_put(session->conn, message, len) == 0;
}

/* next_ms: when at the latest the next one is due. */
static void beat(struct session *session, int64_t next_ms)
{
	struct wire_msg msg = { .type = WIRE_BEAT, .beat.count = ++session->n_beats };

	timer_start(session->beat, next_ms);
	session->beat_at_ms = loop_now_ms(session->loop);
	/* No room: the core does not read, and will be silent soon enough. */
	if (session->wire.phase != WIRE_NEW)
		(void)say(session, &msg);
}

static void on_beat(void *ctx)
{
	struct session *session = ctx;

	if (loop_now_ms(session->loop) - session->heard_ms > WIRE_HANG_MS) {
		lose(session, "the core is silent");
		return;
	}
	beat(session, session->beat_ms);
}

static void take(struct session *session)
{
	wire_peer_step(&session->wire, &session->msg);
	/* Its beat wakes us up, so ours goes out with it: an idle process wakes up once a second, not twice. Not to one that is itself an
	 * answer: two ends that both answer would never end. */
	if (session->msg.type == WIRE_BEAT) {
		if (loop_now_ms(session->loop) - session->beat_at_ms >= session->beat_ms / 2)
			beat(session, session->beat_ms + session->beat_ms / 4);
		return;
	}
	if (session->msg.type == WIRE_WELCOME) {
		session->retry_ms = SESSION_RETRY_MS;
		session->told = false;
		if (session->msg.welcome.major != WIRE_MAJOR) {
			session_drop(session, "the core speaks another version of the wire");
			return;
		}
		if (session->msg.welcome.beat_ms)
			session->beat_ms = session->msg.welcome.beat_ms;
	}
	session->ops->on_message(session->ctx, &session->msg);
}

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct session *session = ctx;
	struct reader packet = reader_over(data, len);
	int r = 1;

	session->heard_ms = loop_now_ms(session->loop);
	while (!session->drop_why &&
	       (r = wire_next(&packet, &session->wire, &session->scratch, &session->msg)) == 1)
		take(session);
	if (r > 1)
		session_drop(session, "the core broke the rules of the wire");
	session->ops->on_turn(session->ctx);
}

static void on_drain(void *ctx)
{
	struct session *session = ctx;

	session->ops->on_room(session->ctx);
}

static void on_close(void *ctx, int r)
{
	struct session *session = ctx;

	(void)r;
	session->conn = NULL;
	lose(session, "the core closed the connection");
}

static const struct packet_ops packet_ops = { .on_packet = on_packet,
					      .on_drain = on_drain,
					      .on_close = on_close };

static int greet(struct session *session)
{
	struct wire_msg msg = { .type = WIRE_HELLO };

	msg.hello.major = WIRE_MAJOR;
	msg.hello.minor = WIRE_MINOR;
	msg.hello.kind = (uint8_t)session->wire.kind;
	msg.hello.name = view_text(session->name);
	msg.hello.version = view_text(GW_VERSION);
	return say(session, &msg);
}

static void on_retry(void *ctx)
{
	struct session *session = ctx;
	int r = packet_connect(session->loop, session->path, &session->conn);

	if (r == 0)
		r = packet_start(session->conn, &packet_ops, session);
	if (r == 0)
		r = greet(session);
	if (r == 0) {
		session->heard_ms = loop_now_ms(session->loop);
		timer_start(session->beat, session->beat_ms);
	} else {
		if (session->conn)
			session->conn = packet_close(session->conn);
		if (!session->told)
			log_notice("the core cannot be reached yet",
				   log_text("socket", session->path), log_err(r));
		session->told = true;
		timer_start(session->retry, session->retry_ms);
	}
	if (session->retry_ms < SESSION_RETRY_MS_MAX)
		session->retry_ms = 2 * session->retry_ms;
	if (session->retry_ms > SESSION_RETRY_MS_MAX)
		session->retry_ms = SESSION_RETRY_MS_MAX;
}

int session_new(struct loop *loop, const char *path, enum wire_kind kind, const char *name,
		const struct session_ops *ops, void *ctx, struct session **ret)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->loop = loop;
	session->ops = ops;
	session->ctx = ctx;
	session->retry_ms = SESSION_RETRY_MS;
	session->beat_ms = WIRE_BEAT_MS;
	session->wire.kind = kind;
	r = timer_new(loop, on_retry, session, &session->retry);
	if (!r)
		r = timer_new(loop, on_beat, session, &session->beat);
	if (!r)
		r = timer_new(loop, on_dropper, session, &session->dropper);
	if (!r && (!text_copy(session->path, sizeof(session->path), path) ||
		   !text_copy(session->name, sizeof(session->name), name)))
		r = -ENAMETOOLONG;
	if (r) {
		session_close(session);
		return r;
	}
	timer_start(session->retry, 0);
	*ret = session;
	return 0;
}

int session_opened(struct session *session, uint8_t flags, int error, const char *reason)
{
	struct wire_msg msg = { .type = WIRE_OPENED };
	char text[WIRE_TEXT_MAX + 1];

	if (!session->conn || session->wire.phase != WIRE_OPENING)
		return -ENOTCONN;
	text_copy(text, sizeof(text), reason);
	msg.opened.flags = flags;
	msg.opened.error = error;
	msg.opened.reason = view_text(text);
	return say(session, &msg);
}

struct session *session_close(struct session *session)
{
	if (!session)
		return NULL;
	session->conn = packet_close(session->conn);
	session->retry = timer_close(session->retry);
	session->beat = timer_close(session->beat);
	session->dropper = timer_close(session->dropper);
	free(session);
	return NULL;
}
