/* What can be asked of the simulator. Standard output is for a machine: how many passed and failed, then what failed; one kind of day and
 * one proof is one. People read standard error.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "base/text.h"
#include "core.h"
#include "disk.h"
#include "faults.h"
#include "runner.h"
#include "sys/crypto.h"

enum { PROOF_IMAGES = 400, FAILED_MAX = 64 };

struct settings {
	struct run_options run;
	const char *day; /* NULL all */
	uint64_t images, seed;
	unsigned core; /* images of the whole core */
	bool prove;
	const char *faults; /* NULL none, "all" or a family's name */
	long row;
	unsigned stride;
};
struct score {
	unsigned passed, failed;
	char what[FAILED_MAX][80];
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void score_add(struct score *score, bool good, const char *what)
{
	if (good)
		score->passed++;
	else if (score->failed++ < FAILED_MAX)
		(void)text_copy(score->what[score->failed - 1], sizeof(score->what[0]), what);
}

/* --- images ---------------------------------------------------------------------------------------------------------- */

static void show(const char *name, const struct tally *tally, double took)
{
	fprintf(stderr, "%-12s %7llu images of %3llu days, %6llu operations, %5.1f s, %4.0f a second; bad %llu", name,
		(unsigned long long)tally->images, (unsigned long long)tally->days, (unsigned long long)tally->ops, took,
		(double)tally->images / took, (unsigned long long)tally_bad(tally));
	for (unsigned i = 1; i < VERDICTS; i++)
		if (tally->verdicts[i])
			fprintf(stderr, ", %s %llu", verdict_name((enum verdict)i), (unsigned long long)tally->verdicts[i]);
	if (tally->died || tally->broken_days)
		fprintf(stderr, ", died %llu, days that went wrong %llu", (unsigned long long)tally->died, (unsigned long long)tally->broken_days);
	fprintf(stderr, "; %016llx\n", (unsigned long long)tally->hash);
}

static bool is_asked(const struct settings *settings, const struct day *day)
{
	return settings->day ? text_equal(settings->day, day->name) : strstr(day->name, "faults") == NULL;
}

static void run_images(const struct settings *settings, struct score *score)
{
	unsigned shares = 0;

	for (size_t d = 0; d < n_days; d++)
		shares += is_asked(settings, &days[d]) ? days[d].share : 0;

	for (size_t d = 0; d < n_days; d++) {
		uint64_t each = shares ? (settings->images * days[d].share + shares - 1) / shares : 0;
		struct tally *tally = tally_new();
		double start = seconds();

		if (!is_asked(settings, &days[d]))
			continue;
		for (uint64_t n = 0, i = 0; n < each; n += IMAGES_A_DAY, i++)
			run_day(&settings->run, tally, &days[d], settings->seed + i, each - n < IMAGES_A_DAY ? (unsigned)(each - n) : IMAGES_A_DAY);
		show(days[d].name, tally, seconds() - start);
		score_add(score, !tally_bad(tally) && tally->images, days[d].name);
	}
}

/* --- would it notice ------------------------------------------------------------------------------------------------- */

/* The same days, with one care left out: images must be bad then, or the simulator is blind. */
static void run_proofs(const struct settings *settings, struct score *score)
{
	static const struct {
		const char *name, *day;
		enum tap_deaf deaf;
		enum db_sync sync;
	} rows[] = {
		{ "no fsync of folders", "birth", TAP_NO_FOLDER_SYNC, DB_SYNC_EXTRA },
		{ "no fsync of files", "day", TAP_NO_FILE_SYNC, DB_SYNC_EXTRA },
		{ "no fsync of a file that is then renamed", "keys", TAP_NO_SYNC_BEFORE_RENAME, DB_SYNC_EXTRA },
		{ "synchronous=NORMAL for gateway.db", "day", TAP_HEARS_ALL, DB_SYNC_NORMAL },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct run_options options = settings->run;
		struct tally *tally = tally_new();
		double start = seconds();

		options.deaf = rows[i].deaf;
		options.sync = rows[i].sync;
		options.quiet = true;
		run_day(&options, tally, day_named(rows[i].day), settings->seed, PROOF_IMAGES);
		fprintf(stderr, "left out: %s\n    ", rows[i].name);
		show(rows[i].day, tally, seconds() - start);
		score_add(score, tally_bad(tally) > 0 && tally->days, rows[i].name);
	}
}

/* --- the whole core -------------------------------------------------------------------------------------------------- */

static void run_core(const struct settings *settings, struct score *score)
{
	double start = seconds();
	struct core_score got = core_run(settings->run.base, settings->core, settings->seed);

	fprintf(stderr, "%-12s %7u images, %5.1f s; bad %u\n", "the core", got.images, seconds() - start, got.bad);
	score_add(score, !got.bad && got.images, "the core");
}

/* --- calls that fail ------------------------------------------------------------------------------------------------- */

static void run_faults(const struct settings *settings, struct score *score)
{
	for (size_t i = 0; i < fault_families(); i++) {
		if (!alloc_can_fail() && strncmp(fault_family(i), "memory", 6) == 0)
			continue;
		if (!text_equal(settings->faults, "all") && !text_equal(settings->faults, fault_family(i)))
			continue;
		for (unsigned sealed = 0; sealed < 2; sealed++) {
			const struct fault_options options = { .base = settings->run.base, .only = settings->row, .stride = settings->stride, .sealed = sealed };
			double start = seconds();
			struct fault_score got = faults_run(&options, i);
			char name[80];

			(void)text_print(name, sizeof(name), "%s%s", fault_family(i), sealed ? ", sealed" : "");
			fprintf(stderr, "%-24s %5u lives, %6u faults, ended itself in %u, %5.1f s; bad %u\n", name, got.lives, got.faults, got.ended,
				seconds() - start, got.failed);
			score_add(score, !got.failed && got.faults, name);
		}
	}
}

/* --- main ------------------------------------------------------------------------------------------------------------ */

static void parse(int argc, char **argv, struct settings *settings)
{
	static const struct option rows[] = { { "images", 1, NULL, 'n' }, { "seed", 1, NULL, 's' }, { "day", 1, NULL, 'd' }, { "only", 1, NULL, 'o' },
					      { "keep", 1, NULL, 'k' },	  { "prove", 0, NULL, 'p' },
					      { "faults", 1, NULL, 'f' }, { "row", 1, NULL, 'r' }, { "tell", 1, NULL, 'l' }, { "core", 1, NULL, 'c' }, { "stride", 1, NULL, 't' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", rows, NULL)) != -1) {
		switch (c) {
		case 'n':
			settings->images = strtoull(optarg, NULL, 10);
			break;
		case 's':
			settings->seed = strtoull(optarg, NULL, 10);
			break;
		case 'd':
			settings->day = optarg;
			break;
		case 'o':
			settings->run.only = strtol(optarg, NULL, 10);
			settings->images = 1;
			break;
		case 'k':
			settings->run.keep = optarg;
			break;
		case 'p':
			settings->prove = true;
			break;
		case 'f':
			settings->faults = optarg;
			break;
		case 'r':
			settings->row = strtol(optarg, NULL, 10);
			break;
		case 'c':
			settings->core = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			settings->run.tell = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			settings->stride = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static const char *const folders[] = { "work", "image", "core", "run" };
	struct settings settings = { .run = { .only = -1, .sync = DB_SYNC_EXTRA }, .seed = 1, .row = -1, .stride = 1 };
	struct score score = { .passed = 0 };
	char base[100], path[120];

	parse(argc, argv, &settings);
	settings.stride = settings.stride ? settings.stride : 1;
	(void)text_print(base, sizeof(base), "/dev/shm/gw-power-%d", (int)getpid());
	settings.run.base = base;
	if (crypto_init() || mkdir(base, 0700)) {
		perror(base);
		return 2;
	}
	if (settings.images)
		run_images(&settings, &score);
	if (settings.core)
		run_core(&settings, &score);
	if (settings.prove)
		run_proofs(&settings, &score);
	if (settings.faults)
		run_faults(&settings, &score);
	for (unsigned i = 0; i < N_ELEMENTS(folders); i++) {
		(void)text_print(path, sizeof(path), "%s/%s", base, folders[i]);
		disk_empty_folder(path);
		(void)rmdir(path);
	}
	disk_empty_folder(base);
	(void)rmdir(base);
	printf("%u %u\n", score.passed, score.failed);
	for (unsigned i = 0; i < score.failed && i < FAILED_MAX; i++)
		printf("    failed: %s\n", score.what[i]);
	return score.failed ? 1 : 0;
}
