#pragma once
/* desk - texts that are longer than a packet, on their way from or to a client, piece by piece; each for the session it belongs to.
 *
 *   above   door/door  door/methods_radio
 *   below   base/base  base/bytes  base/parts  base/text  sys/loop
 *   owns    the texts: wiped when they have been taken, dropped, or nobody came for them
 *   limits  DESK_TEXTS_MAX DESK_TEXT_LEN_MAX DESK_PIECE_MAX DESK_MS
 *   errors  DESK_E_FULL DESK_E_NONE
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/loop.h"

enum { DESK_TEXTS_MAX = 8, DESK_TEXT_LEN_MAX = 262144, DESK_PIECE_MAX = 8192, DESK_MS = 60000 };
enum { DESK_E_FULL = 1, DESK_E_NONE = 2 };

struct desk;
must_check int desk_new(struct loop *loop, struct desk **ret);
struct desk *desk_close(struct desk *desk);

/* Coming in: one text for each session and name. FULL: too long (the text is dropped), or too many are here. */
must_check int desk_add(struct desk *desk, uint64_t session, const char *name, const void *data, size_t len);
struct view desk_text(const struct desk *desk, uint64_t session, const char *name); /* empty when there is none */
void desk_drop(struct desk *desk, uint64_t session, const char *name);

/* Going out: laid down under a number, taken in pieces of whole UTF-8 characters. */
must_check int desk_lay(struct desk *desk, uint64_t session, struct view text, uint32_t *ret_number);
/* The next piece, with a NUL behind it; *ret_last: there is no more, and the text is gone. NONE: not there, or somebody else's. */
must_check int desk_take(struct desk *desk, uint64_t session, uint32_t number, char ret[DESK_PIECE_MAX + 1], bool *ret_last);
