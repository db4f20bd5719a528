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
	unsigned accepted, lost;
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(patience_has_a_bound),
		CASE(a_core_that_says_nothing_is_left),
		CASE(nothing_can_be_said_before_it_is_ready),
	};

	return CHECK_RUN(rows);
}
