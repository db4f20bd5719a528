#pragma once
/* vault/inside - what the vault's files share: the keystore as it is on disk, and what readers see of it.
 *
 *   above   vault
 *   below   base/base  sys/crypto  sys/seal  sys/sign  vault/keystore  vault/source  vault/vault
 *   owns    struct vault's memory
 *   limits  -
 *   errors  -
 *
 * Two locks. `verbs` is held through a verb, disk and all, and guards now, next, page, kek and the source. `look` is held
 * for a few instructions, never over the disk, and guards what readers see. verbs is taken first.
 */
#include <pthread.h>

#include "base/base.h"
#include "sys/crypto.h"
#include "sys/seal.h"
#include "sys/sign.h"
#include "vault/keystore.h"
#include "vault/source.h"
#include "vault/vault.h"

/* A machine without a battery starts in 1970. Before this moment no gateway was made, so a time before it is none. */
enum { VAULT_CLOCK_FLOOR_S = 1700000000 };

/* Key bytes stay where they are until the vault is closed, whatever becomes of the key, because readers hold pointers. */
struct vault_bytes {
	uint8_t (*slots)[KEYSTORE_SECRET_LEN]; /* guarded, read-only for all but the moment in which one is filled */
	uint32_t used;
	struct vault_bytes *next;
};

struct vault_row {
	struct vault_key_info info; /* uses: what was counted; the file says more, so that a crash counts too much, never too little */
	const uint8_t *bytes;
	uint64_t ceiling; /* uses in the file */
	bool counting;    /* used since the vault was opened */
};
struct vault_rows {
	uint32_t n;
	struct vault_row row[KEYSTORE_KEYS_MAX];
};

struct vault {
	char *folder, *path;       /* path: of the file or credential, NULL for a passphrase */
	bool key_is_new;           /* the key file is still called path.new, and what is called path is spent */
	enum seal_suite suite;     /* of new keys */
	int64_t age_max_s;         /* of new data keys */
	pthread_mutex_t verbs;
	struct keystore *now;      /* what keystore.bin says; guarded and hidden between verbs */
	struct keystore *next;     /* what the verb makes of it; wiped and hidden between verbs */
	uint8_t *page;             /* guarded: the file while it is written */
	struct seal_key *kek;
	struct vault_bytes *bytes; /* the newest first */
	bool bad_bin;              /* keystore.bin does not open: keep keystore.old */
	bool stale_old;            /* keystore.old holds what must be gone, or does not open */
	bool gone;                 /* erased */
	bool fell_back;

	pthread_mutex_t look;
	struct vault_rows *rows;
	uint64_t generation, starts;
	uint8_t gateway_id[KEYSTORE_ID_LEN];
};

/* A verb: begin, change next, commit, end. When begin fails there is nothing to end. */
must_check int vault_begin(struct vault *vault);
/* next becomes keystore.bin, and then what readers see; an error after that moment is an error, but the memory has followed.
 * next is then a copy of now again. overwrite: what was keystore.old is overwritten before it goes. */
must_check int vault_commit(struct vault *vault, const struct seal_key *kek, bool overwrite);
void vault_end(struct vault *vault);
/* Readers see what now says: after opening. */
must_check int vault_show(struct vault *vault);
void vault_bytes_free(struct vault_bytes *bytes);

struct keystore_key *vault_find(struct keystore *store, uint32_t id);
struct keystore_key *vault_find_active(struct keystore *store, enum key_purpose purpose);
/* A new pre-active key in next. -ENOSPC: KEYSTORE_KEYS_MAX that are not destroyed. */
must_check int vault_add_key(struct vault *vault, enum key_purpose purpose, int64_t now_s, struct keystore_key **ret);
void vault_step(struct keystore_key *key, enum key_state to, int64_t now_s);
/* An active key for every purpose that has none. *ret_n: how many were made. */
must_check int vault_add_missing(struct vault *vault, int64_t now_s, uint32_t *ret_n);

/* Age counts from the first opening with a clock. True when something was changed. */
bool vault_mend_times(struct keystore *store, int64_t now_s);

/* A vault without keys, for options; nothing on the disk yet. */
must_check int vault_new(const struct vault_options *options, struct vault **ret);
must_check int vault_first_source(struct vault *vault, const struct vault_options *options, char *why, size_t why_cap);
void vault_fill_header(struct keystore *store, const struct vault_options *options); /* source, suite, cost, and a new salt */
int vault_error_of_source(int r);                               /* VAULT_E_* for SOURCE_E_* */
must_check int vault_settle_key_file(struct vault *vault);      /* path.new gets its name, path is destroyed; when that is left over */
void vault_forget(struct vault *vault);                         /* no reader finds anything any more; all key bytes are wiped */
