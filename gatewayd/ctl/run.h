#pragma once
/* run - one command carried out: asked, answered, shown; every failure an exit code and a line that says why.
 *
 *   above   main  ctl/perform  ctl/broker
 *   below   base/base  base/text  ctl/arguments  ctl/client  ctl/command  ctl/keep  ctl/plain  sys/crypto
 *   owns    struct run
 *   limits  -
 */
#include <stdio.h>
#include "base/base.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/keep.h"

struct run {
	struct client *client;
	FILE *out, *err;
	const char *socket;
	bool json, password_stdin;
	char token_path[512]; /* "" when there is no place for a session */
};
/* argv begins with the command's words. Connects, acts, shows. Returns an enum command_exit. */
int run_main(struct run *run, int argc, char *const *argv);
/* One call. 0 and *ret, or an exit code after the reason was said. params is taken. */
int run_call(struct run *run, const char *method, struct json *params, struct json **ret);
/* The usual: call, all pages, show. */
int run_command(struct run *run, const struct command *command, struct json *params);
void run_show(struct run *run, const struct command *command, const struct json *result);
void run_complain(struct run *run, const char *fmt, ...) printf_like(2, 3);
