#pragma once
/* orders - what the core asked for and the LAN has not confirmed yet: acknowledged by the broker, echoed by the device.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  sdk/gw_adapter  wifi/trait
 *   owns    nothing: a plain table
 *   limits  ORDERS_MAX ORDERS_TEXT_MAX
 *   errors  ORDERS_E_FULL
 *
 * An order is done when both have come: the broker's acknowledgement and a state of the device that agrees. An order
 * that nothing would echo is done with the acknowledgement; one to the bridge, with the bridge's answer.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "wifi/trait.h"

enum { ORDERS_MAX = 256, ORDERS_TEXT_MAX = 32 };
enum { ORDERS_E_FULL = 1 };

struct order {
	uint64_t req; /* 0: a free row */
	uint64_t deadline_ms;
	int mid; /* of the message; 0: none */
	bool acked, echoed;
	bool to_bridge;
	struct gwa_addr addr;
	uint8_t endpoint;
	uint16_t cap;
	struct gwa_value value;
	char text[ORDERS_TEXT_MAX];
};
struct orders {
	struct order rows[ORDERS_MAX];
	size_t n;
};

/* A copy with its own text. The value's text must fit ORDERS_TEXT_MAX: words are short. */
must_check int orders_add(struct orders *orders, const struct order *order, struct order **ret);
void orders_remove(struct orders *orders, struct order *order);
struct order *orders_by_mid(struct orders *orders, int mid);
struct order *orders_by_req(struct orders *orders, uint64_t req);
/* One whose deadline has passed, NULL: none. */
struct order *orders_late(struct orders *orders, uint64_t now_ms);
struct order *orders_any(struct orders *orders);
uint64_t orders_deadline(const struct orders *orders); /* UINT64_MAX: none */
/* The next order from *at on that this reading of the device confirms; marks it. NULL: no more. */
struct order *orders_echo(struct orders *orders, size_t *at, const struct gwa_addr *addr, const struct trait *trait,
			  const struct gwa_value *said);
