/* Whatever the bytes: as a file they are refused or are the one form of what was read; as a body that was sealed as it should
 * be, and as exported keys, the same. Nothing else is read or written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "vault/keystore.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

enum { AT_NONCE = 48, AT_TAG = 72, AT_BODY = 104 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Made once: guarded memory and keys are slow. */
static struct bench {
	struct keystore *store;
	struct seal_key *kek[3];
	uint8_t *page, *again;
} bench;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* That of the first example of docs/spec/keystore.md. */
	static const uint8_t key[SEAL_KEY_LEN] = {
		0x2c, 0x37, 0x12, 0x72, 0x49, 0xcb, 0x81, 0xf0, 0x35, 0x3f, 0x90, 0x91, 0xc3, 0x6d, 0x0a, 0x62,
		0xfa, 0x5a, 0x99, 0xf6, 0x5f, 0x1e, 0xb3, 0xf5, 0xee, 0x97, 0x9f, 0x7b, 0x1c, 0xb9, 0x3b, 0x0f,
	};

	(void)argc;
	(void)argv;
	must(crypto_init() == 0);
	for (enum seal_suite suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++)
		must(seal_key_new(suite, key, &bench.kek[suite]) == 0);
	bench.store = malloc(sizeof(*bench.store));
	bench.page = malloc(KEYSTORE_FILE_MAX);
	bench.again = malloc(KEYSTORE_FILE_MAX);
	must(bench.store && bench.page && bench.again);
	return 0;
}

/* The file opened: it is written back as it came, header and body, under whatever nonce. */
static void must_be_the_one_form(const uint8_t *file, size_t len, const struct seal_key *kek)
{
	size_t n = 0;

	must(keystore_is_sound(bench.store));
	must(keystore_write(bench.store, kek, bench.again, &n) == 0);
	must(n == len && memcmp(file, bench.again, AT_NONCE) == 0);
	uint8_t *was = malloc(len), *is = malloc(len);

	must(was && is);
	must(seal_open(kek, file + AT_NONCE, file, AT_TAG, file + AT_BODY, len - AT_BODY, file + AT_TAG, was) == 0);
	must(seal_open(kek, bench.again + AT_NONCE, bench.again, AT_TAG, bench.again + AT_BODY, n - AT_BODY, bench.again + AT_TAG, is) == 0);
	must(memcmp(was, is, len - AT_BODY) == 0);
	free(was);
	free(is);
}

static void as_file(const uint8_t *data, size_t len)
{
	(void)!keystore_read_header(data, len, bench.store);
	for (enum seal_suite suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		if (keystore_read(data, len, bench.kek[suite], bench.store) == 0)
			must_be_the_one_form(data, len, bench.kek[suite]);
	}
}

/* The header as it comes, the rest sealed behind it. */
static void as_sealed(const uint8_t *data, size_t len)
{
	const struct seal_key *kek;
	uint32_t body;

	if (len < AT_BODY || len > KEYSTORE_FILE_MAX)
		return;
	memcpy(bench.page, data, len);
	kek = bench.kek[data[11] == SEAL_SM4 ? SEAL_SM4 : SEAL_XCHACHA];
	body = (uint32_t)(len - AT_BODY);
	for (size_t i = 0; i < 4; i++)
		bench.page[12 + i] = (uint8_t)(body >> 8 * i);
	seal_make(kek, bench.page + AT_NONCE, bench.page, AT_TAG, bench.page + AT_BODY, body, bench.page + AT_BODY, bench.page + AT_TAG);
	if (keystore_read(bench.page, len, kek, bench.store) == 0)
		must_be_the_one_form(bench.page, len, kek);
}

static void as_export(const uint8_t *data, size_t len)
{
	size_t n = 0;

	if (keystore_import(data, len, bench.store))
		return;
	/* What the importer adds. */
	bench.store->source = KEY_SOURCE_FILE;
	bench.store->suite = SEAL_XCHACHA;
	must(keystore_export(bench.store, bench.page, KEYSTORE_FILE_MAX, &n) == 0);
	must(n == len && memcmp(bench.page, data, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	as_file(data, len);
	as_sealed(data, len);
	as_export(data, len);
	return 0;
}
