#pragma once
/* options - the adapter's own section of the settings, as the core sends it: kept, compared, and parted in two.
 *
 *   above   host/adapter  host/check
 *   below   base/base  base/bytes  base/text  model/wire  sdk/gw_adapter
 *   owns    copies of keys and values
 *   limits  OPTIONS_MAX
 *   errors  OPTIONS_E_FULL
 *
 * Ours are: plugin, plugin.sha256, net, port.NAME. The plugin gets all others; those whose key ends in _file name a file
 * that it may read.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/wire.h"
#include "sdk/gw_adapter.h"

enum { OPTIONS_MAX = WIRE_OPTIONS_MAX };
enum { OPTIONS_E_FULL = 1 };

/* Zero-initialised is empty. */
struct options {
	struct gwa_opt all[OPTIONS_MAX];
	size_t n;
};

must_check int options_add(struct options *options, struct view key, struct view value);
const char *options_find(const struct options *options, const char *key); /* NULL: absent */
bool options_equal(const struct options *a, const struct options *b);
/* Those for the plugin; borrowed. */
size_t options_for_plugin(const struct options *options, struct gwa_opt ret[OPTIONS_MAX]);
/* Values of keys that begin with prefix; *cursor 0 at the start. NULL at the end; ret_rest is the
 * key's rest. */
const char *options_next(const struct options *options, const char *prefix, size_t *cursor,
			 const char **ret_rest);
/* Values of keys that end in _file. */
const char *options_next_file(const struct options *options, size_t *cursor);
void options_deinit(struct options *options);
