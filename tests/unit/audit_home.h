#pragma once
/* audit_home - a sealed log with its store on a virtual loop, and a gateway database with an outbox, for the audit's tests. Its
 * pages are in the clear unless a test says otherwise: the forger of these tests has the pages' key.
 */
#include "tmpdir.h"

#include "audit/audit.h"
#include "audit/segment.h"
#include "sys/crypto.h"
#include "sys/seal.h"
#include "sys/sign.h"
#include "sys/store.h"

#define WALL_US (INT64_C(1795500000) * 1000000) /* 2026-11-24 */

struct audit_home {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	unsigned gateway;
	uint8_t boot_id[16];
	uint64_t segment_bytes_max;
	enum crypto_hash_kind suite;
	int64_t boot_ms, wall_us;
	unsigned n_done, n_failed;
	struct audit_seal seal;
	struct seal_key *file_key;
	struct sign_key *sign, *sign_sm2;
	bool is_plain; /* not sealed at all */
};

/* Keys that every run of a test has again. */
static inline void audit_home_keys(struct audit_home *home)
{
	uint8_t bytes[32];

	memset(bytes, 0x11, sizeof(bytes));
	check_ok(seal_key_new(SEAL_XCHACHA, bytes, &home->file_key));
	memset(bytes, 0x22, sizeof(bytes));
	check_ok(sign_key_new(SIGN_ED25519, bytes, &home->sign));
	memset(bytes, 0x33, sizeof(bytes));
	check_ok(sign_key_new(SIGN_SM2, bytes, &home->sign_sm2));
	home->seal = (struct audit_seal){ .file = home->file_key, .file_id = 7, .sign = home->sign, .sign_id = 8, .sign_sm2 = home->sign_sm2,
					  .sign_sm2_id = 9, .generation = 3, .starts = 4 };
}

static inline void audit_home_keys_free(struct audit_home *home)
{
	home->file_key = seal_key_free(home->file_key);
	home->sign = sign_key_free(home->sign);
	home->sign_sm2 = sign_key_free(home->sign_sm2);
}

static inline void audit_home_on_done(void *ctx, int r)
{
	struct audit_home *home = ctx;

	home->n_done += r == 0;
	home->n_failed += r < 0;
}

static inline void audit_home_open(struct audit_home *home)
{
	const struct db_migration migration = { 1, audit_outbox_schema };
	struct db_options gateway = { .sync = DB_SYNC_EXTRA, .migrations = &migration, .n_migrations = 1 };
	struct audit_options options = { home->dir.path, home->suite, home->boot_id, home->segment_bytes_max,
					 home->is_plain ? NULL : &home->seal };

	check_ok(loop_new_virtual(home->boot_ms, home->wall_us, &home->loop));
	check_ok(store_new(home->loop, &home->store));
	check_ok(store_add(home->store, "gateway", tmpdir_path(&home->dir, "gateway.db"), &gateway, &home->gateway));
	check_ok(audit_new(home->loop, home->store, &options, &home->audit));
	check_ok(audit_attach_outbox(home->audit, home->gateway));
	check_ok(store_start(home->store));
}

static inline void audit_home_close(struct audit_home *home)
{
	home->boot_ms = loop_now_ms(home->loop);
	home->wall_us = loop_wall_us(home->loop);
	home->audit = audit_close(home->audit);
	home->store = store_close(home->store);
	home->loop = loop_free(home->loop);
}

/* Not opened yet. */
static inline void audit_home_make(struct audit_home *home)
{
	memset(home, 0, sizeof(*home));
	tmpdir_init(&home->dir);
	check_ok(crypto_init());
	memset(home->boot_id, 0xb0, sizeof(home->boot_id));
	home->segment_bytes_max = 1 << 24;
	home->boot_ms = 5000;
	home->wall_us = WALL_US;
	audit_home_keys(home);
}

static inline void audit_home_init(struct audit_home *home)
{
	audit_home_make(home);
	audit_home_open(home);
}

static inline void audit_home_deinit(struct audit_home *home)
{
	audit_home_close(home);
	audit_home_keys_free(home);
	tmpdir_deinit(&home->dir);
}

static inline void audit_home_restart(struct audit_home *home)
{
	audit_home_close(home);
	audit_home_open(home);
}

/* Everything given so far is written, and the loop has heard of it. */
static inline void audit_home_settle(struct audit_home *home)
{
	for (int i = 0; i < 4; i++) {
		check_ok(loop_turn(home->loop, 0));
		store_drain(home->store);
	}
	check_ok(loop_turn(home->loop, 0));
}

static inline struct audit_record audit_home_record(const char *object)
{
	return (struct audit_record){ .kind = AUDIT_COMMAND, .outcome = AUDIT_OK, .subject = { SUBJECT_USER, 3 }, .subject_name = "anna",
				      .subject_role = ROLE_OWNER, .session_tag = { 1, 2, 3, 4, 5, 6, 7, 8 }, .source = SOURCE_API,
				      .source_addr = "192.0.2.7", .device = { { 1, 2, 3 } }, .object = object, .cap = 1,
				      .action = "set on-off=true", .rule = -1 };
}

static inline void audit_home_append(struct audit_home *home, const char *object)
{
	struct audit_record record = audit_home_record(object);

	check_ok(audit_append(home->audit, &record, audit_home_on_done, home));
}

/* --- what is in the log, read by the writer and handed to the loop -------------------------------------------------- */

struct audit_seen {
	int r;
	bool called;
	size_t n;
	struct {
		uint64_t seq;
		uint16_t kind;
		enum audit_outcome outcome;
		uint32_t count;
		bool time_trusted;
		int64_t wall_us;
		char object[80], action[140], detail[1100], subject_name[140], source_addr[140];
	} rows[300];
};

static inline void audit_home_on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct audit_seen *seen = ctx;

	check_true(!seen->called && n <= 300);
	seen->called = true;
	seen->r = r;
	seen->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct audit_record *rec = &rows[i].record;

		seen->rows[i].seq = rows[i].seq;
		seen->rows[i].kind = rec->kind;
		seen->rows[i].outcome = rec->outcome;
		seen->rows[i].count = rec->count;
		seen->rows[i].time_trusted = rows[i].time_trusted;
		seen->rows[i].wall_us = rows[i].wall_us;
		snprintf(seen->rows[i].object, 80, "%s", rec->object ? rec->object : "");
		snprintf(seen->rows[i].action, 140, "%s", rec->action ? rec->action : "");
		snprintf(seen->rows[i].detail, 1100, "%s", rec->detail ? rec->detail : "");
		snprintf(seen->rows[i].subject_name, 140, "%s", rec->subject_name ? rec->subject_name : "");
		snprintf(seen->rows[i].source_addr, 140, "%s", rec->source_addr ? rec->source_addr : "");
	}
}

static inline void audit_home_read(struct audit_home *home, uint64_t after, size_t max, bool newest_first, struct audit_seen *seen)
{
	seen->called = false;
	seen->n = 0;
	check_ok(audit_read(home->audit, after, max, newest_first, audit_home_on_rows, seen));
	audit_home_settle(home);
	check_true(seen->called);
}
