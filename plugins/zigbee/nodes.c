/* A row is written with its length before it, so that one row is read, or refused, as a whole. A blob is a version and rows.
 * Whatever is read is held against the limits of node.h: a blob comes back from a disk that somebody may have written.
 */
#include "zigbee/nodes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "zigbee/zdo.h"

enum { VERSION = 1 };

void nodes_row_deinit(struct nodes_row *row)
{
	free(row->node.endpoints);
	row->node.endpoints = NULL;
	row->node.n_endpoints = 0;
}

struct nodes_row *nodes_by_eui(const struct nodes *nodes, uint64_t eui)
{
	for (size_t i = 0; i < nodes->n; i++) {
		if (nodes->rows[i]->node.eui == eui)
			return nodes->rows[i];
	}
	return NULL;
}

struct nodes_row *nodes_by_nwk(const struct nodes *nodes, uint16_t nwk)
{
	for (size_t i = 0; nwk != NODES_NO_NWK && i < nodes->n; i++) {
		if (nodes->rows[i]->node.nwk == nwk)
			return nodes->rows[i];
	}
	return NULL;
}

int nodes_add(struct nodes *nodes, struct nodes_row *row)
{
	uint16_t nwk = row->node.nwk;

	if (nodes_by_eui(nodes, row->node.eui))
		return NODES_E_TAKEN;
	if (nodes->n == NODES_MAX)
		return NODES_E_FULL;
	nodes->rows[nodes->n++] = row;
	row->node.nwk = NODES_NO_NWK;
	nodes_move(nodes, row, nwk);
	return 0;
}

void nodes_remove(struct nodes *nodes, const struct nodes_row *row)
{
	for (size_t i = 0; i < nodes->n; i++) {
		if (nodes->rows[i] != row)
			continue;
		nodes->rows[i] = nodes->rows[--nodes->n];
		nodes->rows[nodes->n] = NULL;
		return;
	}
}

void nodes_move(struct nodes *nodes, struct nodes_row *row, uint16_t nwk)
{
	struct nodes_row *before = nodes_by_nwk(nodes, nwk);

	if (before && before != row)
		before->node.nwk = NODES_NO_NWK;
	row->node.nwk = nwk;
}

/* Bytes */

static void put_text8(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	put_u8(w, (uint8_t)len);
	put_bytes(w, text, len);
}

static void put_clusters(struct writer *w, const uint16_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_u16(w, ids[i]);
}

static void put_endpoint(struct writer *w, const struct node_endpoint *e)
{
	put_u8(w, e->id);
	put_u16(w, e->profile);
	put_u16(w, e->device);
	put_u8(w, e->n_in);
	put_u8(w, e->n_out);
	put_clusters(w, e->in, e->n_in);
	put_clusters(w, e->out, e->n_out);
	put_u32(w, e->known & ((1u << NODE_FACTS_KEPT) - 1));
	for (unsigned i = 0; i < NODE_FACTS_KEPT; i++) {
		if (e->known & 1u << i)
			put_u32(w, (uint32_t)e->facts[i]);
	}
}

static void put_row(struct writer *w, const struct nodes_row *row, bool whole)
{
	const struct node *node = &row->node;
	size_t at = writer_len(w);

	put_u16(w, 0);
	put_u64(w, node->eui);
	put_u16(w, node->nwk);
	put_u8(w, node->kind);
	put_u8(w, node->capabilities);
	put_u16(w, node->manufacturer);
	put_u8(w, node->power);
	put_u8(w, node->evidence);
	put_u8(w, whole ? row->stage : NODES_HEARD);
	put_text8(w, node->vendor);
	put_text8(w, node->model);
	put_text8(w, node->firmware);
	put_u8(w, whole ? node->n_endpoints : 0);
	for (size_t i = 0; whole && i < node->n_endpoints; i++)
		put_endpoint(w, &node->endpoints[i]);
	put_at_u16(w, at, (uint16_t)(writer_len(w) - at - 2));
}

size_t nodes_write(const struct nodes *nodes, size_t *at, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	if (*at >= nodes->n)
		return 0;
	put_u8(&w, VERSION);
	for (; *at < nodes->n; ++*at) {
		uint8_t row[NODES_ROW_MAX];
		struct writer one = writer_over(row, sizeof(row));

		put_row(&one, nodes->rows[*at], true);
		if (one.bad) {
			one = writer_over(row, sizeof(row));
			put_row(&one, nodes->rows[*at], false);
		}
		assert(!one.bad);
		if (writer_len(&one) > cap - writer_len(&w))
			break;
		put_bytes(&w, row, writer_len(&one));
	}
	return writer_len(&w);
}

static void get_text8(struct reader *r, char ret[NODE_TEXT_MAX + 1])
{
	size_t len = get_u8(r);
	struct view v = get_view(r, len);

	if (len > NODE_TEXT_MAX || (v.len && !text_is_utf8(v.data, v.len)))
		r->bad = true;
	else if (v.len)
		memcpy(ret, v.data, v.len);
}

static void get_clusters(struct reader *r, uint16_t *ids, size_t n)
{
	if (n > NODE_CLUSTERS_MAX)
		r->bad = true;
	for (size_t i = 0; !r->bad && i < n; i++)
		ids[i] = get_u16(r);
}

static void get_endpoint(struct reader *r, struct node_endpoint *e)
{
	e->id = get_u8(r);
	e->profile = get_u16(r);
	e->device = get_u16(r);
	e->n_in = get_u8(r);
	e->n_out = get_u8(r);
	get_clusters(r, e->in, e->n_in);
	get_clusters(r, e->out, e->n_out);
	e->known = get_u32(r);
	if (e->known >> NODE_FACTS || e->id == 0 || e->id == 255)
		r->bad = true;
	for (unsigned i = 0; i < NODE_FACTS; i++) {
		if (e->known & 1u << i)
			e->facts[i] = (int32_t)get_u32(r);
	}
}

static int get_row(struct reader *r, struct nodes_row *row)
{
	struct node *node = &row->node;
	uint8_t n;

	node->eui = get_u64(r);
	node->nwk = get_u16(r);
	node->kind = get_u8(r);
	node->capabilities = get_u8(r);
	node->manufacturer = get_u16(r);
	node->power = get_u8(r);
	node->evidence = get_u8(r);
	row->stage = get_u8(r);
	get_text8(r, node->vendor);
	get_text8(r, node->model);
	get_text8(r, node->firmware);
	n = get_u8(r);
	if (r->bad || node->kind > ZDO_KIND_UNKNOWN || node->evidence > 2 || row->stage >= NODES_STAGES || !node->eui ||
	    n > NODE_ENDPOINTS_MAX || (row->stage != NODES_HEARD && n == 0))
		return NODES_E_BLOB;
	node->endpoints = n ? calloc(n, sizeof(*node->endpoints)) : NULL;
	if (n && !node->endpoints)
		return -ENOMEM;
	for (; node->n_endpoints < n && !r->bad; node->n_endpoints++)
		get_endpoint(r, &node->endpoints[node->n_endpoints]);
	return reader_is_done(r) ? 0 : NODES_E_BLOB;
}

int nodes_read(struct view *blob, bool *started, struct nodes_row *ret)
{
	struct reader all = reader_over(blob->data, blob->len), one;
	struct nodes_row row = { .stage = NODES_HEARD };
	struct view bytes;
	int r;

	if (!*started && get_u8(&all) != VERSION)
		return NODES_E_BLOB;
	*started = true;
	if (reader_is_done(&all))
		return NODES_E_END;
	bytes = get_view16(&all, NODES_ROW_MAX);
	if (all.bad)
		return NODES_E_BLOB;
	one = reader_over(bytes.data, bytes.len);
	r = get_row(&one, &row);
	if (r) {
		nodes_row_deinit(&row);
		return r;
	}
	*blob = (struct view){ all.p, reader_left(&all) };
	*ret = row;
	return 0;
}
