/* What may leave by a link: nothing, unless somebody wrote it down; by name, identity or room; up to a class; of it, some. */
#include "gateway_home.h"

#include "base/base.h"
#include "link/shares.h"

struct world {
	struct gateway g;
	struct registry *registry;
	const struct device *lamp;
	struct conf_link link;
};

static const struct capability_desc caps[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = ACCESS_READ | ACCESS_REPORT },
	{ .id = CAP_TEMPERATURE, .type = VALUE_REAL, .access = ACCESS_READ | ACCESS_REPORT },
};
static const struct endpoint_desc endpoint = { .id = 1, .n_caps = 2, .caps = caps };

static void on_done(void *ctx, int r)
{
	(void)ctx;
	check_ok(r);
}

static void world_open(struct world *w)
{
	const struct registry_options options = { .maker = 1, .product = 2, .epoch = 1 };
	const struct audit_record record = { .kind = AUDIT_DEVICE_ROOM };
	const struct device_desc desc = { .addr = { .len = 1, .bytes = { 1 } }, .vendor = "V", .model = "M", .firmware = "1", .name = "lamp",
					  .n_endpoints = 1, .endpoints = &endpoint };
	struct device_id id;

	memset(w, 0, sizeof(*w));
	gateway_open_with(&w->g, registry_schema_1, registry_schema_2);
	check_ok(registry_new(w->g.loop, w->g.store, w->g.db, &options, &w->registry));
	check_ok(registry_load(w->registry));
	gateway_start(&w->g);
	check_ok(registry_describe(w->registry, "sim", &desc, 0, &id));
	registry_set_room(w->registry, id, "Kitchen", &record, on_done, NULL);
	gateway_settle(&w->g);
	w->lamp = registry_find(w->registry, id);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	registry_close(w->registry);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static void share(struct world *w, char *device, enum data_class class_max, uint16_t cap)
{
	struct conf_share *row = &w->link.shares[w->link.n_shares++];
	*row = (struct conf_share){ .device = device, .class_max = class_max, .caps = { cap }, .n_caps = cap != 0 };
}

static bool may(const struct world *w, uint16_t cap, enum data_class data_class)
{
	return shares_allow(&w->link, w->registry, w->lamp, cap, data_class);
}

static void nothing_is_written_so_nothing_leaves(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	for (int c = 0; c <= CLASS_SENSITIVE; c++)
		check_true(!may(&w, CAP_ON_OFF, (enum data_class)c));
	check_true(!may(&w, 0, CLASS_PUBLIC));
	world_close(&w);
}

static void a_device_is_named_in_four_ways(void **state)
{
	char id[DEVICE_ID_TEXT_MAX], upper[DEVICE_ID_TEXT_MAX];
	struct world w;
	(void)state;
	world_open(&w);
	device_id_print(w.lamp->id, id);
	for (size_t i = 0; i < sizeof(id); i++)
		upper[i] = id[i] >= 'a' && id[i] <= 'f' ? (char)(id[i] - 'a' + 'A') : id[i];
	char *const good[] = { (char[]){ "*" }, (char[]){ "lamp" }, id, upper, (char[]){ "room:Kitchen" } };
	char *const bad[] = { (char[]){ "" }, (char[]){ "lam" }, (char[]){ "Lamp" }, (char[]){ "room:" }, (char[]){ "room:Bath" },
			      (char[]){ "Kitchen" }, (char[]){ "lamp*" } };
	for (size_t i = 0; i < N_ELEMENTS(good) + N_ELEMENTS(bad); i++) {
		bool is_good = i < N_ELEMENTS(good);
		w.link.n_shares = 0;
		share(&w, is_good ? good[i] : bad[i - N_ELEMENTS(good)], CLASS_SENSITIVE, 0);
		check_int(may(&w, CAP_ON_OFF, CLASS_ORDINARY), is_good);
		check_int(may(&w, 0, CLASS_PUBLIC), is_good); /* the device at all */
	}
	world_close(&w);
}

static void up_to_a_class_and_no_further(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	for (int up_to = 0; up_to <= CLASS_SENSITIVE; up_to++) {
		w.link.n_shares = 0;
		share(&w, (char[]){ "lamp" }, (enum data_class)up_to, 0);
		for (int c = 0; c <= CLASS_SENSITIVE; c++)
			check_int(may(&w, CAP_ON_OFF, (enum data_class)c), c <= up_to);
	}
	world_close(&w);
}

static void of_a_class_some_capabilities(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	share(&w, (char[]){ "lamp" }, CLASS_SENSITIVE, CAP_TEMPERATURE);
	check_true(may(&w, CAP_TEMPERATURE, capability_class(CAP_TEMPERATURE)));
	check_true(!may(&w, CAP_ON_OFF, capability_class(CAP_ON_OFF)));
	check_true(may(&w, 0, CLASS_PUBLIC));
	/* What the device does not have shows nothing of it. */
	w.link.n_shares = 0;
	share(&w, (char[]){ "lamp" }, CLASS_SENSITIVE, CAP_LOCK_STATE);
	check_true(!may(&w, 0, CLASS_PUBLIC));
	/* One row that fits is enough, wherever it stands. */
	share(&w, (char[]){ "other" }, CLASS_SENSITIVE, 0);
	share(&w, (char[]){ "room:Kitchen" }, CLASS_SENSITIVE, CAP_ON_OFF);
	check_true(may(&w, CAP_ON_OFF, capability_class(CAP_ON_OFF)));
	check_true(!may(&w, CAP_TEMPERATURE, capability_class(CAP_TEMPERATURE)));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(nothing_is_written_so_nothing_leaves),
		cmocka_unit_test(a_device_is_named_in_four_ways),
		cmocka_unit_test(up_to_a_class_and_no_further),
		cmocka_unit_test(of_a_class_some_capabilities),
	};
	return CHECK_RUN(rows);
}
