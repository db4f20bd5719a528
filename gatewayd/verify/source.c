/* A plain export is read as it lies there. A parcel (docs/spec/keystore.md) is a head with the recipient's key in a box, then a
 * stream with one part named "audit". Both are met with the same calls, and an error of the stream is an end that should not be.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/stream.h"
#include "verify/source.h"

enum { BUFFER_LEN = 64 * 1024 };
/* magic, version, kind, suite, kind of box, public key, sealed key */
enum { HEAD_MAX = 8 + 2 + 1 + 1 + 1 + 1 + BOX_PUBLIC_MAX + 2 + BOX_SEALED_MAX };
enum { PARCEL_VERSION = 1, PARCEL_KIND_AUDIT = 2, PART_MARK = 1, END_MARK = 0 };

struct source {
	char *path; /* NULL: memory */
	struct source_key key;
	const uint8_t *memory;
	size_t memory_len;
	int fd;
	struct stream_reader *stream; /* NULL: plain */
	uint64_t left;                /* of the parcel's part */
	size_t at, filled;            /* of the buffer; of memory */
	uint8_t buffer[BUFFER_LEN];
};

struct head {
	uint8_t suite;
	struct box_public to;
	struct view sealed, whole;
};

struct source *source_free(struct source *source)
{
	if (!source)
		return NULL;
	stream_reader_free(source->stream);
	if (source->fd >= 0)
		close(source->fd);
	crypto_wipe(source->buffer, sizeof(source->buffer));
	free(source->path);
	free(source);
	return NULL;
}

must_check static int fill(struct source *s)
{
	ssize_t n;

	do {
		n = read(s->fd, s->buffer, sizeof(s->buffer));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->at = 0;
	s->filled = (size_t)n;
	return n ? 0 : SOURCE_E_END;
}

must_check static int plain_read(struct source *s, uint8_t *ret, size_t len)
{
	const uint8_t *from = s->path ? s->buffer : s->memory;

	while (len) {
		size_t n = s->filled - s->at < len ? s->filled - s->at : len;
		int r;

		memcpy(ret, from + s->at, n);
		s->at += n;
		ret += n;
		len -= n;
		if (len == 0)
			break;
		r = s->path ? fill(s) : SOURCE_E_END;
		if (r)
			return r;
	}
	return 0;
}

/* --- parcels ---------------------------------------------------------------------------------------------------------- */

must_check static int from_stream(int r)
{
	return r <= 0 ? r : SOURCE_E_DAMAGED;
}

/* What stands in the file up to the stream. */
must_check static int head_parse(const uint8_t *data, size_t len, struct head *ret)
{
	struct reader r = reader_over(data, len);
	struct view magic = get_view(&r, 8), public;
	uint16_t version = get_u16(&r);
	uint8_t kind = get_u8(&r);

	ret->suite = get_u8(&r);
	ret->to.kind = get_u8(&r);
	ret->to.len = get_u8(&r);
	public = get_view(&r, ret->to.len);
	ret->sealed = get_view16(&r, BOX_SEALED_MAX);
	if (magic.len == 8 && memcmp(magic.data, "GWPARCEL", 8) == 0 && len > 12 && version > PARCEL_VERSION)
		return SOURCE_E_NEWER;
	if (r.bad || memcmp(magic.data, "GWPARCEL", 8) != 0 || version != PARCEL_VERSION || kind != PARCEL_KIND_AUDIT ||
	    (ret->suite != SEAL_XCHACHA && ret->suite != SEAL_SM4) || ret->to.len > BOX_PUBLIC_MAX)
		return SOURCE_E_STRANGE;
	memcpy(ret->to.data, public.data, public.len);
	ret->whole = (struct view){ data, (size_t)(r.p - data) };
	return 0;
}

/* The stream's key, if the box is for this one. */
must_check static int head_open(const struct head *head, const struct source_key *key, struct secret **ret)
{
	uint8_t text[BOX_TEXT_MAX];
	struct box_public mine;
	size_t len = 0;
	int r;

	if (!key->secret || key->kind != head->to.kind)
		return SOURCE_E_KEY;
	r = box_public_of(key->kind, key->secret, &mine);
	if (r)
		return r < 0 ? r : SOURCE_E_KEY;
	if (mine.len != head->to.len || memcmp(mine.data, head->to.data, mine.len) != 0)
		return SOURCE_E_KEY;
	r = box_open(key->kind, key->secret, head->sealed.data, head->sealed.len, text, &len);
	if (r == 0 && len != SEAL_KEY_LEN)
		r = SOURCE_E_KEY;
	if (r == 0)
		r = secret_new(text, len, ret);
	crypto_wipe(text, sizeof(text));
	return r > 0 ? SOURCE_E_KEY : r;
}

/* What must stand before the one part's bytes, and then how many they are. */
must_check static int part_begin(struct source *s)
{
	static const uint8_t want[] = { PART_MARK, 5, 0, 'a', 'u', 'd', 'i', 't' };
	uint8_t head[sizeof(want) + 8];
	struct reader r = reader_over(head + sizeof(want), 8);
	int e = from_stream(stream_read(s->stream, head, sizeof(head)));

	if (e)
		return e;
	s->left = get_u64(&r);
	return memcmp(head, want, sizeof(want)) == 0 ? 0 : SOURCE_E_STRANGE;
}

must_check static int parcel_begin(struct source *s)
{
	struct secret *secret cleanup(secret_freep) = NULL;
	struct head head;
	int r = head_parse(s->buffer, s->filled < HEAD_MAX ? s->filled : HEAD_MAX, &head);

	if (r)
		return r;
	r = head_open(&head, &s->key, &secret);
	if (r)
		return r;
	if (lseek(s->fd, (off_t)head.whole.len, SEEK_SET) < 0)
		return -errno;
	r = stream_reader_new(s->fd, head.suite, secret_view(secret).data, head.whole.data, head.whole.len, &s->stream);
	if (r)
		return from_stream(r);
	return part_begin(s);
}

must_check static int parcel_read(struct source *s, void *ret, size_t len)
{
	int r;

	if (len > s->left)
		return SOURCE_E_END;
	r = from_stream(stream_read(s->stream, ret, len));
	if (r == 0)
		s->left -= len;
	return r;
}

must_check static int parcel_end(struct source *s)
{
	uint8_t mark;
	int r;

	if (s->left)
		return SOURCE_E_END;
	r = from_stream(stream_read(s->stream, &mark, 1));
	if (r)
		return r;
	if (mark != END_MARK)
		return SOURCE_E_END;
	return from_stream(stream_read_end(s->stream));
}

/* ---------------------------------------------------------------------------------------------------------------------- */

must_check static int source_begin(struct source *s)
{
	size_t n = 0;
	int r = 0;

	/* The first of it all at once, whether it comes in pieces or not. */
	while (r == 0 && n < HEAD_MAX) {
		ssize_t got = read(s->fd, s->buffer + n, sizeof(s->buffer) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	s->filled = n;
	return n >= 8 && memcmp(s->buffer, "GWPARCEL", 8) == 0 ? parcel_begin(s) : 0;
}

int source_open(const char *path, const struct source_key *key, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->key = *key;
	s->path = strdup(path);
	s->fd = s->path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	r = !s->path ? -ENOMEM : s->fd < 0 ? -errno : source_begin(s);
	if (r) {
		source_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int source_over(const void *data, size_t len, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->memory = data;
	s->memory_len = s->filled = len;
	*ret = s;
	return 0;
}

int source_again(const struct source *source, struct source **ret)
{
	return source->path ? source_open(source->path, &source->key, ret) :
			      source_over(source->memory, source->memory_len, ret);
}

int source_read(struct source *source, void *ret, size_t len)
{
	if (len == 0)
		return 0;
	return source->stream ? parcel_read(source, ret, len) : plain_read(source, ret, len);
}

int source_end(struct source *source)
{
	uint8_t more;
	int r;

	if (source->stream)
		return parcel_end(source);
	r = plain_read(source, &more, 1);
	return r == 0 ? SOURCE_E_END : r == SOURCE_E_END ? 0 : r;
}
