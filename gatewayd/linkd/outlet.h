#pragma once
/* outlet - what a profile may do: publish, answer the core, complain; it keeps count of what is on its way.
 *
 *   above   linkd/linkd  linkd/profile
 *   below   base/base  base/text  linkd/flight  linkd/mqtt  model/wire  remote/session  sys/loop
 *   owns    struct outlet: the messages under way, acknowledgements and complaints not yet told
 *   limits  -
 *
 * A message that the broker refuses (PUBACK 0x80 and above) is not delivered: it waits and goes again, until it is taken
 * or the connection ends. Then everything is forgotten here; the core has it still.
 */
#include "base/base.h"
#include "linkd/flight.h"
#include "linkd/mqtt.h"
#include "model/wire.h"
#include "remote/session.h"
#include "sys/loop.h"

enum {
	OUTLET_RETRY_MS = 5000,         /* busy, quota, rate: it may be better soon */
	OUTLET_RETRY_REFUSED_MS = 60000, /* not authorised, invalid: somebody has to change something */
	OUTLET_NOTE_MS = 1000,          /* complaints of one kind are gathered so long */
};

struct outlet_ops {
	void (*on_room)(void *ctx); /* a lane that was full or held has room again */
	/* code 0: all that was refused has been taken now */
	void (*on_refused)(void *ctx, uint8_t code, const char *topic);
};

struct outlet;
must_check int outlet_new(struct loop *loop, const struct outlet_ops *ops, void *ctx, struct outlet **ret);
struct outlet *outlet_free(struct outlet *outlet);
void outlet_set_session(struct outlet *outlet, struct session *session);
void outlet_up(struct outlet *outlet, struct mqtt *mqtt);
void outlet_down(struct outlet *outlet);
void outlet_published(struct outlet *outlet, int mid, uint8_t code);

bool outlet_is_up(const struct outlet *outlet);
bool outlet_has_room(const struct outlet *outlet, enum lane lane);
/* False: no room, or nobody there; the profile keeps it and is called on_room. */
bool outlet_publish(struct outlet *outlet, const struct parcel *parcel);
void outlet_subscribe(struct outlet *outlet, const char *filter);
void outlet_unsubscribe(struct outlet *outlet, const char *filter);

/* To the core. */
bool outlet_say(struct outlet *outlet, const struct wire_msg *msg); /* false: not connected; or no room, and it ends */
void outlet_ack(struct outlet *outlet, uint64_t number);            /* 0 is no number */
void outlet_note(struct outlet *outlet, enum note_kind kind, const char *object, const char *text);
