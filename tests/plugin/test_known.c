/* Descriptions that can be said again: replaced, found, removed, and not without end. */
#include "check.h"

#include "host/known.h"

static struct device_desc desc(uint16_t n, const char *name)
{
	return (struct device_desc){
		.addr = { .len = 2, .bytes = { (uint8_t)(n >> 8), (uint8_t)n } },
		.vendor = "",
		.model = "",
		.firmware = "",
		.name = name,
	};
}

static void put_find_remove(void **state)
{
	struct known known = { 0 };
	struct device_desc a = desc(1, "a"), b = desc(2, "b"), again = desc(1, "again");

	(void)state;
	check_ok(known_put(&known, &a));
	check_ok(known_put(&known, &b));
	known_find(&known, &a.addr)->away = true;
	check_ok(known_put(&known, &again));
	check_uint(known.n, 2);
	check_text(known_find(&known, &a.addr)->desc->name, "again");
	check_true(!known_find(&known, &a.addr)->away);
	known_remove(&known, &a.addr);
	check_true(known_find(&known, &a.addr) == NULL);
	check_text(known_find(&known, &b.addr)->desc->name, "b");
	known_remove(&known, &a.addr);
	check_uint(known.n, 1);
	known_deinit(&known);
}

static void the_limit(void **state)
{
	struct known known = { 0 };
	struct device_desc d;

	(void)state;
	for (uint16_t i = 0; i < KNOWN_MAX; i++) {
		d = desc(i, "x");
		check_ok(known_put(&known, &d));
	}
	d = desc(KNOWN_MAX, "x");
	check_int(known_put(&known, &d), KNOWN_E_FULL);
	d = desc(5, "replaced");
	check_ok(known_put(&known, &d));
	check_text(known.devices[5].desc->name, "replaced");
	known_deinit(&known);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(put_find_remove),
		cmocka_unit_test(the_limit),
	};

	return CHECK_RUN(rows);
}
