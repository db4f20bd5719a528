/* A stream is 24 random bytes and then chunks: each but the last holds exactly STREAM_CHUNK_MAX bytes, the last says in
 * its authenticated part that it is the last. So there is no length in it that somebody could change, and a reader knows
 * every wrong place by a chunk that does not open: each chunk's number is in its associated data (suite 2) or in the
 * state that runs on from chunk to chunk (suite 1). What goes through may be a keystore: clear bytes and the key's state are in
 * guarded memory, only sealed ones on the heap.
 */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/host.h"
#include "sys/stream.h"

enum {
	HEADER_LEN = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	XCHACHA_MORE = crypto_secretstream_xchacha20poly1305_ABYTES, /* tag byte before the text, 16 behind */
	SM4_MORE = SEAL_NONCE_LEN + SEAL_TAG_LEN,		      /* both before the text */
	SEALED_MAX = STREAM_CHUNK_MAX + SM4_MORE,
	AAD_MAX = 1024, /* of the caller's */
	AAD_OWN = HEADER_LEN + 8 + 1,
};
_Static_assert((int)HEADER_LEN == (int)SEAL_NONCE_LEN, "one header for both suites");
_Static_assert(XCHACHA_MORE < SM4_MORE, "one buffer for both suites");
_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == SEAL_KEY_LEN, "one key for both suites");

/* In guarded memory: libsodium's state holds a key, the text may be anything. */
struct stream_clear {
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t text[STREAM_CHUNK_MAX];
};

/* What both directions share. */
struct stream {
	int fd, failed; /* failed: the first error, which every later call gives again */
	enum seal_suite suite;
	struct seal_key *key; /* suite 2 */
	struct stream_clear *clear;
	uint8_t *sealed, *aad;
	size_t aad_len, n_text, at;
	uint64_t number; /* of the next chunk */
	uint8_t header[HEADER_LEN];
	bool last; /* the last chunk was written, or read */
};

struct stream_writer {
	struct stream s;
};

struct stream_reader {
	struct stream s;
};

static void stream_deinit(struct stream *s)
{
	seal_key_free(s->key);
	if (s->clear)
		sodium_free(s->clear); /* wipes */
	free(s->sealed);
	free(s->aad);
}

must_check static int stream_init(struct stream *s, int fd, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN],
				  const void *aad, size_t aad_len)
{
	if ((suite != SEAL_XCHACHA && suite != SEAL_SM4) || aad_len > AAD_MAX)
		return -EINVAL;
	s->fd = fd;
	s->suite = suite;
	s->clear = sodium_malloc(sizeof(*s->clear));
	s->sealed = malloc(SEALED_MAX);
	s->aad = malloc(AAD_OWN + AAD_MAX);
	if (!s->clear || !s->sealed || !s->aad)
		return -ENOMEM;
	if (aad_len)
		memcpy(s->aad + AAD_OWN, aad, aad_len);
	s->aad_len = aad_len;
	return suite == SEAL_SM4 ? seal_key_new(SEAL_SM4, key, &s->key) : 0;
}

static size_t stream_more(const struct stream *s)
{
	return s->suite == SEAL_SM4 ? SM4_MORE : XCHACHA_MORE;
}

/* Suite 2's associated data: the stream's bytes, the chunk's number, whether it is the last, and the caller's. */
static size_t stream_aad(struct stream *s, bool last)
{
	struct writer w = writer_over(s->aad, AAD_OWN);

	put_bytes(&w, s->header, sizeof(s->header));
	put_u64(&w, s->number);
	put_u8(&w, last);
	return AAD_OWN + (s->number == 0 ? s->aad_len : 0);
}

int stream_writer_new(int fd, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const void *aad,
		      size_t aad_len, struct stream_writer **ret)
{
	struct stream_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	r = stream_init(&w->s, fd, suite, key, aad, aad_len);
	if (r == 0 && suite == SEAL_XCHACHA)
		crypto_secretstream_xchacha20poly1305_init_push(&w->s.clear->state, w->s.header, key);
	else if (r == 0)
		crypto_random(w->s.header, sizeof(w->s.header));
	if (r == 0)
		r = host_write_fd(fd, w->s.header, sizeof(w->s.header));
	if (r) {
		stream_writer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void chunk_seal(struct stream *s, bool last)
{
	if (s->suite == SEAL_XCHACHA) {
		crypto_secretstream_xchacha20poly1305_push(
			&s->clear->state, s->sealed, NULL, s->clear->text, s->n_text, s->aad + AAD_OWN,
			s->number == 0 ? s->aad_len : 0,
			last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL :
			       crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
		return;
	}
	crypto_random(s->sealed, SEAL_NONCE_LEN);
	seal_make(s->key, s->sealed, s->aad, stream_aad(s, last), s->clear->text, s->n_text, s->sealed + SM4_MORE,
		  s->sealed + SEAL_NONCE_LEN);
}

must_check static int chunk_write(struct stream *s, bool last)
{
	chunk_seal(s, last);
	s->failed = host_write_fd(s->fd, s->sealed, s->n_text + stream_more(s));
	s->number++;
	s->n_text = 0;
	s->last = last;
	return s->failed;
}

int stream_write(struct stream_writer *w, const void *data, size_t len)
{
	struct stream *s = &w->s;
	const uint8_t *p = data;

	assert(!s->last);
	if (s->failed)
		return s->failed;
	while (len > 0) {
		size_t n = STREAM_CHUNK_MAX - s->n_text;

		/* A full chunk waits for the byte behind it: it might be the last. */
		if (n == 0) {
			int r = chunk_write(s, false);

			if (r)
				return r;
			continue;
		}
		n = n < len ? n : len;
		memcpy(s->clear->text + s->n_text, p, n);
		s->n_text += n;
		p += n;
		len -= n;
	}
	return 0;
}

int stream_finish(struct stream_writer *w)
{
	assert(!w->s.last);
	return w->s.failed ? w->s.failed : chunk_write(&w->s, true);
}

struct stream_writer *stream_writer_free(struct stream_writer *w)
{
	if (!w)
		return NULL;
	stream_deinit(&w->s);
	free(w);
	return NULL;
}

int stream_reader_new(int fd, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const void *aad,
		      size_t aad_len, struct stream_reader **ret)
{
	struct stream_reader *reader = calloc(1, sizeof(*reader));
	size_t n = 0;
	int r;

	if (!reader)
		return -ENOMEM;
	r = stream_init(&reader->s, fd, suite, key, aad, aad_len);
	if (r == 0)
		r = host_read_fd(fd, reader->s.header, HEADER_LEN, &n);
	if (r) {
		stream_reader_free(reader);
		return r;
	}
	/* Too short is said by the first read, like all other damage. */
	if (n < HEADER_LEN)
		reader->s.failed = STREAM_E_DAMAGED;
	else if (suite == SEAL_XCHACHA)
		reader->s.failed = crypto_secretstream_xchacha20poly1305_init_pull(
					   &reader->s.clear->state, reader->s.header, key) ?
					   STREAM_E_DAMAGED :
					   0;
	*ret = reader;
	return 0;
}

must_check static int xchacha_open(struct stream *s, size_t n, bool *ret_last)
{
	uint8_t tag = 0xff;

	if (crypto_secretstream_xchacha20poly1305_pull(&s->clear->state, s->clear->text, NULL, &tag, s->sealed, n,
						       s->aad + AAD_OWN, s->number == 0 ? s->aad_len : 0) ||
	    (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL &&
	     tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE))
		return STREAM_E_DAMAGED;
	*ret_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return 0;
}

/* Only a full chunk can be either. */
must_check static int sm4_open(struct stream *s, size_t n, bool *ret_last)
{
	for (int last = 0; last <= 1; last++) {
		if (!last && n < SEALED_MAX)
			continue;
		if (seal_open(s->key, s->sealed, s->aad, stream_aad(s, last), s->sealed + SM4_MORE, n - SM4_MORE,
			      s->sealed + SEAL_NONCE_LEN, s->clear->text) == 0) {
			*ret_last = last;
			return 0;
		}
	}
	return STREAM_E_DAMAGED;
}

must_check static int chunk_read(struct stream *s)
{
	size_t more = stream_more(s), n = 0;
	bool last = false;
	int r = host_read_fd(s->fd, s->sealed, STREAM_CHUNK_MAX + more, &n);

	if (r == 0 && n < more)
		r = STREAM_E_DAMAGED;
	if (r == 0)
		r = s->suite == SEAL_XCHACHA ? xchacha_open(s, n, &last) : sm4_open(s, n, &last);
	/* What a writer never makes: a short chunk before the last, an empty one behind another. */
	if (r == 0 && ((!last && n - more < STREAM_CHUNK_MAX) || (n == more && s->number > 0)))
		r = STREAM_E_DAMAGED;
	s->failed = r;
	if (r)
		return r;
	s->number++;
	s->n_text = n - more;
	s->at = 0;
	s->last = last;
	return 0;
}

/* On return there is a byte to take, or the sound end is reached (STREAM_E_END). */
must_check static int stream_fill(struct stream *s)
{
	while (!s->failed && s->at == s->n_text) {
		int r;

		if (s->last)
			return STREAM_E_END;
		r = chunk_read(s);
		if (r)
			return r;
	}
	return s->failed;
}

int stream_read(struct stream_reader *reader, void *ret, size_t len)
{
	struct stream *s = &reader->s;
	uint8_t *p = ret;
	bool first = true;

	while (len > 0) {
		int r = stream_fill(s);
		size_t n;

		/* A stream that ends in the middle of what its writer wrote as one is not what he wrote. */
		if (r == STREAM_E_END && !first)
			r = s->failed = STREAM_E_DAMAGED;
		if (r)
			return r;
		n = s->n_text - s->at < len ? s->n_text - s->at : len;
		memcpy(p, s->clear->text + s->at, n);
		s->at += n;
		p += n;
		len -= n;
		first = false;
	}
	return s->failed;
}

int stream_read_end(struct stream_reader *reader)
{
	struct stream *s = &reader->s;
	uint8_t byte;
	size_t n = 0;
	int r = stream_fill(s);

	if (r == 0) /* something was left to read */
		return s->failed = STREAM_E_DAMAGED;
	if (r != STREAM_E_END)
		return r;
	r = host_read_fd(s->fd, &byte, 1, &n);
	if (r == 0 && n > 0)
		r = STREAM_E_DAMAGED;
	s->failed = r;
	return r;
}

struct stream_reader *stream_reader_free(struct stream_reader *reader)
{
	if (!reader)
		return NULL;
	stream_deinit(&reader->s);
	free(reader);
	return NULL;
}
