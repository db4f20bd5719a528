/* A change of the household's access rules is prepared whole before anything is touched: the new set is compiled on a worker
 * thread (it may be refused there, by name), then the row and its audit row are written in one transaction, then the new
 * snapshot takes the place of the old. Changes queue: each starts from the set the one before it left. */
#include "policy/rulebook.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/text.h"

enum { RULE_ROW_MAX = 256, RULE_ROW_VERSION = 1, ERROR_MAX = 200 };

const char rulebook_schema_1[] = "CREATE TABLE policy_rule (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;";

struct change {
	struct change *next;
	struct rulebook *book;
	bool remove;
	struct policy_rule rule; /* the new one; its id alone for a removal */
	struct policy_rule *rules;
	size_t n;
	struct policy_snapshot *snapshot;
	char error[ERROR_MAX];
	int r;
	struct audit_record *record;
	rulebook_done_fn done;
	void *ctx;
};

struct rulebook {
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct audit *audit;
	struct policy_rule *rules;
	size_t n;
	int32_t last_id;
	struct policy_snapshot *snapshot;
	struct change *first, **last;
	size_t n_changes;
	bool busy, closed;
};

int rulebook_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, struct rulebook **ret)
{
	struct rulebook *book = calloc(1, sizeof(*book));
	if (!book)
		return -ENOMEM;
	*book = (struct rulebook){ .loop = loop, .store = store, .db = db, .audit = audit };
	book->last = &book->first;
	*ret = book;
	return 0;
}

static void change_free(struct change *change)
{
	free(change->rules);
	if (change->snapshot)
		policy_unref(change->snapshot);
	audit_record_free(change->record);
	free(change);
}

static void book_free(struct rulebook *book)
{
	if (book->snapshot)
		policy_unref(book->snapshot);
	free(book->rules);
	free(book);
}

struct rulebook *rulebook_close(struct rulebook *book)
{
	if (!book)
		return NULL;
	while (book->first) {
		struct change *change = book->first;
		book->first = change->next;
		book->n_changes--;
		change->done(change->ctx, -ECANCELED, 0, NULL);
		change_free(change);
	}
	book->last = &book->first;
	book->closed = true;
	if (!book->busy)
		book_free(book);
	return NULL; /* the change under way frees it when its worker has come back */
}

static void rule_put(struct writer *w, const struct policy_rule *rule)
{
	put_u8(w, RULE_ROW_VERSION);
	put_u8(w, (uint8_t)rule->effect);
	put_u8(w, (uint8_t)rule->who);
	put_u32(w, rule->who_id);
	put_u8(w, (uint8_t)rule->what);
	put_bytes(w, rule->device.b, sizeof(rule->device.b));
	put_u32(w, rule->room);
	put_u8(w, (uint8_t)rule->data_class);
	put_u16(w, rule->cap);
	put_u8(w, (uint8_t)rule->risk_max);
	put_u8(w, rule->actions);
	put_u8(w, rule->loops);
	put_u8(w, rule->sources);
	put_u8(w, rule->n_windows);
	for (uint8_t i = 0; i < rule->n_windows; i++) {
		put_u8(w, rule->windows[i].days);
		put_u16(w, rule->windows[i].from);
		put_u16(w, rule->windows[i].to);
	}
	put_text16(w, rule->note);
}

static int rule_get(struct view bytes, struct policy_rule *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);
	struct policy_rule rule = { 0 };
	char error[ERROR_MAX];

	if (get_u8(&r) != RULE_ROW_VERSION)
		return -EBADMSG;
	rule.effect = (enum policy_effect)get_u8(&r);
	rule.who = (enum policy_who)get_u8(&r);
	rule.who_id = get_u32(&r);
	rule.what = (enum policy_what)get_u8(&r);
	struct view device = get_view(&r, sizeof(rule.device.b));
	if (!r.bad)
		memcpy(rule.device.b, device.data, sizeof(rule.device.b));
	rule.room = get_u32(&r);
	rule.data_class = (enum data_class)get_u8(&r);
	rule.cap = get_u16(&r);
	rule.risk_max = (enum risk)get_u8(&r);
	rule.actions = get_u8(&r);
	rule.loops = get_u8(&r);
	rule.sources = get_u8(&r);
	rule.n_windows = get_u8(&r);
	if (rule.n_windows > POLICY_WINDOWS_MAX)
		return -EBADMSG;
	for (uint8_t i = 0; i < rule.n_windows; i++) {
		rule.windows[i].days = get_u8(&r);
		rule.windows[i].from = get_u16(&r);
		rule.windows[i].to = get_u16(&r);
	}
	struct view note = get_text16(&r, POLICY_TEXT_MAX);
	if (!reader_is_done(&r))
		return -EBADMSG;
	text_copy_n(rule.note, sizeof(rule.note), note.data, note.len);
	if (policy_rule_check(&rule, error, sizeof(error)) != 0)
		return -EBADMSG;
	*ret = rule;
	return 0;
}

static int load_rows(struct rulebook *book, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT id, body FROM policy_rule ORDER BY id", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct policy_rule *more = realloc(book->rules, (book->n + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		book->rules = more;
		r = rule_get(stmt_blob(s, 1), &more[book->n]);
		if (r == 0)
			more[book->n++].id = (int32_t)stmt_i64(s, 0);
	}
	return r;
}

static int load_last_id(struct rulebook *book, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'policy_rule'", &s);
	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	book->last_id = (int32_t)stmt_i64(s, 0);
	stmt_reset(s);
	return 0;
}

int rulebook_load(struct rulebook *book)
{
	struct db *db = store_db(book->store, book->db);
	char error[ERROR_MAX];
	int r = load_rows(book, db);
	if (r == 0)
		r = load_last_id(book, db);
	if (r == 0)
		r = policy_compile(book->rules, book->n, error, sizeof(error), &book->snapshot);
	return r > 0 ? -EBADMSG : r;
}

/* Changing. */

static void rulebook_next(struct rulebook *book);

static void change_end(struct change *change, int r)
{
	struct rulebook *book = change->book;
	int32_t id = change->rule.id;

	book->busy = false;
	book->n_changes--;
	if (r == 0 && !book->closed) {
		free(book->rules);
		policy_unref(book->snapshot);
		book->rules = STEAL(change->rules);
		book->n = change->n;
		book->snapshot = STEAL(change->snapshot);
		audit_drain(book->audit);
	}
	change->done(change->ctx, r, id, change->error[0] ? change->error : NULL);
	change_free(change);
	if (book->closed)
		book_free(book);
	else
		rulebook_next(book);
}

static int write_job(struct db *db, void *arg)
{
	const struct change *change = arg;
	uint8_t body[RULE_ROW_MAX];
	struct writer w = writer_over(body, sizeof(body));
	struct stmt *s;
	int r = change->remove ? db_prepare(db, "DELETE FROM policy_rule WHERE id = ?", &s) :
				 db_prepare(db, "INSERT INTO policy_rule (id, body) VALUES (?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, change->rule.id);
	if (!change->remove) {
		rule_put(&w, &change->rule);
		if (w.bad)
			return -EMSGSIZE;
		stmt_bind_blob(s, 2, body, writer_len(&w));
	}
	r = stmt_run(s);
	return r == 0 && change->record ? audit_outbox_put(db, change->record) : r;
}

static void write_done(void *arg, int r)
{
	change_end(arg, r);
}

static void compile_work(void *ctx)
{
	struct change *change = ctx;
	change->r = policy_compile(change->rules, change->n, change->error, sizeof(change->error), &change->snapshot);
}

static void compile_done(void *ctx, int r)
{
	struct change *change = ctx;
	if (r == 0)
		r = change->r;
	if (r == 0 && change->book->closed)
		r = -ECANCELED;
	if (r == 0)
		r = store_submit(change->book->store, change->book->db, STORE_SYNC, write_job, write_done, change);
	if (r != 0)
		change_end(change, r == STORE_E_FULL && !change->error[0] ? -EAGAIN : r);
}

/* What the rule says, for the record: complete, and in numbers where names may change. */
static void rule_print(const struct policy_rule *rule, char *ret, size_t cap)
{
	static const char *const whos[] = { "anybody", "user", "role", "link", "rule", "its owner" };
	static const char *const whats[] = { "everything", "device", "room", "class" };
	char device[DEVICE_ID_TEXT_MAX];

	text_print(ret, cap, "%s %s", rule->effect == POLICY_ALLOW ? "allow" : "deny", whos[rule->who]);
	if (rule->who != WHO_ANY && rule->who != WHO_OWNER)
		text_append(ret, cap, " %u", rule->who_id);
	text_append(ret, cap, " on %s", whats[rule->what]);
	device_id_print(rule->device, device);
	if (rule->what == WHAT_DEVICE)
		text_append(ret, cap, " %s", device);
	else if (rule->what != WHAT_ANY)
		text_append(ret, cap, " %u", rule->what == WHAT_ROOM ? rule->room : (uint32_t)rule->data_class);
	text_append(ret, cap, " cap %u risk %d actions %u loops %u sources %u", rule->cap, (int)rule->risk_max, rule->actions, rule->loops,
		    rule->sources);
	for (uint8_t i = 0; i < rule->n_windows; i++)
		text_append(ret, cap, " days %02x %u-%u", rule->windows[i].days, rule->windows[i].from, rule->windows[i].to);
	if (rule->note[0])
		text_append(ret, cap, " (%s)", rule->note);
}

/* The record is whoever asked's; object and detail are the rule's, whose number is known only now. */
static void change_fill_record(struct change *change)
{
	char object[AUDIT_OBJECT_MAX], detail[AUDIT_DETAIL_MAX];
	struct audit_record *old = change->record, filled;

	if (!old)
		return;
	filled = *old;
	text_print(object, sizeof(object), "policy rule %d", (int)change->rule.id);
	rule_print(&change->rule, detail, sizeof(detail));
	filled.object = object;
	filled.detail = detail;
	change->record = audit_record_copy(&filled);
	audit_record_free(old);
}

/* The set as it will be. */
static int change_prepare(struct change *change)
{
	struct rulebook *book = change->book;
	size_t i = 0;
	change->rules = malloc((book->n + 1) * sizeof(*change->rules));
	if (!change->rules)
		return -ENOMEM;
	if (book->n)
		memcpy(change->rules, book->rules, book->n * sizeof(*change->rules));
	change->n = book->n;
	if (!change->remove) {
		if (book->n == POLICY_RULES_MAX) {
			text_print(change->error, sizeof(change->error), "there are as many rules as there may be");
			return POLICY_E_RULE;
		}
		change->rule.id = ++book->last_id;
		change->rules[change->n++] = change->rule;
		change_fill_record(change);
		return 0;
	}
	while (i < change->n && change->rules[i].id != change->rule.id)
		i++;
	if (i == change->n) {
		text_print(change->error, sizeof(change->error), "there is no rule %d", (int)change->rule.id);
		return RULEBOOK_E_UNKNOWN;
	}
	change->rule = change->rules[i];
	change_fill_record(change);
	memmove(&change->rules[i], &change->rules[i + 1], (change->n - i - 1) * sizeof(*change->rules));
	change->n--;
	return 0;
}

static void rulebook_next(struct rulebook *book)
{
	struct change *change = book->first;
	if (!change || book->busy)
		return;
	book->first = change->next;
	if (!book->first)
		book->last = &book->first;
	book->busy = true;
	int r = change_prepare(change);
	if (r == 0)
		r = loop_work(book->loop, compile_work, compile_done, change);
	if (r != 0)
		change_end(change, r);
}

static void change_start(struct rulebook *book, const struct policy_rule *rule, bool remove, const struct audit_record *record,
			 rulebook_done_fn done, void *ctx)
{
	struct change *change = book->n_changes < RULEBOOK_CHANGES_MAX ? calloc(1, sizeof(*change)) : NULL;
	if (!change) {
		done(ctx, -ENOBUFS, 0, NULL);
		return;
	}
	*change = (struct change){ .book = book, .remove = remove, .rule = *rule, .done = done, .ctx = ctx };
	change->record = record ? audit_record_copy(record) : NULL;
	*book->last = change;
	book->last = &change->next;
	book->n_changes++;
	rulebook_next(book);
}

void rulebook_add(struct rulebook *book, const struct policy_rule *rule, const struct audit_record *record, rulebook_done_fn done, void *ctx)
{
	char error[ERROR_MAX];
	int r = policy_rule_check(rule, error, sizeof(error));
	if (r != 0)
		done(ctx, r, 0, error);
	else
		change_start(book, rule, false, record, done, ctx);
}

void rulebook_remove(struct rulebook *book, int32_t id, const struct audit_record *record, rulebook_done_fn done, void *ctx)
{
	const struct policy_rule rule = { .id = id };
	change_start(book, &rule, true, record, done, ctx);
}

struct policy_snapshot *rulebook_snapshot(const struct rulebook *book)
{
	return book->snapshot;
}

size_t rulebook_count(const struct rulebook *book)
{
	return book->n;
}

const struct policy_rule *rulebook_at(const struct rulebook *book, size_t i)
{
	return i < book->n ? &book->rules[i] : NULL;
}
