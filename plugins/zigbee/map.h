#pragma once
/* map - who hears whom: every router is asked for its neighbours, page by page.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/text  zigbee/nodes  zigbee/radio  zigbee/zdo
 *   owns    what it heard so far
 *   limits  MAP_NODES_MAX MAP_LINKS_MAX MAP_PAGES_MAX MAP_TRIES_MAX
 *
 * Pure: map_next() says whom to ask, map_heard() takes the answer. It begins at the coordinator and finds the others.
 */
#include "base/base.h"
#include "zigbee/nodes.h"
#include "zigbee/radio.h"

enum { MAP_NODES_MAX = 256, MAP_LINKS_MAX = 1200, MAP_PAGES_MAX = 32, MAP_TRIES_MAX = 2 };

struct map_node {
	uint64_t eui;
	uint16_t nwk;
	uint8_t kind;   /* enum zdo_kind */
	uint8_t next;   /* row of its table to ask for */
	uint8_t tries, pages;
	bool over, silent;
	uint8_t lqi;    /* best that anybody hears it with */
};
struct map_link {
	uint16_t from, to; /* places in nodes: from says of to */
	uint8_t lqi, relation, depth;
};
struct map {
	size_t n_nodes, n_links, at; /* at: the node that is asked */
	bool asking;
	struct map_node nodes[MAP_NODES_MAX];
	struct map_link links[MAP_LINKS_MAX];
};

struct map *map_new(uint64_t coordinator); /* NULL: no memory */
/* What we know by ourselves. */
void map_know(struct map *map, const struct node *node);
/* False: all has been asked. */
bool map_next(struct map *map, struct radio_question *ret);
void map_heard(struct map *map, const struct radio_answer *answer);
