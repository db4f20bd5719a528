/* A handful of keys in an array, looked through under a lock that readers share: a page takes
 * microseconds, the lock some ten nanoseconds. A key is used under the lock, so that dropping it
 * waits for the last use.
 */
#include "sys/db_keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/db_vfs_inside.h"

struct slot {
	uint32_t id;
	struct seal_key *key;
};

struct db_keys {
	pthread_rwlock_t lock; /* slots, n, active */
	struct slot slots[DB_KEYS_MAX];
	size_t n;
	uint32_t active;
	struct db_vfs *vfs;
	_Atomic uint64_t sealed, opened;
	pthread_mutex_t trouble_lock; /* trouble's last four */
	struct db_keys_stats trouble;
};

int db_keys_new(struct db_keys **ret)
{
	struct db_keys *keys = calloc(1, sizeof(*keys));
	int r;

	if (!keys)
		return -ENOMEM;
	pthread_rwlock_init(&keys->lock, NULL);
	pthread_mutex_init(&keys->trouble_lock, NULL);
	r = db_vfs_new(keys, &keys->vfs);
	if (r) {
		db_keys_free(keys);
		return r;
	}
	*ret = keys;
	return 0;
}

struct db_keys *db_keys_free(struct db_keys *keys)
{
	if (!keys)
		return NULL;
	db_vfs_free(keys->vfs);
	for (size_t i = 0; i < keys->n; i++)
		seal_key_free(keys->slots[i].key);
	pthread_mutex_destroy(&keys->trouble_lock);
	pthread_rwlock_destroy(&keys->lock);
	free(keys);
	return NULL;
}

const struct db_vfs *db_keys_vfs(const struct db_keys *keys)
{
	return keys->vfs;
}

/* The ring */

static struct slot *slot_of(struct db_keys *keys, uint32_t id)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (keys->slots[i].id == id)
			return &keys->slots[i];
	}
	return NULL;
}

int db_keys_put(struct db_keys *keys, uint32_t id, enum seal_suite suite,
		const uint8_t key[SEAL_KEY_LEN])
{
	struct seal_key *made;
	int r;

	if (id == 0)
		return -EINVAL;
	r = seal_key_new(suite, key, &made);
	if (r)
		return r;
	pthread_rwlock_wrlock(&keys->lock);
	if (slot_of(keys, id))
		r = -EEXIST;
	else if (keys->n == DB_KEYS_MAX)
		r = -ENOSPC;
	else
		keys->slots[keys->n++] = (struct slot){ .id = id, .key = STEAL(made) };
	pthread_rwlock_unlock(&keys->lock);
	seal_key_free(made);
	return r;
}

int db_keys_activate(struct db_keys *keys, uint32_t id)
{
	int r = DB_KEYS_E_UNKNOWN;

	pthread_rwlock_wrlock(&keys->lock);
	if (slot_of(keys, id)) {
		keys->active = id;
		r = 0;
	}
	pthread_rwlock_unlock(&keys->lock);
	return r;
}

int db_keys_drop(struct db_keys *keys, uint32_t id)
{
	struct seal_key *dropped = NULL;
	struct slot *slot;
	int r = 0;

	pthread_rwlock_wrlock(&keys->lock);
	slot = slot_of(keys, id);
	if (!slot) {
		r = DB_KEYS_E_UNKNOWN;
	} else if (id == keys->active) {
		r = -EBUSY;
	} else {
		dropped = slot->key;
		*slot = keys->slots[--keys->n];
	}
	pthread_rwlock_unlock(&keys->lock);
	seal_key_free(dropped);
	return r;
}

/* The lock is no part of what the caller sees as the ring's state. */
static struct db_keys *mutable(const struct db_keys *keys)
{
	return (struct db_keys *)keys;
}

uint32_t db_keys_active(const struct db_keys *keys)
{
	uint32_t id;

	pthread_rwlock_rdlock(&mutable(keys)->lock);
	id = keys->active;
	pthread_rwlock_unlock(&mutable(keys)->lock);
	return id;
}

const struct seal_key *db_keys_borrow(struct db_keys *keys, uint32_t id)
{
	struct slot *slot;

	pthread_rwlock_rdlock(&keys->lock);
	slot = slot_of(keys, id);
	return slot ? slot->key : NULL;
}

const struct seal_key *db_keys_borrow_active(struct db_keys *keys, uint32_t *ret_id)
{
	struct slot *slot;

	pthread_rwlock_rdlock(&keys->lock);
	slot = keys->active ? slot_of(keys, keys->active) : NULL;
	*ret_id = keys->active;
	return slot ? slot->key : NULL;
}

void db_keys_return(struct db_keys *keys)
{
	pthread_rwlock_unlock(&keys->lock);
}

bool db_keys_know(struct db_keys *keys, uint32_t id)
{
	bool known = db_keys_borrow(keys, id) != NULL;

	db_keys_return(keys);
	return known;
}

/* The figures */

void db_keys_count_sealed(struct db_keys *keys)
{
	atomic_fetch_add_explicit(&keys->sealed, 1, memory_order_relaxed);
}

void db_keys_count_opened(struct db_keys *keys)
{
	atomic_fetch_add_explicit(&keys->opened, 1, memory_order_relaxed);
}

static void keep_place(struct db_keys_stats *trouble, const char *path, int64_t offset)
{
	const char *slash = strrchr(path, '/');

	text_copy(trouble->last_file, sizeof(trouble->last_file), slash ? slash + 1 : path);
	trouble->last_offset = offset;
}

void db_keys_count_refused(struct db_keys *keys, const char *path, int64_t offset)
{
	pthread_mutex_lock(&keys->trouble_lock);
	keys->trouble.refused++;
	keep_place(&keys->trouble, path, offset);
	pthread_mutex_unlock(&keys->trouble_lock);
}

void db_keys_count_lost(struct db_keys *keys, uint64_t frames, const char *path, int64_t offset)
{
	pthread_mutex_lock(&keys->trouble_lock);
	keys->trouble.lost_frames += frames;
	keep_place(&keys->trouble, path, offset);
	pthread_mutex_unlock(&keys->trouble_lock);
}

struct db_keys_stats db_keys_stats(const struct db_keys *keys)
{
	struct db_keys_stats stats;

	pthread_mutex_lock(&mutable(keys)->trouble_lock);
	stats = keys->trouble;
	pthread_mutex_unlock(&mutable(keys)->trouble_lock);
	stats.sealed = atomic_load_explicit(&keys->sealed, memory_order_relaxed);
	stats.opened = atomic_load_explicit(&keys->opened, memory_order_relaxed);
	return stats;
}
