#pragma once
/* snapshot - the compiled form of a rule set: a hash from selectors to the few rules that carry them.
 *
 *   above   policy/policy  policy/compile  policy/crowd
 *   below   base/base  policy/policy
 *   owns    struct policy_snapshot
 *   limits  BUCKET_ENTRIES_MAX PROBES_MAX WHO_OF_QUESTION_MAX
 *
 * Every rule has one selector of each sort: who, what, and one capability or any. The three make its key; the rules
 * of one key are a bucket. A question belongs to a few keys (its user, his role, ... times its device, its room, ...),
 * and `used` says which combinations of selectors any rule has at all. What a bucket holds of a rule are 32 bits: enough to say
 * whether it matches, so that most questions never touch a struct policy_rule. What is walked for a question is kept small
 * and apart (tags, then buckets), because the difference between few devices and many is the cache.
 */
#include "base/base.h"
#include "policy/policy.h"

enum { WHO_KINDS = WHO_OWNER + 1, WHAT_KINDS = WHAT_CLASS + 1 };
enum { BUCKET_ENTRIES_MAX = 1, PROBES_MAX = 16, WHO_OF_QUESTION_MAX = 5 };

/* An entry: the rule's place in the upper half; below what it asks for. */
enum {
	ENTRY_ACTIONS = 0,
	ENTRY_LOOPS = 4,
	ENTRY_SOURCES = 6,
	ENTRY_RISK = 11,
	ENTRY_ALLOW = 1 << 13,
	ENTRY_UNBOUND = 1 << 14,
	ENTRY_WINDOWS = 1 << 15,
	ENTRY_RULE = 16,
};
_Static_assert(ACTIONS <= 4 && LOOPS <= 2 && SOURCES <= 5 && RISK_HIGH <= 3, "an entry's fields are as wide as drawn");

struct policy_key {
	uint32_t who_id;
	uint16_t cap;  /* 0 any */
	uint8_t combo; /* combo_of() */
	uint8_t what[DEVICE_ID_LEN];
};

struct bucket {
	struct policy_key key;
	uint8_t n;
	uint32_t entries[BUCKET_ENTRIES_MAX]; /* more than fit: the first is where they begin in `more` */
};
struct policy_snapshot {
	unsigned refs;
	size_t n_rules;
	struct policy_rule *rules; /* by age, built-in last: the smaller place is named first */
	int32_t *ids;              /* of rules, close together */
	uint64_t used;             /* bits 1 << combo */
	uint64_t seed;
	uint32_t mask;             /* tags - 1 */
	uint32_t *tags;            /* 0 empty; else tag_of() */
	struct bucket *buckets;
	uint32_t *more;
};

static inline uint8_t combo_of(unsigned who, unsigned what, bool has_cap)
{
	return (uint8_t)((who * WHAT_KINDS + what) * 2 + has_cap);
}
_Static_assert(WHO_KINDS * WHAT_KINDS * 2 <= 64, "every combination has its bit");

static inline uint64_t hash_step(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

uint64_t policy_what_hash(const uint8_t what[DEVICE_ID_LEN], uint64_t seed);

static inline uint64_t policy_key_hash(uint64_t what_hash, uint32_t who_id, uint16_t cap, uint8_t combo)
{
	return hash_step(what_hash ^ ((uint64_t)who_id << 24 | (uint64_t)cap << 8 | combo));
}

enum { TAG_INDEX_BITS = 15 };
/* A tag: where the bucket is, counted from one, and as many bits of the key's hash as there is room for. */
static inline uint32_t tag_of(uint64_t hash, uint32_t index)
{
	return (uint32_t)(hash >> 32) >> TAG_INDEX_BITS << TAG_INDEX_BITS | (index + 1);
}
static inline bool tag_fits(uint32_t tag, uint64_t hash)
{
	return (tag ^ (uint32_t)(hash >> 32)) >> TAG_INDEX_BITS == 0;
}
static inline uint32_t tag_index(uint32_t tag)
{
	return (tag & ((1u << TAG_INDEX_BITS) - 1)) - 1;
}
