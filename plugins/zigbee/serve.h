#pragma once
/* serve - what a device may ask a coordinator: the time, who it is, to be enrolled, whether it may sleep on, a newer image.
 *
 *   above   zigbee/network
 *   below   base/base  base/bytes  zigbee/radio  zigbee/zcl
 *   owns    nothing
 *   limits  SERVE_ANSWER_MAX
 *
 * Pure: the frame that came and the time of day in, the frame to send back out.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/radio.h"
#include "zigbee/zcl.h"

enum { SERVE_ANSWER_MAX = 128, SERVE_ZONE = 23 /* every zone's number: zones are known by their address */ };

struct serve_asker {
	int64_t utc_s;      /* since 1970; 0: nobody knows */
	int32_t offset_s;   /* of the local time */
	bool wait;          /* something waits for this device: it is not to fall asleep */
};
/* The length of the answer in ret; 0: it needs none. Answers that we asked for are none of its business. */
must_check size_t serve(const struct radio_message *message, const struct zcl_frame *frame, const struct serve_asker *asker,
			uint8_t ret[SERVE_ANSWER_MAX]);
