/*
 * The serial line of a coordinator: frames, the commands in them, what devices say in those. And the bytes as one
 * ZCL frame. What was read is written again and must read the same.
 */
#include <stdlib.h>
#include <string.h>

#include "zigbee/mt.h"
#include "zigbee/zcl.h"
#include "zigbee/zdo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void walk(const struct zcl_value *v, int depth)
{
	struct zcl_list list = v->list;
	struct zcl_value item;

	must(depth <= ZCL_DEPTH_MAX);
	if (v->type->form != ZCL_F_LIST && v->type->form != ZCL_F_STRUCT)
		return;
	while (zcl_list_next(&list, &item))
		walk(&item, depth + 1);
	must(!list.items.len);
}

static void try_zcl(struct view bytes)
{
	uint8_t again[ZCL_FRAME_MAX], third[ZCL_FRAME_MAX];
	struct writer w = writer_over(again, sizeof(again)), w3 = writer_over(third, sizeof(third));
	struct zcl_frame f;
	struct zcl_record rec;
	struct view left;

	if (zcl_frame_read(bytes, &f))
		return;
	must(!zcl_header_write(&w, &f.header, f.complete));
	if (f.header.cluster)
		return;
	for (left = f.payload; zcl_record_next(&f.header, &left, &rec);) {
		if (rec.value.type)
			walk(&rec.value, 0);
		must(!zcl_record_write(&w, f.header.command, &rec));
	}
	/* Reserved bits, NaNs and odd booleans do not survive the first writing; the second is the same as the first. */
	must(writer_len(&w) == bytes.len);
	must(!zcl_frame_read((struct view){ again, bytes.len }, &f));
	must(!zcl_header_write(&w3, &f.header, f.complete));
	for (left = f.payload; zcl_record_next(&f.header, &left, &rec);)
		must(!zcl_record_write(&w3, f.header.command, &rec));
	must(writer_len(&w3) == bytes.len && !memcmp(again, third, bytes.len));
}

static void try_zdo(const struct mt_message *m)
{
	struct zdo_node node;
	struct zdo_endpoints endpoints;
	struct zdo_simple simple;
	struct zdo_lqi lqi;
	struct zdo_answer answer;
	struct zdo_announce announce;
	struct zdo_leave leave;
	int others = 0;

	others += zdo_node_read(m, &node) == ZDO_E_OTHER;
	others += zdo_endpoints_read(m, &endpoints) == ZDO_E_OTHER;
	others += zdo_simple_read(m, &simple) == ZDO_E_OTHER;
	others += zdo_lqi_read(m, &lqi) == ZDO_E_OTHER;
	others += zdo_status_read(m, &answer) == ZDO_E_OTHER;
	others += zdo_announce_read(m, &announce) == ZDO_E_OTHER;
	others += zdo_leave_read(m, &leave) == ZDO_E_OTHER;
	must(others >= 6);
}

static void try_frame(const struct unpi_frame *f)
{
	uint8_t bytes[UNPI_FRAME_MAX];
	struct mt_message m;
	size_t len;

	if (mt_decode(f, &m))
		return;
	must(!mt_encode(&m, bytes, sizeof(bytes), &len));
	must(len <= f->data.len + 5 && !memcmp(bytes + 4, f->data.data, len - 5));
	try_zdo(&m);
	for (size_t i = 0; i < m.n; i++) {
		if (m.values[i].bytes.len)
			try_zcl(m.values[i].bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpi_reader r;
	struct unpi_frame f;
	size_t at = 0, frames = 0;

	try_zcl((struct view){ data, size });
	unpi_reader_init(&r);
	while (at < size) {
		size_t piece = 1 + data[at] % 31, n;

		n = unpi_reader_take(&r, data + at, piece < size - at ? piece : size - at);
		must(n > 0);
		at += n;
		while (unpi_reader_next(&r, &f)) {
			frames++;
			try_frame(&f);
		}
	}
	must(r.frames == frames && r.skipped + r.len <= size);
	return 0;
}
