/* Who is it? A name, a password, and where they come from. Name and source are asked of the throttle; then a hash is
 * computed in any case (locked, unknown, disabled: all take the time a true one takes), and only one answer exists for
 * everything that is wrong. The record knows the reason. Whoever is let in is told so when it is on record, not before. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "people/internal.h"

enum { SOURCE_TRIES_FACTOR = 2 };

struct attempt {
	struct list node; /* in people->recording, while its record is being written */
	struct people *people; /* NULL: closed meanwhile */
	char name[USER_NAME_MAX + 1];
	char client[64];
	char old_token[TOKEN_TEXT_MAX];
	uint32_t user;
	enum source_kind door;
	bool locked;
	bool verify_only; /* no session is made: somebody who has one says his password again */
	uint64_t session;
	char token[TOKEN_TEXT_MAX];
	login_done_fn done;
	void *ctx;
};

static void name_key(const char *name, char ret[THROTTLE_KEY_MAX + 1])
{
	text_print(ret, THROTTLE_KEY_MAX + 1, "n:%s", name);
}

static void source_key(enum source_kind door, const char *client, char ret[THROTTLE_KEY_MAX + 1])
{
	text_print(ret, THROTTLE_KEY_MAX + 1, "s:%s:%s", source_kind_name(door), client);
}

static int throttle_job(struct db *db, void *arg)
{
	const struct throttle_row *row = arg;
	struct stmt *s;
	int r = db_prepare(db, "INSERT OR REPLACE INTO throttle (key, failures, locks, lock_left_ms) VALUES (?, ?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_text(s, 1, row->key);
	stmt_bind_i64(s, 2, row->failures);
	stmt_bind_i64(s, 3, row->locks);
	stmt_bind_i64(s, 4, row->lock_left_ms);
	return stmt_run(s);
}

static void throttle_done(void *arg, int r)
{
	(void)r;
	free(arg);
}

/* Locks are kept over a restart: to crash the gateway is no way around them. */
static void keep_lock(struct people *people, const char *key)
{
	struct throttle_row *row = calloc(1, sizeof(*row));
	if (row && throttle_get(people->throttle, key, loop_now_ms(people->loop), row) &&
	    store_submit(people->store, people->db, 0, throttle_job, throttle_done, row) == 0)
		return;
	free(row);
}

static int audit_attempt(const struct attempt *attempt, uint16_t kind, enum audit_outcome outcome, const struct session *session, const char *why,
			 audit_done_fn done, void *ctx)
{
	struct audit_record record = { .kind = kind, .outcome = outcome, .subject = { SUBJECT_USER, attempt->user },
				       .subject_name = attempt->name, .source = (uint8_t)attempt->door, .source_addr = attempt->client,
				       .object = "login", .detail = why };
	const struct user *user = user_find(attempt->people, attempt->user);
	record.subject_role = user ? (uint8_t)user->role : 0;
	if (session)
		memcpy(record.session_tag, session->tag, sizeof(record.session_tag));
	return audit_append(attempt->people->audit, &record, done, ctx);
}

static void attempt_end(struct attempt *attempt, int r, const struct session *session, const char *token)
{
	attempt->done(attempt->ctx, r, session, token);
	crypto_wipe(attempt, sizeof(*attempt));
	free(attempt);
}

static void attempt_fail(struct attempt *attempt, const char *why)
{
	struct people *people = attempt->people;
	char by_name[THROTTLE_KEY_MAX + 1], by_source[THROTTLE_KEY_MAX + 1];
	int64_t now = loop_now_ms(people->loop);

	name_key(attempt->name, by_name);
	source_key(attempt->door, attempt->client, by_source);
	bool name_locked = throttle_fail(people->throttle, by_name, 1, now);
	bool source_locked = throttle_fail(people->throttle, by_source, SOURCE_TRIES_FACTOR, now);
	if (name_locked)
		keep_lock(people, by_name);
	if (source_locked)
		keep_lock(people, by_source);
	(void)!audit_attempt(attempt, AUDIT_LOGIN, AUDIT_FAILED, NULL, why, NULL, NULL);
	if (name_locked || source_locked)
		(void)!audit_attempt(attempt, AUDIT_LOCKOUT, AUDIT_DENIED, NULL,
				     name_locked ? "too many failures for this name" : "too many failures from this source", NULL, NULL);
	attempt_end(attempt, PEOPLE_E_CREDENTIALS, NULL, NULL);
}

/* Nobody knows the token yet. */
static void on_recorded(void *ctx, int r)
{
	struct attempt *attempt = ctx;
	struct people *people = attempt->people;

	if (!people) { /* who waited was told when it closed */
		crypto_wipe(attempt, sizeof(*attempt));
		free(attempt);
		return;
	}
	list_remove(&attempt->node);
	const struct session *session = session_find(people, attempt->session);
	if (r == 0 && !session)
		r = PEOPLE_E_SESSION; /* ended while it was written */
	if (r != 0)
		session_end(people, attempt->session, "its record could not be written");
	attempt_end(attempt, r, r == 0 ? session : NULL, r == 0 ? attempt->token : NULL);
}

void logins_close(struct people *people)
{
	struct attempt *attempt, *tmp;

	list_each(attempt, tmp, &people->recording, node) {
		list_remove(&attempt->node);
		attempt->people = NULL;
		attempt->done(attempt->ctx, -ECANCELED, NULL, NULL);
	}
}

static void let_in(struct attempt *attempt)
{
	struct people *people = attempt->people;
	const struct session *session;
	char key[THROTTLE_KEY_MAX + 1];
	int r = session_start(people, attempt->user, attempt->door, attempt->client, attempt->old_token[0] ? attempt->old_token : NULL, &session,
			      attempt->token);

	if (r != 0) {
		attempt_end(attempt, r, NULL, NULL);
		return;
	}
	name_key(attempt->name, key);
	throttle_ok(people->throttle, key);
	source_key(attempt->door, attempt->client, key);
	throttle_ok(people->throttle, key);
	attempt->session = session->number;
	list_append(&people->recording, &attempt->node);
	r = audit_attempt(attempt, AUDIT_LOGIN, AUDIT_OK, session, NULL, on_recorded, attempt);
	if (r != 0)
		on_recorded(attempt, r < 0 ? r : -EAGAIN);
}

static void on_verified(void *ctx, int r, const char *hash)
{
	struct attempt *attempt = ctx;
	struct people *people = attempt->people;
	const struct user *user = user_find(people, attempt->user);
	(void)hash;

	if (r < 0) {
		attempt_end(attempt, r, NULL, NULL);
		return;
	}
	if (attempt->locked || r != 0 || !user || user->disabled) {
		attempt_fail(attempt, attempt->locked ? "locked" : !user ? "no such user" : user->disabled ? "disabled" : "wrong password");
		return;
	}
	if (attempt->verify_only)
		attempt_end(attempt, 0, NULL, NULL);
	else
		let_in(attempt);
}

/* Takes attempt, whose name, client and door are set. */
static void attempt_start(struct attempt *attempt, const char *password)
{
	struct people *people = attempt->people;
	char key[THROTTLE_KEY_MAX + 1];
	int64_t now = loop_now_ms(people->loop);

	name_key(attempt->name, key);
	attempt->locked = throttle_is_locked(people->throttle, key, now);
	source_key(attempt->door, attempt->client, key);
	attempt->locked |= throttle_is_locked(people->throttle, key, now);
	const struct user *user = user_find_name(people, attempt->name);
	const struct user_entry *entry = user ? people_user(people, user->id) : NULL;
	attempt->user = user ? user->id : 0;
	int r = hasher_verify(people->hasher, entry && !attempt->locked ? entry->hash : NULL, password, on_verified, attempt);
	if (r != 0)
		attempt_end(attempt, r == HASHER_E_BUSY ? PEOPLE_E_BUSY : r, NULL, NULL);
}

static struct attempt *attempt_new(struct people *people, const char *name, enum source_kind door, const char *client, login_done_fn done,
				   void *ctx)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	if (!attempt) {
		done(ctx, -ENOMEM, NULL, NULL);
		return NULL;
	}
	*attempt = (struct attempt){ .people = people, .door = door, .done = done, .ctx = ctx };
	text_copy(attempt->name, sizeof(attempt->name), name);
	text_copy(attempt->client, sizeof(attempt->client), client);
	return attempt;
}

void people_login(struct people *people, const char *name, const char *password, enum source_kind door, const char *client,
		  const char *old_token, login_done_fn done, void *ctx)
{
	struct attempt *attempt = attempt_new(people, name, door, client, done, ctx);
	if (!attempt)
		return;
	text_copy(attempt->old_token, sizeof(attempt->old_token), old_token ? old_token : "");
	attempt_start(attempt, password);
}

void people_verify(struct people *people, const char *name, const char *password, enum source_kind door, const char *client,
		   login_done_fn done, void *ctx)
{
	struct attempt *attempt = attempt_new(people, name, door, client, done, ctx);
	if (!attempt)
		return;
	attempt->verify_only = true;
	attempt_start(attempt, password);
}

bool people_unlock(struct people *people, const char *name)
{
	char key[THROTTLE_KEY_MAX + 1];
	struct throttle_row row;
	name_key(name, key);
	bool was = throttle_get(people->throttle, key, loop_now_ms(people->loop), &row);
	throttle_ok(people->throttle, key);
	return was;
}
