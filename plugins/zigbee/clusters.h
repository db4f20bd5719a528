#pragma once
/* clusters - the table that traits reads: which attribute of which cluster is which capability, and how its number is meant.
 *
 *   above   -
 *   below   base/base  sdk/gw_adapter  sdk/gw_caps  zigbee/node  zigbee/zcl
 *   owns    the constant tables
 *   limits  -
 *
 * A new cluster is new rows. A row counts for an endpoint that has its cluster and fulfils its condition; an
 * attribute may have several rows.
 */
#include "base/base.h"
#include "zigbee/models.h"
#include "zigbee/node.h"

enum cluster_id {
	CLUSTER_POWER = 0x0001,
	CLUSTER_DEVICE_TEMPERATURE = 0x0002,
	CLUSTER_SCENES = 0x0005,
	CLUSTER_ON_OFF = 0x0006,
	CLUSTER_LEVEL = 0x0008,
	CLUSTER_ALARMS = 0x0009,
	CLUSTER_ANALOG_INPUT = 0x000c,
	CLUSTER_ANALOG_OUTPUT = 0x000d,
	CLUSTER_BINARY_INPUT = 0x000f,
	CLUSTER_BINARY_OUTPUT = 0x0010,
	CLUSTER_MULTISTATE_INPUT = 0x0012,
	CLUSTER_MULTISTATE_OUTPUT = 0x0013,
	CLUSTER_LOCK = 0x0101,
	CLUSTER_COVERING = 0x0102,
	CLUSTER_THERMOSTAT = 0x0201,
	CLUSTER_FAN = 0x0202,
	CLUSTER_COLOR = 0x0300,
	CLUSTER_ILLUMINANCE = 0x0400,
	CLUSTER_TEMPERATURE = 0x0402,
	CLUSTER_PRESSURE = 0x0403,
	CLUSTER_FLOW = 0x0404,
	CLUSTER_HUMIDITY = 0x0405,
	CLUSTER_OCCUPANCY = 0x0406,
	CLUSTER_SOIL_MOISTURE = 0x0408,
	CLUSTER_CO2 = 0x040d,
	CLUSTER_PM25 = 0x042a,
	CLUSTER_PM10 = 0x042d,
	CLUSTER_ZONE = 0x0500,
	CLUSTER_ACE = 0x0501,
	CLUSTER_WARNING = 0x0502,
	CLUSTER_METERING = 0x0702,
	CLUSTER_ELECTRICAL = 0x0b04,
};
enum { ATTRIBUTE_NONE = 0xffff }; /* a capability that is only ordered */

/* How the attribute's number becomes the capability's value. */
enum cluster_form {
	FORM_NUMBER,  /* times scale, and times multiplier by divisor where the row names them */
	FORM_WHOLE,   /* an INT as it is */
	FORM_TRUTH,   /* not 0 */
	FORM_BITS,    /* any of arg's bits */
	FORM_NO_BITS, /* none of arg's bits */
	FORM_WORD,    /* arg: enum cluster_words */
	FORM_LUX,     /* ZCL 4.2.2.2.1.1: 10000 * log10(lux) + 1 */
	FORM_SHARE,   /* 0..254 is 0..100, and 1 is not 0 */
	FORM_TURN,    /* 0..254 is 0..360 degrees */
	FORM_TURN16,  /* 0..65535 is 0..360 degrees */
	FORM_OPEN,    /* 100 is closed there and open here */
	FORM_MOVE,    /* that as a word */
	FORM_METER,   /* a volume in the meter's unit */
	FORM_COLOR,   /* x or y, with the other one, is hue and saturation */
	FORM_CELL,    /* a voltage in tenths by the model's curve */
	FORM_ORDER,   /* never read */
};
enum cluster_words { WORDS_LOCK, WORDS_DOOR, WORDS_MODE, WORDS_FAN, CLUSTER_WORDS };

/* What else an endpoint must be like. */
enum cluster_when {
	WHEN_ALWAYS,
	WHEN_KNOWN,      /* arg2: this fact was found */
	WHEN_CURVE,      /* the model's percentage is read from its voltage */
	WHEN_NO_CURVE,
	WHEN_BATTERY,    /* and there is nothing else that measures voltage */
	WHEN_NO_ZONE,    /* the fact was found, and no zone says the same */
	WHEN_COLOR_TEMPERATURE,
	WHEN_HUE,        /* in 254 steps */
	WHEN_HUE16,      /* in 65536 steps */
	WHEN_SATURATION,
	WHEN_XY,         /* and no hue */
	WHEN_LIFT,
	WHEN_TILT,
	WHEN_TILT_ONLY,
	WHEN_NO_THERMOMETER,
	WHEN_HEATS,
	WHEN_COOLS_ONLY,
	WHEN_HEATS_AND_COOLS,
	WHEN_ZONE,       /* arg2: of this type */
	WHEN_ZONE_OTHER, /* of a type that has no row of its own */
	WHEN_ENERGY,
	WHEN_DEMAND,     /* and nothing else measures power */
	WHEN_WATER,
	WHEN_GAS,
	WHEN_AC,
	WHEN_DC,
};

struct cluster_row {
	uint16_t cluster, attribute;
	uint16_t cap;
	uint16_t min_s, max_s; /* of reporting; max_s 0: not asked for */
	uint8_t type;          /* enum zcl_type_id */
	uint8_t access;        /* GWA_A_* */
	uint8_t form, when;
	uint8_t multiplier, divisor; /* enum node_fact; NODE_FACTS: none */
	uint16_t arg2;         /* of when */
	uint32_t arg;          /* of form */
	double scale;
	double change; /* in the attribute's own unit; with a multiplier in the capability's */
};
const struct cluster_row *clusters_at(size_t i); /* NULL: past the last */
/* The endpoint has the cluster, and what else is wanted. */
bool clusters_apply(const struct cluster_row *row, const struct node_endpoint *endpoint);
/* The device itself said that it has it (a fact of the interview), or losing it would be worse than showing too much: batteries, zones,
 * locks, sirens. Such a capability stays whatever the model is said to expose. */
bool clusters_is_proven(const struct cluster_row *row, const struct node_endpoint *endpoint);
/* Says how the device is, not what it does: a model that has it need not have a cluster for it. */
bool clusters_is_health(uint16_t cap);
/* Out-clusters whose commands are presses; 0: past the last. */
uint16_t clusters_pressed_at(size_t i);
bool clusters_is_pressed(const struct node_endpoint *endpoint);

/* A two-way list of words; NULL, -1: none. */
const char *clusters_word(enum cluster_words words, uint64_t number);
int clusters_number(enum cluster_words words, const void *word, size_t len);

/* multiplier by divisor, 1 where they are not known or are 0. */
double clusters_factor(const struct cluster_row *row, const struct node_endpoint *endpoint);
/* The meter's unit in litres (volumes) or in kWh; 0: no such thing. */
double clusters_meter_unit(const struct node_endpoint *endpoint);
uint8_t clusters_curve(const struct node_endpoint *endpoint); /* 1..MODEL_CURVES; 0: none */
bool clusters_has_quirk(const struct node_endpoint *endpoint, enum model_flag flag);
