/* The search for a core, in virtual time: patience grows, but not without bound. */
#include "check.h"

#include "remote/session.h"
#include "sys/packet.h"
#include "tmpdir.h"

struct bench {
	struct tmpdir dir;
	struct loop *loop;
	struct session *session;
	struct packet_server *server;
	struct packet_conn *conn;
	unsigned accepted, lost, beats, packets;
};

static void on_message(void *ctx, const struct wire_msg *msg)
{
	(void)ctx;
	(void)msg;
}

static void on_nothing(void *ctx)
{
	(void)ctx;
}

static void on_lost(void *ctx, const char *why)
{
	struct bench *b = ctx;

	check_true(why[0] != '\0');
	b->lost++;
}

static const struct session_ops ops = { on_message, on_nothing, on_nothing, on_lost };

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct bench *b = ctx;

	b->packets++;
	b->beats += len && data[0] == WIRE_BEAT;
}

static void on_close(void *ctx, int r)
{
	(void)ctx, (void)r;
}

static const struct packet_ops core_ops = { on_packet, on_nothing, on_close };

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct bench *b = ctx;

	(void)peer;
	b->accepted++;
	b->conn = packet_close(b->conn);
	b->conn = conn;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	tmpdir_init(&b->dir);
	check_ok(loop_new_virtual(1000, 0, &b->loop));
	check_ok(session_new(b->loop, tmpdir_path(&b->dir, "s"), WIRE_ADAPTER, "t", &ops, b, &b->session));
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	session_close(b->session);
	packet_close(b->conn);
	packet_server_close(b->server);
	loop_free(b->loop);
	tmpdir_deinit(&b->dir);
	free(b);
	return 0;
}

static void turns(struct bench *b)
{
	for (int i = 0; i < 5; i++)
		check_ok(loop_turn(b->loop, 0));
}

static void patience_has_a_bound(void **state)
{
	struct bench *b = *state;

	loop_advance(b->loop, 600000);
	check_ok(packet_listen(b->loop, tmpdir_path(&b->dir, "s"), 0600, on_accept, b, &b->server));
	turns(b);
	check_uint(b->accepted, 0);
	loop_advance(b->loop, SESSION_RETRY_MS_MAX);
	turns(b);
	check_uint(b->accepted, 1);
}

static void a_core_that_says_nothing_is_left(void **state)
{
	struct bench *b = *state;

	check_ok(packet_listen(b->loop, tmpdir_path(&b->dir, "s"), 0600, on_accept, b, &b->server));
	loop_advance(b->loop, 1);
	turns(b);
	check_uint(b->accepted, 1);
	loop_advance(b->loop, WIRE_HANG_MS - 1);
	check_uint(b->lost, 0);
	loop_advance(b->loop, WIRE_BEAT_MS + 1);
	check_uint(b->lost, 1);
	loop_advance(b->loop, SESSION_RETRY_MS_MAX);
	turns(b);
	check_uint(b->accepted, 2);
}

static void nothing_can_be_said_before_it_is_ready(void **state)
{
	struct bench *b = *state;

	check_true(!session_put(b->session, "x", 1));
	check_int(session_opened(b->session, 0, 0, ""), -ENOTCONN);
	check_ok(packet_listen(b->loop, tmpdir_path(&b->dir, "s"), 0600, on_accept, b, &b->server));
	loop_advance(b->loop, 1);
	turns(b);
	check_true(!session_put(b->session, "x", 1));
	check_int(session_opened(b->session, 0, 0, ""), -ENOTCONN);
}

static void core_says(struct bench *b, const struct wire_msg *msg)
{
	uint8_t bytes[256];
	struct writer w = writer_over(bytes, sizeof(bytes));

	wire_put(&w, msg);
	check_true(!w.bad);
	check_ok(packet_send(b->conn, bytes, writer_len(&w)));
	turns(b);
}

/* The core's beat is answered at once, and then no beat of our own is due before its next one. */
static void a_beat_goes_out_with_the_cores(void **state)
{
	struct bench *b = *state;
	struct wire_msg welcome = { .type = WIRE_WELCOME, .welcome = { .major = WIRE_MAJOR, .beat_ms = WIRE_BEAT_MS } };

	check_ok(packet_listen(b->loop, tmpdir_path(&b->dir, "s"), 0600, on_accept, b, &b->server));
	loop_advance(b->loop, 1);
	turns(b);
	check_ok(packet_start(b->conn, &core_ops, b));
	turns(b);
	core_says(b, &welcome);
	loop_advance(b->loop, WIRE_BEAT_MS / 2);
	for (unsigned i = 1; i <= 10; i++) {
		core_says(b, &(struct wire_msg){ .type = WIRE_BEAT, .beat.count = i });
		check_uint(b->beats, i);
		core_says(b, &(struct wire_msg){ .type = WIRE_BEAT, .beat.count = i }); /* it answers us in turn: that is no question */
		check_uint(b->beats, i);
		loop_advance(b->loop, WIRE_BEAT_MS);
		turns(b);
		check_uint(b->beats, i);
	}
	/* It falls silent: ours go on. */
	loop_advance(b->loop, WIRE_BEAT_MS / 4);
	turns(b);
	check_uint(b->beats, 11);
	loop_advance(b->loop, WIRE_BEAT_MS);
	turns(b);
	check_uint(b->beats, 12);
	check_uint(b->lost, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(patience_has_a_bound),
		CASE(a_core_that_says_nothing_is_left),
		CASE(a_beat_goes_out_with_the_cores),
		CASE(nothing_can_be_said_before_it_is_ready),
	};

	return CHECK_RUN(rows);
}
