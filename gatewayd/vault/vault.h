#pragma once
/* vault - the gateway's keys: where the key-encryption key comes from, what states keys are in, one file that holds them all.
 *
 *   above   custody/custody  custody/ring  vault/inside
 *   below   base/base  sys/crypto  sys/seal  sys/sign  vault/inside  vault/keystore
 *   owns    struct vault, keystore.bin and the generation before it, keystore.old
 *   limits  -
 *   errors  VAULT_E_LOCKED VAULT_E_WRONG_KEY VAULT_E_DAMAGED VAULT_E_STATE VAULT_E_UNKNOWN VAULT_E_NEWER VAULT_E_NEEDED
 *
 * source -> key-encryption key (guarded memory only) -> a data key for each purpose. Each verb is one atomic write of keystore.bin: new
 * file, fsync, the present one linked to keystore.old, rename, fsync of the folder; cut anywhere, one of both opens, and the
 * next opening finishes what was cut. docs/spec/keystore.md is exact.
 *
 * Threads: verbs touch the disk, so they belong on the writer thread (a store task) or before the loop turns; several at once
 * wait for each other. Readers (key, active, list, generation, starts) are for any thread and never wait for the disk.
 * Who may do what, and the audit record of it, is custody's.
 */
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/seal.h"
#include "sys/sign.h"
#include "vault/keystore.h"

enum {
	VAULT_E_LOCKED = 1, /* the source is a passphrase and none was given */
	VAULT_E_WRONG_KEY,  /* the keystore does not open with this source */
	VAULT_E_DAMAGED,    /* neither the keystore nor the generation before it can be read */
	VAULT_E_STATE,      /* the key's state does not allow that step */
	VAULT_E_UNKNOWN,    /* no such key */
	VAULT_E_NEWER,      /* written by a newer gatewayd */
	VAULT_E_NEEDED,     /* the only key for its purpose: rotate instead */
};
struct vault;
struct vault_options {
	const char *folder;        /* the state folder */
	enum seal_suite suite;     /* of new keys and of the file */
	enum key_source source;
	const char *path;          /* FILE: made when it is missing and there is no keystore; CREDENTIAL: the file; PASSPHRASE: NULL */
	const struct secret *passphrase; /* borrowed; NULL: VAULT_E_LOCKED when one is needed */
	uint32_t mem_kib, passes;  /* of Argon2id for a new passphrase */
	int64_t now_s;
	int64_t age_max_s;         /* after which a new data key is worn; 0: a year */
};
/* With what the keystore in folder says that it is locked; not authentic, so good for choosing whom to ask. VAULT_E_UNKNOWN: none is there. */
must_check int vault_source_of(const char *folder, enum key_source *ret);
/* Opens, or makes with a first active key for every purpose. why gets plain words. */
must_check int vault_open(const struct vault_options *options, char *why, size_t why_cap, struct vault **ret);
struct vault *vault_close(struct vault *vault); /* writes down what was really counted */
bool vault_fell_back(const struct vault *vault); /* keystore.bin did not open and keystore.old did: an alarm */

/* Key bytes, borrowed, in guarded memory: they stay where they are until vault_close, and are zeros from the moment in which
 * the key is destroyed. VAULT_E_STATE: pre-active or destroyed; VAULT_E_UNKNOWN. */
must_check int vault_key(const struct vault *vault, uint32_t id, const uint8_t **ret);
uint32_t vault_active(const struct vault *vault, enum key_purpose purpose); /* 0 none */

struct vault_key_info {
	uint32_t id;
	enum key_purpose purpose;
	enum key_state state;
	uint8_t suite;
	int64_t made_s, active_s, ended_s, age_max_s;
	uint64_t uses, uses_max;
	bool worn;                 /* active, and past its uses or its age */
	struct sign_public public; /* of signing keys */
};
size_t vault_list(const struct vault *vault, int64_t now_s, struct vault_key_info *ret, size_t max);

/* The verbs. Each is durable when it returns 0. A positive error has no effect. After a negative one (-ENOSPC, -EIO ...) it has
 * none either, or all of it and only the last sync failed: what readers see is what the file says, and the verb can be told
 * again. One key a purpose is active at any time: whoever takes that one away gets another in the same write. */
must_check int vault_create(struct vault *vault, enum key_purpose purpose, int64_t now_s, uint32_t *ret_id); /* -ENOSPC: KEYSTORE_KEYS_MAX */
must_check int vault_activate(struct vault *vault, uint32_t id, int64_t now_s); /* the active one before it becomes deactivated */
must_check int vault_deactivate(struct vault *vault, uint32_t id, int64_t now_s); /* the oldest pre-active one follows, or VAULT_E_NEEDED */
must_check int vault_compromise(struct vault *vault, uint32_t id, int64_t now_s); /* the same, or a new one follows */
must_check int vault_destroy(struct vault *vault, uint32_t id, int64_t now_s);  /* wiped here, in the file, and in keystore.old (written twice) */
/* Added to its uses, also when it fails. The file is ahead of the count by uses_max / 4096 (2^20), so that a crash counts too
 * much; it is written only when the count has come up to it. */
must_check int vault_count(struct vault *vault, uint32_t id, uint64_t uses);
/* Another source, passphrase, suite, or only another salt; keys stay. An old key file is destroyed at the end (-EPERM, -EACCES:
 * that could not be; the new source counts all the same, and the next opening tries again). From a file to one of the same
 * name: a new key. Errors as of vault_open. */
must_check int vault_rewrap(struct vault *vault, const struct vault_options *options);

/* Freshness: the daemon's starts, counted here and in gateway.db. */
uint64_t vault_generation(const struct vault *vault);
uint64_t vault_starts(const struct vault *vault);
must_check int vault_set_starts(struct vault *vault, uint64_t starts);
const uint8_t *vault_gateway_id(const struct vault *vault); /* 16 bytes */

/* All keys but destroyed ones, for a backup: bytes that vault_import takes. The secret is guarded and the caller's. */
must_check int vault_export(const struct vault *vault, struct secret **ret);
/* Makes a new keystore with these keys in a folder that has none (restoring on other hardware). */
must_check int vault_import(const struct vault_options *options, const struct secret *exported, char *why, size_t why_cap);
/* Every key and every copy of the file destroyed, the key-encryption key's file overwritten and removed, the latter first. The
 * vault is only good for closing then (-ESHUTDOWN), or for erasing again what an error has left. */
must_check int vault_erase(struct vault *vault);
