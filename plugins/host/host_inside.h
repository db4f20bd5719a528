#pragma once
/* host_inside - what the two halves of the host share: host.c speaks with the core, host_ops.c is what a plugin calls.
 *
 *   above   host/host  host/host_ops  host/host_io
 *   below   base/base  host/host  host/known  host/outbox  host/requests  host/shelf
 *   owns    nothing
 *   limits  HOST_MESSAGE_MAX
 */
#include "base/base.h"
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
	struct outbox outbox;
	uint32_t refused; /* reports past the credit since the last on_stored */
	uint32_t faults[HOST_FAULTS];
	int64_t fault_said_ms[HOST_FAULTS];
	struct host_limit notes, logs;
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
bool host_limit_take(struct gwa_host *host, struct host_limit *limit, uint32_t *ret_left_out);

int host_io_watch(struct gwa_host *host, int fd, uint32_t events);
void host_io_timer(struct gwa_host *host, uint32_t number, uint32_t ms);
void host_io_stop(struct gwa_host *host);
