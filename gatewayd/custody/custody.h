#pragma once
/* custody - who holds the keys answers for them: each verb is on record before it is carried out, and again when it has ended.
 *
 *   above   custody/inside
 *   below   audit/audit  base/base  base/text  custody/inside  custody/ring  custody/rotate  sys/box  sys/store  vault/vault
 *   owns    struct custody; the table custody of gateway.db: verbs that have begun and not ended
 *   limits  CUSTODY_VERBS_MAX CUSTODY_TEXT_MAX
 *   errors  CUSTODY_E_ROTATING CUSTODY_E_BUSY CUSTODY_E_KEPT CUSTODY_E_CARRIED CUSTODY_E_SUITE CUSTODY_E_FULL
 *
 * A verb: its intent into gateway.db, with its audit row, durable; then the vault's step on the writer thread, durable; then
 * its outcome, which takes the intent away, durable; then the answer. What a cut left between intent and outcome is found at
 * the next start, finished or found undone, and its outcome recorded (custody_start).
 */
#include "audit/audit.h"
#include "base/base.h"
#include "custody/ring.h"
#include "sys/box.h"
#include "sys/store.h"
#include "vault/vault.h"

enum { CUSTODY_VERBS_MAX = 16, CUSTODY_TEXT_MAX = 400 };
enum {
	CUSTODY_E_ROTATING = 16, /* its purpose is being rotated: wait for the end of that */
	CUSTODY_E_BUSY,          /* CUSTODY_VERBS_MAX are under way */
	CUSTODY_E_KEPT,          /* such a key never leaves (CUSTODY_DISTRIBUTE) */
	CUSTODY_E_CARRIED,       /* something stored still needs it: rotate, which writes that anew */
	CUSTODY_E_SUITE,         /* the recipient's key is of a suite that this gateway does not use */
	CUSTODY_E_FULL,          /* no room for one more key: destroy what is not needed */
};

enum custody_verb {
	CUSTODY_CREATE = 1, /* purpose: a key that is not in use yet */
	CUSTODY_ACTIVATE,   /* id: what is written from now on gets it; the one before is deactivated */
	CUSTODY_DISABLE,    /* id */
	CUSTODY_COMPROMISE, /* id: known to somebody else; the active one gets a successor at once, as in a rotation */
	CUSTODY_DESTROY,    /* id */
	CUSTODY_ROTATE,     /* purpose: a new active key, and nothing left that carries the old one */
	/* id, to: a copy sealed to somebody's public key. Of KEY_FILES (who may read what was sealed with it) and KEY_DEVICES
	 * (another gateway takes the devices over) alone: page keys and the record's key open nothing outside of this
	 * gateway and go with a backup as a whole; a signature that two can make is nobody's. */
	CUSTODY_DISTRIBUTE,
	CUSTODY_SOURCE,     /* source, passphrase: where the key-encryption key comes from */
	CUSTODY_VERBS
};
struct custody_order {
	enum custody_verb verb;
	enum key_purpose purpose;
	uint32_t id;
	const struct box_public *to;
	enum key_source source;
	const struct secret *passphrase; /* copied */
};
/* id: the key that it was about, of a rotation the new one. text: what is to be shown, "" nothing; wiped after the call. */
struct custody_answer {
	uint32_t id;
	const char *text;
};
typedef void (*custody_done_fn)(void *ctx, int r, const struct custody_answer *answer);

struct custody;
struct custody_ops { /* upwards; all on the loop */
	/* Each minute, of each active key; and of what a rotation ends. */
	void (*key)(void *ctx, const struct vault_key_info *info);
	/* Tests: on any thread, before each step of a verb. May end the process. NULL is fine. */
	void (*step)(void *ctx, const char *what);
};
struct custody_options {
	struct loop *loop;
	struct store *store;
	unsigned db;               /* gateway.db */
	struct audit *audit;
	struct vault *vault;
	struct ring *ring;
	const char *folder;        /* state folder: every *.db in it is sealed with a KEY_DB */
	enum seal_suite suite;
	const char *key_file;      /* of KEY_SOURCE_FILE */
	const char *credential;    /* of KEY_SOURCE_CREDENTIAL; NULL: the service manager gave none */
	uint32_t mem_kib, passes;  /* of a new passphrase */
	const struct custody_ops *ops;
	void *ctx;
};
extern const char custody_schema_1[]; /* part of gateway.db's version 1 */

must_check int custody_new(const struct custody_options *options, struct custody **ret);
must_check int custody_load(struct custody *custody);  /* before store_start */
void custody_start(struct custody *custody);           /* after it: ends what a cut left, counts uses */
struct custody *custody_close(struct custody *custody); /* after store_drain; a rotation goes on at the next start */

/* record: who asks; kind, object, outcome and detail are filled in here. done is called once; of a rotation as soon as the new key is
 * active and on record, while what carries the old one is still being written anew. */
void custody_do(struct custody *custody, const struct custody_order *order, const struct audit_record *record, custody_done_fn done, void *ctx);
const char *custody_word(int r); /* plain words for a positive result of done */

struct custody_progress {
	enum key_purpose purpose;
	uint32_t id;                /* the new key */
	unsigned files, files_done;
	const char *trouble;        /* why it waits; NULL nothing */
};
/* The i-th rotation under way. */
bool custody_progress_at(const struct custody *custody, size_t i, struct custody_progress *ret);
/* The app says so after each checkpoint: what was used for it is counted. */
void custody_count_checkpoint(struct custody *custody);
void custody_count_now(struct custody *custody); /* tests: what the timer does */
