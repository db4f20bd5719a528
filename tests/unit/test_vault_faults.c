/* Each verb, with each call that it makes of the system failing once: no space, no descriptor, a bad medium, no memory. The verb says so
 * unless it can do without; then the vault in memory says what a vault says that is opened from the files; then the verb is
 * told again and takes its effect.
 */
#include "vault_stage.h"

static const int errors[] = { EIO, ENOSPC, EMFILE, ENOMEM }, strides[] = { 1, 3, 3, 1 };

/* A vault opened from a copy of the files, so that it does not put them right. */
static struct sight look_at_files(struct stage *stage, const struct scene *scene)
{
	struct vault *mine = stage->vault;
	struct sight sight;
	int r;

	copy_folder(stage, "work", "copy");
	go(stage, "copy");
	stage->vault = NULL;
	r = open_by(stage, scene->after);
	if (r && scene->before != scene->after)
		r = open_by(stage, scene->before);
	check_int(r, 0);
	check_true(!vault_fell_back(stage->vault));
	sight = look(stage->vault);
	close_it(stage);
	stage->vault = mine;
	go(stage, "work");
	return sight;
}

/* 0, or what the state says that was reached before the call that failed. */
static void act_again(struct stage *stage, const struct scene *scene)
{
	int r = scene->act(stage);

	if (r && r != VAULT_E_STATE)
		print_error("%s, again after call %d: %d\n", scene->name, cut.at, r);
	check_true(r == 0 || r == VAULT_E_STATE);
}

/* Returns false when there are not so many calls. */
static bool fails(struct stage *stage, const struct scene *scene, const struct rehearsal *rehearsal, int at, int error)
{
	struct sight memory, files;
	int r, n;

	copy_folder(stage, "template", "work");
	go(stage, "work");
	check_ok(open_by(stage, scene->before));
	cut_before(at, error);
	r = scene->act(stage);
	n = cut_end();
	if (n < at) {
		check_int(r, 0);
		close_it(stage);
		return false;
	}
	check_true(r == 0 || r == -error || (r < 0 && error == EIO));
	memory = look(stage->vault);
	files = look_at_files(stage, scene);
	if (!same_keys(&memory, &files))
		print_error("%s, call %d failed with %d: %d\n", scene->name, at, error, r);
	check_true(same_keys(&memory, &files));
	check_same_bytes(&files, &memory);
	check_true(same_keys(&memory, &rehearsal->after) || (r && same_keys(&memory, &rehearsal->before)));
	act_again(stage, scene);
	memory = look(stage->vault);
	check_one_active_each(&memory);
	files = look_at_files(stage, scene);
	check_true(same_keys(&memory, &files));
	close_it(stage);
	check_ok(open_by(stage, scene->after));
	check_true(!vault_fell_back(stage->vault));
	close_it(stage);
	return true;
}

static void each_call_fails_once(void **state)
{
	struct stage stage;
	int n = 0;

	(void)state;
	stage_init(&stage, SEAL_XCHACHA);
	for (size_t i = 0; i < N_ELEMENTS(scenes); i++) {
		struct rehearsal rehearsal;

		if (scenes[i].opens || scenes[i].act == act_count_and_close)
			continue;
		rehearsal = rehearse(&stage, &scenes[i]);
		for (size_t e = 0; e < N_ELEMENTS(errors); e++) {
			int at = 1;

			for (; at < CUTS && fails(&stage, &scenes[i], &rehearsal, at, errors[e]); at += strides[e])
				n++;
			check_true(at > 1 && at < CUTS);
		}
	}
	stage_deinit(&stage);
	print_message("%d failures\n", n);
	check_true(n > 300);
}

/* Opening fails, or does without; the next one finds everything. Returns false when there are not so many calls. */
static bool opening_fails(struct stage *stage, const struct scene *scene, const struct rehearsal *rehearsal, int at, int error)
{
	struct sight now;
	int r, n;

	copy_folder(stage, "template", "work");
	go(stage, "work");
	cut_before(at, error);
	r = scene->act(stage);
	n = cut_end();
	check_true(r <= 0 || r == VAULT_E_DAMAGED || r == VAULT_E_WRONG_KEY);
	check_true(r == 0 || (!stage->vault && stage->why[0]));
	close_it(stage);
	check_ok(scene->act(stage));
	now = look(stage->vault);
	check_one_active_each(&now);
	check_true(same_keys(&now, &rehearsal->after));
	check_same_bytes(&rehearsal->before, &now);
	close_it(stage);
	return n >= at;
}

static void each_call_of_an_opening_fails_once(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage, SEAL_SM4);
	for (size_t i = 0; i < N_ELEMENTS(scenes); i++) {
		struct rehearsal rehearsal;

		if (!scenes[i].opens || scenes[i].prepare == as_export)
			continue;
		rehearsal = rehearse(&stage, &scenes[i]);
		for (size_t e = 0; e < N_ELEMENTS(errors); e++) {
			int at = 1;

			while (at < CUTS && opening_fails(&stage, &scenes[i], &rehearsal, at, errors[e]))
				at += strides[e];
			check_true(at > 5 && at < CUTS);
		}
	}
	stage_deinit(&stage);
}

static size_t files_left(struct stage *stage)
{
	DIR *dir = opendir(tmpdir_path(&stage->dir, "work"));
	struct dirent *entry;
	size_t n = 0;

	check_true(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* It says so; told again, it is done. Until the key is touched, everything still works; afterwards nothing does. */
static void each_call_of_an_erasure_fails_once(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage, SEAL_XCHACHA);
	for (enum way way = BY_FILE; way < BY_OTHER_PHRASE; way++) {
		if (way != BY_FILE && way != BY_PHRASE)
			continue;
		each_file(&stage, "template", NULL);
		go(&stage, "template");
		check_ok(open_by(&stage, way));
		close_it(&stage);
		for (int at = 1, n = at; n >= at; at++) {
			uint32_t id;
			int r;

			copy_folder(&stage, "template", "work");
			go(&stage, "work");
			check_ok(open_by(&stage, way));
			cut_before(at, EIO);
			r = vault_erase(stage.vault);
			n = cut_end();
			check_true(r == (n >= at ? -EIO : 0));
			check_int(vault_create(stage.vault, KEY_FILES, NOW_S, &id), vault_active(stage.vault, KEY_DB) ? 0 : -ESHUTDOWN);
			if (vault_active(stage.vault, KEY_DB)) /* not erased is not erased after the next start either */
				(void)look_at_files(&stage, &(struct scene){ .before = way, .after = way });
			check_ok(vault_erase(stage.vault));
			check_uint(files_left(&stage), 0);
			check_uint(vault_active(stage.vault, KEY_DB), 0);
			close_it(&stage);
			check_uint(files_left(&stage), 0);
			check_true(at < CUTS);
		}
	}
	stage_deinit(&stage);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(each_call_of_an_opening_fails_once),
		cmocka_unit_test(each_call_of_an_erasure_fails_once),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
