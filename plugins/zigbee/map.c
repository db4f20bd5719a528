/* One question at a time, so that a home goes on working while it is mapped. A router that does not answer twice is silent, and
 * what it said before that is kept.
 */
#include "zigbee/map.h"

#include <stdlib.h>
#include "zigbee/zdo.h"

struct map *map_new(uint64_t coordinator)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->nodes[map->n_nodes++] = (struct map_node){ .eui = coordinator, .kind = ZDO_COORDINATOR };
	return map;
}

static struct map_node *find(struct map *map, uint64_t eui)
{
	for (size_t i = 0; i < map->n_nodes; i++) {
		if (map->nodes[i].eui == eui)
			return &map->nodes[i];
	}
	return NULL;
}

static struct map_node *find_or_add(struct map *map, uint64_t eui, uint16_t nwk, uint8_t kind)
{
	struct map_node *node = find(map, eui);

	if (node || map->n_nodes == MAP_NODES_MAX)
		return node;
	node = &map->nodes[map->n_nodes++];
	*node = (struct map_node){ .eui = eui, .nwk = nwk, .kind = kind };
	return node;
}

void map_know(struct map *map, const struct node *node)
{
	find_or_add(map, node->eui, node->nwk, node->kind);
}

bool map_next(struct map *map, struct radio_question *ret)
{
	for (map->at = 0; map->at < map->n_nodes; map->at++) {
		struct map_node *node = &map->nodes[map->at];

		if (node->over || node->nwk == NODES_NO_NWK || (node->kind != ZDO_COORDINATOR && node->kind != ZDO_ROUTER))
			continue;
		*ret = (struct radio_question){ .kind = RADIO_Q_NEIGHBOURS, .nwk = node->nwk, .eui = node->eui, .start = node->next };
		map->asking = true;
		return true;
	}
	return false;
}

static void take_row(struct map *map, const struct zdo_neighbour *row)
{
	struct map_node *to;

	/* Neither "nobody" nor "everybody" is a neighbour. */
	if (row->eui == 0 || row->eui == UINT64_MAX)
		return;
	to = find_or_add(map, row->eui, row->nwk, row->kind);
	if (!to || map->n_links == MAP_LINKS_MAX)
		return;
	if (row->lqi > to->lqi)
		to->lqi = row->lqi;
	map->links[map->n_links++] = (struct map_link){ .from = (uint16_t)map->at, .to = (uint16_t)(to - map->nodes),
							.lqi = row->lqi, .relation = row->relation, .depth = row->depth };
}

void map_heard(struct map *map, const struct radio_answer *answer)
{
	struct map_node *node = &map->nodes[map->at];
	const struct zdo_lqi *q = &answer->neighbours;

	if (!map->asking)
		return;
	map->asking = false;
	if (answer->status != RADIO_OK || answer->kind != RADIO_Q_NEIGHBOURS) {
		node->over = node->silent = ++node->tries >= MAP_TRIES_MAX || answer->status == RADIO_REFUSED;
		return;
	}
	node->tries = 0;
	for (size_t i = 0; i < q->n; i++)
		take_row(map, &q->rows[i]);
	/* A table that shrinks or repeats itself while it is read must not keep us for ever. */
	node->over = q->n == 0 || q->start + q->n >= q->total || ++node->pages >= MAP_PAGES_MAX;
	node->next = (uint8_t)(q->start + q->n);
}
