#pragma once
/* wire_vectors - one message of every type with the bytes it must become; docs/spec/wire.md shows the same bytes. */
#include <string.h>

#include "base/text.h"
#include "model/wire.h"

struct wire_vector {
	struct wire_msg msg;
	const char *hex;
};

enum { WIRE_VECTORS = 33 };

static inline struct view wire_view(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

static const struct capability_desc wire_vector_caps[] = {
	{ .id = CAP_ON_OFF,
	  .type = VALUE_BOOL,
	  .access = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
	{ .id = CAP_LEVEL,
	  .type = VALUE_INT,
	  .access = 7,
	  .unit = UNIT_PERCENT,
	  .min = 1,
	  .max = 100,
	  .step = 1 },
};
static const struct endpoint_desc wire_vector_endpoints[] = {
	{ .id = 1, .profile = 0x0101, .n_caps = 2, .caps = wire_vector_caps },
};
static const uint64_t wire_vector_acks[] = { 98, 99 };
static const struct address wire_vector_addr = { .len = 2, .bytes = { 0xab, 0x01 } };
static const struct device_id wire_vector_id = { { 1, 0, 0xa1, 0xb2, 0xc0, 0xff, 0xee, 0x89, 0xab,
						   0xcd, 0xef, 0x42 } };
static const struct device_desc wire_vector_lamp = {
	.addr = { .len = 2, .bytes = { 0xab, 0x01 } },
	.hw = { .len = 8, .bytes = { 0, 0x12, 0x4b, 0, 1, 2, 3, 4 } },
	.id = { { 1, 0, 0xa1, 0xb2, 0xc0, 0xff, 0xee, 0x89, 0xab, 0xcd, 0xef, 0x42 } },
	.evidence = 2,
	.sleepy = true,
	.vendor = "Maker",
	.model = "L1",
	.firmware = "1.0",
	.name = "Küche",
	.n_endpoints = 1,
	.endpoints = wire_vector_endpoints,
};

static inline void wire_vectors_peer(struct wire_vector *v)
{
	v[0].msg.type = WIRE_HELLO;
	v[0].msg.hello.major = WIRE_MAJOR;
	v[0].msg.hello.minor = WIRE_MINOR;
	v[0].msg.hello.kind = WIRE_ADAPTER;
	v[0].msg.hello.name = wire_view("sim");
	v[0].msg.hello.version = wire_view("0.1.0");
	v[1].msg.type = WIRE_WELCOME;
	v[1].msg.welcome.major = 1;
	v[1].msg.welcome.epoch = 0x1122334455667788;
	v[1].msg.welcome.credit = 256;
	v[1].msg.welcome.beat_ms = WIRE_BEAT_MS;
	v[1].msg.welcome.wall_us = 1700000000000000;
	v[1].msg.welcome.time_trusted = true;
	v[2].msg.type = WIRE_OPTION;
	v[2].msg.option.key = wire_view("period_ms");
	v[2].msg.option.value = wire_view("500");
	v[3].msg.type = WIRE_STATE;
	v[3].msg.state.key = wire_view("net");
	v[3].msg.state.data = wire_view("\x01\xff");
	v[4].msg.type = WIRE_START;
	v[5].msg.type = WIRE_OPENED;
	v[5].msg.opened.flags = 3;
	v[5].msg.opened.reason = wire_view("");
	v[6].msg.type = WIRE_OPENED;
	v[6].msg.opened.error = -2;
	v[6].msg.opened.reason = wire_view("no port");
	v[7].msg.type = WIRE_BEAT;
	v[7].msg.beat.count = 42;
	v[8].msg.type = WIRE_NOTE;
	v[8].msg.note.kind = NOTE_BAD_TOPIC;
	v[8].msg.note.count = 3;
	v[8].msg.note.object = wire_view("a/b");
	v[8].msg.note.text = wire_view("x");
}

static inline void wire_vectors_adapter(struct wire_vector *v)
{
	v[0].msg.type = WIRE_DEVICE;
	v[0].msg.device = wire_vector_lamp;
	v[1].msg.type = WIRE_SYNCED;
	v[2].msg.type = WIRE_GONE;
	v[2].msg.gone.addr = wire_vector_addr;
	v[2].msg.gone.left = true;
	v[3].msg.type = WIRE_REPORT;
	v[3].msg.report.seq = 7;
	v[3].msg.report.addr = wire_vector_addr;
	v[3].msg.report.endpoint = 1;
	v[3].msg.report.cap = CAP_TEMPERATURE;
	v[3].msg.report.wall_us = 1700000000000000;
	v[3].msg.report.value = value_real(21.5);
	v[4].msg.type = WIRE_STORED;
	v[4].msg.stored.up_to = 7;
	v[4].msg.stored.credit = 256;
	v[5].msg.type = WIRE_COMMAND;
	v[5].msg.command.req = 9;
	v[5].msg.command.addr = wire_vector_addr;
	v[5].msg.command.endpoint = 1;
	v[5].msg.command.cap = CAP_ON_OFF;
	v[5].msg.command.ttl_ms = 5000;
	v[5].msg.command.value = value_bool(true);
	v[6].msg.type = WIRE_JOIN;
	v[6].msg.join.req = 10;
	v[6].msg.join.seconds = 60;
	v[6].msg.join.code = wire_view("\x83\xfe");
	v[7].msg.type = WIRE_REMOVE;
	v[7].msg.remove.req = 11;
	v[7].msg.remove.addr = wire_vector_addr;
	v[8].msg.type = WIRE_DONE;
	v[8].msg.done.req = 9;
	v[8].msg.done.status = RESULT_TIMEOUT;
	v[9].msg.type = WIRE_SAVE;
	v[9].msg.state.key = wire_view("net");
	v[9].msg.state.data = wire_view("\x01\xff");
	v[10].msg.type = WIRE_CLAIM;
	v[10].msg.claim.addr = wire_vector_addr;
	v[10].msg.claim.code = wire_view("7KQ2-M");
}

/* What came with minor 1. */
static inline void wire_vectors_radio(struct wire_vector *v)
{
	v[0].msg.type = WIRE_JOINING;
	v[0].msg.joining.addr = wire_vector_addr;
	v[0].msg.joining.stage = JOIN_PASSKEY;
	v[0].msg.joining.text = wire_view("047293");
	v[1].msg.type = WIRE_ASK;
	v[1].msg.ask.req = 12;
	v[1].msg.ask.verb = wire_view("channel");
	v[1].msg.ask.last = true;
	v[1].msg.ask.data = wire_view("20");
	v[2].msg.type = WIRE_TELL;
	v[2].msg.tell.req = 12;
	v[2].msg.tell.data = wire_view("{}");
}

static inline void wire_vectors_link(struct wire_vector *v)
{
	v[0].msg.type = WIRE_LINK_STATE;
	v[0].msg.link_state.connected = true;
	v[0].msg.link_state.endpoint = wire_view("b:1");
	v[0].msg.link_state.detail = wire_view("");
	v[1].msg.type = WIRE_LINK_DEVICE;
	v[1].msg.link_device.id = wire_vector_id;
	v[1].msg.link_device.state = DEVICE_OURS;
	v[1].msg.link_device.reachable = true;
	v[1].msg.link_device.room = wire_view("hall");
	v[1].msg.link_device.desc = &wire_vector_lamp;
	v[2].msg.type = WIRE_LINK_GONE;
	v[2].msg.link_gone.id = wire_vector_id;
	v[3].msg.type = WIRE_LINK_EVENT;
	v[3].msg.link_event.number = 99;
	v[3].msg.link_event.duplicate = true;
	v[3].msg.link_event.event = (struct event){ .kind = EVENT_AVAILABILITY,
						    .event_class = EVENT_CLASS_STATE,
						    .device = wire_vector_id,
						    .value = value_bool(false),
						    .number = 4 };
	v[4].msg.type = WIRE_LINK_ACKED;
	v[4].msg.link_acked.n = 2;
	v[4].msg.link_acked.numbers = wire_vector_acks;
	v[5].msg.type = WIRE_LINK_COMMAND;
	v[5].msg.link_command.id = wire_view("c1");
	v[5].msg.link_command.sender = wire_view("app");
	v[5].msg.link_command.device = wire_vector_id;
	v[5].msg.link_command.cap = CAP_LEVEL;
	v[5].msg.link_command.value = value_int(50);
	v[5].msg.link_command.has_counter = v[5].msg.link_command.has_times = true;
	v[5].msg.link_command.counter = 5;
	v[5].msg.link_command.issued_us = 1;
	v[5].msg.link_command.not_after_us = 2;
	v[6].msg.type = WIRE_LINK_ANSWER;
	v[6].msg.link_answer.id = wire_view("c1");
	v[6].msg.link_answer.sender = wire_view("app");
	v[6].msg.link_answer.device = wire_vector_id;
	v[6].msg.link_answer.endpoint = 1;
	v[6].msg.link_answer.cap = CAP_LEVEL;
	v[6].msg.link_answer.result = RESULT_DENIED;
	v[6].msg.link_answer.reason = wire_view("r3");
	v[7].msg.type = WIRE_LINK_TIME;
	v[7].msg.link_time.wall_us = 1700000000000000;
	v[8].msg.type = WIRE_LINK_SYNC;
	v[9].msg.type = WIRE_LINK_ANCHOR;
	v[9].msg.link_anchor.body = (struct view){ (const uint8_t *)"\1\2\3", 3 };
	v[9].msg.link_anchor.signatures = wire_view("a.b");
}

/* In the order of the specification's table. */
static const char *const wire_vector_hex[] = {
	"010011000100010000030073696d0500302e312e30",
	"02001b0001000000887766554433221100010000e80300401e18240a060001",
	"030010000900706572696f645f6d730300353030",
	"0400090003006e6574020001ff",
	"05000000",
	"0600070003000000000000",
	"06000e0000feffffff07006e6f20706f7274",
	"070008002a00000000000000",
	"08000d0004030000000300612f62010078",
	"1000770002ab010800124b00010203040100a1b2c0ffee89abcdef42020105004d616b657202004c31030031"
	"2e3006004bc3bc63686501010101020100010700000000000000000000000000000000000000000000000000"
	"0000000200020701000000010000000000000064000000000000000100000000000000",
	"11000000",
	"1200040002ab0101",
	"1300200007000000000000000002ab0101400000401e18240a0600030000000000803540",
	"14000c00070000000000000000010000",
	"15001400090000000000000002ab01010100881300000101",
	"16000f000a000000000000003c0000020083fe",
	"17000b000b0000000000000002ab01",
	"18000c00090000000000000008000000",
	"1900090003006e6574020001ff",
	"1a000b0002ab010600374b51322d4d",
	"3000090001000300623a310000",
	"310073000100a1b2c0ffee89abcdef420301040068616c6c020105004d616b657202004c310300312e300600"
	"4bc3bc6368650101010102010001070000000000000000000000000000000000000000000000000000000002"
	"00020701000000010000000000000064000000000000000100000000000000",
	"32000c000100a1b2c0ffee89abcdef42",
	"3300330063000000000000000101010000000100a1b2c0ffee89abcdef420000000000000000000000040000"
	"0000000000010000000000",
	"34001200020062000000000000006300000000000000",
	"35003a000200633103006170700100a1b2c0ffee89abcdef4200020002320000000000000003050000000000"
	"000001000000000000000200000000000000",
	"36001e000200633103006170700100a1b2c0ffee89abcdef42010200010002007233",
	"3700080000401e18240a0600",
	"38000000",
	"39000a0003000102030300612e62",
	"1b000c0002ab01050600303437323933",
	"1c0016000c0000000000000007006368616e6e656c0102003230",
	"1d000c000c0000000000000002007b7d",
};

static inline void wire_vectors(struct wire_vector ret[WIRE_VECTORS])
{
	_Static_assert(sizeof(wire_vector_hex) / sizeof(wire_vector_hex[0]) == WIRE_VECTORS,
		       "bytes for each");
	memset(ret, 0, WIRE_VECTORS * sizeof(*ret));
	wire_vectors_peer(ret);
	wire_vectors_adapter(ret + 9);
	wire_vectors_link(ret + 20);
	wire_vectors_radio(ret + 30);
	for (size_t i = 0; i < WIRE_VECTORS; i++)
		ret[i].hex = wire_vector_hex[i];
}
