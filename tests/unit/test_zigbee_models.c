/* Devices are known by what they say, in the order in which zigbee-herdsman-converters looks: model_vectors.tsv is what its findByDevice
 * said of 600 of them (tests/sim/models.mjs).
 */
#include "zigbee_home.h"

#include "base/text.h"
#include "zigbee/models.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_called_what_others_call_them),
		cmocka_unit_test(many_are_known),
		cmocka_unit_test(names_of_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
