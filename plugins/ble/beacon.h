#pragma once
/* beacon - one remembered device: what it can say, what it said last, when it is away, and how it is described.
 *
 *   above   ble/beacons  ble/sensors  ble/gatt
 *   below   base/base  base/text  ble/hear  model/capability  sdk/gw_adapter
 *   owns    nothing: plain values. key is a secret: whoever frees the struct wipes it
 *   limits  BEACON_CAPS_MAX BEACON_TEXT_MAX
 *
 * A value is said when it changed, but a measurement not more often than each BEACON_CALM_MS, and all of them again after
 * BEACON_AGAIN_MS; an event (a button) each time. Away is who was not heard for BEACON_AWAY_TIMES its own interval.
 */
#include "base/base.h"
#include "ble/hear.h"
#include "sdk/gw_adapter.h"

enum {
	BEACON_CAPS_MAX = 24,
	BEACON_TEXT_MAX = 32,
	BEACON_CALM_MS = 10 * 1000,
	BEACON_AGAIN_MS = 10 * 60 * 1000,
	BEACON_AWAY_TIMES = 6,
	BEACON_AWAY_LEAST_MS = 5 * 60 * 1000,
	BEACON_AWAY_MOST_MS = 2 * 60 * 60 * 1000,
	BEACON_HW_LEN = 6,
};

struct beacon_cap {
	uint16_t cap;
	uint8_t endpoint, type, access; /* GWA_T_*, GWA_A_* */
	bool said;
	uint32_t hash; /* of the last value that was taken */
	uint64_t said_ms;
};
struct beacon {
	uint8_t mac[6]; /* highest byte first */
	bool random;	/* a static address of its own making */
	enum hear_format format;
	uint16_t product;
	uint8_t evidence;
	bool irregular; /* it speaks when something happens: silence means nothing */
	bool up;	/* what the core was told last */
	struct hear_key key;
	struct hear_memory memory;
	uint64_t heard_ms; /* 0: not since we run */
	uint32_t interval_ms;
	char name[BEACON_TEXT_MAX + 1], vendor[BEACON_TEXT_MAX + 1], model[BEACON_TEXT_MAX + 1], firmware[BEACON_TEXT_MAX + 1];
	size_t n_caps;
	struct beacon_cap caps[BEACON_CAPS_MAX];
};

/* A fresh one, not heard yet. name may be NULL. */
void beacon_init(struct beacon *beacon, const uint8_t mac[6], bool random, const char *name);
/* Who made it, by what was heard: format, product, model. */
void beacon_identify(struct beacon *beacon, const struct hearing *hearing);
/* Takes down what it can say. True: something new is among it. What finds no room is left out. */
bool beacon_learn(struct beacon *beacon, const struct readings *readings);
struct beacon_cap *beacon_cap(struct beacon *beacon, uint16_t cap, uint8_t endpoint); /* NULL: none */
struct beacon_cap *beacon_cap_add(struct beacon *beacon, uint16_t cap, uint8_t endpoint, uint8_t type, uint8_t access);

/* The last part of a Bluetooth address of the kind that stays. */
bool beacon_address_stays(const uint8_t mac[6], bool random);
struct gwa_addr beacon_addr(const struct beacon *beacon);

bool beacon_is_due(const struct beacon_cap *cap, const struct value *value, uint64_t now_ms);
void beacon_said(struct beacon_cap *cap, const struct value *value, uint64_t now_ms);
bool beacon_is_event(uint16_t cap);

/* News came in: the interval follows the longest gaps, and forgets them slowly. */
void beacon_heard(struct beacon *beacon, uint64_t now_ms);
uint64_t beacon_away_at(const struct beacon *beacon); /* UINT64_MAX: never */

struct beacon_description {
	struct gwa_device device;
	struct gwa_endpoint endpoints[BEACON_CAPS_MAX];
	struct gwa_cap caps[BEACON_CAPS_MAX];
};
/* Borrows beacon's texts. */
void beacon_describe(const struct beacon *beacon, struct beacon_description *ret);
