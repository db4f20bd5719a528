/* The turn is short and the writer's: a new key, active in the keystore, then in the ring, so that every page from then on is
 * sealed with it. Which files may hold older pages is known at that moment, because a file that is made later holds none.
 * They are gone through one by one. A file that is open is the writer's to rewrite; the others, closed segments of the record,
 * nobody writes any more, and a pool thread takes its time with them. Progress is not written down: whether a file is done is
 * read from its pages.
 */
#include "custody/rotate.h"
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/db.h"
#include "sys/db_keys.h"

enum { FILE_NAME_MAX = 64, FILE_IS_CLOSED = 1 };

struct rotation {
	uint32_t id; /* the new key */
	char (*files)[FILE_NAME_MAX];
	size_t n_files, at;
	unsigned rewritten, destroyed, tries;
	char trouble[128];
	struct timer *retry;
	bool resting;     /* only the timer is under way */
	int pool_r;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool pool_busy;   /* under the lock */
};

static bool ends_with_db(const char *name)
{
	size_t len = strlen(name);
	return len > 3 && len < FILE_NAME_MAX && strcmp(name + len - 3, ".db") == 0;
}

static int make_room(struct rotation *rotation)
{
	enum { STEP = 64 };
	if (rotation->n_files % STEP != 0)
		return 0;
	if (rotation->n_files == ROTATE_FILES_MAX)
		return -E2BIG;
	void *more = realloc(rotation->files, (rotation->n_files + STEP) * sizeof(rotation->files[0]));
	if (!more)
		return -ENOMEM;
	rotation->files = more;
	return 0;
}

static int list_files(const char *folder, struct rotation *rotation)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int r = 0;
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (!ends_with_db(entry->d_name))
			continue;
		r = make_room(rotation);
		if (r == 0)
			text_copy(rotation->files[rotation->n_files++], FILE_NAME_MAX, entry->d_name);
	}
	closedir(dir);
	return r;
}

static void file_path(const struct custody *custody, const char *name, char *ret, size_t cap)
{
	text_print(ret, cap, "%s/%s", custody->folder, name);
}

static struct rotation *rotation_new(uint32_t id)
{
	struct rotation *rotation = calloc(1, sizeof(*rotation));
	if (!rotation)
		return NULL;
	rotation->id = id;
	pthread_mutex_init(&rotation->lock, NULL);
	pthread_cond_init(&rotation->ended, NULL);
	return rotation;
}

void rotate_free(struct verb *verb)
{
	struct rotation *rotation = verb->rotation;
	if (!rotation)
		return;
	timer_close(rotation->retry);
	pthread_mutex_destroy(&rotation->lock);
	pthread_cond_destroy(&rotation->ended);
	free(rotation->files);
	free(rotation);
	verb->rotation = NULL;
}

/* --- the turn, on the writer thread ------------------------------------------------------------------------------------- */

/* A new active key, from wherever an earlier turn was cut off. */
static int turn_vault(struct verb *verb)
{
	struct custody *custody = verb->custody;
	struct vault *vault = custody->options.vault;
	struct vault_key_info info;
	uint32_t id = custody_highest(custody, verb->order.purpose);
	int r = 0;
	if (id <= verb->highest) {
		custody_step(custody, "create");
		r = vault_create(vault, verb->order.purpose, verb->now_s, &id);
		if (r == -ENOSPC && custody_is_full(custody))
			r = CUSTODY_E_FULL;
	}
	if (r == 0 && !custody_key(custody, id, &info))
		r = VAULT_E_UNKNOWN;
	if (r == 0 && info.state == KEY_PREACTIVE) {
		custody_step(custody, "activate");
		r = vault_activate(vault, id, verb->now_s);
	}
	if (r == 0)
		verb->id = id;
	return r;
}

/* One write of the vault: the key is known to somebody else, and where it was the active one, another is now. */
static int mark_compromised(struct verb *verb)
{
	struct vault_key_info info;
	if (custody_key(verb->custody, verb->order.id, &info) && info.state >= KEY_COMPROMISED && verb->resumed)
		return 0;
	custody_step(verb->custody, "mark");
	return vault_compromise(verb->custody->options.vault, verb->order.id, verb->now_s);
}

int rotate_turn(struct verb *verb)
{
	struct custody *custody = verb->custody;
	bool pages = verb->order.purpose == KEY_DB;
	int r = 0;
	if (pages && !verb->resumed && !ring_has_room(custody->options.ring))
		return CUSTODY_E_FULL;
	r = verb->order.verb == CUSTODY_COMPROMISE ? mark_compromised(verb) : turn_vault(verb);
	if (r == 0 && pages) {
		custody_step(custody, "turn pages");
		r = ring_turn_pages(custody->options.ring);
	}
	if (r != 0)
		return r;
	verb->rotation = rotation_new(vault_active(custody->options.vault, verb->order.purpose));
	if (!verb->rotation)
		return -ENOMEM;
	return pages ? list_files(custody->folder, verb->rotation) : 0;
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static void say_end(struct verb *verb)
{
	struct rotation *rotation = verb->rotation;
	struct vault_key_info info;
	text_print(verb->detail, sizeof(verb->detail), "key %u is active", rotation->id);
	if (custody_key(verb->custody, rotation->id, &info) && info.public.len) {
		char text[SIGN_TEXT_MAX];
		sign_public_print(&info.public, text);
		text_append(verb->detail, sizeof(verb->detail), ", %s", text);
	}
	if (rotation->n_files)
		text_append(verb->detail, sizeof(verb->detail), ", %u files were written anew", rotation->rewritten);
	if (rotation->destroyed)
		text_append(verb->detail, sizeof(verb->detail), ", %u older destroyed", rotation->destroyed);
	else
		text_append(verb->detail, sizeof(verb->detail), ", the one before it is kept");
}

static void rotate_end(struct verb *verb)
{
	say_end(verb);
	verb_end(verb, 0);
}

static int destroy_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct verb *verb = arg;
	struct custody *custody = verb->custody;
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(custody->options.vault, 0, infos, N_ELEMENTS(infos));
	int r = 0;
	(void)store;
	(void)dbs;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (infos[i].purpose != verb->order.purpose || infos[i].id == verb->rotation->id ||
		    (infos[i].state != KEY_DEACTIVATED && infos[i].state != KEY_COMPROMISED))
			continue;
		if (infos[i].purpose == KEY_AUDIT && ring_file_names(custody->options.ring, infos[i].id))
			return CUSTODY_E_CARRIED;
		custody_step(custody, "destroy");
		r = vault_destroy(custody->options.vault, infos[i].id, verb->now_s);
		if (r == 0 && infos[i].purpose == KEY_DB)
			(void)!db_keys_drop(ring_pages(custody->options.ring), infos[i].id);
		if (r == 0)
			verb->rotation->destroyed++;
	}
	return r;
}

static void on_destroyed(void *arg, int r)
{
	struct verb *verb = arg;
	if (verb_is_dropped(verb))
		return;
	if (r != 0)
		verb_end(verb, r);
	else
		verb_seal_anew(verb, rotate_end);
}

static void rotate_destroy(struct verb *verb)
{
	verb->now_s = custody_now_s(verb->custody);
	int r = store_submit_task(verb->custody->options.store, destroy_task, on_destroyed, verb);
	if (r != 0)
		on_destroyed(verb, r < 0 ? r : -EAGAIN);
}

/* --- file by file ------------------------------------------------------------------------------------------------------- */

static void rotate_next(struct verb *verb);

/* 0: no page of it carries another key (any more). */
static int rewrite(struct db *db, const char *path, uint32_t id)
{
	uint64_t others = 0;
	int r = db_rewrite(db);
	if (r == 0)
		r = db_keys_scan(path, id, &others);
	return r == 0 && others ? -EBUSY : r;
}

static int is_clean(const char *path, uint32_t id)
{
	uint64_t others = 0;
	int r = db_keys_scan(path, id, &others);
	return r == 0 && others ? FILE_IS_CLOSED : r;
}

/* FILE_IS_CLOSED: none of the writer's. */
static int open_file_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct verb *verb = arg;
	const char *name = verb->rotation->files[verb->rotation->at];
	char path[512];
	file_path(verb->custody, name, path, sizeof(path));
	for (unsigned i = 0; i < store_dbs(store); i++) {
		const char *slash = strrchr(db_path(dbs[i]), '/');
		if (!slash || strcmp(slash + 1, name) != 0)
			continue;
		custody_step(verb->custody, "rewrite an open file");
		return rewrite(dbs[i], path, verb->rotation->id);
	}
	return FILE_IS_CLOSED;
}

/* Pool thread. */
static void closed_file_work(void *ctx)
{
	/* Its own schema is its own business: a version is given so that it is taken for known, and never run. */
	static const struct db_migration known = { 1, "" };
	struct verb *verb = ctx;
	struct rotation *rotation = verb->rotation;
	const struct db_options options = { .sync = DB_SYNC_EXTRA, .migrations = &known, .n_migrations = 1,
					    .keys = ring_pages(verb->custody->options.ring), .must_exist = true };
	struct db *db;
	char path[512];
	file_path(verb->custody, rotation->files[rotation->at], path, sizeof(path));
	custody_step(verb->custody, "rewrite a closed file");
	int r = is_clean(path, rotation->id);
	if (r == FILE_IS_CLOSED) {
		r = db_open(path, &options, &db);
		if (r == 0) {
			r = rewrite(db, path, rotation->id);
			db_close(db);
		}
	}
	rotation->pool_r = r;
	pthread_mutex_lock(&rotation->lock);
	rotation->pool_busy = false;
	pthread_cond_signal(&rotation->ended);
	pthread_mutex_unlock(&rotation->lock);
}

static bool passes_by_itself(int r)
{
	return r == -EBUSY || r == -EAGAIN || r == -EIO || r == -ENOSPC || r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

static void on_retry(void *ctx)
{
	struct verb *verb = ctx;
	verb->rotation->resting = false;
	rotate_next(verb);
}

static void give_up(struct verb *verb)
{
	verb_end(verb, verb->r);
}

static void file_done(struct verb *verb, int r)
{
	struct rotation *rotation = verb->rotation;
	if (r == 0 || r == -ENOENT) {
		rotation->rewritten += r == 0;
		rotation->at++;
		rotation->tries = 0;
		rotation->trouble[0] = 0;
		rotate_next(verb);
		return;
	}
	const char *why = r < 0 ? strerror(-r) : "not a database of this gateway";
	text_print(rotation->trouble, sizeof(rotation->trouble), "%s: %s", rotation->files[rotation->at], why);
	if (passes_by_itself(r) && ++rotation->tries < ROTATE_TRIES_MAX &&
	    (rotation->retry || timer_new(verb->custody->options.loop, on_retry, verb, &rotation->retry) == 0)) {
		rotation->resting = true;
		timer_start(rotation->retry, ROTATE_RETRY_MS);
		return;
	}
	/* What cannot be read cannot be written anew: the key before is kept for the rest of it. */
	text_print(verb->detail, sizeof(verb->detail), "key %u is active, the one before it is kept; %s cannot be written anew", rotation->id,
		   rotation->files[rotation->at]);
	verb->r = r < 0 ? r : -EBADMSG;
	custody_enter(verb, give_up);
}

static void on_closed_file(void *ctx, int r)
{
	struct verb *verb = ctx;
	if (!verb_is_dropped(verb))
		file_done(verb, r == 0 ? verb->rotation->pool_r : r);
}

static void on_open_file(void *arg, int r)
{
	struct verb *verb = arg;
	if (verb_is_dropped(verb))
		return;
	if (r != FILE_IS_CLOSED) {
		file_done(verb, r);
		return;
	}
	verb->rotation->pool_busy = true;
	r = loop_work(verb->custody->options.loop, closed_file_work, on_closed_file, verb);
	if (r != 0) {
		verb->rotation->pool_busy = false;
		file_done(verb, r);
	}
}

static void rotate_next(struct verb *verb)
{
	struct rotation *rotation = verb->rotation;
	if (rotation->at == rotation->n_files) {
		custody_enter(verb, rotate_destroy);
		return;
	}
	int r = store_submit_task(verb->custody->options.store, open_file_task, on_open_file, verb);
	if (r != 0)
		file_done(verb, r < 0 ? r : -EAGAIN);
}

/* --- after the turn ----------------------------------------------------------------------------------------------------- */

static void on_record_sealed(struct verb *verb)
{
	if (verb->r != 0) {
		text_print(verb->detail, sizeof(verb->detail), "key %u is active; the record does not have it yet", verb->rotation->id);
		verb_end(verb, verb->r);
	} else if (verb->order.purpose == KEY_AUDIT) {
		rotate_destroy(verb);
	} else if (verb->order.purpose == KEY_DB) {
		text_print(verb->detail, sizeof(verb->detail), "%zu files are being written anew", verb->rotation->n_files);
		verb_tell(verb, rotate_next);
	} else {
		rotate_end(verb);
	}
}

void rotate_go_on(struct verb *verb)
{
	verb_seal_anew(verb, on_record_sealed);
}

bool rotate_stop(struct verb *verb)
{
	struct rotation *rotation = verb->rotation;
	if (!rotation)
		return false;
	pthread_mutex_lock(&rotation->lock);
	while (rotation->pool_busy)
		pthread_cond_wait(&rotation->ended, &rotation->lock);
	pthread_mutex_unlock(&rotation->lock);
	return rotation->resting;
}

bool rotate_progress(const struct verb *verb, struct custody_progress *ret)
{
	const struct rotation *rotation = verb->rotation;
	if (!rotation)
		return false;
	*ret = (struct custody_progress){ .purpose = verb->order.purpose, .id = rotation->id, .files = (unsigned)rotation->n_files,
					  .files_done = (unsigned)rotation->at, .trouble = rotation->trouble[0] ? rotation->trouble : NULL };
	return true;
}

/* --- may a key go? ------------------------------------------------------------------------------------------------------ */

int rotate_is_carried(struct custody *custody, const struct vault_key_info *info)
{
	uint32_t active = vault_active(custody->options.vault, KEY_DB);
	if (info->purpose == KEY_AUDIT)
		return ring_file_names(custody->options.ring, info->id) ? CUSTODY_E_CARRIED : 0;
	/* Its public half goes with it, and without that nobody here can check what it signed. */
	if (info->purpose == KEY_SIGN || info->purpose == KEY_SIGN_SM2)
		return CUSTODY_E_CARRIED;
	if (info->purpose != KEY_DB)
		return 0;
	struct rotation files = { 0 };
	int r = list_files(custody->folder, &files);
	for (size_t i = 0; r == 0 && i < files.n_files; i++) {
		char path[512];
		file_path(custody, files.files[i], path, sizeof(path));
		r = is_clean(path, active);
	}
	free(files.files);
	return r > 0 ? CUSTODY_E_CARRIED : r == -ENOENT ? 0 : r;
}
