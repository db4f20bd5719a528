/* Conversations over a radio that says what the test wants: retries, order, limits, answers, duplicates, floods. */
#include "check.h"

#include "zigbee/talk.h"

enum { SENT_MAX = 600 };
struct air {
	struct talk talk;
	uint64_t now;
	int refuse; /* what send() returns */
	size_t n_sent, n_done;
	struct {
		uint32_t id;
		uint16_t nwk;
		uint8_t sequence, command, len;
	} sent[SENT_MAX];
	struct {
		uint64_t tag;
		enum talk_status status;
		uint8_t zcl;
		bool frame;
	} done[SENT_MAX];
	bool ask_again; /* done() asks anew */
	struct talk_peer *peer;
};

static uint64_t now_ms(void *ctx)
{
	struct air *air = ctx;

	return air->now;
}

static int send_one(void *ctx, uint32_t id, const struct radio_message *m)
{
	struct air *air = ctx;
	struct zcl_frame f;

	if (air->refuse)
		return air->refuse;
	check_ok(zcl_frame_read(m->data, &f));
	check_true(id > 0 && id < 1u << 24 && m->mode == RADIO_UNICAST);
	air->sent[air->n_sent].id = id;
	air->sent[air->n_sent].nwk = m->nwk;
	air->sent[air->n_sent].sequence = f.header.sequence;
	air->sent[air->n_sent].len = (uint8_t)f.payload.len;
	air->sent[air->n_sent++].command = f.header.command;
	return 0;
}

static const struct talk_ask reading = { .tag = 1, .endpoint = 1, .profile = 0x0104, .cluster = 0, .command = ZCL_READ,
					 .payload = { (const uint8_t *)"\0\0", 2 }, .ttl_ms = 60000 };
static const struct talk_ask toggle = { .tag = 2, .endpoint = 1, .profile = 0x0104, .cluster = 6, .own = true, .command = 2,
					.ttl_ms = 60000 };

static void done(void *ctx, const struct talk_result *result)
{
	struct air *air = ctx;

	air->done[air->n_done].tag = result->tag;
	air->done[air->n_done].status = result->status;
	air->done[air->n_done].zcl = result->zcl;
	air->done[air->n_done++].frame = result->frame;
	if (air->ask_again) {
		air->ask_again = false;
		check_ok(talk_add(&air->talk, air->peer, &reading));
	}
}

static const struct talk_calls calls = { now_ms, send_one, done };

static struct air *open_air(void)
{
	struct air *air = calloc(1, sizeof(*air));

	air->now = 1000;
	talk_init(&air->talk, &calls, air);
	return air;
}

static void close_air(struct air *air)
{
	talk_deinit(&air->talk);
	check_uint(air->talk.n, 0);
	free(air);
}

static struct talk_peer peer_of(uint16_t nwk, bool sleepy)
{
	struct talk_peer peer;

	talk_peer_init(&peer, nwk, sleepy);
	return peer;
}

static void add(struct air *air, struct talk_peer *peer, const struct talk_ask *ask)
{
	check_ok(talk_add(&air->talk, peer, ask));
	talk_tick(&air->talk);
}

/* The device's answer to the last that was sent. */
static bool answer(struct air *air, struct talk_peer *peer, uint16_t cluster, const uint8_t *bytes, size_t len)
{
	struct radio_message m = { .nwk = peer->nwk, .source = 1, .target = 1, .cluster = cluster, .data = { bytes, len } };
	struct zcl_frame f;

	check_ok(zcl_frame_read(m.data, &f));
	return talk_answer(&air->talk, peer, &m, &f);
}

static void test_answers(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, false);
	uint8_t good[] = { 0x18, 1, 0x01, 0, 0, 0, 0x20, 3 }, no[] = { 0x18, 0, 0x0b, 2, 0x81 }, yes[] = { 0x18, 0, 0x0b, 2, 0 };

	(void)state;
	add(air, &peer, &reading);
	check_uint(air->n_sent, 1);
	good[1] = (uint8_t)(air->sent[0].sequence + 1);
	check_true(!answer(air, &peer, 0, good, sizeof(good))); /* another number */
	good[1] = air->sent[0].sequence;
	check_true(!answer(air, &peer, 6, good, sizeof(good))); /* another cluster */
	/* The answer may overtake the acknowledgement. */
	check_true(answer(air, &peer, 0, good, sizeof(good)));
	talk_sent(&air->talk, air->sent[0].id, RADIO_OK);
	check_uint(air->n_done, 1);
	check_true(air->done[0].status == TALK_OK && air->done[0].frame);
	add(air, &peer, &toggle);
	talk_sent(&air->talk, air->sent[1].id, RADIO_OK);
	no[1] = air->sent[1].sequence;
	check_true(answer(air, &peer, 6, no, sizeof(no)));
	check_true(air->done[1].status == TALK_REFUSED && air->done[1].zcl == 0x81 && air->done[1].tag == 2);
	add(air, &peer, &toggle);
	yes[1] = air->sent[2].sequence;
	check_true(answer(air, &peer, 6, yes, sizeof(yes)));
	check_true(air->done[2].status == TALK_OK && !air->done[2].frame);
	check_true(!answer(air, &peer, 6, yes, sizeof(yes))); /* nobody waits for it any more */
	close_air(air);
}

static void test_tries(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, false);

	(void)state;
	add(air, &peer, &reading);
	for (unsigned i = 1; i <= TALK_TRIES_MAX; i++) {
		check_uint(air->n_sent, i);
		check_uint(air->sent[i - 1].sequence, air->sent[0].sequence);
		talk_sent(&air->talk, air->sent[i - 1].id, RADIO_NO_ACK);
		check_uint(air->n_sent, i); /* not at once */
		if (i == TALK_TRIES_MAX)
			break;
		check_true(talk_due_ms(&air->talk) > air->now && talk_due_ms(&air->talk) < air->now + 10000);
		air->now = talk_due_ms(&air->talk);
		talk_tick(&air->talk);
	}
	check_uint(air->n_done, 1);
	check_int(air->done[0].status, TALK_UNREACHABLE);
	check_true(talk_due_ms(&air->talk) == UINT64_MAX);
	close_air(air);
}

/* What was acknowledged and not answered: reading is asked again, a cluster's command never. */
static void test_silence(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, false);

	(void)state;
	add(air, &peer, &toggle);
	talk_sent(&air->talk, air->sent[0].id, RADIO_OK);
	air->now += TALK_ANSWER_MS;
	talk_tick(&air->talk);
	check_int(air->done[0].status, TALK_TIMEOUT);
	check_uint(air->n_sent, 1);
	add(air, &peer, &reading);
	talk_sent(&air->talk, air->sent[1].id, RADIO_OK);
	air->now += TALK_ANSWER_MS;
	talk_tick(&air->talk);
	air->now = talk_due_ms(&air->talk);
	talk_tick(&air->talk);
	check_uint(air->n_sent, 3);
	check_uint(air->n_done, 1);
	close_air(air);
}

/* A sleeping device gets one frame at a time, and what it did not fetch goes out when it is heard. */
static void test_sleepy(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, true);
	struct talk_ask brief = toggle;

	(void)state;
	add(air, &peer, &reading);
	brief.ttl_ms = 5000;
	add(air, &peer, &brief);
	check_uint(air->n_sent, 1);
	talk_sent(&air->talk, air->sent[0].id, RADIO_EXPIRED);
	check_uint(air->n_sent, 1);
	/* Nothing but its deadline wakes us. */
	check_uint(talk_due_ms(&air->talk), air->now + 5000);
	air->now += 5000;
	talk_tick(&air->talk);
	check_true(air->n_done == 1 && air->done[0].tag == 2 && air->done[0].status == TALK_UNREACHABLE);
	talk_heard(&air->talk, &peer);
	check_uint(air->n_sent, 2);
	check_uint(air->sent[1].command, ZCL_READ);
	/* It does not go on for ever. */
	for (unsigned i = 1; i < TALK_SLEEPY_TRIES_MAX; i++) {
		talk_sent(&air->talk, air->sent[air->n_sent - 1].id, RADIO_NO_ACK);
		talk_heard(&air->talk, &peer);
	}
	check_uint(air->n_sent, TALK_SLEEPY_TRIES_MAX);
	check_uint(air->n_done, 2);
	close_air(air);
}

static void test_limits(void **state)
{
	struct air *air = open_air();
	struct talk_peer peers[TALK_ITEMS_MAX / TALK_QUEUE_MAX + 2];
	uint8_t long_one[TALK_PAYLOAD_MAX + 1] = { 0 };
	struct talk_ask ask = reading;
	size_t added = 0;

	(void)state;
	ask.payload = (struct view){ long_one, sizeof(long_one) };
	peers[0] = peer_of(1, false);
	check_int(talk_add(&air->talk, &peers[0], &ask), TALK_E_SIZE);
	for (size_t i = 0; i < N_ELEMENTS(peers); i++) {
		peers[i] = peer_of((uint16_t)(i + 1), false);
		for (unsigned k = 0; k < TALK_QUEUE_MAX; k++)
			added += talk_add(&air->talk, &peers[i], &reading) == 0;
		check_int(talk_add(&air->talk, &peers[i], &reading), TALK_E_FULL);
	}
	check_uint(added, TALK_ITEMS_MAX);
	talk_tick(&air->talk);
	check_uint(air->n_sent, TALK_FLIGHT_MAX);
	check_uint(air->sent[2].nwk, 2); /* two each, so that nobody starves */
	/* No due time that has passed: that would be a busy loop. */
	check_true(talk_due_ms(&air->talk) > air->now);
	for (size_t i = 0; i < air->n_sent && i < TALK_FLIGHT_MAX; i++)
		talk_sent(&air->talk, air->sent[i].id, RADIO_OK);
	check_uint(air->n_sent, 2 * TALK_FLIGHT_MAX);
	talk_drop(&air->talk, &peers[0]);
	check_uint(air->n_done, TALK_QUEUE_MAX);
	check_int(air->done[0].status, TALK_DROPPED);
	air->peer = &peers[1];
	air->ask_again = true;
	talk_drop(&air->talk, NULL);
	check_uint(air->n_done, TALK_ITEMS_MAX);
	check_uint(air->talk.n, 1);
	close_air(air);
}

/* The coordinator has no room: nobody's fault, again soon; a radio that is not ready: not at all. */
static void test_busy_radio(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, false);

	(void)state;
	air->refuse = RADIO_E_BUSY;
	add(air, &peer, &reading);
	check_uint(air->n_sent, 0);
	check_true(talk_due_ms(&air->talk) > air->now);
	air->refuse = 0;
	air->now = talk_due_ms(&air->talk);
	talk_tick(&air->talk);
	check_uint(air->n_sent, 1);
	for (unsigned i = 0; i < TALK_TRIES_MAX + 1; i++) {
		talk_sent(&air->talk, air->sent[air->n_sent - 1].id, RADIO_FULL);
		air->now = talk_due_ms(&air->talk);
		talk_tick(&air->talk);
	}
	check_uint(air->n_done, 0);
	talk_sent(&air->talk, air->sent[air->n_sent - 1].id, RADIO_FAILED);
	air->talk.paused = true;
	check_true(talk_due_ms(&air->talk) > air->now + 20000); /* its deadline */
	talk_tick(&air->talk);
	air->talk.paused = false;
	air->now += 5000;
	talk_tick(&air->talk);
	check_uint(air->n_sent, TALK_TRIES_MAX + 3);
	close_air(air);
}

static void test_admission(void **state)
{
	struct air *air = open_air();
	struct talk_peer peer = peer_of(0x1234, false);
	uint8_t bytes[] = { 0x18, 1, 0x0a, 0, 0, 0x20, 0, 0 };
	struct radio_message m = { .source = 1, .target = 1, .cluster = 6, .data = { bytes, sizeof(bytes) } };

	(void)state;
	check_true(!talk_is_again(&air->talk, &peer, &m));
	check_true(talk_is_again(&air->talk, &peer, &m));
	for (uint8_t i = 0; i < TALK_RECENT_MAX - 1; i++) { /* others in between, out of order */
		bytes[1] = (uint8_t)(200 - i);
		check_true(!talk_is_again(&air->talk, &peer, &m));
	}
	bytes[1] = 1;
	check_true(talk_is_again(&air->talk, &peer, &m));
	air->now += TALK_RECENT_MS;
	check_true(!talk_is_again(&air->talk, &peer, &m));
	for (unsigned i = 0; i < TALK_BURST_MAX; i++)
		check_true(!talk_is_flood(&air->talk, &peer));
	check_true(talk_is_flood(&air->talk, &peer));
	air->now += 1000;
	for (unsigned i = 0; i < TALK_RATE + 5; i++)
		check_true(talk_is_flood(&air->talk, &peer) == (i >= TALK_RATE));
	check_uint(air->talk.duplicates, 2);
	close_air(air);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_tries),	   cmocka_unit_test(test_silence),
		cmocka_unit_test(test_sleepy),	cmocka_unit_test(test_limits),	   cmocka_unit_test(test_busy_radio),
		cmocka_unit_test(test_admission),
	};

	return CHECK_RUN(rows);
}
