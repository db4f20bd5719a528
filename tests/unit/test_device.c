/* Descriptions are checked against every limit, copied whole, searched; states step only as the
 * table says. */
#include "check.h"

#include "model/device.h"

static const struct capability_desc lamp_caps[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = ACCESS_READ | ACCESS_WRITE },
	{ .id = CAP_LEVEL, .type = VALUE_INT, .access = ACCESS_READ | ACCESS_WRITE },
};
static const struct endpoint_desc lamp_endpoints[] = {
	{ .id = 1, .n_caps = 1, .caps = lamp_caps },
	{ .id = 2, .n_caps = 2, .caps = lamp_caps },
};

static struct device_desc lamp(void)
{
	return (struct device_desc){
		.addr = { .len = 2, .bytes = { 0xab, 0x01 } },
		.vendor = "Maker",
		.model = "L1",
		.firmware = "",
		.name = "Lampe Küche",
		.n_endpoints = 2,
		.endpoints = lamp_endpoints,
	};
}

static void addresses(void **state)
{
	struct address a, b = { .len = 2, .bytes = { 0xab, 1 } };
	char text[2 * ADDRESS_MAX + 1];

	(void)state;
	check_ok(address_parse("AB01", &a));
	check_true(address_equal(&a, &b));
	b.bytes[7] = 9; /* past the end: not part of it */
	check_true(address_equal(&a, &b));
	b.len = 1;
	check_true(!address_equal(&a, &b));
	address_print(&a, text);
	check_text(text, "ab01");
	check_ok(address_parse("00112233445566778899aabbccddeeff", &a));
	check_uint(a.len, ADDRESS_MAX);
	check_int(address_parse("00112233445566778899aabbccddeeff00", &a), DEVICE_E_DESC);
	check_int(address_parse("", &a), DEVICE_E_DESC);
	check_int(address_parse("abc", &a), DEVICE_E_DESC);
	check_int(address_parse("zz", &a), DEVICE_E_DESC);
}

static void a_sound_description_passes(void **state)
{
	struct device_desc d = lamp();

	(void)state;
	check_ok(device_desc_check(&d));
	d.n_endpoints = 0;
	d.endpoints = NULL;
	check_ok(device_desc_check(&d));
}

static void head_is_checked(void **state)
{
	struct device_desc d = lamp();
	char text[DEVICE_TEXT_MAX + 2];

	(void)state;
	d.addr.len = 0;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d.addr.len = ADDRESS_MAX + 1;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d = lamp();
	d.hw.len = ADDRESS_MAX + 1;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d = lamp();
	d.evidence = 4;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d = lamp();
	d.vendor = NULL;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d.vendor = "\xff";
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	memset(text, 'a', sizeof(text));
	text[DEVICE_TEXT_MAX] = '\0';
	d.vendor = text;
	check_ok(device_desc_check(&d));
	text[DEVICE_TEXT_MAX] = 'a';
	text[DEVICE_TEXT_MAX + 1] = '\0';
	check_int(device_desc_check(&d), DEVICE_E_DESC);
}

static void endpoints_are_checked(void **state)
{
	struct endpoint_desc e[DEVICE_ENDPOINTS_MAX + 1];
	struct device_desc d = lamp();

	(void)state;
	for (size_t i = 0; i < DEVICE_ENDPOINTS_MAX + 1; i++)
		e[i] = (struct endpoint_desc){ .id = (uint8_t)(i + 1) };
	d.endpoints = e;
	d.n_endpoints = DEVICE_ENDPOINTS_MAX;
	check_ok(device_desc_check(&d));
	d.n_endpoints++;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d.n_endpoints = 2;
	e[1].id = 1;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	e[1].id = 0;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	e[1] = (struct endpoint_desc){ .id = 2, .n_caps = 1, .caps = NULL };
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	d.endpoints = NULL;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
}

static void capabilities_are_checked(void **state)
{
	struct capability_desc caps[DEVICE_CAPS_MAX + 1];
	struct endpoint_desc e[2] = { { .id = 1, .n_caps = 2, .caps = caps },
				      { .id = 2, .caps = caps } };
	struct device_desc d = lamp();

	(void)state;
	for (size_t i = 0; i < DEVICE_CAPS_MAX + 1; i++)
		caps[i] = (struct capability_desc){
			(uint16_t)(0x8000 + i), VALUE_INT, ACCESS_READ, 0, 0, 0, 0
		};
	d.endpoints = e;
	e[0].n_caps = DEVICE_CAPS_MAX - 1;
	e[1].n_caps = 1;
	check_ok(device_desc_check(&d));
	e[1].n_caps = 2;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	e[0].n_caps = DEVICE_CAPS_MAX + 1;
	d.n_endpoints = 1;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	e[0].n_caps = 2;
	caps[1].id = caps[0].id;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
	caps[1] = lamp_caps[1];
	check_ok(device_desc_check(&d));
	caps[1].max = 101;
	check_int(device_desc_check(&d), DEVICE_E_DESC);
}

static void a_copy_stands_alone(void **state)
{
	char name[] = "before";
	struct capability_desc caps[2] = { lamp_caps[0], lamp_caps[1] };
	struct endpoint_desc e[2] = { { .id = 3, .n_caps = 1, .caps = caps },
				      { .id = 4, .n_caps = 1, .caps = caps + 1 } };
	struct device_desc d = lamp(), *copy;

	(void)state;
	d.name = name;
	d.endpoints = e;
	check_ok(device_desc_copy(&d, &copy));
	memset(caps, 0, sizeof(caps));
	memset(e, 0, sizeof(e));
	memcpy(name, "after!", 6);
	check_ok(device_desc_check(copy));
	check_text(copy->name, "before");
	check_true(device_desc_find(copy, 3, CAP_ON_OFF) != NULL);
	check_true(device_desc_find(copy, 3, CAP_LEVEL) == NULL);
	check_true(device_desc_find(copy, 4, CAP_LEVEL) != NULL);
	check_true(device_desc_free(copy) == NULL);
	check_true(device_desc_free(NULL) == NULL);
}

static void finding_a_capability(void **state)
{
	struct device_desc d = lamp();

	(void)state;
	check_true(device_desc_find(&d, 0, CAP_ON_OFF) == &lamp_caps[0]);
	check_true(device_desc_find(&d, 0, CAP_LEVEL) == &lamp_caps[1]);
	check_true(device_desc_find(&d, 1, CAP_LEVEL) == NULL);
	check_true(device_desc_find(&d, 9, CAP_ON_OFF) == NULL);
	check_true(device_desc_find(&d, 0, CAP_LOCK_STATE) == NULL);
}

static void states_step_as_the_table_says(void **state)
{
	/* Rows: from. Columns: to, in the order of the enum. */
	static const char *const want[DEVICE_STATES] = {
		[DEVICE_SEEN] = ".x...xx",	  [DEVICE_DESCRIBED] = "..xx.xx",
		[DEVICE_WAITING] = ".x.x.xx",	  [DEVICE_OURS] = ".x..xxx",
		[DEVICE_UNREACHABLE] = ".x.x.xx", [DEVICE_QUARANTINED] = ".x.x..x",
		[DEVICE_RETIRED] = ".......",
	};

	(void)state;
	for (int from = 0; from < DEVICE_STATES; from++) {
		enum device_state got;

		for (int to = 0; to < DEVICE_STATES; to++)
			check_int(device_state_may((enum device_state)from, (enum device_state)to),
				  want[from][to] == 'x');
		check_ok(device_state_parse(device_state_name((enum device_state)from), &got));
		check_int(got, from);
	}
	enum device_state s;
	check_int(device_state_parse("gone", &s), DEVICE_E_DESC);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_sound_description_passes),
		cmocka_unit_test(head_is_checked),
		cmocka_unit_test(endpoints_are_checked),
		cmocka_unit_test(capabilities_are_checked),
		cmocka_unit_test(a_copy_stands_alone),
		cmocka_unit_test(finding_a_capability),
		cmocka_unit_test(states_step_as_the_table_says),
	};

	return CHECK_RUN(rows);
}
