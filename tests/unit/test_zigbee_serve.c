/* What devices ask a coordinator, byte for byte. */
#include "check.h"

#include "base/text.h"
#include "zigbee/serve.h"

static const struct serve_asker noon = { .utc_s = 946684800 + 0x01020304, .offset_s = 3600, .wait = true };

static void ask(uint16_t cluster, uint8_t mode, const char *hex, const struct serve_asker *asker, const char *want)
{
	uint8_t bytes[64], out[SERVE_ANSWER_MAX];
	char said[2 * SERVE_ANSWER_MAX + 1];
	size_t len = strlen(hex) / 2;
	struct radio_message m = { .mode = mode, .cluster = cluster, .source = 1, .target = 1, .data = { bytes, len } };
	struct zcl_frame f;

	check_ok(hex_parse(hex, 2 * len, bytes, len));
	check_ok(zcl_frame_read(m.data, &f));
	hex_print(out, serve(&m, &f, asker, out), said);
	check_text(said, want);
}

static void test_reads(void **state)
{
	static const struct serve_asker unknown = { 0 };

	(void)state;
	/* Time: now, status, zone, one that we have not, local. */
	ask(0x000a, RADIO_UNICAST, "00" "11" "00" "0000" "0100" "0200" "0900" "0700", &noon,
	    "18" "11" "01" "000000e204030201" "0100001803" "0200002b100e0000" "090086" "0700002314110201");
	ask(0x000a, RADIO_UNICAST, "10" "12" "00" "0000", &unknown, "18" "12" "01" "000000e2ffffffff");
	ask(0x0000, RADIO_UNICAST, "00" "13" "00" "0000" "0400", &noon, "18" "13" "01" "0000002008" "0400004208" "6761746577617964");
	/* A maker's own, and a cluster that we have not: no, attribute by attribute. */
	ask(0x000a, RADIO_UNICAST, "04" "5f11" "14" "00" "0000", &noon, "1c" "5f11" "14" "01" "000086");
	ask(0x0402, RADIO_UNICAST, "00" "15" "00" "0000", &noon, "18" "15" "01" "000086");
	ask(0x000a, RADIO_GROUP, "00" "11" "00" "0000", &noon, "");
}

static void test_commands(void **state)
{
	static const struct serve_asker idle = { .utc_s = 1 };

	(void)state;
	ask(0x0500, RADIO_UNICAST, "09" "20" "01" "1500" "8612", &noon, "11" "20" "00" "0017");
	ask(0x0020, RADIO_UNICAST, "09" "21" "00", &noon, "11" "21" "00" "013c00");
	ask(0x0020, RADIO_UNICAST, "09" "21" "00", &idle, "11" "21" "00" "000000");
	ask(0x0019, RADIO_UNICAST, "01" "22" "01" "00" "7c11" "0121" "02000000", &noon, "19" "22" "02" "98");
	/* A switch's press: a default response when it wants one. */
	ask(0x0006, RADIO_UNICAST, "01" "23" "02", &noon, "18" "23" "0b" "0200");
	ask(0x0006, RADIO_UNICAST, "11" "23" "02", &noon, "");
	ask(0x0006, RADIO_BROADCAST, "01" "23" "02", &noon, "");
	/* A report, an answer to nobody, a write. */
	ask(0x0402, RADIO_UNICAST, "08" "24" "0a" "0000" "29" "6608", &noon, "10" "24" "0b" "0a00");
	ask(0x0402, RADIO_UNICAST, "18" "24" "0a" "0000" "29" "6608", &noon, "");
	ask(0x0402, RADIO_UNICAST, "08" "25" "01" "0000" "86", &noon, "");
	ask(0x0000, RADIO_UNICAST, "00" "26" "02" "0000" "20" "01", &noon, "18" "26" "0b" "0282");
}

/* More attributes than an answer has room for: as many as fit, whole. */
static void test_long(void **state)
{
	uint8_t bytes[3 + 2 * 60] = { 0x00, 0x31, 0x00 }, out[SERVE_ANSWER_MAX];
	struct radio_message m = { .cluster = 0x000a, .data = { bytes, sizeof(bytes) } };
	struct zcl_frame f, back;
	size_t len;

	(void)state;
	check_ok(zcl_frame_read(m.data, &f));
	len = serve(&m, &f, &noon, out);
	check_true(len > SERVE_ANSWER_MAX - 16 && len <= SERVE_ANSWER_MAX);
	check_ok(zcl_frame_read((struct view){ out, len }, &back));
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_long),
	};

	return CHECK_RUN(rows);
}
