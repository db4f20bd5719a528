/* A file that was not synced is its last synced bytes and a list of operations. Of each sector one version is taken: the synced
 * one, or as it was after any of the writes that touched it since, for the kernel writes back whole sectors as they are
 * at that moment. The length is any that it had since. Names are what was synced and a list as well, of which an
 * operation may be missing; those that came later and concern one of its names are then missing too.
 */
#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How one picture is chosen. */
struct choice {
	enum disk_mode mode;
	struct dice dice;
	uint32_t last;       /* PREFIX: the operation that is torn; all before it are there */
	unsigned percent;    /* FILES, SECTORS, GARBAGE: how much is there */
	bool whole;          /* ALL, FILES: this file is */
};

static void *room(void *old, size_t *cap, size_t needed, size_t each)
{
	if (needed <= *cap)
		return old;
	*cap = needed * 2;
	old = realloc(old, *cap * each);
	if (!old)
		abort();
	return old;
}

void disk_init(struct disk *disk, const struct journal *journal)
{
	memset(disk, 0, sizeof(*disk));
	disk->journal = journal;
	disk->files = calloc(journal->n_inodes + 1, sizeof(*disk->files));
	if (!disk->files)
		abort();
	for (unsigned i = 0; i < JOURNAL_NAMES_MAX; i++)
		disk->durable[i] = NO_INODE;
}

void disk_deinit(struct disk *disk)
{
	for (uint32_t i = 0; i < disk->journal->n_inodes; i++) {
		free(disk->files[i].base);
		free(disk->files[i].pending);
	}
	free(disk->files);
	free(disk->names);
	free(disk->scratch);
	free(disk->touched);
	free(disk->kept);
}

/* --- what is synced -------------------------------------------------------------------------------------------------- */

static void file_write(struct disk_file *file, uint64_t offset, const void *data, size_t len)
{
	file->base = room(file->base, &file->cap, offset + len, 1);
	if (offset > file->len)
		memset(file->base + file->len, 0, offset - file->len);
	if (len)
		memcpy(file->base + offset, data, len);
	if (offset + len > file->len)
		file->len = offset + len;
}

static void file_sync(struct disk *disk, struct disk_file *file)
{
	for (size_t i = 0; i < file->n_pending; i++) {
		const struct op *op = &disk->journal->ops[file->pending[i]];

		if (op->kind == OP_WRITE)
			file_write(file, op->offset, disk->journal->data + op->data, op->len);
		else if (op->offset > file->len)
			file_write(file, op->offset, NULL, 0);
		else
			file->len = op->offset;
	}
	file->n_pending = 0;
}

static void names_apply(uint32_t names[JOURNAL_NAMES_MAX], const struct op *op)
{
	switch (op->kind) {
	case OP_CREATE:
	case OP_LINK:
		names[op->name] = op->inode;
		break;
	case OP_RENAME:
		names[op->to] = op->inode;
		names[op->name] = NO_INODE;
		break;
	case OP_UNLINK:
		names[op->name] = NO_INODE;
		break;
	case OP_WRITE:
	case OP_TRUNCATE:
	case OP_SYNC:
	case OP_SYNC_FOLDER:
	case OP_SAY:
		break;
	}
}

static void folder_sync(struct disk *disk, uint16_t folder)
{
	size_t kept = 0;

	for (size_t i = 0; i < disk->n_names; i++) {
		const struct op *op = &disk->journal->ops[disk->names[i]];

		if (journal_is_in(disk->journal, op->name, folder))
			names_apply(disk->durable, op);
		else
			disk->names[kept++] = disk->names[i];
	}
	disk->n_names = kept;
}

static void disk_step(struct disk *disk, uint32_t at)
{
	const struct op *op = &disk->journal->ops[at];
	struct disk_file *file = op->inode == NO_INODE ? NULL : &disk->files[op->inode];

	switch (op->kind) {
	case OP_WRITE:
	case OP_TRUNCATE:
		file->pending = room(file->pending, &file->pending_cap, file->n_pending + 1, sizeof(*file->pending));
		file->pending[file->n_pending++] = at;
		break;
	case OP_SYNC:
		file_sync(disk, file);
		break;
	case OP_SYNC_FOLDER:
		folder_sync(disk, op->name);
		break;
	case OP_CREATE:
	case OP_LINK:
	case OP_RENAME:
	case OP_UNLINK:
		disk->names = room(disk->names, &disk->names_cap, disk->n_names + 1, sizeof(*disk->names));
		disk->names[disk->n_names++] = at;
		break;
	case OP_SAY:
		break;
	}
}

void disk_advance(struct disk *disk, size_t at)
{
	while (disk->at < at)
		disk_step(disk, (uint32_t)disk->at++);
}

/* --- one file of a picture ------------------------------------------------------------------------------------------- */

/* The length after each operation; the largest is how much room it takes. */
static size_t length_after(const struct op *op, size_t len)
{
	if (op->kind == OP_TRUNCATE)
		return op->offset;
	return op->offset + op->len > len ? op->offset + op->len : len;
}

/* How many writes touched each sector, and how many of them reached the disk. */
static void choose_sectors(struct disk *disk, const struct disk_file *file, struct choice *choice, size_t most)
{
	size_t n = most / DISK_SECTOR + 1;

	choice->whole = choice->mode == DISK_ALL || (choice->mode == DISK_FILES && dice_percent(&choice->dice, choice->percent));
	if (n > disk->sectors_cap) {
		disk->touched = realloc(disk->touched, n * 2 * sizeof(*disk->touched));
		disk->kept = realloc(disk->kept, n * 2 * sizeof(*disk->kept));
		if (!disk->touched || !disk->kept)
			abort();
		disk->sectors_cap = n * 2;
	}
	memset(disk->touched, 0, n * sizeof(*disk->touched));
	memset(disk->kept, 0, n * sizeof(*disk->kept));
	for (size_t i = 0; i < file->n_pending; i++) {
		const struct op *op = &disk->journal->ops[file->pending[i]];

		if (op->kind != OP_WRITE || !op->len)
			continue;
		for (size_t s = op->offset / DISK_SECTOR; s <= (op->offset + op->len - 1) / DISK_SECTOR; s++) {
			disk->touched[s]++;
			if (choice->mode == DISK_PREFIX && file->pending[i] < choice->last)
				disk->kept[s]++;
		}
	}
	for (size_t s = 0; s < n; s++) {
		if (choice->whole)
			disk->kept[s] = disk->touched[s];
		else if (choice->mode == DISK_SECTORS || choice->mode == DISK_GARBAGE)
			disk->kept[s] = dice_percent(&choice->dice, choice->percent) ?
						disk->touched[s] :
						(uint16_t)dice_below(&choice->dice, disk->touched[s]);
	}
}

/* A sector that was being written: bytes of anything, or one part of it new. */
static void spoil(struct choice *choice, uint8_t *at, const uint8_t *data, size_t len)
{
	if (dice_percent(&choice->dice, 50))
		dice_fill(&choice->dice, at, len);
	else
		memcpy(at, data, dice_below(&choice->dice, len + 1));
}

static void put_write(struct disk *disk, const struct op *op, struct choice *choice)
{
	const uint8_t *data = disk->journal->data + op->data;
	size_t from = op->offset, to = from + op->len;

	while (from < to) {
		size_t s = from / DISK_SECTOR, end = (s + 1) * DISK_SECTOR < to ? (s + 1) * DISK_SECTOR : to;
		const uint8_t *piece = data + (from - op->offset);

		/* touched counts down to what is left to come, kept to what is left to take */
		if (disk->kept[s] > 0) {
			disk->kept[s]--;
			memcpy(disk->scratch + from, piece, end - from);
		} else if (disk->touched[s] > 0) {
			disk->touched[s] = 0; /* the first that was lost is the one that was being written */
			if (choice->mode == DISK_GARBAGE && dice_percent(&choice->dice, 15))
				spoil(choice, disk->scratch + from, piece, end - from);
		}
		from = end;
	}
}

/* PREFIX: of the last operation its first sectors are there. */
static void tear(struct disk *disk, const struct op *op, struct choice *choice)
{
	size_t n = dice_below(&choice->dice, op->len / DISK_SECTOR + 2) * DISK_SECTOR;
	size_t start = op->offset % DISK_SECTOR;

	n = n > start ? n - start : 0;
	n = n < op->len ? n : op->len;
	memcpy(disk->scratch + op->offset, disk->journal->data + op->data, n);
}

/* Up to which of the operations the length has followed; file->n_pending stands for all, 0 for none. What was cut off until there is
 * gone, and what was cut off later is still there. */
static size_t choose_length(const struct disk *disk, const struct disk_file *file, struct choice *choice)
{
	size_t len = file->len, chosen = 0, n = 1;

	if (choice->whole || (choice->mode >= DISK_SECTORS && dice_percent(&choice->dice, choice->percent)))
		return file->n_pending;
	for (size_t i = 0; i < file->n_pending; i++) {
		size_t next = length_after(&disk->journal->ops[file->pending[i]], len);

		if (choice->mode == DISK_PREFIX && file->pending[i] <= choice->last)
			chosen = i + 1;
		else if (choice->mode >= DISK_SECTORS && next != len && dice_below(&choice->dice, ++n) == 0)
			chosen = i + 1;
		len = next;
	}
	return chosen;
}

/* Into disk->scratch; its length. */
static size_t file_picture(struct disk *disk, const struct disk_file *file, struct choice *choice)
{
	size_t most = file->len, len = file->len, upto, chosen = file->len;

	for (size_t i = 0; i < file->n_pending; i++) {
		len = length_after(&disk->journal->ops[file->pending[i]], len);
		most = len > most ? len : most;
	}
	disk->scratch = room(disk->scratch, &disk->scratch_cap, most + 1, 1);
	memcpy(disk->scratch, file->base ? file->base : (const uint8_t *)"", file->len);
	memset(disk->scratch + file->len, 0, most - file->len);
	if (!file->n_pending || choice->mode == DISK_NOTHING)
		return file->len;
	choose_sectors(disk, file, choice, most);
	upto = choose_length(disk, file, choice);
	for (size_t i = 0; i < file->n_pending; i++) {
		const struct op *op = &disk->journal->ops[file->pending[i]];

		if (i < upto)
			chosen = length_after(op, chosen);
		if (op->kind == OP_WRITE)
			put_write(disk, op, choice);
		else if (i < upto)
			memset(disk->scratch + op->offset, 0, most - op->offset);
		if (choice->mode == DISK_PREFIX && file->pending[i] == choice->last && op->kind == OP_WRITE)
			tear(disk, op, choice);
	}
	return chosen;
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static bool name_happened(struct choice *choice, uint32_t at)
{
	switch (choice->mode) {
	case DISK_NOTHING:
		return false;
	case DISK_ALL:
		return true;
	case DISK_PREFIX:
		return at <= choice->last;
	case DISK_FILES:
	case DISK_SECTORS:
	case DISK_GARBAGE:
	case DISK_MODES:
		break;
	}
	return dice_percent(&choice->dice, choice->percent);
}

static void choose_names(const struct disk *disk, struct choice *choice, uint32_t ret[JOURNAL_NAMES_MAX])
{
	bool stopped[JOURNAL_NAMES_MAX] = { false };

	memcpy(ret, disk->durable, sizeof(disk->durable));
	for (size_t i = 0; i < disk->n_names; i++) {
		const struct op *op = &disk->journal->ops[disk->names[i]];
		bool has_to = op->kind == OP_RENAME;

		if (!stopped[op->name] && !(has_to && stopped[op->to]) && name_happened(choice, disk->names[i])) {
			names_apply(ret, op);
			continue;
		}
		stopped[op->name] = true;
		if (has_to)
			stopped[op->to] = true;
	}
}

/* --- the picture ----------------------------------------------------------------------------------------------------- */

void disk_empty_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)remove(path); /* folders that are empty, too */
	}
	if (dir)
		closedir(dir);
}

static void write_file(const char *folder, const char *name, const uint8_t *data, size_t len)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) < 0) {
		perror(path);
		abort();
	}
}

/* Some operation that is not on the disk yet, or the last. */
static uint32_t choose_last(const struct disk *disk, struct dice *dice)
{
	uint32_t first = (uint32_t)disk->at;

	for (uint32_t i = 0; i < disk->journal->n_inodes; i++)
		if (disk->files[i].n_pending && disk->files[i].pending[0] < first)
			first = disk->files[i].pending[0];
	if (disk->n_names && disk->names[0] < first)
		first = disk->names[0];
	return first + (uint32_t)dice_below(dice, disk->at - first + 1);
}

void disk_write(struct disk *disk, enum disk_mode mode, struct dice *dice, const char *folder)
{
	static const uint8_t percents[] = { 10, 50, 90 };
	struct choice choice = { .mode = mode, .dice = *dice };
	uint32_t names[JOURNAL_NAMES_MAX];

	choice.last = choose_last(disk, &choice.dice);
	choice.percent = percents[dice_below(&choice.dice, sizeof(percents))];
	choose_names(disk, &choice, names);
	disk_empty_folder(folder);
	for (unsigned i = 0; i < disk->journal->n_names; i++) {
		size_t len;

		if (names[i] == NO_INODE)
			continue;
		len = file_picture(disk, &disk->files[names[i]], &choice);
		write_file(folder, disk->journal->names[i], disk->scratch, len);
	}
	*dice = choice.dice;
}

/* --- does the journal know all --------------------------------------------------------------------------------------- */

static bool file_is_as(const char *folder, const char *name, const uint8_t *data, size_t len)
{
	char path[4096];
	uint8_t *got = malloc(len + 1);
	bool same;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	same = got && fd >= 0 && pread(fd, got, len + 1, 0) == (ssize_t)len && memcmp(got, data, len) == 0;
	if (fd >= 0)
		close(fd);
	free(got);
	return same;
}

static bool is_named(const struct journal *journal, const uint32_t *names, const char *name)
{
	size_t n = strlen(name);

	if (n > 4 && strcmp(name + n - 4, "-shm") == 0)
		return true;
	for (unsigned i = 0; i < journal->n_names; i++)
		if (names[i] != NO_INODE && strcmp(journal->names[i], name) == 0)
			return true;
	return false;
}

bool disk_is_as(struct disk *disk, const char *folder, char *why, size_t cap)
{
	struct choice all = { .mode = DISK_ALL };
	uint32_t names[JOURNAL_NAMES_MAX];
	struct dirent *entry;
	bool same = true;
	DIR *dir;

	disk_advance(disk, disk->journal->n_ops);
	choose_names(disk, &all, names);
	for (unsigned i = 0; i < disk->journal->n_names; i++) {
		size_t len = names[i] == NO_INODE ? 0 : file_picture(disk, &disk->files[names[i]], &all);

		if (names[i] == NO_INODE || file_is_as(folder, disk->journal->names[i], disk->scratch, len))
			continue;
		snprintf(why, cap, "%s is not what the journal makes of it", disk->journal->names[i]);
		same = false;
	}
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_type == DT_DIR || is_named(disk->journal, names, entry->d_name))
			continue;
		snprintf(why, cap, "%s went past the tap", entry->d_name);
		same = false;
	}
	if (dir)
		closedir(dir);
	return same;
}
