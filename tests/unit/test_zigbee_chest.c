/* The kept network: the same again, and nothing that is damaged; and the map of who hears whom. */
#include "check.h"

#include "zigbee/chest.h"
#include "zigbee/map.h"

static struct chest *make(size_t n)
{
	struct chest *chest = calloc(1, sizeof(*chest));

	chest->network = (struct radio_network){ .eui = 0x00124b0018ed1234, .ext_pan = 0x1122334455667788, .pan = 0x1a62, .channel = 15,
						 .update_id = 3, .key_sequence = 1, .security_level = 5, .channels = 1u << 15,
						 .frame_counter = 123456 };
	memset(chest->network.key, 0x5a, 16);
	chest->adopted = true;
	chest->n = n;
	for (size_t i = 0; i < n; i++) {
		chest->keys[i] = (struct radio_key){ .eui = i + 1, .nwk = (uint16_t)i, .child = i & 1, .has_key = true,
						     .rx_counter = 7, .tx_counter = 9 };
		memset(chest->keys[i].key, (int)i, 16);
	}
	return chest;
}

static void test_same_again(void **state)
{
	struct chest *chest = make(RADIO_KEYS_MAX), *back = malloc(sizeof(*back));
	uint8_t *buf = malloc(CHEST_BYTES_MAX);
	size_t len = chest_write(chest, buf);

	(void)state;
	check_true(len > 0 && len <= CHEST_BYTES_MAX);
	check_ok(chest_read((struct view){ buf, len }, back));
	check_bytes(back, sizeof(*back), chest, sizeof(*chest));
	check_int(chest_read((struct view){ buf, len - 1 }, back), CHEST_E_DAMAGED);
	check_uint(back->network.key[0], 0); /* nothing half read stays */
	free(buf);
	chest_free(chest);
	chest_free(back);
}

static void test_damage(void **state)
{
	struct chest *chest = make(1), *back = malloc(sizeof(*back));
	uint8_t *buf = malloc(CHEST_BYTES_MAX);
	size_t len = chest_write(chest, buf);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		check_int(chest_read((struct view){ buf, cut }, back), CHEST_E_DAMAGED);
	buf[0] = 2; /* another version */
	check_int(chest_read((struct view){ buf, len }, back), CHEST_E_DAMAGED);
	chest->network.channel = 27;
	check_int(chest_read((struct view){ buf, chest_write(chest, buf) }, back), CHEST_E_DAMAGED);
	chest->network.channel = 11;
	memset(chest->network.key, 0, 16);
	check_int(chest_read((struct view){ buf, chest_write(chest, buf) }, back), CHEST_E_DAMAGED);
	free(buf);
	chest_free(chest);
	chest_free(back);
}

static void test_published(void **state)
{
	static const uint8_t z2m[] = { 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13 };
	uint8_t own[16] = { 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 14 };

	(void)state;
	check_true(chest_key_is_published(z2m));
	check_true(chest_key_is_published((const uint8_t *)"ZigBeeAlliance09"));
	check_true(!chest_key_is_published(own));
}

/* The map */

static struct radio_answer page(uint8_t total, uint8_t start, uint8_t n, uint64_t first)
{
	struct radio_answer a = { .kind = RADIO_Q_NEIGHBOURS, .status = RADIO_OK };

	a.neighbours = (struct zdo_lqi){ .total = total, .start = start, .n = n };
	for (uint8_t i = 0; i < n; i++)
		a.neighbours.rows[i] = (struct zdo_neighbour){ .eui = first + i, .nwk = (uint16_t)(first + i), .kind = i == 0 ? ZDO_ROUTER : ZDO_END_DEVICE,
							       .relation = 1, .lqi = (uint8_t)(50 + i) };
	return a;
}

static void test_map(void **state)
{
	struct map *map = map_new(100);
	struct radio_question q;
	struct radio_answer a;

	(void)state;
	check_true(map_next(map, &q) && q.nwk == 0 && q.start == 0);
	a = page(3, 0, 2, 1);
	map_heard(map, &a);
	check_true(map_next(map, &q) && q.nwk == 0 && q.start == 2);
	a = page(3, 2, 1, 3);
	map_heard(map, &a);
	/* Two routers were found; the first never answers. */
	for (unsigned i = 0; i < MAP_TRIES_MAX; i++) {
		check_true(map_next(map, &q) && q.nwk == 1);
		map_heard(map, &(struct radio_answer){ .status = RADIO_TIMEOUT });
	}
	check_true(map_next(map, &q) && q.nwk == 3);
	a = page(0, 0, 0, 0);
	map_heard(map, &a);
	check_true(!map_next(map, &q));
	check_uint(map->n_nodes, 4);
	check_uint(map->n_links, 3);
	check_true(map->nodes[1].silent && !map->nodes[3].silent);
	free(map);
}

/* Tables without end, and more of everything than there is room for. */
static void test_map_limits(void **state)
{
	struct map *map = map_new(1000000);
	struct radio_question q;
	struct radio_answer a;
	unsigned pages = 0;

	(void)state;
	while (map_next(map, &q) && q.nwk == 0) {
		a = page(255, q.start, 7, 1 + 7u * pages++);
		map_heard(map, &a);
	}
	check_uint(pages, MAP_PAGES_MAX);
	for (unsigned i = 0; i < 100000 && map_next(map, &q); i++) {
		a = page(255, q.start, 7, i & 1 ? 2000 + i * 7 : 1 + i * 7 % 200);
		map_heard(map, &a);
	}
	check_uint(map->n_nodes, MAP_NODES_MAX);
	check_uint(map->n_links, MAP_LINKS_MAX);
	check_true(!map_next(map, &q));
	free(map);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_same_again), cmocka_unit_test(test_damage),     cmocka_unit_test(test_published),
		cmocka_unit_test(test_map),	   cmocka_unit_test(test_map_limits),
	};

	return CHECK_RUN(rows);
}
