/* A load generator that shares the MQTT library of one of the systems it measures would share that
 * library's costs with it, so the bench writes its own packets: just the seven that a publisher and
 * a subscriber need, version 3.1.1, which every broker here speaks.
 */
#include "mqtt.h"

#include <assert.h>
#include <string.h>

static uint8_t *put_u16(uint8_t *p, size_t value)
{
	assert(value <= UINT16_MAX);
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)(value & 0xff);
	return p + 2;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
	size_t len = strlen(text);

	assert(len <= MQTT_TOPIC_MAX);
	p = put_u16(p, len);
	memcpy(p, text, len);
	return p + len;
}

/* MQTT 3.1.1, 2.2.3: remaining length, seven bits a byte */
static uint8_t *put_length(uint8_t *p, size_t length)
{
	do {
		uint8_t byte = length & 0x7f;

		length >>= 7;
		*p++ = length ? byte | 0x80 : byte;
	} while (length);

	return p;
}

size_t mqtt_put_connect(uint8_t *out, const char *client_id)
{
	static const uint8_t head[] = { 0, 4, 'M', 'Q', 'T', 'T', 4, 2 /* clean */, 0, 0 };
	uint8_t *p = out;

	*p++ = 0x10;
	p = put_length(p, sizeof(head) + 2 + strlen(client_id));
	memcpy(p, head, sizeof(head));
	p = put_text(p + sizeof(head), client_id);
	return (size_t)(p - out);
}

size_t mqtt_put_subscribe(uint8_t *out, uint16_t id, const char *filter, uint8_t qos)
{
	uint8_t *p = out;

	*p++ = 0x82;
	p = put_length(p, 2 + 2 + strlen(filter) + 1);
	p = put_text(put_u16(p, id), filter);
	*p++ = qos;
	return (size_t)(p - out);
}

size_t mqtt_put_publish(uint8_t *out, const char *topic, uint8_t qos, uint16_t id,
			const void *payload, size_t payload_len)
{
	uint8_t *p = out;

	*p++ = (uint8_t)(0x30 | qos << 1);
	p = put_length(p, 2 + strlen(topic) + (qos ? 2 : 0) + payload_len);
	p = put_text(p, topic);
	if (qos)
		p = put_u16(p, id);
	memcpy(p, payload, payload_len);
	return (size_t)(p - out) + payload_len;
}

size_t mqtt_put_puback(uint8_t *out, uint16_t id)
{
	out[0] = 0x40;
	out[1] = 2;
	put_u16(out + 2, id);
	return 4;
}

int mqtt_take(const uint8_t *in, size_t in_len, struct mqtt_packet *ret, size_t *ret_used)
{
	size_t length = 0;
	size_t used = 1;
	unsigned shift = 0;

	for (;;) {
		if (used >= in_len)
			return MQTT_E_SHORT;
		if (shift > 21)
			return MQTT_E_BAD;
		length |= (size_t)(in[used] & 0x7f) << shift;
		shift += 7;
		if (!(in[used++] & 0x80))
			break;
	}
	if (in_len - used < length)
		return MQTT_E_SHORT;

	*ret = (struct mqtt_packet){
		.type = in[0] >> 4,
		.flags = in[0] & 0x0f,
		.body = in + used,
		.body_len = length,
	};
	*ret_used = used + length;
	return 0;
}

int mqtt_read_publish(const struct mqtt_packet *packet, struct mqtt_publish *ret)
{
	struct mqtt_publish m = {
		.qos = packet->flags >> 1 & 3,
		.dup = packet->flags >> 3 & 1,
		.retain = packet->flags & 1,
	};
	size_t left = packet->body_len;
	const uint8_t *p = packet->body;

	if (left < 2)
		return MQTT_E_BAD;
	m.topic_len = (size_t)(p[0] << 8 | p[1]);
	m.topic = p + 2;
	left -= 2;
	if (left < m.topic_len)
		return MQTT_E_BAD;
	p = m.topic + m.topic_len;
	left -= m.topic_len;

	if (m.qos) {
		if (left < 2)
			return MQTT_E_BAD;
		m.id = (uint16_t)(p[0] << 8 | p[1]);
		p += 2;
		left -= 2;
	}
	m.payload = p;
	m.payload_len = left;
	*ret = m;
	return 0;
}
