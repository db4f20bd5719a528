#pragma once
/* registry - what exists: devices, their addresses, capabilities, shadow, names, rooms, states.
 *
 *   above   app  door  link  registry  router
 *   below   audit/audit  base/base  base/list  base/text  model/alarm  model/device  model/event  registry/internal  sys/store
 *   owns    struct device and everything in it; the tables device, address, room, shadow of gateway.db
 *   limits  REGISTRY_DEVICES_MAX REGISTRY_ADDRESSES_MAX REGISTRY_ROOMS_MAX
 *   errors  REGISTRY_E_UNKNOWN REGISTRY_E_FULL REGISTRY_E_CLONE REGISTRY_E_STATE REGISTRY_E_NAME REGISTRY_E_RANGE
 *
 * In memory and answered from memory; what must last is written by the store. Descriptions and states are written
 * when they change, shadows in groups (registry_flush, each 30 s and at stop): after a restart a value is shown as stale
 * until it is reported again. Who owns a device is people/bindings' to say; the registry keeps the answer (owner) as a fact
 * for questions, set by router/claims in one transaction with the binding.
 */
#include "base/base.h"
#include "base/list.h"
#include "model/alarm.h"
#include "model/device.h"
#include "model/event.h"
#include "audit/audit.h"
#include "sys/store.h"

enum { REGISTRY_DEVICES_MAX = 5000, REGISTRY_ADDRESSES_MAX = 8, REGISTRY_ROOMS_MAX = 128 };
enum { REGISTRY_E_UNKNOWN = 1, REGISTRY_E_FULL, REGISTRY_E_CLONE, REGISTRY_E_STATE, REGISTRY_E_NAME, REGISTRY_E_RANGE };

struct registry;

struct shadow_value {
	struct value_box reported, desired;
	int64_t reported_wall_us, desired_wall_us; /* 0: time was not trusted */
	int64_t reported_ms;                       /* loop time; 0: before this start, so stale */
};
struct way { /* one (adapter, address) by which a device can be reached */
	char adapter[ADAPTER_NAME_MAX + 1];
	struct address addr;
	bool up;      /* its adapter is there and has described it since */
	bool left;    /* its adapter said that it left for good, and has not described it since */
	bool welcome; /* it came while the device's owner held a window open: it may become the active one by itself */
	struct device_desc *desc; /* what its adapter says of the device while it is not the active way; NULL: nothing yet */
};

struct device { /* read-only outside registry/ */
	struct device_id id;
	enum device_state state;
	enum device_state state_before; /* UNREACHABLE, QUARANTINED: where it goes back to */
	char name[DEVICE_TEXT_MAX + 1];
	uint32_t room;                  /* 0 none */
	uint32_t owner;                 /* user; 0 none */
	uint32_t waiting_for;           /* user whose window it joined in */
	struct device_desc *desc;       /* by the active way */
	struct shadow_value *shadow;    /* desc's capabilities in order: registry_shadow finds one */
	size_t n_shadow;
	struct way ways[REGISTRY_ADDRESSES_MAX];
	uint8_t n_ways, active;
	bool following;                 /* registry_follow is under way */
	struct address hw;
	uint64_t event_number;          /* of its last event */
	int64_t seen_ms;
	uint64_t n_reports, n_refused;
};
struct room {
	uint32_t id;
	char name[DEVICE_TEXT_MAX + 1];
};

/* What changed; router and links listen. Called on the loop, after the change. */
enum registry_change { REGISTRY_NEW, REGISTRY_DESCRIBED, REGISTRY_STATE, REGISTRY_NAMED, REGISTRY_MOVED, REGISTRY_RETIRED };
/* on_report: before is the value reported before this one in this run of the core, NULL when none was. */
struct registry_ops {
	void (*on_change)(void *ctx, const struct device *device, enum registry_change change, enum device_state before);
	void (*on_report)(void *ctx, const struct device *device, const struct event *event, const struct value *before,
			  void (*stored)(void *stored_ctx, int r), void *stored_ctx);
	void (*on_alarm)(void *ctx, enum alarm_kind kind, struct device_id device, const char *object, bool raised, const char *detail);
};

extern const char registry_schema_1[]; /* SQL of its tables, part of gateway.db's version 1 */
extern const char registry_schema_2[]; /* what version 2 adds */
struct registry_options {
	uint32_t maker, product; /* of identities that we allocate */
	uint32_t epoch;          /* rises at each start: event numbers are epoch << 32 and up */
};
must_check int registry_new(struct loop *loop, struct store *store, unsigned db, const struct registry_options *options,
			    struct registry **ret);
void registry_listen(struct registry *registry, const struct registry_ops *ops, void *ctx); /* one listener: the router */
must_check int registry_load(struct registry *registry); /* before the store starts */
struct registry *registry_close(struct registry *registry);

/* From the adapters (adapter/hub calls these by app's wiring). adapter is an instance name. */
void registry_adapter_up(struct registry *registry, const char *adapter);
void registry_adapter_down(struct registry *registry, const char *adapter); /* its devices become unreachable */
void registry_adapter_synced(struct registry *registry, const char *adapter);
/* waiting_for: the user whose join window is open on this adapter, else 0. */
must_check int registry_describe(struct registry *registry, const char *adapter, const struct device_desc *desc,
				 uint32_t waiting_for, struct device_id *ret);
void registry_gone(struct registry *registry, const char *adapter, const struct address *addr, bool left);
/* Checks value against the description. 0: in the shadow, on_report was called and will call stored exactly once.
 * REGISTRY_E_UNKNOWN / _RANGE: refused and counted; stored is not called. */
must_check int registry_report(struct registry *registry, const char *adapter, const struct address *addr, uint8_t endpoint,
			       uint16_t cap, const struct value *value, int64_t wall_us, bool again,
			       void (*stored)(void *ctx, int r), void *ctx);

/* Verbs. record: the audit row, written in the same transaction; done runs after the commit (and then the change is visible). */
typedef void (*registry_done_fn)(void *ctx, int r);
void registry_rename(struct registry *registry, struct device_id id, const char *name, const struct audit_record *record,
		     registry_done_fn done, void *ctx);
void registry_set_room(struct registry *registry, struct device_id id, const char *room, const struct audit_record *record,
		       registry_done_fn done, void *ctx); /* the room is made when new; "" takes it out */
void registry_set_state(struct registry *registry, struct device_id id, enum device_state state, const struct audit_record *record,
			registry_done_fn done, void *ctx);
void registry_move(struct registry *registry, struct device_id id, const char *adapter, const struct audit_record *record,
		   registry_done_fn done, void *ctx); /* make the way over adapter the active one */
/* user held a window open over adapter while the device joined there: when it is his, this way is welcome. */
void registry_welcome(struct registry *registry, const char *adapter, const struct address *addr, uint32_t user);
/* Where a device goes on that has left the adapter by which it was reached: the adapter of a welcome way that is up and proves no less
 * than the one before. NULL: nowhere by itself. A way that is not welcome is a stranger's word, and what is dangerous (a lock) is
 * never moved by itself: both wait for a person (registry_move). */
const char *registry_next_way(const struct device *device);
/* Goes there, as registry_move; once at a time. False: nothing to do. */
bool registry_follow(struct registry *registry, struct device_id id, const struct audit_record *record, registry_done_fn done, void *ctx);
/* Part of a binding's transaction: run put on the writer thread, then apply on the loop after commit. */
must_check int registry_put_owner(struct db *db, struct device_id id, uint32_t owner);
void registry_apply_owner(struct registry *registry, struct device_id id, uint32_t owner);
/* A described device that nobody owns now waits for this user's claim. */
void registry_set_waiting(struct registry *registry, struct device_id id, uint32_t user);
void registry_set_desired(struct registry *registry, struct device_id id, uint8_t endpoint, uint16_t cap, const struct value *value);
void registry_flush(struct registry *registry, registry_done_fn done, void *ctx);

const struct device *registry_find(const struct registry *registry, struct device_id id);
const struct device *registry_find_name(const struct registry *registry, const char *name); /* a person's name for it, or its id as text */
const struct device *registry_find_way(const struct registry *registry, const char *adapter, const struct address *addr);
const struct device *registry_find_hw(const struct registry *registry, const struct address *hw); /* NULL also for len 0 */
const struct device *registry_at(const struct registry *registry, size_t i); /* NULL past the end; order of first sight */
size_t registry_count(const struct registry *registry);
/* endpoint 0: the first that has cap; *ret_endpoint tells. */
const struct capability_desc *device_capability(const struct device *device, uint8_t endpoint, uint16_t cap, uint8_t *ret_endpoint);
const struct shadow_value *device_shadow(const struct device *device, uint8_t endpoint, uint16_t cap);
bool device_is_reachable(const struct device *device);
const struct way *device_way(const struct device *device);
const struct room *registry_room(const struct registry *registry, uint32_t id);
const struct room *registry_room_named(const struct registry *registry, const char *name);
const struct room *registry_room_at(const struct registry *registry, size_t i);
