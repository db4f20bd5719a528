/* Three ways in: the bytes as a parcel; as what somebody who knows the public key put into one; and as parts that are written
 * and must come back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "vault/parcel.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The seeds are sealed to this one. */
static const uint8_t private_half[BOX_SECRET_LEN] = "a recovery key that is known...";

static void file_of(const void *data, size_t len, int *ret_fd, char ret_path[32])
{
	*ret_fd = memfd_create("parcel", MFD_CLOEXEC);
	must(*ret_fd >= 0 && write(*ret_fd, data, len) == (ssize_t)len);
	snprintf(ret_path, 32, "/proc/self/fd/%d", *ret_fd);
}

/* Returns what it ended with; the sum of all parts' bytes is within the file's. */
static int read_all(const char *path, const struct secret *secret, size_t size)
{
	struct parcel_reader *r = NULL;
	char name[PARCEL_NAME_MAX];
	enum parcel_kind kind;
	uint64_t len = 0, sum = 0;
	uint8_t buf[256];
	int e = parcel_open(path, BOX_X25519, secret, &kind, &r);

	if (e)
		return e;
	must(kind >= PARCEL_BACKUP && kind <= PARCEL_KEY);
	while ((e = parcel_next(r, name, &len)) == 0) {
		must(name[0] && memchr(name, 0, sizeof(name)) && !strchr(name, '/'));
		while (e == 0 && len > 0) {
			size_t n = len < sizeof(buf) ? (size_t)len : sizeof(buf);

			e = parcel_read(r, buf, n);
			sum += e == 0 ? n : 0;
			len -= n;
		}
	}
	must(sum <= size);
	parcel_reader_free(r);
	return e;
}

static void as_content(const uint8_t *data, size_t len, const struct secret *secret, const struct box_public *public)
{
	uint8_t head[256], key[SEAL_KEY_LEN] = { 7 }, sealed[BOX_SEALED_MAX];
	struct writer out = writer_over(head, sizeof(head));
	enum seal_suite suite = len % 2 ? SEAL_XCHACHA : SEAL_SM4;
	struct stream_writer *w = NULL;
	char path[32];
	size_t n = 0;
	int fd;

	must(box_seal(public, key, sizeof(key), sealed, &n) == 0);
	put_bytes(&out, "GWPARCEL", 8);
	put_u16(&out, 1);
	put_u8(&out, PARCEL_AUDIT);
	put_u8(&out, (uint8_t)suite);
	put_u8(&out, BOX_X25519);
	put_u8(&out, 32);
	put_bytes(&out, public->data, 32);
	put_view16(&out, sealed, n);
	file_of(head, writer_len(&out), &fd, path);
	must(stream_writer_new(fd, suite, key, head, writer_len(&out), &w) == 0);
	must(stream_write(w, data, len) == 0 && stream_finish(w) == 0);
	stream_writer_free(w);
	int e = read_all(path, secret, len);

	must(e == PARCEL_E_DAMAGED || e == PARCEL_E_END);
	close(fd);
}

/* A part for each byte that is read as its length; every one comes back. */
static void as_parts(const uint8_t *data, size_t len, const struct secret *secret, const struct box_public *public)
{
	char path[64], name[PARCEL_NAME_MAX];
	struct parcel_writer *w = NULL;
	struct parcel_reader *r = NULL;
	enum parcel_kind kind;
	uint8_t buf[256];
	uint64_t got = 0;
	size_t at;

	snprintf(path, sizeof(path), "/dev/shm/fuzz-parcel-%d", (int)getpid());
	must(parcel_create(path, PARCEL_KEY, SEAL_XCHACHA, public, &w) == 0);
	for (at = 0; at < len; at += 1 + (data[at] < len - at - 1 ? data[at] : len - at - 1)) {
		size_t n = data[at] < len - at - 1 ? data[at] : len - at - 1;

		if (parcel_part(w, "part", n))
			break;
		must(parcel_write(w, data + at + 1, n) == 0);
	}
	must(parcel_finish(w) == 0);
	parcel_writer_free(w);
	must(parcel_open(path, BOX_X25519, secret, &kind, &r) == 0);
	unlink(path);
	for (size_t back = 0; back < at; back += 1 + (size_t)got) {
		must(parcel_next(r, name, &got) == 0 && got <= 255);
		must(parcel_read(r, buf, (size_t)got) == 0 && memcmp(buf, data + back + 1, (size_t)got) == 0);
	}
	must(parcel_next(r, name, &got) == PARCEL_E_END);
	parcel_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct secret *secret = NULL;
	struct box_public public;
	char path[32];
	int fd;

	must(crypto_init() == 0 && secret_new(private_half, sizeof(private_half), &secret) == 0);
	must(box_public_of(BOX_X25519, secret, &public) == 0);
	file_of(data, len, &fd, path);
	must(read_all(path, secret, len) != 0);
	close(fd);
	as_content(data, len, secret, &public);
	if (len < 2000)
		as_parts(data, len, secret, &public);
	secret_free(secret);
	return 0;
}
