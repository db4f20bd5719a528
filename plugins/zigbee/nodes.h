#pragma once
/* nodes - the devices of the network, found by either of their addresses, and as the bytes in which they are kept.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/bytes  base/text  zigbee/node  zigbee/zdo
 *   owns    nothing: rows are the caller's; a row that was read owns its endpoints (nodes_row_deinit)
 *   limits  NODES_MAX NODES_BLOBS_MAX NODES_BLOB_MAX NODES_ROW_MAX
 *   errors  NODES_E_FULL NODES_E_TAKEN NODES_E_END NODES_E_BLOB
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/node.h"

enum {
	NODES_MAX = 256,
	NODES_BLOBS_MAX = 13,
	NODES_BLOB_MAX = 32768,
	NODES_ROW_MAX = 1500, /* NODES_MAX such rows fit into NODES_BLOBS_MAX blobs; of a longer one its addresses are kept */
};
enum {
	NODES_E_FULL = 1,
	NODES_E_TAKEN = 2, /* this device is in it */
	NODES_E_END = 3,   /* no row is left */
	NODES_E_BLOB = 4,  /* no blob of ours, or a damaged one */
};
enum { NODES_NO_NWK = 0xfffe }; /* Zigbee 3.6.1.9: a device without a short address */

enum nodes_stage { NODES_HEARD, NODES_DESCRIBED, NODES_READY, NODES_STAGES };
struct nodes_row {
	struct node node;
	uint8_t stage; /* enum nodes_stage: how far its interview has come */
};
void nodes_row_deinit(struct nodes_row *row);

/* Zero-initialised is empty. */
struct nodes {
	struct nodes_row *rows[NODES_MAX];
	size_t n;
};
struct nodes_row *nodes_by_eui(const struct nodes *nodes, uint64_t eui); /* NULL: none */
struct nodes_row *nodes_by_nwk(const struct nodes *nodes, uint16_t nwk);
must_check int nodes_add(struct nodes *nodes, struct nodes_row *row);
void nodes_remove(struct nodes *nodes, const struct nodes_row *row);
/* A short address is one device's: who had it before has none now. */
void nodes_move(struct nodes *nodes, struct nodes_row *row, uint16_t nwk);

/* As many rows from *at on as fit; moves *at. Returns the length, 0: there was none left. */
must_check size_t nodes_write(const struct nodes *nodes, size_t *at, uint8_t *buf, size_t cap);
/* The next row of a blob; the view moves on. */
must_check int nodes_read(struct view *blob, bool *started, struct nodes_row *ret);
