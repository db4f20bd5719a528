#pragma once
/* db_keys - the ring of page keys, and the SQLite VFS that seals every page of a database and of its WAL with them.
 *
 *   above   audit/audit  custody/ring
 *   below   base/base  base/text  sys/db_vfs_inside  sys/seal
 *   owns    struct db_keys and the VFS registered for it
 *   limits  DB_KEYS_MAX
 *   errors  DB_KEYS_E_UNKNOWN; what a page cannot be opened with shows as -EBADMSG at the database
 *
 * A page is 4096 bytes of which the last 64 are key id, suite, nonce and tag (docs/spec/vfs.md). Whatever is written is sealed with the
 * active key; what is read is opened with the key it names. A database that is not sealed is refused (DB_E_NOTADB).
 * Safe from several threads.
 */
#include "base/base.h"
#include "sys/seal.h"

enum { DB_KEYS_MAX = 16 };
enum { DB_KEYS_E_UNKNOWN = 1 };

struct db_keys;
must_check int db_keys_new(struct db_keys **ret);
struct db_keys *db_keys_free(struct db_keys *keys); /* after the last database that uses it was closed */
DEFINE_CLEANUP(db_keys_free, struct db_keys *)
/* id 1 or more. -ENOSPC: DB_KEYS_MAX; -EEXIST: the id is there. */
must_check int db_keys_put(struct db_keys *keys, uint32_t id, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN]);
must_check int db_keys_activate(struct db_keys *keys, uint32_t id); /* DB_KEYS_E_UNKNOWN */
/* No page may carry it any more: such a page is lost. -EBUSY: it is the active one. */
must_check int db_keys_drop(struct db_keys *keys, uint32_t id);
uint32_t db_keys_active(const struct db_keys *keys); /* 0 none */

struct db_keys_stats {
	uint64_t sealed, opened; /* pages since db_keys_new, of all databases */
	uint64_t refused;        /* pages that did not open: damaged, or somebody changed them */
	uint64_t lost_frames;    /* frames of a WAL behind a damaged one, that had been committed: kept aside as FILE-wal.damaged */
	char last_file[64];      /* where the last refused page was */
	int64_t last_offset;
};
struct db_keys_stats db_keys_stats(const struct db_keys *keys);
/* Pages of a database file, and frames of its WAL, that carry a key other than id; for a file that nobody writes. */
must_check int db_keys_scan(const char *path, uint32_t id, uint64_t *ret_others);
