/* Shellys as they come over MQTT. Nobody announces himself: a retained "true" on ID/online, or any notice, says that
 * there is somebody; then he is asked who he is (Shelly.GetDeviceInfo) and how he is (Shelly.GetStatus), and what he answers is his
 * description. From then on notices are reports. An order is a request; its answer is the order's.
 *
 * What a device says counts on its own topics only, and only when its id and the MAC in it agree with what it says of itself.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/wifi_inside.h"

enum { ASK_INFO = 1, ASK_STATUS = 2 }; /* requests' ids; orders have larger ones */
enum { FIRST_ORDER = 16 };

static const char answers[] = "gateway-rpc/";

static uint64_t now(const gwa_self *self)
{
	return gwa(self->host)->now_ms(self->host);
}

static void shelly_free(gwa_self *self, struct shelly *shelly)
{
	HASH_DEL(self->shellies.all, shelly);
	status_map_deinit(&shelly->map);
	free(shelly);
}

void shellies_deinit(struct shellies *shellies)
{
	struct shelly *shelly, *next;

	HASH_ITER(hh, shellies->all, shelly, next) {
		HASH_DEL(shellies->all, shelly);
		status_map_deinit(&shelly->map);
		free(shelly);
	}
}

/* One byte more than a MAC: a Shelly that now runs Tasmota is told apart by its way, and recognised by its hardware address. */
static struct gwa_addr addr_of(const struct shelly *shelly)
{
	struct gwa_addr addr = { .len = 7 };

	memcpy(addr.bytes, shelly->info.mac, 6);
	addr.bytes[6] = 'S';
	return addr;
}

static struct shelly *find(const gwa_self *self, const char *id, size_t len)
{
	struct shelly *shelly;

	HASH_FIND(hh, self->shellies.all, id, (unsigned)len, shelly);
	return shelly;
}

static struct shelly *find_addr(const gwa_self *self, const struct gwa_addr *addr)
{
	struct shelly *shelly, *next;

	HASH_ITER(hh, self->shellies.all, shelly, next) {
		struct gwa_addr own = addr_of(shelly);

		if (shelly->has_info && own.len == addr->len && memcmp(own.bytes, addr->bytes, own.len) == 0)
			return shelly;
	}
	return NULL;
}

static struct shelly *find_or_make(gwa_self *self, const char *id, size_t len)
{
	struct shelly *shelly = find(self, id, len);

	if (shelly || len > RPC_NAME_MAX)
		return shelly;
	if (HASH_COUNT(self->shellies.all) >= SHELLIES_MAX) {
		if (!self->shellies.n_refused++)
			wifi_note(self, GWA_NOTE_FLOOD, 1, "shelly", "too many devices");
		return NULL;
	}
	shelly = calloc(1, sizeof(*shelly));
	if (!shelly)
		abort();
	text_copy_n(shelly->id, sizeof(shelly->id), id, len);
	shelly->ask_at = UINT64_MAX;
	HASH_ADD(hh, self->shellies.all, id, (unsigned)len, shelly);
	return shelly;
}

/* Asking */

static void arm(gwa_self *self)
{
	struct shelly *shelly, *next;
	uint64_t first = UINT64_MAX, at = now(self);

	HASH_ITER(hh, self->shellies.all, shelly, next)
		first = shelly->ask_at < first ? shelly->ask_at : first;
	gwa(self->host)->timer(self->host, TIMER_SHELLIES, first == UINT64_MAX ? 0 : first > at ? (uint32_t)(first - at) : 1);
}

static int request(gwa_self *self, const struct shelly *shelly, int64_t id, const char *method, struct json *params, uint32_t expiry_s,
		   int *ret_mid)
{
	char topic[RPC_NAME_MAX + 8], src[sizeof(answers) + RPC_NAME_MAX], *text;
	int r;

	text_print(topic, sizeof(topic), "%s/rpc", shelly->id);
	text_print(src, sizeof(src), "%s%s", answers, shelly->id);
	r = rpc_write(id, src, method, params, NULL, &text, NULL);
	if (r)
		return r;
	r = mqtt_publish(&self->command, topic, text, expiry_s, ret_mid);
	free(text);
	return r;
}

static void ask(gwa_self *self, struct shelly *shelly)
{
	int mid;

	if (!shelly->has_info)
		(void)request(self, shelly, ASK_INFO, "Shelly.GetDeviceInfo", NULL, SHELLIES_ASK_MS / 1000, &mid);
	(void)request(self, shelly, ASK_STATUS, "Shelly.GetStatus", NULL, SHELLIES_ASK_MS / 1000, &mid);
	shelly->ask_at = ++shelly->asks < SHELLIES_ASKS_MAX ? now(self) + SHELLIES_ASK_MS : UINT64_MAX;
}

static void ask_soon(gwa_self *self, struct shelly *shelly)
{
	shelly->asks = 0;
	shelly->ask_at = now(self);
	arm(self);
}

void shellies_timer(gwa_self *self)
{
	struct shelly *shelly, *next;
	uint64_t at = now(self);

	HASH_ITER(hh, self->shellies.all, shelly, next) {
		if (shelly->ask_at <= at)
			ask(self, shelly);
	}
	arm(self);
}

/* As the core sees it */

static void describe(gwa_self *self, struct shelly *shelly)
{
	struct status_description description;
	struct gwa_device device = { .size = sizeof(device), .addr = addr_of(shelly), .sleepy = shelly->map.sleep_s != 0, .vendor = "Shelly",
				     .model = shelly->info.model, .firmware = shelly->info.firmware,
				     .name = shelly->info.name[0] ? shelly->info.name : shelly->id };

	status_describe(&shelly->map, &description);
	device.hw.len = 6;
	memcpy(device.hw.bytes, shelly->info.mac, 6);
	device.nendpoints = description.n_endpoints;
	device.endpoints = description.endpoints;
	gwa(self->host)->device_up(self->host, &device);
	shelly->described = shelly->up = true;
}

static void tell(gwa_self *self, struct shelly *shelly, bool described_anew)
{
	bool here = (shelly->online || shelly->map.sleep_s) && !self->lan_lost;
	struct gwa_addr addr = addr_of(shelly);

	if (!shelly->known)
		return;
	if (described_anew || (here && !shelly->up))
		describe(self, shelly);
	if (!here && shelly->up) {
		gwa(self->host)->device_down(self->host, &addr, 0);
		shelly->up = false;
	}
}

void shellies_tell(gwa_self *self)
{
	struct shelly *shelly, *next;

	HASH_ITER(hh, self->shellies.all, shelly, next)
		tell(self, shelly, false);
}

static enum taken report(gwa_self *self, const struct shelly *shelly, const struct status_reading *readings, size_t n, bool acked, size_t *skip)
{
	struct gwa_addr addr = addr_of(shelly);

	for (size_t i = *skip; i < n; i++) {
		uint64_t number = gwa(self->host)->report(self->host, &addr, readings[i].endpoint, readings[i].cap, &readings[i].value, 0);

		if (!number) {
			*skip = i;
			return TAKE_AGAIN;
		}
		if (acked)
			self->hold_until = number;
	}
	return TAKEN;
}

static enum taken report_status(gwa_self *self, struct shelly *shelly, const struct json *status, bool acked, size_t *skip)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	uint32_t bad = 0;
	size_t n = status_read(&shelly->map, status, readings, &bad);

	if (bad && *skip == 0)
		wifi_note(self, GWA_NOTE_BAD_VALUE, bad, shelly->id, "another type or range");
	return report(self, shelly, readings, n, acked, skip);
}

/* Answers */

static void take_info(gwa_self *self, struct shelly *shelly, const struct json *body)
{
	struct rpc_info info;
	uint8_t mac[6];

	if (rpc_info_read(body, &info) || !rpc_mac_of(shelly->id, strlen(shelly->id), mac) || memcmp(mac, info.mac, 6) != 0) {
		wifi_note(self, GWA_NOTE_BAD_VALUE, 1, shelly->id, "it is not what its id says");
		return;
	}
	shelly->info = info;
	shelly->has_info = true;
}

/* The whole status is the description, too: a device that was given another profile has other components. */
static enum taken take_status(gwa_self *self, struct shelly *shelly, const struct json *body, bool acked, size_t *skip)
{
	struct status_map map;
	bool changed;

	if (!shelly->has_info || status_map(body, &map)) {
		if (shelly->has_info)
			wifi_note(self, GWA_NOTE_BAD_VALUE, 1, shelly->id, "nothing of its status is known");
		return TAKEN;
	}
	changed = !shelly->known || !status_map_equal(&map, &shelly->map);
	if (changed) {
		status_map_deinit(&shelly->map);
		shelly->map = map;
	} else {
		status_map_deinit(&map);
	}
	shelly->known = shelly->online = true;
	shelly->ask_at = UINT64_MAX;
	arm(self);
	tell(self, shelly, changed || !shelly->described);
	return report_status(self, shelly, body, acked, skip);
}

static void answer_order(gwa_self *self, const struct rpc_message *message)
{
	struct order *order = orders_by_req(&self->orders, (uint64_t)message->id - FIRST_ORDER);

	if (order && order->to_bridge)
		commands_done(self, order, message->kind == RPC_RESULT ? GWA_OK : rpc_outcome(message->code));
}

static enum taken take_answer(gwa_self *self, struct shelly *shelly, const struct rpc_message *message, bool acked, size_t *skip)
{
	if (message->id >= FIRST_ORDER) {
		answer_order(self, message);
		return TAKEN;
	}
	if (message->kind == RPC_ERROR) {
		wifi_note(self, GWA_NOTE_STATUS, 1, shelly->id, message->code == RPC_UNAUTHORISED ? "wants a password" : "does not answer what it is asked");
		shelly->ask_at = UINT64_MAX;
		arm(self);
		return TAKEN;
	}
	if (message->id == ASK_INFO)
		take_info(self, shelly, message->body);
	else if (message->id == ASK_STATUS)
		return take_status(self, shelly, message->body, acked, skip);
	return TAKEN;
}

static enum taken take_frame(gwa_self *self, struct shelly *shelly, const struct mqtt_message *m, bool answer, size_t *skip)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	struct rpc_message message;
	enum taken taken = TAKEN;
	int r = rpc_read(m->payload, m->len, &message);

	if (r) {
		wifi_note(self, r == RPC_E_SIZE ? GWA_NOTE_OVERSIZE : GWA_NOTE_MALFORMED, 1, m->topic, "no JSON-RPC as it should be");
		return TAKEN;
	}
	if (answer && (message.kind == RPC_RESULT || message.kind == RPC_ERROR))
		taken = take_answer(self, shelly, &message, m->acked, skip);
	else if (!answer && message.kind == RPC_FULL_STATUS)
		taken = take_status(self, shelly, message.body, m->acked, skip);
	else if (!answer && message.kind == RPC_STATUS && shelly->known)
		taken = report_status(self, shelly, message.body, m->acked, skip);
	else if (!answer && message.kind == RPC_EVENT && shelly->known)
		taken = report(self, shelly, readings, status_events(&shelly->map, message.body, readings), m->acked, skip);
	rpc_message_deinit(&message);
	return taken;
}

static bool text_is(const struct mqtt_message *m, const char *word)
{
	return m->len == strlen(word) && memcmp(m->payload, word, m->len) == 0;
}

/* Its last will, and that it is there. Retained and taken back: it is nobody's any more. */
static void take_online(gwa_self *self, const char *id, size_t len, const struct mqtt_message *m)
{
	struct shelly *shelly = m->len ? find_or_make(self, id, len) : find(self, id, len);

	if (!shelly)
		return;
	if (!m->len) {
		struct gwa_addr addr = addr_of(shelly);

		if (shelly->described)
			gwa(self->host)->device_down(self->host, &addr, 1);
		shelly_free(self, shelly);
		return;
	}
	if (!text_is(m, "true") && !text_is(m, "false")) {
		wifi_note(self, GWA_NOTE_MALFORMED, 1, m->topic, "neither true nor false");
		return;
	}
	shelly->online = text_is(m, "true");
	if (shelly->online)
		ask_soon(self, shelly); /* it may have missed nothing, or have been given another name, firmware, profile */
	tell(self, shelly, false);
}

/* False: no topic of a Shelly's. */
bool shellies_take(gwa_self *self, const struct mqtt_message *m, size_t *skip, enum taken *ret)
{
	bool answer = strncmp(m->topic, answers, sizeof(answers) - 1) == 0;
	const char *id = answer ? m->topic + sizeof(answers) - 1 : m->topic, *end = strchr(id, '/');
	struct shelly *shelly;
	uint8_t mac[6];

	if (!self->settings.shelly || !end || !rpc_mac_of(id, (size_t)(end - id), mac))
		return false;
	*ret = TAKEN;
	if (!answer && text_equal(end, "/online")) {
		take_online(self, id, (size_t)(end - id), m);
		return true;
	}
	if (!text_equal(end, answer ? "/rpc" : "/events/rpc"))
		return !answer && (text_equal(end, "/rpc") || strncmp(end, "/status/", 8) == 0 || strncmp(end, "/command", 8) == 0);
	shelly = find_or_make(self, id, (size_t)(end - id));
	if (!shelly)
		return true;
	*ret = take_frame(self, shelly, m, answer, skip);
	if (!shelly->known && shelly->ask_at == UINT64_MAX && !answer)
		ask_soon(self, shelly);
	return true;
}

/* Orders. False: it is nobody of ours. */
bool shellies_command(gwa_self *self, const struct order *order, uint32_t ttl_ms)
{
	struct shelly *shelly = find_addr(self, &order->addr);
	struct status_order words;
	struct order *row;
	int status = GWA_OK, r;

	if (!shelly)
		return false;
	if (!shelly->up || !self->command.up)
		status = GWA_UNREACHABLE;
	else if ((r = status_order(&shelly->map, order->endpoint, order->cap, &order->value, &words)))
		status = r == STATUS_E_UNKNOWN ? GWA_UNSUPPORTED : GWA_BAD_VALUE;
	else if (orders_add(&self->orders, order, &row)) {
		json_free(words.params);
		status = GWA_BUSY;
	} else {
		row->to_bridge = true; /* done by the answer */
		r = request(self, shelly, (int64_t)(order->req + FIRST_ORDER), words.method, words.params, (ttl_ms + 999) / 1000, &row->mid);
		if (!r)
			return true;
		orders_remove(&self->orders, row);
		status = r == -ENOTCONN ? GWA_UNREACHABLE : GWA_FAILED;
	}
	gwa(self->host)->done(self->host, order->req, status);
	return true;
}
