/* The household's rules. Each remembers where its value was (router/trigger decides), how often it fired lately and whether
 * it was stopped. A chain of rules is followed by its depth: the report that a rule's command caused carries the depth of
 * that command, and whoever would fire beyond the limit is stopped and named instead, until a person looks at it. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/automation.h"
#include "router/trigger.h"

enum { RATE_WINDOW_MS = 60000, VALUE_ROW_MAX = VALUE_LEN_MAX + 16 };

const char automation_schema_1[] =
	"CREATE TABLE automation ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL, stopped INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, device BLOB NOT NULL, endpoint INTEGER NOT NULL, cap INTEGER NOT NULL, threshold BLOB NOT NULL,"
	" hysteresis REAL NOT NULL, days INTEGER NOT NULL, minute INTEGER NOT NULL, target BLOB NOT NULL, target_endpoint INTEGER NOT NULL,"
	" target_cap INTEGER NOT NULL, target_value BLOB NOT NULL) STRICT;";

struct entry {
	struct automation_rule rule;
	struct trigger_state state;
	int64_t window_ms;
	uint32_t n_in_window;
};

struct automation {
	struct loop *loop;
	struct store *store;
	unsigned db;
	uint32_t depth_max, rate_per_minute;
	automation_fire_fn fire;
	automation_stopped_fn stopped;
	void *ctx;
	struct entry *entries[AUTOMATION_MAX];
	size_t n;
	uint32_t last_id;
	int last_day, last_minute; /* the last one that was looked at; -1 none */
};

int automation_new(struct loop *loop, struct store *store, unsigned db, uint32_t depth_max, uint32_t rate_per_minute, automation_fire_fn fire,
		   automation_stopped_fn stopped, void *ctx, struct automation **ret)
{
	struct automation *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct automation){ .loop = loop, .store = store, .db = db, .rate_per_minute = rate_per_minute, .fire = fire, .stopped = stopped,
				  .ctx = ctx, .last_day = -1, .last_minute = -1 };
	a->depth_max = depth_max < AUTOMATION_DEPTH_MAX ? depth_max : AUTOMATION_DEPTH_MAX;
	*ret = a;
	return 0;
}

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	value_box_deinit(&entry->rule.threshold);
	value_box_deinit(&entry->rule.target_value);
	free(entry);
}

struct automation *automation_close(struct automation *a)
{
	for (size_t i = 0; a && i < a->n; i++)
		entry_free(a->entries[i]);
	free(a);
	return NULL;
}

static int box_copy(struct value_box *to, const struct value_box *from)
{
	struct value v = value_box_get(from);
	return value_box_set(to, &v);
}

static struct entry *entry_copy(const struct automation_rule *rule)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->rule = *rule;
	entry->rule.threshold = entry->rule.target_value = (struct value_box){ 0 };
	if (box_copy(&entry->rule.threshold, &rule->threshold) == 0 && box_copy(&entry->rule.target_value, &rule->target_value) == 0)
		return entry;
	entry_free(entry);
	return NULL;
}

static int load_box(struct value_box *box, struct view bytes)
{
	struct reader r = reader_over(bytes.data, bytes.len);
	struct value v;
	return value_get(&r, &v) == 0 ? value_box_set(box, &v) : -EBADMSG;
}

static int load_entry(struct stmt *s, struct entry *entry)
{
	struct automation_rule *rule = &entry->rule;
	struct view device = stmt_blob(s, 6), target = stmt_blob(s, 13);
	if (device.len != DEVICE_ID_LEN || target.len != DEVICE_ID_LEN)
		return -EBADMSG;
	rule->id = (uint32_t)stmt_i64(s, 0);
	rule->owner = (uint32_t)stmt_i64(s, 1);
	text_copy(rule->name, sizeof(rule->name), stmt_text(s, 2));
	rule->enabled = stmt_i64(s, 3) != 0;
	rule->stopped = stmt_i64(s, 4) != 0;
	rule->trigger = (enum trigger_kind)stmt_i64(s, 5);
	memcpy(rule->device.b, device.data, DEVICE_ID_LEN);
	rule->endpoint = (uint8_t)stmt_i64(s, 7);
	rule->cap = (uint16_t)stmt_i64(s, 8);
	rule->hysteresis = stmt_f64(s, 10);
	rule->days = (uint8_t)stmt_i64(s, 11);
	rule->minute = (uint16_t)stmt_i64(s, 12);
	memcpy(rule->target.b, target.data, DEVICE_ID_LEN);
	rule->target_endpoint = (uint8_t)stmt_i64(s, 14);
	rule->target_cap = (uint16_t)stmt_i64(s, 15);
	int r = load_box(&rule->threshold, stmt_blob(s, 9));
	return r == 0 ? load_box(&rule->target_value, stmt_blob(s, 16)) : r;
}

int automation_load(struct automation *a)
{
	struct stmt *s;
	int r = db_prepare(store_db(a->store, a->db),
			   "SELECT id, owner, name, enabled, stopped, kind, device, endpoint, cap, threshold, hysteresis, days, minute,"
			   " target, target_endpoint, target_cap, target_value FROM automation ORDER BY id",
			   &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct entry *entry = a->n < AUTOMATION_MAX ? calloc(1, sizeof(*entry)) : NULL;
		if (!entry)
			return -ENOMEM;
		a->entries[a->n++] = entry;
		r = load_entry(s, entry);
		a->last_id = entry->rule.id;
	}
	return r;
}

/* Firing. */

static void write_stopped(struct automation *a, const struct automation_rule *rule);

static void entry_fire(struct automation *a, struct entry *entry, const struct value *value, uint8_t depth)
{
	int64_t now = loop_now_ms(a->loop);
	if (depth >= a->depth_max) {
		char why[160];
		entry->rule.stopped = true;
		text_print(why, sizeof(why), "the rule \"%s\" was part of a chain that triggers itself: %u steps deep", entry->rule.name, depth);
		write_stopped(a, &entry->rule);
		a->stopped(a->ctx, &entry->rule, why);
		return;
	}
	if (now - entry->window_ms >= RATE_WINDOW_MS) {
		entry->window_ms = now;
		entry->n_in_window = 0;
	}
	if (entry->n_in_window >= a->rate_per_minute)
		return;
	entry->n_in_window++;
	entry->rule.n_fired++;
	entry->rule.fired_us = loop_wall_us(a->loop);
	struct value target = value_box_get(&entry->rule.target_value);
	a->fire(a->ctx, &entry->rule, target.type == VALUE_NONE ? value : &target, depth);
}

void automation_on_report(struct automation *a, const struct event *event, const struct value *before, uint8_t depth)
{
	for (size_t i = 0; i < a->n; i++) {
		struct entry *entry = a->entries[i];
		const struct automation_rule *rule = &entry->rule;
		if (rule->cap != event->cap || !device_id_equal(rule->device, event->device) ||
		    (rule->endpoint && rule->endpoint != event->endpoint))
			continue;
		bool fires = trigger_fires(rule, &entry->state, &event->value, before);
		if (fires && rule->enabled && !rule->stopped)
			entry_fire(a, entry, &event->value, depth);
	}
}

void automation_on_minute(struct automation *a, uint8_t day, uint16_t minute)
{
	struct value none = { .type = VALUE_NONE };
	if (a->last_day == day && a->last_minute == minute)
		return;
	a->last_day = day;
	a->last_minute = minute;
	for (size_t i = 0; i < a->n; i++) {
		struct entry *entry = a->entries[i];
		if (entry->rule.enabled && !entry->rule.stopped && trigger_at(&entry->rule, day, minute))
			entry_fire(a, entry, &none, 0);
	}
}

/* Changing. */

struct change {
	struct automation *a;
	struct entry *entry; /* as it is to be; its id alone for a removal */
	enum { CHANGE_PUT, CHANGE_REMOVE } what;
	struct audit_record *record; /* NULL: not by a person */
	automation_done_fn done;
	void *ctx;
};

static void bind_box(struct stmt *s, int col, const struct value_box *box, uint8_t *buf, size_t cap)
{
	struct value v = value_box_get(box);
	struct writer w = writer_over(buf, cap);
	value_put(&w, &v);
	stmt_bind_blob(s, col, buf, writer_len(&w));
}

static int put_rule(struct db *db, const struct automation_rule *rule)
{
	uint8_t threshold[VALUE_ROW_MAX], target[VALUE_ROW_MAX];
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT OR REPLACE INTO automation (id, owner, name, enabled, stopped, kind, device, endpoint, cap, threshold,"
			   " hysteresis, days, minute, target, target_endpoint, target_cap, target_value)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			   &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, rule->id);
	stmt_bind_i64(s, 2, rule->owner);
	stmt_bind_text(s, 3, rule->name);
	stmt_bind_i64(s, 4, rule->enabled);
	stmt_bind_i64(s, 5, rule->stopped);
	stmt_bind_i64(s, 6, rule->trigger);
	stmt_bind_blob(s, 7, rule->device.b, DEVICE_ID_LEN);
	stmt_bind_i64(s, 8, rule->endpoint);
	stmt_bind_i64(s, 9, rule->cap);
	bind_box(s, 10, &rule->threshold, threshold, sizeof(threshold));
	stmt_bind_f64(s, 11, rule->hysteresis);
	stmt_bind_i64(s, 12, rule->days);
	stmt_bind_i64(s, 13, rule->minute);
	stmt_bind_blob(s, 14, rule->target.b, DEVICE_ID_LEN);
	stmt_bind_i64(s, 15, rule->target_endpoint);
	stmt_bind_i64(s, 16, rule->target_cap);
	bind_box(s, 17, &rule->target_value, target, sizeof(target));
	return stmt_run(s);
}

static int change_job(struct db *db, void *arg)
{
	const struct change *change = arg;
	struct stmt *s;
	int r;
	if (change->what == CHANGE_PUT) {
		r = put_rule(db, &change->entry->rule);
	} else {
		r = db_prepare(db, "DELETE FROM automation WHERE id = ?", &s);
		if (r != 0)
			return r;
		stmt_bind_i64(s, 1, change->entry->rule.id);
		r = stmt_run(s);
	}
	return r == 0 && change->record ? audit_outbox_put(db, change->record) : r;
}

static size_t index_of(const struct automation *a, uint32_t id)
{
	size_t i = 0;
	while (i < a->n && a->entries[i]->rule.id != id)
		i++;
	return i;
}

static void apply(struct change *change)
{
	struct automation *a = change->a;
	size_t i = index_of(a, change->entry->rule.id);
	if (change->what == CHANGE_REMOVE) {
		if (i == a->n)
			return;
		entry_free(a->entries[i]);
		memmove(&a->entries[i], &a->entries[i + 1], (a->n - i - 1) * sizeof(a->entries[0]));
		a->n--;
	} else if (i < a->n) {
		a->entries[i]->rule.enabled = change->entry->rule.enabled;
		a->entries[i]->rule.stopped = change->entry->rule.stopped;
	} else if (a->n < AUTOMATION_MAX) {
		a->entries[a->n++] = change->entry;
		change->entry = NULL;
	}
}

static void change_end(struct change *change, int r, const char *error)
{
	uint32_t id = change->entry->rule.id;
	if (r == 0)
		apply(change);
	if (change->done)
		change->done(change->ctx, r, id, error);
	entry_free(change->entry);
	audit_record_free(change->record);
	free(change);
}

static void change_done(void *arg, int r)
{
	change_end(arg, r, NULL);
}

static void change_start(struct automation *a, const struct automation_rule *rule, int what, const struct audit_record *record,
			 automation_done_fn done, void *ctx)
{
	struct change *change = calloc(1, sizeof(*change));
	struct entry *entry = change ? entry_copy(rule) : NULL;
	if (!entry) {
		free(change);
		if (done)
			done(ctx, -ENOMEM, 0, NULL);
		return;
	}
	change->a = a;
	change->entry = entry;
	change->what = what;
	change->done = done;
	change->ctx = ctx;
	if (record) {
		struct audit_record filled = *record;
		filled.object = rule->name;
		change->record = audit_record_copy(&filled);
	}
	int r = store_submit(a->store, a->db, STORE_SYNC, change_job, change_done, change);
	if (r != 0)
		change_end(change, r == STORE_E_FULL ? -EAGAIN : r, NULL);
}

static void write_stopped(struct automation *a, const struct automation_rule *rule)
{
	change_start(a, rule, CHANGE_PUT, NULL, NULL, NULL);
}

void automation_add(struct automation *a, const struct automation_rule *rule, const struct audit_record *record, automation_done_fn done, void *ctx)
{
	const char *fault = trigger_fault(rule);
	if (!fault && !text_is_name(rule->name, AUTOMATION_NAME_MAX))
		fault = "name: must be 1 to 64 bytes without + # / $ and control characters";
	for (size_t i = 0; !fault && i < a->n; i++)
		if (strcmp(a->entries[i]->rule.name, rule->name) == 0)
			fault = "name: another rule has it";
	if (!fault && a->n >= AUTOMATION_MAX)
		fault = "there are as many rules as there may be";
	if (fault) {
		done(ctx, AUTOMATION_E_RULE, 0, fault);
		return;
	}
	struct automation_rule numbered = *rule;
	numbered.id = ++a->last_id;
	change_start(a, &numbered, CHANGE_PUT, record, done, ctx);
}

void automation_remove(struct automation *a, uint32_t id, const struct audit_record *record, automation_done_fn done, void *ctx)
{
	size_t i = index_of(a, id);
	if (i == a->n)
		done(ctx, AUTOMATION_E_UNKNOWN, id, NULL);
	else
		change_start(a, &a->entries[i]->rule, CHANGE_REMOVE, record, done, ctx);
}

void automation_enable(struct automation *a, uint32_t id, bool enabled, const struct audit_record *record, automation_done_fn done, void *ctx)
{
	size_t i = index_of(a, id);
	if (i == a->n) {
		done(ctx, AUTOMATION_E_UNKNOWN, id, NULL);
		return;
	}
	struct automation_rule changed = a->entries[i]->rule;
	changed.enabled = enabled;
	changed.stopped = false;
	change_start(a, &changed, CHANGE_PUT, record, done, ctx);
}

const struct automation_rule *automation_at(const struct automation *a, size_t i)
{
	return i < a->n ? &a->entries[i]->rule : NULL;
}
