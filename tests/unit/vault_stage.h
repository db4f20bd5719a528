#pragma once
/* A folder with a vault in it, a copy to work on, and the scenes: each verb with what has to be there before it. */
#include "vault_cut.h"

#include <dirent.h>
#include <sys/wait.h>

#include "base/base.h"
#include "check.h"
#include "sys/crypto.h"
#include "tmpdir.h"
#include "vault/vault.h"

enum { NOW_S = 1800000000, CUTS = 400, MEM_KIB = 8 };

/* What can be told of a vault from outside. */
struct sight {
	size_t n;
	struct vault_key_info info[KEYSTORE_KEYS_MAX];
	uint8_t bytes[KEYSTORE_KEYS_MAX][KEYSTORE_SECRET_LEN];
	uint64_t starts, generation;
};

enum way { BY_FILE, BY_OTHER_FILE, BY_CREDENTIAL, BY_PHRASE, BY_OTHER_PHRASE, WAYS };

/* The test stands in the folder of the vault, so that a folder with all its paths can be copied. */
struct stage {
	struct tmpdir dir;
	enum seal_suite suite;
	struct vault *vault;
	struct secret *phrase[2], *exported;
	char why[256];
};

struct scene {
	const char *name;
	enum way before, after;                 /* the source with which it opens */
	void (*prepare)(struct stage *stage);   /* with an open vault; NULL: the folder is empty */
	int (*act)(struct stage *stage);
	bool opens;                             /* act opens the vault itself */
};

/* --- folders -------------------------------------------------------------------------------------------------------------- */

static inline void go(struct stage *stage, const char *name)
{
	check_ok(chdir(tmpdir_path(&stage->dir, name)));
}

static inline void copy_file(const char *from, const char *to)
{
	char data[KEYSTORE_FILE_MAX];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = read(in, data, sizeof(data));

	check_true(in >= 0 && out >= 0 && n >= 0 && n < (ssize_t)sizeof(data));
	check_int(write(out, data, (size_t)n), n);
	close(in);
	close(out);
}

static inline void each_file(struct stage *stage, const char *folder, const char *to)
{
	DIR *dir = opendir(tmpdir_path(&stage->dir, folder));
	struct dirent *entry;

	check_true(dir);
	while ((entry = readdir(dir))) {
		char from[600], into[600];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(from, sizeof(from), "%s/%s/%s", stage->dir.path, folder, entry->d_name);
		snprintf(into, sizeof(into), "%s/%s/%s", stage->dir.path, to ? to : "", entry->d_name);
		if (to)
			copy_file(from, into);
		else
			check_ok(unlink(from));
	}
	closedir(dir);
}

static inline void copy_folder(struct stage *stage, const char *from, const char *to)
{
	char bin[320], old[320];
	struct stat one, other;

	each_file(stage, to, NULL);
	each_file(stage, from, to);
	/* One file by two names stays one. */
	snprintf(bin, sizeof(bin), "%s/%s/keystore.bin", stage->dir.path, from);
	snprintf(old, sizeof(old), "%s/%s/keystore.old", stage->dir.path, from);
	if (stat(bin, &one) == 0 && stat(old, &other) == 0 && one.st_ino == other.st_ino) {
		snprintf(bin, sizeof(bin), "%s/%s/keystore.bin", stage->dir.path, to);
		snprintf(old, sizeof(old), "%s/%s/keystore.old", stage->dir.path, to);
		check_ok(unlink(old));
		check_ok(link(bin, old));
	}
}

static inline bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* --- vaults --------------------------------------------------------------------------------------------------------------- */

static inline struct vault_options options_of(struct stage *stage, enum way way)
{
	static const struct {
		enum key_source source;
		const char *path;
	} ways[WAYS] = {
		[BY_FILE] = { KEY_SOURCE_FILE, "kek.key" },	  [BY_OTHER_FILE] = { KEY_SOURCE_FILE, "other.key" },
		[BY_CREDENTIAL] = { KEY_SOURCE_CREDENTIAL, "credential" },
		[BY_PHRASE] = { KEY_SOURCE_PASSPHRASE, NULL }, [BY_OTHER_PHRASE] = { KEY_SOURCE_PASSPHRASE, NULL },
	};

	return (struct vault_options){
		.folder = ".", .suite = stage->suite, .source = ways[way].source, .path = ways[way].path,
		.passphrase = way == BY_PHRASE ? stage->phrase[0] : way == BY_OTHER_PHRASE ? stage->phrase[1] : NULL,
		.mem_kib = MEM_KIB, .passes = 1, .now_s = NOW_S,
	};
}

static inline int open_by(struct stage *stage, enum way way)
{
	struct vault_options options = options_of(stage, way);

	return vault_open(&options, stage->why, sizeof(stage->why), &stage->vault);
}

static inline void close_it(struct stage *stage)
{
	stage->vault = vault_close(stage->vault);
}

static inline struct sight look(const struct vault *vault)
{
	struct sight sight = { .starts = vault_starts(vault), .generation = vault_generation(vault) };

	sight.n = vault_list(vault, NOW_S, sight.info, KEYSTORE_KEYS_MAX);
	for (size_t i = 0; i < sight.n; i++) {
		const uint8_t *bytes;

		if (vault_key(vault, sight.info[i].id, &bytes) == 0)
			memcpy(sight.bytes[i], bytes, KEYSTORE_SECRET_LEN);
	}
	return sight;
}

static inline bool same_keys(const struct sight *a, const struct sight *b)
{
	if (a->n != b->n || a->starts != b->starts)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->info[i].id != b->info[i].id || a->info[i].purpose != b->info[i].purpose ||
		    a->info[i].state != b->info[i].state)
			return false;
	}
	return true;
}

static inline const struct vault_key_info *info_of(const struct sight *sight, uint32_t id, size_t *ret_at)
{
	for (size_t i = 0; i < sight->n; i++) {
		*ret_at = i;
		if (sight->info[i].id == id)
			return &sight->info[i];
	}
	return NULL;
}

/* What was readable before and is readable now is the same. */
static inline void check_same_bytes(const struct sight *before, const struct sight *now)
{
	static const uint8_t none[KEYSTORE_SECRET_LEN];

	for (size_t i = 0; i < before->n; i++) {
		size_t at;

		if (!info_of(now, before->info[i].id, &at) || !memcmp(before->bytes[i], none, sizeof(none)) ||
		    !memcmp(now->bytes[at], none, sizeof(none)))
			continue;
		check_bytes(now->bytes[at], KEYSTORE_SECRET_LEN, before->bytes[i], KEYSTORE_SECRET_LEN);
	}
}

static inline void check_one_active_each(const struct sight *sight)
{
	unsigned active[KEY_PURPOSES] = { 0 };

	for (size_t i = 0; i < sight->n; i++)
		active[sight->info[i].purpose] += sight->info[i].state == KEY_ACTIVE;
	for (enum key_purpose purpose = KEY_DB; purpose < KEY_PURPOSES; purpose++)
		check_uint(active[purpose], 1);
}

/* --- scenes --------------------------------------------------------------------------------------------------------------- */

static inline void with_waiting(struct stage *stage)
{
	uint32_t id;

	check_ok(vault_create(stage->vault, KEY_DB, NOW_S, &id));
}

static inline void with_spent(struct stage *stage)
{
	uint32_t id;

	check_ok(vault_create(stage->vault, KEY_DB, NOW_S, &id));
	check_ok(vault_activate(stage->vault, id, NOW_S));
}

/* As a death between the link and the renaming leaves it. */
static inline void with_one_file_only(struct stage *stage)
{
	with_spent(stage);
	check_ok(unlink("keystore.old"));
	check_ok(link("keystore.bin", "keystore.old"));
}

static inline void nothing(struct stage *stage)
{
	(void)stage;
}

static inline void with_credential(struct stage *stage)
{
	(void)stage;
	int fd = open("credential", O_WRONLY | O_CREAT, 0400);

	check_int(write(fd, "thirty-two bytes of a credential", 32), 32);
	close(fd);
}

static inline void damage_bin(struct stage *stage)
{
	close_it(stage);
	check_ok(truncate("keystore.bin", 100));
}

static inline void lose_bin(struct stage *stage)
{
	close_it(stage);
	check_ok(unlink("keystore.bin"));
}

static inline void as_export(struct stage *stage)
{
	stage->exported = secret_free(stage->exported);
	check_ok(vault_export(stage->vault, &stage->exported));
	close_it(stage);
	each_file(stage, "template", NULL);
}

static inline int act_open(struct stage *stage)
{
	return open_by(stage, BY_FILE);
}

static inline int act_open_by_phrase(struct stage *stage)
{
	return open_by(stage, BY_PHRASE);
}

static int (*const act_by[WAYS])(struct stage *stage) = { [BY_FILE] = act_open, [BY_PHRASE] = act_open_by_phrase };

static inline int act_open_in_other_suite(struct stage *stage)
{
	stage->suite = stage->suite == SEAL_SM4 ? SEAL_XCHACHA : SEAL_SM4;
	int r = open_by(stage, BY_FILE);

	stage->suite = stage->suite == SEAL_SM4 ? SEAL_XCHACHA : SEAL_SM4;
	return r;
}

static inline int act_create(struct stage *stage)
{
	uint32_t id;

	return vault_create(stage->vault, KEY_FILES, NOW_S, &id);
}

enum { WAITING = KEY_PURPOSES, FIRST = 1 }; /* ids: six first keys, then with_waiting's */

static inline int act_activate(struct stage *stage)
{
	return vault_activate(stage->vault, WAITING, NOW_S);
}

static inline int act_deactivate(struct stage *stage)
{
	return vault_deactivate(stage->vault, FIRST, NOW_S);
}

static inline int act_compromise(struct stage *stage)
{
	return vault_compromise(stage->vault, FIRST, NOW_S);
}

static inline int act_destroy(struct stage *stage)
{
	return vault_destroy(stage->vault, FIRST, NOW_S);
}

static inline int act_starts(struct stage *stage)
{
	return vault_set_starts(stage->vault, 41);
}

static inline int act_count(struct stage *stage)
{
	return vault_count(stage->vault, FIRST, 7);
}

static inline int act_count_and_close(struct stage *stage)
{
	int r = vault_count(stage->vault, FIRST, 7);

	close_it(stage);
	return r;
}

static inline int rewrap(struct stage *stage, enum way way)
{
	struct vault_options options = options_of(stage, way);

	return vault_rewrap(stage->vault, &options);
}

static inline int act_to_file(struct stage *stage)
{
	return rewrap(stage, BY_FILE);
}

static inline int act_to_other_file(struct stage *stage)
{
	return rewrap(stage, BY_OTHER_FILE);
}

static inline int act_to_credential(struct stage *stage)
{
	return rewrap(stage, BY_CREDENTIAL);
}

static inline int act_to_phrase(struct stage *stage)
{
	return rewrap(stage, BY_PHRASE);
}

static inline int act_to_other_phrase(struct stage *stage)
{
	return rewrap(stage, BY_OTHER_PHRASE);
}

static inline int act_import(struct stage *stage)
{
	struct vault_options options = options_of(stage, BY_FILE);

	if (is_there("keystore.bin"))
		return 0; /* it had been made when it was cut */
	return vault_import(&options, stage->exported, stage->why, sizeof(stage->why));
}

static const struct scene scenes[] = {
	{ "create", BY_FILE, BY_FILE, nothing, act_create, false },
	{ "activate", BY_FILE, BY_FILE, with_waiting, act_activate, false },
	{ "deactivate", BY_FILE, BY_FILE, with_waiting, act_deactivate, false },
	{ "compromise, one waiting", BY_FILE, BY_FILE, with_waiting, act_compromise, false },
	{ "compromise, none waiting", BY_FILE, BY_FILE, nothing, act_compromise, false },
	{ "destroy", BY_FILE, BY_FILE, with_spent, act_destroy, false },
	{ "destroy, with one file by two names", BY_FILE, BY_FILE, with_one_file_only, act_destroy, false },
	{ "starts", BY_FILE, BY_FILE, nothing, act_starts, false },
	{ "count", BY_FILE, BY_FILE, nothing, act_count, false },
	{ "count and close", BY_FILE, BY_FILE, nothing, act_count_and_close, false },
	{ "open", BY_FILE, BY_FILE, close_it, act_open, true },
	{ "open a damaged one", BY_FILE, BY_FILE, damage_bin, act_open, true },
	{ "open without the first", BY_FILE, BY_FILE, lose_bin, act_open, true },
	{ "open in the other suite", BY_FILE, BY_FILE, close_it, act_open_in_other_suite, true },
	{ "make", BY_FILE, BY_FILE, NULL, act_open, true },
	{ "file to passphrase", BY_FILE, BY_PHRASE, nothing, act_to_phrase, false },
	{ "file to itself", BY_FILE, BY_FILE, nothing, act_to_file, false },
	{ "file to another file", BY_FILE, BY_OTHER_FILE, nothing, act_to_other_file, false },
	{ "file to credential", BY_FILE, BY_CREDENTIAL, with_credential, act_to_credential, false },
	{ "credential to file", BY_CREDENTIAL, BY_FILE, with_credential, act_to_file, false },
	{ "passphrase to file", BY_PHRASE, BY_FILE, nothing, act_to_file, false },
	{ "passphrase to another", BY_PHRASE, BY_OTHER_PHRASE, nothing, act_to_other_phrase, false },
	{ "import", BY_FILE, BY_FILE, as_export, act_import, true },
};

struct rehearsal {
	struct sight before, after;
};

static inline void stage_init(struct stage *stage, enum seal_suite suite)
{
	memset(stage, 0, sizeof(*stage));
	stage->suite = suite;
	tmpdir_init(&stage->dir);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "template", "work", "copy", "twice" };

		check_ok(mkdir(tmpdir_path(&stage->dir, names[i]), 0700));
	}
	check_ok(secret_new("twelve little owls", 18, &stage->phrase[0]));
	check_ok(secret_new("a dozen of tame owls", 20, &stage->phrase[1]));
}

static inline void stage_deinit(struct stage *stage)
{
	close_it(stage);
	check_ok(chdir("/"));
	for (size_t i = 0; i < 2; i++)
		secret_free(stage->phrase[i]);
	secret_free(stage->exported);
	tmpdir_deinit(&stage->dir);
}

/* The folder as it is before the verb, and what is to be seen before and after. */
static inline struct rehearsal rehearse(struct stage *stage, const struct scene *scene)
{
	struct rehearsal rehearsal = { .before = { .n = 0 } };

	each_file(stage, "template", NULL);
	go(stage, "template");
	if (scene->prepare) {
		if (scene->before == BY_CREDENTIAL)
			with_credential(stage);
		check_ok(open_by(stage, scene->before));
		check_ok(vault_set_starts(stage->vault, 40));
		rehearsal.before = look(stage->vault);
		scene->prepare(stage);
		if (stage->vault)
			rehearsal.before = look(stage->vault);
		close_it(stage);
	}
	copy_folder(stage, "template", "work");
	go(stage, "work");
	if (!scene->opens)
		check_ok(open_by(stage, scene->before));
	check_ok(scene->act(stage));
	if (!stage->vault)
		check_ok(open_by(stage, scene->after));
	rehearsal.after = look(stage->vault);
	close_it(stage);
	return rehearsal;
}

/* --- what is to be found afterwards ----------------------------------------------------------------------------------------- */

/* With the one source or with the other. */
static inline enum way open_either(struct stage *stage, const struct scene *scene)
{
	enum way way = scene->after;
	int r = open_by(stage, way);

	if (r && scene->before != scene->after) {
		way = scene->before;
		r = open_by(stage, way);
	}
	if (r)
		print_error("%s, cut before call %d: %d: %s\n", scene->name, cut.at, r, stage->why);
	check_int(r, 0);
	return way;
}

/* The generation before opens too, and brings nothing back. */
static inline void check_old(struct stage *stage, const struct scene *scene, const struct sight *now)
{
	struct sight old;

	check_ok(unlink("keystore.bin"));
	open_either(stage, scene);
	check_true(vault_fell_back(stage->vault));
	old = look(stage->vault);
	for (size_t i = 0; i < now->n; i++) {
		const struct vault_key_info *was;
		size_t at;

		if (now->info[i].state != KEY_DESTROYED)
			continue;
		was = info_of(&old, now->info[i].id, &at);
		check_true(was && was->state == KEY_DESTROYED);
	}
	close_it(stage);
}

/* When the verb has returned, nothing is left to an opening: the generation before is under the new lock as well, and what
 * was destroyed, keys and key files, is not there. */
static inline void check_done(struct stage *stage, const struct scene *scene, const struct rehearsal *rehearsal)
{
	bool rewraps = scene->before != scene->after || scene->act == act_to_file;

	if (!rewraps && scene->act != act_destroy)
		return;
	copy_folder(stage, "work", "copy");
	go(stage, "copy");
	check_ok(unlink("keystore.bin"));
	check_ok(open_by(stage, scene->after));
	struct sight now = look(stage->vault);

	check_true(same_keys(&now, &rehearsal->after));
	close_it(stage);
	go(stage, "work");
	check_true(!is_there("kek.key.new") && !is_there("other.key.new"));
	check_true(scene->before != BY_FILE || scene->after == BY_FILE || !is_there("kek.key"));
}

static inline void check_stage(struct stage *stage, const struct scene *scene, const struct rehearsal *rehearsal, bool done)
{
	struct sight now;
	bool is_before, is_after;

	if (done)
		check_done(stage, scene, rehearsal);
	if (!scene->prepare || scene->prepare == as_export) { /* there may be none yet */
		if (is_there("keystore.bin") || is_there("keystore.old"))
			open_either(stage, scene);
		else
			check_ok(scene->act(stage));
		if (!stage->vault)
			open_either(stage, scene);
	} else {
		open_either(stage, scene);
	}
	now = look(stage->vault);
	close_it(stage);
	is_before = same_keys(&now, &rehearsal->before);
	is_after = same_keys(&now, &rehearsal->after);
	if (!is_after && (done || !is_before))
		print_error("%s, cut before call %d of %d\n", scene->name, cut.at, cut.n);
	check_true(is_after || (!done && is_before));
	check_one_active_each(&now);
	check_same_bytes(&rehearsal->before, &now);
	/* And again: what was left over is put right once. */
	bool is_by_after = open_either(stage, scene) == scene->after;

	check_true(!vault_fell_back(stage->vault));
	now = look(stage->vault);
	check_true(is_after ? same_keys(&now, &rehearsal->after) : same_keys(&now, &rehearsal->before));
	check_true(!is_there("kek.key.new"));
	check_true(scene->before != BY_FILE || scene->after == BY_FILE || is_there("kek.key") == !is_by_after);
	close_it(stage);
	check_old(stage, scene, &now);
}
