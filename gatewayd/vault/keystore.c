/* A keystore file is two things glued together: what one must know before one has the key (which source, which salt, what
 * the passphrase costs), and everything else, sealed. The clear part is associated data of the sealed one, so that both are
 * believed together or not at all; until then the clear part is only a hint, which is why it has limits.
 *
 * The format has one form for one content: what is read and written again is the same but for nonce and tag. Whatever a
 * sound gatewayd would not write is refused, though it opened: then the fault is ours, or its writer was another program.
 */
#include "vault/keystore.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/sign.h"

enum { FILE_VERSION = 1, EXPORT_VERSION = 1, MAGIC_LEN = 8 };
/* Where things are in the header. */
enum { AT_BODY_LEN = 12, AT_NONCE = 48, AT_TAG = AT_NONCE + SEAL_NONCE_LEN, AT_BODY = AT_TAG + SEAL_TAG_LEN };
enum { KEY_LEN = 88, BODY_FIXED_LEN = KEYSTORE_ID_LEN + 8 + 4 + 2 + 2 };

_Static_assert(AT_BODY + BODY_FIXED_LEN + KEYSTORE_PATH_MAX + KEYSTORE_KEYS_MAX * KEY_LEN <= KEYSTORE_FILE_MAX,
	       "the largest keystore fits");

static const char file_magic[MAGIC_LEN + 1] = "gw-keys\n", export_magic[MAGIC_LEN + 1] = "gw-keyx\n";
static const uint8_t zeros[KEYSTORE_SECRET_LEN];

static const char *const purpose_names[KEY_PURPOSES] = {
	[KEY_DB] = "db",	   [KEY_AUDIT] = "audit", [KEY_FILES] = "files",
	[KEY_DEVICES] = "devices", [KEY_SIGN] = "sign",	  [KEY_SIGN_SM2] = "sign-sm2",
};
static const char *const state_names[KEY_STATES] = {
	[KEY_PREACTIVE] = "pre-active",	      [KEY_ACTIVE] = "active",	     [KEY_DEACTIVATED] = "deactivated",
	[KEY_COMPROMISED] = "compromised", [KEY_DESTROYED] = "destroyed",
};

/* Clause 8.1.2-d. A key that has been in use is first taken out of use: what it sealed must be sealed anew before it goes. */
bool key_may_become(enum key_state from, enum key_state to)
{
	static const bool steps[KEY_STATES][KEY_STATES] = {
		[KEY_PREACTIVE] = { [KEY_ACTIVE] = true, [KEY_COMPROMISED] = true, [KEY_DESTROYED] = true },
		[KEY_ACTIVE] = { [KEY_DEACTIVATED] = true, [KEY_COMPROMISED] = true },
		[KEY_DEACTIVATED] = { [KEY_COMPROMISED] = true, [KEY_DESTROYED] = true },
		[KEY_COMPROMISED] = { [KEY_DESTROYED] = true },
		[KEY_DESTROYED] = { [KEY_DESTROYED] = false },
	};

	return (unsigned)from < KEY_STATES && (unsigned)to < KEY_STATES && steps[from][to];
}

const char *key_purpose_name(enum key_purpose purpose)
{
	return (unsigned)purpose < KEY_PURPOSES && purpose_names[purpose] ? purpose_names[purpose] : "unknown";
}

const char *key_state_name(enum key_state state)
{
	return (unsigned)state < KEY_STATES && state_names[state] ? state_names[state] : "unknown";
}

int key_purpose_parse(const char *name, enum key_purpose *ret)
{
	for (unsigned i = 1; i < KEY_PURPOSES; i++) {
		if (text_equal(name, purpose_names[i])) {
			*ret = (enum key_purpose)i;
			return 0;
		}
	}
	return KEYSTORE_E_SYNTAX;
}

static bool suite_fits(const struct keystore_key *key)
{
	if (key->purpose == KEY_SIGN)
		return key->suite == SIGN_ED25519;
	if (key->purpose == KEY_SIGN_SM2)
		return key->suite == SIGN_SM2;
	return key->suite == SEAL_XCHACHA || key->suite == SEAL_SM4;
}

static bool key_is_sound(const struct keystore_key *key, uint32_t before, uint32_t next)
{
	bool gone = crypto_equal(key->secret, zeros, sizeof(zeros));

	return key->id > before && key->id < next && key->purpose > 0 && key->purpose < KEY_PURPOSES && key->state > 0 &&
	       key->state < KEY_STATES && suite_fits(key) && gone == (key->state == KEY_DESTROYED);
}

static bool header_is_sound(const struct keystore *store)
{
	bool passphrase = store->source == KEY_SOURCE_PASSPHRASE;

	return store->source > 0 && store->source < KEY_SOURCES &&
	       (store->suite == SEAL_XCHACHA || store->suite == SEAL_SM4) && store->mem_kib <= KEYSTORE_MEM_KIB_MAX &&
	       store->passes <= KEYSTORE_PASSES_MAX && (store->mem_kib > 0) == passphrase && (store->passes > 0) == passphrase;
}

static bool keys_are_sound(const struct keystore *store)
{
	uint32_t before = 0, active = 0;

	if (store->n_keys > KEYSTORE_KEYS_MAX || store->next_id == 0)
		return false;
	for (uint32_t i = 0; i < store->n_keys; i++) {
		const struct keystore_key *key = &store->keys[i];

		if (!key_is_sound(key, before, store->next_id))
			return false;
		before = key->id;
		if (key->state != KEY_ACTIVE)
			continue;
		if (active & 1u << key->purpose)
			return false;
		active |= 1u << key->purpose;
	}
	return true;
}

bool keystore_is_sound(const struct keystore *store)
{
	return header_is_sound(store) && keys_are_sound(store) && memchr(store->spent, '\0', sizeof(store->spent));
}

static void put_key(struct writer *w, const struct keystore_key *key)
{
	put_u32(w, key->id);
	put_u8(w, key->purpose);
	put_u8(w, key->state);
	put_u8(w, key->suite);
	put_u8(w, 0);
	put_i64(w, key->made_s);
	put_i64(w, key->active_s);
	put_i64(w, key->ended_s);
	put_u64(w, key->uses);
	put_u64(w, key->uses_max);
	put_i64(w, key->age_max_s);
	put_bytes(w, key->secret, sizeof(key->secret));
}

static void get_bytes(struct reader *r, uint8_t *ret, size_t len)
{
	struct view v = get_view(r, len);

	if (v.data)
		memcpy(ret, v.data, len);
}

static void get_key(struct reader *r, struct keystore_key *ret)
{
	ret->id = get_u32(r);
	ret->purpose = get_u8(r);
	ret->state = get_u8(r);
	ret->suite = get_u8(r);
	if (get_u8(r) != 0)
		r->bad = true;
	ret->made_s = get_i64(r);
	ret->active_s = get_i64(r);
	ret->ended_s = get_i64(r);
	ret->uses = get_u64(r);
	ret->uses_max = get_u64(r);
	ret->age_max_s = get_i64(r);
	get_bytes(r, ret->secret, sizeof(ret->secret));
}

static void get_keys(struct reader *r, struct keystore *ret)
{
	ret->n_keys = get_u16(r);
	if (ret->n_keys > KEYSTORE_KEYS_MAX) {
		r->bad = true;
		return;
	}
	for (uint32_t i = 0; i < ret->n_keys; i++)
		get_key(r, &ret->keys[i]);
}

static void put_body(struct writer *w, const struct keystore *store)
{
	put_bytes(w, store->gateway_id, sizeof(store->gateway_id));
	put_u64(w, store->starts);
	put_u32(w, store->next_id);
	put_text16(w, store->spent);
	put_u16(w, (uint16_t)store->n_keys);
	for (uint32_t i = 0; i < store->n_keys; i++)
		put_key(w, &store->keys[i]);
}

static bool get_body(const uint8_t *data, size_t len, struct keystore *ret)
{
	struct reader r = reader_over(data, len);
	struct view spent;

	get_bytes(&r, ret->gateway_id, sizeof(ret->gateway_id));
	ret->starts = get_u64(&r);
	ret->next_id = get_u32(&r);
	spent = get_text16(&r, KEYSTORE_PATH_MAX - 1);
	if (spent.len)
		memcpy(ret->spent, spent.data, spent.len);
	get_keys(&r, ret);
	return reader_is_done(&r) && keystore_is_sound(ret);
}

int keystore_write(const struct keystore *store, const struct seal_key *kek, uint8_t ret[KEYSTORE_FILE_MAX], size_t *ret_len)
{
	struct writer w = writer_over(ret, KEYSTORE_FILE_MAX);
	uint8_t nonce[SEAL_NONCE_LEN], tag[SEAL_TAG_LEN];
	size_t body;

	if (!keystore_is_sound(store) || seal_key_suite(kek) != store->suite || !text_is_utf8(store->spent, strlen(store->spent)))
		return -EINVAL;
	crypto_random(nonce, sizeof(nonce));
	memset(tag, 0, sizeof(tag));
	put_bytes(&w, file_magic, MAGIC_LEN);
	put_u16(&w, FILE_VERSION);
	put_u8(&w, store->source);
	put_u8(&w, store->suite);
	put_u32(&w, 0); /* the body's length, below */
	put_u64(&w, store->generation);
	put_bytes(&w, store->salt, sizeof(store->salt));
	put_u32(&w, store->mem_kib);
	put_u32(&w, store->passes);
	put_bytes(&w, nonce, sizeof(nonce));
	put_bytes(&w, tag, sizeof(tag));
	assert(writer_len(&w) == AT_BODY);
	put_body(&w, store);
	assert(!w.bad);
	body = writer_len(&w) - AT_BODY;
	put_at_u16(&w, AT_BODY_LEN, (uint16_t)body);
	seal_make(kek, nonce, ret, AT_TAG, ret + AT_BODY, body, ret + AT_BODY, ret + AT_TAG);
	*ret_len = AT_BODY + body;
	return 0;
}

int keystore_read_header(const void *data, size_t len, struct keystore *ret)
{
	struct reader r = reader_over(data, len);
	struct view magic = get_view(&r, MAGIC_LEN);
	uint16_t version = get_u16(&r);
	uint32_t body_len;

	if (r.bad || memcmp(magic.data, file_magic, MAGIC_LEN) != 0 || version == 0)
		return KEYSTORE_E_SYNTAX;
	if (version > FILE_VERSION)
		return KEYSTORE_E_NEWER;
	memset(ret, 0, sizeof(*ret));
	ret->source = get_u8(&r);
	ret->suite = get_u8(&r);
	body_len = get_u32(&r);
	ret->generation = get_u64(&r);
	get_bytes(&r, ret->salt, sizeof(ret->salt));
	ret->mem_kib = get_u32(&r);
	ret->passes = get_u32(&r);
	get_view(&r, AT_BODY - AT_NONCE);
	if (r.bad || len > KEYSTORE_FILE_MAX || body_len != reader_left(&r) || !header_is_sound(ret))
		return KEYSTORE_E_SYNTAX;
	return 0;
}

int keystore_read(const void *data, size_t len, const struct seal_key *kek, struct keystore *ret)
{
	int r = keystore_read_header(data, len, ret);
	const uint8_t *p = data;
	void *body = NULL;

	if (r)
		return r;
	if (seal_key_suite(kek) != ret->suite)
		return KEYSTORE_E_SEALED;
	r = crypto_guarded_new(len - AT_BODY + 1, &body);
	if (r)
		return r;
	if (seal_open(kek, p + AT_NONCE, p, AT_TAG, p + AT_BODY, len - AT_BODY, p + AT_TAG, body))
		r = KEYSTORE_E_SEALED;
	else if (!get_body(body, len - AT_BODY, ret))
		r = KEYSTORE_E_SYNTAX;
	if (r)
		crypto_wipe(ret, sizeof(*ret));
	crypto_guarded_free(body);
	return r;
}

int keystore_export(const struct keystore *store, void *ret, size_t cap, size_t *ret_len)
{
	struct writer w = writer_over(ret, cap);
	uint16_t n = 0;

	if (!keystore_is_sound(store))
		return -EINVAL;
	for (uint32_t i = 0; i < store->n_keys; i++)
		n = (uint16_t)(n + (store->keys[i].state != KEY_DESTROYED));
	put_bytes(&w, export_magic, MAGIC_LEN);
	put_u16(&w, EXPORT_VERSION);
	put_u64(&w, store->generation);
	put_u64(&w, store->starts);
	put_bytes(&w, store->gateway_id, sizeof(store->gateway_id));
	put_u32(&w, store->next_id);
	put_u16(&w, n);
	for (uint32_t i = 0; i < store->n_keys; i++) {
		if (store->keys[i].state != KEY_DESTROYED)
			put_key(&w, &store->keys[i]);
	}
	if (w.bad) {
		crypto_wipe(ret, cap);
		return -ENOSPC;
	}
	*ret_len = writer_len(&w);
	return 0;
}

int keystore_import(const void *data, size_t len, struct keystore *ret)
{
	struct reader r = reader_over(data, len);
	struct view magic = get_view(&r, MAGIC_LEN);
	uint16_t version = get_u16(&r);

	if (r.bad || memcmp(magic.data, export_magic, MAGIC_LEN) != 0 || version == 0)
		return KEYSTORE_E_SYNTAX;
	if (version > EXPORT_VERSION)
		return KEYSTORE_E_NEWER;
	memset(ret, 0, sizeof(*ret));
	ret->generation = get_u64(&r);
	ret->starts = get_u64(&r);
	get_bytes(&r, ret->gateway_id, sizeof(ret->gateway_id));
	ret->next_id = get_u32(&r);
	get_keys(&r, ret);
	for (uint32_t i = 0; i < ret->n_keys && !r.bad; i++)
		r.bad = ret->keys[i].state == KEY_DESTROYED;
	if (!reader_is_done(&r) || !keys_are_sound(ret)) {
		crypto_wipe(ret, sizeof(*ret));
		return KEYSTORE_E_SYNTAX;
	}
	return 0;
}
