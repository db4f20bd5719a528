#pragma once
/* adapter - the program: one session with the core, one plugin behind the fence, and how they begin and end.
 *
 *   above   host/main
 *   below   base/base  base/text  host/host  host/options  host/plugin  model/wire  remote/session  sys/host  sys/log
 *           sys/loop
 *   owns    everything that runs in this process
 *   limits  -
 */
#include "base/base.h"

/* How it ended, as exit codes: sysexits(3). CONFIG: to start again would change nothing. */
enum adapter_exit {
	ADAPTER_STOPPED = 0,
	ADAPTER_FAULT = 70,
	ADAPTER_AGAIN = 75,
	ADAPTER_CONFIG = 78
};

struct adapter_options {
	const char *name;   /* the instance, as the core knows it */
	const char *socket; /* the core's */
	const char *plugin; /* NULL: the core's option "plugin" says, else the instance's name */
	const char *plugin_dir; /* NULL: the packaged one */
};

/* Until a signal, the plugin's failure, or a reason to start anew. */
enum adapter_exit adapter_run(const struct adapter_options *options);
