#pragma once
/* advert - the AD structures of one advertisement: flags, name, service data, manufacturer data.
 *
 *   above   -
 *   below   base/base  base/bytes  base/text
 *   owns    nothing: every view is borrowed from the input
 *   limits  ADVERT_BYTES_MAX ADVERT_PARTS_MAX
 *   errors  ADVERT_E_MALFORMED ADVERT_E_SIZE
 */
#include "base/base.h"
#include "base/bytes.h"

/* Extended advertising carries at most 1650 bytes (Core 5.4, Vol 4 Part E, 7.8.54). */
enum { ADVERT_BYTES_MAX = 1650, ADVERT_PARTS_MAX = 16 };
enum { ADVERT_E_MALFORMED = 1, ADVERT_E_SIZE = 2 };

struct advert_service16 {
	uint16_t uuid;
	struct view data;
};
struct advert_service128 {
	uint8_t uuid[16]; /* as written: highest byte first */
	struct view data;
};
struct advert_maker {
	uint16_t company;
	struct view data;
};

struct advert {
	bool has_flags;
	uint8_t flags;
	struct view name; /* UTF-8; the complete one if both are there */
	bool name_is_whole;
	size_t nservices16, nservices128, nmakers;
	struct advert_service16 services16[ADVERT_PARTS_MAX];
	struct advert_service128 services128[ADVERT_PARTS_MAX];
	struct advert_maker makers[ADVERT_PARTS_MAX];
};

/* ADVERT_E_SIZE: too long, or too many parts of one kind. */
must_check int advert_read(const void *data, size_t len, struct advert *ret);
