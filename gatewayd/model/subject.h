#pragma once
/* subject - who asks: a user in a session, a link, a rule, or the system itself; roles and actions.
 *
 *   above   audit/audit  model/command  model/wire_link  people/people  policy/policy
 *   below   base/base  base/text
 *   owns    nothing
 *   limits  NAME_MAX_LEN
 *   errors  SUBJECT_E_SYNTAX (from each _parse: no such word)
 */
#include "base/base.h"

enum { NAME_MAX_LEN = 64 };
enum { SUBJECT_E_SYNTAX = 1 };
enum subject_kind { SUBJECT_NONE, SUBJECT_USER, SUBJECT_LINK, SUBJECT_RULE, SUBJECT_SYSTEM, SUBJECT_ADAPTER, SUBJECT_KINDS };
enum role { ROLE_NONE, ROLE_OWNER, ROLE_MEMBER, ROLE_GUEST, ROLE_INSTALLER, ROLE_AUDITOR, ROLES };
enum action { ACTION_READ, ACTION_OBSERVE, ACTION_COMMAND, ACTION_CONFIGURE, ACTIONS }; /* observe: hear events */
enum loop_kind { LOOP_SMALL, LOOP_BIG, LOOPS };
enum source_kind { SOURCE_DOOR, SOURCE_API, SOURCE_LINK_HOME, SOURCE_LINK_CLOUD, SOURCE_RULE, SOURCES };

/* id: user number, link's index in the configuration, rule number; 0 for system. */
struct subject {
	enum subject_kind kind;
	uint32_t id;
};

const char *subject_kind_name(enum subject_kind kind);
const char *role_name(enum role role);
must_check int role_parse(const char *text, enum role *ret);
const char *action_name(enum action action);
must_check int action_parse(const char *text, enum action *ret);
const char *loop_kind_name(enum loop_kind loop);
const char *source_kind_name(enum source_kind source);
must_check int source_kind_parse(const char *text, enum source_kind *ret);
