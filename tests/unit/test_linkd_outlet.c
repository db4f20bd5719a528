/* The outlet, between a core and a broker that are not there: complaints and acknowledgements are gathered, nothing is taken
 * without a connection, and foreign bytes in a complaint do not end the session with the core.
 */
#include "check.h"

#include "base/bytes.h"
#include "linkd/outlet.h"
#include "remote/session.h"
#include "sys/packet.h"
#include "tmpdir.h"

struct bench {
	struct tmpdir dir;
	struct loop *loop;
	struct packet_server *server;
	struct packet_conn *core;
	struct session *session;
	struct outlet *outlet;
	struct wire_peer wire;
	struct wire_scratch scratch;
	unsigned n_acks, n_ack_messages, n_notes, n_lost;
	uint32_t note_count;
	char note_object[WIRE_TEXT_MAX + 1];
};

static void put(struct bench *b, const struct wire_msg *msg)
{
	uint8_t buf[1024];
	struct writer w = writer_over(buf, sizeof(buf));

	wire_put(&w, msg);
	assert_false(w.bad);
	check_ok(packet_put(b->core, buf, writer_len(&w)));
	wire_peer_step(&b->wire, msg);
}

static void take(struct bench *b, const struct wire_msg *msg)
{
	struct wire_msg welcome = { .type = WIRE_WELCOME };

	if (msg->type == WIRE_HELLO) {
		assert_int_equal(msg->hello.kind, WIRE_LINK);
		welcome.welcome.major = WIRE_MAJOR;
		welcome.welcome.beat_ms = WIRE_BEAT_MS;
		put(b, &welcome);
		put(b, &(struct wire_msg){ .type = WIRE_START });
	} else if (msg->type == WIRE_LINK_ACKED) {
		b->n_ack_messages++;
		b->n_acks += msg->link_acked.n;
	} else if (msg->type == WIRE_NOTE) {
		b->n_notes++;
		b->note_count += msg->note.count;
		snprintf(b->note_object, sizeof(b->note_object), "%.*s", (int)msg->note.object.len, (const char *)msg->note.object.data);
	}
}

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct bench *b = ctx;
	struct reader packet = reader_over(data, len);
	struct wire_msg msg;
	int r;

	while ((r = wire_next(&packet, &b->wire, &b->scratch, &msg)) == 1) {
		wire_peer_step(&b->wire, &msg);
		take(b, &msg);
	}
	check_int(r, 0);
}

static void on_close(void *ctx, int r)
{
	struct bench *b = ctx;

	(void)r;
	b->core = NULL;
}

static const struct packet_ops core_ops = { .on_packet = on_packet, .on_close = on_close };

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct bench *b = ctx;

	(void)peer;
	b->core = conn;
	b->wire = (struct wire_peer){ .kind = WIRE_LINK, .phase = WIRE_NEW, .is_core = true };
	check_ok(packet_start(conn, &core_ops, b));
}

static void on_message(void *ctx, const struct wire_msg *msg)
{
	struct bench *b = ctx;

	if (msg->type == WIRE_START)
		check_ok(session_opened(b->session, 0, 0, ""));
}

static void on_nothing(void *ctx)
{
	(void)ctx;
}

static void on_lost(void *ctx, const char *why)
{
	struct bench *b = ctx;

	(void)why;
	b->n_lost++;
}

static void on_refused(void *ctx, uint8_t code, const char *topic)
{
	(void)ctx;
	(void)code;
	(void)topic;
}

static const struct session_ops session_ops = { .on_message = on_message, .on_turn = on_nothing, .on_room = on_nothing, .on_lost = on_lost };
static const struct outlet_ops outlet_ops = { .on_room = on_nothing, .on_refused = on_refused };

static void turns(struct bench *b, int64_t ms)
{
	int64_t end = loop_now_ms(b->loop) + ms;

	do
		check_ok(loop_turn(b->loop, 10));
	while (loop_now_ms(b->loop) < end);
}

/* A busy machine takes its time: as long as it comes at all. */
static void await(struct bench *b, const unsigned *counter, unsigned n)
{
	for (int i = 0; i < 500 && *counter < n; i++)
		turns(b, 10);
}

static int open_bench(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	tmpdir_init(&b->dir);
	check_ok(loop_new(&b->loop));
	check_ok(packet_listen(b->loop, tmpdir_path(&b->dir, "s"), 0600, on_accept, b, &b->server));
	check_ok(session_new(b->loop, tmpdir_path(&b->dir, "s"), WIRE_LINK, "cloud", &session_ops, b, &b->session));
	check_ok(outlet_new(b->loop, &outlet_ops, b, &b->outlet));
	outlet_set_session(b->outlet, b->session);
	for (int i = 0; i < 200 && b->wire.phase != WIRE_READY; i++)
		turns(b, 5);
	check_int(b->wire.phase, WIRE_READY);
	*state = b;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *b = *state;

	outlet_free(b->outlet);
	session_close(b->session);
	if (b->core)
		packet_close(b->core);
	packet_server_close(b->server);
	loop_free(b->loop);
	tmpdir_deinit(&b->dir);
	free(b);
	return 0;
}

static void acknowledgements_of_a_turn_are_one_message(void **state)
{
	struct bench *b = *state;

	outlet_ack(b->outlet, 0);
	for (uint64_t n = 1; n <= 10; n++)
		outlet_ack(b->outlet, n);
	await(b, &b->n_ack_messages, 1);
	check_uint(b->n_acks, 10);
	check_uint(b->n_ack_messages, 1);
	for (uint64_t n = 1; n <= WIRE_ACKS_MAX + 1; n++)
		outlet_ack(b->outlet, n);
	await(b, &b->n_ack_messages, 3);
	check_uint(b->n_acks, 10 + WIRE_ACKS_MAX + 1);
	check_uint(b->n_ack_messages, 3);
}

static void complaints_are_counted(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 1000; i++)
		outlet_note(b->outlet, NOTE_MALFORMED, "topic", "why");
	await(b, &b->n_notes, 1);
	check_uint(b->n_notes, 1);
	check_uint(b->note_count, 1000);
	for (int i = 0; i < 1000; i++)
		outlet_note(b->outlet, NOTE_MALFORMED, "topic", "why");
	turns(b, 50);
	check_uint(b->n_notes, 1);
	await(b, &b->n_notes, 2);
	check_uint(b->n_notes, 2);
	check_uint(b->note_count, 2000);
}

static void foreign_bytes_do_not_end_the_session(void **state)
{
	struct bench *b = *state;
	char longest[1000];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	outlet_note(b->outlet, NOTE_BAD_TOPIC, "gatewayd/\xff\xfe", "\x80");
	turns(b, 50);
	check_uint(b->n_notes, 1);
	check_text(b->note_object, "(not UTF-8)");
	outlet_note(b->outlet, NOTE_BAD_VALUE, longest, longest);
	await(b, &b->n_notes, 2);
	check_uint(b->n_notes, 2);
	check_uint(b->n_lost, 0);
}

static void without_a_broker_nothing_is_taken(void **state)
{
	struct bench *b = *state;
	const struct parcel parcel = { .lane = LANE_EVENTS, .topic = "t", .payload = "x", .len = 1 };

	check_true(!outlet_is_up(b->outlet) && !outlet_has_room(b->outlet, LANE_EVENTS));
	check_true(!outlet_publish(b->outlet, &parcel));
	outlet_published(b->outlet, 1, 0);
	outlet_subscribe(b->outlet, "a/#");
	outlet_down(b->outlet);
	turns(b, 20);
	check_uint(b->n_acks + b->n_notes, 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup_teardown(acknowledgements_of_a_turn_are_one_message, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(complaints_are_counted, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(foreign_bytes_do_not_end_the_session, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(without_a_broker_nothing_is_taken, open_bench, close_bench),
	};
	return CHECK_RUN(rows);
}
