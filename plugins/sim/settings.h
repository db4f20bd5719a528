#pragma once
/* settings - what the configuration says about the simulated home, read from option texts.
 *
 *   above   sim/sim
 *   below   base/text  sdk/gw_adapter  sim/script
 *   owns    nothing
 *   limits  SETTINGS_DEVICES_MAX SETTINGS_CODE_MAX
 *
 *   devices     lamp=2,plug=1,contact=1,climate=1,lock=1   how many of each kind
 *   period_ms   5000     how often readings move
 *   seed        1        same seed, same readings
 *   spare       lamp     a device of this kind appears while a join window is open
 *   claim_code  text     that the spare device presents when it has joined
 *   slow_ms     0        answers come so much later
 *   fault       none, silent (never answers), fail (always refuses), flood (reports without end)
 */
#include "sdk/gw_adapter.h"
#include "sim/script.h"

enum { SETTINGS_DEVICES_MAX = 512, SETTINGS_CODE_MAX = 36 };
enum settings_fault { FAULT_NONE, FAULT_SILENT, FAULT_FAIL, FAULT_FLOOD };

struct settings {
	uint32_t counts[SCRIPT_KINDS];
	uint32_t period_ms, slow_ms;
	uint64_t seed;
	bool has_spare;
	enum script_kind spare;
	char claim_code[SETTINGS_CODE_MAX + 1];
	enum settings_fault fault;
};
/* 0, or the number from 1 of the first option that is wrong. */
uint32_t settings_read(struct settings *ret, const struct gwa_opt *opts, uint32_t n);
