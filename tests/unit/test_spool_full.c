/* The spool at its limits: bytes, the writer's queue, chunks, portions; and what erasing one device leaves. */
#include "spool_home.h"

static void a_full_spool_gives_up_the_oldest_of_the_least_class(void **state)
{
	struct home home;
	struct spool_entry entry;
	struct spool_stats stats;

	(void)state;
	home_setup(&home, 256 * 1024);
	for (int i = 0; i < 3000; i++) {
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
		if (i % 100 == 0) {
			append(&home, EVENT_CLASS_STATE, 1, i);
			append(&home, EVENT_CLASS_ALARM, 1, i);
		}
		check_true(spool_stats_of(home.spool, home.link).bytes <= 256 * 1024);
		if (i % 50 == 0)
			settle(&home);
	}
	settle(&home);
	check_uint(home.n_stored, 3060);
	stats = spool_stats_of(home.spool, home.link);
	check_uint(stats.dropped[EVENT_CLASS_ALARM] + stats.dropped[EVENT_CLASS_STATE], 0);
	check_true(stats.dropped[EVENT_CLASS_TELEMETRY] > 500);
	check_uint(stats.dropped[EVENT_CLASS_TELEMETRY] + stats.queued[EVENT_CLASS_TELEMETRY], 3000);
	home_restart(&home, 256 * 1024);
	check_uint(spool_stats_of(home.spool, home.link).dropped[EVENT_CLASS_TELEMETRY], stats.dropped[EVENT_CLASS_TELEMETRY]);
	for (int i = 0; i < 30; i++)
		expect(&home, EVENT_CLASS_ALARM, i * 100, false, NULL);
	for (int i = 0; i < 30; i++)
		expect(&home, EVENT_CLASS_STATE, i * 100, false, NULL);
	for (int64_t next = (int64_t)stats.dropped[EVENT_CLASS_TELEMETRY]; next < 3000; next++) {
		check_true(take(&home, &entry));
		check_int(value_of(&entry), next);
		spool_ack(home.spool, home.link, entry.number);
	}
	expect_nothing(&home);
	home_teardown(&home);
}

static void alarms_drive_out_state_and_nothing_drives_out_alarms(void **state)
{
	struct home home;
	struct spool_stats stats;

	(void)state;
	home_setup(&home, 64 * 1024);
	for (int i = 0; i < 200; i++)
		append(&home, EVENT_CLASS_STATE, 1, i);
	for (int i = 0; i < 2000; i++)
		append(&home, EVENT_CLASS_ALARM, 1, i);
	stats = spool_stats_of(home.spool, home.link);
	check_uint(stats.dropped[EVENT_CLASS_STATE], 200);
	check_true(stats.dropped[EVENT_CLASS_ALARM] > 0); /* the oldest alarms went for newer ones */
	uint64_t alarms = stats.queued[EVENT_CLASS_ALARM];

	for (int i = 0; i < 5; i++)
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
	stats = spool_stats_of(home.spool, home.link);
	/* Perhaps one fits into what the last chunk left; no alarm went for it. */
	check_uint(stats.queued[EVENT_CLASS_ALARM], alarms);
	check_uint(stats.queued[EVENT_CLASS_TELEMETRY] + stats.dropped[EVENT_CLASS_TELEMETRY], 5);
	settle(&home);
	check_uint(home.n_stored, 2205);
	home_teardown(&home);
}

/* What was taken is on its way: it is not dropped, and its acknowledgement still counts. */
static void taken_entries_are_not_dropped(void **state)
{
	struct home home;
	uint64_t numbers[5];

	(void)state;
	home_setup(&home, 32 * 1024);
	for (int i = 0; i < 5; i++) {
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
		expect(&home, EVENT_CLASS_TELEMETRY, i, false, &numbers[i]);
	}
	for (int i = 5; i < 1000; i++)
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
	settle(&home);
	check_true(spool_stats_of(home.spool, home.link).dropped[EVENT_CLASS_TELEMETRY] > 500);
	check_uint(spool_stats_of(home.spool, home.link).oldest_number, numbers[0]);
	for (int i = 0; i < 5; i++)
		spool_ack(home.spool, home.link, numbers[i]);
	check_uint(spool_stats_of(home.spool, home.link).delivered, 5);
	check_true(spool_stats_of(home.spool, home.link).oldest_number > numbers[4] + 500);
	home_teardown(&home);
}

static int nothing_job(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return 0;
}

static void a_full_writer_queue_is_said_and_costs_nothing(void **state)
{
	struct home home = { 0 };
	struct event e = event(EVENT_CLASS_TELEMETRY, 1, 0);
	uint64_t n = 0;
	int r;

	(void)state;
	tmpdir_init(&home.dir);
	home_open(&home, tmpdir_path(&home.dir, "spool.db"), 1 << 28, false); /* a writer that does not move */
	do
		r = store_submit(home.store, home.db, 0, nothing_job, NULL, NULL);
	while (r == 0);
	check_int(r, STORE_E_FULL);
	while ((r = spool_append(home.spool, 1, &e, on_stored, &home)) == 0) {
		check_ok(loop_turn(home.loop, 0));
		check_true(++n <= SPOOL_BATCH_MAX);
	}
	check_int(r, SPOOL_E_FULL);
	check_uint(n, SPOOL_BATCH_MAX);
	check_uint(spool_stats_of(home.spool, 0).queued[EVENT_CLASS_TELEMETRY], n);
	check_ok(store_start(home.store));
	store_drain(home.store);
	loop_advance(home.loop, SPOOL_RETRY_MS); /* the batch is offered again */
	settle(&home);
	check_uint(home.n_stored, n);
	check_ok(spool_append(home.spool, 1, &e, on_stored, &home));
	settle(&home);
	check_uint(home.n_stored, n + 1);
	check_uint(spool_stats_of(home.spool, 0).queued[EVENT_CLASS_TELEMETRY], n + 1);
	home_teardown(&home);
}

/* --- purge, links ---------------------------------------------------------------------------------------------------- */

static void purge_erases_one_device_in_memory_and_on_disk(void **state)
{
	struct home home;
	struct spool_entry entry;
	uint64_t left = 0;

	(void)state;
	home_setup(&home, 1 << 28);
	for (int i = 0; i < 6000; i++)
		append(&home, EVENT_CLASS_TELEMETRY, (uint8_t)(i % 3), i);
	for (int i = 0; i < 3; i++)
		expect(&home, EVENT_CLASS_TELEMETRY, i, false, NULL);
	home.n_stored = 0;
	spool_purge(home.spool, home.link, device(1), on_stored, &home);
	while (spool_take(home.spool, home.link, &entry)) { /* already while the writer is at it */
		check_true(value_of(&entry) % 3 != 1);
		spool_ack(home.spool, home.link, entry.number);
		left++;
	}
	append(&home, EVENT_CLASS_TELEMETRY, 1, 7000); /* shared again: new ones are new */
	settle(&home);
	check_true(home.n_stored >= 1);
	spool_untake(home.spool, home.link); /* of the three on their way one must not come again */
	while (take(&home, &entry)) {
		check_true(value_of(&entry) % 3 != 1 || value_of(&entry) == 7000);
		spool_ack(home.spool, home.link, entry.number);
		left++;
	}
	check_uint(left, 4001);
	check_uint(spool_stats_of(home.spool, home.link).bytes, 0);
	home_restart(&home, 1 << 28);
	expect_nothing(&home);
	home_teardown(&home);
}

static void links_have_numbers_of_their_own_that_stay(void **state)
{
	struct home home;
	struct event e = event(EVENT_CLASS_STATE, 1, 5);
	struct spool_entry entry;
	unsigned lan, other;
	char name[8];

	(void)state;
	home_setup(&home, 1 << 20);
	check_ok(spool_open_link(home.spool, "home", on_ready, &home, &lan));
	check_true(lan != home.link);
	check_ok(spool_append(home.spool, 1u << lan | 1u << home.link, &e, on_stored, &home));
	e.value.i = 6;
	check_ok(spool_append(home.spool, 1u << lan, &e, on_stored, &home));
	check_ok(spool_append(home.spool, 1u << 7, &e, on_stored, &home)); /* nobody's */
	settle(&home);
	check_uint(home.n_stored, 3);
	expect(&home, EVENT_CLASS_STATE, 5, false, NULL);
	expect_nothing(&home);
	home_restart(&home, 1 << 20);
	check_text(spool_link_name(home.spool, lan), "home"); /* not opened, but kept and shown */
	check_uint(spool_stats_of(home.spool, lan).queued[EVENT_CLASS_STATE], 2);
	check_ok(spool_open_link(home.spool, "home", on_ready, &home, &other));
	check_uint(other, lan);
	settle(&home);
	check_true(!spool_take(home.spool, lan, &entry)); /* its first number: the horizon must be on disk */
	settle(&home);
	check_true(spool_take(home.spool, lan, &entry));
	check_int(value_of(&entry), 5);
	for (unsigned i = 2; i < SPOOL_LINKS_MAX; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		check_ok(spool_open_link(home.spool, name, on_ready, &home, &other));
	}
	check_int(spool_open_link(home.spool, "one more", on_ready, &home, &other), -ENOSPC);
	home_teardown(&home);
}

/* A disk that refuses: stored says so, and the entry that nobody took is not there. */
static void a_failed_write_is_told(void **state)
{
	struct home home;

	(void)state;
	home_setup(&home, 1 << 20);
	append(&home, EVENT_CLASS_STATE, 1, 1);
	settle(&home);
	/* A second entry under a key that is taken: the row is refused, the group goes on without it. */
	home.spool->outlets[home.link].next--;
	home.spool->outlets[home.link].queues[EVENT_CLASS_STATE].n_chunks = 0;
	append(&home, EVENT_CLASS_STATE, 1, 2);
	append(&home, EVENT_CLASS_TELEMETRY, 1, 3);
	settle(&home);
	check_uint(home.n_failed, 2); /* one batch */
	check_uint(home.n_stored, 1);
	home_teardown(&home);
}

/* The chunk and batch limits: many entries lie in few chunks, and a crowd of ranges is flushed before it overflows. */
static void chunks_and_ranges_stay_within_their_limits(void **state)
{
	struct home home;
	uint64_t numbers[SPOOL_CHUNK_MAX * 3];
	struct queue *q;

	(void)state;
	home_setup(&home, 1 << 28);
	q = &home.spool->outlets[home.link].queues[EVENT_CLASS_TELEMETRY];
	for (int i = 0; i < SPOOL_CHUNK_MAX * 3; i++)
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
	check_uint(q->n_chunks, 3);
	for (int i = 0; i < SPOOL_CHUNK_MAX * 3; i++)
		expect(&home, EVENT_CLASS_TELEMETRY, i, false, &numbers[i]);
	for (int i = SPOOL_CHUNK_MAX; i < SPOOL_CHUNK_MAX * 2; i++)
		spool_ack(home.spool, home.link, numbers[i]);
	check_uint(q->n_chunks, 2); /* the middle one is empty and gone, its rows with the next flush */
	check_uint(home.spool->n_ranges, 1);
	for (unsigned i = 0; i < 3 * SPOOL_RANGES_MAX; i++)
		spool_delete_range(home.spool, home.link, EVENT_CLASS_STATE, 10 * i, 10 * i + 1);
	check_true(home.spool->n_ranges <= SPOOL_RANGES_MAX);
	home_restart(&home, 1 << 28);
	check_uint(spool_stats_of(home.spool, home.link).queued[EVENT_CLASS_TELEMETRY], SPOOL_CHUNK_MAX * 2);
	expect(&home, EVENT_CLASS_TELEMETRY, 0, true, NULL);
	/* Long events: what is read back at once is bounded by bytes, too. */
	check_true((int)SPOOL_REFILL_BYTES_MAX >= (int)EVENT_LEN_MAX && SPOOL_BATCH_BYTES_MAX >= SPOOL_LINKS_MAX * EVENT_LEN_MAX);
	home_teardown(&home);
}

static void long_events_are_read_back_in_portions(void **state)
{
	struct home home;
	static char text[VALUE_LEN_MAX];
	struct event e = event(EVENT_CLASS_TELEMETRY, 1, 0);
	struct spool_entry entry;

	(void)state;
	home_setup(&home, 1 << 28);
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 1600; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%07dx", i);
		memcpy(text, number, 8);
		e.value = (struct value){ .type = VALUE_TEXT, .len = sizeof(text), .data = text };
		check_ok(spool_append(home.spool, 1u << home.link, &e, on_stored, &home));
	}
	for (int i = 0; i < 1600; i++) {
		check_true(take(&home, &entry));
		struct reader r = reader_over(entry.data, entry.len);
		struct event got;

		check_ok(event_get(&r, &got));
		check_int(atoi(got.value.data), i);
		spool_ack(home.spool, home.link, entry.number);
	}
	expect_nothing(&home);
	memset(text, 0xff, sizeof(text)); /* not UTF-8 */
	check_int(spool_append(home.spool, 1u << home.link, &e, on_stored, &home), -EINVAL);
	home_teardown(&home);
}

static void a_tight_spool_keeps_alarms_only_and_tells_the_rest_as_dropped(void **state)
{
	struct home home;
	struct spool_stats stats;

	(void)state;
	home_setup(&home, 256 * 1024);
	append(&home, EVENT_CLASS_TELEMETRY, 1, 1);
	settle(&home);
	spool_set_tight(home.spool, true);
	for (int i = 0; i < 100; i++) {
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
		append(&home, EVENT_CLASS_STATE, 1, i);
	}
	append(&home, EVENT_CLASS_ALARM, 1, 7);
	settle(&home);
	check_uint(home.n_stored, 202); /* whoever reported it is not kept waiting */
	stats = spool_stats_of(home.spool, home.link);
	check_uint(stats.dropped[EVENT_CLASS_TELEMETRY], 100);
	check_uint(stats.dropped[EVENT_CLASS_STATE], 100);
	check_uint(stats.queued[EVENT_CLASS_ALARM], 1);
	expect(&home, EVENT_CLASS_ALARM, 7, false, NULL);
	spool_set_tight(home.spool, false);
	append(&home, EVENT_CLASS_STATE, 1, 8);
	settle(&home);
	home_restart(&home, 256 * 1024); /* and the count is kept */
	check_uint(spool_stats_of(home.spool, home.link).dropped[EVENT_CLASS_STATE], 100);
	home_teardown(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_full_spool_gives_up_the_oldest_of_the_least_class),
		cmocka_unit_test(alarms_drive_out_state_and_nothing_drives_out_alarms),
		cmocka_unit_test(a_tight_spool_keeps_alarms_only_and_tells_the_rest_as_dropped),
		cmocka_unit_test(taken_entries_are_not_dropped),
		cmocka_unit_test(a_full_writer_queue_is_said_and_costs_nothing),
		cmocka_unit_test(purge_erases_one_device_in_memory_and_on_disk),
		cmocka_unit_test(links_have_numbers_of_their_own_that_stay),
		cmocka_unit_test(a_failed_write_is_told),
		cmocka_unit_test(chunks_and_ranges_stay_within_their_limits),
		cmocka_unit_test(long_events_are_read_back_in_portions),
	};

	return CHECK_RUN(rows);
}
