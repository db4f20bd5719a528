/* The forms are told by their length: 13 ATC1441's own (numbers highest byte first), 15 pvvx's (lowest
 * first), and both sealed, 8 and 11 (README of the pvvx firmware, "Bluetooth Advertising Formats").
 * Sealed: counter, ciphertext, tag. The nonce is the MAC lowest byte first, then the AD structure's own
 * length, type and uuid, then the counter; 0x11 is authenticated beside it.
 */
#include "ble/atc.h"

enum { ATC1441_LEN = 13, PVVX_LEN = 15, ATC1441_SEALED_LEN = 8, PVVX_SEALED_LEN = 11 };

struct place {
	uint8_t offset;
	struct field field;
};

static const struct place pvvx[] = {
	{ 6, { 2, FIELD_SIGNED, CAP_TEMPERATURE, 100, 0 } },
	{ 8, { 2, FIELD_UNSIGNED, CAP_HUMIDITY, 100, 0 } },
	{ 10, { 2, FIELD_UNSIGNED, CAP_VOLTAGE, 1000, 0 } },
	{ 12, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
};
static const struct place pvvx_sealed[] = {
	{ 0, { 2, FIELD_SIGNED, CAP_TEMPERATURE, 100, 0 } },
	{ 2, { 2, FIELD_UNSIGNED, CAP_HUMIDITY, 100, 0 } },
	{ 4, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
};
static const struct place atc1441_sealed[] = {
	{ 0, { 1, FIELD_UNSIGNED, CAP_TEMPERATURE, 2, -40 } },
	{ 1, { 1, FIELD_UNSIGNED, CAP_HUMIDITY, 2, 0 } },
};

static int read_places(struct readings *readings, const struct place *places, size_t n, const uint8_t *bytes)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = readings_field(readings, &places[i].field, bytes + places[i].offset);
	return err;
}

static bool is_mac(const uint8_t *said, const uint8_t mac[6], bool reversed)
{
	for (size_t i = 0; i < 6; i++)
		if (said[reversed ? 5 - i : i] != mac[i])
			return false;
	return true;
}

static int read_atc1441(const uint8_t *d, const uint8_t mac[6], struct atc *ret)
{
	struct readings *r = &ret->readings;
	int err;

	if (!is_mac(d, mac, false))
		return ATC_E_MALFORMED;
	ret->counter = d[12];
	err = readings_add(r, CAP_TEMPERATURE, value_real(big_i16(d + 6) / 10.0));
	if (!err)
		err = readings_add(r, CAP_HUMIDITY, value_real(d[8]));
	if (!err)
		err = readings_add(r, CAP_BATTERY, value_real(d[9]));
	if (!err)
		err = readings_add(r, CAP_VOLTAGE, value_real(big_u16(d + 10) / 1000.0));
	return err;
}

static int read_pvvx(const uint8_t *d, const uint8_t mac[6], struct atc *ret)
{
	if (!is_mac(d, mac, true))
		return ATC_E_MALFORMED;
	ret->counter = d[13];
	return read_places(&ret->readings, pvvx, N_ELEMENTS(pvvx), d);
}

static int read_sealed(struct view data, const uint8_t mac[6], const uint8_t *key, struct atc *ret)
{
	static const uint8_t also[] = { 0x11 };
	uint8_t nonce[11] = { [6] = (uint8_t)(data.len + 3), [7] = 0x16, [8] = 0x1a, [9] = 0x18, [10] = data.data[0] };
	struct ccm_box box = { .nonce = { nonce, sizeof(nonce) },
			       .also = { also, sizeof(also) },
			       .sealed = { data.data + 1, data.len - 5 },
			       .tag = data.data + data.len - 4 };
	uint8_t plain[PVVX_SEALED_LEN];
	int err;

	for (size_t i = 0; i < 6; i++)
		nonce[i] = mac[5 - i];
	err = ccm_open(key, &box, plain);
	if (err)
		return err < 0 ? err : ATC_E_FORGED;
	ret->counter = data.data[0];
	if (data.len == PVVX_SEALED_LEN)
		return read_places(&ret->readings, pvvx_sealed, N_ELEMENTS(pvvx_sealed), plain);
	err = read_places(&ret->readings, atc1441_sealed, N_ELEMENTS(atc1441_sealed), plain);
	return err ? err : readings_add(&ret->readings, CAP_BATTERY, value_real(plain[2] & 0x7f));
}

int atc_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct atc *ret)
{
	bool sealed = data.len == ATC1441_SEALED_LEN || data.len == PVVX_SEALED_LEN;

	if (!sealed && data.len != ATC1441_LEN && data.len != PVVX_LEN)
		return ATC_E_MALFORMED;
	if (sealed != (key != NULL))
		return sealed ? ATC_E_KEY : ATC_E_PLAIN;
	*ret = (struct atc){ .sealed = sealed };
	if (sealed)
		return read_sealed(data, mac, key, ret);
	return data.len == ATC1441_LEN ? read_atc1441(data.data, mac, ret) : read_pvvx(data.data, mac, ret);
}
