/* The yardstick is true: its packets, the value in every payload, and the books that say lost, late and twice. */
#include "check.h"

#include "message.h"
#include "mqtt.h"
#include "tally.h"

static void publish_comes_back_as_it_went(void **state)
{
	uint8_t out[MQTT_HEAD_MAX + MQTT_TOPIC_MAX + 300];
	uint8_t payload[300];
	struct mqtt_packet packet;
	struct mqtt_publish publish;
	size_t used = 0;
	size_t len;

	(void)state;
	memset(payload, 'x', sizeof(payload));
	len = mqtt_put_publish(out, "zigbee2mqtt/lamp", 1, 4660, payload, sizeof(payload));
	check_ok(mqtt_take(out, len, &packet, &used));
	check_uint(used, len);
	check_ok(mqtt_read_publish(&packet, &publish));
	check_uint(publish.qos, 1);
	check_uint(publish.id, 4660);
	check_bytes(publish.topic, publish.topic_len, "zigbee2mqtt/lamp", 16);
	check_bytes(publish.payload, publish.payload_len, payload, sizeof(payload));
}

static void every_cut_packet_is_short(void **state)
{
	uint8_t out[512];
	uint8_t payload[200] = { 0 };
	struct mqtt_packet packet;
	size_t used = 0;
	size_t len = mqtt_put_publish(out, "t", 1, 1, payload, sizeof(payload));

	(void)state;
	for (size_t i = 0; i < len; i++)
		check_int(mqtt_take(out, i, &packet, &used), MQTT_E_SHORT);
}

static void nonsense_is_bad(void **state)
{
	static const uint8_t endless[] = { 0x30, 0xff, 0xff, 0xff, 0xff, 0x01 };
	struct mqtt_packet packet = { .type = MQTT_PUBLISH, .body = (const uint8_t *)"\0\5ab", .body_len = 4 };
	struct mqtt_publish publish;
	size_t used = 0;

	(void)state;
	check_int(mqtt_read_publish(&packet, &publish), MQTT_E_BAD);
	packet.body_len = 1;
	check_int(mqtt_read_publish(&packet, &publish), MQTT_E_BAD);
	check_int(mqtt_take(endless, sizeof(endless), &packet, &used), MQTT_E_BAD);
}

struct found {
	struct message messages[4];
	size_t n;
};

static void keep(void *ctx, const struct message *message)
{
	struct found *found = ctx;

	if (found->n < 4)
		found->messages[found->n++] = *message;
}

static void a_value_says_who_and_which(void **state)
{
	static const struct message_matcher as_sent = { "\"energy\":", 1 };
	struct message sent = { .publisher = 49, .seq = 123456789 };
	struct found found = { .n = 0 };
	char payload[MESSAGE_LEN];

	(void)state;
	message_write(payload, &sent);
	check_true(payload[0] == '{' && payload[MESSAGE_LEN - 1] == '}');
	check_uint(message_scan(&as_sent, payload, sizeof(payload), keep, &found), 1);
	check_uint(found.messages[0].publisher, 49);
	check_uint(found.messages[0].seq, 123456789);
}

static void a_value_is_found_in_other_words(void **state)
{
	static const struct message_matcher in_mwh = { "\"value\":", 1e6 };
	static const char batch[] =
		"[{\"value\": 65000000.0},{\"value\":1.29e8,\"x\":1},{\"value\":null},{\"value\":-5000000}";
	struct found found = { .n = 0 };

	(void)state;
	check_uint(message_scan(&in_mwh, batch, sizeof(batch) - 1, keep, &found), 2);
	check_uint(found.messages[0].publisher, 1);
	check_uint(found.messages[0].seq, 1);
	check_uint(found.messages[1].publisher, 1);
	check_uint(found.messages[1].seq, 2);
}

static void see(struct tally *tally, uint64_t seq, bool ours)
{
	struct message message = { .publisher = 1, .seq = seq };

	check_true(tally_see(tally, &message, 2000) == ours);
}

static void the_books_balance(void **state)
{
	struct tally tally;
	struct tally_sums sums;

	(void)state;
	check_ok(tally_init(&tally, 2, 1000));
	for (unsigned i = 0; i < 200; i++)
		check_uint(tally_send(&tally, 1, 1000).seq, 1000 + i);
	tally.measuring = true;
	see(&tally, 1000, true);
	see(&tally, 1002, true);
	see(&tally, 1001, true); /* late */
	see(&tally, 1002, true); /* twice */
	see(&tally, 1199, true); /* the last; 196 are missing */
	see(&tally, 999, false); /* of an earlier run */
	see(&tally, 1200, false);
	check_uint(tally_outstanding(&tally, 1), 0);

	sums = tally_sum(&tally);
	check_uint(sums.n_sent, 200);
	check_uint(sums.n_seen, 4);
	check_uint(sums.n_lost, 196);
	check_uint(sums.n_late, 1);
	check_uint(sums.n_twice, 1);
	check_uint(sums.n_foreign, 2);
	check_uint(tally.n_measured, 4);
	check_near(tally_percentile_us(&tally, 0.5), 1.0, 0.001);
	tally_deinit(&tally);
}

static void what_does_not_move_is_given_up(void **state)
{
	struct message first = { .publisher = 0, .seq = 0 };
	struct tally tally;

	(void)state;
	check_ok(tally_init(&tally, 2, 0));
	(void)tally_send(&tally, 0, 100);
	(void)tally_send(&tally, 1, 900);
	check_uint(tally_give_up(&tally, 500), 1);
	check_uint(tally_outstanding(&tally, 0), 0);
	check_uint(tally_outstanding(&tally, 1), 1);
	check_true(tally_see(&tally, &first, 1000)); /* late, but not lost */
	check_uint(tally_sum(&tally).n_lost, 1);
	tally_expect(&tally, 0, 5);
	check_uint(tally_sum(&tally).n_lost, 6);
	tally_deinit(&tally);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(publish_comes_back_as_it_went),
		cmocka_unit_test(every_cut_packet_is_short),
		cmocka_unit_test(nonsense_is_bad),
		cmocka_unit_test(a_value_says_who_and_which),
		cmocka_unit_test(a_value_is_found_in_other_words),
		cmocka_unit_test(the_books_balance),
		cmocka_unit_test(what_does_not_move_is_given_up),
	};

	return CHECK_RUN(rows);
}
