#pragma once
/* keep - what is remembered of a device between starts, as text: who it is, where it was, how it is described, its password.
 *
 *   above   shelly/shelly_inside
 *   below   base/base  base/text  shelly/line  shelly/rpc  shelly/session  shelly/status  sys/crypto  sys/json
 *   owns    struct kept's map
 *   limits  KEEP_PAGE_MAX KEEP_PAGES_MAX
 *   errors  KEEP_E_MALFORMED
 *
 * The gateway seals it. Eight devices are a page, so that one that changes does not write all of them.
 */
#include "base/base.h"
#include "shelly/line.h"
#include "shelly/rpc.h"
#include "shelly/session.h"
#include "shelly/status.h"

enum { KEEP_PAGE_MAX = 8, KEEP_PAGES_MAX = 16 };
enum { KEEP_E_MALFORMED = 1 };

struct kept {
	struct rpc_info info;
	struct place place;
	char password[SESSION_PASSWORD_MAX + 1]; /* "": none of its own */
	bool must_prove;
	struct status_map map; /* n 0: not known yet */
};
/* The page's text, malloc'ed; wipe it. NULL entries are left out. */
must_check int keep_print(const struct kept *const *kept, size_t n, char **ret, size_t *ret_len);
/* At most KEEP_PAGE_MAX; what is unfit is left out. *ret_n devices, whose maps are the caller's. */
must_check int keep_parse(const void *data, size_t len, struct kept ret[KEEP_PAGE_MAX], size_t *ret_n);
