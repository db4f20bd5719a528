#pragma once
/* erase - the end of a gateway: its keys destroyed, so that nothing it stored can be read any more, then its files; a signed receipt remains.
 *
 *   above   app  door/methods_backup
 *   below   audit/audit  base/base  base/text  sys/crypto  sys/host  sys/loop  sys/seal  sys/sign  sys/store  vault/receipt
 *           vault/vault
 *   owns    the file erase.receipt of the state folder, while an erasure is under way
 *   limits  -
 *   errors  ERASE_E_BUSY
 *
 * On record; a last checkpoint; the receipt is signed, and on disk as erase.receipt; the keystore and its key are destroyed (this is the
 * erasure: all else was sealed with them); the asker gets the receipt; the daemon stops; its files are overwritten and
 * removed, and the receipt stays as erased-TIME.receipt. Who finds erase.receipt at a start goes on there.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "sys/seal.h"
#include "sys/store.h"
#include "vault/vault.h"

enum { ERASE_E_BUSY = 1 };

struct erase;
struct erase_options {
	struct loop *loop;
	struct store *store;
	unsigned db;                /* gateway.db */
	struct audit *audit;
	struct vault *vault;
	const char *folder;         /* state folder */
	enum seal_suite suite;      /* SEAL_SM4: signed with SM2 alone */
	/* The keys are gone, the asker was told: stop, close everything, then erase_files. */
	void (*over)(void *ctx);
	void *ctx;
};
must_check int erase_new(const struct erase_options *options, struct erase **ret);
struct erase *erase_close(struct erase *erase);
bool erase_is_over(const struct erase *erase); /* the keys are gone */
/* receipt: r 0 only; borrowed. */
typedef void (*erase_done_fn)(void *ctx, int r, const char *receipt);
void erase_do(struct erase *erase, const struct audit_record *record, erase_done_fn done, void *ctx);

/* Nothing may have any of the files open. */
bool erase_is_pending(const char *folder);
/* Overwrites (best effort) and removes all of the folder but receipts; and key_file (NULL: none), which may lie elsewhere. */
must_check int erase_files(const char *folder, const char *key_file);
