/* What a person may change about a device: its name, its room, its state, the way by which it is reached, and (as part of a
 * binding's transaction) its owner. Each writes its row and its audit row in one transaction; only after the commit
 * does memory change, do listeners hear of it, and is the person answered. */
#include <stdlib.h>
#include <string.h>
#include "audit/audit.h"
#include "base/text.h"
#include "model/capability.h"
#include "registry/internal.h"

struct verb {
	struct registry *registry;
	struct device_id id;
	const struct verb_row *row;
	char text[DEVICE_TEXT_MAX + 1]; /* name, room's name, adapter */
	int64_t number;                 /* room, state, way */
	struct audit_record *record;
	registry_done_fn done;
	void *ctx;
};
/* What a verb writes, and what it changes in memory after that. */
struct verb_row {
	int (*write)(struct db *db, const struct verb *verb);
	void (*apply)(struct verb *verb, struct entry *entry);
};

static int verb_job(struct db *db, void *arg)
{
	const struct verb *verb = arg;
	int r = verb->row->write(db, verb);
	return r == 0 ? audit_outbox_put(db, verb->record) : r;
}

static void verb_free(struct verb *verb)
{
	audit_record_free(verb->record);
	free(verb);
}

static void verb_done(void *arg, int r)
{
	struct verb *verb = arg;
	struct entry *entry = registry_entry(verb->registry, verb->id);
	if (r == 0 && entry)
		verb->row->apply(verb, entry);
	verb->done(verb->ctx, r);
	verb_free(verb);
}

static void verb_start(struct registry *registry, struct device_id id, const struct verb_row *row, const char *text, int64_t number,
		       const struct audit_record *record, registry_done_fn done, void *ctx)
{
	struct verb *verb = calloc(1, sizeof(*verb));
	if (!verb) {
		done(ctx, -ENOMEM);
		return;
	}
	struct audit_record filled = *record;
	filled.device = id;
	*verb = (struct verb){ .registry = registry, .id = id, .row = row, .number = number, .done = done, .ctx = ctx };
	text_copy(verb->text, sizeof(verb->text), text);
	verb->record = audit_record_copy(&filled);
	int r = store_submit(registry->store, registry->db, STORE_SYNC, verb_job, verb_done, verb);
	if (r != 0) {
		verb_free(verb);
		done(ctx, r == STORE_E_FULL ? -EAGAIN : r);
	}
}

static int update_device(struct db *db, const char *sql, const struct verb *verb, bool text)
{
	struct stmt *s;
	int r = db_prepare(db, sql, &s);
	if (r != 0)
		return r;
	if (text)
		stmt_bind_text(s, 1, verb->text);
	else
		stmt_bind_i64(s, 1, verb->number);
	stmt_bind_blob(s, 2, verb->id.b, sizeof(verb->id.b));
	return stmt_run(s);
}

static int write_name(struct db *db, const struct verb *verb)
{
	return update_device(db, "UPDATE device SET name = ? WHERE id = ?", verb, true);
}

static void apply_name(struct verb *verb, struct entry *entry)
{
	text_copy(entry->device.name, sizeof(entry->device.name), verb->text);
	registry_tell(verb->registry, entry, REGISTRY_NAMED);
}

void registry_rename(struct registry *registry, struct device_id id, const char *name, const struct audit_record *record,
		     registry_done_fn done, void *ctx)
{
	static const struct verb_row row = { write_name, apply_name };
	struct entry *entry = registry_entry(registry, id);
	if (!entry || entry->device.state == DEVICE_RETIRED)
		done(ctx, REGISTRY_E_UNKNOWN);
	else if (!text_is_name(name, DEVICE_TEXT_MAX) || !registry_name_is_free(registry, name, id))
		done(ctx, REGISTRY_E_NAME);
	else
		verb_start(registry, id, &row, name, 0, record, done, ctx);
}

static int write_room(struct db *db, const struct verb *verb)
{
	struct stmt *s;
	int r = 0;
	if (verb->number) {
		r = db_prepare(db, "INSERT OR IGNORE INTO room (id, name) VALUES (?, ?)", &s);
		if (r != 0)
			return r;
		stmt_bind_i64(s, 1, verb->number);
		stmt_bind_text(s, 2, verb->text);
		r = stmt_run(s);
	}
	return r == 0 ? update_device(db, "UPDATE device SET room = ? WHERE id = ?", verb, false) : r;
}

static void apply_room(struct verb *verb, struct entry *entry)
{
	entry->device.room = (uint32_t)verb->number;
	registry_tell(verb->registry, entry, REGISTRY_NAMED);
}

/* Number of the room with that name, made in memory when it is new; 0 when there are too many. */
static uint32_t room_number(struct registry *registry, const char *name)
{
	const struct room *room = registry_room_named(registry, name);
	if (room)
		return room->id;
	if (registry->n_rooms == REGISTRY_ROOMS_MAX)
		return 0;
	struct room *made = &registry->rooms[registry->n_rooms];
	made->id = registry->n_rooms ? registry->rooms[registry->n_rooms - 1].id + 1 : 1;
	text_copy(made->name, sizeof(made->name), name);
	registry->n_rooms++;
	return made->id;
}

void registry_set_room(struct registry *registry, struct device_id id, const char *room, const struct audit_record *record,
		       registry_done_fn done, void *ctx)
{
	static const struct verb_row row = { write_room, apply_room };
	uint32_t number = 0;
	if (!registry_entry(registry, id)) {
		done(ctx, REGISTRY_E_UNKNOWN);
		return;
	}
	if (room[0]) {
		if (!text_is_name(room, DEVICE_TEXT_MAX)) {
			done(ctx, REGISTRY_E_NAME);
			return;
		}
		number = room_number(registry, room);
		if (!number) {
			done(ctx, REGISTRY_E_FULL);
			return;
		}
	}
	verb_start(registry, id, &row, room, number, record, done, ctx);
}

static int write_state(struct db *db, const struct verb *verb)
{
	struct stmt *s;
	int r = update_device(db, "UPDATE device SET state_before = state, state = ? WHERE id = ?", verb, false);
	if (r != 0 || verb->number != DEVICE_RETIRED)
		return r;
	/* Its addresses are free for another device; its identity never is. */
	r = db_prepare(db, "DELETE FROM way WHERE device = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, verb->id.b, sizeof(verb->id.b));
	r = stmt_run(s);
	if (r == 0)
		r = db_prepare(db, "DELETE FROM shadow WHERE device = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, verb->id.b, sizeof(verb->id.b));
	return stmt_run(s);
}

static void apply_state(struct verb *verb, struct entry *entry)
{
	enum device_state state = (enum device_state)verb->number;
	if (state == DEVICE_OURS && !device_is_reachable(&entry->device)) {
		registry_enter(verb->registry, entry, DEVICE_OURS);
		state = DEVICE_UNREACHABLE;
	}
	registry_enter(verb->registry, entry, state);
	if (state == DEVICE_RETIRED) {
		entry->device.owner = 0;
		registry_remove_ways(verb->registry, entry);
		registry_tell(verb->registry, entry, REGISTRY_RETIRED);
	}
}

void registry_set_state(struct registry *registry, struct device_id id, enum device_state state, const struct audit_record *record,
			registry_done_fn done, void *ctx)
{
	static const struct verb_row row = { write_state, apply_state };
	struct entry *entry = registry_entry(registry, id);
	if (!entry)
		done(ctx, REGISTRY_E_UNKNOWN);
	else if (!device_state_may(entry->device.state, state))
		done(ctx, REGISTRY_E_STATE);
	else
		verb_start(registry, id, &row, device_state_name(state), state, record, done, ctx);
}

static int write_way(struct db *db, const struct verb *verb)
{
	struct stmt *s;
	int r = db_prepare(db, "UPDATE way SET active = (adapter = ?) WHERE device = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_text(s, 1, verb->text);
	stmt_bind_blob(s, 2, verb->id.b, sizeof(verb->id.b));
	return stmt_run(s);
}

/* The device becomes what its new way's adapter says it is. An adapter that has not spoken since the start will. */
static void take_way(struct entry *entry, uint8_t next)
{
	struct device *device = &entry->device;
	struct way *from = &device->ways[device->active], *to = &device->ways[next];
	if (from == to)
		return;
	device->active = next;
	/* Without memory the old description serves until the adapter speaks again. */
	int r = to->desc ? registry_set_desc(entry, to->desc, &from->desc) : device_desc_copy(device->desc, &from->desc);
	if (r == 0)
		to->desc = NULL;
}

static void apply_way(struct verb *verb, struct entry *entry)
{
	const struct device *device = &entry->device;
	uint8_t next = device->active;
	/* Of several addresses at that adapter, one that answers. */
	for (uint8_t i = 0; i < device->n_ways; i++)
		if (strcmp(device->ways[i].adapter, verb->text) == 0 &&
		    (strcmp(device->ways[next].adapter, verb->text) != 0 || (device->ways[i].up && !device->ways[next].up)))
			next = i;
	take_way(entry, next);
	entry->device.following = false;
	registry_alarm(verb->registry, ALARM_SECOND_WAY, entry, entry->device.name, false, NULL);
	/* Which way is active was committed; the description follows it, or the adapter tells it at its next start. */
	(void)!registry_save(verb->registry, entry);
	bool up = device_is_reachable(&entry->device);
	if (up && entry->device.state == DEVICE_UNREACHABLE)
		registry_enter(verb->registry, entry, DEVICE_OURS);
	else if (!up && entry->device.state == DEVICE_OURS)
		registry_enter(verb->registry, entry, DEVICE_UNREACHABLE);
	registry_tell(verb->registry, entry, REGISTRY_MOVED);
}

void registry_move(struct registry *registry, struct device_id id, const char *adapter, const struct audit_record *record,
		   registry_done_fn done, void *ctx)
{
	static const struct verb_row row = { write_way, apply_way };
	struct entry *entry = registry_entry(registry, id);
	bool has_way = false;
	for (uint8_t i = 0; entry && i < entry->device.n_ways; i++)
		has_way |= strcmp(entry->device.ways[i].adapter, adapter) == 0;
	if (!has_way)
		done(ctx, REGISTRY_E_UNKNOWN);
	else
		verb_start(registry, id, &row, adapter, 0, record, done, ctx);
}

/* A lock, a valve, a siren: who took it over by its address would have the house. */
static bool is_dangerous(const struct device_desc *desc)
{
	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		for (uint8_t c = 0; c < desc->endpoints[e].n_caps; c++) {
			const struct capability_desc *cap = &desc->endpoints[e].caps[c];
			if ((cap->access & ACCESS_WRITE) && capability_risk(cap->id) == RISK_HIGH)
				return true;
		}
	return false;
}

const char *registry_next_way(const struct device *device)
{
	const struct way *way = device_way(device);
	if (!way || !way->left || !device->owner || !device->desc || is_dangerous(device->desc))
		return NULL;
	for (uint8_t i = 0; i < device->n_ways; i++) {
		const struct way *next = &device->ways[i];
		if (next->welcome && next->up && next->desc && next->desc->evidence >= device->desc->evidence && !is_dangerous(next->desc))
			return next->adapter;
	}
	return NULL;
}

bool registry_follow(struct registry *registry, struct device_id id, const struct audit_record *record, registry_done_fn done, void *ctx)
{
	struct entry *entry = registry_entry(registry, id);
	const char *next = entry && !entry->device.following ? registry_next_way(&entry->device) : NULL;
	if (!next)
		return false;
	entry->device.following = true;
	registry_move(registry, id, next, record, done, ctx);
	return true;
}

int registry_put_owner(struct db *db, struct device_id id, uint32_t owner)
{
	struct stmt *s;
	int r = db_prepare(db, "UPDATE device SET owner = ?1, state = ?2, waiting_for = 0 WHERE id = ?3", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, owner);
	stmt_bind_i64(s, 2, owner ? DEVICE_OURS : DEVICE_DESCRIBED);
	stmt_bind_blob(s, 3, id.b, sizeof(id.b));
	r = stmt_run(s);
	return r == 0 && db_changes(db) != 1 ? -ENOENT : r;
}

void registry_apply_owner(struct registry *registry, struct device_id id, uint32_t owner)
{
	struct entry *entry = registry_entry(registry, id);
	if (!entry)
		return;
	entry->device.owner = owner;
	entry->device.waiting_for = 0;
	registry_enter(registry, entry, owner ? DEVICE_OURS : DEVICE_DESCRIBED);
	if (owner && !device_is_reachable(&entry->device))
		registry_enter(registry, entry, DEVICE_UNREACHABLE);
	registry_tell(registry, entry, REGISTRY_NAMED);
}
