/* A record is filled with borrowed texts by whoever asks; a job on the writer thread needs it later. So it is copied
 * once, texts behind the struct in the same allocation. */
#include <stdlib.h>
#include <string.h>
#include "audit/audit.h"

static const char *copy_text(char **at, const char *text)
{
	if (!text)
		return NULL;
	size_t len = strlen(text) + 1;
	char *here = *at;
	memcpy(here, text, len);
	*at += len;
	return here;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

struct audit_record *audit_record_copy(const struct audit_record *record)
{
	size_t len = sizeof(*record) + text_size(record->subject_name) + text_size(record->source_addr) +
		     text_size(record->object) + text_size(record->action) + text_size(record->detail);
	struct audit_record *copy = malloc(len);
	if (!copy)
		abort(); /* an action that cannot be recorded must not happen */
	*copy = *record;
	char *at = (char *)(copy + 1);
	copy->subject_name = copy_text(&at, record->subject_name);
	copy->source_addr = copy_text(&at, record->source_addr);
	copy->object = copy_text(&at, record->object);
	copy->action = copy_text(&at, record->action);
	copy->detail = copy_text(&at, record->detail);
	return copy;
}

struct audit_record *audit_record_free(struct audit_record *record)
{
	free(record);
	return NULL;
}
