/* libgcrypt's answers, for make.py: a line "op arg arg ..." on the input, arguments in hex ("-" is empty), a line in hex out.
 * Numbers are decimal. A wrong line ends it.
 */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS = 8, LINE = 1 << 20 };

struct bytes {
	unsigned char *data;
	size_t len;
	long number;
};

static void die(const char *what)
{
	fprintf(stderr, "gcrypt: %s\n", what);
	exit(1);
}

static void must(gcry_error_t e)
{
	if (e)
		die(gcry_strerror(e));
}

static struct bytes from_hex(const char *hex)
{
	struct bytes b = { .number = atol(hex) };

	if (strcmp(hex, "-") == 0)
		hex = "";
	b.len = strlen(hex) / 2;
	b.data = calloc(1, b.len + 1);
	for (size_t i = 0; i < b.len; i++) {
		unsigned byte = 0;

		sscanf(hex + 2 * i, "%2x", &byte);
		b.data[i] = (unsigned char)byte;
	}
	return b;
}

static void say(const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	puts(len ? "" : "-");
	fflush(stdout);
}

static void hash(int algo, struct bytes data)
{
	unsigned char out[64];

	gcry_md_hash_buffer(algo, out, data.data, data.len);
	say(out, gcry_md_get_algo_dlen(algo));
}

static void hmac(int algo, struct bytes key, struct bytes data)
{
	gcry_mac_hd_t h;
	unsigned char out[64];
	size_t len = sizeof(out);

	must(gcry_mac_open(&h, algo, 0, NULL));
	must(gcry_mac_setkey(h, key.data, key.len));
	must(gcry_mac_write(h, data.data, data.len));
	must(gcry_mac_read(h, out, &len));
	say(out, len);
	gcry_mac_close(h);
}

/* password, salt, passes, KiB, bytes wanted */
static void argon2id(const struct bytes *a)
{
	unsigned long params[4] = { (unsigned long)a[4].number, (unsigned long)a[2].number, (unsigned long)a[3].number, 1 };
	unsigned char out[64];
	gcry_kdf_hd_t h;

	must(gcry_kdf_open(&h, GCRY_KDF_ARGON2, GCRY_KDF_ARGON2ID, params, 4, a[0].data, a[0].len, a[1].data, a[1].len, NULL, 0,
			   NULL, 0));
	must(gcry_kdf_compute(h, NULL));
	must(gcry_kdf_final(h, params[0], out));
	gcry_kdf_close(h);
	say(out, params[0]);
}

/* key, nonce, bytes of the stream to pass over, text */
static void stream(int algo, const struct bytes *a)
{
	gcry_cipher_hd_t h;
	size_t skip = (size_t)a[2].number, len = skip + a[3].len;
	unsigned char *data = calloc(1, len + 1);

	memcpy(data + skip, a[3].data, a[3].len);
	must(gcry_cipher_open(&h, algo, GCRY_CIPHER_MODE_STREAM, 0));
	must(gcry_cipher_setkey(h, a[0].data, a[0].len));
	must(gcry_cipher_setiv(h, a[1].data, a[1].len));
	must(gcry_cipher_encrypt(h, data, len, NULL, 0));
	say(data + skip, a[3].len);
	gcry_cipher_close(h);
	free(data);
}

/* key, counter block, text */
static void sm4ctr(const struct bytes *a)
{
	gcry_cipher_hd_t h;

	must(gcry_cipher_open(&h, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_CTR, 0));
	must(gcry_cipher_setkey(h, a[0].data, a[0].len));
	must(gcry_cipher_setctr(h, a[1].data, a[1].len));
	must(gcry_cipher_encrypt(h, a[2].data, a[2].len, NULL, 0));
	say(a[2].data, a[2].len);
	gcry_cipher_close(h);
}

/* key, nonce (12), aad, text: the text sealed, and the tag behind it */
static void chachapoly(const struct bytes *a)
{
	gcry_cipher_hd_t h;
	unsigned char *out = calloc(1, a[3].len + 16);

	must(gcry_cipher_open(&h, GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305, 0));
	must(gcry_cipher_setkey(h, a[0].data, a[0].len));
	must(gcry_cipher_setiv(h, a[1].data, a[1].len));
	must(gcry_cipher_authenticate(h, a[2].data, a[2].len));
	must(gcry_cipher_encrypt(h, out, a[3].len, a[3].data, a[3].len));
	must(gcry_cipher_gettag(h, out + a[3].len, 16));
	say(out, a[3].len + 16);
	gcry_cipher_close(h);
	free(out);
}

/* scalar, point: RFC 7748 */
static void x25519(struct bytes scalar, struct bytes point)
{
	unsigned char out[32];

	must(gcry_ecc_mul_point(GCRY_ECC_CURVE25519, out, scalar.data, point.len ? point.data : NULL));
	say(out, sizeof(out));
}

static void token(gcry_sexp_t list, const char *name, unsigned char *ret)
{
	gcry_sexp_t found = gcry_sexp_find_token(list, name, 0);
	size_t len = 0;
	const char *data = found ? gcry_sexp_nth_data(found, 1, &len) : NULL;

	if (!data || len > 33)
		die("no such part");
	memset(ret, 0, 32);
	if (len == 33) { /* a leading zero */
		data++;
		len--;
	}
	memcpy(ret + 32 - len, data, len);
	gcry_sexp_release(found);
}

/* secret, public, message */
static void ed25519(const struct bytes *a)
{
	gcry_sexp_t key, data, sig;
	unsigned char out[64];

	must(gcry_sexp_build(&key, NULL, "(private-key (ecc (curve Ed25519) (flags eddsa) (q %b) (d %b)))", (int)a[1].len, a[1].data,
			     (int)a[0].len, a[0].data));
	must(gcry_sexp_build(&data, NULL, "(data (flags eddsa) (hash-algo sha512) (value %b))", (int)a[2].len, a[2].data));
	must(gcry_pk_sign(&sig, data, key));
	token(sig, "r", out);
	token(sig, "s", out + 32);
	say(out, sizeof(out));
}

/* public (04 x y), e (the hash that is signed, 32), signature (r s): 01 good, 00 bad */
static void sm2_verify(const struct bytes *a)
{
	gcry_sexp_t key, data, sig;
	gcry_error_t e;
	unsigned char out;

	must(gcry_sexp_build(&key, NULL, "(public-key (ecc (curve sm2p256v1) (flags sm2) (q %b)))", (int)a[0].len, a[0].data));
	must(gcry_sexp_build(&data, NULL, "(data (flags sm2) (hash sm3 %b))", (int)a[1].len, a[1].data));
	must(gcry_sexp_build(&sig, NULL, "(sig-val (sm2 (r %b) (s %b)))", 32, a[2].data, 32, a[2].data + 32));
	e = gcry_pk_verify(sig, data, key);
	out = e == 0;
	say(&out, 1);
}

/* secret, public, C1 (04 x y), C3, C2: the text; 00 when it does not open */
static void sm2_decrypt(const struct bytes *a)
{
	gcry_sexp_t key, data, text;
	size_t len = 0;
	const char *plain;

	must(gcry_sexp_build(&key, NULL, "(private-key (ecc (curve sm2p256v1) (flags sm2) (q %b) (d %b)))", (int)a[1].len, a[1].data,
			     (int)a[0].len, a[0].data));
	must(gcry_sexp_build(&data, NULL, "(enc-val (flags sm2) (sm2 (a %b) (b %b) (c %b)))", (int)a[2].len, a[2].data, (int)a[3].len,
			     a[3].data, (int)a[4].len, a[4].data));
	if (gcry_pk_decrypt(&text, data, key)) {
		say((const unsigned char *)"", 1);
		return;
	}
	plain = gcry_sexp_nth_data(gcry_sexp_find_token(text, "value", 0), 1, &len);
	if (!plain)
		plain = gcry_sexp_nth_data(text, 1, &len);
	say((const unsigned char *)plain, len);
}

static int answer(const char *op, const struct bytes *a)
{
	if (strcmp(op, "sha256") == 0)
		hash(GCRY_MD_SHA256, a[0]);
	else if (strcmp(op, "sm3") == 0)
		hash(GCRY_MD_SM3, a[0]);
	else if (strcmp(op, "hmac-sha256") == 0)
		hmac(GCRY_MAC_HMAC_SHA256, a[0], a[1]);
	else if (strcmp(op, "hmac-sm3") == 0)
		hmac(GCRY_MAC_HMAC_SM3, a[0], a[1]);
	else if (strcmp(op, "poly1305") == 0)
		hmac(GCRY_MAC_POLY1305, a[0], a[1]);
	else if (strcmp(op, "argon2id") == 0)
		argon2id(a);
	else if (strcmp(op, "chacha20") == 0)
		stream(GCRY_CIPHER_CHACHA20, a);
	else if (strcmp(op, "salsa20") == 0)
		stream(GCRY_CIPHER_SALSA20, a);
	else if (strcmp(op, "sm4ctr") == 0)
		sm4ctr(a);
	else if (strcmp(op, "chachapoly") == 0)
		chachapoly(a);
	else if (strcmp(op, "x25519") == 0)
		x25519(a[0], a[1]);
	else if (strcmp(op, "ed25519") == 0)
		ed25519(a);
	else if (strcmp(op, "sm2-verify") == 0)
		sm2_verify(a);
	else if (strcmp(op, "sm2-decrypt") == 0)
		sm2_decrypt(a);
	else
		return -1;
	return 0;
}

int main(void)
{
	char *line = malloc(LINE), *save = NULL;

	if (!gcry_check_version("1.10.0"))
		die("older than 1.10");
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	while (fgets(line, LINE, stdin)) {
		struct bytes args[ARGS] = { { 0 } };
		char *op = strtok_r(line, " \n", &save), *word;

		for (size_t i = 0; i < ARGS && (word = strtok_r(NULL, " \n", &save)); i++)
			args[i] = from_hex(word);
		if (!op || answer(op, args))
			die("no such question");
		for (size_t i = 0; i < ARGS; i++)
			free(args[i].data);
	}
	free(line);
	return 0;
}
