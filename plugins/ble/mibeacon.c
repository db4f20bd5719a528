/* Frame control, product, frame counter, then what frame control announces: MAC, capability, objects
 * (Xiaomi IoT developer documents, "MiBeacon protocol" and "Object definition"). An object is an id, a
 * length and data. Sealed: ciphertext, three more bytes of counter, tag; the nonce is the MAC lowest byte
 * first, product, frame counter and those three; 0x11 is authenticated beside it.
 *
 * What an object means is the same for all products, but for a few that were there before the definition.
 */
#include "ble/mibeacon.h"

#include <string.h>

enum {
	CONTROL_SEALED = 1u << 3,
	CONTROL_MAC = 1u << 4,
	CONTROL_CAPABILITY = 1u << 5,
	CONTROL_OBJECT = 1u << 6,
	CONTROL_MESH = 1u << 7,
	CAPABILITY_IO = 1u << 5,
};
enum {
	PRODUCT_MJYD02YL = 0x07f6,
	PRODUCT_MCCGQ02HL = 0x098b,
	PRODUCT_CGPR1 = 0x0a83,
	PRODUCT_RTCGQ02LM = 0x0a8d,
	PRODUCT_XMWS01XS = 0x5968,
	PRODUCT_YLYK01YL = 0x0153,
	PRODUCT_YLKG07YL = 0x03b6,
	PRODUCT_YLAI003 = 0x07bf,
	PRODUCT_SJWS01LM = 0x0863,
	PRODUCT_JTYJGD03MI = 0x0997,
};
/* No motion for so long still counts as somebody being there, as the maker's app has it. */
enum { IDLE_S = 30 };

struct object {
	uint16_t id;
	uint8_t len;
	uint8_t offset;
	struct field field;
};

/* An object of several numbers has several rows. */
static const struct object objects[] = {
	{ 0x0003, 1, 0, { 1, FIELD_BOOL, CAP_OCCUPANCY, 1, 0 } },
	{ 0x1004, 2, 0, { 2, FIELD_SIGNED, CAP_TEMPERATURE, 10, 0 } },
	{ 0x1005, 2, 0, { 1, FIELD_BOOL, CAP_ON_OFF, 1, 0 } },
	{ 0x1005, 2, 1, { 1, FIELD_UNSIGNED, CAP_TEMPERATURE, 1, 0 } },
	{ 0x1006, 2, 0, { 2, FIELD_UNSIGNED, CAP_HUMIDITY, 10, 0 } },
	{ 0x1008, 1, 0, { 1, FIELD_UNSIGNED, CAP_SOIL_MOISTURE, 1, 0 } },
	{ 0x1009, 2, 0, { 2, FIELD_UNSIGNED, BLE_CAP_CONDUCTIVITY, 1, 0 } },
	{ 0x100a, 1, 0, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
	{ 0x100d, 4, 0, { 2, FIELD_SIGNED, CAP_TEMPERATURE, 10, 0 } },
	{ 0x100d, 4, 2, { 2, FIELD_UNSIGNED, CAP_HUMIDITY, 10, 0 } },
	{ 0x1010, 2, 0, { 2, FIELD_UNSIGNED, BLE_CAP_FORMALDEHYDE, 0.1, 0 } },
	{ 0x1012, 1, 0, { 1, FIELD_BOOL, CAP_ON_OFF, 1, 0 } },
	{ 0x1013, 1, 0, { 1, FIELD_UNSIGNED, BLE_CAP_CONSUMABLE, 1, 0 } },
	{ 0x1014, 1, 0, { 1, FIELD_BOOL, CAP_WATER_LEAK, 1, 0 } },
	{ 0x1015, 1, 0, { 1, FIELD_BOOL, CAP_SMOKE, 1, 0 } },
	{ 0x1018, 1, 0, { 1, FIELD_BOOL, BLE_CAP_LIGHT, 1, 0 } },
	{ 0x4801, 4, 0, { 4, FIELD_FLOAT, CAP_TEMPERATURE, 1, 0 } },
	{ 0x4802, 1, 0, { 1, FIELD_UNSIGNED, CAP_HUMIDITY, 1, 0 } },
	{ 0x4803, 1, 0, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
	{ 0x4805, 4, 0, { 4, FIELD_FLOAT, CAP_ILLUMINANCE, 1, 0 } },
	{ 0x4806, 1, 0, { 1, FIELD_BOOL, CAP_WATER_LEAK, 1, 0 } },
	{ 0x483c, 1, 0, { 1, FIELD_BOOL, CAP_OCCUPANCY, 1, 0 } },
	{ 0x4a01, 1, 0, { 1, FIELD_BOOL, CAP_BATTERY_LOW, 1, 0 } },
	{ 0x4a08, 4, 0, { 4, FIELD_FLOAT, CAP_ILLUMINANCE, 1, 0 } },
	{ 0x4c01, 4, 0, { 4, FIELD_FLOAT, CAP_TEMPERATURE, 1, 0 } },
	{ 0x4c02, 1, 0, { 1, FIELD_UNSIGNED, CAP_HUMIDITY, 1, 0 } },
	{ 0x4c03, 1, 0, { 1, FIELD_UNSIGNED, CAP_BATTERY, 1, 0 } },
	{ 0x4c08, 4, 0, { 4, FIELD_FLOAT, CAP_HUMIDITY, 1, 0 } },
	{ 0x4e01, 1, 0, { 1, FIELD_BOOL, CAP_BATTERY_LOW, 1, 0 } },
};

static bool is_light_switch(uint16_t product)
{
	return product == PRODUCT_MJYD02YL || product == PRODUCT_MCCGQ02HL || product == PRODUCT_RTCGQ02LM;
}

/* Motion, and with it a brightness that means lux to one product and light or dark to another. */
static int read_motion(struct mibeacon *m, uint32_t brightness)
{
	int err = readings_add(&m->readings, CAP_OCCUPANCY, value_bool(true));

	if (!err && is_light_switch(m->product))
		err = readings_add(&m->readings, BLE_CAP_LIGHT, value_bool(brightness >= 100));
	else if (!err && m->product == PRODUCT_CGPR1)
		err = readings_add(&m->readings, CAP_ILLUMINANCE, value_real(brightness));
	return err;
}

static int read_brightness(struct mibeacon *m, uint32_t brightness)
{
	if (is_light_switch(m->product))
		return readings_add(&m->readings, BLE_CAP_LIGHT, value_bool(brightness == 100));
	return readings_add(&m->readings, CAP_ILLUMINANCE, value_real(brightness));
}

static int read_idle(struct mibeacon *m, uint32_t seconds)
{
	int err = readings_add(&m->readings, BLE_CAP_IDLE_SECONDS, value_int(seconds));

	return err ? err : readings_add(&m->readings, CAP_OCCUPANCY, value_bool(seconds <= IDLE_S));
}

/* 0 open, 1 closed, 2 open for too long; 3 is a reset. */
static int read_door(struct mibeacon *m, uint32_t state)
{
	if (state <= 2)
		return readings_add(&m->readings, CAP_CONTACT, value_bool(state == 1));
	m->unknown++;
	return 0;
}

/* 1 open, 2 closed. */
static int read_opening(struct mibeacon *m, uint32_t state)
{
	if (state == 1 || state == 2)
		return readings_add(&m->readings, CAP_CONTACT, value_bool(state == 2));
	m->unknown++;
	return 0;
}

/* The left button of two is the first. */
static int read_press(struct mibeacon *m, const char *word, uint32_t which)
{
	int err = 0;

	if (m->product == PRODUCT_XMWS01XS && which == 1)
		err = readings_add(&m->readings, CAP_BUTTON, (struct value){ 0 });
	return err ? err : readings_add(&m->readings, CAP_BUTTON, value_text(word));
}

/* The button of this number, and before it as many at rest. */
static int read_button(struct mibeacon *m, uint8_t number, const char *word)
{
	int err = 0;

	for (uint8_t i = 0; !err && i < number; i++)
		err = readings_add(&m->readings, CAP_BUTTON, (struct value){ 0 });
	return err ? err : readings_add(&m->readings, CAP_BUTTON, value_text(word));
}

/* A knob: turned so many steps, left is above 127; or pressed. Turned while it is pressed the steps are in the first byte. */
static int read_knob(struct mibeacon *m, struct view data)
{
	uint8_t steps = data.data[0] ? data.data[0] : data.data[1];

	if (data.data[2] == 3 && data.data[0] <= 1)
		return read_button(m, 0, data.data[0] ? "long" : "single");
	if (data.data[2] == 4)
		return readings_add(&m->readings, BLE_CAP_DIMMER, value_int(steps > 127 ? (int64_t)steps - 256 : steps));
	m->unknown++;
	return 0;
}

/* Which button, a byte that is 0, how it was pressed. */
static int read_pressed(struct mibeacon *m, struct view data)
{
	static const char *const words[] = { "single", "double", "long" };
	static const struct {
		uint16_t product;
		uint8_t buttons;
	} rows[] = { { PRODUCT_YLYK01YL, 6 },	{ PRODUCT_YLAI003, 1 },	   { PRODUCT_RTCGQ02LM, 1 },
		     { PRODUCT_SJWS01LM, 1 },	{ PRODUCT_JTYJGD03MI, 1 } };

	if (m->product == PRODUCT_YLKG07YL)
		return read_knob(m, data);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].product == m->product && data.data[0] < rows[i].buttons && data.data[2] < N_ELEMENTS(words))
			return read_button(m, data.data[0], words[data.data[2]]);
	}
	m->unknown++;
	return 0;
}

static int read_by_rows(struct mibeacon *m, uint16_t id, struct view data)
{
	bool found = false;
	int err = 0;

	for (size_t i = 0; !err && i < N_ELEMENTS(objects); i++) {
		if (objects[i].id != id || objects[i].len != data.len)
			continue;
		found = true;
		err = readings_field(&m->readings, &objects[i].field, data.data + objects[i].offset);
	}
	m->unknown += !found;
	return err;
}

static uint32_t number_of(struct view data)
{
	uint32_t number = 0;

	for (size_t i = data.len < 4 ? data.len : 4; i-- > 0;)
		number = number << 8 | data.data[i];
	return number;
}

#define OBJECT(id, len) ((uint32_t)(id) << 8 | (len))

static int read_object(struct mibeacon *m, uint16_t id, struct view data)
{
	uint32_t number = number_of(data);
	int err;

	switch (OBJECT(id, data.len)) {
	case OBJECT(0x000f, 3):
		return read_motion(m, number);
	case OBJECT(0x1001, 3):
		return read_pressed(m, data);
	case OBJECT(0x1007, 3):
		return read_brightness(m, number);
	case OBJECT(0x1017, 4):
	case OBJECT(0x4818, 2):
		return read_idle(m, number);
	case OBJECT(0x101b, 4): /* so many seconds without motion: nobody there */
		return readings_add(&m->readings, CAP_OCCUPANCY, value_bool(false));
	case OBJECT(0x1019, 1):
		return read_door(m, number);
	case OBJECT(0x4804, 1):
	case OBJECT(0x4a12, 1):
		return read_opening(m, number);
	case OBJECT(0x484e, 1):
		return readings_add(&m->readings, CAP_OCCUPANCY, value_bool(number == 1));
	case OBJECT(0x4a0c, 1):
		return read_press(m, "single", number);
	case OBJECT(0x4a0d, 1):
		return read_press(m, "double", number);
	case OBJECT(0x4a0e, 1):
		return read_press(m, "long", number);
	case OBJECT(0x4a08, 4):
		err = readings_add(&m->readings, CAP_OCCUPANCY, value_bool(true));
		return err ? err : read_by_rows(m, id, data);
	default:
		return read_by_rows(m, id, data);
	}
}

static int read_objects(struct mibeacon *m, struct view plain)
{
	struct reader r = reader_over(plain.data, plain.len);
	int err = 0;

	while (!err && reader_left(&r)) {
		uint16_t id = get_u16(&r);
		struct view data = get_view(&r, get_u8(&r));

		if (r.bad)
			return MIBEACON_E_MALFORMED;
		m->nobjects++;
		err = read_object(m, id, data);
	}
	return err ? MIBEACON_E_SIZE : 0;
}

static int open_sealed(struct mibeacon *m, struct view data, const uint8_t mac[6], const uint8_t *key,
		       uint8_t plain[CCM_PLAIN_MAX], struct view *ret)
{
	static const uint8_t also[] = { 0x11 };
	uint8_t nonce[12] = { [6] = (uint8_t)m->product, [7] = (uint8_t)(m->product >> 8), [8] = (uint8_t)m->counter };
	struct ccm_box box = { .nonce = { nonce, sizeof(nonce) }, .also = { also, sizeof(also) } };
	const uint8_t *more;
	int err;

	if (data.len <= 7)
		return MIBEACON_E_MALFORMED;
	more = data.data + data.len - 7;
	for (size_t i = 0; i < 6; i++)
		nonce[i] = mac[5 - i];
	memcpy(nonce + 9, more, 3);
	box.sealed = (struct view){ data.data, data.len - 7 };
	box.tag = more + 3;
	err = ccm_open(key, &box, plain);
	if (err)
		return err < 0 ? err : MIBEACON_E_FORGED;
	m->counter |= number_of((struct view){ more, 3 }) << 8;
	*ret = (struct view){ plain, box.sealed.len };
	return 0;
}

static int read_head(struct reader *r, const uint8_t mac[6], uint16_t *ret_control, struct mibeacon *ret)
{
	uint16_t control = get_u16(r);
	struct view said;

	ret->version = (uint8_t)(control >> 12);
	ret->product = get_u16(r);
	ret->counter = get_u8(r);
	ret->sealed = control & CONTROL_SEALED;
	if (control & CONTROL_MAC) {
		said = get_view(r, 6);
		for (size_t i = 0; !r->bad && i < 6; i++)
			if (said.data[i] != mac[5 - i])
				return MIBEACON_E_MALFORMED;
	}
	/* One byte follows a capability with input or output, as open decoders have it. */
	if ((control & CONTROL_CAPABILITY) && (get_u8(r) & CAPABILITY_IO))
		(void)get_u8(r);
	if (r->bad)
		return MIBEACON_E_MALFORMED;
	if (ret->version < 2 || (control & CONTROL_MESH))
		return MIBEACON_E_VERSION;
	*ret_control = control;
	return 0;
}

int mibeacon_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct mibeacon *ret)
{
	struct reader r = reader_over(data.data, data.len);
	uint8_t opened[CCM_PLAIN_MAX];
	struct view plain;
	uint16_t control;
	int err;

	*ret = (struct mibeacon){ 0 };
	if (data.len > MIBEACON_BYTES_MAX)
		return MIBEACON_E_SIZE;
	err = read_head(&r, mac, &control, ret);
	if (err || !(control & CONTROL_OBJECT))
		return err;
	if (ret->sealed && key && ret->version < 4)
		return MIBEACON_E_VERSION;
	if (ret->sealed != (key != NULL))
		return ret->sealed ? MIBEACON_E_KEY : MIBEACON_E_PLAIN;
	plain = get_view(&r, reader_left(&r));
	if (ret->sealed)
		err = open_sealed(ret, plain, mac, key, opened, &plain);
	return err ? err : read_objects(ret, plain);
}

/* Twelve bytes of key are given out and four are the same for all. The nonce is the head up to the frame counter, three bytes
 * of counter, and the MAC lowest byte first without its last; one byte at the end is a check sum of its own making. */
static int open_old(struct view whole, struct view data, const uint8_t mac[6], const uint8_t *key, uint8_t plain[CCM_PLAIN_MAX],
		    struct view *ret)
{
	static const uint8_t middle[] = { 0x8d, 0x3d, 0x3c, 0x97 };
	uint8_t nonce[13], all[CCM_KEY_LEN];
	int err;

	if (data.len <= 4)
		return MIBEACON_E_MALFORMED;
	memcpy(nonce, whole.data, 5);
	memcpy(nonce + 5, data.data + data.len - 4, 3);
	for (size_t i = 0; i < 5; i++)
		nonce[8 + i] = mac[5 - i];
	memcpy(all, key, 6);
	memcpy(all + 6, middle, sizeof(middle));
	memcpy(all + 10, key + 6, 6);
	err = ccm_peek(all, (struct view){ nonce, sizeof(nonce) }, (struct view){ data.data, data.len - 4 }, plain);
	explicit_bzero(all, sizeof(all));
	*ret = (struct view){ plain, data.len - 4 };
	return err < 0 ? err : err ? MIBEACON_E_SIZE : 0;
}

int mibeacon_read_old(struct view data, const uint8_t mac[6], const uint8_t key[MIBEACON_OLD_KEY_LEN], struct mibeacon *ret)
{
	struct reader r = reader_over(data.data, data.len);
	uint8_t opened[CCM_PLAIN_MAX];
	struct view plain;
	uint16_t control;
	int err;

	*ret = (struct mibeacon){ 0 };
	if (data.len > MIBEACON_BYTES_MAX)
		return MIBEACON_E_SIZE;
	err = read_head(&r, mac, &control, ret);
	if (err || !(control & CONTROL_OBJECT))
		return err;
	if (!ret->sealed)
		return MIBEACON_E_PLAIN;
	if (ret->version >= 4)
		return MIBEACON_E_VERSION;
	err = open_old(data, get_view(&r, reader_left(&r)), mac, key, opened, &plain);
	if (!err)
		err = read_objects(ret, plain) || ret->unknown || !ret->nobjects ? MIBEACON_E_FORGED : 0;
	return err;
}
