/* The table of devices: put, replaced with its values kept, due in turn, taken out, full. */
#include "check.h"

#include "linkd/devices.h"

static const struct capability_desc caps[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = ACCESS_READ | ACCESS_WRITE },
	{ .id = CAP_LEVEL, .type = VALUE_INT, .access = ACCESS_READ | ACCESS_WRITE },
};
static const struct endpoint_desc one = { .id = 1, .n_caps = 2, .caps = caps };
static const struct endpoint_desc turned[] = { { .id = 1, .n_caps = 1, .caps = &caps[1] }, { .id = 2, .n_caps = 1, .caps = caps } };

static struct device_id id_of(unsigned n)
{
	return (struct device_id){ { 1, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 1 } };
}

static int put(struct devices *devices, unsigned n, const struct endpoint_desc *endpoints, uint8_t n_endpoints, struct known **ret)
{
	const struct device_desc desc = { .vendor = "v", .model = "m", .firmware = "", .name = "n", .n_endpoints = n_endpoints,
					  .endpoints = endpoints };
	struct wire_msg msg = { .type = WIRE_LINK_DEVICE };

	msg.link_device.id = id_of(n);
	msg.link_device.state = DEVICE_OURS;
	msg.link_device.room = (struct view){ (const uint8_t *)"Hall", 4 };
	msg.link_device.desc = &desc;
	return devices_put(devices, &msg, ret);
}

static void values_stay_when_the_description_changes(void **state)
{
	struct devices *devices;
	struct known *known, *again;
	struct value level = value_int(40), on = value_bool(true);

	(void)state;
	check_ok(devices_new(&devices));
	check_int(put(devices, 1, &one, 1, &known), 0);
	check_text(known->room, "Hall");
	check_ok(value_box_set(known_value(known, 1, CAP_LEVEL), &level));
	check_ok(value_box_set(known_value(known, 1, CAP_ON_OFF), &on));
	assert_null(known_value(known, 2, CAP_ON_OFF));
	check_int(put(devices, 1, turned, 2, &again), 0);
	check_true(again == known && devices_count(devices) == 1);
	check_int(value_box_get(known_value(known, 1, CAP_LEVEL)).i, 40);
	check_int(value_box_get(known_value(known, 2, CAP_ON_OFF)).type, VALUE_NONE);
	assert_null(known_value(known, 1, CAP_ON_OFF));
	devices_free(devices);
}

static void the_longest_waiting_is_due_first(void **state)
{
	struct devices *devices;
	struct known *a, *b;

	(void)state;
	check_ok(devices_new(&devices));
	check_int(put(devices, 1, &one, 1, &a), 0);
	check_int(put(devices, 2, &one, 1, &b), 0);
	devices_set_due(devices, a, DUE_STATE);
	check_true(devices_due(devices) == a);
	devices_unset_due(a, DUE_DESCRIPTION);
	check_true(devices_due(devices) == a && a->due == DUE_STATE);
	devices_unset_due(a, DUE_STATE);
	check_true(devices_due(devices) == b);
	devices_set_due(devices, a, DUE_STATE);
	devices_remove(devices, b);
	check_true(devices_due(devices) == a && devices_next(devices, NULL) == a && !devices_next(devices, a));
	check_true(devices_find(devices, id_of(1)) == a && !devices_find(devices, id_of(2)));
	devices_free(devices);
}

static void numbers_gather(void **state)
{
	struct devices *devices;
	struct known *known;

	(void)state;
	check_ok(devices_new(&devices));
	check_int(put(devices, 1, &one, 1, &known), 0);
	for (uint64_t n = 1; n <= 600; n++)
		check_ok(known_add_number(known, n));
	check_uint(known->n_numbers, 600);
	check_uint(known->numbers[599], 600);
	devices_free(devices);
}

static void full_is_full(void **state)
{
	struct devices *devices;
	struct known *known;

	(void)state;
	check_ok(devices_new(&devices));
	for (unsigned n = 0; n < DEVICES_MAX; n++)
		check_int(put(devices, n, &one, 1, &known), 0);
	check_int(put(devices, DEVICES_MAX, &one, 1, &known), DEVICES_E_FULL);
	check_int(put(devices, 7, &one, 1, &known), 0);
	devices_clear(devices);
	check_uint(devices_count(devices), 0);
	assert_null(devices_due(devices));
	check_int(put(devices, DEVICES_MAX, &one, 1, &known), 0);
	devices_free(devices);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(values_stay_when_the_description_changes),
		cmocka_unit_test(the_longest_waiting_is_due_first),
		cmocka_unit_test(numbers_gather),
		cmocka_unit_test(full_is_full),
	};
	return CHECK_RUN(rows);
}
