/* The page's nonce is drawn anew at each writing and serves twice, under two keys: for the page and
 * for the mask over its frame's header. So two headers that stood at one place never share a
 * keystream, although SQLite writes a header again when a page before it has changed.
 */
#include "sys/db_page.h"

#include <string.h>
#include "base/bytes.h"

enum { AT_KEY = PAGE_TEXT, AT_SUITE = AT_KEY + 4, AT_NONCE = AT_KEY + 8, AT_TAG = AT_NONCE + SEAL_NONCE_LEN };
enum { PLACE_HEAD = 9, HEAD_COMMIT = 4, HEAD_SALTS = 8, HEAD_SUMS = 16 };
_Static_assert(AT_TAG + SEAL_TAG_LEN == PAGE_LEN, "the trailer ends the page");

const uint8_t page_first_bytes[100] = {
	'S', 'Q', 'L', 'i', 't', 'e', ' ', 'f', 'o', 'r', 'm', 'a', 't', ' ', '3', '\0',
	0x10, 0x00, /* 4096 */
	2, 2, /* WAL */
	PAGE_TRAILER, 64, 32, 32,
	[47] = 4, /* schema format */
	[59] = 1, /* UTF-8 */
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Place */

int page_place_init(struct page_place *place, const char *path, bool wal)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), tail = wal ? strlen("-wal") : 0;

	if (len <= tail || (wal && strcmp(name + len - tail, "-wal") != 0))
		return -EINVAL;
	len -= tail;
	if (len > PAGE_NAME_MAX)
		return -ENAMETOOLONG;
	place->bytes[0] = wal ? 'W' : 'D';
	place->name_len = len;
	place->len = PLACE_HEAD + (wal ? FRAME_HEAD : 0) + len;
	memcpy(place->bytes + place->len - len, name, len);
	return 0;
}

void page_place_move(struct page_place *place, uint64_t offset, const uint8_t head[FRAME_HEAD])
{
	for (size_t i = 0; i < 8; i++)
		place->bytes[1 + i] = (uint8_t)(offset >> (8 * i));
	if (head)
		memcpy(place->bytes + PLACE_HEAD, head, FRAME_HEAD);
}

/* Page */

uint32_t page_key_id(const uint8_t sealed[PAGE_LEN])
{
	return le32(sealed + AT_KEY);
}

bool page_looks_sealed(const uint8_t sealed[PAGE_LEN])
{
	const uint8_t *at = sealed + AT_SUITE;

	return (at[0] == SEAL_XCHACHA || at[0] == SEAL_SM4) && !at[1] && !at[2] && !at[3];
}

void page_seal(const struct seal_key *key, uint32_t key_id, const uint8_t nonce[SEAL_NONCE_LEN],
	       const struct page_place *place, const uint8_t page[PAGE_LEN], uint8_t ret[PAGE_LEN])
{
	struct writer w = writer_over(ret + AT_KEY, 8);

	put_u32(&w, key_id);
	put_u32(&w, (uint32_t)seal_key_suite(key)); /* one byte and three zeros */
	memcpy(ret + AT_NONCE, nonce, SEAL_NONCE_LEN);
	seal_make(key, nonce, place->bytes, place->len, page, PAGE_TEXT, ret, ret + AT_TAG);
}

int page_open(const struct seal_key *key, const struct page_place *place,
	      const uint8_t sealed[PAGE_LEN], uint8_t ret[PAGE_LEN])
{
	int r = CRYPTO_E_MISMATCH;

	if (page_looks_sealed(sealed) && sealed[AT_SUITE] == seal_key_suite(key))
		r = seal_open(key, sealed + AT_NONCE, place->bytes, place->len, sealed, PAGE_TEXT,
			      sealed + AT_TAG, ret);
	if (r)
		memset(ret, 0, PAGE_LEN);
	else
		memset(ret + PAGE_TEXT, 0, PAGE_TRAILER);
	return r;
}

/* Frame */

void frame_mask(const struct seal_key *key, const uint8_t sealed[PAGE_LEN], uint8_t head[FRAME_HEAD])
{
	uint8_t hidden[16];

	memcpy(hidden, head, 8);
	memcpy(hidden + 8, head + HEAD_SUMS, 8);
	seal_mask(key, sealed + AT_NONCE, hidden, sizeof(hidden));
	memcpy(head, hidden, 8);
	memcpy(head + HEAD_SUMS, hidden + 8, 8);
}

uint32_t frame_commit(const uint8_t head[FRAME_HEAD])
{
	return be32(head + HEAD_COMMIT);
}

bool frame_same_salts(const uint8_t head[FRAME_HEAD], const uint8_t other[FRAME_HEAD])
{
	return memcmp(head + HEAD_SALTS, other + HEAD_SALTS, 8) == 0;
}

/* WAL */

static void sum_bytes(struct wal_sum *sum, const uint8_t *p, size_t len)
{
	uint32_t a = sum->a, b = sum->b;

	for (const uint8_t *end = p + len; p < end; p += 8) {
		a += (sum->big_endian ? be32(p) : le32(p)) + b;
		b += (sum->big_endian ? be32(p + 4) : le32(p + 4)) + a;
	}
	sum->a = a;
	sum->b = b;
}

bool wal_head_read(const uint8_t head[WAL_HEAD], struct wal_sum *ret, uint8_t ret_head[FRAME_HEAD])
{
	*ret = (struct wal_sum){ .big_endian = head[3] & 1 };
	memset(ret_head, 0, FRAME_HEAD);
	memcpy(ret_head + HEAD_SALTS, head + 16, 8);
	sum_bytes(ret, head, 24);
	return (be32(head) & ~1u) == 0x377f0682 && be32(head + 4) == 3007000 &&
	       be32(head + 8) == PAGE_LEN && be32(head + 24) == ret->a && be32(head + 28) == ret->b;
}

bool wal_sum_add(struct wal_sum *sum, const uint8_t head[FRAME_HEAD], const uint8_t page[PAGE_LEN])
{
	sum_bytes(sum, head, 8);
	sum_bytes(sum, page, PAGE_LEN);
	return sum->a == be32(head + HEAD_SUMS) && sum->b == be32(head + HEAD_SUMS + 4);
}

void wal_sum_from(struct wal_sum *sum, const uint8_t head[FRAME_HEAD])
{
	sum->a = be32(head + HEAD_SUMS);
	sum->b = be32(head + HEAD_SUMS + 4);
}
