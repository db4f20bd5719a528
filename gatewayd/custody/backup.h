#pragma once
/* backup - all that makes this gateway this gateway, in one parcel for the recovery key, while it goes on working.
 *
 *   above   -
 *   below   audit/audit  base/base  base/text  custody/backup_inside  sys/box  sys/db_keys  sys/store  vault/vault
 *   owns    the recovery key (table recovery of gateway.db); the folder backups of the state folder; a thread while one is made
 *   limits  BACKUP_NAME_MAX BACKUP_PATH_MAX
 *   errors  BACKUP_E_NO_KEY BACKUP_E_BUSY BACKUP_E_NAME BACKUP_E_EXISTS BACKUP_E_SUITE BACKUP_E_CHANGING
 *
 * One at a time, on a thread of its own: a database after the other is copied as of one moment (sys/db_copy), sealed as it is,
 * into backups/staging, put into the parcel and removed again. The keys go with them, so what is restored opens as it did here.
 * Nothing is on disk in the clear at any moment. Parts: docs/spec/keystore.md "Backups".
 */
#include "audit/audit.h"
#include "base/base.h"
#include "sys/box.h"
#include "sys/db_keys.h"
#include "sys/store.h"
#include "vault/vault.h"

enum { BACKUP_FORMAT = 1, BACKUP_NAME_MAX = 48, BACKUP_PATH_MAX = 512 };
enum {
	BACKUP_E_NO_KEY = 1, /* no recovery key was given yet */
	BACKUP_E_BUSY,       /* one is being made */
	BACKUP_E_NAME,       /* small letters, digits, - and _ only */
	BACKUP_E_EXISTS,
	BACKUP_E_SUITE,      /* this gateway uses SM algorithms alone: an SM2 key is needed */
	BACKUP_E_CHANGING,   /* keys were changed all the while: later */
};

struct backup;
struct backup_options {
	struct loop *loop;
	struct store *store;
	unsigned db;            /* gateway.db */
	struct audit *audit;
	struct vault *vault;
	struct db_keys *pages;
	const char *folder;     /* state folder */
	enum seal_suite suite;
};
extern const char backup_schema_1[]; /* part of gateway.db's version 1 */

must_check int backup_new(const struct backup_options *options, struct backup **ret);
must_check int backup_load(struct backup *backup);   /* before store_start */
struct backup *backup_close(struct backup *backup);  /* one that is being made is given up: waits for its thread */

/* NULL: none was set. */
const struct box_public *backup_key(const struct backup *backup);
typedef void (*backup_done_fn)(void *ctx, int r);
void backup_set_key(struct backup *backup, const struct box_public *key, const struct audit_record *record, backup_done_fn done, void *ctx);

struct backup_result {
	char path[BACKUP_PATH_MAX];
	uint64_t bytes;
	unsigned files;
};
/* result: r 0 only. record: who asks; the rest of it is filled in here. */
typedef void (*backup_made_fn)(void *ctx, int r, const struct backup_result *result);
void backup_make(struct backup *backup, const char *name, const struct audit_record *record, backup_made_fn done, void *ctx);
const char *backup_word(int r); /* plain words for a positive result */
