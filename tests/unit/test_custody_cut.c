/* Restoring, backing up and erasing, cut before the calls that they make of the system: by death, and by an error of the call. A state
 * folder is there whole or not at all; a backup is sound or not there; an erased gateway never serves again.
 */
#include "vault_cut.h"

#include <dirent.h>
#include <sys/wait.h>

#include "custody/restore.h"
#include "custody_house.h"
#include "vault/parcel.h"

enum { CUTS = 100000, TRIES = 20 /* of each kind, evenly over the calls */ };

struct scene {
	struct tmpdir dir;
	struct house old, new;
	struct secret *secret;
	char key_path[200], parcel[BACKUP_PATH_MAX], why[300];
};

static void remove_tree(const char *path)
{
	nftw(path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void scene_init(struct scene *s)
{
	struct box_public public;
	char text[BOX_KEY_TEXT_MAX];

	memset(s, 0, sizeof(*s));
	tmpdir_init(&s->dir);
	house_init(&s->old, &s->dir, "old", SEAL_XCHACHA);
	house_init(&s->new, &s->dir, "new", SEAL_XCHACHA);
	check_ok(box_pair_new(BOX_X25519, &public, &s->secret));
	box_secret_print(BOX_X25519, s->secret, text);
	snprintf(s->key_path, sizeof(s->key_path), "%s", tmpdir_write(&s->dir, "recovery.key", text));
	house_open(&s->old);
	house_sql(&s->old, s->old.gateway, "INSERT INTO device (name) VALUES ('a lamp')");
	house_say(&s->old, "a word");
	check_int(house_set_key(&s->old, &public), 0);
	check_int(house_make_backup(&s->old, "monday"), 0);
	snprintf(s->parcel, sizeof(s->parcel), "%s/kept.gwb", s->dir.path);
	assert_true(rename(s->old.result.path, s->parcel) == 0);
	house_close(&s->old);
}

static void scene_deinit(struct scene *s)
{
	secret_free(s->secret);
	tmpdir_deinit(&s->dir);
}

static int restore(struct scene *s)
{
	const struct restore_options options = { .parcel = s->parcel, .key_file = s->key_path, .vault = house_vault_options(&s->new),
						 .gateway = &s->new.gateway_options, .spool = &s->new.spool_options };
	struct restore_result result;

	return restore_run(&options, s->why, sizeof(s->why), &result);
}

static int count_job(struct db *db, void *arg)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT count(*) FROM device", &s);

	if (r == 0 && stmt_step(s) == 1)
		*(int64_t *)arg = stmt_i64(s, 0);
	if (r == 0)
		stmt_reset(s);
	return r;
}

/* It opens, with everything in it. */
static void check_whole(struct house *house, bool closes)
{
	int64_t devices = 0;

	house_open(house);
	check_true(!audit_fault(house->audit));
	check_ok(store_submit(house->store, house->gateway, 0, count_job, NULL, &devices));
	house_settle(house);
	check_int(devices, 1);
	if (closes)
		house_close(house);
}

static void fresh_ground(struct scene *s)
{
	remove_tree(s->new.folder);
	unlink(s->new.key_file);
}

static int count_calls(struct scene *s, int (*act)(struct scene *s))
{
	cut_before(CUTS, EIO);
	check_int(act(s), 0);
	return cut_end();
}

/* In a child that dies before call number at. */
static void die_in(struct scene *s, int (*act)(struct scene *s), int at)
{
	int status = 0;
	pid_t child = fork();

	check_true(child >= 0);
	if (child == 0) {
		cut_before(at, CUT_DIES);
		int r = act(s);

		cut_end();
		_exit(r ? 3 : 0);
	}
	check_int(waitpid(child, &status, 0), child);
	check_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
}

static void a_restore_dies_anywhere(void **state)
{
	struct scene s;
	int n, whole = 0;

	(void)state;
	scene_init(&s);
	n = count_calls(&s, restore);
	check_whole(&s.new, true);
	/* The last calls one by one: there it gets its name. */
	for (int at = 1; at <= n; at += at > n - 20 ? 1 : n / TRIES + 1) {
		fresh_ground(&s);
		die_in(&s, restore, at);
		if (access(s.new.folder, F_OK) < 0)
			check_ok(restore(&s)); /* over what the first one left */
		else
			whole++;
		check_whole(&s.new, true);
	}
	print_message("%d calls, %d were whole\n", n, whole);
	check_true(n > 50 && whole > 0);
	scene_deinit(&s);
}

static void a_restore_meets_errors(void **state)
{
	static const int errors[] = { EIO, ENOSPC, ENOMEM };
	char beside[300];
	struct scene s;
	int n, failed = 0;

	(void)state;
	scene_init(&s);
	n = count_calls(&s, restore);
	snprintf(beside, sizeof(beside), "%s.restoring", s.new.folder);
	for (int at = 1; at <= n; at += at > n - 20 ? 1 : n / TRIES + 1) {
		fresh_ground(&s);
		cut_before(at, errors[at % 3]);
		int r = restore(&s);

		cut_end();
		failed += r != 0;
		check_true(r == 0 || s.why[0]);
		/* An error of the very last sync comes when the folder has its name already. */
		if (access(s.new.folder, F_OK) == 0)
			check_whole(&s.new, true);
		else
			check_true(r != 0 && access(beside, F_OK) < 0);
	}
	check_true(failed > n / (n / TRIES + 1) / 2);
	scene_deinit(&s);
}

/* Reads a backup to its sound end. */
static bool is_sound(const struct scene *s, const char *path)
{
	struct parcel_reader *r = NULL;
	enum parcel_kind kind;
	char name[PARCEL_NAME_MAX];
	uint64_t len;
	int e = parcel_open(path, BOX_X25519, s->secret, &kind, &r);

	while (e == 0)
		e = parcel_next(r, name, &len);
	parcel_reader_free(r);
	return e == PARCEL_E_END;
}

static void a_backup_meets_errors(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EACCES };
	char path[BACKUP_PATH_MAX];
	struct scene s;
	int n, failed = 0;

	(void)state;
	scene_init(&s);
	house_open(&s.old);
	cut_before(CUTS, EIO);
	check_int(house_make_backup(&s.old, "counted"), 0);
	n = cut_end();
	print_message("%d calls\n", n);
	check_true(n > 10);
	for (int at = 1; at <= n; at += n / TRIES + 1) {
		snprintf(path, sizeof(path), "%s/backups/b%d.gwb", s.old.folder, at);
		char name[16];

		snprintf(name, sizeof(name), "b%d", at);
		cut_before(at, errors[at % 3]);
		int r = house_make_backup(&s.old, name);

		cut_end();
		failed += r != 0;
		if (r == 0 || access(path, F_OK) == 0)
			check_true(is_sound(&s, path));
		/* Whatever went wrong, the gateway goes on, and the next one can be made. */
		check_true(backup_key(s.old.backup) != NULL);
	}
	check_true(failed > 5);
	check_int(house_make_backup(&s.old, "last"), 0);
	check_true(is_sound(&s, s.old.result.path));
	house_close(&s.old);
	scene_deinit(&s);
}

/* All of it, in the order in which the app does it. The gateway is opened and closed without a cut. */
static int erase(struct scene *s)
{
	struct audit_record record = house_record();
	bool on = cut.on;

	cut.on = false;
	house_open(&s->old);
	cut.on = on;
	erase_do(s->old.erase, &record, house_on_erased, &s->old);
	house_wait(&s->old, s->old.n_done + 1);
	if (s->old.r_done)
		return s->old.r_done;
	on = cut.on;
	cut.on = false;
	house_close(&s->old);
	cut.on = on;
	return erase_files(s->old.folder, s->old.key_file);
}

static int files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !strstr(entry->d_name, ".receipt");
	closedir(dir);
	return n;
}

static void an_erasure_dies_anywhere(void **state)
{
	struct scene s;
	char copy[1000], back[2000];
	int n, serves = 0, pending = 0;

	(void)state;
	scene_init(&s);
	snprintf(copy, sizeof(copy), "cp -a %s %s/copy && cp -a %s %s/copy-kek.key", s.old.folder, s.dir.path, s.old.key_file, s.dir.path);
	snprintf(back, sizeof(back), "rm -rf %s %s && cp -a %s/copy %s && cp -a %s/copy-kek.key %s", s.old.folder, s.old.key_file, s.dir.path,
		 s.old.folder, s.dir.path, s.old.key_file);
	assert_true(system(copy) == 0);
	n = count_calls(&s, erase);
	check_int(files_in(s.old.folder), 0);
	for (int at = 1; at <= n; at += n / TRIES + 1) {
		assert_true(system(back) == 0);
		die_in(&s, erase, at);
		if (erase_is_pending(s.old.folder)) {
			/* A start ends it, before it opens anything. */
			check_ok(erase_files(s.old.folder, s.old.key_file));
			pending++;
		}
		if (files_in(s.old.folder) == 0) {
			check_true(access(s.old.key_file, F_OK) < 0);
			continue;
		}
		check_whole(&s.old, true); /* nothing had been destroyed */
		serves++;
	}
	check_true(n > 20 && serves > 0 && pending > 0);
	scene_deinit(&s);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_restore_dies_anywhere),
		cmocka_unit_test(a_restore_meets_errors),
		cmocka_unit_test(a_backup_meets_errors),
		cmocka_unit_test(an_erasure_dies_anywhere),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
