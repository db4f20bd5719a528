/* Beacons are small records of numbers: so wide, signed or not, in such a unit. A row says that, and
 * this file turns bytes into a value by the row. The sensor's own error codes are usually numbers that
 * no air has (327 degrees, 655 %); the range of the gateway's capability table keeps those out.
 */
#include "ble/reading.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static bool is_in_range(uint16_t cap, const struct value *value)
{
	const struct capability *row = capability_find(cap);
	double number;

	if (value->type != VALUE_INT && value->type != VALUE_REAL)
		return true;
	number = value_number(value);
	if (!row)
		return isfinite(number);
	return isfinite(number) && ((row->min == 0 && row->max == 0) || (number >= row->min && number <= row->max));
}

int readings_add(struct readings *readings, uint16_t cap, struct value value)
{
	const struct capability *row = capability_find(cap);
	uint8_t index = 1;

	assert(row || (cap >= BLE_CAP_MASS && cap < BLE_CAP_LAST));
	assert(!row || value.type == VALUE_NONE || row->type == value.type);
	if (readings->n == READINGS_MAX)
		return READING_E_FULL;
	if (!is_in_range(cap, &value)) {
		readings->refused++;
		return 0;
	}
	for (size_t i = 0; i < readings->n; i++)
		index = (uint8_t)(index + (readings->rows[i].cap == cap));
	readings->rows[readings->n++] = (struct reading){ cap, index, value };
	return 0;
}

static int64_t number_of(const struct field *field, const uint8_t *bytes)
{
	bool is_signed = field->form == FIELD_SIGNED || field->form == FIELD_WHOLE_SIGNED;
	int64_t number = 0;

	for (size_t i = field->width; i-- > 0;)
		number = number * 256 + bytes[i];
	if (is_signed && (bytes[field->width - 1] & 0x80))
		number -= (int64_t)1 << (8 * field->width);
	return number;
}

static double float_of(const uint8_t *bytes)
{
	struct reader r = reader_over(bytes, 4);
	uint32_t bits = get_u32(&r);
	float number;

	static_assert(sizeof(number) == sizeof(bits), "IEEE 754");
	memcpy(&number, &bits, sizeof(number));
	return (double)number;
}

int readings_field(struct readings *readings, const struct field *field, const uint8_t *bytes)
{
	int64_t number;

	assert(field->width >= 1 && field->width <= 4);
	number = number_of(field, bytes);
	switch ((enum field_form)field->form) {
	case FIELD_WHOLE:
	case FIELD_WHOLE_SIGNED:
		return readings_add(readings, field->cap, value_int(number));
	case FIELD_BOOL:
	case FIELD_BOOL_NOT:
		return readings_add(readings, field->cap, value_bool((number != 0) == (field->form == FIELD_BOOL)));
	case FIELD_FLOAT:
		return readings_add(readings, field->cap, value_real(float_of(bytes) / field->per + field->add));
	case FIELD_UNSIGNED:
	case FIELD_SIGNED:
		break;
	}
	return readings_add(readings, field->cap, value_real((double)number / field->per + field->add));
}

const struct reading *readings_find(const struct readings *readings, uint16_t cap, uint8_t index)
{
	for (size_t i = 0; i < readings->n; i++)
		if (readings->rows[i].cap == cap && readings->rows[i].index == index)
			return &readings->rows[i];
	return NULL;
}

uint16_t big_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

int16_t big_i16(const uint8_t *bytes)
{
	return (int16_t)big_u16(bytes);
}
