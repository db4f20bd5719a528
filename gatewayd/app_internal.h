#pragma once
/* app_internal - what app.c and app_status.c share.
 *
 *   above   app  app_status
 *   below   conf/conf  sys/host
 *   owns    struct app
 *   limits  -
 */
#include <sys/types.h>
#include "app.h"
#include "conf/conf.h"
#include "sys/host.h"

struct instance { /* a process we expect, by its user */
	uid_t uid;
	const char *name; /* conf's */
	bool is_link;
};

struct app {
	struct loop *loop;
	struct app_options options;
	struct conf *conf, *old_conf;
	char *schema;
	uint8_t boot_id[HOST_BOOT_ID_LEN];
	uint32_t epoch;
	struct store *store;
	unsigned gateway_db, spool_db;
	struct audit *audit;
	struct spool *spool;
	struct blobs *blobs;
	struct registry *registry;
	struct people *people;
	struct rulebook *rulebook;
	struct router *router;
	struct hub *hub;
	struct links *links;
	struct door *door;
	struct room *room;
	struct packet_server *wire;
	struct instance instances[CONF_ADAPTERS_MAX + CONF_LINKS_MAX];
	size_t n_instances;
	struct timer *health, *watch;
	uint64_t progress;
	int64_t started_ms, progress_ms, ping_ms, watchdog_ms;
};

int app_reload_by_door(void *app, char *error, size_t error_cap);
