/* The child lives the day from its seed, cuts the power some hundred times in the order in which the cuts lie in the journal, and
 * judges each. The next child after a death lives the same day again and goes on behind the image that killed.
 */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "disk.h"
#include "luck.h"

enum { WHY_MAX = 240, FINDINGS_TOLD = 12, IMAGE_SECONDS_MAX = 60 };

struct tally *tally_new(void)
{
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (tally == MAP_FAILED)
		abort();
	return tally;
}

uint64_t tally_bad(const struct tally *tally)
{
	return tally->images - tally->verdicts[VERDICT_GOOD] + tally->broken_days;
}

static void tell(struct tally *tally, const struct run_options *options, const struct day *day, uint64_t seed, const char *what, const char *why)
{
	if (options->quiet || tally->told++ >= FINDINGS_TOLD)
		return;
	fprintf(stderr, "powercut: %s: %s\n    --day %s --seed %llu --only %u\n", what, why, day->name, (unsigned long long)seed, tally->at);
}

static void keep(const struct run_options *options, const char *image)
{
	char command[600];

	if (!options->keep)
		return;
	(void)text_print(command, sizeof(command), "rm -rf '%s' && cp -a '%s' '%s'", options->keep, image, options->keep);
	if (system(command))
		fprintf(stderr, "powercut: not kept: %s\n", command);
}

static int compare_cuts(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Anywhere, and often just after something was said, when the most is owed. */
static void choose_cuts(const struct work *work, struct dice *dice, size_t cuts[IMAGES_A_DAY])
{
	const struct journal *journal = &work->journal;

	for (unsigned i = 0; i < IMAGES_A_DAY; i++) {
		size_t at = journal->n_found + (size_t)dice_below(dice, journal->n_ops - journal->n_found + 1);

		if (dice_percent(dice, 30))
			while (at < journal->n_ops && journal->ops[at].kind != OP_SAY)
				at++;
		cuts[i] = at < journal->n_ops ? at + 1 : journal->n_ops;
	}
	qsort(cuts, IMAGES_A_DAY, sizeof(cuts[0]), compare_cuts);
}

static enum disk_mode choose_mode(struct dice *dice)
{
	return dice_percent(dice, 75) ? (enum disk_mode)(DISK_PREFIX + dice_below(dice, DISK_MODES - DISK_PREFIX)) :
					(enum disk_mode)dice_below(dice, DISK_MODES);
}

static void judge_image(const struct run_options *options, struct tally *tally, struct work *work, struct disk *disk,
			const struct promise *promise, const char *image)
{
	struct dice own = dice_of(work->options.seed, 1000 + tally->at);
	const struct judge_options judging = { image, work->options.day->suite, work->options.day->schema_last, work->options.day->segment_bytes_max,
					       work->boot_ms + 1000, work->wall_us + 1000000, work->anchors, work->seeds };
	enum disk_mode mode = choose_mode(&own);
	char why[WHY_MAX], text[WHY_MAX + 60];
	enum verdict verdict;

	alarm(IMAGE_SECONDS_MAX);
	disk_write(disk, mode, &own, image);
	if (options->only >= 0) {
		keep(options, image);
		journal_tell(&work->journal, disk->at > options->tell ? disk->at - options->tell : 0, disk->at);
	}
	verdict = judge(&judging, promise, why, sizeof(why));
	tally->images++;
	tally->verdicts[verdict]++;
	if (verdict == VERDICT_GOOD)
		return;
	(void)text_print(text, sizeof(text), "%s (cut after operation %zu of %zu, mode %d)", why, disk->at, work->journal.n_ops, (int)mode);
	tell(tally, options, work->options.day, work->options.seed, verdict_name(verdict), text);
}

static void judge_day(const struct run_options *options, struct tally *tally, struct work *work, unsigned from, unsigned to, const char *image)
{
	struct dice dice = dice_of(work->options.seed, 2);
	struct promise *promise = calloc(1, sizeof(*promise));
	size_t cuts[IMAGES_A_DAY];
	struct disk disk;

	if (!promise)
		abort();
	if (work->options.before)
		*promise = work->options.before->promise;
	choose_cuts(work, &dice, cuts);
	disk_init(&disk, &work->journal);
	for (unsigned i = 0; i < to; i++) {
		disk_advance(&disk, cuts[i]);
		promise_advance(promise, &work->journal, cuts[i]);
		tally->at = i;
		if (i >= from)
			judge_image(options, tally, work, &disk, promise, image);
	}
	disk_deinit(&disk);
	free(promise);
}

/* Nothing went past the tap. */
static bool journal_is_whole(const struct work *work, char *why, size_t cap)
{
	struct disk disk;
	bool whole;

	disk_init(&disk, &work->journal);
	whole = disk_is_as(&disk, work->options.folder, why, cap);
	disk_deinit(&disk);
	return whole;
}

/* Of the whole journal: the same seed gives the same day. */
static uint64_t journal_hash(const struct journal *journal)
{
	uint64_t hash = journal->n_ops;

	for (size_t i = 0; i < journal->n_ops; i++)
		hash = (hash ^ journal->ops[i].kind ^ journal->ops[i].offset << 8) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < journal->n_data; i++)
		hash = (hash ^ journal->data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The power goes some time in a life; its last picture becomes the folder of the next. */
static void cut_life(struct work *work, struct work_before *before)
{
	struct dice dice = dice_of(work->options.seed, 4);
	size_t found = work->journal.n_found, cut = found + (size_t)dice_below(&dice, work->journal.n_ops - found + 1);
	struct disk disk;

	disk_init(&disk, &work->journal);
	disk_advance(&disk, cut);
	disk_write(&disk, choose_mode(&dice), &dice, work->options.folder);
	disk_deinit(&disk);
	promise_advance(&before->promise, &work->journal, cut);
	promise_crash(&before->promise);
	memcpy(before->anchors, work->anchors, sizeof(before->anchors));
	memcpy(before->seeds, work->seeds, sizeof(before->seeds));
	before->boot_ms = work->boot_ms;
	before->wall_us = work->wall_us;
}

/* Some lives, each going on from what the one before left. */
static bool live_lives(struct work *work, struct work_options *options, unsigned lives, struct work_before *before, char *why, size_t cap)
{
	uint64_t seed = options->seed;

	for (unsigned i = 1; i < lives; i++) {
		options->seed = seed * 16 + i;
		if (!work_live(work, options, why, cap))
			return false;
		cut_life(work, before);
		work_deinit(work);
		options->before = before;
	}
	options->seed = seed;
	return work_live(work, options, why, cap);
}

static void child_day(const struct run_options *options, struct tally *tally, const struct day *day, uint64_t seed, unsigned from, unsigned to)
{
	struct work *work = malloc(sizeof(*work));
	struct work_before *before = calloc(1, sizeof(*before));
	char folder[200], image[200], why[WHY_MAX] = "";
	struct work_options working = { .day = day, .folder = folder, .seed = seed, .deaf = options->deaf, .sync = options->sync };

	if (!work || !before)
		abort();
	(void)text_print(folder, sizeof(folder), "%s/work", options->base);
	(void)text_print(image, sizeof(image), "%s/image", options->base);
	(void)mkdir(folder, 0700);
	(void)mkdir(image, 0700);
	disk_empty_folder(folder);
	luck_fix(seed);
	alarm(IMAGE_SECONDS_MAX);
	if (!live_lives(work, &working, day->lives_max ? 2 + (unsigned)(seed % (day->lives_max - 1)) : 1, before, why, sizeof(why)) ||
	    !journal_is_whole(work, why, sizeof(why))) {
		tally->broken_days++;
		tell(tally, options, day, seed, "the day itself", why);
	} else {
		tally->lived = true;
		tally->days += from == 0;
		tally->ops += from == 0 ? work->journal.n_ops : 0;
		tally->hash = tally->hash * 31 + journal_hash(&work->journal);
		judge_day(options, tally, work, from, to, image);
	}
	work_deinit(work);
	free(work);
	free(before);
}

void run_day(const struct run_options *options, struct tally *tally, const struct day *day, uint64_t seed, unsigned images)
{
	unsigned from = options->only >= 0 ? (unsigned)options->only : 0, to = options->only >= 0 ? from + 1 : images;

	while (from < to) {
		pid_t child;
		int status;

		tally->at = from;
		tally->lived = false;
		child = fork();
		if (child == 0) {
			child_day(options, tally, day, seed, from, to);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			abort();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		tally->images++;
		tally->died++;
		tell(tally, options, day, seed, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit",
		     tally->lived ? "the program died on the image" : "the program died on that day");
		from = tally->lived ? tally->at + 1 : to; /* it would again */
	}
}
