#pragma once
/* outbox - the rows of gateway.db that wait to become records of the log.
 *
 *   above   audit/drain
 *   below   audit/audit  audit/record  base/base  sys/db
 *   owns    the tables outbox and outbox_boot
 *   limits  OUTBOX_ROWS_MAX
 */
#include "audit/audit.h"
#include "audit/record.h"
#include "base/base.h"
#include "sys/db.h"

enum { OUTBOX_ROWS_MAX = 64 }; /* moved in one transaction */

struct outbox_row {
	uint64_t id;
	size_t len;
	uint8_t data[AUDIT_RECORD_MAX]; /* a record that lacks seq, boot id and clock state */
};
must_check int outbox_read(struct db *db, size_t max, struct outbox_row *ret, size_t *ret_n); /* oldest first */
must_check int outbox_delete(struct db *db, uint64_t up_to);
must_check int outbox_boot_get(struct db *db, uint8_t ret[RECORD_BOOT_ID_LEN]); /* zeros: none yet */
must_check int outbox_boot_set(struct db *db, const uint8_t boot_id[RECORD_BOOT_ID_LEN]);
