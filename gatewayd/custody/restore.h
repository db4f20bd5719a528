#pragma once
/* restore - a gateway made again out of a backup, on other hardware: all of it, checked to the last byte, or nothing.
 *
 *   above   app_backup
 *   below   audit/audit  audit/segment  base/base  base/text  custody/backup  sys/box  sys/crypto  sys/db  sys/db_copy
 *           sys/db_keys  sys/host  sys/json  vault/parcel  vault/source  vault/vault
 *   owns    FOLDER.restoring while it works
 *   limits  -
 *   errors  RESTORE_E_REFUSED
 *
 * With the daemon stopped. Into a new folder beside the state folder, which gets its name when everything has been read to the parcel's
 * sound end, is of no newer format and opens with the keys that came with it; the keystore is made anew under this machine's
 * own source. The mark `restored` = 1 in gateway.db's table meta tells the next start: sessions are void anyhow, links
 * wait for the owner's word, an alarm is raised, and the record says so.
 */
#include "base/base.h"
#include "sys/db.h"
#include "vault/vault.h"

enum { RESTORE_E_REFUSED = 1 /* why says */ };

struct restore_options {
	const char *parcel, *key_file;  /* the backup; the file with the private half of the recovery key */
	struct vault_options vault;     /* folder: the state folder; source and path as the daemon will use them */
	const struct db_options *gateway, *spool; /* migrations; keys are filled in here */
};
struct restore_result {
	char gateway[2 * 16 + 1];       /* whose backup it was */
	char made[32], version[32];     /* when, and by which gatewayd */
	unsigned files;
	uint64_t bytes;
};
/* Blocks. why: plain words whenever it is not 0. */
must_check int restore_run(const struct restore_options *options, char *why, size_t why_cap, struct restore_result *ret);
