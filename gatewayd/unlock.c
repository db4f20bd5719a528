/* Before the passphrase is there, this process has no key, no database, no wire and no door: one socket, on which one packet is
 * taken for a passphrase. Trying one costs what Argon2id costs, and after a wrong one everybody waits; who can reach the
 * socket (the door's group) can therefore keep the owner waiting a minute, but not guess.
 */
#include "unlock.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/packet.h"

enum { FIRST_WAIT_MS = 1000, TURN_MS = 500 };

struct unlock_client {
	struct unlock *unlock;
	struct packet_conn *conn; /* NULL: a free place */
};
struct unlock {
	struct loop *loop;
	struct vault_options options;
	unlock_done_fn done;
	void *ctx;
	struct packet_server *server;
	struct unlock_client clients[UNLOCK_CLIENTS_MAX];
	struct timer *ping;
	int64_t watchdog_ms, not_before_ms, wait_ms;
	unsigned wrong;
	bool over;
};

static void answer(struct unlock_client *client, const char *word)
{
	(void)!packet_send(client->conn, word, strlen(word));
	client->conn = packet_close(client->conn);
}

static void end(struct unlock *unlock, int r, const char *why, struct vault *vault)
{
	unlock->over = true;
	unlock->done(unlock->ctx, r, why, vault);
}

static void wrong_try(struct unlock *unlock)
{
	unlock->wrong++;
	unlock->wait_ms = unlock->wait_ms ? 2 * unlock->wait_ms : FIRST_WAIT_MS;
	if (unlock->wait_ms > UNLOCK_WAIT_MS_MAX)
		unlock->wait_ms = UNLOCK_WAIT_MS_MAX;
	unlock->not_before_ms = loop_now_ms(unlock->loop) + unlock->wait_ms;
	log_warn("a wrong passphrase for the keystore", log_i64("tries", unlock->wrong));
}

static void try_passphrase(struct unlock_client *client, const struct secret *passphrase)
{
	struct unlock *unlock = client->unlock;
	struct vault_options options = unlock->options;
	struct vault *vault = NULL;
	char why[256];
	options.passphrase = passphrase;
	options.now_s = loop_wall_us(unlock->loop) / 1000000;
	int r = vault_open(&options, why, sizeof(why), &vault);
	if (r == 0) {
		answer(client, "ok");
		end(unlock, 0, "", vault);
	} else if (r == VAULT_E_WRONG_KEY || r == VAULT_E_LOCKED) {
		wrong_try(unlock);
		answer(client, "wrong");
	} else if (r == -ENOMEM || r == -EAGAIN) {
		answer(client, "wait"); /* Argon2id's memory: no try was spent */
	} else {
		answer(client, "failed");
		end(unlock, r, why, NULL);
	}
}

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct unlock_client *client = ctx;
	struct unlock *unlock = client->unlock;
	struct secret *passphrase = NULL;
	bool fits = len > 0 && len <= UNLOCK_PASSPHRASE_MAX;
	int r = fits && !unlock->over ? secret_new(data, len, &passphrase) : 0;
	crypto_wipe((uint8_t *)(uintptr_t)data, len); /* ours until the next packet comes */
	if (unlock->over || r != 0 || loop_now_ms(unlock->loop) < unlock->not_before_ms) {
		answer(client, "wait");
	} else if (!passphrase) {
		wrong_try(unlock);
		answer(client, "wrong");
	} else {
		try_passphrase(client, passphrase);
	}
	secret_free(passphrase);
}

static void on_close(void *ctx, int r)
{
	struct unlock_client *client = ctx;
	(void)r;
	client->conn = NULL;
}

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	static const struct packet_ops ops = { .on_packet = on_packet, .on_close = on_close };
	struct unlock *unlock = ctx;
	struct unlock_client *client = NULL;
	(void)peer;
	for (size_t i = 0; i < N_ELEMENTS(unlock->clients); i++)
		if (!unlock->clients[i].conn)
			client = &unlock->clients[i];
	if (!client || packet_start(conn, &ops, client) != 0) {
		packet_close(conn);
		return;
	}
	client->conn = conn;
}

static void on_ping(void *ctx)
{
	struct unlock *unlock = ctx;
	timer_start(unlock->ping, unlock->watchdog_ms / 4);
	(void)!host_notify("WATCHDOG=1");
}

int unlock_new(struct loop *loop, const char *run_dir, mode_t mode, const struct vault_options *options, unlock_done_fn done, void *ctx,
	       struct unlock **ret)
{
	char path[512];
	struct unlock *unlock = calloc(1, sizeof(*unlock));
	if (!unlock)
		return -ENOMEM;
	*unlock = (struct unlock){ .loop = loop, .options = *options, .done = done, .ctx = ctx, .watchdog_ms = host_watchdog_ms() };
	for (size_t i = 0; i < N_ELEMENTS(unlock->clients); i++)
		unlock->clients[i].unlock = unlock;
	int r = text_print(path, sizeof(path), "%s/unlock.sock", run_dir) ? timer_new(loop, on_ping, unlock, &unlock->ping) : -ENAMETOOLONG;
	if (r == 0)
		r = packet_listen(loop, path, mode, on_accept, unlock, &unlock->server);
	if (r == 0)
		r = host_notify("READY=1\nSTATUS=locked: gatewayctl unlock");
	if (r != 0) {
		unlock_close(unlock);
		return r;
	}
	if (unlock->watchdog_ms)
		timer_start(unlock->ping, unlock->watchdog_ms / 4);
	*ret = unlock;
	return 0;
}

struct unlock *unlock_close(struct unlock *unlock)
{
	if (!unlock)
		return NULL;
	for (size_t i = 0; i < N_ELEMENTS(unlock->clients); i++)
		if (unlock->clients[i].conn)
			packet_close(unlock->clients[i].conn);
	if (unlock->server)
		packet_server_close(unlock->server);
	timer_close(unlock->ping);
	free(unlock);
	return NULL;
}

unsigned unlock_wrong(const struct unlock *unlock)
{
	return unlock->wrong;
}

struct outcome {
	bool is_over;
	int r;
	char *why;
	size_t why_cap;
	struct vault *vault;
};

static void on_done(void *ctx, int r, const char *why, struct vault *vault)
{
	struct outcome *outcome = ctx;
	outcome->is_over = true;
	outcome->r = r;
	outcome->vault = vault;
	text_copy(outcome->why, outcome->why_cap, why);
}

int unlock_vault(struct loop *loop, const char *run_dir, mode_t mode, const struct vault_options *options, char *why, size_t why_cap,
		 unsigned *ret_wrong, struct vault **ret)
{
	struct outcome outcome = { .why = why, .why_cap = why_cap };
	struct unlock *unlock;
	*ret_wrong = 0;
	int r = vault_open(options, why, why_cap, ret);
	if (r != VAULT_E_LOCKED)
		return r;
	r = host_mkdir(run_dir, 0755);
	if (r == 0)
		r = unlock_new(loop, run_dir, mode, options, on_done, &outcome, &unlock);
	if (r != 0) {
		text_print(why, why_cap, "%s/unlock.sock: %s", run_dir, strerror(-r));
		return r;
	}
	log_notice("locked: waiting for the passphrase of the keystore");
	while (r == 0 && !outcome.is_over)
		r = loop_turn(loop, TURN_MS);
	*ret_wrong = unlock_wrong(unlock);
	unlock_close(unlock);
	if (r != 0)
		return r;
	if (outcome.r == 0) {
		*ret = outcome.vault;
		log_notice("unlocked", log_i64("wrong_tries", *ret_wrong));
	}
	return outcome.r;
}
