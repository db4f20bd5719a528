#pragma once
/* keep - where gatewayctl keeps its session's token: one file of one's own, mode 0600, until logout. Nothing else is kept.
 *
 *   above   -
 *   below   base/base  base/text  sys/crypto  sys/host
 *   owns    $XDG_RUNTIME_DIR/gatewayctl/session-* or ~/.cache/gatewayctl/session-*
 *   limits  KEEP_TOKEN_MAX
 */
#include "base/base.h"

enum { KEEP_TOKEN_MAX = 128 };
/* The file's path for a door; two doors have two sessions. -ENOENT: there is no folder of one's own. */
must_check int keep_path(const char *socket, char *ret, size_t cap);
/* -ENOENT: none. A file that others may read is none either. */
must_check int keep_read(const char *path, char ret[KEEP_TOKEN_MAX]);
must_check int keep_write(const char *path, const char *token);
void keep_remove(const char *path);
