/* The capability table is sound, and what an adapter says about a capability is held against it. */
#include "check.h"

#include "model/capability.h"

static struct capability_desc desc_of(uint16_t id)
{
	const struct capability *row = capability_find(id);

	assert_non_null(row);
	return (struct capability_desc){
		.id = id, .type = (uint8_t)row->type, .access = row->access, .unit = row->unit
	};
}

static void rows_are_sound(void **state)
{
	uint16_t last = 0;
	size_t n = 0;

	(void)state;
	for (const struct capability *row; (row = capability_at(n)); n++) {
		struct capability_desc desc = desc_of(row->id);
		char name[CAPABILITY_NAME_MAX];
		uint16_t id;

		check_true(row->id > last && row->id < CAPABILITY_VENDOR_FIRST);
		last = row->id;
		check_true(strlen(row->name) < CAPABILITY_NAME_MAX);
		check_true(capability_find(row->id) == row);
		check_true(capability_find_name(row->name) == row);
		capability_name(row->id, name);
		check_text(name, row->name);
		check_ok(capability_id_of(name, &id));
		check_uint(id, row->id);
		check_ok(capability_desc_check(&desc));
		check_true(row->cluster && row->attribute);
		check_true((row->cluster_id != 0) == (row->cluster[0] != '\0'));
		if (row->type == VALUE_INT || row->type == VALUE_REAL)
			check_true(row->min < row->max);
		if (row->access & ACCESS_SECURE)
			check_int(row->risk, RISK_HIGH);
	}
	check_true(n > 40);
	check_true(capability_at(n) == NULL);
}

static void a_lock_is_not_a_lamp(void **state)
{
	(void)state;
	check_int(capability_risk(CAP_ON_OFF), RISK_LOW);
	check_int(capability_risk(CAP_LOCK_STATE), RISK_HIGH);
	check_int(capability_risk(CAP_VALVE), RISK_HIGH);
	check_int(capability_risk(CAP_DOOR_STATE), RISK_HIGH);
	check_int(capability_risk(CAP_SIREN), RISK_HIGH);
	check_int(capability_risk(CAP_TARGET_TEMPERATURE), RISK_RAISED);
	check_int(capability_class(CAP_LOCK_STATE), CLASS_SENSITIVE);
	check_int(capability_class(CAP_OCCUPANCY), CLASS_PERSONAL);
	check_int(capability_class(CAP_TEMPERATURE), CLASS_ORDINARY);
	check_int(capability_class(CAP_LINK_QUALITY), CLASS_PUBLIC);
	/* What nobody knows is treated as if it could open the door. */
	check_int(capability_risk(0x8001), RISK_HIGH);
	check_int(capability_class(0x8001), CLASS_PERSONAL);
}

static void matter_names(void **state)
{
	static const struct {
		uint16_t id;
		uint32_t cluster, attribute;
		const char *name;
	} rows[] = {
		{ CAP_ON_OFF, 0x0006, 0x0000, "OnOff" },
		{ CAP_LEVEL, 0x0008, 0x0000, "LevelControl" },
		{ CAP_COLOR_TEMPERATURE, 0x0300, 0x0007, "ColorControl" },
		{ CAP_LOCK_STATE, 0x0101, 0x0000, "DoorLock" },
		{ CAP_TARGET_TEMPERATURE, 0x0201, 0x0012, "Thermostat" },
		{ CAP_TEMPERATURE, 0x0402, 0x0000, "TemperatureMeasurement" },
		{ CAP_CONTACT, 0x0045, 0x0000, "BooleanState" },
		{ CAP_POWER, 0x0090, 0x0008, "ElectricalPowerMeasurement" },
		{ CAP_BATTERY, 0x002F, 0x000C, "PowerSource" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct capability *row = capability_find(rows[i].id);

		check_uint(row->cluster_id, rows[i].cluster);
		check_uint(row->attribute_id, rows[i].attribute);
		check_text(row->cluster, rows[i].name);
	}
}

static void contradictions_are_refused(void **state)
{
	struct capability_desc d = desc_of(CAP_LEVEL);

	(void)state;
	d.type = VALUE_REAL;
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
	d = desc_of(CAP_LEVEL);
	d.unit = UNIT_WATT;
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
	d.unit = UNITS;
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
	d.unit = UNIT_NONE;
	check_ok(capability_desc_check(&d));
	d.access = 0;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d.access = 0x10;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d.access = ACCESS_READ | ACCESS_SECURE;
	check_ok(capability_desc_check(&d));
	d = desc_of(CAP_TEMPERATURE);
	d.access |= ACCESS_WRITE;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d = desc_of(CAP_ON_OFF);
	d.max = 1;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d = (struct capability_desc){ .id = 63, .type = VALUE_INT, .access = ACCESS_READ };
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
}

static void ranges_may_only_narrow(void **state)
{
	struct capability_desc d = desc_of(CAP_LEVEL);

	(void)state;
	d.min = 0, d.max = 100;
	check_ok(capability_desc_check(&d));
	d.max = 101;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d.min = -1, d.max = 100;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d.min = 50, d.max = 50;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d.min = 0, d.max = 100, d.step = -1;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
	d = desc_of(CAP_TARGET_TEMPERATURE);
	d.min = 5000, d.max = 30000, d.step = 500;
	check_ok(capability_desc_check(&d));
	d.max = 50001;
	check_int(capability_desc_check(&d), VALUE_E_RANGE);
}

static int try_value(const struct capability_desc *d, struct value v)
{
	struct value got;

	return capability_value_check(d, &v, &got);
}

static void values_are_checked(void **state)
{
	struct capability_desc level = desc_of(CAP_LEVEL), target = desc_of(CAP_TARGET_TEMPERATURE),
			       lock = desc_of(CAP_LOCK_STATE), onoff = desc_of(CAP_ON_OFF),
			       button = desc_of(CAP_BUTTON);
	struct value got, v = value_int(21);

	(void)state;
	check_ok(try_value(&level, value_int(0)));
	check_ok(try_value(&level, value_int(100)));
	check_int(try_value(&level, value_int(101)), VALUE_E_RANGE);
	check_int(try_value(&level, value_int(-1)), VALUE_E_RANGE);
	check_int(try_value(&level, value_real(5)), VALUE_E_TYPE);
	check_int(try_value(&level, value_text("5")), VALUE_E_TYPE);
	level.min = 10, level.max = 90;
	check_int(try_value(&level, value_int(9)), VALUE_E_RANGE);
	check_ok(try_value(&level, value_int(10)));
	check_ok(capability_value_check(&target, &v, &got));
	check_int(got.type, VALUE_REAL);
	check_near(got.f, 21, 0);
	target.min = 5500, target.max = 30000;
	check_int(try_value(&target, value_real(5.4)), VALUE_E_RANGE);
	check_ok(try_value(&target, value_real(5.5)));
	check_ok(try_value(&lock, value_text("locked")));
	check_ok(try_value(&lock, value_text("jammed")));
	check_int(try_value(&lock, value_text("lock")), VALUE_E_RANGE);
	check_int(try_value(&lock, value_text("locked|unlocked")), VALUE_E_RANGE);
	check_int(try_value(&lock, value_text("")), VALUE_E_RANGE);
	check_ok(try_value(&onoff, value_bool(true)));
	check_int(try_value(&onoff, value_int(1)), VALUE_E_TYPE);
	check_ok(try_value(&button, value_text("double")));
	check_int(try_value(&button, (struct value){ .type = VALUE_TEXT,
						     .len = VALUE_LEN_MAX + 1,
						     .data = "" }),
		  VALUE_E_RANGE);
}

static void vendor_space(void **state)
{
	struct capability_desc d = {
		.id = 0x8001, .type = VALUE_INT, .access = ACCESS_READ, .min = -5, .max = 5
	};
	char name[CAPABILITY_NAME_MAX];
	uint16_t id = 0;

	(void)state;
	check_true(capability_find(0x8001) == NULL);
	check_ok(capability_desc_check(&d));
	check_ok(try_value(&d, value_int(5)));
	check_int(try_value(&d, value_int(6)), VALUE_E_RANGE);
	d.min = d.max = 0;
	check_ok(try_value(&d, value_int(INT64_MAX)));
	d.type = VALUE_NONE;
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
	d.type = VALUE_TYPES;
	check_int(capability_desc_check(&d), VALUE_E_TYPE);
	capability_name(0x8001, name);
	check_text(name, "vendor-8001");
	check_ok(capability_id_of("vendor-8001", &id));
	check_uint(id, 0x8001);
	check_int(capability_id_of("vendor-7fff", &id), VALUE_E_SYNTAX);
	check_int(capability_id_of("vendor-80010", &id), VALUE_E_SYNTAX);
	check_int(capability_id_of("nonsense", &id), VALUE_E_SYNTAX);
	check_int(capability_id_of(NULL, &id), VALUE_E_SYNTAX);
}

static void words(void **state)
{
	(void)state;
	for (int i = 0; i < CLASSES; i++) {
		enum data_class got;

		check_ok(data_class_parse(data_class_name((enum data_class)i), &got));
		check_int(got, i);
	}
	enum data_class c;
	check_int(data_class_parse("secret", &c), VALUE_E_SYNTAX);
	for (int i = 0; i < UNITS; i++)
		check_true(unit_name((enum unit)i) != NULL);
	check_text(unit_name(UNIT_CELSIUS), "°C");
	check_text(risk_name(RISK_HIGH), "high");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(a_lock_is_not_a_lamp),
		cmocka_unit_test(matter_names),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(ranges_may_only_narrow),
		cmocka_unit_test(values_are_checked),
		cmocka_unit_test(vendor_space),
		cmocka_unit_test(words),
	};

	return CHECK_RUN(rows);
}
