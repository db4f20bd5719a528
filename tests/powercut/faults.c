/* A life: the home opens and works; then calls fail, once or for a while, at its start or in its work; then they do no more, time passes,
 * and everything it is asked from then on must be done, its error must be gone, and what it had acknowledged, before, meanwhile and
 * after, must be there when the judge opens what it left. Asked meanwhile, it may say no. A life is a child process of its own.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "base/text.h"
#include "disk.h"
#include "judge.h"
#include "luck.h"
#include "work.h"

enum { CALLS_FIRST = 50, LASTING = 100000, LIFE_SECONDS_MAX = 30, STEPS_BEFORE = 4, STEPS_IN = 5, STEPS_AFTER = 3, WHY_MAX = 240, TOLD_MAX = 8 };

enum family { FILES_AT_WORK, FILES_AT_START, MEMORY_AT_WORK, MEMORY_AT_START, DISK_FULL, CLOCKS, FAMILIES };

/* What goes wrong in one life. */
struct trouble {
	enum family family;
	struct tap_fault call;
	unsigned alloc_nth, alloc_times;
	uint64_t room;      /* DISK_FULL: bytes that are left */
	unsigned step;      /* CLOCKS: when */
	int64_t jump_us;    /* by; 0: time stands still */
	uint64_t seed;      /* of the day */
	char name[100];
};
/* In memory shared with the child. */
struct outcome {
	unsigned faults;
	char at[64];
	bool good, ended_itself;
	char why[WHY_MAX];
};

static const struct {
	enum tap_call call;
	int error;
	const char *name;
} calls[] = {
	{ TAP_OPEN, EMFILE, "open EMFILE" },	 { TAP_OPEN, EIO, "open EIO" },		    { TAP_OPEN, EINTR, "open EINTR" },
	{ TAP_CREATE, EMFILE, "create EMFILE" }, { TAP_CREATE, ENOSPC, "create ENOSPC" },   { TAP_READ, EIO, "read EIO" },
	{ TAP_READ, EINTR, "read EINTR" },	 { TAP_WRITE, ENOSPC, "write ENOSPC" },	    { TAP_WRITE, EIO, "write EIO" },
	{ TAP_WRITE, EINTR, "write EINTR" },	 { TAP_WRITE, EAGAIN, "write EAGAIN" },	    { TAP_WRITE, TAP_SHORT, "write short" },
	{ TAP_TRUNCATE, EIO, "truncate EIO" },	 { TAP_TRUNCATE, ENOSPC, "truncate ENOSPC" }, { TAP_SYNC, EIO, "fsync EIO" },
	{ TAP_SYNC, ENOSPC, "fsync ENOSPC" },	 { TAP_SYNC_FOLDER, EIO, "fsync folder EIO" }, { TAP_RENAME, EIO, "rename EIO" },
	{ TAP_LINK, EIO, "link EIO" },		 { TAP_UNLINK, EIO, "unlink EIO" },	    { TAP_STAT, EIO, "stat EIO" },
};

static const char *const family_names[FAMILIES] = {
	"files at work", "files at start", "memory at work", "memory at start", "disk full", "clocks",
};

size_t fault_families(void)
{
	return FAMILIES;
}

const char *fault_family(size_t i)
{
	return family_names[i];
}

/* --- one life -------------------------------------------------------------------------------------------------------- */

struct life {
	const struct fault_options *options;
	const struct trouble *trouble;
	struct work *work;
	struct outcome *outcome;
	char folder[200], ballast[240];
};

__attribute__((format(printf, 2, 3))) static void wrong(struct life *life, const char *format, ...)
{
	va_list args;

	if (life->outcome->why[0])
		return;
	va_start(args, format);
	vsnprintf(life->outcome->why, sizeof(life->outcome->why), format, args);
	va_end(args);
}

/* Fills the small disk but for room. */
static void fill_up(struct life *life)
{
	static const uint8_t block[4096];
	int fd = open(life->ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t n = 0;

	while (fd >= 0 && write(fd, block, sizeof(block)) == sizeof(block))
		n += sizeof(block);
	if (fd < 0 || ftruncate(fd, (off_t)(n > life->trouble->room ? n - life->trouble->room : 0)) || close(fd))
		wrong(life, "the ballast");
}

static void begin_trouble(struct life *life)
{
	const struct trouble *trouble = life->trouble;

	tap_fault(&trouble->call);
	alloc_fault(trouble->alloc_nth, trouble->alloc_times);
	if (trouble->family == DISK_FULL)
		fill_up(life);
}

static void end_trouble(struct life *life)
{
	life->outcome->faults = tap_faults() + alloc_faults() + (life->trouble->family >= DISK_FULL);
	(void)text_copy(life->outcome->at, sizeof(life->outcome->at), tap_fault_at());
	alloc_fault(0, 0);
	tap_fault(NULL);
	if (life->trouble->family == DISK_FULL)
		unlink(life->ballast);
}

static void jump(struct life *life)
{
	struct home *home = &life->work->home;

	if (life->trouble->jump_us)
		loop_set_wall_us(home->loop, loop_wall_us(home->loop) + life->trouble->jump_us);
	life->work->frozen = !life->trouble->jump_us;
	home_pass(home, 0);
}

static void steps(struct life *life, unsigned n, unsigned from)
{
	for (unsigned i = 0; i < n && life->work->lives; i++) {
		if (life->trouble->family == CLOCKS && from + i == life->trouble->step)
			jump(life);
		work_step(life->work);
	}
}

/* Retries are due, and the next minute's. */
static void calm_down(struct life *life)
{
	for (unsigned i = 0; i < 4; i++) {
		home_pass(&life->work->home, 61000);
		home_settle(&life->work->home);
	}
}

static bool open_it(struct life *life, bool may_fail)
{
	const char *where = "";
	int r = work_open(life->work, &where);

	if (r && !may_fail)
		wrong(life, "does not open again: %s: %d %s", where, r, r < 0 ? strerror(-r) : "");
	return r == 0;
}

static void afterwards(struct life *life)
{
	struct work *work = life->work;
	unsigned before;

	work->frozen = false;
	calm_down(life);
	before = work->n_failed;
	steps(life, STEPS_AFTER, STEPS_BEFORE + STEPS_IN);
	work_touch(work);
	calm_down(life);
	if (work->n_failed != before)
		wrong(life, "%u were refused although nothing fails any more", work->n_failed - before);
	if (work->lives && store_error(work->home.store))
		wrong(life, "the store still says %d", store_error(work->home.store));
}

static void judge_folder(struct life *life, const char *folder)
{
	struct promise *promise = calloc(1, sizeof(*promise));
	struct work *work = life->work;
	const struct judge_options judging = { folder, work->options.day->suite, work->options.day->schema_last,
					       work->options.day->segment_bytes_max, work->boot_ms + 1000, work->wall_us + 1000000, work->anchors, work->seeds };
	char why[WHY_MAX];
	enum verdict verdict;

	if (!promise)
		abort();
	promise->gaps = true;
	promise_advance(promise, &work->journal, work->journal.n_ops);
	verdict = judge(&judging, promise, why, sizeof(why));
	if (verdict != VERDICT_GOOD)
		wrong(life, "%s: %s", verdict_name(verdict), why);
	free(promise);
}

/* A picture of what it has written by now: of another process, for the locks of this one are still held. */
static void judge_remains(struct life *life)
{
	struct dice dice = dice_of(1, 1);
	char image[200];
	struct disk disk;

	(void)text_print(image, sizeof(image), "%s/image", life->options->base);
	(void)mkdir(image, 0700);
	tap_stop();
	disk_init(&disk, &life->work->journal);
	disk_advance(&disk, life->work->journal.n_ops);
	disk_write(&disk, DISK_ALL, &dice, image);
	disk_deinit(&disk);
	judge_folder(life, image);
}

/* Where memory ends, some of our code and some of libraries' ends the process on purpose: better than to go on without having hashed, or
 * recorded. The service manager starts it again, and then nothing may be lost. */
static struct life *ending;

static void on_abort(int signum)
{
	struct outcome *outcome = ending->outcome;
	pid_t child;

	(void)signum;
	outcome->faults += alloc_faults();
	alloc_fault(0, 0);
	tap_fault(NULL);
	child = ending->trouble->alloc_nth ? fork() : -1;
	if (child == 0) {
		alarm(LIFE_SECONDS_MAX);
		judge_remains(ending);
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		return; /* and so dies */
	outcome->ended_itself = true;
	outcome->good = !outcome->why[0];
	_exit(0);
}

static void live(struct life *life)
{
	bool at_start = life->trouble->family == FILES_AT_START || life->trouble->family == MEMORY_AT_START;
	struct work *work = life->work;

	if (!open_it(life, false))
		return;
	steps(life, STEPS_BEFORE, 0);
	if (work->n_failed)
		wrong(life, "%u failed before anything did", work->n_failed);
	if (at_start)
		work_close(work);
	begin_trouble(life);
	if (at_start)
		(void)open_it(life, true);
	else
		steps(life, STEPS_IN, STEPS_BEFORE);
	end_trouble(life);
	if (life->trouble->family == CLOCKS && work->n_failed)
		wrong(life, "%u failed because of the clock", work->n_failed);
	if (!work->lives && !open_it(life, false))
		return;
	afterwards(life);
	work_close(work);
}

static void child_life(const struct fault_options *options, const struct trouble *trouble, struct outcome *outcome)
{
	struct life life = { .options = options, .trouble = trouble, .outcome = outcome, .work = malloc(sizeof(struct work)) };
	const struct work_options working = { .day = day_named(options->sealed ? "sealed-faults" : "faults"), .folder = life.folder,
					      .seed = trouble->seed, .sync = DB_SYNC_EXTRA };

	if (!life.work)
		abort();
	(void)text_print(life.folder, sizeof(life.folder), "%s/work", options->base);
	(void)text_print(life.ballast, sizeof(life.ballast), "%s/ballast", life.folder);
	(void)mkdir(life.folder, 0700);
	disk_empty_folder(life.folder);
	luck_fix(working.seed);
	alarm(LIFE_SECONDS_MAX);
	ending = &life;
	signal(SIGABRT, on_abort);
	work_init(life.work, &working);
	tap_start(life.folder, &life.work->journal, TAP_HEARS_ALL);
	live(&life);
	tap_stop();
	if (!outcome->why[0])
		judge_folder(&life, life.folder);
	work_deinit(life.work);
	free(life.work);
	if (alloc_leaks())
		wrong(&life, "memory is lost");
	outcome->good = !outcome->why[0];
}

static void run_life(const struct fault_options *options, const struct trouble *trouble, struct outcome *outcome, struct fault_score *score)
{
	pid_t child;
	int status;

	memset(outcome, 0, sizeof(*outcome));
	child = fork();
	if (child == 0) {
		child_life(options, trouble, outcome);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (WIFSIGNALED(status))
		(void)text_print(outcome->why, sizeof(outcome->why), "the program died: %s", strsignal(WTERMSIG(status)));
	score->faults += outcome->faults;
	score->ended += outcome->ended_itself;
	if (!WIFSIGNALED(status) && outcome->good)
		return;
	if (score->failed++ < TOLD_MAX)
		fprintf(stderr, "powercut: %s%s %s: %s\n    --faults %s --row %u\n", options->sealed ? "sealed, " : "", trouble->name, outcome->at, outcome->why,
			family_names[trouble->family], score->lives);
}

/* --- the rows of a family -------------------------------------------------------------------------------------------- */

static void one(const struct fault_options *options, struct trouble *trouble, struct outcome *outcome, struct fault_score *score)
{
	trouble->seed = 1 + score->lives % 16;
	if (options->only < 0 || (unsigned)options->only == score->lives)
		run_life(options, trouble, outcome, score);
	score->lives++;
}

static void run_files(const struct fault_options *options, enum family family, struct outcome *outcome, struct fault_score *score)
{
	for (size_t i = 0; i < N_ELEMENTS(calls); i++) {
		for (unsigned nth = 1; nth <= CALLS_FIRST; nth += options->stride) {
			for (unsigned lasts = 0; lasts < 2; lasts++) {
				struct trouble trouble = { .family = family,
							   .call = { calls[i].call, nth, lasts ? LASTING : 1, calls[i].error } };

				/* A call that is interrupted for ever is one that hangs; that is no fault to be handled. */
				if (lasts && (calls[i].error == EINTR || nth % 8 != 1))
					continue;
				(void)text_print(trouble.name, sizeof(trouble.name), "%s: %s, call %u%s", family_names[family], calls[i].name, nth,
						 lasts ? " and all after it" : "");
				one(options, &trouble, outcome, score);
			}
		}
	}
}

static void run_memory(const struct fault_options *options, enum family family, struct outcome *outcome, struct fault_score *score)
{
	unsigned calls_made = 4000;

	for (unsigned nth = 1, step = 1; nth <= calls_made; nth += step * options->stride) {
		struct trouble trouble = { .family = family, .alloc_nth = nth, .alloc_times = nth % 3 ? 1 : 40 };

		step = 1 + nth / 40;
		(void)text_print(trouble.name, sizeof(trouble.name), "%s: allocation %u and %u after it", family_names[family], nth,
				 trouble.alloc_times - 1);
		one(options, &trouble, outcome, score);
	}
}

/* On a disk of its own, which is as small as a tmpfs can be. */
static void run_full(const struct fault_options *options, struct outcome *outcome, struct fault_score *score)
{
	char path[200];

	(void)text_print(path, sizeof(path), "%s/work", options->base);
	(void)mkdir(path, 0700);
	if (mount("powercut", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=3m,mode=700")) {
		fprintf(stderr, "powercut: a small disk: %s\n", strerror(errno));
		score->failed++;
		return;
	}
	for (unsigned pages = 0; pages < 60; pages += options->stride) {
		struct trouble trouble = { .family = DISK_FULL, .room = pages * 4096 };

		(void)text_print(trouble.name, sizeof(trouble.name), "%u pages are left on the disk", pages);
		one(options, &trouble, outcome, score);
	}
	umount(path);
}

static void run_clocks(const struct fault_options *options, struct outcome *outcome, struct fault_score *score)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} rows[] = {
		{ "ten years forward", INT64_C(315576000) }, { "ten years back", -INT64_C(315576000) }, { "past 2038", INT64_C(400000000) },
		{ "an hour back", -3600 },		     { "a day forward", 86400 },		{ "before 1970", -INT64_C(2000000000) },
		{ "stands still", 0 },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		for (unsigned step = (unsigned)i % options->stride; step < STEPS_BEFORE + STEPS_IN + STEPS_AFTER; step += options->stride) {
			struct trouble trouble = { .family = CLOCKS, .step = step, .jump_us = rows[i].seconds * 1000000 };

			(void)text_print(trouble.name, sizeof(trouble.name), "the clock: %s at step %u", rows[i].name, step);
			one(options, &trouble, outcome, score);
		}
	}
}

struct fault_score faults_run(const struct fault_options *options, size_t family)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct fault_score score = { 0 };

	if (outcome == MAP_FAILED)
		abort();
	switch ((enum family)family) {
	case FILES_AT_WORK:
	case FILES_AT_START:
		run_files(options, (enum family)family, outcome, &score);
		break;
	case MEMORY_AT_WORK:
	case MEMORY_AT_START:
		run_memory(options, (enum family)family, outcome, &score);
		break;
	case DISK_FULL:
		run_full(options, outcome, &score);
		break;
	case CLOCKS:
		run_clocks(options, outcome, &score);
		break;
	case FAMILIES:
		break;
	}
	munmap(outcome, sizeof(*outcome));
	return score;
}
