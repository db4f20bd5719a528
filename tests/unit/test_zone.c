/* Local time by zone files: known changes of real zones, far years by the footer's rule, files that are none. */
#include "check.h"

#include <time.h>
#include "router/zone.h"
#include "sys/host.h"

static struct zone *load(const char *name)
{
	char path[128], *data;
	size_t len;
	struct zone *zone;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	check_ok(host_read_file(path, ZONE_FILE_MAX, &data, &len));
	check_ok(zone_parse(data, len, &zone));
	free(data);
	return zone;
}

static void summer_time_begins_and_ends_on_its_second(void **state)
{
	struct zone *berlin = load("Europe/Berlin"), *york = load("America/New_York"), *lord = load("Australia/Lord_Howe");
	(void)state;
	/* 2026-03-29 01:00:00 UTC and 2026-10-25 01:00:00 UTC */
	check_int(zone_offset_s(berlin, 1774746000 - 1), 3600);
	check_int(zone_offset_s(berlin, 1774746000), 7200);
	check_int(zone_offset_s(berlin, 1792890000 - 1), 7200);
	check_int(zone_offset_s(berlin, 1792890000), 3600);
	check_int(zone_offset_s(york, 1772953200 - 1), -18000); /* 2026-03-08 07:00 UTC */
	check_int(zone_offset_s(york, 1772953200), -14400);
	check_int(zone_offset_s(lord, 1770000000), 39600); /* half an hour of summer time, in February */
	zone_free(berlin);
	zone_free(york);
	zone_free(lord);
}

static void all_zones_agree_with_the_c_library(void **state)
{
	static const char *const names[] = { "UTC", "Asia/Shanghai", "Europe/London", "America/Sao_Paulo", "Pacific/Auckland", "Asia/Kathmandu",
					     "Africa/Casablanca", "America/St_Johns", "Europe/Dublin" };
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		struct zone *zone = load(names[i]);
		setenv("TZ", names[i], 1);
		tzset();
		/* From 1970 to 2037 (a 32-bit time_t's end), every 37 hours and 13 minutes. */
		for (int64_t t = 0; t < INT64_C(2145916800); t += 133980) {
			time_t now = (time_t)t;
			struct tm tm;
			assert_non_null(localtime_r(&now, &tm));
			if (zone_offset_s(zone, t) != tm.tm_gmtoff) {
				print_error("%s at %lld\n", names[i], (long long)t);
				check_int(zone_offset_s(zone, t), tm.tm_gmtoff);
			}
		}
		zone_free(zone);
	}
	unsetenv("TZ");
}

static void years_beyond_the_list_follow_the_rule(void **state)
{
	struct zone *berlin = load("Europe/Berlin");
	(void)state;
	check_int(zone_offset_s(berlin, INT64_C(4105076400)), 3600);  /* 2100-01-31 */
	check_int(zone_offset_s(berlin, INT64_C(4120628400)), 7200);  /* 2100-07-30 */
	zone_free(berlin);
}

static void what_is_no_zone_file_is_refused(void **state)
{
	char *data;
	size_t len;
	struct zone *zone;
	(void)state;
	check_ok(host_read_file("/usr/share/zoneinfo/Europe/Berlin", ZONE_FILE_MAX, &data, &len));
	for (size_t n = 0; n < len; n++) {
		char *cut = malloc(n ? n : 1); /* exactly as long, so that a read too far is seen */
		memcpy(cut, data, n);
		check_int(zone_parse(cut, n, &zone), ZONE_E_SYNTAX);
		free(cut);
	}
	for (size_t i = 0; i < len; i++) {
		data[i] = (char)(data[i] ^ 0x55);
		if (zone_parse(data, len, &zone) == 0)
			zone_free(zone);
		data[i] = (char)(data[i] ^ 0x55);
	}
	free(data);
	data = calloc(1, ZONE_FILE_MAX + 1);
	check_int(zone_parse(data, ZONE_FILE_MAX + 1, &zone), ZONE_E_SYNTAX);
	free(data);
	check_true(ZONE_TIMES_MAX >= 400); /* the longest list of today has some 240 */
	check_int(zone_offset_s(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(summer_time_begins_and_ends_on_its_second),
		cmocka_unit_test(all_zones_agree_with_the_c_library),
		cmocka_unit_test(years_beyond_the_list_follow_the_rule),
		cmocka_unit_test(what_is_no_zone_file_is_refused),
	};
	return CHECK_RUN(rows);
}
