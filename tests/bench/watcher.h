#pragma once
/* watcher - the platform of the load: one subscriber on the cloud broker that books what arrives.
 *
 *   above   bench/load
 *   below   bench/line  bench/mqtt  bench/message  bench/tally
 *   owns    its line
 */
#include "line.h"
#include "message.h"
#include "tally.h"

struct watcher_options {
	const char *address;
	struct ssl_ctx_st *tls; /* borrowed; NULL: plain */
	const char *filter;
	uint8_t qos;
	struct message_matcher matcher;
	bool show; /* print each topic and payload (to find out what a system sends) */
};

struct watcher {
	struct watcher_options options;
	struct line line;
	struct tally *tally;
	int epoll;
	uint32_t name; /* of its line in epoll */
	bool polled_out;
	uint64_t now_ns;     /* when the bytes that are being read came */
	uint64_t n_packets;  /* PUBLISH packets */
	uint64_t n_unknown;  /* those in which the matcher found nothing */
	uint64_t first_ns;   /* when the first known message came; 0: none yet */
	uint64_t last_ns;
};

/* Connects, subscribes and waits until the broker has agreed; 0 or negative errno. */
__attribute__((warn_unused_result)) int watcher_open(struct watcher *watcher,
						     const struct watcher_options *options,
						     struct tally *tally, int epoll, uint32_t name);
void watcher_close(struct watcher *watcher);
__attribute__((warn_unused_result)) int watcher_on_event(struct watcher *watcher);
