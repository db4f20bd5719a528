#pragma once
/* mt - the commands of TI's Monitor and Test interface that a coordinator needs, each a row of named kinds of fields.
 *
 *   above   zigbee/zdo
 *   below   base/base  base/bytes  zigbee/unpi
 *   owns    nothing: bytes borrow from the frame
 *   limits  MT_FIELDS_MAX
 *   errors  MT_E_UNKNOWN MT_E_SHORT MT_E_SPARE MT_E_VALUE
 *
 * A request (SREQ) is answered at once (SRSP) by a frame of the same subsystem and id; what happens later comes as an
 * indication (AREQ). mt_rows() is the table; a row's fields are what mt_decode() gives and mt_encode() takes.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/unpi.h"

enum { MT_FIELDS_MAX = 13 };
enum {
	MT_E_UNKNOWN = 1, /* no row for it */
	MT_E_SHORT = 2,   /* ends inside of a field; when writing: does not fit into a frame */
	MT_E_SPARE = 3,   /* bytes are left over */
	MT_E_VALUE = 4,   /* a number or length beyond its field, or not as many fields as the row has */
};

enum mt_subsystem { MT_RPC_ERROR = 0, MT_SYS = 1, MT_AF = 4, MT_ZDO = 5, MT_UTIL = 7, MT_APP_CNF = 15 };

/*
 * Fields, a letter each: 1 2 4 8 a number of so many bytes; b w bytes behind a length of one, two bytes; l 16 bit
 * numbers behind their count; r the rest; h bytes behind a length of two, or the length alone when the bytes are too many
 * for a frame and go another way. Behind ? fields may be missing; + more may follow than we know of.
 */
struct mt_row {
	uint8_t type, subsystem, id; /* enum unpi_type */
	const char *name, *fields;
};

struct mt_value {
	uint64_t n;
	struct view bytes; /* b w r h: as they are; l: little-endian pairs; of h n is the length, and bytes may be missing */
};

struct mt_message {
	const struct mt_row *row;
	size_t n; /* fields that were there */
	struct mt_value values[MT_FIELDS_MAX];
};

const struct mt_row *mt_rows(size_t *ret_n);
const struct mt_row *mt_find(uint8_t type, uint8_t subsystem, uint8_t id); /* NULL: none */

must_check int mt_decode(const struct unpi_frame *frame, struct mt_message *ret);

/* The message as a frame in buf. */
must_check int mt_encode(const struct mt_message *message, void *buf, size_t cap, size_t *ret_len);
