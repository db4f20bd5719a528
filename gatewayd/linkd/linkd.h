#pragma once
/* linkd - the program: one session with the core, one connection to a broker, one profile between them.
 *
 *   above   linkd/main
 *   below   base/base  base/text  linkd/dialer  linkd/mqtt  linkd/outlet  linkd/profile  linkd/settings  model/wire
 *           remote/session  sys/crypto  sys/host  sys/log  sys/loop  sys/tls
 *   owns    everything that runs in this process
 *   limits  -
 */
#include "base/base.h"

/* How it ended, as exit codes: sysexits(3). CONFIG: to start again would change nothing. */
enum linkd_exit { LINKD_STOPPED = 0, LINKD_FAULT = 70, LINKD_AGAIN = 75, LINKD_CONFIG = 78 };

/* Until a signal, or a reason to start anew. */
enum linkd_exit linkd_run(const char *name, const char *socket);
