/*
 * A value's type says how many bytes it has and how they are meant; types, not cases, carry the knowledge. Numbers
 * of one to eight bytes are all read the same way. Lists may hold lists: the whole of a list is walked when its
 * value is read, so that a list in a struct zcl_value is known to be good and can be walked again without errors.
 */
#include "zigbee/zcl_type.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define DISCRETE(id, size, name) { id, ZCL_F_UINT, size, ZCL_NONE_NEVER, false, name }
#define UNSIGNED(id, size, name) { id, ZCL_F_UINT, size, ZCL_NONE_ONES, true, name }
#define SIGNED(id, size, name) { id, ZCL_F_INT, size, ZCL_NONE_MINIMUM, true, name }
#define CODE(id, size, name) { id, ZCL_F_UINT, size, ZCL_NONE_ONES, false, name }

/* ZCL revision 8, table 2-11, in its order. */
static const struct zcl_type types[] = {
	{ ZCL_NO_DATA, ZCL_F_NONE, 0, ZCL_NONE_NEVER, false, "nodata" },
	DISCRETE(0x08, 1, "data8"),
	DISCRETE(0x09, 2, "data16"),
	DISCRETE(0x0a, 3, "data24"),
	DISCRETE(0x0b, 4, "data32"),
	DISCRETE(0x0c, 5, "data40"),
	DISCRETE(0x0d, 6, "data48"),
	DISCRETE(0x0e, 7, "data56"),
	DISCRETE(0x0f, 8, "data64"),
	{ ZCL_BOOL, ZCL_F_BOOL, 1, ZCL_NONE_ONES, false, "bool" },
	DISCRETE(0x18, 1, "map8"),
	DISCRETE(0x19, 2, "map16"),
	DISCRETE(0x1a, 3, "map24"),
	DISCRETE(0x1b, 4, "map32"),
	DISCRETE(0x1c, 5, "map40"),
	DISCRETE(0x1d, 6, "map48"),
	DISCRETE(0x1e, 7, "map56"),
	DISCRETE(0x1f, 8, "map64"),
	UNSIGNED(0x20, 1, "uint8"),
	UNSIGNED(0x21, 2, "uint16"),
	UNSIGNED(0x22, 3, "uint24"),
	UNSIGNED(0x23, 4, "uint32"),
	UNSIGNED(0x24, 5, "uint40"),
	UNSIGNED(0x25, 6, "uint48"),
	UNSIGNED(0x26, 7, "uint56"),
	UNSIGNED(0x27, 8, "uint64"),
	SIGNED(0x28, 1, "int8"),
	SIGNED(0x29, 2, "int16"),
	SIGNED(0x2a, 3, "int24"),
	SIGNED(0x2b, 4, "int32"),
	SIGNED(0x2c, 5, "int40"),
	SIGNED(0x2d, 6, "int48"),
	SIGNED(0x2e, 7, "int56"),
	SIGNED(0x2f, 8, "int64"),
	CODE(ZCL_ENUM8, 1, "enum8"),
	CODE(ZCL_ENUM16, 2, "enum16"),
	{ ZCL_SEMI, ZCL_F_FLOAT, 2, ZCL_NONE_NAN, true, "semi" },
	{ ZCL_SINGLE, ZCL_F_FLOAT, 4, ZCL_NONE_NAN, true, "single" },
	{ ZCL_DOUBLE, ZCL_F_FLOAT, 8, ZCL_NONE_NAN, true, "double" },
	{ ZCL_OCTSTR, ZCL_F_STRING, 0, ZCL_NONE_ONES, false, "octstr" },
	{ ZCL_STRING, ZCL_F_STRING, 0, ZCL_NONE_ONES, false, "string" },
	{ ZCL_OCTSTR16, ZCL_F_LONG, 0, ZCL_NONE_ONES, false, "octstr16" },
	{ ZCL_STRING16, ZCL_F_LONG, 0, ZCL_NONE_ONES, false, "string16" },
	{ ZCL_ARRAY, ZCL_F_LIST, 0, ZCL_NONE_ONES, false, "array" },
	{ ZCL_STRUCT, ZCL_F_STRUCT, 0, ZCL_NONE_ONES, false, "struct" },
	{ ZCL_SET, ZCL_F_LIST, 0, ZCL_NONE_ONES, false, "set" },
	{ ZCL_BAG, ZCL_F_LIST, 0, ZCL_NONE_ONES, false, "bag" },
	{ ZCL_TOD, ZCL_F_BYTES, 4, ZCL_NONE_ONES, true, "ToD" },
	{ ZCL_DATE, ZCL_F_BYTES, 4, ZCL_NONE_ONES, true, "date" },
	UNSIGNED(ZCL_UTC, 4, "UTC"),
	CODE(ZCL_CLUSTER_ID, 2, "clusterId"),
	CODE(ZCL_ATTRIBUTE_ID, 2, "attribId"),
	CODE(ZCL_BAC_OID, 4, "bacOID"),
	CODE(ZCL_EUI64, 8, "EUI64"),
	{ ZCL_KEY128, ZCL_F_BYTES, 16, ZCL_NONE_NEVER, false, "key128" },
	{ ZCL_UNKNOWN, ZCL_F_NONE, 0, ZCL_NONE_NEVER, false, "unk" },
};

const struct zcl_type *zcl_type_find(uint8_t id)
{
	for (size_t i = 0; i < N_ELEMENTS(types); i++) {
		if (types[i].id == id)
			return &types[i];
	}
	return NULL;
}

static uint64_t ones(size_t size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static uint64_t get_number(struct reader *r, size_t size)
{
	struct view bytes = get_view(r, size);
	uint64_t v = 0;

	for (size_t i = bytes.len; i > 0; i--)
		v = v << 8 | bytes.data[i - 1];
	return v;
}

static void put_number(struct writer *w, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put_u8(w, (uint8_t)(v >> 8 * i));
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction. */
static double semi_to_double(uint16_t bits)
{
	int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
	double v;

	if (exponent == 0x1f)
		v = fraction ? (double)NAN : (double)INFINITY;
	else if (exponent)
		v = ldexp(fraction + 1024, exponent - 25);
	else
		v = ldexp(fraction, -24);
	return bits & 0x8000 ? -v : v;
}

static uint16_t double_to_semi(double v)
{
	uint16_t sign = signbit(v) ? 0x8000 : 0;
	int exponent;
	double m;

	if (isnan(v))
		return 0x7e00;
	m = frexp(fabs(v), &exponent); /* in [0.5, 1): binary16 wants [1, 2) */
	if (isinf(v) || exponent > 16)
		return sign | 0x7c00;
	if (m == 0 || exponent < -13) /* a carry out of the fraction is the next exponent, also into infinity */
		return (uint16_t)(sign | (uint16_t)lrint(ldexp(fabs(v), 24)));
	return (uint16_t)(sign | (uint16_t)(((exponent + 13) << 10) + (int)lrint(ldexp(m, 11))));
}

static double float_from(uint64_t bits, size_t size)
{
	uint32_t bits32 = (uint32_t)bits;
	float single;
	double v;

	if (size == 2)
		return semi_to_double((uint16_t)bits);
	memcpy(&single, &bits32, sizeof(single));
	memcpy(&v, &bits, sizeof(v));
	return size == 4 ? (double)single : v;
}

static uint64_t float_bits(double v, size_t size)
{
	float single = (float)v;
	uint32_t bits32;
	uint64_t bits;

	if (size == 2)
		return double_to_semi(v);
	memcpy(&bits32, &single, sizeof(single));
	memcpy(&bits, &v, sizeof(v));
	return size == 4 ? bits32 : bits;
}

static void number_read(struct reader *r, struct zcl_value *v)
{
	size_t size = v->type->size;
	uint64_t raw = get_number(r, size), top = 1ull << (8 * size - 1);

	v->u = raw;
	v->none = v->type->none == ZCL_NONE_ONES && raw == ones(size);
	switch ((enum zcl_form)v->type->form) {
	case ZCL_F_BOOL:
		v->none = raw > 1;
		v->u = raw == 1;
		break;
	case ZCL_F_INT:
		v->none = raw == top;
		v->i = (int64_t)(raw & top ? raw | ~ones(size) : raw);
		break;
	case ZCL_F_FLOAT:
		v->f = float_from(raw, size);
		v->none = isnan(v->f);
		break;
	case ZCL_F_UINT:
	case ZCL_F_NONE:
	case ZCL_F_BYTES:
	case ZCL_F_STRING:
	case ZCL_F_LONG:
	case ZCL_F_LIST:
	case ZCL_F_STRUCT:
		break;
	}
}

static bool all_ones(struct view bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] != 0xff)
			return false;
	}
	return true;
}

static int value_read(struct reader *r, uint8_t id, size_t depth, struct zcl_value *ret);

static int items_read(struct reader *r, size_t depth, struct zcl_list *list)
{
	const uint8_t *start = r->p;

	for (uint16_t i = 0; i < list->count; i++) {
		struct zcl_value item;
		int err = value_read(r, list->mixed ? get_u8(r) : list->type, depth + 1, &item);

		if (err)
			return err;
	}
	list->items = (struct view){ start, (size_t)(r->p - start) };
	return 0;
}

static int list_read(struct reader *r, size_t depth, struct zcl_value *v)
{
	struct zcl_list *list = &v->list;

	if (depth >= ZCL_DEPTH_MAX)
		return ZCL_E_DEPTH;
	list->mixed = v->type->form == ZCL_F_STRUCT;
	list->type = list->mixed ? 0 : get_u8(r);
	list->count = get_u16(r);
	if (r->bad)
		return ZCL_E_SHORT;
	if (!list->mixed && !zcl_type_find(list->type))
		return ZCL_E_TYPE;
	v->none = list->count == 0xffff;
	if (v->none)
		list->count = 0;
	if (list->count > ZCL_ITEMS_MAX)
		return ZCL_E_ITEMS;
	return items_read(r, depth, list);
}

static int value_read(struct reader *r, uint8_t id, size_t depth, struct zcl_value *ret)
{
	struct zcl_value v = { .type = zcl_type_find(id) };
	size_t len;
	int err = 0;

	if (r->bad)
		return ZCL_E_SHORT;
	if (!v.type)
		return ZCL_E_TYPE;
	switch ((enum zcl_form)v.type->form) {
	case ZCL_F_NONE:
		break;
	case ZCL_F_BOOL:
	case ZCL_F_UINT:
	case ZCL_F_INT:
	case ZCL_F_FLOAT:
		number_read(r, &v);
		break;
	case ZCL_F_BYTES:
		v.bytes = get_view(r, v.type->size);
		v.none = v.type->none == ZCL_NONE_ONES && all_ones(v.bytes);
		break;
	case ZCL_F_STRING:
	case ZCL_F_LONG:
		len = v.type->form == ZCL_F_LONG ? get_u16(r) : get_u8(r);
		v.none = len == (v.type->form == ZCL_F_LONG ? 0xffff : 0xff);
		v.bytes = get_view(r, v.none ? 0 : len);
		break;
	case ZCL_F_LIST:
	case ZCL_F_STRUCT:
		err = list_read(r, depth, &v);
		break;
	}
	if (!err && r->bad)
		err = ZCL_E_SHORT;
	if (!err)
		*ret = v;
	return err;
}

int zcl_value_read(struct reader *r, uint8_t type, struct zcl_value *ret)
{
	return value_read(r, type, 0, ret);
}

static bool fits(const struct zcl_value *v)
{
	size_t size = v->type->size;
	int64_t top = (int64_t)(ones(size) >> 1);

	if (v->type->form == ZCL_F_BOOL)
		return v->u <= 1;
	if (v->type->form == ZCL_F_UINT)
		return v->u <= ones(size);
	if (v->type->form == ZCL_F_INT)
		return v->i <= top && v->i >= -top - 1;
	return true;
}

static uint64_t number_bits(const struct zcl_value *v)
{
	size_t size = v->type->size;

	if (v->type->form == ZCL_F_FLOAT)
		return float_bits(v->f, size);
	if (!v->none)
		return v->u;
	if (v->type->none == ZCL_NONE_MINIMUM)
		return 1ull << (8 * size - 1);
	return v->type->none == ZCL_NONE_ONES ? ones(size) : v->u;
}

static int string_write(struct writer *w, const struct zcl_value *v)
{
	size_t wide = v->type->form == ZCL_F_LONG ? 2 : 1;

	if (v->none) {
		put_number(w, ones(wide), wide);
		return 0;
	}
	if (v->bytes.len >= ones(wide))
		return ZCL_E_VALUE;
	put_number(w, v->bytes.len, wide);
	put_bytes(w, v->bytes.data, v->bytes.len);
	return 0;
}

static int list_write(struct writer *w, const struct zcl_value *v)
{
	if (v->list.count > ZCL_ITEMS_MAX)
		return ZCL_E_ITEMS;
	if (v->type->form == ZCL_F_LIST)
		put_u8(w, v->list.type);
	put_u16(w, v->none ? 0xffff : v->list.count);
	if (!v->none)
		put_bytes(w, v->list.items.data, v->list.items.len);
	return 0;
}

int zcl_value_write(struct writer *w, const struct zcl_value *v)
{
	int err = 0;

	switch ((enum zcl_form)v->type->form) {
	case ZCL_F_NONE:
		break;
	case ZCL_F_BOOL:
	case ZCL_F_UINT:
	case ZCL_F_INT:
	case ZCL_F_FLOAT:
		if (!fits(v))
			return ZCL_E_VALUE;
		put_number(w, number_bits(v), v->type->size);
		break;
	case ZCL_F_BYTES:
		if (v->bytes.len != v->type->size)
			return ZCL_E_VALUE;
		put_bytes(w, v->bytes.data, v->bytes.len);
		break;
	case ZCL_F_STRING:
	case ZCL_F_LONG:
		err = string_write(w, v);
		break;
	case ZCL_F_LIST:
	case ZCL_F_STRUCT:
		err = list_write(w, v);
		break;
	}
	return err ? err : w->bad ? ZCL_E_SHORT : 0;
}

bool zcl_list_next(struct zcl_list *list, struct zcl_value *ret)
{
	struct reader r = reader_over(list->items.data, list->items.len);
	int err;

	if (!list->count)
		return false;
	err = value_read(&r, list->mixed ? get_u8(&r) : list->type, 0, ret);
	assert(!err); /* walked when it was read */
	list->count--;
	list->items = (struct view){ r.p, reader_left(&r) };
	return true;
}
