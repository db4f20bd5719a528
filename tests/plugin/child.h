#pragma once
/* child - a gatewayd-adapter process of a test, and the fake core that it talks to.
 *
 *	struct child c;
 *	child_init(&c);                        a folder, a loop, a core
 *	fake_core_option(c.core, "seed", "3");
 *	child_start(&c, "sim");                gatewayd-adapter t --plugin sim
 *	...
 *	child_deinit(&c);                      kills what still runs
 */
#include "check.h"

#include <sys/types.h>

#include "fake_core.h"
#include "tmpdir.h"

struct child {
	struct tmpdir dir;
	char socket[108], log[108], bad_dir[256], program[256];
	struct loop *loop;
	struct fake_core *core;
	pid_t pid;   /* 0: none */
	int keep_fd; /* passed on to the child under its own number; -1 */
	const char *environment[8];
};

void child_init(struct child *child);
void child_deinit(struct child *child);
/* plugin of the test's folder, with its list; NULL: none named. */
void child_start(struct child *child, const char *plugin);
void child_start_args(struct child *child, const char *const *args); /* after the program's name */
/* Waits for its end while the core goes on; the wait status, -1 when it did not end in time. */
int child_wait(struct child *child, int64_t ms);
void child_signal(struct child *child, int signum);
bool child_said(struct child *child, const char *words); /* on stderr or stdout so far */
bool child_runs(struct child *child);
