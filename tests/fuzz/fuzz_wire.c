/* Any packet at any peer: what is let through must encode to the very bytes it came from.
 *
 * Byte 0 chooses the peer (bit 0 the end, bit 1 the kind, bits 2 and 3 the phase); the rest is the
 * packet.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void encode_again(const struct wire_msg *msg, const uint8_t *bytes, size_t len)
{
	uint8_t *buf = malloc(WIRE_PACKET_MAX);
	struct writer w = writer_over(buf, WIRE_PACKET_MAX);

	wire_put(&w, msg);
	if (w.bad || writer_len(&w) != len || memcmp(buf, bytes, len) != 0 ||
	    len > wire_len_max(msg))
		abort();
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_scratch *scratch = malloc(sizeof(*scratch));
	struct wire_msg *msg = malloc(sizeof(*msg));
	struct wire_peer peer = { 0 };
	struct reader packet;

	if (len > 0 && len <= WIRE_PACKET_MAX) {
		const uint8_t *start = data + 1;

		peer.is_core = data[0] & 1;
		peer.kind = data[0] & 2 ? WIRE_LINK : WIRE_ADAPTER;
		peer.phase = (enum wire_phase)(data[0] >> 2 & 3);
		packet = reader_over(data + 1, len - 1);
		while (wire_next(&packet, &peer, scratch, msg) == 1) {
			encode_again(msg, start, (size_t)(packet.p - start));
			start = packet.p;
			wire_peer_step(&peer, msg);
		}
	}
	free(scratch);
	free(msg);
	return 0;
}
