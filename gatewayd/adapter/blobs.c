/* A plugin has no folder of its own: what it must remember (a network key, a frame counter) it hands to the core, which
 * hands it back before the plugin opens. A handful of rows in memory, each mirrored by one row of gateway.db. */
#include <stdlib.h>
#include <string.h>
#include "adapter/blobs.h"
#include "base/text.h"

const char blobs_schema_1[] = "CREATE TABLE adapter_state ("
			      " adapter TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL,"
			      " PRIMARY KEY (adapter, key)) WITHOUT ROWID, STRICT;";

enum { BLOBS_MAX = 16 * BLOBS_PER_ADAPTER_MAX, ADAPTER_LEN = 32 };

struct entry {
	char adapter[ADAPTER_LEN + 1], key[BLOB_KEY_MAX + 1];
	uint8_t *data;
	size_t len;
};

struct blobs {
	struct store *store;
	unsigned db;
	struct entry entries[BLOBS_MAX];
	size_t n;
};

int blobs_new(struct store *store, unsigned db, struct blobs **ret)
{
	struct blobs *blobs = calloc(1, sizeof(*blobs));
	if (!blobs)
		return -ENOMEM;
	blobs->store = store;
	blobs->db = db;
	*ret = blobs;
	return 0;
}

struct blobs *blobs_free(struct blobs *blobs)
{
	for (size_t i = 0; blobs && i < blobs->n; i++)
		free(blobs->entries[i].data);
	free(blobs);
	return NULL;
}

/* The entry of (adapter, key), made when it is new; NULL when there is no room. */
static struct entry *blobs_entry(struct blobs *blobs, const char *adapter, const char *key)
{
	size_t n_own = 0;
	for (size_t i = 0; i < blobs->n; i++) {
		struct entry *e = &blobs->entries[i];
		if (strcmp(e->adapter, adapter) != 0)
			continue;
		if (strcmp(e->key, key) == 0)
			return e;
		n_own++;
	}
	if (n_own >= BLOBS_PER_ADAPTER_MAX || blobs->n >= BLOBS_MAX)
		return NULL;
	struct entry *e = &blobs->entries[blobs->n++];
	text_copy(e->adapter, sizeof(e->adapter), adapter);
	text_copy(e->key, sizeof(e->key), key);
	return e;
}

static int entry_set(struct entry *e, struct view data)
{
	uint8_t *copy = malloc(data.len ? data.len : 1);
	if (!copy)
		return -ENOMEM;
	if (data.len)
		memcpy(copy, data.data, data.len);
	free(e->data);
	e->data = copy;
	e->len = data.len;
	return 0;
}

int blobs_load(struct blobs *blobs)
{
	struct stmt *s;
	int r = db_prepare(store_db(blobs->store, blobs->db), "SELECT adapter, key, data FROM adapter_state", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct entry *e = blobs_entry(blobs, stmt_text(s, 0), stmt_text(s, 1));
		r = e ? entry_set(e, stmt_blob(s, 2)) : 0;
	}
	return r;
}

static int blob_write(struct db *db, void *arg)
{
	const struct entry *e = arg;
	struct stmt *s;
	int r = db_prepare(db, "INSERT OR REPLACE INTO adapter_state (adapter, key, data) VALUES (?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_text(s, 1, e->adapter);
	stmt_bind_text(s, 2, e->key);
	stmt_bind_blob(s, 3, e->data, e->len);
	return stmt_run(s);
}

static void blob_written(void *arg, int r)
{
	struct entry *e = arg;
	(void)r; /* a failing store raises its own alarm; the memory copy serves until the next start */
	free(e->data);
	free(e);
}

int blobs_save(struct blobs *blobs, const char *adapter, struct view key, struct view data)
{
	char name[BLOB_KEY_MAX + 1];
	if (key.len == 0 || data.len > BLOB_LEN_MAX || !text_copy_n(name, sizeof(name), key.data, key.len))
		return BLOBS_E_FULL;
	struct entry *e = blobs_entry(blobs, adapter, name);
	if (!e)
		return BLOBS_E_FULL;
	int r = entry_set(e, data);
	struct entry *job = r == 0 ? calloc(1, sizeof(*job)) : NULL;
	if (!job)
		return -ENOMEM;
	*job = *e;
	job->data = NULL;
	r = entry_set(job, data);
	if (r == 0)
		r = store_submit(blobs->store, blobs->db, STORE_SYNC, blob_write, blob_written, job);
	if (r != 0) {
		free(job->data);
		free(job);
	}
	return r == STORE_E_FULL ? -EAGAIN : r;
}

bool blobs_next(const struct blobs *blobs, const char *adapter, size_t *cursor, struct blob *ret)
{
	while (*cursor < blobs->n) {
		const struct entry *e = &blobs->entries[(*cursor)++];
		if (strcmp(e->adapter, adapter) != 0)
			continue;
		*ret = (struct blob){ .adapter = e->adapter, .key = e->key, .data = { e->data, e->len } };
		return true;
	}
	return false;
}
