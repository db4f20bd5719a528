/* People in one struct: the list of users, the sessions they hold, the codes they were given, who failed too often. Its
 * files are its stories: users (who exists), login (who it is), sessions (who was let in), codes and bindings (whose a
 * device is). */
#include <stdlib.h>
#include <string.h>
#include "people/internal.h"

enum { SWEEP_FIRST_MS = 5000, PEPPER_LEN = 32 };

const char people_schema_1[] =
	"CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, role INTEGER NOT NULL,"
	" disabled INTEGER NOT NULL DEFAULT 0, hash TEXT NOT NULL) STRICT;"
	"CREATE TABLE throttle (key TEXT PRIMARY KEY, failures INTEGER NOT NULL, locks INTEGER NOT NULL, lock_left_ms INTEGER NOT NULL)"
	" WITHOUT ROWID, STRICT;"
	"CREATE TABLE code (hash BLOB PRIMARY KEY, user INTEGER NOT NULL, expires_ms INTEGER NOT NULL, attempts_left INTEGER NOT NULL,"
	" used_ms INTEGER) WITHOUT ROWID, STRICT;"
	"CREATE TABLE binding (device BLOB PRIMARY KEY, owner INTEGER NOT NULL, made_us INTEGER NOT NULL) WITHOUT ROWID, STRICT;";

int people_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, const struct people_options *options,
	       struct people **ret)
{
	const struct throttle_options throttle = { options->lock_tries, options->lock_window_s, options->lock_s };
	struct people *people = calloc(1, sizeof(*people));
	if (!people)
		return -ENOMEM;
	people->loop = loop;
	people->store = store;
	people->db = db;
	people->audit = audit;
	people->options = *options;
	list_init(&people->recording);
	int r = hasher_new(loop, options->cost, &people->hasher);
	if (r == 0)
		r = throttle_new(&throttle, &people->throttle);
	if (r == 0)
		r = secret_new_random(PEPPER_LEN, &people->pepper);
	if (r == 0)
		r = timer_new(loop, sessions_sweep, people, &people->sweep);
	if (r != 0) {
		people_close(people);
		return r;
	}
	timer_start(people->sweep, SWEEP_FIRST_MS);
	*ret = people;
	return 0;
}

struct people *people_close(struct people *people)
{
	if (!people)
		return NULL;
	logins_close(people);
	timer_close(people->sweep);
	hasher_close(people->hasher);
	throttle_free(people->throttle);
	secret_free(people->pepper);
	crypto_wipe(people, sizeof(*people));
	free(people);
	return NULL;
}

static int load_throttle(struct people *people)
{
	struct stmt *s;
	int64_t now = loop_now_ms(people->loop);
	int r = db_prepare(store_db(people->store, people->db), "SELECT key, failures, locks, lock_left_ms FROM throttle", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct throttle_row row = { .failures = (uint32_t)stmt_i64(s, 1), .locks = (uint32_t)stmt_i64(s, 2), .lock_left_ms = stmt_i64(s, 3) };
		strncpy(row.key, stmt_text(s, 0), sizeof(row.key) - 1);
		/* A lock runs on from where it was written: a restart shortens none. */
		throttle_restore(people->throttle, &row, now);
		r = 0;
	}
	return r;
}

int people_load(struct people *people)
{
	/* Codes do not outlive the process that knows their pepper. */
	int r = db_exec(store_db(people->store, people->db), "DELETE FROM code");
	if (r == 0)
		r = people_load_users(people);
	return r == 0 ? load_throttle(people) : r;
}

int people_start(struct people *people)
{
	return hasher_start(people->hasher);
}

void people_set_put_owner(struct people *people, put_owner_fn fn)
{
	people->put_owner = fn;
}

int people_word(int r)
{
	if (r == -EEXIST)
		return PEOPLE_E_EXISTS;
	if (r == -ENOENT)
		return PEOPLE_E_UNKNOWN;
	return r == STORE_E_FULL ? -EAGAIN : r;
}

bool people_has_owner(const struct people *people)
{
	for (size_t i = 0; i < people->n_users; i++)
		if (people->users[i].user.role == ROLE_OWNER && !people->users[i].user.disabled)
			return true;
	return false;
}

struct user_entry *people_user(struct people *people, uint32_t id)
{
	for (size_t i = 0; i < people->n_users; i++)
		if (people->users[i].user.id == id)
			return &people->users[i];
	return NULL;
}

const struct user *user_find(const struct people *people, uint32_t id)
{
	for (size_t i = 0; i < people->n_users; i++)
		if (people->users[i].user.id == id)
			return &people->users[i].user;
	return NULL;
}

const struct user *user_find_name(const struct people *people, const char *name)
{
	for (size_t i = 0; i < people->n_users; i++)
		if (strcmp(people->users[i].user.name, name) == 0)
			return &people->users[i].user;
	return NULL;
}

const struct user *user_at(const struct people *people, size_t i)
{
	return i < people->n_users ? &people->users[i].user : NULL;
}
