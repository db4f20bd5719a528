/* One question and one answer, so the loop is turned right here. The core closes the connection behind its answer, and a
 * connection that was closed is gone when its callback has returned.
 */
#include "ctl/unlock.h"
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/packet.h"

enum { TURN_MS = 100, PATIENCE_S = 120 /* a passphrase is hard to try on purpose */ };

struct asked {
	struct packet_conn *conn; /* NULL: closed */
	char word[16];
	bool ended;
};

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct asked *asked = ctx;
	text_copy_n(asked->word, sizeof(asked->word), (const char *)data, len);
	asked->ended = true;
}

static void on_close(void *ctx, int r)
{
	struct asked *asked = ctx;
	(void)r;
	asked->conn = NULL;
	asked->ended = true;
}

bool unlock_path(const char *door, char *ret, size_t cap)
{
	const char *slash = strrchr(door, '/');
	return text_print(ret, cap, "%.*sunlock.sock", slash ? (int)(slash - door + 1) : 0, door);
}

static int meaning(const struct asked *asked)
{
	static const struct { const char *word; int r; } words[] = { { "ok", 0 }, { "wrong", UNLOCK_E_WRONG }, { "wait", UNLOCK_E_WAIT } };
	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		if (strcmp(words[i].word, asked->word) == 0)
			return words[i].r;
	return UNLOCK_E_SILENT;
}

int unlock_send(const char *path, const char *passphrase)
{
	static const struct packet_ops ops = { .on_packet = on_packet, .on_close = on_close };
	struct asked asked = { 0 };
	struct loop *loop;
	time_t until = time(NULL) + PATIENCE_S;
	int r = loop_new(&loop);
	if (r != 0)
		return r;
	r = packet_connect(loop, path, &asked.conn);
	if (r == 0)
		r = packet_start(asked.conn, &ops, &asked);
	if (r == 0)
		r = packet_send(asked.conn, passphrase, strlen(passphrase));
	while (r == 0 && !asked.ended && time(NULL) < until)
		r = loop_turn(loop, TURN_MS);
	if (r == 0)
		r = meaning(&asked);
	if (asked.conn)
		packet_close(asked.conn);
	loop_free(loop);
	return r;
}
