#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "sys/crypto.h"

static void check_hex(const uint8_t *got, size_t len, const char *want)
{
	char hex[2 * 64 + 1];

	hex_print(got, len, hex);
	check_text(hex, want);
}

/* FIPS 180-4 and GB/T 32905-2016 examples. */
static void hashes(void **state)
{
	static const struct {
		enum crypto_hash_kind kind;
		const char *text, *want;
	} rows[] = {
		{ CRYPTO_SHA256, "",
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ CRYPTO_SHA256, "abc",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ CRYPTO_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ CRYPTO_SM3, "abc",
		  "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" },
		{ CRYPTO_SM3, "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
		  "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct crypto_hash *hash = NULL;
		uint8_t got[CRYPTO_HASH_LEN];
		size_t len = strlen(rows[i].text);

		check_ok(crypto_hash_new(rows[i].kind, &hash));
		crypto_hash_add(hash, rows[i].text, len);
		crypto_hash_end(hash, got);
		check_hex(got, sizeof(got), rows[i].want);
		/* _end has reset it; a reset forgets; bytes one at a time give the same. */
		crypto_hash_add(hash, "x", 1);
		crypto_hash_reset(hash);
		for (size_t j = 0; j < len; j++)
			crypto_hash_add(hash, rows[i].text + j, 1);
		crypto_hash_end(hash, got);
		check_hex(got, sizeof(got), rows[i].want);
		if (rows[i].kind == CRYPTO_SHA256) {
			crypto_sha256(rows[i].text, len, got);
			check_hex(got, sizeof(got), rows[i].want);
		}
		check_true(!crypto_hash_free(hash));
	}
	check_true(!crypto_hash_free(NULL));
}

static void hash_of_a_file(void **state)
{
	uint8_t got[CRYPTO_HASH_LEN], want[CRYPTO_HASH_LEN];
	static char data[50000];
	int fds[2], fd = memfd_create("x", MFD_CLOEXEC);

	(void)state;
	check_true(fd >= 0);
	check_ok(crypto_sha256_fd(fd, got));
	check_hex(got, sizeof(got),
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	memset(data, 'g', sizeof(data));
	check_int(write(fd, data, sizeof(data)), sizeof(data));
	check_ok(crypto_sha256_fd(fd, got));
	crypto_sha256(data, sizeof(data), want);
	check_bytes(got, sizeof(got), want, sizeof(want));
	check_int(lseek(fd, 0, SEEK_CUR), sizeof(data));
	close(fd);
	check_int(crypto_sha256_fd(fd, got), -EBADF);
	check_ok(pipe(fds));
	check_int(crypto_sha256_fd(fds[0], got), -ESPIPE);
	close(fds[0]);
	close(fds[1]);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void hmac(void **state)
{
	uint8_t key[131], got[CRYPTO_HASH_LEN];
	static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	memset(key, 0x0b, 20);
	crypto_hmac_sha256(key, 20, "Hi There", 8, got);
	check_hex(got, sizeof(got),
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, got);
	check_hex(got, sizeof(got),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac_sha256(key, sizeof(key), long_key, sizeof(long_key) - 1, got);
	check_hex(got, sizeof(got),
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void random_and_equal(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };
	unsigned seen[5] = { 0 };

	(void)state;
	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	check_true(!crypto_equal(a, b, sizeof(a)));
	memcpy(b, a, sizeof(a));
	check_true(crypto_equal(a, b, sizeof(a)));
	b[31] ^= 1;
	check_true(!crypto_equal(a, b, sizeof(a)) && crypto_equal(a, b, 31) &&
		   crypto_equal(a, b, 0));
	crypto_wipe(a, sizeof(a));
	memset(b, 0, sizeof(b));
	check_bytes(a, sizeof(a), b, sizeof(b));
	for (int i = 0; i < 10000; i++) {
		uint32_t v = crypto_random_below(5);

		check_true(v < 5);
		seen[v]++;
	}
	for (size_t i = 0; i < 5; i++)
		check_near(seen[i], 2000, 400); /* ten standard deviations */
	check_uint(crypto_random_below(1), 0);
}

static void passwords(void **state)
{
	const struct crypto_password_cost cheap = { .mem_kib = 1024, .passes = 1 };
	char hash[CRYPTO_PASSWORD_HASH_LEN], other[CRYPTO_PASSWORD_HASH_LEN];
	static char big[CRYPTO_PASSWORD_LEN_MAX + 1];
	char bad[CRYPTO_PASSWORD_HASH_LEN];

	(void)state;
	check_ok(crypto_password_hash("correct horse", 13, cheap, hash));
	check_true(!strncmp(hash, "$argon2id$v=19$m=1024,t=1,p=1$", 30));
	check_ok(crypto_password_verify(hash, "correct horse", 13));
	check_int(crypto_password_verify(hash, "correct horsf", 13), CRYPTO_E_MISMATCH);
	check_int(crypto_password_verify(hash, "correct hors", 12), CRYPTO_E_MISMATCH);
	check_int(crypto_password_verify(hash, "", 0), CRYPTO_E_MISMATCH);
	/* A salt of its own each time. */
	check_ok(crypto_password_hash("correct horse", 13, cheap, other));
	check_true(strcmp(hash, other) != 0);

	/* Costs and lengths out of range; a NUL inside counts. */
	check_int(crypto_password_hash("x", 1,
				       (struct crypto_password_cost){ .mem_kib = 1, .passes = 1 },
				       other),
		  -EINVAL);
	check_int(crypto_password_hash("x", 1,
				       (struct crypto_password_cost){ .mem_kib = 64, .passes = 0 },
				       other),
		  -EINVAL);
	memset(big, 'p', sizeof(big));
	check_int(crypto_password_hash(big, sizeof(big), cheap, other), -EINVAL);
	check_ok(crypto_password_hash(big, CRYPTO_PASSWORD_LEN_MAX, cheap, other));
	check_ok(crypto_password_verify(other, big, CRYPTO_PASSWORD_LEN_MAX));
	check_int(crypto_password_verify(other, big, sizeof(big)), CRYPTO_E_MISMATCH);
	check_ok(crypto_password_hash("a\0b", 3, cheap, other));
	check_int(crypto_password_verify(other, "a\0c", 3), CRYPTO_E_MISMATCH);

	/* A stored hash that is none. */
	memset(bad, 'x', sizeof(bad));
	check_int(crypto_password_verify(bad, "x", 1), -EBADMSG);
	for (size_t n = 0; hash[n]; n++) {
		memset(bad, 0, sizeof(bad));
		memcpy(bad, hash, n);
		check_int(crypto_password_verify(bad, "x", 1), -EBADMSG);
	}
	strcpy(bad, hash);
	strcat(bad, "A");
	check_int(crypto_password_verify(bad, "x", 1), -EBADMSG);
	strcpy(bad, hash);
	bad[8] = 'i'; /* another algorithm */
	check_int(crypto_password_verify(bad, "x", 1), -EBADMSG);
	strcpy(bad, hash);
	memcpy(strstr(bad, "m=1024"), "m=0001", 6);
	check_int(crypto_password_verify(bad, "x", 1), -EBADMSG);
}

/* Computed once with the reference program, argon2 -id -t 2 -k 256 -p 1 -l 32. */
static void password_known_answer(void **state)
{
	char hash[CRYPTO_PASSWORD_HASH_LEN] = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA"
					      "$yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";

	(void)state;
	check_ok(crypto_password_verify(hash, "password", 8));
	check_int(crypto_password_verify(hash, "passwore", 8), CRYPTO_E_MISMATCH);
	hash[60] ^= 1; /* one letter of the result */
	check_int(crypto_password_verify(hash, "password", 8), CRYPTO_E_MISMATCH);
}

/* In a process that may not grow by what the hash wants: all there could be, because an emulator of another machine
 * does not keep RLIMIT_AS. */
static int verify_in_little_memory(const char *hash)
{
	unsigned long pages = 0;
	struct rlimit limit;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		return 99;
	limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (8 << 20);
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		return 99;
	return crypto_password_verify(hash, "x", 1) == -ENOMEM ? 0 : 1;
}

static void no_memory_is_no_mismatch(void **state)
{
	unsigned long most_kib = (unsigned long)(SIZE_MAX / 1024 < UINT32_MAX ? SIZE_MAX / 1024 : UINT32_MAX);
	char hash[CRYPTO_PASSWORD_HASH_LEN];
	int status = 0;
	pid_t pid;

	(void)state;
	snprintf(hash, sizeof(hash), "$argon2id$v=19$m=%lu,t=1,p=1$%s", most_kib,
		 "8O7DVo7rTfBMHvBvTJ5eEA$yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew");
	pid = fork();
	check_true(pid >= 0);
	if (pid == 0)
		_exit(verify_in_little_memory(hash));
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
}

static void secrets(void **state)
{
	struct secret *secret = NULL, *random = NULL;
	static char big[SECRET_LEN_MAX + 1];

	(void)state;
	check_ok(secret_new("token", 5, &secret));
	check_bytes(secret_view(secret).data, secret_view(secret).len, "token", 5);
	check_true(secret_equal(secret, "token", 5));
	check_true(!secret_equal(secret, "tokem", 5) && !secret_equal(secret, "toke", 4) &&
		   !secret_equal(secret, "token0", 6));
	check_true(!secret_free(secret));
	check_true(!secret_free(NULL));
	check_int(secret_new("", 0, &random), -EINVAL);
	check_int(secret_new(big, SECRET_LEN_MAX + 1, &random), -EINVAL);
	check_int(secret_new_random(0, &random), -EINVAL);
	check_true(!random);
	check_ok(secret_new(big, SECRET_LEN_MAX, &random));
	secret_free(random);
	check_ok(secret_new_random(32, &random));
	check_true(!secret_equal(random, big, 32));
	secret_free(random);
}

/* Writing into a secret, or reading behind it, ends the process. */
static void touch_child(struct secret *secret, bool write_it)
{
	volatile uint8_t *p = (volatile uint8_t *)(uintptr_t)secret_view(secret).data;
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGSEGV, SIG_DFL);
	if (write_it)
		p[0] = 1;
	else
		(void)p[secret_view(secret).len];
	_exit(0);
}

static void secrets_are_guarded(void **state)
{
	struct secret *secret = NULL;

	(void)state;
	check_ok(secret_new("0123456789abcdef", 16, &secret));
	for (int i = 0; i < 2; i++) {
		int status = 0;
		pid_t pid = fork();

		check_true(pid >= 0);
		if (pid == 0)
			touch_child(secret, i == 0);
		check_int(waitpid(pid, &status, 0), pid);
		check_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
	secret_free(secret);
}

/* The same as argon2 -id -t 2 -k 256 -p 1 -l 32 above gives, as a key. */
static void password_as_a_key(void **state)
{
	const struct crypto_password_cost cost = { .mem_kib = 256, .passes = 2 };
	static char big[CRYPTO_PASSWORD_LEN_MAX + 1];
	const uint8_t *salt = (const uint8_t *)"somesaltsomesalt";
	uint8_t got[CRYPTO_HASH_LEN], other[CRYPTO_HASH_LEN];

	(void)state;
	check_ok(crypto_password_key("password", 8, salt, cost, got));
	check_hex(got, sizeof(got), "cab746b4621993fdc91ec50787980b414a90a692f0bc68dfe19f9c25b3cba9ec");
	check_ok(crypto_password_key("passwore", 8, salt, cost, other));
	check_true(memcmp(got, other, sizeof(got)) != 0);
	check_ok(crypto_password_key("password", 8, (const uint8_t *)"somesaltsomesalu", cost, other));
	check_true(memcmp(got, other, sizeof(got)) != 0);
	check_int(crypto_password_key("x", 1, salt, (struct crypto_password_cost){ .mem_kib = 7, .passes = 1 }, got), -EINVAL);
	check_int(crypto_password_key("x", 1, salt, (struct crypto_password_cost){ .mem_kib = 8, .passes = 0 }, got), -EINVAL);
	check_int(crypto_password_key(big, sizeof(big), salt, cost, got), -EINVAL);
	check_ok(crypto_password_key(big, CRYPTO_PASSWORD_LEN_MAX, salt, cost, got));
}

static bool dies(uint8_t *at, bool writes)
{
	int status = 0;
	pid_t pid = fork();

	check_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		if (writes)
			*(volatile uint8_t *)at = 1;
		else
			(void)*(volatile uint8_t *)at;
		_exit(0);
	}
	check_int(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void guarded_memory(void **state)
{
	static const size_t lens[] = { 1, 15, 16, 17, 4096, 100000 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lens); i++) {
		void *guarded = NULL;
		uint8_t *p;

		check_ok(crypto_guarded_new(lens[i], &guarded));
		p = guarded;
		check_uint((uintptr_t)p % 16, 0);
		for (size_t b = 0; b < lens[i]; b++)
			check_uint(p[b], 0);
		memset(p, 7, lens[i]);
		check_true(!dies(p, true) && dies(p + (lens[i] + 15) / 16 * 16, false));
		crypto_guarded_allow(p, GUARD_READ);
		check_true(!dies(p, false) && dies(p, true));
		crypto_guarded_allow(p, GUARD_HIDDEN);
		check_true(dies(p, false));
		crypto_guarded_allow(p, GUARD_WRITE);
		check_uint(p[lens[i] - 1], 7);
		crypto_guarded_allow(p, GUARD_HIDDEN);
		crypto_guarded_free(p);
	}
	crypto_guarded_free(NULL);
}

/* RFC 4648, section 10, in the alphabet of section 5. */
static void base64url(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" },
	};
	static const char *const wrong[] = { "Z",    "Zg==",  "Zh",    "Zm9=",	 "+__-",
					     "-//-", "Zm9v ", " Zm9v", "Zm\n9v", "Zm9vY" };
	uint8_t out[16];
	char text[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		base64url_print(rows[i].plain, strlen(rows[i].plain), text,
				BASE64URL_CAP(strlen(rows[i].plain)));
		check_text(text, rows[i].text);
		len = 99;
		check_ok(base64url_parse(text, strlen(text), out, strlen(rows[i].plain), &len));
		check_bytes(out, len, rows[i].plain, strlen(rows[i].plain));
	}
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		len = 99;
		check_int(base64url_parse(wrong[i], strlen(wrong[i]), out, sizeof(out), &len),
			  CRYPTO_E_SYNTAX);
		check_uint(len, 99);
	}
	check_int(base64url_parse("Zm9vYg", 6, out, 3, &len), CRYPTO_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(hash_of_a_file),
		cmocka_unit_test(hmac),
		cmocka_unit_test(random_and_equal),
		cmocka_unit_test(passwords),
		cmocka_unit_test(password_known_answer),
		cmocka_unit_test(no_memory_is_no_mismatch),
		cmocka_unit_test(password_as_a_key),
		cmocka_unit_test(guarded_memory),
		cmocka_unit_test(secrets),
		cmocka_unit_test(secrets_are_guarded),
		cmocka_unit_test(base64url),
	};

	if (crypto_init() || crypto_init()) /* twice does no harm */
		return 1;
	return CHECK_RUN(rows);
}
