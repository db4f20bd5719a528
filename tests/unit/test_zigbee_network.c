/* The network above a radio of the test's making: beginning, joining, coming and going, silence, floods, a full table. */
#include "zigbee_house.h"

#include "sdk/gw_caps.h"
#include "zigbee/chest.h"

/* A blank stick and nothing known: a network of our own, with a key that nobody knows. */
static void test_first_start(void **state)
{
	struct house *h = house_new();
	struct chest *chest = malloc(sizeof(*chest));
	char hex[33];

	(void)state;
	house_open(h);
	check_uint(h->begins[RADIO_RESUME], 1);
	check_uint(h->begins[RADIO_FORM], 1);
	check_uint(h->begun.channel, 15);
	check_true(!chest_key_is_published(h->begun.key));
	check_int(h->self->state, NET_READY);
	check_ok(chest_read((struct view){ blob_of(h, "network")->data, blob_of(h, "network")->len }, chest));
	check_bytes(chest->network.key, 16, h->begun.key, 16);
	hex_print(h->begun.key, 16, hex);
	for (size_t i = 0; i < h->n; i++)
		check_true(!strstr(h->log[i].text, hex));
	/* Known from now on: the next start takes what is there. */
	house_close(h);
	house_open(h);
	check_uint(h->begins[RADIO_RESUME], 2);
	check_uint(h->begins[RADIO_FORM], 1);
	check_int(h->self->state, NET_READY);
	/* Nothing is due but the backup, and then nothing for a day. */
	later(h, BACKUP_AFTER_MS);
	check_true(h->timer_ms - h->now > 23ull * 3600 * 1000);
	chest_free(chest);
	house_free(h);
}

static void test_join(void **state)
{
	static const int stages[] = { GWA_JOIN_SEEN, GWA_JOIN_INTERVIEW, GWA_JOIN_CONFIGURE, GWA_JOIN_READY };
	struct house *h = house_new();
	size_t stage = 0;

	(void)state;
	house_open(h);
	permit(h, 60);
	check_uint(h->permit_s, 60);
	join(h, LAMP, LAMP_NWK, 0x8e);
	for (size_t i = 0; i < h->n; i++) {
		if (h->log[i].kind == 'j')
			check_int(h->log[i].number, stages[stage++]);
	}
	check_uint(stage, N_ELEMENTS(stages));
	check_uint(last(h, 'u')->eui, LAMP);
	check_uint(last(h, 'u')->evidence, 1);
	check_true(last(h, 'u')->n_caps >= 1);
	check_true(last(h, 'r')->eui == LAMP && last(h, 'r')->cap == GWA_CAP_ON_OFF && last(h, 'r')->number == 0);
	/* One write for all of it, a while later. */
	check_true(!blob_of(h, "nodes.0"));
	later(h, SAVE_AFTER_MS);
	check_uint(blob_of(h, "nodes.0")->writes, 1);
	later(h, BACKUP_AFTER_MS);
	check_uint(blob_of(h, "backup")->writes, 1);
	house_close(h);
	/* Afterwards it is there at once. */
	h->n = 0;
	house_open(h);
	check_true(h->log[0].kind == 'u' && h->log[0].eui == LAMP && h->log[1].kind == 's');
	house_free(h);
}

/* No window: told to leave, and nothing else happens; nobody hears of it more than once. */
static void test_no_window(void **state)
{
	struct house *h = house_new();

	(void)state;
	house_open(h);
	join(h, LAMP, LAMP_NWK, 0x8e);
	check_true(h->leaves >= 1);
	check_uint(count(h, 'j') + count(h, 'u'), 0);
	join(h, SENSOR, SENSOR_NWK, 0x80);
	check_uint(count(h, 'n'), 2); /* ready, refused */
	permit(h, 60);
	later(h, 61000);
	join(h, LAMP, LAMP_NWK, 0x8e);
	check_uint(count(h, 'u'), 0);
	house_free(h);
}

static void test_window(void **state)
{
	struct house *h = house_new();

	(void)state;
	house_open(h);
	/* A long window is opened again in between. */
	permit(h, 600);
	check_uint(h->permit_s, PERMIT_PART_S);
	later(h, PERMIT_PART_S * 1000);
	check_uint(h->permits, 2);
	/* Its time is over while the stick restarts: nobody goes on trying. */
	h->radio->events->on_reset(h->radio->ctx, "watchdog");
	later(h, 600000);
	h->radio->events->on_ready(h->radio->ctx, &h->stick, "fake 1");
	later(h, 2000);
	check_true(h->timer_ms - h->now > RADIO_AGAIN_MS);
	check_uint(h->permits, 2);
	permit(h, 600);
	/* Eight, then it is closed. */
	for (uint64_t i = 0; i < JOINS_A_WINDOW_MAX + 1; i++)
		join(h, 0x1000 + i, (uint16_t)(0x1000 + i), 0x8e);
	check_uint(h->permit_s, 0);
	check_uint(count(h, 'u'), JOINS_A_WINDOW_MAX);
	/* Again: eight more. */
	permit(h, 60);
	join(h, 0x2000, 0x2000, 0x8e);
	check_uint(count(h, 'u'), JOINS_A_WINDOW_MAX + 1);
	house_free(h);
}

/* The code of the specification's example, and one with a wrong digit. */
static void test_install_code(void **state)
{
	struct gwa_join window = { .size = sizeof(window), .seconds = 60, .addr = device_addr(LAMP), .ncode = 18,
				   .code = { 0x83, 0xfe, 0xd3, 0x40, 0x7a, 0x93, 0x97, 0x23, 0xa5, 0xc6, 0x39, 0xb2, 0x69, 0x16,
					     0xd5, 0x05, 0xc3, 0xb5 } };
	struct house *h = house_new();

	(void)state;
	house_open(h);
	/* It cannot read its key, so nothing more is heard of it. */
	permit(h, 60);
	h->silent = true;
	h->radio->events->on_joined(h->radio->ctx, LAMP, LAMP_NWK, 0);
	settle_house(h);
	later(h, 61000);
	h->silent = false;
	check_uint(count(h, 'u'), 0);
	zigbee_ops.permit_join(h->self, 1, &window);
	run(h);
	check_int(last(h, 'f')->number, GWA_OK);
	check_uint(h->coded, LAMP);
	check_uint(h->permit_s, 60);
	join(h, LAMP, LAMP_NWK, 0x8e);
	check_uint(last(h, 'u')->evidence, 2);
	join(h, SENSOR, SENSOR_NWK, 0x80);
	check_uint(last(h, 'u')->evidence, 1);
	window.code[0] ^= 1;
	zigbee_ops.permit_join(h->self, 2, &window);
	run(h);
	check_int(last(h, 'f')->number, GWA_BAD_VALUE);
	house_free(h);
}

/* It does not answer: the reason is told, it stays known, and when it speaks all goes on. */
static void test_silent_join(void **state)
{
	static const uint8_t report[] = { 0x18, 1, 0x0a, 0, 0, 0x10, 1 };
	struct house *h = house_new();

	(void)state;
	house_open(h);
	permit(h, 200);
	h->silent = true;
	join(h, LAMP, LAMP_NWK, 0x8e);
	later(h, 60000);
	check_int(last(h, 'j')->number, GWA_JOIN_FAILED);
	check_true(strstr(last(h, 'j')->text, "does not answer"));
	check_uint(count(h, 'u'), 0);
	check_uint(h->self->nodes.n, 1);
	h->silent = false;
	later(h, 120000);
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	run(h);
	check_int(last(h, 'j')->number, GWA_JOIN_READY);
	check_uint(last(h, 'u')->eui, LAMP);
	house_free(h);
}

/* The trust centre let it in, and that is all that was heard. */
static void test_lost_announcement(void **state)
{
	struct house *h = house_new();

	(void)state;
	house_open(h);
	permit(h, 60);
	h->radio->events->on_joined(h->radio->ctx, LAMP, LAMP_NWK, 0);
	settle_house(h);
	later(h, 10000);
	check_uint(last(h, 'u')->eui, LAMP);
	check_int(last(h, 'j')->number, GWA_JOIN_READY);
	house_free(h);
}

/* Mains: asked after ten minutes, away when it does not answer twice, back when it is heard. Batteries: after 25 hours. */
static void test_silence(void **state)
{
	static const uint8_t report[] = { 0x18, 9, 0x0a, 0, 0, 0x10, 1 };
	struct house *h = home();
	unsigned before;

	(void)state;
	later(h, 60000);
	before = h->sent;
	later(h, MAINS_SILENT_MS);
	check_true(h->sent > before);
	check_uint(count(h, 'd'), 0);
	h->silent = true;
	later(h, MAINS_SILENT_MS + 60000);
	check_uint(count(h, 'd'), 1);
	check_uint(last(h, 'd')->eui, LAMP);
	/* It is asked again, soon at first: a storm passes. */
	h->silent = false;
	later(h, 130000);
	check_true(device_of(nodes_by_eui(&h->self->nodes, LAMP))->up);
	h->silent = true;
	later(h, MAINS_SILENT_MS + 60000);
	check_true(!device_of(nodes_by_eui(&h->self->nodes, LAMP))->up);
	later(h, BATTERY_SILENT_MS);
	check_uint(count(h, 'd'), 3);
	check_uint(last(h, 'd')->eui, SENSOR);
	h->silent = false;
	h->n = 0;
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	run(h);
	check_true(h->log[0].kind == 'u' && h->log[0].eui == LAMP);
	house_free(h);
}

static void test_addresses(void **state)
{
	static const uint8_t report[] = { 0x18, 9, 0x0a, 0, 0, 0x10, 1 };
	struct zdo_announce moved = { .eui = LAMP, .nwk = SENSOR_NWK, .capabilities = 0x8e };
	struct house *h = home();

	(void)state;
	/* The lamp comes back with the sensor's short address: what is said from there is the lamp's now. */
	h->radio->events->on_announce(h->radio->ctx, &moved);
	run(h);
	h->n = 0;
	message_from(h, SENSOR_NWK, 6, report, sizeof(report));
	check_true(last(h, 'r')->eui == LAMP && last(h, 'r')->number == 1);
	check_uint(nodes_by_eui(&h->self->nodes, SENSOR)->node.nwk, NODES_NO_NWK);
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	check_int(last(h, 'n')->number, GWA_NOTE_UNKNOWN_DEVICE);
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	check_uint(count(h, 'n'), 1);
	/* Addresses that are nobody's are not taken for somebody's. */
	moved.nwk = 0;
	h->radio->events->on_announce(h->radio->ctx, &moved);
	moved.nwk = 0xffff;
	h->radio->events->on_announce(h->radio->ctx, &moved);
	check_uint(nodes_by_eui(&h->self->nodes, LAMP)->node.nwk, SENSOR_NWK);
	house_free(h);
}

static void test_leaving(void **state)
{
	struct gwa_addr lamp = device_addr(LAMP);
	struct house *h = home();

	(void)state;
	h->radio->events->on_left(h->radio->ctx, SENSOR, SENSOR_NWK, true);
	check_uint(count(h, 'l'), 0);
	h->radio->events->on_left(h->radio->ctx, SENSOR, SENSOR_NWK, false);
	check_uint(last(h, 'l')->eui, SENSOR);
	/* The stick failed before it was told: it stays. */
	zigbee_ops.remove(h->self, 4, &lamp);
	h->radio->events->on_answer(h->radio->ctx, h->work[0].cookie, &(struct radio_answer){ .kind = RADIO_Q_LEAVE, .status = RADIO_FAILED });
	h->n_work = 0;
	check_true(last(h, 'f')->req == 4 && last(h, 'f')->number == GWA_FAILED);
	check_uint(h->self->nodes.n, 1);
	zigbee_ops.remove(h->self, 5, &lamp);
	run(h);
	check_uint(last(h, 'l')->eui, LAMP);
	check_true(last(h, 'f')->req == 5 && last(h, 'f')->number == GWA_OK);
	check_uint(h->self->nodes.n, 0);
	zigbee_ops.remove(h->self, 6, &lamp);
	check_true(last(h, 'f')->req == 6 && last(h, 'f')->number == GWA_UNREACHABLE);
	later(h, SAVE_AFTER_MS);
	check_uint(blob_of(h, "nodes.0")->len, 0);
	house_free(h);
}

/* Twice the same frame is one report; a flood is one note, and others are heard all the while. */
static void test_disturbances(void **state)
{
	uint8_t report[] = { 0x18, 9, 0x0a, 0, 0, 0x10, 1 };
	uint8_t warm[] = { 0x18, 9, 0x0a, 0, 0, 0x29, 0x66, 0x08 };
	struct house *h = home();
	size_t reports;

	(void)state;
	h->n = 0;
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	message_from(h, LAMP_NWK, 6, report, sizeof(report));
	check_uint(count(h, 'r'), 1);
	for (unsigned i = 0; i < 1000; i++) {
		report[1] = (uint8_t)i;
		report[6] = i & 1;
		h->now += 1;
		message_from(h, LAMP_NWK, 6, report, sizeof(report));
	}
	reports = count(h, 'r');
	check_true(reports <= TALK_BURST_MAX + TALK_RATE + 1);
	check_uint(count(h, 'n'), 1);
	check_int(last(h, 'n')->number, GWA_NOTE_FLOOD);
	message_from(h, SENSOR_NWK, 0x0402, warm, sizeof(warm));
	check_true(last(h, 'r')->eui == SENSOR && last(h, 'r')->number == 2150);
	/* What is no frame is one note, too. */
	for (unsigned i = 0; i < 10; i++) {
		warm[1] = (uint8_t)(100 + i);
		message_from(h, SENSOR_NWK, 0x0402, warm, 5);
	}
	check_uint(count(h, 'n'), 2);
	check_int(last(h, 'n')->number, GWA_NOTE_MALFORMED);
	/* When it is quiet again it is asked how it is. */
	h->n = 0;
	later(h, FLOOD_OVER_MS);
	check_uint(count(h, 'r'), 1);
	check_true(last(h, 'r')->eui == LAMP && last(h, 'r')->cap == GWA_CAP_ON_OFF);
	later(h, FLOOD_OVER_MS);
	check_uint(count(h, 'r'), 1);
	house_free(h);
}

static void test_full_table(void **state)
{
	struct house *h = house_new();
	struct device *device;

	(void)state;
	house_open(h);
	for (uint64_t i = 1; i <= NODES_MAX; i++)
		check_ok(device_add(h->self, i, (uint16_t)i, 0x80, &device));
	permit(h, 60);
	join(h, LAMP, LAMP_NWK, 0x8e);
	check_true(strstr(last(h, 'n')->text, "full"));
	check_uint(count(h, 'u'), 0);
	check_uint(h->self->nodes.n, NODES_MAX);
	house_free(h);
}

/* The stick restarts, fails, and comes back: devices are away as long, and orders are refused. */
static void test_radio_faults(void **state)
{
	struct house *h = home();

	(void)state;
	h->radio->events->on_reset(h->radio->ctx, "watchdog");
	settle_house(h);
	order(h, 1, LAMP, GWA_CAP_ON_OFF, true, 5000);
	check_int(last(h, 'f')->number, GWA_UNREACHABLE);
	h->radio->events->on_ready(h->radio->ctx, &h->stick, "fake 1");
	order(h, 2, LAMP, GWA_CAP_ON_OFF, true, 5000);
	run(h);
	check_int(last(h, 'f')->number, GWA_OK);
	h->radio->events->on_failed(h->radio->ctx, "it does not answer");
	check_uint(count(h, 'd'), 2);
	h->radio->events->on_failed(h->radio->ctx, "it does not answer");
	check_uint(count(h, 'd'), 2);
	h->n = 0;
	later(h, RADIO_AGAIN_LONGEST_MS);
	check_int(h->self->state, NET_READY);
	check_uint(count(h, 'u'), 2);
	house_free(h);
}

/* Another radio while an interview and an order are under way: the old one answers nothing, and both go on. */
static void test_another_radio(void **state)
{
	struct zdo_announce announce = { .eui = 0x3333, .nwk = 0x3333, .capabilities = 0x8e };
	struct house *h = home();

	(void)state;
	permit(h, 200);
	h->n = 0;
	h->radio->events->on_announce(h->radio->ctx, &announce);
	order(h, 1, LAMP, GWA_CAP_ON_OFF, true, 60000);
	check_uint(h->n_work, 2);
	zigbee_ops.ask(h->self, 2, "adopt", NULL, 0);
	check_uint(h->begins[RADIO_ADOPT], 1);
	run(h);
	later(h, 10000);
	check_int(last(h, 'j')->number, GWA_JOIN_READY);
	check_true(last(h, 'f')->req == 1 && last(h, 'f')->number == GWA_OK);
	check_uint(count(h, 'f'), 2);
	check_uint(count(h, 'l') + count(h, 'd'), 0); /* the same network: everybody stays */
	house_free(h);
}

static void test_foreign(void **state)
{
	struct house *h = house_new();

	(void)state;
	h->blank = false;
	h->foreign = true;
	house_open(h);
	check_int(h->self->state, NET_FOREIGN);
	check_uint(h->begins[RADIO_FORM], 0);
	check_true(strstr(last(h, 'n')->text, "not ours"));
	check_true(h->timer_ms == UINT64_MAX);
	/* Adopted, but not with a key that everybody knows. */
	h->stick = (struct radio_network){ .eui = HOST_EUI, .pan = 0x5555, .ext_pan = 5, .channel = 11 };
	memcpy(h->stick.key, "ZigBeeAlliance09", 16);
	zigbee_ops.ask(h->self, 1, "adopt", NULL, 0);
	run(h);
	check_int(last(h, 'f')->number, GWA_FAILED);
	check_int(h->self->state, NET_FOREIGN);
	h->stick.key[0] ^= 0x55;
	h->keys[0] = (struct radio_key){ .eui = LAMP, .nwk = LAMP_NWK };
	h->n_keys = 1;
	zigbee_ops.ask(h->self, 2, "adopt", NULL, 0);
	run(h);
	check_int(last(h, 'f')->number, GWA_OK);
	/* Who has a key lives here; who only has the network's key is taken in when it announces itself. */
	check_uint(h->self->nodes.n, 1);
	h->radio->events->on_announce(h->radio->ctx, &(struct zdo_announce){ .eui = SENSOR, .nwk = SENSOR_NWK, .capabilities = 0x80 });
	run(h);
	check_uint(last(h, 'u')->eui, SENSOR);
	house_free(h);
}

/* Our network, a stick without any: it gets the newest backup. */
static void test_new_stick(void **state)
{
	struct house *h = home();
	uint32_t counter;

	(void)state;
	h->keys[0] = (struct radio_key){ .eui = LAMP, .nwk = LAMP_NWK, .has_key = true };
	h->n_keys = 1;
	h->stick.frame_counter = 7000;
	later(h, BACKUP_AFTER_MS);
	counter = h->stick.frame_counter;
	house_close(h);
	h->blank = true;
	house_open(h);
	check_uint(h->begins[RADIO_RESTORE], 1);
	check_uint(h->begun_keys, 1);
	check_true(h->begun.frame_counter > counter + 100000);
	check_int(h->self->state, NET_READY);
	check_uint(h->self->nodes.n, 2);
	house_free(h);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_first_start),  cmocka_unit_test(test_join),	  cmocka_unit_test(test_no_window),
		cmocka_unit_test(test_window),	     cmocka_unit_test(test_install_code), cmocka_unit_test(test_silent_join),
		cmocka_unit_test(test_silence),	     cmocka_unit_test(test_addresses),	  cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_disturbances), cmocka_unit_test(test_full_table),	  cmocka_unit_test(test_radio_faults),
		cmocka_unit_test(test_another_radio), cmocka_unit_test(test_foreign),	     cmocka_unit_test(test_new_stick),	  cmocka_unit_test(test_lost_announcement),
	};

	return CHECK_RUN(rows);
}
