/* Options: kept in order, compared, parted into ours and the plugin's. */
#include "check.h"

#include "host/options.h"

static void add(struct options *o, const char *key, const char *value)
{
	check_ok(options_add(o, (struct view){ (const uint8_t *)key, strlen(key) },
			     (struct view){ (const uint8_t *)value, strlen(value) }));
}

static void parted(void **state)
{
	struct gwa_opt theirs[OPTIONS_MAX];
	struct options o = { .n = 0 };
	const char *rest;
	size_t cursor = 0;

	(void)state;
	add(&o, "plugin", "sim");
	add(&o, "port.radio", "/dev/ttyUSB0");
	add(&o, "channel", "15");
	add(&o, "net", "yes");
	add(&o, "plugin.sha256", "00");
	add(&o, "port.reset", "fd:3");
	add(&o, "ca_file", "/etc/ca.pem");
	check_uint(options_for_plugin(&o, theirs), 2);
	check_text(theirs[0].key, "channel");
	check_text(theirs[0].value, "15");
	check_text(theirs[1].key, "ca_file");
	check_text(options_find(&o, "plugin"), "sim");
	check_true(options_find(&o, "plugi") == NULL);
	check_text(options_next(&o, "port.", &cursor, &rest), "/dev/ttyUSB0");
	check_text(rest, "radio");
	check_text(options_next(&o, "port.", &cursor, &rest), "fd:3");
	check_text(rest, "reset");
	check_true(options_next(&o, "port.", &cursor, &rest) == NULL);
	add(&o, "_file", "/no");
	add(&o, "key_file", "/etc/key.pem");
	cursor = 0;
	check_text(options_next_file(&o, &cursor), "/etc/ca.pem");
	check_text(options_next_file(&o, &cursor), "/etc/key.pem");
	check_true(options_next_file(&o, &cursor) == NULL);
	options_deinit(&o);
}

static void equality(void **state)
{
	struct options a = { .n = 0 }, b = { .n = 0 };

	(void)state;
	check_true(options_equal(&a, &b));
	add(&a, "k", "v");
	check_true(!options_equal(&a, &b));
	add(&b, "k", "v");
	check_true(options_equal(&a, &b));
	add(&a, "l", "1");
	add(&b, "l", "2");
	check_true(!options_equal(&a, &b));
	options_deinit(&a);
	options_deinit(&b);
}

static void the_limit(void **state)
{
	struct options o = { .n = 0 };

	(void)state;
	assert_int_equal(OPTIONS_MAX, WIRE_OPTIONS_MAX);
	for (int i = 0; i < OPTIONS_MAX; i++)
		add(&o, "k", "");
	check_int(
		options_add(&o, (struct view){ (const uint8_t *)"k", 1 }, (struct view){ NULL, 0 }),
		OPTIONS_E_FULL);
	options_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(parted),
		cmocka_unit_test(equality),
		cmocka_unit_test(the_limit),
	};

	return CHECK_RUN(rows);
}
