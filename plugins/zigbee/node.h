#pragma once
/* node - what is known of one device of the network: its addresses, endpoints, names, and the facts its readings are computed with.
 *
 *   above   -
 *   below   base/base
 *   owns    struct node: its endpoints
 *   limits  NODE_ENDPOINTS_MAX NODE_CLUSTERS_MAX NODE_TEXT_MAX
 *
 * Plain values, filled by the interview (interview.h), kept by nodes.h, read by traits.h. Nothing in it is a secret.
 */
#include "base/base.h"

enum { NODE_ENDPOINTS_MAX = 16, NODE_CLUSTERS_MAX = 32, NODE_TEXT_MAX = 32 };

/* Attributes that say how others are to be read: asked once at the interview (traits_facts), kept with the node. */
enum node_fact {
	FACT_ZONE_TYPE,          /* 0500/0001 */
	FACT_COLOR_CAPABILITIES, /* 0300/400a */
	FACT_MIREDS_MIN,         /* 0300/400b */
	FACT_MIREDS_MAX,         /* 0300/400c */
	FACT_METER_UNIT,         /* 0702/0300 */
	FACT_METER_MULTIPLIER,   /* 0702/0301 */
	FACT_METER_DIVISOR,      /* 0702/0302 */
	FACT_VOLTAGE_MULTIPLIER, /* 0b04/0600 */
	FACT_VOLTAGE_DIVISOR,
	FACT_CURRENT_MULTIPLIER,
	FACT_CURRENT_DIVISOR,
	FACT_POWER_MULTIPLIER,
	FACT_POWER_DIVISOR,
	FACT_FREQUENCY_MULTIPLIER, /* 0b04/0400 */
	FACT_FREQUENCY_DIVISOR,    /* 0b04/0401 */
	FACT_COVER_TYPE,         /* 0102/0000 */
	FACT_THERMOSTAT_MODES,   /* 0201/001b control sequence */
	FACT_FAN_MODES,          /* 0202/0001 */
	FACT_METER_DEVICE,       /* 0702/0306 */
	FACT_ELECTRICAL_TYPE,    /* 0b04/0000: bit 6 direct current */
	FACT_POWER_FACTOR,       /* 0b04/0510: only that it is there */
	FACT_BATTERY_VOLTAGE,    /* 0001/0020: only that it is there */
	FACT_BATTERY_ALARM,      /* 0001/003e: only that it is there */
	FACT_DOOR_STATE,         /* 0101/0003: only that it is there */
	FACT_SETPOINT_MIN,       /* 0201/0003 hundredths */
	FACT_SETPOINT_MAX,       /* 0201/0004 */
	NODE_FACTS_KEPT,         /* those from here on change all the time: never written to the disk */
	FACT_COLOR_X = NODE_FACTS_KEPT, /* 0300/0003 */
	FACT_COLOR_Y,            /* 0300/0004 */
	FACT_QUIRKS,             /* of a known model: traits_know */
	NODE_FACTS
};

struct node_endpoint {
	uint8_t id;
	uint16_t profile, device;
	uint8_t n_in, n_out;
	uint16_t in[NODE_CLUSTERS_MAX], out[NODE_CLUSTERS_MAX];
	uint32_t known;            /* 1 << enum node_fact */
	int32_t facts[NODE_FACTS];
};

struct node {
	uint64_t eui;
	uint16_t nwk;
	uint8_t kind;         /* enum zdo_kind */
	uint8_t capabilities; /* of its announcement: bit 1 router, 2 mains, 3 listens when idle */
	uint16_t manufacturer;
	uint8_t power;        /* Basic 0007: 1 mains, 3 battery */
	uint8_t evidence;     /* 1 the shared join key, 2 a key of its own (install code) */
	char vendor[NODE_TEXT_MAX + 1], model[NODE_TEXT_MAX + 1], firmware[NODE_TEXT_MAX + 1]; /* as it says: Basic 0004, 0005, 4000 */
	uint8_t n_endpoints;
	struct node_endpoint *endpoints;
	const uint8_t *exposes; /* all capabilities of a known model, 0 is the end (traits_know); NULL: not known, or there may be more */
};

static inline bool node_is_sleepy(const struct node *node)
{
	return !(node->capabilities & 8u);
}
const struct node_endpoint *node_endpoint(const struct node *node, uint8_t id); /* NULL: none */
bool node_has_in(const struct node_endpoint *endpoint, uint16_t cluster);
bool node_has_out(const struct node_endpoint *endpoint, uint16_t cluster);
int32_t node_fact(const struct node_endpoint *endpoint, enum node_fact fact, int32_t otherwise);
