/* From a message to reports. A topic that is a device's costs one look-up; what is none is looked at by prefix, and what
 * nobody knows is noted and let go.
 *
 * Two things can make a message wait. It may come before its device was described: the broker keeps what comes while we
 * are away and sends it first, so messages are kept until the descriptions are there. And there may be no credit: then
 * the message is kept with the number of its reports that were taken, and nothing more is read until there is.
 *
 * While something that the broker wants acknowledged is not stored, the connection is held.
 */
#include <string.h>
#include "base/text.h"
#include "wifi/tasmota.h"
#include "wifi/wifi_inside.h"
#include "wifi/z2m.h"

static const char discovery_prefix[] = "tasmota/discovery/";
static const char denied_topic[] = "$SYS/gatewayd/denied";

void wifi_note(gwa_self *self, int kind, uint32_t count, const char *object, const char *text)
{
	if (notes_are_empty(&self->notes))
		gwa(self->host)->timer(self->host, TIMER_NOTES, NOTES_PERIOD_MS);
	if (notes_add(&self->notes, kind, count, object, text))
		gwa(self->host)->note(self->host, kind, count, object, text);
}

/* Both grammars number their errors alike. */
void intake_refuse(gwa_self *self, int r, const char *topic)
{
	static const struct {
		int kind;
		const char *text;
	} words[] = {
		[Z2M_E_MALFORMED] = { GWA_NOTE_MALFORMED, "not JSON as it should be" },
		[Z2M_E_SIZE] = { GWA_NOTE_OVERSIZE, "too long" },
		[Z2M_E_TYPE] = { GWA_NOTE_MALFORMED, "not what belongs there" },
		[TASMOTA_E_TOPIC] = { GWA_NOTE_BAD_TOPIC, "speaks of topics that are not its own" },
	};

	if (r > 0 && (size_t)r < N_ELEMENTS(words))
		wifi_note(self, words[r].kind, 1, topic, words[r].text);
	else
		wifi_note(self, GWA_NOTE_DROPPED, 1, topic, strerror(-r));
}

enum taken intake_report(gwa_self *self, struct house_entry *entry, const struct json *state, bool acked, size_t *skip)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	uint32_t bad;
	size_t n = lan_device_read(entry->device, state, readings, &bad);

	if (bad && *skip == 0)
		wifi_note(self, GWA_NOTE_BAD_VALUE, bad, entry->device->topic, "another type, word or range");
	for (size_t i = *skip; i < n; i++) {
		const struct trait *trait = readings[i].trait;
		uint64_t number = gwa(self->host)->report(self->host, &entry->device->addr, trait->endpoint,
							  trait->row->cap, &readings[i].value, 0);

		if (!number) {
			*skip = i;
			return TAKE_AGAIN;
		}
		if (acked)
			self->hold_until = number;
		if (self->orders.n)
			commands_echo(self, entry, trait, &readings[i].value);
	}
	return TAKEN;
}

static enum taken take_state(gwa_self *self, struct house_entry *entry, const struct mqtt_message *message, bool tasmota,
			     size_t *skip)
{
	cleanup(json_freep) struct json *state = NULL;
	int r;

	/* A retained message that was taken back, a device that is not interviewed yet. */
	if (!message->len || !entry->described)
		return TAKEN;
	r = tasmota ? tasmota_state(message->payload, message->len, &state) :
		      z2m_state(message->payload, message->len, &state);
	if (!r)
		return intake_report(self, entry, state, message->acked, skip);
	intake_refuse(self, r, message->topic);
	return TAKEN;
}

static enum taken take_power(gwa_self *self, struct house_entry *entry, const struct mqtt_message *message, size_t *skip)
{
	cleanup(json_freep) struct json *state = NULL;
	int r = tasmota_power(strrchr(message->topic, '/') + 1, message->payload, message->len, &state);

	if (!r)
		return intake_report(self, entry, state, message->acked, skip);
	intake_refuse(self, r, message->topic);
	return TAKEN;
}

static void take_online(gwa_self *self, struct house_entry *entry, const struct mqtt_message *message, bool will)
{
	bool online = true;
	int r;

	if (!message->len)
		return;
	r = will ? tasmota_online(entry->device, message->payload, message->len, &online) :
		   z2m_online(message->payload, message->len, &online);
	if (r) {
		intake_refuse(self, r, message->topic);
		return;
	}
	entry->offline = !online;
	entry_tell(self, entry, false);
}

/* Here or away, for each device that goes by this topic. */
static void take_presence(gwa_self *self, const struct house_route *route, const struct mqtt_message *message)
{
	for (; route; route = route->also) {
		struct house_entry *entry = route->entry;

		if (!ways_hear_presence(entry->device->ways, message->topic, message->payload, message->len))
			continue;
		entry->offline = !ways_are_present(entry->device->ways);
		entry_tell(self, entry, false);
	}
}

static enum taken take_ways(gwa_self *self, const struct house_route *route, const struct mqtt_message *message,
			    size_t *skip)
{
	cleanup(json_freep) struct json *state = NULL;
	struct house_entry *entry = route->entry;
	uint32_t bad;

	if (*skip == 0)
		take_presence(self, route, message);
	if (!message->len || !entry->described)
		return TAKEN;
	state = ways_read(entry->device->ways, message->topic, message->payload, message->len, &bad);
	if (bad && *skip == 0)
		wifi_note(self, GWA_NOTE_BAD_VALUE, bad, message->topic, "not what its template needs");
	return intake_report(self, entry, state, message->acked, skip);
}

static enum taken take_route(gwa_self *self, const struct house_route *route, const struct mqtt_message *message,
			     size_t *skip)
{
	switch (route->place) {
	case PLACE_STATE:
		return take_state(self, route->entry, message, false, skip);
	case PLACE_TELEMETRY:
		return take_state(self, route->entry, message, true, skip);
	case PLACE_POWER:
		return take_power(self, route->entry, message, skip);
	case PLACE_AVAILABILITY:
		take_online(self, route->entry, message, false);
		return TAKEN;
	case PLACE_WILL:
		take_online(self, route->entry, message, true);
		return TAKEN;
	case PLACE_WAYS:
		return take_ways(self, route, message, skip);
	case PLACE_PRESENCE:
		take_presence(self, route, message);
		return TAKEN;
	case PLACE_QUIET:
		break;
	}
	return TAKEN;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* Orders, ours or another's: who may give them is the broker's business, and they say nothing of a device. */
static bool is_order(const char *rest)
{
	return ends_with(rest, "/set") || ends_with(rest, "/get") || strstr(rest, "/set/") || strstr(rest, "/get/") ||
	       text_equal(rest, "set") || text_equal(rest, "get") || strncmp(rest, "set/", 4) == 0 ||
	       strncmp(rest, "get/", 4) == 0;
}

/* True: below a base, and taken or of no interest. */
static bool take_below_base(gwa_self *self, const struct mqtt_message *message, bool *ret_unknown)
{
	for (size_t i = 0; i < self->n_bases; i++) {
		const struct base *base = &self->bases[i];
		const char *rest = message->topic + base->len;

		if (strncmp(message->topic, base->name, base->len) != 0 || (*rest && *rest != '/'))
			continue;
		rest += *rest == '/';
		*ret_unknown = !is_order(rest) && message->len;
		if (strncmp(rest, "bridge/", 7) == 0) {
			bridge_take(self, (int)i, rest + 7, message);
			*ret_unknown = false;
		}
		return true;
	}
	return false;
}

/* tele/TOPIC/x and stat/TOPIC/x of a Tasmota that we know: it says more than we take. */
static bool is_known_tasmota(const gwa_self *self, const char *topic)
{
	const char *name = strchr(topic, '/') + 1, *end = strchr(name, '/');
	char will[LAN_TOPIC_MAX + 16];

	return end && text_print(will, sizeof(will), "tele/%.*s/LWT", (int)(end - name), name) &&
	       house_find(&self->house, will, strlen(will));
}

enum taken intake_take(gwa_self *self, const struct mqtt_message *message, size_t *skip)
{
	const char *topic = message->topic;
	const struct house_route *route = house_find(&self->house, topic, strlen(topic));
	enum taken taken;
	bool unknown = true;

	if (route)
		return take_route(self, route, message, skip);
	if (!text_is_utf8(topic, strlen(topic)) || message->len > Z2M_LIST_BYTES_MAX) {
		wifi_note(self, message->len > Z2M_LIST_BYTES_MAX ? GWA_NOTE_OVERSIZE : GWA_NOTE_BAD_TOPIC, 1,
			  text_is_utf8(topic, strlen(topic)) ? topic : "?", "not looked at");
		return TAKEN;
	}
	if (text_equal(topic, denied_topic)) {
		denied_take(self, message);
		return TAKEN;
	}
	if (strncmp(topic, discovery_prefix, sizeof(discovery_prefix) - 1) == 0) {
		discovery_take(self, topic + sizeof(discovery_prefix) - 1, message);
		return TAKEN;
	}
	if (self->hass.prefix[0] && strncmp(topic, self->hass.prefix, strlen(self->hass.prefix)) == 0 &&
	    topic[strlen(self->hass.prefix)] == '/') {
		hass_take(self, topic + strlen(self->hass.prefix) + 1, message);
		return TAKEN;
	}
	if (shellies_take(self, message, skip, &taken))
		return taken;
	if (take_below_base(self, message, &unknown) && !unknown)
		return TAKEN;
	if ((strncmp(topic, "tele/", 5) == 0 || strncmp(topic, "stat/", 5) == 0) && is_known_tasmota(self, topic))
		return TAKEN;
	if (self->settling)
		return TAKE_LATER;
	if (message->len)
		wifi_note(self, GWA_NOTE_UNKNOWN_DEVICE, 1, topic, "nobody has described it");
	return TAKEN;
}

static void keep(gwa_self *self, const struct mqtt_message *m, size_t skip)
{
	struct waiting_message like = { .topic = m->topic, .payload = m->payload, .len = m->len, .acked = m->acked,
					.retained = m->retained, .again = m->again, .skip = skip };

	if (waiting_add(&self->waiting, &like))
		wifi_note(self, GWA_NOTE_DROPPED, 1, m->topic, "too many wait");
}

void intake_message(gwa_self *self, const struct mqtt_message *message)
{
	enum taken taken = TAKE_AGAIN;
	size_t skip = 0;

	gwa(self->host)->repeats(self->host, message->again);
	if (!self->blocked)
		taken = intake_take(self, message, &skip);
	gwa(self->host)->repeats(self->host, 0);
	if (taken == TAKEN)
		return;
	keep(self, message, skip);
	if (taken == TAKE_AGAIN)
		self->blocked = true;
	if (self->blocked)
		intake_hold(self);
}

void intake_replay(gwa_self *self)
{
	struct waiting_message **at = &self->waiting.first;

	if (self->replaying)
		return;
	self->replaying = true;
	while (*at && !self->blocked) {
		struct waiting_message *kept = *at;
		struct mqtt_message m = { .topic = kept->topic, .payload = kept->payload, .len = kept->len,
					  .acked = kept->acked, .retained = kept->retained, .again = kept->again };
		enum taken taken;

		gwa(self->host)->repeats(self->host, m.again);
		taken = intake_take(self, &m, &kept->skip);
		self->blocked = taken == TAKE_AGAIN;
		if (taken == TAKEN)
			waiting_remove(&self->waiting, at);
		else
			at = &kept->next;
	}
	gwa(self->host)->repeats(self->host, 0);
	self->replaying = false;
}

void intake_hold(gwa_self *self)
{
	bool unsafe = self->hold_until > self->stored;

	mqtt_hold(&self->intake, unsafe || self->waiting.n_acked, unsafe || self->blocked);
}

static bool is_all_listed(const gwa_self *self)
{
	for (size_t i = 0; i < self->n_bases; i++) {
		if (!self->bases[i].listed)
			return false;
	}
	return true;
}

/* Configurations come with the subscription; nobody says when they have all come. */
static bool is_gathering(const gwa_self *self)
{
	return self->hass.dirty || (self->hass.prefix[0] && self->settle_turns < WIFI_GATHER_TURNS);
}

void intake_settle(gwa_self *self)
{
	bool over = ++self->settle_turns >= WIFI_SETTLE_TURNS;

	if (!over && !(self->intake.up && is_all_listed(self) && !is_gathering(self))) {
		gwa(self->host)->timer(self->host, TIMER_SETTLE, WIFI_SETTLE_MS);
		return;
	}
	/* Without a broker nobody can say anything: what waits, waits on. */
	self->settling = !self->intake.up;
	if (!self->synced)
		gwa(self->host)->devices_synced(self->host);
	self->synced = true;
	intake_replay(self);
	intake_hold(self);
}
