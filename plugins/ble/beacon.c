/* A beacon says the same thing many times a minute and a gateway wants to know what is new, so this file is mostly about
 * what not to say. Nobody tells what a beacon will be able to say: the list grows with what was heard.
 */
#include "ble/beacon.h"

#include <math.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

void beacon_init(struct beacon *beacon, const uint8_t mac[6], bool random, const char *name)
{
	*beacon = (struct beacon){ .random = random };
	memcpy(beacon->mac, mac, 6);
	text_copy(beacon->name, sizeof(beacon->name), name ? name : "");
}

void beacon_identify(struct beacon *beacon, const struct hearing *hearing)
{
	static const struct {
		const char *vendor, *model;
	} rows[HEAR_FORMATS] = {
		[HEAR_BTHOME] = { "", "BTHome" },	 [HEAR_MIBEACON] = { "Xiaomi", "MiBeacon" },
		[HEAR_ATC] = { "", "ATC thermometer" },	 [HEAR_RUUVI] = { "Ruuvi", "RuuviTag" },
		[HEAR_GOVEE] = { "Govee", "Thermometer" }, [HEAR_SWITCHBOT] = { "SwitchBot", "" },
		[HEAR_IBEACON] = { "", "iBeacon" },
	};

	beacon->format = hearing->format;
	beacon->product = hearing->product;
	text_copy(beacon->vendor, sizeof(beacon->vendor), rows[hearing->format].vendor ? rows[hearing->format].vendor : "");
	if (hearing->product)
		text_print(beacon->model, sizeof(beacon->model), "%s %04x", rows[hearing->format].model, hearing->product);
	else
		text_copy(beacon->model, sizeof(beacon->model), hearing->model ? hearing->model : rows[hearing->format].model);
	if (!beacon->name[0])
		text_print(beacon->name, sizeof(beacon->name), "%.20s %02X%02X", beacon->model, beacon->mac[4], beacon->mac[5]);
}

struct beacon_cap *beacon_cap(struct beacon *beacon, uint16_t cap, uint8_t endpoint)
{
	for (size_t i = 0; i < beacon->n_caps; i++) {
		if (beacon->caps[i].cap == cap && beacon->caps[i].endpoint == endpoint)
			return &beacon->caps[i];
	}
	return NULL;
}

struct beacon_cap *beacon_cap_add(struct beacon *beacon, uint16_t cap, uint8_t endpoint, uint8_t type, uint8_t access)
{
	struct beacon_cap *row = &beacon->caps[beacon->n_caps];

	if (beacon->n_caps == BEACON_CAPS_MAX)
		return NULL;
	*row = (struct beacon_cap){ .cap = cap, .endpoint = endpoint, .type = type, .access = access };
	beacon->n_caps++;
	return row;
}

/* A button at rest has no value, and a type all the same. */
static uint8_t type_of(const struct reading *reading)
{
	const struct capability *row = capability_find(reading->cap);

	if (row)
		return (uint8_t)row->type;
	return (uint8_t)(reading->value.type == VALUE_NONE ? VALUE_INT : reading->value.type);
}

bool beacon_learn(struct beacon *beacon, const struct readings *readings)
{
	bool news = false;

	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->rows[i];

		if (r->index > BEACON_CAPS_MAX || beacon_cap(beacon, r->cap, r->index))
			continue;
		news |= beacon_cap_add(beacon, r->cap, r->index, type_of(r), GWA_A_READ | GWA_A_REPORT) != NULL;
	}
	return news;
}

/* Public ones are a maker's; of the others only the static ones (the two highest bits) outlive a quarter of an hour
 * (Core 5.4, Vol 6 Part B, 1.3.2). */
bool beacon_address_stays(const uint8_t mac[6], bool random)
{
	return !random || mac[0] >> 6 == 3;
}

struct gwa_addr beacon_addr(const struct beacon *beacon)
{
	struct gwa_addr addr = { .len = 6 };

	memcpy(addr.bytes, beacon->mac, 6);
	return addr;
}

static uint32_t mix(uint32_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

static uint32_t hash_of(const struct value *value)
{
	uint32_t hash = 2166136261u;
	double number;

	if (value->type == VALUE_TEXT || value->type == VALUE_BYTES)
		return mix(hash, value->data, value->len);
	number = value_number(value);
	return mix(hash, &number, sizeof(number));
}

bool beacon_is_event(uint16_t cap)
{
	return cap == CAP_BUTTON || cap == BLE_CAP_DIMMER;
}

bool beacon_is_due(const struct beacon_cap *cap, const struct value *value, uint64_t now_ms)
{
	uint64_t since = now_ms - cap->said_ms;

	if (!cap->said || beacon_is_event(cap->cap) || since >= BEACON_AGAIN_MS)
		return true;
	if (cap->hash == hash_of(value))
		return false;
	return since >= BEACON_CALM_MS || (value->type != VALUE_REAL && value->type != VALUE_INT);
}

void beacon_said(struct beacon_cap *cap, const struct value *value, uint64_t now_ms)
{
	cap->said = true;
	cap->hash = hash_of(value);
	cap->said_ms = now_ms;
}

void beacon_heard(struct beacon *beacon, uint64_t now_ms)
{
	uint64_t gap = beacon->heard_ms ? now_ms - beacon->heard_ms : 0;
	uint32_t known = beacon->interval_ms - beacon->interval_ms / 16;

	if (gap > BEACON_AWAY_MOST_MS)
		gap = BEACON_AWAY_MOST_MS;
	beacon->interval_ms = gap > known ? (uint32_t)gap : known;
	beacon->heard_ms = now_ms;
}

uint64_t beacon_away_at(const struct beacon *beacon)
{
	uint64_t wait = (uint64_t)beacon->interval_ms * BEACON_AWAY_TIMES;

	if (beacon->irregular || beacon->format == HEAR_GATT)
		return UINT64_MAX;
	if (wait < BEACON_AWAY_LEAST_MS)
		wait = BEACON_AWAY_LEAST_MS;
	return beacon->heard_ms + (wait > BEACON_AWAY_MOST_MS ? BEACON_AWAY_MOST_MS : wait);
}

static size_t describe_endpoint(const struct beacon *beacon, uint8_t id, struct gwa_cap *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < beacon->n_caps; i++) {
		const struct beacon_cap *cap = &beacon->caps[i];
		const struct capability *row = capability_find(cap->cap);

		if (cap->endpoint == id)
			ret[n++] = (struct gwa_cap){ .id = cap->cap, .type = cap->type, .access = cap->access,
						     .unit = row ? row->unit : 0 };
	}
	return n;
}

void beacon_describe(const struct beacon *beacon, struct beacon_description *ret)
{
	struct gwa_device *device = &ret->device;
	size_t at = 0;

	*device = (struct gwa_device){ .size = sizeof(*device), .evidence = beacon->evidence, .sleepy = beacon->format != HEAR_GATT,
				       .vendor = beacon->vendor, .model = beacon->model, .firmware = beacon->firmware,
				       .name = beacon->name, .endpoints = ret->endpoints };
	device->addr = beacon_addr(beacon);
	/* An address of its own making is nobody else's name for it. */
	if (!beacon->random)
		device->hw = device->addr;
	for (unsigned id = 1; id <= BEACON_CAPS_MAX; id++) {
		size_t n = describe_endpoint(beacon, (uint8_t)id, ret->caps + at);

		if (!n)
			continue;
		ret->endpoints[device->nendpoints++] =
			(struct gwa_endpoint){ .id = (uint8_t)id, .ncaps = (uint8_t)n, .caps = ret->caps + at };
		at += n;
	}
}
