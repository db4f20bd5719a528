#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "sys/sign.h"

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

static void from_hex(const char *hex, void *ret, size_t len)
{
	check_ok(hex_parse(hex, strlen(hex), ret, len));
}

/* RFC 8032, section 7.1: TEST 1, TEST 2, TEST 3. */
static void ed25519_of_the_rfc(void **state)
{
	static const struct {
		const char *secret, *public, *message, *signature;
	} rows[] = {
		{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
		  "d25bf5f0595bbe24655141438e7a100b" },
		{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
		  "387b2eaeb4302aeeb00d291612bb0c00" },
		{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
		  "4a7c15e9716ed28dc027beceea1ec40a" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t secret[SIGN_SECRET_LEN], public[32], message[2], want[SIGN_LEN], got[SIGN_LEN];
		size_t len = strlen(rows[i].message) / 2;
		struct sign_key *key = NULL;
		struct sign_public pub;

		from_hex(rows[i].secret, secret, sizeof(secret));
		from_hex(rows[i].public, public, sizeof(public));
		from_hex(rows[i].message, message, len);
		from_hex(rows[i].signature, want, sizeof(want));
		check_ok(sign_key_new(SIGN_ED25519, secret, &key));
		pub = sign_key_public(key);
		check_int(pub.kind, SIGN_ED25519);
		check_bytes(pub.data, pub.len, public, sizeof(public));
		check_ok(sign_make(key, message, len, got));
		check_bytes(got, sizeof(got), want, sizeof(want));
		check_ok(sign_check(&pub, message, len, want));
		check_true(!sign_key_free(key));
	}
	check_true(!sign_key_free(NULL));
}

/* GB/T 32918.5-2017, annex A: the recommended curve, id 1234567812345678, message "message digest". */
#define SM2_SECRET "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
#define SM2_PUBLIC "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" \
		   "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
#define SM2_SIGNATURE "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3" \
		      "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"

static void sm2_of_the_standard(void **state)
{
	uint8_t secret[SIGN_SECRET_LEN], public[SIGN_PUBLIC_MAX], want[SIGN_LEN], one[SIGN_LEN], two[SIGN_LEN];
	struct sign_key *key = NULL;
	struct sign_public pub;

	(void)state;
	from_hex(SM2_SECRET, secret, sizeof(secret));
	from_hex(SM2_PUBLIC, public, sizeof(public));
	from_hex(SM2_SIGNATURE, want, sizeof(want));
	check_ok(sign_key_new(SIGN_SM2, secret, &key));
	pub = sign_key_public(key);
	check_int(pub.kind, SIGN_SM2);
	check_bytes(pub.data, pub.len, public, sizeof(public));
	check_ok(sign_check(&pub, "message digest", 14, want));
	/* Each signature has a fresh random number. */
	check_ok(sign_make(key, "message digest", 14, one));
	check_ok(sign_make(key, "message digest", 14, two));
	check_true(memcmp(one, two, sizeof(one)) != 0);
	check_ok(sign_check(&pub, "message digest", 14, one));
	check_ok(sign_check(&pub, "message digest", 14, two));
	sign_key_free(key);
}

static void a_wrong_signature_is_refused(void **state)
{
	static const enum sign_kind kinds[] = { SIGN_ED25519, SIGN_SM2 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		uint8_t secret[SIGN_SECRET_LEN], sig[SIGN_LEN], bad[SIGN_LEN];
		struct sign_key *key = NULL, *other = NULL;
		struct sign_public pub, wrong;

		check_ok(sign_secret_new(kinds[i], secret));
		check_ok(sign_key_new(kinds[i], secret, &key));
		check_ok(sign_secret_new(kinds[i], secret));
		check_ok(sign_key_new(kinds[i], secret, &other));
		pub = sign_key_public(key);
		wrong = sign_key_public(other);
		check_ok(sign_make(key, "what it says", 12, sig));
		check_ok(sign_check(&pub, "what it says", 12, sig));
		check_int(sign_check(&pub, "what it saye", 12, sig), CRYPTO_E_MISMATCH);
		check_int(sign_check(&pub, "what it says", 11, sig), CRYPTO_E_MISMATCH);
		check_int(sign_check(&wrong, "what it says", 12, sig), CRYPTO_E_MISMATCH);
		for (size_t at = 0; at < SIGN_LEN; at++) {
			memcpy(bad, sig, sizeof(bad));
			bad[at] ^= 0x10;
			check_int(sign_check(&pub, "what it says", 12, bad), CRYPTO_E_MISMATCH);
		}
		memset(bad, 0, sizeof(bad));
		check_int(sign_check(&pub, "what it says", 12, bad), CRYPTO_E_MISMATCH);
		memset(bad, 0xff, sizeof(bad));
		check_int(sign_check(&pub, "what it says", 12, bad), CRYPTO_E_MISMATCH);
		/* A public key that is none: too short, of no kind, no point. */
		wrong = pub;
		wrong.len--;
		check_int(sign_check(&wrong, "", 0, sig), -EINVAL);
		wrong = pub;
		wrong.kind = 3;
		check_int(sign_check(&wrong, "", 0, sig), -EINVAL);
		memset(wrong.data, 0x04, sizeof(wrong.data));
		wrong.kind = pub.kind;
		check_int(sign_check(&wrong, "", 0, sig), CRYPTO_E_MISMATCH);
		sign_key_free(key);
		sign_key_free(other);
	}
}

/* The order n of the curve less one and above, and zero, are no private keys. */
static void sm2_scalars_are_in_range(void **state)
{
	static const struct {
		const char *secret;
		int want;
	} rows[] = {
		{ "0000000000000000000000000000000000000000000000000000000000000000", -EINVAL },
		{ "0000000000000000000000000000000000000000000000000000000000000001", 0 },
		{ "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121", 0 },
		{ "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122", -EINVAL },
		{ "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123", -EINVAL },
		{ "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", -EINVAL },
	};
	uint8_t secret[SIGN_SECRET_LEN], sig[SIGN_LEN];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct sign_key *key = NULL;

		from_hex(rows[i].secret, secret, sizeof(secret));
		check_int(sign_key_new(SIGN_SM2, secret, &key), rows[i].want);
		if (rows[i].want == 0) {
			struct sign_public pub = sign_key_public(key);

			check_ok(sign_make(key, "x", 1, sig));
			check_ok(sign_check(&pub, "x", 1, sig));
		}
		sign_key_free(key);
	}
	for (int i = 0; i < 200; i++) {
		struct sign_key *key = NULL;

		check_ok(sign_secret_new(SIGN_SM2, secret));
		check_ok(sign_key_new(SIGN_SM2, secret, &key));
		sign_key_free(key);
	}
	check_int(sign_secret_new((enum sign_kind)3, secret), -EINVAL);
	check_int(sign_key_new((enum sign_kind)3, secret, &(struct sign_key *){ NULL }), -EINVAL);
}

/* The halves of a key, forwards and backwards, in a page that is read-only when anybody looks: so a needle does not find itself. */
struct needle {
	uint8_t parts[4][SIGN_SECRET_LEN / 2];
};

static unsigned hits_in(const uint8_t *data, size_t len, const struct needle *needle)
{
	unsigned n = 0;

	for (size_t i = 0; i < N_ELEMENTS(needle->parts); i++)
		n += memmem(data, len, needle->parts[i], sizeof(needle->parts[i])) != NULL;
	return n;
}

/* As the kernel reads it, which says no where there is nothing; the sanitizer does not look on. Nor does it need a /proc/self/mem,
 * which an emulator of processors has not. */
static size_t copy_out(const int fds[2], uintptr_t from, size_t len, uint8_t *ret)
{
	size_t got = 0;
	long n = syscall(SYS_write, fds[1], from, len);

	while (n > 0 && got < (size_t)n) {
		ssize_t more = read(fds[0], ret + got, (size_t)n - got);

		check_true(more > 0);
		got += (size_t)more;
	}
	return got;
}

/* In how many places of this process's ordinary (readable and writable) memory a part of it stands. */
static unsigned hits_in_memory(const struct needle *needle)
{
	enum { MAPPING_MAX = 64 << 20, STEP = 32768, OVERLAP = 15 }; /* larger: the sanitizer's shadow */
	static uint8_t buf[OVERLAP + STEP];
	static char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned n = 0;
	int fds[2];

	check_true(maps && pipe2(fds, O_CLOEXEC) == 0);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t from, to;
		char mode[5];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, mode) != 3 || memcmp(mode, "rw", 2) != 0 ||
		    to - from > MAPPING_MAX)
			continue;
		memset(buf, 0, OVERLAP);
		while (from < to) {
			size_t got = copy_out(fds, (uintptr_t)from, to - from < STEP ? (size_t)(to - from) : STEP, buf + OVERLAP);

			if (got == 0)
				break;
			if ((uintptr_t)buf < from || (uintptr_t)buf >= from + got)
				n += hits_in(buf, OVERLAP + got, needle);
			memmove(buf, buf + got, OVERLAP);
			from += got;
		}
	}
	close(fds[0]);
	close(fds[1]);
	fclose(maps);
	return n;
}

/* In a function of its own, so that the plain bytes are wiped before anybody looks. */
__attribute__((noinline)) static struct sign_key *key_and_needle(enum sign_kind kind, struct needle *ret)
{
	uint8_t secret[SIGN_SECRET_LEN];
	struct sign_key *key = NULL;

	check_ok(sign_secret_new(kind, secret));
	for (size_t i = 0; i < SIGN_SECRET_LEN; i++) {
		ret->parts[i / 16][i % 16] = secret[i];
		ret->parts[2 + i / 16][i % 16] = secret[SIGN_SECRET_LEN - 1 - i];
	}
	check_ok(mprotect(ret, sizeof(*ret), PROT_READ));
	check_ok(sign_key_new(kind, secret, &key));
	crypto_wipe(secret, sizeof(secret));
	return key;
}

static void no_private_key_stays_in_ordinary_memory(void **state)
{
	static const enum sign_kind kinds[] = { SIGN_ED25519, SIGN_SM2 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		struct needle *needle =
			mmap(NULL, sizeof(*needle), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct sign_key *key = key_and_needle(kinds[i], needle);
		uint8_t sig[SIGN_LEN], *copy = malloc(16);

		for (int j = 0; j < 8; j++)
			check_ok(sign_make(key, "message", 7, sig));
		check_uint(hits_in_memory(needle), 0);
		/* The search does find one, whichever half and way round. */
		for (size_t part = 0; part < N_ELEMENTS(needle->parts); part++) {
			memcpy(copy, needle->parts[part], 16);
			check_true(hits_in_memory(needle) > 0);
		}
		crypto_wipe(copy, 16);
		check_uint(hits_in_memory(needle), 0);
		free(copy);
		sign_key_free(key);
		check_uint(hits_in_memory(needle), 0);
		munmap(needle, sizeof(*needle));
	}
}

static void as_text_and_back(void **state)
{
	(void)state;
	for (int kind = SIGN_ED25519; kind <= SIGN_SM2; kind++) {
		uint8_t secret[SIGN_SECRET_LEN];
		struct sign_key *key;
		struct sign_public public, again;
		char text[SIGN_TEXT_MAX];

		check_ok(sign_secret_new((enum sign_kind)kind, secret));
		check_ok(sign_key_new((enum sign_kind)kind, secret, &key));
		public = sign_key_public(key);
		sign_public_print(&public, text);
		check_ok(sign_public_parse(text, &again));
		check_bytes(again.data, again.len, public.data, public.len);
		check_int(again.kind, kind);
		text[strlen(text) - 1] = 0;
		check_int(sign_public_parse(text, &again), CRYPTO_E_SYNTAX);
		check_int(sign_public_parse("gw-x25519-pub:AAAA", &again), CRYPTO_E_SYNTAX);
		sign_key_free(key);
	}
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup(as_text_and_back, setup),
		cmocka_unit_test_setup(ed25519_of_the_rfc, setup),
		cmocka_unit_test_setup(sm2_of_the_standard, setup),
		cmocka_unit_test_setup(a_wrong_signature_is_refused, setup),
		cmocka_unit_test_setup(sm2_scalars_are_in_range, setup),
		cmocka_unit_test_setup(no_private_key_stays_in_ordinary_memory, setup),
	};

	return CHECK_RUN(rows);
}
