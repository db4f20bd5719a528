#pragma once
/* wire_msg - the messages themselves: their types, what each carries, and how much.
 *
 *   above   model/wire
 *   below   base/base  base/bytes  model/command  model/device  model/event  model/value
 *   owns    nothing: texts and bytes are borrowed
 *   limits  WIRE_PACKET_MAX WIRE_TEXT_MAX WIRE_OPTION_MAX WIRE_STATE_MAX WIRE_ANCHOR_MAX WIRE_CODE_MAX
 *           WIRE_OPTIONS_MAX WIRE_ACKS_MAX WIRE_VERB_MAX WIRE_ASK_MAX WIRE_PASSKEY_MAX
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/command.h"
#include "model/device.h"
#include "model/event.h"
#include "model/value.h"

enum {
	WIRE_PACKET_MAX = 65536,
	WIRE_TEXT_MAX = 256,	/* keys, reasons, names of objects */
	WIRE_OPTION_MAX = 4096, /* value of one option */
	WIRE_STATE_MAX = 32768, /* one saved blob */
	WIRE_ANCHOR_MAX = 2048, /* the body of a checkpoint */
	WIRE_CODE_MAX = 36,	/* install code or one-time code */
	WIRE_OPTIONS_MAX = 64,	/* options of one peer: counted by who receives them */
	WIRE_ACKS_MAX = 1024,
	WIRE_VERB_MAX = 32,	/* what a radio is asked */
	WIRE_ASK_MAX = 262144,	/* the text of an ask, and all tells that answer it; a part is WIRE_STATE_MAX at most */
	WIRE_PASSKEY_MAX = 16,	/* digits */
};

enum wire_type {
	/* every peer */
	WIRE_HELLO = 1, /* up,   NEW -> SETUP: version, kind, name */
	WIRE_WELCOME,	/* down, SETUP: version, epoch of this core, limits */
	WIRE_OPTION,	/* down, SETUP: one key and value of the peer's own section */
	WIRE_STATE,	/* down, SETUP: one blob the adapter saved earlier */
	WIRE_START,	/* down, SETUP -> OPENING: that was all */
	WIRE_OPENED,	/* up,   OPENING -> READY: flags; with an error it stays OPENING and ends */
	WIRE_BEAT,	/* both, from SETUP on: each second */
	WIRE_NOTE,	/* up,   READY: counted bad input or a status word */
	/* adapters */
	WIRE_DEVICE = 16, /* up: describe a device (again, too: the description replaces) */
	WIRE_SYNCED,  /* up: every device known after open has been described: others are away */
	WIRE_GONE,    /* up: out of reach, or left for good */
	WIRE_REPORT,  /* up: numbered reading */
	WIRE_STORED,  /* down: stored up to N, credit for more */
	WIRE_COMMAND, /* down */
	WIRE_JOIN,    /* down: open the join window, or close it (0 s) */
	WIRE_REMOVE,  /* down */
	WIRE_DONE,    /* up: the one answer of a request */
	WIRE_SAVE,    /* up: keep this blob for me */
	WIRE_CLAIM,   /* up: a device presents a one-time code */
	WIRE_JOINING, /* up: how far a device has come that joins */
	WIRE_ASK,     /* down: a part of what a person asks the radio */
	WIRE_TELL,    /* up: a part of the answer, before its done */
	/* links */
	WIRE_LINK_STATE = 48, /* up: connected or not, why */
	WIRE_LINK_DEVICE,     /* down: a device this link may know, its capabilities as allowed */
	WIRE_LINK_GONE,	      /* down: forget it (unshared, retired) */
	WIRE_LINK_EVENT,      /* down: from the spool, numbered */
	WIRE_LINK_ACKED,      /* up: delivered spool numbers */
	WIRE_LINK_COMMAND,    /* up */
	WIRE_LINK_ANSWER,     /* down */
	WIRE_LINK_TIME,	      /* up: the peer's idea of the time */
	WIRE_LINK_SYNC,	      /* up: say all devices and states again */
	WIRE_LINK_ANCHOR,     /* up: the newest of our anchors that the far side keeps */
};

enum note_kind {
	NOTE_MALFORMED,
	NOTE_OVERSIZE,
	NOTE_UNKNOWN_DEVICE,
	NOTE_BAD_VALUE,
	NOTE_BAD_TOPIC,
	NOTE_FLOOD,
	NOTE_DROPPED,
	NOTE_REFUSED_COMMAND,
	NOTE_STATUS,
	NOTES
};

/* As in the ABI (GWA_JOIN_*). */
enum join_stage { JOIN_SEEN, JOIN_INTERVIEW, JOIN_CONFIGURE, JOIN_READY, JOIN_FAILED, JOIN_PASSKEY, JOIN_STAGES };

struct wire_msg {
	uint8_t type;
	union {
		struct {
			uint16_t major, minor;
			uint8_t kind;
			struct view name, version;
		} hello;
		struct {
			uint16_t major, minor;
			uint64_t epoch;
			uint32_t credit;
			uint16_t beat_ms;
			int64_t wall_us;
			bool time_trusted;
		} welcome;
		struct {
			struct view key, value;
		} option;
		struct {
			struct view key, data;
		} state; /* also WIRE_SAVE */
		struct {
			uint8_t flags;
			int32_t error;
			struct view reason;
		} opened;
		struct {
			uint64_t count;
		} beat;
		struct {
			uint8_t kind;
			uint32_t count;
			struct view object, text;
		} note;
		struct device_desc device; /* views into the packet and into endpoints/caps below;
					      texts NUL-terminated by the decoder */
		struct {
			struct address addr;
			bool left;
		} gone;
		struct {
			uint64_t seq;
			bool again; /* perhaps a duplicate: it was sent before, or its source sent it again */
			struct address addr;
			uint8_t endpoint;
			uint16_t cap;
			int64_t wall_us;
			struct value value;
		} report;
		struct {
			uint64_t up_to;
			uint32_t credit;
		} stored;
		struct {
			uint64_t req;
			struct address addr;
			uint8_t endpoint;
			uint16_t cap;
			uint32_t ttl_ms;
			struct value value;
		} command;
		struct {
			uint64_t req;
			uint16_t seconds;
			struct address addr;
			struct view code;
		} join;
		struct {
			uint64_t req;
			struct address addr;
		} remove;
		struct {
			uint64_t req;
			int32_t status;
		} done; /* status: enum result, nothing else is encoded */
		struct {
			struct address addr;
			struct view code;
		} claim;
		struct {
			struct address addr;
			uint8_t stage;
			struct view text;
		} joining;
		struct {
			uint64_t req;
			struct view verb;
			bool last;
			struct view data;
		} ask;
		struct {
			uint64_t req;
			struct view data;
		} tell;
		struct {
			bool connected;
			uint8_t reason;
			struct view endpoint, detail;
		} link_state;
		struct {
			struct device_id id;
			uint8_t state;
			bool reachable;
			struct view room;
			const struct device_desc *desc;
		} link_device; /* desc travels without addresses */
		struct {
			struct device_id id;
		} link_gone;
		struct {
			uint64_t number;
			bool duplicate;
			struct event event;
		} link_event;
		struct {
			uint16_t n;
			const uint64_t *numbers; /* decoded: in the scratch */
		} link_acked;
		struct {
			struct view id, sender;
			struct device_id device;
			uint8_t endpoint;
			uint16_t cap;
			struct value value;
			bool has_counter, has_times;
			uint64_t counter;
			int64_t issued_us, not_after_us;
		} link_command;
		struct {
			struct view id, sender;
			struct device_id device;
			uint8_t endpoint;
			uint16_t cap;
			uint16_t result;
			struct view reason;
		} link_answer;
		struct {
			int64_t wall_us;
		} link_time;
		struct {
			struct view body, signatures; /* as EVENT_ANCHOR has them in value and detail */
		} link_anchor;
	};
};
