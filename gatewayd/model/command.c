/* How a command can end: the code that travels, and the sentence that a person reads. */
#include "model/command.h"

#include <assert.h>
#include "base/text.h"

static const struct {
	const char *name, *text;
} rows[RESULTS] = {
	[RESULT_OK] = { "ok", "Done." },
	[RESULT_DENIED] = { "denied", "Not allowed." },
	[RESULT_UNKNOWN_DEVICE] = { "unknown-device", "There is no such device." },
	[RESULT_UNKNOWN_CAPABILITY] = { "unknown-capability", "The device cannot do that." },
	[RESULT_NOT_WRITABLE] = { "not-writable", "This can be read, but not set." },
	[RESULT_BAD_VALUE] = { "bad-value", "The value is of the wrong kind or out of range." },
	[RESULT_UNBOUND] = { "unbound",
			     "The device belongs to nobody, or has been put out of service." },
	[RESULT_UNREACHABLE] = { "unreachable", "The device cannot be reached." },
	[RESULT_TIMEOUT] = { "timeout", "The device did not answer in time." },
	[RESULT_LATE] = { "late",
			  "The command was too old when its turn came and was not carried out." },
	[RESULT_REPLAYED] = { "replayed", "The command's counter was used before." },
	[RESULT_DUPLICATE] = { "duplicate",
			       "The same command came before; it was not carried out again." },
	[RESULT_CLOCK] = { "clock", "The gateway does not know the time for certain yet." },
	[RESULT_BUSY] = { "busy", "Too much is waiting already." },
	[RESULT_RATE] = { "rate", "Too many commands in too short a time." },
	[RESULT_FAILED] = { "failed", "The device refused or failed." },
	[RESULT_CANCELLED] = { "cancelled",
			       "The session or the ownership ended while the command waited." },
	[RESULT_MALFORMED] = { "malformed", "The request is not well formed." },
	[RESULT_NO_SESSION] = { "no-session", "Log in first." },
	[RESULT_NOT_FOUND] = { "not-found", "There is no such thing." },
	[RESULT_CONFLICT] = { "conflict", "It contradicts what is there already." },
	[RESULT_INTERNAL] = { "internal", "The gateway could not do it; its log says why." },
};

const char *result_name(enum result result)
{
	assert(result < RESULTS);
	return rows[result].name;
}

const char *result_text(enum result result)
{
	assert(result < RESULTS);
	return rows[result].text;
}

int result_parse(const char *name, enum result *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (!text_equal(rows[i].name, name))
			continue;
		*ret = (enum result)i;
		return 0;
	}
	return COMMAND_E_SYNTAX;
}
