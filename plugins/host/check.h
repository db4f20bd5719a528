#pragma once
/* check - drives a plugin through its contract without a core and says, line by line, how it did.
 *
 *   above   host/main
 *   below   base/base  base/text  host/host  host/options  host/plugin  model/capability  model/command  model/device
 *           model/wire  sys/loop
 *   owns    nothing after check_run
 *   limits  -
 */
#include "base/base.h"
#include "host/options.h"

struct check_options {
	const char *file;
	struct options options;
};
/* "key=value". */
must_check int check_add_option(struct check_options *check, const char *key_value);
/* Prints "ok N - what" or "FAIL N - what: why". 0: all good; 1: not. */
int check_run(struct check_options *check);
