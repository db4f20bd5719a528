#pragma once
/* zcl_type - the data types of the Zigbee Cluster Library by table: how long, what kind, which value means "none".
 *
 *   above   zigbee/zcl
 *   below   base/base  base/bytes
 *   owns    nothing: texts, bytes and lists borrow from the frame
 *   limits  ZCL_DEPTH_MAX ZCL_ITEMS_MAX
 *   errors  ZCL_E_SHORT ZCL_E_TYPE ZCL_E_DEPTH ZCL_E_ITEMS ZCL_E_COMMAND ZCL_E_VALUE ZCL_E_SPARE
 */
#include "base/base.h"
#include "base/bytes.h"

enum { ZCL_DEPTH_MAX = 4, ZCL_ITEMS_MAX = 256 };
enum {
	ZCL_E_SHORT = 1,   /* ends inside of something; when writing: does not fit */
	ZCL_E_TYPE = 2,    /* no such data type */
	ZCL_E_DEPTH = 3,   /* lists in lists in lists */
	ZCL_E_ITEMS = 4,   /* a list of more items than we look at */
	ZCL_E_COMMAND = 5, /* no such frame type or general command */
	ZCL_E_VALUE = 6,   /* a field that the standard does not allow */
	ZCL_E_SPARE = 7,   /* bytes are left over */
};

/* ZCL revision 8, table 2-11. */
enum zcl_type_id {
	ZCL_NO_DATA = 0x00,
	ZCL_DATA8 = 0x08,
	ZCL_DATA64 = 0x0f,
	ZCL_BOOL = 0x10,
	ZCL_MAP8 = 0x18,
	ZCL_MAP64 = 0x1f,
	ZCL_UINT8 = 0x20,
	ZCL_UINT16 = 0x21,
	ZCL_UINT32 = 0x23,
	ZCL_UINT64 = 0x27,
	ZCL_INT8 = 0x28,
	ZCL_INT16 = 0x29,
	ZCL_INT64 = 0x2f,
	ZCL_ENUM8 = 0x30,
	ZCL_ENUM16 = 0x31,
	ZCL_SEMI = 0x38,
	ZCL_SINGLE = 0x39,
	ZCL_DOUBLE = 0x3a,
	ZCL_OCTSTR = 0x41,
	ZCL_STRING = 0x42,
	ZCL_OCTSTR16 = 0x43,
	ZCL_STRING16 = 0x44,
	ZCL_ARRAY = 0x48,
	ZCL_STRUCT = 0x4c,
	ZCL_SET = 0x50,
	ZCL_BAG = 0x51,
	ZCL_TOD = 0xe0,
	ZCL_DATE = 0xe1,
	ZCL_UTC = 0xe2,
	ZCL_CLUSTER_ID = 0xe8,
	ZCL_ATTRIBUTE_ID = 0xe9,
	ZCL_BAC_OID = 0xea,
	ZCL_EUI64 = 0xf0,
	ZCL_KEY128 = 0xf1,
	ZCL_UNKNOWN = 0xff,
};

enum zcl_form {
	ZCL_F_NONE,
	ZCL_F_BOOL,   /* .u is 0 or 1 */
	ZCL_F_UINT,   /* .u; bitmaps, enumerations and addresses too */
	ZCL_F_INT,    /* .i */
	ZCL_F_FLOAT,  /* .f */
	ZCL_F_BYTES,  /* .bytes of the row's length: time of day, date, key */
	ZCL_F_STRING, /* .bytes, one length byte */
	ZCL_F_LONG,   /* .bytes, two length bytes */
	ZCL_F_LIST,   /* .list, one type for all */
	ZCL_F_STRUCT, /* .list, each with its type */
};
enum zcl_none { ZCL_NONE_NEVER, ZCL_NONE_ONES, ZCL_NONE_MINIMUM, ZCL_NONE_NAN };

struct zcl_type {
	uint8_t id, form, size; /* size 0: the value itself says */
	uint8_t none;           /* which value means that there is none */
	bool analog;            /* a change of it can be asked for in reporting */
	const char *name;
};

/* The items of a list that was checked when its value was read. */
struct zcl_list {
	bool mixed;   /* a structure's: each item says its own type */
	uint8_t type; /* else: of every item */
	uint16_t count;
	struct view items;
};

struct zcl_value {
	const struct zcl_type *type;
	bool none; /* the type's "no value"; numbers stay readable, for devices that use it as a number */
	union {
		uint64_t u;
		int64_t i;
		double f;
		struct view bytes;
		struct zcl_list list;
	};
};

const struct zcl_type *zcl_type_find(uint8_t id); /* NULL: no such type */

must_check int zcl_value_read(struct reader *r, uint8_t type, struct zcl_value *ret);

/* ZCL_E_VALUE when a number does not fit its type, or bytes their length field. */
must_check int zcl_value_write(struct writer *w, const struct zcl_value *v);

/* Item by item: start with a copy of value.list. */
must_check bool zcl_list_next(struct zcl_list *list, struct zcl_value *ret);
