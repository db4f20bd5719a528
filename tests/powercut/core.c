/* The small home leaves out who counts the starts, who makes which table, what is alarmed when. This is the real thing, but only its
 * births, restarts and a few records: a start of it costs many times an image of the home. Its writer is not held at a gate, so
 * a day does not come again from its seed; what is found is told with the operations before the cut.
 */
#include "core.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "app.h"
#include "app_internal.h"
#include "audit/audit.h"
#include "base/text.h"
#include "custody/ring.h"
#include "disk.h"
#include "sys/log.h"
#include "sys/store.h"
#include "tap.h"

enum { STARTS = 3, RECORDS = 4, IMAGES_A_LIFE = 120, TURNS = 4, SECONDS_MAX = 60, TOLD_MAX = 3, OPS_TOLD = 30 };
enum { CORE_STARTED = 100, CORE_NOTED };
#define CORE_WALL_US (INT64_C(1795500000) * 1000 * 1000)

struct core {
	char folder[120], config[160];
	struct loop *loop;
	struct app *app;
	unsigned notes; /* told to be on the disk */
};

static int core_open(struct core *core, const char *base, const char *name, char *why, size_t cap)
{
	struct app_options options = { .config = core->config, .boot_id = "0123456789abcdef0123456789abcdef", .no_system_clock = true };
	struct conf *conf;
	FILE *f;
	int r;

	(void)text_print(core->folder, sizeof(core->folder), "%s/%s", base, name);
	(void)text_print(core->config, sizeof(core->config), "%s/%s.yaml", base, name);
	f = fopen(core->config, "we");
	if (!f)
		return -errno;
	fprintf(f, "state_dir: %s\nrun_dir: %s/run\nsite:\n  name: House\n  timezone: UTC\nlog:\n  level: error\n", core->folder, base);
	fclose(f);
	r = conf_load(core->config, why, cap, &conf);
	if (r == 0)
		r = loop_new_virtual(1000000, CORE_WALL_US, &core->loop);
	if (r == 0)
		r = app_new(core->loop, &options, conf, why, cap, &core->app);
	return r == 0 ? app_start(core->app, why, cap) : r;
}

static void core_settle(struct core *core)
{
	for (int i = 0; i < TURNS; i++) {
		(void)!loop_turn(core->loop, 0);
		store_drain(core->app->store);
	}
	(void)!loop_turn(core->loop, 0);
}

static void core_close(struct core *core)
{
	if (core->app)
		app_close(core->app);
	core->app = NULL;
	if (core->loop)
		loop_free(core->loop);
	core->loop = NULL;
}

/* --- a life ---------------------------------------------------------------------------------------------------------- */

static void on_note(void *ctx, int r)
{
	struct core *core = ctx;

	if (r == 0)
		tap_say(CORE_NOTED, ++core->notes, 0);
}

static bool core_live(struct core *core, const char *base, struct journal *journal, char *why, size_t cap)
{
	const struct audit_record record = { .kind = AUDIT_COMMAND, .subject = { SUBJECT_SYSTEM, 0 }, .object = "note", .rule = -1 };
	char folder[120];
	int r = 0;

	(void)text_print(folder, sizeof(folder), "%s/core", base);
	(void)mkdir(folder, 0700);
	disk_empty_folder(folder);
	tap_start(folder, journal, TAP_HEARS_ALL);
	for (unsigned i = 0; i < STARTS && r == 0; i++) {
		r = core_open(core, base, "core", why, cap);
		if (r == 0)
			tap_say(CORE_STARTED, core->app->epoch, 0);
		for (unsigned k = 0; k < RECORDS && r == 0; k++) {
			r = audit_append(core->app->audit, &record, on_note, core);
			core_settle(core);
		}
		core_close(core);
	}
	tap_stop();
	return r == 0;
}

/* --- an image -------------------------------------------------------------------------------------------------------- */

static bool core_judge(const char *base, int64_t starts, int64_t notes, char *why, size_t cap)
{
	struct core core = { .notes = 0 };
	int r = core_open(&core, base, "image", why, cap);
	struct db_keys_stats stats;

	if (r == 0) {
		core_settle(&core);
		stats = db_keys_stats(ring_pages(core.app->ring));
		if (core.app->doubt[0])
			(void)text_print(why, cap, "doubt: %s", core.app->doubt);
		else if (audit_fault(core.app->audit))
			(void)text_print(why, cap, "the log: %s", audit_fault(core.app->audit));
		else if (vault_fell_back(core.app->vault))
			(void)text_print(why, cap, "keystore.bin did not open");
		else if (stats.refused || stats.lost_frames)
			(void)text_print(why, cap, "pages were refused in %s", stats.last_file);
		else if ((int64_t)core.app->epoch <= starts)
			(void)text_print(why, cap, "start %lld was counted, this is %u", (long long)starts, core.app->epoch);
		else if ((int64_t)audit_head(core.app->audit).seq < notes)
			(void)text_print(why, cap, "%lld notes, %llu records", (long long)notes, (unsigned long long)audit_head(core.app->audit).seq);
		else if (store_error(core.app->store))
			(void)text_print(why, cap, "the store says %d", store_error(core.app->store));
	} else if (!why[0]) {
		(void)text_print(why, cap, "does not start: %d", r);
	}
	core_close(&core);
	return !why[0];
}

static void core_images(const char *base, const struct journal *journal, struct dice *dice, unsigned images, struct core_score *score)
{
	struct disk disk;
	int64_t starts = 0, notes = 0;
	char image[120], why[4096];
	size_t at = 0;

	(void)text_print(image, sizeof(image), "%s/image", base);
	(void)mkdir(image, 0700);
	disk_init(&disk, journal);
	for (unsigned i = 0; i < images; i++) {
		size_t left = journal->n_ops - at, cut = at + (size_t)dice_below(dice, 2 * left / (images - i) + 1);

		for (cut = cut < journal->n_ops ? cut : journal->n_ops; at < cut; at++) {
			starts = journal->ops[at].what == CORE_STARTED ? journal->ops[at].value : starts;
			notes = journal->ops[at].what == CORE_NOTED ? journal->ops[at].value : notes;
		}
		disk_advance(&disk, cut);
		disk_write(&disk, (enum disk_mode)dice_below(dice, DISK_MODES), dice, image);
		alarm(SECONDS_MAX);
		why[0] = 0;
		score->images++;
		if (core_judge(base, starts, notes, why, sizeof(why)))
			continue;
		if (score->bad++ >= TOLD_MAX)
			continue;
		fprintf(stderr, "powercut: the core, cut after operation %zu of %zu: %.300s\n", cut, journal->n_ops, why);
		journal_tell(journal, cut > OPS_TOLD ? cut - OPS_TOLD : 0, cut);
	}
	disk_deinit(&disk);
}

static void core_day(const char *base, unsigned images, uint64_t seed, struct core_score *score)
{
	struct dice dice = dice_of(seed, 9);
	struct core core = { .notes = 0 };
	struct journal journal;
	char why[4096] = "", run[120];
	struct disk disk;

	(void)text_print(run, sizeof(run), "%s/run", base);
	(void)mkdir(run, 0700);
	journal_init(&journal);
	alarm(SECONDS_MAX);
	if (core_live(&core, base, &journal, why, sizeof(why))) {
		disk_init(&disk, &journal);
		(void)text_print(core.folder, sizeof(core.folder), "%s/core", base);
		if (!disk_is_as(&disk, core.folder, why, sizeof(why)))
			score->bad++;
		disk_deinit(&disk);
		core_images(base, &journal, &dice, images, score);
	} else {
		score->bad++;
	}
	if (why[0])
		fprintf(stderr, "powercut: the core's day: %.300s\n", why);
	journal_deinit(&journal);
}

struct core_score core_run(const char *base, unsigned images, uint64_t seed)
{
	struct core_score *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), score;

	if (shared == MAP_FAILED)
		abort();
	for (unsigned n = 0; n < images; n += IMAGES_A_LIFE, seed++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			log_open(LOG_ERR);
			core_day(base, images - n < IMAGES_A_LIFE ? images - n : IMAGES_A_LIFE, seed, shared);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			abort();
		if (!WIFEXITED(status)) {
			shared->bad++;
			fprintf(stderr, "powercut: the core died: %s\n", strsignal(WTERMSIG(status)));
		}
	}
	score = *shared;
	munmap(shared, sizeof(*shared));
	return score;
}
