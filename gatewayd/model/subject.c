/* The words for who asks, in what role, to do what, from where: each is a row, and is read back by
 * its row. */
#include "model/subject.h"

#include <assert.h>
#include "base/text.h"

static const char *const subject_kind_names[SUBJECT_KINDS] = {
	[SUBJECT_NONE] = "none", [SUBJECT_USER] = "user",     [SUBJECT_LINK] = "link",
	[SUBJECT_RULE] = "rule", [SUBJECT_SYSTEM] = "system", [SUBJECT_ADAPTER] = "adapter",
};
static const char *const role_names[ROLES] = {
	[ROLE_NONE] = "none",	[ROLE_OWNER] = "owner",		[ROLE_MEMBER] = "member",
	[ROLE_GUEST] = "guest", [ROLE_INSTALLER] = "installer", [ROLE_AUDITOR] = "auditor",
};
static const char *const action_names[ACTIONS] = {
	[ACTION_READ] = "read",
	[ACTION_OBSERVE] = "observe",
	[ACTION_COMMAND] = "command",
	[ACTION_CONFIGURE] = "configure",
};
static const char *const loop_kind_names[LOOPS] = { [LOOP_SMALL] = "small", [LOOP_BIG] = "big" };
static const char *const source_kind_names[SOURCES] = {
	[SOURCE_DOOR] = "door",		  [SOURCE_API] = "api",
	[SOURCE_LINK_HOME] = "link-home", [SOURCE_LINK_CLOUD] = "link-cloud",
	[SOURCE_RULE] = "rule",
};

/* The index of text among names, or -1. */
static int find(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++) {
		if (text_equal(names[i], text))
			return i;
	}
	return -1;
}

const char *subject_kind_name(enum subject_kind kind)
{
	assert(kind < SUBJECT_KINDS);
	return subject_kind_names[kind];
}

const char *role_name(enum role role)
{
	assert(role < ROLES);
	return role_names[role];
}

int role_parse(const char *text, enum role *ret)
{
	int i = find(role_names, ROLES, text);

	if (i < 0)
		return SUBJECT_E_SYNTAX;
	*ret = (enum role)i;
	return 0;
}

const char *action_name(enum action action)
{
	assert(action < ACTIONS);
	return action_names[action];
}

int action_parse(const char *text, enum action *ret)
{
	int i = find(action_names, ACTIONS, text);

	if (i < 0)
		return SUBJECT_E_SYNTAX;
	*ret = (enum action)i;
	return 0;
}

const char *loop_kind_name(enum loop_kind loop)
{
	assert(loop < LOOPS);
	return loop_kind_names[loop];
}

const char *source_kind_name(enum source_kind source)
{
	assert(source < SOURCES);
	return source_kind_names[source];
}

int source_kind_parse(const char *text, enum source_kind *ret)
{
	int i = find(source_kind_names, SOURCES, text);

	if (i < 0)
		return SUBJECT_E_SYNTAX;
	*ret = (enum source_kind)i;
	return 0;
}
