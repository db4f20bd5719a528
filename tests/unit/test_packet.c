/* Packets: borders, batches and order; what a slow, a dead and an oversized peer cost; closing
 * inside callbacks. */
#include "check.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/base.h"
#include "sys/packet.h"
#include "tmpdir.h"

enum { CONNS_MAX = 64 };

/* One end, and what it heard. */
struct end {
	struct packet_conn *conn;
	int packets, drains, closes, r;
	size_t last_len, bytes;
	uint8_t last[16];
	bool close_in_packet, pause_in_packet, close_in_drain;
};

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct end *end = ctx;

	end->packets++;
	end->bytes += len;
	end->last_len = len;
	memcpy(end->last, data, len < sizeof(end->last) ? len : sizeof(end->last));
	if (end->pause_in_packet)
		packet_pause(end->conn, true);
	if (end->close_in_packet)
		end->conn = packet_close(end->conn);
}

static void on_drain(void *ctx)
{
	struct end *end = ctx;

	end->drains++;
	if (end->close_in_drain)
		end->conn = packet_close(end->conn);
}

static void on_close(void *ctx, int r)
{
	struct end *end = ctx;

	end->closes++;
	end->r = r;
	end->conn = NULL;
}

static const struct packet_ops end_ops = { .on_packet = on_packet,
					   .on_drain = on_drain,
					   .on_close = on_close };

static void turns(struct loop *loop, int n)
{
	for (int i = 0; i < n; i++)
		check_ok(loop_turn(loop, 0));
}

static struct loop *new_loop(void)
{
	struct loop *loop;

	check_ok(loop_new_virtual(0, 0, &loop));
	return loop;
}

static void new_pair(struct loop *loop, struct end *a, struct end *b)
{
	*a = (struct end){ .r = 77 };
	*b = (struct end){ .r = 77 };
	check_ok(packet_pair(loop, &a->conn, &b->conn));
	check_ok(packet_start(a->conn, &end_ops, a));
	check_ok(packet_start(b->conn, &end_ops, b));
}

static void end_pair(struct loop *loop, struct end *a, struct end *b)
{
	packet_close(a->conn);
	packet_close(b->conn);
	loop_free(loop);
}

static void messages_of_a_turn_are_one_packet(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;
	uint8_t *room;

	(void)state;
	new_pair(loop, &a, &b);
	check_ok(packet_put(a.conn, "abc", 3));
	check_ok(packet_put(a.conn, "de", 2));
	room = packet_room(a.conn, 100);
	assert_non_null(room);
	memcpy(room, "fg", 2);
	packet_commit(a.conn, 2);
	check_true(packet_queued_bytes(a.conn) >= 7);
	check_int(b.packets, 0);
	turns(loop, 2);
	check_int(b.packets, 1);
	check_bytes(b.last, b.last_len, "abcdefg", 7);
	check_uint(packet_queued_bytes(a.conn), 0);
	check_ok(packet_put(a.conn, "h", 1));
	packet_flush(a.conn);
	check_ok(packet_put(a.conn, "i", 1));
	check_ok(packet_send(a.conn, "j", 1)); /* by itself, and after what was put before it */
	turns(loop, 2);
	check_int(b.packets, 4);
	check_bytes(b.last, b.last_len, "j", 1);
	end_pair(loop, &a, &b);
}

static void a_full_batch_goes_early(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;
	uint8_t message[1000] = { 0 };

	(void)state;
	new_pair(loop, &a, &b);
	for (int i = 0; i < 131; i++)
		check_ok(packet_put(a.conn, message, sizeof(message)));
	turns(loop, 3);
	check_uint(b.bytes, 131000);
	check_int(b.packets, 3); /* 65, 65 and 1: a message is never torn */
	check_uint(b.last_len, 1000);
	end_pair(loop, &a, &b);
}

static void lengths_have_edges(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;
	uint8_t *big = calloc(1, PACKET_LEN_MAX + 1);

	(void)state;
	assert_non_null(big);
	new_pair(loop, &a, &b);
	check_int(packet_send(a.conn, big, 0), -EMSGSIZE);
	check_int(packet_send(a.conn, big, PACKET_LEN_MAX + 1), -EMSGSIZE);
	check_int(packet_put(a.conn, big, PACKET_LEN_MAX + 1), -EMSGSIZE);
	check_true(packet_room(a.conn, PACKET_LEN_MAX + 1) == NULL);
	check_ok(packet_send(a.conn, big, PACKET_LEN_MAX));
	check_ok(packet_put(a.conn, big, PACKET_LEN_MAX));
	turns(loop, 3);
	check_int(b.packets, 2);
	check_uint(b.last_len, PACKET_LEN_MAX);
	free(big);
	end_pair(loop, &a, &b);
}

static void a_slow_reader_fills_its_queue_only(void **state)
{
	struct loop *loop = new_loop();
	uint8_t *packet = calloc(1, PACKET_LEN_MAX);
	struct end a, b;
	int taken = 0, r;
	size_t full;

	(void)state;
	assert_non_null(packet);
	new_pair(loop, &a, &b);
	packet_pause(b.conn, true);
	while ((r = packet_send(a.conn, packet, PACKET_LEN_MAX)) == 0 && taken < 1000) {
		memcpy(packet, &taken, sizeof(taken));
		taken++;
		turns(loop, 1);
	}
	check_int(r, PACKET_E_FULL);
	check_true(taken > 60 && taken < 90); /* 4 MiB, and what the kernel holds */
	full = packet_queued_bytes(a.conn);
	check_true(full <= PACKET_QUEUE_MAX && full > PACKET_QUEUE_MAX - 2 * PACKET_LEN_MAX);
	check_int(packet_put(a.conn, packet, PACKET_LEN_MAX), PACKET_E_FULL);
	check_true(packet_room(a.conn, PACKET_LEN_MAX) == NULL);
	check_uint(packet_queued_bytes(a.conn), full);
	check_int(a.drains, 0);
	packet_pause(b.conn, false);
	turns(loop, 100);
	check_int(b.packets, taken);
	check_int(a.drains, 1);
	check_uint(packet_queued_bytes(a.conn), 0);
	check_ok(packet_send(a.conn, packet, 1));
	free(packet);
	end_pair(loop, &a, &b);
}

static void tiny_packets_are_charged_for_their_room(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;
	int taken = 0;

	(void)state;
	new_pair(loop, &a, &b);
	packet_pause(b.conn, true);
	while (packet_send(a.conn, "x", 1) == 0 && taken < PACKET_QUEUE_MAX)
		taken++;
	/* a packet waiting is four words and what it says */
	check_true(taken > 1000 && taken < PACKET_QUEUE_MAX / (4 * (int)sizeof(void *)) + 5000);
	a.close_in_drain = true;
	packet_pause(b.conn, false);
	for (int i = 0; i < 20000 && !b.closes; i++)
		turns(loop, 1);
	check_int(a.drains, 1);
	check_true(a.conn == NULL);
	check_int(b.packets, taken); /* what was sent before the close has arrived */
	check_int(b.closes, 1);
	check_int(b.r, 0);
	end_pair(loop, &a, &b);
}

static void one_wake_up_reads_many_but_not_all(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;

	(void)state;
	new_pair(loop, &a, &b);
	for (int i = 0; i < 2 * PACKET_READS_MAX; i++)
		check_ok(packet_send(a.conn, "x", 1));
	turns(loop, 1);
	check_int(b.packets, PACKET_READS_MAX);
	turns(loop, 1);
	check_int(b.packets, 2 * PACKET_READS_MAX);
	end_pair(loop, &a, &b);
}

static void pausing_stops_within_a_wake_up(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;

	(void)state;
	new_pair(loop, &a, &b);
	b.pause_in_packet = true;
	check_ok(packet_send(a.conn, "1", 1));
	check_ok(packet_send(a.conn, "2", 1));
	turns(loop, 3);
	check_int(b.packets, 1);
	packet_pause(b.conn, false);
	turns(loop, 3);
	check_int(b.packets, 2);
	end_pair(loop, &a, &b);
}

static void closing_inside_on_packet(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;

	(void)state;
	new_pair(loop, &a, &b);
	b.close_in_packet = true;
	check_ok(packet_send(a.conn, "1", 1));
	check_ok(packet_send(a.conn, "2", 1));
	turns(loop, 3);
	check_int(b.packets, 1);
	check_int(b.closes, 0); /* who closes is not told that it is closed */
	check_int(a.closes, 1);
	check_true(packet_close(NULL) == NULL);
	end_pair(loop, &a, &b);
}

static void the_last_words_of_a_peer_are_heard(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;
	int sent = 0;

	(void)state;
	new_pair(loop, &a, &b);
	/* a never reads what b sent, so its end is a reset for b; and a's own packets lie before
	 * that. */
	packet_pause(a.conn, true);
	check_ok(packet_send(b.conn, "unread", 6));
	for (; sent < 50; sent++)
		check_ok(packet_send(a.conn, "x", 1));
	check_ok(packet_put(a.conn, "batch", 5));
	a.conn = packet_close(a.conn);
	check_int(packet_send(b.conn, "y", 1), -EPIPE);
	check_int(packet_put(b.conn, "y", 1), -EPIPE);
	check_int(b.closes, 0); /* not from inside of a send */
	turns(loop, 10);
	check_int(b.packets, sent + 1);
	check_bytes(b.last, b.last_len, "batch", 5);
	check_int(b.closes, 1);
	check_int(b.r, 0);
	end_pair(loop, &a, &b);
}

static void a_reset_does_not_swallow_what_lies_behind_it(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;

	(void)state;
	new_pair(loop, &a, &b);
	packet_pause(a.conn, true);
	check_ok(packet_send(b.conn, "unread", 6));
	check_ok(packet_send(a.conn, "last", 4));
	a.conn = packet_close(a.conn);
	turns(loop, 5); /* the first that b hears is the reset */
	check_int(b.packets, 1);
	check_bytes(b.last, b.last_len, "last", 4);
	check_int(b.closes, 1);
	check_int(b.r, 0);
	end_pair(loop, &a, &b);
}

static void a_paused_end_of_a_dead_peer_does_not_spin(void **state)
{
	struct loop *loop = new_loop();
	struct end a, b;

	(void)state;
	new_pair(loop, &a, &b);
	check_ok(packet_send(a.conn, "x", 1));
	packet_pause(b.conn, true);
	packet_pause(a.conn, true);
	for (int i = 0; i < 30; i++) /* so that b waits to write */
		check_ok(packet_send(b.conn, (uint8_t[60000]){ 0 }, 60000));
	a.conn = packet_close(a.conn);
	turns(loop, 3);
	check_int(packet_send(b.conn, "y", 1), -EPIPE);
	check_uint(packet_queued_bytes(b.conn), 0);
	check_ok(loop_turn(loop, 20));
	check_int(b.closes, 0);
	packet_pause(b.conn, false);
	turns(loop, 5);
	check_int(b.packets, 1);
	check_int(b.closes, 1);
	end_pair(loop, &a, &b);
}

static void an_oversized_packet_ends_its_sender(void **state)
{
	struct loop *loop = new_loop();
	uint8_t *big = calloc(1, PACKET_LEN_MAX + 1);
	struct end b = { 0 };
	int fds[2];

	(void)state;
	assert_non_null(big);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	check_ok(packet_adopt(loop, fds[1], &b.conn));
	check_ok(packet_start(b.conn, &end_ops, &b));
	check_int(send(fds[0], big, PACKET_LEN_MAX, 0), PACKET_LEN_MAX);
	check_int(send(fds[0], big, PACKET_LEN_MAX + 1, 0), PACKET_LEN_MAX + 1);
	turns(loop, 3);
	check_int(b.packets, 1);
	check_int(b.closes, 1);
	check_int(b.r, -EMSGSIZE);
	check_int(recv(fds[0], big, 1, MSG_DONTWAIT), 0);
	close(fds[0]);
	free(big);
	loop_free(loop);
}

static void only_seqpacket_is_adopted(void **state)
{
	struct loop *loop = new_loop();
	struct packet_conn *conn = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	check_int(packet_adopt(loop, fds[0], &conn), -EPROTOTYPE);
	check_int(fcntl(fds[0], F_GETFD), -1); /* taken all the same */
	check_int(packet_adopt(loop, -1, &conn), -EBADF);
	check_true(conn == NULL);
	close(fds[1]);
	loop_free(loop);
}

/* A server that keeps whom it accepted. */
struct house {
	struct packet_server *server;
	struct packet_conn *conns[CONNS_MAX];
	struct packet_peer peer;
	int n;
	bool close_in_accept, refuse;
};

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct house *house = ctx;

	house->peer = peer;
	if (house->refuse)
		packet_close(conn);
	else
		house->conns[house->n++] = conn;
	if (house->close_in_accept)
		house->server = packet_server_close(house->server);
}

static void house_end(struct house *house)
{
	for (int i = 0; i < house->n; i++)
		packet_close(house->conns[i]);
	packet_server_close(house->server);
}

static int raw_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd < 0 ? -errno : fd;
}

static void the_peer_is_whom_the_kernel_says(void **state)
{
	struct loop *loop = new_loop();
	struct house house = { 0 };
	struct tmpdir dir;
	const char *path;
	struct stat st;
	pid_t child;

	(void)state;
	tmpdir_init(&dir);
	assert_int_equal(chmod(dir.path, 0755), 0);
	path = tmpdir_path(&dir, "s");
	check_ok(packet_listen(loop, path, 0666, on_accept, &house, &house.server));
	assert_int_equal(stat(path, &st), 0);
	check_int(st.st_mode & 0777, 0666);
	child = fork();
	if (child == 0)
		_exit((getuid() == 0 && setresuid(4711, 4711, 4711) < 0) || raw_connect(path) < 0);
	check_int(waitpid(child, &(int){ 0 }, 0), child);
	turns(loop, 2);
	check_int(house.n, 1);
	check_uint(house.peer.uid, getuid() == 0 ? 4711 : getuid());
	check_int(house.peer.pid, child);
	check_uint(packet_peer_of(house.conns[0]).uid, house.peer.uid);
	house_end(&house);
	check_int(stat(path, &st), -1); /* and the path is gone */
	loop_free(loop);
	tmpdir_deinit(&dir);
}

static void a_client_talks_to_a_server(void **state)
{
	struct loop *loop = new_loop();
	struct house house = { 0 };
	struct end client = { 0 }, served = { 0 };
	struct tmpdir dir;
	const char *path;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "s");
	check_int(packet_connect(loop, path, &client.conn), -ENOENT);
	check_ok(packet_listen(loop, path, 0600, on_accept, &house, &house.server));
	check_ok(packet_connect(loop, path, &client.conn));
	check_uint(packet_peer_of(client.conn).uid, getuid());
	check_ok(packet_start(client.conn, &end_ops, &client));
	check_ok(packet_put(client.conn, "hello", 5)); /* before it was accepted */
	turns(loop, 2);
	check_int(house.n, 1);
	check_int(served.packets, 0); /* nothing is read before packet_start */
	check_ok(packet_start(house.conns[0], &end_ops, &served));
	turns(loop, 1);
	check_bytes(served.last, served.last_len, "hello", 5);
	check_ok(packet_put(house.conns[0], "world", 5));
	turns(loop, 2);
	check_bytes(client.last, client.last_len, "world", 5);
	house_end(&house);
	turns(loop, 2);
	check_int(client.closes, 1);
	check_int(client.r, 0);
	loop_free(loop);
	tmpdir_deinit(&dir);
}

static void a_path_is_taken_over_only_from_the_dead(void **state)
{
	struct loop *loop = new_loop();
	struct packet_server *second = NULL;
	struct house house = { 0 };
	struct tmpdir dir;
	char too_long[200];
	const char *path;
	struct stat st;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "s");
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	check_int(packet_listen(loop, too_long, 0600, on_accept, &house, &second), -ENAMETOOLONG);
	check_int(packet_listen(loop, "", 0600, on_accept, &house, &second), -EINVAL);
	check_int(packet_listen(loop, "/nonexistent/s", 0600, on_accept, &house, &second), -ENOENT);
	check_int(packet_listen(loop, tmpdir_write(&dir, "file", "x"), 0600, on_accept, &house,
				&second),
		  -EADDRINUSE);
	check_ok(packet_listen(loop, path, 0600, on_accept, &house, &house.server));
	check_int(packet_listen(loop, path, 0600, on_accept, &house, &second), -EADDRINUSE);
	/* The file of a killed server: move the live one's away and back over its death. */
	assert_int_equal(rename(path, tmpdir_path(&dir, "old")), 0);
	house.server = packet_server_close(house.server);
	assert_int_equal(rename(tmpdir_path(&dir, "old"), path), 0);
	check_ok(packet_listen(loop, path, 0600, on_accept, &house, &house.server));
	/* A file that another one put at our path is not ours to remove. */
	assert_int_equal(unlink(path), 0);
	tmpdir_write(&dir, "s", "somebody else's");
	house.server = packet_server_close(house.server);
	check_int(stat(path, &st), 0);
	loop_free(loop);
	tmpdir_deinit(&dir);
}

static void closing_inside_accept(void **state)
{
	struct loop *loop = new_loop();
	struct house house = { .close_in_accept = true, .refuse = true };
	struct tmpdir dir;
	const char *path;
	int a, b;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "s");
	check_ok(packet_listen(loop, path, 0600, on_accept, &house, &house.server));
	a = raw_connect(path);
	b = raw_connect(path);
	check_true(a >= 0 && b >= 0);
	turns(loop, 2);
	check_true(house.server == NULL);
	check_int(raw_connect(path), -ENOENT);
	close(a);
	close(b);
	loop_free(loop);
	tmpdir_deinit(&dir);
}

static void accept_rests_when_descriptors_run_out(void **state)
{
	struct loop *loop = new_loop();
	struct house house = { 0 };
	struct rlimit old, low;
	struct tmpdir dir;
	const char *path;
	uint64_t turns_before;
	int fd;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "s");
	check_ok(packet_listen(loop, path, 0600, on_accept, &house, &house.server));
	fd = raw_connect(path);
	check_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ .rlim_cur = (rlim_t)fd + 1, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	turns(loop, 1);
	check_int(house.n, 0);
	turns_before = loop_turns(loop);
	check_ok(loop_turn(loop, 50)); /* sleeps: the listener is not polled now */
	check_true(loop_turns(loop) - turns_before <= 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	turns(loop, 2);
	check_int(house.n, 0);
	loop_advance(loop, 1000);
	turns(loop, 1);
	check_int(house.n, 1);
	house_end(&house);
	close(fd);
	loop_free(loop);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(messages_of_a_turn_are_one_packet),
		cmocka_unit_test(a_full_batch_goes_early),
		cmocka_unit_test(lengths_have_edges),
		cmocka_unit_test(a_slow_reader_fills_its_queue_only),
		cmocka_unit_test(tiny_packets_are_charged_for_their_room),
		cmocka_unit_test(one_wake_up_reads_many_but_not_all),
		cmocka_unit_test(pausing_stops_within_a_wake_up),
		cmocka_unit_test(closing_inside_on_packet),
		cmocka_unit_test(the_last_words_of_a_peer_are_heard),
		cmocka_unit_test(a_reset_does_not_swallow_what_lies_behind_it),
		cmocka_unit_test(a_paused_end_of_a_dead_peer_does_not_spin),
		cmocka_unit_test(an_oversized_packet_ends_its_sender),
		cmocka_unit_test(only_seqpacket_is_adopted),
		cmocka_unit_test(the_peer_is_whom_the_kernel_says),
		cmocka_unit_test(a_client_talks_to_a_server),
		cmocka_unit_test(a_path_is_taken_over_only_from_the_dead),
		cmocka_unit_test(closing_inside_accept),
		cmocka_unit_test(accept_rests_when_descriptors_run_out),
	};

	return CHECK_RUN(rows);
}
