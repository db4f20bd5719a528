/* Every bad plugin, in the real gatewayd-adapter, and what must happen to each. Whatever a plugin
 * does, the core's end hears only sound messages: n_broken is 0 in every case.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { EXIT_AGAIN = 75, EXIT_CONFIG = 78, WAIT_MS = 10000 };

static const struct address device = { .len = 1, .bytes = { 1 } };

static int setup(void **state)
{
	struct child *c = calloc(1, sizeof(*c));

	child_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct child *c = *state;

	check_uint(c->core->n_broken, 0);
	child_deinit(c);
	free(c);
	return 0;
}

static void start(struct child *c, const char *plugin)
{
	child_start(c, plugin);
	if (!fake_core_until(c->core, fake_core_is_synced, WAIT_MS))
		fail_msg("%s did not open: %s", plugin, c->core->opened_reason);
	check_int(c->core->opened_error, 0);
}

/* Switches the device and waits for all answers. */
static int ask(struct child *c, uint32_t ttl_ms)
{
	uint64_t req = fake_core_command(c->core, &device, CAP_ON_OFF, value_bool(true), ttl_ms);

	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	/* One too many would come right behind. */
	fake_core_run(c->core, 50);
	check_uint(fake_core_answers(c->core, req), 1);
	return fake_core_result(c->core, req);
}

static void refused(struct child *c, const char *plugin, const char *why)
{
	int status;

	child_start(c, plugin);
	status = child_wait(c, WAIT_MS);
	check_true(status >= 0 && WIFEXITED(status));
	check_int(WEXITSTATUS(status), EXIT_CONFIG);
	check_uint(c->core->n_opened, 1);
	check_true(c->core->opened_error < 0);
	if (!strstr(c->core->opened_reason, why))
		fail_msg("%s: the core was told: %s", plugin, c->core->opened_reason);
	check_true(child_said(c, why));
	check_uint(c->core->n_device_msgs, 0);
}

static void wrong_magic(void **state)
{
	refused(*state, "wrong_magic", "magic number");
}

static void short_size(void **state)
{
	refused(*state, "short_size", "too short");
}

static void wrong_name(void **state)
{
	refused(*state, "wrong_name", "its name is not one");
}

static void no_symbol_is_found_out_without_running_it(void **state)
{
	refused(*state, "no_symbol", "exports no gwa_plugin_v1");
	check_true(!child_said(*state, "constructor ran"));
}

static void unlisted_is_not_run(void **state)
{
	refused(*state, "unlisted", "in no list");
	check_true(!child_said(*state, "constructor ran"));
}

static void not_there(void **state)
{
	refused(*state, "no_such_plugin", "No such file");
}

static void no_plugin_word(void **state)
{
	refused(*state, "No/../such", "No such file");
}

static void never_done_is_answered_for_it(void **state)
{
	struct child *c = *state;

	start(c, "never_done");
	check_int(ask(c, 300), RESULT_TIMEOUT);
	check_uint(c->core->notes[NOTE_STATUS], 1);
	check_text(c->core->note_text[NOTE_STATUS], "did not answer a request in time");
	check_int(ask(c, 5000), RESULT_OK);
	check_true(child_runs(c));
}

static void done_twice_is_passed_on_once(void **state)
{
	struct child *c = *state;

	start(c, "done_twice");
	check_int(ask(c, 5000), RESULT_OK);
	check_int(ask(c, 5000), RESULT_OK);
	check_text(c->core->note_text[NOTE_STATUS], "answered a request that is not open");
	/* The second time it was not told again. */
	check_uint(c->core->notes[NOTE_STATUS], 1);
	check_true(child_runs(c));
}

static void done_for_nobody_is_not_passed_on(void **state)
{
	struct child *c = *state;

	start(c, "done_unknown");
	check_int(ask(c, 5000), RESULT_FAILED);
	check_uint(c->core->n_dones, 1);
	check_uint(c->core->notes[NOTE_STATUS], 2);
}

static void a_flood_ends_at_the_credit(void **state)
{
	struct child *c = *state;

	c->core->credit = 64;
	c->core->stores = false;
	start(c, "flood");
	check_int(ask(c, 5000), RESULT_OK);
	check_uint(c->core->n_reports, 64);
	check_uint(c->core->notes[NOTE_FLOOD], 1);
	for (size_t i = 0; i < 64; i++) {
		check_uint(c->core->reports[i].seq, i + 1);
		check_near(c->core->reports[i].number, (double)i, 0);
	}
	/* Stored: there is credit again, and the numbers go on. */
	fake_core_store(c->core, 60, 64);
	fake_core_run(c->core, 50);
	check_int(ask(c, 5000), RESULT_OK);
	check_uint(c->core->n_reports, 64 + 60);
	check_uint(c->core->reports[64].seq, 65);
	check_true(child_runs(c));
}

/* Both behind the first stage (while it opens) and behind the second (at a command). */
static void denied(struct child *c, const char *plugin, size_t n, const int *first,
		   const int *second)
{
	start(c, plugin);
	check_int(ask(c, 5000), RESULT_OK);
	check_uint(c->core->n_reports, 2 * n);
	for (size_t i = 0; i < n; i++) {
		check_near(c->core->reports[i].number, first[i], 0);
		check_near(c->core->reports[n + i].number, second[i], 0);
	}
	check_true(child_runs(c));
}

static void fork_is_denied(void **state)
{
	denied(*state, "fork", 1, (const int[]){ EPERM }, (const int[]){ EPERM });
}

static void exec_is_denied(void **state)
{
	check_ok(access("/bin/true", X_OK));
	denied(*state, "exec", 1, (const int[]){ EPERM }, (const int[]){ EPERM });
}

static void files_are_denied(void **state)
{
	/* What is denied there is permitted here. */
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	check_true(fd >= 0);
	close(fd);
	fd = open("/tmp/gw-bad-file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	check_true(fd >= 0);
	close(fd);
	check_ok(unlink("/tmp/gw-bad-file"));
	denied(*state, "files", 3, (const int[]){ EACCES, EACCES, EACCES },
	       (const int[]){ EPERM, EPERM, EPERM });
	check_true(access("/tmp/gw-bad-file", F_OK) < 0);
}

static void the_network_is_denied(void **state)
{
	denied(*state, "inet", 3, (const int[]){ EPERM, EPERM, EPERM },
	       (const int[]){ EPERM, EPERM, EPERM });
}

static void the_network_is_there_when_the_configuration_says_so(void **state)
{
	struct child *c = *state;

	fake_core_option(c->core, "net", "yes");
	denied(c, "inet", 3, (const int[]){ 0, 0, EPERM }, (const int[]){ 0, 0, EPERM });
}

static bool has_hung(struct fake_core *core)
{
	return loop_now_ms(core->loop) - core->heard_ms > 2500;
}

/* A service manager's socket: the watchdog is fed while the loop turns, and no longer. */
static void a_hang_stops_beats_and_watchdog(void **state)
{
	struct child *c = *state;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char notify[160], got[256] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unsigned pings = 0;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", tmpdir_path(&c->dir, "notify"));
	check_ok(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", addr.sun_path);
	c->environment[0] = notify;
	c->environment[1] = "WATCHDOG_USEC=300000";
	start(c, "hang");
	fake_core_run(c->core, 1000);
	for (bool ready = false;;) {
		ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

		if (n < 0) {
			check_true(ready);
			break;
		}
		got[n] = '\0';
		ready = ready || strstr(got, "READY=1");
		pings += strstr(got, "WATCHDOG=1") != NULL;
	}
	check_true(pings >= 3);
	fake_core_command(c->core, &device, CAP_ON_OFF, value_bool(true), 1000);
	check_true(fake_core_until(c->core, has_hung, 5000));
	while (recv(fd, got, sizeof(got), 0) > 0)
		;
	fake_core_run(c->core, 500);
	check_true(recv(fd, got, sizeof(got), 0) < 0);
	check_uint(c->core->n_dones, 0);
	close(fd);
}

static void a_crash_while_opening(void **state)
{
	struct child *c = *state;
	int status;

	child_start(c, "crash_open");
	status = child_wait(c, WAIT_MS);
	check_true(status >= 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0));
	check_uint(c->core->n_opened, 0);
	check_uint(c->core->n_closed, 1);
}

static void a_crash_at_a_command(void **state)
{
	struct child *c = *state;
	int status;

	start(c, "crash_command");
	fake_core_command(c->core, &device, CAP_ON_OFF, value_bool(true), 1000);
	status = child_wait(c, WAIT_MS);
	check_true(status >= 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0));
	check_uint(c->core->n_closed, 1);
	check_uint(c->core->n_dones, 0);
	/* What the service manager would do now. */
	fake_core_forget(c->core);
	start(c, "crash_command");
	check_uint(c->core->n_devices, 1);
}

static void bad_addresses_and_values_stay_here(void **state)
{
	struct child *c = *state;

	start(c, "bad_address");
	check_int(ask(c, 5000), RESULT_OK);
	check_uint(c->core->n_device_msgs, 1);
	check_uint(c->core->n_reports, 0);
	check_uint(c->core->n_gone, 0);
	check_uint(c->core->n_claims, 0);
	check_uint(c->core->n_saves, 0);
	check_true(c->core->notes[NOTE_MALFORMED] >= 2);
	check_uint(c->core->notes[NOTE_BAD_VALUE], 1);
	check_uint(c->core->notes[NOTE_OVERSIZE], 1);
	check_true(child_runs(c));
}

/* Asks the radio; the result, and what was told is in the core. */
static int ask_radio(struct child *c, const char *verb)
{
	uint64_t req = fake_core_ask(c->core, verb, NULL, 0);

	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	fake_core_run(c->core, 50);
	check_uint(fake_core_answers(c->core, req), 1);
	return fake_core_result(c->core, req);
}

static void what_nobody_asked_is_not_told(void **state)
{
	struct child *c = *state;

	start(c, "tell_wrong");
	check_int(ask_radio(c, "info"), RESULT_OK);
	check_bytes(c->core->told, c->core->n_told, "{}", 2);
	check_text(c->core->note_text[NOTE_STATUS], "tells what it was not asked");
	check_uint(c->core->notes[NOTE_STATUS], 1);
	check_int(ask_radio(c, "map"), RESULT_UNKNOWN_CAPABILITY);
	check_true(child_runs(c));
}

static void an_answer_that_is_too_long_is_none(void **state)
{
	struct child *c = *state;

	start(c, "tell_much");
	check_int(ask_radio(c, "info"), RESULT_FAILED);
	check_true(c->core->n_told <= WIRE_ASK_MAX);
	check_text(c->core->note_text[NOTE_OVERSIZE], "tells more than an answer may be");
	check_true(child_runs(c));
}

static void joins_that_cannot_be_stay_here(void **state)
{
	struct child *c = *state;

	start(c, "joining_wrong");
	check_int(ask(c, 5000), RESULT_OK);
	for (int i = 0; i < JOIN_STAGES; i++)
		check_uint(c->core->n_joinings[i], 0);
	check_text(c->core->note_text[NOTE_MALFORMED], "says of a join what cannot be");
	check_uint(c->core->notes[NOTE_MALFORMED], 1);
}

static void a_plugin_of_minor_0_works_as_ever(void **state)
{
	struct child *c = *state;

	start(c, "minor0");
	check_uint(c->core->opened_flags, 0);
	check_int(ask(c, 5000), RESULT_OK);
	check_int(ask_radio(c, "info"), RESULT_UNKNOWN_CAPABILITY);
	check_uint(c->core->notes[NOTE_STATUS], 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(wrong_magic),
		CASE(short_size),
		CASE(wrong_name),
		CASE(no_symbol_is_found_out_without_running_it),
		CASE(unlisted_is_not_run),
		CASE(not_there),
		CASE(no_plugin_word),
		CASE(never_done_is_answered_for_it),
		CASE(done_twice_is_passed_on_once),
		CASE(done_for_nobody_is_not_passed_on),
		CASE(a_flood_ends_at_the_credit),
		CASE(fork_is_denied),
		CASE(exec_is_denied),
		CASE(files_are_denied),
		CASE(the_network_is_denied),
		CASE(the_network_is_there_when_the_configuration_says_so),
		CASE(a_hang_stops_beats_and_watchdog),
		CASE(a_crash_while_opening),
		CASE(a_crash_at_a_command),
		CASE(bad_addresses_and_values_stay_here),
		CASE(what_nobody_asked_is_not_told),
		CASE(an_answer_that_is_too_long_is_none),
		CASE(joins_that_cannot_be_stay_here),
		CASE(a_plugin_of_minor_0_works_as_ever),
	};

	return CHECK_RUN(rows);
}
