#pragma once
/* trust - may this file be loaded: its hash against the list shipped with the package, or against the configuration.
 *
 *   above   host/plugin
 *   below   base/base  base/text  sys/crypto  sys/host
 *   owns    nothing
 *   limits  TRUST_LIST_MAX
 *   errors  TRUST_E_UNLISTED TRUST_E_CHANGED TRUST_E_OWNER TRUST_E_SYNTAX
 */
#include "base/base.h"

enum { TRUST_LIST_MAX = 64 * 1024, TRUST_HASH_TEXT_LEN = 64 };
enum { TRUST_E_UNLISTED = 1, TRUST_E_CHANGED, TRUST_E_OWNER, TRUST_E_SYNTAX };

/* The list's lines are sha256sum's: 64 hex digits, two spaces, file name; # begins a comment.
 * It must belong to root or to whoever this program belongs to, and nobody else may write it. */
must_check int trust_check_list(const char *list_path, const char *name, int fd);
must_check int trust_check_hash(const char *sha256_hex, int fd);
/* The line of name in text; digits are written to ret. TRUST_E_UNLISTED, TRUST_E_SYNTAX. */
must_check int trust_find(const char *text, const char *name, char ret[TRUST_HASH_TEXT_LEN + 1]);
const char *trust_word(int error);
