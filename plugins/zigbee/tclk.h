#pragma once
/* tclk - how a Z-Stack trust centre makes each device's link key of one seed, the device's address and a turn.
 *
 *   above   zigbee/backup  zigbee/znp_keep  zigbee/znp_restore
 *   below   base/base  sys/crypto  zigbee/radio
 *   owns    nothing; seeds and keys are secrets of whoever holds them
 */
#include "base/base.h"
#include "zigbee/radio.h"

enum { TCLK_LEN = 16 };

void tclk_key(const uint8_t seed[TCLK_LEN], uint64_t eui, unsigned int shift, uint8_t ret[TCLK_LEN]);
int tclk_shift(const uint8_t seed[TCLK_LEN], uint64_t eui, const uint8_t key[TCLK_LEN]); /* -1: not made of this seed */

/* The seed of which most of the keys are made, when at least two are; any of its turns is as good. */
bool tclk_seed_find(const struct radio_key *keys, size_t n, uint8_t ret[TCLK_LEN]);
