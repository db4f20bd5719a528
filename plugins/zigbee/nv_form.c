/*
 * The records are C structs as a compiler for the chip laid them out, written to flash as they are. Nothing in them says
 * so; we know the order of their members, and from the length which compiler it was. The information base is long and
 * most of it is the stack's own business: it is read and patched in place, never made.
 */
#include "zigbee/nv_form.h"

#include <string.h>

enum { USER_ANY = 0x0f };

/* Where members of nwkIB stand; Z-Stack 3.0.2, nwk.h. */
struct nib_places {
	uint8_t security_level, channel, pan, channels, ext_pan, update_id;
};
static const struct nib_places nib_plain = { 12, 22, 33, 36, 53, 109 };
static const struct nib_places nib_aligned = { 12, 24, 36, 40, 57, 114 };

static const struct nib_places *places(size_t len)
{
	return len == NV_NIB_LEN ? &nib_plain : len == NV_NIB_LEN_ALIGNED ? &nib_aligned : NULL;
}

int nv_nib_read(struct view bytes, struct nv_nib *ret)
{
	const struct nib_places *at = places(bytes.len);
	const uint8_t *p = bytes.data;
	struct reader r;

	if (!at)
		return NV_FORM_E_SIZE;
	*ret = (struct nv_nib){ .security_level = p[at->security_level], .channel = p[at->channel], .update_id = p[at->update_id] };
	r = reader_over(p + at->pan, 2);
	ret->pan = get_u16(&r);
	r = reader_over(p + at->channels, 4);
	ret->channels = get_u32(&r);
	r = reader_over(p + at->ext_pan, 8);
	ret->ext_pan = get_u64(&r);
	return 0;
}

int nv_nib_patch(uint8_t *bytes, size_t len, const struct nv_nib *nib)
{
	const struct nib_places *at = places(len);
	struct writer w;

	if (!at)
		return NV_FORM_E_SIZE;
	bytes[at->security_level] = nib->security_level;
	bytes[at->channel] = nib->channel;
	bytes[at->update_id] = nib->update_id;
	w = writer_over(bytes + at->pan, 2);
	put_u16(&w, nib->pan);
	w = writer_over(bytes + at->channels, 4);
	put_u32(&w, nib->channels);
	w = writer_over(bytes + at->ext_pan, 8);
	put_u64(&w, nib->ext_pan);
	return 0;
}

bool nv_nib_is_network(const struct nv_nib *nib)
{
	return nib->pan < 0xfffe && nib->channel >= 11 && nib->channel <= 26;
}

int nv_counter_read(struct view bytes, struct nv_counter *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);

	if (bytes.len != 12)
		return NV_FORM_E_SIZE;
	ret->counter = get_u32(&r);
	ret->ext_pan = get_u64(&r);
	return 0;
}

int nv_address_read(struct view bytes, struct nv_address *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);

	if (bytes.len != 11 && bytes.len != 12)
		return NV_FORM_E_SIZE;
	ret->user = get_u8(&r);
	if (bytes.len == 12)
		get_u8(&r);
	ret->nwk = get_u16(&r);
	ret->eui = get_u64(&r);
	return 0;
}

int nv_tclk_read(struct view bytes, struct nv_tclk *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);

	if (bytes.len != 19 && bytes.len != 20)
		return NV_FORM_E_SIZE;
	ret->tx = get_u32(&r);
	ret->rx = get_u32(&r);
	ret->eui = get_u64(&r);
	ret->attributes = get_u8(&r);
	ret->type = get_u8(&r);
	ret->shift = get_u8(&r);
	return 0;
}

int nv_link_key_read(struct view bytes, struct nv_link_key *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);

	if (bytes.len != 24)
		return NV_FORM_E_SIZE;
	memcpy(ret->key, get_view(&r, 16).data, 16);
	ret->tx = get_u32(&r);
	ret->rx = get_u32(&r);
	return 0;
}

int nv_security_read(struct view bytes, struct nv_security *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);

	if (bytes.len != 5 && bytes.len != 6)
		return NV_FORM_E_SIZE;
	ret->address = get_u16(&r);
	ret->key = get_u16(&r);
	ret->authentication = get_u8(&r);
	return 0;
}

bool nv_address_is_set(const struct nv_address *a)
{
	return (a->user & USER_ANY) && a->user != 0xff && a->eui && a->eui != UINT64_MAX;
}

bool nv_security_is_set(const struct nv_security *s)
{
	return s->address < 0xfffe && (s->address || s->authentication);
}

int nv_counter_write(const struct nv_counter *c, uint8_t *bytes, size_t len)
{
	struct writer w = writer_over(bytes, len);

	put_u32(&w, c->counter);
	put_u64(&w, c->ext_pan);
	return w.bad || writer_len(&w) != len ? -EINVAL : 0;
}

int nv_address_write(const struct nv_address *a, uint8_t *bytes, size_t len)
{
	struct writer w = writer_over(bytes, len);

	put_u8(&w, a->user);
	if (len == 12)
		put_u8(&w, 0xff);
	put_u16(&w, a->nwk);
	put_u64(&w, a->eui);
	return w.bad || writer_len(&w) != len ? -EINVAL : 0;
}

int nv_tclk_write(const struct nv_tclk *t, uint8_t *bytes, size_t len)
{
	struct writer w = writer_over(bytes, len);

	put_u32(&w, t->tx);
	put_u32(&w, t->rx);
	put_u64(&w, t->eui);
	put_u8(&w, t->attributes);
	put_u8(&w, t->type);
	put_u8(&w, t->shift);
	if (len == 20)
		put_u8(&w, 0);
	return w.bad || writer_len(&w) != len ? -EINVAL : 0;
}

int nv_link_key_write(const struct nv_link_key *k, uint8_t *bytes, size_t len)
{
	struct writer w = writer_over(bytes, len);

	put_bytes(&w, k->key, 16);
	put_u32(&w, k->tx);
	put_u32(&w, k->rx);
	return w.bad || writer_len(&w) != len ? -EINVAL : 0;
}

int nv_security_write(const struct nv_security *s, uint8_t *bytes, size_t len)
{
	struct writer w = writer_over(bytes, len);

	put_u16(&w, s->address);
	put_u16(&w, s->key);
	put_u8(&w, s->authentication);
	if (len == 6)
		put_u8(&w, 0);
	return w.bad || writer_len(&w) != len ? -EINVAL : 0;
}
