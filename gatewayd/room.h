#pragma once
/* room - how much room is left for what must be written, and the reserve that is kept for it.
 *
 *   above   app
 *   below   audit/audit  base/base  base/text  model/alarm  router/alarms  spool/spool  sys/crypto  sys/log  sys/loop
 *           sys/store
 *   owns    the file `reserve` of the state folder
 *   limits  ROOM_RESERVE ROOM_STEP ROOM_LOOK_MS ROOM_DROP_MS
 *
 * A full disk is when the record matters most: somebody may have filled it. So a file of ROOM_RESERVE bytes lies in the
 * state folder for nothing but to be shortened, a step at a time, when a commit finds no room. What is freed so is for those who have
 * shown who they are: meanwhile the spool takes alarms only and strangers' records are counted, not written.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "router/alarms.h"
#include "spool/spool.h"
#include "sys/loop.h"
#include "sys/store.h"

enum { ROOM_RESERVE = 4 * 1024 * 1024, ROOM_STEP = 512 * 1024, ROOM_LOOK_MS = 5000, ROOM_DROP_MS = 24 * 3600 * 1000 };

struct room_parts {
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	struct spool *spool;
	struct alarms *alarms;
	const char *folder;         /* state folder */
	uint64_t audit_bytes_max, spool_bytes_max;
	unsigned spool_db;          /* whose commits get nothing of the reserve */
	unsigned keep_days;         /* of the record: what is older and was exported goes, looked for once a day */
};
struct room;
/* Before anything is opened: a gateway whose disk was filled must still be able to start. */
void room_for_start(const char *folder);
/* Before the store starts and the fence closes. A disk that is too full for a reserve is no error. */
must_check int room_new(const struct room_parts *parts, struct room **ret);
void room_look(struct room *room); /* once a second; at most each ROOM_LOOK_MS it does something, at once when a commit failed */
struct room *room_close(struct room *room); /* after the store, which may still ask for the reserve */

/* Per mille of a room that is used: of the record's own, and of the disk's. Pure. A disk counts as at most five times what may still
 * be written to it: a large one with few per cent left has room enough. */
unsigned room_used(uint64_t audit_bytes, uint64_t audit_bytes_max, uint64_t disk_bytes, uint64_t disk_free, uint64_t need);
