/* An announcement, and after a NUL byte the sensors', and after another what the device says. */
#include <stdlib.h>
#include <string.h>

#include "model/capability.h"
#include "wifi/tasmota.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = { 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void must(bool good)
{
	if (!good)
		abort();
}

struct part {
	const uint8_t *data;
	size_t len;
};

static struct part next_part(struct part *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, 0, rest->len) : NULL;
	struct part part = { rest->data, end ? (size_t)(end - rest->data) : rest->len };

	rest->data += part.len + (end != NULL);
	rest->len -= part.len + (end != NULL);
	return part;
}

static void check_order(const struct lan_device *device, const struct lan_reading *reading)
{
	char topic[LAN_TOPIC_MAX], *payload = NULL;

	if (!(reading->trait->access & GWA_A_WRITE) ||
	    tasmota_order(device, reading->trait, &reading->value, topic, &payload))
		return;
	must(lan_topic_is_fit(topic) && !strncmp(topic, "cmnd/", 5) && payload);
	free(payload);
}

static void check_said(const struct lan_device *device, struct part said)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	struct json *state = NULL;
	uint32_t bad;
	bool online;
	size_t n;

	must(tasmota_online(device, said.data, said.len, &online) >= 0);
	if (tasmota_state(said.data, said.len, &state) && tasmota_power("POWER", said.data, said.len, &state))
		return;
	n = lan_device_read(device, state, readings, &bad);
	for (size_t i = 0; i < n; i++) {
		must(readings[i].value.type == (uint32_t)capability_find(readings[i].trait->row->cap)->type);
		check_order(device, &readings[i]);
	}
	json_free(state);
}

static void check_description(const struct lan_device *device)
{
	struct lan_description d;

	must(lan_topic_is_fit(device->topic) && device->name[0]);
	lan_device_describe(device, &d);
	for (size_t i = 0; i < d.device.nendpoints; i++) {
		for (size_t k = 0; k < d.endpoints[i].ncaps; k++) {
			const struct gwa_cap *c = &d.endpoints[i].caps[k];
			struct capability_desc desc = { c->id, c->type, c->access, c->unit, c->min, c->max, c->step };

			must(!capability_desc_check(&desc));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part rest = { data, size }, config = next_part(&rest), sensors = next_part(&rest);
	struct lan_device *device = NULL;

	if (tasmota_config(mac, config.data, config.len, &device))
		return 0;
	must(tasmota_sensors(device, sensors.data, sensors.len) >= 0);
	check_description(device);
	check_said(device, rest);
	lan_device_free(device);
	return 0;
}
