/* gatewayd-adapter --check: passes what keeps the contract, and names what a bad plugin does. */
#include "child.h"

#include <sys/wait.h>

enum { WAIT_MS = 30000 };

static int setup(void **state)
{
	struct child *c = calloc(1, sizeof(*c));

	child_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	child_deinit(*state);
	free(*state);
	return 0;
}

static void start(struct child *c, const char *dir, const char *plugin, const char *option)
{
	char path[512];
	const char *args[] = { "--check", path, option ? "--option" : NULL, option, NULL };

	snprintf(path, sizeof(path), "%s/%s.so", dir, plugin);
	unlink(c->log);
	child_start_args(c, args);
}

static int end(struct child *c)
{
	int status = child_wait(c, WAIT_MS);

	check_true(status >= 0 && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void good_plugins_pass(void **state)
{
	struct child *c = *state;

	start(c, c->bad_dir, "null", NULL);
	check_int(end(c), 0);
	check_true(child_said(c, "PASS"));
	check_true(!child_said(c, "FAIL"));
	start(c, c->bad_dir, "minor0", NULL);
	check_int(end(c), 0);
	check_true(!child_said(c, "radio"));
	start(c, getenv("GW_BUILD_ROOT"), "sim", "period_ms=20");
	check_int(end(c), 0);
	check_true(child_said(c, "PASS"));
	check_true(child_said(c, "answers what its radio is asked"));
}

static void bad_plugins_are_named(void **state)
{
	static const struct {
		const char *plugin, *words;
	} rows[] = {
		{ "no_symbol", "exports no gwa_plugin_v1" },
		{ "wrong_magic", "magic number" },
		{ "short_size", "too short" },
		{ "wrong_name", "its name is not one" },
		{ "never_done", "did not answer a request in time" },
		{ "done_twice", "answered a request that is not open" },
		{ "done_unknown", "answered a request that is not open" },
		{ "flood", "reports on and on without credit" },
		{ "crash_command", "crashed" },
		{ "bad_address", "described a device wrongly" },
		{ "after_close", "calls after it was closed" },
		{ "ask_silent", "an answer is missing" },
		{ "tell_much", "tells more than an answer may be" },
		{ "tell_wrong", "tells what it was not asked" },
		{ "joining_wrong", "says of a join what cannot be" },
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	struct child *all = calloc(N, sizeof(*all));

	(void)state;
	/* All at once: what they do most of the time is wait. */
	for (size_t i = 0; i < N; i++) {
		child_init(&all[i]);
		start(&all[i], all[i].bad_dir, rows[i].plugin, NULL);
	}
	for (size_t i = 0; i < N; i++) {
		int code = end(&all[i]);

		if (code != 1 || !child_said(&all[i], "FAIL") ||
		    !child_said(&all[i], rows[i].words))
			fail_msg("%s: exit code %d, or not \"%s\"", rows[i].plugin, code,
				 rows[i].words);
		child_deinit(&all[i]);
	}
	free(all);
}

static void what_is_no_plugin(void **state)
{
	struct child *c = *state;
	const char *args[] = { "--check", tmpdir_write(&c->dir, "x.so", "hello"), NULL };
	const char *bad_option[] = { "--check", "x.so", "--option", "novalue", NULL };
	int status;

	child_start_args(c, args);
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), 1);
	check_true(child_said(c, "is no shared object of this machine"));
	child_start_args(c, bad_option);
	status = child_wait(c, WAIT_MS);
	check_int(WEXITSTATUS(status), 64);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup_teardown(good_plugins_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_plugins_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_plugin, setup, teardown),
	};

	return CHECK_RUN(rows);
}
