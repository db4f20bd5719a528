#pragma once
/* chest - a network and its devices' keys as the bytes in which the plugin keeps them, and which keys are none.
 *
 *   above   zigbee/kept  zigbee/network
 *   below   base/base  base/bytes  sys/crypto  zigbee/radio
 *   owns    nothing: what it reads and writes is secret, whoever holds it wipes it
 *   limits  CHEST_BYTES_MAX
 *   errors  CHEST_E_DAMAGED
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/radio.h"

enum { CHEST_BYTES_MAX = 16384 };
enum { CHEST_E_DAMAGED = 1 };

struct chest {
	struct radio_network network;
	bool adopted; /* its devices were not all let in by us */
	size_t n;
	struct radio_key keys[RADIO_KEYS_MAX];
};
must_check size_t chest_write(const struct chest *chest, uint8_t buf[CHEST_BYTES_MAX]);
must_check int chest_read(struct view blob, struct chest *ret);
struct chest *chest_free(struct chest *chest); /* wiped */

/* A key that is printed in books, or was the default of a program: whoever knows it reads along. */
bool chest_key_is_published(const uint8_t key[16]);
