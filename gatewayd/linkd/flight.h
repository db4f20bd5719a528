#pragma once
/* flight - messages on their way to the broker: kept until it has taken them, sent again when it would not.
 *
 *   above   linkd/outlet
 *   below   base/base  base/list
 *   owns    copies of payloads, and the spool numbers in them
 *   limits  FLIGHT_MAX
 *   errors  FLIGHT_E_FULL
 *
 * A lane is an order: what waits to be sent again in a lane holds back all that is new in it.
 */
#include "base/base.h"
#include "base/list.h"

enum { FLIGHT_MAX = 64 }; /* of one lane */
enum { FLIGHT_E_FULL = 1 };

enum lane {
	LANE_EVENTS,  /* from the spool: never given up */
	LANE_STATES,  /* retained descriptions and states */
	LANE_ANSWERS, /* of no use later: refused ones are given up */
	LANES
};

struct parcel {
	enum lane lane;
	const char *topic;
	const void *payload;
	size_t len;
	bool retain;
	const uint64_t *numbers; /* of the spool */
	size_t n_numbers;
};

struct flight_entry {
	struct list node;
	enum lane lane;
	int mid;
	int64_t due_ms; /* held: when it is sent again */
	char *topic;
	void *payload;
	size_t len;
	bool retain;
	uint64_t *numbers;
	size_t n_numbers;
};

struct flight {
	struct list under_way, held;
	size_t n[LANES], n_held[LANES];
};

void flight_init(struct flight *flight);
void flight_deinit(struct flight *flight);
bool flight_has_room(const struct flight *flight, enum lane lane);
/* *ret is under way once it has a mid. */
must_check int flight_add(struct flight *flight, const struct parcel *parcel, struct flight_entry **ret);
struct flight_entry *flight_find(struct flight *flight, int mid);
void flight_hold(struct flight *flight, struct flight_entry *entry, int64_t due_ms);
/* The next that is due; it is under way again. NULL: none. */
struct flight_entry *flight_due(struct flight *flight, int64_t now_ms);
int64_t flight_next_due_ms(const struct flight *flight); /* -1: none is held */
void flight_drop(struct flight *flight, struct flight_entry *entry);
