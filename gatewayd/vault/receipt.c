/* Lines, so that a person can read it and any other program check it: the signatures cover the bytes before the first of
 * their own lines. A check looks at the form of the whole text, because what is beside the signed bytes could
 * otherwise say anything.
 */
#include "vault/receipt.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/bytes.h"
#include "base/text.h"
#include "sys/crypto.h"

static const char first_line[] = "gatewayd erase receipt 1\n";
static const char last_words[] =
	"note: all that this gateway stored was sealed with these keys. Flash may keep old blocks of the files: they\n"
	"note: are unreadable now. Backups and exports outside of the gateway stay readable for who has their keys.\n";
static const char signature_word[] = "signature ";

must_check static bool add_signature(char *text, const struct sign_key *key, size_t len)
{
	uint8_t signature[SIGN_LEN];
	char encoded[BASE64URL_CAP(SIGN_LEN)];
	struct sign_public public = sign_key_public(key);

	if (sign_make(key, text, len, signature))
		return false;
	base64url_print(signature, sizeof(signature), encoded, sizeof(encoded));
	return text_append(text, RECEIPT_MAX, "%s%s %s\n", signature_word, public.kind == SIGN_SM2 ? "sm2" : "ed25519", encoded);
}

must_check static bool add_signer(char *text, const struct sign_key *key)
{
	struct sign_public public = sign_key_public(key);
	char encoded[SIGN_TEXT_MAX];

	sign_public_print(&public, encoded);
	return text_append(text, RECEIPT_MAX, "signer: %s\n", encoded);
}

must_check static bool add_facts(char *text, const struct receipt *receipt)
{
	char id[2 * sizeof(receipt->gateway_id) + 1], head[2 * sizeof(receipt->head) + 1], when[32];
	time_t t = (time_t)receipt->erased_s;
	struct tm tm;
	bool good;

	hex_print(receipt->gateway_id, sizeof(receipt->gateway_id), id);
	hex_print(receipt->head, sizeof(receipt->head), head);
	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	good = text_append(text, RECEIPT_MAX, "gateway: %s\nerased: %s\n", id, when);
	for (size_t i = 0; good && i < receipt->n_keys; i++)
		good = text_append(text, RECEIPT_MAX, "key: %u %s %s\n", receipt->keys[i].id,
				   key_purpose_name((enum key_purpose)receipt->keys[i].purpose),
				   key_state_name((enum key_state)receipt->keys[i].state));
	good = good && text_append(text, RECEIPT_MAX, "record: %llu %s\n", (unsigned long long)receipt->records, head);
	if (receipt->anchor)
		good = good && text_append(text, RECEIPT_MAX, "checkpoint: %s\n", receipt->anchor);
	return good && text_append(text, RECEIPT_MAX, "%s", last_words);
}

int receipt_print(const struct receipt *receipt, const struct sign_key *ed25519, const struct sign_key *sm2, char ret[RECEIPT_MAX],
		  size_t *ret_len)
{
	size_t len;
	bool good;

	if (!ed25519 && !sm2)
		return -EINVAL;
	good = text_copy(ret, RECEIPT_MAX, first_line) && add_facts(ret, receipt);
	if (ed25519)
		good = good && add_signer(ret, ed25519);
	if (sm2)
		good = good && add_signer(ret, sm2);
	len = strlen(ret);
	if (ed25519)
		good = good && add_signature(ret, ed25519, len);
	if (sm2)
		good = good && add_signature(ret, sm2, len);
	if (!good)
		return -ENOSPC;
	*ret_len = strlen(ret);
	return 0;
}

/* A line without its end; false: there is none, or it has no end. */
must_check static bool next_line(const char **at, const char *end, struct view *ret)
{
	const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;

	if (!newline)
		return false;
	*ret = (struct view){ .data = (const uint8_t *)*at, .len = (size_t)(newline - *at) };
	*at = newline + 1;
	return true;
}

static bool begins(struct view line, const char *with)
{
	return line.len >= strlen(with) && memcmp(line.data, with, strlen(with)) == 0;
}

must_check static bool take_signer(struct view line, struct receipt_signers *signers)
{
	char text[SIGN_TEXT_MAX];
	struct sign_public *key = &signers->keys[signers->n];
	size_t skip = strlen("signer: ");

	if (signers->n == N_ELEMENTS(signers->keys) || line.len - skip >= sizeof(text))
		return false;
	memcpy(text, line.data + skip, line.len - skip);
	text[line.len - skip] = '\0';
	if (strlen(text) != line.len - skip || sign_public_parse(text, key))
		return false;
	if (signers->n == 1 && signers->keys[0].kind == key->kind)
		return false;
	signers->n++;
	return true;
}

/* The i-th signature line is the i-th signer's. */
must_check static int check_signature(struct view line, const char *signed_text, size_t signed_len, const struct sign_public *key)
{
	const char *word = key->kind == SIGN_SM2 ? "signature sm2 " : "signature ed25519 ";
	uint8_t signature[SIGN_LEN];
	size_t skip = strlen(word), len = 0;

	if (!begins(line, word) ||
	    base64url_parse((const char *)line.data + skip, line.len - skip, signature, sizeof(signature), &len) || len != SIGN_LEN)
		return RECEIPT_E_SYNTAX;
	return sign_check(key, signed_text, signed_len, signature) ? RECEIPT_E_SIGNATURE : 0;
}

int receipt_check(const char *text, size_t len, struct receipt_signers *ret)
{
	static const char *const words[] = { "gateway: ", "erased: ", "key: ", "record: ", "checkpoint: ", "note: ", "signer: " };
	const char *at = text, *end = text + len, *here = text;
	struct receipt_signers signers = { 0 };
	struct view line = { 0 };
	size_t word = 0, signed_len;

	if (len > RECEIPT_MAX || !next_line(&at, end, &line) || line.len != strlen(first_line) - 1 || !begins(line, "gatewayd erase receipt 1"))
		return RECEIPT_E_SYNTAX;
	/* The facts, in their order; some may be missing or come more than once. */
	for (;;) {
		here = at;
		if (!next_line(&at, end, &line))
			return RECEIPT_E_SYNTAX;
		if (begins(line, signature_word))
			break;
		while (word < N_ELEMENTS(words) && !begins(line, words[word]))
			word++;
		if (word == N_ELEMENTS(words) || (word + 1 == N_ELEMENTS(words) && !take_signer(line, &signers)))
			return RECEIPT_E_SYNTAX;
	}
	signed_len = (size_t)(here - text);
	if (signers.n == 0)
		return RECEIPT_E_SYNTAX;
	for (unsigned i = 0; i < signers.n; i++) {
		int r;

		if (i > 0 && !next_line(&at, end, &line))
			return RECEIPT_E_SYNTAX;
		r = check_signature(line, text, signed_len, &signers.keys[i]);
		if (r)
			return r;
	}
	if (at != end)
		return RECEIPT_E_SYNTAX;
	*ret = signers;
	return 0;
}
