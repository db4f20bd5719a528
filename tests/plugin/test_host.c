/* The host's limits, reached in this process by a plugin made of test functions. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "host/host.h"
#include "host/host_inside.h"

struct gwa_self {
	gwa_host *host;
	unsigned timers, fds, stored;
	uint64_t asked;
};

struct bench {
	struct loop *loop;
	struct gwa_host *host;
	struct gwa_self self;
	unsigned puts, notes, saves, dones, devices, synced, gone, stuck, failed;
	unsigned room; /* messages that are still taken; 0: no end */
	bool full;
	char order[64]; /* first letters of what was said */
};

static bool put(void *ctx, const void *message, size_t len)
{
	struct bench *b = ctx;
	const uint8_t *bytes = message;

	check_true(len <= HOST_MESSAGE_MAX);
	if (b->full)
		return false;
	if (b->room && --b->room == 0)
		b->full = true;
	if (b->puts < sizeof(b->order) - 1)
		b->order[b->puts] = wire_row(bytes[0])->name[0];
	b->puts++;
	b->devices += bytes[0] == WIRE_DEVICE;
	b->synced += bytes[0] == WIRE_SYNCED;
	b->gone += bytes[0] == WIRE_GONE;
	b->notes += bytes[0] == WIRE_NOTE;
	b->saves += bytes[0] == WIRE_SAVE;
	b->dones += bytes[0] == WIRE_DONE;
	return true;
}

static void failed(void *ctx, const char *why)
{
	struct bench *b = ctx;

	check_text(why, "enough");
	b->failed++;
}

static void stuck(void *ctx)
{
	struct bench *b = ctx;

	b->stuck++;
}

static const struct host_core core = { .put = put, .failed = failed, .stuck = stuck };

static int my_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	struct bench *b = host->ctx;

	(void)opts;
	(void)n;
	b->self.host = host;
	*ret = &b->self;
	return 0;
}

static void my_close(gwa_self *self)
{
	(void)self;
}

static void my_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint,
		       uint16_t cap, const struct gwa_value *value, uint32_t ttl_ms)
{
	(void)addr;
	(void)endpoint;
	(void)cap;
	(void)value;
	(void)ttl_ms;
	self->asked = req;
}

static void my_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	self->stored++;
}

static void my_on_fd(gwa_self *self, int fd, uint32_t events)
{
	check_true(fd >= 0 && (events & (POLLIN | POLLOUT)));
	self->fds++;
	gwa(self->host)->watch(self->host, fd, 0);
}

static void my_on_timer(gwa_self *self, uint32_t timer)
{
	check_true(timer < HOST_TIMERS_MAX);
	self->timers++;
}

static const struct gwa_ops my_ops = {
	.size = sizeof(my_ops),
	.open = my_open,
	.close = my_close,
	.command = my_command,
	.on_stored = my_on_stored,
	.on_fd = my_on_fd,
	.on_timer = my_on_timer,
};
static const struct gwa_plugin my_plugin = {
	.magic = GWA_MAGIC, .size = sizeof(my_plugin), .name = "mine", .summary = "", .ops = &my_ops
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	check_ok(loop_new_virtual(1000000, 1700000000000000, &b->loop));
	check_ok(host_new(b->loop, &core, b, &b->host));
	check_ok(host_open(b->host, &my_plugin, NULL, 0));
	host_live(b->host, 4000);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	host_free(b->host);
	loop_free(b->loop);
	free(b);
	return 0;
}

static void timers(void **state)
{
	struct bench *b = *state;
	gwa_host *h = b->host;

	for (uint32_t i = 0; i < HOST_TIMERS_MAX; i++)
		gwa(h)->timer(h, i, 10 + i);
	check_uint(host_faults(h, HOST_FAULT_WATCH), 0);
	gwa(h)->timer(h, HOST_TIMERS_MAX, 10);
	check_uint(host_faults(h, HOST_FAULT_WATCH), 1);
	gwa(h)->timer(h, 0, 0);
	loop_advance(b->loop, 100);
	check_uint(b->self.timers, HOST_TIMERS_MAX - 1);
}

static void watches(void **state)
{
	struct bench *b = *state;
	gwa_host *h = b->host;
	int fds[HOST_WATCHES_MAX + 1][2];

	for (int i = 0; i <= HOST_WATCHES_MAX; i++) {
		check_ok(pipe2(fds[i], O_CLOEXEC | O_NONBLOCK));
		check_int(gwa(h)->watch(h, fds[i][0], POLLIN), i < HOST_WATCHES_MAX ? 0 : -1);
	}
	check_int(write(fds[3][1], "x", 1), 1);
	check_ok(loop_turn(b->loop, 100));
	check_uint(b->self.fds, 1);
	/* One was let go in on_fd: there is room for another. */
	check_int(gwa(h)->watch(h, fds[HOST_WATCHES_MAX][0], POLLIN), 0);
	host_close(h);
	for (int i = 0; i <= HOST_WATCHES_MAX; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void ports(void **state)
{
	struct bench *b = *state;
	char name[8] = "p0";

	for (int i = 0; i < HOST_PORTS_MAX; i++) {
		name[1] = (char)('0' + i);
		check_ok(host_add_port(b->host, name, dup(0)));
	}
	check_true(host_add_port(b->host, "more", dup(0)) < 0);
	check_true(gwa(b->host)->port(b->host, "p3") >= 0);
	check_int(gwa(b->host)->port(b->host, "more"), -1);
}

static void notes_are_limited(void **state)
{
	struct bench *b = *state;
	gwa_host *h = b->host;

	for (int i = 0; i < 3 * HOST_NOTES_MAX; i++)
		gwa(h)->note(h, GWA_NOTE_MALFORMED, 1, "o", "t");
	check_uint(b->notes, HOST_NOTES_MAX);
	loop_advance(b->loop, 1000);
	gwa(h)->note(h, GWA_NOTE_MALFORMED, 1, "o", "t");
	check_uint(b->notes, HOST_NOTES_MAX + 1);
}

static void reports_past_the_credit(void **state)
{
	struct bench *b = *state;
	struct gwa_addr addr = { .len = 1 };
	struct gwa_value v = { .type = GWA_T_INT };
	gwa_host *h = b->host;

	for (int i = 0; i < 4000; i++)
		check_true(gwa(h)->report(h, &addr, 1, 1, &v, 0) == (uint64_t)i + 1);
	for (int i = 1; i < HOST_REFUSED_MAX; i++)
		check_uint(gwa(h)->report(h, &addr, 1, 1, &v, 0), 0);
	check_uint(host_faults(h, HOST_FAULT_FLOOD), 0);
	check_uint(gwa(h)->report(h, &addr, 1, 1, &v, 0), 0);
	check_uint(host_faults(h, HOST_FAULT_FLOOD), 1);
	check_uint(host_last_report(h), 4000);
}

static void what_a_source_repeats_is_marked(void **state)
{
	struct bench *b = *state;
	struct gwa_addr addr = { .len = 1 };
	struct gwa_value v = { .type = GWA_T_INT };
	gwa_host *h = b->host;

	for (int on = 0; on < 3; on++) {
		gwa(h)->repeats(h, on == 1);
		check_true(gwa(h)->report(h, &addr, 1, 1, &v, 0) != 0);
		check_uint(h->outbox.items[on + 1].bytes[OUTBOX_AGAIN_AT], on == 1);
	}
}

static void deadlines(void **state)
{
	struct bench *b = *state;
	struct wire_msg msg = { .type = WIRE_COMMAND };

	msg.command.req = 5;
	msg.command.addr.len = 1;
	msg.command.ttl_ms = 500;
	host_message(b->host, &msg);
	check_true(b->self.asked != 0);
	loop_advance(b->loop, 499);
	check_uint(b->dones, 0);
	loop_advance(b->loop, 2);
	check_uint(b->dones, 1);
	check_uint(host_faults(b->host, HOST_FAULT_NEVER_DONE), 1);
	/* Late is not twice. */
	gwa(b->host)->done(b->host, b->self.asked, GWA_OK);
	check_uint(host_faults(b->host, HOST_FAULT_DONE_UNKNOWN), 0);
	gwa(b->host)->done(b->host, b->self.asked, GWA_OK);
	check_uint(host_faults(b->host, HOST_FAULT_DONE_UNKNOWN), 1);
	check_uint(b->dones, 1);
	/* Without a time of its own it has ours. */
	msg.command.ttl_ms = 0;
	host_message(b->host, &msg);
	loop_advance(b->loop, HOST_REQUEST_MS - 1);
	check_uint(b->dones, 1);
	loop_advance(b->loop, 2);
	check_uint(b->dones, 2);
}

static void what_must_be_said_and_finds_no_room_ends_the_connection(void **state)
{
	struct bench *b = *state;

	b->full = true;
	check_ok(gwa(b->host)->save(b->host, "k", "v", 1));
	check_uint(b->stuck, 1);
	b->full = false;
	host_away(b->host);
	host_live(b->host, 10);
	check_uint(b->saves, 1);
}

static void nothing_is_said_while_the_core_is_away(void **state)
{
	struct bench *b = *state;
	unsigned before;

	host_away(b->host);
	before = b->puts;
	check_ok(gwa(b->host)->save(b->host, "k", "v", 1));
	gwa(b->host)->devices_synced(b->host);
	gwa(b->host)->note(b->host, GWA_NOTE_STATUS, 1, "a", "b");
	check_uint(b->puts, before);
	gwa(b->host)->failed(b->host, "enough");
	check_uint(b->failed, 1);
}

static void say_device(gwa_host *h, uint8_t n)
{
	struct gwa_device device = { .size = sizeof(device), .addr = { .len = 1, .bytes = { n } } };

	gwa(h)->device_up(h, &device);
}

/* A home that is larger than the queue: said piece by piece, in order, readings last. */
static void a_large_home_is_said_as_room_comes(void **state)
{
	struct bench *b = *state;
	struct gwa_addr addr = { .len = 1, .bytes = { 3 } };
	struct gwa_value v = { .type = GWA_T_INT };
	gwa_host *h = b->host;

	host_away(h);
	for (uint8_t i = 0; i < 5; i++)
		say_device(h, i);
	gwa(h)->device_down(h, &addr, 0);
	gwa(h)->devices_synced(h);
	check_uint(gwa(h)->report(h, &addr, 1, 1, &v, 0), 1);
	b->room = 4;
	host_live(h, 10);
	check_text(b->order, "dddd");
	for (int i = 0; i < 8 && b->full; i++) {
		b->full = false;
		b->room = 2;
		host_pump(h);
	}
	b->full = false;
	b->room = 0;
	host_pump(h);
	/* The one that is away is said to be so; when its second half found no room both come
	 * again. */
	check_text(b->order, "dddddgdsr");
	check_uint(b->stuck, 0);
	/* From here on: one that is new, one that is said anew, one that leaves. */
	say_device(h, 9);
	say_device(h, 3);
	gwa(h)->device_down(h, &addr, 1);
	check_text(b->order, "dddddgdsrddg");
	say_device(h, 10);
	check_text(b->order, "dddddgdsrddgd");
}

static void every_fault_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < HOST_FAULTS; i++)
		check_true(host_fault_text((enum host_fault)i)[0] != '\0');
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(timers),
		CASE(watches),
		CASE(ports),
		CASE(notes_are_limited),
		CASE(reports_past_the_credit),
		CASE(what_a_source_repeats_is_marked),
		CASE(deadlines),
		CASE(what_must_be_said_and_finds_no_room_ends_the_connection),
		CASE(nothing_is_said_while_the_core_is_away),
		CASE(a_large_home_is_said_as_room_comes),
		cmocka_unit_test(every_fault_has_words),
	};

	return CHECK_RUN(rows);
}
