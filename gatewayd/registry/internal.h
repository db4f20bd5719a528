#pragma once
/* internal - what the registry's own files share: the tables in memory and how a row is written.
 *
 *   above   registry
 *   below   base/base  registry/registry
 *   owns    struct registry
 *   limits  REGISTRY_ADAPTERS_MAX REGISTRY_FLUSH_MS
 */
#include <uthash.h>
#include "base/base.h"
#include "registry/registry.h"

enum { REGISTRY_ADAPTERS_MAX = 32, REGISTRY_FLUSH_MS = 30000 };

struct way_key { /* zero-padded: hashed and compared as bytes */
	uint8_t adapter; /* index into adapters */
	uint8_t len;
	uint8_t bytes[ADDRESS_MAX];
};
struct way_entry {
	struct way_key key;
	struct entry *entry;
	UT_hash_handle hh;
};
struct entry {
	struct device device; /* first: a struct device of ours is an entry */
	bool shadow_dirty;
	UT_hash_handle hh;
};

struct registry {
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct registry_options options;
	const struct registry_ops *ops;
	void *ctx;
	struct timer *flush;
	struct entry *by_id; /* hash */
	struct entry **order;
	size_t n;
	struct way_entry *by_way; /* hash */
	char adapters[REGISTRY_ADAPTERS_MAX][ADAPTER_NAME_MAX + 1];
	size_t n_adapters;
	struct room rooms[REGISTRY_ROOMS_MAX];
	size_t n_rooms;
};

struct entry *registry_entry(const struct registry *registry, struct device_id id);
struct entry *registry_entry_new(struct registry *registry, struct device_id id); /* NULL: full */
struct entry *registry_entry_way(const struct registry *registry, const char *adapter, const struct address *addr, uint8_t *ret_way);
must_check int registry_add_way(struct registry *registry, struct entry *entry, const char *adapter, const struct address *addr);
void registry_remove_ways(struct registry *registry, struct entry *entry);
/* The one door of states: checks the table of permitted steps, tells the listener. */
void registry_enter(struct registry *registry, struct entry *entry, enum device_state next);
void registry_tell(struct registry *registry, const struct entry *entry, enum registry_change change);
void registry_alarm(struct registry *registry, enum alarm_kind kind, const struct entry *entry, const char *object, bool raised, const char *detail);
/* Takes desc; keeps shadow values of capabilities that stay. ret_old, when asked for, is the caller's. */
must_check int registry_set_desc(struct entry *entry, struct device_desc *desc, struct device_desc **ret_old);
void registry_pick_name(struct registry *registry, struct entry *entry);
bool registry_name_is_free(const struct registry *registry, const char *name, struct device_id except);

/* persist.c: the whole row of a device, without its shadow. */
must_check int registry_save(struct registry *registry, const struct entry *entry);
