#pragma once
/* keyfile - audit.key: where the log's current MAC key lies between two starts, in two slots that are both overwritten.
 *
 *   above   -
 *   below   audit/audit  base/base  base/bytes  base/text  sys/crypto  sys/seal
 *   owns    struct keyfile and the file
 *   limits  -
 *   errors  KEYFILE_E_NONE KEYFILE_E_SEALED
 *
 * Bytes: docs/spec/audit.md section 7. Blocking, two fsyncs a writing: on the writer thread.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "sys/crypto.h"

enum { KEYFILE_E_NONE = 1 /* there is none, or it was never whole */, KEYFILE_E_SEALED /* no slot opens */ };
enum { KEYFILE_SLOT = 4096, KEYFILE_BYTES = 2 * KEYFILE_SLOT };

/* What a slot says. It lies in guarded memory, with the file's buffer. */
struct keyfile_slot {
	uint64_t turn;
	uint8_t key[CRYPTO_HASH_LEN];  /* of record size + 1 */
	uint64_t size, checkpoints;    /* of the log, then */
	uint8_t last[CRYPTO_HASH_LEN]; /* checkpoint_hash of the newest checkpoint; zeros: none */
	uint64_t seed_seq;             /* the record of a seed that is about to be written; 0 none */
	uint8_t seed[AUDIT_SEED_LEN];
};
struct keyfile;
must_check int keyfile_new(const char *folder, struct keyfile **ret);
struct keyfile *keyfile_free(struct keyfile *keyfile); /* wipes */
struct keyfile_slot *keyfile_slot(struct keyfile *keyfile); /* what is written, and what was read */
must_check int keyfile_read(struct keyfile *keyfile, const struct audit_seal *seal);
/* Both slots, one after the other, with the next turn; 0 when both are on the disk. */
must_check int keyfile_write(struct keyfile *keyfile, const struct audit_seal *seal);
