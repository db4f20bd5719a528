#pragma once
/* keystore - the bytes of the keystore file: a header anybody can read, the keys sealed under the key-encryption key.
 *
 *   above   vault/vault
 *   below   base/base  base/bytes  base/text  sys/crypto  sys/seal  sys/sign
 *   owns    nothing
 *   limits  KEYSTORE_KEYS_MAX KEYSTORE_FILE_MAX KEYSTORE_PATH_MAX KEYSTORE_MEM_KIB_MAX KEYSTORE_PASSES_MAX
 *   errors  KEYSTORE_E_SYNTAX KEYSTORE_E_NEWER KEYSTORE_E_SEALED
 *
 * Pure. docs/spec/keystore.md is exact.
 */
#include "base/base.h"
#include "sys/seal.h"

enum { KEYSTORE_KEYS_MAX = 64, KEYSTORE_FILE_MAX = 16 * 1024, KEYSTORE_SALT_LEN = 16, KEYSTORE_SECRET_LEN = 32 };
enum { KEYSTORE_PATH_MAX = 256 /* with its NUL */, KEYSTORE_ID_LEN = 16 };
/* What a header may ask of a machine before anybody knows whether it is true. */
enum { KEYSTORE_MEM_KIB_MAX = 1024 * 1024, KEYSTORE_PASSES_MAX = 64 };
enum { KEYSTORE_E_SYNTAX = 1, KEYSTORE_E_NEWER = 2, KEYSTORE_E_SEALED = 3 /* another key-encryption key, or changed bytes */ };

/* What a key is for; numbers never change meaning. */
enum key_purpose { KEY_DB = 1, KEY_AUDIT, KEY_FILES, KEY_DEVICES, KEY_SIGN, KEY_SIGN_SM2, KEY_PURPOSES };
/* Clause 8.1.2-d. Allowed steps: the table in keystore.c. */
enum key_state { KEY_PREACTIVE = 1, KEY_ACTIVE, KEY_DEACTIVATED, KEY_COMPROMISED, KEY_DESTROYED, KEY_STATES };
enum key_source { KEY_SOURCE_FILE = 1, KEY_SOURCE_CREDENTIAL, KEY_SOURCE_PASSPHRASE, KEY_SOURCES };

struct keystore_key {
	uint32_t id;                  /* from 1, never given twice */
	uint8_t purpose, state;
	uint8_t suite;                /* enum seal_suite; of signing keys enum sign_kind */
	int64_t made_s, active_s, ended_s; /* UTC seconds; 0 not yet */
	uint64_t uses, uses_max;      /* sealed pages, records or signatures; counted in steps */
	int64_t age_max_s;
	uint8_t secret[KEYSTORE_SECRET_LEN]; /* zeros once destroyed */
};
struct keystore {
	uint64_t generation;          /* one more at each write */
	uint64_t starts;              /* of the daemon: compared with gateway.db's own count */
	uint8_t source;               /* enum key_source */
	uint8_t suite;                /* that seals this file */
	uint8_t salt[KEYSTORE_SALT_LEN]; /* of the key-encryption key, and of the passphrase */
	uint32_t mem_kib, passes;     /* of Argon2id; 0 when the source is no passphrase */
	uint8_t gateway_id[KEYSTORE_ID_LEN]; /* random, made once */
	char spent[KEYSTORE_PATH_MAX]; /* a key file that this keystore needs no more and that is still to be removed; or "" */
	uint32_t next_id, n_keys;
	struct keystore_key keys[KEYSTORE_KEYS_MAX];
};
/* Holds secrets: keep struct keystore in guarded memory (sys/crypto), never on the heap or the stack; so ret as well, in
 * which the keys are in the clear before they are sealed. -EINVAL: keystore_is_sound says no. */
must_check int keystore_write(const struct keystore *store, const struct seal_key *kek, uint8_t ret[KEYSTORE_FILE_MAX], size_t *ret_len);
/* The part that needs no key: source, salt, cost, suite, generation. Not authentic until keystore_read. */
must_check int keystore_read_header(const void *data, size_t len, struct keystore *ret);
must_check int keystore_read(const void *data, size_t len, const struct seal_key *kek, struct keystore *ret);
bool keystore_is_sound(const struct keystore *store); /* limits, known numbers, one active key a purpose at most */
/* Keys alone, for a backup: exported bytes need another lock around them. Destroyed keys are left out. */
must_check int keystore_export(const struct keystore *store, void *ret, size_t cap, size_t *ret_len); /* -ENOSPC */
must_check int keystore_import(const void *data, size_t len, struct keystore *ret); /* source, salt and cost are the caller's */
bool key_may_become(enum key_state from, enum key_state to);
const char *key_purpose_name(enum key_purpose purpose);
const char *key_state_name(enum key_state state);
must_check int key_purpose_parse(const char *name, enum key_purpose *ret); /* KEYSTORE_E_SYNTAX */
