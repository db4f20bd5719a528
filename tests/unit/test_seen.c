/* The same id again is a duplicate, for as long as it is among the last so many; askers do not meet. */
#include "check.h"

#include "router/seen.h"
#include "sys/crypto.h"

static bool again(struct seen *seen, const char *scope, const char *id)
{
	return seen_before(seen, scope, strlen(scope), id);
}

static void an_id_counts_once_an_asker(void **state)
{
	struct seen *seen, *other;
	(void)state;
	check_ok(crypto_init());
	check_ok(seen_new(&seen));
	check_ok(seen_new(&other));
	check_true(!again(seen, "app", "1"));
	check_true(again(seen, "app", "1"));
	check_true(!again(seen, "app", "2"));
	check_true(!again(seen, "cloud", "1"));
	check_true(!again(other, "app", "1"));
	check_true(again(seen, "app", "2") && again(seen, "cloud", "1") && again(seen, "app", "1"));
	seen_free(seen);
	seen_free(other);
}

static void the_last_so_many_are_remembered(void **state)
{
	struct seen *seen;
	char id[16];
	(void)state;
	check_ok(crypto_init());
	check_ok(seen_new(&seen));
	for (int i = 0; i < SEEN_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		check_true(!again(seen, "app", id));
	}
	check_true(again(seen, "app", "0")); /* a duplicate takes no place */
	check_true(!again(seen, "app", "more"));
	check_true(!again(seen, "app", "0")); /* the oldest has made room, and so does the next one now */
	check_true(again(seen, "app", "2"));
	snprintf(id, sizeof(id), "%d", SEEN_MAX - 1);
	check_true(again(seen, "app", id));
	seen_free(seen);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(an_id_counts_once_an_asker),
		cmocka_unit_test(the_last_so_many_are_remembered),
	};
	return CHECK_RUN(rows);
}
