/* A door's packet has an end and a backup of a radio has none that would fit; so it lies here for a minute at most, for that one
 * session. What lies here may be keys: it is wiped as soon as nobody has a use for it. */
#include "door/desk.h"

#include <stdlib.h>
#include <string.h>
#include "base/parts.h"
#include "base/text.h"

enum { NAME_LEN = 64 };

struct text {
	uint64_t session; /* 0: free */
	uint32_t number;  /* going out; 0: coming in */
	char name[NAME_LEN];
	struct parts parts;
	size_t taken;
	int64_t until_ms;
};
struct desk {
	struct loop *loop;
	struct timer *sweep;
	struct text texts[DESK_TEXTS_MAX];
	uint32_t last;
};

static void text_end(struct text *text)
{
	parts_wipe(&text->parts);
	*text = (struct text){ .session = 0 };
}

static void on_sweep(void *ctx)
{
	struct desk *desk = ctx;
	int64_t now = loop_now_ms(desk->loop), next = INT64_MAX;
	for (size_t i = 0; i < DESK_TEXTS_MAX; i++) {
		struct text *text = &desk->texts[i];
		if (text->session && text->until_ms <= now)
			text_end(text);
		else if (text->session && text->until_ms < next)
			next = text->until_ms;
	}
	if (next != INT64_MAX)
		timer_start(desk->sweep, next - now);
}

static void text_touch(struct desk *desk, struct text *text)
{
	text->until_ms = loop_now_ms(desk->loop) + DESK_MS;
	on_sweep(desk);
}

int desk_new(struct loop *loop, struct desk **ret)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	if (!desk)
		return -ENOMEM;
	desk->loop = loop;
	int r = timer_new(loop, on_sweep, desk, &desk->sweep);
	if (r != 0) {
		free(desk);
		return r;
	}
	*ret = desk;
	return 0;
}

struct desk *desk_close(struct desk *desk)
{
	if (!desk)
		return NULL;
	for (size_t i = 0; i < DESK_TEXTS_MAX; i++)
		text_end(&desk->texts[i]);
	desk->sweep = timer_close(desk->sweep);
	free(desk);
	return NULL;
}

static struct text *find_in(const struct desk *desk, uint64_t session, const char *name)
{
	for (size_t i = 0; i < DESK_TEXTS_MAX; i++)
		if (session && desk->texts[i].session == session && !desk->texts[i].number && strcmp(desk->texts[i].name, name) == 0)
			return (struct text *)&desk->texts[i];
	return NULL;
}

static struct text *make(struct desk *desk, uint64_t session)
{
	for (size_t i = 0; i < DESK_TEXTS_MAX; i++) {
		struct text *text = &desk->texts[i];
		if (text->session)
			continue;
		text->session = session;
		text->parts.max = DESK_TEXT_LEN_MAX;
		return text;
	}
	return NULL;
}

int desk_add(struct desk *desk, uint64_t session, const char *name, const void *data, size_t len)
{
	struct text *text = find_in(desk, session, name);
	if (!text) {
		text = make(desk, session);
		if (!text)
			return DESK_E_FULL;
		text_copy(text->name, sizeof(text->name), name);
	}
	int r = parts_add(&text->parts, data, len);
	if (r != 0) {
		text_end(text);
		return r < 0 ? r : DESK_E_FULL;
	}
	text_touch(desk, text);
	return 0;
}

struct view desk_text(const struct desk *desk, uint64_t session, const char *name)
{
	const struct text *text = find_in(desk, session, name);
	return text ? (struct view){ text->parts.data, text->parts.len } : (struct view){ NULL, 0 };
}

void desk_drop(struct desk *desk, uint64_t session, const char *name)
{
	struct text *text = find_in(desk, session, name);
	if (text)
		text_end(text);
}

int desk_lay(struct desk *desk, uint64_t session, struct view view, uint32_t *ret_number)
{
	struct text *text = make(desk, session);
	int r = text ? parts_add(&text->parts, view.data, view.len) : DESK_E_FULL;
	if (r != 0) {
		if (text)
			text_end(text);
		return r < 0 ? r : DESK_E_FULL;
	}
	text->number = ++desk->last;
	if (!desk->last)
		text->number = ++desk->last;
	text_touch(desk, text);
	*ret_number = text->number;
	return 0;
}

/* Not in the middle of a character. */
static size_t piece_len(const uint8_t *data, size_t left)
{
	size_t len = left < DESK_PIECE_MAX ? left : DESK_PIECE_MAX;
	if (len == left)
		return len;
	for (size_t back = 0; back < 4 && back < len; back++)
		if ((data[len - back] & 0xc0) != 0x80)
			return len - back;
	return len; /* no UTF-8 at all */
}

int desk_take(struct desk *desk, uint64_t session, uint32_t number, char ret[DESK_PIECE_MAX + 1], bool *ret_last)
{
	for (size_t i = 0; i < DESK_TEXTS_MAX; i++) {
		struct text *text = &desk->texts[i];
		if (!session || !number || text->session != session || text->number != number)
			continue;
		size_t len = piece_len(text->parts.data + text->taken, text->parts.len - text->taken);
		if (len)
			memcpy(ret, text->parts.data + text->taken, len);
		ret[len] = '\0';
		text->taken += len;
		*ret_last = text->taken == text->parts.len;
		if (*ret_last)
			text_end(text);
		else
			text_touch(desk, text);
		return 0;
	}
	return DESK_E_NONE;
}
