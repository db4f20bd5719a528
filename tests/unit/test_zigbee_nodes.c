/* The table of devices and the bytes in which it is kept: what is written reads the same, what is damaged is refused. */
#include "check.h"

#include "zigbee/nodes.h"

static struct nodes_row *make(uint64_t eui, uint16_t nwk, uint8_t n_endpoints, uint8_t n_clusters)
{
	struct nodes_row *row = calloc(1, sizeof(*row));

	row->node = (struct node){ .eui = eui, .nwk = nwk, .kind = 1, .capabilities = 0x8e, .manufacturer = 0x117c, .power = 1,
				   .evidence = 2, .vendor = "IKEA of Sweden", .model = "TRADFRI control outlet", .firmware = "2.3.089" };
	row->stage = NODES_READY;
	row->node.n_endpoints = n_endpoints;
	row->node.endpoints = calloc(n_endpoints ? n_endpoints : 1, sizeof(*row->node.endpoints));
	for (uint8_t i = 0; i < n_endpoints; i++) {
		struct node_endpoint *e = &row->node.endpoints[i];

		*e = (struct node_endpoint){ .id = (uint8_t)(i + 1), .profile = 0x0104, .device = 0x010a, .n_in = n_clusters,
					     .n_out = n_clusters, .known = 1u << FACT_METER_DIVISOR };
		e->facts[FACT_METER_DIVISOR] = -7;
		for (uint8_t k = 0; k < n_clusters; k++) {
			e->in[k] = k;
			e->out[k] = (uint16_t)(0x1000 + k);
		}
	}
	return row;
}

static void free_all(struct nodes *nodes)
{
	while (nodes->n) {
		struct nodes_row *row = nodes->rows[nodes->n - 1];

		nodes_remove(nodes, row);
		nodes_row_deinit(row);
		free(row);
	}
}

static void test_addresses(void **state)
{
	struct nodes nodes = { .n = 0 };
	struct nodes_row *a = make(1, 0x1111, 1, 1), *b = make(2, 0x2222, 1, 1), *again = make(1, 0x3333, 1, 1);

	(void)state;
	check_ok(nodes_add(&nodes, a));
	check_ok(nodes_add(&nodes, b));
	check_int(nodes_add(&nodes, again), NODES_E_TAKEN);
	check_true(nodes_by_eui(&nodes, 2) == b && nodes_by_nwk(&nodes, 0x1111) == a && !nodes_by_eui(&nodes, 3));
	/* B takes A's short address: A has none, and nobody is found by "none". */
	nodes_move(&nodes, b, 0x1111);
	check_true(nodes_by_nwk(&nodes, 0x1111) == b && !nodes_by_nwk(&nodes, 0x2222) && !nodes_by_nwk(&nodes, NODES_NO_NWK));
	check_uint(a->node.nwk, NODES_NO_NWK);
	nodes_remove(&nodes, a);
	check_true(!nodes_by_eui(&nodes, 1) && nodes_by_eui(&nodes, 2) == b);
	nodes_row_deinit(a);
	nodes_row_deinit(again);
	free(a);
	free(again);
	free_all(&nodes);
}

static void test_same_again(void **state)
{
	struct nodes nodes = { .n = 0 };
	uint8_t buf[4096], second[4096];
	struct nodes_row back, *only;
	size_t at = 0, len;
	bool started = false;
	struct view blob;

	(void)state;
	check_ok(nodes_add(&nodes, make(0x000b57fffe00a101, 0x1234, 3, 5)));
	len = nodes_write(&nodes, &at, buf, sizeof(buf));
	check_true(len > 0);
	check_uint(nodes_write(&nodes, &at, buf, sizeof(buf)), 0);
	blob = (struct view){ buf, len };
	check_ok(nodes_read(&blob, &started, &back));
	check_uint(back.node.eui, 0x000b57fffe00a101);
	check_text(back.node.model, "TRADFRI control outlet");
	check_uint(back.node.n_endpoints, 3);
	check_int(node_fact(&back.node.endpoints[2], FACT_METER_DIVISOR, 0), -7);
	check_int(node_fact(&back.node.endpoints[2], FACT_ZONE_TYPE, 9), 9);
	check_int(node_fact(&back.node.endpoints[2], FACT_MIREDS_MAX, 454), 454);
	check_int(node_fact(&back.node.endpoints[2], FACT_SETPOINT_MAX, 3000), 3000);
	check_true(node_has_in(node_endpoint(&back.node, 3), 4) && node_has_out(node_endpoint(&back.node, 3), 0x1004));
	check_true(!node_endpoint(&back.node, 4));
	check_int(nodes_read(&blob, &started, &back), NODES_E_END);
	only = nodes.rows[0];
	nodes_row_deinit(only);
	*only = back;
	at = 0;
	check_bytes(second, nodes_write(&nodes, &at, second, sizeof(second)), buf, len);
	free_all(&nodes);
}

/* NODES_MAX devices as long as NODES_ROW_MAX allows fit into NODES_BLOBS_MAX blobs; a device that is longer keeps its name. */
static void test_full(void **state)
{
	struct nodes nodes = { .n = 0 }, back = { .n = 0 };
	uint8_t *buf = malloc(NODES_BLOB_MAX);
	size_t at = 0, blobs = 0, len;
	struct nodes_row *extra = make(9999, 1, 0, 0);

	(void)state;
	for (uint64_t i = 1; i <= NODES_MAX; i++)
		check_ok(nodes_add(&nodes, make(i, (uint16_t)i, i == 7 ? NODE_ENDPOINTS_MAX : 10, NODE_CLUSTERS_MAX)));
	check_int(nodes_add(&nodes, extra), NODES_E_FULL);
	nodes_row_deinit(extra);
	free(extra);
	while ((len = nodes_write(&nodes, &at, buf, NODES_BLOB_MAX))) {
		struct view blob = { buf, len };
		bool started = false;
		struct nodes_row row;

		blobs++;
		while (nodes_read(&blob, &started, &row) == 0) {
			struct nodes_row *copy = malloc(sizeof(*copy));

			*copy = row;
			check_ok(nodes_add(&back, copy));
		}
		check_uint(blob.len, 0);
	}
	check_uint(back.n, NODES_MAX);
	check_true(blobs <= NODES_BLOBS_MAX);
	check_uint(nodes_by_eui(&back, 7)->stage, NODES_HEARD);
	check_uint(nodes_by_eui(&back, 7)->node.n_endpoints, 0);
	check_uint(nodes_by_eui(&back, 8)->node.n_endpoints, 10);
	free_all(&nodes);
	free_all(&back);
	free(buf);
}

/* Each byte changed, each length cut: refused or read, never more. */
static void test_damage(void **state)
{
	struct nodes nodes = { .n = 0 };
	uint8_t buf[512], bad[512];
	size_t at = 0, len, refused = 0;

	(void)state;
	check_ok(nodes_add(&nodes, make(5, 0x1234, 2, 3)));
	len = nodes_write(&nodes, &at, buf, sizeof(buf));
	for (size_t i = 0; i < len; i++) {
		for (unsigned flip = 1; flip < 256; flip <<= 1) {
			struct view blob = { bad, len };
			bool started = false;
			struct nodes_row row;

			memcpy(bad, buf, len);
			bad[i] = (uint8_t)(bad[i] ^ flip);
			if (nodes_read(&blob, &started, &row))
				refused++;
			else
				nodes_row_deinit(&row);
		}
	}
	check_true(refused > len);
	for (size_t cut = 0; cut < len; cut++) {
		struct view blob = { buf, cut };
		bool started = false;
		struct nodes_row row;

		check_int(nodes_read(&blob, &started, &row), cut == 1 ? NODES_E_END : NODES_E_BLOB);
	}
	free_all(&nodes);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_damage),
	};

	return CHECK_RUN(rows);
}
