/* Arbitrary attributes and commands on an arbitrary node: what comes out is what the gateway's table allows, and whatever can be
 * ordered is a frame.
 *
 * Input: how many endpoints; of each number, clusters in and out, facts; then frames until the end: endpoint, cluster, what, bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "model/capability.h"
#include "zigbee/traits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ENDPOINTS = 4, CLUSTERS = 12 };

static void must(bool good)
{
	if (!good)
		abort();
}

/* Known clusters by a byte, so that most of them mean something. */
static uint16_t get_cluster(struct reader *r)
{
	static const uint16_t known[] = { 0x0001, 0x0002, 0x0005, 0x0006, 0x0008, 0x0009, 0x000c, 0x000d, 0x000f, 0x0010, 0x0012, 0x0013, 0x0101,
					  0x0102, 0x0201, 0x0202, 0x0300, 0x0400, 0x0402, 0x0403, 0x0404, 0x0405, 0x0406, 0x0408, 0x040d, 0x042a,
					  0x042d, 0x0500, 0x0501, 0x0502, 0x0702, 0x0b04 };
	uint8_t which = get_u8(r);

	return which < N_ELEMENTS(known) ? known[which] : get_u16(r);
}

static void get_endpoint(struct reader *r, struct node_endpoint *ret)
{
	ret->id = get_u8(r);
	ret->n_in = get_u8(r) % CLUSTERS;
	for (size_t i = 0; i < ret->n_in; i++)
		ret->in[i] = get_cluster(r);
	ret->n_out = get_u8(r) % CLUSTERS;
	for (size_t i = 0; i < ret->n_out; i++)
		ret->out[i] = get_cluster(r);
	ret->known = get_u32(r) & ((1u << NODE_FACTS) - 1);
	for (size_t i = 0; i < NODE_FACTS; i++) {
		if (ret->known & 1u << i)
			ret->facts[i] = (int32_t)get_u32(r);
	}
}

static bool can(const struct trait *traits, size_t n, const struct trait_reading *reading)
{
	for (size_t i = 0; i < n; i++) {
		if (traits[i].endpoint == reading->endpoint && traits[i].cap.id == reading->cap)
			return traits[i].cap.type == reading->value.type;
	}
	return false;
}

static struct value plain_value(const struct gwa_value *v)
{
	switch (v->type) {
	case GWA_T_BOOL:
		return value_bool(v->v.i);
	case GWA_T_INT:
		return value_int(v->v.i);
	case GWA_T_REAL:
		return value_real(v->v.f);
	default:
		must(v->type == GWA_T_TEXT && v->v.data);
		return (struct value){ .type = VALUE_TEXT, .len = v->len, .data = v->v.data };
	}
}

/* Only what the device was said to have, and only values of its capability's own row. */
static void check_readings(const struct node *node, const struct trait_reading *readings, size_t n)
{
	struct trait traits[TRAITS_MAX];
	size_t n_traits = traits_of(node, traits);

	must(n <= TRAITS_READINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct capability *row = capability_find(readings[i].cap);
		struct capability_desc desc = { .id = row->id, .type = (uint8_t)row->type, .access = row->access };
		struct value value = plain_value(&readings[i].value), fit;

		must(n_traits == TRAITS_MAX || can(traits, n_traits, &readings[i]));
		must(capability_value_check(&desc, &value, &fit) == 0);
	}
}

static void check_frame(struct reader *r, struct node *node)
{
	struct trait_reading readings[TRAITS_READINGS_MAX];
	uint8_t endpoint = get_u8(r), what = get_u8(r);
	uint16_t cluster = get_cluster(r), attribute = get_u16(r), manufacturer = what & 4 ? get_u16(r) : 0;
	struct view bytes = get_view16(r, 64);
	struct node_endpoint *at = (struct node_endpoint *)(uintptr_t)node_endpoint(node, endpoint);
	struct reader value_bytes = reader_over(bytes.data, bytes.len);
	struct zcl_value value;

	if (what & 1) {
		struct zcl_frame frame = { .header = { .cluster = true, .to_client = what & 2, .manufacturer = manufacturer,
						       .command = (uint8_t)attribute }, .payload = bytes };

		check_readings(node, readings, traits_command(node, endpoint, cluster, &frame, readings));
		return;
	}
	if (zcl_value_read(&value_bytes, get_u8(r), &value))
		return;
	if (at)
		(void)traits_learn(at, cluster, manufacturer, attribute, &value);
	check_readings(node, readings, traits_attribute(node, endpoint, cluster, manufacturer, attribute, &value, readings));
}

static void check_order(struct reader *r, const struct node *node)
{
	static const char *const words[] = { "open", "stop", "locked", "unlocked", "heat", "cool", "auto", "low", "nonsense" };
	uint8_t type = get_u8(r) % (GWA_T_TEXT + 1);
	const char *word = words[get_u8(r) % N_ELEMENTS(words)];
	struct gwa_value value = { .type = type, .v.i = get_i64(r) };
	struct trait_order order = { 0 };
	uint16_t cap = get_u16(r);

	if (type == GWA_T_TEXT)
		value = (struct gwa_value){ .type = type, .len = (uint32_t)strlen(word), .v.data = word };
	if (traits_order(node, get_u8(r), cap, &value, &order))
		return;
	must(order.n && order.n <= TRAITS_FRAMES_MAX && node_endpoint(node, order.endpoint));
	for (size_t i = 0; i < order.n; i++)
		must(order.frames[i].len <= TRAITS_PAYLOAD_MAX);
}

static void check_plans(const struct node *node)
{
	for (size_t i = 0; i < node->n_endpoints; i++) {
		struct trait_attribute attributes[TRAITS_PLAN_MAX];
		struct trait_report reports[TRAITS_PLAN_MAX];
		size_t n = traits_reports(&node->endpoints[i], reports);

		must(traits_facts(&node->endpoints[i], attributes) <= TRAITS_PLAN_MAX);
		must(traits_first(&node->endpoints[i], attributes) <= TRAITS_PLAN_MAX);
		for (size_t k = 0; k < n; k++)
			must(reports[k].bind_only || reports[k].min_s <= reports[k].max_s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = reader_over(data, len);
	struct node_endpoint endpoints[ENDPOINTS] = { 0 };
	struct node node = { .n_endpoints = get_u8(&r) % ENDPOINTS, .endpoints = endpoints };

	for (size_t i = 0; i < node.n_endpoints; i++)
		get_endpoint(&r, &endpoints[i]);
	check_plans(&node);
	while (!r.bad && reader_left(&r)) {
		if (get_u8(&r) & 1)
			check_order(&r, &node);
		else
			check_frame(&r, &node);
	}
	return 0;
}
