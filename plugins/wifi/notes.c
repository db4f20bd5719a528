/* A stranger's flood must neither fill the record nor hide what another one does: rows are by kind and object. */
#include "wifi/notes.h"

#include "base/text.h"

/* Objects and texts have strangers' bytes in them: control characters do not get further. */
static void copy(char ret[NOTES_TEXT_MAX], const char *text)
{
	text_copy(ret, NOTES_TEXT_MAX, text);
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void count_more(struct lan_note *row, uint32_t count)
{
	row->count = count < UINT32_MAX - row->count ? row->count + count : UINT32_MAX;
}

bool notes_add(struct lan_notes *notes, int kind, uint32_t count, const char *object, const char *text)
{
	struct lan_note fresh = { .kind = kind };

	copy(fresh.object, object);
	copy(fresh.text, text);
	for (size_t i = 0; i < notes->n; i++) {
		if (notes->rows[i].kind != kind || !text_equal(notes->rows[i].object, fresh.object))
			continue;
		count_more(&notes->rows[i], count);
		return false;
	}
	if (notes->n < NOTES_MAX) {
		notes->rows[notes->n++] = fresh;
		return true;
	}
	count_more(&notes->rows[NOTES_MAX - 1], count);
	return false;
}

bool notes_take(struct lan_notes *notes, struct lan_note *ret)
{
	while (notes->n) {
		struct lan_note *row = &notes->rows[--notes->n];

		if (!row->count)
			continue;
		*ret = *row;
		return true;
	}
	return false;
}

bool notes_are_empty(const struct lan_notes *notes)
{
	return notes->n == 0;
}
