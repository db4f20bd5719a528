/* One line a change, so that it reads well on a terminal and in a file alike. Names and reasons come from devices and plugins: they
 * are made plain. */
#include <string.h>
#include "base/text.h"
#include "ctl/follow.h"
#include "ctl/plain.h"

enum { PAST_S = 2 }; /* some fail before their window is said to be open */

const struct json *follow_adapter(const struct json *status, const char *adapter)
{
	const struct json *list = json_get(status, "adapters");
	for (size_t i = 0; i < json_len(list); i++)
		if (text_equal(json_get_text(json_at(list, i), "adapter"), adapter))
			return json_at(list, i);
	return NULL;
}

int64_t follow_left_s(const struct json *adapter)
{
	int64_t left = 0;
	return json_to_i64(json_get(adapter, "open_s"), &left) && left > 0 ? left : 0;
}

static void done_words(const struct json *join, char *ret, size_t cap)
{
	const char *name = json_get_text(join, "device"), *state = json_get_text(join, "state"), *ways = json_get_text(join, "ways");
	if (!name)
		text_copy(ret, cap, "has joined");
	else if (text_equal(state, "waiting"))
		text_print(ret, cap, "has joined as \"%s\" and waits for you: gatewayctl claim press, or claim confirm \"%s\"", name, name);
	else if (ways)
		text_print(ret, cap, "has joined; it is \"%s\": %s", name, ways);
	else
		text_print(ret, cap, "has joined as \"%s\" (%s)", name, state ? state : "-");
}

static void words_of(const struct json *join, char *ret, size_t cap)
{
	static const struct {
		const char *stage, *words;
	} rows[] = {
		{ "seen", "was heard" },
		{ "interview", "is telling what it is" },
		{ "configure", "is being set up" },
	};
	const char *stage = json_get_text(join, "stage"), *why = json_get_text(join, "why"), *passkey = json_get_text(join, "passkey");
	if (text_equal(stage, "ready")) {
		done_words(join, ret, cap);
		return;
	}
	if (text_equal(stage, "failed")) {
		text_print(ret, cap, "did not join: %s", why ? why : "it does not say why");
		return;
	}
	if (text_equal(stage, "passkey")) {
		text_print(ret, cap, passkey ? "enter or compare on the device: %s" : "wants digits, which whoever opened the window sees", passkey);
		return;
	}
	text_print(ret, cap, "%s", stage ? stage : "-");
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (text_equal(stage, rows[i].stage))
			text_print(ret, cap, "%s%s%s", rows[i].words, why ? ": " : "", why ? why : "");
}

/* The oldest gives way. */
static struct follow_row *row_of(struct follow *follow, const char *address)
{
	for (size_t i = 0; i < follow->n; i++)
		if (strcmp(follow->rows[i].address, address) == 0)
			return &follow->rows[i];
	if (follow->n == FOLLOW_ROWS_MAX) {
		memmove(&follow->rows[0], &follow->rows[1], (FOLLOW_ROWS_MAX - 1) * sizeof(follow->rows[0]));
		follow->n--;
	}
	struct follow_row *row = &follow->rows[follow->n++];
	text_copy(row->address, sizeof(row->address), address);
	row->said[0] = '\0';
	return row;
}

void follow_past(struct follow *follow, const struct json *adapter)
{
	const struct json *joins = json_get(adapter, "joins");
	for (size_t i = 0; i < json_len(joins); i++) {
		const char *address = json_get_text(json_at(joins, i), "address"), *stage = json_get_text(json_at(joins, i), "stage");
		struct follow_row *row = row_of(follow, address ? address : "-");
		int64_t since_s = 0;
		(void)json_to_i64(json_get(json_at(joins, i), "since_s"), &since_s);
		if (since_s > PAST_S && (text_equal(stage, "ready") || text_equal(stage, "failed")))
			words_of(json_at(joins, i), row->said, sizeof(row->said));
	}
}

size_t follow_say(struct follow *follow, FILE *out, const struct json *adapter)
{
	const struct json *joins = json_get(adapter, "joins");
	char words[FOLLOW_WORDS_MAX];
	size_t n = 0;
	bool full = false;
	for (size_t i = 0; i < json_len(joins); i++) {
		const char *address = json_get_text(json_at(joins, i), "address");
		struct follow_row *row = row_of(follow, address ? address : "-");
		words_of(json_at(joins, i), words, sizeof(words));
		if (strcmp(words, row->said) == 0)
			continue;
		text_copy(row->said, sizeof(row->said), words);
		plain_put(out, row->address);
		fputc(' ', out);
		plain_put(out, words);
		fputc('\n', out);
		n++;
	}
	(void)json_to_bool(json_get(adapter, "full"), &full);
	if (full && !follow->full_said) {
		fputs("The window has taken as many devices as it may: make those yours, then open another.\n", out);
		n++;
	}
	follow->full_said = full;
	follow->n_said += n;
	return n;
}
