/* A device that is known and comes over another adapter: the same for people, and no way for strangers who show its address. */
#include <string.h>
#include "base/text.h"
#include "knock.h"

/* A lamp of anna's, known over the bridge ("sim" here), in a room, with a rule and a reading. */
static struct device_id known_lamp(struct couple *home)
{
	struct house *house = &home->house;
	struct device_id lamp = house_lamp(house, 1, "lamp");
	house_bind(house, lamp, house->owner);
	house_report(house, 1, CAP_LEVEL, value_int(40));
	knock(&home->anna, "device.rename", "{'device':'lamp','name':'reading light'}");
	knock(&home->anna, "device.room", "{'device':'reading light','room':'Study'}");
	check_text(knock_code(&home->anna), "ok");
	house_second_up(house);
	return lamp;
}

static struct device_id native_lamp(struct couple *home)
{
	const struct house_cap caps[] = { { CAP_ON_OFF, VALUE_BOOL, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
					  { CAP_LEVEL, VALUE_INT, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT } };
	return actor_describe(&home->house.second, 1, "0x0102030405060701", caps, N_ELEMENTS(caps));
}

static void is_the_same(struct couple *home, struct device_id lamp, const char *adapter)
{
	const struct device *device = registry_find(home->house.app->registry, lamp);
	check_text(device->name, "reading light");
	check_uint(device->owner, home->house.owner);
	check_text(registry_room(home->house.app->registry, device->room)->name, "Study");
	check_text(device_way(device)->adapter, adapter);
}

static void it_leaves_and_goes_on_over_the_other(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct audit_row row;
	struct device_id lamp = known_lamp(home);
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(lamp, CAP_ON_OFF, value_bool(true));
	check_text(knock_window(&home->anna, "bridge", ""), "ok");
	actor_joining(&house->second, 1, JOIN_SEEN, "");
	check_true(device_id_equal(native_lamp(home), lamp));
	actor_joining(&house->second, 1, JOIN_READY, "");
	is_the_same(home, lamp, "sim");
	check_true(!house_alarm(house, ALARM_SECOND_WAY));
	/* She is told. */
	const struct json *joins = json_get(knock_status(&home->anna, 1), "joins");
	check_text(json_get_text(json_at(joins, 0), "device"), "reading light");
	check_text(json_get_text(json_at(joins, 0), "ways"),
		   "it is known already and keeps its name, its owner and its history; it can be reached over sim and bridge, and is over sim until it leaves there or you move it");
	/* What the new way says is not believed yet, and nothing is sent over it. */
	actor_report(&house->second, 1, CAP_LEVEL, value_int(77));
	house_settle(house);
	check_near((double)registry_find(house->app->registry, lamp)->shadow[1].reported.value.i, 40, 0);
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
	check_uint(actor_count(&house->second, WIRE_COMMAND), 0);
	/* Away is not gone. */
	actor_gone(&house->adapter, 1, false);
	is_the_same(home, lamp, "sim");
	actor_gone(&house->adapter, 1, true);
	house_settle(house);
	is_the_same(home, lamp, "bridge");
	check_int(registry_find(house->app->registry, lamp)->state, DEVICE_OURS);
	check_uint(house_audit(house, AUDIT_DEVICE_MOVE, &row), 1);
	check_true(strstr(json_get_text(json_at(json_get(knock_status(&home->anna, 1), "joins"), 0), "ways"), "and is over bridge") != NULL);
	on = house_set(lamp, CAP_ON_OFF, value_bool(false));
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
	check_uint(actor_count(&house->second, WIRE_COMMAND), 1);
	actor_report(&house->second, 1, CAP_LEVEL, value_int(77));
	house_settle(house);
	check_near((double)registry_find(house->app->registry, lamp)->shadow[1].reported.value.i, 77, 0);
	house_restart(house);
	is_the_same(home, lamp, "bridge");
}

static void it_left_before_it_joined(void **state)
{
	struct couple *home = *state;
	struct device_id lamp = known_lamp(home);
	actor_gone(&home->house.adapter, 1, true);
	check_int(registry_find(home->house.app->registry, lamp)->state, DEVICE_UNREACHABLE);
	check_text(knock_window(&home->anna, "bridge", ""), "ok");
	native_lamp(home);
	house_settle(&home->house);
	is_the_same(home, lamp, "bridge");
	check_int(registry_find(home->house.app->registry, lamp)->state, DEVICE_OURS);
}

static void welcome_outlives_a_restart(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct device_id lamp = known_lamp(home);
	check_text(knock_window(&home->anna, "bridge", ""), "ok");
	native_lamp(home);
	house_restart(house);
	house_adapter_up(house);
	house_second_up(house);
	house_lamp(house, 1, "lamp");
	native_lamp(home);
	is_the_same(home, lamp, "sim");
	check_true(!house_alarm(house, ALARM_SECOND_WAY));
	actor_gone(&house->adapter, 1, true);
	house_settle(house);
	is_the_same(home, lamp, "bridge");
	home->anna.conn = home->ben.conn = NULL; /* went with the core */
	knock_close(&home->anna);
	knock_close(&home->ben);
	knock_open(&home->anna, house);
	knock_open(&home->ben, house);
}

static struct device_id describe_second(struct couple *home, uint16_t cap, enum value_type type, uint8_t evidence)
{
	const struct capability_desc desc = { .id = cap, .type = (uint8_t)type, .access = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT };
	const struct endpoint_desc endpoint = { .id = 1, .n_caps = 1, .caps = &desc };
	struct wire_msg msg = { .type = WIRE_DEVICE };
	msg.device = (struct device_desc){ .addr = { .len = 2, .bytes = { 0xad, 1 } }, .hw = { .len = 8, .bytes = { 1, 2, 3, 4, 5, 6, 7, 1 } },
					   .evidence = evidence, .vendor = "V", .model = "M", .firmware = "1", .name = "n", .n_endpoints = 1,
					   .endpoints = &endpoint };
	actor_say(&home->house.second, &msg);
	house_settle(&home->house);
	return registry_find_way(home->house.app->registry, "bridge", &msg.device.addr)->id;
}

/* What opens the house, and what proves less than before, is moved by a person only. */
static void a_lock_waits_for_a_word(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct device_id lock = house_lock(house, 1, "lock");
	house_bind(house, lock, house->owner);
	house_second_up(house);
	check_text(knock_window(&home->anna, "bridge", ""), "ok");
	check_true(device_id_equal(describe_second(home, CAP_LOCK_STATE, VALUE_TEXT, 2), lock));
	actor_gone(&house->adapter, 1, true);
	house_settle(house);
	check_text(device_way(registry_find(house->app->registry, lock))->adapter, "sim");
	knock(&home->anna, "device.move", "{'device':'lock','adapter':'bridge'}");
	check_text(knock_code(&home->anna), "ok");
	check_text(device_way(registry_find(house->app->registry, lock))->adapter, "bridge");
}

static void what_proves_less_waits_for_a_word(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct device_id lamp = known_lamp(home);
	check_text(knock_window(&home->anna, "bridge", ""), "ok");
	describe_second(home, CAP_ON_OFF, VALUE_BOOL, 1);
	actor_gone(&house->adapter, 1, true);
	house_settle(house);
	is_the_same(home, lamp, "sim");
	describe_second(home, CAP_ON_OFF, VALUE_BOOL, 2);
	house_settle(house);
	is_the_same(home, lamp, "bridge");
}

/* Somebody shows the lamp's address at another adapter: without her window, or in another's. */
static void a_stranger_with_its_address(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct device_id lamp = known_lamp(home);
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(lamp, CAP_ON_OFF, value_bool(true));
	couple_of_owners(home);
	check_text(knock_window(&home->ben, "bridge", ""), "ok");
	actor_joining(&house->second, 1, JOIN_SEEN, "");
	native_lamp(home);
	actor_joining(&house->second, 1, JOIN_READY, "");
	is_the_same(home, lamp, "sim");
	check_true(house_alarm(house, ALARM_SECOND_WAY));
	check_uint(registry_find(house->app->registry, lamp)->waiting_for, 0);
	knock(&home->ben, "claim.confirm", "{'device':'reading light'}");
	check_true(strcmp(knock_code(&home->ben), "ok") != 0);
	/* Even when the true one is gone, the stranger gets nothing. */
	actor_gone(&house->adapter, 1, true);
	house_settle(house);
	is_the_same(home, lamp, "sim");
	check_int(house_command(house, &anna, &on).result, RESULT_UNREACHABLE);
	check_uint(actor_count(&house->second, WIRE_COMMAND), 0);
	actor_report(&house->second, 1, CAP_ON_OFF, value_bool(true));
	house_settle(house);
	check_int(registry_find(house->app->registry, lamp)->state, DEVICE_UNREACHABLE);
	/* She may say that it is her doing. */
	knock(&home->anna, "device.move", "{'device':'reading light','adapter':'bridge'}");
	check_text(knock_code(&home->anna), "ok");
	is_the_same(home, lamp, "bridge");
	check_true(!house_alarm(house, ALARM_SECOND_WAY));
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, couple_setup, couple_teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(it_leaves_and_goes_on_over_the_other),
		ROW(it_left_before_it_joined),
		ROW(welcome_outlives_a_restart),
		ROW(a_lock_waits_for_a_word),
		ROW(what_proves_less_waits_for_a_word),
		ROW(a_stranger_with_its_address),
	};
	return CHECK_RUN(rows);
}
