#pragma once
/* arguments - the words behind a command, as the parameters of its method. Pure.
 *
 *   above   -
 *   below   base/base  base/text  ctl/command
 *   owns    nothing
 *   limits  -
 *   errors  ARGUMENTS_E_USAGE
 */
#include "base/base.h"
#include "ctl/command.h"

enum { ARGUMENTS_E_USAGE = 1 };
/* error says what was wrong. After "--" no word is taken for word=value. */
must_check int arguments_parse(const struct command *command, int argc, char *const *argv, char *error, size_t error_cap, struct json **ret);
