/* What comes in is believed in three steps: the parcel's sound end says that it is whole and sealed to the recovery key; its own
 * list of sums, that its parts are those that were put in; and its keys, that the databases open page by page. Only
 * then is anything of it given the state folder's name. Whoever is cut off before has lost nothing but a folder
 * beside it, which the next try sweeps away.
 */
#include "custody/restore.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "audit/audit.h"
#include "audit/segment.h"
#include "base/text.h"
#include "custody/backup.h"
#include "sys/box.h"
#include "sys/crypto.h"
#include "sys/db_copy.h"
#include "sys/db_keys.h"
#include "sys/host.h"
#include "sys/json.h"
#include "vault/parcel.h"
#include "vault/source.h"

enum { PATH_LEN = 512, COPY_STEP = 16 * 1024, TEXT_MAX = 4 * 1024 * 1024, KEY_TEXT_MAX = 512 };

struct restore {
	const struct restore_options *options;
	char *why;
	size_t why_cap;
	char folder[PATH_LEN], key_path[PATH_LEN]; /* of the work, and where in it the key file is */
	bool made;
	enum box_kind box;
	struct secret *recovery, *keys;
	struct parcel_reader *parcel;
	struct crypto_hash *hash;
	struct json *manifest, *sums, *seen;
	struct vault *vault;
	struct db_keys *pages;
	uid_t uid; /* whose the state folder is */
	gid_t gid;
	struct restore_result result;
};

printf_like(2, 3) must_check static int refuse(struct restore *restore, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(restore->why, restore->why_cap, fmt, args);
	va_end(args);
	return RESTORE_E_REFUSED;
}

/* Words for what has none yet. */
must_check static int name_it(struct restore *restore, int r, const char *what)
{
	if (r && !restore->why[0])
		text_print(restore->why, restore->why_cap, "%s: %s", what, r < 0 ? strerror(-r) : "refused");
	return r;
}

/* --- the key and the folders ---------------------------------------------------------------------------------------------- */

must_check static int read_recovery_key(struct restore *restore)
{
	char *text = NULL;
	size_t len = 0;
	int r = host_read_file(restore->options->key_file, KEY_TEXT_MAX, &text, &len);

	if (r)
		return r < 0 ? name_it(restore, r, restore->options->key_file) : refuse(restore, "%s: no recovery key", restore->options->key_file);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	r = box_secret_parse(text, &restore->box, &restore->recovery);
	crypto_wipe(text, len);
	free(text);
	return r > 0 ? refuse(restore, "%s: not the private half of a recovery key", restore->options->key_file) :
		       name_it(restore, r, "recovery key");
}

static bool is_old_receipt(const char *name)
{
	return strncmp(name, "erased-", 7) == 0;
}

/* A folder that is there is there to be filled; the receipts of a gateway that was erased here stay. */
must_check static int check_target(struct restore *restore)
{
	const char *folder = restore->options->vault.folder;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;
	int r = 0;

	restore->uid = geteuid();
	restore->gid = getegid();
	if (!dir)
		return errno == ENOENT ? 0 : name_it(restore, -errno, folder);
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !is_old_receipt(entry->d_name))
			r = refuse(restore, "%s is not empty (%s): a backup is restored into an empty state folder only", folder, entry->d_name);
	if (r == 0 && fstat(dirfd(dir), &st) == 0) {
		restore->uid = st.st_uid;
		restore->gid = st.st_gid;
	}
	closedir(dir);
	return r;
}

static void sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)!unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	(void)!rmdir(folder);
}

/* A key file within the state folder has its place in the new one. */
must_check static int make_folder(struct restore *restore)
{
	const char *folder = restore->options->vault.folder, *path = restore->options->vault.path;
	size_t len = strlen(folder);

	while (len > 1 && folder[len - 1] == '/')
		len--;
	if (!text_print(restore->folder, sizeof(restore->folder), "%.*s.restoring", (int)len, folder))
		return name_it(restore, -ENAMETOOLONG, folder);
	if (path && strncmp(path, folder, len) == 0 && path[len] == '/' &&
	    !text_print(restore->key_path, sizeof(restore->key_path), "%s%s", restore->folder, path + len))
		return name_it(restore, -ENAMETOOLONG, path);
	sweep(restore->folder);
	if (mkdir(restore->folder, 0700) < 0)
		return name_it(restore, -errno, restore->folder);
	restore->made = true;
	return 0;
}

/* --- reading the parcel ----------------------------------------------------------------------------------------------------- */

must_check static int open_parcel(struct restore *restore)
{
	static const char *const words[] = { [PARCEL_E_SYNTAX] = "not a backup", [PARCEL_E_NOT_FOR_YOU] = "sealed to another recovery key",
					     [PARCEL_E_DAMAGED] = "damaged",
					     [PARCEL_E_NEWER] = "made by a newer gatewayd: install that one first" };
	const char *path = restore->options->parcel;
	enum parcel_kind kind = 0;
	int r = parcel_open(path, restore->box, restore->recovery, &kind, &restore->parcel);

	if (r > 0)
		return refuse(restore, "%s: %s", path, r < (int)N_ELEMENTS(words) ? words[r] : "damaged");
	if (r < 0)
		return name_it(restore, r, path);
	return kind == PARCEL_BACKUP ? 0 : refuse(restore, "%s: a parcel, but no backup", path);
}

must_check static int damaged(struct restore *restore, int r)
{
	return r < 0 ? name_it(restore, r, restore->options->parcel) :
		       refuse(restore, "%s: damaged, or cut off before its end", restore->options->parcel);
}

must_check static int read_json(struct restore *restore, uint64_t len, struct json **ret)
{
	char *text = len <= TEXT_MAX ? malloc((size_t)len + 1) : NULL;

	if (!text)
		return len > TEXT_MAX ? damaged(restore, 1) : -ENOMEM;
	int r = parcel_read(restore->parcel, text, (size_t)len);
	if (r == 0)
		r = json_parse(text, (size_t)len, TEXT_MAX, JSON_DEPTH_MAX, NULL, 0, ret);
	free(text);
	return r ? damaged(restore, r) : 0;
}

must_check static uint32_t newest_of(const struct db_options *options)
{
	return options->n_migrations ? options->migrations[options->n_migrations - 1].version : 0;
}

must_check static int check_schemas(struct restore *restore)
{
	const struct db_options segment = segment_options(NULL);
	struct json *schemas = json_get(restore->manifest, "schemas"), *value;
	void *cursor = NULL;
	const char *name;

	while (schemas && (name = json_next(schemas, &cursor, &value))) {
		const struct db_options *ours = strcmp(name, "gateway.db") == 0 ? restore->options->gateway :
						strcmp(name, "spool.db") == 0	? restore->options->spool :
										  &segment;
		int64_t version = 0;

		if (!json_to_i64(value, &version) || version < 0)
			return damaged(restore, 1);
		if (version > newest_of(ours))
			return refuse(restore, "%s has schema %lld and this gatewayd knows %u: it was made by a newer one (%s), install that first",
				      name, (long long)version, newest_of(ours), restore->result.version);
	}
	return 0;
}

must_check static int take_manifest(struct restore *restore, uint64_t len)
{
	int64_t format = 0;
	int r = read_json(restore, len, &restore->manifest);

	if (r)
		return r;
	if (!json_to_i64(json_get(restore->manifest, "format"), &format) || !json_get_text(restore->manifest, "gateway") ||
	    !json_get_text(restore->manifest, "made") || !json_get_text(restore->manifest, "gatewayd"))
		return damaged(restore, 1);
	text_copy(restore->result.gateway, sizeof(restore->result.gateway), json_get_text(restore->manifest, "gateway"));
	text_copy(restore->result.made, sizeof(restore->result.made), json_get_text(restore->manifest, "made"));
	text_copy(restore->result.version, sizeof(restore->result.version), json_get_text(restore->manifest, "gatewayd"));
	if (format > BACKUP_FORMAT)
		return refuse(restore, "the backup has format %lld and this gatewayd knows %d: it was made by a newer one (%s)", (long long)format,
			      BACKUP_FORMAT, restore->result.version);
	return format == BACKUP_FORMAT ? check_schemas(restore) : damaged(restore, 1);
}

static void put_seen(struct restore *restore, const char *name, uint64_t len)
{
	uint8_t digest[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];
	struct json *row = json_new_object();

	crypto_hash_end(restore->hash, digest);
	hex_print(digest, sizeof(digest), hex);
	json_set_text(row, "name", name);
	json_set_i64(row, "bytes", (int64_t)len);
	json_set_text(row, "digest", hex);
	json_push(restore->seen, row);
}

must_check static int take_keys(struct restore *restore, uint64_t len)
{
	void *bytes = NULL;
	int r;

	if (len == 0 || len > SECRET_LEN_MAX || restore->keys)
		return damaged(restore, 1);
	r = crypto_guarded_new((size_t)len, &bytes);
	if (r)
		return r;
	r = parcel_read(restore->parcel, bytes, (size_t)len);
	if (r == 0) {
		crypto_hash_add(restore->hash, bytes, (size_t)len);
		r = secret_new(bytes, (size_t)len, &restore->keys);
	} else {
		r = damaged(restore, r);
	}
	crypto_guarded_free(bytes);
	put_seen(restore, "keys", len);
	return r;
}

must_check static int fill_file(struct restore *restore, int fd, uint64_t len)
{
	uint8_t buf[COPY_STEP];
	int r = 0;

	while (r == 0 && len > 0) {
		size_t n = len < sizeof(buf) ? (size_t)len : sizeof(buf);

		r = parcel_read(restore->parcel, buf, n);
		if (r)
			return damaged(restore, r);
		crypto_hash_add(restore->hash, buf, n);
		r = host_write_fd(fd, buf, n);
		len -= n;
	}
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return name_it(restore, r, restore->folder);
}

static bool is_ours(const char *name)
{
	struct segment_name segment;

	return strcmp(name, "audit.key") == 0 || strcmp(name, "gateway.db") == 0 || strcmp(name, "spool.db") == 0 ||
	       segment_name_parse(name, &segment);
}

must_check static int take_file(struct restore *restore, const char *name, uint64_t len)
{
	char path[PATH_LEN];
	int fd, r;

	if (!is_ours(name))
		return refuse(restore, "%s: has a part %s that this gatewayd does not know", restore->options->parcel, name);
	if (!text_print(path, sizeof(path), "%s/%s", restore->folder, name))
		return name_it(restore, -ENAMETOOLONG, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? damaged(restore, 1) : name_it(restore, -errno, path);
	r = fill_file(restore, fd, len);
	close(fd);
	put_seen(restore, name, len);
	restore->result.files++;
	restore->result.bytes += len;
	return r;
}

/* The hash is named before the first sum is needed: by the manifest's suite. */
must_check static int make_hash(struct restore *restore)
{
	int64_t suite = 0;

	if (!json_to_i64(json_get(restore->manifest, "suite"), &suite) || (suite != SEAL_XCHACHA && suite != SEAL_SM4))
		return damaged(restore, 1);
	return name_it(restore, crypto_hash_new(suite == SEAL_SM4 ? CRYPTO_SM3 : CRYPTO_SHA256, &restore->hash), "hash");
}

must_check static int take_part(struct restore *restore, unsigned i, const char *name, uint64_t len)
{
	int r;

	if ((i == 0) != (strcmp(name, "manifest") == 0) || restore->sums)
		return damaged(restore, 1);
	if (i == 0) {
		r = take_manifest(restore, len);
		return r ? r : make_hash(restore);
	}
	if (strcmp(name, "keys") == 0)
		return take_keys(restore, len);
	if (strcmp(name, "sums") == 0)
		return read_json(restore, len, &restore->sums);
	return take_file(restore, name, len);
}

must_check static int check_sums(struct restore *restore)
{
	struct json *parts = json_get(restore->sums, "parts");
	char *want = NULL, *got = NULL;
	int r;

	if (!parts || !restore->keys)
		return damaged(restore, 1);
	r = json_print(parts, &want, NULL);
	if (r == 0)
		r = json_print(restore->seen, &got, NULL);
	if (r == 0 && strcmp(want, got) != 0)
		r = damaged(restore, 1);
	free(want);
	free(got);
	return r;
}

must_check static int read_parcel(struct restore *restore)
{
	char name[PARCEL_NAME_MAX];
	uint64_t len;
	int r = open_parcel(restore);

	restore->seen = json_new_array();
	for (unsigned i = 0; r == 0; i++) {
		r = parcel_next(restore->parcel, name, &len);
		if (r == PARCEL_E_END)
			return check_sums(restore);
		r = r ? damaged(restore, r) : take_part(restore, i, name, len);
	}
	return r;
}

/* --- opening what came ------------------------------------------------------------------------------------------------------ */

must_check static int make_keystore(struct restore *restore)
{
	struct vault_options options = restore->options->vault;
	int r;

	options.folder = restore->folder;
	if (restore->key_path[0])
		options.path = restore->key_path;
	r = vault_import(&options, restore->keys, restore->why, restore->why_cap);
	if (r == 0)
		r = vault_open(&options, restore->why, restore->why_cap, &restore->vault);
	if (r == 0 && options.source == KEY_SOURCE_FILE && options.path && geteuid() == 0 && chown(options.path, restore->uid, restore->gid) < 0)
		r = -errno;
	return r > 0 ? refuse(restore, "%s", restore->why[0] ? strdupa(restore->why) : "the keystore could not be made") :
		       name_it(restore, r, "the keystore");
}

must_check static int take_page_keys(struct restore *restore)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(restore->vault, 0, infos, N_ELEMENTS(infos));
	int r = db_keys_new(&restore->pages);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const uint8_t *bytes;

		if (infos[i].purpose != KEY_DB || vault_key(restore->vault, infos[i].id, &bytes))
			continue;
		r = db_keys_put(restore->pages, infos[i].id, (enum seal_suite)infos[i].suite, bytes);
	}
	if (r == 0)
		r = db_keys_activate(restore->pages, vault_active(restore->vault, KEY_DB));
	return r ? name_it(restore, r < 0 ? r : -EIO, "the databases' keys") : 0;
}

must_check static int check_databases(struct restore *restore)
{
	size_t n = json_len(restore->seen);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *name = json_get_text(json_at(restore->seen, i), "name"), *dot = strrchr(name, '.');
		char path[PATH_LEN];

		if (!dot || strcmp(dot, ".db") != 0 || !text_print(path, sizeof(path), "%s/%s", restore->folder, name))
			continue;
		r = db_check_whole(path, restore->pages);
		if (r == -EBADMSG)
			r = refuse(restore, "%s does not open with the keys in the backup", name);
	}
	return name_it(restore, r, "reading what was restored");
}

must_check static int mark_in(struct restore *restore, struct db *db)
{
	char detail[160];
	const struct audit_record record = { .kind = AUDIT_RESTORE, .subject = { SUBJECT_SYSTEM, 0 }, .object = restore->result.gateway, .detail = detail };
	int r = db_begin(db);

	text_print(detail, sizeof(detail), "from a backup of %s by gatewayd %s", restore->result.made, restore->result.version);
	if (r == 0)
		r = db_exec(db, "INSERT INTO meta (key, value) VALUES ('restored', 1) ON CONFLICT (key) DO UPDATE SET value = 1");
	if (r == 0)
		r = audit_outbox_put(db, &record);
	if (r == 0)
		return db_commit(db);
	db_rollback(db);
	return r;
}

must_check static int mark(struct restore *restore)
{
	struct db_options options = *restore->options->gateway;
	struct db *db = NULL;
	char path[PATH_LEN];
	int r;

	options.keys = restore->pages;
	options.must_exist = true;
	if (!text_print(path, sizeof(path), "%s/gateway.db", restore->folder))
		return name_it(restore, -ENAMETOOLONG, path);
	r = db_open(path, &options, &db);
	if (r == DB_E_NEWER)
		return refuse(restore, "gateway.db was made by a newer gatewayd (%s)", restore->result.version);
	if (r == 0)
		r = mark_in(restore, db);
	db_close(db);
	return name_it(restore, r < 0 ? r : r ? -EBADMSG : 0, "gateway.db");
}

/* --- the name --------------------------------------------------------------------------------------------------------------- */

must_check static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* The state folder belongs to the daemon's user, and so does what is in it. */
must_check static int give_away(struct restore *restore)
{
	DIR *dir = opendir(restore->folder);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		bool self = strcmp(entry->d_name, ".") == 0;

		if (strcmp(entry->d_name, "..") == 0)
			continue;
		if (geteuid() == 0 && fchownat(dirfd(dir), entry->d_name, restore->uid, restore->gid, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
		int fd = r || self ? -1 : openat(dirfd(dir), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && fsync(fd) < 0)
			r = -errno;
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return r;
}

must_check static int move_receipts(struct restore *restore, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char from[2 * PATH_LEN], to[2 * PATH_LEN];
	int r = 0;

	while (r == 0 && dir && (entry = readdir(dir)))
		if (is_old_receipt(entry->d_name) && text_print(from, sizeof(from), "%s/%s", folder, entry->d_name) &&
		    text_print(to, sizeof(to), "%s/%s", restore->folder, entry->d_name) && rename(from, to) < 0)
			r = -errno;
	if (dir)
		closedir(dir);
	return r;
}

must_check static int take_name(struct restore *restore)
{
	const char *folder = restore->options->vault.folder;
	int r = give_away(restore);

	if (r == 0)
		r = sync_folder(restore->folder);
	if (r == 0)
		r = move_receipts(restore, folder);
	if (r == 0 && rename(restore->folder, folder) < 0)
		r = -errno;
	if (r)
		return name_it(restore, r, folder);
	restore->made = false;
	return name_it(restore, source_sync_folder_of(restore->folder), folder);
}

static void restore_deinit(struct restore *restore)
{
	parcel_reader_free(restore->parcel);
	crypto_hash_free(restore->hash);
	json_free(restore->manifest);
	json_free(restore->sums);
	json_free(restore->seen);
	db_keys_free(restore->pages);
	vault_close(restore->vault);
	secret_free(restore->keys);
	secret_free(restore->recovery);
	if (restore->made)
		sweep(restore->folder);
}

int restore_run(const struct restore_options *options, char *why, size_t why_cap, struct restore_result *ret)
{
	struct restore restore = { .options = options, .why = why, .why_cap = why_cap };
	int r;

	why[0] = '\0';
	r = read_recovery_key(&restore);
	if (r == 0)
		r = check_target(&restore);
	if (r == 0)
		r = make_folder(&restore);
	if (r == 0)
		r = read_parcel(&restore);
	if (r == 0)
		r = make_keystore(&restore);
	if (r == 0)
		r = take_page_keys(&restore);
	if (r == 0)
		r = check_databases(&restore);
	if (r == 0)
		r = mark(&restore);
	restore.vault = vault_close(restore.vault);
	if (r == 0)
		r = take_name(&restore);
	if (r == 0)
		*ret = restore.result;
	restore_deinit(&restore);
	return name_it(&restore, r, "restoring");
}
