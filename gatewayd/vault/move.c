/* The keystore as a whole: another lock, another machine, no machine. The order of a rewrap is: new key file, keystore under the
 * new key, the generation before under the new key as well, old key file away. Cut anywhere, what is on the disk opens with what
 * is on the disk; open.c finishes it. In the other order of an erasure the key goes first: then nothing opens, whatever is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "vault/inside.h"
#include "vault/shelf.h"

/* A rewrap on its way. */
struct rewrap {
	struct source to;
	char *path;      /* of the new source, as it is called in the end */
	char *path_new;  /* as it is called until the old one is away; or NULL */
	bool made;       /* a file that is to go again when nothing comes of it */
	struct seal_key *kek;
};

static void rewrap_deinit(struct rewrap *rewrap)
{
	free(rewrap->path);
	free(rewrap->path_new);
	seal_key_free(rewrap->kek);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	if (text_equal(a, b))
		return true;
	return a && b && stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Once path.new is gone, path is the key in use: it must not be destroyed a second time. */
int vault_settle_key_file(struct vault *vault)
{
	char *path_new = NULL;
	int r;

	if (!vault->key_is_new)
		return 0;
	if (asprintf(&path_new, "%s" SOURCE_NEW_SUFFIX, vault->path) < 0)
		return -ENOMEM;
	r = source_destroy_file(vault->path);
	if (!r && rename(path_new, vault->path) < 0)
		r = -errno;
	if (!r) {
		vault->key_is_new = false;
		r = source_sync_folder_of(vault->path);
	}
	free(path_new);
	return r > 0 ? -EPERM : r;
}

/* The new key file: one that is there, one that is made, or one that is made beside the present one of the same name. */
must_check static int prepare_file(struct vault *vault, struct rewrap *rewrap)
{
	bool was_file = vault->now->source == KEY_SOURCE_FILE;
	int r;

	if (rewrap->to.kind != KEY_SOURCE_FILE || !rewrap->path)
		return 0;
	if (was_file && is_same_file(rewrap->path, vault->path)) {
		if (asprintf(&rewrap->path_new, "%s" SOURCE_NEW_SUFFIX, rewrap->path) < 0) {
			rewrap->path_new = NULL;
			return -ENOMEM;
		}
		rewrap->to.path = rewrap->path_new;
		r = source_destroy_file(rewrap->path_new);
		if (!r)
			r = source_make_file(rewrap->path_new);
	} else if (access(rewrap->path, F_OK) == 0 || errno != ENOENT) {
		return 0;
	} else {
		r = source_make_file(rewrap->path);
	}
	rewrap->made = r == 0;
	return r;
}

must_check static int prepare(struct vault *vault, const struct vault_options *options, struct rewrap *rewrap)
{
	bool leaves = vault->now->source == KEY_SOURCE_FILE;
	char why[256];
	int r;

	rewrap->to = (struct source){ .kind = options->source, .path = options->path, .passphrase = options->passphrase };
	rewrap->path = options->path ? strdup(options->path) : NULL;
	if (options->path && !rewrap->path)
		return -ENOMEM;
	r = source_check_new(&rewrap->to, why, sizeof(why));
	if (!r)
		r = prepare_file(vault, rewrap);
	if (r)
		return vault_error_of_source(r);
	vault_fill_header(vault->next, options);
	vault->next->spent[0] = '\0';
	if (leaves && !is_same_file(rewrap->path, vault->path) && !text_copy(vault->next->spent, KEYSTORE_PATH_MAX, vault->path))
		return -ENAMETOOLONG;
	return vault_error_of_source(source_kek(&rewrap->to, vault->next, why, sizeof(why), &rewrap->kek));
}

/* The keystore on the disk is under the new key: so is the memory. */
static void adopt(struct vault *vault, const struct vault_options *options, struct rewrap *rewrap)
{
	seal_key_free(vault->kek);
	vault->kek = STEAL(rewrap->kek);
	free(vault->path);
	vault->path = STEAL(rewrap->path);
	vault->suite = options->suite;
	vault->key_is_new = rewrap->path_new;
}

must_check static int leave_spent(struct vault *vault)
{
	int r;

	if (!vault->now->spent[0])
		return 0;
	r = source_destroy_file(vault->now->spent);
	if (r)
		return r > 0 ? -EPERM : r;
	vault->next->spent[0] = '\0';
	return vault_commit(vault, vault->kek, false);
}

must_check static int rewrap_steps(struct vault *vault, const struct vault_options *options, struct rewrap *rewrap)
{
	uint8_t salt[KEYSTORE_SALT_LEN];
	bool is_new;
	int r = vault_settle_key_file(vault);

	if (!r)
		r = leave_spent(vault);
	if (!r)
		r = prepare(vault, options, rewrap);
	if (r)
		return r;
	memcpy(salt, vault->next->salt, sizeof(salt));
	r = vault_commit(vault, rewrap->kek, true);
	is_new = memcmp(vault->now->salt, salt, sizeof(salt)) == 0;
	if (is_new) {
		adopt(vault, options, rewrap);
		rewrap->made = false;
		vault->stale_old = true;
	}
	if (r)
		return r;
	r = vault_commit(vault, vault->kek, true);
	if (!r)
		r = vault_settle_key_file(vault);
	return r ? r : leave_spent(vault);
}

int vault_rewrap(struct vault *vault, const struct vault_options *options)
{
	struct rewrap rewrap = { .path = NULL };
	int r;

	if (options->source <= 0 || options->source >= KEY_SOURCES)
		return -EINVAL;
	r = vault_begin(vault);
	if (r)
		return r;
	r = rewrap_steps(vault, options, &rewrap);
	/* Nothing came of it: its key opens nothing, and open.c would clear it away as well. */
	if (r && rewrap.made && source_destroy_file(rewrap.to.path))
		rewrap.made = false;
	vault_end(vault);
	rewrap_deinit(&rewrap);
	return r;
}

int vault_export(const struct vault *vault, struct secret **ret)
{
	struct vault *mine = (struct vault *)(uintptr_t)vault;
	size_t len = 0;
	int r = vault_begin(mine);

	if (r)
		return r;
	r = keystore_export(mine->now, mine->page, KEYSTORE_FILE_MAX, &len);
	if (!r)
		r = secret_new(mine->page, len, ret);
	crypto_wipe(mine->page, KEYSTORE_FILE_MAX);
	vault_end(mine);
	return r;
}

must_check static int say(const struct vault_options *options, char *why, size_t why_cap, int error, const char *what)
{
	text_print(why, why_cap, "%s: %s", options->folder, what);
	return error;
}

must_check static int check_free(const struct vault_options *options, char *why, size_t why_cap)
{
	for (enum shelf_file file = SHELF_BIN; file <= SHELF_OLD; file++) {
		char *data = NULL;
		size_t len;
		int r = shelf_read(options->folder, file, &data, &len);

		free(data);
		if (r < 0)
			return r;
		if (r != SHELF_E_MISSING)
			return say(options, why, why_cap, -EEXIST, "there is a keystore already");
	}
	return 0;
}

must_check static int import_into(struct vault *vault, const struct vault_options *options, const struct secret *exported,
				  char *why, size_t why_cap)
{
	struct view bytes = secret_view(exported);
	uint32_t n = 0;
	int r = keystore_import(bytes.data, bytes.len, vault->next);

	if (r)
		return say(options, why, why_cap, r == KEYSTORE_E_NEWER ? VAULT_E_NEWER : VAULT_E_DAMAGED,
			   r == KEYSTORE_E_NEWER ? "these keys were exported by a newer gatewayd" : "these are no exported keys");
	r = vault_first_source(vault, options, why, why_cap);
	if (!r)
		r = vault_add_missing(vault, options->now_s, &n);
	if (!r)
		r = vault_commit(vault, vault->kek, false);
	return r ? r : vault_commit(vault, vault->kek, false);
}

int vault_import(const struct vault_options *options, const struct secret *exported, char *why, size_t why_cap)
{
	struct vault *vault = NULL;
	int r;

	text_print(why, why_cap, "%s", "");
	r = check_free(options, why, why_cap);
	if (!r)
		r = vault_new(options, &vault);
	if (!r)
		r = import_into(vault, options, exported, why, why_cap);
	if (r < 0 && !why[0])
		text_print(why, why_cap, "%s: %s", options->folder, strerror(-r));
	vault_close(vault);
	return r;
}

static void first_error(int *ret, int r)
{
	if (r > 0)
		r = -EPERM;
	if (*ret == 0)
		*ret = r;
}

/* The key file, or, where the key is not ours to destroy, the keystore. */
must_check static int destroy_lock(struct vault *vault)
{
	int r;

	if (vault->now->source != KEY_SOURCE_FILE)
		return shelf_destroy(vault->folder, SHELF_BIN);
	r = source_destroy_file(vault->path);
	return r > 0 ? -EPERM : r;
}

must_check static int destroy_rest(struct vault *vault)
{
	char *path_new = NULL;
	int r = 0;

	if (vault->now->source == KEY_SOURCE_FILE) {
		if (asprintf(&path_new, "%s" SOURCE_NEW_SUFFIX, vault->path) < 0)
			return -ENOMEM;
		first_error(&r, source_destroy_file(path_new));
		free(path_new);
	}
	if (vault->now->spent[0])
		first_error(&r, source_destroy_file(vault->now->spent));
	/* Two names of one file: the first to go is only unlinked, the second is overwritten. */
	for (enum shelf_file file = SHELF_BIN; file < SHELF_FILES; file++)
		first_error(&r, shelf_destroy(vault->folder, file));
	first_error(&r, shelf_sync(vault->folder));
	return r;
}

/* Did what failed leave the lock as it was? */
static bool still_opens(struct vault *vault)
{
	struct source source = { .kind = KEY_SOURCE_FILE, .path = vault->path };
	struct seal_key *kek = NULL;
	char *data = NULL, why[256];
	size_t len = 0;
	int r = shelf_read(vault->folder, SHELF_BIN, &data, &len);

	if (!r && vault->now->source == KEY_SOURCE_FILE)
		r = source_kek(&source, vault->now, why, sizeof(why), &kek);
	if (!r) {
		crypto_guarded_allow(vault->next, GUARD_WRITE);
		r = keystore_read(data, len, kek ? kek : vault->kek, vault->next);
		crypto_wipe(vault->next, sizeof(*vault->next));
		crypto_guarded_allow(vault->next, GUARD_HIDDEN);
	}
	seal_key_free(kek);
	free(data);
	return r == 0;
}

int vault_erase(struct vault *vault)
{
	int r;

	pthread_mutex_lock(&vault->verbs);
	crypto_guarded_allow(vault->now, GUARD_WRITE);
	r = destroy_lock(vault);
	if (!r || vault->gone || !still_opens(vault)) {
		vault->gone = true;
		vault_forget(vault);
		first_error(&r, destroy_rest(vault));
	}
	if (!r)
		crypto_wipe(vault->now, sizeof(*vault->now));
	crypto_guarded_allow(vault->now, GUARD_HIDDEN);
	pthread_mutex_unlock(&vault->verbs);
	return r;
}
