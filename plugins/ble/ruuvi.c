/* docs.ruuvi.com, "Data format 3 (RAWv1)" and "Data format 5 (RAWv2)". Numbers stand highest byte first. In
 * format 5 the largest unsigned and the smallest signed number mean that there is none; in format 3 the
 * temperature is a sign and a size, not a complement. An acceleration that is missing still counts, so
 * that the third is always z.
 */
#include "ble/ruuvi.h"

#include <string.h>

enum { FORMAT_3_LEN = 14, FORMAT_5_LEN = 24 };
#define G 9.80665

static int add_real(struct readings *readings, uint16_t cap, double number, bool is_there)
{
	if (!is_there)
		return 0;
	return readings_add(readings, cap, value_real(number));
}

static int add_acceleration(struct readings *readings, const uint8_t *bytes, bool may_miss)
{
	int err = 0;

	for (size_t i = 0; !err && i < 3; i++) {
		int16_t milli_g = big_i16(bytes + 2 * i);
		bool missing = may_miss && milli_g == INT16_MIN;

		err = readings_add(readings, BLE_CAP_ACCELERATION,
				   missing ? (struct value){ 0 } : value_real(milli_g * G / 1000));
	}
	return err;
}

static int read_3(const uint8_t *d, struct readings *r)
{
	double size = (d[2] & 0x7f) + d[3] / 100.0;
	int err;

	if (d[3] > 99)
		return RUUVI_E_MALFORMED;
	err = add_real(r, CAP_HUMIDITY, d[1] / 2.0, true);
	if (!err)
		err = add_real(r, CAP_TEMPERATURE, d[2] & 0x80 ? -size : size, true);
	if (!err)
		err = add_real(r, CAP_PRESSURE, (big_u16(d + 4) + 50000) / 100.0, true);
	if (!err)
		err = add_acceleration(r, d + 6, false);
	if (!err)
		err = add_real(r, CAP_VOLTAGE, big_u16(d + 12) / 1000.0, true);
	return err;
}

static int read_5_air(const uint8_t *d, struct readings *r)
{
	int16_t heat = big_i16(d + 1);
	uint16_t humidity = big_u16(d + 3), pressure = big_u16(d + 5);
	int err;

	err = add_real(r, CAP_TEMPERATURE, heat / 200.0, heat != INT16_MIN);
	if (!err)
		err = add_real(r, CAP_HUMIDITY, humidity / 400.0, humidity != UINT16_MAX);
	if (!err)
		err = add_real(r, CAP_PRESSURE, (pressure + 50000) / 100.0, pressure != UINT16_MAX);
	return err;
}

static int read_5_rest(const uint8_t *d, struct readings *r)
{
	uint16_t power = big_u16(d + 13), millivolts = power >> 5, sequence = big_u16(d + 16);
	uint8_t tx = power & 31;
	int err;

	err = add_real(r, CAP_VOLTAGE, (millivolts + 1600) / 1000.0, millivolts != 2047);
	if (!err && tx != 31)
		err = readings_add(r, BLE_CAP_TX_POWER, value_int(tx * 2 - 40));
	if (!err && d[15] != UINT8_MAX)
		err = readings_add(r, BLE_CAP_MOVEMENTS, value_int(d[15]));
	if (!err && sequence != UINT16_MAX)
		err = readings_add(r, BLE_CAP_SEQUENCE, value_int(sequence));
	return err;
}

static int read_5(const uint8_t *d, struct ruuvi *ret)
{
	int err = read_5_air(d, &ret->readings);

	if (!err)
		err = add_acceleration(&ret->readings, d + 7, true);
	if (!err)
		err = read_5_rest(d, &ret->readings);
	memcpy(ret->mac, d + 18, sizeof(ret->mac));
	for (size_t i = 0; i < sizeof(ret->mac); i++)
		ret->has_mac |= ret->mac[i] != UINT8_MAX;
	return err;
}

int ruuvi_read(struct view data, struct ruuvi *ret)
{
	if (!data.len)
		return RUUVI_E_MALFORMED;
	*ret = (struct ruuvi){ .format = data.data[0] };
	if (ret->format == 3)
		return data.len == FORMAT_3_LEN ? read_3(data.data, &ret->readings) : RUUVI_E_MALFORMED;
	if (ret->format == 5)
		return data.len == FORMAT_5_LEN ? read_5(data.data, ret) : RUUVI_E_MALFORMED;
	return RUUVI_E_FORMAT;
}
