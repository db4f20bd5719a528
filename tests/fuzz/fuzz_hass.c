/* A template and a payload for it, or a configuration and what is then said on its topics. What is rendered is text of the length that it
 * may have, what template_check covers may fail by its values only, and what was described is what the core takes. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/capability.h"
#include "wifi/hass.h"
#include "wifi/hass_device.h"
#include "wifi/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SPLIT = '\0' };

static void must(bool good)
{
	if (!good)
		abort();
}

/* template NUL payload */
static void render(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, SPLIT, size);
	size_t len = end ? (size_t)(end - data) : size;
	char text[TEMPLATE_LEN_MAX + 2], out[TEMPLATE_OUT_MAX];
	struct view payload = { end ? end + 1 : data, end ? size - len - 1 : 0 };
	struct json *json = NULL;
	int covered, r;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	if (json_parse(payload.data, payload.len, 65536, 16, NULL, 0, &json))
		json = NULL;
	covered = template_check(text);
	r = template_render(text, payload, json, out);
	if (!r)
		must(strlen(out) < TEMPLATE_OUT_MAX && text_is_utf8(out, strlen(out)));
	must(covered || r != TEMPLATE_E_UNCOVERED || !json);
	json_free(json);
}

struct gathered {
	struct hass_entity *all[HASS_PARTS_MAX];
	size_t n;
};

static void gather(void *ctx, struct hass_entity *entity)
{
	struct gathered *g = ctx;

	must(g->n < N_ELEMENTS(g->all) && entity->n_ways > 0 && entity->n_ways <= HASS_WAYS_MAX);
	g->all[g->n++] = entity;
}

static void check_readings(const struct lan_device *device, const char *topic, const uint8_t *payload, size_t len)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	uint32_t bad;
	struct json *state = ways_read(device->ways, topic, payload, len, &bad);
	size_t n = lan_device_read(device, state, readings, &bad);

	for (size_t i = 0; i < n; i++) {
		const char *where;
		char *what = NULL;

		must(readings[i].value.type == (uint32_t)capability_find(readings[i].trait->row->cap)->type);
		if (!ways_order(device->ways, readings[i].trait, &readings[i].value, &where, &what))
			must(where && lan_topic_is_fit(where));
		free(what);
	}
	json_free(state);
}

/* configuration NUL payload */
static void configure(const char *component, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, SPLIT, size);
	size_t len = end ? (size_t)(end - data) : size;
	struct gathered g = { .n = 0 };
	struct hass_sink sink = { .on_entity = gather, .ctx = &g };
	struct lan_description description;
	struct lan_device *device;

	if (!hass_config(component, data, len, &sink) && g.n) {
		device = hass_device((const struct hass_entity *const *)g.all, g.n);
		lan_device_describe(device, &description);
		must(description.device.nendpoints <= LAN_ENDPOINTS_MAX);
		for (size_t k = 0; end && k < device->ways->n + device->ways->n_presences; k++) {
			const char *topic = ways_topic(device->ways, k);

			if (!topic)
				continue;
			must(lan_topic_is_fit(topic));
			check_readings(device, topic, end + 1, size - len - 1);
			(void)ways_hear_presence(device->ways, topic, end + 1, size - len - 1);
		}
		lan_device_free(device);
	}
	for (size_t i = 0; i < g.n; i++)
		hass_entity_free(g.all[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const components[] = { "device", "light", "sensor", "cover", "climate", "switch" };

	if (!size)
		return 0;
	if (data[0] % 8 < 2)
		render(data + 1, size - 1);
	else
		configure(components[data[0] % 8 - 2], data + 1, size - 1);
	return 0;
}
