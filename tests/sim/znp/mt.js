// mt - the table of MT commands that the simulated network processor knows.
//
// A row is subsystem, id, name, request fields, response fields. Requests (SREQ) come from the host and
// are answered at once (SRSP); indications (AREQ) go to the host when something happened. The one AREQ
// that comes from the host is resetReq. ZDO requests are answered twice: the SRSP says that the request
// went out, the AREQ with the id | 0x80 brings what the asked node said.

import { decodeFields, encodeFields } from "./fields.js";
import { SUBSYSTEM, TYPE, encodeFrame } from "./unpi.js";

const STATUS = "status:u8";

const REQUESTS = [
	["SYS", 0x01, "ping", "", "capabilities:u16"],
	["SYS", 0x02, "version", "", "transport:u8 product:u8 major:u8 minor:u8 maint:u8 revision:u32"],
	["SYS", 0x04, "getExtAddr", "", "eui:eui"],
	["SYS", 0x07, "osalNvItemInit", "id:u16 length:u16 value:bytes8", STATUS],
	["SYS", 0x08, "osalNvRead", "id:u16 offset:u8", "status:u8 value:bytes8"],
	["SYS", 0x09, "osalNvWrite", "id:u16 offset:u8 value:bytes8", STATUS],
	["SYS", 0x0f, "stackTune", "operation:u8 value:i8", "value:u8"],
	["SYS", 0x12, "osalNvDelete", "id:u16 length:u16", STATUS],
	["SYS", 0x13, "osalNvLength", "id:u16", "length:u16"],
	["SYS", 0x14, "setTxPower", "level:u8", "level:u8"],
	["SYS", 0x1c, "osalNvReadExt", "id:u16 offset:u16", "status:u8 value:bytes8"],
	["SYS", 0x1d, "osalNvWriteExt", "id:u16 offset:u16 value:bytes16", STATUS],
	["SYS", 0x30, "nvCreate", "sys:u8 item:u16 sub:u16 length:u32", STATUS],
	["SYS", 0x31, "nvDelete", "sys:u8 item:u16 sub:u16", STATUS],
	["SYS", 0x32, "nvLength", "sys:u8 item:u16 sub:u16", "length:u8"],
	["SYS", 0x33, "nvRead", "sys:u8 item:u16 sub:u16 offset:u16 length:u8", "status:u8 value:bytes8"],
	["SYS", 0x34, "nvWrite", "sys:u8 item:u16 sub:u16 offset:u16 value:bytes8", STATUS],
	["AF", 0x00, "register", "endpoint:u8 profile:u16 device:u16 version:u8 latency:u8 inputs:list16 outputs:list16", STATUS],
	["AF", 0x01, "dataRequest", "nwk:u16 dstEp:u8 srcEp:u8 cluster:u16 trans:u8 options:u8 radius:u8 data:bytes8", STATUS],
	["AF", 0x02, "dataRequestExt", "mode:u8 address:eui dstEp:u8 pan:u16 srcEp:u8 cluster:u16 trans:u8 options:u8 radius:u8 length:u16 data:rest", STATUS],
	["AF", 0x11, "dataStore", "index:u16 data:bytes8", STATUS],
	["AF", 0x12, "dataRetrieve", "timestamp:u32 index:u16 length:u8", "status:u8 data:bytes8"],
	["ZDO", 0x00, "nwkAddrReq", "eui:eui type:u8 start:u8", STATUS],
	["ZDO", 0x01, "ieeeAddrReq", "nwk:u16 type:u8 start:u8", STATUS],
	["ZDO", 0x02, "nodeDescReq", "dst:u16 nwk:u16", STATUS],
	["ZDO", 0x03, "powerDescReq", "dst:u16 nwk:u16", STATUS],
	["ZDO", 0x04, "simpleDescReq", "dst:u16 nwk:u16 endpoint:u8", STATUS],
	["ZDO", 0x05, "activeEpReq", "dst:u16 nwk:u16", STATUS],
	["ZDO", 0x21, "bindReq", "dst:u16 srcEui:eui srcEp:u8 cluster:u16 mode:u8 dstEui:eui dstEp:u8", STATUS],
	["ZDO", 0x22, "unbindReq", "dst:u16 srcEui:eui srcEp:u8 cluster:u16 mode:u8 dstEui:eui dstEp:u8", STATUS],
	["ZDO", 0x31, "mgmtLqiReq", "dst:u16 start:u8", STATUS],
	["ZDO", 0x32, "mgmtRtgReq", "dst:u16 start:u8", STATUS],
	["ZDO", 0x33, "mgmtBindReq", "dst:u16 start:u8", STATUS],
	["ZDO", 0x34, "mgmtLeaveReq", "dst:u16 eui:eui flags:u8", STATUS],
	["ZDO", 0x36, "mgmtPermitJoinReq", "mode:u8 dst:u16 duration:u8 significance:u8", STATUS],
	["ZDO", 0x37, "mgmtNwkUpdateReq", "dst:u16 mode:u8 channels:u32 duration:u8 count:u8 manager:u16", STATUS],
	["ZDO", 0x40, "startupFromApp", "delay:u16", STATUS],
	["ZDO", 0x45, "extRouteDisc", "dst:u16 options:u8 radius:u8", STATUS],
	["ZDO", 0x4a, "extFindGroup", "endpoint:u8 group:u16", "status:u8 group:u16 name:bytes8"],
	["ZDO", 0x47, "extRemoveGroup", "endpoint:u8 group:u16", STATUS],
	["ZDO", 0x4b, "extAddGroup", "endpoint:u8 group:u16 name:bytes8", STATUS],
	["ZDO", 0x50, "extNwkInfo", "", "nwk:u16 state:u8 pan:u16 parent:u16 epid:eui parentEui:eui channel:u8"],
	["UTIL", 0x00, "getDeviceInfo", "", "status:u8 eui:eui nwk:u16 types:u8 state:u8 children:list16"],
	["UTIL", 0x0a, "ledControl", "led:u8 mode:u8", STATUS],
	["UTIL", 0x4a, "assocGetWithAddress", "eui:eui nwk:u16", "nwk:u16 index:u16 relation:u8"],
	["UTIL", 0x63, "assocRemove", "eui:eui", STATUS],
	["UTIL", 0x64, "assocAdd", "eui:eui nwk:u16 relation:u8", STATUS],
	["APP_CNF", 0x04, "bdbAddInstallCode", "format:u8 eui:eui code:rest", STATUS],
	["APP_CNF", 0x05, "bdbStartCommissioning", "mode:u8", STATUS],
	["APP_CNF", 0x08, "bdbSetChannel", "primary:u8 channels:u32", STATUS],
];

const INDICATIONS = [
	["SYS", 0x80, "resetInd", "reason:u8 transport:u8 product:u8 major:u8 minor:u8 hardware:u8"],
	["AF", 0x80, "dataConfirm", "status:u8 endpoint:u8 trans:u8"],
	["AF", 0x81, "incomingMsg", "group:u16 cluster:u16 nwk:u16 srcEp:u8 dstEp:u8 broadcast:u8 lqi:u8 secure:u8 timestamp:u32 trans:u8 data:bytes8"],
	["AF", 0x82, "incomingMsgExt", "group:u16 cluster:u16 mode:u8 src:eui srcEp:u8 pan:u16 dstEp:u8 broadcast:u8 lqi:u8 secure:u8 timestamp:u32 trans:u8 length:u16 rest:rest"],
	["ZDO", 0x80, "nwkAddrRsp", "status:u8 eui:eui nwk:u16 start:u8 children:list16"],
	["ZDO", 0x81, "ieeeAddrRsp", "status:u8 eui:eui nwk:u16 start:u8 children:list16"],
	["ZDO", 0x82, "nodeDescRsp", "src:u16 status:u8 nwk:u16 descriptor:rest"],
	["ZDO", 0x83, "powerDescRsp", "src:u16 status:u8 nwk:u16 power:u16"],
	["ZDO", 0x84, "simpleDescRsp", "src:u16 status:u8 nwk:u16 descriptor:bytes8"],
	["ZDO", 0x85, "activeEpRsp", "src:u16 status:u8 nwk:u16 endpoints:list8"],
	["ZDO", 0xa1, "bindRsp", "src:u16 status:u8"],
	["ZDO", 0xa2, "unbindRsp", "src:u16 status:u8"],
	["ZDO", 0xb1, "mgmtLqiRsp", "src:u16 status:u8 total:u8 start:u8 count:u8 entries:rest"],
	["ZDO", 0xb2, "mgmtRtgRsp", "src:u16 status:u8 total:u8 start:u8 count:u8 entries:rest"],
	["ZDO", 0xb3, "mgmtBindRsp", "src:u16 status:u8 total:u8 start:u8 count:u8 entries:rest"],
	["ZDO", 0xb4, "mgmtLeaveRsp", "src:u16 status:u8"],
	["ZDO", 0xb6, "mgmtPermitJoinRsp", "src:u16 status:u8"],
	["ZDO", 0xb8, "mgmtNwkUpdateNotify", "src:u16 status:u8 channels:u32 transmissions:u16 failures:u16 energy:list8"],
	["ZDO", 0xc0, "stateChangeInd", "state:u8"],
	["ZDO", 0xc1, "endDeviceAnnceInd", "src:u16 nwk:u16 eui:eui capabilities:u8"],
	["ZDO", 0xc8, "concentratorIndCb", "nwk:u16 eui:eui cost:u8"],
	["ZDO", 0xc9, "leaveInd", "nwk:u16 eui:eui request:u8 removeChildren:u8 rejoin:u8"],
	["ZDO", 0xca, "tcDeviceInd", "nwk:u16 eui:eui parent:u16"],
	["ZDO", 0xcb, "permitJoinInd", "duration:u8"],
];

const requestsById = new Map(REQUESTS.map(([subsystem, id, name, request, response]) =>
	[(SUBSYSTEM[subsystem] << 8) | id, { subsystem: SUBSYSTEM[subsystem], id, name, request, response }]));
const indicationsByName = new Map(INDICATIONS.map(([subsystem, id, name, fields]) =>
	[name, { subsystem: SUBSYSTEM[subsystem], id, fields }]));

export function isReset(frame) {
	return frame.type === TYPE.AREQ && frame.subsystem === SUBSYSTEM.SYS && frame.id === 0x00;
}

/* Gives { command, fields }, or undefined for a command the table lacks; throws RangeError on short data. */
export function decodeRequest(frame) {
	const command = frame.type === TYPE.SREQ && requestsById.get((frame.subsystem << 8) | frame.id);
	return command ? { command, fields: decodeFields(command.request, frame.data) } : undefined;
}

export function encodeResponse(command, fields) {
	return encodeFrame({ type: TYPE.SRSP, subsystem: command.subsystem, id: command.id,
		data: encodeFields(command.response, fields) });
}

export function encodeIndication(name, fields) {
	const { subsystem, id, fields: line } = indicationsByName.get(name);
	return encodeFrame({ type: TYPE.AREQ, subsystem, id, data: encodeFields(line, fields) });
}

/* What a real network processor says to a command it does not have: RPC error 2 (unknown command). */
export function encodeRpcError(frame) {
	return encodeFrame({ type: TYPE.SRSP, subsystem: SUBSYSTEM.RPC_ERROR, id: 0x00,
		data: Buffer.from([0x02, (frame.type << 5) | frame.subsystem, frame.id]) });
}
