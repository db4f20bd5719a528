#pragma once
/* groups - which groups there are in the network and who is in them, and the bytes in which that is kept.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/bytes
 *   owns    struct groups: plain values
 *   limits  GROUPS_MAX GROUPS_MEMBERS_MAX GROUPS_NAME_MAX GROUPS_ID_MAX GROUPS_BYTES_MAX
 *   errors  GROUPS_E_FULL GROUPS_E_DAMAGED
 *
 * Pure. A group without members is none: it is taken out.
 */
#include "base/base.h"
#include "base/bytes.h"

enum {
	GROUPS_MAX = 16,
	GROUPS_MEMBERS_MAX = 32,
	GROUPS_NAME_MAX = 32,
	GROUPS_ID_MAX = 65000,
	GROUPS_BYTES_MAX = 8192,
};
enum { GROUPS_E_FULL = 1, GROUPS_E_DAMAGED = 2 };

struct group {
	uint16_t id;
	char name[GROUPS_NAME_MAX + 1];
	uint8_t n;
	uint64_t members[GROUPS_MEMBERS_MAX];
	bool up;       /* as the core was told; not kept */
	uint64_t told; /* the sum of what it can do */
};
struct groups {
	uint64_t ext_pan; /* of the network that they are in */
	uint16_t last;    /* number given: one that was taken out is not given again soon, since a device may not have heard of it */
	uint8_t n;
	struct group rows[GROUPS_MAX];
};
struct group *groups_find(struct groups *groups, uint16_t id); /* NULL: none */
bool groups_has(const struct group *group, uint64_t eui);
uint16_t groups_next(struct groups *groups); /* a number that no group has */
/* In the place of the one with its number, or as a new one. */
must_check int groups_put(struct groups *groups, const struct group *group);
void groups_take_out(struct groups *groups, uint16_t id);
void groups_drop(struct group *group, uint64_t eui);

must_check size_t groups_write(const struct groups *groups, uint8_t buf[GROUPS_BYTES_MAX]);
must_check int groups_read(struct view blob, struct groups *ret);
