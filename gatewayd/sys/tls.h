#pragma once
/* tls - how a client of ours makes sure of the other side: version floor, authority, name, pinned key; and its words.
 *
 *   above   linkd
 *   below   base/base  base/text  sys/crypto
 *   owns    struct tls_client: an SSL_CTX and why it refused the last time
 *   limits  TLS_PINS_MAX TLS_WHY_MAX
 *
 * The context is handed to a library that makes the connections (libmosquitto); what it has to check is in the
 * context, so that the library can forget nothing.
 */
#include "base/base.h"

enum { TLS_PINS_MAX = 8, TLS_PIN_LEN = 32, TLS_WHY_MAX = 160 };

struct tls_client;
struct tls_client_options {
	const char *ca;        /* file; NULL: the system's authorities */
	const char *cert, *key_file; /* NULL: none of our own */
	const char *host;      /* name or address that the certificate must be for */
	const uint8_t (*pins)[TLS_PIN_LEN]; /* SHA-256 of SubjectPublicKeyInfo; one of them must be the peer's */
	size_t n_pins;
};

/* TLS 1.2 and newer only. Files are read now and not again. why (TLS_WHY_MAX) says which one is wrong. */
must_check int tls_client_new(const struct tls_client_options *options, char *why, struct tls_client **ret);
struct tls_client *tls_client_free(struct tls_client *client);
void *tls_client_context(struct tls_client *client); /* SSL_CTX, borrowed */
/* "its certificate is for another name"; "" when the last handshake refused nothing. Forgotten by tls_client_begin. */
const char *tls_client_refusal(const struct tls_client *client);
void tls_client_begin(struct tls_client *client);
/* Bytes that are decrypted and not yet read: no descriptor says so. ssl is an SSL, NULL is fine. */
size_t tls_pending(const void *ssl);
/* What OpenSSL's own line ("error:0A000102:SSL routines::unsupported protocol") means to people; NULL: nothing special. */
const char *tls_words(const char *openssl_line, bool *ret_is_identity);
