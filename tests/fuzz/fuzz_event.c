/* Any bytes as an event: what is read must be written again as the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = reader_over(data, len);
	uint8_t buf[EVENT_LEN_MAX];
	struct event event;
	struct writer w;

	if (event_get(&r, &event))
		return 0;
	w = writer_over(buf, sizeof(buf));
	event_put(&w, &event);
	if (w.bad || writer_len(&w) != (size_t)(r.p - data) ||
	    memcmp(buf, data, writer_len(&w)) != 0)
		abort();
	return 0;
}
