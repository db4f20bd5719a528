/* Two questions, one answer each. How full is it: 80 % raises an alarm, 95 % another, each with a little slack before it clears.
 * And is the reserve whole: when not, everybody who could do without room is told so, and as soon as the disk has more
 * again than the reserve wants, it is made anew.
 *
 * The file is shortened on the writer thread, in the middle of a commit that failed, and made longer on a pool thread: a slow card
 * must not stop the loop. Both hold the lock. What the file holds is random, so that no file system stores it as nothing.
 */
#include "room.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/text.h"
#include "model/alarm.h"
#include "sys/crypto.h"
#include "sys/log.h"

enum { LOW = 800, LOW_CLEARS = 770, OUT = 950, OUT_CLEARS = 930, SLACK = 1024 * 1024, BLOCK = 65536, START_NEEDS = 256 * 1024, DISK_TIMES = 5 };

struct room {
	struct room_parts parts;
	struct loop *loop;
	char *folder;
	int fd;
	pthread_mutex_t lock; /* of the file's length */
	atomic_uint left;     /* bytes of the file */
	bool tight, low, out, judged, growing, closed;
	int64_t looked_ms, dropped_ms;
	uint64_t disk_bytes, disk_free;
};

unsigned room_used(uint64_t audit_bytes, uint64_t audit_bytes_max, uint64_t disk_bytes, uint64_t disk_free, uint64_t need)
{
	uint64_t size = disk_bytes < DISK_TIMES * need ? disk_bytes : DISK_TIMES * need;
	uint64_t of_record = audit_bytes_max ? audit_bytes * 1000 / audit_bytes_max : 0;
	uint64_t of_disk = size && disk_free < size ? 1000 - disk_free * 1000 / size : 0;
	uint64_t used = of_record > of_disk ? of_record : of_disk;

	return used < 1000 ? (unsigned)used : 1000;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */

/* Writer thread. */
static bool reserve_release(void *ctx)
{
	struct room *room = ctx;
	unsigned left;
	bool freed = false;

	pthread_mutex_lock(&room->lock);
	left = atomic_load(&room->left);
	if (left) {
		unsigned next = left > ROOM_STEP ? left - ROOM_STEP : 0;

		freed = ftruncate(room->fd, next) == 0;
		/* Blocks are free for others when the file system has written down that they are. */
		if (freed) {
			(void)fsync(room->fd);
			atomic_store(&room->left, next);
		}
	}
	pthread_mutex_unlock(&room->lock);
	return freed;
}

/* From where it ends to its whole length; what was written before the disk was full stays. */
static int reserve_fill(struct room *room)
{
	uint8_t *block = malloc(BLOCK);
	unsigned left, before;
	int r = 0;

	if (!block)
		return -ENOMEM;
	pthread_mutex_lock(&room->lock);
	left = before = atomic_load(&room->left);
	crypto_random(block, BLOCK);
	while (left < ROOM_RESERVE && r == 0) {
		ssize_t n = pwrite(room->fd, block, BLOCK, left);

		if (n > 0)
			left += (unsigned)n;
		else if (errno != EINTR)
			r = -errno;
	}
	if (r)
		left = before; /* somebody needs it more */
	if (ftruncate(room->fd, left) < 0 || fsync(room->fd) < 0)
		r = -errno;
	atomic_store(&room->left, left);
	pthread_mutex_unlock(&room->lock);
	free(block);
	return r;
}

static int open_file(const char *folder, int flags, int *ret_fd, unsigned *ret_len)
{
	char path[4096];
	off_t len;
	int fd;

	if (!text_print(path, sizeof(path), "%s/reserve", folder))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return -errno;
	len = lseek(fd, 0, SEEK_END);
	len = len > ROOM_RESERVE ? ROOM_RESERVE : len - len % BLOCK;
	if (len < 0 || ftruncate(fd, len) < 0) {
		close(fd);
		return -EIO;
	}
	*ret_fd = fd;
	*ret_len = (unsigned)len;
	return 0;
}

void room_for_start(const char *folder)
{
	struct statvfs fs;
	unsigned len;
	int fd;

	if (statvfs(folder, &fs) < 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= START_NEEDS || open_file(folder, 0, &fd, &len))
		return;
	if (ftruncate(fd, len > ROOM_STEP ? len - ROOM_STEP : 0) == 0)
		(void)fsync(fd);
	close(fd);
}

static int reserve_open(struct room *room)
{
	unsigned len = 0;
	int r = open_file(room->folder, O_CREAT, &room->fd, &len);

	atomic_store(&room->left, len);
	return r == -ENOSPC ? 0 : r;
}

static void measure(struct room *room)
{
	struct statvfs fs;

	if (statvfs(room->folder, &fs) < 0)
		return;
	room->disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	room->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* --- making it anew -------------------------------------------------------------------------------------------------- */

static void room_free(struct room *room)
{
	if (room->fd >= 0)
		close(room->fd);
	pthread_mutex_destroy(&room->lock);
	free(room->folder);
	free(room);
}

static void grow_work(void *ctx)
{
	(void)!reserve_fill(ctx);
}

static void on_grown(void *ctx, int r)
{
	struct room *room = ctx;

	(void)r;
	room->growing = false;
	if (room->closed)
		room_free(room);
}

static bool may_grow(const struct room *room)
{
	unsigned missing = ROOM_RESERVE - atomic_load(&room->left);

	return room->fd >= 0 && missing && room->disk_free >= (uint64_t)missing + SLACK;
}

static void grow(struct room *room)
{
	if (room->growing || !may_grow(room))
		return;
	room->growing = loop_work(room->loop, grow_work, on_grown, room) == 0;
}

/* --- looking --------------------------------------------------------------------------------------------------------- */

static void set_alarm(struct room *room, enum alarm_kind kind, bool *is_on, bool on, const char *detail)
{
	struct device_id none = { { 0 } };

	if (on == *is_on && room->judged)
		return;
	*is_on = on;
	if (on)
		alarms_raise(room->parts.alarms, kind, none, "state", detail);
	else
		alarms_clear(room->parts.alarms, kind, none, "state"); /* at the first look: one that was left from before */
}

static void set_tight(struct room *room, bool tight)
{
	if (tight == room->tight)
		return;
	room->tight = tight;
	store_set_tight(room->parts.store, tight);
	spool_set_tight(room->parts.spool, tight);
	audit_set_tight(room->parts.audit, tight);
}

static void judge(struct room *room)
{
	const struct room_parts *parts = &room->parts;
	uint64_t audit_bytes_now = audit_bytes(parts->audit);
	unsigned used = room_used(audit_bytes_now, parts->audit_bytes_max, room->disk_bytes, room->disk_free,
				  parts->audit_bytes_max + parts->spool_bytes_max);
	bool is_whole = atomic_load(&room->left) == ROOM_RESERVE;
	char detail[96];

	set_tight(room, !is_whole || (store_error(parts->store) == -ENOSPC && room->disk_free < SLACK));
	(void)text_print(detail, sizeof(detail), "record %llu of %llu KiB, disk has %llu KiB left", (unsigned long long)audit_bytes_now / 1024,
			 (unsigned long long)parts->audit_bytes_max / 1024, (unsigned long long)room->disk_free / 1024);
	set_alarm(room, ALARM_SPACE_LOW, &room->low, used >= (room->low ? LOW_CLEARS : LOW), detail);
	set_alarm(room, ALARM_SPACE_OUT, &room->out, room->tight || used >= (room->out ? OUT_CLEARS : OUT), detail);
	room->judged = true;
}

/* --- what is old ----------------------------------------------------------------------------------------------------- */

static void on_dropped(void *ctx, int r, unsigned dropped)
{
	(void)ctx;
	if (r < 0)
		log_warn("old parts of the record could not be dropped", log_err(r));
	else if (dropped)
		log_notice("old parts of the record were dropped", log_i64("files", dropped));
}

/* The first time an hour after the start: who has just been started has better things to do. */
static void drop_old(struct room *room, int64_t now)
{
	if (!room->dropped_ms)
		room->dropped_ms = now - ROOM_DROP_MS + ROOM_DROP_MS / 24;
	if (now - room->dropped_ms < ROOM_DROP_MS)
		return;
	if (audit_drop_old(room->parts.audit, room->parts.keep_days, on_dropped, NULL) == 0)
		room->dropped_ms = now;
}

void room_look(struct room *room)
{
	int64_t now = loop_now_ms(room->loop);
	bool is_new = !room->tight && !room->growing && atomic_load(&room->left) < ROOM_RESERVE;

	if (!is_new && room->looked_ms && now - room->looked_ms < ROOM_LOOK_MS)
		return;
	room->looked_ms = now;
	measure(room);
	grow(room);
	judge(room);
	drop_old(room, now);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

int room_new(const struct room_parts *parts, struct room **ret)
{
	struct room *room = calloc(1, sizeof(*room));
	int r;

	if (!room)
		return -ENOMEM;
	room->parts = *parts;
	room->loop = parts->loop;
	room->fd = -1;
	room->folder = strdup(parts->folder);
	pthread_mutex_init(&room->lock, NULL);
	r = room->folder ? reserve_open(room) : -ENOMEM;
	measure(room);
	if (r == 0 && may_grow(room))
		r = reserve_fill(room);
	if (r && r != -ENOSPC) {
		room_free(room);
		return r;
	}
	store_set_reserve(parts->store, &(struct store_reserve){ .bases = ~(1u << parts->spool_db), .release = reserve_release, .ctx = room });
	*ret = room;
	return 0;
}

struct room *room_close(struct room *room)
{
	if (!room)
		return NULL;
	room->closed = true;
	if (!room->growing)
		room_free(room);
	return NULL;
}
