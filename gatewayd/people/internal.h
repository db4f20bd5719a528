#pragma once
/* internal - what the files of people/ share.
 *
 *   above   people
 *   below   base/base  base/list  people/hasher  people/people  people/throttle
 *   owns    struct people
 *   limits  -
 */
#include "base/base.h"
#include "base/list.h"
#include "people/hasher.h"
#include "people/people.h"
#include "people/throttle.h"

struct user_entry {
	struct user user;
	char hash[CRYPTO_PASSWORD_HASH_LEN];
};
struct session_entry {
	bool used;
	struct session session;
	uint8_t token_hash[CRYPTO_HASH_LEN];
};

struct people {
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct audit *audit;
	struct people_options options;
	struct hasher *hasher;
	struct throttle *throttle;
	struct secret *pepper; /* of one-time codes; codes do not outlive the process */
	struct timer *sweep;
	struct user_entry users[PEOPLE_USERS_MAX];
	size_t n_users;
	uint32_t last_user;
	struct session_entry sessions[PEOPLE_SESSIONS_MAX];
	uint64_t last_session;
	struct list recording; /* logins whose record is being written */
	people_ended_fn ended;
	void *ended_ctx;
	put_owner_fn put_owner;
	int64_t burnt_ms[3]; /* when codes were burnt lately */
	unsigned n_burnt;
};

struct user_entry *people_user(struct people *people, uint32_t id);
/* users.c: the rows of the user table. */
must_check int people_load_users(struct people *people);
/* login.c */
void logins_close(struct people *people);
/* sessions.c */
void sessions_end_of_user(struct people *people, uint32_t user, const uint8_t except_tag[8], const char *why);
must_check int session_start(struct people *people, uint32_t user, enum source_kind door, const char *client, const char *old_token,
			     const struct session **ret, char ret_token[TOKEN_TEXT_MAX]);
void sessions_sweep(void *people);
/* PEOPLE_E_WEAK unless the password may be used. Pure. */
must_check int password_check(const char *name, const char *password);
/* A store job that failed on a constraint or a missing row, as a person's word. */
int people_word(int r);
