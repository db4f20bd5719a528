/* A stick that restarts, goes silent, is late, talks nonsense: who waited is told, and it comes back or is given up. */
#include "znp_ear.h"

#include "sys/crypto.h"
#include "zigbee/znp_inside.h"

/* A restart of its own: told, what waited has failed, and it comes back with its endpoints. */
static void test_self_reset(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.confirm_later = true;
	check_ok(ear_send(e, 1, 0x1a01, 5));
	check_ok(ear_ask(e, 2, RADIO_Q_NODE, 0x1a01));
	check_ok(e->stick.radio->ops->keep(e->stick.radio, 3));
	for (uint32_t i = 4; i < 20; i++)
		check_ok(ear_send(e, i, 0x1a01, 5));
	stick_reset(&e->stick);
	stick_run(&e->stick, 1000);
	check_uint(e->resets, 1);
	check_text(e->why, "it restarted by itself");
	for (uint32_t i = 1; i < 20; i++)
		check_int(e->status[i], RADIO_FAILED);
	check_uint(e->ready, 1);
	check_true(e->stick.endpoints[1] && e->stick.endpoints[242]);
	e->stick.confirm_later = false;
	check_ok(ear_send(e, 50, 0x1a01, 5));
	stick_run(&e->stick, 100);
	check_int(e->status[50], RADIO_OK);
	/* It lost its memory while it was at it. */
	stick_clear(&e->stick);
	stick_reset(&e->stick);
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_uint(e->foreign, 1);
	ear_free(e);
}

static void test_resets_max(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	for (unsigned int i = 0; i < ZNP_RESETS_MAX; i++) {
		stick_reset(&e->stick);
		stick_run(&e->stick, 1000);
		check_uint(e->ready, i + 1);
	}
	stick_reset(&e->stick);
	stick_run(&e->stick, 1000);
	check_uint(e->failed, 1);
	check_uint(e->resets, ZNP_RESETS_MAX);
	ear_free(e);
	/* Not within that time. */
	e = ear_up(1);
	for (unsigned int i = 0; i < 3 * ZNP_RESETS_MAX; i++) {
		stick_reset(&e->stick);
		stick_run(&e->stick, ZNP_RESETS_MS / ZNP_RESETS_MAX + 100);
	}
	check_uint(e->failed, 0);
	check_uint(e->ready, 3 * ZNP_RESETS_MAX);
	ear_free(e);
}

/* One answer lost: who asked is told, and nothing else is disturbed. */
static void test_silence(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.silent = 1;
	check_ok(ear_send(e, 1, 0x1a01, 5));
	check_ok(ear_send(e, 2, 0x1a02, 5));
	stick_run(&e->stick, LINE_ANSWER_MS - 1);
	check_int(e->status[1], NOT_YET);
	stick_run(&e->stick, 10);
	check_int(e->status[1], RADIO_TIMEOUT);
	check_int(e->status[2], RADIO_OK);
	check_uint(e->stick.radio->stats.timeouts, 1);
	/* Now and then is not in a row. */
	for (uint32_t i = 0; i < 2 * LINE_SILENT_MAX; i++) {
		e->stick.silent = 1;
		check_ok(ear_send(e, 10 + i, 0x1a01, 5));
		stick_run(&e->stick, LINE_ANSWER_MS + 10);
		check_int(e->status[10 + i], RADIO_TIMEOUT);
	}
	check_uint(e->resets, 0);
	/* For good: restarted, then given up. */
	e->stick.silent = UINT32_MAX;
	e->stick.no_reset = true;
	check_ok(ear_send(e, 3, 0x1a01, 5));
	check_ok(ear_send(e, 4, 0x1a01, 5));
	stick_run(&e->stick, (LINE_SILENT_MAX - 1) * LINE_ANSWER_MS_MAX + 2 * LINE_ANSWER_MS);
	check_int(e->status[3], RADIO_TIMEOUT);
	check_int(e->status[4], RADIO_FAILED);
	check_uint(e->resets, 1);
	check_uint(e->failed, 0);
	check_true(e->stick.seen[MT_SYS][0x00] == 2);
	stick_run(&e->stick, (LINE_SILENT_MAX - 1) * LINE_ANSWER_MS_MAX + 2 * LINE_ANSWER_MS);
	check_uint(e->failed, 1);
	check_text(e->why, "it does not answer");
	check_true(e->stick.radio->ops->due_ms(e->stick.radio) == UINT64_MAX);
	/* Tried again later it has the same patience as at first. */
	e->stick.silent = 2;
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	stick_run(&e->stick, 3 * LINE_ANSWER_MS + 100);
	check_uint(e->ready, 1);
	ear_free(e);
	/* The restart helps. */
	e = ear_up(1);
	e->stick.silent = LINE_SILENT_MAX;
	check_ok(ear_send(e, 1, 0x1a01, 5));
	stick_run(&e->stick, 30000);
	check_uint(e->resets, 1);
	check_uint(e->ready, 1);
	check_uint(e->failed, 0);
	ear_free(e);
}

/* Patience grows with each silence in a row, and ends. */
static void test_patience(void **state)
{
	struct znp_line l;
	enum line_user user;
	uint64_t now = 0, waited = 0;
	int n = 0;

	(void)state;
	line_init(&l);
	check_true(line_due_ms(&l) == UINT64_MAX);
	for (; !line_is_dead(&l); n++) {
		line_asked(&l, LINE_PING, MT_SYS, 1, now);
		check_true(line_due_ms(&l) - now >= waited && line_due_ms(&l) - now <= LINE_ANSWER_MS_MAX);
		waited = line_due_ms(&l) - now;
		now += waited;
		check_true(!line_is_late(&l, now - 1, &user));
		check_true(line_is_late(&l, now, &user));
		check_int(user, LINE_PING);
	}
	check_int(n, LINE_SILENT_MAX);
	check_uint(waited, LINE_ANSWER_MS_MAX);
}

/* Many ways lost at once: as many as there is room for are looked for, each once. */
static void test_routes_max(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.confirm_later = true;
	for (uint32_t i = 0; i < ZNP_WINDOW; i++)
		check_ok(ear_send(e, i, (uint16_t)(0x1a00 + i), 5));
	stick_run(&e->stick, 10);
	for (size_t i = 0; i < ZNP_WINDOW; i++)
		stick_confirm(&e->stick, 0xcd, e->stick.transactions[i]);
	e->stick.n_transactions = 0;
	e->stick.silent = 1; /* the first of the orders is lost, the others wait meanwhile */
	stick_run(&e->stick, 10);
	stick_run(&e->stick, 5000);
	check_true(e->stick.seen[MT_ZDO][0x45] > ZNP_ROUTES_MAX - 1 && e->stick.seen[MT_ZDO][0x45] <= ZNP_ROUTES_MAX + 1);
	check_uint(e->resets, 0);
	ear_free(e);
}

/* A late answer is not the next one's. */
static void test_late(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.silent = 1;
	e->stick.confirm_later = true;
	check_ok(ear_send(e, 1, 0x1a01, 5));
	stick_run(&e->stick, LINE_ANSWER_MS - 1);
	e->stick.silent = 1; /* and the ping's */
	stick_run(&e->stick, 10);
	check_int(e->status[1], RADIO_TIMEOUT);
	check_ok(ear_send(e, 2, 0x1a02, 5));
	stick_says(&e->stick, UNPI_SRSP, MT_AF, 0x01, STICK_N({ .n = 0x10 }));
	stick_run(&e->stick, 10);
	check_int(e->status[2], NOT_YET);
	check_uint(e->stick.radio->stats.unexpected, 1);
	e->stick.confirm_later = false;
	stick_run(&e->stick, 3 * LINE_ANSWER_MS);
	check_int(e->status[2], RADIO_OK);
	ear_free(e);
}

static void test_garbage(void **state)
{
	static const uint8_t bytes[] = { 0xfe, 0x03, 0x44, 0x80, 1, 2, 3, 0x00, 0xff, 0xfe, 0xfe, 0xff, 0x55 };
	static const uint8_t unknown[] = { 0xfe, 0x00, 0x5f, 0xee, 0x5f ^ 0xee };
	struct ear *e = ear_up(1);

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		stick_emit(&e->stick, bytes, 1 + i % sizeof(bytes));
		/* A whole one behind it is found, at once or after a silence. */
		stick_says(&e->stick, UNPI_AREQ, MT_ZDO, 0xc1, STICK_N({ .n = 1 }, { .n = i }, { .n = i }, { .n = 0x8e }));
		stick_run(&e->stick, 20 * LINE_QUIET_MS);
		check_uint(e->announced, i + 1);
		check_uint(e->announce.nwk, i);
	}
	check_true(e->stick.radio->stats.bad_frames > 100);
	stick_emit(&e->stick, unknown, sizeof(unknown));
	stick_run(&e->stick, 10);
	check_uint(e->stick.radio->stats.unexpected, 1);
	/* Short answers, answers to nothing, requests from the stick. */
	stick_says(&e->stick, UNPI_SRSP, MT_AF, 0x01, STICK_N({ 0 }));
	stick_says(&e->stick, UNPI_SREQ, MT_SYS, 0x01, 0, NULL);
	stick_says(&e->stick, UNPI_SRSP, MT_RPC_ERROR, 0, STICK_N({ .n = 1 }, { .n = 2 }, { .n = 3 }));
	stick_run(&e->stick, 10);
	check_uint(e->stick.radio->stats.unexpected, 4);
	check_ok(ear_send(e, 1, 0x1a01, 5));
	stick_run(&e->stick, 10);
	check_int(e->status[1], RADIO_OK);
	ear_free(e);
}

/* It restarted and its word of that was lost: it takes nothing, until somebody notices. */
static void test_refusals_max(void **state)
{
	struct ear *e = ear_up(1);
	uint32_t cookie = 1;

	(void)state;
	/* One that it takes in between. */
	for (unsigned int i = 0; i < 2 * ZNP_REFUSALS_MAX; i++) {
		e->stick.status[MT_AF][0x01] = i == ZNP_REFUSALS_MAX - 1 ? 0 : 0x02;
		check_ok(ear_send(e, cookie++, 0x1a01, 5));
		stick_run(&e->stick, 10);
		check_uint(e->resets, i < 2 * ZNP_REFUSALS_MAX - 1 ? 0 : 1);
	}
	check_text(e->why, "it takes no frames any more");
	check_int(e->status[cookie - 1], RADIO_REFUSED);
	e->stick.status[MT_AF][0x01] = 0;
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_ok(ear_send(e, cookie, 0x1a01, 5));
	stick_run(&e->stick, 10);
	check_int(e->status[cookie], RADIO_OK);
	/* No room is no refusal. */
	e->stick.status[MT_AF][0x01] = 0x11;
	for (unsigned int i = 0; i < 2 * ZNP_REFUSALS_MAX; i++) {
		check_ok(ear_send(e, 100 + i, 0x1a01, 5));
		stick_run(&e->stick, 10);
	}
	check_uint(e->resets, 1);
	ear_free(e);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_self_reset),
		cmocka_unit_test(test_resets_max),
		cmocka_unit_test(test_refusals_max),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_routes_max),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_garbage),
	};

	return crypto_init() || CHECK_RUN(rows);
}
