/* Nodes for tests, and what traits makes of them. */
#pragma once
#include "check.h"

#include <string.h>
#include "sdk/gw_caps.h"
#include "zigbee/traits.h"

struct home {
	struct node node;
	struct node_endpoint endpoints[NODE_ENDPOINTS_MAX];
	struct trait_reading readings[TRAITS_READINGS_MAX];
	size_t n;
};

static inline struct node_endpoint *home_endpoint(struct home *home, uint8_t id)
{
	struct node_endpoint *endpoint = &home->endpoints[home->node.n_endpoints++];

	home->node.endpoints = home->endpoints;
	*endpoint = (struct node_endpoint){ .id = id, .profile = 0x0104 };
	return endpoint;
}

static inline struct node_endpoint *home_has(struct node_endpoint *endpoint, uint16_t cluster)
{
	endpoint->in[endpoint->n_in++] = cluster;
	return endpoint;
}

static inline void home_fact(struct node_endpoint *endpoint, enum node_fact fact, int32_t value)
{
	endpoint->known |= 1u << fact;
	endpoint->facts[fact] = value;
}

static inline struct home *home_of(struct home *home, uint16_t cluster)
{
	*home = (struct home){ 0 };
	home_has(home_endpoint(home, 1), cluster);
	return home;
}

/* The number's bytes are those of the type; double for floats. */
static inline struct zcl_value home_value(uint8_t type, double number)
{
	struct zcl_value value = { .type = zcl_type_find(type) };
	uint8_t bytes[16];
	struct writer w = writer_over(bytes, sizeof(bytes));
	struct reader r;

	if (value.type->form == ZCL_F_FLOAT)
		value.f = number;
	else if (value.type->form == ZCL_F_INT)
		value.i = (int64_t)number;
	else
		value.u = (uint64_t)number;
	check_ok(zcl_value_write(&w, &value));
	r = reader_over(bytes, writer_len(&w));
	check_ok(zcl_value_read(&r, type, &value));
	return value;
}

static inline void home_hears(struct home *home, uint8_t endpoint, uint16_t cluster, uint16_t attribute, uint8_t type, double number)
{
	struct zcl_value value = home_value(type, number);

	(void)traits_learn(&home->endpoints[endpoint - home->endpoints[0].id], cluster, 0, attribute, &value);
	home->n = traits_attribute(&home->node, endpoint, cluster, 0, attribute, &value, home->readings);
}

static inline const struct gwa_value *home_reading(const struct home *home, uint16_t cap)
{
	for (size_t i = 0; i < home->n; i++) {
		if (home->readings[i].cap == cap)
			return &home->readings[i].value;
	}
	fail_msg("no reading of %u", cap);
	return NULL;
}

static inline bool home_can(const struct home *home, uint8_t endpoint, uint16_t cap, struct gwa_cap *ret)
{
	struct trait traits[TRAITS_MAX];
	size_t n = traits_of(&home->node, traits);

	for (size_t i = 0; i < n; i++) {
		if (traits[i].endpoint != endpoint || traits[i].cap.id != cap)
			continue;
		if (ret)
			*ret = traits[i].cap;
		return true;
	}
	return false;
}

static inline struct gwa_value home_bool(bool b)
{
	return (struct gwa_value){ .type = GWA_T_BOOL, .v.i = b };
}
static inline struct gwa_value home_int(int64_t i)
{
	return (struct gwa_value){ .type = GWA_T_INT, .v.i = i };
}
static inline struct gwa_value home_real(double f)
{
	return (struct gwa_value){ .type = GWA_T_REAL, .v.f = f };
}
static inline struct gwa_value home_text(const char *text)
{
	return (struct gwa_value){ .type = GWA_T_TEXT, .len = (uint32_t)strlen(text), .v.data = text };
}
static inline void home_is_text(const struct gwa_value *value, const char *text)
{
	check_int(value->type, GWA_T_TEXT);
	check_uint(value->len, strlen(text));
	assert_memory_equal(value->v.data, text, value->len);
}
