/* Does a check cost more in a large home? Two homes, of 10 and of 5,000 devices, with two rules a device (a user's and
 * the cloud link's); questions about devices drawn evenly, a third of them from users with no right to the device. The
 * homes take turns; each check is timed alone, the same questions turn after turn, and of each question the median counts:
 * what else the machine did falls out, what that question costs stays. Every answer is compared with what the rules mean.
 */
#include "policy/policy.h"
#include "stopwatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SMALL = 10, LARGE = 5000, USERS = 8, QUESTIONS = 8192, TURNS = 21, LINK = 1 };

struct home {
	unsigned n_devices;
	struct policy_snapshot *snapshot;
	uint32_t ns[TURNS][QUESTIONS];
	uint64_t median_ns[QUESTIONS];
};

static struct device_id device_of(unsigned i)
{
	struct device_id id = { .b = { 1, 2, 3, 4, 5, 6, 7 } };

	i *= 2654435761u; /* identities of a home are no row of numbers */
	memcpy(id.b + DEVICE_ID_LEN - sizeof(i), &i, sizeof(i));
	return id;
}

static uint32_t user_of(unsigned device)
{
	return 1 + device % USERS;
}

static struct policy_rule rule_of(unsigned device, int32_t id, bool link)
{
	return (struct policy_rule){
		.id = id,
		.effect = POLICY_ALLOW,
		.who = link ? WHO_LINK : WHO_USER,
		.who_id = link ? LINK : user_of(device),
		.what = WHAT_DEVICE,
		.device = device_of(device),
		.risk_max = RISK_RAISED,
		.actions = link ? 1 << ACTION_OBSERVE : 1 << ACTION_COMMAND,
		.loops = (1 << LOOPS) - 1,
		.sources = (1 << SOURCES) - 1,
	};
}

static int compile(struct home *home)
{
	struct policy_rule *rules = calloc(home->n_devices * 2, sizeof(*rules));
	char error[256] = "";
	int r;

	if (!rules)
		return -ENOMEM;
	for (unsigned i = 0; i < home->n_devices; i++) {
		rules[2 * i] = rule_of(i, (int32_t)(2 * i + 1), false);
		rules[2 * i + 1] = rule_of(i, (int32_t)(2 * i + 2), true);
	}
	r = policy_compile(rules, home->n_devices * 2, error, sizeof(error), &home->snapshot);
	if (r)
		fprintf(stderr, "bench-policy: %s\n", error);
	free(rules);
	return r;
}

/* Kinds of question in turn: the user with the right, the link with the right, a user without. */
enum asker { ASKER_USER, ASKER_LINK, ASKER_STRANGER, ASKERS };

/* Made where it is asked, as the router does: a list of questions would itself fill the caches. */
static struct policy_question question_of(unsigned device, enum asker asker)
{
	bool link = asker == ASKER_LINK;
	uint32_t user = asker == ASKER_STRANGER ? USERS + 1 : user_of(device);

	return (struct policy_question){
		.subject = { link ? SUBJECT_LINK : SUBJECT_USER, link ? LINK : user },
		.role = link ? ROLE_NONE : ROLE_GUEST,
		.action = link ? ACTION_OBSERVE : ACTION_COMMAND,
		.device = device_of(device),
		.bound = true,
		.owner_user = USERS + 2,
		.room = 1 + device % 12,
		.cap = CAP_ON_OFF,
		.data_class = CLASS_ORDINARY,
		.risk = RISK_LOW,
		.loop = link ? LOOP_BIG : LOOP_SMALL,
		.source = link ? SOURCE_LINK_CLOUD : SOURCE_DOOR,
		.time_trusted = true,
	};
}

static int home_init(struct home *home, unsigned n_devices)
{
	home->n_devices = n_devices;
	return compile(home);
}

/* Every device once by everybody, untimed: what is compared is a home that is being lived in, not the other home's
 * leavings in the caches. */
static void warm_up(const struct home *home)
{
	for (unsigned i = 0; i < home->n_devices * ASKERS; i++) {
		struct policy_question question = question_of(i / ASKERS, i % ASKERS);

		(void)policy_check(home->snapshot, &question);
	}
}

static int turn(struct home *home, unsigned turn_number)
{
	uint32_t random = 1;

	warm_up(home);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		enum asker asker = i % ASKERS;
		struct policy_question question;
		struct policy_verdict verdict;
		uint64_t began_ns;

		random = random * 1664525 + 1013904223;
		question = question_of((random >> 8) % home->n_devices, asker);
		began_ns = stopwatch_now_ns();
		verdict = policy_check(home->snapshot, &question);
		home->ns[turn_number][i] = (uint32_t)(stopwatch_now_ns() - began_ns);
		if (verdict.allowed != (asker != ASKER_STRANGER))
			return -EINVAL;
	}
	return 0;
}

static struct stopwatch medians_of(struct home *home)
{
	struct stopwatch watch = { home->median_ns, 0, QUESTIONS };

	for (unsigned i = 0; i < QUESTIONS; i++) {
		uint64_t ns[TURNS];
		struct stopwatch turns = { ns, 0, TURNS };

		for (unsigned t = 0; t < TURNS; t++)
			stopwatch_add(&turns, home->ns[t][i]);
		stopwatch_add(&watch, stopwatch_percentile(&turns, 0.50));
	}
	return watch;
}

static void say(struct home *small, struct home *large)
{
	struct stopwatch few = medians_of(small);
	struct stopwatch many = medians_of(large);
	uint64_t few_p99 = stopwatch_percentile(&few, 0.99);
	uint64_t many_p99 = stopwatch_percentile(&many, 0.99);

	printf("{\"policy_p50_10_ns\":%" PRIu64 ",\"policy_p50_5000_ns\":%" PRIu64
	       ",\"policy_p99_10_ns\":%" PRIu64 ",\"policy_p99_5000_ns\":%" PRIu64
	       ",\"policy_p99_ratio\":%.3f}\n",
	       stopwatch_percentile(&few, 0.50), stopwatch_percentile(&many, 0.50), few_p99, many_p99,
	       few_p99 ? (double)many_p99 / (double)few_p99 : 0);
}

int main(void)
{
	struct home *homes = calloc(2, sizeof(*homes));
	int r = homes ? 0 : -ENOMEM;

	if (!r)
		r = home_init(&homes[0], SMALL);
	if (!r)
		r = home_init(&homes[1], LARGE);
	for (unsigned i = 0; i < TURNS * 2 && !r; i++)
		r = turn(&homes[i % 2], i / 2);
	if (!r)
		say(&homes[0], &homes[1]);
	else
		fprintf(stderr, "bench-policy: %s\n", strerror(r < 0 ? -r : EINVAL));
	if (homes) {
		policy_unref(homes[0].snapshot);
		policy_unref(homes[1].snapshot);
	}
	free(homes);
	return r ? 1 : 0;
}
