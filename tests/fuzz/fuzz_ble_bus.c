/* The first byte chooses: a message off the bus (as marshalled), a kept blob of devices or of counters, an object's path, a
 * uuid, what a person typed, an advertisement through all formats (its second byte says which part it is).
 */
#include <stdlib.h>
#include <string.h>

#include "ble/beacons.h"
#include "ble/hear.h"
#include "ble/props.h"
#include "ble/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void on_object(void *ctx, const char *path, enum props_interface interface, const struct props *props)
{
	const uint8_t mac[6] = { 0xa4, 0xc1, 0x38, 1, 2, 3 };
	struct hear_key key = { 0 };
	struct hear_memory memory = { 0 };
	struct props_path where;
	struct hearing hearing;

	(void)ctx;
	must(interface < PROPS_OTHER);
	(void)!props_path_read(path, &where);
	if (!props)
		return;
	must(props->n_services <= PROPS_PARTS_MAX && props->n_makers <= PROPS_PARTS_MAX && props->n_uuids <= PROPS_UUIDS_MAX);
	(void)!hear(&(struct hear_source){ mac, props->has & HAS_NAME ? props->name : NULL, props }, HEAR_NONE, &key, 1000, &memory,
		    &hearing);
}

static void message(const uint8_t *data, size_t size)
{
	DBusMessage *m = size > 1 << 20 ? NULL : dbus_message_demarshal((const char *)data, (int)size, NULL);
	const char *owner;
	struct view bytes;

	if (!m)
		return;
	(void)!props_managed(m, on_object, NULL);
	(void)!props_added(m, on_object, NULL);
	(void)!props_changed(m, on_object, NULL);
	(void)!props_removed(m, on_object, NULL);
	(void)!props_owner(m, "org.bluez", &owner);
	must(strlen(props_error(m)) < 256);
	(void)!props_bytes(m, &bytes);
	dbus_message_unref(m);
}

/* What is taken is written the same way again. */
static void blob(const uint8_t *data, size_t size)
{
	static uint8_t again[GWA_STATE_MAX];
	struct beacons beacons = { 0 };
	struct reader r = reader_over(data, size);
	struct writer w = writer_over(again, sizeof(again));
	struct beacon_description said;
	size_t at = 0;

	if (!beacons_get(&beacons, &r)) {
		beacons_put(&beacons, &at, &w);
		must(!w.bad && at <= beacons.n);
		for (size_t i = 0; i < beacons.n; i++)
			beacon_describe(beacons.all[i], &said);
	} else {
		must(beacons.n == 0);
	}
	beacons_deinit(&beacons);
}

static void marks(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct beacons beacons = { 0 };
	struct beacon one, *added;

	beacon_init(&one, (const uint8_t[6]){ 1, 2, 3, 4, 5, 6 }, false, NULL);
	must(!beacons_add(&beacons, &one, &added));
	(void)!beacons_get_marks(&beacons, &r);
	must(added->interval_ms <= BEACON_AWAY_MOST_MS);
	beacons_deinit(&beacons);
}

static void path(const uint8_t *data, size_t size)
{
	char text[PROPS_PATH_MAX + 32] = "", back[PROPS_PATH_MAX];
	struct props_path p;
	uint8_t whole[16];
	uint16_t uuid;

	memcpy(text, data, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
	if (!props_path_read(text, &p))
		must(props_path_print(&p, back, sizeof(back)));
	(void)!props_uuid(text, &uuid, whole);
}

static void code(const uint8_t *data, size_t size)
{
	struct guest guest = { 0 };

	if (!window_read_code(data, size, &guest))
		must(guest.has_passkey ? guest.passkey <= 999999 : guest.key.len == 12 || guest.key.len == 16);
}

static void advertisement(const uint8_t *data, size_t size)
{
	static const uint16_t services[] = { BTHOME_UUID, MIBEACON_UUID, ATC_UUID, SWITCHBOT_UUID, SWITCHBOT_UUID_OLD };
	static const uint16_t companies[] = { RUUVI_COMPANY, IBEACON_COMPANY, 0xec88, 0x0001, 0x8801 };
	const uint8_t mac[6] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 };
	struct props props = { .has = HAS_RSSI, .rssi = -50 };
	struct hear_key key = { .len = 0 };
	struct hear_memory memory = { 0 };
	struct hearing hearing;
	struct beacon beacon;
	unsigned which;

	if (size < 2)
		return;
	which = data[0] & 0x0f;
	key.len = data[0] & 0x80 ? 16 : data[0] & 0x40 ? 12 : 0;
	if (which < N_ELEMENTS(services))
		props.services[props.n_services++] = (struct props_service_data){ .uuid = services[which], .data = { data + 1, size - 1 } };
	else if (which - N_ELEMENTS(services) < N_ELEMENTS(companies))
		props.makers[props.n_makers++] = (struct props_maker_data){ companies[which - N_ELEMENTS(services)], { data + 1, size - 1 } };
	if (hear(&(struct hear_source){ mac, "GVH5100", &props }, HEAR_NONE, &key, 1000, &memory, &hearing))
		return;
	must(hearing.format > HEAR_NONE && hearing.format < HEAR_GATT && hearing.readings);
	beacon_init(&beacon, mac, false, NULL);
	beacon_identify(&beacon, &hearing);
	beacon_learn(&beacon, hearing.readings);
	must(beacon.n_caps <= BEACON_CAPS_MAX && beacon.name[0]);
	must(hear(&(struct hear_source){ mac, "GVH5100", &props }, hearing.format, &key, 1000, &memory, &hearing) == HEAR_E_REPEATED);
}

/* A new one stands at the end, so that seeds keep their meaning. */
static void (*const modes[])(const uint8_t *data, size_t size) = { message, blob, marks, path, code, advertisement };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] < N_ELEMENTS(modes))
		modes[data[0]](data + 1, size - 1);
	return 0;
}
