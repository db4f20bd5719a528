/* docs/devices.md is what the tables say: this test writes it anew and holds the file against it. With GW_WRITE=FILE in the
 * environment the text is written there instead:
 *
 *   GW_WRITE=docs/devices.md BUILD/tests/unit/test_zigbee_devices
 */
#include "zigbee_home.h"

#include "model/capability.h"
#include "zigbee/clusters.h"
#include "zigbee/models_table.h"

static const struct {
	uint16_t id;
	const char *name;
} cluster_names[] = {
	{ CLUSTER_POWER, "Power configuration" },
	{ CLUSTER_DEVICE_TEMPERATURE, "Device temperature" },
	{ CLUSTER_SCENES, "Scenes" },
	{ CLUSTER_ON_OFF, "On/off" },
	{ CLUSTER_LEVEL, "Level control" },
	{ CLUSTER_ALARMS, "Alarms" },
	{ CLUSTER_ANALOG_INPUT, "Analog input" },
	{ CLUSTER_ANALOG_OUTPUT, "Analog output" },
	{ CLUSTER_BINARY_INPUT, "Binary input" },
	{ CLUSTER_BINARY_OUTPUT, "Binary output" },
	{ CLUSTER_MULTISTATE_INPUT, "Multistate input" },
	{ CLUSTER_MULTISTATE_OUTPUT, "Multistate output" },
	{ CLUSTER_LOCK, "Door lock" },
	{ CLUSTER_COVERING, "Window covering" },
	{ CLUSTER_THERMOSTAT, "Thermostat" },
	{ CLUSTER_FAN, "Fan control" },
	{ CLUSTER_COLOR, "Colour control" },
	{ CLUSTER_ILLUMINANCE, "Illuminance" },
	{ CLUSTER_TEMPERATURE, "Temperature" },
	{ CLUSTER_PRESSURE, "Pressure" },
	{ CLUSTER_FLOW, "Flow" },
	{ CLUSTER_HUMIDITY, "Relative humidity" },
	{ CLUSTER_OCCUPANCY, "Occupancy" },
	{ CLUSTER_SOIL_MOISTURE, "Soil moisture" },
	{ CLUSTER_CO2, "Carbon dioxide" },
	{ CLUSTER_PM25, "PM2.5" },
	{ CLUSTER_PM10, "PM10" },
	{ CLUSTER_ZONE, "IAS zone" },
	{ CLUSTER_ACE, "IAS control panel" },
	{ CLUSTER_WARNING, "IAS warning device" },
	{ CLUSTER_METERING, "Metering" },
	{ CLUSTER_ELECTRICAL, "Electrical measurement" },
};

static const char *const when_words[] = {
	[WHEN_ALWAYS] = "",
	[WHEN_KNOWN] = "the device has the attribute",
	[WHEN_CURVE] = "of models whose percentage is known to be wrong",
	[WHEN_NO_CURVE] = "",
	[WHEN_BATTERY] = "the device has the attribute; nothing else of the endpoint measures voltage",
	[WHEN_NO_ZONE] = "the device has the attribute; no zone in the endpoint",
	[WHEN_COLOR_TEMPERATURE] = "a lamp of white shades, or one that does not say what it is",
	[WHEN_HUE] = "a lamp with a coarse hue",
	[WHEN_HUE16] = "a lamp with a fine hue, or one that does not say",
	[WHEN_SATURATION] = "a lamp with a hue",
	[WHEN_XY] = "a lamp of coordinates without a hue",
	[WHEN_LIFT] = "not of a tilt blind",
	[WHEN_TILT] = "of shutters, tilt blinds, and of what does not say what it is",
	[WHEN_TILT_ONLY] = "of a tilt blind",
	[WHEN_NO_THERMOMETER] = "no Temperature cluster in the endpoint",
	[WHEN_HEATS] = "it heats, or does not say",
	[WHEN_COOLS_ONLY] = "it only cools",
	[WHEN_HEATS_AND_COOLS] = "it heats and cools",
	[WHEN_ZONE] = "the zone's type, or what is known of the model, is ",
	[WHEN_ZONE_OTHER] = "any other type of zone",
	[WHEN_ENERGY] = "its unit is one of energy",
	[WHEN_DEMAND] = "its unit is no volume; no Electrical measurement in the endpoint",
	[WHEN_WATER] = "its unit is a volume, and it is no gas meter",
	[WHEN_GAS] = "its unit is a volume, and it is a gas meter",
	[WHEN_AC] = "alternating current, or it does not say",
	[WHEN_DC] = "direct current",
};

static const char *name_of(uint16_t cluster)
{
	for (size_t i = 0; i < N_ELEMENTS(cluster_names); i++) {
		if (cluster_names[i].id == cluster)
			return cluster_names[i].name;
	}
	fail_msg("cluster %04x has no name here", cluster);
	return NULL;
}

/* Gas has no type of its own in the standard: it is known of the model. */
static void print_zone(FILE *f, uint16_t kind)
{
	if (kind == 0xfffe)
		fputs("gas: known of the model", f);
	else
		fprintf(f, "%04x", kind);
}

static void print_clusters(FILE *f)
{
	const struct cluster_row *row;

	fputs("## Zigbee: what clusters are\n\n"
	      "Any device works by its clusters, known or not. An attribute is a capability, if the condition holds; w: it can be ordered.\n"
	      "Reported: seconds at the least and at the most that devices are asked for.\n\n"
	      "| cluster | attribute | capability | unit | | reported | when |\n|---|---|---|---|---|---|---|\n", f);
	for (size_t i = 0; (row = clusters_at(i)); i++) {
		const struct capability *cap = capability_find(row->cap);

		assert_true(row->when < N_ELEMENTS(when_words) && when_words[row->when]);
		fprintf(f, "| %04x %s | ", row->cluster, name_of(row->cluster));
		if (row->attribute != ATTRIBUTE_NONE)
			fprintf(f, "%04x", row->attribute);
		fprintf(f, " | %s | %s | %s | ", cap->name, unit_name(cap->unit), row->access & GWA_A_WRITE ? "w" : "");
		if (row->max_s)
			fprintf(f, "%u..%u", row->min_s, row->max_s);
		fprintf(f, " | %s", when_words[row->when]);
		if (row->when == WHEN_ZONE)
			print_zone(f, row->arg2);
		fputs(" |\n", f);
	}
}

static bool is_new(const char *seen, const char *word, size_t len)
{
	for (const char *p = seen; (p = strstr(p, "`")); p += strcspn(p + 1, "`") + 2) {
		if (strcspn(p + 1, "`") == len && strncmp(p + 1, word, len) == 0)
			return false;
	}
	return true;
}

/* All that a cluster's commands can say, by letting it say everything. */
static void print_words(FILE *f, uint16_t cluster)
{
	struct home home = { 0 };
	char seen[2048] = "";

	home_endpoint(&home, 1)->out[0] = cluster;
	home.endpoints[0].n_out = 1;
	for (unsigned command = 0; command < 256; command++) {
		for (uint8_t field = 0; field < 20; field++) {
			const uint8_t fields[3] = { field, 0, field };
			struct zcl_frame frame = { .header = { .cluster = true, .command = (uint8_t)command },
						   .payload = { fields, sizeof(fields) } };
			const struct gwa_value *said = &home.readings[0].value;
			size_t at = strlen(seen);

			if (!traits_command(&home.node, 1, cluster, &frame, home.readings) || !is_new(seen, said->v.data, said->len))
				continue;
			snprintf(seen + at, sizeof(seen) - at, "%s`%.*s`", at ? " " : "", (int)said->len, (const char *)said->v.data);
		}
	}
	fprintf(f, "| %04x %s | %s |\n", cluster, name_of(cluster), seen);
}

static void print_presses(FILE *f)
{
	uint16_t cluster;

	fputs("\n## Zigbee: what buttons say\n\n"
	      "A device that gives commands of these clusters has the capability `button`; each of its endpoints has its own. The words are those of\n"
	      "Zigbee2MQTT, without the endpoint at the end, so that rules can move.\n\n| cluster | words |\n|---|---|\n", f);
	for (size_t i = 0; (cluster = clusters_pressed_at(i)); i++)
		print_words(f, cluster);
}

struct sold {
	const char *vendor, *model;
	const uint8_t *exposes;
	uint16_t flags;
	bool standard;
};

static int sold_compare(const void *a, const void *b)
{
	const struct sold *x = a, *y = b;
	int r = strcasecmp(x->vendor, y->vendor);

	if (!r)
		r = strcmp(x->vendor, y->vendor);
	if (!r)
		r = strcmp(x->model, y->model);
	if (!r)
		r = y->standard - x->standard;
	return r ? r : strcmp((const char *)x->exposes, (const char *)y->exposes);
}

static size_t models_read(struct sold *ret)
{
	size_t n = models_count();

	for (size_t i = 0; i < n; i++) {
		ret[i].vendor = models_pool + models_rows[i].names;
		ret[i].model = ret[i].vendor + strlen(ret[i].vendor) + 1;
		ret[i].exposes = (const uint8_t *)ret[i].model + strlen(ret[i].model) + 1;
		ret[i].exposes += strlen((const char *)ret[i].exposes) + 1; /* the description */
		ret[i].flags = models_rows[i].flags;
		ret[i].standard = models_rows[i].flags & MODEL_STANDARD;
	}
	qsort(ret, n, sizeof(*ret), sold_compare);
	return n;
}

/* Of rows that are sold by the same name the first: there one understands all of it. */
static bool is_first(const struct sold *sold, size_t i)
{
	return !i || strcmp(sold[i - 1].vendor, sold[i].vendor) != 0 || strcmp(sold[i - 1].model, sold[i].model) != 0;
}

static void print_exposed(FILE *f, const struct sold *sold)
{
	const char *blank = "";

	for (const uint8_t *p = sold->exposes; *p; p++, blank = " ")
		fprintf(f, "%s%s", blank, capability_find(*p)->name);
	if (sold->flags & (MODEL_MORE | MODEL_VARIES))
		fprintf(f, "%s%s", blank, sold->flags & MODEL_VARIES ? "..." : "+");
	fputs("\n", f);
}

static void print_models(FILE *f)
{
	struct sold *sold = calloc(models_count(), sizeof(*sold));
	size_t n = models_read(sold), all = 0, standard = 0;

	for (size_t i = 0; i < n; i++) {
		all += is_first(sold, i);
		standard += is_first(sold, i) && sold[i].standard;
	}
	fprintf(f,
		"\n## Zigbee: devices known by name\n\n"
		"%zu models, from zigbee-herdsman-converters. %zu of them say all that they do in standard clusters. Of the others, in (brackets), what\n"
		"standard clusters say is understood, and what is in clusters of the maker's own is not. A name adds nothing to what a device can do.\n"
		"After the colon: what each exposes, in our words. +: and more, for which there are none (settings aside). ...: it depends on the\n"
		"single device. Where neither stands, clusters that the model is known to have for show are not taken.\n",
		all, standard);
	for (size_t i = 0; i < n; i++) {
		if (!is_first(sold, i))
			continue;
		if (!i || strcmp(sold[i - 1].vendor, sold[i].vendor) != 0)
			fprintf(f, "\n**%s**\n\n", sold[i].vendor);
		fprintf(f, sold[i].standard ? "- %s: " : "- (%s): ", sold[i].model);
		print_exposed(f, &sold[i]);
	}
	free(sold);
}

static void print_all(FILE *f)
{
	fputs("# Devices that are understood\n\n"
	      "Made from the tables by `test_zigbee_devices`; not to be edited. Over Wi-Fi: [wifi.md](wifi.md). Over Bluetooth: whatever speaks\n"
	      "BTHome v2, MiBeacon 2 to 5, the ATC and pvvx firmwares, Govee's, SwitchBot's and Ruuvi's formats, iBeacon.\n\n", f);
	print_clusters(f);
	print_presses(f);
	print_models(f);
}

static void the_page_is_what_the_tables_say(void **state)
{
	const char *to = getenv("GW_WRITE");
	char path[512], *want = NULL, *got;
	size_t want_len = 0, got_len;
	FILE *f = to ? fopen(to, "we") : open_memstream(&want, &want_len);

	(void)state;
	assert_non_null(f);
	print_all(f);
	fclose(f);
	if (to)
		return;
	snprintf(path, sizeof(path), "%s/docs/devices.md", getenv("GW_SOURCE_ROOT"));
	f = fopen(path, "re");
	assert_non_null(f);
	got = calloc(1, want_len + 2);
	got_len = fread(got, 1, want_len + 1, f);
	fclose(f);
	if (got_len != want_len || memcmp(got, want, want_len) != 0)
		fail_msg("docs/devices.md is not what the tables say: GW_WRITE=docs/devices.md test_zigbee_devices writes it");
	free(got);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_what_the_tables_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
