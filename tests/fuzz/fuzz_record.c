/* Whatever the bytes: what decodes encodes to the same bytes again, and is within its limits; nothing else is read or
 * written. And any record that is filled with the bytes is written, and comes back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/text.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_fit(const char *text, size_t max)
{
	must(!text || (strlen(text) >= 1 && strlen(text) <= max && text_is_utf8(text, strlen(text))));
}

/* What a dropped segment left: a checkpoint, which is written again just so. */
static void drop_is_strict(const struct record *r, const uint8_t *data, size_t len)
{
	uint8_t again[AUDIT_RECORD_MAX];
	struct record_drop drop;

	if (record_take_drop(r, &drop) || r->outbox)
		return;
	size_t n = record_encode_drop(&r->record, &r->stamp, &drop.checkpoint, again);

	again[45] = data[45];
	must(n == len && memcmp(again, data, len) == 0);
}

static void decode_is_strict(const uint8_t *data, size_t len)
{
	struct record r;
	uint8_t again[AUDIT_RECORD_MAX];

	if (record_decode(data, len, &r))
		return;
	must_fit(r.record.subject_name, RECORD_TEXT_MAX);
	must_fit(r.record.source_addr, RECORD_TEXT_MAX);
	must_fit(r.record.object, AUDIT_OBJECT_MAX);
	must_fit(r.record.action, RECORD_TEXT_MAX);
	must_fit(r.record.detail, AUDIT_DETAIL_MAX);
	if (r.drop.len) {
		must(r.drop.len <= RECORD_DROP_MAX && r.record.kind == AUDIT_SEGMENT_DROP && !r.record.detail);
		drop_is_strict(&r, data, len);
		return;
	}
	size_t n = record_encode(&r.record, &r.stamp, r.outbox, &r.segment, again);

	again[45] = data[45]; /* the severity is the table's when written, and kept when read */
	must(n == len && memcmp(again, data, len) == 0);
}

/* A piece of the input as a text; n bytes are used. */
static char *text_from(const uint8_t **data, size_t *left, size_t max)
{
	size_t n = *left ? (*data)[0] * 8u : 0;
	char *text;

	n = n > max ? max : n;
	n = n > *left ? *left : n;
	text = malloc(n + 1);
	must(text);
	if (n)
		memcpy(text, *data, n);
	text[n] = '\0';
	*data += n;
	*left -= n;
	return text;
}

static void encode_takes_anything(const uint8_t *data, size_t len)
{
	struct record_stamp stamp = { .seq = len };
	struct record r;
	uint8_t buf[AUDIT_RECORD_MAX];
	char *texts[5];

	for (size_t i = 0; i < 5; i++)
		texts[i] = text_from(&data, &len, 2000);
	struct audit_record in = {
		.kind = len ? data[0] : 0, .subject_name = texts[0], .source_addr = texts[1], .object = texts[2], .action = texts[3], .detail = texts[4],
	};

	must(record_decode(buf, record_encode(&in, &stamp, len, NULL, buf), &r) == 0);
	must(r.stamp.seq == stamp.seq && r.outbox == len);
	for (size_t i = 0; i < 5; i++)
		free(texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	decode_is_strict(data, len);
	encode_takes_anything(data, len);
	return 0;
}
