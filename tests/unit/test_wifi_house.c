/* The plugin's small tables: who lives there, what waits, what was ordered, what is noted. */
#include "check.h"

#include "base/text.h"
#include "model/capability.h"
#include "wifi/house.h"
#include "wifi/notes.h"
#include "wifi/orders.h"
#include "wifi/waiting.h"

static struct lan_device *device(enum lan_grammar grammar, const char *topic, uint8_t number)
{
	struct lan_device *d = lan_device_new(grammar);

	d->addr = d->hw = (struct gwa_addr){ .len = 4, .bytes = { number } };
	text_copy(d->topic, sizeof(d->topic), topic);
	return d;
}

static const struct house_route *route(const struct house *house, const char *topic)
{
	return house_find(house, topic, strlen(topic));
}

static int put(struct house *house, int source, const char *topic, uint8_t number, bool *ret_changed)
{
	struct lan_device *d = device(source == HOUSE_TASMOTA ? LAN_TASMOTA : LAN_Z2M, topic, number);
	struct house_entry *entry;
	int r = house_put(house, source, d, &entry, ret_changed);

	if (r)
		lan_device_free(d);
	return r;
}

static void test_routes(void **state)
{
	struct house house = { 0 };
	bool changed;

	(void)state;
	check_ok(put(&house, 0, "z/lamp", 1, &changed));
	check_true(changed);
	check_ok(put(&house, HOUSE_TASMOTA, "plug", 2, &changed));
	check_int(route(&house, "z/lamp")->place, PLACE_STATE);
	check_int(route(&house, "z/lamp/availability")->place, PLACE_AVAILABILITY);
	check_int(route(&house, "tele/plug/LWT")->place, PLACE_WILL);
	check_int(route(&house, "tele/plug/SENSOR")->place, PLACE_TELEMETRY);
	check_int(route(&house, "stat/plug/POWER8")->place, PLACE_POWER);
	assert_null(route(&house, "z/lam"));
	assert_null(route(&house, "z/lamp/x"));
	/* Another device cannot take a topic, nor another source an address. */
	check_int(put(&house, 1, "z/lamp", 3, &changed), HOUSE_E_TAKEN);
	check_int(put(&house, 1, "y/lamp", 1, &changed), HOUSE_E_TAKEN);
	check_uint(house.n_entries, 2);
	check_true(route(&house, "z/lamp")->entry->source == 0);
	house_deinit(&house);
}

static void test_a_list_is_said_anew(void **state)
{
	struct house house = { 0 };
	struct house_entry *gone;
	bool changed;

	(void)state;
	check_ok(put(&house, 0, "z/a", 1, &changed));
	check_ok(put(&house, 0, "z/b", 2, &changed));
	check_ok(put(&house, 0, "z/c", 3, &changed));
	house_begin(&house, 0);
	/* Two have changed names with each other, the third is gone. */
	check_ok(put(&house, 0, "z/b", 1, &changed));
	check_true(changed);
	check_ok(put(&house, 0, "z/a", 2, &changed));
	check_int(put(&house, 0, "z/a", 2, &changed), HOUSE_E_TAKEN); /* said twice */
	gone = house_unseen(&house, 0);
	assert_non_null(gone);
	check_int(gone->device->addr.bytes[0], 3);
	house_remove(&house, gone);
	assert_null(house_unseen(&house, 0));
	check_int(route(&house, "z/b")->entry->device->addr.bytes[0], 1);
	house_begin(&house, 0);
	check_ok(put(&house, 0, "z/b", 1, &changed));
	check_true(!changed);
	house_deinit(&house);
}

/* A device that cannot have its new topic keeps its old one. */
static void test_topic_taken(void **state)
{
	struct house house = { 0 };
	bool changed;

	(void)state;
	check_ok(put(&house, HOUSE_TASMOTA, "a", 1, &changed));
	check_ok(put(&house, HOUSE_TASMOTA, "b", 2, &changed));
	route(&house, "tele/b/LWT")->entry->seen = false;
	check_int(put(&house, HOUSE_TASMOTA, "a", 2, &changed), HOUSE_E_TAKEN);
	check_int(route(&house, "tele/b/LWT")->entry->device->addr.bytes[0], 2);
	check_int(route(&house, "tele/a/LWT")->entry->device->addr.bytes[0], 1);
	house_deinit(&house);
}

static void test_rival(void **state)
{
	struct house house = { 0 };
	struct lan_device *other = device(LAN_Z2M, "y/lamp", 9);
	bool changed;

	(void)state;
	check_ok(put(&house, 1, "z/lamp", 1, &changed));
	assert_null(house_rival(&house, other));
	other->hw = (struct gwa_addr){ .len = 4, .bytes = { 1 } };
	assert_non_null(house_rival(&house, other));
	other->addr = other->hw; /* itself */
	assert_null(house_rival(&house, other));
	other->addr.bytes[0] = 9;
	other->hw.len = 0;
	assert_null(house_rival(&house, other));
	lan_device_free(other);
	house_deinit(&house);
}

static void test_house_full(void **state)
{
	struct house house = { 0 };
	struct lan_device *d;
	struct house_entry *entry;
	bool changed;
	char topic[32];

	(void)state;
	for (unsigned i = 0; i <= HOUSE_DEVICES_MAX; i++) {
		snprintf(topic, sizeof(topic), "z/%u", i);
		d = device(LAN_Z2M, topic, 0);
		d->addr.bytes[1] = (uint8_t)(i >> 8);
		d->addr.bytes[2] = (uint8_t)i;
		check_int(house_put(&house, 0, d, &entry, &changed), i < HOUSE_DEVICES_MAX ? 0 : HOUSE_E_FULL);
	}
	lan_device_free(d);
	house_deinit(&house);
}

static void test_quiet(void **state)
{
	struct house house = { 0 };
	char topic[32];
	bool changed;

	(void)state;
	check_ok(put(&house, 0, "z/lamp", 1, &changed));
	check_int(house_put_quiet(&house, 0, "z/lamp"), HOUSE_E_TAKEN);
	for (unsigned i = 0; i <= HOUSE_QUIET_MAX; i++) {
		snprintf(topic, sizeof(topic), "z/group%u", i);
		check_int(house_put_quiet(&house, 0, topic), i < HOUSE_QUIET_MAX ? 0 : HOUSE_E_FULL);
	}
	check_int(route(&house, "z/group7")->place, PLACE_QUIET);
	house_begin_quiet(&house, 1);
	assert_non_null(route(&house, "z/group7"));
	house_begin_quiet(&house, 0);
	assert_null(route(&house, "z/group7"));
	assert_non_null(route(&house, "z/lamp"));
	check_ok(house_put_quiet(&house, 0, "z/group7"));
	house_deinit(&house);
}

static int wait(struct waiting *w, const char *topic, const char *payload, size_t len, bool acked, size_t skip)
{
	struct waiting_message like = { .topic = topic, .payload = payload, .len = len, .acked = acked, .skip = skip };

	return waiting_add(w, &like);
}

static void test_waiting(void **state)
{
	struct waiting w = { 0 };

	(void)state;
	check_ok(wait(&w, "a", "1", 1, true, 0));
	check_ok(wait(&w, "b", "", 0, false, 3));
	check_ok(wait(&w, "c", "3", 1, true, 0));
	check_uint(w.n_acked, 2);
	check_text(w.first->next->topic, "b");
	check_uint(w.first->next->skip, 3);
	/* The last, so that the end moves back. */
	waiting_remove(&w, &w.first->next->next);
	check_ok(wait(&w, "d", "4", 1, false, 0));
	check_text(w.first->next->next->topic, "d");
	waiting_remove(&w, &w.first);
	check_uint(w.n_acked, 0);
	check_text(w.first->topic, "b");
	waiting_deinit(&w);
	check_uint(w.bytes, 0);
	check_ok(wait(&w, "e", "5", 1, false, 0));
	waiting_deinit(&w);
}

static void test_waiting_full(void **state)
{
	struct waiting w = { 0 };
	char *big = calloc(1, WAITING_BYTES_MAX);

	(void)state;
	assert_non_null(big);
	for (unsigned i = 0; i < WAITING_MAX; i++)
		check_ok(wait(&w, "t", "x", 1, true, 0));
	check_int(wait(&w, "t", "x", 1, true, 0), WAITING_E_FULL);
	waiting_deinit(&w);
	check_int(wait(&w, "t", big, WAITING_BYTES_MAX, true, 0), WAITING_E_FULL);
	check_ok(wait(&w, "t", big, WAITING_BYTES_MAX - 1000, true, 0));
	check_int(wait(&w, "t", big, 1000, true, 0), WAITING_E_FULL);
	waiting_deinit(&w);
	free(big);
}

static void test_orders(void **state)
{
	static const struct trait_row row = { .cap = CAP_ON_OFF, .form = TRAIT_BINARY };
	struct order order = { .req = 7, .deadline_ms = 100, .mid = 3, .endpoint = 1, .cap = CAP_ON_OFF,
			       .addr = { .len = 1, .bytes = { 5 } }, .value = { .type = GWA_T_BOOL, .v.i = 1 } };
	struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 }, off = { .type = GWA_T_BOOL };
	struct gwa_addr other = { .len = 1, .bytes = { 6 } };
	struct orders *orders = calloc(1, sizeof(*orders));
	struct order *got;
	struct trait trait;
	size_t at = 0;

	(void)state;
	assert_non_null(orders);
	check_ok(trait_make(&row, "state", "", 1, GWA_A_READ | GWA_A_WRITE, &trait));
	check_true(orders_deadline(orders) == UINT64_MAX);
	check_ok(orders_add(orders, &order, &got));
	check_true(orders_by_mid(orders, 3) == got && !orders_by_mid(orders, 4));
	check_true(orders_by_req(orders, 7) == got && !orders_by_req(orders, 8) && !orders_by_req(orders, 0));
	assert_null(orders_echo(orders, &at, &other, &trait, &on));
	at = 0;
	assert_null(orders_echo(orders, &at, &order.addr, &trait, &off));
	at = 0;
	check_true(orders_echo(orders, &at, &order.addr, &trait, &on) == got);
	check_true(got->echoed);
	assert_null(orders_late(orders, 99));
	check_true(orders_late(orders, 100) == got);
	for (unsigned i = 1; i < ORDERS_MAX; i++)
		check_ok(orders_add(orders, &order, &got));
	check_int(orders_add(orders, &order, &got), ORDERS_E_FULL);
	while ((got = orders_any(orders)))
		orders_remove(orders, got);
	check_uint(orders->n, 0);
	free(orders);
}

static void test_order_text(void **state)
{
	char word[ORDERS_TEXT_MAX + 1] = "locked";
	struct orders *orders = calloc(1, sizeof(*orders));
	struct order order = { .req = 1, .value = { .type = GWA_T_TEXT, .len = 6, .v.data = word } }, *got;

	(void)state;
	assert_non_null(orders);
	check_ok(orders_add(orders, &order, &got));
	memset(word, 'x', sizeof(word)); /* it was borrowed */
	check_bytes(got->value.v.data, got->value.len, "locked", 6);
	order.value.len = ORDERS_TEXT_MAX + 1;
	check_int(orders_add(orders, &order, &got), ORDERS_E_FULL);
	free(orders);
}

static void test_notes(void **state)
{
	struct lan_notes notes = { 0 };
	struct lan_note note;
	char object[32], long_text[NOTES_TEXT_MAX * 2];

	(void)state;
	check_true(notes_add(&notes, GWA_NOTE_MALFORMED, 1, "a\nb", "x"));
	check_true(!notes_add(&notes, GWA_NOTE_MALFORMED, 1, "a\nb", "x"));
	check_true(!notes_add(&notes, GWA_NOTE_MALFORMED, UINT32_MAX, "a\nb", "x"));
	check_true(notes_add(&notes, GWA_NOTE_OVERSIZE, 1, "a", "y"));
	check_true(notes_take(&notes, &note));
	check_uint(note.count, UINT32_MAX);
	check_text(note.object, "a?b");
	check_true(!notes_take(&notes, &note) && notes_are_empty(&notes));
	for (unsigned i = 0; i < NOTES_MAX; i++) {
		snprintf(object, sizeof(object), "%u", i);
		check_true(notes_add(&notes, GWA_NOTE_FLOOD, 1, object, "z"));
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(object, sizeof(object), "more %u", i);
		check_true(!notes_add(&notes, GWA_NOTE_FLOOD, 1, object, "z"));
	}
	check_true(notes_take(&notes, &note));
	check_uint(note.count, 1000);
	check_true(!notes_take(&notes, &note));
	memset(long_text, 'l', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	check_true(notes_add(&notes, GWA_NOTE_FLOOD, 1, long_text, long_text));
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_routes),	   cmocka_unit_test(test_a_list_is_said_anew),
		cmocka_unit_test(test_topic_taken), cmocka_unit_test(test_rival),
		cmocka_unit_test(test_house_full), cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_waiting),	   cmocka_unit_test(test_waiting_full),
		cmocka_unit_test(test_orders),	   cmocka_unit_test(test_order_text),
		cmocka_unit_test(test_notes),
	};

	return CHECK_RUN(rows);
}
