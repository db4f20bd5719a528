/*
 * First the stick says who it is and what network is in its memory. Then it is judged: what was asked for is there and
 * is started, or another one is and nobody touches it, or one is made. A new one is made by clearing the memory,
 * writing what it shall be, and commissioning; all roads end with the stick up, its endpoints registered, and the network
 * read from its memory once more, because only that is what it does.
 */
#include "zigbee/znp_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"

enum { SYS_PING = 0x01, SYS_VERSION = 0x02, SYS_EXT_ADDR = 0x04, SYS_RESET_REQ = 0x00, SYS_RESET_IND = 0x80, RESET_SOFT = 1 };
enum { BDB_START = 0x05, BDB_SET_CHANNEL = 0x08, FORM_NETWORK = 4, STATE_CHANGE = 0xc0, STATE_COORDINATOR = 9 };
enum { DEVICE_INFO = 0x00, DEVICE_INFO_STATE = 4, STARTUP_FROM_APP = 0x40, STARTUP_DELAY_MS = 100 };
enum { CLEAR_ALL = 3, CONFIGURED = 0x55, HALF_DONE = 0xa5, KEY_RECORD_LEN = 17, BLANK_PAN = 0xffff };
enum { CHANNELS_ANY = 0x02108800 }; /* 11 15 20 25: those between the Wi-Fi channels */

static enum step failed(struct znp *z, const char *why)
{
	znp_fail(z, why);
	return STEP_END;
}

static struct nv_place item(uint16_t id)
{
	return (struct nv_place){ 0, id, 0 };
}

static enum step hello(struct znp *z, const struct got *got)
{
	if (got->kind != GOT_ENTERED)
		return STEP_NEXT;
	script_call(z, MT_SYS, SYS_PING, 0, NULL);
	return STEP_STAY;
}

static enum step version(struct znp *z, const struct got *got)
{
	const struct mt_value *v;

	if (got->kind == GOT_ENTERED) {
		script_call(z, MT_SYS, SYS_VERSION, 0, NULL);
		return STEP_STAY;
	}
	v = got->message ? got->message->values : NULL;
	if (!v || (v[1].n != ZNP_STACK_3_X_0 && v[1].n != ZNP_STACK_3_0_X))
		return failed(z, "its firmware is not Z-Stack 3");
	z->product = (uint8_t)v[1].n;
	snprintf(z->firmware, sizeof(z->firmware), "Z-Stack %s %u.%u.%u %u", z->product == ZNP_STACK_3_X_0 ? "3.x.0" : "3.0.x",
		 (unsigned int)v[2].n, (unsigned int)v[3].n, (unsigned int)v[4].n, got->message->n > 5 ? (unsigned int)v[5].n : 0);
	return STEP_NEXT;
}

enum step start_address(struct znp *z, const struct got *got)
{
	if (got->kind == GOT_ENTERED) {
		script_call(z, MT_SYS, SYS_EXT_ADDR, 0, NULL);
		return STEP_STAY;
	}
	if (!got->message)
		return failed(z, "it does not tell its address");
	z->begin.found.eui = got->message->values[0].n;
	return STEP_NEXT;
}

/* What was read is the information base of a network. Its length tells of which layout all records are; a blank stick has none. */
static bool nib_known(struct znp *z, struct nv_nib *ret)
{
	if (z->nv.outcome != NV_DONE || nv_nib_read((struct view){ z->nv.data, z->nv.len }, ret))
		return false;
	z->aligned = z->nv.len == NV_NIB_LEN_ALIGNED;
	return nv_nib_is_network(ret);
}

enum step start_look_nib(struct znp *z, const struct got *got)
{
	struct radio_network *found = &z->begin.found;
	struct nv_nib nib;

	if (got->kind == GOT_ENTERED) {
		*found = (struct radio_network){ .eui = found->eui, .pan = BLANK_PAN };
		nv_read(z, item(NV_NIB));
		return STEP_STAY;
	}
	if (z->nv.outcome == NV_TROUBLE && z->state == ZNP_STARTING)
		return failed(z, "its memory cannot be read");
	if (nib_known(z, &nib)) {
		found->pan = nib.pan;
		found->ext_pan = nib.ext_pan;
		found->channel = nib.channel;
		found->channels = nib.channels;
		found->update_id = nib.update_id;
		found->security_level = nib.security_level;
	}
	return STEP_NEXT;
}

enum step start_look_key(struct znp *z, const struct got *got)
{
	if (got->kind == GOT_ENTERED) {
		nv_read(z, item(NV_ACTIVE_KEY));
		return STEP_STAY;
	}
	if (z->nv.outcome == NV_DONE && z->nv.len >= KEY_RECORD_LEN) {
		z->begin.found.key_sequence = z->nv.data[0];
		memcpy(z->begin.found.key, z->nv.data + 1, sizeof(z->begin.found.key));
	}
	nv_forget(&z->nv);
	return STEP_NEXT;
}

/* What we began to form or restore and did not bring to its end is no network. */
static enum step look_flag(struct znp *z, const struct got *got)
{
	if (got->kind == GOT_ENTERED) {
		nv_read(z, item(NV_CONFIGURED));
		return STEP_STAY;
	}
	if (z->nv.outcome == NV_DONE && z->nv.len == 1 && z->nv.data[0] == HALF_DONE)
		z->begin.found.pan = BLANK_PAN;
	return STEP_NEXT;
}

struct nv_place start_counter_place(const struct znp *z, unsigned int row)
{
	if (z->product == ZNP_STACK_3_X_0)
		return (struct nv_place){ 1, NV_T_COUNTERS, (uint16_t)row };
	return item((uint16_t)(NV_OLD_COUNTERS + row));
}

/* Each network that the stick was in has a row of its own; one is for all others. */
enum step start_look_counter(struct znp *z, const struct got *got)
{
	enum { ROWS_MAX = 12 };
	struct radio_network *found = &z->begin.found;
	struct nv_counter c;
	bool mine, any;

	if (got->kind == GOT_NV) {
		if (z->nv.outcome != NV_DONE || nv_counter_read((struct view){ z->nv.data, z->nv.len }, &c))
			return STEP_NEXT;
		mine = c.ext_pan == found->ext_pan;
		any = c.ext_pan == UINT64_MAX;
		if ((mine || any) && c.counter > found->frame_counter)
			found->frame_counter = c.counter;
		if (z->begin.how == RADIO_RESTORE && c.ext_pan == z->begin.network.ext_pan && c.counter > z->begin.counter_min)
			z->begin.counter_min = c.counter;
		if (++z->script.row == ROWS_MAX)
			return STEP_NEXT;
	}
	nv_read(z, start_counter_place(z, z->script.row));
	return STEP_STAY;
}

/* Clears what the stick knew. It does so itself at its next start. */
enum step start_clear(struct znp *z, const struct got *got)
{
	uint8_t clear = CLEAR_ALL;

	if (got->kind == GOT_NV && z->nv.outcome == NV_TROUBLE)
		return failed(z, "its memory cannot be written");
	if (got->kind == GOT_ENTERED) {
		nv_drop(z, item(NV_NIB));
		return STEP_STAY;
	}
	if (z->script.phase++)
		return STEP_NEXT;
	nv_write(z, item(NV_STARTUP_OPTION), &clear, 1);
	return STEP_STAY;
}

enum step start_reset(struct znp *z, const struct got *got)
{
	struct mt_message m = mt_make(UNPI_AREQ, MT_SYS, SYS_RESET_REQ, 1, (struct mt_value[]){ { .n = RESET_SOFT } });

	if (got->kind == GOT_EVENT) {
		if (got->message->row->subsystem != MT_SYS || got->message->row->id != SYS_RESET_IND)
			return STEP_STAY;
		z->begin.expects_reset = false;
		return STEP_NEXT;
	}
	if (z->script.row++ == START_RESETS_MAX)
		return failed(z, "it does not restart");
	z->begin.expects_reset = true;
	znp_send(z, LINE_NOBODY, &m);
	script_wait(z, START_RESET_MS);
	return STEP_STAY;
}

static size_t item_bytes(const struct radio_network *n, uint16_t id, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	switch (id) {
	case NV_CONFIGURED: /* a power cut on the way leaves this, and it is begun anew */
		put_u8(&w, HALF_DONE);
		break;
	case NV_STARTUP_OPTION:
	case NV_LOGICAL_TYPE: /* a coordinator */
	case NV_PRECFGKEYS_ENABLE: /* devices are given the network's key when they join; none is built in */
		put_u8(&w, 0);
		break;
	case NV_ZDO_DIRECT_CB:
		put_u8(&w, 1);
		break;
	case NV_CHANLIST:
		put_u32(&w, n->channels);
		break;
	case NV_PANID:
		put_u16(&w, n->pan);
		break;
	case NV_EXTENDED_PAN_ID:
	case NV_APS_USE_EXT_PAN_ID:
		put_u64(&w, n->ext_pan);
		break;
	case NV_PRECFGKEY:
		put_bytes(&w, n->key, sizeof(n->key));
		break;
	default:
		break;
	}
	return writer_len(&w);
}

/* What the network shall be: taken by the stick when it commissions. */
enum step start_items(struct znp *z, const struct got *got)
{
	static const uint16_t items[] = { NV_CONFIGURED, NV_STARTUP_OPTION, NV_LOGICAL_TYPE, NV_ZDO_DIRECT_CB, NV_CHANLIST, NV_PANID, NV_EXTENDED_PAN_ID,
					  NV_APS_USE_EXT_PAN_ID, NV_PRECFGKEYS_ENABLE, NV_PRECFGKEY };
	uint8_t bytes[16];
	size_t len;

	if (got->kind == GOT_NV && z->nv.outcome != NV_DONE)
		return failed(z, "its memory cannot be written");
	if (got->kind == GOT_NV && ++z->script.row == N_ELEMENTS(items)) {
		nv_forget(&z->nv);
		return STEP_NEXT;
	}
	len = item_bytes(&z->begin.forming, items[z->script.row], bytes, sizeof(bytes));
	nv_write(z, item(items[z->script.row]), bytes, len);
	crypto_wipe(bytes, sizeof(bytes));
	return STEP_STAY;
}

enum step start_channel(struct znp *z, const struct got *got)
{
	bool primary = got->kind == GOT_ENTERED;

	if (got->kind != GOT_ENTERED && (!got->message || got->message->values[0].n))
		return failed(z, "it does not take the channel");
	if (z->script.phase++ == 2)
		return STEP_NEXT;
	script_call(z, MT_APP_CNF, BDB_SET_CHANNEL, 2, (struct mt_value[]){ { .n = primary }, { .n = primary ? z->begin.forming.channels : 0 } });
	return STEP_STAY;
}

static bool is_up(const struct got *got)
{
	return got->kind == GOT_EVENT && got->message->row->subsystem == MT_ZDO && got->message->row->id == STATE_CHANGE &&
	       got->message->values[0].n == STATE_COORDINATOR;
}

enum step start_commission(struct znp *z, const struct got *got)
{
	enum { SAID = 1, UP = 2 };

	if (got->kind == GOT_ENTERED) {
		script_call(z, MT_APP_CNF, BDB_START, 1, (struct mt_value[]){ { .n = FORM_NETWORK } });
		script_wait(z, START_NETWORK_MS);
	} else if (got->kind == GOT_TIME) {
		return failed(z, "it does not form a network");
	} else if (is_up(got)) {
		z->script.phase |= UP;
	} else if (got->kind != GOT_EVENT) {
		if (!got->message || got->message->values[0].n) {
			/* It may be busy with what somebody else began before it restarted: from the start, a few times. */
			znp_restart(z, "it does not want to form a network");
			return STEP_END;
		}
		z->script.phase |= SAID;
	}
	return z->script.phase == (SAID | UP) ? STEP_NEXT : STEP_STAY;
}

/* The memory follows a while after the network stands. */
enum step start_settle(struct znp *z, const struct got *got)
{
	struct nv_nib nib;

	if (got->kind == GOT_NV) {
		if (nib_known(z, &nib))
			return STEP_NEXT;
		if (++z->script.row == START_SETTLES)
			return failed(z, "its network does not come to stand");
		script_wait(z, START_SETTLE_MS);
	} else if (got->kind != GOT_EVENT) {
		nv_read(z, item(NV_NIB));
	}
	return STEP_STAY;
}

enum step start_up(struct znp *z, const struct got *got)
{
	enum { ASK, START };

	if (got->kind == GOT_ENTERED) {
		script_call(z, MT_UTIL, DEVICE_INFO, 0, NULL);
	} else if (got->kind == GOT_TIME) {
		return failed(z, "its network does not start");
	} else if (is_up(got)) {
		return STEP_NEXT;
	} else if (got->kind != GOT_EVENT && z->script.phase == ASK) {
		if (got->message && got->message->values[DEVICE_INFO_STATE].n == STATE_COORDINATOR)
			return STEP_NEXT;
		z->script.phase = START;
		script_call(z, MT_ZDO, STARTUP_FROM_APP, 1, (struct mt_value[]){ { .n = STARTUP_DELAY_MS } });
		script_wait(z, START_NETWORK_MS);
	}
	return STEP_STAY;
}

enum step start_flag(struct znp *z, const struct got *got)
{
	uint8_t flag = CONFIGURED;

	if (got->kind == GOT_NV)
		return STEP_NEXT;
	nv_write(z, item(NV_CONFIGURED), &flag, 1);
	return STEP_STAY;
}

/* A window that somebody left open when he went away. */
enum step start_close(struct znp *z, const struct got *got)
{
	enum { MGMT_PERMIT_JOIN = 0x36, MODE_BROADCAST = 15, EVERYWHERE = 0xfffc };

	if (got->kind != GOT_ENTERED)
		return STEP_NEXT;
	script_call(z, MT_ZDO, MGMT_PERMIT_JOIN, 4, (struct mt_value[]){ { .n = MODE_BROADCAST }, { .n = EVERYWHERE }, { 0 }, { .n = 1 } });
	return STEP_STAY;
}

enum step start_ready(struct znp *z, const struct got *got)
{
	(void)got;
	script_stop(z);
	z->mine = z->begin.found;
	z->state = ZNP_READY;
	start_end(z);
	z->events->on_ready(z->ctx, &z->mine, z->firmware);
	return STEP_END;
}

/* Whoever formed it may have had what devices say sent to somebody else. When it is set so already there is no need to restart. */
static enum step direct(struct znp *z, const struct got *got)
{
	uint8_t on = 1;

	if (got->kind == GOT_ENTERED) {
		nv_read(z, item(NV_ZDO_DIRECT_CB));
	} else if (!z->script.phase && z->nv.outcome == NV_DONE && z->nv.len == 1 && z->nv.data[0] == on) {
		z->script.at++;
		return STEP_NEXT;
	} else if (!z->script.phase++) {
		nv_write(z, item(NV_ZDO_DIRECT_CB), &on, 1);
	} else {
		return z->nv.outcome == NV_DONE ? STEP_NEXT : failed(z, "its memory cannot be written");
	}
	return STEP_STAY;
}

static step_fn *const resume_steps[] = {
	direct, start_reset, start_up, start_look_nib, start_look_key, start_look_counter, start_flag, start_endpoints, start_group, start_close, start_ready,
};
static step_fn *const form_steps[] = {
	start_clear,	start_reset,	start_items,	    start_channel, start_commission, start_settle, start_up,
	start_look_nib, start_look_key, start_look_counter, start_flag,	   start_endpoints,  start_group,  start_close, start_ready,
};

static bool is_ours(const struct beginning *b)
{
	const struct radio_network *want = &b->network, *have = &b->found;

	return b->given && (!want->eui || want->eui == have->eui) && want->pan == have->pan && want->ext_pan == have->ext_pan &&
	       crypto_equal(want->key, have->key, sizeof(want->key));
}

void start_form(struct znp *z, const struct radio_network *network)
{
	struct radio_network *n = &z->begin.forming;

	*n = *network;
	if (n->channel)
		n->channels = 1u << n->channel;
	else if (!n->channels)
		n->channels = CHANNELS_ANY;
	while (!n->pan || n->pan >= 0xfffe)
		n->pan = (uint16_t)crypto_random_below(0xfffe);
	while (!n->ext_pan || n->ext_pan == UINT64_MAX)
		crypto_random(&n->ext_pan, sizeof(n->ext_pan));
}

static enum step foreign(struct znp *z)
{
	struct radio_network shown = z->begin.found;

	if (shown.pan == BLANK_PAN)
		shown = (struct radio_network){ .eui = shown.eui, .pan = BLANK_PAN };
	crypto_wipe(shown.key, sizeof(shown.key));
	script_stop(z);
	start_end(z);
	z->state = ZNP_IDLE;
	z->events->on_foreign(z->ctx, &shown);
	return STEP_END;
}

static enum step judge(struct znp *z, const struct got *got)
{
	struct beginning *b = &z->begin;
	bool blank = b->found.pan == BLANK_PAN;

	(void)got;
	switch (b->how) {
	case RADIO_RESUME:
		if (blank || !is_ours(b))
			return foreign(z);
		script_begin(z, resume_steps);
		break;
	case RADIO_ADOPT:
		if (blank)
			return failed(z, "there is no network in its memory");
		script_begin(z, resume_steps);
		break;
	case RADIO_FORM:
		start_form(z, &b->network);
		script_begin(z, form_steps);
		break;
	case RADIO_RESTORE:
		script_begin(z, restore_steps);
		break;
	}
	return STEP_END;
}

static step_fn *const first_steps[] = {
	hello, version, start_address, start_look_nib, start_look_key, start_look_counter, look_flag, judge,
};

void start_begin(struct znp *z)
{
	z->begin.expects_reset = false;
	script_begin(z, first_steps);
}

void start_end(struct znp *z)
{
	if (z->begin.keys)
		crypto_wipe(z->begin.keys, z->begin.n * sizeof(*z->begin.keys));
	free(z->begin.keys);
	crypto_wipe(&z->begin, sizeof(z->begin));
}
