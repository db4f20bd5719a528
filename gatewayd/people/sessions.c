/* A session is a random token that its client holds and a hash of it that we hold. It belongs to one door and one client of
 * that door (clause 7-g): presented from elsewhere it ends, for everybody. Deadlines are on the clock that no one can
 * set; a boot ends them all, because they are nowhere but here. */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "people/internal.h"

enum { TOKEN_BYTES = 32, SWEEP_MS = 5000 };
static const char token_prefix[] = "gws1_";

static int audit_session(struct people *people, const struct session *session, uint16_t kind, enum audit_outcome outcome, const char *why,
			 audit_done_fn done, void *ctx)
{
	const struct user *user = user_find(people, session->user);
	struct audit_record record = { .kind = kind, .outcome = outcome, .subject = { SUBJECT_USER, session->user },
				       .subject_name = user ? user->name : NULL, .subject_role = user ? (uint8_t)user->role : 0,
				       .source = (uint8_t)session->door, .source_addr = session->client, .object = "session", .detail = why };
	memcpy(record.session_tag, session->tag, sizeof(record.session_tag));
	return audit_append(people->audit, &record, done, ctx);
}

static int entry_end_told(struct people *people, struct session_entry *entry, uint16_t kind, enum audit_outcome outcome, const char *why,
			  audit_done_fn done, void *ctx)
{
	struct session session = entry->session;
	crypto_wipe(entry, sizeof(*entry));
	int r = audit_session(people, &session, kind, outcome, why, done, ctx);
	if (people->ended)
		people->ended(people->ended_ctx, &session, why);
	return r;
}

static void entry_end(struct people *people, struct session_entry *entry, uint16_t kind, enum audit_outcome outcome, const char *why)
{
	(void)!entry_end_told(people, entry, kind, outcome, why, NULL, NULL);
}

static bool is_over(const struct session *session, int64_t now_ms)
{
	return now_ms >= session->idle_ms || now_ms >= session->absolute_ms;
}

void sessions_sweep(void *ctx)
{
	struct people *people = ctx;
	int64_t now = loop_now_ms(people->loop);
	timer_start(people->sweep, SWEEP_MS);
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++)
		if (people->sessions[i].used && is_over(&people->sessions[i].session, now))
			entry_end(people, &people->sessions[i], AUDIT_SESSION, AUDIT_OK, "timed out");
}

/* The room for a new one: a free place, else the one of this user that was idle longest, else anybody's idle longest. */
static struct session_entry *make_room(struct people *people, uint32_t user)
{
	struct session_entry *free_entry = NULL, *oldest_own = NULL, *oldest = NULL;
	unsigned n_own = 0, n = 0;
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++) {
		struct session_entry *entry = &people->sessions[i];
		if (!entry->used) {
			free_entry = free_entry ? free_entry : entry;
			continue;
		}
		n++;
		if (!oldest || entry->session.used_ms < oldest->session.used_ms)
			oldest = entry;
		if (entry->session.user != user)
			continue;
		n_own++;
		if (!oldest_own || entry->session.used_ms < oldest_own->session.used_ms)
			oldest_own = entry;
	}
	if (n_own >= people->options.sessions_per_user) {
		entry_end(people, oldest_own, AUDIT_SESSION, AUDIT_OK, "made room for a newer one of the same user");
		return oldest_own;
	}
	if (free_entry && n < people->options.sessions_max)
		return free_entry;
	entry_end(people, oldest, AUDIT_SESSION, AUDIT_OK, "made room for a newer one");
	return oldest;
}

static struct session_entry *entry_of_token(struct people *people, const char *token)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	struct session_entry *found = NULL;
	if (!token || strncmp(token, token_prefix, sizeof(token_prefix) - 1) != 0)
		return NULL;
	crypto_sha256(token, strlen(token), hash);
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++)
		if (people->sessions[i].used && crypto_equal(people->sessions[i].token_hash, hash, sizeof(hash)))
			found = &people->sessions[i];
	return found;
}

int session_start(struct people *people, uint32_t user, enum source_kind door, const char *client, const char *old_token,
		  const struct session **ret, char ret_token[TOKEN_TEXT_MAX])
{
	uint8_t random[TOKEN_BYTES], twice[CRYPTO_HASH_LEN];
	struct session_entry *old = entry_of_token(people, old_token);
	int64_t now = loop_now_ms(people->loop);

	/* The id is replaced at login (clause 8.2.2-r). */
	if (old)
		entry_end(people, old, AUDIT_SESSION, AUDIT_OK, "replaced at login");
	struct session_entry *entry = make_room(people, user);
	crypto_random(random, sizeof(random));
	memcpy(ret_token, token_prefix, sizeof(token_prefix));
	base64url_print(random, sizeof(random), ret_token + sizeof(token_prefix) - 1, TOKEN_TEXT_MAX - sizeof(token_prefix) + 1);
	crypto_wipe(random, sizeof(random));
	*entry = (struct session_entry){ .used = true };
	crypto_sha256(ret_token, strlen(ret_token), entry->token_hash);
	crypto_sha256(entry->token_hash, sizeof(entry->token_hash), twice);
	struct session *session = &entry->session;
	session->number = ++people->last_session;
	memcpy(session->tag, twice, sizeof(session->tag));
	session->user = user;
	session->door = door;
	text_copy(session->client, sizeof(session->client), client);
	session->made_ms = session->used_ms = now;
	session->idle_ms = now + people->options.session_idle_s * INT64_C(1000);
	session->absolute_ms = now + people->options.session_absolute_s * INT64_C(1000);
	*ret = session;
	return 0;
}

int session_check(struct people *people, const char *token, enum source_kind door, const char *client, const struct session **ret)
{
	struct session_entry *entry = entry_of_token(people, token);
	int64_t now = loop_now_ms(people->loop);
	if (!entry)
		return PEOPLE_E_SESSION;
	struct session *session = &entry->session;
	if (is_over(session, now)) {
		entry_end(people, entry, AUDIT_SESSION, AUDIT_OK, "timed out");
		return PEOPLE_E_SESSION;
	}
	if (session->door != door || strcmp(session->client, client) != 0) {
		char why[160];
		text_print(why, sizeof(why), "its token was presented by %s at %s", client, source_kind_name(door));
		entry_end(people, entry, AUDIT_SESSION, AUDIT_DENIED, why);
		return PEOPLE_E_SESSION;
	}
	const struct user *user = user_find(people, session->user);
	if (!user || user->disabled) {
		entry_end(people, entry, AUDIT_SESSION, AUDIT_OK, "its user is gone");
		return PEOPLE_E_SESSION;
	}
	session->used_ms = now;
	session->idle_ms = now + people->options.session_idle_s * INT64_C(1000);
	*ret = session;
	return 0;
}

const struct session *session_find(const struct people *people, uint64_t number)
{
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++)
		if (people->sessions[i].used && people->sessions[i].session.number == number)
			return &people->sessions[i].session;
	return NULL;
}

const struct session *session_at(const struct people *people, size_t i)
{
	for (size_t k = 0; k < PEOPLE_SESSIONS_MAX; k++)
		if (people->sessions[k].used && i-- == 0)
			return &people->sessions[k].session;
	return NULL;
}

static struct session_entry *entry_of_number(struct people *people, uint64_t number)
{
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++)
		if (people->sessions[i].used && people->sessions[i].session.number == number)
			return &people->sessions[i];
	return NULL;
}

void session_end(struct people *people, uint64_t number, const char *why)
{
	struct session_entry *entry = entry_of_number(people, number);
	if (entry)
		entry_end(people, entry, AUDIT_LOGOUT, AUDIT_OK, why);
}

void session_end_on_record(struct people *people, uint64_t number, const char *why, people_done_fn done, void *ctx)
{
	struct session_entry *entry = entry_of_number(people, number);
	int r = entry ? entry_end_told(people, entry, AUDIT_LOGOUT, AUDIT_OK, why, done, ctx) : PEOPLE_E_SESSION;
	if (r != 0)
		done(ctx, r < 0 || !entry ? r : -EAGAIN);
}

void sessions_end_of_user(struct people *people, uint32_t user, const uint8_t except_tag[8], const char *why)
{
	for (size_t i = 0; i < PEOPLE_SESSIONS_MAX; i++) {
		struct session_entry *entry = &people->sessions[i];
		if (!entry->used || entry->session.user != user)
			continue;
		if (!except_tag || memcmp(entry->session.tag, except_tag, sizeof(entry->session.tag)) != 0)
			entry_end(people, entry, AUDIT_SESSION, AUDIT_OK, why);
	}
}

void people_on_session_end(struct people *people, people_ended_fn fn, void *ctx)
{
	people->ended = fn;
	people->ended_ctx = ctx;
}
