#pragma once
/* command - an order on its way to a device, and the words for how it ended.
 *
 *   above   audit  host  linkd  model  policy  router
 *   below   base/base  base/text  model/device_id  model/subject  model/value
 *   owns    nothing: values are borrowed until a holder copies them
 *   limits  COMMAND_ID_MAX SENDER_MAX
 *   errors  COMMAND_E_SYNTAX (result_parse: no such word)
 */
#include "base/base.h"
#include "model/device_id.h"
#include "model/subject.h"
#include "model/value.h"

enum { COMMAND_ID_MAX = 64, SENDER_MAX = 64 };
enum { COMMAND_E_SYNTAX = 1 };

enum result {
	RESULT_OK,
	RESULT_DENIED,          /* policy said no; the rule is named to those who may know */
	RESULT_UNKNOWN_DEVICE,
	RESULT_UNKNOWN_CAPABILITY,
	RESULT_NOT_WRITABLE,
	RESULT_BAD_VALUE,
	RESULT_UNBOUND,         /* nobody owns the device, or it is quarantined/retired */
	RESULT_UNREACHABLE,
	RESULT_TIMEOUT,         /* sent, no answer by the deadline */
	RESULT_LATE,            /* arrived or left the queue after its deadline: not executed */
	RESULT_REPLAYED,        /* counter not above the last one of its sender */
	RESULT_DUPLICATE,       /* same id again: not executed a second time */
	RESULT_CLOCK,           /* time is not trusted: link commands with times cannot be judged */
	RESULT_BUSY,            /* a queue is full */
	RESULT_RATE,            /* over the subject's rate */
	RESULT_FAILED,          /* the device or its adapter said no */
	RESULT_CANCELLED,       /* its session or binding ended while it waited */
	RESULT_MALFORMED,
	RESULT_NO_SESSION,      /* token missing, ended, or another client's */
	RESULT_NOT_FOUND,
	RESULT_CONFLICT,
	RESULT_INTERNAL,
	RESULTS
};
const char *result_name(enum result result);            /* "unknown-device": the code outside */
const char *result_text(enum result result);            /* one plain sentence */
must_check int result_parse(const char *name, enum result *ret);

struct command {
	char id[COMMAND_ID_MAX + 1];     /* the asker's; "" when it has none */
	struct subject subject;
	enum source_kind source;
	enum loop_kind loop;
	char sender[SENDER_MAX + 1];     /* on links: who beyond the link; counter is per (link, sender) */
	struct device_id device;
	uint8_t endpoint;                /* 0: the first endpoint that has the capability */
	uint16_t cap;
	struct value value;
	int64_t deadline_ms;             /* loop time (CLOCK_BOOTTIME); 0: the default is set by the router */
	bool has_counter, has_times;
	uint64_t counter;
	int64_t issued_us, not_after_us; /* wall, when has_times */
	uint8_t depth;                   /* of a chain of rules */
	uint64_t session;                /* people's session number, 0 none: revoked sessions cancel */
};
