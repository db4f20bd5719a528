#pragma once
/* source - where the key-encryption key comes from: a file, a credential of the service manager, a passphrase.
 *
 *   above   vault
 *   below   base/base  base/text  sys/crypto  sys/host  sys/seal  vault/keystore
 *   owns    nothing; the key files are the vault's to make and to destroy
 *   limits  SOURCE_FILE_MAX SOURCE_FILE_MIN SOURCE_PASSPHRASE_MIN
 *   errors  SOURCE_E_MISSING SOURCE_E_LOCKED SOURCE_E_REFUSED
 *
 * Derivation: docs/spec/keystore.md. Blocks: files, and Argon2id for a passphrase.
 */
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/seal.h"
#include "vault/keystore.h"

#define SOURCE_NEW_SUFFIX ".new" /* a key file that a rewrap has made and that has not got its name yet */
enum { SOURCE_FILE_MIN = 32, SOURCE_FILE_MAX = 4000, SOURCE_PASSPHRASE_MIN = 12 /* characters of a new one */ };
enum {
	SOURCE_E_MISSING = 1, /* no such file */
	SOURCE_E_LOCKED,      /* no passphrase was given */
	SOURCE_E_REFUSED,     /* readable by others, a symbolic link, too short ... : why says */
};

struct source {
	enum key_source kind;
	const char *path;                /* of FILE and CREDENTIAL; borrowed */
	const struct secret *passphrase; /* borrowed; may be NULL */
};
/* The key-encryption key of a keystore with this header: salt, cost and suite are taken from it. why is written on
 * positive errors. */
must_check int source_kek(const struct source *source, const struct keystore *header, char *why, size_t why_cap,
			  struct seal_key **ret);
/* Is it fit to be used from now on? Asks more of a new passphrase than of an old one. */
must_check int source_check_new(const struct source *source, char *why, size_t why_cap);
/* 32 random bytes, mode 0600, durable when it returns. -EEXIST: something is there. */
must_check int source_make_file(const char *path);
/* Overwritten, synced, removed, the folder synced. 0 also when it is not there; SOURCE_E_REFUSED when it is no file of ours. */
must_check int source_destroy_file(const char *path);
must_check int source_sync_folder_of(const char *path);
