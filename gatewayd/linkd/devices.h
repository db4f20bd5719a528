#pragma once
/* devices - what this link may know: each device's description and, where the profile wants it, its last values.
 *
 *   above   linkd/native  linkd/native_codec
 *   below   base/base  base/list  base/text  model/device  model/value  model/wire
 *   owns    struct devices and every struct known in it
 *   limits  DEVICES_MAX
 *   errors  DEVICES_E_FULL
 *
 * A device that has changed is due to be published; the due ones wait in a line, so that many of them take no memory
 * but their place in it.
 */
#include "base/base.h"
#include "base/list.h"
#include "model/device.h"
#include "model/value.h"
#include "model/wire.h"

enum { DEVICES_MAX = 5000 };
enum { DEVICES_E_FULL = 1 };
enum { DUE_DESCRIPTION = 1u, DUE_STATE = 2u, DUE_AVAILABILITY = 4u };

struct known {
	struct list due_node, all_node;
	struct known *next; /* in its bucket */
	struct device_id id;
	uint8_t state; /* enum device_state */
	bool reachable, gone; /* gone: to be taken back from the platform, then forgotten */
	unsigned due;
	char room[WIRE_TEXT_MAX + 1];
	struct device_desc *desc;
	struct value_box *values; /* one for each capability, in the description's order */
	size_t n_values;
	uint64_t *numbers; /* of the spool, that the state now due will deliver */
	size_t n_numbers, cap_numbers;
};

struct devices;
must_check int devices_new(struct devices **ret);
struct devices *devices_free(struct devices *devices);
/* Takes the description in; values of capabilities that stay are kept. *ret is due to be described. */
must_check int devices_put(struct devices *devices, const struct wire_msg *msg, struct known **ret);
struct known *devices_find(const struct devices *devices, struct device_id id); /* NULL: unknown */
size_t devices_count(const struct devices *devices);
struct known *devices_next(const struct devices *devices, const struct known *after); /* after NULL: the first */
void devices_remove(struct devices *devices, struct known *known);
void devices_clear(struct devices *devices);
/* flags: DUE_*; none left takes it out of the line. */
void devices_set_due(struct devices *devices, struct known *known, unsigned flags);
void devices_unset_due(struct known *known, unsigned flags);
struct known *devices_due(const struct devices *devices); /* the one that has waited longest */
/* NULL: it has no such capability. */
struct value_box *known_value(const struct known *known, uint8_t endpoint, uint16_t cap);
must_check int known_add_number(struct known *known, uint64_t number);
