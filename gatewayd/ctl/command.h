#pragma once
/* command - one row a command of gatewayctl: its words, the method it calls, its parameters, how its answer is shown.
 *
 *   above   ctl/arguments
 *   below   base/base  base/text  ctl/perform  ctl/show  sys/json
 *   owns    the constant table
 *   limits  COMMAND_ARGS_MAX
 */
#include <stdio.h>
#include "base/base.h"
#include "sys/json.h"

enum { COMMAND_ARGS_MAX = 12 };
enum command_exit { EXIT_FINE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_NO_SESSION = 4 };
/* WORDS a,b; WINDOWS a;b; POINT DEVICE/CAPABILITY or DEVICE/ENDPOINT/CAPABILITY; VALUE is a text here and gets the type that the
 * core tells; ANCHOR SEQ:HEAD, as often as wanted. */
enum arg_kind { ARG_TEXT, ARG_NUMBER, ARG_REAL, ARG_FLAG, ARG_WORDS, ARG_WINDOWS, ARG_POINT, ARG_VALUE, ARG_ANCHOR };
enum arg_place { ARG_NEEDED, ARG_MORE, ARG_OPTION }; /* positional, positional that may be missing, word=value */
struct command_arg {
	const char *word;  /* how it is written: DEVICE, last */
	const char *param; /* the method's parameter */
	enum arg_kind kind;
	enum arg_place place;
	const char *help;
};

struct run;
struct command {
	const char *words, *method, *help; /* method NULL: perform finds its own way, there is no door yet */
	const struct command_arg *args;
	size_t n_args;
	void (*show)(FILE *out, const struct json *result); /* NULL: nothing but success */
	/* What is more than one call; NULL: run_command. params is taken. Returns an enum command_exit. */
	int (*perform)(struct run *run, const struct command *command, struct json *params);
	const char *pages; /* the result's list that goes on with "next" */
};
const struct command *command_at(size_t i);
/* The row with most words that argv begins with; *ret_words tells how many. NULL: none. */
const struct command *command_find(int argc, char *const *argv, int *ret_words);
/* "device set DEVICE CAPABILITY VALUE [endpoint=N]" */
void command_usage(const struct command *command, char *ret, size_t cap);
