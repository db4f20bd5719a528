/* What all grammars have in common once the description was read. */
#include "wifi/lan_device.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

struct lan_device *lan_device_new(enum lan_grammar grammar)
{
	struct lan_device *device = calloc(1, sizeof(*device));

	if (!device)
		abort();
	device->grammar = grammar;
	return device;
}

struct lan_device *lan_device_free(struct lan_device *device)
{
	if (device) {
		ways_free(device->ways);
		free(device->traits);
	}
	free(device);
	return NULL;
}

static size_t count_endpoints(const struct lan_device *device)
{
	size_t n = 0;

	for (size_t i = 0; i < device->n_traits; i++) {
		size_t k = 0;

		while (k < i && device->traits[k].endpoint != device->traits[i].endpoint)
			k++;
		n += k == i;
	}
	return n;
}

static bool has_endpoint(const struct lan_device *device, uint8_t endpoint)
{
	for (size_t i = 0; i < device->n_traits; i++) {
		if (device->traits[i].endpoint == endpoint)
			return true;
	}
	return false;
}

int lan_device_add(struct lan_device *device, const struct trait *trait)
{
	struct trait *grown;

	if (device->n_traits == LAN_TRAITS_MAX || lan_device_trait(device, trait->endpoint, trait->row->cap))
		return LAN_E_FULL;
	if (!has_endpoint(device, trait->endpoint) && count_endpoints(device) == LAN_ENDPOINTS_MAX)
		return LAN_E_FULL;
	grown = reallocarray(device->traits, device->n_traits + 1, sizeof(*grown));
	if (!grown)
		abort();
	device->traits = grown;
	device->traits[device->n_traits++] = *trait;
	return 0;
}

static bool literal_equal(const struct trait_literal *a, const struct trait_literal *b)
{
	return a->kind == b->kind && a->number == b->number && text_equal(a->text, b->text);
}

static bool trait_equal(const struct trait *a, const struct trait *b)
{
	return text_equal(a->key, b->key) && text_equal(a->inner, b->inner) && a->row == b->row &&
	       a->endpoint == b->endpoint && a->access == b->access && a->words == b->words &&
	       !(a->scale < b->scale) && !(a->scale > b->scale) && a->min == b->min && a->max == b->max &&
	       a->step == b->step && literal_equal(&a->on, &b->on) && literal_equal(&a->off, &b->off);
}

static bool addr_equal(const struct gwa_addr *a, const struct gwa_addr *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool lan_device_equal(const struct lan_device *a, const struct lan_device *b)
{
	if (a->grammar != b->grammar || !addr_equal(&a->addr, &b->addr) || !addr_equal(&a->hw, &b->hw) ||
	    a->sleepy != b->sleepy || a->ready != b->ready || a->n_traits != b->n_traits)
		return false;
	if (!text_equal(a->topic, b->topic) || !text_equal(a->vendor, b->vendor) || !text_equal(a->model, b->model) ||
	    !text_equal(a->firmware, b->firmware) || !text_equal(a->name, b->name) ||
	    !text_equal(a->online, b->online) || !text_equal(a->offline, b->offline))
		return false;
	for (size_t i = 0; i < a->n_traits; i++) {
		if (!trait_equal(&a->traits[i], &b->traits[i]))
			return false;
	}
	return ways_equal(a->ways, b->ways);
}

const struct trait *lan_device_trait(const struct lan_device *device, uint8_t endpoint, uint16_t cap)
{
	for (size_t i = 0; i < device->n_traits; i++) {
		if (device->traits[i].endpoint == endpoint && device->traits[i].row->cap == cap)
			return &device->traits[i];
	}
	return NULL;
}

void lan_name(const char *foreign, char ret[GWA_TEXT_MAX + 1])
{
	text_copy(ret, GWA_TEXT_MAX, foreign && text_is_utf8(foreign, strlen(foreign)) ? foreign : "");
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("+#/$", *p))
			*p = ' ';
	}
	if (!ret[0])
		text_copy(ret, GWA_TEXT_MAX, "?");
}

bool lan_topic_is_fit(const char *topic)
{
	size_t len = strlen(topic);

	if (!len || len >= LAN_TOPIC_MAX || !text_is_utf8(topic, len) || topic[0] == '$')
		return false;
	for (const char *p = topic; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '+' || *p == '#')
			return false;
	}
	return true;
}

size_t lan_device_read(const struct lan_device *device, const struct json *state, struct lan_reading *ret,
		       uint32_t *ret_bad)
{
	uint32_t bad = 0;
	size_t n = 0;

	for (size_t i = 0; i < device->n_traits; i++) {
		int r = trait_read(&device->traits[i], state, &ret[n].value);

		bad += r == TRAIT_E_VALUE;
		if (r)
			continue;
		ret[n++].trait = &device->traits[i];
	}
	*ret_bad = bad;
	return n;
}

/* One endpoint after the other, each with its capabilities in the traits' order. */
void lan_device_describe(const struct lan_device *device, struct lan_description *ret)
{
	uint8_t n_endpoints = 0;
	size_t n_caps = 0;

	*ret = (struct lan_description){ 0 };
	for (unsigned id = 1; id < 256; id++) {
		struct gwa_endpoint endpoint = { .id = (uint8_t)id, .caps = &ret->caps[n_caps] };

		for (size_t i = 0; i < device->n_traits; i++) {
			if (device->traits[i].endpoint != id)
				continue;
			ret->caps[n_caps++] = trait_cap(&device->traits[i]);
			endpoint.ncaps++;
		}
		if (endpoint.ncaps)
			ret->endpoints[n_endpoints++] = endpoint;
	}
	ret->device = (struct gwa_device){ .size = sizeof(ret->device), .addr = device->addr, .hw = device->hw,
					   .sleepy = device->sleepy, .nendpoints = n_endpoints,
					   .vendor = device->vendor, .model = device->model,
					   .firmware = device->firmware, .name = device->name,
					   .endpoints = ret->endpoints };
}
