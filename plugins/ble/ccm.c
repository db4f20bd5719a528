/* RFC 3610 through libcrypto. A tag of 4 bytes is what the formats have: a guess succeeds once in 4 billion,
 * and every wrong one is counted by whoever calls.
 */
#include "ble/ccm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static void context_free(EVP_CIPHER_CTX *context)
{
	EVP_CIPHER_CTX_free(context);
}
DEFINE_CLEANUP(context_free, EVP_CIPHER_CTX *)

static bool prepare(EVP_CIPHER_CTX *context, const uint8_t *key, const struct ccm_box *box)
{
	uint8_t tag[CCM_TAG_LEN];
	int n;

	memcpy(tag, box->tag, sizeof(tag));
	return EVP_DecryptInit_ex(context, EVP_aes_128_ccm(), NULL, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_CCM_SET_IVLEN, (int)box->nonce.len, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_CCM_SET_TAG, CCM_TAG_LEN, tag) == 1 &&
	       EVP_DecryptInit_ex(context, NULL, NULL, key, box->nonce.data) == 1 &&
	       EVP_DecryptUpdate(context, NULL, &n, NULL, (int)box->sealed.len) == 1 &&
	       (!box->also.len ||
		EVP_DecryptUpdate(context, NULL, &n, box->also.data, (int)box->also.len) == 1);
}

int ccm_open(const uint8_t key[CCM_KEY_LEN], const struct ccm_box *box, uint8_t *ret)
{
	cleanup(context_freep) EVP_CIPHER_CTX *context = NULL;
	uint8_t plain[CCM_PLAIN_MAX];
	int n = 0;

	if (box->nonce.len < 7 || box->nonce.len > 13 || !box->sealed.len || box->sealed.len > CCM_PLAIN_MAX)
		return CCM_E_SIZE;
	context = EVP_CIPHER_CTX_new();
	if (!context || !prepare(context, key, box))
		return -ENOMEM;
	if (EVP_DecryptUpdate(context, plain, &n, box->sealed.data, (int)box->sealed.len) != 1)
		return CCM_E_FORGED;
	memcpy(ret, plain, box->sealed.len);
	OPENSSL_cleanse(plain, sizeof(plain));
	return 0;
}

/* The counter blocks of RFC 3610, 2.3: one byte says how long the counter is, then the nonce, then the counter, from 1 on. */
int ccm_peek(const uint8_t key[CCM_KEY_LEN], struct view nonce, struct view sealed, uint8_t *ret)
{
	cleanup(context_freep) EVP_CIPHER_CTX *context = NULL;
	uint8_t block[16] = { [0] = 1, [15] = 1 };
	int n = 0;

	if (nonce.len != 13 || !sealed.len || sealed.len > CCM_PLAIN_MAX)
		return CCM_E_SIZE;
	memcpy(block + 1, nonce.data, nonce.len);
	context = EVP_CIPHER_CTX_new();
	if (!context || EVP_DecryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, block) != 1 ||
	    EVP_DecryptUpdate(context, ret, &n, sealed.data, (int)sealed.len) != 1)
		return -ENOMEM;
	return 0;
}
