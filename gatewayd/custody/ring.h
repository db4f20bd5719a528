#pragma once
/* ring - the vault's keys in the shapes in which others use them: page keys for the databases, what seals the record.
 *
 *   above   custody/custody
 *   below   audit/audit  base/base  base/text  sys/crypto  sys/db_keys  sys/host  vault/vault
 *   owns    struct ring, its db_keys and audit_seal
 *   limits  -
 *   errors  -
 *
 * Made after the vault and before the first database; freed after the last database and before the vault.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "sys/db_keys.h"
#include "vault/vault.h"

struct ring;
struct ring_options {
	struct vault *vault;
	const char *folder;     /* where audit.key is: a rotation that was cut off may have left the key before in it */
	enum seal_suite suite;  /* SEAL_SM4: signed with SM2 alone */
};
must_check int ring_new(const struct ring_options *options, struct ring **ret);
struct ring *ring_free(struct ring *ring);
struct db_keys *ring_pages(const struct ring *ring);
const struct audit_seal *ring_seal(const struct ring *ring); /* borrowed; as of the last ring_settle */

/* On the writer thread, after the vault has another active key for databases: from now on it seals. */
must_check int ring_turn_pages(struct ring *ring);
/* Whether a page key with this id could be taken in. */
bool ring_has_room(const struct ring *ring);
bool ring_file_names(const struct ring *ring, uint32_t id); /* audit.key is sealed with it, wholly or in one slot */
/* On the loop: a seal from the keys that are active now. What it had before stays good until ring_settle. */
must_check int ring_prepare(struct ring *ring, const struct audit_seal **ret);
void ring_settle(struct ring *ring, bool taken); /* taken: the record uses the prepared one; else it is forgotten */
