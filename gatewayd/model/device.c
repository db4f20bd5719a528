/* What an adapter says about a device is checked here once, against limits and against the
 * capability table; behind this line a description is known to be sound. The states a device can be
 * in, and the steps between them, are a table.
 */
#include "model/device.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

bool address_equal(const struct address *a, const struct address *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void address_print(const struct address *a, char ret[2 * ADDRESS_MAX + 1])
{
	assert(a->len <= ADDRESS_MAX);
	hex_print(a->bytes, a->len, ret);
}

int address_parse(const char *text, struct address *ret)
{
	size_t len = strlen(text);
	struct address a = { .len = (uint8_t)(len / 2) };

	if (len == 0 || len % 2 || len > 2 * ADDRESS_MAX || hex_parse(text, len, a.bytes, len / 2))
		return DEVICE_E_DESC;
	*ret = a;
	return 0;
}

static bool is_text(const char *text)
{
	size_t len = text ? strnlen(text, DEVICE_TEXT_MAX + 1) : SIZE_MAX;

	return len <= DEVICE_TEXT_MAX && (len == 0 || text_is_utf8(text, len));
}

static int check_endpoint(const struct endpoint_desc *e)
{
	if (e->id == 0 || (e->n_caps && !e->caps))
		return DEVICE_E_DESC;
	for (uint8_t i = 0; i < e->n_caps; i++) {
		if (capability_desc_check(&e->caps[i]))
			return DEVICE_E_DESC;
		for (uint8_t k = 0; k < i; k++) {
			if (e->caps[k].id == e->caps[i].id)
				return DEVICE_E_DESC;
		}
	}
	return 0;
}

int device_desc_check(const struct device_desc *desc)
{
	size_t n_caps = 0;

	if (desc->addr.len == 0 || desc->addr.len > ADDRESS_MAX || desc->hw.len > ADDRESS_MAX ||
	    desc->evidence > 3)
		return DEVICE_E_DESC;
	if (!is_text(desc->vendor) || !is_text(desc->model) || !is_text(desc->firmware) ||
	    !is_text(desc->name))
		return DEVICE_E_DESC;
	if (desc->n_endpoints > DEVICE_ENDPOINTS_MAX || (desc->n_endpoints && !desc->endpoints))
		return DEVICE_E_DESC;
	for (uint8_t i = 0; i < desc->n_endpoints; i++) {
		const struct endpoint_desc *e = &desc->endpoints[i];

		n_caps += e->n_caps;
		if (n_caps > DEVICE_CAPS_MAX || check_endpoint(e))
			return DEVICE_E_DESC;
		for (uint8_t k = 0; k < i; k++) {
			if (desc->endpoints[k].id == e->id)
				return DEVICE_E_DESC;
		}
	}
	return 0;
}

/* A description and everything it points to, in one block. */
struct desc_block {
	struct device_desc desc;
	struct endpoint_desc endpoints[DEVICE_ENDPOINTS_MAX];
	char text[4][DEVICE_TEXT_MAX + 1];
	struct capability_desc caps[];
};

int device_desc_copy(const struct device_desc *desc, struct device_desc **ret)
{
	struct capability_desc *caps;
	struct desc_block *block;
	size_t n_caps = 0;

	for (uint8_t i = 0; i < desc->n_endpoints; i++)
		n_caps += desc->endpoints[i].n_caps;
	block = calloc(1, sizeof(*block) + n_caps * sizeof(*caps));
	if (!block)
		return -ENOMEM;
	block->desc = *desc;
	text_copy(block->text[0], sizeof(block->text[0]), desc->vendor);
	text_copy(block->text[1], sizeof(block->text[1]), desc->model);
	text_copy(block->text[2], sizeof(block->text[2]), desc->firmware);
	text_copy(block->text[3], sizeof(block->text[3]), desc->name);
	block->desc.vendor = block->text[0];
	block->desc.model = block->text[1];
	block->desc.firmware = block->text[2];
	block->desc.name = block->text[3];
	block->desc.endpoints = block->endpoints;
	caps = block->caps;
	for (uint8_t i = 0; i < desc->n_endpoints; i++) {
		struct endpoint_desc *e = &block->endpoints[i];

		*e = desc->endpoints[i];
		if (e->n_caps)
			memcpy(caps, e->caps, e->n_caps * sizeof(*caps));
		e->caps = caps;
		caps += e->n_caps;
	}
	*ret = &block->desc;
	return 0;
}

struct device_desc *device_desc_free(struct device_desc *desc)
{
	if (desc)
		free(CONTAINER_OF(desc, struct desc_block, desc));
	return NULL;
}

const struct capability_desc *device_desc_find(const struct device_desc *desc, uint8_t endpoint,
					       uint16_t cap)
{
	for (uint8_t i = 0; i < desc->n_endpoints; i++) {
		const struct endpoint_desc *e = &desc->endpoints[i];

		if (endpoint && e->id != endpoint)
			continue;
		for (uint8_t k = 0; k < e->n_caps; k++) {
			if (e->caps[k].id == cap)
				return &e->caps[k];
		}
	}
	return NULL;
}

static const char *const state_names[DEVICE_STATES] = {
	[DEVICE_SEEN] = "seen",
	[DEVICE_DESCRIBED] = "described",
	[DEVICE_WAITING] = "waiting",
	[DEVICE_OURS] = "ours",
	[DEVICE_UNREACHABLE] = "unreachable",
	[DEVICE_QUARANTINED] = "quarantined",
	[DEVICE_RETIRED] = "retired",
};

#define TO(state) (1u << DEVICE_##state)
static const uint8_t state_steps[DEVICE_STATES] = {
	[DEVICE_SEEN] = TO(DESCRIBED) | TO(QUARANTINED) | TO(RETIRED),
	[DEVICE_DESCRIBED] = TO(WAITING) | TO(OURS) | TO(QUARANTINED) | TO(RETIRED),
	[DEVICE_WAITING] = TO(DESCRIBED) | TO(OURS) | TO(QUARANTINED) | TO(RETIRED),
	[DEVICE_OURS] = TO(DESCRIBED) | TO(UNREACHABLE) | TO(QUARANTINED) | TO(RETIRED),
	[DEVICE_UNREACHABLE] = TO(DESCRIBED) | TO(OURS) | TO(QUARANTINED) | TO(RETIRED),
	[DEVICE_QUARANTINED] = TO(DESCRIBED) | TO(OURS) | TO(RETIRED),
	[DEVICE_RETIRED] = 0,
};

const char *device_state_name(enum device_state state)
{
	assert(state < DEVICE_STATES);
	return state_names[state];
}

int device_state_parse(const char *text, enum device_state *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(state_names); i++) {
		if (!text_equal(state_names[i], text))
			continue;
		*ret = (enum device_state)i;
		return 0;
	}
	return DEVICE_E_DESC;
}

bool device_state_may(enum device_state from, enum device_state to)
{
	assert(from < DEVICE_STATES && to < DEVICE_STATES);
	return state_steps[from] & 1u << to;
}
