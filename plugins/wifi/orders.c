/* A small table, searched from end to end: orders are few, and states come in thousands only when there are none. */
#include "wifi/orders.h"

#include <string.h>

int orders_add(struct orders *orders, const struct order *order, struct order **ret)
{
	bool is_text = order->value.type == GWA_T_TEXT;

	if (is_text && order->value.len > ORDERS_TEXT_MAX)
		return ORDERS_E_FULL;
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		struct order *row = &orders->rows[i];

		if (row->req)
			continue;
		*row = *order;
		if (is_text) {
			memcpy(row->text, order->value.v.data, order->value.len);
			row->value.v.data = row->text;
		}
		orders->n++;
		*ret = row;
		return 0;
	}
	return ORDERS_E_FULL;
}

void orders_remove(struct orders *orders, struct order *order)
{
	*order = (struct order){ 0 };
	orders->n--;
}

struct order *orders_by_mid(struct orders *orders, int mid)
{
	for (size_t i = 0; orders->n && i < ORDERS_MAX; i++) {
		if (orders->rows[i].req && orders->rows[i].mid == mid)
			return &orders->rows[i];
	}
	return NULL;
}

struct order *orders_by_req(struct orders *orders, uint64_t req)
{
	for (size_t i = 0; orders->n && req && i < ORDERS_MAX; i++) {
		if (orders->rows[i].req == req)
			return &orders->rows[i];
	}
	return NULL;
}

struct order *orders_late(struct orders *orders, uint64_t now_ms)
{
	for (size_t i = 0; orders->n && i < ORDERS_MAX; i++) {
		if (orders->rows[i].req && orders->rows[i].deadline_ms <= now_ms)
			return &orders->rows[i];
	}
	return NULL;
}

struct order *orders_any(struct orders *orders)
{
	return orders_late(orders, UINT64_MAX);
}

uint64_t orders_deadline(const struct orders *orders)
{
	uint64_t earliest = UINT64_MAX;

	for (size_t i = 0; orders->n && i < ORDERS_MAX; i++) {
		if (orders->rows[i].req && orders->rows[i].deadline_ms < earliest)
			earliest = orders->rows[i].deadline_ms;
	}
	return earliest;
}

struct order *orders_echo(struct orders *orders, size_t *at, const struct gwa_addr *addr, const struct trait *trait,
			  const struct gwa_value *said)
{
	for (; orders->n && *at < ORDERS_MAX; ++*at) {
		struct order *row = &orders->rows[*at];

		if (!row->req || row->to_bridge || row->cap != trait->row->cap || row->endpoint != trait->endpoint ||
		    row->addr.len != addr->len || memcmp(row->addr.bytes, addr->bytes, addr->len) != 0 ||
		    !trait_is_echo(trait, &row->value, said))
			continue;
		row->echoed = true;
		++*at;
		return row;
	}
	return NULL;
}
