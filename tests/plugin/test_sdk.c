/* The plugins' header and the gateway's own words are two texts of one thing: they must not part.
 */
#include "check.h"

#include <stddef.h>

#include "host/plugin.h"
#include "model/capability.h"
#include "model/device.h"
#include "model/wire.h"
#include "sdk/gw_adapter.h"
#include "sdk/gw_caps.h"

static void numbers_agree(void **state)
{
	(void)state;
	check_uint(GWA_ADDR_MAX, ADDRESS_MAX);
	check_uint(GWA_TEXT_MAX, DEVICE_TEXT_MAX);
	check_uint(GWA_VALUE_MAX, VALUE_LEN_MAX);
	check_uint(GWA_STATE_MAX, WIRE_STATE_MAX);
	check_uint(sizeof(((struct gwa_join *)NULL)->code), WIRE_CODE_MAX);
	check_uint(GWA_T_BOOL, VALUE_BOOL);
	check_uint(GWA_T_INT, VALUE_INT);
	check_uint(GWA_T_REAL, VALUE_REAL);
	check_uint(GWA_T_TEXT, VALUE_TEXT);
	check_uint(GWA_T_BYTES, VALUE_BYTES);
	check_uint(GWA_A_READ, ACCESS_READ);
	check_uint(GWA_A_WRITE, ACCESS_WRITE);
	check_uint(GWA_A_REPORT, ACCESS_REPORT);
	check_uint(GWA_A_SECURE, ACCESS_SECURE);
	check_uint(GWA_ASK_MAX, WIRE_ASK_MAX);
	check_uint(GWA_JOIN_SEEN, JOIN_SEEN);
	check_uint(GWA_JOIN_INTERVIEW, JOIN_INTERVIEW);
	check_uint(GWA_JOIN_CONFIGURE, JOIN_CONFIGURE);
	check_uint(GWA_JOIN_READY, JOIN_READY);
	check_uint(GWA_JOIN_FAILED, JOIN_FAILED);
	check_uint(GWA_JOIN_PASSKEY, JOIN_PASSKEY);
	check_uint(GWA_NOTE_STATUS, NOTE_STATUS);
	check_uint(GWA_NOTE_FLOOD, NOTE_FLOOD);
	check_uint(GWA_U_LITRE_MINUTE, UNIT_LITRE_MINUTE);
	check_uint(GWA_U_CUBIC_METRE, UNIT_CUBIC_METRE);
	check_uint(GWA_U_PER_MINUTE, UNIT_PER_MINUTE);
	check_uint(GWA_U_PER_MINUTE + 1, UNITS);
	check_uint(GWA_U_CELSIUS, UNIT_CELSIUS);
	check_uint(GWA_CAP_VENDOR_FIRST, CAPABILITY_VENDOR_FIRST);
}

/* GWA_CAP_COLOR_TEMPERATURE is "color-temperature": looked up in the header's own text, row by row
 * of the table. */
static void every_capability_is_in_the_header(void **state)
{
	char path[512], line[512], want[128];
	const struct capability *row;

	(void)state;
	snprintf(path, sizeof(path), "%s/plugins/sdk/gw_caps.h", getenv("GW_SOURCE_ROOT"));
	for (size_t i = 0; (row = capability_at(i)); i++) {
		size_t n = (size_t)snprintf(want, sizeof(want), "GWA_CAP_%s = %u,", row->name,
					    row->id);
		FILE *f = fopen(path, "re");
		bool found = false;

		assert_non_null(f);
		for (size_t k = 0; k < n; k++)
			want[k] = want[k] == '-'
					  ? '_'
					  : (char)(want[k] >= 'a' && want[k] <= 'z' ? want[k] - 32
										    : want[k]);
		while (!found && fgets(line, sizeof(line), f))
			found = strstr(line, want) != NULL;
		fclose(f);
		if (!found)
			print_error("gw_caps.h has no %s\n", want);
		check_true(found);
	}
}

static int open_nothing(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	(void)host;
	(void)opts;
	(void)n;
	(void)ret;
	return -1;
}
static void nothing(gwa_self *self)
{
	(void)self;
}
static void nothing_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr,
			    uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
			    uint32_t ttl_ms)
{
	(void)self;
	(void)req;
	(void)addr;
	(void)endpoint;
	(void)cap;
	(void)value;
	(void)ttl_ms;
}
static void nothing_stored(gwa_self *self, uint64_t up_to)
{
	(void)self;
	(void)up_to;
}
static void nothing_fd(gwa_self *self, int fd, uint32_t events)
{
	(void)self;
	(void)fd;
	(void)events;
}
static void nothing_timer(gwa_self *self, uint32_t timer)
{
	(void)self;
	(void)timer;
}

static void descriptors_are_checked(void **state)
{
	const struct gwa_ops good_ops = { sizeof(good_ops), open_nothing, nothing,
					  nothing_command,  NULL,	  NULL,
					  nothing_stored,   nothing_fd,	  nothing_timer,
					  NULL };
	const char *ports[PLUGIN_PORTS_MAX + 2] = { NULL };
	const struct gwa_plugin good = { .magic = GWA_MAGIC,
					 .size = sizeof(good),
					 .name = "x",
					 .summary = "",
					 .ports = ports,
					 .ops = &good_ops };
	struct gwa_plugin bad;
	struct gwa_ops ops;
	char why[PLUGIN_WHY_LEN];

	(void)state;
	check_ok(plugin_check(&good, why));
	for (int i = 0; i < PLUGIN_PORTS_MAX; i++)
		ports[i] = "p";
	check_ok(plugin_check(&good, why));
	ports[PLUGIN_PORTS_MAX] = "p";
	check_int(plugin_check(&good, why), -EPROTO);
	ports[0] = NULL;
#define BAD(change)                                          \
	do {                                                 \
		bad = good;                                  \
		ops = good_ops;                              \
		bad.ops = &ops;                              \
		change;                                      \
		check_int(plugin_check(&bad, why), -EPROTO); \
	} while (0)
	BAD(bad.magic++);
	BAD(bad.size--);
	BAD(bad.abi_minor = GWA_ABI_MINOR + 1);
	BAD(bad.name = NULL);
	BAD(bad.name = "");
	BAD(bad.summary = NULL);
	BAD(bad.ops = NULL);
	BAD(ops.size = offsetof(struct gwa_ops, ask) - 1);
	BAD(ops.open = NULL);
	BAD(ops.close = NULL);
	BAD(ops.command = NULL);
	BAD(ops.on_stored = NULL);
	BAD(ops.on_fd = NULL);
	BAD(ops.on_timer = NULL);
	BAD(bad.flags = GWA_F_JOIN);
	BAD(bad.flags = GWA_F_REMOVE);
	BAD(bad.flags = GWA_F_RADIO);
	/* One of 1.0 is shorter, and good. */
	bad = good;
	ops = good_ops;
	ops.size = offsetof(struct gwa_ops, ask);
	bad.ops = &ops;
	check_ok(plugin_check(&bad, why));
	check_true(!plugin_can_ask(&bad));
	/* A plugin that grew says so, and what we know of it is there. */
	bad = good;
	bad.size += 64;
	check_ok(plugin_check(&bad, why));
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(numbers_agree),
		cmocka_unit_test(every_capability_is_in_the_header),
		cmocka_unit_test(descriptors_are_checked),
	};

	return CHECK_RUN(rows);
}
