#pragma once
/* settings - what the configuration says about the simulated home, read from option texts.
 *
 *   above   sim/sim
 *   below   base/text  sdk/gw_adapter  sim/script
 *   owns    nothing
 *   limits  SETTINGS_DEVICES_MAX SETTINGS_CODE_MAX SETTINGS_SPARES_MAX
 *
 *   devices     lamp=2,plug=1,contact=1,climate=1,lock=1   how many of each kind
 *   period_ms   5000     how often readings move
 *   seed        1        same seed, same readings
 *   spare       lamp     a device of this kind appears while a join window is open
 *   spares      1        so many of them
 *   spare_hw    hex      hardware address of the first of them
 *   join_ms     300      so long a join takes
 *   join_fails  words    why it comes to nothing
 *   passkey     digits   to be compared on the way
 *   join_code   hex      install code without which none joins
 *   backup_bytes 0       a backup of the radio is at least so long
 *   claim_code  text     that the spare device presents when it has joined
 *   slow_ms     0        answers come so much later
 *   fault       none, silent (never answers), fail (always refuses), flood (reports without end)
 */
#include "sdk/gw_adapter.h"
#include "sim/script.h"

enum { SETTINGS_DEVICES_MAX = 512, SETTINGS_CODE_MAX = 36, SETTINGS_SPARES_MAX = 16, SETTINGS_WORDS_MAX = 160 };
enum settings_fault { FAULT_NONE, FAULT_SILENT, FAULT_FAIL, FAULT_FLOOD };

struct settings {
	uint32_t counts[SCRIPT_KINDS];
	uint32_t period_ms, slow_ms;
	uint64_t seed;
	bool has_spare;
	enum script_kind spare;
	uint32_t n_spares, join_ms, backup_bytes;
	struct gwa_addr spare_hw;
	uint8_t join_code[SETTINGS_CODE_MAX], n_join_code;
	char join_fails[SETTINGS_WORDS_MAX + 1], passkey[17];
	char claim_code[SETTINGS_CODE_MAX + 1];
	enum settings_fault fault;
};
/* 0, or the number from 1 of the first option that is wrong. */
uint32_t settings_read(struct settings *ret, const struct gwa_opt *opts, uint32_t n);
