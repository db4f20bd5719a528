/* Numbers and units are those of the GATT Specification Supplement; a value that is not known has a number of its own, which
 * lies outside of what a capability may be. What stands behind the number in longer characteristics is not read.
 */
#include "ble/characteristic.h"

static const struct characteristic rows[] = {
	{ 0x2a19, KIND_VALUE, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
	{ 0x2a24, KIND_MODEL, { 0 } },
	{ 0x2a26, KIND_FIRMWARE, { 0 } },
	{ 0x2a29, KIND_VENDOR, { 0 } },
	{ 0x2a56, KIND_SWITCH, { 0 } },
	{ 0x2a6d, KIND_VALUE, { 4, FIELD_UNSIGNED, CAP_PRESSURE, 1000, 0 } }, /* tenths of a pascal */
	{ 0x2a6e, KIND_VALUE, { 2, FIELD_SIGNED, CAP_TEMPERATURE, 100, 0 } },
	{ 0x2a6f, KIND_VALUE, { 2, FIELD_UNSIGNED, CAP_HUMIDITY, 100, 0 } },
	{ 0x2a7b, KIND_VALUE, { 1, FIELD_SIGNED, BLE_CAP_DEW_POINT, 1, 0 } },
	{ 0x2afb, KIND_VALUE, { 3, FIELD_UNSIGNED, CAP_ILLUMINANCE, 100, 0 } },
	{ 0x2b8c, KIND_VALUE, { 2, FIELD_UNSIGNED, CAP_CO2, 1, 0 } },
};

const struct characteristic *characteristic_find(uint16_t uuid)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].uuid == uuid)
			return &rows[i];
	}
	return NULL;
}

bool characteristic_is_service(uint16_t uuid)
{
	return uuid == SERVICE_ENVIRONMENT || uuid == SERVICE_AUTOMATION;
}

uint16_t characteristic_cap(const struct characteristic *row)
{
	if (row->kind == KIND_SWITCH)
		return CAP_ON_OFF;
	return row->kind == KIND_VALUE ? row->field.cap : 0;
}

/* Two bits an output, the first one in the lowest: 0 off, 1 on, 2 and 3 something between. */
static int read_switch(struct view bytes, struct value *ret)
{
	if (!bytes.len || (bytes.data[0] & 3) > 1)
		return CHARACTERISTIC_E_VALUE;
	*ret = value_bool(bytes.data[0] & 1);
	return 0;
}

int characteristic_read(const struct characteristic *row, struct view bytes, struct value *ret)
{
	struct readings readings = { 0 };

	if (row->kind == KIND_SWITCH)
		return read_switch(bytes, ret);
	if (row->kind != KIND_VALUE || bytes.len < row->field.width || readings_field(&readings, &row->field, bytes.data) ||
	    !readings.n)
		return CHARACTERISTIC_E_VALUE;
	*ret = readings.rows[0].value;
	return 0;
}

int characteristic_write(const struct characteristic *row, const struct value *value, uint8_t *ret, size_t *ret_len)
{
	if (row->kind != KIND_SWITCH || value->type != VALUE_BOOL)
		return CHARACTERISTIC_E_VALUE;
	ret[0] = value->b;
	*ret_len = 1;
	return 0;
}
