#pragma once
/* crowd - the devices of the load: N connections to the LAN broker, each with few messages on the way.
 *
 *   above   bench/load
 *   below   bench/line  bench/mqtt  bench/message  bench/tally
 *   owns    the publishers' lines
 */
#include "line.h"
#include "message.h"
#include "mqtt.h"
#include "tally.h"

struct crowd_options {
	const char *address;
	const char *topic; /* a publisher's topic is this and its number, two digits */
	unsigned n;
	uint8_t qos;
	uint64_t window;   /* most messages of one publisher on the way */
	uint64_t quota;    /* most messages of one publisher in all; 0: no end */
	bool end_to_end;   /* "on the way" ends on the cloud side, not with the PUBACK */
};

struct publisher {
	struct line line;
	char topic[MQTT_TOPIC_MAX];
	uint64_t n_acked;
	bool polled_out;
};

struct crowd {
	struct crowd_options options;
	struct tally *tally;
	int epoll;
	unsigned next; /* whose turn it is at a fixed rate */
	uint64_t n_acked;
	struct publisher publishers[MESSAGE_PUBLISHERS_MAX];
};

/* Connects all and waits for their CONNACK; 0 or negative errno. Lines are in epoll under their number. */
__attribute__((warn_unused_result)) int crowd_open(struct crowd *crowd,
						   const struct crowd_options *options,
						   struct tally *tally, int epoll);
void crowd_close(struct crowd *crowd);

/* The line of publisher i is readable or writable; negative errno when it broke. */
__attribute__((warn_unused_result)) int crowd_on_event(struct crowd *crowd, unsigned i);
/* Saturation: fills every window that is at least half empty. */
__attribute__((warn_unused_result)) int crowd_pump(struct crowd *crowd);
/* Fixed rate: n messages, each from the next publisher; those whose window is full are held back and counted. */
__attribute__((warn_unused_result)) int crowd_send(struct crowd *crowd, uint64_t n,
						   uint64_t *n_held);
