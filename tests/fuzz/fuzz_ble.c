/* The first byte chooses the decoder, its top bit whether a key is known; the rest is what was heard. */
#include <stdlib.h>
#include <string.h>

#include "ble/advert.h"
#include "ble/atc.h"
#include "ble/bthome.h"
#include "ble/govee.h"
#include "ble/ibeacon.h"
#include "ble/mibeacon.h"
#include "ble/ruuvi.h"
#include "ble/switchbot.h"
#include "model/capability.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 };
static const uint8_t key[16] = { 0x23, 0x1d, 0x39, 0xc1, 0xd7, 0xcc, 0x1a, 0xb1,
				 0xae, 0xe2, 0x24, 0xcd, 0x09, 0x6d, 0xb9, 0x32 };

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_fit(const struct readings *readings)
{
	must(readings->n <= READINGS_MAX);
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->rows[i];
		const struct capability *row = capability_find(r->cap);
		struct capability_desc desc = { .id = r->cap };
		struct value fit;

		must(r->index >= 1 && readings_find(readings, r->cap, r->index) == r);
		must(row || (r->cap >= BLE_CAP_MASS && r->cap < BLE_CAP_LAST));
		if (!row || r->value.type == VALUE_NONE)
			continue;
		desc.type = (uint8_t)row->type;
		desc.access = row->access;
		desc.unit = row->unit;
		must(!capability_value_check(&desc, &r->value, &fit));
	}
}

static bool is_inside(struct view part, struct view whole)
{
	return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void hear_advert(struct view heard, const uint8_t *k)
{
	struct advert a;

	(void)k;
	if (advert_read(heard.data, heard.len, &a))
		return;
	must(is_inside(a.name, heard));
	for (size_t i = 0; i < a.nservices16; i++)
		must(is_inside(a.services16[i].data, heard));
	for (size_t i = 0; i < a.nservices128; i++)
		must(is_inside(a.services128[i].data, heard));
	for (size_t i = 0; i < a.nmakers; i++)
		must(is_inside(a.makers[i].data, heard));
}

static void hear_bthome(struct view heard, const uint8_t *k)
{
	struct bthome_memory memory = { 0 };
	struct bthome b;

	if (bthome_read(heard, mac, k, &memory, &b))
		return;
	must(b.sealed == (k != NULL) && memory.has_counter == b.sealed);
	must_fit(&b.readings);
	if (b.sealed || b.has_packet_id)
		must(bthome_read(heard, mac, k, &memory, &b) == BTHOME_E_REPEATED);
}

static void hear_atc(struct view heard, const uint8_t *k)
{
	struct atc a;

	if (!atc_read(heard, mac, k, &a))
		must_fit(&a.readings);
}

static void hear_ruuvi(struct view heard, const uint8_t *k)
{
	struct ruuvi r;

	(void)k;
	if (!ruuvi_read(heard, &r))
		must_fit(&r.readings);
}

static void hear_ibeacon(struct view heard, const uint8_t *k)
{
	struct ibeacon b;

	(void)k;
	if (!ibeacon_read(heard, &b))
		must(heard.data[heard.len - 1] == (uint8_t)b.power);
}

static void hear_mibeacon(struct view heard, const uint8_t *k)
{
	struct mibeacon m;

	if (mibeacon_read(heard, mac, k, &m))
		return;
	must(m.unknown <= m.nobjects && m.version >= 2);
	must_fit(&m.readings);
}

/* Two bytes of company first. */
static void hear_govee(struct view heard, const uint8_t *k)
{
	struct view name = { (const uint8_t *)"GVH5100", 7 };
	struct govee g;

	(void)k;
	if (heard.len < 2)
		return;
	if (!govee_read((uint16_t)(heard.data[0] << 8 | heard.data[1]), name,
			(struct view){ heard.data + 2, heard.len - 2 }, &g))
		must_fit(&g.readings);
}

static void hear_switchbot(struct view heard, const uint8_t *k)
{
	struct switchbot s;

	(void)k;
	if (!switchbot_read(heard, &s))
		must_fit(&s.readings);
}

/* With twelve bytes of key. */
static void hear_old_mibeacon(struct view heard, const uint8_t *k)
{
	struct mibeacon m;

	if (k && !mibeacon_read_old(heard, mac, k, &m))
		must_fit(&m.readings);
}

/* In the order of the first byte; a new one stands at the end, so that seeds keep their meaning. */
static void (*const hears[])(struct view heard, const uint8_t *k) = {
	hear_advert,
	hear_bthome,
	hear_atc,
	hear_ruuvi,
	hear_ibeacon,
	hear_mibeacon,
	hear_govee,
	hear_switchbot,
	hear_old_mibeacon,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which;

	if (!size)
		return 0;
	which = data[0] & 0x7f;
	if (which < N_ELEMENTS(hears))
		hears[which]((struct view){ data + 1, size - 1 }, data[0] & 0x80 ? key : NULL);
	return 0;
}
