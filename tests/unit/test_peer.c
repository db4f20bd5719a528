/* The first minute of a connection: who may come in, what it hears, and each way in which it ends. */
#include "far_end.h"

#include <unistd.h>
#include "adapter/peer.h"
#include "base/base.h"

struct world {
	struct loop *loop;
	struct far_end far;
	struct peer *peer;
	unsigned n_hello, n_opened, n_messages, n_gone;
	enum peer_end end;
	char why[160];
	bool closes; /* the peer from within its callback */
	struct peer_option options[WIRE_OPTIONS_MAX];
};

static void on_hello(void *ctx, struct peer *peer)
{
	struct world *w = ctx;
	check_true(!peer_is_ready(peer));
	w->n_hello++;
}

static void on_opened(void *ctx, struct peer *peer, uint8_t flags)
{
	struct world *w = ctx;
	check_true(peer_is_ready(peer));
	check_uint(flags, 1);
	w->n_opened++;
}

static void on_message(void *ctx, struct peer *peer, const struct wire_msg *msg)
{
	struct world *w = ctx;
	check_int(msg->type, WIRE_SYNCED);
	w->n_messages++;
	if (w->closes)
		w->peer = peer_close(peer);
}

static void on_gone(void *ctx, struct peer *peer, enum peer_end end, const char *why)
{
	struct world *w = ctx;
	check_true(peer == w->peer);
	check_int(peer_send(peer, &(struct wire_msg){ .type = WIRE_START }), -EPIPE);
	w->peer = NULL;
	w->n_gone++;
	w->end = end;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static const struct peer_ops ops = { .on_hello = on_hello, .on_opened = on_opened, .on_message = on_message, .on_gone = on_gone };

static void world_open(struct world *w)
{
	struct packet_conn *core;
	memset(w, 0, sizeof(*w));
	check_ok(loop_new_virtual(1000, 0, &w->loop));
	far_open(&w->far, w->loop, WIRE_ADAPTER, &core);
	for (size_t i = 0; i < WIRE_OPTIONS_MAX; i++)
		w->options[i] = (struct peer_option){ "key", "value" };
	const struct peer_options options = { .kind = WIRE_ADAPTER, .name = "sim", .options = w->options, .n_options = WIRE_OPTIONS_MAX,
					      .epoch = 3, .credit = 10 };
	check_ok(peer_new(w->loop, core, &options, &ops, w, &w->peer));
	check_text(peer_name(w->peer), "sim");
	check_int(peer_who(w->peer).uid, getuid());
}

static void world_close(struct world *w)
{
	peer_close(w->peer);
	far_close(&w->far);
	far_turns(w->loop);
	loop_free(w->loop);
}

static void world_ready(struct world *w)
{
	world_open(w);
	far_hello(&w->far, "sim", WIRE_MAJOR);
	far_turns(w->loop);
	far_opened(&w->far, 1);
	far_turns(w->loop);
	check_true(peer_is_ready(w->peer));
}

static void it_hears_who_it_is_and_all_its_options(void **state)
{
	struct world w;
	(void)state;
	world_ready(&w);
	check_uint(w.far.heard[WIRE_WELCOME], 1);
	check_uint(w.far.heard[WIRE_OPTION], WIRE_OPTIONS_MAX);
	check_uint(w.far.heard[WIRE_START], 1);
	check_uint(w.n_hello, 1);
	check_uint(w.n_opened, 1);
	far_say(&w.far, &(struct wire_msg){ .type = WIRE_SYNCED });
	far_turns(w.loop);
	check_uint(w.n_messages, 1);
	world_close(&w);
	check_uint(w.n_gone, 0); /* closing is not going */
}

static void a_wrong_first_word_ends_it(void **state)
{
	const struct {
		const char *name;
		enum wire_kind kind;
		uint16_t major;
		enum peer_end end;
	} rows[] = {
		{ "sim", WIRE_ADAPTER, WIRE_MAJOR + 1, PEER_REFUSED },
		{ "other", WIRE_ADAPTER, WIRE_MAJOR, PEER_VIOLATION },
		{ "si", WIRE_ADAPTER, WIRE_MAJOR, PEER_VIOLATION },
		{ "sim", WIRE_LINK, WIRE_MAJOR, PEER_VIOLATION },
	};
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct world w;
		world_open(&w);
		w.far.wire.kind = rows[i].kind;
		far_hello(&w.far, rows[i].name, rows[i].major);
		far_turns(w.loop);
		check_uint(w.n_gone, 1);
		check_int(w.end, rows[i].end);
		check_uint(w.n_hello, 0);
		check_true(w.far.closed);
		world_close(&w);
	}
}

static void broken_rules_end_it(void **state)
{
	static const uint8_t garbage[] = { 0xee, 0, 0, 0 }, cut[] = { WIRE_BEAT, 0, 9 };
	struct world w;
	(void)state;
	world_ready(&w);
	far_hello(&w.far, "sim", WIRE_MAJOR); /* twice */
	far_turns(w.loop);
	check_int(w.end, PEER_VIOLATION);
	check_text(w.why, "sent a message out of its phase");
	world_close(&w);
	world_ready(&w);
	check_ok(packet_send(w.far.conn, garbage, sizeof(garbage)));
	far_turns(w.loop);
	check_int(w.end, PEER_VIOLATION);
	check_text(w.why, "sent a message of unknown type");
	world_close(&w);
	world_ready(&w);
	check_ok(packet_send(w.far.conn, cut, sizeof(cut)));
	far_turns(w.loop);
	check_int(w.end, PEER_VIOLATION);
	check_text(w.why, "sent a malformed message");
	world_close(&w);
}

static void what_cannot_open_says_why(void **state)
{
	struct world w;
	struct wire_msg failed = { .type = WIRE_OPENED, .opened.error = 5, .opened.reason = { (const uint8_t *)"no stick", 8 } };
	(void)state;
	world_open(&w);
	far_hello(&w.far, "sim", WIRE_MAJOR);
	far_turns(w.loop);
	far_say(&w.far, &failed);
	far_turns(w.loop);
	check_int(w.end, PEER_REFUSED);
	check_text(w.why, "no stick");
	check_uint(w.n_opened, 0);
	world_close(&w);
}

static void silence_ends_it_and_beats_do_not_let_it(void **state)
{
	struct world w;
	(void)state;
	world_ready(&w);
	for (int i = 0; i < 20; i++) {
		far_say(&w.far, &(struct wire_msg){ .type = WIRE_BEAT });
		far_turns(w.loop);
		loop_advance(w.loop, WIRE_BEAT_MS);
		far_turns(w.loop);
	}
	check_uint(w.n_gone, 0);
	check_true(w.far.heard[WIRE_BEAT] >= 19);
	far_say(&w.far, &(struct wire_msg){ .type = WIRE_BEAT });
	far_turns(w.loop);
	for (int i = 0; i < WIRE_HANG_MS / WIRE_BEAT_MS; i++) {
		check_uint(w.n_gone, 0);
		loop_advance(w.loop, WIRE_BEAT_MS);
		far_turns(w.loop);
	}
	check_uint(w.n_gone, 1);
	check_int(w.end, PEER_HANGING);
	world_close(&w);
}

static void it_may_be_closed_from_its_own_message(void **state)
{
	struct world w;
	(void)state;
	world_ready(&w);
	w.closes = true;
	far_say(&w.far, &(struct wire_msg){ .type = WIRE_SYNCED });
	far_say(&w.far, &(struct wire_msg){ .type = WIRE_SYNCED }); /* in the same packet: nobody hears it */
	far_turns(w.loop);
	check_uint(w.n_messages, 1);
	check_uint(w.n_gone, 0);
	check_true(w.far.closed);
	world_close(&w);
}

static void a_closed_socket_is_noticed_at_once(void **state)
{
	struct world w;
	(void)state;
	world_ready(&w);
	far_close(&w.far);
	far_turns(w.loop);
	check_uint(w.n_gone, 1);
	check_int(w.end, PEER_CLOSED);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(it_hears_who_it_is_and_all_its_options),
		cmocka_unit_test(a_wrong_first_word_ends_it),
		cmocka_unit_test(broken_rules_end_it),
		cmocka_unit_test(what_cannot_open_says_why),
		cmocka_unit_test(silence_ends_it_and_beats_do_not_let_it),
		cmocka_unit_test(it_may_be_closed_from_its_own_message),
		cmocka_unit_test(a_closed_socket_is_noticed_at_once),
	};
	return CHECK_RUN(rows);
}
