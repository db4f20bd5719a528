#pragma once
/* traits - standard clusters by a table: what a device's endpoints let a home see and do, and what frames say that.
 *
 *   above   -
 *   below   base/base  base/bytes  sdk/gw_adapter  sdk/gw_caps  zigbee/models  zigbee/node  zigbee/zcl
 *   owns    the constant table
 *   limits  TRAITS_MAX TRAITS_READINGS_MAX TRAITS_FRAMES_MAX TRAITS_PLAN_MAX TRAITS_PAYLOAD_MAX TRAITS_WORD_MAX
 *   errors  TRAITS_E_NONE TRAITS_E_VALUE
 *
 * Pure: a node in, rows out; a frame in, readings out; an order in, frames out. Which capability a cluster gives is decided by the
 * same rules as zigbee-herdsman-converters' generator for unknown devices (tests/unit/expose_differences.tsv has what we do otherwise, and
 * why); a known model (models.h) adds names, what is known to be wrong with it, and which clusters it has for show.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sdk/gw_adapter.h"
#include "zigbee/models.h"
#include "zigbee/node.h"
#include "zigbee/zcl.h"

enum {
	TRAITS_MAX = 64,          /* capabilities of one device */
	TRAITS_READINGS_MAX = 4,  /* of one attribute or command */
	TRAITS_FRAMES_MAX = 4,    /* of one order */
	TRAITS_PLAN_MAX = 48,     /* attributes in one plan */
	TRAITS_PAYLOAD_MAX = 64,
	TRAITS_WORD_MAX = 40,     /* of a reading that is TEXT, with its NUL */
};
enum {
	TRAITS_E_NONE = 1,  /* no such capability here */
	TRAITS_E_VALUE = 2, /* a value that the cluster cannot say */
};

struct trait {
	uint8_t endpoint; /* of the device */
	struct gwa_cap cap;
};
/* What the device has. Sorted by endpoint, each capability once in an endpoint. Returns how many. */
must_check size_t traits_of(const struct node *node, struct trait ret[TRAITS_MAX]);

/* Attributes of an endpoint that are worth asking: facts at the interview; first values when it has come (again). */
struct trait_attribute {
	uint16_t cluster, attribute;
	uint8_t type;
	uint8_t fact; /* enum node_fact, NODE_FACTS: a value */
};
must_check size_t traits_facts(const struct node_endpoint *endpoint, struct trait_attribute ret[TRAITS_PLAN_MAX]);
/* To be called with every attribute that is heard, asked for or not, before traits_attribute: if it is a fact the endpoint knows it then.
 * True: a kept fact is new or another one; the device may have other traits now, and is to be saved. */
bool traits_learn(struct node_endpoint *endpoint, uint16_t cluster, uint16_t manufacturer, uint16_t attribute, const struct zcl_value *value);
/* A known model's quirks and what it exposes, whenever it was looked up: before traits_of. */
void traits_know(struct node *node, const struct model *model);
must_check size_t traits_first(const struct node_endpoint *endpoint, struct trait_attribute ret[TRAITS_PLAN_MAX]);

/* What is to be bound to the coordinator and reported by itself. A cluster without attributes is only bound (switches' commands). */
struct trait_report {
	uint16_t cluster;
	bool bind_only;
	uint16_t attribute;
	uint8_t type;
	uint16_t min_s, max_s;
	double change; /* in the attribute's own unit; for analogue types */
};
must_check size_t traits_reports(const struct node_endpoint *endpoint, struct trait_report ret[TRAITS_PLAN_MAX]);

struct trait_reading {
	uint8_t endpoint;
	uint16_t cap;
	struct gwa_value value; /* TEXT borrows from the table */
};
/* An attribute's value (report or answer to reading). Unknown ones give none. */
must_check size_t traits_attribute(const struct node *node, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer, uint16_t attribute,
				   const struct zcl_value *value, struct trait_reading ret[TRAITS_READINGS_MAX]);
/* A cluster's own command that the device sent: a switch's press, a zone's change, a lock's event. */
must_check size_t traits_command(const struct node *node, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *frame,
				 struct trait_reading ret[TRAITS_READINGS_MAX]);

/* What to send for an order. */
struct trait_frame {
	uint16_t cluster;
	bool general;     /* write attributes; else the cluster's own command */
	uint8_t command;
	uint8_t len;
	uint8_t payload[TRAITS_PAYLOAD_MAX];
};
struct trait_order {
	uint8_t endpoint;
	size_t n;
	struct trait_frame frames[TRAITS_FRAMES_MAX]; /* one after the other; each waits for the one before */
	bool said;                 /* when all went well the device is as ordered: report that value without waiting for its own report */
	bool reread;               /* ask for this attribute afterwards */
	uint16_t cluster, attribute;
};
/* endpoint 0: the first that has it. */
must_check int traits_order(const struct node *node, uint8_t endpoint, uint16_t cap, const struct gwa_value *value, struct trait_order *ret);
