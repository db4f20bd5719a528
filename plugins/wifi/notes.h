#pragma once
/* notes - what is refused, dropped or odd, counted: the first is said at once, its repeats once a second with their number.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  base/text
 *   owns    nothing: a plain table
 *   limits  NOTES_MAX NOTES_TEXT_MAX
 */
#include "base/base.h"

enum { NOTES_MAX = 12, NOTES_TEXT_MAX = 128, NOTES_PERIOD_MS = 1000 };

struct lan_note {
	int kind;
	uint32_t count; /* not yet said */
	char object[NOTES_TEXT_MAX], text[NOTES_TEXT_MAX];
};
struct lan_notes {
	struct lan_note rows[NOTES_MAX]; /* of this second; the last one takes all that find no place */
	size_t n;
};

/* True: say it now. False: it is counted, and notes_take gives it when the second is over. */
bool notes_add(struct lan_notes *notes, int kind, uint32_t count, const char *object, const char *text);
/* The second is over: the next that was held back; false: none, and a new second begins. */
bool notes_take(struct lan_notes *notes, struct lan_note *ret);
bool notes_are_empty(const struct lan_notes *notes);
