/* Guessing is made slow in two buckets, one for the name that is tried and one for where the tries come from. Names nobody
 * has are counted like names somebody has, so that a lock tells nothing. The table is bounded: when it is full the
 * longest idle unlocked entry makes room, and when all are locked so is everybody new. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "people/throttle.h"

enum { LOCK_MS_MAX = 24 * 3600 * 1000 };

struct bucket {
	char key[THROTTLE_KEY_MAX + 1];
	uint32_t failures, locks;
	int64_t since_ms, last_ms, locked_until_ms;
};

struct throttle {
	struct throttle_options options;
	struct bucket buckets[THROTTLE_MAX];
	size_t n;
};

int throttle_new(const struct throttle_options *options, struct throttle **ret)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));
	if (!throttle)
		return -ENOMEM;
	throttle->options = *options;
	*ret = throttle;
	return 0;
}

struct throttle *throttle_free(struct throttle *throttle)
{
	free(throttle);
	return NULL;
}

static struct bucket *bucket_find(const struct throttle *throttle, const char *key)
{
	for (size_t i = 0; i < throttle->n; i++)
		if (strncmp(throttle->buckets[i].key, key, THROTTLE_KEY_MAX) == 0)
			return (struct bucket *)&throttle->buckets[i];
	return NULL;
}

static struct bucket *bucket_make(struct throttle *throttle, const char *key, int64_t now_ms)
{
	struct bucket *bucket = NULL;
	if (throttle->n < THROTTLE_MAX) {
		bucket = &throttle->buckets[throttle->n++];
	} else { /* who was idle longest and is not locked makes room */
		for (size_t i = 0; i < THROTTLE_MAX; i++) {
			struct bucket *other = &throttle->buckets[i];
			if (other->locked_until_ms <= now_ms && (!bucket || other->last_ms < bucket->last_ms))
				bucket = other;
		}
	}
	if (!bucket)
		return NULL;
	*bucket = (struct bucket){ .since_ms = now_ms, .last_ms = now_ms };
	text_copy(bucket->key, sizeof(bucket->key), key);
	return bucket;
}

bool throttle_is_locked(const struct throttle *throttle, const char *key, int64_t now_ms)
{
	const struct bucket *bucket = bucket_find(throttle, key);
	if (bucket)
		return bucket->locked_until_ms > now_ms;
	if (throttle->n < THROTTLE_MAX)
		return false;
	for (size_t i = 0; i < THROTTLE_MAX; i++)
		if (throttle->buckets[i].locked_until_ms <= now_ms)
			return false;
	return true;
}

bool throttle_fail(struct throttle *throttle, const char *key, uint32_t tries_factor, int64_t now_ms)
{
	struct bucket *bucket = bucket_find(throttle, key);
	if (!bucket)
		bucket = bucket_make(throttle, key, now_ms);
	if (!bucket || bucket->locked_until_ms > now_ms)
		return false;
	if (now_ms - bucket->since_ms > throttle->options.window_s * INT64_C(1000)) {
		bucket->since_ms = now_ms;
		bucket->failures = 0;
	}
	bucket->last_ms = now_ms;
	if (++bucket->failures < throttle->options.tries * tries_factor)
		return false;
	int64_t lock_ms = throttle->options.lock_s * INT64_C(1000);
	for (uint32_t i = 0; i < bucket->locks && lock_ms < LOCK_MS_MAX; i++)
		lock_ms *= 2;
	bucket->locked_until_ms = now_ms + (lock_ms < LOCK_MS_MAX ? lock_ms : LOCK_MS_MAX);
	bucket->locks++;
	bucket->failures = 0;
	return true;
}

void throttle_ok(struct throttle *throttle, const char *key)
{
	struct bucket *bucket = bucket_find(throttle, key);
	if (bucket)
		*bucket = throttle->buckets[--throttle->n];
}

void throttle_restore(struct throttle *throttle, const struct throttle_row *row, int64_t now_ms)
{
	struct bucket *bucket = bucket_make(throttle, row->key, now_ms);
	if (!bucket)
		return;
	bucket->failures = row->failures;
	bucket->locks = row->locks;
	bucket->locked_until_ms = row->lock_left_ms > 0 ? now_ms + row->lock_left_ms : 0;
}

bool throttle_get(const struct throttle *throttle, const char *key, int64_t now_ms, struct throttle_row *ret)
{
	const struct bucket *bucket = bucket_find(throttle, key);
	if (!bucket)
		return false;
	*ret = (struct throttle_row){ .failures = bucket->failures, .locks = bucket->locks,
				      .lock_left_ms = bucket->locked_until_ms > now_ms ? bucket->locked_until_ms - now_ms : 0 };
	text_copy(ret->key, sizeof(ret->key), bucket->key);
	return true;
}
