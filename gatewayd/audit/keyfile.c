/* Two slots, so that a power cut in the middle of one leaves the other; and both are written each time, so that no key that
 * is older than the last checkpoint stays in the file. What a flash chip keeps of overwritten sectors is out of our reach:
 * there the key of the slot, which the vault holds, is what counts.
 */
#include "audit/keyfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/seal.h"

static const char magic[8] = "GWAUDKY1";
enum { AT_NONCE = 16, AT_TAG = AT_NONCE + SEAL_NONCE_LEN, AT_SEALED = AT_TAG + SEAL_TAG_LEN, SEALED = KEYFILE_SLOT - AT_SEALED };
_Static_assert(SEALED == 4024, "docs/spec/audit.md section 7");

struct guarded {
	struct keyfile_slot slot, seen;
	uint8_t bytes[KEYFILE_SLOT];
};

struct keyfile {
	char *folder, *path;
	struct guarded *guarded;
};

static int folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

int keyfile_new(const char *folder, struct keyfile **ret)
{
	struct keyfile *keyfile = calloc(1, sizeof(*keyfile));
	void *guarded;
	int r;

	if (!keyfile)
		return -ENOMEM;
	keyfile->folder = strdup(folder);
	if (asprintf(&keyfile->path, "%s/audit.key", folder) < 0)
		keyfile->path = NULL;
	r = keyfile->folder && keyfile->path ? crypto_guarded_new(sizeof(struct guarded), &guarded) : -ENOMEM;
	if (r) {
		keyfile_free(keyfile);
		return r;
	}
	keyfile->guarded = guarded;
	*ret = keyfile;
	return 0;
}

struct keyfile *keyfile_free(struct keyfile *keyfile)
{
	if (!keyfile)
		return NULL;
	if (keyfile->guarded)
		crypto_guarded_free(keyfile->guarded);
	free(keyfile->folder);
	free(keyfile->path);
	free(keyfile);
	return NULL;
}

struct keyfile_slot *keyfile_slot(struct keyfile *keyfile)
{
	return &keyfile->guarded->slot;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static const struct seal_key *key_of(const struct audit_seal *seal, uint32_t id)
{
	if (id == seal->file_id)
		return seal->file;
	return seal->file_old && id == seal->file_old_id ? seal->file_old : NULL;
}

static void take(struct reader *r, void *ret, size_t len)
{
	struct view v = get_view(r, len);

	if (!r->bad)
		memcpy(ret, v.data, len);
}

/* The bytes at hand are a slot: opened in place, into seen. */
static bool slot_open(struct guarded *g, const struct audit_seal *seal)
{
	struct reader r = reader_over(g->bytes + sizeof(magic), KEYFILE_SLOT - sizeof(magic));
	const struct seal_key *key = key_of(seal, get_u32(&r));

	if (memcmp(g->bytes, magic, sizeof(magic)) != 0 || get_u32(&r) != 0 || !key ||
	    seal_open(key, g->bytes + AT_NONCE, g->bytes, AT_TAG, g->bytes + AT_SEALED, SEALED, g->bytes + AT_TAG, g->bytes + AT_SEALED))
		return false;
	r = reader_over(g->bytes + AT_SEALED, SEALED);
	g->seen.turn = get_u64(&r);
	uint64_t seq = get_u64(&r);

	take(&r, g->seen.key, sizeof(g->seen.key));
	g->seen.size = get_u64(&r);
	g->seen.checkpoints = get_u64(&r);
	take(&r, g->seen.last, sizeof(g->seen.last));
	g->seen.seed_seq = get_u64(&r);
	take(&r, g->seen.seed, sizeof(g->seen.seed));
	return !r.bad && g->seen.turn && seq == g->seen.size + 1;
}

static int slots_read(struct keyfile *keyfile, const struct audit_seal *seal, int fd)
{
	struct guarded *g = keyfile->guarded;
	ssize_t whole = 0;

	g->slot.turn = 0;
	for (off_t at = 0; at < KEYFILE_BYTES; at += KEYFILE_SLOT) {
		ssize_t n = pread(fd, g->bytes, KEYFILE_SLOT, at);

		if (n < 0)
			return -errno;
		whole += n;
		if (n == KEYFILE_SLOT && slot_open(g, seal) && g->seen.turn > g->slot.turn)
			g->slot = g->seen;
	}
	crypto_wipe(g->bytes, sizeof(g->bytes));
	crypto_wipe(&g->seen, sizeof(g->seen));
	return g->slot.turn ? 0 : whole == KEYFILE_BYTES ? KEYFILE_E_SEALED : KEYFILE_E_NONE;
}

int keyfile_read(struct keyfile *keyfile, const struct audit_seal *seal)
{
	int fd = open(keyfile->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd < 0)
		return errno == ENOENT ? KEYFILE_E_NONE : -errno;
	r = slots_read(keyfile, seal, fd);
	close(fd);
	return r;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void slot_make(struct guarded *g, const struct audit_seal *seal)
{
	struct writer w = writer_over(g->bytes, KEYFILE_SLOT);

	put_bytes(&w, magic, sizeof(magic));
	put_u32(&w, seal->file_id);
	put_u32(&w, 0);
	crypto_random(g->bytes + AT_NONCE, KEYFILE_SLOT - AT_NONCE);
	w = writer_over(g->bytes + AT_SEALED, SEALED);
	put_u64(&w, g->slot.turn);
	put_u64(&w, g->slot.size + 1);
	put_bytes(&w, g->slot.key, sizeof(g->slot.key));
	put_u64(&w, g->slot.size);
	put_u64(&w, g->slot.checkpoints);
	put_bytes(&w, g->slot.last, sizeof(g->slot.last));
	put_u64(&w, g->slot.seed_seq);
	put_bytes(&w, g->slot.seed, sizeof(g->slot.seed));
	seal_make(seal->file, g->bytes + AT_NONCE, g->bytes, AT_TAG, g->bytes + AT_SEALED, SEALED, g->bytes + AT_SEALED, g->bytes + AT_TAG);
}

static int slots_write(struct keyfile *keyfile, const struct audit_seal *seal, int fd)
{
	struct guarded *g = keyfile->guarded;

	g->slot.turn++;
	for (off_t at = 0; at < KEYFILE_BYTES; at += KEYFILE_SLOT) {
		ssize_t n;

		slot_make(g, seal);
		n = pwrite(fd, g->bytes, KEYFILE_SLOT, at);
		if (n != KEYFILE_SLOT)
			return n < 0 ? -errno : -ENOSPC;
		if (fsync(fd) < 0)
			return -errno;
	}
	return 0;
}

int keyfile_write(struct keyfile *keyfile, const struct audit_seal *seal)
{
	bool is_new = false;
	int fd = open(keyfile->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd < 0 && errno == ENOENT) {
		fd = open(keyfile->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		is_new = true;
	}
	if (fd < 0)
		return -errno;
	r = slots_write(keyfile, seal, fd);
	close(fd);
	if (r == 0 && is_new)
		r = folder_sync(keyfile->folder);
	return r;
}
