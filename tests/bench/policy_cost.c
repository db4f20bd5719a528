/* What does a question cost when there are 5,000 devices, against 10? Each device has rules of its own (two users' and
 * a link's), each question is about a device drawn at random. One question is too short for a clock, so they are timed in
 * batches of a hundred; the same batches come round and round, the two sets in turn in one run, and of every batch the
 * median over the rounds counts: what else the machine did falls out, what the batch costs stays. Before its round a set
 * is asked once through untimed, so that each finds its own and not the other's things in the cache; a round touches all
 * that belongs to its set, so nothing is warmer than in a busy home. The last line is the ratio of the 99th percentiles
 * over batches; the exit status says whether it is within BOUND.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "policy/policy.h"

enum { DEVICES_FEW = 10, DEVICES_MANY = 5000, RULES_EACH = 3, BATCH = 100, BATCHES = 300, ROUNDS = 61 };
#define BOUND 1.3

struct side {
	const char *name;
	unsigned devices;
	struct policy_snapshot *snapshot;
	struct device_id *ids;
	uint16_t drawn[BATCHES * BATCH];
	float ns[ROUNDS][BATCHES];
	double median[BATCHES];
	unsigned allowed;
};

static uint32_t dice(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct policy_rule rule_for(int32_t id, const struct device_id *device, unsigned k)
{
	return (struct policy_rule){
		.id = id,
		.effect = POLICY_ALLOW,
		.who = k == 2 ? WHO_LINK : WHO_USER,
		.who_id = k == 2 ? 1 : 5 + k,
		.what = WHAT_DEVICE,
		.device = *device,
		.risk_max = RISK_RAISED,
		.actions = 1u << ACTION_READ | 1u << ACTION_OBSERVE,
		.loops = 1u << LOOP_SMALL | 1u << LOOP_BIG,
		.sources = k == 2 ? 1u << SOURCE_LINK_CLOUD : 1u << SOURCE_DOOR,
	};
}

static int side_init(struct side *side, const char *name, unsigned devices)
{
	struct policy_rule *rules = calloc((size_t)devices * RULES_EACH, sizeof(*rules));
	uint64_t rnd = 7;
	char error[256];
	size_t n = 0;

	side->name = name;
	side->devices = devices;
	side->ids = calloc(devices, sizeof(*side->ids));
	if (!rules || !side->ids)
		return -ENOMEM;
	for (unsigned d = 0; d < devices; d++) {
		for (size_t i = 0; i < DEVICE_ID_LEN; i++)
			side->ids[d].b[i] = (uint8_t)dice(&rnd);
		for (unsigned k = 0; k < RULES_EACH; k++, n++)
			rules[n] = rule_for((int32_t)n + 1, &side->ids[d], k);
	}
	for (unsigned i = 0; i < BATCHES * BATCH; i++)
		side->drawn[i] = (uint16_t)(dice(&rnd) % devices);
	int r = policy_compile(rules, n, error, sizeof(error), &side->snapshot);

	if (r)
		fprintf(stderr, "%s\n", error);
	free(rules);
	return r;
}

static void side_deinit(struct side *side)
{
	policy_unref(side->snapshot);
	free(side->ids);
}

/* A user's question, a link's, a stranger's, in turn. */
static double side_batch(struct side *side, unsigned batch)
{
	struct policy_question q = {
		.action = ACTION_OBSERVE, .bound = true, .owner_user = 1, .room = 3, .cap = CAP_TEMPERATURE,
		.data_class = CLASS_PERSONAL, .risk = RISK_LOW, .loop = LOOP_BIG, .time_trusted = true,
	};
	int64_t start = now_ns();

	for (unsigned i = 0; i < BATCH; i++) {
		bool link = i % 2;

		q.subject = link ? (struct subject){ SUBJECT_LINK, 1 } : (struct subject){ SUBJECT_USER, 5 + i % 3 };
		q.role = link ? ROLE_NONE : ROLE_MEMBER;
		q.source = link ? SOURCE_LINK_CLOUD : SOURCE_DOOR;
		q.device = side->ids[side->drawn[batch * BATCH + i]];
		side->allowed += policy_check(side->snapshot, &q).allowed;
	}
	return (double)(now_ns() - start) / BATCH;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double side_report(struct side *side)
{
	for (unsigned i = 0; i < BATCHES; i++) {
		double rounds[ROUNDS];

		for (unsigned round = 0; round < ROUNDS; round++)
			rounds[round] = (double)side->ns[round][i];
		qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
		side->median[i] = rounds[ROUNDS / 2];
	}
	qsort(side->median, BATCHES, sizeof(side->median[0]), compare);
	double p50 = side->median[BATCHES / 2], p99 = side->median[BATCHES * 99 / 100];

	printf("%-5s %5u devices %6u rules  p50 %6.1f ns  p99 %6.1f ns  allowed %u of %u\n", side->name, side->devices,
	       side->devices * RULES_EACH, p50, p99, side->allowed, 2 * BATCH * BATCHES * ROUNDS);
	return p99;
}

int main(void)
{
	struct side *sides = calloc(2, sizeof(*sides));

	if (!sides || side_init(&sides[0], "few", DEVICES_FEW) || side_init(&sides[1], "many", DEVICES_MANY))
		return 2;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned side = 0; side < 2; side++) {
			for (unsigned batch = 0; batch < BATCHES; batch++)
				(void)side_batch(&sides[side], batch);
			for (unsigned batch = 0; batch < BATCHES; batch++)
				sides[side].ns[round][batch] = (float)side_batch(&sides[side], batch);
		}
	}
	double few = side_report(&sides[0]), many = side_report(&sides[1]);

	printf("ratio of p99: %.2f, bound %.2f\n", many / few, BOUND);
	side_deinit(&sides[0]);
	side_deinit(&sides[1]);
	free(sides);
	return many / few > BOUND;
}
