#pragma once
/* host - one plugin's world: carries its calls to the core and the core's to it, and keeps it to the contract.
 *
 *   above   host/adapter  host/check
 *   below   base/base  base/bytes  base/text  host/host_inside  host/known  host/outbox  host/requests  host/shelf
 *           model/command  model/device  model/value  model/wire  sdk/gw_adapter  sys/log  sys/loop
 *   owns    struct gwa_host: timers, watches, descriptions, blobs, requests, reports
 *   limits  HOST_TIMERS_MAX HOST_WATCHES_MAX HOST_PORTS_MAX HOST_REFUSED_MAX HOST_NOTES_MAX HOST_JOININGS_MAX
 *
 * It knows no socket: what it says goes through struct host_core. A breach of the contract is counted, logged once in
 * a while and told to the core as a note; the plugin lives on.
 */
#include "base/base.h"
#include "model/wire.h"
#include "sdk/gw_adapter.h"
#include "sys/loop.h"

enum {
	HOST_TIMERS_MAX = 32,
	HOST_WATCHES_MAX = 64,
	HOST_PORTS_MAX = 8,
	HOST_REFUSED_MAX =
		1000,	     /* reports past the credit, in a row: a plugin that does not wait */
	HOST_NOTES_MAX = 20, /* notes and log lines in a second */
	HOST_JOININGS_MAX = 100, /* words about joining devices in a second */
	HOST_REQUEST_MS = 10000, /* when the core names no time to live */
	HOST_ASK_MS = 60000,	 /* for what a person asks the radio */
};

enum host_fault {
	HOST_FAULT_DONE_UNKNOWN,
	HOST_FAULT_NEVER_DONE,
	HOST_FAULT_STATUS,
	HOST_FAULT_REPORT,
	HOST_FAULT_FLOOD,
	HOST_FAULT_DEVICE,
	HOST_FAULT_DEVICES,
	HOST_FAULT_CLAIM,
	HOST_FAULT_SAVE,
	HOST_FAULT_WATCH,
	HOST_FAULT_AFTER_CLOSE,
	HOST_FAULT_TELL,
	HOST_FAULT_TELL_MUCH,
	HOST_FAULT_JOINING,
	HOST_FAULTS
};
const char *host_fault_text(enum host_fault fault);

struct host_core {
	/* One encoded message. False: not taken (no room now, or nobody there). */
	bool (*put)(void *ctx, const void *message, size_t len);
	/* The plugin gave up, or a message that must not be lost found no room. */
	void (*failed)(void *ctx, const char *why);
	void (*stuck)(void *ctx);
};

struct host_port {
	char name[32];
	int fd;
};

must_check int host_new(struct loop *loop, const struct host_core *core, void *ctx,
			struct gwa_host **ret);
/* Closes the plugin if it is open. Timers and watches end; descriptors of ports are closed. */
struct gwa_host *host_free(struct gwa_host *host);
must_check int host_add_port(struct gwa_host *host, const char *name, int fd); /* takes fd */

/* The plugin's open(); what it says meanwhile is kept. Negative: it could not. */
must_check int host_open(struct gwa_host *host, const struct gwa_plugin *plugin,
			 const struct gwa_opt *opts, uint32_t n);
void host_close(struct gwa_host *host);

/* The core is ready to hear: all devices, blobs and unstored reports are said (again). minor: of the wire that it speaks. */
void host_live(struct gwa_host *host, uint32_t credit, uint16_t minor);
void host_away(struct gwa_host *host);
/* A blob from the core, before host_open. */
void host_fill(struct gwa_host *host, struct view key, struct view data);
/* STORED, COMMAND, JOIN, REMOVE, ASK */
void host_message(struct gwa_host *host, const struct wire_msg *msg);
void host_turn(struct gwa_host *host); /* after the messages of a packet */
void host_pump(struct gwa_host *host); /* there is room again */

uint32_t host_faults(const struct gwa_host *host, enum host_fault fault);
uint64_t host_last_report(const struct gwa_host *host);
