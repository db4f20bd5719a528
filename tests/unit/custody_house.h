#pragma once
/* custody_house - a vault, its ring, sealed databases and record, backups and erasure on a virtual loop, in a folder of its own.
 *
 * House `state` is in DIR/state, its key file in DIR/kek.key, so that another house in the same DIR is other hardware.
 */
#include "tmpdir.h"

#include "audit/audit.h"
#include "base/text.h"
#include "custody/backup.h"
#include "custody/custody.h"
#include "custody/erase.h"
#include "custody/ring.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/host.h"
#include "sys/store.h"
#include "vault/vault.h"

#define HOUSE_WALL_US (INT64_C(1795500000) * 1000000) /* 2026-11-24 */

static const struct db_migration house_spool_migrations[] = { { 1, "CREATE TABLE waiting (id INTEGER PRIMARY KEY, text TEXT) STRICT" } };

struct house {
	char folder[200], key_file[200], schema[4096];
	enum seal_suite suite;
	struct db_migration gateway_migration;
	struct db_options gateway_options, spool_options;
	struct loop *loop;
	struct vault *vault;
	struct ring *ring;
	struct store *store;
	struct audit *audit;
	struct backup *backup;
	struct erase *erase;
	unsigned gateway, spool;
	uint8_t boot_id[16];
	int n_done, r_done;
	struct backup_result result;
	char receipt[20000];
	bool over;
};

static inline struct vault_options house_vault_options(const struct house *house)
{
	return (struct vault_options){ .folder = house->folder, .suite = house->suite, .source = KEY_SOURCE_FILE, .path = house->key_file,
				       .now_s = HOUSE_WALL_US / 1000000 };
}

static inline void house_on_over(void *ctx)
{
	((struct house *)ctx)->over = true;
}

static inline void house_init(struct house *house, struct tmpdir *dir, const char *name, enum seal_suite suite)
{
	memset(house, 0, sizeof(*house));
	house->suite = suite;
	snprintf(house->folder, sizeof(house->folder), "%s/%s", dir->path, name);
	snprintf(house->key_file, sizeof(house->key_file), "%s/%s-kek.key", dir->path, name);
	snprintf(house->schema, sizeof(house->schema), "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
		 "CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT) STRICT;%s%s%s", backup_schema_1, custody_schema_1, audit_outbox_schema);
	house->gateway_migration = (struct db_migration){ 1, house->schema };
	house->gateway_options = (struct db_options){ .sync = DB_SYNC_EXTRA, .migrations = &house->gateway_migration, .n_migrations = 1 };
	house->spool_options = (struct db_options){ .sync = DB_SYNC_NORMAL, .migrations = house_spool_migrations, .n_migrations = 1 };
}

static inline void house_open_with(struct house *house, bool real_time)
{
	const struct vault_options vault = house_vault_options(house);
	char why[300], path[300];

	check_ok(real_time ? loop_new(&house->loop) : loop_new_virtual(5000, HOUSE_WALL_US, &house->loop));
	check_ok(host_mkdir(house->folder, 0700));
	check_ok(vault_open(&vault, why, sizeof(why), &house->vault));
	const struct ring_options ring = { .vault = house->vault, .folder = house->folder, .suite = house->suite };

	check_ok(ring_new(&ring, &house->ring));
	house->gateway_options.keys = house->spool_options.keys = ring_pages(house->ring);
	check_ok(store_new(house->loop, &house->store));
	snprintf(path, sizeof(path), "%s/gateway.db", house->folder);
	check_ok(store_add(house->store, "gateway", path, &house->gateway_options, &house->gateway));
	snprintf(path, sizeof(path), "%s/spool.db", house->folder);
	check_ok(store_add(house->store, "spool", path, &house->spool_options, &house->spool));
	const struct audit_options audit = { house->folder, house->suite == SEAL_SM4 ? CRYPTO_SM3 : CRYPTO_SHA256, house->boot_id, 1 << 24,
					     ring_seal(house->ring) };

	check_ok(audit_new(house->loop, house->store, &audit, &house->audit));
	check_ok(audit_attach_outbox(house->audit, house->gateway));
	const struct backup_options backup = { house->loop, house->store, house->gateway, house->audit, house->vault, ring_pages(house->ring),
					       house->folder, house->suite };

	check_ok(backup_new(&backup, &house->backup));
	check_ok(backup_load(house->backup));
	const struct erase_options erase = { house->loop, house->store, house->gateway, house->audit, house->vault, house->folder, house->suite,
					     house_on_over, house };

	check_ok(erase_new(&erase, &house->erase));
	check_ok(store_start(house->store));
}

static inline void house_open(struct house *house)
{
	house_open_with(house, false);
}

static inline void house_close(struct house *house)
{
	store_drain(house->store);
	house->backup = backup_close(house->backup);
	house->erase = erase_close(house->erase);
	house->audit = audit_close(house->audit);
	house->store = store_close(house->store);
	house->ring = ring_free(house->ring);
	house->vault = vault_close(house->vault);
	house->loop = loop_free(house->loop);
}

static inline void house_settle(struct house *house)
{
	for (int i = 0; i < 6; i++) {
		check_ok(loop_turn(house->loop, 0));
		store_drain(house->store);
	}
	check_ok(loop_turn(house->loop, 0));
}

/* Until one more answer came. */
static inline void house_wait(struct house *house, int n_done)
{
	for (int i = 0; i < 2000 && house->n_done < n_done; i++) {
		check_ok(loop_turn(house->loop, 5));
		store_drain(house->store);
	}
	check_int(house->n_done, n_done);
	house_settle(house);
}

static inline int house_sql_job(struct db *db, void *arg)
{
	return db_exec(db, arg);
}

static inline void house_sql(struct house *house, unsigned db, const char *sql)
{
	check_ok(store_submit(house->store, db, STORE_SYNC, house_sql_job, NULL, (void *)(uintptr_t)sql));
	house_settle(house);
}

static inline struct audit_record house_record(void)
{
	return (struct audit_record){ .kind = AUDIT_METHOD, .outcome = AUDIT_OK, .subject = { SUBJECT_USER, 3 }, .subject_name = "anna",
				      .subject_role = ROLE_OWNER, .source = SOURCE_DOOR, .source_addr = "uid:1000", .action = "test", .rule = -1 };
}

static inline void house_say(struct house *house, const char *detail)
{
	struct audit_record record = house_record();

	record.object = "a word";
	record.detail = detail;
	check_ok(audit_append(house->audit, &record, NULL, NULL));
	house_settle(house);
}

static inline void house_on_done(void *ctx, int r)
{
	struct house *house = ctx;

	house->n_done++;
	house->r_done = r;
}

static inline void house_on_made(void *ctx, int r, const struct backup_result *result)
{
	struct house *house = ctx;

	if (result)
		house->result = *result;
	house_on_done(ctx, r);
}

static inline void house_on_erased(void *ctx, int r, const char *receipt)
{
	struct house *house = ctx;

	text_copy(house->receipt, sizeof(house->receipt), receipt ? receipt : "");
	house_on_done(ctx, r);
}

static inline int house_set_key(struct house *house, const struct box_public *key)
{
	struct audit_record record = house_record();
	int n = house->n_done;

	backup_set_key(house->backup, key, &record, house_on_done, house);
	if (house->n_done == n)
		house_wait(house, n + 1);
	return house->r_done;
}

static inline int house_make_backup(struct house *house, const char *name)
{
	struct audit_record record = house_record();
	int n = house->n_done;

	backup_make(house->backup, name, &record, house_on_made, house);
	if (house->n_done == n)
		house_wait(house, n + 1);
	return house->r_done;
}
