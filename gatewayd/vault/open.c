/* Opening is where everything that was cut short is put right. Either file may be missing, torn or of another key; a rewrap may
 * have been cut between the new key and the new keystore, or before the old key was removed; a destruction between its two
 * writes. What is found is decided by what opens, never by names or times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "vault/inside.h"
#include "vault/shelf.h"

enum { YEAR_S = 365 * 24 * 3600, PASSPHRASE_MEM_KIB = 64 * 1024, PASSPHRASE_PASSES = 3 };

/* What one file turned out to be. */
struct look {
	char *data;
	size_t len;
	int r; /* 0 has a header; SHELF_E_*, KEYSTORE_E_*; negative */
};

/* While the vault is opened. */
struct opening {
	const struct vault_options *options;
	struct look file[2]; /* SHELF_BIN, SHELF_OLD */
	struct keystore *header; /* guarded because it is large enough for secrets, not because it holds any */
	char *path_new;      /* a key file that a rewrap had made */
	bool used_new;       /* and that is the one which opens */
	bool wrong_key;      /* a file is sound in form and did not open */
	char *why;
	size_t why_cap;
};

int vault_new(const struct vault_options *options, struct vault **ret)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	void *guarded[3] = { NULL };
	int r = 0;

	if (!vault)
		return -ENOMEM;
	pthread_mutex_init(&vault->verbs, NULL);
	pthread_mutex_init(&vault->look, NULL);
	vault->suite = options->suite;
	vault->age_max_s = options->age_max_s ? options->age_max_s : YEAR_S;
	vault->folder = strdup(options->folder);
	vault->path = options->path ? strdup(options->path) : NULL;
	if (!vault->folder || (options->path && !vault->path))
		r = -ENOMEM;
	for (size_t i = 0; !r && i < N_ELEMENTS(guarded); i++)
		r = crypto_guarded_new(i < 2 ? sizeof(struct keystore) : KEYSTORE_FILE_MAX, &guarded[i]);
	vault->now = guarded[0];
	vault->next = guarded[1];
	vault->page = guarded[2];
	if (r) {
		vault_close(vault);
		return r;
	}
	*ret = vault;
	return 0;
}

static void opening_deinit(struct opening *opening)
{
	for (size_t i = 0; i < N_ELEMENTS(opening->file); i++)
		free(opening->file[i].data);
	crypto_guarded_free(opening->header);
	free(opening->path_new);
}

must_check static int opening_init(struct opening *opening, const struct vault_options *options, char *why, size_t why_cap)
{
	void *header = NULL;
	int r = crypto_guarded_new(sizeof(*opening->header), &header);

	*opening = (struct opening){ .options = options, .header = header, .why = why, .why_cap = why_cap };
	if (r)
		return r;
	if (options->source == KEY_SOURCE_FILE && options->path &&
	    asprintf(&opening->path_new, "%s" SOURCE_NEW_SUFFIX, options->path) < 0) {
		opening->path_new = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < N_ELEMENTS(opening->file); i++) {
		struct look *file = &opening->file[i];

		file->r = shelf_read(options->folder, (enum shelf_file)i, &file->data, &file->len);
		if (file->r == 0)
			file->r = keystore_read_header(file->data, file->len, opening->header);
		else if (file->r == SHELF_E_UNREADABLE)
			file->r = KEYSTORE_E_SYNTAX;
		else if (file->r == SHELF_E_MISSING)
			file->r = -ENOENT;
		if (file->r < 0 && file->r != -ENOENT)
			return file->r;
	}
	return 0;
}

must_check static int say(struct opening *opening, int error, const char *what)
{
	text_print(opening->why, opening->why_cap, "%s: %s", opening->options->folder, what);
	return error;
}

static const char *source_name(enum key_source source)
{
	return source == KEY_SOURCE_FILE       ? "a key file" :
	       source == KEY_SOURCE_CREDENTIAL ? "a credential of the service manager" :
						 "a passphrase";
}

/* A sound header says so; but whoever changed it wants to be told, not believed. */
must_check static int check_source(struct opening *opening)
{
	enum key_source is = (enum key_source)opening->header->source;

	if (is == opening->options->source)
		return 0;
	text_print(opening->why, opening->why_cap, "%s: the keystore is locked with %s, and the settings say %s (vault.source)",
		   opening->options->folder, source_name(is), source_name(opening->options->source));
	return VAULT_E_WRONG_KEY;
}

int vault_error_of_source(int r)
{
	return r == SOURCE_E_LOCKED ? VAULT_E_LOCKED : r > 0 ? VAULT_E_WRONG_KEY : r;
}

must_check static int try_key(struct opening *opening, struct vault *vault, const struct look *file, const char *path)
{
	struct source source = {
		.kind = opening->options->source, .path = path, .passphrase = opening->options->passphrase,
	};
	struct seal_key *kek = NULL;
	int r = source_kek(&source, opening->header, opening->why, opening->why_cap, &kek);

	if (r)
		return vault_error_of_source(r);
	r = keystore_read(file->data, file->len, kek, vault->now);
	if (r) {
		seal_key_free(kek);
		return r == KEYSTORE_E_SEALED ? say(opening, VAULT_E_WRONG_KEY, "the keystore does not open with this key") :
		       r > 0		      ? say(opening, VAULT_E_DAMAGED, "the keystore opens, and is none") :
						r;
	}
	vault->kek = kek;
	return 0;
}

/* With the key file, or with the one that a rewrap had made beside it. */
must_check static int try_file(struct opening *opening, struct vault *vault, const struct look *file)
{
	int r = keystore_read_header(file->data, file->len, opening->header), other;

	if (!r)
		r = check_source(opening);
	if (r)
		return r;
	r = try_key(opening, vault, file, opening->options->path);
	if (r != VAULT_E_WRONG_KEY || !opening->path_new || access(opening->path_new, F_OK) < 0)
		return r;
	other = try_key(opening, vault, file, opening->path_new);
	opening->used_new = other == 0;
	return other == 0 ? 0 : r;
}

/* 0, VAULT_E_* with why, or negative. */
must_check static int try_files(struct opening *opening, struct vault *vault)
{
	const struct look *bin = &opening->file[SHELF_BIN], *old = &opening->file[SHELF_OLD];
	int r, second;

	if (bin->r == KEYSTORE_E_NEWER || (bin->r && old->r == KEYSTORE_E_NEWER))
		return say(opening, VAULT_E_NEWER, "the keystore was written by a newer gatewayd");
	r = bin->r ? say(opening, VAULT_E_DAMAGED, bin->r == -ENOENT ? "keystore.bin is missing" : "keystore.bin is damaged") :
		     try_file(opening, vault, bin);
	if ((r != VAULT_E_DAMAGED && r != VAULT_E_WRONG_KEY) || old->r)
		return r;
	second = try_file(opening, vault, old);
	if (second == 0) {
		vault->fell_back = vault->bad_bin = true;
		return 0;
	}
	/* What is wrong with the present one says more, unless nothing is known of it. */
	return r == VAULT_E_DAMAGED || second < 0 ? second : r;
}

/* Is the generation before sealed with the same key, and without what has been destroyed since? */
static bool old_is_fit(struct opening *opening, struct vault *vault)
{
	const struct look *file = &opening->file[SHELF_OLD];

	if (file->r || keystore_read(file->data, file->len, vault->kek, vault->next))
		return false;
	for (uint32_t i = 0; i < vault->next->n_keys; i++) {
		const struct keystore_key *was = &vault->next->keys[i], *is = vault_find(vault->now, was->id);

		if (was->state != KEY_DESTROYED && (!is || is->state == KEY_DESTROYED))
			return false;
	}
	return true;
}

/* The key file that the keystore has left behind, and the one that a rewrap made and never used. After falling back none is
 * touched: the keystore that did not open may be opened by somebody cleverer. */
must_check static int settle_files(struct opening *opening, struct vault *vault)
{
	int r = 0;

	vault->key_is_new = opening->used_new;
	if (vault->fell_back)
		return 0;
	if (opening->used_new)
		r = vault_settle_key_file(vault);
	else if (opening->path_new)
		r = source_destroy_file(opening->path_new);
	if (!r && vault->now->spent[0] && !text_equal(vault->now->spent, vault->path))
		r = source_destroy_file(vault->now->spent);
	return r;
}

/* The suite of the settings seals the file from now on. */
must_check static int change_suite(struct opening *opening, struct vault *vault, struct seal_key **ret)
{
	struct source source = {
		.kind = opening->options->source,
		.path = opening->used_new ? opening->path_new : opening->options->path,
		.passphrase = opening->options->passphrase,
	};

	vault->next->suite = (uint8_t)vault->suite;
	return source_kek(&source, vault->next, opening->why, opening->why_cap, ret);
}

/* Writes that were left over. Only one that a purpose cannot do without keeps the vault from opening: a full disk must not. */
must_check static int settle(struct opening *opening, struct vault *vault)
{
	bool again = vault->fell_back || !old_is_fit(opening, vault);
	bool spent = false, timeless, other_suite = vault->now->suite != vault->suite;
	struct seal_key *kek = NULL;
	uint32_t missing = 0;
	int r;

	memcpy(vault->next, vault->now, sizeof(*vault->next));
	vault->stale_old = again;
	if (other_suite) {
		r = change_suite(opening, vault, &kek);
		if (r)
			return vault_error_of_source(r);
	}
	r = settle_files(opening, vault);
	if (!r && !vault->fell_back) {
		spent = vault->now->spent[0];
		vault->next->spent[0] = '\0';
	}
	timeless = vault_mend_times(vault->next, opening->options->now_s);
	r = vault_add_missing(vault, opening->options->now_s, &missing);
	if (r || (!again && !spent && !other_suite && !missing && !timeless)) {
		seal_key_free(kek);
		return r;
	}
	r = vault_commit(vault, kek ? kek : vault->kek, again);
	if (kek && vault->now->suite == vault->suite) {
		struct seal_key *before = vault->kek;

		vault->kek = kek;
		kek = before;
	}
	seal_key_free(kek);
	return missing ? r : 0;
}

void vault_fill_header(struct keystore *store, const struct vault_options *options)
{
	bool passphrase = options->source == KEY_SOURCE_PASSPHRASE;

	store->source = (uint8_t)options->source;
	store->suite = (uint8_t)options->suite;
	store->mem_kib = !passphrase ? 0 : options->mem_kib ? options->mem_kib : PASSPHRASE_MEM_KIB;
	store->passes = !passphrase ? 0 : options->passes ? options->passes : PASSPHRASE_PASSES;
	crypto_random(store->salt, sizeof(store->salt));
}

int vault_first_source(struct vault *vault, const struct vault_options *options, char *why, size_t why_cap)
{
	struct source source = { .kind = options->source, .path = options->path, .passphrase = options->passphrase };
	int r = source_check_new(&source, why, why_cap);

	if (r)
		return vault_error_of_source(r);
	if (options->source == KEY_SOURCE_FILE && options->path && access(options->path, F_OK) < 0 && errno == ENOENT) {
		r = source_make_file(options->path);
		if (r)
			return vault_error_of_source(r);
	}
	vault_fill_header(vault->next, options);
	return vault_error_of_source(source_kek(&source, vault->next, why, why_cap, &vault->kek));
}

must_check static int make(struct opening *opening, struct vault *vault)
{
	const struct vault_options *options = opening->options;
	bool databases = false;
	uint32_t n = 0;
	int r = shelf_has_databases(options->folder, &databases);

	if (r)
		return r;
	if (databases)
		return say(opening, VAULT_E_DAMAGED,
			   "there are databases and no keystore; without theirs they cannot be read: restore it, or a backup, or "
			   "move the databases away");
	memset(vault->next, 0, sizeof(*vault->next));
	r = vault_first_source(vault, options, opening->why, opening->why_cap);
	if (r)
		return r;
	vault->next->next_id = 1;
	crypto_random(vault->next->gateway_id, sizeof(vault->next->gateway_id));
	r = vault_add_missing(vault, options->now_s, &n);
	if (!r)
		r = vault_commit(vault, vault->kek, false);
	/* Two generations from the first day. */
	return r ? r : vault_commit(vault, vault->kek, false);
}

must_check static int open_or_make(struct opening *opening, struct vault *vault)
{
	int r;

	if (opening->file[SHELF_BIN].r == -ENOENT && opening->file[SHELF_OLD].r == -ENOENT)
		return make(opening, vault);
	r = try_files(opening, vault);
	if (!r)
		r = vault_show(vault);
	return r ? r : settle(opening, vault);
}

int vault_open(const struct vault_options *options, char *why, size_t why_cap, struct vault **ret)
{
	struct vault *vault = NULL;
	struct opening opening;
	int r;

	text_print(why, why_cap, "%s", "");
	r = opening_init(&opening, options, why, why_cap);
	if (!r)
		r = vault_new(options, &vault);
	if (!r)
		r = open_or_make(&opening, vault);
	opening_deinit(&opening);
	if (r) {
		if (vault)
			vault->gone = true; /* nothing to write when it is closed */
		vault_close(vault);
		if (r < 0 && !why[0])
			text_print(why, why_cap, "%s: %s", options->folder, strerror(-r));
		return r;
	}
	crypto_wipe(vault->next, sizeof(*vault->next));
	crypto_guarded_allow(vault->next, GUARD_HIDDEN);
	crypto_guarded_allow(vault->now, GUARD_HIDDEN);
	*ret = vault;
	return 0;
}

int vault_source_of(const char *folder, enum key_source *ret)
{
	static const enum shelf_file files[] = { SHELF_BIN, SHELF_OLD };
	struct keystore *header;
	void *guarded = NULL;
	int r = crypto_guarded_new(sizeof(*header), &guarded);

	if (r)
		return r;
	header = guarded;
	r = VAULT_E_UNKNOWN;
	for (size_t i = 0; r == VAULT_E_UNKNOWN && i < N_ELEMENTS(files); i++) {
		char *data = NULL;
		size_t len = 0;

		if (shelf_read(folder, files[i], &data, &len) == 0 && keystore_read_header(data, len, header) == 0)
			r = 0;
		free(data);
	}
	if (r == 0)
		*ret = (enum key_source)header->source;
	crypto_guarded_free(guarded);
	return r;
}
