/* The one question. A naive evaluator that walks every rule, forty lines that a reader can check by eye, must agree
 * with the compiled table on 100,000 random questions; then the edges one by one.
 */
#include "check.h"

#include "base/text.h"
#include "policy/policy.h"
#include "policy/snapshot.h"

enum { EVERY_ACTION = (1 << ACTIONS) - 1, EVERY_LOOP = (1 << LOOPS) - 1, EVERY_SOURCE = (1 << SOURCES) - 1 };
#define PEOPLE_SOURCES (1u << SOURCE_DOOR | 1u << SOURCE_API | 1u << SOURCE_RULE)

static uint32_t dice(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % n;
}

static struct device_id device(uint32_t n)
{
	return (struct device_id){ { 1, 0xab, 0xcd, 0xef, 0, 0, 7, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

/* --- the naive evaluator ------------------------------------------------------------------------------------------ */

static bool naive_time(const struct policy_rule *r, const struct policy_question *q)
{
	if (!r->n_windows)
		return true;
	if (!q->time_trusted)
		return r->effect == POLICY_DENY;
	for (int i = 0; i < r->n_windows; i++) {
		for (int start = 0; start < 7; start++) { /* every minute that the window which begins on day start covers */
			const struct policy_window *w = &r->windows[i];
			int length = w->to > w->from ? w->to - w->from : 1440 - w->from + w->to;
			int since = ((q->day - start + 7) % 7) * 1440 + q->minute - w->from;

			if ((w->days & 1 << start) && since >= 0 && since < length)
				return true;
		}
	}
	return false;
}

static bool naive_match(const struct policy_rule *r, const struct policy_question *q)
{
	bool rule = q->subject.kind == SUBJECT_RULE, link = q->subject.kind == SUBJECT_LINK;
	uint32_t user = q->subject.kind == SUBJECT_USER ? q->subject.id : rule ? q->behalf_user : 0;
	bool who = r->who == WHO_ANY    ? user || link || rule :
		   r->who == WHO_USER   ? user && r->who_id == user :
		   r->who == WHO_ROLE   ? user && r->who_id == q->role :
		   r->who == WHO_LINK   ? link && r->who_id == q->subject.id :
		   r->who == WHO_RULE   ? rule && r->who_id == q->subject.id :
					  user && q->owner_user == user;
	bool what = r->what == WHAT_ANY    ? true :
		    r->what == WHAT_DEVICE ? memcmp(r->device.b, q->device.b, DEVICE_ID_LEN) == 0 :
		    r->what == WHAT_ROOM   ? r->room == q->room :
					     r->data_class == q->data_class;

	return who && what && (r->cap == 0 || r->cap == q->cap) && r->risk_max >= q->risk && (r->actions & 1 << q->action) &&
	       (r->loops & 1 << q->loop) && (r->sources & 1 << q->source) &&
	       (r->effect == POLICY_DENY || r->unbound != q->bound) && naive_time(r, q);
}

static struct policy_verdict naive_check(const struct policy_snapshot *s, const struct policy_question *q)
{
	const struct policy_rule *r, *best = NULL;

	for (size_t i = 0; (r = policy_rule_at(s, i)); i++) {
		if (!naive_match(r, q))
			continue;
		if (!best || (best->effect == POLICY_ALLOW && r->effect == POLICY_DENY) ||
		    (best->effect == r->effect && (uint32_t)r->id < (uint32_t)best->id))
			best = r;
	}
	return (struct policy_verdict){ best && best->effect == POLICY_ALLOW, best ? best->id : 0 };
}

/* --- random rule sets and questions over a small world, so that things meet --------------------------------------- */

static struct policy_rule random_rule(uint64_t *rnd, int32_t id)
{
	struct policy_rule r = {
		.id = id,
		.effect = dice(rnd, 3) ? POLICY_ALLOW : POLICY_DENY,
		.who = (enum policy_who)dice(rnd, WHO_KINDS),
		.what = (enum policy_what)dice(rnd, WHAT_KINDS),
		.device = device(dice(rnd, 6)),
		.room = 1 + dice(rnd, 3),
		.data_class = (enum data_class)dice(rnd, CLASSES),
		.cap = dice(rnd, 2) ? 0 : (uint16_t)(1 + dice(rnd, 5)),
		.risk_max = (enum risk)dice(rnd, 3),
		.actions = (uint8_t)(dice(rnd, 2) ? EVERY_ACTION : 1 + dice(rnd, EVERY_ACTION)),
		.loops = (uint8_t)(dice(rnd, 2) ? EVERY_LOOP : 1 + dice(rnd, EVERY_LOOP)),
		.sources = (uint8_t)(dice(rnd, 2) ? EVERY_SOURCE : 1 + dice(rnd, EVERY_SOURCE)),
		.n_windows = (uint8_t)(dice(rnd, 3) ? 0 : 1 + dice(rnd, POLICY_WINDOWS_MAX)),
	};

	if (r.who == WHO_ROLE)
		r.who_id = 1 + dice(rnd, ROLES - 1);
	else if (r.who != WHO_ANY && r.who != WHO_OWNER)
		r.who_id = 1 + dice(rnd, 3);
	for (unsigned i = 0; i < r.n_windows; i++) {
		r.windows[i] = (struct policy_window){ (uint8_t)(1 + dice(rnd, DAYS_ALL)), (uint16_t)dice(rnd, 1440), (uint16_t)dice(rnd, 1441) };
		if (r.windows[i].from == r.windows[i].to)
			r.windows[i].to = (uint16_t)(r.windows[i].from + 1);
	}
	return r;
}

static struct policy_question random_question(uint64_t *rnd)
{
	static const enum subject_kind kinds[] = { SUBJECT_USER, SUBJECT_USER, SUBJECT_USER, SUBJECT_LINK, SUBJECT_LINK,
						   SUBJECT_RULE, SUBJECT_RULE, SUBJECT_SYSTEM, SUBJECT_ADAPTER, SUBJECT_NONE };
	struct policy_question q = {
		.subject = { kinds[dice(rnd, N_ELEMENTS(kinds))], 1 + dice(rnd, 3) },
		.action = (enum action)dice(rnd, ACTIONS),
		.device = device(dice(rnd, 6)),
		.bound = dice(rnd, 5) != 0,
		.room = dice(rnd, 4),
		.cap = (uint16_t)dice(rnd, 6),
		.data_class = (enum data_class)dice(rnd, CLASSES),
		.risk = (enum risk)dice(rnd, 3),
		.loop = (enum loop_kind)dice(rnd, LOOPS),
		.source = (enum source_kind)dice(rnd, SOURCES),
		.time_trusted = dice(rnd, 4) != 0,
		.day = (uint8_t)dice(rnd, 7),
		.minute = (uint16_t)dice(rnd, 1440),
	};

	if (q.subject.kind == SUBJECT_RULE)
		q.behalf_user = 1 + dice(rnd, 3);
	if (q.subject.kind == SUBJECT_USER || q.subject.kind == SUBJECT_RULE)
		q.role = (enum role)dice(rnd, ROLES);
	if (q.bound)
		q.owner_user = 1 + dice(rnd, 4);
	if (!dice(rnd, 10))
		q.device = (struct device_id){ 0 };
	return q;
}

/* Built-in rules that are candidates of every question: -11, which lets links hear. */
enum { FOR_ANYBODY = 1 };

static struct policy_snapshot *compiled(const struct policy_rule *rules, size_t n)
{
	struct policy_snapshot *s = NULL;
	char error[256];
	int r = policy_compile(rules, n, error, sizeof(error), &s);

	if (r)
		print_error("%s\n", error);
	check_ok(r);
	return s;
}

/* Up to wanted random rules; one that would crowd the set is left out, as the rulebook would refuse it. */
static struct policy_snapshot *random_set(uint64_t *rnd, size_t wanted, unsigned *ret_refused)
{
	struct policy_rule rules[128];
	struct policy_snapshot *s = compiled(NULL, 0), *next;
	char error[256];
	size_t n = 0;

	for (size_t i = 0; i < wanted; i++) {
		rules[n] = random_rule(rnd, (int32_t)(1 + dice(rnd, 1000000)));
		if (policy_compile(rules, n + 1, error, sizeof(error), &next)) {
			++*ret_refused;
			continue;
		}
		policy_unref(s);
		s = next;
		n++;
	}
	return s;
}

static void check_against_naive(const struct policy_snapshot *s, const struct policy_question *q, uint64_t seed)
{
	struct policy_trace trace[POLICY_CANDIDATES_MAX];
	struct policy_verdict got = policy_check(s, q), want = naive_check(s, q), explained;
	size_t n = policy_explain(s, q, &explained, trace);
	bool is_named = !got.rule;

	if (got.allowed != want.allowed || got.rule != want.rule)
		print_error("seed %" PRIu64 "\n", seed);
	check_int(got.allowed, want.allowed);
	check_int(got.rule, want.rule);
	check_int(explained.rule, got.rule);
	check_int(explained.allowed, got.allowed);
	for (size_t i = 0; i < n; i++) {
		check_int(trace[i].matched, naive_match(policy_rule_find(s, trace[i].rule), q));
		check_true(trace[i].matched == !trace[i].why_not);
		is_named |= trace[i].matched && trace[i].rule == got.rule;
	}
	check_true(is_named);
}

static void naive_agrees_on_100000_questions(void **state)
{
	unsigned n_allowed = 0, n_denied = 0, n_by_rule = 0, n_refused = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t rnd = seed * 977;
		struct policy_snapshot *s = random_set(&rnd, 10 + dice(&rnd, 60), &n_refused);

		for (int i = 0; i < 500; i++) {
			struct policy_question q = random_question(&rnd);
			struct policy_verdict v = policy_check(s, &q);

			check_against_naive(s, &q, seed);
			n_allowed += v.allowed;
			n_denied += !v.allowed && v.rule;
			n_by_rule += v.rule > 0;
		}
		policy_unref(s);
	}
	/* The comparison means something only where rules decide. */
	print_message("%u allowed, %u denied by a rule, %u decided by the household's; %u rules refused\n", n_allowed, n_denied, n_by_rule, n_refused);
	check_true(n_allowed > 5000 && n_denied > 5000 && n_by_rule > 10000 && n_refused > 100);
}

/* --- what every household has ------------------------------------------------------------------------------------- */

static struct policy_question ask(enum role role, enum action action)
{
	return (struct policy_question){
		.subject = { SUBJECT_USER, 7 }, .role = role, .action = action, .device = device(1), .bound = true,
		.owner_user = 9, .room = 2, .cap = CAP_ON_OFF, .data_class = CLASS_ORDINARY, .risk = RISK_LOW,
		.loop = LOOP_SMALL, .source = SOURCE_DOOR, .time_trusted = true, .day = 2, .minute = 600,
	};
}

struct role_case {
	enum role role;
	enum action action;
	enum data_class data_class;
	enum risk risk;
	enum loop_kind loop;
	bool mine, unbound, allowed;
};

static void roles_have_their_rights_and_no_more(void **state)
{
	static const struct role_case cases[] = {
		{ ROLE_OWNER, ACTION_CONFIGURE, CLASS_SENSITIVE, RISK_HIGH, LOOP_BIG, .mine = true, .allowed = true },
		{ ROLE_GUEST, ACTION_COMMAND, CLASS_SENSITIVE, RISK_HIGH, LOOP_SMALL, .mine = true, .allowed = true },
		{ ROLE_OWNER, ACTION_COMMAND, CLASS_PERSONAL, RISK_RAISED, LOOP_SMALL, .allowed = true },
		{ ROLE_OWNER, ACTION_COMMAND, CLASS_PERSONAL, RISK_HIGH, LOOP_SMALL, .allowed = false },
		{ ROLE_OWNER, ACTION_CONFIGURE, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_MEMBER, ACTION_COMMAND, CLASS_ORDINARY, RISK_RAISED, LOOP_SMALL, .allowed = true },
		{ ROLE_MEMBER, ACTION_COMMAND, CLASS_ORDINARY, RISK_HIGH, LOOP_SMALL, .allowed = false },
		{ ROLE_MEMBER, ACTION_READ, CLASS_ORDINARY, RISK_LOW, LOOP_BIG, .allowed = false },
		{ ROLE_MEMBER, ACTION_CONFIGURE, CLASS_ORDINARY, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_GUEST, ACTION_READ, CLASS_ORDINARY, RISK_LOW, LOOP_SMALL, .allowed = true },
		{ ROLE_GUEST, ACTION_READ, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = true },
		{ ROLE_GUEST, ACTION_READ, CLASS_PERSONAL, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_GUEST, ACTION_COMMAND, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_GUEST, ACTION_OBSERVE, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_INSTALLER, ACTION_READ, CLASS_ORDINARY, RISK_LOW, LOOP_SMALL, .allowed = true },
		{ ROLE_INSTALLER, ACTION_READ, CLASS_PERSONAL, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_INSTALLER, ACTION_CONFIGURE, CLASS_ORDINARY, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_INSTALLER, ACTION_CONFIGURE, CLASS_ORDINARY, RISK_HIGH, LOOP_SMALL, .unbound = true, .allowed = true },
		{ ROLE_INSTALLER, ACTION_CONFIGURE, CLASS_ORDINARY, RISK_HIGH, LOOP_BIG, .unbound = true, .allowed = false },
		{ ROLE_OWNER, ACTION_CONFIGURE, CLASS_ORDINARY, RISK_LOW, LOOP_SMALL, .unbound = true, .allowed = true },
		{ ROLE_OWNER, ACTION_READ, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .unbound = true, .allowed = false },
		{ ROLE_MEMBER, ACTION_CONFIGURE, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .unbound = true, .allowed = false },
		{ ROLE_AUDITOR, ACTION_READ, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = false },
		{ ROLE_NONE, ACTION_READ, CLASS_PUBLIC, RISK_LOW, LOOP_SMALL, .allowed = false },
	};
	struct policy_snapshot *s = compiled(NULL, 0);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		const struct role_case *c = &cases[i];
		struct policy_question q = ask(c->role, c->action);

		q.data_class = c->data_class;
		q.risk = c->risk;
		q.loop = c->loop;
		q.bound = !c->unbound;
		q.owner_user = c->unbound ? 0 : c->mine ? 7 : 9;
		if (policy_check(s, &q).allowed != c->allowed)
			print_error("case %zu\n", i);
		check_int(policy_check(s, &q).allowed, c->allowed);
	}
	policy_unref(s);
}

static void links_have_nothing_until_named(void **state)
{
	struct policy_rule share = { .id = 4, .effect = POLICY_ALLOW, .who = WHO_LINK, .who_id = 0, .what = WHAT_DEVICE, .device = device(1),
				     .risk_max = RISK_LOW, .actions = EVERY_ACTION, .loops = EVERY_LOOP, .sources = 1u << SOURCE_LINK_HOME };
	struct policy_snapshot *none = compiled(NULL, 0), *shared = compiled(&share, 1);
	struct policy_question q = ask(ROLE_NONE, ACTION_COMMAND);
	char error[96];

	(void)state;
	q.subject = (struct subject){ SUBJECT_LINK, 0 };
	q.source = SOURCE_LINK_HOME;
	q.loop = LOOP_BIG;
	check_int(policy_check(none, &q).rule, 0);
	check_int(policy_check(none, &q).allowed, false);
	check_int(policy_check(shared, &q).allowed, true);
	q.risk = RISK_RAISED; /* a lock behind the same link: the rule speaks of lamps */
	check_int(policy_check(shared, &q).allowed, false);
	q.risk = RISK_LOW;
	q.subject.id = 1;
	check_int(policy_check(shared, &q).allowed, false);
	q.subject.id = 0;
	q.bound = false; /* an unbound device reaches nobody, whatever the rules */
	q.owner_user = 0;
	check_int(policy_check(shared, &q).allowed, false);
	share.who = WHO_ANY;
	check_int(policy_rule_check(&share, error, sizeof(error)), POLICY_E_RULE);
	check_true(strncmp(error, "sources:", 8) == 0);
	share.effect = POLICY_DENY; /* to deny everybody, links too, is fine */
	check_ok(policy_rule_check(&share, error, sizeof(error)));
	policy_unref(none);
	policy_unref(shared);
}

static void rules_have_their_owners_rights(void **state)
{
	struct policy_rule deny = { .id = 3, .effect = POLICY_DENY, .who = WHO_RULE, .who_id = 12, .risk_max = RISK_HIGH, .actions = 1u << ACTION_COMMAND,
				    .loops = EVERY_LOOP, .sources = EVERY_SOURCE };
	struct policy_snapshot *s = compiled(&deny, 1);
	struct policy_question q = ask(ROLE_MEMBER, ACTION_COMMAND);

	(void)state;
	q.subject = (struct subject){ SUBJECT_RULE, 11 };
	q.behalf_user = 7;
	q.source = SOURCE_RULE;
	check_int(policy_check(s, &q).allowed, true);
	q.risk = RISK_HIGH;
	check_int(policy_check(s, &q).allowed, false);
	q.owner_user = 7;
	check_int(policy_check(s, &q).allowed, true);
	q.action = ACTION_CONFIGURE;
	check_int(policy_check(s, &q).allowed, false);
	q.action = ACTION_COMMAND;
	q.subject.id = 12;
	check_int(policy_check(s, &q).rule, 3);
	q.subject.id = 11;
	q.behalf_user = 0; /* its owner is gone: it may nothing */
	q.owner_user = 0;
	check_int(policy_check(s, &q).allowed, false);
	policy_unref(s);
}

struct window_case {
	struct policy_window w;
	uint8_t day;
	uint16_t minute;
	bool holds;
};

static void windows_hold_from_their_first_to_before_their_last_minute(void **state)
{
	enum { MO = 1, SA = 1 << 5, SU = 1 << 6 };
	static const struct window_case cases[] = {
		{ { MO, 480, 600 }, 0, 479, false },  { { MO, 480, 600 }, 0, 480, true },   { { MO, 480, 600 }, 0, 599, true },
		{ { MO, 480, 600 }, 0, 600, false },  { { MO, 480, 600 }, 1, 500, false },  { { MO, 0, 1440 }, 0, 0, true },
		{ { MO, 0, 1440 }, 0, 1439, true },   { { MO, 0, 1440 }, 1, 0, false },     { { SU, 1320, 360 }, 6, 1320, true },
		{ { SU, 1320, 360 }, 6, 1439, true }, { { SU, 1320, 360 }, 0, 0, true },    { { SU, 1320, 360 }, 0, 359, true },
		{ { SU, 1320, 360 }, 0, 360, false }, { { SU, 1320, 360 }, 6, 100, false }, { { SU, 1320, 360 }, 6, 1319, false },
		{ { SU, 1320, 360 }, 0, 1400, false }, { { SA, 1320, 0 }, 5, 1439, true },  { { SA, 1320, 0 }, 6, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct policy_rule rule = { .id = 1, .effect = POLICY_DENY, .risk_max = RISK_HIGH, .actions = EVERY_ACTION, .loops = EVERY_LOOP,
					    .sources = EVERY_SOURCE, .n_windows = 1, .windows = { cases[i].w } };
		struct policy_snapshot *s = compiled(&rule, 1);
		struct policy_question q = ask(ROLE_MEMBER, ACTION_READ);

		q.day = cases[i].day;
		q.minute = cases[i].minute;
		if (policy_check(s, &q).allowed == cases[i].holds)
			print_error("case %zu\n", i);
		check_int(policy_check(s, &q).allowed, !cases[i].holds);
		policy_unref(s);
	}
}

static void untrusted_time_opens_nothing_and_closes_everything(void **state)
{
	struct policy_rule rules[2] = {
		{ .id = 1, .effect = POLICY_ALLOW, .who = WHO_ROLE, .who_id = ROLE_AUDITOR, .risk_max = RISK_HIGH, .actions = EVERY_ACTION, .loops = EVERY_LOOP,
		  .sources = EVERY_SOURCE, .n_windows = 1, .windows = { { DAYS_ALL, 0, 1440 } } },
		{ .id = 2, .effect = POLICY_DENY, .who = WHO_ROLE, .who_id = ROLE_MEMBER, .risk_max = RISK_HIGH, .actions = EVERY_ACTION, .loops = EVERY_LOOP,
		  .sources = EVERY_SOURCE, .n_windows = 1, .windows = { { 1, 0, 1 } } },
	};
	struct policy_snapshot *s = compiled(rules, 2);
	struct policy_question q = ask(ROLE_AUDITOR, ACTION_READ), m = ask(ROLE_MEMBER, ACTION_READ);
	struct policy_trace trace[POLICY_CANDIDATES_MAX];
	struct policy_verdict v;

	(void)state;
	check_int(policy_check(s, &q).rule, 1);
	check_int(policy_check(s, &m).allowed, true);
	q.time_trusted = m.time_trusted = false;
	check_int(policy_check(s, &q).rule, 0);
	check_int(policy_check(s, &m).rule, 2);
	check_uint(policy_explain(s, &q, &v, trace), 1 + FOR_ANYBODY);
	check_text(trace[0].why_not, "clock");
	policy_unref(s);
}

static void explain_names_the_deciding_rule_and_why_others_did_not(void **state)
{
	struct policy_rule rules[] = {
		{ .id = 20, .effect = POLICY_ALLOW, .who = WHO_USER, .who_id = 7, .what = WHAT_ROOM, .room = 2 },
		{ .id = 10, .effect = POLICY_ALLOW, .who = WHO_USER, .who_id = 7, .what = WHAT_DEVICE, .device = device(1) },
		{ .id = 30, .effect = POLICY_DENY, .who = WHO_ANY, .what = WHAT_DEVICE, .device = device(1), .n_windows = 1, .windows = { { DAYS_ALL, 0, 60 } } },
	};
	struct policy_question q = ask(ROLE_MEMBER, ACTION_READ);
	struct policy_trace trace[POLICY_CANDIDATES_MAX];
	struct policy_verdict v;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rules); i++) {
		rules[i].risk_max = RISK_HIGH;
		rules[i].actions = EVERY_ACTION;
		rules[i].loops = EVERY_LOOP;
		rules[i].sources = rules[i].effect == POLICY_ALLOW ? PEOPLE_SOURCES : EVERY_SOURCE;
	}
	struct policy_snapshot *s = compiled(rules, N_ELEMENTS(rules));
	size_t n = policy_explain(s, &q, &v, trace);

	check_uint(n, 4 + FOR_ANYBODY);
	check_int(v.rule, 10); /* the older of two that allow, and not the built-in one */
	check_true(v.allowed);
	for (size_t i = 0; i < n; i++)
		check_text(trace[i].why_not, trace[i].rule == 30 ? "window" : trace[i].rule == -11 ? "source" : NULL);
	q.minute = 59;
	check_int(policy_check(s, &q).rule, 30);
	check_true(policy_rule_find(s, 30)->n_windows == 1);
	check_true(policy_rule_find(s, -4) && policy_rule_find(s, -4)->who_id == ROLE_MEMBER);
	check_true(!policy_rule_find(s, 31) && !policy_rule_find(s, 0));
	struct policy_snapshot *again = policy_ref(s);

	check_true(again == s && policy_unref(again) == NULL);
	check_int(policy_check(s, &q).rule, 30);
	policy_unref(s);
	check_true(policy_unref(NULL) == NULL);
}

static struct policy_rule plain(int32_t id, enum policy_who who, uint32_t who_id, enum policy_what what, uint32_t what_id)
{
	return (struct policy_rule){ .id = id, .effect = POLICY_ALLOW, .who = who, .who_id = who_id, .what = what, .device = device(what_id),
				     .room = what_id, .risk_max = RISK_HIGH, .actions = EVERY_ACTION, .loops = EVERY_LOOP,
				     .sources = who == WHO_LINK ? EVERY_SOURCE : PEOPLE_SOURCES };
}

static void the_seventeenth_candidate_is_refused_by_name(void **state)
{
	enum { full = POLICY_CANDIDATES_MAX - FOR_ANYBODY };
	struct policy_rule rules[full + 1];
	struct policy_snapshot *s = NULL;
	struct policy_question q = ask(ROLE_NONE, ACTION_READ);
	struct policy_trace trace[POLICY_CANDIDATES_MAX];
	struct policy_verdict v;
	char error[256];

	(void)state;
	for (int i = 0; i < full + 1; i++)
		rules[i] = plain(100 + i, WHO_LINK, 3, WHAT_DEVICE, 1);
	s = compiled(rules, full); /* exactly full */
	q.subject = (struct subject){ SUBJECT_LINK, 3 };
	q.source = SOURCE_LINK_CLOUD;
	check_uint(policy_explain(s, &q, &v, trace), POLICY_CANDIDATES_MAX);
	check_int(v.rule, 100);
	policy_unref(s);
	s = NULL;
	check_int(policy_compile(rules, full + 1, error, sizeof(error), &s), POLICY_E_CROWDED);
	check_true(s == NULL);
	check_true(strstr(error, " -11 ") && strstr(error, " 100 101 ") && strstr(error, " 115") && strstr(error, "17 rules"));
	/* Spread over the selectors of one question it is the same crowd. */
	for (int i = 0; i < full + 1; i++)
		rules[i] = i % 3 == 0 ? plain(100 + i, WHO_LINK, 3, WHAT_DEVICE, 1) :
			   i % 3 == 1 ? plain(100 + i, WHO_LINK, 3, WHAT_ANY, 0) :
					plain(100 + i, WHO_LINK, 3, WHAT_ROOM, 2);
	rules[3].cap = 9;
	check_int(policy_compile(rules, full + 1, error, sizeof(error), &s), POLICY_E_CROWDED);
	/* Over two links, or two capabilities, it is not. */
	rules[3].who_id = 4;
	policy_unref(compiled(rules, full + 1));
	rules[3].who_id = 3;
	rules[6].cap = 10;
	policy_unref(compiled(rules, full + 1));
}

/* 5,000 devices, each with rules for four users, a link and its own hours: nothing is crowded. */
static void five_thousand_devices_with_their_own_rules_compile(void **state)
{
	size_t n = 0;
	struct policy_rule *rules = calloc(POLICY_RULES_MAX + 1, sizeof(*rules));
	struct policy_snapshot *s;
	struct policy_question q = ask(ROLE_GUEST, ACTION_COMMAND);
	char error[128];

	(void)state;
	assert_non_null(rules);
	for (uint32_t d = 1; d <= 5000; d++) {
		for (uint32_t user = 1; user <= 3; user++, n++)
			rules[n] = plain((int32_t)n + 1, WHO_USER, user + d % 40, WHAT_DEVICE, d);
		rules[n] = plain((int32_t)n + 1, WHO_LINK, d % 3, WHAT_DEVICE, d);
		n++;
	}
	check_uint(n, POLICY_RULES_MAX);
	q.owner_user = 1000;
	s = compiled(rules, n);
	check_true(s->mask < 1u << 16);
	for (uint32_t d = 1; d <= 5000; d++) {
		q.device = device(d);
		q.subject.id = 2 + d % 40;
		check_int(policy_check(s, &q).rule, (int32_t)(4 * (d - 1) + 2));
		q.subject.id = 4 + d % 40;
		check_int(policy_check(s, &q).rule, 0);
	}
	policy_unref(s);
	s = NULL;
	rules[n] = plain((int32_t)n + 1, WHO_USER, 1, WHAT_ANY, 0);
	check_int(policy_compile(rules, n + 1, error, sizeof(error), &s), POLICY_E_RULE);
	check_true(s == NULL && strstr(error, "20000"));
	free(rules);
}

/* The two bounds: rules for one role crowd one device, rules for one user another; no question meets both. */
static void crowds_on_different_devices_do_not_add_up(void **state)
{
	struct policy_rule rules[20];
	struct policy_snapshot *s = NULL;
	char error[128];

	(void)state;
	for (int i = 0; i < 20; i++)
		rules[i] = i < 10 ? plain(i + 1, WHO_ROLE, ROLE_GUEST, WHAT_DEVICE, 1) : plain(i + 1, WHO_USER, 5, WHAT_DEVICE, 2);
	policy_unref(compiled(rules, 20));
	for (int i = 10; i < 20; i++)
		rules[i].device = device(1);
	check_int(policy_compile(rules, 20, error, sizeof(error), &s), POLICY_E_CROWDED);
}

struct fault_case {
	const char *field;
	void (*spoil)(struct policy_rule *rule);
};
static void spoil_effect(struct policy_rule *r) { r->effect = (enum policy_effect)2; }
static void spoil_who(struct policy_rule *r) { r->who = (enum policy_who)WHO_KINDS; }
static void spoil_who_id(struct policy_rule *r) { r->who_id = 0; }
static void spoil_role(struct policy_rule *r) { r->who = WHO_ROLE; r->who_id = ROLES; }
static void spoil_any(struct policy_rule *r) { r->who = WHO_ANY; }
static void spoil_rule(struct policy_rule *r) { r->who = WHO_RULE; }
static void spoil_what(struct policy_rule *r) { r->what = (enum policy_what)WHAT_KINDS; }
static void spoil_device(struct policy_rule *r) { r->what = WHAT_DEVICE; r->device = (struct device_id){ 0 }; }
static void spoil_room(struct policy_rule *r) { r->what = WHAT_ROOM; r->room = 0; }
static void spoil_class(struct policy_rule *r) { r->data_class = CLASSES; }
static void spoil_risk(struct policy_rule *r) { r->risk_max = (enum risk)3; }
static void spoil_actions(struct policy_rule *r) { r->actions = 1 << ACTIONS; }
static void spoil_loops(struct policy_rule *r) { r->loops = 0; }
static void spoil_sources(struct policy_rule *r) { r->sources = 0x80; }
static void spoil_unbound(struct policy_rule *r) { r->unbound = true; }
static void spoil_windows(struct policy_rule *r) { r->n_windows = POLICY_WINDOWS_MAX + 1; }
static void spoil_days(struct policy_rule *r) { r->n_windows = 1; r->windows[0] = (struct policy_window){ 0x80, 1, 2 }; }
static void spoil_hours(struct policy_rule *r) { r->n_windows = 1; r->windows[0] = (struct policy_window){ 1, 1440, 2 }; }
static void spoil_empty(struct policy_rule *r) { r->n_windows = 1; r->windows[0] = (struct policy_window){ 1, 5, 5 }; }
static void spoil_note(struct policy_rule *r) { memset(r->note, 'x', POLICY_TEXT_MAX + 1); }
static void spoil_utf8(struct policy_rule *r) { strcpy(r->note, "\xff"); }

static void a_bad_rule_is_refused_by_its_field(void **state)
{
	static const struct fault_case cases[] = {
		{ "effect:", spoil_effect }, { "who:", spoil_who }, { "who:", spoil_who_id }, { "who:", spoil_role }, { "who:", spoil_any },
		{ "who:", spoil_rule }, { "what:", spoil_what }, { "what:", spoil_device }, { "what:", spoil_room }, { "what:", spoil_class },
		{ "risk:", spoil_risk }, { "actions:", spoil_actions }, { "loops:", spoil_loops }, { "sources:", spoil_sources },
		{ "unbound:", spoil_unbound }, { "windows:", spoil_windows }, { "windows:", spoil_days }, { "windows:", spoil_hours },
		{ "windows:", spoil_empty }, { "note:", spoil_note }, { "note:", spoil_utf8 },
	};
	struct policy_rule good = plain(8, WHO_USER, 1, WHAT_ANY, 0), twice[2];
	struct policy_snapshot *s = NULL;
	char error[128];

	(void)state;
	check_ok(policy_rule_check(&good, error, sizeof(error)));
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct policy_rule bad = good;

		cases[i].spoil(&bad);
		check_int(policy_rule_check(&bad, error, sizeof(error)), POLICY_E_RULE);
		if (strncmp(error, cases[i].field, strlen(cases[i].field)) != 0)
			check_text(error, cases[i].field);
		check_int(policy_compile(&bad, 1, error, sizeof(error), &s), POLICY_E_RULE);
		check_true(s == NULL && strncmp(error, "rule 8: ", 8) == 0);
	}
	twice[0] = twice[1] = good;
	check_int(policy_compile(twice, 2, error, sizeof(error), &s), POLICY_E_RULE);
	check_text(error, "rule 8: id: given twice");
	twice[1].id = -1; /* the built-in ones are nobody's to replace */
	check_int(policy_compile(twice, 2, error, sizeof(error), &s), POLICY_E_RULE);
	check_true(s == NULL);
}

/* The table's own promises: no key far from home, few entries in place, all of a question's names fit. */
static void keys_lie_near_their_home(void **state)
{
	uint64_t rnd = 5;
	unsigned n_refused = 0, n_keys = 0;
	struct policy_snapshot *s = random_set(&rnd, 100, &n_refused);

	(void)state;
	for (uint32_t i = 0; i <= s->mask; i++) {
		if (!s->tags[i])
			continue;
		const struct bucket *bucket = &s->buckets[tag_index(s->tags[i])];
		const struct policy_key *key = &bucket->key;
		uint64_t h = policy_key_hash(policy_what_hash(key->what, s->seed), key->who_id, key->cap, key->combo);

		check_true(tag_fits(s->tags[i], h) && !tag_fits(s->tags[i], ~h));
		check_true(((i - (uint32_t)h) & s->mask) < PROBES_MAX);
		check_true(bucket->n > 0 && (bucket->n <= BUCKET_ENTRIES_MAX || s->more[bucket->entries[0]] != 0));
		n_keys++;
	}
	check_true(n_keys > 20 && WHO_OF_QUESTION_MAX == 5);
	policy_unref(s);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(naive_agrees_on_100000_questions),
		cmocka_unit_test(roles_have_their_rights_and_no_more),
		cmocka_unit_test(links_have_nothing_until_named),
		cmocka_unit_test(rules_have_their_owners_rights),
		cmocka_unit_test(windows_hold_from_their_first_to_before_their_last_minute),
		cmocka_unit_test(untrusted_time_opens_nothing_and_closes_everything),
		cmocka_unit_test(explain_names_the_deciding_rule_and_why_others_did_not),
		cmocka_unit_test(the_seventeenth_candidate_is_refused_by_name),
		cmocka_unit_test(five_thousand_devices_with_their_own_rules_compile),
		cmocka_unit_test(crowds_on_different_devices_do_not_add_up),
		cmocka_unit_test(a_bad_rule_is_refused_by_its_field),
		cmocka_unit_test(keys_lie_near_their_home),
	};

	return CHECK_RUN(rows);
}
