/* How a stick becomes our network's coordinator: formed, resumed, adopted, restored; what is not ours is left alone; keeping. */
#include "znp_ear.h"

#include "sys/crypto.h"
#include "zigbee/tclk.h"
#include "zigbee/znp_start.h"

static struct radio_key key_of(uint64_t eui, uint16_t nwk, bool child)
{
	return (struct radio_key){ .eui = eui, .nwk = nwk, .child = child };
}

static void check_network(const struct radio_network *got, const struct radio_network *want)
{
	check_uint(got->pan, want->pan);
	check_uint(got->ext_pan, want->ext_pan);
	check_uint(got->channel, want->channel);
	check_bytes(got->key, 16, want->key, 16);
}

static void test_form(void **state)
{
	static const uint8_t products[] = { 1, 2 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(products); i++) {
		struct ear *e = ear_new(products[i]);

		check_ok(ear_begin(e, RADIO_FORM, &ear_network));
		check_int(ear_send(e, 1, 1, 3), RADIO_E_STATE);
		stick_run(&e->stick, 1000);
		check_uint(e->ready, 1);
		check_network(&e->network, &ear_network);
		check_uint(e->network.eui, e->stick.eui);
		check_uint(e->network.channels, 1u << 15);
		check_uint(e->network.security_level, 5);
		check_text(e->firmware, products[i] == 1 ? "Z-Stack 3.x.0 2.7.1 20240710" : "Z-Stack 3.0.x 2.7.1 20240710");
		check_true(e->stick.endpoints[1] && e->stick.endpoints[11] && e->stick.endpoints[242]);
		check_uint(stick_number(&e->stick, NV_CONFIGURED, 1), 0x55);
		check_uint(e->stick.seen[MT_ZDO][0x36], 1); /* nobody is let in */
		check_uint(stick_number(&e->stick, NV_ZDO_DIRECT_CB, 1), 1);
		check_uint(e->stick.radio->stats.timeouts + e->stick.radio->stats.bad_frames + e->stick.radio->stats.unexpected, 0);
		/* Idle: it wants no time. */
		check_true(e->stick.radio->ops->due_ms(e->stick.radio) == UINT64_MAX);
		ear_free(e);
	}
}

/* Devices speak while it starts; and a memory that gives more than it has. */
static void test_disturbed(void **state)
{
	struct ear *e = ear_new(1);

	(void)state;
	e->stick.noisy = true;
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_uint(e->resets + e->failed, 0);
	e->stick.too_long = true;
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	stick_run(&e->stick, 1000);
	check_text(e->why, "its memory cannot be read");
	ear_free(e);
}

/* What is not given is found at random, and is never one of the numbers that mean something else. */
static void test_form_random(void **state)
{
	struct radio_network n = { .key = { 1 } };
	struct ear *e = ear_new(1), *f = ear_new(1);

	(void)state;
	check_ok(ear_begin(e, RADIO_FORM, &n));
	stick_run(&e->stick, 1000);
	check_ok(ear_begin(f, RADIO_FORM, &n));
	stick_run(&f->stick, 1000);
	check_uint(e->ready + f->ready, 2);
	check_true(e->network.ext_pan && e->network.ext_pan != f->network.ext_pan);
	check_true(e->network.pan && e->network.pan < 0xfffe);
	check_uint(e->network.channels, 0x02108800);
	ear_free(e);
	ear_free(f);
	e = ear_new(1);
	check_int(ear_begin(e, RADIO_FORM, NULL), RADIO_E_SIZE);
	check_int(ear_begin(e, RADIO_RESTORE, NULL), RADIO_E_SIZE);
	check_int(e->stick.radio->ops->begin(e->stick.radio, RADIO_RESTORE, &n, NULL, RADIO_KEYS_MAX + 1), RADIO_E_SIZE);
	ear_free(e);
}

static void test_resume(void **state)
{
	struct ear *e = ear_up(1);
	struct radio_network mine = e->network;
	unsigned int written, registered;

	(void)state;
	written = e->stick.seen[MT_SYS][0x1d];
	registered = e->stick.seen[MT_AF][0x00];
	check_ok(ear_begin(e, RADIO_RESUME, &mine));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_network(&e->network, &mine);
	/* It runs already, and its memory is as it should be: nothing is written, nothing registered again. */
	check_uint(e->stick.seen[MT_SYS][0x1d], written);
	check_uint(e->stick.seen[MT_AF][0x00], registered);
	check_uint(e->stick.seen[MT_ZDO][0x40], 0);
	check_uint(e->stick.seen[MT_SYS][0x00], 1);
	stick_reset(&e->stick);
	e->stick.n_out = 0;
	check_ok(ear_begin(e, RADIO_RESUME, &mine));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 2);
	check_uint(e->stick.seen[MT_ZDO][0x40], 1);
	check_true(e->stick.endpoints[1]);
	/* Formed by somebody who had it set otherwise: set, and restarted. */
	stick_set(&e->stick, 0, NV_ZDO_DIRECT_CB, 0, NULL, 1);
	check_ok(ear_begin(e, RADIO_RESUME, &mine));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 3);
	check_uint(e->stick.seen[MT_SYS][0x00], 2);
	check_uint(stick_number(&e->stick, NV_ZDO_DIRECT_CB, 1), 1);
	ear_free(e);
}

static void form_then(struct ear *e)
{
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
}

static void test_foreign(void **state)
{
	static const uint8_t nothing[16];
	struct ear *e = ear_up(1);
	struct radio_network mine = e->network, other;
	size_t n_items = e->stick.n_items;

	(void)state;
	for (int i = 0; i < 5; i++) {
		other = mine;
		other.pan = (uint16_t)(other.pan + (i == 0));
		other.ext_pan += (uint64_t)(i == 1);
		other.key[15] = (uint8_t)(other.key[15] + (i == 2));
		other.eui += (uint64_t)(i == 3);
		check_ok(ear_begin(e, RADIO_RESUME, i == 4 ? NULL : &other));
		stick_run(&e->stick, 1000);
		check_uint(e->foreign, i + 1);
		check_uint(e->network.ext_pan, mine.ext_pan);
		check_uint(e->network.channel, mine.channel);
		check_bytes(e->network.key, 16, nothing, 16);
		check_int(ear_send(e, 1, 1, 3), RADIO_E_STATE);
		check_true(e->stick.radio->ops->due_ms(e->stick.radio) == UINT64_MAX);
	}
	check_uint(e->ready, 0);
	check_uint(e->stick.n_items, n_items);
	ear_free(e);
	/* Nothing on it: said so, and whoever hears that may begin again at once. */
	e = ear_new(1);
	e->on_foreign = form_then;
	check_ok(ear_begin(e, RADIO_RESUME, NULL));
	stick_run(&e->stick, 1000);
	check_uint(e->foreign, 1);
	check_uint(e->ready, 1);
	ear_free(e);
}

static void test_adopt(void **state)
{
	struct ear *e = ear_up(2);

	(void)state;
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_network(&e->network, &ear_network);
	ear_free(e);
	e = ear_new(1);
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	stick_run(&e->stick, 1000);
	check_uint(e->failed, 1);
	check_text(e->why, "there is no network in its memory");
	ear_free(e);
}

/* Each way in which forming can fail ends in a sentence, and in nothing waiting. */
static void test_form_fails(void **state)
{
	static const struct {
		uint8_t subsystem, id, status;
		bool deaf, unknown;
		const char *why;
	} rows[] = {
		{ MT_SYS, 0x02, 0, false, true, "its firmware is not Z-Stack 3" },
		{ MT_SYS, 0x04, 0, false, true, "it does not tell its address" },
		{ MT_SYS, 0x07, 0x0a, false, false, "its memory cannot be written" },
		{ MT_SYS, 0x13, 0, false, true, "its memory cannot be read" },
		{ MT_APP_CNF, 0x08, 1, false, false, "it does not take the channel" },
		{ MT_APP_CNF, 0x05, 1, false, false, "it does not want to form a network" },
		{ MT_SYS, 0x02, 0, true, false, "it does not answer a request" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct ear *e = ear_new(1);

		e->stick.status[rows[i].subsystem][rows[i].id] = rows[i].status;
		e->stick.deaf_for[rows[i].subsystem][rows[i].id] = rows[i].deaf;
		e->stick.unknown[rows[i].subsystem][rows[i].id] = rows[i].unknown;
		check_ok(ear_begin(e, RADIO_FORM, &ear_network));
		stick_run(&e->stick, 200000);
		check_uint(e->failed, 1);
		check_text(e->why, rows[i].why);
		check_uint(e->ready, 0);
		if (rows[i].deaf) /* each time it was begun anew */
			check_uint(e->stick.seen[MT_SYS][0x02], SCRIPT_TRIES_MAX * (ZNP_RESETS_MAX + 1));
		check_true(e->stick.radio->ops->due_ms(e->stick.radio) == UINT64_MAX);
		/* And it may be tried again. */
		e->stick.status[rows[i].subsystem][rows[i].id] = 0;
		e->stick.deaf_for[rows[i].subsystem][rows[i].id] = e->stick.unknown[rows[i].subsystem][rows[i].id] = false;
		check_ok(ear_begin(e, RADIO_FORM, &ear_network));
		stick_run(&e->stick, 2000);
		check_uint(e->ready, 1);
		ear_free(e);
	}
}

static void test_time(void **state)
{
	struct ear *e = ear_new(1);

	(void)state;
	e->stick.never_up = true;
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, START_NETWORK_MS - 1000);
	check_uint(e->failed, 0);
	stick_run(&e->stick, 2000);
	check_uint(e->failed, 1);
	check_text(e->why, "it does not form a network");
	ear_free(e);
	e = ear_new(1);
	e->stick.no_reset = true;
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, (START_RESETS_MAX + 1) * START_RESET_MS);
	check_uint(e->stick.seen[MT_SYS][0x00], START_RESETS_MAX);
	check_text(e->why, "it does not restart");
	ear_free(e);
}

/* The memory settles late: it is asked until it has, and not for ever. */
static void test_settle(void **state)
{
	struct ear *e = ear_new(1);

	(void)state;
	e->stick.nib_late = 5;
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, 4 * START_SETTLE_MS);
	check_uint(e->ready, 0);
	stick_run(&e->stick, 2 * START_SETTLE_MS);
	check_uint(e->ready, 1);
	ear_free(e);
	e = ear_new(1);
	e->stick.nib_late = START_SETTLES;
	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, (START_SETTLES + 1) * START_SETTLE_MS);
	check_text(e->why, "its network does not come to stand");
	ear_free(e);
}

static const uint64_t far[] = { 0x00124b0000000001, 0x00124b0000000002, 0x00124b0000000003, 0x00124b0000000004, 0x00124b0000000005, 0x00124b0000000006 };

/* Three of one seed, two with keys of their own, a child without key; and one that needs no place. */
enum { SOME_KEYS = N_ELEMENTS(far) + 1 };

static size_t some_keys(struct radio_key *keys)
{
	static const uint8_t seed[16] = { 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

	for (size_t i = 0; i < N_ELEMENTS(far); i++)
		keys[i] = key_of(far[i], (uint16_t)(0x1000 + i), i % 2 != 0);
	for (size_t i = 0; i < 5; i++) {
		keys[i].has_key = true;
		keys[i].rx_counter = 100 + (uint32_t)i;
		keys[i].tx_counter = 200 + (uint32_t)i;
		tclk_key(seed, keys[i].eui, (unsigned int)(3 * i), keys[i].key);
	}
	memset(keys[1].key, 0x77, 16);
	memset(keys[4].key, 0x88, 16);
	keys[6] = key_of(0x00124b0000000007, 0x1006, false);
	return SOME_KEYS;
}

static void check_kept(const struct ear *e, const struct radio_key *want, size_t n)
{
	check_uint(e->n_keys, n);
	for (size_t i = 0; i < n; i++) {
		const struct radio_key *got = &e->keys[i];

		check_uint(got->eui, want[i].eui);
		check_uint(got->nwk, want[i].nwk);
		check_int(got->child, want[i].child);
		check_int(got->has_key, want[i].has_key);
		if (!want[i].has_key)
			continue;
		check_bytes(got->key, 16, want[i].key, 16);
		check_uint(got->rx_counter, want[i].rx_counter);
		check_true(got->tx_counter > want[i].tx_counter);
	}
}

static void test_restore(void **state)
{
	static const uint8_t products[] = { 1, 2 };
	struct radio_network old = ear_network;
	struct radio_key keys[SOME_KEYS];
	size_t n = some_keys(keys);

	(void)state;
	old.eui = 0x00124b00aabbccdd;
	old.frame_counter = 100000;
	old.key_sequence = 3;
	old.update_id = 7;
	for (size_t i = 0; i < N_ELEMENTS(products); i++) {
		struct ear *e = ear_new(products[i]);
		struct radio *r = e->stick.radio;

		check_ok(r->ops->begin(r, RADIO_RESTORE, &old, keys, n));
		stick_run(&e->stick, 2000);
		check_text(e->why, "");
		check_uint(e->ready, 1);
		check_network(&e->network, &old);
		check_uint(e->network.eui, old.eui);
		check_uint(e->network.key_sequence, 3);
		check_uint(e->network.update_id, 7);
		check_true(e->network.frame_counter > old.frame_counter && e->network.frame_counter < old.frame_counter + 10000);
		check_ok(r->ops->keep(r, 1));
		stick_run(&e->stick, 2000);
		check_int(e->status[1], RADIO_OK);
		check_network(&e->network, &old);
		check_kept(e, keys, N_ELEMENTS(far));
		/* Who has a key of its own and a place among those of the seed: its own. */
		if (products[i] == 1)
			check_ok(nv_tclk_write(&(struct nv_tclk){ 9, 9, far[1], 2, 0, 5 }, stick_set(&e->stick, 1, NV_T_TCLK, 9, NULL, 20)->data, 20));
		check_ok(r->ops->keep(r, 2));
		stick_run(&e->stick, 2000);
		check_kept(e, keys, N_ELEMENTS(far));
		/* Again from the same old backup: the counter does not go back to where that was. */
		e->network.frame_counter = 0;
		stick_counter(&e->stick, 0)->data[2] = 9;
		check_ok(r->ops->begin(r, RADIO_RESTORE, &old, keys, n));
		stick_run(&e->stick, 2000);
		check_uint(e->ready, 2);
		check_true(e->network.frame_counter > 9 << 16);
		ear_free(e);
	}
}

static void restore_many(struct radio_key *keys, size_t n, const char *why)
{
	struct ear *e = ear_new(1);
	struct radio *r = e->stick.radio;

	check_ok(r->ops->begin(r, RADIO_RESTORE, &ear_network, keys, n));
	stick_run(&e->stick, 2000);
	check_uint(e->ready, why == NULL);
	check_text(e->why, why ? why : "");
	ear_free(e);
}

static void test_restore_limits(void **state)
{
	struct radio_key keys[STICK_ADDRESSES + 1];
	struct radio_network n = ear_network;
	struct ear *e = ear_new(1);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(keys); i++)
		keys[i] = key_of(0x4000 + i, (uint16_t)(1 + i), true);
	restore_many(keys, STICK_ADDRESSES, NULL);
	restore_many(keys, STICK_ADDRESSES + 1, "it has no room for so many devices");
	n.frame_counter = UINT32_MAX - 2499;
	check_ok(ear_begin(e, RADIO_RESTORE, &n));
	stick_run(&e->stick, 1000);
	check_text(e->why, "the network's frame counter is used up");
	ear_free(e);
}

/* A stick that does not take what was written says so, and is not used. */
static void test_restore_unwritten(void **state)
{
	static const uint8_t ids[] = { 0x34, 0x1d, 0x33 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
		struct radio_key keys[SOME_KEYS];
		size_t n = some_keys(keys);
		struct ear *e = ear_new(1);
		struct radio *r = e->stick.radio;

		e->stick.status[MT_SYS][ids[i]] = ids[i] == 0x33 ? 0 : 0x0a;
		e->stick.unknown[MT_SYS][ids[i]] = ids[i] == 0x33;
		check_ok(r->ops->begin(r, RADIO_RESTORE, &ear_network, keys, n));
		stick_run(&e->stick, 2000);
		check_uint(e->failed, 1);
		check_uint(e->ready, 0);
		ear_free(e);
	}
}

/* The power goes at any moment of forming and restoring: afterwards the stick is blank, or ours; nobody else's, and not half ours. */
static void test_cut(void **state)
{
	static const enum radio_begin hows[] = { RADIO_FORM, RADIO_RESTORE };
	struct radio_key keys[SOME_KEYS];
	size_t n = some_keys(keys);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(hows); i++) {
		bool whole = false;
		unsigned int blank = 0;

		for (unsigned int cut = 2; !whole; cut += 3) {
			struct ear *e = ear_new(1);
			struct radio *r = e->stick.radio;

			e->stick.dies_after = cut;
			check_ok(r->ops->begin(r, hows[i], &ear_network, keys, hows[i] == RADIO_FORM ? 0 : n));
			stick_run(&e->stick, 1000);
			whole = e->ready > 0;
			e->stick.dies_after = 0;
			stick_reset(&e->stick);
			e->stick.n_out = 0;
			e->ready = 0;
			check_ok(r->ops->begin(r, RADIO_RESUME, &ear_network, NULL, 0));
			stick_run(&e->stick, 10000); /* an answer from before is waited for */
			check_uint(e->ready + e->foreign, 1);
			check_true(e->ready || e->network.pan == 0xffff);
			blank += e->foreign;
			check_true(!whole || e->ready);
			ear_free(e);
		}
		check_true(blank > 10);
	}
}

static void test_keep_busy(void **state)
{
	struct ear *e = ear_up(1);
	struct radio *r = e->stick.radio;

	(void)state;
	/* Two at once: one after the other. What is sent meanwhile goes in between. */
	check_ok(r->ops->keep(r, 1));
	check_ok(r->ops->keep(r, 2));
	check_ok(ear_send(e, 3, 0x1234, 5));
	stick_run(&e->stick, 3000);
	check_int(e->status[1], RADIO_OK);
	check_int(e->status[2], RADIO_OK);
	check_int(e->status[3], RADIO_OK);
	check_uint(e->n_keys, 0);
	/* The stick stops answering for its memory: that backup has failed, the rest goes on. */
	e->stick.deaf_for[MT_SYS][0x33] = true;
	check_ok(r->ops->keep(r, 4));
	stick_run(&e->stick, 30000);
	check_int(e->status[4], RADIO_TIMEOUT);
	check_uint(e->resets, 0);
	e->stick.deaf_for[MT_SYS][0x33] = false;
	check_ok(r->ops->keep(r, 5));
	stick_run(&e->stick, 3000);
	check_int(e->status[5], RADIO_OK);
	/* Begun anew in the middle of one. */
	check_ok(r->ops->keep(r, 6));
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	stick_run(&e->stick, 3000);
	check_int(e->status[6], RADIO_FAILED);
	check_uint(e->ready, 1);
	ear_free(e);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_form),	     cmocka_unit_test(test_form_random), cmocka_unit_test(test_disturbed), cmocka_unit_test(test_resume),
		cmocka_unit_test(test_foreign),	     cmocka_unit_test(test_adopt),	 cmocka_unit_test(test_form_fails),
		cmocka_unit_test(test_time),	     cmocka_unit_test(test_settle),	 cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_limits), cmocka_unit_test(test_restore_unwritten), cmocka_unit_test(test_cut), cmocka_unit_test(test_keep_busy),
	};

	return crypto_init() || CHECK_RUN(rows);
}
