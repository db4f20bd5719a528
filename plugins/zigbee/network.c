/* The radio and what it says. It is begun, watched, begun again when it fails; each of its events goes to whoever it is about.
 *
 * An event comes from within the radio: nothing here frees or begins a radio from within one. What is to be done with the radio
 * next is noted (errand) and done in network_tick().
 */
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "zigbee/chest.h"
#include "zigbee/serve.h"
#include "zigbee/zigbee_inside.h"

enum { BLANK_PAN = 0xffff, UNKNOWN_EACH_MS = 60000 };

static bool is_owned(uint32_t cookie, enum owner owner)
{
	return cookie >> OWNED_BITS == (uint32_t)owner;
}

/* What the radio says */

static uint64_t on_now(void *ctx)
{
	return zigbee_now(ctx);
}

static void on_write(void *ctx, const void *data, size_t len)
{
	gwa_self *self = ctx;

	port_write(&self->port, data, len);
}

static bool is_same(const struct radio_network *a, const struct radio_network *b)
{
	return a->eui == b->eui && a->ext_pan == b->ext_pan && a->pan == b->pan && a->channel == b->channel &&
	       a->update_id == b->update_id && a->key_sequence == b->key_sequence && crypto_equal(a->key, b->key, sizeof(a->key));
}

static void on_ready(void *ctx, const struct radio_network *network, const char *firmware)
{
	gwa_self *self = ctx;
	bool fresh = !self->has_network || !is_same(&self->network, network);

	if (self->began == RADIO_ADOPT && chest_key_is_published(network->key)) {
		self->errand = ERRAND_LEAVE_ALONE;
		self->why = "its key is one that is published";
		return;
	}
	self->elsewhere = !self->has_network || self->network.ext_pan != network->ext_pan;
	if (fresh) {
		self->network = *network;
		self->has_network = true;
		kept_network(self);
	}
	text_copy(self->firmware, sizeof(self->firmware), firmware);
	self->state = NET_READY;
	self->why = NULL;
	self->radio_fails = 0;
	port_is_good(&self->port);
	self->talk.paused = false;
	self->backup_due_ms = zigbee_now(self) + BACKUP_AFTER_MS;
	zigbee_log(self, 6, "the coordinator is ready: channel %u, %s", network->channel, self->firmware);
	gwa(self->host)->note(self->host, GWA_NOTE_STATUS, 1, "radio", chest_key_is_published(network->key) ?
			      "ready, but everybody knows its key: form a new network" : "ready");
	for (size_t i = 0; i < self->nodes.n; i++) {
		if (self->nodes.rows[i]->stage != NODES_HEARD)
			device_tell(self, device_of(self->nodes.rows[i]));
	}
	groupings_ready(self);
	joins_ready(self);
	if (self->began == RADIO_ADOPT)
		self->backup_due_ms = zigbee_now(self); /* whose keys it has is who lives in it */
	self->began = RADIO_RESUME;
	asks_began(self, true);
}

static void on_foreign(void *ctx, const struct radio_network *network)
{
	gwa_self *self = ctx;

	if (network->pan == BLANK_PAN)
		self->errand = self->has_network ? ERRAND_RESTORE : ERRAND_FORM;
	else
		self->errand = ERRAND_LEAVE_ALONE;
	self->why = "the network on the stick is not ours";
}

static void all_away(gwa_self *self)
{
	for (size_t i = 0; i < self->nodes.n; i++)
		device_away(self, device_of(self->nodes.rows[i]));
	groupings_away(self);
}

static void on_failed(void *ctx, const char *why)
{
	gwa_self *self = ctx;
	uint64_t ms = (uint64_t)RADIO_AGAIN_MS * ++self->radio_fails;

	self->state = NET_FAILED;
	self->why = "the stick does not do what it is asked";
	self->talk.paused = true;
	self->radio_again_ms = zigbee_now(self) + (ms < RADIO_AGAIN_LONGEST_MS ? ms : RADIO_AGAIN_LONGEST_MS);
	zigbee_log(self, 3, "the coordinator failed: %s", why);
	gwa(self->host)->note(self->host, GWA_NOTE_STATUS, 1, "radio", why);
	all_away(self);
	asks_began(self, false);
}

static void on_reset(void *ctx, const char *why)
{
	gwa_self *self = ctx;

	self->state = NET_STARTING;
	self->talk.paused = true;
	zigbee_log(self, 4, "the coordinator started anew: %s", why);
}

static void on_done(void *ctx, uint32_t cookie, enum radio_status status)
{
	gwa_self *self = ctx;

	if (is_owned(cookie, OWNER_TALK))
		talk_sent(&self->talk, cookie & OWNED_MASK, status);
	else if (is_owned(cookie, OWNER_PENDING))
		joins_done(self, cookie, status);
	else if (is_owned(cookie, OWNER_CHANNEL))
		asks_channel(self, status);
	else if (is_owned(cookie, OWNER_GROUP))
		orders_sent(self, cookie, status);
}

static void on_answer(void *ctx, uint32_t cookie, const struct radio_answer *answer)
{
	gwa_self *self = ctx;

	if (is_owned(cookie, OWNER_INQUIRY))
		inquiry_answered(self, cookie, answer);
	else if (is_owned(cookie, OWNER_PENDING))
		joins_done(self, cookie, (enum radio_status)answer->status);
	else if (is_owned(cookie, OWNER_MAP))
		asks_neighbours(self, cookie, answer);
}

static void on_kept(void *ctx, uint32_t cookie, enum radio_status status, const struct radio_network *network,
		    const struct radio_key *keys, size_t n)
{
	gwa_self *self = ctx;

	if (!is_owned(cookie, OWNER_KEEP))
		return;
	if (status == RADIO_OK)
		kept_backup(self, network, keys, n);
	asks_kept(self, status, network, keys, n);
}

/* Messages */

static void reply(gwa_self *self, const struct radio_message *to, const struct zcl_frame *frame, const struct device *device)
{
	struct radio_message message = { .mode = RADIO_UNICAST, .nwk = to->nwk, .source = to->target, .target = to->source,
					 .profile = to->profile, .cluster = to->cluster };
	struct serve_asker asker = { .wait = device->peer.n > 0 || device->interview };
	uint8_t answer[SERVE_ANSWER_MAX];
	struct tm tm;
	time_t now = time(NULL);

	asker.utc_s = now;
	if (localtime_r(&now, &tm))
		asker.offset_s = (int32_t)tm.tm_gmtoff;
	message.data = (struct view){ answer, serve(to, frame, &asker, answer) };
	/* Who is not answered asks again: a reply that finds no room is not kept. */
	if (message.data.len && self->radio->ops->send(self->radio, zigbee_id(self, OWNER_NOBODY), &message))
		self->dropped++;
}

static void note_flood(gwa_self *self, struct device *device)
{
	uint64_t now = zigbee_now(self);
	char text[24];

	if (device->flood_said_ms && now - device->flood_said_ms < UNKNOWN_EACH_MS)
		return;
	device->flood_said_ms = now;
	text_print(text, sizeof(text), "%016llx", (unsigned long long)device->row.node.eui);
	gwa(self->host)->note(self->host, GWA_NOTE_FLOOD, 1, text, "sends more than a device has to say; some of it is dropped");
}

static void note_malformed(gwa_self *self, struct device *device)
{
	uint64_t now = zigbee_now(self);
	char text[24];

	device->malformed++;
	if (device->malformed_said_ms && now - device->malformed_said_ms < UNKNOWN_EACH_MS)
		return;
	device->malformed_said_ms = now;
	text_print(text, sizeof(text), "%016llx", (unsigned long long)device->row.node.eui);
	gwa(self->host)->note(self->host, GWA_NOTE_MALFORMED, device->malformed, text, "sends what is no ZCL frame");
	device->malformed = 0;
}

static void note_unknown(gwa_self *self, uint16_t nwk)
{
	uint64_t now = zigbee_now(self);
	char text[8];

	self->unknown++;
	if (self->unknown_said_ms && now - self->unknown_said_ms < UNKNOWN_EACH_MS)
		return;
	self->unknown_said_ms = now;
	text_print(text, sizeof(text), "0x%04x", nwk);
	gwa(self->host)->note(self->host, GWA_NOTE_UNKNOWN_DEVICE, 1, text, "speaks in our network and is not known");
}

static bool is_for_us(const struct radio_message *message)
{
	static const uint16_t profiles[] = { 0x0104, 0xc05e, 0x0109, 0x0105, 0x0107, 0x0108 };

	for (size_t i = 0; i < N_ELEMENTS(profiles); i++) {
		if (profiles[i] == message->profile)
			return true;
	}
	return false;
}

static void on_message(void *ctx, const struct radio_message *message)
{
	gwa_self *self = ctx;
	struct nodes_row *row = nodes_by_nwk(&self->nodes, message->nwk);
	struct device *device;
	struct zcl_frame frame;
	bool good;

	if (!row || message->nwk == 0) {
		note_unknown(self, message->nwk);
		return;
	}
	device = device_of(row);
	if (talk_is_again(&self->talk, &device->peer, message) || !is_for_us(message))
		return;
	good = zcl_frame_read(message->data, &frame) == 0;
	if (!(good && talk_expects(&self->talk, &device->peer, message, &frame)) && talk_is_flood(&self->talk, &device->peer)) {
		note_flood(self, device);
		device->reread_due_ms = zigbee_now(self) + FLOOD_OVER_MS;
		return;
	}
	device->lqi = message->lqi;
	device_heard(self, device);
	if (!good) {
		note_malformed(self, device);
		return;
	}
	device_take(self, device, message, &frame);
	if (!talk_answer(&self->talk, &device->peer, message, &frame))
		reply(self, message, &frame, device);
}

/* Coming and going */

static struct device *admit(gwa_self *self, uint64_t eui, uint16_t nwk, uint8_t capabilities, bool announced)
{
	struct device *device;

	if (eui == 0 || eui == UINT64_MAX || eui == self->network.eui)
		return NULL;
	if (!joins_admit(self, eui, nwk, announced))
		return NULL;
	if (device_add(self, eui, nwk, capabilities, &device)) {
		gwa(self->host)->note(self->host, GWA_NOTE_DROPPED, 1, "devices", "the table is full: another device cannot join");
		return NULL;
	}
	device->joining = true;
	device->row.node.evidence = joins_evidence(self, eui);
	zigbee_log(self, 6, "%016llx joined", (unsigned long long)eui);
	device_joining(self, device, GWA_JOIN_SEEN, NULL);
	return device;
}

/* The coordinator's own, those for many, and none. */
static bool is_nobodys(uint16_t nwk)
{
	return nwk == 0 || nwk >= 0xfff8;
}

static void on_joined(void *ctx, uint64_t eui, uint16_t nwk, uint16_t parent)
{
	gwa_self *self = ctx;
	struct nodes_row *row = nodes_by_eui(&self->nodes, eui);
	struct device *device;

	(void)parent;
	if (is_nobodys(nwk))
		return;
	device = row ? device_of(row) : admit(self, eui, nwk, 0, false);
	if (!device)
		return;
	device_moved(self, device, nwk);
	/* One that had tried before its code was known. */
	if (joins_evidence(self, eui) > device->row.node.evidence)
		device->row.node.evidence = joins_evidence(self, eui);
	/* Its announcement says more; if that is lost we begin without it. */
	if (!device->interview)
		device->inquiry_due_ms = zigbee_now(self) + INTERVIEW_PAUSE_MS;
	if (self->joins.until_ms > zigbee_now(self))
		device->row.node.evidence = joins_evidence(self, eui);
	device->joining = true;
	device->anew = true;
}

static void on_announce(void *ctx, const struct zdo_announce *announce)
{
	gwa_self *self = ctx;
	struct nodes_row *row = nodes_by_eui(&self->nodes, announce->eui);
	struct device *device;

	if (is_nobodys(announce->nwk))
		return;
	device = row ? device_of(row) : admit(self, announce->eui, announce->nwk, announce->capabilities, true);
	if (!device)
		return;
	device_moved(self, device, announce->nwk);
	device->row.node.capabilities = announce->capabilities;
	device->peer.sleepy = node_is_sleepy(&device->row.node);
	/* A device that was let in anew has forgotten what it was told; one that only moved or was switched on has not. */
	if (device->anew || device->row.stage == NODES_HEARD)
		inquiry_start(self, device, INTERVIEW_NODE);
	else if (device->row.stage == NODES_DESCRIBED)
		inquiry_start(self, device, INTERVIEW_SET_UP);
	else if (!device->peer.sleepy && !device->interview)
		inquiry_start(self, device, INTERVIEW_VALUES);
	device->anew = false;
	device_heard(self, device);
}

static void on_left(void *ctx, uint64_t eui, uint16_t nwk, bool rejoins)
{
	gwa_self *self = ctx;
	struct nodes_row *row = nodes_by_eui(&self->nodes, eui);

	(void)nwk;
	if (!row || rejoins)
		return;
	zigbee_log(self, 6, "%016llx left", (unsigned long long)eui);
	device_forget(self, device_of(row), true);
}

static const struct radio_events events = {
	.now_ms = on_now, .write = on_write, .on_ready = on_ready, .on_foreign = on_foreign, .on_failed = on_failed,
	.on_done = on_done, .on_answer = on_answer, .on_kept = on_kept, .on_message = on_message, .on_announce = on_announce,
	.on_joined = on_joined, .on_left = on_left, .on_reset = on_reset,
};

/* What is talked about */

static int talk_send(void *ctx, uint32_t id, const struct radio_message *message)
{
	gwa_self *self = ctx;

	if (!self->radio || self->state != NET_READY)
		return RADIO_E_STATE;
	return self->radio->ops->send(self->radio, (uint32_t)OWNER_TALK << OWNED_BITS | id, message);
}

static void talk_done(void *ctx, const struct talk_result *result)
{
	gwa_self *self = ctx;
	struct device *device = CONTAINER_OF(result->peer, struct device, peer);
	uint64_t owner = result->tag >> OWNED_BITS;

	if (owner == OWNER_INQUIRY)
		inquiry_talked(self, result);
	else if (owner == OWNER_ORDER)
		orders_talked(self, result);
	else if (owner == OWNER_PING)
		device_pinged(self, device, result);
	else if (owner == OWNER_GROUPING)
		groupings_talked(self, result);
}

const struct talk_calls network_talk_calls = { .now_ms = on_now, .send = talk_send, .done = talk_done };

/* Beginning */

/* It says nothing more, and what it was asked is not answered: whoever waits for that hears it from us. */
static void let_go(gwa_self *self, enum net_state state)
{
	if (self->radio)
		self->radio = self->radio->ops->free(self->radio);
	self->state = state;
	self->errand = ERRAND_NOTHING;
	self->radio_again_ms = UINT64_MAX;
	self->talk.paused = true;
	talk_lost(&self->talk);
	inquiry_lost(self);
	joins_fail(self);
	orders_forget_group(self, 0);
}

void network_start(gwa_self *self, enum radio_begin how, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	int r;

	let_go(self, NET_STARTING);
	self->began = how;
	self->radio = self->radio_new(&events, self);
	r = self->radio ? self->radio->ops->begin(self->radio, how, network, keys, n) : -ENOMEM;
	if (r)
		on_failed(self, "it could not be begun");
}

void network_begin(gwa_self *self)
{
	network_start(self, RADIO_RESUME, self->has_network ? &self->network : NULL, NULL, 0);
}

bool network_form(gwa_self *self, uint8_t channel)
{
	struct radio_network network = { .channel = channel, .security_level = 5 };

	if (!port_is_up(&self->port))
		return false;
	while (!network.channel) {
		uint32_t any = 11 + crypto_random_below(16);

		network.channel = self->settings.channel ? self->settings.channel : self->settings.channels & 1u << any ? (uint8_t)any : 0;
	}
	network.channels = 1u << network.channel;
	do
		crypto_random(network.key, sizeof(network.key));
	while (chest_key_is_published(network.key));
	network_start(self, RADIO_FORM, &network, NULL, 0);
	crypto_wipe(&network, sizeof(network));
	return true;
}

void network_stop(gwa_self *self, enum net_state state, const char *why)
{
	let_go(self, state);
	self->why = why;
	orders_fail_all(self);
	talk_drop(&self->talk, NULL);
	asks_end(self, GWA_FAILED);
	all_away(self);
}

static void leave_alone(gwa_self *self)
{
	const char *why = self->why;

	zigbee_log(self, 4, "the stick is left alone: %s", why);
	gwa(self->host)->note(self->host, GWA_NOTE_STATUS, 1, "radio", why);
	network_stop(self, NET_FOREIGN, why);
}

void network_tick(gwa_self *self)
{
	enum errand errand = self->errand;

	if (self->radio && self->radio->ops->due_ms(self->radio) <= zigbee_now(self))
		self->radio->ops->tick(self->radio);
	if (errand == ERRAND_NOTHING)
		errand = self->errand;
	self->errand = ERRAND_NOTHING;
	if (errand == ERRAND_FORM)
		network_form(self, 0);
	else if (errand == ERRAND_RESTORE && !kept_restore(self))
		network_start(self, RADIO_RESTORE, &self->network, NULL, 0);
	else if (errand == ERRAND_LEAVE_ALONE)
		leave_alone(self);
	if (self->radio_again_ms <= zigbee_now(self) && port_is_up(&self->port))
		network_begin(self);
	if (self->state == NET_READY && self->backup_due_ms <= zigbee_now(self)) {
		self->backup_due_ms = zigbee_now(self) + BACKUP_EACH_MS;
		if (self->radio->ops->keep(self->radio, zigbee_id(self, OWNER_KEEP)))
			self->backup_due_ms = zigbee_now(self) + BACKUP_AFTER_MS;
	}
}

uint64_t network_due_ms(gwa_self *self)
{
	uint64_t due = self->radio ? self->radio->ops->due_ms(self->radio) : UINT64_MAX;

	if (self->errand != ERRAND_NOTHING)
		return 0;
	if (port_is_up(&self->port) && self->radio_again_ms < due)
		due = self->radio_again_ms;
	if (self->state == NET_READY && self->backup_due_ms < due)
		due = self->backup_due_ms;
	return due;
}
