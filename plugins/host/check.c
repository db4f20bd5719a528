/* The other side of the contract, played by us: a core that asks everything that may be asked, in
 * the order in which authors get it wrong, and counts the answers. The plugin is behind the same
 * fence as in a home, so what it may not do there fails here.
 */
#include "host/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "host/host.h"
#include "host/plugin.h"
#include "model/capability.h"
#include "model/command.h"
#include "model/device.h"
#include "model/wire.h"
#include "sys/loop.h"

enum {
	CHECK_DEVICES = 16,
	CHECK_CREDIT = 64,
	CHECK_STORED = 10000,
	CHECK_REPORTS = 10000,
	CHECK_ROUNDS = 50,
	CHECK_WAIT_MS = 3000,
	CHECK_LISTEN_MS = 2000,
	CHECK_STUCK_S = 60,
};

struct check {
	struct check_options *options;
	struct loop *loop;
	struct timer *tick;
	struct plugin_file file;
	struct gwa_host *host;
	struct wire_peer peer;
	struct wire_scratch scratch;
	struct wire_msg msg;
	struct device_desc *devices[CHECK_DEVICES];
	size_t n_devices, n_described;
	bool synced;
	uint64_t asked, answered, answered_ok, reports, bad_reports, last_seq, told;
	char failed[PLUGIN_WHY_LEN];
	unsigned step, n_failed;
};

/* What the plugin says */

static void keep_device(struct check *check, const struct device_desc *desc)
{
	check->n_described++;
	for (size_t i = 0; i < check->n_devices; i++) {
		if (!address_equal(&check->devices[i]->addr, &desc->addr))
			continue;
		device_desc_free(check->devices[i]);
		check->devices[i] = check->devices[--check->n_devices];
		break;
	}
	if (check->n_devices < CHECK_DEVICES &&
	    device_desc_copy(desc, &check->devices[check->n_devices]) == 0)
		check->n_devices++;
}

static bool report_is_sound(struct check *check)
{
	for (size_t i = 0; i < check->n_devices; i++) {
		const struct device_desc *desc = check->devices[i];
		const struct capability_desc *cap;
		struct value v;

		if (!address_equal(&desc->addr, &check->msg.report.addr))
			continue;
		cap = device_desc_find(desc, check->msg.report.endpoint, check->msg.report.cap);
		return cap && capability_value_check(cap, &check->msg.report.value, &v) == 0;
	}
	return check->n_devices == CHECK_DEVICES; /* one that we have not kept */
}

static bool core_put(void *ctx, const void *message, size_t len)
{
	struct check *check = ctx;
	struct reader packet = reader_over(message, len);

	if (wire_next(&packet, &check->peer, &check->scratch, &check->msg) != 1)
		return false;
	if (check->msg.type == WIRE_DEVICE) {
		keep_device(check, &check->msg.device);
	} else if (check->msg.type == WIRE_SYNCED) {
		check->synced = true;
	} else if (check->msg.type == WIRE_DONE) {
		check->answered++;
		check->answered_ok += check->msg.done.status == RESULT_OK;
	} else if (check->msg.type == WIRE_TELL) {
		check->told += check->msg.tell.data.len;
	} else if (check->msg.type == WIRE_REPORT) {
		check->reports++;
		check->bad_reports += !report_is_sound(check);
		check->last_seq = check->msg.report.seq;
	}
	return true;
}

static void core_failed(void *ctx, const char *why)
{
	struct check *check = ctx;

	text_copy(check->failed, sizeof(check->failed), why);
}

static void core_stuck(void *ctx)
{
	(void)ctx;
}

static const struct host_core core = { .put = core_put,
				       .failed = core_failed,
				       .stuck = core_stuck };

/* Lines */

static void verdict(struct check *check, bool good, const char *what, const char *why)
{
	check->step++;
	check->n_failed += !good;
	printf("%s %u - %s%s%s\n", good ? "ok" : "FAIL", check->step, what, good ? "" : ": ",
	       good ? "" : why);
	fflush(stdout);
}

/* No fault of these kinds so far. */
static void verdict_faults(struct check *check, const char *what, const enum host_fault *faults,
			   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (host_faults(check->host, faults[i])) {
			verdict(check, false, what, host_fault_text(faults[i]));
			return;
		}
	}
	verdict(check, true, what, "");
}

/* Time */

static void on_tick(void *ctx)
{
	struct check *check = ctx;

	timer_start(check->tick, 10);
}

static void store(struct check *check, uint32_t credit)
{
	struct wire_msg msg = { .type = WIRE_STORED };

	msg.stored.up_to = check->last_seq;
	msg.stored.credit = credit;
	host_message(check->host, &msg);
	host_turn(check->host);
}

/* Turns the loop until *counter is at least want or the time is over. */
static bool run(struct check *check, int64_t ms, const uint64_t *counter, uint64_t want)
{
	int64_t end = loop_now_ms(check->loop) + ms;

	while (loop_now_ms(check->loop) < end && !(counter && *counter >= want)) {
		if (loop_turn(check->loop, 20))
			return false;
	}
	return counter && *counter >= want;
}

/* Asking */

static struct value sample(const struct capability_desc *cap)
{
	const struct capability *row = capability_find(cap->id);
	bool own = cap->min || cap->max;
	struct value v = { .type = (enum value_type)cap->type };

	if (v.type == VALUE_BOOL)
		v.b = true;
	else if (v.type == VALUE_INT)
		v.i = own ? cap->min : row ? (int64_t)row->min : 0;
	else if (v.type == VALUE_REAL)
		v.f = own ? (double)cap->min / 1000.0 : row ? row->min : 0;
	else if (row && row->choices)
		v = (struct value){ .type = v.type,
				    .len = (uint32_t)strcspn(row->choices, "|"),
				    .data = row->choices };
	else
		v = (struct value){ .type = v.type, .len = 1, .data = "x" };
	return v;
}

static void ask(struct check *check, const struct address *addr, uint8_t endpoint, uint16_t cap,
		struct value value)
{
	struct wire_msg msg = { .type = WIRE_COMMAND };

	msg.command.req = ++check->asked;
	msg.command.addr = *addr;
	msg.command.endpoint = endpoint;
	msg.command.cap = cap;
	msg.command.ttl_ms = CHECK_WAIT_MS - 1000;
	msg.command.value = value;
	host_message(check->host, &msg);
}

static void ask_device(struct check *check, const struct device_desc *desc)
{
	for (uint8_t i = 0; i < desc->n_endpoints; i++) {
		const struct endpoint_desc *e = &desc->endpoints[i];

		for (uint8_t k = 0; k < e->n_caps; k++) {
			if (e->caps[k].access & ACCESS_WRITE)
				ask(check, &desc->addr, e->id, e->caps[k].id, sample(&e->caps[k]));
		}
	}
}

static const enum host_fault answer_faults[] = { HOST_FAULT_NEVER_DONE, HOST_FAULT_DONE_UNKNOWN,
						 HOST_FAULT_STATUS };

/* Waits for all answers, then a little for one too many. */
static void verdict_answers(struct check *check, const char *what)
{
	run(check, CHECK_WAIT_MS, &check->answered, check->asked);
	run(check, 50, NULL, 0);
	if (check->answered == check->asked)
		verdict_faults(check, what, answer_faults, N_ELEMENTS(answer_faults));
	else
		verdict(check, false, what,
			check->answered > check->asked ? "more answers than requests"
						       : "an answer is missing");
}

/* Steps */

static bool step_load(struct check *check)
{
	struct plugin_place place = { .word = check->options->file, .untrusted = true };
	char why[PLUGIN_WHY_LEN] = "";
	char path[PLUGIN_PATH_LEN];
	int r;

	/* A bare file name is a file here, not a packaged plugin. */
	if (!strchr(place.word, '/') && text_print(path, sizeof(path), "./%s", place.word))
		place.word = path;
	r = plugin_find(&place, &check->file, why);
	verdict(check, r == 0, "is a shared object that exports gwa_plugin_v1", why);
	if (r)
		return false;
	r = plugin_load(&check->file, NULL, why);
	verdict(check, r == 0, "loads behind the fence, its descriptor is sound", why);
	return r == 0;
}

static bool step_open(struct check *check)
{
	struct gwa_opt opts[OPTIONS_MAX];
	size_t n = options_for_plugin(&check->options->options, opts);
	char why[PLUGIN_WHY_LEN] = "";
	int r = host_open(check->host, check->file.desc, opts, (uint32_t)n);

	text_print(why, sizeof(why), "open() says %d", r);
	verdict(check, r == 0, "opens", why);
	if (r)
		return false;
	r = plugin_fence(&check->file, NULL, why);
	verdict(check, r == 0, "the fence's second stage stands", why);
	host_live(check->host, CHECK_CREDIT, WIRE_MINOR);
	return r == 0;
}

static void step_devices(struct check *check)
{
	static const enum host_fault faults[] = { HOST_FAULT_DEVICE, HOST_FAULT_DEVICES };

	for (int i = 0; i < CHECK_WAIT_MS / 100 && !check->synced; i++)
		run(check, 100, NULL, 0);
	verdict(check, check->synced, "says that its known devices have been described",
		"no devices_synced()");
	verdict_faults(check, "describes its devices soundly", faults, N_ELEMENTS(faults));
}

static void step_commands(struct check *check)
{
	struct address nobody = { .len = 3, .bytes = { 0xde, 0xad, 0x01 } };
	struct address longest = { .len = ADDRESS_MAX, .bytes = { 0xff } };

	for (size_t i = 0; i < check->n_devices; i++)
		ask_device(check, check->devices[i]);
	verdict_answers(check, "answers every command exactly once");
	ask(check, &nobody, 1, CAP_ON_OFF, value_bool(true));
	ask(check, &longest, 1, CAP_ON_OFF, value_bool(true));
	verdict_answers(check, "answers for devices that it does not know");
	check->answered_ok = 0;
	for (size_t i = 0; i < check->n_devices; i++) {
		ask(check, &check->devices[i]->addr, 200, CAP_ON_OFF, value_bool(true));
		ask(check, &check->devices[i]->addr, 0, 0xfffe, value_int(1));
	}
	verdict_answers(check, "answers for endpoints and capabilities that a device has not");
	verdict(check, check->answered_ok == 0, "and does not claim to have done that",
		"it said GWA_OK");
	for (int round = 0;
	     round < CHECK_ROUNDS && !host_faults(check->host, HOST_FAULT_NEVER_DONE); round++) {
		for (size_t i = 0; i < check->n_devices; i++)
			ask_device(check, check->devices[i]);
		run(check, CHECK_WAIT_MS, &check->answered, check->asked);
	}
	verdict_answers(check, "answers rounds of commands");
}

static void step_joins(struct check *check)
{
	static const enum host_fault faults[] = { HOST_FAULT_JOINING };
	static const uint16_t windows[] = { 2, 0 };
	struct wire_msg msg = { .type = WIRE_JOIN };

	for (size_t i = 0; i < N_ELEMENTS(windows); i++) {
		msg.join.req = ++check->asked;
		msg.join.seconds = windows[i];
		msg.join.code = (struct view){ NULL, 0 };
		host_message(check->host, &msg);
	}
	verdict_answers(check, "answers when a join window is opened and closed");
	msg.type = WIRE_REMOVE;
	msg.remove.req = ++check->asked;
	msg.remove.addr = (struct address){ .len = 3, .bytes = { 0xde, 0xad, 0x02 } };
	host_message(check->host, &msg);
	verdict_answers(check, "answers when a device is to be removed that it does not know");
	verdict_faults(check, "says soundly how a join goes", faults, N_ELEMENTS(faults));
}

/* len zeros in parts, as the core sends them. */
static void ask_radio(struct check *check, const char *verb, size_t len)
{
	static const uint8_t zeros[WIRE_STATE_MAX];
	struct wire_msg msg = { .type = WIRE_ASK };

	msg.ask.req = ++check->asked;
	msg.ask.verb = view_text(verb);
	do {
		size_t part = len < sizeof(zeros) ? len : sizeof(zeros);

		len -= part;
		msg.ask.data = (struct view){ zeros, part };
		msg.ask.last = len == 0;
		host_message(check->host, &msg);
	} while (len);
}

/* Nothing that would change the radio: a form, an adopt or a good restore is not for us to try. */
static void step_radio(struct check *check)
{
	static const enum host_fault faults[] = { HOST_FAULT_TELL, HOST_FAULT_TELL_MUCH };

	if (!plugin_can_ask(check->file.desc))
		return;
	ask_radio(check, "info", 0);
	verdict_answers(check, "answers what its radio is asked");
	check->answered_ok = 0;
	ask_radio(check, "no-such-verb", 0);
	run(check, CHECK_WAIT_MS, &check->answered, check->asked);
	ask_radio(check, "channel", 3);
	run(check, CHECK_WAIT_MS, &check->answered, check->asked);
	ask_radio(check, "restore", GWA_ASK_MAX);
	verdict_answers(check, "answers what cannot be asked of a radio");
	verdict(check, check->answered_ok == 0, "and does not claim to have done it", "it said GWA_OK");
	verdict_faults(check, "tells what it was asked, within bounds", faults, N_ELEMENTS(faults));
}

static void step_reports(struct check *check)
{
	static const enum host_fault faults[] = { HOST_FAULT_REPORT, HOST_FAULT_FLOOD,
						  HOST_FAULT_CLAIM, HOST_FAULT_SAVE,
						  HOST_FAULT_WATCH };
	int64_t end = loop_now_ms(check->loop) + CHECK_LISTEN_MS;
	char text[PLUGIN_WHY_LEN];
	uint64_t before;

	while (loop_now_ms(check->loop) < end && check->reports < CHECK_REPORTS) {
		run(check, 5, NULL, 0);
		store(check, CHECK_CREDIT);
	}
	text_print(text, sizeof(text), "%llu of %llu reports",
		   (unsigned long long)check->bad_reports, (unsigned long long)check->reports);
	verdict(check, check->bad_reports == 0, "reports only what its devices were described with",
		text);
	/* No credit: what it reports now is not taken, and it has to bear that. */
	store(check, 0);
	before = check->reports;
	run(check, 500, NULL, 0);
	verdict(check, check->reports == before, "no report goes out without credit", "one did");
	for (int i = 0; i < CHECK_STORED; i++)
		store(check, CHECK_CREDIT);
	run(check, 50, NULL, 0);
	verdict_faults(check, "keeps to the rules of reports, claims, blobs and descriptors",
		       faults, N_ELEMENTS(faults));
}

static void step_close(struct check *check)
{
	struct gwa_opt opts[OPTIONS_MAX];
	size_t n = options_for_plugin(&check->options->options, opts);
	static const enum host_fault after[] = { HOST_FAULT_AFTER_CLOSE };
	int r;

	verdict(check, check->failed[0] == '\0', "does not give up", check->failed);
	for (size_t i = 0; i < check->n_devices; i++)
		ask_device(check, check->devices[i]);
	host_close(check->host);
	verdict(check, true, "closes while commands are open", "");
	run(check, 200, NULL, 0);
	verdict_faults(check, "is silent after it was closed", after, N_ELEMENTS(after));
	r = host_open(check->host, check->file.desc, opts, (uint32_t)n);
	if (r == 0) {
		run(check, 100, NULL, 0);
		host_close(check->host);
	}
	/* Behind the second stage a plugin that needs files to open cannot; that it says so is
	 * enough. */
	verdict(check, true,
		r == 0 ? "opens and closes again"
		       : "says that it cannot open again behind the fence",
		"");
}

static void run_steps(struct check *check)
{
	if (!step_load(check) || !step_open(check))
		return;
	step_devices(check);
	step_commands(check);
	step_joins(check);
	step_radio(check);
	step_reports(check);
	step_close(check);
	printf("# %s: %zu devices described, %llu requests, %llu reports\n", check->file.desc->name,
	       check->n_described, (unsigned long long)check->asked,
	       (unsigned long long)check->reports);
}

/* A plugin that blocks or crashes takes us with it; the reader should know which. */
static void on_fatal(int signum)
{
	static const char stuck[] = "FAIL - a call did not return\n";
	static const char crashed[] = "FAIL - it crashed\n";
	ssize_t n = signum == SIGALRM ? write(STDOUT_FILENO, stuck, sizeof(stuck) - 1)
				      : write(STDOUT_FILENO, crashed, sizeof(crashed) - 1);

	_exit(n < 0 ? 2 : 1);
}

static void guard(void)
{
	static const int signals[] = { SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

	for (size_t i = 0; i < N_ELEMENTS(signals); i++)
		sigaction(signals[i], &(struct sigaction){ .sa_handler = on_fatal }, NULL);
	alarm(CHECK_STUCK_S);
}

int check_add_option(struct check_options *check, const char *key_value)
{
	const char *equal = strchr(key_value, '=');
	struct view key = { (const uint8_t *)key_value, equal ? (size_t)(equal - key_value) : 0 };

	if (!key.len)
		return -EINVAL;
	return options_add(&check->options, key,
			   view_text(equal + 1));
}

int check_run(struct check_options *options)
{
	struct check *check = calloc(1, sizeof(*check));
	int r = -ENOMEM;

	if (!check)
		return 1;
	check->options = options;
	check->file.fd = -1;
	check->peer =
		(struct wire_peer){ .kind = WIRE_ADAPTER, .phase = WIRE_READY, .is_core = true };
	guard();
	r = loop_new(&check->loop);
	if (!r)
		r = timer_new(check->loop, on_tick, check, &check->tick);
	if (!r)
		r = host_new(check->loop, &core, check, &check->host);
	if (!r)
		run_steps(check);
	r = r || check->n_failed ? 1 : 0;
	printf("%s\n", r ? "FAIL" : "PASS");
	host_free(check->host);
	timer_close(check->tick);
	if (check->loop)
		loop_free(check->loop);
	while (check->n_devices)
		device_desc_free(check->devices[--check->n_devices]);
	options_deinit(&options->options);
	plugin_deinit(&check->file);
	free(check);
	return r;
}
