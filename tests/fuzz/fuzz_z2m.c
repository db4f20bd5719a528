/* The first byte chooses what the bytes are: a list of devices, groups, a state, an availability, an answer, an event. What
 * was described must be a description that the core takes, every reading in its capability's range, and every order
 * that can be written is read again as its own echo.
 */
#include <stdlib.h>
#include <string.h>

#include "model/capability.h"
#include "wifi/z2m.h"
#include "wifi/z2m_keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static const char described[] =
	"[{\"ieee_address\":\"0x0011223344556677\",\"friendly_name\":\"d\",\"interview_completed\":true,\"definition\":{\"exposes\":["
	"{\"type\":\"light\",\"features\":[{\"type\":\"binary\",\"name\":\"state\",\"property\":\"state\",\"access\":7,"
	"\"value_on\":\"ON\",\"value_off\":\"OFF\"},{\"type\":\"numeric\",\"name\":\"brightness\",\"property\":\"brightness\","
	"\"access\":7,\"value_max\":254},{\"type\":\"composite\",\"name\":\"color_hs\",\"property\":\"color\",\"features\":["
	"{\"type\":\"numeric\",\"name\":\"hue\",\"property\":\"hue\",\"access\":7}]}]},"
	"{\"type\":\"lock\",\"features\":[{\"type\":\"binary\",\"name\":\"state\",\"property\":\"lock\",\"access\":7}]},"
	"{\"type\":\"numeric\",\"name\":\"voltage\",\"property\":\"voltage\",\"unit\":\"mV\",\"access\":1},"
	"{\"type\":\"enum\",\"name\":\"action\",\"property\":\"action\",\"access\":1}]}}]";

static void check_reading(const struct lan_reading *reading)
{
	const struct capability *cap = capability_find(reading->trait->row->cap);
	const struct gwa_value *v = &reading->value;

	must(v->type == (uint32_t)cap->type);
	if (v->type == GWA_T_INT && (cap->min != 0 || cap->max != 0))
		must((double)v->v.i >= cap->min && (double)v->v.i <= cap->max);
	if (v->type == GWA_T_REAL && (cap->min != 0 || cap->max != 0))
		must(v->v.f >= cap->min && v->v.f <= cap->max);
	if (v->type == GWA_T_TEXT)
		must(v->len > 0 && v->len <= GWA_VALUE_MAX);
}

/* Tell the device what it just said: what we write, we must read as the same. */
static void check_order(const struct lan_device *device, const struct lan_reading *reading)
{
	struct json *json = NULL;
	struct gwa_value again;
	char *body = NULL;

	if (!(reading->trait->access & GWA_A_WRITE) || z2m_set(reading->trait, &reading->value, &body))
		return;
	must(!z2m_state(body, strlen(body), &json));
	must(!trait_read(reading->trait, json, &again));
	must(trait_is_echo(reading->trait, &reading->value, &again));
	(void)device;
	json_free(json);
	free(body);
}

static void try_state(const struct lan_device *device, const uint8_t *data, size_t size)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	struct json *state = NULL;
	uint32_t bad;
	size_t n;

	if (z2m_state(data, size, &state))
		return;
	n = lan_device_read(device, state, readings, &bad);
	must(n + bad <= device->n_traits);
	for (size_t i = 0; i < n; i++) {
		check_reading(&readings[i]);
		check_order(device, &readings[i]);
	}
	json_free(state);
}

static void check_device(const struct lan_device *device)
{
	struct lan_description d;

	must(lan_topic_is_fit(device->topic) && device->name[0] && strlen(device->name) <= GWA_TEXT_MAX);
	lan_device_describe(device, &d);
	must(d.device.nendpoints <= LAN_ENDPOINTS_MAX);
	for (size_t i = 0; i < d.device.nendpoints; i++) {
		for (size_t k = 0; k < d.endpoints[i].ncaps; k++) {
			const struct gwa_cap *c = &d.endpoints[i].caps[k];
			struct capability_desc desc = { c->id, c->type, c->access, c->unit, c->min, c->max, c->step };

			must(!capability_desc_check(&desc));
		}
	}
}

static void try_devices(const void *data, size_t size, const void *state, size_t state_size)
{
	struct z2m_devices *list = calloc(1, sizeof(*list));

	if (!list || z2m_devices("base", data, size, list)) {
		free(list);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		check_device(list->devices[i]);
		try_state(list->devices[i], state, state_size);
	}
	z2m_devices_deinit(list);
	free(list);
}

/* What is kept of a list makes the devices that the list made. */
static void on_part(void *ctx, const char *text, size_t len)
{
	must(!z2m_devices("base", text, len, ctx));
}

static void try_keep(const void *data, size_t size)
{
	struct z2m_devices *whole = calloc(1, sizeof(*whole)), *kept = calloc(1, sizeof(*kept));

	if (!whole || !kept || z2m_devices("base", data, size, whole) || whole->n + whole->refused >= Z2M_DEVICES_MAX) {
		if (whole)
			z2m_devices_deinit(whole);
		free(whole);
		free(kept);
		return;
	}
	must(!z2m_keep(data, size, 1 << 20, on_part, kept));
	must(kept->n == whole->n);
	for (size_t i = 0; i < whole->n; i++)
		must(lan_device_equal(whole->devices[i], kept->devices[i]));
	z2m_devices_deinit(whole);
	z2m_devices_deinit(kept);
	free(whole);
	free(kept);
}

static void on_name(void *ctx, const char *name)
{
	(void)ctx;
	must(name != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char transaction[16];
	uint8_t ieee[8];
	const uint8_t *rest = data + 1;
	bool flag;

	if (size < 2)
		return 0;
	size--;
	if (data[0] == 'd') {
		try_devices(rest, size, "{\"state\":\"ON\"}", 14);
		try_keep(rest, size);
	} else if (data[0] == 's')
		try_devices(described, strlen(described), rest, size);
	else if (data[0] == 'g')
		must(z2m_groups(rest, size, on_name, NULL) >= 0);
	else if (data[0] == 'a')
		must(z2m_online(rest, size, &flag) >= 0);
	else if (data[0] == 'r')
		must(z2m_response(rest, size, transaction, sizeof(transaction), &flag) >= 0);
	else
		must(z2m_leave(rest, size, ieee) >= 0);
	return 0;
}
