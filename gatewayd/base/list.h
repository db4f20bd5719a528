#pragma once
/* list - an intrusive doubly linked list; the head is a node, too.
 *
 *   above   everything
 *   below   base/base
 *   owns    nothing: nodes are embedded in their owners
 */
#include "base/base.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Safe to call twice: a removed node is a list of its own. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_first(head, type, member) \
	(list_is_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))
/* The body may remove (and free) item itself. */
#define list_each(item, tmp, head, member)                                        \
	for (item = CONTAINER_OF((head)->next, __typeof__(*item), member),        \
	    tmp = CONTAINER_OF(item->member.next, __typeof__(*item), member);     \
	     &item->member != (head);                                             \
	     item = tmp, tmp = CONTAINER_OF(item->member.next, __typeof__(*item), member))
