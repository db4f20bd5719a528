/* One connection, from the outside: where nobody is, where somebody hangs up, in the clear over a network, closed in the middle of
 * a look-up; and nothing of it stays behind (the sanitizer looks). */
#include "check.h"

#include <mosquitto.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "linkd/mqtt.h"
#include "tmpdir.h"

struct seen {
	int n_up, n_down;
	enum link_reason reason;
	char detail[256];
};

static void on_up(void *ctx)
{
	((struct seen *)ctx)->n_up++;
}

static void on_down(void *ctx, enum link_reason reason, const char *detail)
{
	struct seen *seen = ctx;

	seen->n_down++;
	seen->reason = reason;
	snprintf(seen->detail, sizeof(seen->detail), "%s", detail);
}

static const struct mqtt_ops ops = { .on_up = on_up, .on_down = on_down };

static void until_down(struct loop *loop, const struct seen *seen)
{
	for (int i = 0; i < 500 && !seen->n_down; i++)
		check_ok(loop_turn(loop, 20));
	check_int(seen->n_down, 1);
	check_int(seen->n_up, 0);
}

static struct tls_client *tls_for(struct tmpdir *dir, const char *host)
{
	struct tls_client_options options = { .host = host };
	struct tls_client *tls;
	char why[TLS_WHY_MAX];

	(void)dir;
	check_ok(tls_client_new(&options, why, &tls));
	return tls;
}

static void nobody_is_there(void **state)
{
	struct tls_client *tls = tls_for(NULL, "127.0.0.1");
	struct mqtt_options options = { .host = "127.0.0.1", .port = 1, .tls = tls, .client_id = "c", .keepalive_s = 10 };
	struct loop *loop;

	(void)state;
	check_ok(loop_new(&loop));
	for (int i = 0; i < 20; i++) {
		struct seen seen = { 0 };
		struct mqtt *mqtt;

		check_ok(mqtt_new(loop, &options, &ops, &seen, &mqtt));
		until_down(loop, &seen);
		check_int(seen.reason, LINK_UNREACHABLE);
		check_text(seen.detail, "Connection refused");
	}
	loop_free(loop);
	tls_client_free(tls);
}

static void a_name_that_does_not_exist(void **state)
{
	struct tls_client *tls = tls_for(NULL, "nowhere.invalid");
	struct mqtt_options options = { .host = "nowhere.invalid", .port = 8883, .tls = tls, .client_id = "c", .keepalive_s = 10 };
	struct seen seen = { 0 };
	struct mqtt *mqtt;
	struct loop *loop;

	(void)state;
	check_ok(loop_new(&loop));
	check_ok(mqtt_new(loop, &options, &ops, &seen, &mqtt));
	until_down(loop, &seen);
	check_int(seen.reason, LINK_UNREACHABLE);
	check_true(seen.detail[0]);
	loop_free(loop);
	tls_client_free(tls);
}

static void never_in_the_clear(void **state)
{
	struct mqtt_options options = { .host = "127.0.0.1", .port = 1883, .client_id = "c", .keepalive_s = 10 };
	struct seen seen = { 0 };
	struct mqtt *mqtt = NULL;
	struct loop *loop;

	(void)state;
	check_ok(loop_new(&loop));
	check_int(mqtt_new(loop, &options, &ops, &seen, &mqtt), -EPROTO);
	assert_null(mqtt);
	loop_free(loop);
}

static void closed_in_the_middle(void **state)
{
	struct tls_client *tls = tls_for(NULL, "127.0.0.1");
	struct mqtt_options options = { .host = "127.0.0.1", .port = 1, .tls = tls, .client_id = "c", .keepalive_s = 10 };
	struct seen seen = { 0 };
	struct mqtt *mqtt;
	struct loop *loop;

	(void)state;
	check_ok(loop_new(&loop));
	check_ok(mqtt_new(loop, &options, &ops, &seen, &mqtt));
	assert_null(mqtt_close(mqtt));
	for (int i = 0; i < 10; i++)
		check_ok(loop_turn(loop, 10));
	check_int(seen.n_down, 0);
	loop_free(loop);
	tls_client_free(tls);
}

static void one_that_hangs_up(void **state)
{
	struct tmpdir dir;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct mqtt_options options = { .client_id = "c", .keepalive_s = 10, .username = "u", .will_topic = "w", .will_payload = "x" };
	struct seen seen = { 0 };
	struct mqtt *mqtt;
	struct loop *loop;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), conn = -1;
	char buf[256];
	ssize_t n;

	(void)state;
	tmpdir_init(&dir);
	options.host = tmpdir_path(&dir, "s");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", options.host);
	assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(server, 1), 0);
	check_ok(loop_new(&loop));
	check_ok(mqtt_new(loop, &options, &ops, &seen, &mqtt));
	for (int i = 0; i < 100 && conn < 0; i++) {
		check_ok(loop_turn(loop, 20));
		conn = accept(server, NULL, NULL);
	}
	assert_true(conn >= 0);
	for (int i = 0; i < 10; i++)
		check_ok(loop_turn(loop, 10));
	n = recv(conn, buf, sizeof(buf), 0);
	/* CONNECT of MQTT 5: not held back until somebody asks. */
	assert_true(n > 12 && buf[0] == 0x10 && memcmp(buf + 4, "MQTT\x05", 5) == 0);
	close(conn);
	until_down(loop, &seen);
	check_int(seen.reason, LINK_UNREACHABLE);
	check_text(seen.detail, "it closed the connection");
	close(server);
	loop_free(loop);
	tmpdir_deinit(&dir);
}

static void codes_have_words(void **state)
{
	(void)state;
	check_text(mqtt_code_words(0x87), "not authorised");
	check_text(mqtt_code_words(0x97), "quota exceeded");
	check_text(mqtt_code_words(0xff), "an error it did not name");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(nobody_is_there),   cmocka_unit_test(a_name_that_does_not_exist), cmocka_unit_test(never_in_the_clear),
		cmocka_unit_test(closed_in_the_middle), cmocka_unit_test(one_that_hangs_up),	  cmocka_unit_test(codes_have_words),
	};
	int failed;

	if (crypto_init() < 0 || mosquitto_lib_init() != MOSQ_ERR_SUCCESS)
		return 1;
	failed = CHECK_RUN(rows);
	mosquitto_lib_cleanup();
	return failed;
}
