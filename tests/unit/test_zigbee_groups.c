/* Groups: made, told to their members, ordered with one frame, kept, and over when nobody is left. */
#include "zigbee_house.h"

#include "sdk/gw_caps.h"

static const uint64_t LAMP2 = 0x000b57fffe00a102, LAMP3 = 0x000b57fffe00a103;
enum { LAMP2_NWK = 0x1112, LAMP3_NWK = 0x1113, GROUP_1 = 'G' << 16 | 1 << 8 };

static void ask_group(struct house *h, const char *text)
{
	zigbee_ops.ask(h->self, 40, "group", text, (uint32_t)strlen(text));
	run(h);
	/* Who is away is asked a few times. */
	for (unsigned i = 0; i < 40 && h->self->asked.req; i++)
		later(h, 1000);
	check_uint(last(h, 'f')->req, 40);
}

static void order_group(struct house *h, uint16_t id, uint16_t cap, int64_t on)
{
	struct gwa_addr addr = groupings_addr(id);
	struct gwa_value value = { .type = GWA_T_BOOL, .v.i = on };

	zigbee_ops.command(h->self, 41, &addr, 1, cap, &value, 0);
	run(h);
	check_uint(last(h, 'f')->req, 41);
}

static struct house *lamps(void)
{
	struct house *h = house_new();

	h->grouped = true;
	house_open(h);
	permit(h, 60);
	join(h, LAMP, LAMP_NWK, 0x8e);
	join(h, LAMP2, LAMP2_NWK, 0x8e);
	join(h, LAMP3, LAMP3_NWK, 0x8e);
	later(h, SAVE_AFTER_MS);
	return h;
}

static void test_one_frame(void **state)
{
	static const uint8_t on[] = { 0x11, 0x01, 0x01 };
	struct house *h = lamps();

	(void)state;
	ask_group(h, "{\"name\":\"Kitchen\",\"members\":[\"000b57fffe00a101\",\"000b57fffe00a102\"]}");
	check_int(last(h, 'f')->number, GWA_OK);
	check_text(last(h, 't')->text, "{\"id\":1,\"members\":[\"000b57fffe00a101\",\"000b57fffe00a102\"],\"refused\":[]}");
	check_uint(last(h, 'u')->eui, GROUP_1);
	check_uint(last(h, 'u')->n_caps, 1);
	check_text(last(h, 'u')->text, "group");
	order_group(h, 1, GWA_CAP_ON_OFF, 1);
	check_int(last(h, 'f')->number, GWA_OK);
	check_uint(h->casts, 1);
	check_true(h->cast.message.group == 1 && h->cast.message.cluster == 6 && h->cast.message.profile == 0x0104);
	check_bytes(h->cast.bytes, h->cast.message.data.len, on, sizeof(on));
	check_true(last(h, 'r')->eui == GROUP_1 && last(h, 'r')->cap == GWA_CAP_ON_OFF && last(h, 'r')->number == 1);
	order_group(h, 1, GWA_CAP_LEVEL, 1);
	check_int(last(h, 'f')->number, GWA_UNSUPPORTED);
	order_group(h, 2, GWA_CAP_ON_OFF, 1);
	check_int(last(h, 'f')->number, GWA_UNREACHABLE);
	check_uint(h->casts, 1);
	/* The radio has no room; it did not send it; it is gone. */
	h->busy = true;
	order_group(h, 1, GWA_CAP_ON_OFF, 0);
	check_int(last(h, 'f')->number, GWA_BUSY);
	h->busy = false;
	h->silent = true;
	order_group(h, 1, GWA_CAP_ON_OFF, 0);
	check_int(last(h, 'f')->number, GWA_FAILED);
	h->silent = false;
	h->radio->events->on_failed(h->radio->ctx, "test");
	settle_house(h);
	check_uint(last(h, 'd')->eui, GROUP_1);
	order_group(h, 1, GWA_CAP_ON_OFF, 0);
	check_int(last(h, 'f')->number, GWA_UNREACHABLE);
	house_free(h);
}

/* What all its members can, and no more. */
static void test_capabilities(void **state)
{
	struct house *h = lamps();
	struct nodes_row *row = nodes_by_eui(&h->self->nodes, LAMP2);

	(void)state;
	ask_group(h, "{\"name\":\"Kitchen\",\"members\":[\"000b57fffe00a101\",\"000b57fffe00a102\"]}");
	check_uint(last(h, 'u')->n_caps, 1);
	/* One of them turns out to be no lamp: the group is described anew. What is the same is not said again. */
	row->node.endpoints[0].in[1] = 0x0402;
	device_tell(h->self, device_of(row));
	check_true(last(h, 'u')->eui == GROUP_1 && last(h, 'u')->n_caps == 0);
	device_tell(h->self, device_of(row));
	check_uint(last(h, 'u')->eui, LAMP2);
	order_group(h, 1, GWA_CAP_ON_OFF, 1);
	check_int(last(h, 'f')->number, GWA_UNSUPPORTED);
	check_uint(h->casts, 0);
	/* And when that one leaves, the rest is what it is. */
	h->radio->events->on_left(h->radio->ctx, LAMP2, LAMP2_NWK, false);
	check_true(last(h, 'u')->eui == GROUP_1 && last(h, 'u')->n_caps == 1);
	house_free(h);
}

/* Who is in it, and who is not; a report finds no credit and waits. */
static void test_members(void **state)
{
	struct house *h = lamps();
	size_t reports;

	(void)state;
	h->grouped = false;
	permit(h, 60);
	join(h, SENSOR, SENSOR_NWK, 0x80);
	h->away = LAMP2_NWK;
	h->full = LAMP3_NWK;
	/* One is away, one has no room, one can be in none, one is not known. */
	ask_group(h, "{\"id\":300,\"name\":\"Hall\",\"members\":[\"000b57fffe00a101\",\"000b57fffe00a102\",\"000b57fffe00a103\","
		     "\"00124b00300ac303\",\"0000000000000007\"]}");
	check_int(last(h, 'f')->number, GWA_OK);
	check_text(last(h, 't')->text, "{\"id\":300,\"members\":[\"000b57fffe00a101\"],\"refused\":[\"000b57fffe00a102\",\"000b57fffe00a103\","
				       "\"00124b00300ac303\",\"0000000000000007\"]}");
	/* One that is in it and is away now stays; its name stays, too. */
	h->away = LAMP_NWK;
	h->full = 0;
	ask_group(h, "{\"id\":300,\"members\":[\"000b57fffe00a101\",\"000b57fffe00a103\"]}");
	check_text(last(h, 't')->text, "{\"id\":300,\"members\":[\"000b57fffe00a101\",\"000b57fffe00a103\"],\"refused\":[]}");
	check_text(h->self->groups.rows[0].name, "Hall");
	/* One that is to leave, and is away, is out and named. */
	ask_group(h, "{\"id\":300,\"members\":[\"000b57fffe00a103\"]}");
	check_text(last(h, 't')->text, "{\"id\":300,\"members\":[\"000b57fffe00a103\"],\"refused\":[\"000b57fffe00a101\"]}");
	h->away = 0;
	reports = count(h, 'r');
	h->credit = h->reports;
	order_group(h, 300, GWA_CAP_ON_OFF, 1);
	check_uint(count(h, 'r'), reports);
	h->credit = UINT64_MAX;
	zigbee_ops.on_stored(h->self, 1);
	check_uint(count(h, 'r'), reports + 1);
	check_uint(last(h, 'r')->eui, 'G' << 16 | (300 & 0xff) << 8 | 300 >> 8);
	/* The last leaves the network: there is no group any more. */
	h->radio->events->on_left(h->radio->ctx, LAMP3, LAMP3_NWK, false);
	check_uint(h->self->groups.n, 0);
	check_true(last(h, 'l')->eui == LAMP3);
	house_free(h);
}

static void test_removed(void **state)
{
	struct house *h = lamps();
	unsigned commands;

	(void)state;
	ask_group(h, "{\"name\":\"A\",\"members\":[\"000b57fffe00a101\"]}");
	commands = h->commands;
	ask_group(h, "{\"id\":1,\"members\":[]}");
	check_text(last(h, 't')->text, "{\"id\":1,\"members\":[],\"refused\":[]}");
	check_uint(h->commands, commands + 1);
	check_uint(last(h, 'l')->eui, GROUP_1);
	check_uint(h->self->groups.n, 0);
	/* Its number is not given again at once. */
	ask_group(h, "{\"name\":\"B\",\"members\":[\"000b57fffe00a101\"]}");
	check_uint(h->self->groups.rows[0].id, 2);
	/* Nobody answers: it is not made. */
	h->silent = true;
	ask_group(h, "{\"name\":\"C\",\"members\":[\"000b57fffe00a102\"]}");
	check_text(last(h, 't')->text, "{\"id\":3,\"members\":[],\"refused\":[\"000b57fffe00a102\"]}");
	check_uint(h->self->groups.n, 1);
	house_free(h);
}

static void test_wishes(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"name\":\"A\"}", "{\"name\":\"A\",\"members\":[]}", "{\"name\":\"A\",\"members\":[7]}",
		"{\"name\":\"A\",\"members\":[\"000b57fffe00a1\"]}", "{\"members\":[\"000b57fffe00a101\"]}",
		"{\"name\":\"\",\"members\":[\"000b57fffe00a101\"]}", "{\"id\":0,\"name\":\"A\",\"members\":[\"000b57fffe00a101\"]}",
		"{\"id\":65001,\"name\":\"A\",\"members\":[\"000b57fffe00a101\"]}", "{\"id\":9,\"members\":[]}",
		"{\"name\":\"A\",\"members\":[\"000b57fffe00a101\",\"000b57fffe00a101\"]}",
		"{\"name\":\"123456789012345678901234567890123\",\"members\":[\"000b57fffe00a101\"]}",
	};
	struct house *h = lamps();
	char text[1024] = "{\"name\":\"A\",\"members\":[";

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		ask_group(h, bad[i]);
		check_int(last(h, 'f')->number, GWA_BAD_VALUE);
	}
	for (unsigned i = 0; i <= GROUPS_MEMBERS_MAX; i++)
		text_print(text + strlen(text), sizeof(text) - strlen(text), "%s\"%016x\"", i ? "," : "", i + 1);
	text_print(text + strlen(text), sizeof(text) - strlen(text), "]}");
	ask_group(h, text);
	check_int(last(h, 'f')->number, GWA_BAD_VALUE);
	check_uint(h->self->groups.n, 0);
	for (unsigned i = 0; i <= GROUPS_MAX; i++) {
		ask_group(h, "{\"name\":\"A\",\"members\":[\"000b57fffe00a101\"]}");
		check_int(last(h, 'f')->number, i < GROUPS_MAX ? GWA_OK : GWA_BAD_VALUE);
	}
	check_uint(h->self->groups.n, GROUPS_MAX);
	/* The radio is stopped while members are asked. */
	h->mute = true;
	zigbee_ops.ask(h->self, 44, "group", "{\"id\":1,\"members\":[]}", 21);
	zigbee_ops.ask(h->self, 45, "group", "{\"id\":1,\"members\":[]}", 21);
	check_true(last(h, 'f')->req == 45 && last(h, 'f')->number == GWA_BUSY);
	run(h);
	house_close(h);
	check_true(last(h, 'f')->req == 44);
	house_free(h);
}

static void test_kept(void **state)
{
	struct house *h = lamps();
	struct shelf_blob *blob;

	(void)state;
	ask_group(h, "{\"name\":\"Kitchen\",\"members\":[\"000b57fffe00a101\",\"000b57fffe00a102\"]}");
	house_close(h);
	h->n = 0;
	house_open(h);
	check_uint(last(h, 'u')->eui, GROUP_1);
	order_group(h, 1, GWA_CAP_ON_OFF, 1);
	check_int(last(h, 'f')->number, GWA_OK);
	zigbee_ops.ask(h->self, 42, "info", NULL, 0);
	check_true(strstr(last(h, 't')->text, "radio") != NULL);
	/* The same network on another stick: it stays. */
	house_close(h);
	h->blank = true;
	house_open(h);
	check_uint(h->self->groups.n, 1);
	/* Kept in a network that is not this one. */
	house_close(h);
	h->n = 0;
	blob_of(h, "groups")->data[1] ^= 1;
	house_open(h);
	check_uint(h->self->groups.n, 0);
	check_uint(last(h, 'l')->eui, GROUP_1);
	ask_group(h, "{\"name\":\"Kitchen\",\"members\":[\"000b57fffe00a101\"]}");
	check_int(last(h, 'f')->number, GWA_OK);
	/* Another network. */
	h->n = 0;
	zigbee_ops.ask(h->self, 43, "form", NULL, 0);
	h->stick.ext_pan = 0;
	h->begun.ext_pan = 0x99;
	run(h);
	check_int(last(h, 'f')->number, GWA_OK);
	check_uint(h->self->groups.n, 0);
	check_true(count(h, 'l') + count(h, 'd') > 0);
	house_close(h);
	/* Bytes that are none of ours. */
	blob = blob_of(h, "groups");
	blob->data[0] ^= 1;
	house_open(h);
	check_uint(h->self->groups.n, 0);
	house_free(h);
}

static void test_bytes(void **state)
{
	struct groups groups = { .ext_pan = 7, .last = 3, .n = 2,
				 .rows = { { .id = 1, .name = "One", .n = 2, .members = { LAMP, LAMP2 } },
					   { .id = 3, .name = "Three", .n = 1, .members = { LAMP } } } };
	struct groups back, full = { .ext_pan = 7, .last = GROUPS_ID_MAX, .n = GROUPS_MAX };
	uint8_t buf[GROUPS_BYTES_MAX], again[GROUPS_BYTES_MAX];
	size_t len = groups_write(&groups, buf);

	(void)state;
	check_ok(groups_read((struct view){ buf, len }, &back));
	check_uint(groups_write(&back, again), len);
	check_bytes(again, len, buf, len);
	for (size_t i = 0; i < len; i++)
		check_int(groups_read((struct view){ buf, i }, &back), GROUPS_E_DAMAGED);
	check_uint(back.n, 0);
	/* A member twice, a number twice, one too many; whatever else is changed is read or refused, and bounded. */
	groups.rows[0].members[1] = LAMP;
	check_int(groups_read((struct view){ buf, groups_write(&groups, buf) }, &back), GROUPS_E_DAMAGED);
	groups.rows[0].members[1] = LAMP2;
	groups.rows[0].id = 3;
	check_int(groups_read((struct view){ buf, groups_write(&groups, buf) }, &back), GROUPS_E_DAMAGED);
	groups.rows[0].id = 1;
	len = groups_write(&groups, buf);
	for (size_t i = 0; i < 8 * len; i++) {
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
		if (groups_read((struct view){ buf, len }, &back) == 0)
			check_true(back.n <= GROUPS_MAX && groups_write(&back, again) == len && memcmp(again, buf, len) == 0);
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	/* All that may be has room. */
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		full.rows[i] = (struct group){ .id = (uint16_t)(i + 1), .n = GROUPS_MEMBERS_MAX };
		memset(full.rows[i].name, 'n', GROUPS_NAME_MAX);
		for (size_t m = 0; m < GROUPS_MEMBERS_MAX; m++)
			full.rows[i].members[m] = m + 1;
	}
	len = groups_write(&full, buf);
	check_true(len > 0);
	check_ok(groups_read((struct view){ buf, len }, &back));
	check_int(groups_put(&back, &(struct group){ .id = 99, .n = 1 }), GROUPS_E_FULL);
	check_uint(groups_next(&back), GROUPS_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_one_frame), cmocka_unit_test(test_capabilities), cmocka_unit_test(test_members), cmocka_unit_test(test_removed),
		cmocka_unit_test(test_wishes),	  cmocka_unit_test(test_kept),	  cmocka_unit_test(test_bytes),
	};

	return CHECK_RUN(rows);
}
