/* Between a plugin, which may be wrong in every way, and the core, which takes no nonsense:
 * everything that the plugin says is checked here and given to the core in the wire's words;
 * everything that the core asks gets exactly one answer, from the plugin or, when that is silent,
 * from here. What was said and is still true is kept, so that a core that has started anew hears it
 * again without the plugin noticing.
 */
#include "host/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "host/host_inside.h"
#include "model/command.h"
#include "sys/log.h"

enum { FAULT_SAID_EVERY_MS = 10000 };

static const struct {
	const char *text;
	enum note_kind note;
} faults[HOST_FAULTS] = {
	[HOST_FAULT_DONE_UNKNOWN] = { "answered a request that is not open", NOTE_STATUS },
	[HOST_FAULT_NEVER_DONE] = { "did not answer a request in time", NOTE_STATUS },
	[HOST_FAULT_STATUS] = { "answered with a status that does not exist", NOTE_STATUS },
	[HOST_FAULT_REPORT] = { "reported what is no reading", NOTE_BAD_VALUE },
	[HOST_FAULT_FLOOD] = { "reports on and on without credit", NOTE_FLOOD },
	[HOST_FAULT_DEVICE] = { "described a device wrongly", NOTE_MALFORMED },
	[HOST_FAULT_DEVICES] = { "describes too many devices", NOTE_DROPPED },
	[HOST_FAULT_CLAIM] = { "passed on a claim that is none", NOTE_MALFORMED },
	[HOST_FAULT_SAVE] = { "saves too much, or under a bad key", NOTE_OVERSIZE },
	[HOST_FAULT_WATCH] = { "watches what it may not", NOTE_STATUS },
	[HOST_FAULT_AFTER_CLOSE] = { "calls after it was closed", NOTE_STATUS },
	[HOST_FAULT_TELL] = { "tells what it was not asked", NOTE_STATUS },
	[HOST_FAULT_TELL_MUCH] = { "tells more than an answer may be", NOTE_OVERSIZE },
	[HOST_FAULT_JOINING] = { "says of a join what cannot be", NOTE_MALFORMED },
};

const char *host_fault_text(enum host_fault fault)
{
	assert(fault < HOST_FAULTS);
	return faults[fault].text;
}

/* So many a second; what was left out before is told with the first of the next. */
bool host_limit_take(struct gwa_host *host, struct host_limit *limit, uint32_t max,
		     uint32_t *ret_left_out)
{
	int64_t second = loop_now_ms(host->loop) / 1000;

	if (second != limit->second)
		*limit = (struct host_limit){ .second = second, .left_out = limit->left_out };
	if (limit->n >= max) {
		limit->left_out++;
		return false;
	}
	limit->n++;
	*ret_left_out = limit->left_out;
	limit->left_out = 0;
	return true;
}

void host_breach(struct gwa_host *host, enum host_fault fault)
{
	int64_t now = loop_now_ms(host->loop);
	struct wire_msg msg;

	host->faults[fault]++;
	if (host->faults[fault] > 1 && now - host->fault_said_ms[fault] < FAULT_SAID_EVERY_MS)
		return;
	host->fault_said_ms[fault] = now;
	log_warn("the plugin breaks the contract",
		 log_text("plugin", host->plugin ? host->plugin->name : "?"),
		 log_text("how", faults[fault].text), log_i64("times", host->faults[fault]));
	msg.type = WIRE_NOTE;
	msg.note.kind = (uint8_t)faults[fault].note;
	msg.note.count = host->faults[fault];
	msg.note.object = view_text("plugin");
	msg.note.text = view_text(faults[fault].text);
	(void)host_say(host, &msg);
}

bool host_say(struct gwa_host *host, const struct wire_msg *msg)
{
	struct writer w = writer_over(host->message, sizeof(host->message));

	if (!host->live)
		return false;
	wire_put(&w, msg);
	assert(!w.bad);
	return host->core->put(host->ctx, host->message, writer_len(&w));
}

void host_must_say(struct gwa_host *host, const struct wire_msg *msg)
{
	if (host->live && !host_say(host, msg))
		host->core->stuck(host->ctx);
}

bool host_say_device(struct gwa_host *host, const struct known_device *device)
{
	struct wire_msg msg;

	msg.type = WIRE_DEVICE;
	msg.device = *device->desc;
	if (!host_say(host, &msg))
		return false;
	if (!device->away)
		return true;
	msg.type = WIRE_GONE;
	msg.gone.addr = device->desc->addr;
	msg.gone.left = false;
	return host_say(host, &msg);
}

/* A home's devices may be more than fits at once: what finds no room is said when there is some. */
static bool say_known(struct gwa_host *host)
{
	while (host->n_said < host->known.n) {
		if (!host_say_device(host, &host->known.devices[host->n_said]))
			return false;
		host->n_said++;
	}
	if (host->synced && !host->synced_said)
		host->synced_said = host_say(host, &(struct wire_msg){ .type = WIRE_SYNCED });
	return host->synced_said || !host->synced;
}

void host_say_dirty(struct gwa_host *host)
{
	struct shelf_item *item;
	struct wire_msg msg;

	while (host->live && (item = shelf_dirty(&host->shelf))) {
		msg.type = WIRE_SAVE;
		msg.state.key = view_text(item->key);
		msg.state.data = (struct view){ item->data, item->len };
		item->dirty = false;
		host_must_say(host, &msg);
	}
}

void host_pump(struct gwa_host *host)
{
	const struct outbox_item *item;

	/* Readings of a device come behind its description. */
	if (!host->live || !say_known(host))
		return;
	host_asking_pump(host);
	while ((item = outbox_peek(&host->outbox))) {
		if (!host->core->put(host->ctx, item->bytes, item->len))
			return;
		outbox_sent(&host->outbox);
	}
}

void host_live(struct gwa_host *host, uint32_t credit, uint16_t minor)
{
	host->live = true;
	host->core_minor = minor;
	outbox_again(&host->outbox, credit);
	shelf_again(&host->shelf);
	host->n_said = 0;
	host->synced_said = false;
	host_say_dirty(host);
	host_pump(host);
}

void host_away(struct gwa_host *host)
{
	host->live = false;
	host_asking_end(host);
	requests_forget(&host->requests);
}

void host_fill(struct gwa_host *host, struct view key, struct view data)
{
	if (shelf_fill(&host->shelf, key, data))
		log_warn("a saved blob was not taken back", log_i64("bytes", (int64_t)data.len));
}

/* Requests */

void host_answer(struct gwa_host *host, uint64_t theirs, enum result result)
{
	struct wire_msg msg;

	msg.type = WIRE_DONE;
	msg.done.req = theirs;
	msg.done.status = result;
	host_must_say(host, &msg);
}

static void start_expiry(struct gwa_host *host)
{
	int64_t deadline = requests_deadline(&host->requests);

	if (deadline == INT64_MAX)
		timer_stop(host->expiry);
	else
		timer_start(host->expiry, deadline > loop_now_ms(host->loop)
						  ? deadline - loop_now_ms(host->loop)
						  : 1);
}

static void on_expiry(void *ctx)
{
	struct gwa_host *host = ctx;
	uint64_t theirs;

	while (requests_expire(&host->requests, loop_now_ms(host->loop), &theirs)) {
		host_breach(host, HOST_FAULT_NEVER_DONE);
		if (host->asking.mine && host->asking.theirs == theirs)
			host_asking_end(host);
		host_answer(host, theirs, RESULT_TIMEOUT);
	}
	start_expiry(host);
}

bool host_begin(struct gwa_host *host, uint64_t theirs, uint32_t ttl_ms, uint64_t *ret)
{
	int64_t deadline = loop_now_ms(host->loop) + (ttl_ms ? ttl_ms : HOST_REQUEST_MS);

	if (host->closed || requests_add(&host->requests, theirs, deadline, ret)) {
		host_answer(host, theirs, RESULT_BUSY);
		return false;
	}
	start_expiry(host);
	return true;
}

static struct gwa_addr addr_out(const struct address *addr)
{
	struct gwa_addr out = { .len = addr->len };

	memcpy(out.bytes, addr->bytes, addr->len);
	return out;
}

static void on_command(struct gwa_host *host, const struct wire_msg *msg)
{
	const struct value *v = &msg->command.value;
	struct gwa_addr addr = addr_out(&msg->command.addr);
	struct gwa_value value = { .type = v->type };
	uint64_t mine;

	if (v->type == VALUE_BOOL) {
		value.v.i = v->b;
	} else if (v->type == VALUE_INT) {
		value.v.i = v->i;
	} else if (v->type == VALUE_REAL) {
		value.v.f = v->f;
	} else if (v->type == VALUE_TEXT || v->type == VALUE_BYTES) {
		value.v.data = v->data;
		value.len = v->len;
	}
	if (host_begin(host, msg->command.req, msg->command.ttl_ms, &mine))
		host->plugin->ops->command(
			host->self, mine, &addr, msg->command.endpoint, msg->command.cap, &value,
			msg->command.ttl_ms ? msg->command.ttl_ms : HOST_REQUEST_MS);
}

static void on_join(struct gwa_host *host, const struct wire_msg *msg)
{
	struct gwa_join join = { .size = sizeof(join), .seconds = msg->join.seconds };
	uint64_t mine;

	if (!(host->plugin->flags & GWA_F_JOIN)) {
		host_answer(host, msg->join.req, RESULT_UNKNOWN_CAPABILITY);
		return;
	}
	join.addr = addr_out(&msg->join.addr);
	join.ncode = (uint8_t)msg->join.code.len;
	if (join.ncode)
		memcpy(join.code, msg->join.code.data, join.ncode);
	if (host_begin(host, msg->join.req, 0, &mine))
		host->plugin->ops->permit_join(host->self, mine, &join);
}

static void on_remove(struct gwa_host *host, const struct wire_msg *msg)
{
	struct gwa_addr addr = addr_out(&msg->remove.addr);
	uint64_t mine;

	if (!(host->plugin->flags & GWA_F_REMOVE)) {
		host_answer(host, msg->remove.req, RESULT_UNKNOWN_CAPABILITY);
		return;
	}
	if (host_begin(host, msg->remove.req, 0, &mine))
		host->plugin->ops->remove(host->self, mine, &addr);
}

void host_message(struct gwa_host *host, const struct wire_msg *msg)
{
	switch (msg->type) {
	case WIRE_STORED:
		if (outbox_stored(&host->outbox, msg->stored.up_to, msg->stored.credit))
			host->stored_news = true;
		else
			log_warn("the core stored a report that was never sent",
				 log_i64("number", (int64_t)msg->stored.up_to));
		return;
	case WIRE_COMMAND:
		on_command(host, msg);
		return;
	case WIRE_JOIN:
		on_join(host, msg);
		return;
	case WIRE_REMOVE:
		on_remove(host, msg);
		return;
	case WIRE_ASK:
		host_on_ask(host, msg);
		return;
	default:
		return;
	}
}

void host_turn(struct gwa_host *host)
{
	if (!host->stored_news || host->closed)
		return;
	host->stored_news = false;
	host->refused = 0;
	host->plugin->ops->on_stored(host->self, host->outbox.stored);
	host_pump(host);
}

/* Life */

int host_new(struct loop *loop, const struct host_core *core, void *ctx, struct gwa_host **ret)
{
	struct gwa_host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return -ENOMEM;
	host->ops = &host_ops;
	host->loop = loop;
	host->core = core;
	host->ctx = ctx;
	host->closed = true;
	host->asking.asked.max = host->asking.told.max = GWA_ASK_MAX;
	r = timer_new(loop, on_expiry, host, &host->expiry);
	if (r) {
		free(host);
		return r;
	}
	*ret = host;
	return 0;
}

int host_add_port(struct gwa_host *host, const char *name, int fd)
{
	struct host_port *port = &host->ports[host->n_ports];

	if (host->n_ports == HOST_PORTS_MAX || !text_copy(port->name, sizeof(port->name), name)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	port->fd = fd;
	host->n_ports++;
	return 0;
}

int host_open(struct gwa_host *host, const struct gwa_plugin *plugin, const struct gwa_opt *opts,
	      uint32_t n)
{
	int r;

	assert(host->closed);
	host->plugin = plugin;
	host->closed = false;
	/* What it reports while it opens waits for the first credit; there must be some to wait
	 * with. */
	if (!host->outbox.credit)
		host->outbox.credit = OUTBOX_MAX;
	r = plugin->ops->open(host, opts, n, &host->self);
	if (r == 0 && host->self)
		return 0;
	host->closed = true;
	host_io_stop(host);
	return r < 0 ? r : -EPROTO;
}

void host_close(struct gwa_host *host)
{
	if (host->closed)
		return;
	host->plugin->ops->close(host->self);
	host->closed = true;
	host->self = NULL;
	host_asking_end(host);
	host_io_stop(host);
}

struct gwa_host *host_free(struct gwa_host *host)
{
	if (!host)
		return NULL;
	host_close(host);
	host_asking_end(host);
	host_io_stop(host);
	host->expiry = timer_close(host->expiry);
	for (size_t i = 0; i < host->n_ports; i++)
		close(host->ports[i].fd);
	known_deinit(&host->known);
	shelf_deinit(&host->shelf);
	outbox_deinit(&host->outbox);
	free(host);
	return NULL;
}

uint32_t host_faults(const struct gwa_host *host, enum host_fault fault)
{
	return host->faults[fault];
}

uint64_t host_last_report(const struct gwa_host *host)
{
	return host->outbox.last;
}
