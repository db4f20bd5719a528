/* Devices are known by what they say, in the order in which zigbee-herdsman-converters looks: model_vectors.tsv is what its findByDevice
 * said of 600 of them (tests/sim/models.mjs).
 */
#include "zigbee_home.h"

#include "base/text.h"
#include "model/capability.h"
#include "zigbee/models.h"
#include "zigbee/models_table.h"

enum { COLUMNS = 10, LINE = 2048 };

static uint16_t add_clusters(const char *text, uint16_t *ret)
{
	uint16_t n = 0;
	char *p = (char *)(uintptr_t)text;

	while (*p && *p != ',') {
		assert_true(n < NODE_CLUSTERS_MAX);
		ret[n++] = (uint16_t)strtoul(p, &p, 16);
		p += *p == '.';
	}
	return n;
}

/* "e1,p0104,d0051,i0000.0003,o0019" */
static void add_endpoint(struct home *home, const char *text)
{
	struct node_endpoint *endpoint = home_endpoint(home, (uint8_t)strtoul(text + 1, NULL, 10));

	for (const char *p = strchr(text, ','); p; p = strchr(p + 1, ',')) {
		if (p[1] == 'p')
			endpoint->profile = (uint16_t)strtoul(p + 2, NULL, 16);
		else if (p[1] == 'd')
			endpoint->device = (uint16_t)strtoul(p + 2, NULL, 16);
		else if (p[1] == 'i')
			endpoint->n_in = (uint8_t)add_clusters(p + 2, endpoint->in);
		else
			endpoint->n_out = (uint8_t)add_clusters(p + 2, endpoint->out);
	}
}

static void read_device(char *columns[COLUMNS], struct home *home)
{
	char *save;

	*home = (struct home){ .node = { .kind = columns[3][0] == 'E' ? 2 : 1, .power = (uint8_t)atoi(columns[4]),
					 .manufacturer = (uint16_t)atoi(columns[2]) } };
	text_copy(home->node.model, sizeof(home->node.model), columns[0]);
	text_copy(home->node.vendor, sizeof(home->node.vendor), columns[1]);
	text_copy(home->node.firmware, sizeof(home->node.firmware), columns[5]);
	for (char *e = strtok_r(columns[6], "|", &save); e; e = strtok_r(NULL, "|", &save))
		add_endpoint(home, e);
}

static void devices_are_called_what_others_call_them(void **state)
{
	char path[512], line[LINE];
	size_t n = 0, known = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/unit/model_vectors.tsv", getenv("GW_SOURCE_ROOT"));
	f = fopen(path, "re");
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); n++) {
		char *columns[COLUMNS], *p = line;
		struct home home;
		struct model model = { .vendor = "-", .model = "-", .description = "-" };

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < COLUMNS; i++)
			columns[i] = strsep(&p, "\t");
		assert_non_null(columns[COLUMNS - 1]);
		read_device(columns, &home);
		known += models_find(&home.node, &model);
		if (strcmp(model.vendor, columns[7]) != 0 || strcmp(model.model, columns[8]) != 0 ||
		    strcmp(model.description, columns[9]) != 0)
			fail_msg("%zu: %s by %s: %s %s (%s), not %s %s (%s)", n + 1, columns[0], columns[1], model.vendor, model.model,
				 model.description, columns[7], columns[8], columns[9]);
	}
	fclose(f);
	check_true(n > 590);
	check_true(known > 400 && known < n);
}

static void many_are_known(void **state)
{
	(void)state;
	check_true(models_count() > 7000);
}

static bool find(const char *id, const char *maker, struct model *ret)
{
	struct node node = { .kind = 1 };

	text_copy(node.model, sizeof(node.model), id);
	text_copy(node.vendor, sizeof(node.vendor), maker);
	return models_find(&node, ret);
}

static void names_of_one(void **state)
{
	struct model model;

	(void)state;
	check_true(find("TRADFRI control outlet", "IKEA of Sweden", &model));
	check_text(model.vendor, "IKEA");
	check_true(strstr(model.model, "E160x") != NULL);
	check_true(model.standard);
	check_true(find("  TRADFRI control outlet ", "", &model)); /* padded, and nobody's */
	check_uint(model.quirks, 0);
	check_true(find("TS0601", "_TZE200_ckud7u2l", &model));
	check_true(!model.standard);
	check_true(!find("", "", &model));
	check_true(!find("no such thing", "nobody", &model));
	check_true(!find("TRADFRI control outle", "IKEA of Sweden", &model));
}

static bool exposes(const struct model *model, uint16_t cap)
{
	for (const uint8_t *p = model->exposes; *p; p++) {
		if (*p == cap)
			return true;
	}
	return false;
}

/* The simulator's devices (tests/sim/znp/devices.js), and what Zigbee2MQTT made of each that they said or were told
 * (captures/values.jsonl): all of it is exposed.
 */
static void what_is_published_is_exposed(void **state)
{
	static const struct {
		const char *id, *maker;
		uint8_t caps[6];
		bool more;
	} devices[] = {
		{ "TRADFRI control outlet", "IKEA of Sweden", { GWA_CAP_ON_OFF }, false },
		{ "TRADFRI bulb E27 WS opal 980lm", "IKEA of Sweden", { GWA_CAP_ON_OFF, GWA_CAP_LEVEL, GWA_CAP_COLOR_TEMPERATURE }, false },
		{ "SNZB-02D", "SONOFF", { GWA_CAP_TEMPERATURE, GWA_CAP_HUMIDITY, GWA_CAP_BATTERY }, true },
		{ "SNZB-04", "eWeLink", { GWA_CAP_CONTACT, GWA_CAP_BATTERY_LOW }, false },
		{ "SP 240", "innr", { GWA_CAP_ON_OFF, GWA_CAP_POWER, GWA_CAP_ENERGY, GWA_CAP_VOLTAGE, GWA_CAP_CURRENT }, false },
		{ "YRD226 TSDB", "Yale", { GWA_CAP_LOCK_STATE }, false },
		{ "RB 285 C", "innr",
		  { GWA_CAP_ON_OFF, GWA_CAP_LEVEL, GWA_CAP_COLOR_TEMPERATURE, GWA_CAP_COLOR_HUE, GWA_CAP_COLOR_SATURATION }, false },
		{ "FYRTUR block-out roller blind", "IKEA of Sweden", { GWA_CAP_COVER_POSITION, GWA_CAP_COVER_MOVE }, false },
		{ "Zen-01", "Zen Within",
		  { GWA_CAP_TEMPERATURE, GWA_CAP_TARGET_TEMPERATURE, GWA_CAP_TARGET_COOLING, GWA_CAP_THERMOSTAT_MODE }, false },
		{ "TRADFRI on/off switch", "IKEA of Sweden", { GWA_CAP_BUTTON }, false },
		{ "MS01", "eWeLink", { GWA_CAP_OCCUPANCY, GWA_CAP_BATTERY_LOW }, false },
		{ "WaterSensor-N", "HEIMAN", { GWA_CAP_WATER_LEAK, GWA_CAP_BATTERY_LOW, GWA_CAP_TAMPER }, false },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(devices); i++) {
		struct model model;

		check_true(find(devices[i].id, devices[i].maker, &model));
		check_int(model.more, devices[i].more);
		check_true(!model.varies);
		for (const uint8_t *p = devices[i].caps; p < devices[i].caps + sizeof(devices[i].caps) && *p; p++) {
			if (!exposes(&model, *p))
				fail_msg("%s: no %s", devices[i].id, capability_find(*p)->name);
		}
	}
}

/* Bounds that a broken mapping breaks: a thousand lamps fewer, or all models suddenly understood. */
static void lists_are_whole(void **state)
{
	static const struct {
		uint8_t cap;
		size_t least;
	} bounds[] = { { GWA_CAP_ON_OFF, 4000 }, { GWA_CAP_LEVEL, 2500 }, { GWA_CAP_COLOR_TEMPERATURE, 1500 }, { GWA_CAP_TEMPERATURE, 1000 },
		       { GWA_CAP_POWER, 600 }, { GWA_CAP_ENERGY, 500 }, { GWA_CAP_BUTTON, 800 }, { GWA_CAP_BATTERY, 1500 },
		       { GWA_CAP_COVER_POSITION, 400 }, { GWA_CAP_OCCUPANCY, 300 }, { GWA_CAP_CONTACT, 150 }, { GWA_CAP_LOCK_STATE, 50 } };
	size_t having[UINT8_MAX + 1] = { 0 }, whole = 0, none = 0;

	(void)state;
	for (size_t i = 0; i < models_count(); i++) {
		const char *text = models_pool + models_rows[i].names;
		uint8_t last = 0;

		for (int k = 0; k < 3; k++)
			text += strlen(text) + 1;
		none += !*text;
		for (const uint8_t *p = (const uint8_t *)text; *p; p++) {
			check_true(*p > last && capability_find(*p));
			last = *p;
			having[*p]++;
		}
		whole += !(models_rows[i].flags & (MODEL_MORE | MODEL_VARIES));
	}
	for (size_t i = 0; i < N_ELEMENTS(bounds); i++) {
		if (having[bounds[i].cap] < bounds[i].least)
			fail_msg("%s: %zu", capability_find(bounds[i].cap)->name, having[bounds[i].cap]);
	}
	check_true(none < 200);
	check_true(whole > 4000 && whole < 6000);
}

/* Of the models whose clusters are known (they are known by them), few have any for show, and then it is one or two. */
static void few_lose_anything(void **state)
{
	char path[512], line[LINE];
	size_t n = 0, losing = 0, lost = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/plugins/zigbee/models.tsv", getenv("GW_SOURCE_ROOT"));
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *p = line, *save, *id = strsep(&p, "\t"), *maker = strsep(&p, "\t"), *more = strsep(&p, "\t");
		struct home home = { .node = { .kind = 1, .power = 1 } };
		struct trait traits[TRAITS_MAX];
		struct model model;
		size_t before;

		text_copy(home.node.model, sizeof(home.node.model), id);
		text_copy(home.node.vendor, sizeof(home.node.vendor), maker);
		for (char *c = strtok_r(more, "|", &save); c; c = strtok_r(NULL, "|", &save)) {
			if (*c == 'e')
				add_endpoint(&home, c);
			else if (*c == 't')
				home.node.kind = c[1] == 'E' ? 2 : 1;
			else if (*c == 'm')
				home.node.manufacturer = (uint16_t)atoi(c + 1);
		}
		if (!home.node.n_endpoints || !models_find(&home.node, &model))
			continue;
		before = traits_of(&home.node, traits);
		traits_know(&home.node, &model);
		n++;
		before -= traits_of(&home.node, traits);
		losing += before > 0;
		lost += before;
		check_true(before <= 6);
	}
	fclose(f);
	check_true(n > 50);
	check_true(losing > 0 && losing < n / 3 && lost < 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_called_what_others_call_them),
		cmocka_unit_test(many_are_known),
		cmocka_unit_test(names_of_one),
		cmocka_unit_test(what_is_published_is_exposed),
		cmocka_unit_test(lists_are_whole),
		cmocka_unit_test(few_lose_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
