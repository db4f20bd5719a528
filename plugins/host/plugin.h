#pragma once
/* plugin - one shared object: found, trusted, fenced, loaded, and its descriptor checked, in that order.
 *
 *   above   host/adapter  host/check
 *   below   base/base  base/text  host/elf_symbol  host/trust  sdk/gw_adapter  sys/host
 *   owns    struct plugin_file: the open file, the loaded library
 *   limits  PLUGIN_PORTS_MAX PLUGIN_READS_MAX
 *
 * A failure is told in words (why), because who reads it is an installer or the author of the plugin.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "sys/host.h"

enum { PLUGIN_PORTS_MAX = 8, PLUGIN_READS_MAX = 8, PLUGIN_WHY_LEN = 256, PLUGIN_PATH_LEN = 512 };

struct plugin_place {
	const char *word;   /* "sim", or a path of a foreign one */
	const char *sha256; /* from the configuration, NULL: none */
	const char
		*dir;	/* NULL: the packaged folder and list; else dir/x.so and dir/plugins.list */
	bool untrusted; /* --check by its author: no list is asked */
	bool net;	/* the configuration allows IP sockets */
};

struct plugin_file {
	int fd;
	char path[PLUGIN_PATH_LEN];
	void *library;
	bool net;
	const struct gwa_plugin *desc;
	struct host_fence_state fence;
};

/* Opens the file and checks the symbol and the hash; nothing of it has run yet. -EPERM: not
 * trusted. */
must_check int plugin_find(const struct plugin_place *place, struct plugin_file *ret,
			   char why[PLUGIN_WHY_LEN]);
/* Puts up the fence's first stage, loads, checks the descriptor. From here on this process can load
 * nothing else. reads: files that the plugin may read, besides libraries; NULL-terminated. */
must_check int plugin_load(struct plugin_file *file, const char *const *reads,
			   char why[PLUGIN_WHY_LEN]);
/* After open(): the second stage. */
must_check int plugin_fence(struct plugin_file *file, const char *const *reads,
			    char why[PLUGIN_WHY_LEN]);
/* Is the descriptor one that this host can work with? */
must_check int plugin_check(const struct gwa_plugin *desc, char why[PLUGIN_WHY_LEN]);
bool plugin_can_ask(const struct gwa_plugin *desc); /* it is large enough, has it, and says so */
void plugin_deinit(struct plugin_file *file);
