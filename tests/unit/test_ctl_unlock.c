/* The person's end of unlocking: what each answer means, and that silence is one. */
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "ctl/unlock.h"
#include "sys/packet.h"
#include "tmpdir.h"

struct core {
	const char *word; /* NULL: closes without one */
	char heard[64];
	struct packet_conn *conn;
};

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct core *core = ctx;
	snprintf(core->heard, sizeof(core->heard), "%.*s", (int)len, (const char *)data);
	if (core->word)
		check_ok(packet_send(core->conn, core->word, strlen(core->word)));
	packet_close(core->conn);
}

static void on_close(void *ctx, int r)
{
	(void)ctx;
	(void)r;
}

static const struct packet_ops ops = { .on_packet = on_packet, .on_close = on_close };

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct core *core = ctx;
	(void)peer;
	core->conn = conn;
	check_ok(packet_start(conn, &ops, core));
}

/* A core in a process of its own that answers one packet. */
static pid_t core_start(const char *path, const char *word)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	struct core core = { .word = word };
	struct packet_server *server;
	struct loop *loop;
	check_ok(loop_new(&loop));
	check_ok(packet_listen(loop, path, 0600, on_accept, &core, &server));
	for (int i = 0; i < 1000 && !core.heard[0]; i++)
		check_ok(loop_turn(loop, 10));
	for (int i = 0; i < 5; i++)
		check_ok(loop_turn(loop, 5));
	_exit(strcmp(core.heard, "open sesame, please") != 0);
}

static void answers(void **state)
{
	static const struct { const char *word; int r; } rows[] = {
		{ "ok", 0 }, { "wrong", UNLOCK_E_WRONG }, { "wait", UNLOCK_E_WAIT }, { "failed", UNLOCK_E_SILENT }, { NULL, UNLOCK_E_SILENT },
		{ "a word that is much too long for it", UNLOCK_E_SILENT },
	};
	struct tmpdir dir;
	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = tmpdir_path(&dir, "unlock.sock");
		int status, r = -ENOENT;
		(void)unlink(path);
		pid_t pid = core_start(path, rows[i].word);
		for (int k = 0; k < 500 && (r == -ENOENT || r == -ECONNREFUSED); k++) {
			r = unlock_send(path, "open sesame, please");
			usleep(2000);
		}
		check_int(r, rows[i].r);
		assert_true(waitpid(pid, &status, 0) == pid);
		check_int(status, 0);
	}
	(void)unlink(tmpdir_path(&dir, "unlock.sock"));
	check_int(unlock_send(tmpdir_path(&dir, "unlock.sock"), "x"), -ENOENT);
	tmpdir_deinit(&dir);
}

static void beside_the_door(void **state)
{
	char path[64];
	(void)state;
	check_true(unlock_path("/run/gatewayd/door.sock", path, sizeof(path)));
	check_text(path, "/run/gatewayd/unlock.sock");
	check_true(unlock_path("door.sock", path, sizeof(path)));
	check_text(path, "unlock.sock");
	check_true(!unlock_path("/run/gatewayd/door.sock", path, 8));
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(answers), cmocka_unit_test(beside_the_door) };
	return CHECK_RUN(rows);
}
