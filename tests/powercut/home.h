#pragma once
/* home - what of the gateway writes to the disk, put together as app.c does, small and single-stepped.
 *
 * A vault with its keys when there is a suite, a gateway database with an outbox, the audit log, the spool with two links, custody. The
 * writer thread is held at a gate but when home_settle lets it go, so that what it finds in its queue, and so every file
 * operation, follows from the calls alone. Time stands still but for home_pass.
 */
#include "audit/audit.h"
#include "custody/custody.h"
#include "custody/ring.h"
#include "spool/spool.h"
#include "sys/loop.h"
#include "sys/store.h"
#include "vault/vault.h"

#include <semaphore.h>

enum { HOME_LINKS = 2, HOME_TURNS_MAX = 200 };
/* The kernel's own monotonic clock is behind this for 31 years, so that a wait until some time of ours is long. */
#define HOME_BOOT_MS (INT64_C(1000) * 1000 * 1000 * 1000)
#define HOME_WALL_US (INT64_C(1795500000) * 1000 * 1000) /* 2026-11-24 */

struct home_options {
	const char *folder;
	unsigned schema;         /* of gateway.db: 1 or 2 */
	enum db_sync sync;       /* of gateway.db */
	uint64_t segment_bytes_max;
	int64_t boot_ms, wall_us;
	enum seal_suite suite;   /* of everything stored; 0: a home without keys, in the clear */
	bool single_step;        /* the writer is held at the gate; without, it just runs */
};
struct home {
	struct home_options options;
	char folder[160];
	char key_file[200];
	struct loop *loop;
	struct vault *vault;
	struct ring *ring;
	struct custody *custody;
	struct store *store;
	struct audit *audit;
	struct spool *spool;
	unsigned gateway, spool_db, links[HOME_LINKS];
	bool started;
	sem_t parked, go;
};

/* Not 0: it did not open; where says at what. The home is closed again then. */
must_check int home_open(struct home *home, const struct home_options *options, const char **where);
must_check int home_start(struct home *home);
void home_settle(struct home *home); /* until nothing is queued, or HOME_TURNS_MAX */
void home_pass(struct home *home, int64_t ms);
void home_close(struct home *home);

/* Deed n and its record, in one transaction; done is called when it is on the disk. done gets r and ctx. */
struct deed {
	struct home *home;
	int64_t n;
	void (*done)(struct deed *deed, int r);
	void *ctx;
};
must_check int home_do(struct home *home, const struct deed *deed);
size_t home_deed_text(int64_t n, char ret[400]);
