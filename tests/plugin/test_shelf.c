/* Saved blobs: what the plugin saved since wins over what a core says, and reaches every new core.
 */
#include "check.h"

#include "host/shelf.h"
#include "sys/crypto.h"

static struct view text(const char *t)
{
	return (struct view){ (const uint8_t *)t, strlen(t) };
}

static void save_and_fill(void **state)
{
	struct shelf shelf = { .n = 0 };
	const struct shelf_item *item;

	(void)state;
	check_ok(crypto_init());
	check_ok(shelf_fill(&shelf, text("key"), text("old")));
	check_true(shelf_dirty(&shelf) == NULL);
	check_ok(shelf_save(&shelf, text("key"), text("newer")));
	check_ok(shelf_fill(&shelf, text("key"), text("old")));
	item = shelf_find(&shelf, text("key"));
	check_bytes(item->data, item->len, "newer", 5);
	check_true(shelf_dirty(&shelf) == item);
	shelf_dirty(&shelf)->dirty = false;
	check_true(shelf_dirty(&shelf) == NULL);
	shelf_again(&shelf);
	check_true(shelf_dirty(&shelf) == item);
	check_true(shelf_find(&shelf, text("ke")) == NULL);
	check_ok(shelf_save(&shelf, text("key"), text("")));
	check_uint(shelf_find(&shelf, text("key"))->len, 0);
	shelf_deinit(&shelf);
}

static void limits(void **state)
{
	struct shelf shelf = { .n = 0 };
	char long_key[SHELF_KEY_MAX + 1];
	uint8_t *blob = calloc(1, SHELF_BLOB_MAX + 1);

	(void)state;
	memset(long_key, 'k', sizeof(long_key));
	check_int(shelf_save(&shelf, text(""), text("x")), SHELF_E_LONG);
	check_int(shelf_save(&shelf, (struct view){ (uint8_t *)long_key, SHELF_KEY_MAX + 1 },
			     text("x")),
		  SHELF_E_LONG);
	check_int(shelf_save(&shelf, text("big"), (struct view){ blob, SHELF_BLOB_MAX + 1 }),
		  SHELF_E_LONG);
	check_ok(shelf_save(&shelf, (struct view){ (uint8_t *)long_key, SHELF_KEY_MAX },
			    (struct view){ blob, SHELF_BLOB_MAX }));
	for (char k[] = "a"; k[0] < 'a' + SHELF_MAX - 1; k[0]++)
		check_ok(shelf_save(&shelf, text(k), text("x")));
	check_int(shelf_save(&shelf, text("z"), text("x")), SHELF_E_FULL);
	check_ok(shelf_save(&shelf, text("a"), text("y")));
	shelf_deinit(&shelf);
	free(blob);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(save_and_fill),
		cmocka_unit_test(limits),
	};

	return CHECK_RUN(rows);
}
