/* Asking. The question is turned into its keys (who it may be, times what it may be, times its capability or any),
 * those combinations that no rule uses are left out, the buckets of the rest are fetched all at once, and then their
 * entries, sixteen at most, are looked at one by one. Nothing here depends on how many rules, devices or users there are.
 */
#include "policy/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/snapshot.h"

enum { DAY_MINUTES = 24 * 60, WEEK_DAYS = 7 };

uint64_t policy_what_hash(const uint8_t what[DEVICE_ID_LEN], uint64_t seed)
{
	uint64_t head;
	uint32_t tail;

	memcpy(&head, what, sizeof(head));
	memcpy(&tail, what + sizeof(head), sizeof(tail));
	return hash_step(head ^ seed) + tail * 0x9e3779b97f4a7c15u;
}

struct selector {
	uint8_t kind;
	uint32_t id;
};

/* Who the asker may be called in a rule. Adapters and the system itself ask nothing: no rule speaks of them. */
static unsigned who_of(const struct policy_question *q, struct selector ret[WHO_OF_QUESTION_MAX])
{
	uint32_t user = 0;
	unsigned n = 0;

	switch (q->subject.kind) {
	case SUBJECT_USER:
		user = q->subject.id;
		break;
	case SUBJECT_RULE:
		user = q->behalf_user;
		ret[n++] = (struct selector){ WHO_RULE, q->subject.id };
		break;
	case SUBJECT_LINK:
		ret[n++] = (struct selector){ WHO_LINK, q->subject.id };
		break;
	case SUBJECT_NONE:
	case SUBJECT_SYSTEM:
	case SUBJECT_ADAPTER:
	case SUBJECT_KINDS:
		return 0;
	}
	ret[n++] = (struct selector){ WHO_ANY, 0 };
	if (!user)
		return n;
	ret[n++] = (struct selector){ WHO_USER, user };
	if (q->role != ROLE_NONE)
		ret[n++] = (struct selector){ WHO_ROLE, q->role };
	if (q->owner_user == user)
		ret[n++] = (struct selector){ WHO_OWNER, 0 };
	return n;
}

struct what {
	uint8_t kind;
	uint8_t id[DEVICE_ID_LEN];
	uint64_t hash;
};

static unsigned what_of(const struct policy_question *q, uint64_t seed, struct what ret[WHAT_KINDS])
{
	unsigned n = 0;

	memset(ret, 0, WHAT_KINDS * sizeof(*ret));
	ret[n++].kind = WHAT_ANY;
	if (!device_id_is_none(q->device)) {
		ret[n].kind = WHAT_DEVICE;
		memcpy(ret[n++].id, q->device.b, DEVICE_ID_LEN);
	}
	if (q->room) {
		ret[n].kind = WHAT_ROOM;
		memcpy(ret[n++].id, &q->room, sizeof(q->room));
	}
	ret[n].kind = WHAT_CLASS;
	ret[n++].id[0] = (uint8_t)q->data_class;
	for (unsigned i = 0; i < n; i++)
		ret[i].hash = policy_what_hash(ret[i].id, seed);
	return n;
}

struct probe {
	uint64_t hash;
	uint32_t who_id;
	const uint8_t *what;
	uint16_t cap;
	uint8_t combo;
	const struct bucket *found;
};
enum { QUESTION_PROBES = WHO_OF_QUESTION_MAX * WHAT_KINDS * 2 };

/* The keys of a question that can be in the table. Their tags are asked for before the first one is needed. */
static unsigned probes_of(const struct policy_snapshot *s, const struct policy_question *q,
			  const struct what *whats, unsigned n_whats, struct probe ret[QUESTION_PROBES])
{
	struct selector whos[WHO_OF_QUESTION_MAX];
	unsigned n_whos = who_of(q, whos), n = 0;

	for (unsigned i = 0; i < n_whos; i++) {
		for (unsigned j = 0; j < n_whats; j++) {
			for (unsigned has_cap = 0; has_cap <= (q->cap != 0); has_cap++) {
				uint8_t combo = combo_of(whos[i].kind, whats[j].kind, has_cap);
				uint16_t cap = has_cap ? q->cap : 0;

				if (!(s->used >> combo & 1))
					continue;
				uint64_t h = policy_key_hash(whats[j].hash, whos[i].id, cap, combo);

				ret[n++] = (struct probe){ h, whos[i].id, whats[j].id, cap, combo, NULL };
				__builtin_prefetch(&s->tags[(uint32_t)h & s->mask]);
			}
		}
	}
	return n;
}

/* The bucket whose tag fits, from the tag at `step` on; NULL: none. Another key may carry the same tag. */
static const struct bucket *tag_find(const struct policy_snapshot *s, uint64_t hash, uint32_t *step)
{
	for (; *step < PROBES_MAX; ++*step) {
		uint32_t tag = s->tags[((uint32_t)hash + *step) & s->mask];

		if (!tag)
			return NULL;
		if (tag_fits(tag, hash))
			return &s->buckets[tag_index(tag)];
	}
	return NULL;
}

static bool key_fits(const struct policy_key *key, const struct probe *probe)
{
	return key->combo == probe->combo && key->cap == probe->cap && key->who_id == probe->who_id &&
	       memcmp(key->what, probe->what, DEVICE_ID_LEN) == 0;
}

static const struct bucket *bucket_find(const struct policy_snapshot *s, const struct probe *probe)
{
	uint32_t step = 0;
	const struct bucket *bucket;

	while ((bucket = tag_find(s, probe->hash, &step))) {
		if (key_fits(&bucket->key, probe))
			return bucket;
		step++;
	}
	return NULL;
}

static size_t candidates_of(const struct policy_snapshot *s, const struct policy_question *q,
			    uint32_t ret[POLICY_CANDIDATES_MAX])
{
	struct probe probes[QUESTION_PROBES];
	struct what whats[WHAT_KINDS];
	unsigned n_whats = what_of(q, s->seed, whats);
	unsigned n_probes = probes_of(s, q, whats, n_whats, probes);
	size_t n = 0;

	for (unsigned i = 0; i < n_probes; i++) {
		uint32_t step = 0;

		probes[i].found = tag_find(s, probes[i].hash, &step);
		__builtin_prefetch(probes[i].found);
	}
	for (unsigned i = n_probes; i-- > 0;) { /* the keys of many rules are last: they have had the time to arrive */
		const struct bucket *bucket = probes[i].found;

		if (bucket && !key_fits(&bucket->key, &probes[i]))
			bucket = bucket_find(s, &probes[i]);
		if (!bucket)
			continue;
		const uint32_t *from = bucket->n <= BUCKET_ENTRIES_MAX ? bucket->entries : s->more + bucket->entries[0];

		assert(n + bucket->n <= POLICY_CANDIDATES_MAX); /* crowd_check saw to it */
		for (unsigned k = 0; k < bucket->n; k++)
			ret[n++] = from[k];
	}
	return n;
}

static bool window_holds(const struct policy_window *w, unsigned day, unsigned minute)
{
	unsigned yesterday = (day + WEEK_DAYS - 1) % WEEK_DAYS;

	if (w->from < w->to)
		return (w->days >> day & 1) && minute >= w->from && minute < w->to;
	return ((w->days >> day & 1) && minute >= w->from) || ((w->days >> yesterday & 1) && minute < w->to);
}

/* NULL: it holds now. An untrusted clock opens no window for an allow rule and closes none for a deny rule. */
static const char *windows_why_not(const struct policy_rule *rule, const struct policy_question *q)
{
	if (!q->time_trusted)
		return rule->effect == POLICY_ALLOW ? "clock" : NULL;
	for (unsigned i = 0; i < rule->n_windows; i++) {
		if (window_holds(&rule->windows[i], q->day, q->minute))
			return NULL;
	}
	return "window";
}

static const char *why_not(const struct policy_snapshot *s, const struct policy_question *q, uint32_t entry)
{
	if (!(entry >> (ENTRY_ACTIONS + q->action) & 1))
		return "action";
	if (!(entry >> (ENTRY_LOOPS + q->loop) & 1))
		return "loop";
	if (!(entry >> (ENTRY_SOURCES + q->source) & 1))
		return "source";
	if ((entry >> ENTRY_RISK & 3) < q->risk)
		return "risk";
	if ((entry & ENTRY_ALLOW) && !(entry & ENTRY_UNBOUND) != q->bound)
		return q->bound ? "bound" : "unbound";
	if (entry & ENTRY_WINDOWS)
		return windows_why_not(&s->rules[entry >> ENTRY_RULE], q);
	return NULL;
}

/* Smaller places are older rules; the built-in ones are last. Deny beats allow whatever its place. */
struct tally {
	uint32_t deny, allow;
};
static void tally_add(struct tally *tally, uint32_t entry)
{
	uint32_t place = entry >> ENTRY_RULE, *least = entry & ENTRY_ALLOW ? &tally->allow : &tally->deny;

	if (place < *least)
		*least = place;
}

static struct policy_verdict tally_verdict(const struct policy_snapshot *s, struct tally tally)
{
	if (tally.deny != UINT32_MAX)
		return (struct policy_verdict){ false, s->ids[tally.deny] };
	if (tally.allow != UINT32_MAX)
		return (struct policy_verdict){ true, s->ids[tally.allow] };
	return (struct policy_verdict){ false, 0 };
}

static void question_assert(const struct policy_question *q)
{
	assert((unsigned)q->action < ACTIONS && (unsigned)q->loop < LOOPS && (unsigned)q->source < SOURCES);
	assert((unsigned)q->data_class < CLASSES && (unsigned)q->risk <= RISK_HIGH);
	assert(q->day < WEEK_DAYS && q->minute < DAY_MINUTES);
}

struct policy_verdict policy_check(const struct policy_snapshot *snapshot, const struct policy_question *question)
{
	uint32_t entries[POLICY_CANDIDATES_MAX];
	struct tally tally = { UINT32_MAX, UINT32_MAX };

	question_assert(question);
	size_t n = candidates_of(snapshot, question, entries);

	for (size_t i = 0; i < n; i++) {
		if (!why_not(snapshot, question, entries[i]))
			tally_add(&tally, entries[i]);
	}
	return tally_verdict(snapshot, tally);
}

size_t policy_explain(const struct policy_snapshot *snapshot, const struct policy_question *question,
		      struct policy_verdict *ret_verdict, struct policy_trace ret_trace[POLICY_CANDIDATES_MAX])
{
	uint32_t entries[POLICY_CANDIDATES_MAX];
	struct tally tally = { UINT32_MAX, UINT32_MAX };

	question_assert(question);
	size_t n = candidates_of(snapshot, question, entries);

	for (size_t i = 0; i < n; i++) {
		const char *reason = why_not(snapshot, question, entries[i]);

		ret_trace[i] = (struct policy_trace){
			.rule = snapshot->ids[entries[i] >> ENTRY_RULE],
			.matched = !reason,
			.why_not = reason,
		};
		if (!reason)
			tally_add(&tally, entries[i]);
	}
	*ret_verdict = tally_verdict(snapshot, tally);
	return n;
}

struct policy_snapshot *policy_ref(struct policy_snapshot *snapshot)
{
	assert(snapshot->refs > 0);
	snapshot->refs++;
	return snapshot;
}

struct policy_snapshot *policy_unref(struct policy_snapshot *snapshot)
{
	if (!snapshot)
		return NULL;
	assert(snapshot->refs > 0);
	if (--snapshot->refs == 0) {
		free(snapshot->rules);
		free(snapshot->ids);
		free(snapshot->tags);
		free(snapshot->buckets);
		free(snapshot->more);
		free(snapshot);
	}
	return NULL;
}

const struct policy_rule *policy_rule_find(const struct policy_snapshot *snapshot, int32_t id)
{
	size_t low = 0, high = snapshot->n_rules;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uint32_t)snapshot->ids[middle] < (uint32_t)id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < snapshot->n_rules && snapshot->ids[low] == id ? &snapshot->rules[low] : NULL;
}

const struct policy_rule *policy_rule_at(const struct policy_snapshot *snapshot, size_t i)
{
	return i < snapshot->n_rules ? &snapshot->rules[i] : NULL;
}
