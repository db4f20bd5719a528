/* What is wrong now, in one list: an alarm stands until its cause is gone (or a person clears it by acknowledging one that
 * cannot clear itself). The same trouble again raises a count, not a second alarm. The list is small, so memory holds it
 * and a row mirrors each entry; raising, acknowledging and clearing are events that links and listeners hear. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/alarms.h"

const char alarms_schema_1[] =
	"CREATE TABLE alarm ("
	" id INTEGER PRIMARY KEY, kind TEXT NOT NULL, device BLOB NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL,"
	" raised_us INTEGER NOT NULL, count INTEGER NOT NULL, acknowledged INTEGER NOT NULL, by TEXT NOT NULL) STRICT;";

struct alarms {
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct audit *audit;
	alarms_event_fn fn;
	void *ctx;
	struct alarm list[ALARMS_MAX];
	size_t n;
	uint32_t last_id;
};

int alarms_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, alarms_event_fn fn, void *ctx, struct alarms **ret)
{
	struct alarms *alarms = calloc(1, sizeof(*alarms));
	if (!alarms)
		return -ENOMEM;
	alarms->loop = loop;
	alarms->store = store;
	alarms->db = db;
	alarms->audit = audit;
	alarms->fn = fn;
	alarms->ctx = ctx;
	*ret = alarms;
	return 0;
}

struct alarms *alarms_close(struct alarms *alarms)
{
	free(alarms);
	return NULL;
}

int alarms_load(struct alarms *alarms)
{
	struct stmt *s;
	int r = db_prepare(store_db(alarms->store, alarms->db),
			   "SELECT id, kind, device, object, detail, raised_us, count, acknowledged, by FROM alarm ORDER BY id", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct view device = stmt_blob(s, 2);
		struct alarm *alarm = &alarms->list[alarms->n];
		r = 0;
		if (alarms->n == ALARMS_MAX || device.len != DEVICE_ID_LEN || alarm_kind_parse(stmt_text(s, 1), &alarm->kind) != 0)
			continue;
		alarm->id = (uint32_t)stmt_i64(s, 0);
		memcpy(alarm->device.b, device.data, DEVICE_ID_LEN);
		text_copy(alarm->object, sizeof(alarm->object), stmt_text(s, 3));
		text_copy(alarm->detail, sizeof(alarm->detail), stmt_text(s, 4));
		alarm->raised_us = stmt_i64(s, 5);
		alarm->count = (uint32_t)stmt_i64(s, 6);
		alarm->acknowledged = stmt_i64(s, 7) != 0;
		text_copy(alarm->by, sizeof(alarm->by), stmt_text(s, 8));
		alarms->last_id = alarm->id;
		alarms->n++;
	}
	return r;
}

/* A row as it is to be, or (gone) not to be; record only when a person did it. */
struct row {
	struct alarm alarm;
	bool gone;
	struct audit_record *record;
	void (*done)(void *ctx, int r);
	void *ctx;
};

static int row_job(struct db *db, void *arg)
{
	const struct row *row = arg;
	struct stmt *s;
	int r = db_prepare(db,
			   row->gone ? "DELETE FROM alarm WHERE id = ?1" :
				       "INSERT OR REPLACE INTO alarm (id, kind, device, object, detail, raised_us, count, acknowledged, by)"
				       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
			   &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, row->alarm.id);
	if (!row->gone) {
		stmt_bind_text(s, 2, alarm_row(row->alarm.kind)->name);
		stmt_bind_blob(s, 3, row->alarm.device.b, DEVICE_ID_LEN);
		stmt_bind_text(s, 4, row->alarm.object);
		stmt_bind_text(s, 5, row->alarm.detail);
		stmt_bind_i64(s, 6, row->alarm.raised_us);
		stmt_bind_i64(s, 7, row->alarm.count);
		stmt_bind_i64(s, 8, row->alarm.acknowledged);
		stmt_bind_text(s, 9, row->alarm.by);
	}
	r = stmt_run(s);
	return r == 0 && row->record ? audit_outbox_put(db, row->record) : r;
}

static void row_done(void *arg, int r)
{
	struct row *row = arg;
	if (row->done)
		row->done(row->ctx, r);
	audit_record_free(row->record);
	free(row);
}

static void write_row(struct alarms *alarms, const struct alarm *alarm, bool gone, const struct audit_record *record,
		      void (*done)(void *ctx, int r), void *ctx)
{
	struct row *row = calloc(1, sizeof(*row));
	int r = row ? 0 : -ENOMEM;
	if (row) {
		*row = (struct row){ .alarm = *alarm, .gone = gone, .done = done, .ctx = ctx };
		row->record = record ? audit_record_copy(record) : NULL;
		r = store_submit(alarms->store, alarms->db, record ? STORE_SYNC : 0, row_job, row_done, row);
	}
	if (r == 0)
		return;
	if (row)
		audit_record_free(row->record);
	free(row);
	if (done)
		done(ctx, r == STORE_E_FULL ? -EAGAIN : r);
}

static struct alarm *find(struct alarms *alarms, enum alarm_kind kind, struct device_id device, const char *object)
{
	for (size_t i = 0; i < alarms->n; i++) {
		struct alarm *alarm = &alarms->list[i];
		if (alarm->kind == kind && device_id_equal(alarm->device, device) && strcmp(alarm->object, object) == 0)
			return alarm;
	}
	return NULL;
}

static void audit_alarm(struct alarms *alarms, const struct alarm *alarm, uint16_t kind)
{
	struct audit_record record = { .kind = kind,
				       .subject = { SUBJECT_SYSTEM, 0 },
				       .device = alarm->device,
				       .object = alarm->object,
				       .action = alarm_row(alarm->kind)->name,
				       .count = alarm->count,
				       .detail = alarm->detail };
	(void)!audit_append(alarms->audit, &record, NULL, NULL);
}

void alarms_raise(struct alarms *alarms, enum alarm_kind kind, struct device_id device, const char *object, const char *detail)
{
	char name[sizeof(((struct alarm *)0)->object)];
	text_copy(name, sizeof(name), object ? object : "");
	struct alarm *alarm = find(alarms, kind, device, name);
	if (alarm) {
		alarm->count++; /* written when it is acknowledged or cleared: a flapping cause writes nothing */
		text_copy(alarm->detail, sizeof(alarm->detail), detail ? detail : "");
		return;
	}
	if (alarms->n == ALARMS_MAX)
		return; /* hundreds of troubles: the list already says that the house is on fire */
	alarm = &alarms->list[alarms->n++];
	*alarm = (struct alarm){ .id = ++alarms->last_id, .kind = kind, .device = device, .raised_us = loop_wall_us(alarms->loop),
				 .raised_ms = loop_now_ms(alarms->loop), .count = 1 };
	text_copy(alarm->object, sizeof(alarm->object), name);
	text_copy(alarm->detail, sizeof(alarm->detail), detail ? detail : "");
	write_row(alarms, alarm, false, NULL, NULL, NULL);
	audit_alarm(alarms, alarm, AUDIT_ALARM_RAISED);
	struct alarm told = *alarm;
	alarms->fn(alarms->ctx, &told, 0);
}

static void drop(struct alarms *alarms, struct alarm *alarm)
{
	size_t i = (size_t)(alarm - alarms->list);
	memmove(alarm, alarm + 1, (alarms->n - i - 1) * sizeof(*alarm));
	alarms->n--;
}

void alarms_clear(struct alarms *alarms, enum alarm_kind kind, struct device_id device, const char *object)
{
	char name[sizeof(((struct alarm *)0)->object)];
	text_copy(name, sizeof(name), object ? object : "");
	struct alarm *alarm = find(alarms, kind, device, name);
	if (!alarm)
		return;
	struct alarm told = *alarm;
	drop(alarms, alarm);
	write_row(alarms, &told, true, NULL, NULL, NULL);
	audit_alarm(alarms, &told, AUDIT_ALARM_CLEARED);
	alarms->fn(alarms->ctx, &told, 2);
}

int alarms_acknowledge(struct alarms *alarms, uint32_t id, const struct audit_record *record, void (*done)(void *ctx, int r), void *ctx)
{
	for (size_t i = 0; i < alarms->n; i++) {
		struct alarm *alarm = &alarms->list[i];
		if (alarm->id != id)
			continue;
		bool ends = !alarm_row(alarm->kind)->clears_itself;
		struct audit_record filled = *record;
		filled.device = alarm->device;
		filled.object = alarm->object;
		filled.detail = alarm_row(alarm->kind)->name;
		alarm->acknowledged = true;
		text_copy(alarm->by, sizeof(alarm->by), record->subject_name ? record->subject_name : "");
		struct alarm told = *alarm;
		if (ends)
			drop(alarms, alarm);
		write_row(alarms, &told, ends, &filled, done, ctx);
		alarms->fn(alarms->ctx, &told, ends ? 2 : 1);
		return 0;
	}
	return ALARMS_E_UNKNOWN;
}

const struct alarm *alarms_at(const struct alarms *alarms, size_t i)
{
	return i < alarms->n ? &alarms->list[i] : NULL;
}
