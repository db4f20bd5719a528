#pragma once
/* people - users, sessions, one-time codes and bindings: who somebody is and whose a device is.
 *
 *   above   router  door  app
 *   below   audit/audit  base/base  model/device_id  model/subject  people/internal  sys/crypto  sys/store
 *   owns    the tables user, code, binding, throttle of gateway.db; sessions in memory only
 *   limits  PEOPLE_USERS_MAX PEOPLE_SESSIONS_MAX PEOPLE_CODES_MAX TOKEN_TEXT_MAX CODE_TEXT_MAX USER_NAME_MAX PASSWORD_LEN_MAX
 *   errors  PEOPLE_E_UNKNOWN PEOPLE_E_CREDENTIALS PEOPLE_E_LOCKED PEOPLE_E_BUSY PEOPLE_E_FULL PEOPLE_E_EXISTS PEOPLE_E_WEAK
 *           PEOPLE_E_CODE PEOPLE_E_LAST_OWNER PEOPLE_E_SESSION PEOPLE_E_BOUND
 *
 * Verbs write state and audit row in one transaction and call done after the commit. Sessions end with the boot (their
 * deadlines are CLOCK_BOOTTIME), so they live in memory and none is ever on disk; only the token's hash is kept.
 */
#include "base/base.h"
#include "audit/audit.h"
#include "model/device_id.h"
#include "model/subject.h"
#include "sys/crypto.h"
#include "sys/store.h"

enum { PEOPLE_USERS_MAX = 256, PEOPLE_SESSIONS_MAX = 64, PEOPLE_CODES_MAX = 64, TOKEN_TEXT_MAX = 64, CODE_TEXT_MAX = 16, USER_NAME_MAX = 64,
       PASSWORD_LEN_MIN = 10, PASSWORD_LEN_MAX = 128 };
enum { PEOPLE_E_UNKNOWN = 1, PEOPLE_E_CREDENTIALS, PEOPLE_E_LOCKED, PEOPLE_E_BUSY, PEOPLE_E_FULL, PEOPLE_E_EXISTS, PEOPLE_E_WEAK, PEOPLE_E_CODE,
       PEOPLE_E_LAST_OWNER, PEOPLE_E_SESSION, PEOPLE_E_BOUND };

struct people;
struct user {
	uint32_t id;
	char name[USER_NAME_MAX + 1];
	enum role role;
	bool disabled;
};
struct session {
	uint64_t number;      /* typed id for holding across time; never the token */
	uint8_t tag[8];       /* for audit and lists: first 8 bytes of hash of hash */
	uint32_t user;
	enum source_kind door;
	char client[64];      /* "uid:1000" or an address */
	int64_t made_ms, used_ms, idle_ms, absolute_ms; /* the two last: deadlines */
};
struct people_options {
	struct crypto_password_cost cost;
	uint32_t session_idle_s, session_absolute_s, sessions_per_user, sessions_max;
	uint32_t lock_tries, lock_window_s, lock_s, code_life_s, code_tries;
};
typedef void (*people_done_fn)(void *ctx, int r);
typedef void (*people_ended_fn)(void *ctx, const struct session *session, const char *why);

extern const char people_schema_1[];
must_check int people_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, const struct people_options *options,
			  struct people **ret);
must_check int people_load(struct people *people);
must_check int people_start(struct people *people); /* threads may start: after the fence */
struct people *people_close(struct people *people);
void people_on_session_end(struct people *people, people_ended_fn fn, void *ctx); /* router: cancel its queued commands */

bool people_has_owner(const struct people *people); /* false: first set-up */
const struct user *user_find(const struct people *people, uint32_t id);
const struct user *user_find_name(const struct people *people, const char *name);
const struct user *user_at(const struct people *people, size_t i);
/* password is wiped by the caller after the call returns; a copy is held guarded until hashed. */
void user_add(struct people *people, const char *name, enum role role, const char *password, const struct audit_record *record,
	      people_done_fn done, void *ctx);
void user_set_password(struct people *people, uint32_t id, const char *password, const struct audit_record *record, people_done_fn done, void *ctx);
void user_set_role(struct people *people, uint32_t id, enum role role, const struct audit_record *record, people_done_fn done, void *ctx);
void user_set_disabled(struct people *people, uint32_t id, bool disabled, const struct audit_record *record, people_done_fn done, void *ctx);
void user_remove(struct people *people, uint32_t id, const struct audit_record *record, people_done_fn done, void *ctx);

/* Login: unknown names cost the same time. token is for the client once; wiped after the callback. It succeeds when it is on record. */
typedef void (*login_done_fn)(void *ctx, int r, const struct session *session, const char *token);
void people_login(struct people *people, const char *name, const char *password, enum source_kind door, const char *client,
		  const char *old_token, login_done_fn done, void *ctx);
/* The same judgement without a session (done gets none): before somebody changes what the password guards. */
void people_verify(struct people *people, const char *name, const char *password, enum source_kind door, const char *client,
		   login_done_fn done, void *ctx);
bool people_unlock(struct people *people, const char *name); /* by an owner or for recovery; false: it was not throttled */
/* 0 and *ret borrowed until the next loop turn; touches the idle deadline. PEOPLE_E_SESSION: unknown, ended, other door or client
 * (then it is ended and audited). */
must_check int session_check(struct people *people, const char *token, enum source_kind door, const char *client, const struct session **ret);
const struct session *session_find(const struct people *people, uint64_t number);
const struct session *session_at(const struct people *people, size_t i);
void session_end(struct people *people, uint64_t number, const char *why);
/* Ended at once; done when it is on record. */
void session_end_on_record(struct people *people, uint64_t number, const char *why, people_done_fn done, void *ctx);

/* One-time codes: 55 bits and a check symbol, XXXX-XXXX-XXXX; only a keyed hash is stored. */
typedef void (*code_done_fn)(void *ctx, int r, const char *code, int64_t life_ms);
void code_issue(struct people *people, uint32_t user, const struct audit_record *record, code_done_fn done, void *ctx);
/* One SQL statement decides. On success the code's user owns the device, registry's owner column included (same transaction).
 * PEOPLE_E_CODE: wrong, used, expired, burnt (indistinguishable); PEOPLE_E_BOUND: has an owner. */
typedef void (*redeem_done_fn)(void *ctx, int r, uint32_t user);
void code_redeem(struct people *people, const char *code, struct device_id device, const struct audit_record *record, redeem_done_fn done,
		 void *ctx);
/* Uses the code up for opening a join window: it must be one that this user was issued. */
void code_use_for_window(struct people *people, const char *code, uint32_t user, const struct audit_record *record, redeem_done_fn done,
			 void *ctx);
bool codes_are_paused(const struct people *people); /* several codes were burnt by guessing within the hour */
/* Check symbol and alphabet only: pure. */
must_check int code_parse(const char *text, size_t len, char ret[CODE_TEXT_MAX]);

/* Bindings by a person's word: claim confirmed, transfer, unbind. owner 0 unbinds. put_owner writes registry's side in the same transaction. */
typedef int (*put_owner_fn)(struct db *db, struct device_id id, uint32_t owner);
void people_set_put_owner(struct people *people, put_owner_fn fn);
void binding_set(struct people *people, struct device_id device, uint32_t owner, const struct audit_record *record, people_done_fn done, void *ctx);
