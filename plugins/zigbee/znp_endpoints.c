/*
 * What the coordinator is to devices: its endpoints and what they serve and use. A device looks for a partner by matching
 * clusters, or insists on an endpoint that its maker's own gateway has; each row says who wants it.
 */
#include "zigbee/znp_start.h"

enum { AF_REGISTER = 0x00, ACTIVE_EP_REQ = 0x05, ACTIVE_EP_RSP = 0x85, EXT_ADD_GROUP = 0x4b, GREEN_POWER_GROUP = 0x0b84, ANSWER_MS = 3000 };
enum { HOME = 0x0104, GREEN_POWER = 0xa1e0, SHELLY = 0xc001, GATEWAY = 0x0005, IAS_CONTROL = 0x0400, GREEN_TARGET = 0x0064 };

#define CLUSTER(id) (id) & 0xff, (id) >> 8

/* basic, identify, time, OTA, IAS ACE */
static const uint8_t serves[] = { CLUSTER(0x0000), CLUSTER(0x0003), CLUSTER(0x000a), CLUSTER(0x0019), CLUSTER(0x0501) };
/* on/off, level, lock, covering, thermostat, colour, temperature, humidity, occupancy, IAS zone, IAS warning, metering, electrical */
static const uint8_t uses[] = { CLUSTER(0x0006), CLUSTER(0x0008), CLUSTER(0x0101), CLUSTER(0x0102), CLUSTER(0x0201), CLUSTER(0x0300), CLUSTER(0x0402),
				CLUSTER(0x0405), CLUSTER(0x0406), CLUSTER(0x0500), CLUSTER(0x0502), CLUSTER(0x0702), CLUSTER(0x0b04) };
static const uint8_t alarm_serves[] = { CLUSTER(0x0501), CLUSTER(0x000a) };
static const uint8_t alarm_uses[] = { CLUSTER(0x0500), CLUSTER(0x0502) };
static const uint8_t update_serves[] = { CLUSTER(0x0019) };

static const struct endpoint {
	uint8_t id;
	uint16_t profile, device;
	struct view in, out;
} endpoints[] = {
	{ 1, HOME, GATEWAY, { serves, sizeof(serves) }, { uses, sizeof(uses) } },
	{ 11, HOME, IAS_CONTROL, { alarm_serves, sizeof(alarm_serves) }, { alarm_uses, sizeof(alarm_uses) } }, /* alarm sensors and keypads: the control panel */
	{ 13, HOME, GATEWAY, { update_serves, sizeof(update_serves) }, { NULL, 0 } }, /* those that look for updates by a match that may have one cluster only */
	{ 47, HOME, GATEWAY, { NULL, 0 }, { NULL, 0 } }, /* Insta, Jung, Gira: they ask for updates from here whatever was matched */
	{ 110, HOME, GATEWAY, { NULL, 0 }, { NULL, 0 } }, /* Terncy: its buttons report to it */
	{ 239, SHELLY, GATEWAY, { NULL, 0 }, { NULL, 0 } }, /* Shelly: its own profile */
	{ 242, GREEN_POWER, GREEN_TARGET, { NULL, 0 }, { NULL, 0 } }, /* Green Power */
};

static void call_register(struct znp *z, const struct endpoint *e)
{
	script_call(z, MT_AF, AF_REGISTER, 7,
		    (struct mt_value[]){ { .n = e->id }, { .n = e->profile }, { .n = e->device }, { .n = 0 }, { .n = 0 }, { .bytes = e->in }, { .bytes = e->out } });
}

/* Which are there already is a bit each in .row, above the place in the table. */
static bool is_there(const struct znp *z, size_t i)
{
	return z->begin.registered >> i & 1;
}

static void note(struct znp *z, const struct mt_message *m)
{
	struct zdo_endpoints active;

	if (zdo_endpoints_read(m, &active))
		return;
	for (size_t i = 0; i < N_ELEMENTS(endpoints); i++) {
		for (size_t k = 0; k < active.n; k++) {
			if (active.ids[k] == endpoints[i].id)
				z->begin.registered |= 1u << i;
		}
	}
}

/* An endpoint that is registered already is refused, and no harm done; asking first keeps that out of the way. */
enum step start_endpoints(struct znp *z, const struct got *got)
{
	enum { ASKED, REGISTERING };
	struct script *s = &z->script;

	if (got->kind == GOT_ENTERED) {
		z->begin.registered = 0;
		script_call(z, MT_ZDO, ACTIVE_EP_REQ, 2, (struct mt_value[]){ { .n = 0 }, { .n = 0 } });
		script_wait(z, ANSWER_MS);
		return STEP_STAY;
	}
	if (s->phase == ASKED) {
		if (got->kind == GOT_EVENT && got->message->row->subsystem == MT_ZDO && got->message->row->id == ACTIVE_EP_RSP)
			note(z, got->message);
		else if (got->kind != GOT_TIME)
			return STEP_STAY;
		s->phase = REGISTERING;
		s->due_ms = UINT64_MAX;
	} else if (got->kind == GOT_EVENT) {
		return STEP_STAY;
	} else {
		s->row++;
	}
	while (s->row < N_ELEMENTS(endpoints) && is_there(z, s->row))
		s->row++;
	if (s->row == N_ELEMENTS(endpoints))
		return STEP_NEXT;
	call_register(z, &endpoints[s->row]);
	return STEP_STAY;
}

/* Green Power devices speak to a group. */
enum step start_group(struct znp *z, const struct got *got)
{
	if (got->kind == GOT_EVENT)
		return STEP_STAY;
	if (got->kind != GOT_ENTERED)
		return STEP_NEXT;
	script_call(z, MT_ZDO, EXT_ADD_GROUP, 3, (struct mt_value[]){ { .n = 242 }, { .n = GREEN_POWER_GROUP }, { 0 } });
	return STEP_STAY;
}
