#pragma once
/* device - how an adapter describes a device, and the states a device can be in.
 *
 *   above   adapter  host  linkd  model  registry  router
 *   below   base/base  base/text  model/capability  model/device_id
 *   owns    struct device_desc owns its endpoint array when made by device_desc_copy
 *   limits  ADDRESS_MAX DEVICE_ENDPOINTS_MAX DEVICE_CAPS_MAX DEVICE_TEXT_MAX ADAPTER_NAME_MAX
 *   errors  DEVICE_E_DESC
 */
#include "base/base.h"
#include "model/capability.h"
#include "model/device_id.h"

enum {
	ADDRESS_MAX = 16,
	DEVICE_ENDPOINTS_MAX = 32,
	DEVICE_CAPS_MAX = 128,
	DEVICE_TEXT_MAX = 64,
	ADAPTER_NAME_MAX = 32
};
enum { DEVICE_E_DESC = 1 };

/* An adapter's own name for a device: EUI-64, BD_ADDR, MAC, or up to 16 bytes of its choice. */
struct address {
	uint8_t len;
	uint8_t bytes[ADDRESS_MAX];
};
bool address_equal(const struct address *a, const struct address *b);
void address_print(const struct address *a, char ret[2 * ADDRESS_MAX + 1]);
/* Hex, 1..16 bytes; DEVICE_E_DESC. */
must_check int address_parse(const char *text, struct address *ret);

struct endpoint_desc {
	uint8_t id;
	uint16_t profile; /* adapter's own device type number, informative */
	uint8_t n_caps;
	const struct capability_desc *caps;
};

/* Evidence of identity: 0 none (open), 1 shared key, 2 own key, 3 attested certificate. */
struct device_desc {
	struct address addr;
	struct address
		hw; /* IEEE address or MAC when known: by it one device on two adapters is merged */
	struct device_id id; /* the device's own identity when it brings one; else none */
	uint8_t evidence;
	bool sleepy;
	const char *vendor, *model, *firmware,
		*name; /* UTF-8, "" allowed, <= DEVICE_TEXT_MAX bytes */
	uint8_t n_endpoints;
	const struct endpoint_desc *endpoints;
};
must_check int device_desc_check(const struct device_desc *desc); /* limits, duplicate endpoints or
								     caps, row contradictions */
must_check int device_desc_copy(const struct device_desc *desc, struct device_desc **ret);
struct device_desc *device_desc_free(struct device_desc *desc);
const struct capability_desc *device_desc_find(const struct device_desc *desc, uint8_t endpoint,
					       uint16_t cap);

enum device_state {
	DEVICE_SEEN,	    /* an address spoke, nothing known yet */
	DEVICE_DESCRIBED,   /* the adapter told what it is; nobody asked for it */
	DEVICE_WAITING,	    /* joined in a window a user opened; waits for that user's claim */
	DEVICE_OURS,	    /* bound to a user */
	DEVICE_UNREACHABLE, /* ours, silent or its adapter is away */
	DEVICE_QUARANTINED, /* clone, contradiction or owner's wish: reaches nobody */
	DEVICE_RETIRED,	    /* for ever; the identity is not given again */
	DEVICE_STATES
};
const char *device_state_name(enum device_state state);
must_check int device_state_parse(const char *text, enum device_state *ret); /* DEVICE_E_DESC */
/* The table of permitted steps. */
bool device_state_may(enum device_state from, enum device_state to);
