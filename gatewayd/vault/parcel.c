/* A parcel is a head that anybody can read and a stream that only the recipient can. The head names the recipient's public
 * key and holds the stream's own random key in a box for it; the whole head is bound to the stream's first chunk, so none of
 * its bytes can be changed. In the stream each part says its name and length before its bytes, and a zero where the next
 * part's mark would be ends them: a parcel that was cut is never taken for a shorter one.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/crypto.h"
#include "vault/parcel.h"

enum { PARCEL_VERSION = 1, PART_MARK = 1, END_MARK = 0 };
/* magic, version, kind, suite, kind of box, public key, sealed key */
enum { HEAD_MAX = 8 + 2 + 1 + 1 + 1 + 1 + BOX_PUBLIC_MAX + 2 + BOX_SEALED_MAX };
enum { COPY_STEP = 16 * 1024 };
static const char magic[8] = { 'G', 'W', 'P', 'A', 'R', 'C', 'E', 'L' };

struct parcel_writer {
	char *path, *part_path;
	int fd;
	struct stream_writer *stream;
	uint64_t left; /* of the part that is being written */
	uint32_t n_parts;
	bool finished;
};

struct parcel_reader {
	int fd;
	struct stream_reader *stream;
	uint64_t left;
	uint32_t n_parts;
	int said; /* PARCEL_E_END or what was wrong: nothing comes after it */
};

struct head {
	uint8_t kind, suite;
	struct box_public to;
	struct view sealed;
	uint8_t bytes[HEAD_MAX];
	size_t len;
};

static bool kind_is_known(unsigned kind)
{
	return kind >= PARCEL_BACKUP && kind <= PARCEL_KEY;
}

static bool name_is_good(const char *name, size_t len)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (len == 0 || len >= PARCEL_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!name[i] || !strchr(set, name[i]))
			return false;
	return true;
}

static void head_make(struct head *head, const uint8_t *sealed, size_t n_sealed)
{
	struct writer w = writer_over(head->bytes, sizeof(head->bytes));

	put_bytes(&w, magic, sizeof(magic));
	put_u16(&w, PARCEL_VERSION);
	put_u8(&w, head->kind);
	put_u8(&w, head->suite);
	put_u8(&w, head->to.kind);
	put_u8(&w, head->to.len);
	put_bytes(&w, head->to.data, head->to.len);
	put_view16(&w, sealed, n_sealed);
	assert(!w.bad);
	head->len = writer_len(&w);
}

must_check static int head_read(int fd, struct head *head)
{
	struct reader r;
	struct view public;
	size_t got = 0;

	while (got < sizeof(head->bytes)) {
		ssize_t n = pread(fd, head->bytes + got, sizeof(head->bytes) - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	r = reader_over(head->bytes, got);
	if (got < sizeof(magic) || memcmp(get_view(&r, sizeof(magic)).data, magic, sizeof(magic)) != 0)
		return PARCEL_E_SYNTAX;
	unsigned version = get_u16(&r);

	if (!r.bad && version > PARCEL_VERSION)
		return PARCEL_E_NEWER;
	head->kind = get_u8(&r);
	head->suite = get_u8(&r);
	head->to.kind = get_u8(&r);
	head->to.len = get_u8(&r);
	public = get_view(&r, head->to.len);
	head->sealed = get_view16(&r, BOX_SEALED_MAX);
	if (r.bad || version != PARCEL_VERSION || !kind_is_known(head->kind) ||
	    (head->suite != SEAL_XCHACHA && head->suite != SEAL_SM4) || head->to.len > BOX_PUBLIC_MAX)
		return PARCEL_E_SYNTAX;
	memcpy(head->to.data, public.data, public.len);
	head->len = (size_t)(r.p - head->bytes);
	return lseek(fd, (off_t)head->len, SEEK_SET) < 0 ? -errno : 0;
}

/* A fresh key, the head with its box, and the stream's first bytes. */
must_check static int writer_begin(struct parcel_writer *w, enum parcel_kind kind, enum seal_suite suite,
				   const struct box_public *to)
{
	struct head head = { .kind = (uint8_t)kind, .suite = (uint8_t)suite, .to = *to };
	struct secret *key cleanup(secret_freep) = NULL;
	uint8_t sealed[BOX_SEALED_MAX];
	size_t n_sealed = 0;
	ssize_t n;
	int r = secret_new_random(SEAL_KEY_LEN, &key);

	if (r)
		return r;
	r = box_seal(to, secret_view(key).data, SEAL_KEY_LEN, sealed, &n_sealed);
	if (r)
		return r < 0 ? r : -EINVAL;
	head_make(&head, sealed, n_sealed);
	n = write(w->fd, head.bytes, head.len);
	if (n != (ssize_t)head.len)
		return n < 0 ? -errno : -ENOSPC;
	return stream_writer_new(w->fd, suite, secret_view(key).data, head.bytes, head.len, &w->stream);
}

int parcel_create(const char *path, enum parcel_kind kind, enum seal_suite suite, const struct box_public *to,
		  struct parcel_writer **ret)
{
	struct parcel_writer *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->fd = -1;
	w->path = strdup(path);
	if (!w->path || asprintf(&w->part_path, "%s.part", path) < 0) {
		w->part_path = NULL;
		parcel_writer_free(w);
		return -ENOMEM;
	}
	/* One that was cut short may lie there. */
	if (!kind_is_known(kind))
		r = -EINVAL;
	else if (unlink(w->part_path) < 0 && errno != ENOENT)
		r = -errno;
	if (r == 0) {
		w->fd = open(w->part_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = w->fd < 0 ? -errno : writer_begin(w, kind, suite, to);
	}
	if (r) {
		parcel_writer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

int parcel_part(struct parcel_writer *w, const char *name, uint64_t len)
{
	uint8_t bytes[1 + 2 + PARCEL_NAME_MAX + 8];
	struct writer out = writer_over(bytes, sizeof(bytes));

	assert(!w->finished);
	if (w->left > 0 || len > INT64_MAX || !name_is_good(name, strlen(name)))
		return -EINVAL;
	if (w->n_parts == PARCEL_PARTS_MAX)
		return -ENOSPC;
	put_u8(&out, PART_MARK);
	put_text16(&out, name);
	put_u64(&out, len);
	assert(!out.bad);
	w->n_parts++;
	w->left = len;
	return stream_write(w->stream, bytes, writer_len(&out));
}

int parcel_write(struct parcel_writer *w, const void *data, size_t len)
{
	if (len > w->left)
		return -EINVAL;
	w->left -= len;
	return stream_write(w->stream, data, len);
}

must_check static int copy_file(struct parcel_writer *w, int fd, uint64_t len)
{
	uint8_t buf[COPY_STEP];

	while (len > 0) {
		ssize_t n = read(fd, buf, len < sizeof(buf) ? (size_t)len : sizeof(buf));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it became shorter */
		r = parcel_write(w, buf, (size_t)n);
		if (r)
			return r;
		len -= (uint64_t)n;
	}
	return 0;
}

int parcel_add_file(struct parcel_writer *w, const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else
		r = parcel_part(w, name, (uint64_t)st.st_size);
	if (r == 0)
		r = copy_file(w, fd, (uint64_t)st.st_size);
	close(fd);
	return r;
}

must_check static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, r;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int parcel_finish(struct parcel_writer *w)
{
	uint8_t mark = END_MARK;
	int r;

	assert(!w->finished);
	if (w->left > 0)
		return -EINVAL;
	r = stream_write(w->stream, &mark, 1);
	if (r == 0)
		r = stream_finish(w->stream);
	if (r)
		return r;
	if (fsync(w->fd) < 0 || rename(w->part_path, w->path) < 0)
		return -errno;
	w->finished = true;
	return sync_folder_of(w->path);
}

struct parcel_writer *parcel_writer_free(struct parcel_writer *w)
{
	if (!w)
		return NULL;
	stream_writer_free(w->stream);
	if (w->fd >= 0) {
		close(w->fd);
		if (!w->finished)
			unlink(w->part_path);
	}
	free(w->part_path);
	free(w->path);
	free(w);
	return NULL;
}

/* The file's key. Whoever's public key is in the head and whose private half does not open the box was given a changed head. */
must_check static int head_open(const struct head *head, enum box_kind kind, const struct secret *secret,
				struct secret **ret)
{
	uint8_t key[BOX_TEXT_MAX];
	struct box_public mine;
	size_t n = 0;
	int r = box_public_of(kind, secret, &mine);

	if (r)
		return r < 0 ? r : PARCEL_E_NOT_FOR_YOU;
	if (mine.kind != head->to.kind || mine.len != head->to.len || memcmp(mine.data, head->to.data, mine.len) != 0)
		return PARCEL_E_NOT_FOR_YOU;
	r = box_open(kind, secret, head->sealed.data, head->sealed.len, key, &n);
	if (r)
		return r < 0 ? r : PARCEL_E_DAMAGED;
	r = n == SEAL_KEY_LEN ? secret_new(key, n, ret) : PARCEL_E_DAMAGED;
	crypto_wipe(key, sizeof(key));
	return r;
}

must_check static int reader_begin(struct parcel_reader *r, enum box_kind kind, const struct secret *secret,
				   enum parcel_kind *ret_kind)
{
	struct secret *key cleanup(secret_freep) = NULL;
	struct head head = { 0 };
	int e = head_read(r->fd, &head);

	if (e == 0)
		e = head_open(&head, kind, secret, &key);
	if (e == 0)
		e = stream_reader_new(r->fd, (enum seal_suite)head.suite, secret_view(key).data, head.bytes, head.len,
				      &r->stream);
	if (e == 0)
		*ret_kind = (enum parcel_kind)head.kind;
	return e;
}

int parcel_open(const char *path, enum box_kind kind, const struct secret *secret, enum parcel_kind *ret_kind,
		struct parcel_reader **ret)
{
	struct parcel_reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int e = 0;

	if (!r)
		return -ENOMEM;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd < 0 || fstat(r->fd, &st) < 0)
		e = -errno;
	else if (!S_ISREG(st.st_mode))
		e = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (e == 0)
		e = reader_begin(r, kind, secret, ret_kind);
	if (e) {
		parcel_reader_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

/* The end of the stream before its end mark is damage too. */
must_check static int read_part(struct parcel_reader *r, void *ret, size_t len)
{
	int e = stream_read(r->stream, ret, len);

	return e > 0 ? PARCEL_E_DAMAGED : e;
}

must_check static int pass_over(struct parcel_reader *r)
{
	uint8_t buf[1024];
	int e = 0;

	while (e == 0 && r->left > 0)
		e = parcel_read(r, buf, r->left < sizeof(buf) ? (size_t)r->left : sizeof(buf));
	crypto_wipe(buf, sizeof(buf));
	return e;
}

must_check static int read_end(struct parcel_reader *r)
{
	int e = stream_read_end(r->stream);

	if (e)
		return e > 0 ? PARCEL_E_DAMAGED : e;
	return PARCEL_E_END;
}

must_check static int next_part(struct parcel_reader *r, char ret_name[PARCEL_NAME_MAX], uint64_t *ret_len)
{
	uint8_t bytes[8];
	char name[PARCEL_NAME_MAX];
	struct reader in;
	uint64_t len;
	size_t n;
	int e = pass_over(r);

	if (e == 0)
		e = read_part(r, bytes, 1);
	if (e == 0 && bytes[0] == END_MARK)
		return read_end(r);
	if (e == 0)
		e = bytes[0] == PART_MARK && r->n_parts < PARCEL_PARTS_MAX ? read_part(r, bytes, 2) : PARCEL_E_DAMAGED;
	if (e)
		return e;
	in = reader_over(bytes, 2);
	n = get_u16(&in);
	e = n < sizeof(name) ? read_part(r, name, n) : PARCEL_E_DAMAGED;
	if (e == 0)
		e = name_is_good(name, n) ? read_part(r, bytes, 8) : PARCEL_E_DAMAGED;
	if (e)
		return e;
	in = reader_over(bytes, 8);
	len = get_u64(&in);
	if (len > INT64_MAX)
		return PARCEL_E_DAMAGED;
	r->n_parts++;
	r->left = len;
	memcpy(ret_name, name, n);
	ret_name[n] = '\0';
	*ret_len = len;
	return 0;
}

int parcel_next(struct parcel_reader *r, char ret_name[PARCEL_NAME_MAX], uint64_t *ret_len)
{
	if (!r->said)
		r->said = next_part(r, ret_name, ret_len);
	return r->said;
}

int parcel_read(struct parcel_reader *r, void *ret, size_t len)
{
	int e;

	if (len > r->left)
		return -EINVAL;
	e = read_part(r, ret, len);
	if (e == 0)
		r->left -= len;
	return e;
}

struct parcel_reader *parcel_reader_free(struct parcel_reader *r)
{
	if (!r)
		return NULL;
	stream_reader_free(r->stream);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
	return NULL;
}
