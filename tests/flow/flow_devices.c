/* One device over two adapters: which of them says what it is, and who hears of it when a person moves it. */
#include "house.h"

#include <string.h>

struct home {
	struct house house;
	struct device_id lamp;
};

static const struct house_cap dimmer[] = { { CAP_ON_OFF, VALUE_BOOL, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
					   { CAP_LEVEL, VALUE_INT, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT } };
static const struct house_cap relay[] = { { CAP_ON_OFF, VALUE_BOOL, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
					  { CAP_TEMPERATURE, VALUE_REAL, ACCESS_READ | ACCESS_REPORT },
					  { CAP_CONTACT, VALUE_BOOL, ACCESS_READ | ACCESS_REPORT } };

/* The same hardware address on both: one device. */
static void describe_both(struct home *home)
{
	home->lamp = actor_describe(&home->house.adapter, 1, "lamp", dimmer, N_ELEMENTS(dimmer));
	struct device_id again = actor_describe(&home->house.second, 1, "lamp", relay, N_ELEMENTS(relay));
	check_true(device_id_equal(home->lamp, again));
}

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	house_second_up(&home->house);
	house_link_up(&home->house);
	describe_both(home);
	house_bind(&home->house, home->lamp, home->house.owner);
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	house_close(&home->house);
	free(home);
	return 0;
}

static const struct device *lamp(const struct home *home)
{
	return registry_find(home->house.app->registry, home->lamp);
}

static bool can(const struct home *home, uint16_t cap)
{
	return device_capability(lamp(home), 0, cap, NULL) != NULL;
}

struct answer {
	bool done;
	int r;
};

static void on_moved(void *ctx, int r)
{
	*(struct answer *)ctx = (struct answer){ true, r };
}

static int move(struct home *home, const char *adapter)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_DEVICE_MOVE, .subject = { SUBJECT_USER, home->house.owner } };
	registry_move(home->house.app->registry, home->lamp, adapter, &record, on_moved, &answer);
	house_settle(&home->house);
	audit_drain(home->house.app->audit); /* as the door does after a verb */
	check_true(answer.done);
	return answer.r;
}

static void it_is_what_the_active_way_says(void **state)
{
	struct home *home = *state;
	check_uint(lamp(home)->n_ways, 2);
	check_uint(registry_count(home->house.app->registry), 1);
	check_true(can(home, CAP_LEVEL) && !can(home, CAP_TEMPERATURE));
	/* What comes over the other way is taken off its adapter's hands and changes nothing. */
	actor_report(&home->house.second, 1, CAP_ON_OFF, value_bool(true));
	check_uint(actor_last(&home->house.second, WIRE_STORED)->number, 1);
	check_int(device_shadow(lamp(home), 1, CAP_ON_OFF)->reported_ms, 0);
}

static void a_moved_one_becomes_what_its_new_way_says(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));

	house_report(house, 1, CAP_ON_OFF, value_bool(true));
	check_uint(actor_last(&house->link, WIRE_LINK_DEVICE)->n_caps, 2);
	check_ok(move(home, "bridge"));
	check_text(device_way(lamp(home))->adapter, "bridge");
	check_true(!can(home, CAP_LEVEL) && can(home, CAP_TEMPERATURE) && can(home, CAP_CONTACT));
	/* The platform hears what it is now; what both ways have keeps its value. */
	check_uint(actor_last(&house->link, WIRE_LINK_DEVICE)->n_caps, 3);
	struct value kept = value_box_get(&device_shadow(lamp(home), 1, CAP_ON_OFF)->reported);
	check_true(kept.type == VALUE_BOOL && value_number(&kept) != 0);
	actor_report(&house->second, 1, CAP_TEMPERATURE, value_real(20.5));
	check_true(device_shadow(lamp(home), 1, CAP_TEMPERATURE)->reported_ms > 0);
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
	check_uint(actor_count(&house->second, WIRE_COMMAND), 1);
	check_uint(actor_count(&house->adapter, WIRE_COMMAND), 0);
	check_uint(house_audit(house, AUDIT_DEVICE_MOVE, NULL), 1);
	/* And back, as often as one likes. */
	check_ok(move(home, "sim"));
	check_ok(move(home, "sim"));
	check_true(can(home, CAP_LEVEL) && !can(home, CAP_TEMPERATURE));
	check_ok(move(home, "bridge"));
	check_true(!can(home, CAP_LEVEL) && can(home, CAP_TEMPERATURE));
}

static void a_move_outlives_the_core(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	check_ok(move(home, "bridge"));
	house_restart(house);
	check_text(device_way(lamp(home))->adapter, "bridge");
	check_true(!can(home, CAP_LEVEL) && can(home, CAP_CONTACT));
	check_int(lamp(home)->state, DEVICE_UNREACHABLE);
	/* The other adapter alone does not bring it back, nor change it. */
	house_adapter_up(house);
	actor_describe(&house->adapter, 1, "lamp", dimmer, N_ELEMENTS(dimmer));
	check_int(lamp(home)->state, DEVICE_UNREACHABLE);
	check_true(!can(home, CAP_LEVEL));
	house_second_up(house);
	actor_describe(&house->second, 1, "lamp", relay, N_ELEMENTS(relay));
	check_int(lamp(home)->state, DEVICE_OURS);
}

static void an_adapter_that_was_silent_is_believed_when_it_speaks(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_restart(house);
	house_adapter_up(house);
	actor_describe(&house->adapter, 1, "lamp", dimmer, N_ELEMENTS(dimmer));
	check_int(lamp(home)->state, DEVICE_OURS);
	/* Nothing was heard from the other one since the start: unreachable there, and still what it was. */
	check_ok(move(home, "bridge"));
	check_int(lamp(home)->state, DEVICE_UNREACHABLE);
	check_true(can(home, CAP_LEVEL));
	house_second_up(house);
	actor_describe(&house->second, 1, "lamp", relay, N_ELEMENTS(relay));
	check_int(lamp(home)->state, DEVICE_OURS);
	check_true(!can(home, CAP_LEVEL) && can(home, CAP_CONTACT));
	check_ok(move(home, "sim"));
	check_true(can(home, CAP_LEVEL) && !can(home, CAP_CONTACT));
}

static void it_moves_only_where_it_can_be_reached(void **state)
{
	struct home *home = *state;
	struct device_id nobody = { { 9 } };
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_DEVICE_MOVE };
	check_int(move(home, "nowhere"), REGISTRY_E_UNKNOWN);
	check_text(device_way(lamp(home))->adapter, "sim");
	registry_move(home->house.app->registry, nobody, "bridge", &record, on_moved, &answer);
	check_int(answer.r, REGISTRY_E_UNKNOWN);
	/* To an adapter that is away: moved, and unreachable until it is there. */
	actor_drop(&home->house.second);
	house_sleep(&home->house, 3000);
	check_ok(move(home, "bridge"));
	check_int(lamp(home)->state, DEVICE_UNREACHABLE);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(it_is_what_the_active_way_says),
		ROW(a_moved_one_becomes_what_its_new_way_says),
		ROW(a_move_outlives_the_core),
		ROW(an_adapter_that_was_silent_is_believed_when_it_speaks),
		ROW(it_moves_only_where_it_can_be_reached),
	};
	return CHECK_RUN(rows);
}
