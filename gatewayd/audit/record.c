/* The header is fixed, because most of it is always there and the stamps are patched in place; the rest are fields of
 * tag, length, bytes by rising tag, left out when empty. There is no second way to write the same record, and decoding
 * accepts only that one, so that two implementations that agree on the meaning agree on the hash.
 */
#include "audit/record.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum { RECORD_VERSION = 1, FLAG_TIME_TRUSTED = 1 };
enum { AT_FLAGS = 1, AT_SEQ = 4, AT_BOOT_ID = 28, AT_SEVERITY = 45 };
enum field {
	FIELD_SUBJECT_NAME = 1,
	FIELD_SUBJECT_ROLE,
	FIELD_SESSION,
	FIELD_SOURCE_ADDR,
	FIELD_DEVICE,
	FIELD_OBJECT,
	FIELD_ACTION,
	FIELD_DETAIL,
	FIELD_OUTBOX,
	FIELD_PREVIOUS_HEAD,
	FIELD_PREVIOUS_NAME,
	FIELD_LOG_ID,
	FIELD_SUITE,
	FIELD_DROP,
	FIELDS
};
enum { FIELD_HEAD = 3 }; /* tag and length */

/* Texts are cut so that all of them together fit beside the rest. */
_Static_assert(RECORD_HEADER_LEN + FIELDS * FIELD_HEAD + 3 * RECORD_TEXT_MAX + AUDIT_OBJECT_MAX + AUDIT_DETAIL_MAX +
		       1 + 8 + DEVICE_ID_LEN + 8 + CRYPTO_HASH_LEN + RECORD_SEGMENT_MAX + RECORD_LOG_ID_LEN + 1 <= AUDIT_RECORD_MAX,
	       "the longest record fits");
_Static_assert(RECORD_HEADER_LEN + FIELDS * FIELD_HEAD + 3 * RECORD_TEXT_MAX + AUDIT_OBJECT_MAX + 1 + 8 + DEVICE_ID_LEN + 8 +
		       RECORD_DROP_MAX <= AUDIT_RECORD_MAX,
	       "and the longest without a detail, with what a dropped segment leaves");

static const uint8_t zeros[CRYPTO_HASH_LEN];

static void put_field(struct writer *w, enum field tag, const void *data, size_t len)
{
	put_u8(w, (uint8_t)tag);
	put_view16(w, data, len);
}

static void put_fixed(struct writer *w, enum field tag, const uint8_t *data, size_t len)
{
	if (memcmp(data, zeros, len) != 0)
		put_field(w, tag, data, len);
}

/* How many bytes the character at p takes: 0 when it is none. */
static size_t character_len(const char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (text_is_utf8(p, n))
			return n;
	}
	return 0;
}

static void put_text(struct writer *w, enum field tag, const char *text, size_t max)
{
	char clean[AUDIT_DETAIL_MAX];
	size_t left = text ? strnlen(text, 4 * max + 4) : 0, n = 0;

	assert(max <= sizeof(clean));
	while (left > 0 && n < max) {
		size_t len = character_len(text, left);

		if (n + (len ? len : 1) > max)
			break;
		if (len)
			memcpy(clean + n, text, len);
		else
			clean[n] = '?';
		n += len ? len : 1;
		text += len ? len : 1;
		left -= len ? len : 1;
	}
	if (n)
		put_field(w, tag, clean, n);
}

static void put_header(struct writer *w, const struct audit_record *record, const struct record_stamp *stamp)
{
	const struct audit_kind_row *row = audit_kind_row(record->kind);

	put_u8(w, RECORD_VERSION);
	put_u8(w, stamp->time_trusted ? FLAG_TIME_TRUSTED : 0);
	put_u16(w, record->kind);
	put_u64(w, stamp->seq);
	put_i64(w, stamp->wall_us);
	put_i64(w, stamp->boot_ms);
	put_bytes(w, stamp->boot_id, RECORD_BOOT_ID_LEN);
	put_u8(w, (uint8_t)record->outcome);
	put_u8(w, row ? row->severity : 0);
	put_u8(w, record->source);
	put_u8(w, (uint8_t)record->subject.kind);
	put_u32(w, record->subject.id);
	put_u32(w, (uint32_t)record->rule);
	put_u32(w, record->count > 1 ? record->count : 1);
	put_u16(w, record->result);
	put_u16(w, record->cap);
	assert(w->bad || writer_len(w) == RECORD_HEADER_LEN);
}

static void put_segment(struct writer *w, const struct record_segment *segment)
{
	put_field(w, FIELD_PREVIOUS_HEAD, segment->previous_head, CRYPTO_HASH_LEN);
	if (segment->previous_name[0])
		put_field(w, FIELD_PREVIOUS_NAME, segment->previous_name, strlen(segment->previous_name));
	put_field(w, FIELD_LOG_ID, segment->log_id, RECORD_LOG_ID_LEN);
	put_field(w, FIELD_SUITE, &segment->suite, 1);
}

size_t record_encode(const struct audit_record *record, const struct record_stamp *stamp, uint64_t outbox,
		     const struct record_segment *segment, uint8_t buf[AUDIT_RECORD_MAX])
{
	struct writer w = writer_over(buf, AUDIT_RECORD_MAX);

	put_header(&w, record, stamp);
	put_text(&w, FIELD_SUBJECT_NAME, record->subject_name, RECORD_TEXT_MAX);
	put_fixed(&w, FIELD_SUBJECT_ROLE, &record->subject_role, 1);
	put_fixed(&w, FIELD_SESSION, record->session_tag, sizeof(record->session_tag));
	put_text(&w, FIELD_SOURCE_ADDR, record->source_addr, RECORD_TEXT_MAX);
	put_fixed(&w, FIELD_DEVICE, record->device.b, DEVICE_ID_LEN);
	put_text(&w, FIELD_OBJECT, record->object, AUDIT_OBJECT_MAX);
	put_text(&w, FIELD_ACTION, record->action, RECORD_TEXT_MAX);
	put_text(&w, FIELD_DETAIL, record->detail, AUDIT_DETAIL_MAX);
	if (outbox) {
		put_u8(&w, FIELD_OUTBOX);
		put_u16(&w, 8);
		put_u64(&w, outbox);
	}
	if (segment && segment->present)
		put_segment(&w, segment);
	assert(!w.bad);
	return writer_len(&w);
}

static size_t put_drop(const struct audit_checkpoint *checkpoint, uint8_t ret[RECORD_DROP_MAX])
{
	struct writer w = writer_over(ret, RECORD_DROP_MAX);

	put_view16(&w, checkpoint->body, checkpoint->len);
	put_u8(&w, checkpoint->has_a ? SIGN_LEN : 0);
	put_bytes(&w, checkpoint->signature_a, checkpoint->has_a ? SIGN_LEN : 0);
	put_u8(&w, checkpoint->has_b ? SIGN_LEN : 0);
	put_bytes(&w, checkpoint->signature_b, checkpoint->has_b ? SIGN_LEN : 0);
	return w.bad ? 0 : writer_len(&w);
}

size_t record_encode_drop(const struct audit_record *record, const struct record_stamp *stamp, const struct audit_checkpoint *checkpoint,
			  uint8_t buf[AUDIT_RECORD_MAX])
{
	struct audit_record short_of = *record;
	uint8_t field[RECORD_DROP_MAX];
	size_t n = put_drop(checkpoint, field), len;
	struct writer w;

	assert(record->kind == AUDIT_SEGMENT_DROP);
	if (!n)
		return 0;
	short_of.detail = NULL;
	len = record_encode(&short_of, stamp, 0, NULL, buf);
	w = writer_over(buf + len, AUDIT_RECORD_MAX - len);
	put_field(&w, FIELD_DROP, field, n);
	assert(!w.bad);
	return len + writer_len(&w);
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static bool get_header(struct reader *r, struct record *ret)
{
	struct audit_record *record = &ret->record;
	struct view boot_id;
	uint8_t version = get_u8(r), flags = get_u8(r), outcome;

	record->kind = get_u16(r);
	ret->stamp.time_trusted = flags & FLAG_TIME_TRUSTED;
	ret->stamp.seq = get_u64(r);
	ret->stamp.wall_us = get_i64(r);
	ret->stamp.boot_ms = get_i64(r);
	boot_id = get_view(r, RECORD_BOOT_ID_LEN);
	if (r->bad)
		return false;
	memcpy(ret->stamp.boot_id, boot_id.data, RECORD_BOOT_ID_LEN);
	outcome = get_u8(r);
	record->outcome = (enum audit_outcome)outcome;
	ret->severity = get_u8(r);
	record->source = get_u8(r);
	record->subject.kind = (enum subject_kind)get_u8(r);
	record->subject.id = get_u32(r);
	record->rule = (int32_t)get_u32(r);
	record->count = get_u32(r);
	record->result = get_u16(r);
	record->cap = get_u16(r);
	return !r->bad && version == RECORD_VERSION && flags <= FLAG_TIME_TRUSTED && outcome <= AUDIT_DENIED &&
	       record->subject.kind < SUBJECT_KINDS && record->count >= 1;
}

struct texts {
	char *p, *end;
};

static bool take_text(struct view v, size_t max, struct texts *texts, const char **ret)
{
	if (v.len > max || !text_is_utf8(v.data, v.len) || (size_t)(texts->end - texts->p) <= v.len)
		return false;
	memcpy(texts->p, v.data, v.len);
	texts->p[v.len] = '\0';
	*ret = texts->p;
	texts->p += v.len + 1;
	return true;
}

/* A field of fixed length that is all zeros is left out; so it may not be there. */
static bool take_fixed(struct view v, void *ret, size_t len, bool may_be_zero)
{
	if (v.len != len || (!may_be_zero && memcmp(v.data, zeros, len) == 0))
		return false;
	memcpy(ret, v.data, len);
	return true;
}

static bool take_outbox(struct view v, struct record *ret)
{
	struct reader r = reader_over(v.data, v.len);

	ret->outbox = get_u64(&r);
	return reader_is_done(&r) && ret->outbox;
}

static bool take_name(struct view v, struct record_segment *segment)
{
	return v.len < sizeof(segment->previous_name) && text_is_utf8(v.data, v.len) &&
	       text_copy_n(segment->previous_name, sizeof(segment->previous_name), v.data, v.len);
}

static bool take_signature(struct reader *r, bool *ret_has, uint8_t ret[SIGN_LEN])
{
	uint8_t len = get_u8(r);
	struct view v = get_view(r, len);

	*ret_has = len == SIGN_LEN;
	if (*ret_has && !r->bad)
		memcpy(ret, v.data, SIGN_LEN);
	return !r->bad && (!len || *ret_has);
}

static bool drop_parse(struct view v, struct audit_checkpoint *ret)
{
	struct reader r = reader_over(v.data, v.len);
	struct view body = get_view16(&r, RECORD_DROP_MAX);

	if (v.len > RECORD_DROP_MAX || r.bad || !body.len || !take_signature(&r, &ret->has_a, ret->signature_a) ||
	    !take_signature(&r, &ret->has_b, ret->signature_b))
		return false;
	memcpy(ret->body, body.data, body.len);
	ret->len = body.len;
	return reader_is_done(&r);
}

static bool take_drop(struct view v, struct record *ret)
{
	struct audit_checkpoint unused;

	ret->drop = v;
	return ret->record.kind == AUDIT_SEGMENT_DROP && !ret->record.detail && drop_parse(v, &unused);
}

int record_take_drop(const struct record *record, struct record_drop *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!record->drop.len || !drop_parse(record->drop, &ret->checkpoint) || !record->record.object)
		return RECORD_E_SYNTAX;
	ret->len = record->drop.len;
	memcpy(ret->field, record->drop.data, record->drop.len);
	return text_copy(ret->name, sizeof(ret->name), record->record.object) ? 0 : RECORD_E_SYNTAX;
}

static bool take_field(uint8_t tag, struct view v, struct texts *texts, struct record *ret)
{
	struct audit_record *record = &ret->record;

	switch ((enum field)tag) {
	case FIELD_SUBJECT_NAME:
		return take_text(v, RECORD_TEXT_MAX, texts, &record->subject_name);
	case FIELD_SUBJECT_ROLE:
		return take_fixed(v, &record->subject_role, 1, false);
	case FIELD_SESSION:
		return take_fixed(v, record->session_tag, sizeof(record->session_tag), false);
	case FIELD_SOURCE_ADDR:
		return take_text(v, RECORD_TEXT_MAX, texts, &record->source_addr);
	case FIELD_DEVICE:
		return take_fixed(v, record->device.b, DEVICE_ID_LEN, false);
	case FIELD_OBJECT:
		return take_text(v, AUDIT_OBJECT_MAX, texts, &record->object);
	case FIELD_ACTION:
		return take_text(v, RECORD_TEXT_MAX, texts, &record->action);
	case FIELD_DETAIL:
		return take_text(v, AUDIT_DETAIL_MAX, texts, &record->detail);
	case FIELD_OUTBOX:
		return take_outbox(v, ret);
	case FIELD_PREVIOUS_HEAD:
		ret->segment.present = true;
		return take_fixed(v, ret->segment.previous_head, CRYPTO_HASH_LEN, true);
	case FIELD_PREVIOUS_NAME:
		return take_name(v, &ret->segment);
	case FIELD_LOG_ID:
		return take_fixed(v, ret->segment.log_id, RECORD_LOG_ID_LEN, true);
	case FIELD_SUITE:
		return take_fixed(v, &ret->segment.suite, 1, true) && ret->segment.suite <= CRYPTO_SM3;
	case FIELD_DROP:
		return take_drop(v, ret);
	case FIELDS:
		break;
	}
	return false;
}

int record_decode(const void *data, size_t len, struct record *ret)
{
	struct reader r = reader_over(data, len);
	struct texts texts = { ret->texts, ret->texts + sizeof(ret->texts) };
	uint32_t seen = 0;
	uint8_t last = 0;
	const uint32_t of_segment = 1u << FIELD_PREVIOUS_HEAD | 1u << FIELD_LOG_ID | 1u << FIELD_SUITE;

	memset(ret, 0, offsetof(struct record, texts));
	if (len > AUDIT_RECORD_MAX || !get_header(&r, ret))
		return RECORD_E_SYNTAX;
	while (reader_left(&r)) {
		uint8_t tag = get_u8(&r);
		struct view v = get_view16(&r, AUDIT_RECORD_MAX);

		if (r.bad || tag <= last || tag >= FIELDS || !v.len || !take_field(tag, v, &texts, ret))
			return RECORD_E_SYNTAX;
		seen |= 1u << tag;
		last = tag;
	}
	/* The fields of a segment's first record come together or not at all. */
	if ((seen & ~(1u << FIELD_DROP)) >> FIELD_PREVIOUS_HEAD && (seen & of_segment) != of_segment)
		return RECORD_E_SYNTAX;
	return 0;
}

/* --- stamping -------------------------------------------------------------------------------------------------------- */

void record_set_seq(uint8_t *data, uint64_t seq)
{
	struct writer w = writer_over(data + AT_SEQ, 8);

	put_u64(&w, seq);
}

uint8_t record_severity(const uint8_t *data)
{
	return data[AT_SEVERITY];
}

void record_restamp(uint8_t *data, uint64_t seq, const uint8_t boot_id[RECORD_BOOT_ID_LEN], bool time_trusted)
{
	data[AT_FLAGS] = time_trusted ? FLAG_TIME_TRUSTED : 0;
	record_set_seq(data, seq);
	memcpy(data + AT_BOOT_ID, boot_id, RECORD_BOOT_ID_LEN);
}

size_t record_add_outbox(uint8_t *data, size_t len, uint64_t outbox)
{
	struct writer w = writer_over(data + len, FIELD_HEAD + 8);

	put_u8(&w, FIELD_OUTBOX);
	put_u16(&w, 8);
	put_u64(&w, outbox);
	assert(!w.bad);
	return len + writer_len(&w);
}
