/* The order is the point. As long as the receipt is not on disk nothing is destroyed; once it is, the next start ends what was
 * begun, so there is no half-erased gateway that serves. What the files hold is unreadable from the moment the keystore
 * is destroyed; that they are overwritten and removed as well is for tidiness, since flash may keep their old blocks.
 */
#include "custody/erase.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "sys/loop.h"
#include "sys/sign.h"
#include "vault/receipt.h"

enum { PATH_LEN = 512, DEPTH_MAX = 8, OVER_MS = 500 /* for the answer to reach its asker */ };
static const char pending_name[] = "erase.receipt", kept_prefix[] = "erased-", kept_suffix[] = ".receipt";

struct erase {
	struct erase_options options;
	char *folder;
	struct timer *timer;
	bool busy, over, closing;
	/* of the erasure under way */
	struct audit_record *record;
	erase_done_fn done;
	void *ctx;
	char anchor[RECEIPT_ANCHOR_MAX];
	char receipt[RECEIPT_MAX];
	size_t len;
};

/* --- the receipt -------------------------------------------------------------------------------------------------------- */

must_check static int signer(const struct erase *erase, enum key_purpose purpose, enum sign_kind kind, struct sign_key **ret)
{
	uint32_t id = vault_active(erase->options.vault, purpose);
	const uint8_t *secret;
	int r = id ? vault_key(erase->options.vault, id, &secret) : VAULT_E_UNKNOWN;

	return r ? r : sign_key_new(kind, secret, ret);
}

must_check static int make_receipt(struct erase *erase)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	struct sign_key *ed25519 cleanup(sign_key_freep) = NULL, *sm2 cleanup(sign_key_freep) = NULL;
	struct audit_head head = audit_head(erase->options.audit);
	size_t n = vault_list(erase->options.vault, 0, infos, N_ELEMENTS(infos));
	struct receipt receipt = { .erased_s = loop_wall_us(erase->options.loop) / 1000000,
				   .records = head.seq,
				   .anchor = erase->anchor[0] ? erase->anchor : NULL };
	int r = 0;

	memcpy(receipt.gateway_id, vault_gateway_id(erase->options.vault), sizeof(receipt.gateway_id));
	memcpy(receipt.head, head.head, sizeof(receipt.head));
	for (size_t i = 0; i < n; i++)
		if (infos[i].state != KEY_DESTROYED)
			receipt.keys[receipt.n_keys++] =
				(struct receipt_key){ infos[i].id, (uint8_t)infos[i].purpose, (uint8_t)infos[i].state };
	if (erase->options.suite != SEAL_SM4)
		r = signer(erase, KEY_SIGN, SIGN_ED25519, &ed25519);
	if (r == 0)
		r = signer(erase, KEY_SIGN_SM2, SIGN_SM2, &sm2);
	return r ? r : receipt_print(&receipt, ed25519, sm2, erase->receipt, &erase->len);
}

static void print_anchor(const struct audit_checkpoint *c, char *ret, size_t cap)
{
	char body[BASE64URL_CAP(AUDIT_CHECKPOINT_MAX)], a[BASE64URL_CAP(SIGN_LEN)] = "", b[BASE64URL_CAP(SIGN_LEN)] = "";

	base64url_print(c->body, c->len, body, sizeof(body));
	if (c->has_a)
		base64url_print(c->signature_a, SIGN_LEN, a, sizeof(a));
	if (c->has_b)
		base64url_print(c->signature_b, SIGN_LEN, b, sizeof(b));
	text_print(ret, cap, "%s.%s.%s", body, a, b);
}
_Static_assert(BASE64URL_CAP(AUDIT_CHECKPOINT_MAX) + 2 * BASE64URL_CAP(SIGN_LEN) + 2 <= RECEIPT_ANCHOR_MAX, "a whole anchor fits");

/* --- the way ------------------------------------------------------------------------------------------------------------ */

static void erase_free(struct erase *erase)
{
	free(erase->folder);
	free(erase);
}

static void erase_end(struct erase *erase, int r)
{
	erase_done_fn done = erase->done;

	erase->done = NULL;
	erase->record = audit_record_free(erase->record);
	erase->busy = false;
	if (done)
		done(erase->ctx, r, r == 0 ? erase->receipt : NULL);
	if (erase->closing)
		erase_free(erase);
}

static void on_over(void *ctx)
{
	struct erase *erase = ctx;

	erase->options.over(erase->options.ctx);
}

static void on_erased(void *arg, int r)
{
	struct erase *erase = arg;

	if (r == 0) {
		erase->over = true;
		if (!erase->closing)
			timer_start(erase->timer, OVER_MS);
	}
	erase_end(erase, r);
}

/* On the writer thread: no verb is in the keystore. */
static int erase_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct erase *erase = arg;
	char path[PATH_LEN];
	int r;

	(void)store;
	(void)dbs;
	if (!text_print(path, sizeof(path), "%s/%s", erase->folder, pending_name))
		return -ENAMETOOLONG;
	r = host_write_file(path, 0600, erase->receipt, erase->len);
	if (r)
		return r;
	r = vault_erase(erase->options.vault);
	/* Whatever of it failed: without its keys it is no gateway any more. */
	if (r && vault_active(erase->options.vault, KEY_DB) == 0)
		return 0;
	if (r)
		(void)!unlink(path);
	return r > 0 ? -EIO : r;
}

static void take_last_step(struct erase *erase)
{
	int r = make_receipt(erase);

	if (r == 0)
		r = store_submit_task(erase->options.store, erase_task, on_erased, erase);
	if (r)
		erase_end(erase, r < 0 ? r : -EIO);
}

static void on_newest(void *ctx, int r, const struct audit_checkpoint *checkpoint, const uint8_t leaf[CRYPTO_HASH_LEN],
		      const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n)
{
	struct erase *erase = ctx;

	(void)leaf;
	(void)path;
	(void)n;
	if (r == 0)
		print_anchor(checkpoint, erase->anchor, sizeof(erase->anchor));
	if (erase->closing)
		erase_end(erase, -ECANCELED);
	else
		take_last_step(erase);
}

/* A record that is broken does not keep its gateway from being erased. */
static void on_checkpoint(void *ctx, int r)
{
	struct erase *erase = ctx;

	if (erase->closing) {
		erase_end(erase, -ECANCELED);
		return;
	}
	if (r == 0)
		r = audit_prove(erase->options.audit, audit_head(erase->options.audit).seq, on_newest, erase);
	if (r)
		take_last_step(erase);
}

static int record_job(struct db *db, void *arg)
{
	const struct erase *erase = arg;

	return audit_outbox_put(db, erase->record);
}

static void on_recorded(void *arg, int r)
{
	struct erase *erase = arg;

	if (r || erase->closing) {
		erase_end(erase, r ? r : -ECANCELED);
		return;
	}
	audit_drain(erase->options.audit);
	if (audit_checkpoint_now(erase->options.audit, on_checkpoint, erase))
		take_last_step(erase);
}

void erase_do(struct erase *erase, const struct audit_record *record, erase_done_fn done, void *ctx)
{
	struct audit_record entry = *record;
	int r;

	if (erase->busy || erase->over) {
		done(ctx, ERASE_E_BUSY, NULL);
		return;
	}
	entry.kind = AUDIT_ERASE;
	entry.object = "gateway";
	entry.detail = "ordered: every key is destroyed";
	erase->busy = true;
	erase->done = done;
	erase->ctx = ctx;
	erase->anchor[0] = '\0';
	erase->record = audit_record_copy(&entry);
	r = store_submit(erase->options.store, erase->options.db, STORE_SYNC, record_job, on_recorded, erase);
	if (r)
		erase_end(erase, r < 0 ? r : -EAGAIN);
}

bool erase_is_over(const struct erase *erase)
{
	return erase->over;
}

int erase_new(const struct erase_options *options, struct erase **ret)
{
	struct erase *erase = calloc(1, sizeof(*erase));
	int r = 0;

	if (!erase)
		return -ENOMEM;
	erase->options = *options;
	erase->folder = strdup(options->folder);
	if (!erase->folder)
		r = -ENOMEM;
	if (r == 0)
		r = timer_new(options->loop, on_over, erase, &erase->timer);
	if (r) {
		erase_free(erase);
		return r;
	}
	*ret = erase;
	return 0;
}

/* What is under way ends when its callback comes: its parts must still be there, or tell it so. */
struct erase *erase_close(struct erase *erase)
{
	if (!erase)
		return NULL;
	erase->closing = true;
	timer_close(erase->timer);
	if (!erase->busy)
		erase_free(erase);
	return NULL;
}

/* --- files -------------------------------------------------------------------------------------------------------------- */

static bool is_receipt(const char *name)
{
	size_t len = strlen(name), n = strlen(kept_suffix);

	return strcmp(name, pending_name) == 0 ||
	       (strncmp(name, kept_prefix, strlen(kept_prefix)) == 0 && len > n && strcmp(name + len - n, kept_suffix) == 0);
}

/* Random, so that no file system and no flash has it easy with them. */
static void overwrite(int folder, const char *name)
{
	uint8_t noise[16 * 1024];
	int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	off_t left;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	for (left = st.st_size; left > 0;) {
		size_t n = left < (off_t)sizeof(noise) ? (size_t)left : sizeof(noise);
		ssize_t done;

		crypto_random(noise, n);
		done = write(fd, noise, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		left -= done;
	}
	(void)!fsync(fd);
	close(fd);
}

/* Takes fd. The first error counts, the rest is done all the same. */
must_check static int remove_all_in(int fd, bool top, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;
		int e = 0;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (top && is_receipt(name)))
			continue;
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			e = below < 0 ? -errno : remove_all_in(below, false, depth + 1);
		} else {
			overwrite(dirfd(dir), name);
		}
		if (unlinkat(dirfd(dir), name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 && e == 0)
			e = -errno;
		if (r == 0)
			r = e;
	}
	(void)!fsync(dirfd(dir));
	closedir(dir);
	return r;
}

bool erase_is_pending(const char *folder)
{
	char path[PATH_LEN];

	return text_print(path, sizeof(path), "%s/%s", folder, pending_name) && access(path, F_OK) == 0;
}

/* The receipt is of its own time: by its file's. */
must_check static int keep_receipt(const char *folder)
{
	char from[PATH_LEN], to[PATH_LEN], when[32];
	struct stat st;
	struct tm tm;

	if (!text_print(from, sizeof(from), "%s/%s", folder, pending_name))
		return -ENAMETOOLONG;
	if (stat(from, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	gmtime_r(&st.st_mtime, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	if (!text_print(to, sizeof(to), "%s/%s%s%s", folder, kept_prefix, when, kept_suffix))
		return -ENAMETOOLONG;
	return rename(from, to) < 0 ? -errno : 0;
}

int erase_files(const char *folder, const char *key_file)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r, e;

	if (fd < 0)
		return -errno;
	r = remove_all_in(fd, true, 0);
	if (key_file && access(key_file, F_OK) == 0) {
		overwrite(AT_FDCWD, key_file);
		if (unlink(key_file) < 0 && r == 0)
			r = -errno;
	}
	e = r == 0 ? keep_receipt(folder) : r; /* else the next start tries again */
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!fsync(fd);
		close(fd);
	}
	return e;
}
