/* A certificate is believed for four reasons at once: an authority that was named, a name that was asked for, a time that
 * is now, and, where one is pinned, a key that is known. OpenSSL does the first three when it is told to in the
 * context's verify parameters; the fourth is looked at in the verify callback when it comes to the peer's own
 * certificate. The callback also keeps the reason in words, because afterwards the library above only knows "TLS error".
 */
#include "sys/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"

struct tls_client {
	SSL_CTX *ctx;
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN];
	size_t n_pins;
	char refusal[TLS_WHY_MAX];
};

static const struct {
	int error;
	const char *words;
} refusals[] = {
	{ X509_V_ERR_HOSTNAME_MISMATCH, "its certificate is for another name" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, "its certificate is for another name" },
	{ X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "its certificate is not valid yet, or our clock is wrong" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "its certificate is from an authority that we do not know" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its certificate is from an authority that we do not know" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "its certificate is from an authority that we do not know" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "its certificate is from an authority that we do not know" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its certificate is from an authority that we do not know" },
	{ X509_V_ERR_CERT_REVOKED, "its certificate was revoked" },
	{ X509_V_ERR_INVALID_PURPOSE, "its certificate is not for a server" },
};

static void refuse(struct tls_client *client, int error)
{
	for (size_t i = 0; i < N_ELEMENTS(refusals); i++) {
		if (refusals[i].error == error) {
			text_copy(client->refusal, sizeof(client->refusal), refusals[i].words);
			return;
		}
	}
	text_print(client->refusal, sizeof(client->refusal), "its certificate was refused: %s",
		   X509_verify_cert_error_string(error));
}

static bool is_pinned(const struct tls_client *client, X509 *cert)
{
	uint8_t sha[CRYPTO_HASH_LEN];
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	bool found = false;

	if (len <= 0)
		return false;
	crypto_sha256(spki, (size_t)len, sha);
	OPENSSL_free(spki);
	for (size_t i = 0; i < client->n_pins; i++)
		found |= crypto_equal(client->pins[i], sha, sizeof(sha));
	return found;
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok) {
		refuse(client, X509_STORE_CTX_get_error(store));
		return 0;
	}
	if (client->n_pins && X509_STORE_CTX_get_error_depth(store) == 0 &&
	    !is_pinned(client, X509_STORE_CTX_get_current_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		text_copy(client->refusal, sizeof(client->refusal), "its key is not the pinned one");
		return 0;
	}
	return 1;
}

must_check static int fault(char *why, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	text_print(why, TLS_WHY_MAX, "%s %.64s: %.48s", what, path, reason ? reason : "cannot be read");
	ERR_clear_error();
	return -EINVAL;
}

must_check static int set_name(SSL_CTX *ctx, const char *host, char *why)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	uint8_t ip[16];
	int ok;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1)
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, host);
	else
		ok = X509_VERIFY_PARAM_set1_host(param, host, 0);
	return ok == 1 ? 0 : fault(why, "the name", host);
}

must_check static int set_files(SSL_CTX *ctx, const struct tls_client_options *o, char *why)
{
	if (o->ca && SSL_CTX_load_verify_file(ctx, o->ca) != 1)
		return fault(why, "the authority", o->ca);
	if (!o->ca && SSL_CTX_set_default_verify_paths(ctx) != 1)
		return fault(why, "the authority", "of the system");
	if (o->cert && SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1)
		return fault(why, "the certificate", o->cert);
	if (o->key_file && SSL_CTX_use_PrivateKey_file(ctx, o->key_file, SSL_FILETYPE_PEM) != 1)
		return fault(why, "the key", o->key_file);
	if (o->cert && SSL_CTX_check_private_key(ctx) != 1)
		return fault(why, "the key does not belong to", o->cert);
	return 0;
}

int tls_client_new(const struct tls_client_options *options, char *why, struct tls_client **ret)
{
	struct tls_client *client = calloc(1, sizeof(*client));
	int r;

	why[0] = '\0';
	if (!client || options->n_pins > TLS_PINS_MAX) {
		free(client);
		return client ? -E2BIG : -ENOMEM;
	}
	client->n_pins = options->n_pins;
	if (options->n_pins)
		memcpy(client->pins, options->pins, options->n_pins * TLS_PIN_LEN);
	client->ctx = SSL_CTX_new(TLS_client_method());
	if (!client->ctx || SSL_CTX_set_min_proto_version(client->ctx, TLS1_2_VERSION) != 1) {
		tls_client_free(client);
		return -ENOMEM;
	}
	SSL_CTX_set_app_data(client->ctx, client);
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_mode(client->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ERR_clear_error();
	r = set_files(client->ctx, options, why);
	if (!r)
		r = set_name(client->ctx, options->host, why);
	if (r) {
		tls_client_free(client);
		return r;
	}
	*ret = client;
	return 0;
}

struct tls_client *tls_client_free(struct tls_client *client)
{
	if (!client)
		return NULL;
	SSL_CTX_free(client->ctx);
	free(client);
	return NULL;
}

void *tls_client_context(struct tls_client *client)
{
	return client->ctx;
}

const char *tls_client_refusal(const struct tls_client *client)
{
	return client->refusal;
}

void tls_client_begin(struct tls_client *client)
{
	client->refusal[0] = '\0';
}

size_t tls_pending(const void *ssl)
{
	int n = ssl ? SSL_pending(ssl) : 0;

	return n > 0 ? (size_t)n : 0;
}

const char *tls_words(const char *openssl_line, bool *ret_is_identity)
{
	static const struct {
		const char *part, *words;
		bool identity;
	} rows[] = {
		{ "unsupported protocol", "it speaks no TLS 1.2 or newer", true },
		{ "alert protocol version", "it speaks no TLS 1.2 or newer", true },
		{ "wrong version number", "it does not speak TLS", true },
		{ "record layer", "it does not speak TLS", true },
		{ "no protocols available", "it speaks no TLS 1.2 or newer", true },
		{ "alert unknown ca", "it does not accept our certificate", false },
		{ "alert bad certificate", "it does not accept our certificate", false },
		{ "alert certificate", "it does not accept our certificate", false },
		{ "alert unsupported certificate", "it does not accept our certificate", false },
		{ "alert access denied", "it does not accept our certificate", false },
		{ "alert decrypt error", "it does not accept our certificate", false },
		{ "alert handshake failure", "it and we have no TLS method in common, or it wants a certificate", false },
	};
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (strstr(openssl_line, rows[i].part)) {
			*ret_is_identity = rows[i].identity;
			return rows[i].words;
		}
	}
	return NULL;
}
