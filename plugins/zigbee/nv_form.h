#pragma once
/* nv_form - how Z-Stack lays out in its memory what a network is made of: the information base, keys, tables.
 *
 *   above   zigbee/znp_inside
 *   below   base/base  base/bytes
 *   owns    nothing: records are the caller's
 *   limits  NV_RECORD_MAX
 *   errors  NV_FORM_E_SIZE
 *
 * Two compilers made two layouts: on a CC2652 numbers of two and four bytes stand on even places, on older chips
 * nothing is moved. The length of a record tells which it is.
 */
#include "base/base.h"
#include "base/bytes.h"

enum { NV_RECORD_MAX = 24, NV_NIB_LEN = 110, NV_NIB_LEN_ALIGNED = 116 };
enum { NV_FORM_E_SIZE = 1 }; /* of neither layout */

/* osal items */
enum nv_id {
	NV_EXTADDR = 0x01,
	NV_STARTUP_OPTION = 0x03,
	NV_NIB = 0x21,
	NV_ADDRMGR = 0x23, /* older chips: the whole table is one item */
	NV_EXTENDED_PAN_ID = 0x2d,
	NV_ACTIVE_KEY = 0x3a,
	NV_ALTERNATE_KEY = 0x3b,
	NV_APS_USE_EXT_PAN_ID = 0x47,
	NV_LINK_KEY_TABLE = 0x4c,
	NV_CONFIGURED = 0x60,
	NV_PRECFGKEY = 0x62,
	NV_PRECFGKEYS_ENABLE = 0x63,
	NV_OLD_COUNTERS = 0x75, /* older chips: tables are items in a row */
	NV_NWKKEY = 0x82,
	NV_PANID = 0x83,
	NV_CHANLIST = 0x84,
	NV_LOGICAL_TYPE = 0x87,
	NV_ZDO_DIRECT_CB = 0x8f,
	NV_TCLK_SEED = 0x101,
	NV_OLD_TCLK = 0x111,
	NV_OLD_LINK_KEYS = 0x201,
};
/* rows of extended tables, system 1 */
enum nv_table { NV_T_ADDRMGR = 1, NV_T_TCLK = 4, NV_T_LINK_KEYS = 6, NV_T_COUNTERS = 7 };

struct nv_nib {
	uint8_t security_level, channel, update_id;
	uint16_t pan;
	uint32_t channels;
	uint64_t ext_pan;
};
must_check int nv_nib_read(struct view bytes, struct nv_nib *ret);
must_check int nv_nib_patch(uint8_t *bytes, size_t len, const struct nv_nib *nib); /* the rest of it stays */
bool nv_nib_is_network(const struct nv_nib *nib);

struct nv_counter { /* of a network's frames */
	uint32_t counter;
	uint64_t ext_pan; /* all ones: of any */
};
struct nv_address {
	uint8_t user; /* bit 0 child, bit 1 has a key; 0: free */
	uint16_t nwk;
	uint64_t eui;
};
struct nv_tclk { /* a device's key is the seed turned by shift, mixed with its address */
	uint32_t tx, rx;
	uint64_t eui;
	uint8_t attributes, type, shift;
};
struct nv_link_key {
	uint8_t key[16]; /* secret */
	uint32_t tx, rx;
};
struct nv_security { /* which link key is whose */
	uint16_t address, key; /* rows of the other two tables */
	uint8_t authentication;
};

must_check int nv_counter_read(struct view bytes, struct nv_counter *ret);
must_check int nv_address_read(struct view bytes, struct nv_address *ret);
must_check int nv_tclk_read(struct view bytes, struct nv_tclk *ret);
must_check int nv_link_key_read(struct view bytes, struct nv_link_key *ret);
must_check int nv_security_read(struct view bytes, struct nv_security *ret); /* one row, behind the count */
bool nv_address_is_set(const struct nv_address *a);
bool nv_security_is_set(const struct nv_security *s);

/* Into len bytes, the layout by len: -EINVAL for a length that the record does not have. */
must_check int nv_counter_write(const struct nv_counter *c, uint8_t *bytes, size_t len);
must_check int nv_address_write(const struct nv_address *a, uint8_t *bytes, size_t len);
must_check int nv_tclk_write(const struct nv_tclk *t, uint8_t *bytes, size_t len);
must_check int nv_link_key_write(const struct nv_link_key *k, uint8_t *bytes, size_t len);
must_check int nv_security_write(const struct nv_security *s, uint8_t *bytes, size_t len);
