#pragma once
/* native_codec - the platform's JSON (docs/spec/cloud.md): events, descriptions and answers out, commands and time in.
 *
 *   above   linkd/native
 *   below   base/base  base/text  linkd/devices  linkd/jsonw  model/alarm  model/capability  model/command  model/device
 *           model/device_id  model/event  model/value  model/wire  sys/crypto  sys/json
 *   owns    what native_command holds
 *   limits  NATIVE_DEPTH_MAX NATIVE_PAYLOAD_MAX
 *   errors  NATIVE_E_REFUSED
 */
#include "base/base.h"
#include "linkd/devices.h"
#include "linkd/jsonw.h"
#include "model/command.h"
#include "model/event.h"
#include "model/wire.h"
#include "sys/json.h"

enum { NATIVE_DEPTH_MAX = 8, NATIVE_PAYLOAD_MAX = 65536, NATIVE_WHY_LEN = 160 };
enum { NATIVE_E_REFUSED = 1 };

/* A command as it was read, or as much of it as an answer needs. Texts live in json. */
struct native_command {
	struct json *json;
	char id[COMMAND_ID_MAX + 1], sender[SENDER_MAX + 1];
	struct wire_msg msg; /* WIRE_LINK_COMMAND, borrowing from json and from id and sender */
	enum note_kind fault;
	char why[NATIVE_WHY_LEN];
};

void native_put_event(struct jsonw *w, const struct event *event, uint64_t number, bool duplicate);
/* {"anchor", "detail"}: the newest point of the audit record, which the broker keeps for the gateway to find again. */
void native_put_anchor(struct jsonw *w, const struct event *event); /* EVENT_ANCHOR */
struct native_anchor {
	size_t len;
	uint8_t body[WIRE_ANCHOR_MAX];
	char signatures[WIRE_TEXT_MAX + 1];
};
must_check int native_read_anchor(const void *data, size_t len, struct native_anchor *ret); /* NATIVE_E_REFUSED */
void native_put_device(struct jsonw *w, const struct known *known);
void native_put_answer(struct jsonw *w, const struct wire_msg *msg); /* WIRE_LINK_ANSWER */
/* Of a command that never reached the core. */
void native_put_refusal(struct jsonw *w, const struct native_command *command);

/* NATIVE_E_REFUSED: fault and why say it; id is "" when none could be read. Either way _deinit. */
must_check int native_read_command(const void *data, size_t len, struct native_command *ret);
void native_command_deinit(struct native_command *command);
/* Microseconds since 1970. NATIVE_E_REFUSED: not {"now": ms}. */
must_check int native_read_time(const void *data, size_t len, int64_t *ret_us);
