/* What a server sends after our opening: its head, then frames; a message never grows past its limit. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "shelly/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[WS_KEY_LEN] = "the sample nonce";

static bool take(struct ws_message *message, const struct ws_frame *frame)
{
	struct ws_frame whole = { 0 };
	int r;

	if (frame->op >= WS_CLOSE)
		return frame->op != WS_CLOSE;
	r = ws_message_add(message, frame, &whole);
	if (r == 0 && (whole.len > WS_MESSAGE_MAX || (whole.op == WS_TEXT && !text_is_utf8(whole.data, whole.len))))
		abort();
	return r == 0 || r == WS_E_SHORT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ws_message message = { 0 };
	struct ws_frame frame;
	unsigned status;
	size_t used = 0;

	/* Without a head that fits, the frames are what there is. */
	if (ws_opened(data, size, key, &used, &status) == 0) {
		if (used > size)
			abort();
		data += used;
		size -= used;
	}
	while (ws_read(data, size, &used, &frame) == 0) {
		if (used > size || !used || !take(&message, &frame))
			break;
		data += used;
		size -= used;
	}
	ws_message_deinit(&message);
	return 0;
}
