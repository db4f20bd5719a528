/* A frame, and after a NUL byte another; the first status of them describes a device, both are read with it and its skeleton. */
#include <stdlib.h>
#include <string.h>

#include "model/capability.h"
#include "shelly/digest.h"
#include "shelly/rpc.h"
#include "shelly/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_order(struct status_map *map, const struct status_reading *reading)
{
	struct status_order order;

	if (status_order(map, reading->endpoint, reading->cap, &reading->value, &order))
		return;
	must(order.method[0] && json_kind(order.params) == JSON_OBJECT);
	json_free(order.params);
}

static void check_map(struct status_map *map, const struct json *body)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	struct json *kept = status_skeleton(map);
	struct status_description d;
	struct status_map again;
	uint32_t bad;
	size_t n;

	must(status_map(kept, &again) == 0 && status_map_equal(map, &again));
	status_map_deinit(&again);
	json_free(kept);
	status_describe(map, &d);
	for (size_t i = 0; i < map->n; i++) {
		struct capability_desc desc = { d.caps[i].id, d.caps[i].type, d.caps[i].access, d.caps[i].unit, 0, 0, 0 };

		must(!capability_desc_check(&desc));
	}
	n = status_read(map, body, readings, &bad);
	for (size_t i = 0; i < n; i++) {
		must(readings[i].value.type == (uint32_t)capability_find(readings[i].cap)->type);
		check_order(map, &readings[i]);
	}
	must(status_events(map, body, readings) <= STATUS_TRAITS_MAX);
}

static void take(const uint8_t *data, size_t size, struct status_map *map, bool *known)
{
	struct digest_challenge challenge;
	struct rpc_message message;
	struct rpc_info info;

	if (rpc_read(data, size, &message))
		return;
	if (message.kind == RPC_ERROR && !digest_read(message.text, &challenge))
		json_free(digest_auth(&challenge, "password", 7));
	if (message.kind == RPC_RESULT && !rpc_info_read(message.body, &info))
		must(info.id[0] != '\0');
	if (!*known)
		*known = status_map(message.body, map) == 0;
	if (*known)
		check_map(map, message.body);
	rpc_message_deinit(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t first = end ? (size_t)(end - data) : size;
	struct status_map map = { 0 };
	bool known = false;

	take(data, first, &map, &known);
	if (end)
		take(end + 1, size - first - 1, &map, &known);
	status_map_deinit(&map);
	return 0;
}
