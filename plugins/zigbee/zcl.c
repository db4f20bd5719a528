/*
 * Every general command is a row of fields, mostly repeated until the frame ends. The table below spells the rows
 * with a letter for each field; one function reads a row by its letters and one writes it:
 *
 *   a  attribute            s  status            ?  stop here unless the status was success
 *   d  direction            k  command           x  access
 *   t  type                 v  value of type t   n  how many at most
 *   c  what reporting is configured to be, which depends on the direction
 */
#include "zigbee/zcl.h"

#include <assert.h>

enum { F_CLUSTER = 0x01, F_KIND = 0x03, F_MANUFACTURER = 0x04, F_TO_CLIENT = 0x08, F_QUIET = 0x10 };
enum { ROW_ONCE = 1, ROW_FLAG = 2, ROW_ALL = 4, ROW_EMPTY = 8 };

struct shape {
	const char *fields; /* NULL: no such command */
	uint8_t how;
};

static const struct shape shapes[] = {
	[ZCL_READ] = { "a", 0 },
	[ZCL_READ_RSP] = { "as?tv", 0 },
	[ZCL_WRITE] = { "atv", 0 },
	[ZCL_WRITE_UNDIVIDED] = { "atv", 0 },
	[ZCL_WRITE_RSP] = { "sa", ROW_ALL },
	[ZCL_WRITE_NO_RSP] = { "atv", 0 },
	[ZCL_CONFIGURE_REPORT] = { "dac", 0 },
	[ZCL_CONFIGURE_REPORT_RSP] = { "sda", ROW_ALL },
	[ZCL_READ_REPORT_CONFIG] = { "da", 0 },
	[ZCL_READ_REPORT_CONFIG_RSP] = { "sda?c", 0 },
	[ZCL_REPORT] = { "atv", 0 },
	[ZCL_DEFAULT_RSP] = { "ks", ROW_ONCE },
	[ZCL_DISCOVER] = { "an", ROW_ONCE },
	[ZCL_DISCOVER_RSP] = { "at", ROW_FLAG | ROW_EMPTY },
	[ZCL_DISCOVER_RECEIVED] = { "kn", ROW_ONCE },
	[ZCL_DISCOVER_RECEIVED_RSP] = { "k", ROW_FLAG | ROW_EMPTY },
	[ZCL_DISCOVER_GENERATED] = { "kn", ROW_ONCE },
	[ZCL_DISCOVER_GENERATED_RSP] = { "k", ROW_FLAG | ROW_EMPTY },
	[ZCL_DISCOVER_EXTENDED] = { "an", ROW_ONCE },
	[ZCL_DISCOVER_EXTENDED_RSP] = { "atx", ROW_FLAG | ROW_EMPTY },
};

static const struct shape *shape_of(uint8_t command)
{
	return command < N_ELEMENTS(shapes) && shapes[command].fields ? &shapes[command] : NULL;
}

static int type_read(struct reader *r, struct zcl_record *rec)
{
	uint8_t id = get_u8(r);

	rec->type = zcl_type_find(id);
	return rec->type ? 0 : ZCL_E_TYPE;
}

static int reporting_read(struct reader *r, struct zcl_record *rec)
{
	int err;

	if (rec->direction) {
		rec->timeout_s = get_u16(r);
		return 0;
	}
	err = type_read(r, rec);
	if (err)
		return err;
	rec->min_s = get_u16(r);
	rec->max_s = get_u16(r);
	return rec->type->analog ? zcl_value_read(r, rec->type->id, &rec->value) : 0;
}

static int field_read(struct reader *r, char field, struct zcl_record *rec)
{
	switch (field) {
	case 'a':
		rec->attribute = get_u16(r);
		return 0;
	case 's':
		rec->status = get_u8(r);
		return 0;
	case 'd':
		rec->direction = get_u8(r);
		return rec->direction > 1 ? ZCL_E_VALUE : 0;
	case 'k':
		rec->command = get_u8(r);
		return 0;
	case 'n':
		rec->count = get_u8(r);
		return 0;
	case 'x':
		rec->access = get_u8(r);
		return 0;
	case 't':
		return type_read(r, rec);
	case 'v':
		return zcl_value_read(r, rec->type->id, &rec->value);
	default:
		assert(field == 'c');
		return reporting_read(r, rec);
	}
}

static int record_read(struct reader *r, const struct shape *shape, bool first, struct zcl_record *ret)
{
	struct zcl_record rec = { 0 };
	int err = 0;

	if (shape->how & ROW_ALL && first && reader_left(r) == 1) {
		rec.all = true;
		rec.status = get_u8(r);
		err = rec.status ? ZCL_E_VALUE : 0;
	}
	for (const char *f = shape->fields; *f && !rec.all && !err && !r->bad; f++) {
		if (*f != '?')
			err = field_read(r, *f, &rec);
		else if (rec.status)
			break;
	}
	if (r->bad)
		return ZCL_E_SHORT;
	if (!err)
		*ret = rec;
	return err;
}

static int records_check(const struct shape *shape, struct view records)
{
	struct reader r = reader_over(records.data, records.len);
	struct zcl_record rec;
	int err = 0;

	if (!records.len)
		return shape->how & ROW_EMPTY ? 0 : ZCL_E_SHORT;
	for (bool first = true; !err && reader_left(&r); first = false) {
		if (!first && shape->how & ROW_ONCE)
			return ZCL_E_SPARE;
		err = record_read(&r, shape, first, &rec);
		if (!err && rec.all && reader_left(&r))
			return ZCL_E_SPARE;
	}
	return err;
}

static int header_read(struct reader *r, struct zcl_header *ret)
{
	uint8_t control = get_u8(r);
	bool manufacturer = control & F_MANUFACTURER;
	struct zcl_header h = {
		.cluster = (control & F_KIND) == F_CLUSTER,
		.to_client = control & F_TO_CLIENT,
		.quiet = control & F_QUIET,
		.manufacturer = manufacturer ? get_u16(r) : 0,
	};

	h.sequence = get_u8(r);
	h.command = get_u8(r);
	if (r->bad)
		return ZCL_E_SHORT;
	if ((control & F_KIND) > F_CLUSTER)
		return ZCL_E_COMMAND;
	if (manufacturer && !h.manufacturer)
		return ZCL_E_VALUE;
	*ret = h;
	return 0;
}

int zcl_frame_read(struct view bytes, struct zcl_frame *ret)
{
	struct reader r = reader_over(bytes.data, bytes.len);
	const struct shape *shape;
	struct zcl_frame f = { 0 };
	int err;

	if (bytes.len > ZCL_FRAME_MAX)
		return ZCL_E_SPARE;
	err = header_read(&r, &f.header);
	if (err)
		return err;
	shape = f.header.cluster ? NULL : shape_of(f.header.command);
	if (!f.header.cluster && !shape)
		return ZCL_E_COMMAND;
	if (shape && shape->how & ROW_FLAG) {
		uint8_t flag = get_u8(&r);

		if (r.bad || flag > 1)
			return r.bad ? ZCL_E_SHORT : ZCL_E_VALUE;
		f.complete = flag;
	}
	f.payload = get_view(&r, reader_left(&r));
	err = shape ? records_check(shape, f.payload) : 0;
	if (!err)
		*ret = f;
	return err;
}

bool zcl_record_next(const struct zcl_header *header, struct view *records, struct zcl_record *ret)
{
	struct reader r = reader_over(records->data, records->len);
	const struct shape *shape = shape_of(header->command);
	int err;

	assert(!header->cluster && shape);
	if (!records->len)
		return false;
	/* A single byte is left of a good frame only where it stands for all. */
	err = record_read(&r, shape, true, ret);
	assert(!err);
	*records = (struct view){ r.p, reader_left(&r) };
	return true;
}

int zcl_header_write(struct writer *w, const struct zcl_header *h, bool complete)
{
	const struct shape *shape = h->cluster ? NULL : shape_of(h->command);

	assert(h->cluster || shape);
	put_u8(w, (uint8_t)((h->cluster ? F_CLUSTER : 0) | (h->manufacturer ? F_MANUFACTURER : 0) |
			    (h->to_client ? F_TO_CLIENT : 0) | (h->quiet ? F_QUIET : 0)));
	if (h->manufacturer)
		put_u16(w, h->manufacturer);
	put_u8(w, h->sequence);
	put_u8(w, h->command);
	if (shape && shape->how & ROW_FLAG)
		put_u8(w, complete);
	return w->bad ? ZCL_E_SHORT : 0;
}

static int reporting_write(struct writer *w, const struct zcl_record *rec)
{
	if (rec->direction) {
		put_u16(w, rec->timeout_s);
		return 0;
	}
	put_u8(w, rec->type->id);
	put_u16(w, rec->min_s);
	put_u16(w, rec->max_s);
	if (!rec->type->analog)
		return 0;
	return rec->value.type == rec->type ? zcl_value_write(w, &rec->value) : ZCL_E_VALUE;
}

static int field_write(struct writer *w, char field, const struct zcl_record *rec)
{
	switch (field) {
	case 'a':
		put_u16(w, rec->attribute);
		return 0;
	case 's':
		put_u8(w, rec->status);
		return 0;
	case 'd':
		put_u8(w, rec->direction);
		return rec->direction > 1 ? ZCL_E_VALUE : 0;
	case 'k':
		put_u8(w, rec->command);
		return 0;
	case 'n':
		put_u8(w, rec->count);
		return 0;
	case 'x':
		put_u8(w, rec->access);
		return 0;
	case 't':
		put_u8(w, rec->type->id);
		return 0;
	case 'v':
		return rec->value.type == rec->type ? zcl_value_write(w, &rec->value) : ZCL_E_VALUE;
	default:
		assert(field == 'c');
		return reporting_write(w, rec);
	}
}

int zcl_record_write(struct writer *w, uint8_t command, const struct zcl_record *record)
{
	const struct shape *shape = shape_of(command);
	int err = 0;

	assert(shape);
	if (record->all) {
		assert(shape->how & ROW_ALL && !record->status);
		put_u8(w, 0);
		return w->bad ? ZCL_E_SHORT : 0;
	}
	for (const char *f = shape->fields; *f && !err; f++) {
		if (*f != '?')
			err = field_write(w, *f, record);
		else if (record->status)
			break;
	}
	return err ? err : w->bad ? ZCL_E_SHORT : 0;
}

int zcl_fields_read(struct view payload, const uint8_t *types, size_t n, struct zcl_value *ret)
{
	struct reader r = reader_over(payload.data, payload.len);

	for (size_t i = 0; i < n; i++) {
		int err = zcl_value_read(&r, types[i], &ret[i]);

		if (err)
			return err;
	}
	return reader_is_done(&r) ? 0 : ZCL_E_SPARE;
}
