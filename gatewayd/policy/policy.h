#pragma once
/* policy - the one question: may this subject do this to that capability of that device now? Deny unless a rule allows.
 *
 *   above   router  door
 *   below   base/base  model/capability  model/command  model/device_id  model/subject  policy/snapshot
 *   owns    struct policy_snapshot (immutable, reference counted)
 *   limits  POLICY_RULES_MAX POLICY_CANDIDATES_MAX POLICY_WINDOWS_MAX POLICY_TEXT_MAX
 *   errors  POLICY_E_CROWDED POLICY_E_RULE
 *
 * A snapshot is compiled off the loop (policy_compile is pure) and asked on it; it knows no device and no user, the
 * question brings their facts. So its cost grows with neither: at most POLICY_CANDIDATES_MAX rules can match any
 * one question, and a rule set in which more could is refused when it is compiled (POLICY_E_CROWDED).
 *
 * Deny beats allow; no match denies. Built-in rules (negative ids, the owner's rights over own devices, what each role may do)
 * are rows of a table in builtin.c and go through the same evaluation as the household's own. Of several rules that
 * decide alike the household's oldest is named, a built-in one only when there is no other.
 *
 * A rule of the household (WHO_RULE) has its owner's rights and can only be denied some of them. A link is allowed
 * only what a rule that names it allows: an allow rule for WHO_ANY that takes links for a source is refused.
 */
#include "base/base.h"
#include "model/capability.h"
#include "model/command.h"
#include "model/device_id.h"
#include "model/subject.h"

enum { POLICY_RULES_MAX = 20000, POLICY_CANDIDATES_MAX = 16, POLICY_WINDOWS_MAX = 4, POLICY_TEXT_MAX = 64 };
enum { POLICY_E_CROWDED = 1, POLICY_E_RULE = 2 };

enum policy_effect { POLICY_DENY, POLICY_ALLOW };
enum policy_who { WHO_ANY, WHO_USER, WHO_ROLE, WHO_LINK, WHO_RULE, WHO_OWNER };    /* OWNER: the device's own owner */
enum policy_what { WHAT_ANY, WHAT_DEVICE, WHAT_ROOM, WHAT_CLASS };   /* CLASS: data class of the capability */
enum { DAYS_ALL = 0x7f };

/* Minutes of the local day; from > to passes midnight (the day is the one it starts on). */
struct policy_window {
	uint8_t days;  /* bit 0 Monday ... bit 6 Sunday */
	uint16_t from, to; /* 0..1440, [from, to) */
};

struct policy_rule {
	int32_t id;        /* >0 the household's, <0 built in */
	enum policy_effect effect;
	enum policy_who who;
	uint32_t who_id;   /* user, role, link or rule number */
	enum policy_what what;
	struct device_id device;
	uint32_t room;     /* room number */
	enum data_class data_class;
	uint16_t cap;      /* 0: any */
	enum risk risk_max;/* matches capabilities up to this risk only; RISK_HIGH: any */
	uint8_t actions;   /* bits 1 << enum action */
	uint8_t loops;     /* bits 1 << enum loop_kind */
	uint8_t sources;   /* bits 1 << enum source_kind */
	bool unbound;      /* allow rules only, built in: for devices that nobody owns; every other one is for those somebody owns */
	uint8_t n_windows; /* 0: always */
	struct policy_window windows[POLICY_WINDOWS_MAX];
	char note[POLICY_TEXT_MAX + 1];
};
/* Names the bad field in error. POLICY_E_RULE. The id is not looked at: it may not be given yet. */
must_check int policy_rule_check(const struct policy_rule *rule, char *error, size_t error_cap);

/* Everything the answer may depend on. The asker fills it from registry and people. */
struct policy_question {
	struct subject subject;
	enum role role;             /* of the user; of a rule's owner for rules; NONE for links */
	uint32_t behalf_user;       /* rules: the owner whose rights bound it; else 0 */
	enum action action;
	struct device_id device;
	bool bound;                 /* not bound: nobody but configure of claimers, see builtin.c */
	uint32_t owner_user;        /* 0 none */
	uint32_t room;              /* 0 none */
	uint16_t cap;               /* 0: the device as a whole */
	enum data_class data_class;
	enum risk risk;
	enum loop_kind loop;
	enum source_kind source;
	bool time_trusted;          /* false: allow rules with windows do not match; deny rules with windows do */
	uint8_t day;                /* 0 Monday, local */
	uint16_t minute;            /* 0..1439, local */
};
struct policy_verdict {
	bool allowed;
	int32_t rule;               /* the rule that decided; 0: no rule matched */
};

struct policy_snapshot;
/* Pure: rules -> snapshot. On POLICY_E_CROWDED / POLICY_E_RULE error names the rule and what was crowded. */
must_check int policy_compile(const struct policy_rule *rules, size_t n_rules, char *error, size_t error_cap,
			      struct policy_snapshot **ret);
/* References are counted on the loop only; compiling elsewhere and handing over is fine. */
struct policy_snapshot *policy_ref(struct policy_snapshot *snapshot);
struct policy_snapshot *policy_unref(struct policy_snapshot *snapshot);
struct policy_verdict policy_check(const struct policy_snapshot *snapshot, const struct policy_question *question);
/* The rules that were looked at, for `policy explain`: up to POLICY_CANDIDATES_MAX, returns how many. matched tells which fit. */
struct policy_trace {
	int32_t rule;
	bool matched;
	const char *why_not; /* "window", "loop", ...; NULL when it matched */
};
size_t policy_explain(const struct policy_snapshot *snapshot, const struct policy_question *question,
		      struct policy_verdict *ret_verdict, struct policy_trace ret_trace[POLICY_CANDIDATES_MAX]);
const struct policy_rule *policy_rule_find(const struct policy_snapshot *snapshot, int32_t id); /* borrowed */
const struct policy_rule *policy_rule_at(const struct policy_snapshot *snapshot, size_t i); /* built-in ones last; NULL past the end */
