#pragma once
/* zdo - what Zigbee device objects say of themselves: descriptors, endpoints, neighbours, bindings, coming and going.
 *
 *   above   -
 *   below   base/base  base/bytes  zigbee/mt
 *   owns    nothing: lists are copied into the structs
 *   limits  ZDO_ENDPOINTS_MAX ZDO_CLUSTERS_MAX ZDO_NEIGHBOURS_MAX
 *   errors  ZDO_E_STATUS ZDO_E_SHORT ZDO_E_SPARE ZDO_E_MANY ZDO_E_VALUE ZDO_E_OTHER
 *
 * Each reader takes a message of zigbee/mt and refuses one of another kind, so that a dispatcher's mistake is seen.
 */
#include "base/base.h"
#include "zigbee/mt.h"

enum { ZDO_ENDPOINTS_MAX = 32, ZDO_CLUSTERS_MAX = 48, ZDO_NEIGHBOURS_MAX = 8 };
enum {
	ZDO_E_STATUS = 1, /* the device refused; .status says how */
	ZDO_E_SHORT = 2,
	ZDO_E_SPARE = 3,
	ZDO_E_MANY = 4,  /* longer than we keep: a device with more is not joined half */
	ZDO_E_VALUE = 5, /* a field that the standard does not allow */
	ZDO_E_OTHER = 6, /* another message */
};

enum zdo_kind { ZDO_COORDINATOR, ZDO_ROUTER, ZDO_END_DEVICE, ZDO_KIND_UNKNOWN };

struct zdo_answer {
	uint16_t from, of; /* who answered, and of which node */
	uint8_t status;
};

struct zdo_node {
	struct zdo_answer answer;
	uint8_t kind; /* enum zdo_kind */
	uint8_t capabilities;
	uint16_t manufacturer;
	uint8_t buffer;
	uint16_t max_in, server_mask, max_out;
};

struct zdo_endpoints {
	struct zdo_answer answer;
	size_t n;
	uint8_t ids[ZDO_ENDPOINTS_MAX];
};

struct zdo_simple {
	struct zdo_answer answer;
	uint8_t endpoint, version;
	uint16_t profile, device;
	size_t n_in, n_out;
	uint16_t in[ZDO_CLUSTERS_MAX], out[ZDO_CLUSTERS_MAX];
};

struct zdo_neighbour {
	uint64_t pan, eui;
	uint16_t nwk;
	uint8_t kind, awake, relation, permit, depth, lqi;
};

struct zdo_lqi {
	struct zdo_answer answer;
	uint8_t total, start;
	size_t n;
	struct zdo_neighbour rows[ZDO_NEIGHBOURS_MAX];
};

struct zdo_announce {
	uint64_t eui;
	uint16_t nwk;
	uint8_t capabilities; /* bit 1 router, bit 2 mains, bit 3 listens when idle */
};

struct zdo_leave {
	uint64_t eui;
	uint16_t nwk;
	bool rejoins;
};

/* On ZDO_E_STATUS the answer is written and nothing else of it. */
must_check int zdo_node_read(const struct mt_message *m, struct zdo_node *ret);
must_check int zdo_endpoints_read(const struct mt_message *m, struct zdo_endpoints *ret);
must_check int zdo_simple_read(const struct mt_message *m, struct zdo_simple *ret);
must_check int zdo_lqi_read(const struct mt_message *m, struct zdo_lqi *ret);
must_check int zdo_status_read(const struct mt_message *m, struct zdo_answer *ret); /* bind, unbind, leave, permit join */
must_check int zdo_announce_read(const struct mt_message *m, struct zdo_announce *ret);
must_check int zdo_leave_read(const struct mt_message *m, struct zdo_leave *ret);
