#pragma once
/* db_copy - a consistent copy of a database on which others go on working; never in the clear.
 *
 *   above   -
 *   below   base/base  base/text  sys/db_keys  sys/db_vfs_inside
 *   owns    nothing
 *   limits  -
 *   errors  -ECANCELED, -EBADMSG (damaged, or no key of ours), -ENOENT, -EEXIST, and what the disk says
 *
 * On any thread but the one that writes, over connections of its own: it sees one moment and holds nobody up; what is
 * written meanwhile makes the WAL longer. The copy is one file without a WAL, each page sealed with the active key. A page is bound to its
 * file's name, so the copy bears the same name in another folder.
 */
#include <stdatomic.h>
#include "base/base.h"
#include "sys/db_keys.h"

/* to must not be there; a copy that fails leaves none. cancel may be NULL; ret_version gets the schema's version. */
must_check int db_copy(const char *from, const char *to, struct db_keys *keys, const atomic_bool *cancel, uint32_t *ret_version);
must_check int db_schema_version(const char *path, struct db_keys *keys, uint32_t *ret);
/* Reads every page and lets SQLite look whether they fit together. For a file that nobody writes. -EBADMSG. */
must_check int db_check_whole(const char *path, struct db_keys *keys);
