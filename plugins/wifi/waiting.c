/* A queue with two bounds, because a stranger chooses how long a message is. */
#include "wifi/waiting.h"

#include <stdlib.h>
#include <string.h>

int waiting_add(struct waiting *waiting, const struct waiting_message *like)
{
	size_t topic_len = strlen(like->topic) + 1, size = sizeof(struct waiting_message) + topic_len + like->len;
	struct waiting_message *message;

	if (waiting->n == WAITING_MAX || size > WAITING_BYTES_MAX - waiting->bytes)
		return WAITING_E_FULL;
	message = malloc(size);
	if (!message)
		return WAITING_E_FULL;
	*message = *like;
	message->next = NULL;
	memcpy(message->bytes, like->topic, topic_len);
	if (like->len)
		memcpy(message->bytes + topic_len, like->payload, like->len);
	message->topic = message->bytes;
	message->payload = message->bytes + topic_len;
	if (!waiting->first)
		waiting->end = &waiting->first;
	*waiting->end = message;
	waiting->end = &message->next;
	waiting->n++;
	waiting->n_acked += message->acked;
	waiting->bytes += size;
	return 0;
}

void waiting_remove(struct waiting *waiting, struct waiting_message **at)
{
	struct waiting_message *message = *at;

	*at = message->next;
	if (waiting->end == &message->next)
		waiting->end = at;
	waiting->n--;
	waiting->n_acked -= message->acked;
	waiting->bytes -= sizeof(*message) + strlen(message->topic) + 1 + message->len;
	free(message);
}

void waiting_deinit(struct waiting *waiting)
{
	while (waiting->first)
		waiting_remove(waiting, &waiting->first);
}
