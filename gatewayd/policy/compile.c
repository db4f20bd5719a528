/* Compiling: the rules are checked, put in order of age with the built-in ones behind, counted for crowding, and laid
 * into a hash table in which no key lies further than PROBES_MAX places from home (another seed is tried until that is
 * so), because the time of an answer must not depend on luck either.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/builtin.h"
#include "policy/crowd.h"
#include "policy/snapshot.h"

enum { SEEDS_A_SIZE = 8, TAGS_LEAST = 64, TAGS_CEILING = 1 << 22 };

#define LINK_SOURCES (1u << SOURCE_LINK_HOME | 1u << SOURCE_LINK_CLOUD)

static bool bits_are_within(unsigned bits, unsigned n)
{
	return bits && bits < 1u << n;
}

static const char *who_fault(const struct policy_rule *rule)
{
	if ((unsigned)rule->who >= WHO_KINDS)
		return "who: not a kind of subject";
	if ((rule->who == WHO_USER || rule->who == WHO_RULE) && !rule->who_id)
		return "who: which one is missing";
	if (rule->who == WHO_ROLE && (rule->who_id == ROLE_NONE || rule->who_id >= ROLES))
		return "who: no such role";
	if ((rule->who == WHO_ANY || rule->who == WHO_OWNER) && rule->who_id)
		return "who: takes no number";
	if (rule->effect == POLICY_ALLOW && rule->who == WHO_RULE)
		return "who: a rule has its owner's rights; it can be denied, not allowed";
	if (rule->effect == POLICY_ALLOW && rule->who == WHO_ANY && (rule->sources & LINK_SOURCES))
		return "sources: an allow rule for links must name the link";
	return NULL;
}

static const char *what_fault(const struct policy_rule *rule)
{
	if ((unsigned)rule->what >= WHAT_KINDS)
		return "what: not a kind of object";
	if (rule->what == WHAT_DEVICE && device_id_is_none(rule->device))
		return "what: the device is missing";
	if (rule->what == WHAT_ROOM && !rule->room)
		return "what: the room is missing";
	if ((unsigned)rule->data_class >= CLASSES)
		return "what: no such data class";
	if ((unsigned)rule->risk_max > RISK_HIGH)
		return "risk: no such risk";
	return NULL;
}

static const char *window_fault(const struct policy_rule *rule)
{
	if (rule->n_windows > POLICY_WINDOWS_MAX)
		return "windows: too many";
	for (unsigned i = 0; i < rule->n_windows; i++) {
		const struct policy_window *w = &rule->windows[i];

		if (!w->days || w->days > DAYS_ALL)
			return "windows: the days are wrong";
		if (w->from >= 24 * 60 || w->to > 24 * 60)
			return "windows: a time is past the end of the day";
		if (w->from == w->to)
			return "windows: begins when it ends";
	}
	return NULL;
}

static const char *rule_fault(const struct policy_rule *rule)
{
	const char *fault;

	if (rule->effect != POLICY_ALLOW && rule->effect != POLICY_DENY)
		return "effect: neither allow nor deny";
	if ((fault = who_fault(rule)) || (fault = what_fault(rule)))
		return fault;
	if (!bits_are_within(rule->actions, ACTIONS))
		return "actions: none or unknown";
	if (!bits_are_within(rule->loops, LOOPS))
		return "loops: none or unknown";
	if (!bits_are_within(rule->sources, SOURCES))
		return "sources: none or unknown";
	if (rule->unbound)
		return "unbound: for built-in rules only";
	if (!memchr(rule->note, '\0', sizeof(rule->note)) || !text_is_utf8(rule->note, strlen(rule->note)))
		return "note: too long or not UTF-8";
	return window_fault(rule);
}

int policy_rule_check(const struct policy_rule *rule, char *error, size_t error_cap)
{
	const char *fault = rule_fault(rule);

	if (!fault)
		return 0;
	(void)text_copy(error, error_cap, fault);
	return POLICY_E_RULE;
}

static int rule_compare(const void *a, const void *b)
{
	uint32_t x = (uint32_t)((const struct policy_rule *)a)->id, y = (uint32_t)((const struct policy_rule *)b)->id;

	return x < y ? -1 : x > y;
}

static int rules_take(struct policy_snapshot *s, const struct policy_rule *rules, size_t n, char *error, size_t error_cap)
{
	char fault[96];

	if (n > POLICY_RULES_MAX) {
		(void)text_print(error, error_cap, "%zu rules, %d at most", n, (int)POLICY_RULES_MAX);
		return POLICY_E_RULE;
	}
	for (size_t i = 0; i < n; i++) {
		if (rules[i].id > 0 && policy_rule_check(&rules[i], fault, sizeof(fault)) == 0)
			continue;
		(void)text_print(error, error_cap, "rule %d: %s", rules[i].id,
				 rules[i].id > 0 ? fault : "id: the household's are positive");
		return POLICY_E_RULE;
	}
	s->n_rules = n + policy_builtin_count();
	s->rules = calloc(s->n_rules, sizeof(*s->rules));
	s->ids = calloc(s->n_rules, sizeof(*s->ids));
	if (!s->rules || !s->ids)
		return -ENOMEM;
	if (n)
		memcpy(s->rules, rules, n * sizeof(*rules));
	for (size_t i = n; i < s->n_rules; i++)
		s->rules[i] = *policy_builtin_at(i - n);
	qsort(s->rules, s->n_rules, sizeof(*s->rules), rule_compare);
	for (size_t i = 0; i < s->n_rules; i++) {
		s->ids[i] = s->rules[i].id;
		if (i && s->ids[i] == s->ids[i - 1]) {
			(void)text_print(error, error_cap, "rule %d: id: given twice", s->ids[i]);
			return POLICY_E_RULE;
		}
	}
	return 0;
}

static void rule_what(const struct policy_rule *rule, uint8_t ret[DEVICE_ID_LEN])
{
	memset(ret, 0, DEVICE_ID_LEN);
	switch (rule->what) {
	case WHAT_ANY:
		break;
	case WHAT_DEVICE:
		memcpy(ret, rule->device.b, DEVICE_ID_LEN);
		break;
	case WHAT_ROOM:
		memcpy(ret, &rule->room, sizeof(rule->room));
		break;
	case WHAT_CLASS:
		ret[0] = (uint8_t)rule->data_class;
		break;
	}
}

static void rule_place(const struct policy_rule *rule, uint32_t place, struct placed *ret)
{
	*ret = (struct placed){
		.kind = { (uint8_t)rule->who, (uint8_t)rule->what },
		.cap = rule->cap,
		.rule = place,
	};
	memcpy(ret->id[AXIS_WHO], &rule->who_id, sizeof(rule->who_id));
	rule_what(rule, ret->id[AXIS_WHAT]);
}

static uint32_t entry_of(const struct policy_rule *rule, uint32_t place)
{
	return place << ENTRY_RULE | (uint32_t)rule->actions << ENTRY_ACTIONS | (uint32_t)rule->loops << ENTRY_LOOPS |
	       (uint32_t)rule->sources << ENTRY_SOURCES | (uint32_t)rule->risk_max << ENTRY_RISK |
	       (rule->effect == POLICY_ALLOW ? ENTRY_ALLOW : 0u) | (rule->unbound ? ENTRY_UNBOUND : 0u) |
	       (rule->n_windows ? ENTRY_WINDOWS : 0u);
}
_Static_assert(POLICY_RULES_MAX + 64 < 1 << TAG_INDEX_BITS, "a rule's place fits an entry, a bucket's a tag");

static struct policy_key key_of(const struct placed *placed)
{
	struct policy_key key = {
		.cap = placed->cap,
		.combo = combo_of(placed->kind[AXIS_WHO], placed->kind[AXIS_WHAT], placed->cap != 0),
	};

	memcpy(&key.who_id, placed->id[AXIS_WHO], sizeof(key.who_id));
	memcpy(key.what, placed->id[AXIS_WHAT], DEVICE_ID_LEN);
	return key;
}

/* The run of placed rules that share a key, from i. */
static size_t bucket_end(const struct placed *placed, size_t n, size_t i)
{
	size_t end = i;

	while (end < n && placed[end].cap == placed[i].cap &&
	       memcmp(placed[end].kind, placed[i].kind, sizeof(placed[i].kind)) == 0 &&
	       memcmp(placed[end].id, placed[i].id, sizeof(placed[i].id)) == 0)
		end++;
	return end;
}

/* Returns how many buckets there are. placed is sorted, so those of one device lie together. */
static size_t buckets_fill(struct policy_snapshot *s, const struct placed *placed, size_t n)
{
	uint32_t n_more = 0;
	size_t n_buckets = 0;

	for (size_t i = 0, end; i < n; i = end) {
		end = bucket_end(placed, n, i);
		struct bucket *bucket = &s->buckets[n_buckets++];
		uint32_t *to = bucket->entries;

		*bucket = (struct bucket){ .key = key_of(&placed[i]), .n = (uint8_t)(end - i) };
		s->used |= (uint64_t)1 << bucket->key.combo;
		if (end - i > BUCKET_ENTRIES_MAX) {
			bucket->entries[0] = n_more;
			to = s->more + n_more;
			n_more += (uint32_t)(end - i);
		}
		for (size_t k = i; k < end; k++)
			to[k - i] = entry_of(&s->rules[placed[k].rule], placed[k].rule);
	}
	return n_buckets;
}

static bool tag_put(struct policy_snapshot *s, uint32_t index)
{
	const struct policy_key *key = &s->buckets[index].key;
	uint64_t hash = policy_key_hash(policy_what_hash(key->what, s->seed), key->who_id, key->cap, key->combo);

	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		uint32_t *tag = &s->tags[((uint32_t)hash + i) & s->mask];

		if (*tag)
			continue;
		*tag = tag_of(hash, index);
		return true;
	}
	return false;
}

/* false: some key found no place near its home; another seed may do. */
static bool tags_fill(struct policy_snapshot *s, size_t n_buckets)
{
	memset(s->tags, 0, ((size_t)s->mask + 1) * sizeof(*s->tags));
	for (size_t i = 0; i < n_buckets; i++) {
		if (!tag_put(s, (uint32_t)i))
			return false;
	}
	return true;
}

static int table_build(struct policy_snapshot *s, const struct placed *placed, size_t n)
{
	size_t tags = TAGS_LEAST, n_buckets;

	s->more = calloc(n, sizeof(*s->more));
	s->buckets = aligned_alloc(64, (n * sizeof(*s->buckets) + 63) / 64 * 64);
	if (!s->more || !s->buckets)
		return -ENOMEM;
	n_buckets = buckets_fill(s, placed, n);
	while (tags < n_buckets + n_buckets / 2)
		tags *= 2;
	for (; tags <= TAGS_CEILING; tags *= 2) {
		free(s->tags);
		s->tags = aligned_alloc(64, tags * sizeof(*s->tags));
		if (!s->tags)
			return -ENOMEM;
		s->mask = (uint32_t)tags - 1;
		for (unsigned i = 0; i < SEEDS_A_SIZE; i++) {
			s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
			if (tags_fill(s, n_buckets))
				return 0;
		}
	}
	return -E2BIG;
}

static int snapshot_fill(struct policy_snapshot *s, const struct policy_rule *rules, size_t n_rules, struct placed *placed,
			 char *error, size_t error_cap)
{
	int r = rules_take(s, rules, n_rules, error, error_cap);

	if (r)
		return r;
	for (size_t i = 0; i < s->n_rules; i++)
		rule_place(&s->rules[i], (uint32_t)i, &placed[i]);
	r = crowd_check(placed, s->n_rules, s->ids, error, error_cap);
	if (r)
		return r;
	return table_build(s, placed, s->n_rules);
}

int policy_compile(const struct policy_rule *rules, size_t n_rules, char *error, size_t error_cap,
		   struct policy_snapshot **ret)
{
	struct policy_snapshot *s = calloc(1, sizeof(*s));
	struct placed *placed = calloc(n_rules + policy_builtin_count(), sizeof(*placed));
	int r = -ENOMEM;

	if (error_cap)
		error[0] = '\0';
	if (s && placed) {
		s->refs = 1;
		r = snapshot_fill(s, rules, n_rules, placed, error, error_cap);
	}
	free(placed);
	if (r && s) {
		s->refs = 1;
		policy_unref(s);
	} else if (!r) {
		*ret = s;
	}
	return r;
}
