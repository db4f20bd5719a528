/* What a backup holds must be of one piece. Keys first and last: when the keystore was changed while files were copied, a page may
 * carry a key that the exported ones lack, so it is begun anew. The record's key file before the record: a log that is longer
 * than its key file says is what a power cut leaves, and the daemon goes on from there; a shorter one is a fault. gateway.db before the record,
 * because a row of its outbox may be in the log already, but must not be in neither.
 */
#include "custody/backup_inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "audit/segment.h"
#include "base/text.h"
#include "sys/db_copy.h"
#include "sys/host.h"

enum { TRIES = 3, COPY_STEP = 16 * 1024, AUDIT_KEY_MAX = 64 * 1024 };

/* What a run that was cut left: files with that ending, NULL: all. */
static void sweep(const char *folder, const char *ending)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), n = ending ? strlen(ending) : 0;

		if (entry->d_name[0] != '.' && len >= n && strcmp(entry->d_name + len - n, ending ? ending : "") == 0)
			(void)!unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

must_check static int make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST || lstat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

must_check static int put_json(struct run *run, const char *name, const struct json *json)
{
	char *text = NULL;
	size_t len = 0;
	int r = json_print_pretty(json, &text, &len);

	if (r == 0)
		r = parcel_part(run->parcel, name, len);
	if (r == 0)
		r = parcel_write(run->parcel, text, len);
	free(text);
	return r;
}

static void time_text(int64_t s, char ret[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

must_check static int schema_of(struct run *run, struct json *schemas, const char *name)
{
	char path[BACKUP_PATH_MAX];
	uint32_t version = 0;
	int r = text_print(path, sizeof(path), "%s/%s", run->folder, name) ? db_schema_version(path, run->options.pages, &version) : -ENAMETOOLONG;

	if (r == 0)
		json_set_i64(schemas, name, version);
	return r;
}

/* newest: the log's file that is written now; its schema is the newest of them. */
must_check static int put_manifest(struct run *run, const char *newest)
{
	struct json *manifest cleanup(json_freep) = json_new_object(), *schemas = json_new_object();
	char hex[2 * 16 + 1], when[32];
	int r;

	hex_print(vault_gateway_id(run->options.vault), 16, hex);
	time_text(run->now_s, when);
	json_set_i64(manifest, "format", BACKUP_FORMAT);
	json_set_text(manifest, "gatewayd", GW_VERSION);
	json_set_text(manifest, "gateway", hex);
	json_set_text(manifest, "made", when);
	json_set_i64(manifest, "generation", (int64_t)vault_generation(run->options.vault));
	json_set_i64(manifest, "starts", (int64_t)vault_starts(run->options.vault));
	json_set_i64(manifest, "suite", run->options.suite);
	json_set(manifest, "schemas", schemas);
	r = schema_of(run, schemas, "gateway.db");
	if (r == 0)
		r = schema_of(run, schemas, "spool.db");
	if (r == 0 && newest)
		r = schema_of(run, schemas, newest);
	return r ? r : put_json(run, "manifest", manifest);
}

static void put_sum(struct run *run, const char *name, uint64_t bytes)
{
	uint8_t digest[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];
	struct json *row = json_new_object();

	crypto_hash_end(run->hash, digest);
	hex_print(digest, sizeof(digest), hex);
	json_set_text(row, "name", name);
	json_set_i64(row, "bytes", (int64_t)bytes);
	json_set_text(row, "digest", hex);
	json_push(run->sums, row);
}

must_check static int put_bytes_part(struct run *run, const char *name, const void *data, size_t len)
{
	int r = parcel_part(run->parcel, name, len);

	if (r == 0)
		r = parcel_write(run->parcel, data, len);
	crypto_hash_add(run->hash, data, len);
	put_sum(run, name, len);
	return r;
}

must_check static int put_file(struct run *run, const char *name, const char *path)
{
	uint8_t buf[COPY_STEP]; /* sealed pages */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	struct stat st = { 0 };
	uint64_t left = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	left = (uint64_t)st.st_size;
	if (r == 0)
		r = parcel_part(run->parcel, name, left);
	while (r == 0 && left > 0) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || (uint64_t)n > left) {
			r = n < 0 ? -errno : -EIO;
			break;
		}
		crypto_hash_add(run->hash, buf, (size_t)n);
		r = atomic_load(run->cancel) ? -ECANCELED : parcel_write(run->parcel, buf, (size_t)n);
		left -= (uint64_t)n;
	}
	put_sum(run, name, (uint64_t)st.st_size);
	if (fd >= 0)
		close(fd);
	return r;
}

/* -ENOENT: the file went away, which a segment may. */
must_check static int put_database(struct run *run, const char *name)
{
	char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX];
	uint32_t version;
	int r;

	if (!text_print(from, sizeof(from), "%s/%s", run->folder, name) || !text_print(to, sizeof(to), "%s/%s", run->staging, name))
		return -ENAMETOOLONG;
	r = db_copy(from, to, run->options.pages, run->cancel, &version);
	if (r)
		return r;
	r = put_file(run, name, to);
	if (unlink(to) < 0 && r == 0)
		r = -errno;
	run->result.files++;
	return r;
}

must_check static int put_audit_key(struct run *run)
{
	char path[BACKUP_PATH_MAX], *data = NULL;
	size_t len = 0;
	int r = text_print(path, sizeof(path), "%s/audit.key", run->folder) ? host_read_file(path, AUDIT_KEY_MAX, &data, &len) : -ENAMETOOLONG;

	if (r == -ENOENT)
		return 0; /* a record that is not sealed */
	if (r == 0)
		r = put_bytes_part(run, "audit.key", data, len);
	free(data);
	return r < 0 ? r : r ? -EBADMSG : 0;
}

must_check static int put_databases(struct run *run, const struct segment_name *segments, size_t n)
{
	int r = put_audit_key(run);

	if (r == 0)
		r = put_database(run, "gateway.db");
	if (r == 0)
		r = put_database(run, "spool.db");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_database(run, segments[i].text);
	return r;
}

must_check static int put_keys(struct run *run)
{
	struct secret *keys cleanup(secret_freep) = NULL;
	int r = vault_export(run->options.vault, &keys);

	if (r)
		return r < 0 ? r : -EIO;
	return put_bytes_part(run, "keys", secret_view(keys).data, secret_view(keys).len);
}

must_check static int fill(struct run *run)
{
	struct segment_name *segments = NULL;
	size_t n = 0;
	uint64_t generation = vault_generation(run->options.vault);
	int r = segment_list(run->folder, &segments, &n);

	if (r == 0)
		r = put_manifest(run, n ? segments[n - 1].text : NULL);
	if (r == 0)
		r = put_databases(run, segments, n);
	free(segments);
	if (r == 0)
		r = put_keys(run);
	if (r == 0 && vault_generation(run->options.vault) != generation)
		r = BACKUP_E_CHANGING;
	return r;
}

must_check static int finish(struct run *run)
{
	struct json *sums cleanup(json_freep) = json_new_object();
	struct stat st;
	int r;

	json_set_text(sums, "hash", run->options.suite == SEAL_SM4 ? "sm3" : "sha256");
	json_set(sums, "parts", STEAL(run->sums));
	r = put_json(run, "sums", sums);
	if (r == 0)
		r = parcel_finish(run->parcel);
	if (r == 0 && stat(run->result.path, &st) < 0)
		r = -errno;
	if (r == 0)
		run->result.bytes = (uint64_t)st.st_size;
	return r;
}

must_check static int attempt(struct run *run)
{
	int r;

	sweep(run->staging, NULL);
	run->result.files = 0;
	run->sums = json_new_array();
	r = crypto_hash_new(run->options.suite == SEAL_SM4 ? CRYPTO_SM3 : CRYPTO_SHA256, &run->hash);
	if (r == 0)
		r = parcel_create(run->result.path, PARCEL_BACKUP, run->options.suite, &run->to, &run->parcel);
	if (r == 0)
		r = fill(run);
	if (r == 0)
		r = finish(run);
	run->parcel = parcel_writer_free(run->parcel);
	run->hash = crypto_hash_free(run->hash);
	run->sums = json_free(run->sums);
	sweep(run->staging, NULL);
	return r;
}

void *backup_thread(void *arg)
{
	struct run *run = arg;
	char folder[BACKUP_PATH_MAX];
	int r = text_print(folder, sizeof(folder), "%s/backups", run->folder) ? make_folder(folder) : -ENAMETOOLONG;

	if (r == 0)
		r = make_folder(run->staging);
	if (r == 0)
		sweep(folder, ".part");
	if (r == 0 && access(run->result.path, F_OK) == 0)
		r = BACKUP_E_EXISTS;
	/* A segment that was dropped, or keys that were changed, meanwhile. */
	for (int i = 0; r == 0 && i < TRIES; i++) {
		r = attempt(run);
		if ((r != -ENOENT && r != BACKUP_E_CHANGING) || i + 1 == TRIES)
			break;
		r = 0;
	}
	(void)!rmdir(run->staging);
	run->r = r;
	atomic_store(&run->ended, true);
	wake_send(run->backup->wake);
	return NULL;
}
