/* Formats are tried by the parts that an advertisement has, each at the place where it is at home: service data of its own
 * uuid, manufacturer data of its own company. BlueZ keeps what a device said in earlier advertisements among its
 * properties, so a part may be an old one; repetitions are what the memory is for.
 */
#include "ble/hear.h"

#include <string.h>

static int translate(int err, const int *table, size_t n)
{
	return err < 0 ? err : (size_t)err < n ? table[err] : HEAR_E_MALFORMED;
}

static const uint8_t *key_of(const struct hear_key *key, uint8_t len)
{
	return key->len == len ? key->bytes : NULL;
}

static int counter_is_news(uint32_t counter, struct hear_memory *memory)
{
	if (memory->has_counter && counter <= memory->counter)
		return counter == memory->counter ? HEAR_E_REPEATED : HEAR_E_REPLAYED;
	memory->has_counter = true;
	memory->counter = counter;
	return 0;
}

/* Is it the first of its kind since a while? What has a number or tells an event is one thing as long as it is repeated, however
 * long that takes (lasts); a measurement that is said without an end is news again from time to time. */
static int mark_is_news(uint32_t mark, bool lasts, uint64_t now_ms, struct hear_memory *memory)
{
	bool same = memory->mark_ms && memory->mark == mark && now_ms - memory->mark_ms < HEAR_SAME_MS;

	if (!same || lasts)
		memory->mark_ms = now_ms ? now_ms : 1;
	memory->mark = mark;
	return same ? HEAR_E_REPEATED : 0;
}

/* FNV-1a. It only has to tell news from repetition. */
static uint32_t hash_of(struct view data)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < data.len; i++)
		hash = (hash ^ data.data[i]) * 16777619u;
	return hash;
}

static bool is_event(const struct readings *readings)
{
	for (size_t i = 0; i < readings->n; i++) {
		if (readings->rows[i].cap == CAP_BUTTON || readings->rows[i].cap == BLE_CAP_DIMMER)
			return true;
	}
	return false;
}

struct try {
	const struct hear_source *source;
	const struct hear_key *key;
	uint64_t now_ms;
	struct hear_memory *memory;
	struct hearing *ret;
};

static int try_bthome(const struct try *try, struct view data)
{
	static const int table[] = {
		[BTHOME_E_MALFORMED] = HEAR_E_MALFORMED, [BTHOME_E_SIZE] = HEAR_E_MALFORMED, [BTHOME_E_VERSION] = HEAR_E_NOTHING,
		[BTHOME_E_KEY] = HEAR_E_KEY,		 [BTHOME_E_PLAIN] = HEAR_E_PLAIN,    [BTHOME_E_FORGED] = HEAR_E_FORGED,
		[BTHOME_E_REPEATED] = HEAR_E_REPEATED,	 [BTHOME_E_REPLAYED] = HEAR_E_REPLAYED,
	};
	struct bthome_memory old = { .has_counter = try->memory->has_counter, .counter = try->memory->counter };
	struct bthome *b = &try->ret->bthome;
	int err = bthome_read(data, try->source->mac, key_of(try->key, 16), &old, b);

	if (err)
		return translate(err, table, N_ELEMENTS(table));
	try->ret->readings = &b->readings;
	try->ret->sealed = try->ret->bound = b->sealed;
	try->ret->irregular = b->on_trigger || is_event(&b->readings);
	if (b->sealed)
		return counter_is_news(b->counter, try->memory);
	return mark_is_news(b->has_packet_id ? b->packet_id : hash_of(data), b->has_packet_id || try->ret->irregular, try->now_ms,
			    try->memory);
}

static int try_mibeacon(const struct try *try, struct view data)
{
	static const int table[] = {
		[MIBEACON_E_MALFORMED] = HEAR_E_MALFORMED, [MIBEACON_E_SIZE] = HEAR_E_MALFORMED,
		[MIBEACON_E_VERSION] = HEAR_E_NOTHING,	   [MIBEACON_E_KEY] = HEAR_E_KEY,
		[MIBEACON_E_PLAIN] = HEAR_E_PLAIN,	   [MIBEACON_E_FORGED] = HEAR_E_FORGED,
	};
	struct mibeacon *m = &try->ret->mibeacon;
	bool old = try->key->len == MIBEACON_OLD_KEY_LEN;
	int err = old ? mibeacon_read_old(data, try->source->mac, try->key->bytes, m) :
			mibeacon_read(data, try->source->mac, key_of(try->key, 16), m);

	if (err)
		return translate(err, table, N_ELEMENTS(table));
	/* It is there, and says nothing: no beacon of ours. */
	if (!m->nobjects)
		return HEAR_E_NOTHING;
	try->ret->readings = &m->readings;
	try->ret->product = m->product;
	try->ret->sealed = m->sealed;
	try->ret->bound = m->sealed && !old;
	try->ret->irregular = is_event(&m->readings);
	return try->ret->bound ? counter_is_news(m->counter, try->memory) : mark_is_news(m->counter, true, try->now_ms, try->memory);
}

/* Its counter has eight bits: enough to tell a repetition, nothing against a replay. */
static int try_atc(const struct try *try, struct view data)
{
	static const int table[] = { [ATC_E_MALFORMED] = HEAR_E_NOTHING, [ATC_E_KEY] = HEAR_E_KEY,
				     [ATC_E_PLAIN] = HEAR_E_PLAIN,	 [ATC_E_FORGED] = HEAR_E_FORGED };
	struct atc *a = &try->ret->atc;
	int err = atc_read(data, try->source->mac, key_of(try->key, 16), a);

	if (err)
		return translate(err, table, N_ELEMENTS(table));
	try->ret->readings = &a->readings;
	try->ret->sealed = a->sealed;
	return mark_is_news(a->counter, false, try->now_ms, try->memory);
}

static int try_switchbot(const struct try *try, struct view data)
{
	static const int table[] = { [SWITCHBOT_E_MALFORMED] = HEAR_E_MALFORMED,
				     [SWITCHBOT_E_UNKNOWN] = HEAR_E_NOTHING,
				     [SWITCHBOT_E_SEALED] = HEAR_E_NOTHING };
	struct switchbot *s = &try->ret->switchbot;
	int err = switchbot_read(data, s);

	if (err)
		return translate(err, table, N_ELEMENTS(table));
	try->ret->readings = &s->readings;
	try->ret->model = s->model;
	return mark_is_news(hash_of(data), false, try->now_ms, try->memory);
}

static int try_ruuvi(const struct try *try, struct view data)
{
	struct ruuvi *r = &try->ret->ruuvi;
	int err = ruuvi_read(data, r);

	if (err)
		return err < 0 ? err : err == RUUVI_E_FORMAT ? HEAR_E_NOTHING : HEAR_E_MALFORMED;
	try->ret->readings = &r->readings;
	return mark_is_news(hash_of(data), false, try->now_ms, try->memory);
}

static int try_govee(const struct try *try, uint16_t company, struct view data)
{
	const char *name = try->source->name ? try->source->name : "";
	struct govee *g = &try->ret->govee;
	int err = govee_read(company, (struct view){ (const uint8_t *)name, strlen(name) }, data, g);

	if (err)
		return err < 0 ? err : HEAR_E_NOTHING;
	try->ret->readings = &g->readings;
	return mark_is_news(hash_of(data), false, try->now_ms, try->memory);
}

/* It says who it is and nothing else. */
static int try_ibeacon(const struct try *try, struct view data)
{
	int err = ibeacon_read(data, &try->ret->ibeacon);

	if (err)
		return err < 0 ? err : HEAR_E_NOTHING;
	try->ret->none.n = 0;
	try->ret->none.refused = 0;
	if (try->source->props->has & HAS_RSSI && try->source->props->rssi < 0 &&
	    readings_add(&try->ret->none, CAP_RSSI, value_int(try->source->props->rssi)))
		return HEAR_E_MALFORMED;
	try->ret->readings = &try->ret->none;
	return mark_is_news(hash_of(data), false, try->now_ms, try->memory);
}

/* 0 is an answer, and so is what says that the format is the right one; HEAR_E_NOTHING is none. */
static int try_services(const struct try *try, enum hear_format only)
{
	/* cba20d00-224d-11e6-... */
	static const uint8_t switchbot_long[] = { 0xcb, 0xa2, 0x0d, 0x00, 0x22, 0x4d, 0x11, 0xe6 };
	static const struct {
		uint16_t uuid;
		enum hear_format format;
		int (*read)(const struct try *try, struct view data);
	} rows[] = {
		{ BTHOME_UUID, HEAR_BTHOME, try_bthome },	{ MIBEACON_UUID, HEAR_MIBEACON, try_mibeacon },
		{ ATC_UUID, HEAR_ATC, try_atc },		{ SWITCHBOT_UUID, HEAR_SWITCHBOT, try_switchbot },
		{ SWITCHBOT_UUID_OLD, HEAR_SWITCHBOT, try_switchbot },
	};
	const struct props *props = try->source->props;

	for (size_t r = 0; r < N_ELEMENTS(rows); r++) {
		for (size_t i = 0; i < props->n_services; i++) {
			const struct props_service_data *part = &props->services[i];
			bool is_long = rows[r].format == HEAR_SWITCHBOT && memcmp(part->long_uuid, switchbot_long, sizeof(switchbot_long)) == 0;
			int err;

			if ((part->uuid != rows[r].uuid && !is_long) || (only && only != rows[r].format))
				continue;
			try->ret->format = rows[r].format;
			err = rows[r].read(try, part->data);
			if (err != HEAR_E_NOTHING)
				return err;
		}
	}
	return HEAR_E_NOTHING;
}

static int try_maker(const struct try *try, enum hear_format format, const struct props_maker_data *part)
{
	try->ret->format = format;
	if (format == HEAR_RUUVI)
		return part->company == RUUVI_COMPANY ? try_ruuvi(try, part->data) : HEAR_E_NOTHING;
	if (format == HEAR_GOVEE)
		return try_govee(try, part->company, part->data);
	return part->company == IBEACON_COMPANY ? try_ibeacon(try, part->data) : HEAR_E_NOTHING;
}

/* Govee's thermometers are iBeacons, too: what says more comes first. */
static int try_makers(const struct try *try, enum hear_format only)
{
	static const enum hear_format formats[] = { HEAR_RUUVI, HEAR_GOVEE, HEAR_IBEACON };
	const struct props *props = try->source->props;

	for (size_t f = 0; f < N_ELEMENTS(formats); f++) {
		for (size_t i = 0; i < props->n_makers; i++) {
			int err = only && only != formats[f] ? HEAR_E_NOTHING : try_maker(try, formats[f], &props->makers[i]);

			if (err != HEAR_E_NOTHING)
				return err;
		}
	}
	return HEAR_E_NOTHING;
}

int hear(const struct hear_source *source, enum hear_format only, const struct hear_key *key, uint64_t now_ms,
	 struct hear_memory *memory, struct hearing *ret)
{
	struct try try = { source, key, now_ms, memory, ret };
	int err;

	ret->format = HEAR_NONE;
	ret->sealed = ret->bound = ret->irregular = false;
	ret->product = 0;
	ret->model = NULL;
	ret->readings = NULL;
	err = try_services(&try, only);
	if (err == HEAR_E_NOTHING)
		err = try_makers(&try, only);
	/* Formats without seals: a key has nothing to do with them. */
	if (!err && key->len && !ret->sealed)
		err = HEAR_E_PLAIN;
	return err;
}
