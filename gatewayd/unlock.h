#pragma once
/* unlock - a core whose keystore opens with a passphrase waits for a person to bring it, before anything else is opened.
 *
 *   above   -
 *   below   base/base  base/text  sys/crypto  sys/host  sys/log  sys/loop  sys/packet  vault/vault
 *   owns    unlock.sock in the run folder, while it waits
 *   limits  UNLOCK_CLIENTS_MAX UNLOCK_PASSPHRASE_MAX UNLOCK_WAIT_MS_MAX
 *
 * One packet is a passphrase; the answer is one packet: "ok", "wrong", or "wait" while a wrong try has to be waited for (a second,
 * doubled with each further one, UNLOCK_WAIT_MS_MAX at most, for everybody). The service manager is told READY=1 and
 * "locked", so that what depends on us is not held up, and its watchdog is fed.
 */
#include <sys/types.h>
#include "base/base.h"
#include "sys/loop.h"
#include "vault/vault.h"

enum { UNLOCK_CLIENTS_MAX = 8, UNLOCK_PASSPHRASE_MAX = 1024, UNLOCK_WAIT_MS_MAX = 60 * 1000 };

struct unlock;
/* r: 0 and the vault; else what vault_open said that no passphrase will change, with why. Called once. */
typedef void (*unlock_done_fn)(void *ctx, int r, const char *why, struct vault *vault);
/* options and its texts are borrowed until it is over. The passphrase in it is not used. */
must_check int unlock_new(struct loop *loop, const char *run_dir, mode_t mode, const struct vault_options *options, unlock_done_fn done, void *ctx,
			  struct unlock **ret);
struct unlock *unlock_close(struct unlock *unlock);
unsigned unlock_wrong(const struct unlock *unlock); /* tries so far; for the record that comes later */

/* All of it at once: vault_open, and where that says VAULT_E_LOCKED, the loop is turned until somebody has unlocked it.
 * *ret_wrong: how many wrong tries there were. why gets plain words. */
must_check int unlock_vault(struct loop *loop, const char *run_dir, mode_t mode, const struct vault_options *options, char *why, size_t why_cap,
			    unsigned *ret_wrong, struct vault **ret);
