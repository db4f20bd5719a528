#include "check.h"
#include "sys/crypto.h"
#include "vault/receipt.h"

struct signers {
	struct sign_key *ed25519, *sm2;
};

static struct sign_key *key_of(enum sign_kind kind, uint8_t seed)
{
	uint8_t secret[SIGN_SECRET_LEN] = { seed };
	struct sign_key *key = NULL;

	check_ok(sign_key_new(kind, secret, &key));
	return key;
}

static size_t print(const struct sign_key *ed25519, const struct sign_key *sm2, char text[RECEIPT_MAX])
{
	struct receipt receipt = { .gateway_id = { 0xab, 0xcd }, .erased_s = 1795428000, .records = 42, .head = { 1, 2 }, .anchor = "Ym9keQ.c2ln." };
	size_t len = 0;

	receipt.keys[receipt.n_keys++] = (struct receipt_key){ 1, KEY_DB, KEY_DEACTIVATED };
	receipt.keys[receipt.n_keys++] = (struct receipt_key){ 7, KEY_DB, KEY_ACTIVE };
	check_ok(receipt_print(&receipt, ed25519, sm2, text, &len));
	check_uint(len, strlen(text));
	return len;
}

static void both_signatures(void **state)
{
	struct sign_key *ed25519 = key_of(SIGN_ED25519, 1), *sm2 = key_of(SIGN_SM2, 2);
	struct receipt_signers signers;
	char text[RECEIPT_MAX];
	size_t len = print(ed25519, sm2, text);

	(void)state;
	static const char begin[] = "gatewayd erase receipt 1\ngateway: abcd0000000000000000000000000000\nerased: 2026-11-23T10:00:00Z\nkey: 1 ";

	check_true(strncmp(text, begin, strlen(begin)) == 0);
	check_true(strstr(text, "\nkey: 1 ") && strstr(text, "\nkey: 7 ") && strstr(text, "\nrecord: 42 0102") &&
		   strstr(text, "\ncheckpoint: Ym9keQ.c2ln.\n"));
	check_ok(receipt_check(text, len, &signers));
	check_uint(signers.n, 2);
	check_uint(signers.keys[0].kind, SIGN_ED25519);
	check_uint(signers.keys[1].kind, SIGN_SM2);
	struct sign_public public = sign_key_public(sm2);

	check_bytes(signers.keys[1].data, signers.keys[1].len, public.data, public.len);
	sign_key_free(ed25519);
	sign_key_free(sm2);
}

static void one_is_enough(void **state)
{
	struct sign_key *sm2 = key_of(SIGN_SM2, 3);
	struct receipt receipt = { 0 };
	struct receipt_signers signers;
	char text[RECEIPT_MAX];
	size_t len = print(NULL, sm2, text);

	(void)state;
	check_ok(receipt_check(text, len, &signers));
	check_uint(signers.n, 1);
	check_int(receipt_print(&receipt, NULL, NULL, text, &len), -EINVAL);
	sign_key_free(sm2);
}

/* No byte of it can be changed, none be cut off, none be added. */
static void any_change_is_found(void **state)
{
	struct sign_key *ed25519 = key_of(SIGN_ED25519, 1), *sm2 = key_of(SIGN_SM2, 2);
	struct receipt_signers signers;
	char text[RECEIPT_MAX];
	size_t len = print(ed25519, sm2, text);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		check_true(receipt_check(text, len, &signers) > 0);
		text[i] ^= 1;
	}
	for (size_t i = 0; i < len; i++)
		check_true(receipt_check(text, i, &signers) > 0);
	strcat(text, "x");
	check_int(receipt_check(text, len + 1, &signers), RECEIPT_E_SYNTAX);
	text[len] = '\n';
	check_int(receipt_check(text, len + 1, &signers), RECEIPT_E_SYNTAX);
	check_ok(receipt_check(text, len, &signers));
	/* Another's signature under it. */
	struct sign_key *other = key_of(SIGN_ED25519, 9);
	char theirs[RECEIPT_MAX];

	print(other, sm2, theirs);
	memcpy(strstr(text, "signature ed25519"), strstr(theirs, "signature ed25519"), 40);
	check_int(receipt_check(text, len, &signers), RECEIPT_E_SIGNATURE);
	sign_key_free(other);
	sign_key_free(ed25519);
	sign_key_free(sm2);
}

static void limits(void **state)
{
	static char huge[RECEIPT_MAX + 1], anchor[RECEIPT_ANCHOR_MAX];
	struct sign_key *ed25519 = key_of(SIGN_ED25519, 1), *sm2 = key_of(SIGN_SM2, 2);
	struct receipt receipt = { .n_keys = KEYSTORE_KEYS_MAX };
	struct receipt_signers signers;
	char text[RECEIPT_MAX];
	size_t len = 0;

	(void)state;
	memset(huge, 'a', sizeof(huge));
	check_int(receipt_check(huge, sizeof(huge), &signers), RECEIPT_E_SYNTAX);
	check_int(receipt_check("", 0, &signers), RECEIPT_E_SYNTAX);
	/* The largest there can be fits. */
	memset(anchor, 'a', sizeof(anchor) - 1);
	receipt.anchor = anchor;
	for (uint32_t i = 0; i < KEYSTORE_KEYS_MAX; i++)
		receipt.keys[i] = (struct receipt_key){ UINT32_MAX - i, KEY_DEVICES, KEY_COMPROMISED };
	check_ok(receipt_print(&receipt, ed25519, sm2, text, &len));
	check_ok(receipt_check(text, len, &signers));
	sign_key_free(ed25519);
	sign_key_free(sm2);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(both_signatures),
		cmocka_unit_test(one_is_enough),
		cmocka_unit_test(any_change_is_found),
		cmocka_unit_test(limits),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
