#pragma once
/* stream - a file of any length sealed in chunks: neither cut, reordered, repeated nor joined unnoticed; never whole in memory.
 *
 *   above   vault/parcel
 *   below   base/base  base/bytes  sys/host  sys/seal
 *   owns    struct stream_writer, struct stream_reader
 *   limits  STREAM_CHUNK_MAX
 *   errors  STREAM_E_DAMAGED STREAM_E_END
 *
 * Suite 1 is libsodium's secretstream (XChaCha20-Poly1305), suite 2 the same framing over SM4-CTR and HMAC-SM3 with the chunk's
 * number and a last-chunk flag in the associated data. Bytes: docs/spec/keystore.md "Parcels". On a pool thread; blocking.
 */
#include "base/base.h"
#include "sys/seal.h"

enum { STREAM_CHUNK_MAX = 64 * 1024 };
enum { STREAM_E_DAMAGED = 1, STREAM_E_END = 2 };

struct stream_writer;
/* aad is bound to the first chunk (a file's header). fd is borrowed; writing starts at its offset. */
must_check int stream_writer_new(int fd, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const void *aad, size_t aad_len,
				 struct stream_writer **ret);
must_check int stream_write(struct stream_writer *w, const void *data, size_t len);
must_check int stream_finish(struct stream_writer *w); /* last chunk; fsync is the caller's */
struct stream_writer *stream_writer_free(struct stream_writer *w);
struct stream_reader;
must_check int stream_reader_new(int fd, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const void *aad, size_t aad_len,
				 struct stream_reader **ret);
/* Exactly len bytes, or STREAM_E_END before the first of them; STREAM_E_DAMAGED: nothing of it may be used. */
must_check int stream_read(struct stream_reader *r, void *ret, size_t len);
must_check int stream_read_end(struct stream_reader *r); /* 0 only when the last chunk was read and nothing follows */
struct stream_reader *stream_reader_free(struct stream_reader *r);
