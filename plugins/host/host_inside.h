#pragma once
/* host_inside - what the two halves of the host share: host.c speaks with the core, host_ops.c is what a plugin calls.
 *
 *   above   host/host  host/host_ops  host/host_io  host/host_radio
 *   below   base/base  base/parts  host/host  host/known  host/outbox  host/requests  host/shelf
 *   owns    nothing
 *   limits  HOST_MESSAGE_MAX
 */
#include "base/base.h"
#include "base/parts.h"
#include "host/host.h"
#include "host/known.h"
#include "host/outbox.h"
#include "host/requests.h"
#include "host/shelf.h"

/* The longest message that goes up: a blob with its key. */
enum { HOST_MESSAGE_MAX = 4 + 2 + WIRE_TEXT_MAX + 2 + WIRE_STATE_MAX };

struct host_timer {
	struct gwa_host *host;
	struct timer *timer;
	uint32_t number;
};
struct host_watch {
	struct gwa_host *host;
	struct watch *watch;
	int fd;
};
struct host_limit { /* so many in a second */
	int64_t second;
	uint32_t n, left_out;
};

/* What a person asks the radio, one at a time. Its parts come in; the plugin is asked the whole; what it tells goes out as
 * room comes, and behind it the answer. Both texts may hold keys. */
struct host_asking {
	bool is_coming; /* parts of `coming`, the core's request number */
	uint64_t coming;
	char verb[WIRE_VERB_MAX + 1];
	struct parts asked;
	enum result fault; /* of what came */
	uint64_t mine, theirs; /* what the plugin is being asked; mine 0: nothing */
	struct parts told;
	size_t n_said; /* of told */
	bool too_much, is_done;
	enum result result;
};

struct gwa_host {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	struct loop *loop;
	const struct host_core *core;
	void *ctx;
	const struct gwa_plugin *plugin;
	gwa_self *self;
	bool live, closed, synced, stored_news;
	bool repeats; /* what the plugin reports may have been reported before */
	size_t n_said; /* of the known devices, to this core */
	bool synced_said;
	struct host_port ports[HOST_PORTS_MAX];
	size_t n_ports;
	struct host_timer timers[HOST_TIMERS_MAX];
	struct host_watch watches[HOST_WATCHES_MAX];
	struct timer *expiry;
	struct known known;
	struct shelf shelf;
	struct requests requests;
	struct host_asking asking;
	struct outbox outbox;
	uint32_t refused; /* reports past the credit since the last on_stored */
	uint32_t faults[HOST_FAULTS];
	int64_t fault_said_ms[HOST_FAULTS];
	struct host_limit notes, logs, joinings;
	uint16_t core_minor;
	uint8_t message[HOST_MESSAGE_MAX];
};

extern const struct gwa_host_ops host_ops;
/* Encodes and puts; false: not live, no room, or not encodable. */
bool host_say(struct gwa_host *host, const struct wire_msg *msg);
/* The same for what must not be lost: no room ends the connection, and all is said again on the
 * next. */
void host_must_say(struct gwa_host *host, const struct wire_msg *msg);
void host_say_dirty(struct gwa_host *host);
bool host_say_device(struct gwa_host *host, const struct known_device *device);
void host_breach(struct gwa_host *host, enum host_fault fault);
bool host_limit_take(struct gwa_host *host, struct host_limit *limit, uint32_t max, uint32_t *ret_left_out);
/* The plugin may be asked under the number in ret. False: the answer was given. */
must_check bool host_begin(struct gwa_host *host, uint64_t theirs, uint32_t ttl_ms, uint64_t *ret);
void host_answer(struct gwa_host *host, uint64_t theirs, enum result result);

/* host_radio.c */
void host_on_ask(struct gwa_host *host, const struct wire_msg *msg);
void host_asking_pump(struct gwa_host *host);
void host_asking_done(struct gwa_host *host, enum result result); /* the plugin has answered */
void host_asking_end(struct gwa_host *host); /* nobody waits any more: wipes */
void host_op_tell(gwa_host *host, uint64_t req, const void *data, uint32_t len);
void host_op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why);
bool host_is_open(struct gwa_host *host); /* false for a call that comes when the plugin is not open */
bool host_addr_in(const struct gwa_addr *addr, struct address *ret);
struct view host_text_in(const char *text, size_t max);

int host_io_watch(struct gwa_host *host, int fd, uint32_t events);
void host_io_timer(struct gwa_host *host, uint32_t number, uint32_t ms);
void host_io_stop(struct gwa_host *host);
