/* Whose a device is, by a person's word: a claim that was confirmed, a device handed on, a device let go. The binding's row,
 * the registry's owner column and the audit row are one transaction. Who loses a device loses his other sessions, so that
 * nothing he had queued goes on (clause 6.2.3-c). */
#include <stdlib.h>
#include <string.h>
#include "people/internal.h"

struct bind {
	struct people *people;
	struct device_id device;
	uint32_t owner, before;
	int64_t wall_us;
	struct audit_record *record;
	people_done_fn done;
	void *ctx;
};

static int previous_owner(struct db *db, struct bind *bind)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT owner FROM binding WHERE device = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, bind->device.b, sizeof(bind->device.b));
	r = stmt_step(s);
	bind->before = r == 1 ? (uint32_t)stmt_i64(s, 0) : 0;
	stmt_reset(s);
	return r < 0 ? r : 0;
}

static int bind_job(struct db *db, void *arg)
{
	struct bind *bind = arg;
	struct stmt *s;
	int r = previous_owner(db, bind);
	if (r == 0)
		r = bind->owner ? db_prepare(db,
					     "INSERT INTO binding (device, owner, made_us) VALUES (?1, ?2, ?3)"
					     " ON CONFLICT (device) DO UPDATE SET owner = excluded.owner, made_us = excluded.made_us",
					     &s) :
				  db_prepare(db, "DELETE FROM binding WHERE device = ?1", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, bind->device.b, sizeof(bind->device.b));
	if (bind->owner) {
		stmt_bind_i64(s, 2, bind->owner);
		stmt_bind_i64(s, 3, bind->wall_us);
	}
	r = stmt_run(s);
	if (r == 0)
		r = bind->people->put_owner(db, bind->device, bind->owner);
	return r == 0 ? audit_outbox_put(db, bind->record) : r;
}

static void bind_end(struct bind *bind, int r)
{
	bind->done(bind->ctx, people_word(r));
	audit_record_free(bind->record);
	free(bind);
}

static void bind_done(void *arg, int r)
{
	struct bind *bind = arg;
	if (r == 0) {
		audit_drain(bind->people->audit);
		if (bind->before && bind->before != bind->owner)
			sessions_end_of_user(bind->people, bind->before, bind->record->session_tag, "a binding of the user was ended");
	}
	bind_end(bind, r);
}

void binding_set(struct people *people, struct device_id device, uint32_t owner, const struct audit_record *record, people_done_fn done, void *ctx)
{
	struct bind *bind = calloc(1, sizeof(*bind));
	if (!bind) {
		done(ctx, -ENOMEM);
		return;
	}
	struct audit_record filled = *record;
	filled.device = device;
	*bind = (struct bind){ .people = people, .device = device, .owner = owner, .wall_us = loop_wall_us(people->loop), .done = done, .ctx = ctx };
	bind->record = audit_record_copy(&filled);
	int r = store_submit(people->store, people->db, STORE_SYNC, bind_job, bind_done, bind);
	if (r != 0)
		bind_end(bind, r);
}
