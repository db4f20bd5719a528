#pragma once
/* unlock - the other end of a core that is locked: a passphrase goes there as one packet, one word comes back.
 *
 *   above   ctl/perform_vault
 *   below   base/base  base/text  sys/crypto  sys/loop  sys/packet
 *   owns    nothing
 *   limits  -
 *   errors  UNLOCK_E_WRONG UNLOCK_E_WAIT UNLOCK_E_SILENT
 */
#include "base/base.h"

enum { UNLOCK_E_WRONG = 1, UNLOCK_E_WAIT = 2, UNLOCK_E_SILENT = 3 };
/* unlock.sock beside the door. */
bool unlock_path(const char *door, char *ret, size_t cap);
must_check int unlock_send(const char *path, const char *passphrase);
