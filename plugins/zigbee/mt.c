/*
 * The interface has hundreds of commands and all are records of little-endian numbers and counted bytes. A row
 * spells a record's fields with letters; the request and the answer to it are two rows. One function reads by the
 * letters, one writes, and nobody else looks at bytes. Some firmware leaves an answer short when it says that it
 * failed, and newer firmware appends; the rows say where, everything else is held to the letter.
 */
#include "zigbee/mt.h"

#include <assert.h>

#define REQUEST(subsystem, id, name, asked, answered)         \
	{ UNPI_SREQ, MT_##subsystem, id, name, asked },       \
	{                                                     \
		UNPI_SRSP, MT_##subsystem, id, name, answered \
	}
#define INDICATION(subsystem, id, name, fields) { UNPI_AREQ, MT_##subsystem, id, name, fields }

/* TI SWRA198 (Z-Stack Monitor and Test API) and, for the extended NV commands and APP_CNF, Z-Stack 3.30. */
static const struct mt_row rows[] = {
	REQUEST(SYS, 0x01, "ping", "", "2"),
	REQUEST(SYS, 0x02, "version", "", "11111?4+"),
	REQUEST(SYS, 0x04, "getExtAddr", "", "8"),
	REQUEST(SYS, 0x07, "osalNvItemInit", "22b", "1"),
	REQUEST(SYS, 0x08, "osalNvRead", "21", "1?b"),
	REQUEST(SYS, 0x09, "osalNvWrite", "21b", "1"),
	REQUEST(SYS, 0x0f, "stackTune", "11", "1"),
	REQUEST(SYS, 0x12, "osalNvDelete", "22", "1"),
	REQUEST(SYS, 0x13, "osalNvLength", "2", "2"),
	REQUEST(SYS, 0x14, "setTxPower", "1", "1"),
	REQUEST(SYS, 0x1c, "osalNvReadExt", "22", "1?b"),
	REQUEST(SYS, 0x1d, "osalNvWriteExt", "22w", "1"),
	REQUEST(SYS, 0x30, "nvCreate", "1224", "1"),
	REQUEST(SYS, 0x31, "nvDelete", "122", "1"),
	REQUEST(SYS, 0x32, "nvLength", "122", "1"),
	REQUEST(SYS, 0x33, "nvRead", "12221", "1?b"),
	REQUEST(SYS, 0x34, "nvWrite", "1222b", "1"),
	REQUEST(AF, 0x00, "register", "12211ll", "1"),
	REQUEST(AF, 0x01, "dataRequest", "2112111b", "1"),
	REQUEST(AF, 0x02, "dataRequestExt", "181212111h", "1"),
	REQUEST(AF, 0x11, "dataStore", "2b", "1"),
	REQUEST(AF, 0x12, "dataRetrieve", "421", "1b"),
	REQUEST(ZDO, 0x00, "nwkAddrReq", "811", "1"),
	REQUEST(ZDO, 0x01, "ieeeAddrReq", "211", "1"),
	REQUEST(ZDO, 0x02, "nodeDescReq", "22", "1"),
	REQUEST(ZDO, 0x03, "powerDescReq", "22", "1"),
	REQUEST(ZDO, 0x04, "simpleDescReq", "221", "1"),
	REQUEST(ZDO, 0x05, "activeEpReq", "22", "1"),
	REQUEST(ZDO, 0x21, "bindReq", "2812181", "1"),
	REQUEST(ZDO, 0x22, "unbindReq", "2812181", "1"),
	REQUEST(ZDO, 0x31, "mgmtLqiReq", "21", "1"),
	REQUEST(ZDO, 0x32, "mgmtRtgReq", "21", "1"),
	REQUEST(ZDO, 0x33, "mgmtBindReq", "21", "1"),
	REQUEST(ZDO, 0x34, "mgmtLeaveReq", "281", "1"),
	REQUEST(ZDO, 0x36, "mgmtPermitJoinReq", "1211", "1"),
	REQUEST(ZDO, 0x37, "mgmtNwkUpdateReq", "214112", "1"),
	REQUEST(ZDO, 0x40, "startupFromApp", "2", "1"),
	REQUEST(ZDO, 0x45, "extRouteDisc", "211", "1"),
	REQUEST(ZDO, 0x47, "extRemoveGroup", "12", "1"),
	REQUEST(ZDO, 0x4a, "extFindGroup", "12", "12b"),
	REQUEST(ZDO, 0x4b, "extAddGroup", "12b", "1"),
	REQUEST(ZDO, 0x50, "extNwkInfo", "", "2122881"),
	REQUEST(UTIL, 0x00, "getDeviceInfo", "", "18211l"),
	REQUEST(UTIL, 0x0a, "ledControl", "11", "1"),
	REQUEST(UTIL, 0x4a, "assocGetWithAddress", "82", "221"),
	REQUEST(UTIL, 0x63, "assocRemove", "8", "1"),
	REQUEST(UTIL, 0x64, "assocAdd", "821", "1"),
	REQUEST(APP_CNF, 0x04, "bdbAddInstallCode", "18r", "1"),
	REQUEST(APP_CNF, 0x05, "bdbStartCommissioning", "1", "1"),
	REQUEST(APP_CNF, 0x08, "bdbSetChannel", "14", "1"),
	{ UNPI_AREQ, MT_SYS, 0x00, "resetReq", "1" },
	{ UNPI_SRSP, MT_RPC_ERROR, 0x00, "rpcError", "111" },
	INDICATION(SYS, 0x80, "resetInd", "111111"),
	INDICATION(AF, 0x80, "dataConfirm", "111"),
	INDICATION(AF, 0x81, "incomingMsg", "2221111141b+"),
	INDICATION(AF, 0x82, "incomingMsgExt", "221812111141h+"),
	INDICATION(ZDO, 0x80, "nwkAddrRsp", "1?821l"),
	INDICATION(ZDO, 0x81, "ieeeAddrRsp", "1?821l"),
	INDICATION(ZDO, 0x82, "nodeDescRsp", "212r"),
	INDICATION(ZDO, 0x83, "powerDescRsp", "21?22"),
	INDICATION(ZDO, 0x84, "simpleDescRsp", "212?b"),
	INDICATION(ZDO, 0x85, "activeEpRsp", "212?b"),
	INDICATION(ZDO, 0xa1, "bindRsp", "21"),
	INDICATION(ZDO, 0xa2, "unbindRsp", "21"),
	INDICATION(ZDO, 0xb1, "mgmtLqiRsp", "21?111r"),
	INDICATION(ZDO, 0xb2, "mgmtRtgRsp", "21?111r"),
	INDICATION(ZDO, 0xb3, "mgmtBindRsp", "21?111r"),
	INDICATION(ZDO, 0xb4, "mgmtLeaveRsp", "21"),
	INDICATION(ZDO, 0xb6, "mgmtPermitJoinRsp", "21"),
	INDICATION(ZDO, 0xb8, "mgmtNwkUpdateNotify", "21?422b"),
	INDICATION(ZDO, 0xc0, "stateChangeInd", "1"),
	INDICATION(ZDO, 0xc1, "endDeviceAnnceInd", "2281"),
	INDICATION(ZDO, 0xc8, "concentratorIndCb", "281"),
	INDICATION(ZDO, 0xc9, "leaveInd", "28111"),
	INDICATION(ZDO, 0xca, "tcDeviceInd", "282"),
	INDICATION(ZDO, 0xcb, "permitJoinInd", "1"),
};

const struct mt_row *mt_rows(size_t *ret_n)
{
	*ret_n = N_ELEMENTS(rows);
	return rows;
}

const struct mt_row *mt_find(uint8_t type, uint8_t subsystem, uint8_t id)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].type == type && rows[i].subsystem == subsystem && rows[i].id == id)
			return &rows[i];
	}
	return NULL;
}

static void value_read(struct reader *r, char field, struct mt_value *ret)
{
	struct mt_value v = { 0 };

	switch (field) {
	case '1':
		v.n = get_u8(r);
		break;
	case '2':
		v.n = get_u16(r);
		break;
	case '4':
		v.n = get_u32(r);
		break;
	case '8':
		v.n = get_u64(r);
		break;
	case 'b':
		v.bytes = get_view(r, get_u8(r));
		break;
	case 'w':
		v.bytes = get_view(r, get_u16(r));
		break;
	case 'h':
		v.n = get_u16(r);
		v.bytes = get_view(r, v.n <= reader_left(r) ? (size_t)v.n : 0);
		break;
	case 'l':
		v.bytes = get_view(r, 2u * get_u8(r));
		break;
	default:
		assert(field == 'r');
		v.bytes = get_view(r, reader_left(r));
		break;
	}
	*ret = v;
}

int mt_decode(const struct unpi_frame *frame, struct mt_message *ret)
{
	struct reader r = reader_over(frame->data.data, frame->data.len);
	struct mt_message m = { .row = mt_find(frame->type, frame->subsystem, frame->id) };
	bool open = false;

	if (!m.row)
		return MT_E_UNKNOWN;
	for (const char *f = m.row->fields; *f; f++) {
		if (*f == '?' && !reader_left(&r))
			break;
		if (*f == '?')
			continue;
		open = *f == '+';
		if (open)
			break;
		assert(m.n < MT_FIELDS_MAX);
		value_read(&r, *f, &m.values[m.n++]);
	}
	if (r.bad)
		return MT_E_SHORT;
	if (reader_left(&r) && !open)
		return MT_E_SPARE;
	*ret = m;
	return 0;
}

static int value_write(struct writer *w, char field, const struct mt_value *v)
{
	size_t len = v->bytes.len;
	bool good = true;

	switch (field) {
	case '1':
		good = v->n <= UINT8_MAX;
		put_u8(w, (uint8_t)v->n);
		break;
	case '2':
		good = v->n <= UINT16_MAX;
		put_u16(w, (uint16_t)v->n);
		break;
	case '4':
		good = v->n <= UINT32_MAX;
		put_u32(w, (uint32_t)v->n);
		break;
	case '8':
		put_u64(w, v->n);
		break;
	case 'b':
		good = len <= UINT8_MAX;
		put_u8(w, (uint8_t)len);
		put_bytes(w, v->bytes.data, len);
		break;
	case 'w':
		good = len <= UINT16_MAX;
		put_u16(w, (uint16_t)len);
		put_bytes(w, v->bytes.data, len);
		break;
	case 'h':
		good = v->n <= UINT16_MAX && (len == v->n || !len);
		put_u16(w, (uint16_t)v->n);
		put_bytes(w, v->bytes.data, len);
		break;
	case 'l':
		good = len % 2 == 0 && len / 2 <= UINT8_MAX;
		put_u8(w, (uint8_t)(len / 2));
		put_bytes(w, v->bytes.data, len);
		break;
	default:
		assert(field == 'r');
		put_bytes(w, v->bytes.data, len);
		break;
	}
	return good ? 0 : MT_E_VALUE;
}

static int fields_write(struct writer *w, const struct mt_message *m)
{
	size_t i = 0;

	for (const char *f = m->row->fields; *f && *f != '+'; f++) {
		if (*f == '?' && i == m->n)
			break;
		if (*f == '?')
			continue;
		if (i == m->n)
			return MT_E_VALUE;
		if (value_write(w, *f, &m->values[i++]))
			return MT_E_VALUE;
	}
	return i == m->n ? 0 : MT_E_VALUE;
}

int mt_encode(const struct mt_message *message, void *buf, size_t cap, size_t *ret_len)
{
	const struct mt_row *row = message->row;
	uint8_t data[UNPI_DATA_MAX];
	struct writer w = writer_over(data, sizeof(data));
	int err = fields_write(&w, message);

	if (err)
		return err;
	if (w.bad)
		return MT_E_SHORT;
	err = unpi_encode(&(struct unpi_frame){ row->type, row->subsystem, row->id, { data, writer_len(&w) } }, buf,
			  cap, ret_len);
	return err ? MT_E_SHORT : 0;
}
