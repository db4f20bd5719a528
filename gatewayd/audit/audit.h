#pragma once
/* audit - the record of what mattered: fixed schema, canonical bytes, chained, append-only; asynchronous.
 *
 *   above   adapter  app  audit  door  people  policy  registry  router
 *   below   audit/inside  base/base  base/bytes  base/text  model/alarm  model/command  model/device_id  model/subject  sys/box
 *           sys/crypto  sys/db_keys  sys/sign  sys/store
 *   owns    the audit database (segments audit-YYYYMM-n.db), the chain's head, the collapse table
 *   limits  AUDIT_CHECKPOINT_MAX AUDIT_PATH_MAX AUDIT_KEEP_DAYS_MIN AUDIT_DETAIL_MAX AUDIT_OBJECT_MAX AUDIT_COLLAPSE_MAX AUDIT_QUEUE_MAX AUDIT_RECORD_MAX AUDIT_READ_MAX
 *   errors  AUDIT_E_TAMPERED AUDIT_E_NO_ANCHOR AUDIT_E_FULL
 *
 * Two ways in. audit_append: an event that stands alone (denial, alarm, start). audit_outbox_put: on the writer
 * thread, inside the transaction that changes gateway.db; audit_drain moves outbox rows into the log, each exactly
 * once. Encoding, chain, sealing and files: docs/spec/audit.md.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/command.h"
#include "model/device_id.h"
#include "model/subject.h"
#include "sys/box.h"
#include "sys/crypto.h"
#include "sys/db_keys.h"
#include "sys/sign.h"
#include "sys/store.h"

enum { AUDIT_EPOCH_RECORDS = 256, AUDIT_EPOCH_MS = 60 * 1000 }; /* a checkpoint and a new MAC key on disk after that, at the latest */
enum { AUDIT_CHECKPOINT_MAX = 2048, AUDIT_SEED_LEN = 32, AUDIT_PATH_MAX = 64 };
enum { AUDIT_DETAIL_MAX = 1024, AUDIT_OBJECT_MAX = 64, AUDIT_COLLAPSE_MAX = 1024, AUDIT_QUEUE_MAX = 16384, AUDIT_RECORD_MAX = 2048, AUDIT_READ_MAX = 256 };
enum { AUDIT_E_TAMPERED = 1, AUDIT_E_NO_ANCHOR = 2, AUDIT_E_FULL = 3 };

enum audit_outcome { AUDIT_OK, AUDIT_FAILED, AUDIT_DENIED };
/* Rows with names, severity and the clause they answer are in audit/kinds.c; numbers never change meaning. */
enum audit_kind {
	AUDIT_START = 1, AUDIT_STOP, AUDIT_CONFIG, AUDIT_CLOCK, AUDIT_SEGMENT, AUDIT_SEED, AUDIT_SEGMENT_DROP,
	AUDIT_COMMAND = 16, AUDIT_DENIAL, AUDIT_REFUSED, AUDIT_READ, AUDIT_TELEMETRY_COUNT, AUDIT_BAD_INPUT,
	AUDIT_LOGIN = 32, AUDIT_LOGOUT, AUDIT_LOCKOUT, AUDIT_SESSION, AUDIT_USER_ADD, AUDIT_USER_CHANGE, AUDIT_USER_REMOVE, AUDIT_PASSWORD,
	AUDIT_SETUP, AUDIT_RECOVERY,
	AUDIT_CODE_ISSUED = 48, AUDIT_CODE_USED, AUDIT_CODE_FAILED, AUDIT_BIND, AUDIT_UNBIND, AUDIT_TRANSFER, AUDIT_CLAIM_WAITING,
	AUDIT_JOIN_OPEN, AUDIT_JOIN_CLOSE,
	AUDIT_DEVICE_SEEN = 64, AUDIT_DEVICE_STATE, AUDIT_DEVICE_NAME, AUDIT_DEVICE_ROOM, AUDIT_DEVICE_MOVE, AUDIT_DEVICE_RETIRE, AUDIT_CLONE,
	AUDIT_RULE_ADD = 80, AUDIT_RULE_REMOVE, AUDIT_AUTOMATION_ADD, AUDIT_AUTOMATION_REMOVE, AUDIT_AUTOMATION_STOPPED,
	AUDIT_ADAPTER_UP = 96, AUDIT_ADAPTER_DOWN, AUDIT_ADAPTER_VIOLATION, AUDIT_LINK_UP, AUDIT_LINK_DOWN, AUDIT_LINK_REFUSED,
	AUDIT_ALARM_RAISED = 112, AUDIT_ALARM_ACKED, AUDIT_ALARM_CLEARED,
	AUDIT_LOG_VERIFY = 120, AUDIT_LOG_EXPORT, AUDIT_SPOOL_DROP, AUDIT_BROKER_CLIENT, AUDIT_METHOD,
	AUDIT_KEY_CREATE = 128, AUDIT_KEY_ACTIVATE, AUDIT_KEY_DISABLE, AUDIT_KEY_COMPROMISE, AUDIT_KEY_ROTATE, AUDIT_KEY_DISTRIBUTE,
	AUDIT_KEY_DESTROY, AUDIT_KEY_SOURCE, AUDIT_BACKUP, AUDIT_RESTORE, AUDIT_ERASE, AUDIT_FRESHNESS, AUDIT_RADIO,
};
enum audit_collapse { COLLAPSE_NEVER, COLLAPSE_FAILURES, COLLAPSE_ALWAYS };
struct audit_kind_row {
	uint16_t kind;
	const char *name;   /* "login" */
	uint8_t severity;   /* enum severity of model/alarm */
	uint8_t collapse;   /* enum audit_collapse: which repeats become counts */
	const char *clause; /* of the standard */
};
const struct audit_kind_row *audit_kind_row(uint16_t kind); /* NULL: unknown */
const struct audit_kind_row *audit_kind_at(size_t i);

/* One record as its writer fills it; time, boot id and sequence are added when it is appended. Texts are borrowed. */
struct audit_record {
	uint16_t kind;
	enum audit_outcome outcome;
	uint16_t result;            /* enum result, when there is one */
	struct subject subject;
	const char *subject_name;   /* "anna", "cloud"; NULL none */
	uint8_t subject_role;
	uint8_t session_tag[8];     /* hash of the session id, never the id; zeros none */
	uint8_t source;             /* enum source_kind */
	const char *source_addr;    /* "uid:1000", "cloud/app-7" */
	struct device_id device;    /* object when it is a device */
	const char *object;         /* else: its name */
	uint16_t cap;
	const char *action;         /* "set on-off=true", "device.rename" */
	int32_t rule;               /* the rule that decided */
	uint32_t count;             /* of collapsed repeats; 0 and 1 are one */
	const char *detail;         /* plain words, control bytes escaped when shown */
};

/* Who checks a checkpoint's signatures: a key by the id that the vault gave it. */
struct audit_public {
	uint32_t id;
	struct sign_public key;
};
/* What seals the log. Keys are borrowed and may be exchanged (audit_set_seal) between jobs. */
struct audit_seal {
	struct db_keys *pages;            /* of the segments, one for life; NULL: in the clear, for tests and tools */
	const struct seal_key *file;      /* of audit.key, where the current MAC key lies; with file_id in front of it */
	uint32_t file_id;
	const struct seal_key *file_old;  /* NULL none: what a rotation that was cut off may have left in a slot of audit.key; read only */
	uint32_t file_old_id;
	const struct sign_key *sign, *sign_sm2; /* one at least */
	uint32_t sign_id, sign_sm2_id;
	uint64_t generation, starts;      /* of the vault, for checkpoints */
	const struct audit_public *publics; /* every signing key there ever was, for verifying and exports; copied. None: those of sign and sign_sm2 */
	size_t n_publics;
};
struct audit;
struct audit_options {
	const char *folder;         /* state folder */
	enum crypto_hash_kind hash;
	const uint8_t *boot_id;     /* 16 bytes */
	uint64_t segment_bytes_max; /* a new segment after that many */
	const struct audit_seal *seal; /* copied; its keys are borrowed. NULL: a log without a seal, for tests and tools */
};
typedef void (*audit_done_fn)(void *ctx, int r);

/* Opens (or starts) the current segment, checks its tail, recovers the head. Before store_start. */
must_check int audit_new(struct loop *loop, struct store *store, const struct audit_options *options, struct audit **ret);
must_check int audit_attach_outbox(struct audit *audit, unsigned gateway_db); /* the database whose `outbox` table is drained */
struct audit *audit_close(struct audit *audit); /* flushes counts and queue */

/* Repeats of one (subject, source, kind, object) collapse into counts flushed every 60 s; kinds that must stand alone
 * (commands, verbs, alarms) are not collapsed. done may be NULL. AUDIT_E_FULL: the queue is full, nothing was taken. */
must_check int audit_append(struct audit *audit, const struct audit_record *record, audit_done_fn done, void *ctx);
void audit_count_telemetry(struct audit *audit, struct device_id device, uint32_t n); /* allowed telemetry: counts a minute */

/* A copy in one allocation, texts included, for jobs that run later. Never NULL. */
struct audit_record *audit_record_copy(const struct audit_record *record);
struct audit_record *audit_record_free(struct audit_record *record);

extern const char audit_outbox_schema[]; /* SQL of the outbox table, part of gateway.db's first migration */
/* Writer thread, inside a transaction on the gateway database. */
must_check int audit_outbox_put(struct db *db, const struct audit_record *record);
void audit_drain(struct audit *audit); /* after commit: move the outbox on; coalesces */

struct audit_head {
	uint64_t seq;                /* records in all segments */
	uint8_t head[CRYPTO_HASH_LEN];
	char segment[40];
};
struct audit_head audit_head(const struct audit *audit); /* what an anchor carries */

/* Reading, on the writer thread; the rows arrive on the loop. */
struct audit_row {
	uint64_t seq;
	int64_t wall_us;
	int64_t boot_ms;
	bool time_trusted;
	struct audit_record record; /* borrows from the batch */
};
/* r: 0, AUDIT_E_TAMPERED (rows holds those before the first that is not what it should be), negative errno. */
typedef void (*audit_rows_fn)(void *ctx, int r, const struct audit_row *rows, size_t n);
/* Rows above after_seq, rising; or, newest_first, rows below after_seq (0: from the end), falling. At most max and AUDIT_READ_MAX. */
must_check int audit_read(struct audit *audit, uint64_t after_seq, size_t max, bool newest_first, audit_rows_fn fn, void *ctx);

struct audit_verdict {
	uint64_t records, first_bad; /* first_bad 0: none */
	char what[128];              /* which check failed, in plain words */
	unsigned anchors;            /* how many outside anchors were compared */
	uint64_t newest_anchor;      /* the last of them; what follows it is vouched for by this gateway only */
	uint64_t after_anchor;       /* how many records that are */
};
typedef void (*audit_verdict_fn)(void *ctx, int r, const struct audit_verdict *verdict);
/* Walks every segment. anchors: (seq, head) pairs somebody kept outside. r: 0, AUDIT_E_TAMPERED, AUDIT_E_NO_ANCHOR. */
struct audit_anchor {
	uint64_t seq;
	uint8_t head[CRYPTO_HASH_LEN];
	uint64_t checkpoint;         /* number of the checkpoint that said so; 0: not known */
};
must_check int audit_verify(struct audit *audit, const struct audit_anchor *anchors, size_t n_anchors, audit_verdict_fn fn,
			    void *ctx);
/* The same with a seed that somebody kept (audit_seed): every record behind seed_seq is checked for its MAC, up to the next seed. */
struct audit_check {
	const struct audit_anchor *anchors;
	size_t n_anchors;
	uint64_t seed_seq;           /* of the record of it; 0: no seed */
	const uint8_t *seed;         /* AUDIT_SEED_LEN bytes */
};
must_check int audit_verify_with(struct audit *audit, const struct audit_check *check, audit_verdict_fn fn, void *ctx);
/* Writes every record to path (docs/spec/audit.md "export"), 0600. */
must_check int audit_export(struct audit *audit, const char *path, audit_done_fn done, void *ctx);
void audit_set_time_trusted(struct audit *audit, bool trusted);
/* What is wrong with the log, in plain words; NULL nothing: its end did not hold when it was opened, or somebody else wrote
 * into it since. It goes on in a new segment that says so; the alarm is the caller's, who asks now and then. */
const char *audit_fault(const struct audit *audit);

/* --- sealing (docs/spec/audit.md sections 7, 9, 10) --------------------------------------------------------------------- */

/* A point of the log, signed. */
struct audit_checkpoint {
	uint64_t number, size;
	uint8_t root[CRYPTO_HASH_LEN], head[CRYPTO_HASH_LEN];
	size_t len;                           /* of body */
	uint8_t body[AUDIT_CHECKPOINT_MAX];
	bool has_a, has_b;
	uint8_t signature_a[SIGN_LEN], signature_b[SIGN_LEN];
};
/* Called on the loop after each checkpoint is on disk: to links, to syslog. */
typedef void (*audit_checkpoint_fn)(void *ctx, const struct audit_checkpoint *checkpoint);
void audit_on_checkpoint(struct audit *audit, audit_checkpoint_fn fn, void *ctx);
/* Before store_start: the newest there is, and how many records it covers; zeros: none. */
void audit_newest_checkpoint(const struct audit *audit, uint64_t *ret_number, uint64_t *ret_size);
/* One now (before a stop, after a rotation of keys); done when it is on disk. */
must_check int audit_checkpoint_now(struct audit *audit, audit_done_fn done, void *ctx);
/* From the next job on; audit.key is sealed anew before done, and a failure leaves the old ones in use. The caller keeps the old keys
 * alive until done. */
must_check int audit_set_seal(struct audit *audit, const struct audit_seal *seal, audit_done_fn done, void *ctx);
/* A new chain of MAC keys: its seed is made, the record of it written, and given here once; it is nowhere kept. r 0: seed is there. */
typedef void (*audit_seed_fn)(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN]);
must_check int audit_seed(struct audit *audit, const struct audit_record *record, audit_seed_fn fn, void *ctx);
/* That record seq is in the tree of the newest checkpoint (RFC 6962, 2.1.1), which covers all there is: one is made when it does not.
 * path: n hashes, from the leaf upwards. -ENOENT: there is no such record, or it was dropped with its file. */
typedef void (*audit_proof_fn)(void *ctx, int r, const struct audit_checkpoint *checkpoint, const uint8_t leaf[CRYPTO_HASH_LEN],
			       const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n);
must_check int audit_prove(struct audit *audit, uint64_t seq, audit_proof_fn fn, void *ctx);
/* That the tree of size is a beginning of the newest checkpoint's (RFC 6962, 2.1.2). leaf is NULL then. */
must_check int audit_prove_consistency(struct audit *audit, uint64_t size, audit_proof_fn fn, void *ctx);
/* Is body, byte for byte, checkpoint `number` of this log? r: 0 yes; AUDIT_E_TAMPERED: there is another one; -ENOENT: there is none. */
must_check int audit_knows(struct audit *audit, uint64_t number, const void *body, size_t len, audit_done_fn fn, void *ctx);
/* Every record, checkpoint and public key into a parcel for an auditor (path, 0600). */
must_check int audit_export_sealed(struct audit *audit, const char *path, const struct box_public *to, audit_done_fn done, void *ctx);

/* --- room ------------------------------------------------------------------------------------------------------------- */

/* Closed files are dropped, oldest first, each with a record (section 8), when: the clock is trusted and says that their newest record is
 * older than keep_days; gateways were awake for that long since, which no clock that is set can pretend; an export has covered
 * them; they end with a checkpoint. fn: r 0, and how many. -EINVAL: fewer than AUDIT_KEEP_DAYS_MIN. -EAGAIN: the clock is not trusted. */
enum { AUDIT_KEEP_DAYS_MIN = 180 };
typedef void (*audit_dropped_fn)(void *ctx, int r, unsigned dropped);
must_check int audit_drop_old(struct audit *audit, unsigned keep_days, audit_dropped_fn fn, void *ctx);
/* While the reserve is in use: strangers' repeats are counted only, so that no noise fills it. */
void audit_set_tight(struct audit *audit, bool tight);
uint64_t audit_bytes(const struct audit *audit); /* of all segments, as of the last change */
