#pragma once
/* unpi - the serial framing of a Z-Stack network processor: start, length, command, data, check byte.
 *
 *   above   zigbee/mt
 *   below   base/base  base/bytes
 *   owns    struct unpi_reader: the bytes of one frame that is not whole yet; it holds no memory beside itself
 *   limits  UNPI_DATA_MAX UNPI_FRAME_MAX
 *   errors  UNPI_E_SIZE
 *
 * A reader is fed and asked in turn: unpi_reader_take() as much as it takes, unpi_reader_next() until it says
 * false, and again. Whatever it had to throw away to find its place is counted.
 */
#include "base/base.h"
#include "base/bytes.h"

enum { UNPI_DATA_MAX = 250, UNPI_FRAME_MAX = UNPI_DATA_MAX + 5 };
enum { UNPI_E_SIZE = 1 }; /* more data than a frame holds, or than the buffer does */

enum unpi_type { UNPI_POLL, UNPI_SREQ, UNPI_AREQ, UNPI_SRSP };

struct unpi_frame {
	uint8_t type;      /* enum unpi_type; what comes from outside may be 4..7 too */
	uint8_t subsystem; /* 0..31 */
	uint8_t id;
	struct view data;
};

struct unpi_reader {
	uint8_t buf[UNPI_FRAME_MAX];
	size_t len;   /* bytes in buf */
	size_t given; /* of these, the frame that the caller has seen */
	uint64_t frames, bad_checks, bad_lengths, skipped;
};

void unpi_reader_init(struct unpi_reader *r);

/* Copies what fits and says how much. After unpi_reader_next() said false at least one byte fits. */
must_check size_t unpi_reader_take(struct unpi_reader *r, const void *data, size_t len);

/* The next whole frame; its data is the reader's and good until the next call. */
must_check bool unpi_reader_next(struct unpi_reader *r, struct unpi_frame *ret);

/* The line was quiet for longer than a frame takes: what is unfinished was no frame. Ask for the next one again. */
void unpi_reader_silence(struct unpi_reader *r);

must_check int unpi_encode(const struct unpi_frame *frame, void *buf, size_t cap, size_t *ret_len);
