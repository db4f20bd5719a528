/* The table of devices at its edges: how many, how many addresses, adapters, rooms; names; who is refused and what stays. */
#include "gateway_home.h"

#include <string.h>
#include "registry/internal.h"
#include "registry/registry.h"

struct world {
	struct gateway g;
	struct registry *registry;
	unsigned n_alarms;
};

static void on_alarm(void *ctx, enum alarm_kind kind, struct device_id device, const char *object, bool raised, const char *detail)
{
	(void)device;
	(void)object;
	(void)detail;
	check_int(kind, ALARM_CLONE);
	((struct world *)ctx)->n_alarms += raised;
}

static void on_report(void *ctx, const struct device *device, const struct event *event, const struct value *before,
		      void (*stored)(void *stored_ctx, int r), void *stored_ctx)
{
	(void)ctx;
	(void)device;
	(void)event;
	(void)before;
	stored(stored_ctx, 0);
}

static const struct registry_ops ops = { .on_report = on_report, .on_alarm = on_alarm };

static void world_start(struct world *w)
{
	const struct registry_options options = { .maker = 0xaa01, .product = 2, .epoch = 1 };
	check_ok(registry_new(w->g.loop, w->g.store, w->g.db, &options, &w->registry));
	registry_listen(w->registry, &ops, w);
	check_ok(registry_load(w->registry));
	gateway_start(&w->g);
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	gateway_open_with(&w->g, registry_schema_1, registry_schema_2);
	world_start(w);
}

static void world_restart(struct world *w)
{
	gateway_settle(&w->g);
	w->registry = registry_close(w->registry);
	gateway_stop(&w->g);
	gateway_open_again(&w->g);
	world_start(w);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	registry_close(w->registry);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static const struct capability_desc switch_caps[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
	{ .id = CAP_LEVEL, .type = VALUE_INT, .access = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT, .min = 1, .max = 100 },
};
static const struct endpoint_desc switch_endpoint = { .id = 1, .n_caps = 2, .caps = switch_caps };

static struct device_desc a_switch(unsigned address, unsigned hw, const char *name)
{
	struct device_desc desc = { .addr = { .len = 2, .bytes = { (uint8_t)(address >> 8), (uint8_t)address } },
				    .vendor = "V", .model = "M", .firmware = "1", .name = name, .n_endpoints = 1, .endpoints = &switch_endpoint };
	if (hw)
		desc.hw = (struct address){ .len = 8, .bytes = { 1, 2, 3, 4, 5, 6, (uint8_t)(hw >> 8), (uint8_t)hw } };
	return desc;
}

static int describe(struct world *w, const char *adapter, const struct device_desc *desc, struct device_id *ret)
{
	return registry_describe(w->registry, adapter, desc, 0, ret);
}

struct answer {
	bool done;
	int r;
};

static void on_done(void *ctx, int r)
{
	*(struct answer *)ctx = (struct answer){ true, r };
}

static const struct audit_record record = { .kind = AUDIT_DEVICE_NAME };

static int rename_to(struct world *w, struct device_id id, const char *name)
{
	struct answer answer = { 0 };
	registry_rename(w->registry, id, name, &record, on_done, &answer);
	gateway_settle(&w->g);
	check_true(answer.done);
	return answer.r;
}

static int put_in(struct world *w, struct device_id id, const char *room)
{
	struct answer answer = { 0 };
	registry_set_room(w->registry, id, room, &record, on_done, &answer);
	gateway_settle(&w->g);
	check_true(answer.done);
	return answer.r;
}

static int set_state(struct world *w, struct device_id id, enum device_state state)
{
	struct answer answer = { 0 };
	registry_set_state(w->registry, id, state, &record, on_done, &answer);
	gateway_settle(&w->g);
	check_true(answer.done);
	return answer.r;
}

/* They all want the same name, too. */
static void there_is_room_for_so_many_devices(void **state)
{
	struct world w;
	struct device_id id;
	(void)state;
	world_open(&w);
	for (unsigned i = 0; i < REGISTRY_DEVICES_MAX; i++) {
		struct device_desc desc = a_switch(i, 0, "lamp");
		check_ok(describe(&w, "sim", &desc, &id));
	}
	struct device_desc more = a_switch(REGISTRY_DEVICES_MAX, 0, "lamp"), known = a_switch(17, 0, "lamp");
	check_int(describe(&w, "sim", &more, &id), REGISTRY_E_FULL);
	check_uint(registry_count(w.registry), REGISTRY_DEVICES_MAX);
	check_true(registry_find_way(w.registry, "sim", &more.addr) == NULL);
	check_ok(describe(&w, "sim", &known, &id)); /* those that are there are served as before */
	check_text(registry_at(w.registry, 0)->name, "lamp");
	check_text(registry_at(w.registry, 1)->name, "lamp-2");
	check_true(registry_find_name(w.registry, registry_at(w.registry, REGISTRY_DEVICES_MAX - 1)->name) ==
		   registry_at(w.registry, REGISTRY_DEVICES_MAX - 1));
	check_true(registry_at(w.registry, REGISTRY_DEVICES_MAX) == NULL);
	world_restart(&w);
	check_uint(registry_count(w.registry), REGISTRY_DEVICES_MAX);
	check_int(describe(&w, "sim", &more, &id), REGISTRY_E_FULL);
	world_close(&w);
}

static void a_device_has_so_many_addresses(void **state)
{
	struct world w;
	struct device_id first, id;
	(void)state;
	world_open(&w);
	for (unsigned i = 0; i < REGISTRY_ADDRESSES_MAX; i++) {
		struct device_desc desc = a_switch(100 + i, 7, "lamp");
		check_ok(describe(&w, i % 2 ? "sim" : "bridge", &desc, &id));
		if (i == 0)
			first = id;
		check_true(device_id_equal(id, first));
	}
	struct device_desc more = a_switch(200, 7, "lamp");
	check_int(describe(&w, "sim", &more, &id), REGISTRY_E_FULL);
	check_uint(registry_at(w.registry, 0)->n_ways, REGISTRY_ADDRESSES_MAX);
	world_restart(&w);
	check_uint(registry_at(w.registry, 0)->n_ways, REGISTRY_ADDRESSES_MAX);
	check_text(device_way(registry_at(w.registry, 0))->adapter, "bridge");
	world_close(&w);
}

static void there_are_so_many_adapters(void **state)
{
	struct world w;
	struct device_id id;
	char name[16];
	(void)state;
	world_open(&w);
	for (unsigned i = 0; i <= REGISTRY_ADAPTERS_MAX; i++) {
		struct device_desc desc = a_switch(1, 0, "lamp");
		snprintf(name, sizeof(name), "a%u", i);
		check_int(describe(&w, name, &desc, &id), i < REGISTRY_ADAPTERS_MAX ? 0 : REGISTRY_E_FULL);
	}
	world_close(&w);
}

static void there_are_so_many_rooms(void **state)
{
	struct world w;
	struct device_id id;
	char name[DEVICE_TEXT_MAX + 2];
	(void)state;
	world_open(&w);
	struct device_desc desc = a_switch(1, 0, "lamp");
	check_ok(describe(&w, "sim", &desc, &id));
	for (unsigned i = 0; i < REGISTRY_ROOMS_MAX; i++) {
		snprintf(name, sizeof(name), "room %u", i);
		check_ok(put_in(&w, id, name));
	}
	check_int(put_in(&w, id, "one more"), REGISTRY_E_FULL);
	check_text(registry_room(w.registry, registry_at(w.registry, 0)->room)->name, name); /* it stays where it was */
	check_ok(put_in(&w, id, "room 0"));
	check_ok(put_in(&w, id, ""));
	check_uint(registry_at(w.registry, 0)->room, 0);
	memset(name, 'x', DEVICE_TEXT_MAX + 1);
	name[DEVICE_TEXT_MAX + 1] = 0;
	check_int(put_in(&w, id, name), REGISTRY_E_NAME);
	check_int(put_in(&w, (struct device_id){ { 9 } }, "room 0"), REGISTRY_E_UNKNOWN);
	world_restart(&w);
	check_true(registry_room_at(w.registry, REGISTRY_ROOMS_MAX - 1) != NULL);
	check_true(registry_room_at(w.registry, REGISTRY_ROOMS_MAX) == NULL);
	world_close(&w);
}

static void a_name_is_one_devices_and_fit_for_a_topic(void **state)
{
	struct world w;
	struct device_id one, two;
	char name[DEVICE_TEXT_MAX + 2], id_text[DEVICE_ID_TEXT_MAX];
	(void)state;
	world_open(&w);
	struct device_desc lamp = a_switch(1, 0, "lamp"), odd = a_switch(2, 0, "a/b+#$");
	check_ok(describe(&w, "sim", &lamp, &one));
	check_ok(describe(&w, "sim", &odd, &two));
	check_text(registry_find(w.registry, two)->name, "a-b---");
	device_id_print(one, id_text);
	const char *const bad[] = { "", "lamp", "a/b", "a+b", "a#", "\n", "\xff", id_text };
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(rename_to(&w, two, bad[i]), REGISTRY_E_NAME);
	memset(name, 'n', sizeof(name) - 1);
	name[DEVICE_TEXT_MAX + 1] = 0;
	check_int(rename_to(&w, two, name), REGISTRY_E_NAME);
	name[DEVICE_TEXT_MAX] = 0;
	check_ok(rename_to(&w, two, name));
	check_ok(rename_to(&w, one, "lamp")); /* its own */
	check_int(rename_to(&w, (struct device_id){ { 9 } }, "x"), REGISTRY_E_UNKNOWN);
	world_restart(&w);
	check_text(registry_find(w.registry, two)->name, name);
	world_close(&w);
}

/* Its identity is never given again, its address and its name are. */
static void a_retired_one_leaves_its_address_and_its_name(void **state)
{
	struct world w;
	struct device_id one, two;
	(void)state;
	world_open(&w);
	struct device_desc lamp = a_switch(1, 7, "lamp");
	check_ok(describe(&w, "sim", &lamp, &one));
	check_int(set_state(&w, one, DEVICE_SEEN), REGISTRY_E_STATE);
	check_ok(set_state(&w, one, DEVICE_RETIRED));
	check_int(rename_to(&w, one, "x"), REGISTRY_E_UNKNOWN);
	check_int(set_state(&w, one, DEVICE_OURS), REGISTRY_E_STATE);
	check_int(set_state(&w, (struct device_id){ { 9 } }, DEVICE_OURS), REGISTRY_E_UNKNOWN);
	check_ok(describe(&w, "sim", &lamp, &two));
	check_true(!device_id_equal(one, two));
	check_text(registry_find(w.registry, two)->name, "lamp");
	/* The retired identity itself, brought again by another: a clone. */
	struct device_desc again = a_switch(3, 0, "lamp");
	again.id = one;
	check_int(describe(&w, "sim", &again, &two), REGISTRY_E_CLONE);
	check_uint(w.n_alarms, 1);
	world_restart(&w);
	check_int(registry_find(w.registry, one)->state, DEVICE_RETIRED);
	check_uint(registry_find(w.registry, one)->n_ways, 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_is_room_for_so_many_devices),
		cmocka_unit_test(a_device_has_so_many_addresses),
		cmocka_unit_test(there_are_so_many_adapters),
		cmocka_unit_test(there_are_so_many_rooms),
		cmocka_unit_test(a_name_is_one_devices_and_fit_for_a_topic),
		cmocka_unit_test(a_retired_one_leaves_its_address_and_its_name),
	};
	return CHECK_RUN(rows);
}
