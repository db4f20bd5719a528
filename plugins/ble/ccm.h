#pragma once
/* ccm - AES-128 in CCM with a tag of 4 bytes: what encrypted beacons use.
 *
 *   above   ble/atc  ble/bthome  ble/mibeacon
 *   below   base/base  base/bytes
 *   owns    nothing
 *   limits  CCM_PLAIN_MAX
 *   errors  CCM_E_FORGED CCM_E_SIZE
 */
#include "base/base.h"
#include "base/bytes.h"

enum { CCM_KEY_LEN = 16, CCM_TAG_LEN = 4, CCM_PLAIN_MAX = 256 };
enum { CCM_E_FORGED = 1, CCM_E_SIZE = 2 };

struct ccm_box {
	struct view nonce; /* 7..13 bytes */
	struct view also;  /* authenticated, not encrypted */
	struct view sealed;
	const uint8_t *tag; /* CCM_TAG_LEN */
};

/* What stands in a box whose tag was cut off: nobody can tell whether it is what was put in. nonce: 13 bytes. */
must_check int ccm_peek(const uint8_t key[CCM_KEY_LEN], struct view nonce, struct view sealed, uint8_t *ret);
/* ret holds sealed.len bytes; it is written only on success. CCM_E_FORGED: other key, or not what was sealed. */
must_check int ccm_open(const uint8_t key[CCM_KEY_LEN], const struct ccm_box *box, uint8_t *ret);
