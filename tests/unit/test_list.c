/* The list: order, removal inside a walk, removal twice. And the two macros of base.h that own
 * pointers. */
#include "check.h"

#include "base/list.h"

struct item {
	int n;
	struct list link;
};

static int sum_in_order(struct list *head)
{
	struct item *item, *tmp;
	int digits = 0;

	list_each(item, tmp, head, link) digits = digits * 10 + item->n;
	return digits;
}

static void items_stay_in_order(void **state)
{
	struct item items[3] = { { .n = 1 }, { .n = 2 }, { .n = 3 } };
	struct list head;

	(void)state;
	list_init(&head);
	check_true(list_is_empty(&head));
	check_true(list_first(&head, struct item, link) == NULL);
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].link);
	check_int(sum_in_order(&head), 123);
	list_remove(&items[1].link);
	check_int(sum_in_order(&head), 13);
	list_remove(&items[1].link);
	check_int(sum_in_order(&head), 13);
	list_append(&head, &items[1].link);
	check_int(sum_in_order(&head), 132);
	check_true(list_first(&head, struct item, link) == &items[0]);
}

static void a_walk_may_free_its_item(void **state)
{
	struct item *item, *tmp;
	struct list head;

	(void)state;
	list_init(&head);
	for (int i = 1; i < 5; i++) {
		item = calloc(1, sizeof(*item));
		assert_non_null(item);
		item->n = i;
		list_append(&head, &item->link);
	}
	list_each(item, tmp, &head, link)
	{
		if (item->n % 2) {
			list_remove(&item->link);
			free(item);
		}
	}
	check_int(sum_in_order(&head), 24);
	list_each(item, tmp, &head, link)
	{
		list_remove(&item->link);
		free(item);
	}
	check_true(list_is_empty(&head));
}

static void count_free(int *n)
{
	++*n;
}

DEFINE_CLEANUP(count_free, int *)

static void stolen_pointers_are_not_freed(void **state)
{
	int kept = 0, freed = 0, *taken;

	(void)state;
	{
		cleanup(count_freep) int *a = &kept;
		cleanup(count_freep) int *b = &freed;

		taken = STEAL(a);
		check_true(a == NULL);
		check_true(b == &freed);
	}
	check_true(taken == &kept);
	check_int(kept, 0);
	check_int(freed, 1);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(items_stay_in_order),
		cmocka_unit_test(a_walk_may_free_its_item),
		cmocka_unit_test(stolen_pointers_are_not_freed),
	};

	return CHECK_RUN(rows);
}
