#pragma once
/* links - the core's end of the links: devices and events down by what is shared, commands and acknowledgements up.
 *
 *   above   app
 *   below   adapter/peer  base/base  base/text  conf/conf  link/options  link/shares  router/alarms  router/freshness
 *           router/router  router/time_trust
 *   owns    one slot a link: its peer, its spool number, credit in flight
 *   limits  LINK_INFLIGHT_MAX
 *
 * A link process holds its client key and nothing else; policy, spool and counters stay here. Bare commands (profile
 * homeassistant: no id, times or counter) get a deadline of arrival + 10 s and source link-home.
 */
#include "adapter/peer.h"
#include "base/base.h"
#include "conf/conf.h"
#include "router/router.h"

enum { LINK_INFLIGHT_MAX = 512 };
struct links;
struct links_stats {
	const char *name, *profile;
	bool up, connected;
	pid_t pid;
	char endpoint[128], detail[160];
	uint64_t n_sent, n_acked, n_commands, n_refused, n_notes[NOTES];
	size_t in_flight;
	struct spool_stats spool;
};
must_check int links_new(struct loop *loop, struct router *router, struct registry *registry, struct spool *spool, struct audit *audit,
			 uint64_t epoch, const struct conf *conf, struct links **ret);
struct links *links_close(struct links *links);
void links_set_conf(struct links *links, const struct conf *conf); /* after SIGHUP; links themselves are the same */
void links_accept(struct links *links, const char *name, struct packet_conn *conn); /* takes conn */
bool links_stats_at(const struct links *links, size_t i, struct links_stats *ret);
