/* The drawing of the house, as code: parts are made from the lowest row to the highest, wired in one block, started, and
 * stopped in reverse. Whoever wants to know who knows whom reads this file and no other. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "adapter/blobs.h"
#include "adapter/hub.h"
#include "app.h"
#include "app_internal.h"
#include "audit/audit.h"
#include "base/text.h"
#include "custody/backup.h"
#include "custody/erase.h"
#include "custody/ring.h"
#include "door/door.h"
#include "link/links.h"
#include "people/people.h"
#include "policy/rulebook.h"
#include "registry/registry.h"
#include "room.h"
#include "router/alarms.h"
#include "router/automation.h"
#include "router/freshness.h"
#include "router/replay.h"
#include "router/router.h"
#include "spool/spool.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/packet.h"
#include "sys/store.h"

enum { HEALTH_MS = 30000, WATCH_MS = 1000 };

static const char meta_schema_1[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;";

static int say(char *error, size_t cap, int r, const char *what)
{
	if (r != 0 && cap && !error[0])
		text_print(error, cap, "%s: %s", what, r < 0 ? strerror(-r) : "refused");
	return r;
}

/* gateway.db's version 1 is what every module of it asks for, in one transaction; version 2 what the registry asked for later. */
int app_gateway_schema(struct app *app)
{
	const char *parts[] = { meta_schema_1,     registry_schema_1, people_schema_1,     rulebook_schema_1, blobs_schema_1,
				alarms_schema_1,   automation_schema_1, replay_schema_1,   freshness_schema_1,
				custody_schema_1,  backup_schema_1,	audit_outbox_schema };
	size_t len = 1;
	for (size_t i = 0; i < N_ELEMENTS(parts); i++)
		len += strlen(parts[i]) + 1;
	app->schema = calloc(1, len);
	if (!app->schema)
		return -ENOMEM;
	for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
		text_append(app->schema, len, "%s", parts[i]);
		text_append(app->schema, len, "\n");
	}
	app->migrations[0] = (struct db_migration){ 1, app->schema };
	app->migrations[1] = (struct db_migration){ 2, registry_schema_2 };
	return 0;
}

static int open_stores(struct app *app)
{
	char path[512];
	int r = app_gateway_schema(app);
	if (r != 0)
		return r;
	const struct db_options gateway = { .sync = DB_SYNC_EXTRA, .migrations = app->migrations,
					    .n_migrations = N_ELEMENTS(app->migrations), .keys = ring_pages(app->ring) };
	const struct db_options spool = { .sync = DB_SYNC_NORMAL, .migrations = spool_migrations, .n_migrations = spool_n_migrations,
					  .keys = ring_pages(app->ring) };
	r = store_new(app->loop, &app->store);
	text_print(path, sizeof(path), "%s/gateway.db", app->conf->state_dir);
	if (r == 0)
		r = store_add(app->store, "gateway", path, &gateway, &app->gateway_db);
	text_print(path, sizeof(path), "%s/spool.db", app->conf->state_dir);
	if (r == 0)
		r = store_add(app->store, "spool", path, &spool, &app->spool_db);
	return r;
}

/* One more than at the last start: event numbers and peers' epochs rise for ever. And what a restored backup left to be said. */
static int next_epoch(struct app *app)
{
	struct db *db = store_db(app->store, app->gateway_db);
	uint64_t starts = 0;
	struct stmt *s;
	int r = db_prepare(db, "SELECT value FROM meta WHERE key = 'epoch'", &s);
	if (r == 0)
		r = stmt_step(s);
	if (r < 0)
		return r;
	if (r == 1)
		starts = (uint64_t)stmt_i64(s, 0);
	stmt_reset(s);
	r = app_count_start(app, starts, &starts);
	if (r == 0)
		r = db_prepare(db, "INSERT INTO meta (key, value) VALUES ('epoch', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, (int64_t)starts);
	app->epoch = (uint32_t)starts;
	r = db_begin(db);
	if (r == 0)
		r = stmt_run(s);
	if (r == 0)
		r = db_exec(db, "INSERT INTO freshness (one, why, seen, accepted) SELECT 1, 'a backup was restored', 0, 0 FROM meta"
				" WHERE key = 'restored' ON CONFLICT (one) DO UPDATE SET why = excluded.why");
	if (r == 0)
		r = db_exec(db, "DELETE FROM meta WHERE key = 'restored'");
	if (r == 0)
		r = db_commit(db);
	else
		db_rollback(db);
	return r;
}

static int make_rows_3_to_5(struct app *app)
{
	const struct conf *conf = app->conf;
	const struct audit_options audit = { .folder = conf->state_dir,
					     .hash = conf->audit_sm3 || conf->vault_suite == SUITE_SM ? CRYPTO_SM3 : CRYPTO_SHA256,
					     .boot_id = app->boot_id,
					     .segment_bytes_max = conf->audit_segment_bytes,
					     .seal = ring_seal(app->ring) };
	const struct spool_options spool = { .bytes_max = conf->spool_bytes_max };
	const struct registry_options registry = { .maker = conf->maker, .product = conf->product, .epoch = app->epoch };
	const struct people_options people = {
		.cost = { conf->password_mem_kib, conf->password_passes },
		.session_idle_s = conf->session_idle_s,
		.session_absolute_s = conf->session_absolute_s,
		.sessions_per_user = conf->sessions_per_user,
		.sessions_max = conf->sessions_max,
		.lock_tries = conf->lock_tries,
		.lock_window_s = conf->lock_window_s,
		.lock_s = conf->lock_s,
		.code_life_s = conf->code_life_s,
		.code_tries = conf->code_tries,
	};
	int r = audit_new(app->loop, app->store, &audit, &app->audit);
	if (r == 0)
		r = audit_attach_outbox(app->audit, app->gateway_db);
	if (r == 0)
		r = spool_new(app->loop, app->store, app->spool_db, &spool, &app->spool);
	if (r == 0)
		r = spool_load(app->spool);
	if (r == 0)
		r = app_make_custody(app);
	if (r == 0)
		r = app_make_backup(app);
	if (r == 0)
		r = blobs_new(app->store, app->gateway_db, &app->blobs);
	if (r == 0)
		r = blobs_load(app->blobs);
	if (r == 0)
		r = registry_new(app->loop, app->store, app->gateway_db, &registry, &app->registry);
	if (r == 0)
		r = registry_load(app->registry);
	if (r == 0)
		r = people_new(app->loop, app->store, app->gateway_db, app->audit, &people, &app->people);
	if (r == 0)
		r = people_load(app->people);
	if (r == 0)
		r = rulebook_new(app->loop, app->store, app->gateway_db, app->audit, &app->rulebook);
	if (r == 0)
		r = rulebook_load(app->rulebook);
	return r;
}

static int make_rows_6_to_7(struct app *app)
{
	const struct conf *conf = app->conf;
	const struct router_parts parts = { .loop = app->loop, .store = app->store, .db = app->gateway_db, .audit = app->audit,
					    .spool = app->spool, .registry = app->registry, .people = app->people, .rulebook = app->rulebook,
					    .freshness_ops = &app_freshness_ops, .freshness_ctx = app };
	const struct router_options options = { .timezone = conf->timezone,
						.rule_depth_max = conf->rule_depth_max,
						.rule_rate_per_minute = conf->rule_rate_per_minute,
						.no_system_clock = app->options.no_system_clock };
	int r = router_new(&parts, &options, &app->router);
	if (r == 0)
		r = router_load(app->router);
	if (r == 0)
		r = hub_new(app->loop, app->blobs, app->audit, app->epoch, &router_hub_ops, app->router, &app->hub);
	if (r == 0)
		r = links_new(app->loop, app->router, app->registry, app->spool, app->audit, app->epoch, conf, &app->links);
	return r;
}

/* Who hears whom. */
static void wire_up(struct app *app)
{
	router_set_hub(app->router, app->hub);
	audit_newest_checkpoint(app->audit, &app->point.number, &app->point.size);
	app->point.starts = app->epoch;
	audit_on_checkpoint(app->audit, app_on_checkpoint, app);
	registry_listen(app->registry, &router_registry_ops, app->router);
	people_set_put_owner(app->people, registry_put_owner);
}

static int make_room(struct app *app)
{
	const struct room_parts parts = { .loop = app->loop, .store = app->store, .audit = app->audit, .spool = app->spool,
					  .alarms = router_alarms(app->router), .folder = app->conf->state_dir,
					  .audit_bytes_max = app->conf->audit_bytes_max, .spool_bytes_max = app->conf->spool_bytes_max,
					  .spool_db = app->spool_db, .keep_days = app->conf->audit_keep_days };
	return room_new(&parts, &app->room);
}

static int add_option(struct peer_option *rows, size_t *n, const char *key, const char *value)
{
	if (!value || !value[0])
		return 0;
	if (*n == WIRE_OPTIONS_MAX)
		return -ENOSPC;
	rows[(*n)++] = (struct peer_option){ key, value };
	return 0;
}

static int add_adapter(struct app *app, const struct conf_adapter *adapter)
{
	struct peer_option rows[WIRE_OPTIONS_MAX];
	char ports[8][64];
	size_t n = 0;
	int r = add_option(rows, &n, "plugin", adapter->plugin);
	if (r == 0)
		r = add_option(rows, &n, "plugin.sha256", adapter->sha256);
	for (size_t i = 0; r == 0 && i < adapter->n_ports; i++) {
		text_print(ports[i], sizeof(ports[i]), "port.%s", adapter->ports[i].key);
		r = add_option(rows, &n, ports[i], adapter->ports[i].value);
	}
	for (size_t i = 0; r == 0 && i < adapter->n_options; i++)
		r = add_option(rows, &n, adapter->options[i].key, adapter->options[i].value);
	return r == 0 ? hub_add(app->hub, adapter->name, rows, n) : r;
}

/* A process is known by its kernel uid, so two instances cannot share one. */
static int add_user(struct app *app, const char *name, const char *user, bool is_link, char *error, size_t error_cap)
{
	struct instance *instance = &app->instances[app->n_instances];
	int r = host_uid_of(user, &instance->uid);
	if (r != 0) {
		text_print(error, error_cap, "%s: there is no user %s", name, user);
		return r;
	}
	for (size_t i = 0; i < app->n_instances; i++)
		if (app->instances[i].uid == instance->uid) {
			text_print(error, error_cap, "%s and %s have the same user: each needs its own", app->instances[i].name, name);
			return -EINVAL;
		}
	instance->name = name;
	instance->is_link = is_link;
	app->n_instances++;
	return 0;
}

static int add_instances(struct app *app, char *error, size_t error_cap)
{
	const struct conf *conf = app->conf;
	int r = 0;
	for (size_t i = 0; r == 0 && i < conf->n_adapters; i++) {
		r = add_user(app, conf->adapters[i].name, conf->adapters[i].user, false, error, error_cap);
		if (r == 0)
			r = add_adapter(app, &conf->adapters[i]);
	}
	for (size_t i = 0; r == 0 && i < conf->n_links; i++)
		r = add_user(app, conf->links[i].name, conf->links[i].user, true, error, error_cap);
	return r;
}

static void on_wire_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct app *app = ctx;
	for (size_t i = 0; i < app->n_instances; i++) {
		if (app->instances[i].uid != peer.uid)
			continue;
		if (app->instances[i].is_link)
			links_accept(app->links, app->instances[i].name, conn);
		else
			hub_accept(app->hub, app->instances[i].name, conn);
		return;
	}
	char uid[32];
	text_print(uid, sizeof(uid), "uid:%u", (unsigned)peer.uid);
	struct audit_record record = { .kind = AUDIT_ADAPTER_VIOLATION, .outcome = AUDIT_DENIED, .source_addr = uid, .object = "wire",
				       .detail = "no adapter or link has this user id" };
	(void)!audit_append(app->audit, &record, NULL, NULL);
	log_warn("a stranger knocked at the wire", log_i64("uid", peer.uid));
	packet_close(conn);
}

static void on_health(void *ctx)
{
	struct app *app = ctx;
	uint64_t queued = 0;
	struct links_stats stats;
	timer_start(app->health, HEALTH_MS);
	for (size_t i = 0; links_stats_at(app->links, i, &stats); i++)
		for (size_t c = 0; c < EVENT_CLASSES; c++)
			queued += stats.spool.queued[c];
	router_health(app->router, "uptime_s", (loop_now_ms(app->loop) - app->started_ms) / 1000);
	router_health(app->router, "rss_kib", host_rss_kib(getpid()));
	router_health(app->router, "spool_queued", (int64_t)queued);
}

/* What only the app can see of its parts' health: a writer that cannot write, a log that is not what it was. */
static void look_at_parts(struct app *app)
{
	struct device_id none = { { 0 } };
	struct alarms *alarms = router_alarms(app->router);
	int r = store_error(app->store);

	if (r < 0)
		alarms_raise(alarms, ALARM_STORE_FAILING, none, "store", strerror(-r));
	else
		alarms_clear(alarms, ALARM_STORE_FAILING, none, "store");
	room_look(app->room);
	const char *fault = audit_fault(app->audit);
	if (fault)
		alarms_raise(alarms, ALARM_AUDIT_BROKEN, none, "audit", fault);
	app_look_at_vault(app);
}

/* The service manager is told that we live while the loop turns and the writer thread gets on: groups done, failed
 * ones too, or nothing to do. A sick adapter or a full disk is no reason to be restarted. */
static void on_watch(void *ctx)
{
	struct app *app = ctx;
	uint64_t progress = store_progress(app->store);
	int64_t now = loop_now_ms(app->loop);
	if (progress != app->progress || store_queued(app->store) == 0) {
		app->progress = progress;
		app->progress_ms = now;
	}
	timer_start(app->watch, WATCH_MS);
	look_at_parts(app);
	if (!app->watchdog_ms || now < app->ping_ms || now - app->progress_ms > app->watchdog_ms / 2)
		return;
	app->ping_ms = now + app->watchdog_ms / 4;
	if (host_notify("WATCHDOG=1") != 0)
		log_warn("the service manager does not listen");
}

static int start_clocks(struct app *app)
{
	int r = timer_new(app->loop, on_health, app, &app->health);
	if (r == 0)
		r = timer_new(app->loop, on_watch, app, &app->watch);
	if (r != 0)
		return r;
	app->started_ms = app->progress_ms = loop_now_ms(app->loop);
	app->watchdog_ms = host_watchdog_ms();
	timer_start(app->health, WATCH_MS);
	timer_start(app->watch, WATCH_MS);
	return 0;
}

int app_new(struct loop *loop, const struct app_options *options, struct conf *conf, char *error, size_t error_cap, struct app **ret)
{
	struct app *app = calloc(1, sizeof(*app));
	error[0] = 0;
	if (!app) {
		conf_free(conf);
		return -ENOMEM;
	}
	app->loop = loop;
	app->options = *options;
	app->conf = conf;
	int r = say(error, error_cap, host_boot_id(options->boot_id, app->boot_id), "boot id");
	if (r == 0)
		r = say(error, error_cap, host_mkdir(conf->state_dir, 0700), conf->state_dir);
	if (r == 0)
		r = say(error, error_cap, app_end_erasure(app), "ending an erasure");
	if (r == 0)
		room_for_start(conf->state_dir);
	if (r == 0)
		r = say(error, error_cap, app_open_vault(app, error, error_cap), "opening the keystore");
	if (r == 0)
		r = say(error, error_cap, open_stores(app), "opening the databases");
	if (r == 0)
		r = say(error, error_cap, next_epoch(app), "counting the starts");
	if (r == 0)
		r = say(error, error_cap, make_rows_3_to_5(app), "loading what is known");
	if (r == 0)
		r = say(error, error_cap, make_rows_6_to_7(app), "making the router");
	if (r == 0)
		r = say(error, error_cap, make_room(app), "the reserve");
	if (r == 0) {
		wire_up(app);
		r = say(error, error_cap, add_instances(app, error, error_cap), "adapters and links");
	}
	if (r != 0) {
		app_close(app);
		return r;
	}
	*ret = app;
	return 0;
}

/* From now on nothing new is opened but in our own folders; no program is started, no network is there. */
static int shut_in(struct app *app)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(app->options.config, '/');
	const char *read[] = { folder, "/usr/share/zoneinfo", "/proc/self/statm", NULL };
	const char *write[] = { app->conf->state_dir, app->conf->run_dir, NULL, NULL };
	const struct host_fence fence = { .read_paths = read, .write_paths = write, .stage_two = true };
	struct host_fence_state state;
	/* The settings and what lies in conf.d beside them, for SIGHUP. */
	if (!slash)
		text_copy(folder, sizeof(folder), ".");
	else if (!text_copy_n(folder, sizeof(folder), app->options.config, slash == app->options.config ? 1 : (size_t)(slash - app->options.config)))
		return -ENAMETOOLONG;
	/* A key file elsewhere is ours to make anew and to destroy. */
	char keys[PATH_MAX];
	slash = strrchr(app->key_file, '/');
	if (slash && text_copy_n(keys, sizeof(keys), app->key_file, slash == app->key_file ? 1 : (size_t)(slash - app->key_file)) &&
	    access(keys, W_OK) == 0)
		write[2] = keys;
	int r = host_fence(&fence, &state);
	if (r == 0)
		log_info("fenced", log_i64("landlock", state.landlock_abi), log_i64("seccomp", state.seccomp));
	return r;
}

int app_start(struct app *app, char *error, size_t error_cap)
{
	const struct conf *conf = app->conf;
	const struct door_parts parts = { .loop = app->loop, .store = app->store, .audit = app->audit, .spool = app->spool, .hub = app->hub,
					  .registry = app->registry, .people = app->people, .rulebook = app->rulebook, .router = app->router,
					  .conf = (const struct conf *const *)&app->conf, .links_status = app_links_status, .map = app_map,
					  .reload = app_reload_by_door, .vault = app->vault, .custody = app->custody, .backup = app->backup,
					  .erase = app->erase, .ctx = app };
	error[0] = 0;
	int r = say(error, error_cap, host_mkdir(conf->run_dir, 0755), conf->run_dir);
	if (r == 0)
		r = say(error, error_cap, packet_listen(app->loop, conf->wire_socket, 0666, on_wire_accept, app, &app->wire), conf->wire_socket);
	if (r == 0)
		r = say(error, error_cap, door_new(&parts, conf->door_socket, conf->door_mode, &app->door), conf->door_socket);
	if (r == 0 && app->options.fence)
		r = say(error, error_cap, shut_in(app), "the fence");
	/* Threads last: they are to be inside the fence. */
	if (r == 0)
		r = say(error, error_cap, store_start(app->store), "starting the writer");
	if (r == 0) {
		custody_start(app->custody);
		if (app->doubt[0])
			freshness_doubt(router_freshness(app->router), app->doubt);
	}
	if (r == 0)
		r = say(error, error_cap, people_start(app->people), "starting the password worker");
	if (r == 0)
		r = say(error, error_cap, start_clocks(app), "timers");
	if (r != 0)
		return r;
	struct audit_record record = { .kind = AUDIT_START, .subject = { SUBJECT_SYSTEM, 0 }, .object = "gatewayd", .detail = GW_VERSION };
	r = audit_append(app->audit, &record, NULL, NULL);
	if (r == 0 && app->wrong_passphrases) {
		struct audit_record tries = { .kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .object = "keystore", .action = "unlock",
					      .count = app->wrong_passphrases, .detail = "wrong passphrases before it was unlocked" };
		r = audit_append(app->audit, &tries, NULL, NULL);
	}
	/* Each start is told outside: an image from before it is older from now on. */
	if (r == 0)
		app_say_point(app);
	if (r == 0)
		r = host_notify("READY=1\nSTATUS=serving");
	return say(error, error_cap, r, "saying that we are ready");
}

struct app *app_close(struct app *app)
{
	if (!app)
		return NULL;
	app->door = door_close(app->door);
	app->wire = packet_server_close(app->wire);
	/* What is being written ends while everybody who hears of it is still there. */
	if (app->store)
		store_drain(app->store);
	app->links = links_close(app->links);
	app->hub = hub_close(app->hub);
	if (app->audit) {
		struct audit_record record = { .kind = AUDIT_STOP, .subject = { SUBJECT_SYSTEM, 0 }, .object = "gatewayd" };
		(void)!audit_append(app->audit, &record, NULL, NULL);
	}
	if (app->registry)
		registry_flush(app->registry, NULL, NULL);
	if (app->store)
		store_drain(app->store);
	app->router = router_close(app->router);
	app->rulebook = rulebook_close(app->rulebook);
	app->people = people_close(app->people);
	app->registry = registry_close(app->registry);
	app->blobs = blobs_free(app->blobs);
	app->spool = spool_close(app->spool);
	app_close_backup(app);
	app->custody = custody_close(app->custody);
	app->audit = audit_close(app->audit);
	app->store = store_close(app->store);
	/* Verifications and backups still read with the vault's keys. */
	loop_end_work(app->loop);
	app_close_vault(app);
	app->room = room_close(app->room);
	app->health = timer_close(app->health);
	app->watch = timer_close(app->watch);
	if (app->erased)
		(void)!app_end_erasure(app); /* what does not go now, goes at the next start */
	conf_free(app->conf);
	conf_free(app->old_conf);
	free(app->schema);
	free(app);
	return NULL;
}

int app_reload(struct app *app, char *error, size_t error_cap)
{
	struct conf *next;
	int r = conf_load(app->options.config, error, error_cap, &next);
	if (r == 0)
		r = conf_may_apply(app->conf, next, error, error_cap);
	struct audit_record record = { .kind = AUDIT_CONFIG, .outcome = r == 0 ? AUDIT_OK : AUDIT_FAILED, .subject = { SUBJECT_SYSTEM, 0 },
				       .object = app->options.config, .detail = r == 0 ? "applied" : error };
	(void)!audit_append(app->audit, &record, NULL, NULL);
	if (r != 0)
		return r;
	/* Links borrow their rows until they have been given the new ones. */
	struct conf *old = app->conf;
	app->conf = next;
	links_set_conf(app->links, next);
	log_open(next->log_level);
	conf_free(app->old_conf);
	app->old_conf = old; /* instance names and doors still point into the one before */
	return 0;
}
