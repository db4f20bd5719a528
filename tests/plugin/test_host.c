/* The host's limits, reached in this process by a plugin made of test functions. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "host/host_inside.h"

struct gwa_self {
	gwa_host *host;
	unsigned timers, fds, stored;
	uint64_t asked;
	char verb[WIRE_VERB_MAX + 1];
	uint32_t len, n_asks;
	uint8_t first, last;
};

struct bench {
	struct loop *loop;
	struct gwa_host *host;
	struct gwa_self self;
	unsigned puts, notes, saves, dones, devices, synced, gone, stuck, failed, joinings, tells;
	size_t told;
	int32_t status; /* of the last done */
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
	b->joinings += bytes[0] == WIRE_JOINING;
	b->tells += bytes[0] == WIRE_TELL;
	if (bytes[0] == WIRE_TELL)
		b->told += len - 4 - 8 - 2;
	if (bytes[0] == WIRE_DONE)
		b->status = bytes[12];
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

static void my_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len)
{
	const uint8_t *bytes = data;

	self->asked = req;
	self->n_asks++;
	self->len = len;
	snprintf(self->verb, sizeof(self->verb), "%s", verb);
	check_true(!data == !len);
	if (len) {
		self->first = bytes[0];
		self->last = bytes[len - 1];
	}
}

static const struct gwa_ops my_ops = {
	.size = sizeof(my_ops),
	.open = my_open,
	.close = my_close,
	.command = my_command,
	.on_stored = my_on_stored,
	.on_fd = my_on_fd,
	.on_timer = my_on_timer,
	.ask = my_ask,
};
static const struct gwa_plugin my_plugin = {
	.magic = GWA_MAGIC, .size = sizeof(my_plugin), .flags = GWA_F_RADIO, .name = "mine", .summary = "", .ops = &my_ops
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	check_ok(loop_new_virtual(1000000, 1700000000000000, &b->loop));
	check_ok(host_new(b->loop, &core, b, &b->host));
	check_ok(host_open(b->host, &my_plugin, NULL, 0));
	host_live(b->host, 4000, WIRE_MINOR);
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
	host_live(b->host, 10, WIRE_MINOR);
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
	host_live(h, 10, WIRE_MINOR);
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

/* What a radio is asked */

static void ask_part(struct bench *b, uint64_t req, const char *verb, size_t len, bool last)
{
	static uint8_t bytes[WIRE_STATE_MAX];
	struct wire_msg msg = { .type = WIRE_ASK };

	memset(bytes, (int)req, sizeof(bytes));
	msg.ask.req = req;
	msg.ask.verb = view_text(verb);
	msg.ask.data = (struct view){ bytes, len };
	msg.ask.last = last;
	host_message(b->host, &msg);
}

static void a_long_question_is_put_together(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < GWA_ASK_MAX / WIRE_STATE_MAX; i++) {
		check_uint(b->self.n_asks, 0);
		ask_part(b, 5, "restore", WIRE_STATE_MAX, (i + 1) * WIRE_STATE_MAX == GWA_ASK_MAX);
	}
	check_uint(b->self.n_asks, 1);
	check_text(b->self.verb, "restore");
	check_uint(b->self.len, GWA_ASK_MAX);
	check_uint(b->self.first, 5);
	check_uint(b->self.last, 5);
	check_true(!b->host->asking.asked.data);
	gwa(b->host)->done(b->host, b->self.asked, GWA_OK);
	check_uint(b->dones, 1);
	check_int(b->status, RESULT_OK);
	/* One byte more is none. */
	for (int i = 0; i < GWA_ASK_MAX / WIRE_STATE_MAX; i++)
		ask_part(b, 6, "restore", WIRE_STATE_MAX, false);
	ask_part(b, 6, "restore", 1, true);
	check_uint(b->self.n_asks, 1);
	check_int(b->status, RESULT_MALFORMED);
	/* Its verb may not change on the way; what is given up half-way is forgotten. */
	ask_part(b, 7, "restore", 10, false);
	ask_part(b, 7, "form", 10, true);
	check_int(b->status, RESULT_MALFORMED);
	ask_part(b, 8, "restore", 10, false);
	ask_part(b, 9, "info", 0, true);
	check_uint(b->self.n_asks, 2);
	check_text(b->self.verb, "info");
	check_uint(b->self.len, 0);
	check_uint(b->dones, 3);
}

static void one_question_at_a_time(void **state)
{
	struct bench *b = *state;
	uint64_t first;

	ask_part(b, 5, "info", 0, true);
	first = b->self.asked;
	ask_part(b, 6, "map", 0, true);
	check_uint(b->self.n_asks, 1);
	check_uint(b->dones, 1);
	check_int(b->status, RESULT_BUSY);
	/* Silence ends it, and what comes later is only late. */
	loop_advance(b->loop, HOST_ASK_MS - 1);
	check_uint(b->dones, 1);
	loop_advance(b->loop, 2);
	check_uint(b->dones, 2);
	check_int(b->status, RESULT_TIMEOUT);
	check_uint(host_faults(b->host, HOST_FAULT_NEVER_DONE), 1);
	gwa(b->host)->tell(b->host, first, "x", 1);
	gwa(b->host)->done(b->host, first, GWA_OK);
	check_uint(host_faults(b->host, HOST_FAULT_TELL), 0);
	check_uint(b->dones, 2);
	check_uint(b->tells, 0);
	ask_part(b, 7, "map", 0, true);
	check_uint(b->self.n_asks, 2);
}

static void an_answer_goes_out_as_room_comes(void **state)
{
	static const uint8_t bytes[GWA_ASK_MAX];
	struct bench *b = *state;
	gwa_host *h = b->host;

	ask_part(b, 5, "backup", 0, true);
	gwa(h)->tell(h, b->self.asked, bytes, 10);
	gwa(h)->tell(h, b->self.asked, bytes, 20);
	check_uint(b->tells, 0); /* crumbs wait */
	b->room = 3;
	gwa(h)->tell(h, b->self.asked, bytes, GWA_ASK_MAX - 30);
	check_uint(b->tells, 3);
	gwa(h)->done(h, b->self.asked, GWA_OK);
	check_uint(b->dones, 0); /* not before the last of it */
	b->full = false;
	b->room = 0;
	host_pump(h);
	check_uint(b->told, GWA_ASK_MAX);
	check_uint(b->dones, 1);
	check_int(b->status, RESULT_OK);
	check_uint(b->stuck, 0);
	check_true(!h->asking.told.data);
	for (size_t i = 4; i < 64; i++)
		check_uint(h->message[i] && i > 16, 0);
	gwa(h)->tell(h, b->self.asked, bytes, 1);
	check_uint(host_faults(h, HOST_FAULT_TELL), 1);
}

static void too_much_is_no_answer(void **state)
{
	static const uint8_t bytes[GWA_ASK_MAX];
	struct bench *b = *state;
	gwa_host *h = b->host;

	ask_part(b, 5, "backup", 0, true);
	gwa(h)->tell(h, b->self.asked, bytes, GWA_ASK_MAX);
	gwa(h)->tell(h, b->self.asked, bytes, 1);
	gwa(h)->tell(h, b->self.asked, bytes, 1);
	check_uint(host_faults(h, HOST_FAULT_TELL_MUCH), 1);
	gwa(h)->done(h, b->self.asked, GWA_OK);
	check_int(b->status, RESULT_FAILED);
	check_true(b->told <= GWA_ASK_MAX);
	gwa(h)->tell(h, 4711, bytes, 1);
	check_uint(host_faults(h, HOST_FAULT_TELL), 1);
}

static void a_core_that_goes_waits_for_nothing(void **state)
{
	struct bench *b = *state;
	gwa_host *h = b->host;
	uint64_t first;

	ask_part(b, 4, "restore", 10, false);
	ask_part(b, 5, "backup", 0, true);
	first = b->self.asked;
	gwa(h)->tell(h, first, "secret", 6);
	host_away(h);
	check_true(!h->asking.told.data && !h->asking.asked.data);
	host_live(h, 10, WIRE_MINOR);
	gwa(h)->tell(h, first, "secret", 6);
	gwa(h)->done(h, first, GWA_OK);
	check_uint(b->tells, 0);
	check_uint(b->dones, 0);
	check_uint(host_faults(h, HOST_FAULT_TELL), 0);
	ask_part(b, 5, "info", 0, true);
	check_uint(b->self.n_asks, 2);
}

static void sizes_speak(void **state)
{
	struct bench *b = *state;
	struct gwa_ops old = my_ops;
	struct gwa_plugin plugin = my_plugin;

	old.size = offsetof(struct gwa_ops, ask);
	plugin.ops = &old;
	b->host->plugin = &plugin;
	ask_part(b, 5, "info", 0, false);
	check_uint(b->dones, 0);
	ask_part(b, 5, "info", 0, true);
	check_uint(b->dones, 1);
	check_int(b->status, RESULT_UNKNOWN_CAPABILITY);
	plugin.ops = &my_ops;
	plugin.flags = 0;
	ask_part(b, 6, "info", 0, true);
	check_int(b->status, RESULT_UNKNOWN_CAPABILITY);
	check_uint(b->self.n_asks, 0);
	b->host->plugin = &my_plugin;
}

static void joins_are_told(void **state)
{
	struct bench *b = *state;
	gwa_host *h = b->host;
	const struct gwa_addr addr = { .len = 1, .bytes = { 1 } };
	char longest[WIRE_TEXT_MAX + 2];

	gwa(h)->joining(h, &addr, GWA_JOIN_SEEN, NULL);
	gwa(h)->joining(h, &addr, GWA_JOIN_PASSKEY, "012345");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	gwa(h)->joining(h, &addr, GWA_JOIN_FAILED, longest);
	check_uint(b->joinings, 3);
	gwa(h)->joining(h, &addr, GWA_JOIN_PASSKEY, "12345678901234567");
	check_uint(host_faults(h, HOST_FAULT_JOINING), 1);
	/* So many a second; and a core of minor 0 hears nothing. */
	for (int i = 0; i < HOST_JOININGS_MAX; i++)
		gwa(h)->joining(h, &addr, GWA_JOIN_SEEN, NULL);
	check_uint(b->joinings, HOST_JOININGS_MAX);
	loop_advance(b->loop, 1000);
	gwa(h)->joining(h, &addr, GWA_JOIN_SEEN, NULL);
	check_uint(b->joinings, HOST_JOININGS_MAX + 1);
	check_uint(host_faults(h, HOST_FAULT_FLOOD), 1);
	host_away(h);
	host_live(h, 10, 0);
	gwa(h)->joining(h, &addr, GWA_JOIN_SEEN, NULL);
	check_uint(b->joinings, HOST_JOININGS_MAX + 1);
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
		CASE(a_long_question_is_put_together),
		CASE(one_question_at_a_time),
		CASE(an_answer_goes_out_as_room_comes),
		CASE(too_much_is_no_answer),
		CASE(a_core_that_goes_waits_for_nothing),
		CASE(sizes_speak),
		CASE(joins_are_told),
		cmocka_unit_test(every_fault_has_words),
	};

	return CHECK_RUN(rows);
}
