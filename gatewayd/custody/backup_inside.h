#pragma once
/* backup_inside - what backup.c and backup_make.c share: one backup under way.
 *
 *   above   custody/backup  custody/backup_make
 *   below   base/base  custody/backup  sys/crypto  sys/json  sys/loop  vault/parcel
 *   owns    struct run, struct backup
 *   limits  -
 */
#include <pthread.h>
#include <stdatomic.h>
#include "base/base.h"
#include "custody/backup.h"
#include "sys/crypto.h"
#include "sys/json.h"
#include "sys/loop.h"
#include "vault/parcel.h"

/* One backup under way. The loop makes it and takes it back; in between it is the thread's. */
struct run {
	struct backup_options options;
	struct box_public to;
	char folder[BACKUP_PATH_MAX], staging[BACKUP_PATH_MAX];
	int64_t now_s;
	struct backup_result result;
	struct parcel_writer *parcel;
	struct json *sums;
	struct crypto_hash *hash;
	const atomic_bool *cancel;
	atomic_bool ended;
	int r;
	/* the loop's */
	pthread_t thread;
	struct audit_record *record;
	backup_made_fn done;
	void *ctx;
	struct backup *backup;
};

struct backup {
	struct backup_options options;
	char *folder;
	bool has_key, closing;
	struct box_public key;
	struct wake *wake;
	struct run *run;     /* on its thread */
	unsigned n_jobs;     /* at the writer */
	atomic_bool cancel;
};

void *backup_thread(void *run); /* for pthread_create; sends the wake when it has ended */
