#pragma once
/* rotate - one key in the place of another, and nothing left that carries the old one; cut anywhere, the next start goes on.
 *
 *   above   custody
 *   below   base/base  base/text  custody/inside  sys/db  sys/db_keys
 *   owns    struct rotation
 *   limits  ROTATE_FILES_MAX ROTATE_TRIES_MAX
 *
 * KEY_DB: the new key seals from now on; then each file of the state folder is written anew (what is open, by the writer; the
 * record's closed files on a pool thread) and looked through; when no page carries another key, the old ones are destroyed.
 * KEY_AUDIT: audit.key is written with the new key, then the old one is destroyed. KEY_SIGN, KEY_SIGN_SM2: a checkpoint before,
 * one after; the old key stays, deactivated, because its public half is needed to check what it signed. KEY_FILES,
 * KEY_DEVICES: the old key stays, deactivated, for what was sealed with it.
 */
#include "base/base.h"
#include "custody/inside.h"

enum { ROTATE_FILES_MAX = 8192, ROTATE_TRIES_MAX = 360, ROTATE_RETRY_MS = 10 * 1000 };

int rotate_turn(struct verb *verb);   /* writer thread */
void rotate_go_on(struct verb *verb); /* entered, after the turn */
void rotate_free(struct verb *verb);
/* At the end: waits for the pool thread. True: nothing else of it is under way, so nobody will call back. */
bool rotate_stop(struct verb *verb);
/* Writer thread. 0: nothing that is stored needs this key; CUSTODY_E_CARRIED. */
must_check int rotate_is_carried(struct custody *custody, const struct vault_key_info *info);
bool rotate_progress(const struct verb *verb, struct custody_progress *ret);
