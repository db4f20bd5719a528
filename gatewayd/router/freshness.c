/* A thief of the card, or somebody with root who wants yesterday undone, puts an older image back: old rights, old codes, a log
 * that ends earlier. The image agrees with itself. But it has told its links where its log stood, signed; and the broker of a
 * link kept the last word. A gateway that reads a later word of its own than it remembers is not what it was.
 *
 * What is refused then is what such an image would be put back for: orders from outside, under rights of yesterday. */
#include "router/freshness.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/log.h"

struct freshness {
	struct store *store;
	unsigned db;
	struct audit *audit;
	struct alarms *alarms;
	const struct freshness_ops *ops;
	void *ctx;
	char why[FRESHNESS_WHY_MAX];
	uint64_t seen, accepted; /* numbers of anchors: the highest outside, and the highest that an owner knows of */
	struct question *question; /* under way */
};

struct question { /* outlives the asker when it has to */
	struct freshness *f;
	uint64_t number;
	char link[64];
};

struct change { /* on its way to the database */
	char why[FRESHNESS_WHY_MAX];
	uint64_t seen, accepted;
	struct audit_record *record;
	struct freshness *f;
	void (*done)(void *ctx, int r);
	void *ctx;
};

const char freshness_schema_1[] = "CREATE TABLE freshness (one INTEGER PRIMARY KEY CHECK (one = 1), why TEXT NOT NULL,"
				  " seen INTEGER NOT NULL, accepted INTEGER NOT NULL) STRICT;";

static const struct device_id nothing;

int freshness_new(struct store *store, unsigned db, struct audit *audit, struct alarms *alarms, const struct freshness_ops *ops, void *ctx,
		  struct freshness **ret)
{
	struct freshness *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = (struct freshness){ .store = store, .db = db, .audit = audit, .alarms = alarms, .ops = ops, .ctx = ctx };
	*ret = f;
	return 0;
}

struct freshness *freshness_free(struct freshness *f)
{
	if (f && f->question)
		f->question->f = NULL;
	free(f);
	return NULL;
}

int freshness_load(struct freshness *f)
{
	struct stmt *s;
	int r = db_prepare(store_db(f->store, f->db), "SELECT why, seen, accepted FROM freshness", &s);

	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	(void)text_copy(f->why, sizeof(f->why), stmt_text(s, 0));
	f->seen = (uint64_t)stmt_i64(s, 1);
	f->accepted = (uint64_t)stmt_i64(s, 2);
	stmt_reset(s);
	if (f->why[0])
		alarms_raise(f->alarms, ALARM_ROLLBACK, nothing, "freshness", f->why);
	return 0;
}

const char *freshness_why(const struct freshness *f)
{
	return f->why[0] ? f->why : NULL;
}

static int write_job(struct db *db, void *arg)
{
	const struct change *change = arg;
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT INTO freshness (one, why, seen, accepted) VALUES (1, ?1, ?2, ?3) ON CONFLICT (one)"
			   " DO UPDATE SET why = excluded.why, seen = excluded.seen, accepted = excluded.accepted",
			   &s);

	if (r != 0)
		return r;
	stmt_bind_text(s, 1, change->why);
	stmt_bind_i64(s, 2, (int64_t)change->seen);
	stmt_bind_i64(s, 3, (int64_t)change->accepted);
	r = stmt_run(s);
	return r == 0 ? audit_outbox_put(db, change->record) : r;
}

static void on_written(void *arg, int r)
{
	struct change *change = arg;
	struct freshness *f = change->f;

	audit_drain(f->audit);
	if (r != 0)
		log_error("what is in doubt could not be written down", log_err(r));
	else if (change->done) {
		/* Only now: until then a crash would have forgotten it. */
		f->why[0] = 0;
		f->accepted = change->accepted;
		alarms_clear(f->alarms, ALARM_ROLLBACK, nothing, "freshness");
		if (f->ops)
			f->ops->say(f->ctx);
	}
	if (change->done)
		change->done(change->ctx, r);
	audit_record_free(change->record);
	free(change);
}

static int submit(struct freshness *f, const char *why, uint64_t accepted, const struct audit_record *record, void (*done)(void *ctx, int r),
		  void *ctx)
{
	struct change *change = calloc(1, sizeof(*change));
	int r;

	if (!change)
		return -ENOMEM;
	*change = (struct change){ .seen = f->seen, .accepted = accepted, .f = f, .done = done, .ctx = ctx };
	(void)text_copy(change->why, sizeof(change->why), why);
	change->record = audit_record_copy(record);
	r = store_submit(f->store, f->db, STORE_SYNC, write_job, on_written, change);
	if (r != 0) {
		audit_record_free(change->record);
		free(change);
	}
	return r;
}

void freshness_doubt(struct freshness *f, const char *why)
{
	const struct audit_record record = { .kind = AUDIT_FRESHNESS, .outcome = AUDIT_FAILED, .subject = { SUBJECT_SYSTEM, 0 },
					     .object = "doubt", .detail = why };
	int r;

	if (f->why[0])
		return;
	(void)text_copy(f->why, sizeof(f->why), why);
	log_error("in doubt: orders from outside wait for an owner", log_text("why", why));
	alarms_raise(f->alarms, ALARM_ROLLBACK, nothing, "freshness", why);
	r = submit(f, f->why, f->accepted, &record, NULL, NULL);
	if (r != 0)
		log_error("what is in doubt could not be written down", log_err(r));
}

static void on_known(void *ctx, int r)
{
	struct question *question = ctx;
	struct freshness *f = question->f;
	char why[FRESHNESS_WHY_MAX];

	if (f)
		f->question = NULL;
	if (f && r > 0) {
		text_print(why, sizeof(why), "%s keeps point %llu of the record, and here another one stands in its place", question->link,
			   (unsigned long long)question->number);
		freshness_doubt(f, why);
	}
	free(question);
}

/* No later than ours; but of ours? An older image that has gone on for a while has points of the same numbers. */
static void ask_known(struct freshness *f, const char *link, uint64_t number, const void *body, size_t len)
{
	struct question *question;
	int r;

	if (f->question || !f->ops->knows)
		return;
	question = calloc(1, sizeof(*question));
	if (!question)
		return;
	question->f = f;
	question->number = number;
	(void)text_copy(question->link, sizeof(question->link), link);
	f->question = question;
	r = f->ops->knows(f->ctx, number, body, len, on_known, question);
	if (r == 0)
		return;
	log_warn("an anchor could not be compared", log_text("link", link), log_err(r));
	f->question = NULL;
	free(question);
}

void freshness_anchor(struct freshness *f, const char *link, const void *body, size_t len, const char *signatures)
{
	struct freshness_point there, here;
	char why[FRESHNESS_WHY_MAX];

	if (!f->ops)
		return;
	here = f->ops->here(f->ctx);
	if (f->ops->read(f->ctx, body, len, signatures, &there) != 0) {
		log_warn("an anchor that is not ours", log_text("link", link));
		return;
	}
	if (there.number > f->seen)
		f->seen = there.number;
	if (there.number <= f->accepted)
		return;
	if (there.number <= here.number && there.size <= here.size && there.starts <= here.starts) {
		ask_known(f, link, there.number, body, len);
		return;
	}
	text_print(why, sizeof(why), "%s keeps point %llu of the record, of %llu records and start %llu; here are point %llu, %llu records, start %llu", link,
		   (unsigned long long)there.number, (unsigned long long)there.size, (unsigned long long)there.starts,
		   (unsigned long long)here.number, (unsigned long long)here.size, (unsigned long long)here.starts);
	freshness_doubt(f, why);
}

int freshness_confirm(struct freshness *f, const struct audit_record *record, void (*done)(void *ctx, int r), void *ctx)
{
	return submit(f, "", f->seen > f->accepted ? f->seen : f->accepted, record, done, ctx);
}
