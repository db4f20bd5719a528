/* What a person asks the radio: docs/spec/radio.md. One question at a time; its answer is a text that is told in parts, and may hold
 * keys, so it is wiped.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"
#include "zigbee/backup.h"
#include "zigbee/zigbee_inside.h"

enum { TELL_PART = 16384, MAP_LONGEST_MS = 50000 };

static void done(gwa_self *self, int status)
{
	uint64_t req = self->asked.req;

	free(self->grouping);
	self->grouping = NULL;
	backup_keys_free(self->asked.keys, self->asked.n_keys);
	self->asked = (struct asked){ .req = 0 };
#ifdef __GLIBC__
	malloc_trim(0); /* a map takes much for a moment */
#endif
	if (req)
		gwa(self->host)->done(self->host, req, status);
}

void asks_end(gwa_self *self, int status)
{
	free(self->map);
	self->map = NULL;
	done(self, status);
}

static void tell(gwa_self *self, uint64_t req, const char *text, size_t len)
{
	for (size_t at = 0; at < len; at += TELL_PART)
		gwa(self->host)->tell(self->host, req, text + at, (uint32_t)(len - at < TELL_PART ? len - at : TELL_PART));
}

static bool tell_json(gwa_self *self, uint64_t req, const struct json *json)
{
	size_t len;
	char *text;

	if (json_print(json, &text, &len))
		return false;
	if (len <= GWA_ASK_MAX)
		tell(self, req, text, len);
	free(text);
	return len <= GWA_ASK_MAX;
}

bool asks_tell(gwa_self *self, const struct json *json)
{
	return tell_json(self, self->asked.req, json);
}

static void set_hex(struct json *object, const char *key, uint64_t number, int digits)
{
	char text[24];

	text_print(text, sizeof(text), "%0*llx", digits, (unsigned long long)number);
	json_set_text(object, key, text);
}

static void set_nwk(struct json *object, const char *key, uint16_t nwk)
{
	char text[8];

	text_print(text, sizeof(text), "0x%04x", nwk);
	json_set_text(object, key, text);
}

/* info */

static struct json *counters(const gwa_self *self)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "in", self->radio ? self->radio->stats.in : 0 },
		{ "out", self->radio ? self->radio->stats.out : 0 },
		{ "bad_frames", self->radio ? self->radio->stats.bad_frames : 0 },
		{ "timeouts", self->radio ? self->radio->stats.timeouts : 0 },
		{ "unexpected", self->radio ? self->radio->stats.unexpected : 0 },
		{ "resets", self->radio ? self->radio->stats.resets : 0 },
		{ "repeats", self->talk.repeats },
		{ "duplicates", self->talk.duplicates },
		{ "floods", self->talk.floods },
		{ "unknown", self->unknown },
		{ "dropped", self->dropped },
		{ "waiting", self->talk.n },
	};
	struct json *json = json_new_object();

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		json_set_i64(json, rows[i].name, (int64_t)rows[i].n);
	return json;
}

static void ask_info(gwa_self *self, uint64_t req)
{
	static const char *const states[] = { [NET_STARTING] = "starting", [NET_READY] = "ready", [NET_FOREIGN] = "foreign",
					      [NET_FAILED] = "failed" };
	cleanup(json_freep) struct json *info = json_new_object();
	uint64_t now = zigbee_now(self), until = self->joins.until_ms;

	json_set_text(info, "radio", self->radio ? self->radio->ops->name : "none");
	json_set_text(info, "firmware", self->firmware);
	json_set_text(info, "state", states[self->state]);
	if (self->state != NET_READY && self->why)
		json_set_text(info, "why", self->why);
	json_set_i64(info, "channel", self->has_network ? self->network.channel : 0);
	if (self->has_network) {
		set_nwk(info, "pan", self->network.pan);
		set_hex(info, "ext_pan", self->network.ext_pan, 16);
		set_hex(info, "eui", self->network.eui, 16);
	}
	json_set_i64(info, "devices", (int64_t)self->nodes.n);
	json_set_i64(info, "permit_s", until > now ? (int64_t)((until - now) / 1000) : 0);
	json_set(info, "groups", groupings_words(self));
	json_set(info, "counters", counters(self));
	gwa(self->host)->done(self->host, req, tell_json(self, req, info) ? GWA_OK : GWA_FAILED);
}

/* map */

static void next_page(gwa_self *self);

static struct json *map_node_words(const gwa_self *self, const struct map_node *node)
{
	static const char *const kinds[] = { "coordinator", "router", "end-device", "unknown" };
	struct nodes_row *row = nodes_by_eui(&self->nodes, node->eui);
	struct json *json = json_new_object();

	set_hex(json, "eui", node->eui, 16);
	set_nwk(json, "nwk", node->nwk);
	json_set_text(json, "kind", kinds[node->kind & 3]);
	json_set_text(json, "name", row ? row->node.model : "");
	if (row)
		json_set_i64(json, "seen_s", (int64_t)((zigbee_now(self) - device_of(row)->heard_ms) / 1000));
	json_set_i64(json, "lqi", row ? device_of(row)->lqi : node->lqi);
	return json;
}

static struct json *map_words(const gwa_self *self)
{
	static const char *const relations[] = { "parent", "child", "sibling", "none", "former" };
	struct json *all = json_new_object(), *nodes = json_new_array(), *links = json_new_array(), *silent = json_new_array();
	const struct map *map = self->map;
	char eui[17];

	for (size_t i = 0; i < map->n_nodes; i++) {
		json_push(nodes, map_node_words(self, &map->nodes[i]));
		text_print(eui, sizeof(eui), "%016llx", (unsigned long long)map->nodes[i].eui);
		if (map->nodes[i].silent)
			json_push_text(silent, eui);
	}
	for (size_t i = 0; i < map->n_links; i++) {
		const struct map_link *link = &map->links[i];
		struct json *json = json_new_object();

		set_hex(json, "from", map->nodes[link->from].eui, 16);
		set_hex(json, "to", map->nodes[link->to].eui, 16);
		json_set_i64(json, "lqi", link->lqi);
		json_set_text(json, "relation", relations[link->relation < 5 ? link->relation : 3]);
		json_set_i64(json, "depth", link->depth);
		json_push(links, json);
	}
	json_set(all, "nodes", nodes);
	json_set(all, "links", links);
	json_set(all, "silent", silent);
	return all;
}

static bool tell_map(gwa_self *self)
{
	cleanup(json_freep) struct json *json = map_words(self);

	return tell_json(self, self->asked.req, json);
}

static void map_over(gwa_self *self)
{
	asks_end(self, tell_map(self) ? GWA_OK : GWA_FAILED);
}

static void next_page(gwa_self *self)
{
	struct radio_question question;

	if (!map_next(self->map, &question)) {
		map_over(self);
		return;
	}
	self->asked.cookie = zigbee_id(self, OWNER_MAP);
	self->asked.due_ms = UINT64_MAX;
	if (self->radio->ops->ask(self->radio, self->asked.cookie, &question)) {
		self->asked.cookie = 0;
		self->asked.due_ms = zigbee_now(self) + PING_APART_MS;
	}
}

void asks_neighbours(gwa_self *self, uint32_t cookie, const struct radio_answer *answer)
{
	if (!self->map || self->asked.cookie != cookie)
		return;
	map_heard(self->map, answer);
	if (zigbee_now(self) - self->asked.since_ms > MAP_LONGEST_MS)
		map_over(self);
	else
		next_page(self);
}

static bool ask_map(gwa_self *self)
{
	self->map = map_new(self->network.eui);
	if (!self->map)
		return false;
	for (size_t i = 0; i < self->nodes.n; i++)
		map_know(self->map, &self->nodes.rows[i]->node);
	next_page(self);
	return true;
}

/* backup, channel */

void asks_kept(gwa_self *self, enum radio_status status, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	size_t len;
	char *text;

	if (self->asked.what != ASK_BACKUP)
		return;
	if (status != RADIO_OK || backup_write(network, keys, n, &text, &len)) {
		done(self, GWA_FAILED);
		return;
	}
	if (len <= GWA_ASK_MAX)
		tell(self, self->asked.req, text, len);
	backup_text_free(text, len);
	done(self, len <= GWA_ASK_MAX ? GWA_OK : GWA_FAILED);
}

void asks_channel(gwa_self *self, enum radio_status status)
{
	if (self->asked.what != ASK_CHANNEL)
		return;
	if (status == RADIO_OK) {
		self->network.channel = self->asked.channel;
		self->network.channels = 1u << self->asked.channel;
		kept_network(self);
		self->backup_due_ms = zigbee_now(self) + BACKUP_AFTER_MS;
	}
	done(self, status == RADIO_OK ? GWA_OK : GWA_FAILED);
}

static int ask_channel(gwa_self *self, const void *data, uint32_t len)
{
	uint32_t channel;
	char text[4];

	if (len == 0 || len >= sizeof(text) || !text_copy_n(text, sizeof(text), data, len) || text_to_u32(text, 11, 26, &channel))
		return GWA_BAD_VALUE;
	self->asked.channel = (uint8_t)channel;
	return self->radio->ops->channel(self->radio, zigbee_id(self, OWNER_CHANNEL), (uint8_t)channel) ? GWA_BUSY : GWA_OK;
}

/* form, restore, adopt */

static void forget_all_but(gwa_self *self, const struct radio_key *keys, size_t n)
{
	for (size_t i = self->nodes.n; i-- > 0;) {
		struct device *device = device_of(self->nodes.rows[i]);
		bool stays = false;

		for (size_t k = 0; k < n; k++)
			stays = stays || keys[k].eui == device->row.node.eui;
		if (!stays)
			device_forget(self, device, false);
	}
}

/* Routers often have no key of their own: in the same network they stay, in another one they were never. */
void asks_devices(gwa_self *self, const struct radio_key *keys, size_t n)
{
	if (self->elsewhere)
		forget_all_but(self, keys, n);
	for (size_t i = 0; i < n; i++) {
		struct nodes_row *row = nodes_by_eui(&self->nodes, keys[i].eui);
		struct device *device;

		if (row && keys[i].nwk != NODES_NO_NWK)
			device_moved(self, device_of(row), keys[i].nwk);
		else if (!row && device_add(self, keys[i].eui, keys[i].nwk, 0, &device) == 0)
			device->inquiry_due_ms = zigbee_now(self);
	}
}

void asks_began(gwa_self *self, bool good)
{
	if (self->asked.what != ASK_BEGIN)
		return;
	if (good) {
		/* What a backup does not name may live here all the same. */
		self->adopted = self->asked.how != RADIO_FORM;
		self->take_keys = self->asked.how == RADIO_ADOPT;
		if (!self->take_keys)
			asks_devices(self, self->asked.keys, self->asked.n_keys);
		kept_network(self);
	}
	done(self, good ? GWA_OK : GWA_FAILED);
}

static int ask_form(gwa_self *self, const void *data, uint32_t len)
{
	cleanup(json_freep) struct json *json = NULL;
	int64_t channel = 0;

	if (len && (json_parse(data, len, 256, 4, NULL, 0, &json) || json_kind(json) != JSON_OBJECT))
		return GWA_BAD_VALUE;
	if (json && json_get(json, "channel") && (!json_to_i64(json_get(json, "channel"), &channel) || channel < 11 || channel > 26))
		return GWA_BAD_VALUE;
	self->asked.how = RADIO_FORM;
	return network_form(self, (uint8_t)channel) ? GWA_OK : GWA_UNREACHABLE;
}

static int ask_restore(gwa_self *self, const void *data, uint32_t len)
{
	struct radio_network network;
	char error[BACKUP_ERROR_CAP] = "";

	if (backup_read(data, len, &network, &self->asked.keys, &self->asked.n_keys, error, sizeof(error))) {
		zigbee_log(self, 4, "a backup was refused: %s", error);
		tell(self, self->asked.req, error, strlen(error));
		return GWA_BAD_VALUE;
	}
	self->asked.how = RADIO_RESTORE;
	network_start(self, RADIO_RESTORE, &network, self->asked.keys, self->asked.n_keys);
	crypto_wipe(&network, sizeof(network));
	return GWA_OK;
}

static int ask_adopt(gwa_self *self)
{
	self->asked.how = RADIO_ADOPT;
	network_start(self, RADIO_ADOPT, NULL, NULL, 0);
	return GWA_OK;
}

/* GWA_OK: it is under way, or answered. */
static int begin(gwa_self *self, const char *verb, const void *data, uint32_t len)
{
	if (text_equal(verb, "map"))
		return ask_map(self) ? GWA_OK : GWA_FAILED;
	if (text_equal(verb, "backup"))
		return self->radio->ops->keep(self->radio, zigbee_id(self, OWNER_KEEP)) ? GWA_BUSY : GWA_OK;
	if (text_equal(verb, "channel"))
		return ask_channel(self, data, len);
	if (text_equal(verb, "form"))
		return ask_form(self, data, len);
	if (text_equal(verb, "restore"))
		return ask_restore(self, data, len);
	if (text_equal(verb, "group"))
		return groupings_ask(self, data, len);
	return ask_adopt(self);
}

void asks_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len)
{
	static const struct {
		const char *verb;
		int what;
		bool ready; /* the network has to be there */
	} rows[] = {
		{ "map", ASK_MAP, true },	   { "backup", ASK_BACKUP, true }, { "channel", ASK_CHANNEL, true },
		{ "form", ASK_BEGIN, false },	   { "restore", ASK_BEGIN, false }, { "adopt", ASK_BEGIN, false },
		{ "group", ASK_GROUP, true },
	};
	int r = GWA_UNSUPPORTED;

	if (text_equal(verb, "info")) {
		ask_info(self, req);
		return;
	}
	if (self->asked.req) {
		gwa(self->host)->done(self->host, req, GWA_BUSY);
		return;
	}
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (!text_equal(rows[i].verb, verb))
			continue;
		self->asked = (struct asked){ .req = req, .what = rows[i].what, .since_ms = zigbee_now(self), .due_ms = UINT64_MAX };
		if (!port_is_up(&self->port) || (rows[i].ready && self->state != NET_READY))
			r = GWA_UNREACHABLE;
		else
			r = begin(self, verb, data, len);
		if (r && self->asked.req)
			asks_end(self, r);
		return;
	}
	gwa(self->host)->done(self->host, req, r);
}

void asks_tick(gwa_self *self)
{
	if (!self->map || self->asked.cookie || self->asked.due_ms > zigbee_now(self))
		return;
	if (self->state != NET_READY || zigbee_now(self) - self->asked.since_ms > MAP_LONGEST_MS)
		map_over(self);
	else
		next_page(self);
}

uint64_t asks_due_ms(const gwa_self *self)
{
	return self->map && !self->asked.cookie ? self->asked.due_ms : UINT64_MAX;
}
