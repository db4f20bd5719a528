/* Each verb is cut before each call that it makes of the system: by death, and by an error of that call. What is on the disk
 * opens, with the keys as they were before the verb or as they are after it. After an error the vault in memory says what a
 * vault says that is opened from the files.
 */
#include "vault_stage.h"

#include <sys/mman.h>

/* Dies before call number at; false: there are not so many. */
static bool die(struct stage *stage, const struct scene *scene, int at)
{
	int status = 0;
	pid_t child = fork();

	check_true(child >= 0);
	if (child == 0) {
		if (!scene->opens && open_by(stage, scene->before))
			_exit(2);
		cut_before(at, CUT_DIES);
		if (scene->act(stage))
			_exit(3);
		cut_end();
		_exit(0);
	}
	check_int(waitpid(child, &status, 0), child);
	cut.at = at;
	if (WIFSIGNALED(status)) {
		check_int(WTERMSIG(status), SIGKILL);
		return true;
	}
	check_int(WEXITSTATUS(status), 0);
	return false;
}

static int play_deaths(struct stage *stage, const struct scene *scene, int stride)
{
	struct rehearsal rehearsal = rehearse(stage, scene);
	bool died = true;
	int at = 1 - stride, n = 0;

	while (died && at < CUTS) {
		copy_folder(stage, "template", "work");
		go(stage, "work");
		at += stride;
		died = die(stage, scene, at);
		n += died;
		check_stage(stage, scene, &rehearsal, !died);
	}
	check_true(at < CUTS && n > 0);
	return n;
}

/* In the second suite a fifth of the steps. */
static void dies_at_every_step_of_every_verb(void **state)
{
	struct stage stage;
	int n = 0;

	(void)state;
	for (enum seal_suite suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		stage_init(&stage, suite);
		for (size_t i = 0; i < N_ELEMENTS(scenes); i++)
			n += play_deaths(&stage, &scenes[i], suite == SEAL_SM4 ? 5 : 1);
		stage_deinit(&stage);
	}
	print_message("%d deaths\n", n);
	check_true(n > 500);
}

/* And again, while the opening puts right what the first death has left. */
static int play_second_deaths(struct stage *stage, const struct scene *scene, const struct rehearsal *rehearsal)
{
	struct scene opening = { scene->name, scene->before, scene->after, scene->prepare, NULL, true };
	bool died = true;
	int at = 0;

	copy_folder(stage, "work", "copy");
	go(stage, "copy");
	opening.act = open_by(stage, scene->after) == 0 ? act_by[scene->after] : act_by[scene->before];
	close_it(stage);
	while (died && at < CUTS) {
		copy_folder(stage, "twice", "work");
		go(stage, "work");
		at += 2;
		died = die(stage, &opening, at);
		check_stage(stage, scene, rehearsal, false);
	}
	check_true(at < CUTS);
	return at / 2;
}

static void dies_again_while_it_is_put_right(void **state)
{
	static const char *const names[] = { "file to itself", "file to passphrase", "destroy" };
	struct stage stage;
	int n = 0;

	(void)state;
	stage_init(&stage, SEAL_XCHACHA);
	for (size_t i = 0; i < N_ELEMENTS(scenes) * N_ELEMENTS(names); i++) {
		const struct scene *scene = &scenes[i / N_ELEMENTS(names)];
		struct rehearsal rehearsal;
		bool died = true;

		if (strcmp(scene->name, names[i % N_ELEMENTS(names)]) != 0)
			continue;
		rehearsal = rehearse(&stage, scene);
		for (int at = 1; died && at < CUTS; at += 7) {
			copy_folder(&stage, "template", "work");
			go(&stage, "work");
			died = die(&stage, scene, at);
			copy_folder(&stage, "work", "twice");
			n += play_second_deaths(&stage, scene, &rehearsal);
		}
	}
	stage_deinit(&stage);
	print_message("%d second deaths\n", n);
	check_true(n > 80);
}

static int act_erase(struct stage *stage)
{
	return vault_erase(stage->vault);
}

static size_t files_in(struct stage *stage, const char *folder)
{
	DIR *dir = opendir(tmpdir_path(&stage->dir, folder));
	struct dirent *entry;
	size_t n = 0;

	check_true(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* The key goes first: from its first byte on nothing opens, and nothing else ever will. */
static void an_erasure_that_is_cut_leaves_nothing_that_opens(void **state)
{
	static const struct scene erase = { "erase", BY_FILE, BY_FILE, nothing, act_erase, false };
	struct stage stage;
	struct sight before, now;
	bool died = true, opened = true;

	(void)state;
	stage_init(&stage, SEAL_XCHACHA);
	go(&stage, "template");
	check_ok(open_by(&stage, BY_FILE));
	before = look(stage.vault);
	close_it(&stage);
	for (int at = 1; died && at < CUTS; at++) {
		copy_folder(&stage, "template", "work");
		go(&stage, "work");
		died = die(&stage, &erase, at);
		if (!is_there("keystore.bin") && !is_there("keystore.old")) {
			check_true(!is_there("kek.key"));
			opened = false;
			continue;
		}
		if (open_by(&stage, BY_FILE) == 0) {
			check_true(opened); /* never again, once it did not */
			now = look(stage.vault);
			check_true(same_keys(&now, &before));
			check_same_bytes(&before, &now);
			close_it(&stage);
		} else {
			opened = false;
		}
	}
	check_true(!died && !opened);
	check_uint(files_in(&stage, "work"), 0);
	stage_deinit(&stage);
}

/* What a process has counted when it dies is in the file, or more. */
static void a_death_never_counts_too_little(void **state)
{
	struct stage stage;
	uint64_t *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int deaths = 0;

	(void)state;
	check_true(told != MAP_FAILED);
	stage_init(&stage, SEAL_XCHACHA);
	rehearse(&stage, &scenes[0]);
	for (int at = 1; at < 60; at++) {
		int status = 0;
		pid_t child;
		struct sight now;

		copy_folder(&stage, "template", "work");
		go(&stage, "work");
		*told = 0;
		child = fork();
		check_true(child >= 0);
		if (child == 0) {
			if (open_by(&stage, BY_FILE))
				_exit(2);
			cut_before(at, CUT_DIES);
			for (int i = 0; i < 30; i++) {
				if (vault_count(stage.vault, FIRST, 300000))
					_exit(3);
				*told += 300000;
			}
			_exit(0);
		}
		check_int(waitpid(child, &status, 0), child);
		deaths += WIFSIGNALED(status);
		check_ok(open_by(&stage, BY_FILE));
		now = look(stage.vault);
		check_true(now.info[0].id == FIRST && now.info[0].uses >= *told && now.info[0].uses <= *told + (2u << 20));
		close_it(&stage);
	}
	check_true(deaths > 20);
	munmap(told, sizeof(*told));
	stage_deinit(&stage);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(dies_at_every_step_of_every_verb),
		cmocka_unit_test(dies_again_while_it_is_put_right),
		cmocka_unit_test(an_erasure_that_is_cut_leaves_nothing_that_opens),
		cmocka_unit_test(a_death_never_counts_too_little),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
