/* Input: topic, zero byte, payload. Whatever is taken is for an entity of the device, with a value of its capability's type; the
 * same bytes as a device's texts make discovery that parses and topics that have no wildcard.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "linkd/ha_codec.h"
#include "sys/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { R = ACCESS_READ | ACCESS_REPORT, RW = R | ACCESS_WRITE };

static const struct capability_desc first[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = RW }, { .id = CAP_LEVEL, .type = VALUE_INT, .access = RW },
	{ .id = CAP_COLOR_TEMPERATURE, .type = VALUE_INT, .access = RW }, { .id = CAP_LOCK_STATE, .type = VALUE_TEXT, .access = RW },
	{ .id = CAP_COVER_POSITION, .type = VALUE_INT, .access = RW }, { .id = CAP_TARGET_TEMPERATURE, .type = VALUE_REAL, .access = RW },
	{ .id = CAP_THERMOSTAT_MODE, .type = VALUE_TEXT, .access = RW }, { .id = CAP_FAN_MODE, .type = VALUE_TEXT, .access = RW },
	{ .id = CAP_VALVE, .type = VALUE_BOOL, .access = RW }, { .id = CAP_TEMPERATURE, .type = VALUE_REAL, .access = R },
};
static const struct endpoint_desc endpoint = { .id = 1, .n_caps = N_ELEMENTS(first), .caps = first };

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_orders(const struct ha_orders *orders)
{
	must(orders->n >= 1 && orders->n <= HA_ORDERS_MAX);
	for (size_t i = 0; i < orders->n; i++) {
		bool found = false;

		for (size_t c = 0; c < N_ELEMENTS(first); c++)
			found |= first[c].id == orders->all[i].cap && (first[c].access & ACCESS_WRITE) &&
				 first[c].type == orders->all[i].value.type;
		must(found && orders->all[i].endpoint == 1);
	}
}

static void check_discovery(const char *text, const struct ha_topics *topics)
{
	struct device_desc desc = { .vendor = text, .model = text, .firmware = text, .name = text, .n_endpoints = 1,
				    .endpoints = &endpoint };
	struct known known = { .desc = &desc };
	char topic[HA_TOPIC_LEN];
	struct json *json = NULL;
	struct jsonw w = { 0 };

	text_copy(known.room, sizeof(known.room), text);
	ha_put_device(&w, topics, &known);
	must(!w.bad && json_parse(w.data, w.len, 65536, 8, NULL, 0, &json) == 0);
	must(strcmp(json_get_text(json_get(json, "dev"), "mdl") ? json_get_text(json_get(json, "dev"), "mdl") : "", text) == 0);
	json_free(json);
	jsonw_deinit(&w);
	ha_config_topic(topics, known.id, topic);
	must(!strpbrk(topic, "+#"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct device_desc desc = { .vendor = "", .model = "", .firmware = "", .name = "", .n_endpoints = 1, .endpoints = &endpoint };
	const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
	size_t len = zero ? (size_t)(zero - data) : size;
	const char *object = NULL;
	struct ha_topics topics;
	struct ha_orders orders;
	struct device_id id;
	char topic[256];

	must(ha_topics_init(&topics, "gatewayd", "homeassistant", "c") == 0);
	if (!text_copy_n(topic, sizeof(topic), data, len))
		return 0;
	if (ha_read_topic(&topics, topic, &id, &object) == 0 && zero) {
		int r = ha_read_command(&desc, object, zero + 1, size - len - 1, &orders);

		must(r == 0 || (r >= HA_E_TOPIC && r <= HA_E_MALFORMED && orders.why[0]));
		if (r == 0)
			check_orders(&orders);
	}
	if (len && len <= DEVICE_TEXT_MAX && text_is_utf8(data, len))
		check_discovery(topic, &topics);
	return 0;
}
