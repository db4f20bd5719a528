#pragma once
/* options - a link's settings as the key and value texts that its process is sent in its first second.
 *
 *   above   link/links
 *   below   adapter/peer  base/base  base/text  conf/conf
 *   owns    the texts it makes
 *   limits  -
 */
#include "adapter/peer.h"
#include "base/base.h"
#include "conf/conf.h"

struct link_options {
	struct peer_option rows[WIRE_OPTIONS_MAX];
	size_t n;
};
must_check int link_options_init(struct link_options *options, const struct conf_link *conf);
void link_options_deinit(struct link_options *options);
