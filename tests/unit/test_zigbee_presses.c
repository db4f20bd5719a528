/* What devices say in commands of their own, and what is none of our business. That words are those of others is
 * test_zigbee_converters' business.
 */
#include "zigbee_home.h"

static void hears(struct home *home, uint16_t cluster, uint8_t command, bool to_client, const char *fields, size_t len)
{
	struct zcl_frame frame = { .header = { .cluster = true, .to_client = to_client, .command = command },
				   .payload = { (const uint8_t *)fields, len } };

	home->n = traits_command(&home->node, 1, cluster, &frame, home->readings);
}

static struct home *remote_of(struct home *home, uint16_t cluster)
{
	*home = (struct home){ 0 };
	home_endpoint(home, 1)->out[0] = cluster;
	home->endpoints[0].n_out = 1;
	return home;
}

static void a_switch_is_pressed(void **state)
{
	struct home home;
	struct gwa_cap cap = { 0 };

	(void)state;
	remote_of(&home, 0x0006);
	check_true(home_can(&home, 1, GWA_CAP_BUTTON, &cap));
	check_uint(cap.type, GWA_T_TEXT);
	check_uint(cap.access, GWA_A_READ | GWA_A_REPORT);
	hears(&home, 0x0006, 0x02, false, "", 0);
	check_uint(home.n, 1);
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "toggle");
	remote_of(&home, 0x0005);
	hears(&home, 0x0005, 0x05, false, "\1\0\3", 3);
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "recall_3");
	hears(&home, 0x0005, 0x05, false, "\1\0\xc8", 3); /* a number past our words */
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "recall");
	hears(&home, 0x0005, 0x05, false, "\1", 1);
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "recall");
	remote_of(&home, 0x0300);
	hears(&home, 0x0300, 0x43, false, "", 0);
	check_true(strlen("enhanced_move_to_hue_and_saturation") < TRAITS_WORD_MAX); /* there is no longer one */
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "enhanced_move_to_hue_and_saturation");
	remote_of(&home, 0x0501);
	hears(&home, 0x0501, 0x03, false, "", 0);
	home_is_text(home_reading(&home, GWA_CAP_BUTTON), "fire");
}

static void what_is_no_press(void **state)
{
	struct zcl_frame own = { .header = { .cluster = true, .command = 2, .manufacturer = 0x115f } }, general = { .header = { .command = 0 } };
	struct home home;

	(void)state;
	remote_of(&home, 0x0006);
	hears(&home, 0x0006, 0x77, false, "", 0);
	check_uint(home.n, 0);
	hears(&home, 0x0006, 0x02, true, "", 0); /* an answer */
	check_uint(home.n, 0);
	hears(&home, 0x0008, 0x05, false, "\0\1", 2); /* a cluster that it did not name */
	check_uint(home.n, 0);
	check_uint(traits_command(&home.node, 1, 0x0006, &own, home.readings), 0);
	check_uint(traits_command(&home.node, 1, 0x0006, &general, home.readings), 0);
	check_uint(traits_command(&home.node, 2, 0x0006, &own, home.readings), 0);
	remote_of(&home, 0x0008);
	hears(&home, 0x0008, 0x05, false, "", 0); /* up or down? */
	check_uint(home.n, 0);
	hears(&home, 0x0008, 0x05, false, "\7", 1);
	check_uint(home.n, 0);
	remote_of(&home, 0x0300);
	hears(&home, 0x0300, 0x4c, false, "\2", 1); /* a mode without a word */
	check_uint(home.n, 0);
	/* A lamp that is told so is no remote control. */
	home_of(&home, 0x0006);
	hears(&home, 0x0006, 0x02, false, "", 0);
	check_uint(home.n, 0);
}

static void zones_notify(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0500);
	home_fact(&home.endpoints[0], FACT_ZONE_TYPE, 0x15);
	hears(&home, 0x0500, 0x00, true, "\5\0\0\0\0\0", 6);
	check_uint(home.n, 3);
	check_int(home_reading(&home, GWA_CAP_CONTACT)->v.i, 0);
	check_int(home_reading(&home, GWA_CAP_TAMPER)->v.i, 1);
	check_int(home_reading(&home, GWA_CAP_BATTERY_LOW)->v.i, 0);
	hears(&home, 0x0500, 0x00, true, "\5", 1); /* cut off */
	check_uint(home.n, 0);
	hears(&home, 0x0500, 0x00, false, "\5\0", 2); /* an enrolment's answer */
	check_uint(home.n, 0);
	home_of(&home, 0x0402); /* who has no zone */
	hears(&home, 0x0500, 0x00, true, "\5\0\0\0\0\0", 6);
	check_uint(home.n, 0);
}

static void locks_tell_what_happened(void **state)
{
	static const struct {
		uint8_t code;
		const char *state;
	} events[] = { { 0x01, "locked" }, { 0x02, "unlocked" }, { 0x0a, "locked" }, { 0x0e, "unlocked" } };
	struct home home;

	(void)state;
	home_of(&home, 0x0101);
	for (size_t i = 0; i < N_ELEMENTS(events); i++) {
		const char fields[] = { 1, (char)events[i].code, 0, 0, 0, 0, 0, 0, 0, 0 };

		hears(&home, 0x0101, 0x20, true, fields, sizeof(fields));
		check_uint(home.n, 1);
		home_is_text(home_reading(&home, GWA_CAP_LOCK_STATE), events[i].state);
	}
	hears(&home, 0x0101, 0x20, true, "\0\3\0\0\0\0\0\0\0\0", 10); /* a wrong code was tried: the bolt stays */
	check_uint(home.n, 0);
	hears(&home, 0x0101, 0x20, true, "\0\x63\0\0\0\0\0\0\0\0", 10);
	check_uint(home.n, 0);
	hears(&home, 0x0101, 0x20, true, "\0", 1);
	check_uint(home.n, 0);
	hears(&home, 0x0009, 0x00, true, "\0\1\1", 3);
	home_is_text(home_reading(&home, GWA_CAP_LOCK_STATE), "jammed");
	hears(&home, 0x0009, 0x00, true, "\1\1\1", 3); /* another alarm of a lock */
	check_uint(home.n, 0);
	hears(&home, 0x0009, 0x00, true, "\0\1\0", 3); /* of a battery */
	check_uint(home.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_is_pressed),
		cmocka_unit_test(what_is_no_press),
		cmocka_unit_test(zones_notify),
		cmocka_unit_test(locks_tell_what_happened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
