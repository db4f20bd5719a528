/* Tasmota's two retained announcements, which come in any order and again at each start of the device; and what the
 * broker's own plugin says of refused orders.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/tasmota.h"
#include "wifi/wifi_inside.h"

static struct announced *announced_of(gwa_self *self, const uint8_t mac[6])
{
	struct announced *a;

	HASH_FIND(hh, self->announced, mac, 6, a);
	if (a || HASH_COUNT(self->announced) >= WIFI_ANNOUNCED_MAX)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		abort();
	memcpy(a->mac, mac, 6);
	HASH_ADD(hh, self->announced, mac, 6, a);
	return a;
}

static void announced_free(gwa_self *self, struct announced *a)
{
	HASH_DEL(self->announced, a);
	free(a->config);
	free(a->sensors);
	free(a);
}

void discovery_forget(gwa_self *self)
{
	while (self->announced)
		announced_free(self, self->announced);
}

static struct house_entry *entry_of(gwa_self *self, const uint8_t mac[6])
{
	struct gwa_addr addr = { .len = 6 };

	memcpy(addr.bytes, mac, 6);
	return house_find_addr(&self->house, &addr);
}

/* From both halves, as far as they are there. */
static void describe(gwa_self *self, const struct announced *a, const char *topic)
{
	cleanup(lan_device_freep) struct lan_device *device = NULL;
	struct house_entry *entry = entry_of(self, a->mac);
	bool changed;
	int r = tasmota_config(a->mac, a->config, a->config_len, &device);

	if (!r && a->sensors)
		r = tasmota_sensors(device, a->sensors, a->sensors_len);
	if (r) {
		intake_refuse(self, r, topic);
		return;
	}
	if (entry)
		entry->seen = false;
	r = house_put(&self->house, HOUSE_TASMOTA, device, &entry, &changed);
	if (r) {
		wifi_note(self, r == HOUSE_E_FULL ? GWA_NOTE_FLOOD : GWA_NOTE_BAD_TOPIC, 1, topic,
			  r == HOUSE_E_FULL ? "too many devices" : "its topic is another device's");
		return;
	}
	if (changed && device->left_out)
		wifi_note(self, GWA_NOTE_STATUS, device->left_out, topic, "properties without a capability");
	STEAL(device);
	entry_tell(self, entry, changed);
	intake_replay(self);
}

static void keep_half(char **half, size_t *half_len, const struct mqtt_message *message)
{
	free(*half);
	*half = malloc(message->len);
	if (!*half)
		abort();
	memcpy(*half, message->payload, message->len);
	*half_len = message->len;
}

static void forget(gwa_self *self, struct announced *a)
{
	struct house_entry *entry = entry_of(self, a->mac);

	announced_free(self, a);
	if (entry)
		entry_leave(self, entry);
}

void discovery_take(gwa_self *self, const char *rest, const struct mqtt_message *message)
{
	bool config = strlen(rest) > 12 && text_equal(rest + 12, "/config");
	bool sensors = strlen(rest) > 12 && text_equal(rest + 12, "/sensors");
	struct announced *a;
	uint8_t mac[6];

	if ((!config && !sensors) || tasmota_mac(rest, 12, mac)) {
		wifi_note(self, GWA_NOTE_BAD_TOPIC, 1, message->topic, "not an announcement");
		return;
	}
	a = announced_of(self, mac);
	if (!a || message->len > TASMOTA_BYTES_MAX) {
		wifi_note(self, a ? GWA_NOTE_OVERSIZE : GWA_NOTE_FLOOD, 1, message->topic,
			  a ? "too long" : "too many devices");
		return;
	}
	if (!message->len) {
		if (config)
			forget(self, a);
		return;
	}
	if (config)
		keep_half(&a->config, &a->config_len, message);
	else
		keep_half(&a->sensors, &a->sensors_len, message);
	if (a->config)
		describe(self, a, message->topic);
}

/* {"user":..,"client":..,"address":..,"action":"publish","topic":..} or {"user":..,"more":N} */
void denied_take(gwa_self *self, const struct mqtt_message *message)
{
	cleanup(json_freep) struct json *json = NULL;
	const char *user, *topic, *address;
	char text[NOTES_TEXT_MAX];
	int64_t more = 0;

	if (json_parse(message->payload, message->len, 8192, 2, NULL, 0, &json)) {
		intake_refuse(self, Z2M_E_MALFORMED, message->topic);
		return;
	}
	user = json_get_text(json, "user");
	topic = json_get_text(json, "topic");
	address = json_get_text(json, "address");
	if (json_to_i64(json_get(json, "more"), &more) && more > 0) {
		text_print(text, sizeof(text), "user %s: more were refused", user ? user : "");
		wifi_note(self, GWA_NOTE_REFUSED_COMMAND, more < UINT32_MAX ? (uint32_t)more : UINT32_MAX, "", text);
		return;
	}
	/* Our own question whether the broker refuses. */
	if (!topic || (text_equal(topic, self->probe) && text_equal(user, self->settings.intake.user)))
		return;
	text_print(text, sizeof(text), "user %s, address %s, %s", user ? user : "", address ? address : "",
		   text_equal(json_get_text(json, "action"), "subscribe") ? "subscribe" : "publish");
	wifi_note(self, GWA_NOTE_REFUSED_COMMAND, 1, topic, text);
}
