/* The first byte is a letter that says the kind, small for a device in use, large (or the other way round) for one that is
 * being paired; then status, battery, and what the kind has (the maker's "SwitchBot BLE open API", one page a kind).
 */
#include "ble/switchbot.h"

static int add_battery(struct switchbot *s, const uint8_t *d)
{
	return readings_add(&s->readings, CAP_BATTERY, value_real(d[2] & 0x7f));
}

/* Tenths, whole degrees with a bit for above zero, per cent. */
static int read_meter(struct switchbot *s, const uint8_t *d)
{
	double heat = (d[4] & 0x7f) + (d[3] & 0x0f) / 10.0;
	int err = readings_add(&s->readings, CAP_TEMPERATURE, value_real(d[4] & 0x80 ? heat : -heat));

	if (!err)
		err = readings_add(&s->readings, CAP_HUMIDITY, value_real(d[5] & 0x7f));
	return err ? err : add_battery(s, d);
}

/* 0 closed, 1 open, 2 open for too long. The last byte counts presses of the button. */
static int read_contact(struct switchbot *s, const uint8_t *d)
{
	int err = readings_add(&s->readings, CAP_CONTACT, value_bool((d[3] & 0x06) == 0));

	if (!err)
		err = readings_add(&s->readings, CAP_OCCUPANCY, value_bool(d[1] & 0x40));
	if (!err)
		err = readings_add(&s->readings, BLE_CAP_LIGHT, value_bool(d[3] & 0x01));
	if (!err)
		err = readings_add(&s->readings, BLE_CAP_COUNT, value_int(d[8] & 0x0f));
	return err ? err : add_battery(s, d);
}

static int read_motion(struct switchbot *s, const uint8_t *d)
{
	int err = readings_add(&s->readings, CAP_OCCUPANCY, value_bool(d[1] & 0x40));

	if (!err)
		err = readings_add(&s->readings, BLE_CAP_LIGHT, value_bool(d[5] & 0x02));
	return err ? err : add_battery(s, d);
}

/* As a switch it has a state; as a presser it has none. */
static int read_bot(struct switchbot *s, const uint8_t *d)
{
	int err = 0;

	if (d[1] & 0x80)
		err = readings_add(&s->readings, CAP_ON_OFF, value_bool(!(d[1] & 0x40)));
	return err ? err : add_battery(s, d);
}

/* The maker counts how far it is closed. */
static int read_curtain(struct switchbot *s, const uint8_t *d)
{
	uint8_t closed = d[3] & 0x7f;
	int err = readings_add(&s->readings, CAP_COVER_POSITION, value_int(closed > 100 ? 0 : 100 - closed));

	return err ? err : add_battery(s, d);
}

static const struct kind {
	char in_use, pairing;
	uint8_t len;
	const char *model;
	int (*read)(struct switchbot *s, const uint8_t *d);
} kinds[] = {
	{ 'T', 't', 6, "Meter", read_meter },
	{ 'i', 'I', 6, "Meter Plus", read_meter },
	{ 'd', 'D', 9, "Contact Sensor", read_contact },
	{ 's', 'S', 6, "Motion Sensor", read_motion },
	{ 'H', 'h', 3, "Bot", read_bot },
	{ 'c', 'C', 6, "Curtain", read_curtain },
};

int switchbot_read(struct view data, struct switchbot *ret)
{
	char letter = data.len ? (char)(data.data[0] & 0x7f) : '\0';

	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		const struct kind *kind = &kinds[i];

		if (letter != kind->in_use && letter != kind->pairing)
			continue;
		if (data.data[0] & 0x80)
			return SWITCHBOT_E_SEALED;
		if (data.len < kind->len)
			return SWITCHBOT_E_MALFORMED;
		*ret = (struct switchbot){ .model = kind->model, .pairing = letter == kind->pairing };
		return kind->read(ret, data.data);
	}
	return data.len ? SWITCHBOT_E_UNKNOWN : SWITCHBOT_E_MALFORMED;
}
