#pragma once
/* script - simulated devices as pure values: what each kind can do, how its readings move, what an order does to it.
 *
 *   above   sim/sim  sim/settings
 *   below   sdk/gw_adapter  sdk/gw_caps
 *   owns    nothing
 *   limits  SCRIPT_CAPS_MAX
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sdk/gw_adapter.h"

enum { SCRIPT_CAPS_MAX = 6 };
enum script_kind {
	SCRIPT_LAMP,
	SCRIPT_PLUG,
	SCRIPT_CONTACT,
	SCRIPT_CLIMATE,
	SCRIPT_LOCK,
	SCRIPT_KINDS
};

struct script_model {
	const char *name, *model;
	bool sleepy;
	uint8_t n_caps;
	struct gwa_cap caps[SCRIPT_CAPS_MAX];
};
struct script_device {
	enum script_kind kind;
	uint64_t random;		/* state of its generator: same seed, same life */
	double values[SCRIPT_CAPS_MAX]; /* bool 0/1; a word's index among script_words */
	double said[SCRIPT_CAPS_MAX];
	uint8_t dirty; /* 1 << capability: changed and not yet reported */
	bool alive;
};

const struct script_model *script_model(enum script_kind kind);
bool script_kind_parse(const char *name, size_t len, enum script_kind *ret);
void script_init(struct script_device *device, enum script_kind kind, uint64_t seed);
void script_step(struct script_device *device, uint32_t ms); /* time passes */
/* GWA_OK, GWA_UNSUPPORTED, GWA_BAD_VALUE */
int script_set(struct script_device *device, uint8_t endpoint, uint16_t cap,
	       const struct gwa_value *value);
struct gwa_value script_value(const struct script_device *device, uint8_t i);
