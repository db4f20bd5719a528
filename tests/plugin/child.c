#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sys/crypto.h"

extern char **environ;

void child_init(struct child *child)
{
	const char *build = getenv("GW_BUILD_ROOT");

	assert_non_null(build);
	memset(child, 0, sizeof(*child));
	child->keep_fd = -1;
	tmpdir_init(&child->dir);
	text_copy(child->socket, sizeof(child->socket), tmpdir_path(&child->dir, "wire.sock"));
	text_copy(child->log, sizeof(child->log), tmpdir_path(&child->dir, "log"));
	text_print(child->program, sizeof(child->program), "%s/gatewayd-adapter", build);
	text_print(child->bad_dir, sizeof(child->bad_dir), "%s/tests/plugin", build);
	check_ok(crypto_init());
	check_ok(loop_new(&child->loop));
	child->core = fake_core_new(child->loop, child->socket);
}

void child_deinit(struct child *child)
{
	if (child->pid) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	fake_core_free(child->core);
	loop_free(child->loop);
	tmpdir_deinit(&child->dir);
}

static void make_environment(struct child *child, char **ret, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; child->environment[i]; i++)
		ret[n++] = (char *)(uintptr_t)child->environment[i];
	for (char **e = environ; *e && n < cap - 1; e++)
		ret[n++] = *e;
	ret[n] = NULL;
}

void child_start_args(struct child *child, const char *const *args)
{
	posix_spawn_file_actions_t actions;
	char *argv[16] = { child->program }, *envp[256];
	size_t n = 1;

	assert_int_equal(child->pid, 0);
	while (*args && n < 15)
		argv[n++] = (char *)(uintptr_t)*args++;
	make_environment(child, envp, 256);
	check_ok(posix_spawn_file_actions_init(&actions));
	check_ok(posix_spawn_file_actions_addopen(&actions, 2, child->log,
						  O_WRONLY | O_CREAT | O_APPEND, 0600));
	check_ok(posix_spawn_file_actions_adddup2(&actions, 2, 1));
	if (child->keep_fd >= 0)
		check_ok(
			posix_spawn_file_actions_adddup2(&actions, child->keep_fd, child->keep_fd));
	check_ok(posix_spawn(&child->pid, child->program, &actions, NULL, argv, envp));
	posix_spawn_file_actions_destroy(&actions);
}

void child_start(struct child *child, const char *plugin)
{
	const char *args[] = {
		"t",	    "--socket", child->socket, "--plugin-dir", child->bad_dir,
		"--plugin", plugin,	NULL
	};

	if (!plugin)
		args[5] = NULL;
	/* Ours are where the programs are. */
	else if (strcmp(plugin, "sim") == 0)
		args[4] = getenv("GW_BUILD_ROOT");
	child_start_args(child, args);
}

int child_wait(struct child *child, int64_t ms)
{
	int status;

	for (int64_t end = loop_now_ms(child->loop) + ms; loop_now_ms(child->loop) < end;) {
		pid_t pid = waitpid(child->pid, &status, WNOHANG);

		if (pid == child->pid) {
			child->pid = 0;
			fake_core_run(child->core, 20);
			return status;
		}
		fake_core_run(child->core, 20);
	}
	return -1;
}

void child_signal(struct child *child, int signum)
{
	check_ok(kill(child->pid, signum));
}

bool child_said(struct child *child, const char *words)
{
	char text[65536];
	FILE *f = fopen(child->log, "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return strstr(text, words) != NULL;
}

bool child_runs(struct child *child)
{
	return child->pid && waitpid(child->pid, NULL, WNOHANG) == 0;
}
