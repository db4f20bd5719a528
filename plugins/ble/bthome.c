/* BTHome v2 (bthome.io, "Format" and "Encryption"): a byte of device information, then objects, each an id
 * and as many bytes as its id says; text and raw say their length themselves. So an unknown id ends what can
 * be read, and the format asks senders to keep ids in rising order so that new ones come last.
 *
 * Sealed: information, ciphertext, counter, tag; the nonce is MAC, uuid, information and counter. The counter
 * must rise. A plain beacon repeats its packet id with each repetition; it is no protection, so it only
 * tells a repetition from news.
 */
#include "ble/bthome.h"

#include <string.h>
#include "base/text.h"

enum {
	INFO_SEALED = 0x01,
	INFO_MAC = 0x02,
	INFO_TRIGGER = 0x04,
	INFO_VERSION = 0xe0,
	VERSION_2 = 0x40,
};
enum {
	ID_PACKET = 0x00,
	ID_LOCK = 0x1f,
	ID_BUTTON = 0x3a,
	ID_DIMMER = 0x3c,
	ID_TEXT = 0x53,
	ID_RAW = 0x54,
};

#define U(width, cap, per) { width, FIELD_UNSIGNED, cap, per, 0 }
#define S(width, cap, per) { width, FIELD_SIGNED, cap, per, 0 }
#define I(width, cap) { width, FIELD_WHOLE, cap, 1, 0 }
#define J(width, cap) { width, FIELD_WHOLE_SIGNED, cap, 1, 0 }
#define YES(cap) { 1, FIELD_BOOL, cap, 1, 0 }
#define NOT(cap) { 1, FIELD_BOOL_NOT, cap, 1, 0 }
#define POUND 0.45359237

static const struct field objects[256] = {
	[0x01] = U(1, CAP_BATTERY, 1),
	[0x02] = S(2, CAP_TEMPERATURE, 100),
	[0x03] = U(2, CAP_HUMIDITY, 100),
	[0x04] = U(3, CAP_PRESSURE, 100),
	[0x05] = U(3, CAP_ILLUMINANCE, 100),
	[0x06] = U(2, BLE_CAP_MASS, 100),
	[0x07] = U(2, BLE_CAP_MASS, 100 / POUND),
	[0x08] = S(2, BLE_CAP_DEW_POINT, 100),
	[0x09] = I(1, BLE_CAP_COUNT),
	[0x0a] = U(3, CAP_ENERGY, 1000),
	[0x0b] = U(3, CAP_POWER, 100),
	[0x0c] = U(2, CAP_VOLTAGE, 1000),
	[0x0d] = U(2, CAP_PM25, 1),
	[0x0e] = U(2, BLE_CAP_PM10, 1),
	[0x0f] = YES(BLE_CAP_GENERIC),
	[0x10] = YES(CAP_ON_OFF),
	[0x11] = NOT(CAP_CONTACT), /* opening: 1 is open */
	[0x12] = U(2, CAP_CO2, 1),
	[0x13] = U(2, CAP_VOC, 1),
	[0x14] = U(2, CAP_SOIL_MOISTURE, 100),
	[0x15] = YES(CAP_BATTERY_LOW),
	[0x16] = YES(BLE_CAP_CHARGING),
	[0x17] = YES(CAP_CARBON_MONOXIDE),
	[0x18] = YES(BLE_CAP_COLD),
	[0x19] = YES(BLE_CAP_CONNECTED),
	[0x1a] = NOT(CAP_CONTACT), /* door */
	[0x1b] = NOT(CAP_CONTACT), /* garage door */
	[0x1c] = YES(CAP_GAS),
	[0x1d] = YES(BLE_CAP_HOT),
	[0x1e] = YES(BLE_CAP_LIGHT),
	[0x20] = YES(CAP_WATER_LEAK),
	[0x21] = YES(CAP_OCCUPANCY), /* motion */
	[0x22] = YES(BLE_CAP_MOVING),
	[0x23] = YES(CAP_OCCUPANCY),
	[0x24] = YES(BLE_CAP_PLUGGED),
	[0x25] = YES(CAP_OCCUPANCY), /* presence */
	[0x26] = YES(BLE_CAP_PROBLEM),
	[0x27] = YES(BLE_CAP_RUNNING),
	[0x28] = YES(BLE_CAP_SAFE), /* 1 is safe */
	[0x29] = YES(CAP_SMOKE),
	[0x2a] = YES(BLE_CAP_SOUND),
	[0x2b] = YES(CAP_TAMPER),
	[0x2c] = YES(CAP_VIBRATION),
	[0x2d] = NOT(CAP_CONTACT), /* window */
	[0x2e] = U(1, CAP_HUMIDITY, 1),
	[0x2f] = U(1, CAP_SOIL_MOISTURE, 1),
	[0x3d] = I(2, BLE_CAP_COUNT),
	[0x3e] = I(4, BLE_CAP_COUNT),
	[0x3f] = S(2, BLE_CAP_ROTATION, 10),
	[0x40] = U(2, BLE_CAP_DISTANCE, 1000),
	[0x41] = U(2, BLE_CAP_DISTANCE, 10),
	[0x42] = U(3, BLE_CAP_DURATION, 1000),
	[0x43] = U(2, CAP_CURRENT, 1000),
	[0x44] = U(2, BLE_CAP_SPEED, 100),
	[0x45] = S(2, CAP_TEMPERATURE, 10),
	[0x46] = U(1, BLE_CAP_UV_INDEX, 10),
	[0x47] = U(2, BLE_CAP_VOLUME, 10),
	[0x48] = U(2, BLE_CAP_VOLUME, 1000),
	[0x49] = U(2, CAP_FLOW, 60), /* thousandths of m3/h */
	[0x4a] = U(2, CAP_VOLTAGE, 10),
	[0x4b] = U(3, BLE_CAP_GAS_VOLUME, 1000),
	[0x4c] = U(4, BLE_CAP_GAS_VOLUME, 1000),
	[0x4d] = U(4, CAP_ENERGY, 1000),
	[0x4e] = U(4, BLE_CAP_VOLUME, 1000),
	[0x4f] = U(4, BLE_CAP_WATER, 1000),
	[0x50] = I(4, BLE_CAP_TIMESTAMP),
	[0x51] = U(2, BLE_CAP_ACCELERATION, 1000),
	[0x52] = U(2, BLE_CAP_GYROSCOPE, 1000),
	[0x55] = U(4, BLE_CAP_VOLUME_STORAGE, 1000),
	[0x56] = U(2, BLE_CAP_CONDUCTIVITY, 1),
	[0x57] = S(1, CAP_TEMPERATURE, 1),
	[0x58] = S(1, CAP_TEMPERATURE, 20.0 / 7), /* steps of 0.35 */
	[0x59] = J(1, BLE_CAP_COUNT),
	[0x5a] = J(2, BLE_CAP_COUNT),
	[0x5b] = J(4, BLE_CAP_COUNT),
	[0x5c] = S(4, CAP_POWER, 100),
	[0x5d] = S(2, CAP_CURRENT, 1000),
	[0x5e] = U(2, BLE_CAP_DIRECTION, 100),
	[0x5f] = U(2, BLE_CAP_PRECIPITATION, 10),
	[0x60] = I(1, BLE_CAP_CHANNEL),
	[0x61] = U(2, BLE_CAP_REVOLUTIONS, 1),
	[0x62] = S(4, BLE_CAP_SPEED, 1000000),
	[0x63] = S(4, BLE_CAP_ACCELERATION, 1000000),
	[0x64] = I(1, BLE_CAP_LIGHT_LEVEL),
	[0xf0] = I(2, BLE_CAP_DEVICE_TYPE),
	[0xf1] = I(4, BLE_CAP_FIRMWARE),
	[0xf2] = I(3, BLE_CAP_FIRMWARE),
};

static const char *button_word(uint8_t event)
{
	static const char *const words[] = { NULL,   "single",	    "double",	  "triple",
					     "long", "long-double", "long-triple" };

	if (event == 0x80)
		return "hold";
	return event < N_ELEMENTS(words) ? words[event] : NULL;
}

/* A button at rest counts, or the second one would be taken for the first. */
static int read_button(struct readings *readings, struct reader *r)
{
	const char *word = button_word(get_u8(r));

	return readings_add(readings, CAP_BUTTON, word ? value_text(word) : (struct value){ 0 });
}

static int read_dimmer(struct readings *readings, struct reader *r)
{
	uint8_t event = get_u8(r), steps = get_u8(r);

	if (event != 1 && event != 2)
		return readings_add(readings, BLE_CAP_DIMMER, (struct value){ 0 });
	return readings_add(readings, BLE_CAP_DIMMER, value_int(event == 1 ? -(int64_t)steps : steps));
}

static int read_own_length(struct readings *readings, struct reader *r, uint8_t id)
{
	struct view data = get_view(r, get_u8(r));
	struct value value = { .type = VALUE_BYTES, .len = (uint32_t)data.len, .data = (const char *)data.data };

	if (r->bad)
		return BTHOME_E_MALFORMED;
	if (id == ID_RAW)
		return readings_add(readings, BLE_CAP_RAW, value);
	if (!text_is_utf8(data.data, data.len))
		return BTHOME_E_MALFORMED;
	value.type = VALUE_TEXT;
	return readings_add(readings, BLE_CAP_TEXT, value);
}

static int read_fixed(struct bthome *b, struct reader *r, uint8_t id)
{
	struct view data = get_view(r, objects[id].width);

	if (!objects[id].width)
		b->cut = true;
	if (r->bad || b->cut)
		return 0;
	return readings_field(&b->readings, &objects[id], data.data);
}

static int read_object(struct bthome *b, struct reader *r)
{
	uint8_t id = get_u8(r);

	switch (id) {
	case ID_PACKET:
		b->packet_id = get_u8(r);
		b->has_packet_id = true;
		return 0;
	case ID_LOCK:
		return readings_add(&b->readings, CAP_LOCK_STATE, value_text(get_u8(r) ? "unlocked" : "locked"));
	case ID_BUTTON:
		return read_button(&b->readings, r);
	case ID_DIMMER:
		return read_dimmer(&b->readings, r);
	case ID_TEXT:
	case ID_RAW:
		return read_own_length(&b->readings, r, id);
	default:
		return read_fixed(b, r, id);
	}
}

static int read_objects(struct bthome *b, struct view plain)
{
	struct reader r = reader_over(plain.data, plain.len);
	size_t room;
	int err;

	while (reader_left(&r) && !b->cut) {
		room = READINGS_MAX - b->readings.n;
		err = read_object(b, &r);
		if (r.bad)
			return BTHOME_E_MALFORMED;
		if (err)
			return room ? err : BTHOME_E_SIZE;
	}
	return 0;
}

static int open_sealed(struct bthome *b, struct view data, const uint8_t mac[6], uint8_t info, const uint8_t *key,
		       struct view *ret)
{
	uint8_t nonce[13] = { [6] = 0xd2, [7] = 0xfc, [8] = info };
	struct reader tail;
	struct ccm_box box = { .nonce = { nonce, sizeof(nonce) } };
	int err;

	if (data.len <= 8)
		return BTHOME_E_MALFORMED;
	memcpy(nonce, mac, 6);
	memcpy(nonce + 9, data.data + data.len - 8, 4);
	box.sealed = (struct view){ data.data, data.len - 8 };
	box.tag = data.data + data.len - 4;
	err = ccm_open(key, &box, b->plain);
	if (err)
		return err < 0 ? err : BTHOME_E_FORGED;
	tail = reader_over(data.data + data.len - 8, 4);
	b->counter = get_u32(&tail);
	*ret = (struct view){ b->plain, box.sealed.len };
	return 0;
}

static int compare(const struct bthome *b, const struct bthome_memory *memory)
{
	if (b->sealed && memory->has_counter && b->counter < memory->counter)
		return BTHOME_E_REPLAYED;
	if (b->sealed && memory->has_counter && b->counter == memory->counter)
		return BTHOME_E_REPEATED;
	if (!b->sealed && b->has_packet_id && memory->has_packet_id && b->packet_id == memory->packet_id)
		return BTHOME_E_REPEATED;
	return 0;
}

static void remember(const struct bthome *b, struct bthome_memory *memory)
{
	if (b->sealed) {
		memory->has_counter = true;
		memory->counter = b->counter;
	}
	if (b->has_packet_id) {
		memory->has_packet_id = true;
		memory->packet_id = b->packet_id;
	}
}

static int read_info(struct reader *r, const uint8_t *mac, const uint8_t *key, uint8_t *ret)
{
	uint8_t info = get_u8(r);
	struct view said;

	if (r->bad)
		return BTHOME_E_MALFORMED;
	if ((info & INFO_VERSION) != VERSION_2)
		return BTHOME_E_VERSION;
	if ((info & INFO_SEALED) && !key)
		return BTHOME_E_KEY;
	if (!(info & INFO_SEALED) && key)
		return BTHOME_E_PLAIN;
	if (info & INFO_MAC) { /* lowest byte first; another's MAC would be another's beacon */
		said = get_view(r, 6);
		for (size_t i = 0; !r->bad && i < 6; i++)
			if (said.data[i] != mac[5 - i])
				return BTHOME_E_MALFORMED;
	}
	*ret = info;
	return r->bad ? BTHOME_E_MALFORMED : 0;
}

int bthome_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct bthome_memory *memory,
		struct bthome *ret)
{
	struct reader r = reader_over(data.data, data.len);
	struct view plain;
	uint8_t info;
	int err;

	if (data.len > BTHOME_BYTES_MAX)
		return BTHOME_E_SIZE;
	err = read_info(&r, mac, key, &info);
	if (err)
		return err;
	*ret = (struct bthome){ .sealed = info & INFO_SEALED, .on_trigger = info & INFO_TRIGGER };
	plain = get_view(&r, reader_left(&r));
	if (ret->sealed)
		err = open_sealed(ret, plain, mac, info, key, &plain);
	if (!err)
		err = read_objects(ret, plain);
	if (!err)
		err = compare(ret, memory);
	if (err)
		return err;
	remember(ret, memory);
	return 0;
}
