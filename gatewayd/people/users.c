/* Who exists. Each change is one transaction with its audit row, checked once more in it (somebody else's change may have
 * come first), applied in memory after the commit. The last owner can neither be removed, disabled nor made less:
 * there would be nobody left to ask. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "people/internal.h"

struct change {
	struct people *people;
	const struct change_row *row;
	struct user_entry entry; /* as it is to be */
	struct audit_record *record;
	people_done_fn done;
	void *ctx;
};
struct change_row {
	int (*write)(struct db *db, struct change *change);
	void (*apply)(struct change *change);
};

/* The highest number ever given, also to users that are gone. */
static int load_last_user(struct people *people)
{
	struct stmt *s;
	int r = db_prepare(store_db(people->store, people->db), "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'user'", &s);
	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	people->last_user = (uint32_t)stmt_i64(s, 0);
	stmt_reset(s);
	return 0;
}

int people_load_users(struct people *people)
{
	struct stmt *s;
	int r = db_prepare(store_db(people->store, people->db), "SELECT id, name, role, disabled, hash FROM user ORDER BY id", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		r = -E2BIG;
		if (people->n_users == PEOPLE_USERS_MAX)
			break;
		struct user_entry *entry = &people->users[people->n_users++];
		entry->user.id = (uint32_t)stmt_i64(s, 0);
		text_copy(entry->user.name, sizeof(entry->user.name), stmt_text(s, 1));
		entry->user.role = (enum role)stmt_i64(s, 2);
		entry->user.disabled = stmt_i64(s, 3) != 0;
		text_copy(entry->hash, sizeof(entry->hash), stmt_text(s, 4));
		r = 0;
	}
	return r == 0 ? load_last_user(people) : r;
}

static int change_job(struct db *db, void *arg)
{
	struct change *change = arg;
	int r = change->row->write(db, change);
	return r == 0 ? audit_outbox_put(db, change->record) : r;
}

static void change_free(struct change *change)
{
	audit_record_free(change->record);
	crypto_wipe(change->entry.hash, sizeof(change->entry.hash));
	free(change);
}

static void change_end(struct change *change, int r)
{
	change->done(change->ctx, r);
	change_free(change);
}

static void change_done(void *arg, int r)
{
	struct change *change = arg;
	if (r == 0) {
		change->row->apply(change);
		audit_drain(change->people->audit);
	}
	change_end(change, r == -EBUSY ? PEOPLE_E_BOUND : people_word(r));
}

static void change_submit(struct change *change)
{
	int r = store_submit(change->people->store, change->people->db, STORE_SYNC, change_job, change_done, change);
	if (r != 0)
		change_end(change, people_word(r));
}

static struct change *change_new(struct people *people, const struct change_row *row, const struct user_entry *entry,
				 const struct audit_record *record, people_done_fn done, void *ctx)
{
	struct audit_record filled = *record;
	struct change *change = calloc(1, sizeof(*change));
	if (!change) {
		done(ctx, -ENOMEM);
		return NULL;
	}
	filled.object = entry->user.name;
	*change = (struct change){ .people = people, .row = row, .entry = *entry, .done = done, .ctx = ctx };
	change->record = audit_record_copy(&filled);
	return change;
}

static void on_hashed(void *ctx, int r, const char *hash)
{
	struct change *change = ctx;
	if (r != 0) {
		change_end(change, r);
		return;
	}
	memcpy(change->entry.hash, hash, sizeof(change->entry.hash));
	change_submit(change);
}

static void change_hash(struct change *change, const char *password)
{
	int r = hasher_make(change->people->hasher, password, on_hashed, change);
	if (r != 0)
		change_end(change, r == HASHER_E_BUSY ? PEOPLE_E_BUSY : r);
}

static int write_new(struct db *db, struct change *change)
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO user (id, name, role, hash) VALUES (?, ?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, change->entry.user.id);
	stmt_bind_text(s, 2, change->entry.user.name);
	stmt_bind_i64(s, 3, change->entry.user.role);
	stmt_bind_text(s, 4, change->entry.hash);
	return stmt_run(s);
}

static void apply_new(struct change *change)
{
	struct people *people = change->people;
	if (people->n_users < PEOPLE_USERS_MAX)
		people->users[people->n_users++] = change->entry;
}

void user_add(struct people *people, const char *name, enum role role, const char *password, const struct audit_record *record,
	      people_done_fn done, void *ctx)
{
	static const struct change_row row = { write_new, apply_new };
	struct user_entry entry = { .user = { .role = role } };

	if (!text_is_name(name, USER_NAME_MAX) || role == ROLE_NONE || role >= ROLES)
		done(ctx, PEOPLE_E_UNKNOWN);
	else if (user_find_name(people, name))
		done(ctx, PEOPLE_E_EXISTS);
	else if (people->n_users == PEOPLE_USERS_MAX)
		done(ctx, PEOPLE_E_FULL);
	else if (password_check(name, password) != 0)
		done(ctx, PEOPLE_E_WEAK);
	else {
		text_copy(entry.user.name, sizeof(entry.user.name), name);
		entry.user.id = ++people->last_user; /* ids are never given twice: the table's AUTOINCREMENT remembers the highest */
		struct change *change = change_new(people, &row, &entry, record, done, ctx);
		if (change)
			change_hash(change, password);
	}
}

static int update(struct db *db, const char *sql, const struct user_entry *entry, bool hash, int64_t number)
{
	struct stmt *s;
	int r = db_prepare(db, sql, &s);
	if (r != 0)
		return r;
	if (hash)
		stmt_bind_text(s, 1, entry->hash);
	else
		stmt_bind_i64(s, 1, number);
	stmt_bind_i64(s, 2, entry->user.id);
	r = stmt_run(s);
	return r == 0 && db_changes(db) != 1 ? -ENOENT : r;
}

static int write_password(struct db *db, struct change *change)
{
	return update(db, "UPDATE user SET hash = ? WHERE id = ?", &change->entry, true, 0);
}

static void apply_password(struct change *change)
{
	struct user_entry *entry = people_user(change->people, change->entry.user.id);
	if (entry)
		memcpy(entry->hash, change->entry.hash, sizeof(entry->hash));
	sessions_end_of_user(change->people, change->entry.user.id, NULL, "the password was changed");
}

void user_set_password(struct people *people, uint32_t id, const char *password, const struct audit_record *record, people_done_fn done,
		       void *ctx)
{
	static const struct change_row row = { write_password, apply_password };
	const struct user_entry *entry = people_user(people, id);
	if (!entry)
		done(ctx, PEOPLE_E_UNKNOWN);
	else if (password_check(entry->user.name, password) != 0)
		done(ctx, PEOPLE_E_WEAK);
	else {
		struct change *change = change_new(people, &row, entry, record, done, ctx);
		if (change)
			change_hash(change, password);
	}
}

/* Would this leave nobody who may everything? */
static bool is_last_owner(const struct people *people, uint32_t id)
{
	for (size_t i = 0; i < people->n_users; i++) {
		const struct user *user = &people->users[i].user;
		if (user->id != id && user->role == ROLE_OWNER && !user->disabled)
			return false;
	}
	const struct user *user = user_find(people, id);
	return user && user->role == ROLE_OWNER && !user->disabled;
}

static int write_role(struct db *db, struct change *change)
{
	return update(db, "UPDATE user SET role = ? WHERE id = ?", &change->entry, false, change->entry.user.role);
}

static void apply_user(struct change *change)
{
	struct user_entry *entry = people_user(change->people, change->entry.user.id);
	if (entry)
		entry->user = change->entry.user;
	sessions_end_of_user(change->people, change->entry.user.id, NULL, "the user's rights were changed");
}

void user_set_role(struct people *people, uint32_t id, enum role role, const struct audit_record *record, people_done_fn done, void *ctx)
{
	static const struct change_row row = { write_role, apply_user };
	const struct user_entry *now = people_user(people, id);
	if (!now || role == ROLE_NONE || role >= ROLES) {
		done(ctx, PEOPLE_E_UNKNOWN);
	} else if (role != ROLE_OWNER && is_last_owner(people, id)) {
		done(ctx, PEOPLE_E_LAST_OWNER);
	} else {
		struct user_entry entry = *now;
		entry.user.role = role;
		struct change *change = change_new(people, &row, &entry, record, done, ctx);
		if (change)
			change_submit(change);
	}
}

static int write_disabled(struct db *db, struct change *change)
{
	return update(db, "UPDATE user SET disabled = ? WHERE id = ?", &change->entry, false, change->entry.user.disabled);
}

void user_set_disabled(struct people *people, uint32_t id, bool disabled, const struct audit_record *record, people_done_fn done, void *ctx)
{
	static const struct change_row row = { write_disabled, apply_user };
	const struct user_entry *now = people_user(people, id);
	if (!now) {
		done(ctx, PEOPLE_E_UNKNOWN);
	} else if (disabled && is_last_owner(people, id)) {
		done(ctx, PEOPLE_E_LAST_OWNER);
	} else {
		struct user_entry entry = *now;
		entry.user.disabled = disabled;
		struct change *change = change_new(people, &row, &entry, record, done, ctx);
		if (change)
			change_submit(change);
	}
}

static int write_remove(struct db *db, struct change *change)
{
	struct stmt *s;
	/* Whose devices they are must be settled first. */
	int r = db_prepare(db, "SELECT 1 FROM binding WHERE owner = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, change->entry.user.id);
	r = stmt_step(s);
	stmt_reset(s);
	if (r != 0)
		return r == 1 ? -EBUSY : r;
	r = db_prepare(db, "DELETE FROM user WHERE id = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, change->entry.user.id);
	return stmt_run(s);
}

static void apply_remove(struct change *change)
{
	struct people *people = change->people;
	struct user_entry *entry = people_user(people, change->entry.user.id);
	sessions_end_of_user(people, change->entry.user.id, NULL, "the user was removed");
	if (!entry)
		return;
	*entry = people->users[--people->n_users];
	crypto_wipe(&people->users[people->n_users], sizeof(people->users[0]));
}

void user_remove(struct people *people, uint32_t id, const struct audit_record *record, people_done_fn done, void *ctx)
{
	static const struct change_row row = { write_remove, apply_remove };
	const struct user_entry *now = people_user(people, id);
	if (!now) {
		done(ctx, PEOPLE_E_UNKNOWN);
	} else if (is_last_owner(people, id)) {
		done(ctx, PEOPLE_E_LAST_OWNER);
	} else {
		struct change *change = change_new(people, &row, now, record, done, ctx);
		if (change)
			change_submit(change);
	}
}
