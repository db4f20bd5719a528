/* One trouble is one alarm: it counts, is acknowledged by a person, ends with its cause, and outlives a restart. */
#include "gateway_home.h"

#include "router/alarms.h"

struct world {
	struct gateway g;
	struct alarms *alarms;
	unsigned n[3]; /* told: raised, acknowledged, cleared */
};

static void on_alarm(void *ctx, const struct alarm *alarm, unsigned phase)
{
	(void)alarm;
	((struct world *)ctx)->n[phase]++;
}

static void world_start(struct world *w)
{
	check_ok(alarms_new(w->g.loop, w->g.store, w->g.db, w->g.audit, on_alarm, w, &w->alarms));
	check_ok(alarms_load(w->alarms));
	gateway_start(&w->g);
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	gateway_open(&w->g, alarms_schema_1);
	world_start(w);
}

static void world_restart(struct world *w)
{
	gateway_settle(&w->g);
	w->alarms = alarms_close(w->alarms);
	gateway_stop(&w->g);
	gateway_open_again(&w->g);
	world_start(w);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	alarms_close(w->alarms);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static const struct device_id none, lamp = { { 1 } };

static void on_done(void *ctx, int r)
{
	check_ok(r);
	++*(unsigned *)ctx;
}

static int acknowledge(struct world *w, uint32_t id)
{
	struct audit_record record = { .kind = AUDIT_ALARM_ACKED, .subject = { SUBJECT_USER, 1 }, .subject_name = "anna" };
	unsigned n_done = 0;
	int r = alarms_acknowledge(w->alarms, id, &record, on_done, &n_done);
	gateway_settle(&w->g);
	check_uint(n_done, r == 0);
	return r;
}

static size_t count(const struct world *w)
{
	size_t n = 0;
	while (alarms_at(w->alarms, n))
		n++;
	return n;
}

static void the_same_trouble_is_one_alarm(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, "sim", "closed its socket");
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, "sim", "was silent for too long");
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, "wifi", "closed its socket");
	alarms_raise(w.alarms, ALARM_BATTERY_LOW, lamp, NULL, NULL);
	alarms_raise(w.alarms, ALARM_BATTERY_LOW, (struct device_id){ { 2 } }, "", NULL);
	check_uint(count(&w), 4);
	check_uint(w.n[0], 4);
	check_uint(alarms_at(w.alarms, 0)->count, 2);
	check_text(alarms_at(w.alarms, 0)->detail, "was silent for too long");
	alarms_clear(w.alarms, ALARM_ADAPTER_GONE, none, "other");
	alarms_clear(w.alarms, ALARM_BATTERY_LOW, none, "");
	check_uint(w.n[2], 0);
	alarms_clear(w.alarms, ALARM_ADAPTER_GONE, none, "sim");
	alarms_clear(w.alarms, ALARM_BATTERY_LOW, lamp, NULL);
	check_uint(w.n[2], 2);
	check_uint(count(&w), 2);
	check_text(alarms_at(w.alarms, 0)->object, "wifi");
	world_restart(&w);
	check_uint(count(&w), 2);
	check_text(alarms_at(w.alarms, 0)->object, "wifi");
	/* Numbers rise over a restart. */
	uint32_t last = alarms_at(w.alarms, 1)->id;
	alarms_raise(w.alarms, ALARM_CLONE, lamp, "lamp", "");
	check_true(alarms_at(w.alarms, 2)->id > last);
	world_close(&w);
}

static void acknowledging_ends_what_cannot_end_itself(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	for (enum alarm_kind kind = 0; kind < ALARMS; kind++)
		alarms_raise(w.alarms, kind, none, "x", "");
	uint32_t last = alarms_at(w.alarms, ALARMS - 1)->id;
	check_int(acknowledge(&w, last + 1), ALARMS_E_UNKNOWN);
	size_t n_stay = 0;
	for (uint32_t id = 1; id <= last; id++)
		check_ok(acknowledge(&w, id));
	for (enum alarm_kind kind = 0; kind < ALARMS; kind++)
		n_stay += alarm_row(kind)->clears_itself;
	check_true(n_stay > 0 && n_stay < ALARMS);
	world_restart(&w);
	check_uint(count(&w), n_stay);
	for (size_t i = 0; i < n_stay; i++) {
		check_true(alarms_at(w.alarms, i)->acknowledged && alarm_row(alarms_at(w.alarms, i)->kind)->clears_itself);
		check_text(alarms_at(w.alarms, i)->by, "anna");
	}
	check_uint(w.n[1], n_stay);
	check_uint(w.n[2], ALARMS - n_stay);
	world_close(&w);
}

static void there_are_so_many(void **state)
{
	struct world w;
	char object[16];
	(void)state;
	world_open(&w);
	for (int i = 0; i <= ALARMS_MAX; i++) {
		snprintf(object, sizeof(object), "%d", i);
		alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, object, "");
	}
	check_uint(count(&w), ALARMS_MAX);
	check_uint(w.n[0], ALARMS_MAX);
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, "0", ""); /* those that stand still count */
	check_uint(alarms_at(w.alarms, 0)->count, 2);
	alarms_clear(w.alarms, ALARM_ADAPTER_GONE, none, "7");
	alarms_raise(w.alarms, ALARM_CLONE, lamp, "lamp", "");
	check_uint(count(&w), ALARMS_MAX);
	world_restart(&w);
	check_uint(count(&w), ALARMS_MAX);
	world_close(&w);
}

static void a_long_object_is_cut_and_is_still_one(void **state)
{
	struct world w;
	char object[300];
	(void)state;
	world_open(&w);
	memset(object, 'o', sizeof(object) - 1);
	object[sizeof(object) - 1] = 0;
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, object, object);
	alarms_raise(w.alarms, ALARM_ADAPTER_GONE, none, object, object);
	check_uint(count(&w), 1);
	alarms_clear(w.alarms, ALARM_ADAPTER_GONE, none, object);
	check_uint(count(&w), 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_same_trouble_is_one_alarm),
		cmocka_unit_test(acknowledging_ends_what_cannot_end_itself),
		cmocka_unit_test(there_are_so_many),
		cmocka_unit_test(a_long_object_is_cut_and_is_still_one),
	};
	return CHECK_RUN(rows);
}
