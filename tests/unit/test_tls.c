/* What a client checks, in a handshake in memory with a server of ours: name, address, pin, authority, time, version. */
#include "check.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "sys/crypto.h"
#include "sys/tls.h"
#include "tmpdir.h"

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

/* issuer NULL: signs itself. san: "DNS:cloud.test". days: of its end, from now. */
static struct identity issue(const struct identity *issuer, const char *name, const char *san, int days, bool is_ca)
{
	struct identity made = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *subject = X509_get_subject_name(made.cert);
	X509V3_CTX ctx;
	const char *const rows[][2] = { { "subjectAltName", san }, { "basicConstraints", is_ca ? "critical,CA:TRUE" : "CA:FALSE" } };

	X509_set_version(made.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), (long)strlen(name));
	X509_gmtime_adj(X509_getm_notBefore(made.cert), -86400L * 30);
	X509_gmtime_adj(X509_getm_notAfter(made.cert), 86400L * days);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(made.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	X509_set_pubkey(made.cert, made.key);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		X509_EXTENSION *extension;

		if (!rows[i][1])
			continue;
		X509V3_set_ctx(&ctx, made.cert, made.cert, NULL, NULL, 0);
		extension = X509V3_EXT_conf(NULL, &ctx, rows[i][0], rows[i][1]);
		assert_non_null(extension);
		X509_add_ext(made.cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
	return made;
}

static void release(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->cert);
}

static void write_cert(const char *path, const X509 *cert)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, (X509 *)(uintptr_t)cert), 1);
	fclose(out);
}

static void write_key(const char *path, EVP_PKEY *key)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
}

static void pin_of(const struct identity *identity, uint8_t ret[TLS_PIN_LEN])
{
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity->cert), &spki);

	crypto_sha256(spki, (size_t)len, ret);
	OPENSSL_free(spki);
}

/* True when both sides are content. */
static bool shake_hands(struct tls_client *client, const struct identity *server, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ends[2];
	BIO *pipes[2];
	int done[2] = { 0, 0 };

	SSL_CTX_set_security_level(ctx, 0);
	if (version) {
		SSL_CTX_set_min_proto_version(ctx, version);
		SSL_CTX_set_max_proto_version(ctx, version);
		SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	}
	assert_int_equal(SSL_CTX_use_certificate(ctx, server->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server->key), 1);
	ends[0] = SSL_new(tls_client_context(client));
	ends[1] = SSL_new(ctx);
	assert_int_equal(BIO_new_bio_pair(&pipes[0], 0, &pipes[1], 0), 1);
	for (int i = 0; i < 2; i++)
		SSL_set_bio(ends[i], pipes[i], pipes[i]);
	SSL_set_connect_state(ends[0]);
	SSL_set_accept_state(ends[1]);
	for (int turn = 0; turn < 20 && !(done[0] == 1 && done[1] == 1); turn++)
		for (int i = 0; i < 2; i++)
			if (done[i] != 1)
				done[i] = SSL_do_handshake(ends[i]);
	check_uint(tls_pending(ends[0]), 0);
	for (int i = 0; i < 2; i++)
		SSL_free(ends[i]);
	SSL_CTX_free(ctx);
	return done[0] == 1 && done[1] == 1;
}

struct house {
	struct tmpdir dir;
	char ca_path[256], cert_path[256], key_path[256];
	struct identity ca, other_ca, server, by_address, expired, foreign, ours;
};

static int build(void **state)
{
	struct house *house = calloc(1, sizeof(*house));

	tmpdir_init(&house->dir);
	snprintf(house->ca_path, sizeof(house->ca_path), "%s", tmpdir_path(&house->dir, "ca.crt"));
	snprintf(house->cert_path, sizeof(house->cert_path), "%s", tmpdir_path(&house->dir, "ours.crt"));
	snprintf(house->key_path, sizeof(house->key_path), "%s", tmpdir_path(&house->dir, "ours.key"));
	house->ca = issue(NULL, "ca", NULL, 30, true);
	house->other_ca = issue(NULL, "other", NULL, 30, true);
	house->server = issue(&house->ca, "server", "DNS:cloud.test,DNS:*.wild.test", 30, false);
	house->by_address = issue(&house->ca, "address", "IP:192.0.2.1,IP:2001:db8::1", 30, false);
	house->expired = issue(&house->ca, "expired", "DNS:cloud.test", -1, false);
	house->foreign = issue(&house->other_ca, "foreign", "DNS:cloud.test", 30, false);
	house->ours = issue(&house->ca, "ours", NULL, 30, false);
	write_cert(house->ca_path, house->ca.cert);
	write_cert(house->cert_path, house->ours.cert);
	write_key(house->key_path, house->ours.key);
	*state = house;
	return crypto_init();
}

static int tear_down(void **state)
{
	struct house *house = *state;
	struct identity *all[] = { &house->ca, &house->other_ca, &house->server, &house->by_address, &house->expired, &house->foreign,
				   &house->ours };

	for (size_t i = 0; i < N_ELEMENTS(all); i++)
		release(all[i]);
	tmpdir_deinit(&house->dir);
	free(house);
	return 0;
}

static struct tls_client *client_for(const struct house *house, const char *host)
{
	const struct tls_client_options options = { .ca = house->ca_path, .host = host };
	struct tls_client *client;
	char why[TLS_WHY_MAX];

	check_ok(tls_client_new(&options, why, &client));
	return client;
}

static void the_right_one_is_believed(void **state)
{
	struct house *house = *state;
	const struct {
		const char *host;
		const struct identity *server;
		const char *refusal;
	} rows[] = {
		{ "cloud.test", &house->server, "" },
		{ "a.wild.test", &house->server, "" },
		{ "192.0.2.1", &house->by_address, "" },
		{ "2001:db8::1", &house->by_address, "" },
		{ "other.test", &house->server, "its certificate is for another name" },
		{ "a.b.wild.test", &house->server, "its certificate is for another name" },
		{ "192.0.2.2", &house->by_address, "its certificate is for another name" },
		{ "192.0.2.1", &house->server, "its certificate is for another name" },
		{ "cloud.test", &house->expired, "its certificate has expired" },
		{ "cloud.test", &house->foreign, "its certificate is from an authority that we do not know" },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct tls_client *client = client_for(house, rows[i].host);

		check_int(shake_hands(client, rows[i].server, 0), rows[i].refusal[0] == '\0');
		check_text(tls_client_refusal(client), rows[i].refusal);
		tls_client_begin(client);
		check_text(tls_client_refusal(client), "");
		tls_client_free(client);
	}
}

static void one_of_the_pins_must_be_its_key(void **state)
{
	struct house *house = *state;
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN] = { { 1 } };
	struct tls_client_options options = { .ca = house->ca_path, .host = "cloud.test", .pins = pins, .n_pins = TLS_PINS_MAX };
	struct tls_client *client;
	char why[TLS_WHY_MAX];

	check_ok(tls_client_new(&options, why, &client));
	check_true(!shake_hands(client, &house->server, 0));
	check_text(tls_client_refusal(client), "its key is not the pinned one");
	tls_client_free(client);
	pin_of(&house->server, pins[TLS_PINS_MAX - 1]);
	check_ok(tls_client_new(&options, why, &client));
	check_true(shake_hands(client, &house->server, 0));
	tls_client_free(client);
	/* A pin does not make up for a name. */
	options.host = "other.test";
	check_ok(tls_client_new(&options, why, &client));
	check_true(!shake_hands(client, &house->server, 0));
	tls_client_free(client);
	options.n_pins = TLS_PINS_MAX + 1;
	check_int(tls_client_new(&options, why, &client), -E2BIG);
}

static void old_versions_are_refused(void **state)
{
	struct house *house = *state;
	static const struct {
		int version;
		bool good;
	} rows[] = { { TLS1_3_VERSION, true }, { TLS1_2_VERSION, true }, { TLS1_1_VERSION, false }, { TLS1_VERSION, false } };

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct tls_client *client = client_for(house, "cloud.test");

		/* The floor is ours, not that of this machine's openssl.cnf. */
		check_int(SSL_CTX_get_min_proto_version(tls_client_context(client)), TLS1_2_VERSION);
		check_int(shake_hands(client, &house->server, rows[i].version), rows[i].good);
		tls_client_free(client);
	}
}

static void files_that_are_wrong_are_named(void **state)
{
	struct house *house = *state;
	const struct {
		struct tls_client_options options;
		const char *why;
	} rows[] = {
		{ { .ca = "/nowhere/ca.crt", .host = "h" }, "the authority /nowhere/ca.crt" },
		{ { .ca = house->key_path, .host = "h" }, "the authority " },
		{ { .ca = house->ca_path, .cert = "/nowhere/c", .key_file = house->key_path, .host = "h" }, "the certificate /nowhere/c" },
		{ { .ca = house->ca_path, .cert = house->cert_path, .key_file = "/nowhere/k", .host = "h" }, "the key /nowhere/k" },
		{ { .ca = house->ca_path, .cert = house->ca_path, .key_file = house->key_path, .host = "h" }, "the key " },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char why[TLS_WHY_MAX];
		struct tls_client *client = NULL;

		check_int(tls_client_new(&rows[i].options, why, &client), -EINVAL);
		if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s", why);
		assert_null(client);
	}
}

static void openssl_is_put_in_words(void **state)
{
	bool identity = false;

	(void)state;
	check_text(tls_words("error:0A000102:SSL routines::unsupported protocol", &identity), "it speaks no TLS 1.2 or newer");
	check_true(identity);
	check_text(tls_words("error:0A000418:SSL routines::tlsv1 alert unknown ca", &identity), "it does not accept our certificate");
	check_true(!identity);
	assert_null(tls_words("error:00000000:lib(0)::reason(0)", &identity));
	check_uint(tls_pending(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_right_one_is_believed),
		cmocka_unit_test(one_of_the_pins_must_be_its_key),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(files_that_are_wrong_are_named),
		cmocka_unit_test(openssl_is_put_in_words),
	};
	return cmocka_run_group_tests(rows, build, tear_down) != 0;
}
