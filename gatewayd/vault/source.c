/* Three ways to the same 32 bytes. What a file or a credential holds is hashed, because it may be of any kind; a passphrase
 * goes through Argon2id, because it can be guessed. Then the salt of the keystore is mixed in, so that two gateways with
 * one passphrase, or one copied file, have different keys, and so that a new salt makes a new key.
 *
 * A key file that others can read has been read: it is refused, and not quietly mended. A symbolic link is refused as well,
 * because whoever may write the folder it points into may change the key.
 */
#include "vault/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/host.h"

static const char file_label[] = "gatewayd.kek.file.v1"; /* hashed with its NUL */

/* All that is secret on the way to the key. */
struct scratch {
	uint8_t text[sizeof(file_label) + SOURCE_FILE_MAX + 1];
	uint8_t source[CRYPTO_HASH_LEN], kek[SEAL_KEY_LEN];
};

must_check static int refuse(char *why, size_t why_cap, const char *path, const char *what)
{
	text_print(why, why_cap, "%s: %s", path, what);
	return SOURCE_E_REFUSED;
}

/* The service manager gives a credential with an access list, of which the group bits show the mask; its folder is closed
 * to others. */
must_check static int check_file(const struct source *source, const struct stat *st, char *why, size_t why_cap)
{
	mode_t others = source->kind == KEY_SOURCE_FILE ? 077 : 07;

	if (!S_ISREG(st->st_mode))
		return refuse(why, why_cap, source->path, "is no regular file");
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return refuse(why, why_cap, source->path, "belongs to another user");
	if (st->st_mode & others)
		return refuse(why, why_cap, source->path, "can be read or written by others; make a new key, this one is known");
	if (st->st_size < SOURCE_FILE_MIN || st->st_size > SOURCE_FILE_MAX)
		return refuse(why, why_cap, source->path, "has to have 32 to 4000 bytes");
	return 0;
}

must_check static int open_file(const struct source *source, char *why, size_t why_cap, int *ret)
{
	int fd;

	if (!source->path || !source->path[0]) {
		text_print(why, why_cap, "no key file is named");
		return SOURCE_E_MISSING;
	}
	fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ELOOP)
		return refuse(why, why_cap, source->path, "is a symbolic link");
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		text_print(why, why_cap, "%s: there is no such key file", source->path);
		return SOURCE_E_MISSING;
	}
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

must_check static int hash_text(enum seal_suite suite, const uint8_t *text, size_t len, uint8_t ret[CRYPTO_HASH_LEN])
{
	struct crypto_hash *hash = NULL;
	int r;

	if (suite != SEAL_SM4) {
		crypto_sha256(text, len, ret);
		return 0;
	}
	r = crypto_hash_new(CRYPTO_SM3, &hash);
	if (r)
		return r;
	crypto_hash_add(hash, text, len);
	crypto_hash_end(hash, ret);
	crypto_hash_free(hash);
	return 0;
}

must_check static int take_file(const struct source *source, enum seal_suite suite, struct scratch *scratch, char *why,
				size_t why_cap)
{
	struct stat st = { .st_mode = 0 };
	size_t len = 0;
	int fd = -1, r;

	r = open_file(source, why, why_cap, &fd);
	if (r)
		return r;
	r = fstat(fd, &st) < 0 ? -errno : check_file(source, &st, why, why_cap);
	memcpy(scratch->text, file_label, sizeof(file_label));
	if (!r)
		r = host_read_fd(fd, scratch->text + sizeof(file_label), SOURCE_FILE_MAX + 1, &len);
	close(fd);
	if (!r && (off_t)len != st.st_size)
		r = refuse(why, why_cap, source->path, "changed while it was read");
	return r ? r : hash_text(suite, scratch->text, sizeof(file_label) + len, scratch->source);
}

must_check static int take_passphrase(const struct source *source, const struct keystore *header, struct scratch *scratch,
				      char *why, size_t why_cap)
{
	struct crypto_password_cost cost = { .mem_kib = header->mem_kib, .passes = header->passes };
	struct view text;
	int r;

	if (!source->passphrase) {
		text_print(why, why_cap, "the keystore waits for its passphrase");
		return SOURCE_E_LOCKED;
	}
	text = secret_view(source->passphrase);
	_Static_assert((int)CRYPTO_SALT_LEN == (int)KEYSTORE_SALT_LEN, "one salt for both");
	r = crypto_password_key((const char *)text.data, text.len, header->salt, cost, scratch->source);
	if (r == -EINVAL) {
		text_print(why, why_cap, "a passphrase of that length, or at that cost, is not possible");
		return SOURCE_E_REFUSED;
	}
	return r;
}

must_check static int take(const struct source *source, const struct keystore *header, struct scratch *scratch, char *why,
			   size_t why_cap)
{
	char label[sizeof("gatewayd.kek.v1:") + 2 * KEYSTORE_SALT_LEN] = "gatewayd.kek.v1:";
	int r = source->kind == KEY_SOURCE_PASSPHRASE ? take_passphrase(source, header, scratch, why, why_cap) :
							take_file(source, header->suite, scratch, why, why_cap);

	if (r)
		return r;
	hex_print(header->salt, KEYSTORE_SALT_LEN, label + strlen(label));
	return seal_derive(header->suite, scratch->source, label, scratch->kek);
}

int source_kek(const struct source *source, const struct keystore *header, char *why, size_t why_cap, struct seal_key **ret)
{
	void *guarded = NULL;
	struct scratch *scratch;
	int r = crypto_guarded_new(sizeof(*scratch), &guarded);

	if (r)
		return r;
	scratch = guarded;
	r = take(source, header, scratch, why, why_cap);
	if (!r)
		r = seal_key_new(header->suite, scratch->kek, ret);
	crypto_guarded_free(guarded);
	return r;
}

static size_t characters(struct view text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (text.data[i] & 0xc0) != 0x80;
	return n;
}

int source_check_new(const struct source *source, char *why, size_t why_cap)
{
	struct view text;

	if (source->kind != KEY_SOURCE_PASSPHRASE)
		return 0;
	if (!source->passphrase) {
		text_print(why, why_cap, "no passphrase was given");
		return SOURCE_E_LOCKED;
	}
	text = secret_view(source->passphrase);
	if (text.len > CRYPTO_PASSWORD_LEN_MAX || !text_is_utf8(text.data, text.len) || characters(text) < SOURCE_PASSPHRASE_MIN) {
		text_print(why, why_cap, "a passphrase has to have at least %d characters, and %d bytes at most",
			   SOURCE_PASSPHRASE_MIN, CRYPTO_PASSWORD_LEN_MAX);
		return SOURCE_E_REFUSED;
	}
	return 0;
}

int source_sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, r = 0;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

must_check static int write_random(int fd, size_t len)
{
	void *guarded = NULL;
	uint8_t *bytes;
	int r = crypto_guarded_new(SOURCE_FILE_MIN, &guarded);

	if (r)
		return r;
	bytes = guarded;
	while (!r && len > 0) {
		size_t piece = len < SOURCE_FILE_MIN ? len : SOURCE_FILE_MIN;
		ssize_t n;

		crypto_random(bytes, piece);
		n = write(fd, bytes, piece);
		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n > 0)
			len -= (size_t)n;
	}
	crypto_guarded_free(guarded);
	if (!r && fsync(fd) < 0)
		r = -errno;
	return r;
}

int source_make_file(const char *path)
{
	char *part = NULL;
	struct stat st;
	int fd, r;

	if (asprintf(&part, "%s.part", path) < 0)
		return -ENOMEM;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : fchmod(fd, 0600) < 0 ? -errno : write_random(fd, SOURCE_FILE_MIN);
	if (fd >= 0)
		close(fd);
	/* A key that is there may be the only one. */
	if (!r && lstat(path, &st) == 0)
		r = -EEXIST;
	if (!r && rename(part, path) < 0)
		r = -errno;
	if (fd >= 0 && r)
		unlink(part);
	free(part);
	if (r)
		return r;
	r = source_sync_folder_of(path);
	if (r)
		unlink(path); /* it may not last: then it is not there */
	return r;
}

int source_destroy_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), r;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ELOOP ? SOURCE_E_REFUSED : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > SOURCE_FILE_MAX)
		r = SOURCE_E_REFUSED;
	else
		r = write_random(fd, (size_t)st.st_size);
	close(fd);
	if (!r && unlink(path) < 0)
		r = -errno;
	return r ? r : source_sync_folder_of(path);
}
