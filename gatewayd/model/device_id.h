#pragma once
/* device_id - the 24-hex-digit identity of the standard's appendix A: fields, codec, how new ones
 * are made.
 *
 *   above   everything that names a device
 *   below   base/base  base/text
 *   owns    nothing: a plain value of 12 bytes
 *   limits  DEVICE_ID_TEXT_MAX
 *   errors  DEVICE_ID_E_SYNTAX DEVICE_ID_E_VERSION
 *
 * Appendix A: version (2 digits, 01), maker code (6), product code (6), random part (8), extension
 * (2). Left fields are allocated before right ones and a value is unique under its parent, so the
 * allocator fills random and extension under our own maker and product code. The identity names a
 * device, it never proves one (8 hex digits of randomness are no credential; clause 6.2.3-a).
 */
#include "base/base.h"

enum { DEVICE_ID_LEN = 12, DEVICE_ID_TEXT_MAX = 25 };
enum { DEVICE_ID_E_SYNTAX = 1, DEVICE_ID_E_VERSION = 2 };

struct device_id {
	uint8_t b[DEVICE_ID_LEN];
};

struct device_id_fields {
	uint8_t version;  /* 1 */
	uint32_t maker;	  /* 24 bits */
	uint32_t product; /* 24 bits */
	uint32_t random;  /* 32 bits */
	uint8_t extension;
};

/* 24 digits, either case. */
must_check int device_id_parse(const char *text, size_t len, struct device_id *ret);
void device_id_print(struct device_id id, char ret[DEVICE_ID_TEXT_MAX]); /* canonical: lower case */
struct device_id_fields device_id_split(struct device_id id);
struct device_id device_id_join(struct device_id_fields fields);
bool device_id_equal(struct device_id a, struct device_id b);
/* All zero: no device (the gateway itself in events). */
bool device_id_is_none(struct device_id id);
uint64_t device_id_hash(struct device_id id, uint64_t seed);
