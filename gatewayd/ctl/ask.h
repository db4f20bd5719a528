#pragma once
/* ask - a secret from a person: typed without echo, or a line of standard input. Never from argv or the environment.
 *
 *   above   -
 *   below   base/base  sys/crypto
 *   owns    nothing: the caller wipes
 *   limits  ASK_LEN_MAX
 *   errors  ASK_E_CANCELLED ASK_E_DIFFERENT ASK_E_LONG
 */
#include "base/base.h"

enum { ASK_LEN_MAX = 256 };
enum { ASK_E_CANCELLED = 1, ASK_E_DIFFERENT = 2, ASK_E_LONG = 3 };
/* As below, but what is typed is shown. */
must_check int ask_word(const char *prompt, bool from_stdin, char ret[ASK_LEN_MAX]);
/* from_stdin: the next line of it. twice: a new secret is typed twice at the terminal. -ENXIO: no terminal. */
must_check int ask_secret(const char *prompt, bool from_stdin, bool twice, char ret[ASK_LEN_MAX]);
