#pragma once
/* app_internal - what the files of app share.
 *
 *   above   app  app_status
 *   below   conf/conf  custody/custody  router/freshness  sys/db  sys/host  vault/vault
 *   owns    struct app
 *   limits  -
 */
#include <sys/types.h>
#include "app.h"
#include "conf/conf.h"
#include "custody/custody.h"
#include "router/freshness.h"
#include "sys/db.h"
#include "sys/host.h"
#include "vault/vault.h"

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
	struct db_migration migrations[2]; /* of gateway.db */
	uint8_t boot_id[HOST_BOOT_ID_LEN];
	uint32_t epoch;
	struct vault *vault;
	struct ring *ring;
	struct custody *custody;
	struct backup *backup;
	struct erase *erase;
	bool erased; /* the keys are gone; the files go when everything is closed */
	char doubt[FRESHNESS_WHY_MAX];  /* why this state may be older than it was; "" it is not */
	struct freshness_point point;   /* the record's newest checkpoint */
	char key_file[512], credential[512]; /* sources of the key-encryption key; credential "": none */
	uint64_t pages_refused, frames_lost; /* as the last alarm told */
	bool syslog_failed;
	unsigned wrong_passphrases;     /* before the vault was unlocked */
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

/* app_vault.c */
must_check int app_open_vault(struct app *app, char *error, size_t error_cap);
must_check int app_make_custody(struct app *app);
void app_close_vault(struct app *app);
/* in_db: starts that gateway.db knows of. ret: with this one. */
must_check int app_count_start(struct app *app, uint64_t in_db, uint64_t *ret);
void app_say_point(void *app); /* a checkpoint now, so that links hear where we stand */
void app_on_checkpoint(void *app, const struct audit_checkpoint *checkpoint);
void app_look_at_vault(struct app *app); /* raises what must be known of keys and pages */
extern const struct freshness_ops app_freshness_ops;

enum seal_suite app_suite(const struct conf *conf);
/* Also fills app->key_file and app->credential. -ENOENT: a credential is wanted and there is none. */
must_check int app_find_source(struct app *app, enum key_source *ret, const char **ret_path);
must_check int app_gateway_schema(struct app *app); /* app.c: app->schema and app->migrations */
/* app_backup.c */
must_check int app_make_backup(struct app *app);
void app_close_backup(struct app *app);
must_check int app_end_erasure(struct app *app); /* removes what is left of an erased gateway, if there is any */

int app_reload_by_door(void *app, char *error, size_t error_cap);
