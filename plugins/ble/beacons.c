/* A hundred devices and a message each second: walking a list of addresses is quicker than the bus. */
#include "ble/beacons.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

enum { VERSION = 1 };
enum { FLAG_RANDOM = 1u, FLAG_IRREGULAR = 2u, FLAG_COUNTER = 1u };

struct beacon *beacons_find(const struct beacons *beacons, const uint8_t mac[6])
{
	for (size_t i = 0; i < beacons->n; i++) {
		if (memcmp(beacons->all[i]->mac, mac, 6) == 0)
			return beacons->all[i];
	}
	return NULL;
}

int beacons_add(struct beacons *beacons, const struct beacon *like, struct beacon **ret)
{
	struct beacon *beacon;

	if (beacons->n == BEACONS_MAX)
		return BEACONS_E_FULL;
	beacon = malloc(sizeof(*beacon));
	if (!beacon)
		return -ENOMEM;
	*beacon = *like;
	beacons->all[beacons->n++] = beacon;
	*ret = beacon;
	return 0;
}

static void wipe(struct beacon *beacon)
{
	explicit_bzero(&beacon->key, sizeof(beacon->key));
	free(beacon);
}

void beacons_remove(struct beacons *beacons, struct beacon *beacon)
{
	for (size_t i = 0; i < beacons->n; i++) {
		if (beacons->all[i] != beacon)
			continue;
		beacons->all[i] = beacons->all[--beacons->n];
		wipe(beacon);
		return;
	}
}

void beacons_deinit(struct beacons *beacons)
{
	while (beacons->n)
		wipe(beacons->all[--beacons->n]);
}

static void put_one(struct writer *w, const struct beacon *b)
{
	put_bytes(w, b->mac, 6);
	put_u8(w, (uint8_t)((b->random ? FLAG_RANDOM : 0) | (b->irregular ? FLAG_IRREGULAR : 0)));
	put_u8(w, (uint8_t)b->format);
	put_u16(w, b->product);
	put_u8(w, b->evidence);
	put_u8(w, b->key.len);
	put_bytes(w, b->key.bytes, b->key.len);
	put_text16(w, b->name);
	put_text16(w, b->vendor);
	put_text16(w, b->model);
	put_text16(w, b->firmware);
	put_u8(w, (uint8_t)b->n_caps);
	for (size_t i = 0; i < b->n_caps; i++) {
		put_u16(w, b->caps[i].cap);
		put_u8(w, b->caps[i].endpoint);
		put_u8(w, b->caps[i].type);
		put_u8(w, b->caps[i].access);
	}
}

void beacons_put(const struct beacons *beacons, size_t *at, struct writer *w)
{
	size_t head = writer_len(w);
	uint16_t n = 0;

	put_u8(w, VERSION);
	put_u16(w, 0);
	for (; *at < beacons->n && (size_t)(w->end - w->p) >= BEACONS_ROW_BYTES; ++*at, n++)
		put_one(w, beacons->all[*at]);
	put_at_u16(w, head + 1, n);
}

static bool get_text(struct reader *r, char ret[BEACON_TEXT_MAX + 1])
{
	struct view text = get_text16(r, BEACON_TEXT_MAX);

	return !r->bad && text_copy_n(ret, BEACON_TEXT_MAX + 1, text.data, text.len);
}

/* A row that this version's table knows otherwise is not of this version. */
static bool get_cap(struct reader *r, struct beacon *b)
{
	struct beacon_cap cap = { .cap = get_u16(r) };
	const struct capability *row = capability_find(cap.cap);

	cap.endpoint = get_u8(r);
	cap.type = get_u8(r);
	cap.access = get_u8(r);
	if (r->bad || !cap.endpoint || cap.endpoint > BEACON_CAPS_MAX || cap.type <= VALUE_NONE || cap.type > VALUE_BYTES)
		return false;
	if ((row && row->type != (enum value_type)cap.type) || (!row && cap.cap < CAPABILITY_VENDOR_FIRST))
		return true;
	return beacon_cap(b, cap.cap, cap.endpoint) || beacon_cap_add(b, cap.cap, cap.endpoint, cap.type, cap.access);
}

static bool get_one(struct reader *r, struct beacon *b)
{
	struct view mac = get_view(r, 6), key;
	uint8_t flags = get_u8(r), format = get_u8(r), n;

	*b = (struct beacon){ .random = flags & FLAG_RANDOM, .irregular = flags & FLAG_IRREGULAR, .format = (enum hear_format)format };
	b->product = get_u16(r);
	b->evidence = get_u8(r);
	b->key.len = get_u8(r);
	if (r->bad || !format || format >= HEAR_FORMATS || b->evidence > 3 || b->key.len > sizeof(b->key.bytes))
		return false;
	memcpy(b->mac, mac.data, 6);
	key = get_view(r, b->key.len);
	if (!r->bad && key.len)
		memcpy(b->key.bytes, key.data, key.len);
	if (!get_text(r, b->name) || !get_text(r, b->vendor) || !get_text(r, b->model) || !get_text(r, b->firmware))
		return false;
	n = get_u8(r);
	for (uint8_t i = 0; i < n; i++) {
		if (!get_cap(r, b))
			return false;
	}
	return !r->bad;
}

int beacons_get(struct beacons *beacons, struct reader *r)
{
	size_t before = beacons->n;
	uint8_t version = get_u8(r);
	uint16_t n = get_u16(r);
	int err = version == VERSION ? 0 : BEACONS_E_MALFORMED;
	struct beacon one, *added;

	for (uint16_t i = 0; !err && i < n; i++) {
		if (!get_one(r, &one) || beacons_find(beacons, one.mac))
			err = BEACONS_E_MALFORMED;
		else
			err = beacons_add(beacons, &one, &added);
	}
	explicit_bzero(&one, sizeof(one));
	if (!err && !reader_is_done(r))
		err = BEACONS_E_MALFORMED;
	while (err && beacons->n > before)
		wipe(beacons->all[--beacons->n]);
	return err;
}

void beacons_put_marks(const struct beacons *beacons, struct writer *w)
{
	put_u8(w, VERSION);
	put_u16(w, (uint16_t)beacons->n);
	for (size_t i = 0; i < beacons->n; i++) {
		const struct beacon *b = beacons->all[i];

		put_bytes(w, b->mac, 6);
		put_u8(w, b->memory.has_counter ? FLAG_COUNTER : 0);
		put_u32(w, b->memory.counter);
		put_u32(w, b->interval_ms);
	}
}

int beacons_get_marks(struct beacons *beacons, struct reader *r)
{
	uint8_t version = get_u8(r);
	uint16_t n = get_u16(r);

	if (version != VERSION || reader_left(r) != (size_t)n * BEACONS_MARK_BYTES)
		return BEACONS_E_MALFORMED;
	for (uint16_t i = 0; i < n; i++) {
		struct beacon *b = beacons_find(beacons, get_view(r, 6).data);
		uint8_t flags = get_u8(r);
		uint32_t counter = get_u32(r), interval = get_u32(r);

		if (!b)
			continue;
		b->memory.has_counter = flags & FLAG_COUNTER;
		b->memory.counter = counter;
		b->interval_ms = interval < BEACON_AWAY_MOST_MS ? interval : BEACON_AWAY_MOST_MS;
	}
	return 0;
}
