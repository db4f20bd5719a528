/* What lasts: a row a device, a row a way, a row a room, a row a shadow value. Descriptions are kept as the wire's own
 * bytes, so there is one codec and one fuzz harness for them. "Unreachable" is never written: it is found out anew. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/wire.h"
#include "registry/internal.h"

const char registry_schema_1[] =
	"CREATE TABLE device ("
	" id BLOB PRIMARY KEY, ord INTEGER NOT NULL, state INTEGER NOT NULL, state_before INTEGER NOT NULL, name TEXT NOT NULL,"
	" room INTEGER NOT NULL DEFAULT 0, owner INTEGER NOT NULL DEFAULT 0, waiting_for INTEGER NOT NULL DEFAULT 0,"
	" hw BLOB NOT NULL, description BLOB NOT NULL) WITHOUT ROWID, STRICT;"
	"CREATE TABLE way ("
	" adapter TEXT NOT NULL, addr BLOB NOT NULL, device BLOB NOT NULL REFERENCES device(id), active INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (adapter, addr)) WITHOUT ROWID, STRICT;"
	"CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE shadow ("
	" device BLOB NOT NULL REFERENCES device(id), endpoint INTEGER NOT NULL, cap INTEGER NOT NULL,"
	" reported BLOB NOT NULL, reported_us INTEGER NOT NULL, desired BLOB NOT NULL, desired_us INTEGER NOT NULL,"
	" PRIMARY KEY (device, endpoint, cap)) WITHOUT ROWID, STRICT;";

const char registry_schema_2[] = "ALTER TABLE way ADD COLUMN welcome INTEGER NOT NULL DEFAULT 0;";

enum { DESC_LEN_MAX = 16384, VALUE_ROW_MAX = VALUE_LEN_MAX + 16 };

struct device_row {
	struct device device; /* desc and shadow are not followed */
	size_t ord;
	uint8_t *description;
	size_t description_len;
};

static enum device_state lasting_state(const struct device *device)
{
	return device->state == DEVICE_UNREACHABLE ? DEVICE_OURS : device->state;
}

static int put_device(struct db *db, const struct device_row *row)
{
	struct stmt *s;
	/* Name, room and owner are the verbs' to change: an update of the description leaves them alone. */
	int r = db_prepare(db,
			   "INSERT INTO device (id, ord, state, state_before, name, room, owner, waiting_for, hw, description)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
			   " state = excluded.state, state_before = excluded.state_before, waiting_for = excluded.waiting_for,"
			   " hw = excluded.hw, description = excluded.description",
			   &s);
	if (r != 0)
		return r;
	const struct device *d = &row->device;
	stmt_bind_blob(s, 1, d->id.b, sizeof(d->id.b));
	stmt_bind_i64(s, 2, (int64_t)row->ord);
	stmt_bind_i64(s, 3, lasting_state(d));
	stmt_bind_i64(s, 4, d->state_before);
	stmt_bind_text(s, 5, d->name);
	stmt_bind_i64(s, 6, d->room);
	stmt_bind_i64(s, 7, d->owner);
	stmt_bind_i64(s, 8, d->waiting_for);
	stmt_bind_blob(s, 9, d->hw.bytes, d->hw.len);
	stmt_bind_blob(s, 10, row->description, row->description_len);
	return stmt_run(s);
}

static int put_way(struct db *db, const struct device *device, uint8_t i)
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT OR REPLACE INTO way (adapter, addr, device, active, welcome) VALUES (?, ?, ?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_text(s, 1, device->ways[i].adapter);
	stmt_bind_blob(s, 2, device->ways[i].addr.bytes, device->ways[i].addr.len);
	stmt_bind_blob(s, 3, device->id.b, sizeof(device->id.b));
	stmt_bind_i64(s, 4, i == device->active);
	stmt_bind_i64(s, 5, device->ways[i].welcome);
	return stmt_run(s);
}

static int save_job(struct db *db, void *arg)
{
	const struct device_row *row = arg;
	int r = put_device(db, row);
	for (uint8_t i = 0; r == 0 && i < row->device.n_ways; i++)
		r = put_way(db, &row->device, i);
	return r;
}

static void save_done(void *arg, int r)
{
	struct device_row *row = arg;
	(void)r; /* the store's own alarm speaks of it */
	free(row->description);
	free(row);
}

int registry_save(struct registry *registry, const struct entry *entry)
{
	/* Without memory for its description a new device stands in the table alone; it is written when it is described again. */
	if (!entry->device.desc)
		return -ENOMEM;
	struct device_row *row = calloc(1, sizeof(*row));
	struct wire_msg msg = { .type = WIRE_DEVICE, .device = *entry->device.desc };
	if (!row)
		return -ENOMEM;
	row->device = entry->device;
	while (row->ord < registry->n && registry->order[row->ord] != entry)
		row->ord++;
	row->description = malloc(DESC_LEN_MAX);
	if (!row->description) {
		free(row);
		return -ENOMEM;
	}
	struct writer w = writer_over(row->description, DESC_LEN_MAX);
	wire_put(&w, &msg);
	row->description_len = writer_len(&w);
	int r = w.bad ? -EMSGSIZE : store_submit(registry->store, registry->db, STORE_SYNC, save_job, save_done, row);
	if (r != 0) {
		free(row->description);
		free(row);
	}
	return r == STORE_E_FULL ? -EAGAIN : r;
}

static int load_desc(struct entry *entry, struct view bytes, struct wire_scratch *scratch)
{
	struct reader packet = reader_over(bytes.data, bytes.len);
	const struct wire_peer peer = { .kind = WIRE_ADAPTER, .phase = WIRE_READY, .is_core = true };
	struct wire_msg msg;
	struct device_desc *desc;
	if (wire_next(&packet, &peer, scratch, &msg) != 1 || msg.type != WIRE_DEVICE)
		return -EBADMSG;
	int r = device_desc_copy(&msg.device, &desc);
	return r == 0 ? registry_set_desc(entry, desc, NULL) : r;
}

static int load_devices(struct registry *registry, struct db *db)
{
	struct stmt *s;
	struct wire_scratch *scratch = malloc(sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	int r = db_prepare(db,
			   "SELECT id, state, state_before, name, room, owner, waiting_for, hw, description FROM device ORDER BY ord", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct device_id id;
		struct view blob = stmt_blob(s, 0), hw = stmt_blob(s, 7);
		r = -EBADMSG;
		if (blob.len != sizeof(id.b) || hw.len > ADDRESS_MAX)
			break;
		memcpy(id.b, blob.data, sizeof(id.b));
		struct entry *entry = registry_entry_new(registry, id);
		if (!entry)
			break;
		struct device *device = &entry->device;
		device->state = (enum device_state)stmt_i64(s, 1);
		device->state_before = (enum device_state)stmt_i64(s, 2);
		text_copy(device->name, sizeof(device->name), stmt_text(s, 3));
		device->room = (uint32_t)stmt_i64(s, 4);
		device->owner = (uint32_t)stmt_i64(s, 5);
		device->waiting_for = (uint32_t)stmt_i64(s, 6);
		device->hw.len = (uint8_t)hw.len;
		if (hw.len)
			memcpy(device->hw.bytes, hw.data, hw.len);
		if (device->state == DEVICE_OURS) {
			device->state_before = DEVICE_OURS;
			device->state = DEVICE_UNREACHABLE; /* until its adapter describes it */
		}
		r = load_desc(entry, stmt_blob(s, 8), scratch);
	}
	free(scratch);
	return r;
}

static int load_ways(struct registry *registry, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT adapter, addr, device, active, welcome FROM way ORDER BY device", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct device_id id;
		struct address addr = { 0 };
		struct view blob = stmt_blob(s, 2), bytes = stmt_blob(s, 1);
		r = -EBADMSG;
		if (blob.len != sizeof(id.b) || bytes.len > ADDRESS_MAX)
			break;
		memcpy(id.b, blob.data, sizeof(id.b));
		addr.len = (uint8_t)bytes.len;
		if (bytes.len)
			memcpy(addr.bytes, bytes.data, bytes.len);
		struct entry *entry = registry_entry(registry, id);
		if (!entry)
			break;
		r = registry_add_way(registry, entry, stmt_text(s, 0), &addr);
		if (r == 0 && stmt_i64(s, 3))
			entry->device.active = (uint8_t)(entry->device.n_ways - 1);
		if (r == 0)
			entry->device.ways[entry->device.n_ways - 1].welcome = stmt_i64(s, 4) != 0;
	}
	return r;
}

static int load_value(struct value_box *box, struct view bytes)
{
	struct reader r = reader_over(bytes.data, bytes.len);
	struct value v;
	return value_get(&r, &v) == 0 ? value_box_set(box, &v) : 0;
}

static int load_shadows(struct registry *registry, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT device, endpoint, cap, reported, reported_us, desired, desired_us FROM shadow", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct device_id id;
		struct view blob = stmt_blob(s, 0);
		r = 0;
		if (blob.len != sizeof(id.b))
			continue;
		memcpy(id.b, blob.data, sizeof(id.b));
		struct entry *entry = registry_entry(registry, id);
		struct shadow_value *shadow =
			entry ? (struct shadow_value *)device_shadow(&entry->device, (uint8_t)stmt_i64(s, 1), (uint16_t)stmt_i64(s, 2)) : NULL;
		if (!shadow)
			continue;
		r = load_value(&shadow->reported, stmt_blob(s, 3));
		shadow->reported_wall_us = stmt_i64(s, 4);
		if (r == 0)
			r = load_value(&shadow->desired, stmt_blob(s, 5));
		shadow->desired_wall_us = stmt_i64(s, 6);
	}
	return r;
}

static int load_rooms(struct registry *registry, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT id, name FROM room ORDER BY id", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		r = -EBADMSG;
		if (registry->n_rooms == REGISTRY_ROOMS_MAX)
			break;
		struct room *room = &registry->rooms[registry->n_rooms++];
		room->id = (uint32_t)stmt_i64(s, 0);
		text_copy(room->name, sizeof(room->name), stmt_text(s, 1));
		r = 0;
	}
	return r;
}

int registry_load(struct registry *registry)
{
	struct db *db = store_db(registry->store, registry->db);
	int r = load_rooms(registry, db);
	if (r == 0)
		r = load_devices(registry, db);
	if (r == 0)
		r = load_ways(registry, db);
	if (r == 0)
		r = load_shadows(registry, db);
	return r;
}

/* Shadows are written in groups: the rows are encoded on the loop, one after another in a buffer, and written by one job. */
struct flush_job {
	struct writer rows;
	registry_done_fn done;
	void *ctx;
};

static int flush_one(struct db *db, struct reader *rows)
{
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT OR REPLACE INTO shadow (device, endpoint, cap, reported, reported_us, desired, desired_us)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?)",
			   &s);
	if (r != 0)
		return r;
	struct view id = get_view(rows, DEVICE_ID_LEN);
	stmt_bind_blob(s, 1, id.data, id.len);
	stmt_bind_i64(s, 2, get_u8(rows));
	stmt_bind_i64(s, 3, get_u16(rows));
	struct view reported = get_view16(rows, VALUE_ROW_MAX);
	stmt_bind_blob(s, 4, reported.data, reported.len);
	stmt_bind_i64(s, 5, get_i64(rows));
	struct view desired = get_view16(rows, VALUE_ROW_MAX);
	stmt_bind_blob(s, 6, desired.data, desired.len);
	stmt_bind_i64(s, 7, get_i64(rows));
	return stmt_run(s);
}

static int flush_run(struct db *db, void *arg)
{
	const struct flush_job *job = arg;
	struct reader rows = reader_over(job->rows.start, writer_len(&job->rows));
	int r = 0;
	while (r == 0 && reader_left(&rows) > 0)
		r = flush_one(db, &rows);
	return r;
}

static void flush_done(void *arg, int r)
{
	struct flush_job *job = arg;
	if (job->done)
		job->done(job->ctx, r);
	free(job->rows.start);
	free(job);
}

static void put_box(struct writer *w, const struct value_box *box)
{
	struct value v = value_box_get(box);
	size_t at = writer_len(w);
	put_u16(w, 0);
	value_put(w, &v);
	if (!w->bad)
		put_at_u16(w, at, (uint16_t)(writer_len(w) - at - 2));
}

/* Room for w to hold len more bytes. */
static int writer_grow(struct writer *w, size_t len)
{
	size_t used = writer_len(w), cap = (size_t)(w->end - w->start);
	if (cap - used >= len)
		return 0;
	cap = cap * 2 + len;
	uint8_t *bigger = realloc(w->start, cap);
	if (!bigger)
		return -ENOMEM;
	*w = (struct writer){ .start = bigger, .p = bigger + used, .end = bigger + cap };
	return 0;
}

static int flush_device(struct flush_job *job, const struct device *device)
{
	size_t i = 0;
	for (uint8_t e = 0; e < device->desc->n_endpoints; e++) {
		const struct endpoint_desc *ep = &device->desc->endpoints[e];
		for (uint8_t c = 0; c < ep->n_caps; c++, i++) {
			const struct shadow_value *shadow = &device->shadow[i];
			int r = writer_grow(&job->rows, 2 * VALUE_ROW_MAX + 64);
			if (r != 0)
				return r;
			put_bytes(&job->rows, device->id.b, sizeof(device->id.b));
			put_u8(&job->rows, ep->id);
			put_u16(&job->rows, ep->caps[c].id);
			put_box(&job->rows, &shadow->reported);
			put_i64(&job->rows, shadow->reported_wall_us);
			put_box(&job->rows, &shadow->desired);
			put_i64(&job->rows, shadow->desired_wall_us);
		}
	}
	return 0;
}

void registry_flush(struct registry *registry, registry_done_fn done, void *ctx)
{
	struct flush_job *job = calloc(1, sizeof(*job));
	int r = job ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < registry->n; i++) {
		struct entry *entry = registry->order[i];
		if (!entry->shadow_dirty)
			continue;
		r = flush_device(job, &entry->device);
		entry->shadow_dirty = r != 0;
	}
	if (r == 0 && writer_len(&job->rows) > 0) {
		job->done = done;
		job->ctx = ctx;
		r = store_submit(registry->store, registry->db, 0, flush_run, flush_done, job);
		if (r == 0)
			return;
	}
	if (job)
		free(job->rows.start);
	free(job);
	if (done)
		done(ctx, r == STORE_E_FULL ? -EAGAIN : r);
}
