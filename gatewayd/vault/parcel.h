#pragma once
/* parcel - a file sealed to somebody who is not here: backups to the recovery key, exports to an auditor.
 *
 *   above   -
 *   below   base/base  base/bytes  sys/box  sys/crypto  sys/stream
 *   owns    struct parcel_writer, struct parcel_reader
 *   limits  PARCEL_NAME_MAX PARCEL_PARTS_MAX
 *   errors  PARCEL_E_SYNTAX PARCEL_E_NOT_FOR_YOU PARCEL_E_DAMAGED PARCEL_E_NEWER PARCEL_E_END
 *
 * Head (kind, suite, recipient, sealed key) and then one stream of named parts, each with its length before it. Nothing is
 * on disk in the clear at any moment. docs/spec/keystore.md "Parcels". Blocking: on a pool thread or in a tool.
 */
#include "base/base.h"
#include "sys/box.h"
#include "sys/stream.h"

enum parcel_kind { PARCEL_BACKUP = 1, PARCEL_AUDIT = 2, PARCEL_KEY = 3 };
enum { PARCEL_NAME_MAX = 64 /* with NUL; letters, digits, ".", "-" and "_", no "." first */, PARCEL_PARTS_MAX = 5000 };
enum { PARCEL_E_SYNTAX = 1, PARCEL_E_NOT_FOR_YOU, PARCEL_E_DAMAGED, PARCEL_E_NEWER, PARCEL_E_END };

struct parcel_writer;
/* path is written under path.part, mode 0600, and gets its name at parcel_finish (fsync, rename, fsync of the folder). */
must_check int parcel_create(const char *path, enum parcel_kind kind, enum seal_suite suite, const struct box_public *to,
			     struct parcel_writer **ret);
/* Then exactly len bytes by parcel_write. -EINVAL: no name, or the part before is not full; -ENOSPC: PARCEL_PARTS_MAX. */
must_check int parcel_part(struct parcel_writer *w, const char *name, uint64_t len);
must_check int parcel_write(struct parcel_writer *w, const void *data, size_t len);
must_check int parcel_add_file(struct parcel_writer *w, const char *name, const char *path);
must_check int parcel_finish(struct parcel_writer *w);
struct parcel_writer *parcel_writer_free(struct parcel_writer *w); /* unfinished: the .part is removed */

struct parcel_reader;
must_check int parcel_open(const char *path, enum box_kind kind, const struct secret *secret, enum parcel_kind *ret_kind,
			   struct parcel_reader **ret);
/* The next part; PARCEL_E_END: the sound end, nothing is missing and nothing follows. What is unread of the part before is passed over. */
must_check int parcel_next(struct parcel_reader *r, char ret_name[PARCEL_NAME_MAX], uint64_t *ret_len);
must_check int parcel_read(struct parcel_reader *r, void *ret, size_t len); /* len at most what is left of the part: else -EINVAL */
struct parcel_reader *parcel_reader_free(struct parcel_reader *r);
