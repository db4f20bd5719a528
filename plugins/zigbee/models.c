/* Two buckets are looked at: what this maker calls so, and what anybody calls so. Of the rows that fit, the one that its source would
 * try first wins. Only then is a page with names touched.
 */
#include "zigbee/models.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/text.h"
#include "zigbee/models_table.h"
#include "zigbee/zdo.h"

enum { ID_MAX = NODE_TEXT_MAX };

struct asked {
	const struct node *node;
	char id[ID_MAX + 1];
};

static uint32_t bucket_of(const char *id, const char *maker)
{
	uint32_t hash = 2166136261u; /* FNV-1a, over both with the NUL between them */

	for (const char *p = id;; p++) {
		hash = (hash ^ (uint8_t)*p) * 16777619u;
		if (!*p)
			break;
	}
	for (const char *p = maker; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return hash % MODELS_BUCKETS;
}

/* Makers pad ids with blanks. */
static void copy_id(char ret[ID_MAX + 1], const char *text)
{
	size_t len;

	while (*text == ' ')
		text++;
	len = strnlen(text, ID_MAX);
	while (len && text[len - 1] == ' ')
		len--;
	memcpy(ret, text, len);
	ret[len] = '\0';
}

static const char *end_of(const char *text, char stop)
{
	const char *p = strchr(text, stop);

	return p ? p : text + strlen(text);
}

/* Hexadecimal numbers, a dot between each: just these clusters, in any order. */
static bool are_clusters(const char *text, const char *end, const uint16_t *clusters, size_t n)
{
	size_t listed = 0;

	for (const char *p = text; p < end; listed++) {
		char *next;
		unsigned long cluster = strtoul(p, &next, 16);
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found |= clusters[i] == cluster;
		if (!found)
			return false;
		p = next + (next < end);
	}
	return listed == n;
}

/* "1,p0104,d0051,i0000.0003,o0019" */
static bool is_endpoint(const char *text, const char *end, const struct node *node)
{
	const struct node_endpoint *endpoint = node_endpoint(node, (uint8_t)strtoul(text, NULL, 10));

	if (!endpoint)
		return false;
	for (const char *p = memchr(text, ',', (size_t)(end - text)); p && p < end; p = memchr(p, ',', (size_t)(end - p))) {
		const char *value = p + 2, *stop = memchr(value, ',', (size_t)(end - value));
		unsigned long number = strtoul(value, NULL, 16);

		stop = stop ? stop : end;
		if ((p[1] == 'p' && number != endpoint->profile) || (p[1] == 'd' && number != endpoint->device) ||
		    (p[1] == 'i' && !are_clusters(value, stop, endpoint->in, endpoint->n_in)) ||
		    (p[1] == 'o' && !are_clusters(value, stop, endpoint->out, endpoint->n_out)))
			return false;
		p = stop;
	}
	return true;
}

static bool is_condition(const char *text, const char *end, const struct node *node)
{
	size_t len = (size_t)(end - text) - 1;

	switch (text[0]) {
	case 'm':
		return strtoul(text + 1, NULL, 10) == node->manufacturer;
	case 't':
		return node->kind == (text[1] == 'E' ? ZDO_END_DEVICE : ZDO_ROUTER);
	case 'p':
		return strtoul(text + 1, NULL, 10) == node->power;
	case 'f':
		return strlen(node->firmware) == len && memcmp(node->firmware, text + 1, len) == 0;
	default:
		return is_endpoint(text + 1, end, node);
	}
}

static bool fulfils(const char *more, const struct node *node)
{
	size_t endpoints = 0;

	for (const char *p = more; *p;) {
		const char *end = end_of(p, '|');

		if (!is_condition(p, end, node))
			return false;
		endpoints += *p == 'e';
		p = *end ? end + 1 : end;
	}
	return !endpoints || endpoints == node->n_endpoints;
}

static const struct model_row *better(const struct asked *asked, const char *maker, const struct model_row *best)
{
	uint32_t bucket = bucket_of(asked->id, maker);

	for (uint16_t i = models_first[bucket]; i < models_first[bucket + 1]; i++) {
		const struct model_row *row = &models_rows[i];

		if ((!best || row->rank < best->rank) && text_equal(models_pool + row->id, asked->id) &&
		    text_equal(models_pool + row->maker, maker) && fulfils(models_pool + row->more, asked->node))
			best = row;
	}
	return best;
}

/* The kernel reads sixteen pages around each that is touched; a hundred devices would keep the whole table in the process. What is
 * given back is the file's, and is there again when somebody asks.
 */
static void give_back(const void *start, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)start + page - 1) & ~(page - 1), to = ((uintptr_t)start + size) & ~(page - 1);

	if (from < to)
		(void)madvise((char *)(uintptr_t)start + (from - (uintptr_t)start), to - from, MADV_DONTNEED);
}

static void read_names(const struct model_row *row, struct model *ret)
{
	ret->vendor = models_pool + row->names;
	ret->model = ret->vendor + strlen(ret->vendor) + 1;
	ret->description = ret->model + strlen(ret->model) + 1;
	ret->standard = row->flags & MODEL_STANDARD;
	ret->quirks = row->flags & (uint16_t)~(MODEL_STANDARD | MODEL_MORE | MODEL_VARIES);
	ret->more = row->flags & MODEL_MORE;
	ret->varies = row->flags & MODEL_VARIES;
	ret->exposes = (const uint8_t *)ret->description + strlen(ret->description) + 1;
}

bool models_find(const struct node *node, struct model *ret)
{
	struct asked asked = { .node = node };
	const struct model_row *row;

	copy_id(asked.id, node->model);
	row = better(&asked, node->vendor, NULL);
	if (node->vendor[0])
		row = better(&asked, "", row);
	if (row)
		read_names(row, ret);
	give_back(models_rows, models_count() * sizeof(*models_rows));
	give_back(models_first, sizeof(models_first));
	give_back(models_pool, models_pool_size);
	return row != NULL;
}

size_t models_count(void)
{
	return models_first[MODELS_BUCKETS];
}
