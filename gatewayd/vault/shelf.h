#pragma once
/* shelf - the files of the keystore: the present one and the generation before it, replaced as a whole or not at all.
 *
 *   above   vault
 *   below   base/base  base/text  sys/crypto  sys/host  vault/keystore
 *   owns    keystore.bin, keystore.old, and keystore.new for a moment
 *   limits  -
 *   errors  SHELF_E_MISSING SHELF_E_UNREADABLE
 *
 * Knows nothing of what is in them.
 */
#include "base/base.h"
#include "vault/keystore.h"

enum shelf_file { SHELF_BIN, SHELF_OLD, SHELF_NEW, SHELF_FILES };
enum { SHELF_E_MISSING = 1, SHELF_E_UNREADABLE = 2 /* too large, no regular file, or the disk cannot read it */ };

/* *ret is malloc'ed. */
must_check int shelf_read(const char *folder, enum shelf_file file, char **ret, size_t *ret_len);

struct shelf_write {
	const void *data;
	size_t len;
	bool keep_old;      /* keystore.bin is not sound: it must not take the place of keystore.old */
	bool overwrite_old; /* keystore.old holds what is to be gone: its bytes are overwritten first */
};
/* *ret_replaced is set once keystore.bin is the new one, even when what followed failed. */
must_check int shelf_write(const char *folder, const struct shelf_write *write, bool *ret_replaced);
/* Overwritten with random bytes, synced, removed; 0 when it is not there. The folder is not synced. */
must_check int shelf_destroy(const char *folder, enum shelf_file file);
must_check int shelf_sync(const char *folder);
/* A keystore that was lost beside databases must not be made anew: they would be lost with it. */
must_check int shelf_has_databases(const char *folder, bool *ret);
