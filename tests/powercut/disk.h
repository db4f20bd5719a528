#pragma once
/* disk - what a disk may hold when the power goes, after so many operations of a journal.
 *
 * Assumed: an fsync that returned has told the truth; a sector of 512 bytes is written whole, not at all, or is garbage in the
 * bytes that were being written and in no others (what SQLite calls powersafe overwrite). Not assumed: any order of writes
 * that were not synced, that a length goes with its data, that a name is there because its file was synced, that one name
 * that was not synced says anything of another. Operations on one name keep their order, and a rename is whole.
 */
#include "dice.h"
#include "journal.h"

enum disk_mode {
	DISK_NOTHING, /* of what was not synced */
	DISK_ALL,     /* as after kill -9 */
	DISK_PREFIX,  /* up to some operation, which is torn */
	DISK_FILES,   /* of each file all or nothing, of names some */
	DISK_SECTORS, /* some */
	DISK_GARBAGE, /* some, and some are garbage */
	DISK_MODES
};
enum { DISK_SECTOR = 512 };

struct disk_file {
	uint8_t *base; /* as synced */
	size_t len, cap;
	uint32_t *pending; /* operations since */
	size_t n_pending, pending_cap;
};
struct disk {
	const struct journal *journal;
	size_t at; /* operations that have happened */
	struct disk_file *files;                 /* by inode */
	uint32_t durable[JOURNAL_NAMES_MAX];     /* inode by name, as synced */
	uint32_t *names;                         /* operations on names since */
	size_t n_names, names_cap;
	uint8_t *scratch;
	size_t scratch_cap;
	uint16_t *touched, *kept; /* by sector */
	size_t sectors_cap;
};

void disk_init(struct disk *disk, const struct journal *journal);
void disk_deinit(struct disk *disk);
void disk_advance(struct disk *disk, size_t at);
/* Empties folder and puts a picture of the disk there. */
void disk_write(struct disk *disk, enum disk_mode mode, struct dice *dice, const char *folder);
void disk_empty_folder(const char *folder);
/* Whether all of the journal gives what the folder holds: nothing went past the tap. why: which file does not. */
bool disk_is_as(struct disk *disk, const char *folder, char *why, size_t cap);
