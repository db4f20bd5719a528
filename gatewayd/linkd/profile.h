#pragma once
/* profile - how one kind of platform is spoken to: topics and payloads, on top of an outlet.
 *
 *   above   linkd/linkd  linkd/native  linkd/ha
 *   below   base/base  linkd/mqtt  linkd/outlet  linkd/settings  model/wire  sys/loop
 *   owns    nothing: each profile's own file does
 *   limits  -
 */
#include "base/base.h"
#include "linkd/mqtt.h"
#include "linkd/outlet.h"
#include "linkd/settings.h"
#include "model/wire.h"
#include "sys/loop.h"

struct profile_ops;
struct profile { /* first in each profile's own struct */
	const struct profile_ops *ops;
};

struct profile_ops {
	const char *name;
	bool clean_start;
	uint32_t session_expiry_s;
	const char *(*will_topic)(const struct profile *profile);
	const char *will_payload;
	void (*ready)(struct profile *profile);  /* the core listens; may be NULL */
	void (*up)(struct profile *profile);     /* connected */
	void (*down)(struct profile *profile);   /* no longer: what was on its way is forgotten */
	void (*forget)(struct profile *profile); /* the core is gone: devices, too */
	/* LINK_DEVICE, LINK_GONE, LINK_EVENT, LINK_ANSWER */
	void (*core)(struct profile *profile, const struct wire_msg *msg);
	void (*message)(struct profile *profile, const struct mqtt_message *message);
	void (*flush)(struct profile *profile); /* the end of a turn, or there is room again */
	struct profile *(*free)(struct profile *profile);
};

must_check int native_new(struct loop *loop, const struct settings *settings, struct outlet *outlet, struct profile **ret);
must_check int ha_new(struct loop *loop, const struct settings *settings, struct outlet *outlet, struct profile **ret);
