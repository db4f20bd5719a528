/* Known answers that other libraries gave (tests/kat/make.py), put to every wrapper of sys/crypto, sys/seal, sys/sign, sys/box and
 * sys/stream: what is good is taken and gives the answer, what is bad is refused.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "sys/box.h"
#include "sys/crypto.h"
#include "sys/seal.h"
#include "sys/sign.h"
#include "sys/stream.h"

enum { FIELDS_MAX = 12, STREAM_MAX = 200 * 1024 };

/* A line: what, good or bad, and fields. Values are on the heap, each in a block of just its size. */
struct line {
	const char *where, *what;
	unsigned number;
	bool good;
	size_t n;
	struct {
		const char *name, *text;
		struct view bytes;
	} fields[FIELDS_MAX];
};

typedef void (*line_fn)(const struct line *line);
struct kind {
	const char *what;
	line_fn fn;
};

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

#define must(line, cond)                                                                                    \
	do {                                                                                                \
		if (!(cond))                                                                                \
			fail_msg("%s:%u: %s: not true: %s", (line)->where, (line)->number, (line)->what, #cond); \
	} while (0)

static const char *text_of(const struct line *line, const char *name)
{
	for (size_t i = 0; i < line->n; i++) {
		if (text_equal(line->fields[i].name, name))
			return line->fields[i].text;
	}
	return NULL;
}

static struct view bytes_of(const struct line *line, const char *name)
{
	for (size_t i = 0; i < line->n; i++) {
		if (text_equal(line->fields[i].name, name))
			return line->fields[i].bytes;
	}
	fail_msg("%s:%u: no %s", line->where, line->number, name);
	return (struct view){ 0 };
}

static unsigned number_of(const struct line *line, const char *name)
{
	const char *text = text_of(line, name);
	uint32_t n = 0;

	check_true(text != NULL);
	check_ok(text_to_u32(text, 0, UINT32_MAX, &n));
	return n;
}

static bool same(struct view want, const void *got, size_t len)
{
	return want.len == len && (len == 0 || memcmp(want.data, got, len) == 0);
}

/* What is no hex has no bytes. */
static struct view decode(const char *text)
{
	size_t len = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
	uint8_t *data = malloc(len ? len : 1);

	check_true(data != NULL);
	if (len && hex_parse(text, strlen(text), data, len) != 0)
		len = 0;
	return (struct view){ data, len };
}

static void line_parse(char *text, struct line *ret)
{
	char *save = NULL, *word;

	ret->what = strtok_r(text, " ", &save);
	word = strtok_r(NULL, " ", &save);
	ret->good = text_equal(word, "good");
	check_true(ret->good || text_equal(word, "bad"));
	ret->n = 0;
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *value = strchr(word, '=');

		check_true(value && ret->n < FIELDS_MAX);
		*value++ = '\0';
		ret->fields[ret->n].name = word;
		ret->fields[ret->n].text = value;
		ret->fields[ret->n++].bytes = decode(value);
	}
}

static void each_line(const char *name, const struct kind *kinds, size_t n_kinds, unsigned least_good, unsigned least_bad)
{
	unsigned good = 0, bad = 0;
	struct line line = { .where = name };
	char path[512], *text = NULL;
	size_t cap = 0;
	FILE *f;

	text_print(path, sizeof(path), "%s/tests/kat/vectors/%s", getenv("GW_SOURCE_ROOT"), name);
	f = fopen(path, "re");
	assert_non_null(f);
	for (ssize_t len; (len = getline(&text, &cap, f)) > 0;) {
		size_t i = 0;

		line.number++;
		text[len - 1] = '\0';
		if (text[0] == '#')
			continue;
		line_parse(text, &line);
		while (i < n_kinds && !text_equal(kinds[i].what, line.what))
			i++;
		must(&line, i < n_kinds);
		kinds[i].fn(&line);
		good += line.good;
		bad += !line.good;
		for (size_t j = 0; j < line.n; j++)
			free((void *)(uintptr_t)line.fields[j].bytes.data);
	}
	free(text);
	fclose(f);
	check_true(good >= least_good && bad >= least_bad);
}

/* --- sys/crypto ------------------------------------------------------------------------------------------------------- */

static void hash_line(const struct line *line)
{
	bool is_sha = text_equal(line->what, "sha256");
	struct view data = bytes_of(line, "data"), want = bytes_of(line, "hash");
	uint8_t got[CRYPTO_HASH_LEN];
	struct crypto_hash *hash = NULL;

	check_ok(crypto_hash_new(is_sha ? CRYPTO_SHA256 : CRYPTO_SM3, &hash));
	crypto_hash_add(hash, data.data, data.len / 3);
	crypto_hash_add(hash, data.data + data.len / 3, data.len - data.len / 3);
	crypto_hash_end(hash, got);
	crypto_hash_free(hash);
	must(line, same(want, got, sizeof(got)));
	if (is_sha) {
		crypto_sha256(data.data, data.len, got);
		must(line, same(want, got, sizeof(got)));
	}
}

static void hmac_line(const struct line *line)
{
	struct view key = bytes_of(line, "key"), data = bytes_of(line, "data");
	uint8_t got[CRYPTO_HASH_LEN];

	crypto_hmac_sha256(key.data, key.len, data.data, data.len, got);
	must(line, same(bytes_of(line, "mac"), got, sizeof(got)));
}

static void argon2_key_line(const struct line *line)
{
	struct view password = bytes_of(line, "password"), salt = bytes_of(line, "salt");
	const struct crypto_password_cost cost = { number_of(line, "mem"), number_of(line, "passes") };
	uint8_t got[CRYPTO_HASH_LEN];

	must(line, salt.len == CRYPTO_SALT_LEN);
	check_ok(crypto_password_key((const char *)password.data, password.len, salt.data, cost, got));
	must(line, same(bytes_of(line, "key"), got, sizeof(got)));
}

static void argon2_text_line(const struct line *line)
{
	struct view password = bytes_of(line, "password"), text = bytes_of(line, "text");
	char hash[CRYPTO_PASSWORD_HASH_LEN] = "";
	int r;

	must(line, text.len < sizeof(hash));
	memcpy(hash, text.data, text.len);
	r = crypto_password_verify(hash, (const char *)password.data, password.len);
	must(line, line->good ? r == 0 : r == CRYPTO_E_MISMATCH || r == -EBADMSG);
}

static void crypto_vectors(void **state)
{
	static const struct kind kinds[] = { { "sha256", hash_line }, { "sm3", hash_line }, { "hmac", hmac_line },
					     { "argon2-key", argon2_key_line }, { "argon2-text", argon2_text_line } };

	(void)state;
	each_line("crypto.txt", kinds, N_ELEMENTS(kinds), 100, 30);
}

/* --- sys/seal --------------------------------------------------------------------------------------------------------- */

static struct seal_key *seal_key_of(const struct line *line)
{
	struct view key = bytes_of(line, "key");
	struct seal_key *ret = NULL;

	must(line, key.len == SEAL_KEY_LEN);
	check_ok(seal_key_new((enum seal_suite)number_of(line, "suite"), key.data, &ret));
	return ret;
}

static void seal_line(const struct line *line)
{
	struct view nonce = bytes_of(line, "nonce"), aad = bytes_of(line, "aad"), text = bytes_of(line, "text");
	struct view sealed = bytes_of(line, "sealed"), tag = bytes_of(line, "tag");
	struct seal_key *key = seal_key_of(line);
	uint8_t *out = malloc(sealed.len + 1), made[SEAL_TAG_LEN];
	int r;

	memset(out, 0xaa, sealed.len + 1);
	must(line, nonce.len == SEAL_NONCE_LEN && tag.len == SEAL_TAG_LEN);
	r = seal_open(key, nonce.data, aad.data, aad.len, sealed.data, sealed.len, tag.data, out);
	must(line, r == (line->good ? 0 : CRYPTO_E_MISMATCH));
	must(line, out[sealed.len] == 0xaa);
	if (line->good) {
		must(line, same(text, out, sealed.len));
		seal_make(key, nonce.data, aad.data, aad.len, text.data, text.len, out, made);
		must(line, same(sealed, out, text.len) && same(tag, made, sizeof(made)));
		/* In place. */
		must(line, seal_open(key, nonce.data, aad.data, aad.len, out, sealed.len, tag.data, out) == 0);
		must(line, same(text, out, sealed.len));
	} else {
		for (size_t i = 0; i < sealed.len; i++)
			must(line, out[i] == 0);
	}
	free(out);
	seal_key_free(key);
}

static void derive_line(const struct line *line)
{
	struct view key = bytes_of(line, "key"), label = bytes_of(line, "label");
	char text[256] = "";
	uint8_t got[SEAL_KEY_LEN];

	memcpy(text, label.data, label.len);
	check_ok(seal_derive((enum seal_suite)number_of(line, "suite"), key.data, text, got));
	must(line, same(bytes_of(line, "result"), got, sizeof(got)));
}

static void mask_line(const struct line *line)
{
	struct view data = bytes_of(line, "data");
	struct seal_key *key = seal_key_of(line);
	uint8_t *got = malloc(data.len + 1);

	memcpy(got, data.data, data.len);
	seal_mask(key, bytes_of(line, "nonce").data, got, data.len);
	must(line, same(bytes_of(line, "masked"), got, data.len));
	seal_mask(key, bytes_of(line, "nonce").data, got, data.len);
	must(line, same(data, got, data.len));
	free(got);
	seal_key_free(key);
}

static void seal_vectors(void **state)
{
	static const struct kind kinds[] = { { "seal", seal_line }, { "derive", derive_line }, { "mask", mask_line } };

	(void)state;
	each_line("seal.txt", kinds, N_ELEMENTS(kinds), 120, 300);
}

/* --- sys/sign --------------------------------------------------------------------------------------------------------- */

static void sign_line(const struct line *line)
{
	enum sign_kind kind = (enum sign_kind)number_of(line, "kind");
	struct view secret = bytes_of(line, "secret"), public = bytes_of(line, "public"), data = bytes_of(line, "data");
	struct view signature = bytes_of(line, "signature");
	struct sign_public pub = { .kind = (uint8_t)kind, .len = (uint8_t)public.len }, mine;
	struct sign_key *key = NULL;
	uint8_t made[SIGN_LEN];
	int r;

	must(line, public.len <= SIGN_PUBLIC_MAX && signature.len == SIGN_LEN && secret.len == SIGN_SECRET_LEN);
	memcpy(pub.data, public.data, public.len);
	r = sign_check(&pub, data.data, data.len, signature.data);
	must(line, r == (line->good ? 0 : CRYPTO_E_MISMATCH));
	if (!line->good)
		return;
	check_ok(sign_key_new(kind, secret.data, &key));
	mine = sign_key_public(key);
	must(line, same(public, mine.data, mine.len));
	check_ok(sign_make(key, data.data, data.len, made));
	must(line, kind == SIGN_SM2 || same(signature, made, sizeof(made)));
	check_ok(sign_check(&pub, data.data, data.len, made));
	sign_key_free(key);
}

static void sign_vectors(void **state)
{
	static const struct kind kinds[] = { { "sign", sign_line } };

	(void)state;
	each_line("sign.txt", kinds, N_ELEMENTS(kinds), 20, 140);
}

/* --- sys/box ---------------------------------------------------------------------------------------------------------- */

static void box_line(const struct line *line)
{
	enum box_kind kind = (enum box_kind)number_of(line, "kind");
	struct view key = bytes_of(line, "secret"), sealed = bytes_of(line, "sealed"), text = bytes_of(line, "text");
	struct secret *secret = NULL;
	struct box_public public;
	uint8_t got[BOX_TEXT_MAX], again[BOX_SEALED_MAX];
	size_t len = 0, again_len = 0;
	int r;

	check_ok(secret_new(key.data, key.len, &secret));
	r = box_open(kind, secret, sealed.data, sealed.len, got, &len);
	must(line, r == (line->good ? 0 : CRYPTO_E_MISMATCH));
	if (line->good) {
		must(line, same(text, got, len));
		check_ok(box_public_of(kind, secret, &public));
		must(line, same(bytes_of(line, "public"), public.data, public.len));
		check_ok(box_seal(&public, text.data, text.len, again, &again_len));
		check_ok(box_open(kind, secret, again, again_len, got, &len));
		must(line, same(text, got, len));
	}
	secret_free(secret);
}

static void box_vectors(void **state)
{
	static const struct kind kinds[] = { { "box", box_line } };

	(void)state;
	each_line("box.txt", kinds, N_ELEMENTS(kinds), 14, 150);
}

/* --- sys/stream ------------------------------------------------------------------------------------------------------- */

/* The good stream that the bad ones after it are of. */
static struct {
	enum seal_suite suite;
	size_t len, n_aad, n_text;
	uint8_t key[SEAL_KEY_LEN], aad[64], sealed[STREAM_MAX];
} stream;

static int stream_read_all(const uint8_t *sealed, size_t len, const uint8_t *key, const uint8_t *aad, size_t n_aad, size_t n_text, size_t step)
{
	static uint8_t piece[STREAM_CHUNK_MAX];
	struct stream_reader *reader = NULL;
	int fd = memfd_create("kat", MFD_CLOEXEC), r;

	check_true(fd >= 0 && write(fd, sealed, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	r = stream_reader_new(fd, stream.suite, key, aad, n_aad, &reader);
	for (size_t at = 0; r == 0 && at < n_text;) {
		size_t n = n_text - at < step ? n_text - at : step;

		r = stream_read(reader, piece, n);
		for (size_t i = 0; r == 0 && i < n; i++)
			check_uint(piece[i], (uint8_t)((at + i) * 131 + (at + i) / 256));
		at += n;
	}
	if (r == 0)
		r = stream_read_end(reader);
	stream_reader_free(reader);
	close(fd);
	return r;
}

static void stream_remember(const struct line *line)
{
	struct view key = bytes_of(line, "key"), aad = bytes_of(line, "aad"), sealed = bytes_of(line, "sealed");

	must(line, sealed.len <= sizeof(stream.sealed) && aad.len <= sizeof(stream.aad) && key.len == SEAL_KEY_LEN);
	stream.suite = (enum seal_suite)number_of(line, "suite");
	stream.len = sealed.len;
	stream.n_aad = aad.len;
	memcpy(stream.key, key.data, key.len);
	memcpy(stream.aad, aad.data, aad.len);
	memcpy(stream.sealed, sealed.data, sealed.len);
}

/* What a bad line does to the good stream before it. */
static size_t stream_spoil(const struct line *line, uint8_t *ret)
{
	const char *drop = text_of(line, "drop");
	size_t len = stream.len;

	memcpy(ret, stream.sealed, len);
	if (text_of(line, "flip"))
		ret[number_of(line, "flip") / 8] ^= (uint8_t)(1 << number_of(line, "flip") % 8);
	if (text_of(line, "cut"))
		len = number_of(line, "cut");
	if (text_of(line, "append")) {
		struct view more = bytes_of(line, "append");

		must(line, len + more.len <= STREAM_MAX);
		memcpy(ret + len, more.data, more.len);
		len += more.len;
	}
	if (drop) {
		unsigned from, n;

		must(line, sscanf(drop, "%u,%u", &from, &n) == 2 && from + n < len);
		memmove(ret + from, ret + from + n, len - from - n);
		len -= n;
	}
	return len;
}

static void stream_line(const struct line *line)
{
	static uint8_t bad[STREAM_MAX];
	struct view key, aad;
	size_t len;

	if (line->good) {
		stream_remember(line);
		stream.n_text = number_of(line, "len");
		for (size_t step = 7; step <= STREAM_CHUNK_MAX; step = step * 90 > STREAM_CHUNK_MAX && step < STREAM_CHUNK_MAX ? STREAM_CHUNK_MAX : step * 90)
			must(line, stream_read_all(stream.sealed, stream.len, stream.key, stream.aad, stream.n_aad, stream.n_text, step) == 0);
		/* It holds no byte more than that. */
		must(line, stream_read_all(stream.sealed, stream.len, stream.key, stream.aad, stream.n_aad, stream.n_text + 1, STREAM_CHUNK_MAX) != 0);
		return;
	}
	len = stream_spoil(line, bad);
	key = text_of(line, "key") ? bytes_of(line, "key") : (struct view){ stream.key, SEAL_KEY_LEN };
	aad = text_of(line, "aad") ? bytes_of(line, "aad") : (struct view){ stream.aad, stream.n_aad };
	must(line, stream_read_all(bad, len, key.data, aad.data, aad.len, stream.n_text, STREAM_CHUNK_MAX) > 0);
}

static void stream_whole_line(const struct line *line)
{
	stream_remember(line);
	must(line, stream_read_all(stream.sealed, stream.len, stream.key, stream.aad, stream.n_aad, 50, 50) > 0);
}

static void stream_vectors(void **state)
{
	static const struct kind kinds[] = { { "stream", stream_line }, { "stream-whole", stream_whole_line } };

	(void)state;
	each_line("stream.txt", kinds, N_ELEMENTS(kinds), 8, 100);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup(crypto_vectors, setup), cmocka_unit_test_setup(seal_vectors, setup),
		cmocka_unit_test_setup(sign_vectors, setup),   cmocka_unit_test_setup(box_vectors, setup),
		cmocka_unit_test_setup(stream_vectors, setup),
	};

	return CHECK_RUN(rows);
}
