/* A locked core: one socket, one passphrase a packet; wrong ones cost time, and the vault opens with the right one. */
#include "check.h"

#include "sys/crypto.h"
#include "sys/packet.h"
#include "tmpdir.h"
#include "unlock.h"

static const char right[] = "a passphrase that is long";

struct locked {
	struct tmpdir dir;
	struct loop *loop;
	struct vault_options options;
	struct unlock *unlock;
	bool over;
	int r;
	struct vault *vault;
};

static void on_done(void *ctx, int r, const char *why, struct vault *vault)
{
	struct locked *l = ctx;
	check_true(!l->over && why);
	l->over = true;
	l->r = r;
	l->vault = vault;
}

static void locked_open(struct locked *l)
{
	struct secret *passphrase;
	struct vault *vault;
	char why[256];
	memset(l, 0, sizeof(*l));
	check_ok(crypto_init());
	tmpdir_init(&l->dir);
	check_ok(loop_new_virtual(1000, INT64_C(1795500000) * 1000000, &l->loop));
	l->options = (struct vault_options){ .folder = l->dir.path, .suite = SEAL_XCHACHA, .source = KEY_SOURCE_PASSPHRASE, .mem_kib = 8192,
					     .passes = 1, .now_s = 1795500000 };
	check_ok(secret_new(right, strlen(right), &passphrase));
	l->options.passphrase = passphrase;
	check_ok(vault_open(&l->options, why, sizeof(why), &vault));
	vault_close(vault);
	l->options.passphrase = NULL;
	check_int(vault_open(&l->options, why, sizeof(why), &vault), VAULT_E_LOCKED);
	secret_free(passphrase);
	check_ok(unlock_new(l->loop, l->dir.path, 0600, &l->options, on_done, l, &l->unlock));
}

static void locked_close(struct locked *l)
{
	l->unlock = unlock_close(l->unlock);
	vault_close(l->vault);
	loop_free(l->loop);
	check_int(access(tmpdir_path(&l->dir, "unlock.sock"), F_OK), -1);
	tmpdir_deinit(&l->dir);
}

struct asked {
	char word[16];
	bool ended;
};

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct asked *asked = ctx;
	snprintf(asked->word, sizeof(asked->word), "%.*s", (int)len, (const char *)data);
}

static void on_close(void *ctx, int r)
{
	struct asked *asked = ctx;
	(void)r;
	asked->ended = true;
}

static const struct packet_ops ops = { .on_packet = on_packet, .on_close = on_close };

static void send_bytes(struct locked *l, const void *data, size_t len, struct asked *asked)
{
	struct packet_conn *conn;
	memset(asked, 0, sizeof(*asked));
	check_ok(packet_connect(l->loop, tmpdir_path(&l->dir, "unlock.sock"), &conn));
	check_ok(packet_start(conn, &ops, asked));
	check_ok(packet_send(conn, data, len));
	for (int i = 0; i < 2000 && !asked->ended; i++)
		check_ok(loop_turn(l->loop, 5));
	check_true(asked->ended);
}

static void expect(struct locked *l, const char *passphrase, const char *word)
{
	struct asked asked;
	send_bytes(l, passphrase, strlen(passphrase), &asked);
	check_text(asked.word, word);
}

static void the_right_one_opens(void **state)
{
	struct locked l;
	struct stat st;
	(void)state;
	locked_open(&l);
	check_ok(stat(tmpdir_path(&l.dir, "unlock.sock"), &st));
	check_uint(st.st_mode & 0777, 0600);
	expect(&l, right, "ok");
	check_true(l.over && l.r == 0 && l.vault);
	check_uint(unlock_wrong(l.unlock), 0);
	check_true(vault_active(l.vault, KEY_DB) > 0);
	expect(&l, right, "wait"); /* too late, and nothing happens twice */
	locked_close(&l);
}

static void wrong_ones_wait(void **state)
{
	struct locked l;
	int64_t wait = 1000;
	(void)state;
	locked_open(&l);
	for (unsigned i = 0; i < 9; i++) {
		expect(&l, "not the passphrase", "wrong");
		check_uint(unlock_wrong(l.unlock), i + 1);
		expect(&l, right, "wait"); /* the right one waits, too */
		loop_advance(l.loop, wait - 1);
		expect(&l, right, "wait");
		loop_advance(l.loop, 1);
		wait = 2 * wait > UNLOCK_WAIT_MS_MAX ? UNLOCK_WAIT_MS_MAX : 2 * wait;
	}
	check_int(wait, UNLOCK_WAIT_MS_MAX);
	expect(&l, right, "ok");
	check_true(l.over && l.r == 0);
	locked_close(&l);
}

static void odd_packets(void **state)
{
	static char long_one[UNLOCK_PASSPHRASE_MAX + 1];
	struct locked l;
	struct asked asked;
	(void)state;
	locked_open(&l);
	memset(long_one, 'x', sizeof(long_one));
	send_bytes(&l, long_one, sizeof(long_one), &asked);
	check_text(asked.word, "wrong");
	check_true(!l.over);
	loop_advance(l.loop, 1000);
	send_bytes(&l, "\0\xff\n", 3, &asked);
	check_text(asked.word, "wrong");
	loop_advance(l.loop, 2000);
	expect(&l, right, "ok");
	locked_close(&l);
}

static void only_so_many_at_a_time(void **state)
{
	struct locked l;
	struct asked asked[UNLOCK_CLIENTS_MAX + 1];
	struct packet_conn *conns[UNLOCK_CLIENTS_MAX + 1];
	(void)state;
	locked_open(&l);
	memset(asked, 0, sizeof(asked));
	for (size_t i = 0; i < UNLOCK_CLIENTS_MAX + 1; i++) {
		check_ok(packet_connect(l.loop, tmpdir_path(&l.dir, "unlock.sock"), &conns[i]));
		check_ok(packet_start(conns[i], &ops, &asked[i]));
		for (int k = 0; k < 5; k++)
			check_ok(loop_turn(l.loop, 1));
	}
	for (size_t i = 0; i < UNLOCK_CLIENTS_MAX; i++) {
		check_true(!asked[i].ended);
		packet_close(conns[i]);
	}
	check_true(asked[UNLOCK_CLIENTS_MAX].ended);
	for (int k = 0; k < 20; k++)
		check_ok(loop_turn(l.loop, 1));
	expect(&l, right, "ok");
	locked_close(&l);
}

/* What no passphrase can mend ends the waiting. */
static void a_damaged_keystore_ends_it(void **state)
{
	struct locked l;
	struct asked asked;
	(void)state;
	locked_open(&l);
	tmpdir_write(&l.dir, "keystore.bin", "rubbish");
	tmpdir_write(&l.dir, "keystore.old", "rubbish");
	send_bytes(&l, right, strlen(right), &asked);
	check_text(asked.word, "failed");
	check_true(l.over && l.r == VAULT_E_DAMAGED && !l.vault);
	locked_close(&l);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(the_right_one_opens), cmocka_unit_test(wrong_ones_wait), cmocka_unit_test(odd_packets),
					   cmocka_unit_test(only_so_many_at_a_time), cmocka_unit_test(a_damaged_keystore_ends_it) };
	return CHECK_RUN(rows);
}
