/* Two tables of fixed size, open addressing, rebuilt at each flush. What finds no place in them is counted too, without
 * saying whose it was: the log grows with the time that passes, never with the number of attempts.
 */
#include "audit/collapse.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SLOTS = 2 * AUDIT_COLLAPSE_MAX, DEVICE_SLOTS = 8192, DEVICE_TEXT = DEVICE_ID_TEXT_MAX + 12 };
_Static_assert((int)DEVICE_SLOTS > (int)COLLAPSE_DEVICES_MAX, "a free slot ends every search");

struct entry {
	struct audit_record *record; /* NULL: free slot */
	bool is_group;
	bool noisy;        /* group: had more objects than it may in this window or the one before */
	uint32_t n;        /* since the last flush */
	uint32_t objects;  /* group */
	bool stale;        /* no repeat in the whole last window */
};

struct device_count {
	struct device_id device;
	uint32_t n; /* 0: free slot */
};

struct collapse {
	struct entry slots[SLOTS];
	size_t n_entries;
	uint32_t n_lost; /* found no slot */
	bool strict;
	struct device_count *devices; /* DEVICE_SLOTS of them, made when the first is counted */
	size_t n_devices;
	uint32_t n_other_devices;
};

int collapse_new(struct collapse **ret)
{
	struct collapse *collapse = calloc(1, sizeof(*collapse));

	if (!collapse)
		return -ENOMEM;
	*ret = collapse;
	return 0;
}

struct collapse *collapse_free(struct collapse *collapse)
{
	if (!collapse)
		return NULL;
	for (size_t i = 0; i < SLOTS; i++)
		audit_record_free(collapse->slots[i].record);
	free(collapse->devices);
	free(collapse);
	return NULL;
}

bool collapse_is_empty(const struct collapse *collapse)
{
	return !collapse->n_entries && !collapse->n_lost && !collapse->n_devices && !collapse->n_other_devices;
}

/* --- repeats --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
	return text ? hash_bytes(h, text, strlen(text) + 1) : h;
}

static uint64_t record_hash(const struct audit_record *r, bool is_group)
{
	uint32_t head[] = { r->kind, (uint32_t)r->outcome, (uint32_t)r->subject.kind, r->subject.id, r->source, is_group };
	uint64_t h = hash_bytes(0xcbf29ce484222325u, head, sizeof(head));

	if (is_group)
		return h ^ h >> 32;
	h = hash_text(h, r->source_addr);
	h = hash_bytes(h, r->device.b, DEVICE_ID_LEN);
	h = hash_text(h, r->object);
	return h ^ h >> 32;
}

static bool is_same(const struct entry *entry, const struct audit_record *r, bool is_group)
{
	const struct audit_record *e = entry->record;

	if (entry->is_group != is_group || e->kind != r->kind || e->outcome != r->outcome || e->subject.kind != r->subject.kind ||
	    e->subject.id != r->subject.id || e->source != r->source)
		return false;
	return is_group || (text_equal(e->source_addr, r->source_addr) && device_id_equal(e->device, r->device) &&
			    text_equal(e->object, r->object));
}

/* The entry of record, or the free slot where it belongs. */
static struct entry *slot_of(struct collapse *collapse, const struct audit_record *record, bool is_group)
{
	size_t i = (size_t)record_hash(record, is_group) % SLOTS;

	while (collapse->slots[i].record && !is_same(&collapse->slots[i], record, is_group))
		i = (i + 1) % SLOTS;
	return &collapse->slots[i];
}

static struct entry *entry_make(struct collapse *collapse, const struct audit_record *record, bool is_group)
{
	struct entry *entry = slot_of(collapse, record, is_group);

	if (entry->record)
		return entry;
	if (collapse->n_entries == AUDIT_COLLAPSE_MAX)
		return NULL;
	*entry = (struct entry){ .record = audit_record_copy(record), .is_group = is_group };
	collapse->n_entries++;
	return entry;
}

static bool does_collapse(const struct audit_record *record)
{
	const struct audit_kind_row *row = audit_kind_row(record->kind);

	if (!row)
		return true; /* whatever it is, it shall not fill the disk */
	return row->collapse == COLLAPSE_ALWAYS || (row->collapse == COLLAPSE_FAILURES && record->outcome != AUDIT_OK);
}

static void add(uint32_t *n, uint32_t more)
{
	*n = *n > UINT32_MAX - more ? UINT32_MAX : *n + more;
}

/* A record may stand for many: an adapter tells of repeats once a second. */
static void count(uint32_t *n, const struct audit_record *record)
{
	add(n, record->count ? record->count : 1);
}

static uint32_t objects_max(const struct collapse *collapse, const struct entry *group)
{
	return collapse->strict ? 0 : group->noisy ? COLLAPSE_OBJECTS_NOISY : COLLAPSE_OBJECTS_MAX;
}

void collapse_set_strict(struct collapse *collapse, bool strict)
{
	collapse->strict = strict;
}

bool collapse_note(struct collapse *collapse, const struct audit_record *record)
{
	struct entry *entry, *group;

	if (!does_collapse(record))
		return true;
	if (collapse->strict && record->kind == AUDIT_LOCKOUT && record->subject.id)
		return true; /* each lasts twice as long as the one before, so they are few */
	entry = slot_of(collapse, record, false);
	if (entry->record) {
		count(&entry->n, record);
		return false;
	}
	group = entry_make(collapse, record, true);
	if (!group) {
		count(&collapse->n_lost, record);
		return false;
	}
	if (group->objects >= objects_max(collapse, group) || !entry_make(collapse, record, false)) {
		group->noisy = true;
		count(&group->n, record);
		return false;
	}
	group->objects++;
	return true;
}

/* --- telemetry ------------------------------------------------------------------------------------------------------- */

void collapse_count(struct collapse *collapse, struct device_id device, uint32_t n)
{
	size_t i = (size_t)device_id_hash(device, 0) % DEVICE_SLOTS;

	if (!n)
		return;
	if (collapse->strict) {
		add(&collapse->n_other_devices, n);
		return;
	}
	if (!collapse->devices)
		collapse->devices = calloc(DEVICE_SLOTS, sizeof(*collapse->devices));
	if (!collapse->devices) {
		add(&collapse->n_other_devices, n);
		return;
	}
	while (collapse->devices[i].n && !device_id_equal(collapse->devices[i].device, device))
		i = (i + 1) % DEVICE_SLOTS;
	if (!collapse->devices[i].n && collapse->n_devices == COLLAPSE_DEVICES_MAX) {
		add(&collapse->n_other_devices, n);
		return;
	}
	if (!collapse->devices[i].n) {
		collapse->devices[i].device = device;
		collapse->n_devices++;
	}
	add(&collapse->devices[i].n, n);
}

struct telemetry_record {
	char detail[AUDIT_DETAIL_MAX];
	uint32_t total, devices;
};

static void telemetry_emit(struct telemetry_record *t, collapse_fn fn, void *ctx)
{
	char object[AUDIT_OBJECT_MAX];

	if (!t->total)
		return;
	(void)text_print(object, sizeof(object), "%u devices", t->devices);
	fn(ctx, &(struct audit_record){ .kind = AUDIT_TELEMETRY_COUNT, .subject.kind = SUBJECT_SYSTEM, .object = object,
					.count = t->total, .detail = t->detail });
	*t = (struct telemetry_record){ .total = 0 };
}

/* As many devices a record as its detail has room for: "identity=count ...". */
static void telemetry_flush(struct collapse *collapse, collapse_fn fn, void *ctx)
{
	struct telemetry_record t = { .total = 0 };

	for (size_t i = 0; collapse->n_devices && i < DEVICE_SLOTS; i++) {
		struct device_count *device = &collapse->devices[i];
		char id[DEVICE_ID_TEXT_MAX];

		if (!device->n)
			continue;
		if (strlen(t.detail) + DEVICE_TEXT >= sizeof(t.detail))
			telemetry_emit(&t, fn, ctx);
		device_id_print(device->device, id);
		(void)text_append(t.detail, sizeof(t.detail), "%s%s=%u", t.devices ? " " : "", id, device->n);
		add(&t.total, device->n);
		t.devices++;
		device->n = 0;
	}
	telemetry_emit(&t, fn, ctx);
	if (collapse->n_other_devices) {
		t = (struct telemetry_record){ .total = collapse->n_other_devices };
		(void)text_copy(t.detail, sizeof(t.detail), "devices beyond those told apart");
		telemetry_emit(&t, fn, ctx);
	}
	collapse->n_devices = 0;
	collapse->n_other_devices = 0;
}

/* --- the end of a window --------------------------------------------------------------------------------------------- */

static void entry_emit(struct entry *entry, collapse_fn fn, void *ctx)
{
	struct audit_record record = *entry->record;

	record.count = entry->n;
	if (entry->is_group) {
		record.source_addr = NULL;
		record.device = (struct device_id){ { 0 } };
		record.object = "others";
		record.action = NULL;
		record.detail = "more objects than are told apart";
	}
	fn(ctx, &record);
}

/* An entry that had no repeat for a whole window goes; the next of its sort is written in full again. */
static void entry_turn(struct entry *entry, collapse_fn fn, void *ctx)
{
	if (entry->n)
		entry_emit(entry, fn, ctx);
	entry->stale = !entry->n;
	if (entry->is_group && !entry->n)
		entry->noisy = false;
	entry->n = 0;
	entry->objects = 0;
}

void collapse_flush(struct collapse *collapse, collapse_fn fn, void *ctx)
{
	struct entry *kept = calloc(AUDIT_COLLAPSE_MAX, sizeof(*kept));
	size_t n = 0;

	telemetry_flush(collapse, fn, ctx);
	if (collapse->n_lost) {
		fn(ctx, &(struct audit_record){ .kind = AUDIT_REFUSED, .outcome = AUDIT_DENIED, .subject.kind = SUBJECT_SYSTEM,
						.object = "others", .count = collapse->n_lost,
						.detail = "more subjects than are told apart" });
		collapse->n_lost = 0;
	}
	for (size_t i = 0; i < SLOTS; i++) {
		struct entry *entry = &collapse->slots[i];

		if (!entry->record)
			continue;
		entry_turn(entry, fn, ctx);
		if (!kept || (entry->stale && !entry->noisy))
			audit_record_free(entry->record);
		else
			kept[n++] = *entry;
		entry->record = NULL;
	}
	collapse->n_entries = n;
	for (size_t i = 0; i < n; i++) {
		struct entry *slot = slot_of(collapse, kept[i].record, kept[i].is_group);

		*slot = kept[i];
	}
	/* Objects that are still told apart count against their group. */
	for (size_t i = 0; i < n; i++) {
		struct entry *group = kept[i].is_group ? NULL : slot_of(collapse, kept[i].record, true);

		if (group && group->record)
			group->objects++;
	}
	free(kept);
}
