/* An identity is twelve bytes that people see as 24 hex digits: version, maker, product, random
 * part, extension, most significant digit first. Either case is read; one is written, so that equal
 * identities are equal texts. All zeros is "no device" and is never read from outside.
 */
#include "model/device_id.h"

#include <string.h>
#include "base/text.h"

enum { DEVICE_ID_VERSION = 1 };

int device_id_parse(const char *text, size_t len, struct device_id *ret)
{
	struct device_id id;

	if (len != 2 * DEVICE_ID_LEN || hex_parse(text, len, id.b, sizeof(id.b)))
		return DEVICE_ID_E_SYNTAX;
	if (id.b[0] != DEVICE_ID_VERSION)
		return DEVICE_ID_E_VERSION;
	*ret = id;
	return 0;
}

void device_id_print(struct device_id id, char ret[DEVICE_ID_TEXT_MAX])
{
	hex_print(id.b, sizeof(id.b), ret);
}

static uint32_t big_endian(const uint8_t *p, size_t len)
{
	uint32_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | p[i];
	return v;
}

static void put_big_endian(uint8_t *p, size_t len, uint32_t v)
{
	for (size_t i = len; i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

struct device_id_fields device_id_split(struct device_id id)
{
	return (struct device_id_fields){
		.version = id.b[0],
		.maker = big_endian(id.b + 1, 3),
		.product = big_endian(id.b + 4, 3),
		.random = big_endian(id.b + 7, 4),
		.extension = id.b[11],
	};
}

struct device_id device_id_join(struct device_id_fields fields)
{
	struct device_id id;

	id.b[0] = fields.version;
	put_big_endian(id.b + 1, 3, fields.maker);
	put_big_endian(id.b + 4, 3, fields.product);
	put_big_endian(id.b + 7, 4, fields.random);
	id.b[11] = fields.extension;
	return id;
}

bool device_id_equal(struct device_id a, struct device_id b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool device_id_is_none(struct device_id id)
{
	return device_id_equal(id, (struct device_id){ { 0 } });
}

/* Seeded FNV-1a with a final mix: tables that strangers can fill are given a random seed. */
uint64_t device_id_hash(struct device_id id, uint64_t seed)
{
	uint64_t h = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < sizeof(id.b); i++)
		h = (h ^ id.b[i]) * 0x100000001b3u;
	h = (h ^ h >> 32 ^ seed) * 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}
