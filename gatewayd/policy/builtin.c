/* The rights that come with a role. They are few, on purpose: who owns a device may do everything with it, at the
 * door and from afar through his own session; the others of the household may use what is not dangerous and at
 * home; a guest may look at what anybody in the room can see; an installer sets up what nobody owns yet and sees
 * nothing personal; an auditor has the record and no device. A link may hear what its share list
 * names and order nothing: what is ordered from outside is always somebody's explicit rule. Quarantined and retired devices do not get here at all.
 */
#include "policy/builtin.h"

#define ACT(a) (1u << (a))
#define LOOK (ACT(ACTION_READ) | ACT(ACTION_OBSERVE))
#define USE (LOOK | ACT(ACTION_COMMAND))
#define CONFIGURE ACT(ACTION_CONFIGURE)
#define AT_HOME (1u << LOOP_SMALL)
#define ANYWHERE (AT_HOME | 1u << LOOP_BIG)
#define DOORS (1u << SOURCE_DOOR | 1u << SOURCE_API)
#define RULES (1u << SOURCE_RULE)

#define ROW(number, text, ...) { .id = -(number), .effect = POLICY_ALLOW, .note = text, __VA_ARGS__ }
#define ROLE_ROW(number, text, role, ...) ROW(number, text, .who = WHO_ROLE, .who_id = role, __VA_ARGS__)

static const struct policy_rule rows[] = {
	ROW(1, "an owner may do everything with his device", .who = WHO_OWNER, .risk_max = RISK_HIGH,
	    .actions = USE | CONFIGURE, .loops = ANYWHERE, .sources = DOORS),
	ROW(2, "and so may his rules, but not configure it", .who = WHO_OWNER, .risk_max = RISK_HIGH,
	    .actions = USE, .loops = AT_HOME, .sources = RULES),
	ROLE_ROW(3, "owners use each other's devices at home, dangerous ones excepted", ROLE_OWNER,
		 .risk_max = RISK_RAISED, .actions = USE, .loops = AT_HOME, .sources = DOORS | RULES),
	ROLE_ROW(4, "members use the devices at home, dangerous ones excepted", ROLE_MEMBER,
		 .risk_max = RISK_RAISED, .actions = USE, .loops = AT_HOME, .sources = DOORS | RULES),
	ROLE_ROW(5, "guests read what is public", ROLE_GUEST, .what = WHAT_CLASS, .data_class = CLASS_PUBLIC,
		 .risk_max = RISK_RAISED, .actions = ACT(ACTION_READ), .loops = AT_HOME, .sources = DOORS),
	ROLE_ROW(6, "guests read what is ordinary", ROLE_GUEST, .what = WHAT_CLASS,
		 .data_class = CLASS_ORDINARY, .risk_max = RISK_RAISED, .actions = ACT(ACTION_READ),
		 .loops = AT_HOME, .sources = DOORS),
	ROLE_ROW(7, "installers see what is public", ROLE_INSTALLER, .what = WHAT_CLASS,
		 .data_class = CLASS_PUBLIC, .risk_max = RISK_RAISED, .actions = LOOK, .loops = AT_HOME,
		 .sources = DOORS),
	ROLE_ROW(8, "installers see what is ordinary", ROLE_INSTALLER, .what = WHAT_CLASS,
		 .data_class = CLASS_ORDINARY, .risk_max = RISK_RAISED, .actions = LOOK, .loops = AT_HOME,
		 .sources = DOORS),
	ROLE_ROW(9, "owners claim devices that nobody owns", ROLE_OWNER, .unbound = true,
		 .risk_max = RISK_HIGH, .actions = CONFIGURE, .loops = AT_HOME, .sources = DOORS),
	ROLE_ROW(10, "installers set up devices that nobody owns", ROLE_INSTALLER, .unbound = true,
		 .risk_max = RISK_HIGH, .actions = CONFIGURE, .loops = AT_HOME, .sources = DOORS),
	ROW(11, "a link hears what its share list (asked first) names", .who = WHO_ANY,
	    .risk_max = RISK_HIGH, .actions = LOOK, .loops = ANYWHERE,
	    .sources = 1u << SOURCE_LINK_HOME | 1u << SOURCE_LINK_CLOUD),
};

size_t policy_builtin_count(void)
{
	return N_ELEMENTS(rows);
}

const struct policy_rule *policy_builtin_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}
