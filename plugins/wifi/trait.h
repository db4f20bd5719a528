#pragma once
/* trait - one property that a LAN device speaks of, and the capability it is: read from JSON, written to JSON.
 *
 *   above   wifi/lan_device  wifi/z2m  wifi/tasmota
 *   below   base/base  base/text  model/capability  sdk/gw_adapter  sys/json
 *   owns    nothing: plain structs; words are constant tables
 *   limits  TRAIT_KEY_MAX TRAIT_WORD_MAX TRAIT_WORDS_MAX
 *   errors  TRAIT_E_UNKNOWN TRAIT_E_NOTHING TRAIT_E_VALUE
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "sys/json.h"

enum { TRAIT_KEY_MAX = 40, TRAIT_WORD_MAX = 24, TRAIT_WORDS_MAX = 16 };
enum {
	TRAIT_E_UNKNOWN = 1, /* we have no capability for it: left out, never guessed */
	TRAIT_E_NOTHING = 2, /* null, or an event that is over */
	TRAIT_E_VALUE = 3,   /* another type, out of range, a word that is not in the table */
};

enum trait_form { TRAIT_BINARY, TRAIT_NUMBER, TRAIT_WORDS, TRAIT_EVENT };
enum trait_flag {
	TRAIT_INVERT = 1u, /* the device's "on" is our false */
	TRAIT_SLOW = 2u,   /* arrives long after the order: any state after it counts as the echo */
	TRAIT_WHOLE = 4u,  /* the device takes whole numbers only */
	TRAIT_SPAN = 8u,   /* the device's 0..maximum is our 0..100 */
};

struct trait_word {
	const char *theirs, *ours;
};
/* What is known of a property's name: a row in a grammar's table. */
struct trait_row {
	const char *parent; /* NULL: stands for itself */
	const char *name, *unit; /* unit NULL: not looked at */
	uint16_t cap;
	uint8_t form, flags;
	double scale; /* ours = theirs * scale; 0 is 1 */
	const struct trait_word *words; /* ends with NULL */
};

/* A two-valued property's value as it stands in JSON. */
struct trait_literal {
	enum json_kind kind; /* JSON_TEXT, JSON_BOOL, JSON_INT */
	int64_t number;
	char text[TRAIT_WORD_MAX];
};
struct trait {
	char key[TRAIT_KEY_MAX], inner[TRAIT_KEY_MAX]; /* inner "": the value stands at key itself */
	const struct trait_row *row;
	uint8_t endpoint, type, access;
	uint16_t words; /* bit i: the device has row->words[i] */
	double scale;
	int64_t min, max, step; /* as in gwa_cap */
	struct trait_literal on, off;
};

/* A trait of the row with the row's own range, all words and "ON", "OFF". Unknown when a key is too long or nothing of
 * access remains. access: GWA_A_*. */
must_check int trait_make(const struct trait_row *row, const char *key, const char *inner, uint8_t endpoint,
			  unsigned access, struct trait *ret);
/* Numbers of the device, in its own unit; narrows the capability's range. */
void trait_narrow(struct trait *trait, double min, double max, double step);
struct gwa_cap trait_cap(const struct trait *trait);

/* json is the whole state. Text is borrowed from json or constant. UNKNOWN: the state does not speak of it. */
must_check int trait_read(const struct trait *trait, const struct json *json, struct gwa_value *ret);
/* json is the value alone. */
must_check int trait_read_value(const struct trait *trait, const struct json *json, struct gwa_value *ret);
/* The value as the device wants it; ret is the caller's to free. */
must_check int trait_write(const struct trait *trait, const struct gwa_value *value, struct json **ret);
/* Does what the device says now mean that the order was carried out? Half a step of the device counts as equal. */
bool trait_is_echo(const struct trait *trait, const struct gwa_value *order, const struct gwa_value *said);
