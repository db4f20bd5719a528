/* How many candidates can one question have? Nobody can try all questions, so two upper bounds are taken, and the
 * lower one counts. A question has one entity of every kind on each axis (one user, one role, ...; one device, one
 * room, ...), so: for each who, add up its fullest bucket of every kind of what; take the fullest who of every kind;
 * add these up. That is bound one. Bound two is the same with the axes exchanged. Within one pair of who and what a
 * question meets the rules for any capability and those for one, the fullest. Links and people are counted apart, as no
 * question is from both.
 */
#include "policy/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/snapshot.h"

struct span {
	size_t first, n;
};

/* One entity on the major axis: its fullest minor entity of every kind, as two runs of placed rules. */
struct group {
	struct span any[WHO_KINDS], one[WHO_KINDS];
};

struct bound {
	struct group best[WHO_KINDS];
	size_t total;
};

static int placed_compare(const void *a, const void *b, void *ctx)
{
	const struct placed *x = a, *y = b;
	unsigned major = *(const unsigned *)ctx;

	for (unsigned i = 0; i < AXES; i++) {
		unsigned axis = i == 0 ? major : 1 - major;

		if (x->kind[axis] != y->kind[axis])
			return x->kind[axis] < y->kind[axis] ? -1 : 1;
		int order = memcmp(x->id[axis], y->id[axis], DEVICE_ID_LEN);

		if (order)
			return order;
	}
	if (x->cap != y->cap)
		return x->cap < y->cap ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static bool is_same(const struct placed *a, const struct placed *b, unsigned axis)
{
	return a->kind[axis] == b->kind[axis] && memcmp(a->id[axis], b->id[axis], DEVICE_ID_LEN) == 0;
}

static size_t group_total(const struct group *group)
{
	size_t total = 0;

	for (unsigned kind = 0; kind < WHO_KINDS; kind++)
		total += group->any[kind].n + group->one[kind].n;
	return total;
}

/* One pair of major and minor entity, beginning at i: the rules for any capability, then those for each. Returns its end. */
static size_t pair_walk(const struct placed *placed, size_t n, size_t i, struct span *ret_any, struct span *ret_one)
{
	const struct placed *first = &placed[i];
	struct span any = { i, 0 }, one = { i, 0 };

	while (i < n && is_same(&placed[i], first, AXIS_WHO) && is_same(&placed[i], first, AXIS_WHAT)) {
		struct span run = { i, 0 };
		uint16_t cap = placed[i].cap;

		for (; i < n && placed[i].cap == cap && is_same(&placed[i], first, AXIS_WHO) &&
		       is_same(&placed[i], first, AXIS_WHAT); i++)
			run.n++;
		if (!cap)
			any = run;
		else if (run.n > one.n)
			one = run;
	}
	*ret_any = any;
	*ret_one = one;
	return i;
}

static void bound_add(struct bound *bound, unsigned kind, const struct group *group)
{
	if (group_total(group) > group_total(&bound->best[kind]))
		bound->best[kind] = *group;
}

/* Only rules whose who is in who_kinds count. placed is sorted by major. */
static void bound_walk(const struct placed *placed, size_t n, unsigned major, uint32_t who_kinds, struct bound *ret)
{
	struct group group = { 0 };

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < n;) {
		size_t at = i;
		struct span any, one;

		i = pair_walk(placed, n, i, &any, &one);
		if (who_kinds >> placed[at].kind[AXIS_WHO] & 1) {
			unsigned minor = placed[at].kind[1 - major];

			if (any.n + one.n > group.any[minor].n + group.one[minor].n) {
				group.any[minor] = any;
				group.one[minor] = one;
			}
		}
		if (i == n || !is_same(&placed[at], &placed[i], major)) {
			bound_add(ret, placed[at].kind[major], &group);
			group = (struct group){ 0 };
		}
	}
	for (unsigned kind = 0; kind < WHO_KINDS; kind++)
		ret->total += group_total(&ret->best[kind]);
}

static void span_print(struct span span, const struct placed *placed, const int32_t *ids, char *error, size_t cap)
{
	for (size_t i = span.first; i < span.first + span.n; i++)
		(void)text_append(error, cap, " %d", ids[placed[i].rule]);
}

static void bound_print(const struct bound *bound, const struct placed *placed, const int32_t *ids, char *error, size_t cap)
{
	(void)text_print(error, cap, "one question could meet %zu rules, %d at most:", bound->total,
			 (int)POLICY_CANDIDATES_MAX);
	for (unsigned kind = 0; kind < WHO_KINDS; kind++) {
		for (unsigned minor = 0; minor < WHO_KINDS; minor++) {
			span_print(bound->best[kind].any[minor], placed, ids, error, cap);
			span_print(bound->best[kind].one[minor], placed, ids, error, cap);
		}
	}
}

int crowd_check(struct placed *placed, size_t n, const int32_t *ids, char *error, size_t error_cap)
{
	static const uint32_t askers[] = {
		1u << WHO_ANY | 1u << WHO_USER | 1u << WHO_ROLE | 1u << WHO_OWNER | 1u << WHO_RULE,
		1u << WHO_ANY | 1u << WHO_LINK,
	};
	bool crowded[N_ELEMENTS(askers)];
	struct bound bound;

	for (unsigned major = 0; major < AXES; major++) {
		qsort_r(placed, n, sizeof(*placed), placed_compare, &major);
		for (size_t i = 0; i < N_ELEMENTS(askers); i++) {
			if (major == AXIS_WHAT && !crowded[i])
				continue;
			bound_walk(placed, n, major, askers[i], &bound);
			crowded[i] = bound.total > POLICY_CANDIDATES_MAX;
			if (!crowded[i] || major == AXIS_WHO)
				continue;
			bound_print(&bound, placed, ids, error, error_cap);
			return POLICY_E_CROWDED;
		}
	}
	return 0;
}
