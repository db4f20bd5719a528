#pragma once
/* message - the one payload that all three systems carry, and how it is known again on the cloud side.
 *
 *   above   bench/crowd  bench/watcher
 *   owns    nothing
 *   limits  MESSAGE_LEN MESSAGE_PUBLISHERS_MAX
 */
#include <stddef.h>
#include <stdint.h>

enum {
	MESSAGE_LEN = 64,            /* bytes of payload, always */
	MESSAGE_PUBLISHERS_MAX = 64, /* who sent it is the value modulo this */
};

struct message {
	unsigned publisher;
	uint64_t seq;
};

/* How a value is found in what arrives. A system that hands the payload on untouched uses the default; one
 * that decodes and encodes again names the text before the number and the factor its unit brings. */
struct message_matcher {
	const char *key; /* the bytes right before the number, for example "energy": with its quotes */
	double scale;    /* the number there divided by this is the value that was sent */
};

/* Writes MESSAGE_LEN bytes, a Zigbee2MQTT state message; the value stays exact below 2^53. */
void message_write(char *out, const struct message *message);

typedef void (*message_fn)(void *ctx, const struct message *message);

/* Calls fn for each value in the payload (a batch may carry many); how many there were. */
size_t message_scan(const struct message_matcher *matcher, const void *payload, size_t payload_len,
		    message_fn fn, void *ctx);
