#pragma once
/* backup - a network and its devices' keys in the open-coordinator-backup format, version 1, which other Zigbee software reads, too.
 *
 *   above   -
 *   below   base/base  base/text  sys/crypto  sys/json  zigbee/radio  zigbee/tclk
 *   owns    what it gives: texts and keys are secrets; backup_text_free and backup_keys_free wipe
 *   limits  BACKUP_LEN_MAX BACKUP_ERROR_CAP
 *   errors  BACKUP_E_JSON BACKUP_E_FIELD
 */
#include "base/base.h"
#include "zigbee/radio.h"

enum { BACKUP_LEN_MAX = 256 * 1024, BACKUP_ERROR_CAP = 160 };
enum {
	BACKUP_E_JSON = 1,  /* no JSON */
	BACKUP_E_FIELD = 2, /* a field is missing or not what it should be; the error names it */
};

/* Fields that it does not know are passed over. error: a sentence without anything secret. */
must_check int backup_read(const char *text, size_t len, struct radio_network *ret, struct radio_key **ret_keys, size_t *ret_n, char *error,
			   size_t error_cap);
must_check int backup_write(const struct radio_network *network, const struct radio_key *keys, size_t n, char **ret, size_t *ret_len);

struct radio_key *backup_keys_free(struct radio_key *keys, size_t n);
char *backup_text_free(char *text, size_t len);
