/* Look-ups in what an interview found. Endpoints are few and clusters fewer: from end to end is fast enough. */
#include "zigbee/node.h"

const struct node_endpoint *node_endpoint(const struct node *node, uint8_t id)
{
	for (size_t i = 0; i < node->n_endpoints; i++) {
		if (node->endpoints[i].id == id)
			return &node->endpoints[i];
	}
	return NULL;
}

static bool has(const uint16_t *clusters, size_t n, uint16_t cluster)
{
	for (size_t i = 0; i < n; i++) {
		if (clusters[i] == cluster)
			return true;
	}
	return false;
}

bool node_has_in(const struct node_endpoint *endpoint, uint16_t cluster)
{
	return has(endpoint->in, endpoint->n_in, cluster);
}

bool node_has_out(const struct node_endpoint *endpoint, uint16_t cluster)
{
	return has(endpoint->out, endpoint->n_out, cluster);
}

int32_t node_fact(const struct node_endpoint *endpoint, enum node_fact fact, int32_t otherwise)
{
	return endpoint->known & 1u << fact ? endpoint->facts[fact] : otherwise;
}
