/* A few rows an adapter. A join is over in minutes and so is the interest in it, so nothing is written anywhere; a sweep
 * each few seconds, while there are rows, forgets what is old and wipes digits whose window has closed. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/joins.h"
#include "sys/crypto.h"

enum { SWEEP_MS = 5000, ROWS = JOINS_ADAPTERS * JOINS_PER_ADAPTER_MAX };

struct joins {
	struct loop *loop;
	struct timer *sweep;
	struct join *rows[ROWS]; /* the first n, oldest first */
	size_t n;
};

const char *join_stage_name(enum join_stage stage)
{
	static const char *const names[JOIN_STAGES] = {
		[JOIN_SEEN] = "seen",	[JOIN_INTERVIEW] = "interview", [JOIN_CONFIGURE] = "configure",
		[JOIN_READY] = "ready", [JOIN_FAILED] = "failed",	[JOIN_PASSKEY] = "passkey",
	};
	return names[stage];
}

static void forget(struct joins *joins, size_t i)
{
	crypto_wipe(joins->rows[i], sizeof(*joins->rows[i]));
	free(joins->rows[i]);
	memmove(&joins->rows[i], &joins->rows[i + 1], (joins->n - i - 1) * sizeof(joins->rows[0]));
	joins->n--;
}

/* Its digits are over, not the row. */
static void end_passkey(struct join *join)
{
	if (join->stage == JOIN_PASSKEY)
		crypto_wipe(join->text, sizeof(join->text));
}

static int64_t end_of(const struct join *join)
{
	return (join->window_ms > join->changed_ms ? join->window_ms : join->changed_ms) + JOINS_KEEP_MS;
}

static void on_sweep(void *ctx)
{
	struct joins *joins = ctx;
	int64_t now = loop_now_ms(joins->loop);
	for (size_t i = joins->n; i > 0; i--) {
		struct join *join = joins->rows[i - 1];
		if (now >= end_of(join))
			forget(joins, i - 1);
		else if (now >= join->window_ms)
			end_passkey(join);
	}
	if (joins->n)
		timer_start(joins->sweep, SWEEP_MS);
}

int joins_new(struct loop *loop, struct joins **ret)
{
	struct joins *joins = calloc(1, sizeof(*joins));
	if (!joins)
		return -ENOMEM;
	joins->loop = loop;
	int r = timer_new(loop, on_sweep, joins, &joins->sweep);
	if (r != 0) {
		free(joins);
		return r;
	}
	*ret = joins;
	return 0;
}

struct joins *joins_close(struct joins *joins)
{
	if (!joins)
		return NULL;
	while (joins->n)
		forget(joins, joins->n - 1);
	joins->sweep = timer_close(joins->sweep);
	free(joins);
	return NULL;
}

static struct join *find(const struct joins *joins, const char *adapter, const struct address *addr)
{
	for (size_t i = 0; i < joins->n; i++)
		if (strcmp(joins->rows[i]->adapter, adapter) == 0 && address_equal(&joins->rows[i]->addr, addr))
			return joins->rows[i];
	return NULL;
}

static uint32_t late_user(const struct joins *joins, const struct join *join)
{
	return join && join->user && loop_now_ms(joins->loop) < join->window_ms + JOINS_LATE_MS ? join->user : 0;
}

uint32_t joins_user(const struct joins *joins, const char *adapter, const struct address *addr)
{
	return late_user(joins, find(joins, adapter, addr));
}

bool joins_has(const struct joins *joins, const char *adapter, const struct address *addr)
{
	return find(joins, adapter, addr) != NULL;
}

/* Room for one more of this adapter: of those it has, the one that was silent longest goes. */
static void make_room(struct joins *joins, const char *adapter)
{
	size_t n = 0, oldest = joins->n;
	for (size_t i = 0; i < joins->n; i++) {
		if (strcmp(joins->rows[i]->adapter, adapter) != 0)
			continue;
		n++;
		if (oldest == joins->n || joins->rows[i]->changed_ms < joins->rows[oldest]->changed_ms)
			oldest = i;
	}
	if (n >= JOINS_PER_ADAPTER_MAX)
		forget(joins, oldest);
	else if (joins->n == ROWS)
		forget(joins, 0);
}

static struct join *make(struct joins *joins, const char *adapter, const struct address *addr)
{
	make_room(joins, adapter);
	struct join *join = calloc(1, sizeof(*join));
	if (!join)
		return NULL;
	text_copy(join->adapter, sizeof(join->adapter), adapter);
	join->addr = *addr;
	join->since_ms = loop_now_ms(joins->loop);
	joins->rows[joins->n++] = join;
	return join;
}

void joins_heard(struct joins *joins, const char *adapter, const struct address *addr, enum join_stage stage, const char *text,
		 uint32_t user, int64_t window_ms)
{
	struct join *join = find(joins, adapter, addr);
	/* It begins anew: so does its time. */
	if (join && stage == JOIN_SEEN && join->stage != JOIN_SEEN)
		join->since_ms = loop_now_ms(joins->loop);
	if (!join)
		join = make(joins, adapter, addr);
	if (!join)
		return; /* without memory nobody sees it; it joins all the same */
	end_passkey(join);
	join->stage = stage;
	join->changed_ms = loop_now_ms(joins->loop);
	if (user || !late_user(joins, join)) {
		join->user = user;
		join->window_ms = window_ms;
	}
	/* No window is open: there is nobody who may see digits. */
	text_copy(join->text, sizeof(join->text), stage == JOIN_PASSKEY && !user ? "" : text);
	timer_start(joins->sweep, SWEEP_MS);
}

void joins_adopt(struct joins *joins, const char *adapter, int64_t from_ms, uint32_t user, int64_t window_ms)
{
	for (size_t i = 0; i < joins->n; i++) {
		struct join *join = joins->rows[i];
		if (join->user || join->changed_ms < from_ms || strcmp(join->adapter, adapter) != 0)
			continue;
		join->user = user;
		join->window_ms = window_ms;
	}
}

void joins_window_closed(struct joins *joins, const char *adapter)
{
	for (size_t i = 0; i < joins->n; i++) {
		if (strcmp(joins->rows[i]->adapter, adapter) != 0)
			continue;
		end_passkey(joins->rows[i]);
		if (joins->rows[i]->window_ms > loop_now_ms(joins->loop))
			joins->rows[i]->window_ms = loop_now_ms(joins->loop);
	}
}

const struct join *joins_at(const struct joins *joins, const char *adapter, size_t i)
{
	for (size_t k = 0; k < joins->n; k++)
		if (strcmp(joins->rows[k]->adapter, adapter) == 0 && i-- == 0)
			return joins->rows[k];
	return NULL;
}
