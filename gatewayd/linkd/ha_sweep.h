#pragma once
/* ha_sweep - what the broker has kept of devices that went while nobody looked: found, and taken back.
 *
 *   above   linkd/ha
 *   below   base/base  base/text  linkd/devices  linkd/ha_codec  linkd/mqtt  linkd/outlet  model/device_id  sys/json  sys/loop
 *   owns    the list of candidates
 *   limits  HA_SWEEP_MAX
 */
#include "base/base.h"
#include "linkd/devices.h"
#include "linkd/ha_codec.h"
#include "linkd/mqtt.h"
#include "linkd/outlet.h"
#include "sys/loop.h"

enum { HA_SWEEP_MAX = 256, HA_SWEEP_MS = 5000 }; /* more are found after the next connection */

struct ha_sweep {
	struct device_id ids[HA_SWEEP_MAX];
	size_t n;
	bool listening;
	const struct ha_topics *topics;
	struct outlet *outlet;
	struct devices *devices;
	struct timer *timer;
};
must_check int ha_sweep_init(struct ha_sweep *sweep, struct loop *loop, const struct ha_topics *topics, struct outlet *outlet,
			     struct devices *devices);
void ha_sweep_deinit(struct ha_sweep *sweep);
void ha_sweep_begin(struct ha_sweep *sweep); /* connected */
void ha_sweep_end(struct ha_sweep *sweep);   /* no longer */
/* A discovery message, of this gateway or of anybody. False: something else. */
bool ha_sweep_hear(struct ha_sweep *sweep, const struct mqtt_message *message);
/* Is it the configuration of a device of this gateway? */
bool ha_sweep_is_ours(const struct ha_topics *topics, const struct mqtt_message *message, struct device_id *ret);
