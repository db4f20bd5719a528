/* The life of gatewayd-adapter: what a plugin gets from it, cores that come and go, how it ends,
 * what it refuses. */
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"
#include "host/plugin.h"
#include "sys/crypto.h"
#include "sys/packet.h"

enum { EXIT_AGAIN = 75, EXIT_CONFIG = 78, EXIT_USAGE = 64, WAIT_MS = 10000, CAP_WORDS = 0x8002 };

static const struct address probe = { .len = 2, .bytes = { 0xab, 1 } };

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
		fail_msg("%s did not open: %s", plugin ? plugin : "it", c->core->opened_reason);
}

static bool said_text(struct child *c, const char *text)
{
	for (size_t i = 0; i < c->core->n_reports; i++) {
		if (c->core->reports[i].cap == CAP_WORDS &&
		    strcmp(c->core->reports[i].text, text) == 0)
			return true;
	}
	return false;
}

/* Within a generous time: the machine may be busy. */
static bool comes_to_say(struct child *c, const char *text)
{
	for (int i = 0; i < WAIT_MS / 20 && !said_text(c, text); i++)
		fake_core_run(c->core, 20);
	return said_text(c, text);
}

static void it_says_who_it_is(void **state)
{
	struct child *c = *state;

	start(c, "probe");
	check_text(c->core->name, "t");
	check_uint(c->core->n_devices, 1);
	/* A name of 71 bytes is cut at 64. */
	check_uint(strlen(c->core->devices[0]->name), DEVICE_TEXT_MAX);
	check_uint(c->core->opened_flags, 0);
}

static void options_reach_the_plugin_but_ours(void **state)
{
	struct child *c = *state;

	fake_core_option(c->core, "colour", "red");
	fake_core_option(c->core, "plugin", "probe");
	fake_core_option(c->core, "ca_file", "/etc/hostname");
	start(c, NULL);
	check_true(comes_to_say(c, "colour"));
	check_true(comes_to_say(c, "ca_file"));
	check_true(!said_text(c, "plugin"));
}

static void timers_and_blobs(void **state)
{
	struct child *c = *state;

	start(c, "probe");
	check_true(comes_to_say(c, "tick"));
	check_uint(c->core->n_states, 1);
	check_text(c->core->states[0].key, "boots");
	check_bytes(c->core->states[0].data, c->core->states[0].len, "x", 1);
	child_signal(c, SIGTERM);
	check_int(child_wait(c, WAIT_MS), 0);
	/* The next one is given what the first saved. */
	fake_core_forget(c->core);
	start(c, "probe");
	check_true(comes_to_say(c, "x"));
	check_bytes(c->core->states[0].data, c->core->states[0].len, "xx", 2);
}

static void a_port_is_an_open_descriptor(void **state)
{
	struct child *c = *state;
	char where[32], got[8] = "";
	uint64_t req;
	int fds[2];

	check_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	c->keep_fd = fds[1];
	snprintf(where, sizeof(where), "fd:%d", fds[1]);
	fake_core_option(c->core, "port.radio", where);
	start(c, "probe");
	close(fds[1]);
	check_true(!said_text(c, "port.radio"));
	check_int(write(fds[0], "hello", 5), 5);
	check_true(comes_to_say(c, "hello"));
	req = fake_core_command(c->core, &probe, CAP_ON_OFF, value_bool(true), 1000);
	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	check_int(fake_core_result(c->core, req), RESULT_OK);
	check_int(read(fds[0], got, 2), 2);
	check_text(got, "on");
	child_signal(c, SIGTERM);
	check_int(child_wait(c, WAIT_MS), 0);
	check_int(read(fds[0], got, 3), 3);
	check_bytes(got, 3, "bye", 3);
	close(fds[0]);
}

static void a_port_that_is_not_there(void **state)
{
	struct child *c = *state;
	int status;

	fake_core_option(c->core, "port.radio", "/dev/no-such-stick");
	child_start(c, "probe");
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), EXIT_AGAIN);
	check_true(strstr(c->core->opened_reason, "/dev/no-such-stick") != NULL);
}

static void a_plugin_that_gives_up_is_started_again_by_others(void **state)
{
	struct child *c = *state;
	int status;

	start(c, "probe");
	fake_core_command(c->core, &probe, CAP_ON_OFF, value_bool(false), 1000);
	status = child_wait(c, WAIT_MS);
	check_true(WIFEXITED(status));
	check_int(WEXITSTATUS(status), EXIT_AGAIN);
	check_true(child_said(c, "told to"));
	check_uint(c->core->n_closed, 1);
}

static void a_core_that_comes_later_is_found(void **state)
{
	struct child *c = *state;

	packet_server_close(c->core->server);
	c->core->server = NULL;
	child_start(c, "probe");
	for (int i = 0; i < WAIT_MS / 20 && !child_said(c, "cannot be reached yet"); i++)
		fake_core_run(c->core, 20);
	check_true(child_said(c, "cannot be reached yet"));
	check_true(child_runs(c));
	fake_core_free(c->core);
	c->core = fake_core_new(c->loop, c->socket);
	check_true(fake_core_until(c->core, fake_core_is_synced, WAIT_MS));
}

static void a_new_core_hears_everything_again(void **state)
{
	struct child *c = *state;
	uint64_t first, n;

	c->core->stores = false;
	fake_core_option(c->core, "period_ms", "50");
	start(c, "sim");
	while (c->core->n_reports <= 20)
		fake_core_run(c->core, 20);
	check_uint(c->core->n_devices, 5);
	fake_core_store(c->core, 10, 256);
	fake_core_run(c->core, 50);
	n = c->core->n_reports;
	for (size_t i = 0; i < n; i++)
		check_true(!c->core->reports[i].again);
	first = c->core->reports[10].cap;

	fake_core_drop(c->core);
	fake_core_forget(c->core);
	c->core->epoch++;
	check_true(fake_core_until(c->core, fake_core_is_synced, 2000));
	fake_core_run(c->core, 300);
	check_uint(c->core->n_hellos, 1);
	check_uint(c->core->n_device_msgs, 5);
	/* What was not stored comes again, with the same numbers, and in order. */
	check_true(c->core->n_reports >= n - 10);
	for (size_t i = 0; i < c->core->n_reports; i++)
		check_uint(c->core->reports[i].seq, 11 + i);
	/* And marked: the old core may have taken them without having said so. */
	for (size_t i = 0; i < n - 10; i++)
		check_true(c->core->reports[i].again);
	check_true(!c->core->reports[c->core->n_reports - 1].again);
	check_uint(c->core->reports[0].cap, first);
	check_true(child_runs(c));
}

static void a_silent_core_is_left(void **state)
{
	struct child *c = *state;

	c->core->no_beats = true;
	c->core->stores = false;
	start(c, "null");
	fake_core_forget(c->core);
	check_true(fake_core_until(c->core, fake_core_is_synced, WIRE_HANG_MS + 3000));
	check_true(child_said(c, "the core is silent"));
	check_uint(c->core->n_hellos, 1);
}

static void answers_of_an_old_core_do_not_reach_the_new(void **state)
{
	struct child *c = *state;
	struct address lamp = { .len = 8, .bytes = { 's', 'i', 'm', 0, 1, 0, 0, 0 } };
	uint64_t req;

	fake_core_option(c->core, "slow_ms", "700");
	fake_core_option(c->core, "devices", "lamp=1");
	start(c, "sim");
	fake_core_command(c->core, &lamp, CAP_ON_OFF, value_bool(true), 5000);
	fake_core_run(c->core, 50);
	fake_core_drop(c->core);
	fake_core_forget(c->core);
	check_true(fake_core_until(c->core, fake_core_is_synced, 2000));
	/* The same number, another question. */
	req = fake_core_command(c->core, &lamp, CAP_LEVEL, value_int(1000), 5000);
	check_uint(req, 1);
	fake_core_run(c->core, 1500);
	check_uint(fake_core_answers(c->core, 1), 1);
	check_int(fake_core_result(c->core, 1), RESULT_BAD_VALUE);
	check_uint(c->core->notes[NOTE_STATUS], 0);
}

static void other_options_end_it(void **state)
{
	struct child *c = *state;
	int status;

	start(c, "null");
	fake_core_option(c->core, "new", "1");
	fake_core_drop(c->core);
	status = child_wait(c, WAIT_MS);
	check_true(WIFEXITED(status));
	check_int(WEXITSTATUS(status), EXIT_AGAIN);
}

/* A plugin of one's own, outside of every list, with its hash in the configuration. */
static void copy_null(struct child *c, char path[256], char hash[65], bool change)
{
	char from[300], text[65536];
	uint8_t digest[CRYPTO_HASH_LEN];
	size_t n;
	FILE *f;

	snprintf(from, sizeof(from), "%s/null.so", c->bad_dir);
	snprintf(path, 256, "%s", tmpdir_path(&c->dir, "mine.so"));
	f = fopen(from, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	assert_true(feof(f) && n > 0);
	fclose(f);
	crypto_sha256(text, n, digest);
	hex_print(digest, sizeof(digest), hash);
	if (change)
		text[n - 1] ^= 1;
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fwrite(text, 1, n, f) == n);
	fclose(f);
}

static void a_foreign_plugin_needs_its_hash(void **state)
{
	struct child *c = *state;
	char path[256], hash[65];
	int status;

	copy_null(c, path, hash, false);
	fake_core_option(c->core, "plugin", path);
	child_start(c, NULL);
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), EXIT_CONFIG);
	check_true(child_said(c, "in no list"));
	fake_core_forget(c->core);
	fake_core_option(c->core, "plugin.sha256", hash);
	start(c, NULL);
	check_text(c->core->devices[0]->name, "nowhere");
}

static void a_changed_plugin_is_refused(void **state)
{
	struct child *c = *state;
	char path[256], hash[65];
	int status;

	copy_null(c, path, hash, true);
	fake_core_option(c->core, "plugin", path);
	fake_core_option(c->core, "plugin.sha256", hash);
	child_start(c, NULL);
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), EXIT_CONFIG);
	check_true(child_said(c, "another than the listed"));
}

static void files_that_the_configuration_names_may_be_read(void **state)
{
	struct child *c = *state;
	const struct address one = { .len = 1, .bytes = { 1 } };

	fake_core_option(c->core, "users_file", "/etc/passwd");
	start(c, "files");
	fake_core_command(c->core, &one, CAP_ON_OFF, value_bool(true), 1000);
	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	check_uint(c->core->n_reports, 6);
	/* passwd may be read in both stages; shadow and /tmp in none. */
	check_near(c->core->reports[0].number, 0, 0);
	check_near(c->core->reports[1].number, EACCES, 0);
	check_near(c->core->reports[2].number, EACCES, 0);
	check_near(c->core->reports[3].number, 0, 0);
	check_near(c->core->reports[4].number, EACCES, 0);
	check_near(c->core->reports[5].number, EACCES, 0);
}

static void too_many_files(void **state)
{
	struct child *c = *state;
	char key[32];
	int status;

	for (int i = 0; i <= PLUGIN_READS_MAX; i++) {
		snprintf(key, sizeof(key), "f%d_file", i);
		fake_core_option(c->core, key, "/etc/passwd");
	}
	child_start(c, "null");
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), EXIT_CONFIG);
	check_true(child_said(c, "more than 8 options ..._file"));
}

static void the_command_line(void **state)
{
	struct child *c = *state;
	const char *bad[] = { "t", "--no-such-option", NULL }, *two[] = { "t", "u", NULL },
		   *none[] = { NULL }, *help[] = { "--help", NULL },
		   *version[] = { "--version", NULL };
	const struct {
		const char **args;
		int code;
		const char *words;
	} rows[] = {
		{ bad, EXIT_USAGE, "usage:" },	     { two, EXIT_USAGE, "usage:" },
		{ none, EXIT_USAGE, "usage:" },	     { help, 0, "usage:" },
		{ version, 0, "gatewayd-adapter " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status;

		unlink(c->log);
		child_start_args(c, rows[i].args);
		status = child_wait(c, WAIT_MS);
		check_true(WIFEXITED(status));
		check_int(WEXITSTATUS(status), rows[i].code);
		check_true(child_said(c, rows[i].words));
	}
}

static void a_signal_ends_it_at_any_time(void **state)
{
	struct child *c = *state;
	int status;

	packet_server_close(c->core->server);
	c->core->server = NULL;
	child_start(c, "null");
	fake_core_run(c->core, 300);
	child_signal(c, SIGTERM);
	status = child_wait(c, WAIT_MS);
	check_int(status, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(it_says_who_it_is),
		CASE(options_reach_the_plugin_but_ours),
		CASE(timers_and_blobs),
		CASE(a_port_is_an_open_descriptor),
		CASE(a_port_that_is_not_there),
		CASE(a_plugin_that_gives_up_is_started_again_by_others),
		CASE(a_core_that_comes_later_is_found),
		CASE(a_new_core_hears_everything_again),
		CASE(a_silent_core_is_left),
		CASE(answers_of_an_old_core_do_not_reach_the_new),
		CASE(other_options_end_it),
		CASE(a_foreign_plugin_needs_its_hash),
		CASE(a_changed_plugin_is_refused),
		CASE(files_that_the_configuration_names_may_be_read),
		CASE(too_many_files),
		CASE(the_command_line),
		CASE(a_signal_ends_it_at_any_time),
	};

	return CHECK_RUN(rows);
}
