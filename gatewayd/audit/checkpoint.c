/* All of a checkpoint is fixed but the number of peaks, and that follows from the size; so here too there is one way only to
 * write what it says. Who checks one needs no part of the log to see whether it is well formed and who signed it.
 */
#include "audit/checkpoint.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

static const char magic[10] = "GWAUDITCP1";
static const uint8_t zeros[CRYPTO_HASH_LEN];

size_t checkpoint_encode(const struct checkpoint *checkpoint, uint8_t buf[AUDIT_CHECKPOINT_MAX])
{
	struct writer w = writer_over(buf, AUDIT_CHECKPOINT_MAX);
	size_t n = tree_n_peaks(checkpoint->tree.size);

	put_bytes(&w, magic, sizeof(magic));
	put_u8(&w, checkpoint->suite);
	put_u8(&w, checkpoint->reason);
	put_bytes(&w, checkpoint->log_id, sizeof(checkpoint->log_id));
	put_u64(&w, checkpoint->number);
	put_u64(&w, checkpoint->tree.size);
	put_bytes(&w, checkpoint->root, CRYPTO_HASH_LEN);
	put_bytes(&w, checkpoint->head, CRYPTO_HASH_LEN);
	put_bytes(&w, checkpoint->previous, CRYPTO_HASH_LEN);
	put_i64(&w, checkpoint->wall_us);
	put_i64(&w, checkpoint->boot_ms);
	put_bytes(&w, checkpoint->boot_id, sizeof(checkpoint->boot_id));
	put_u64(&w, checkpoint->generation);
	put_u64(&w, checkpoint->starts);
	put_u32(&w, checkpoint->sign_id);
	put_u32(&w, checkpoint->sign_sm2_id);
	put_u8(&w, (uint8_t)n);
	put_bytes(&w, checkpoint->tree.peaks, n * CRYPTO_HASH_LEN);
	assert(!w.bad); /* a log of fewer than 2^57 records */
	return writer_len(&w);
}

static void take(struct reader *r, void *ret, size_t len)
{
	struct view v = get_view(r, len);

	if (!r->bad)
		memcpy(ret, v.data, len);
}

static bool is_in_form(const struct checkpoint *c)
{
	return c->suite <= CRYPTO_SM3 && c->reason < CHECKPOINT_REASONS && c->number && c->tree.size &&
	       (c->number > 1 || memcmp(c->previous, zeros, sizeof(zeros)) == 0) && (c->sign_id || c->sign_sm2_id);
}

int checkpoint_decode(const void *data, size_t len, struct checkpoint *ret)
{
	struct reader r = reader_over(data, len);
	uint8_t seen[sizeof(magic)] = { 0 };
	size_t n;

	memset(ret, 0, sizeof(*ret));
	take(&r, seen, sizeof(seen));
	ret->suite = get_u8(&r);
	ret->reason = get_u8(&r);
	take(&r, ret->log_id, sizeof(ret->log_id));
	ret->number = get_u64(&r);
	ret->tree.size = get_u64(&r);
	take(&r, ret->root, CRYPTO_HASH_LEN);
	take(&r, ret->head, CRYPTO_HASH_LEN);
	take(&r, ret->previous, CRYPTO_HASH_LEN);
	ret->wall_us = get_i64(&r);
	ret->boot_ms = get_i64(&r);
	take(&r, ret->boot_id, sizeof(ret->boot_id));
	ret->generation = get_u64(&r);
	ret->starts = get_u64(&r);
	ret->sign_id = get_u32(&r);
	ret->sign_sm2_id = get_u32(&r);
	n = get_u8(&r);
	if (len > AUDIT_CHECKPOINT_MAX || memcmp(seen, magic, sizeof(magic)) != 0 || n != tree_n_peaks(ret->tree.size))
		return CHECKPOINT_E_SYNTAX;
	take(&r, ret->tree.peaks, n * CRYPTO_HASH_LEN);
	return reader_is_done(&r) && is_in_form(ret) ? 0 : CHECKPOINT_E_SYNTAX;
}

void checkpoint_hash(struct crypto_hash *hash, const void *body, size_t len, uint8_t ret[CRYPTO_HASH_LEN])
{
	static const uint8_t prefix = 0x06;

	crypto_hash_reset(hash);
	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, body, len);
	crypto_hash_end(hash, ret);
}

static const char *check_one(uint32_t id, enum sign_kind kind, const void *body, size_t len, struct view signature,
			     const struct audit_public *keys, size_t n_keys)
{
	if (!id)
		return signature.len ? "a checkpoint with a signature of nobody" : NULL;
	if (signature.len != SIGN_LEN)
		return "a checkpoint without its signature";
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].id == id && keys[i].key.kind == kind)
			return sign_check(&keys[i].key, body, len, signature.data) ? "a checkpoint whose signature does not hold" : NULL;
	}
	return n_keys ? "a checkpoint signed with a key that is not known" : NULL;
}

const char *checkpoint_check_signatures(const struct checkpoint *checkpoint, const void *body, size_t len,
					const struct checkpoint_signatures *signatures, const struct audit_public *keys,
					size_t n_keys)
{
	const char *what = check_one(checkpoint->sign_id, SIGN_ED25519, body, len, signatures->a, keys, n_keys);

	return what ? what : check_one(checkpoint->sign_sm2_id, SIGN_SM2, body, len, signatures->b, keys, n_keys);
}
