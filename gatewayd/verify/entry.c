/* There is one way to write a record, so every byte is looked at: by the header's rules, and by a table of the fields. */
#include <string.h>

#include "base/text.h"
#include "verify/entry.h"

enum sort { SORT_NONE, SORT_TEXT, SORT_NOT_ZERO, SORT_ANY };
enum { TAG_OBJECT = 6, TAG_DETAIL = 8, TAG_PREVIOUS_HEAD = 10, TAG_PREVIOUS_NAME, TAG_LOG_ID, TAG_SUITE, TAG_DROPPED, TAGS };
enum { NUMBER_DIGITS_MAX = 10, FIELD_14_MAX = 1400 };

static const struct {
	enum sort sort;
	uint16_t least, most;
} fields[TAGS] = {
	[1] = { SORT_TEXT, 1, 128 },     [2] = { SORT_NOT_ZERO, 1, 1 },   [3] = { SORT_NOT_ZERO, 8, 8 },
	[4] = { SORT_TEXT, 1, 128 },     [5] = { SORT_NOT_ZERO, 12, 12 }, [TAG_OBJECT] = { SORT_TEXT, 1, 64 },
	[7] = { SORT_TEXT, 1, 128 },     [TAG_DETAIL] = { SORT_TEXT, 1, 1024 },   [9] = { SORT_NOT_ZERO, 8, 8 },
	[TAG_PREVIOUS_HEAD] = { SORT_ANY, 32, 32 }, [TAG_PREVIOUS_NAME] = { SORT_TEXT, 1, 39 },
	[TAG_LOG_ID] = { SORT_ANY, 16, 16 },        [TAG_SUITE] = { SORT_ANY, 1, 1 },
	[TAG_DROPPED] = { SORT_ANY, 1, FIELD_14_MAX },
};

static bool is_zero(struct view v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i])
			return false;
	}
	return true;
}

static bool header_parse(struct reader *r, struct entry *ret)
{
	uint8_t version = get_u8(r), flags = get_u8(r), outcome, subject;
	uint32_t count;

	ret->kind = get_u16(r);
	ret->seq = get_u64(r);
	get_view(r, 8 + 8 + 16); /* clocks and boot id */
	outcome = get_u8(r);
	get_view(r, 2); /* severity, source */
	subject = get_u8(r);
	get_view(r, 4 + 4); /* subject id, rule */
	count = get_u32(r);
	get_view(r, 2 + 2); /* result, capability */
	return !r->bad && version == 1 && flags <= 1 && outcome <= 2 && subject <= 5 && count >= 1;
}

static bool field_parse(struct reader *r, uint8_t *last, struct view found[TAGS])
{
	uint8_t tag = get_u8(r);
	uint16_t len = get_u16(r);
	struct view v = get_view(r, len);

	if (r->bad || tag <= *last || tag >= TAGS || v.len < fields[tag].least || v.len > fields[tag].most)
		return false;
	if ((fields[tag].sort == SORT_NOT_ZERO && is_zero(v)) || (fields[tag].sort == SORT_TEXT && !text_is_utf8(v.data, v.len)))
		return false;
	*last = tag;
	found[tag] = v;
	return true;
}

/* u16 length, body, and twice u8 length, 0 or 64 bytes: what is in them is looked at when it is needed. */
static bool dropped_is_shaped(struct view field)
{
	struct reader r = reader_over(field.data, field.len);
	bool shaped = get_view16(&r, FIELD_14_MAX).len > 0;

	for (size_t i = 0; i < 2; i++) {
		uint8_t len = get_u8(&r);

		get_view(&r, len);
		shaped = shaped && (len == 0 || len == 64);
	}
	return shaped && reader_is_done(&r);
}

int entry_parse(const void *data, size_t len, struct entry *ret)
{
	struct reader r = reader_over(data, len);
	struct view found[TAGS] = { { 0 } };
	struct entry e = { 0 };
	uint8_t last = 0;
	bool any;

	if (len > ENTRY_LEN_MAX || !header_parse(&r, &e))
		return ENTRY_E_SYNTAX;
	while (reader_left(&r)) {
		if (!field_parse(&r, &last, found))
			return ENTRY_E_SYNTAX;
	}
	any = found[TAG_PREVIOUS_HEAD].len || found[TAG_PREVIOUS_NAME].len || found[TAG_LOG_ID].len || found[TAG_SUITE].len;
	e.begins = found[TAG_PREVIOUS_HEAD].len && found[TAG_LOG_ID].len && found[TAG_SUITE].len;
	e.suite = found[TAG_SUITE].len ? found[TAG_SUITE].data[0] : 0;
	if (any != e.begins || e.suite > 1)
		return ENTRY_E_SYNTAX;
	if (found[TAG_DROPPED].len && (e.kind != ENTRY_KIND_DROP || found[TAG_DETAIL].len || !dropped_is_shaped(found[TAG_DROPPED])))
		return ENTRY_E_SYNTAX;
	e.object = found[TAG_OBJECT];
	e.previous_head = found[TAG_PREVIOUS_HEAD];
	e.previous_name = found[TAG_PREVIOUS_NAME];
	e.log_id = found[TAG_LOG_ID];
	e.dropped = found[TAG_DROPPED];
	*ret = e;
	return 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

uint64_t entry_segment_number(struct view name)
{
	static const char before[] = "audit-", after[] = ".db";
	size_t fixed = 6 + 6 + 1 + 3; /* audit- YYYYMM - .db */
	uint64_t n = 0;

	if (name.len <= fixed || name.len > fixed + NUMBER_DIGITS_MAX || memcmp(name.data, before, 6) != 0 || name.data[12] != '-' ||
	    name.data[13] == '0' || memcmp(name.data + name.len - 3, after, 3) != 0)
		return 0;
	for (size_t i = 6; i < 12; i++) {
		if (!is_digit(name.data[i]))
			return 0;
	}
	for (size_t i = 13; i < name.len - 3; i++) {
		if (!is_digit(name.data[i]))
			return 0;
		n = n * 10 + (name.data[i] - '0');
	}
	return n;
}
