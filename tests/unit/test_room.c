/* How full is full, and what the record leaves out while room is short. What a full disk does to the whole gateway is
 * tests/system/test_full_disk.py. */
#include "check.h"

#include <unistd.h>

#include "audit/collapse.h"
#include "conf/conf.h"
#include "room.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static void per_mille_of_the_record_and_of_the_disk(void **state)
{
	const uint64_t gib = (uint64_t)1024 * MIB, need = 320 * (uint64_t)MIB;

	(void)state;
	check_uint(room_used(0, 256 * MIB, 32 * gib, 30 * gib, need), 0);
	check_uint(room_used(128 * MIB, 256 * MIB, 32 * gib, 30 * gib, need), 500);
	check_uint(room_used(300 * (uint64_t)MIB, 256 * MIB, 32 * gib, 30 * gib, need), 1000);
	/* A large disk that is nearly full has room enough; a small one has not. */
	check_uint(room_used(0, 256 * MIB, 32 * gib, 2 * gib, need), 0);
	check_uint(room_used(0, 256 * MIB, 32 * gib, need, need), 800);
	check_uint(room_used(0, 256 * MIB, 32 * gib, need / 4, need), 950);
	check_uint(room_used(0, 256 * MIB, 8 * MIB, 1 * MIB, need), 875);
	check_uint(room_used(0, 256 * MIB, 8 * MIB, 0, need), 1000);
	check_uint(room_used(200 * MIB, 256 * MIB, 8 * MIB, 4 * MIB, need), 781);
	check_uint(room_used(0, 0, 0, 0, 0), 0);
}

struct heard {
	unsigned n;
	uint64_t total;
};

static void on_count(void *ctx, const struct audit_record *record)
{
	struct heard *heard = ctx;

	heard->n++;
	heard->total += record->count;
}

/* A stranger who varies what he asks for; returns how many of n were written at once. */
static unsigned knock(struct collapse *collapse, unsigned n)
{
	unsigned written = 0;

	for (unsigned i = 0; i < n; i++) {
		char object[32], addr[32];

		snprintf(object, sizeof(object), "thing %u", i);
		snprintf(addr, sizeof(addr), "uid:%u", i);
		written += collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .object = object,
									   .source_addr = addr });
		written += collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_LOGIN, .outcome = AUDIT_FAILED, .object = "login",
									   .subject_name = object, .source_addr = addr });
	}
	return written;
}

static void while_room_is_short_strangers_are_counted_only(void **state)
{
	struct collapse *collapse;
	struct heard heard = { .n = 0 };
	struct device_id device = { { 1 } };

	(void)state;
	check_ok(collapse_new(&collapse));
	check_uint(knock(collapse, 1000), 2 * COLLAPSE_OBJECTS_MAX);
	collapse_flush(collapse, on_count, &heard);
	heard = (struct heard){ .n = 0 };
	for (int i = 0; i < 3; i++)
		collapse_flush(collapse, on_count, &heard);
	collapse_set_strict(collapse, true);
	heard = (struct heard){ .n = 0 };
	check_uint(knock(collapse, 10000), 0);
	for (int i = 0; i < 1000; i++) {
		device.b[0] = (uint8_t)i;
		collapse_count(collapse, device, 2);
	}
	/* What those do who have shown who they are is written as ever, and that a user was locked out. */
	check_true(collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_USER_CHANGE, .subject = { SUBJECT_USER, 1 }, .object = "gus" }));
	check_true(collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_LOGIN, .subject = { SUBJECT_USER, 1 } }));
	for (int i = 0; i < 3; i++)
		check_true(collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_LOCKOUT, .outcome = AUDIT_DENIED,
									   .subject = { SUBJECT_USER, 1 } }));
	check_true(!collapse_note(collapse, &(struct audit_record){ .kind = AUDIT_LOCKOUT, .outcome = AUDIT_DENIED, .subject_name = "nobody" }));
	collapse_flush(collapse, on_count, &heard);
	check_true(heard.n <= 4);
	check_uint(heard.total, 20000 + 1 + 2000);
	collapse_set_strict(collapse, false);
	collapse_flush(collapse, on_count, &heard);
	collapse_flush(collapse, on_count, &heard);
	check_true(knock(collapse, 100) > 0);
	collapse_free(collapse);
}

static void the_settings_keep_half_a_year_at_least(void **state)
{
	static const char *const rows[] = { "179", "0", "4000", "180", "365" };
	char error[2048], path[64] = "/tmp/gw-room-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	check_true(fd >= 0);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct conf *conf = NULL;
		FILE *f = fopen(path, "w");

		fprintf(f, "site: {name: x, timezone: UTC, maker: \"00d3a0\", product: \"000001\"}\naudit: {keep_days: %s}\n", rows[i]);
		fclose(f);
		int r = conf_load(path, error, sizeof(error), &conf);

		check_true(i < 3 ? r != 0 && strstr(error, "keep_days") != NULL : r == 0 && conf->audit_keep_days >= AUDIT_KEEP_DAYS_MIN);
		if (r == 0)
			conf_free(conf);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(per_mille_of_the_record_and_of_the_disk),
		cmocka_unit_test(the_settings_keep_half_a_year_at_least),
		cmocka_unit_test(while_room_is_short_strangers_are_counted_only),
	};

	return CHECK_RUN(rows);
}
