/* Fixed fields, a count, rows: nothing in it is optional, and a blob that is not exactly that is refused as a whole. */
#include "zigbee/chest.h"

#include <stdlib.h>
#include <string.h>
#include "sys/crypto.h"

enum { VERSION = 1, CHILD = 1, HAS_KEY = 2 };

bool chest_key_is_published(const uint8_t key[16])
{
	/* Zigbee2MQTT's old default, the well-known link key, the key of the specification's examples, and none at all. */
	static const uint8_t published[][16] = {
		{ 0x01, 0x03, 0x05, 0x07, 0x09, 0x0b, 0x0d, 0x0f, 0x00, 0x02, 0x04, 0x06, 0x08, 0x0a, 0x0c, 0x0d },
		{ 'Z', 'i', 'g', 'B', 'e', 'e', 'A', 'l', 'l', 'i', 'a', 'n', 'c', 'e', '0', '9' },
		{ 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf },
		{ 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	bool found = false;

	for (size_t i = 0; i < N_ELEMENTS(published); i++)
		found |= crypto_equal(key, published[i], sizeof(published[i]));
	return found;
}

static bool is_sound(const struct radio_network *n)
{
	static const uint8_t none[16] = { 0 };

	return n->channel >= 11 && n->channel <= 26 && n->pan != 0xffff && n->ext_pan && n->ext_pan != UINT64_MAX && n->eui &&
	       n->eui != UINT64_MAX && !crypto_equal(n->key, none, sizeof(n->key));
}

size_t chest_write(const struct chest *chest, uint8_t buf[CHEST_BYTES_MAX])
{
	const struct radio_network *network = &chest->network;
	struct writer w = writer_over(buf, CHEST_BYTES_MAX);

	put_u8(&w, VERSION);
	put_u8(&w, chest->adopted);
	put_u64(&w, network->eui);
	put_u64(&w, network->ext_pan);
	put_u16(&w, network->pan);
	put_u8(&w, network->channel);
	put_u8(&w, network->update_id);
	put_u8(&w, network->key_sequence);
	put_u8(&w, network->security_level);
	put_u32(&w, network->channels);
	put_u32(&w, network->frame_counter);
	put_bytes(&w, network->key, sizeof(network->key));
	put_u16(&w, (uint16_t)chest->n);
	for (size_t i = 0; i < chest->n; i++) {
		const struct radio_key *key = &chest->keys[i];

		put_u64(&w, key->eui);
		put_u16(&w, key->nwk);
		put_u8(&w, (uint8_t)((key->child ? CHILD : 0) | (key->has_key ? HAS_KEY : 0)));
		put_bytes(&w, key->key, sizeof(key->key));
		put_u32(&w, key->rx_counter);
		put_u32(&w, key->tx_counter);
	}
	return w.bad ? 0 : writer_len(&w);
}

static void get_key(struct reader *r, uint8_t ret[16])
{
	struct view key = get_view(r, 16);

	if (key.data)
		memcpy(ret, key.data, key.len);
}

static void get_row(struct reader *r, struct radio_key *ret)
{
	uint8_t flags;

	ret->eui = get_u64(r);
	ret->nwk = get_u16(r);
	flags = get_u8(r);
	ret->child = flags & CHILD;
	ret->has_key = flags & HAS_KEY;
	get_key(r, ret->key);
	ret->rx_counter = get_u32(r);
	ret->tx_counter = get_u32(r);
	if (flags & ~(CHILD | HAS_KEY) || !ret->eui)
		r->bad = true;
}

int chest_read(struct view blob, struct chest *ret)
{
	struct reader r = reader_over(blob.data, blob.len);
	struct radio_network *network = &ret->network;
	uint8_t version = get_u8(&r), adopted = get_u8(&r);

	memset(ret, 0, sizeof(*ret));
	ret->adopted = adopted;
	network->eui = get_u64(&r);
	network->ext_pan = get_u64(&r);
	network->pan = get_u16(&r);
	network->channel = get_u8(&r);
	network->update_id = get_u8(&r);
	network->key_sequence = get_u8(&r);
	network->security_level = get_u8(&r);
	network->channels = get_u32(&r);
	network->frame_counter = get_u32(&r);
	get_key(&r, network->key);
	ret->n = get_u16(&r);
	for (size_t i = 0; i < ret->n && ret->n <= RADIO_KEYS_MAX && !r.bad; i++)
		get_row(&r, &ret->keys[i]);
	if (version == VERSION && adopted <= 1 && ret->n <= RADIO_KEYS_MAX && reader_is_done(&r) && is_sound(network))
		return 0;
	crypto_wipe(ret, sizeof(*ret));
	return CHEST_E_DAMAGED;
}

struct chest *chest_free(struct chest *chest)
{
	if (chest)
		crypto_wipe(chest, sizeof(*chest));
	free(chest);
	return NULL;
}
