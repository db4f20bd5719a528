/* What is about the radio and not about a device: a person's question to it and the answer, both longer than a packet, and
 * how far a device has come that joins. One question at a time: the core sees to that, and so do we, because each may cost
 * us twice GWA_ASK_MAX for a while. What was asked and told may be a network's keys, so it is wiped when it has
 * been passed on; and neither it nor a passkey is in a log.
 */
#include "host/host_inside.h"

#include <string.h>
#include "base/text.h"
#include "host/plugin.h"
#include "model/command.h"
#include "model/wire.h"

/* Parts come in */

static void coming_end(struct host_asking *asking)
{
	parts_wipe(&asking->asked);
	asking->is_coming = false;
}

static void coming_begin(struct gwa_host *host, const struct wire_msg *msg)
{
	struct host_asking *asking = &host->asking;

	coming_end(asking);
	asking->is_coming = true;
	asking->coming = msg->ask.req;
	asking->fault = RESULT_OK;
	if (!plugin_can_ask(host->plugin))
		asking->fault = RESULT_UNKNOWN_CAPABILITY;
	else if (host->closed || asking->mine)
		asking->fault = RESULT_BUSY;
	text_copy_n(asking->verb, sizeof(asking->verb), msg->ask.verb.data, msg->ask.verb.len);
}

static void coming_add(struct host_asking *asking, const struct wire_msg *msg)
{
	int r;

	if (asking->fault != RESULT_OK)
		return;
	if (strlen(asking->verb) != msg->ask.verb.len || memcmp(asking->verb, msg->ask.verb.data, msg->ask.verb.len) != 0) {
		asking->fault = RESULT_MALFORMED;
		return;
	}
	r = parts_add(&asking->asked, msg->ask.data.data, msg->ask.data.len);
	if (r)
		asking->fault = r == PARTS_E_FULL ? RESULT_MALFORMED : RESULT_BUSY;
}

void host_on_ask(struct gwa_host *host, const struct wire_msg *msg)
{
	struct host_asking *asking = &host->asking;

	/* Parts of another request: the core has given up what came so far. */
	if (!asking->is_coming || asking->coming != msg->ask.req)
		coming_begin(host, msg);
	coming_add(asking, msg);
	if (!msg->ask.last)
		return;
	if (asking->fault != RESULT_OK) {
		host_answer(host, msg->ask.req, asking->fault);
	} else if (host_begin(host, msg->ask.req, HOST_ASK_MS, &asking->mine)) {
		asking->theirs = msg->ask.req;
		host->plugin->ops->ask(host->self, asking->mine, asking->verb, asking->asked.len ? asking->asked.data : NULL,
				       (uint32_t)asking->asked.len);
	}
	coming_end(asking);
}

/* The answer goes out */

static void told_end(struct host_asking *asking)
{
	parts_wipe(&asking->told);
	asking->mine = asking->theirs = 0;
	asking->n_said = 0;
	asking->too_much = asking->is_done = false;
}

void host_asking_end(struct gwa_host *host)
{
	coming_end(&host->asking);
	told_end(&host->asking);
}

static bool say_part(struct gwa_host *host, size_t len)
{
	struct host_asking *asking = &host->asking;
	struct wire_msg msg;
	bool said;

	msg.type = WIRE_TELL;
	msg.tell.req = asking->theirs;
	msg.tell.data = (struct view){ asking->told.data + asking->n_said, len };
	said = host_say(host, &msg);
	explicit_bzero(host->message, sizeof(host->message));
	return said;
}

void host_asking_pump(struct gwa_host *host)
{
	struct host_asking *asking = &host->asking;
	struct wire_msg msg;

	while (asking->mine && asking->n_said < asking->told.len) {
		size_t left = asking->told.len - asking->n_said;
		size_t len = left < WIRE_STATE_MAX ? left : WIRE_STATE_MAX;

		if (!asking->is_done && left < WIRE_STATE_MAX)
			return; /* what comes in crumbs goes out in loaves */
		if (!say_part(host, len))
			return;
		asking->n_said += len;
	}
	if (!asking->is_done)
		return;
	msg.type = WIRE_DONE;
	msg.done.req = asking->theirs;
	msg.done.status = asking->result;
	if (host_say(host, &msg))
		told_end(asking);
}

void host_asking_done(struct gwa_host *host, enum result result)
{
	struct host_asking *asking = &host->asking;

	asking->is_done = true;
	asking->result = asking->too_much && result == RESULT_OK ? RESULT_FAILED : result;
	host_asking_pump(host);
}

void host_op_tell(gwa_host *host, uint64_t req, const void *data, uint32_t len)
{
	struct host_asking *asking = &host->asking;

	if (!host_is_open(host))
		return;
	if (!req || asking->mine != req || asking->is_done || (len && !data)) {
		if (!requests_is_late(&host->requests, req))
			host_breach(host, HOST_FAULT_TELL);
		return;
	}
	if (asking->too_much)
		return;
	if (parts_add(&asking->told, data, len)) {
		host_breach(host, HOST_FAULT_TELL_MUCH);
		asking->too_much = true; /* half an answer is none */
	}
	host_asking_pump(host);
}

/* How a join goes */

static bool is_passkey(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return text.len > 0 && text.len <= WIRE_PASSKEY_MAX;
}

/* Words that are too long are cut; what is no text is none. */
static bool why_in(const char *why, struct view *ret)
{
	size_t len = why ? strnlen(why, WIRE_TEXT_MAX + 1) : 0;

	if (len <= WIRE_TEXT_MAX && len && !text_is_utf8(why, len))
		return false;
	*ret = host_text_in(why, WIRE_TEXT_MAX);
	return true;
}

void host_op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why)
{
	struct wire_msg msg;
	uint32_t left_out;

	if (!host_is_open(host))
		return;
	if (!host_addr_in(addr, &msg.joining.addr) || stage < 0 || stage >= JOIN_STAGES || !why_in(why, &msg.joining.text) ||
	    (stage == GWA_JOIN_PASSKEY && !is_passkey(msg.joining.text))) {
		host_breach(host, HOST_FAULT_JOINING);
		return;
	}
	if (!host_limit_take(host, &host->joinings, HOST_JOININGS_MAX, &left_out))
		return;
	if (left_out)
		host_breach(host, HOST_FAULT_FLOOD);
	if (host->core_minor < 1)
		return;
	msg.type = WIRE_JOINING;
	msg.joining.stage = (uint8_t)stage;
	(void)host_say(host, &msg);
	explicit_bzero(host->message, 4 + 1 + ADDRESS_MAX + 1 + 2 + WIRE_TEXT_MAX);
}
