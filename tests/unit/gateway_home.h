#pragma once
/* gateway_home - a gateway.db with its outbox, a store and a log on a virtual loop, for what keeps its rows there.
 *
 *	gateway_open(&g, schema);     then x_new, x_load ...
 *	gateway_start(&g);            and its jobs run
 *	gateway_settle(&g);           all that was asked for is written and answered
 *	gateway_stop(&g);             between x_new and here: a restart; gateway_open_again(&g)
 *	gateway_close(&g);
 */
#include "check.h"

#include "audit/audit.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/store.h"
#include "tmpdir.h"

#define GATEWAY_WALL_US (INT64_C(1795500000) * 1000000) /* 2026-11-24 */

struct gateway {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	unsigned db;
	char *schema;
};

static inline void gateway_open_again(struct gateway *g)
{
	const struct db_migration migration = { 1, g->schema };
	const struct db_options db = { .sync = DB_SYNC_EXTRA, .migrations = &migration, .n_migrations = 1 };
	static const uint8_t boot_id[16] = { 0xb0 };
	const struct audit_options options = { g->dir.path, CRYPTO_SHA256, boot_id, 1 << 24, NULL };

	check_ok(loop_new_virtual(5000, GATEWAY_WALL_US, &g->loop));
	check_ok(store_new(g->loop, &g->store));
	check_ok(store_add(g->store, "gateway", tmpdir_path(&g->dir, "gateway.db"), &db, &g->db));
	check_ok(audit_new(g->loop, g->store, &options, &g->audit));
	check_ok(audit_attach_outbox(g->audit, g->db));
}

static inline void gateway_open(struct gateway *g, const char *schema)
{
	memset(g, 0, sizeof(*g));
	check_ok(crypto_init());
	tmpdir_init(&g->dir);
	assert_true(asprintf(&g->schema, "%s%s", audit_outbox_schema, schema) > 0);
	gateway_open_again(g);
}

static inline void gateway_open_with(struct gateway *g, const char *schema_1, const char *schema_2)
{
	char *both = NULL;
	assert_true(asprintf(&both, "%s%s", schema_1, schema_2) > 0);
	gateway_open(g, both);
	free(both);
}

static inline void gateway_start(struct gateway *g)
{
	check_ok(store_start(g->store));
}

static inline void gateway_settle(struct gateway *g)
{
	for (int i = 0; i < 3; i++) {
		store_drain(g->store);
		check_ok(loop_turn(g->loop, 0));
	}
}

static inline void gateway_stop(struct gateway *g)
{
	gateway_settle(g);
	g->audit = audit_close(g->audit);
	g->store = store_close(g->store);
	g->loop = loop_free(g->loop);
}

static inline void gateway_close(struct gateway *g)
{
	free(g->schema);
	tmpdir_deinit(&g->dir);
}
