/* The power goes in the middle of a verb. What was not synced is there, is not there, or is there in part: sectors of a file
 * that are old, new or noise; names in a folder of which any may have been lost. From the log of a verb's calls such images are
 * made, many for each verb, and each has to open with the keys as they were before or as they are after it; and as they are
 * after it when the verb had returned.
 */
#include "vault_stage.h"

enum { IMAGES = 60, CALLS = 600, FILES = 64, NAMES = 16, NAME_LEN = 64, SECTOR = 512, LEN = 8192 };

/* One thing done: to a file's content (file >= 0), to the folder, or a sync of one of both. */
struct done {
	enum { DID_CREATE, DID_TRUNCATE, DID_WRITE, DID_SYNC, DID_SYNC_FOLDER, DID_NAME, DID_RENAME, DID_UNNAME } what;
	int file;
	char name[NAME_LEN], to[NAME_LEN];
	size_t at, len;
	uint8_t *data;
};

struct content {
	uint8_t data[LEN];
	size_t len;
};

struct name {
	char name[NAME_LEN];
	int file;
};

struct folder {
	struct name names[NAMES];
	size_t n;
};

static struct {
	struct done done[CALLS];
	size_t n;
	struct folder now, base;          /* names, now and before the verb */
	struct content before[FILES];     /* of files that were there before the verb */
	int n_files;
	struct { int file; size_t at; } fds[256];
} tape;

/* --- names ---------------------------------------------------------------------------------------------------------------- */

static const char *plain(const char *path)
{
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

static struct name *find_name(struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->n; i++) {
		if (strcmp(folder->names[i].name, name) == 0)
			return &folder->names[i];
	}
	return NULL;
}

static void set_name(struct folder *folder, const char *name, int file)
{
	struct name *found = find_name(folder, name);

	if (!found) {
		check_true(folder->n < NAMES && strlen(name) < NAME_LEN);
		found = &folder->names[folder->n++];
		strcpy(found->name, name);
	}
	found->file = file;
}

/* Only while it is still that file's. */
static void drop_name(struct folder *folder, const char *name, int file)
{
	struct name *found = find_name(folder, name);

	if (found && found->file == file)
		*found = folder->names[--folder->n];
}

static void apply_name(struct folder *folder, const struct done *done)
{
	if (done->what == DID_CREATE || done->what == DID_NAME || done->what == DID_RENAME)
		set_name(folder, done->what == DID_CREATE ? done->name : done->to, done->file);
	if (done->what == DID_UNNAME || done->what == DID_RENAME)
		drop_name(folder, done->name, done->file);
}

/* --- the log -------------------------------------------------------------------------------------------------------------- */

static struct done *add(int what, int file, const char *name, const char *to)
{
	struct done *done = &tape.done[tape.n++];

	check_true(tape.n < CALLS);
	memset(done, 0, sizeof(*done));
	done->what = what;
	done->file = file;
	snprintf(done->name, sizeof(done->name), "%s", name ? plain(name) : "");
	snprintf(done->to, sizeof(done->to), "%s", to ? plain(to) : "");
	apply_name(&tape.now, done);
	return done;
}

static int file_of(const char *path)
{
	struct name *name = find_name(&tape.now, plain(path));

	check_true(name);
	return name->file;
}

static void on_open(const char *path, int fd, bool truncates)
{
	struct stat st;

	check_ok(fstat(fd, &st));
	check_true(fd < (int)N_ELEMENTS(tape.fds));
	tape.fds[fd].file = -1;
	tape.fds[fd].at = 0;
	if (!S_ISREG(st.st_mode))
		return;
	if (!cut.was_there) {
		check_true(tape.n_files < FILES);
		add(DID_CREATE, tape.n_files++, path, NULL);
	} else if (truncates) {
		add(DID_TRUNCATE, file_of(path), NULL, NULL);
	}
	tape.fds[fd].file = file_of(path);
}

static void on_write(int fd, const void *data, size_t len)
{
	struct done *done = add(DID_WRITE, tape.fds[fd].file, NULL, NULL);

	check_true(tape.fds[fd].at + len <= LEN);
	done->at = tape.fds[fd].at;
	done->len = len;
	done->data = malloc(len);
	memcpy(done->data, data, len);
	tape.fds[fd].at += len;
}

static void on_call(enum cut_call call, const char *path, const char *to, int fd, const void *data, size_t len)
{
	switch (call) {
	case CUT_OPEN:
		on_open(path, fd, len != 0);
		break;
	case CUT_WRITE:
		on_write(fd, data, len);
		break;
	case CUT_FSYNC:
		add(tape.fds[fd].file < 0 ? DID_SYNC_FOLDER : DID_SYNC, tape.fds[fd].file, NULL, NULL);
		break;
	case CUT_RENAME:
		add(DID_RENAME, file_of(path), path, to);
		break;
	case CUT_LINK:
		add(DID_NAME, file_of(path), path, to);
		break;
	case CUT_UNLINK:
		add(DID_UNNAME, file_of(path), path, NULL);
		break;
	}
}

static void load_base(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;

	memset(&tape, 0, sizeof(tape));
	check_true(dir);
	while ((entry = readdir(dir))) {
		struct content *content = &tape.before[tape.n_files];
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = open(entry->d_name, O_RDONLY);
		content->len = (size_t)read(fd, content->data, LEN);
		check_true(fd >= 0 && content->len < LEN);
		close(fd);
		set_name(&tape.base, entry->d_name, tape.n_files++);
	}
	closedir(dir);
	tape.now = tape.base;
}

static void record(struct stage *stage, const struct scene *scene)
{
	copy_folder(stage, "template", "work");
	go(stage, "work");
	if (!scene->opens)
		check_ok(open_by(stage, scene->before));
	load_base();
	cut.watch = on_call;
	check_ok(scene->act(stage));
	cut.watch = NULL;
	close_it(stage);
}

/* --- images --------------------------------------------------------------------------------------------------------------- */

static size_t last_sync(size_t end, int what, int file)
{
	size_t synced = 0;

	for (size_t i = 0; i < end; i++) {
		if ((int)tape.done[i].what == what && tape.done[i].file == file)
			synced = i;
	}
	return synced;
}

/* All names lasted, a part of them up to some moment, any, or none since the folder was synced. */
static struct folder names_at(size_t end)
{
	struct folder folder = tape.base;
	size_t synced = last_sync(end, DID_SYNC_FOLDER, -1), until = end;
	bool any = false;

	switch (crypto_random_below(4)) {
	case 0:
		until = synced;
		break;
	case 1:
		until = synced + crypto_random_below((uint32_t)(end - synced) + 1);
		break;
	case 2:
		any = true;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < until; i++) {
		if (i < synced || !any || crypto_random_below(2))
			apply_name(&folder, &tape.done[i]);
	}
	return folder;
}

static void grow(struct content *content, size_t len)
{
	if (content->len < len) {
		memset(content->data + content->len, 0, len - content->len);
		content->len = len;
	}
}

/* Sector by sector: old, new, noise. */
static void tear(struct content *content, const struct done *done)
{
	bool grows = crypto_random_below(2);

	for (size_t at = done->at; at < done->at + done->len;) {
		size_t end = (at / SECTOR + 1) * SECTOR, n;
		unsigned what = crypto_random_below(3);

		end = end < done->at + done->len ? end : done->at + done->len;
		n = end - at;
		if (end > content->len && !grows)
			return;
		grow(content, end);
		if (what == 1)
			memcpy(content->data + at, done->data + (at - done->at), n);
		else if (what == 2)
			crypto_random(content->data + at, n);
		at = end;
	}
}

static void content_at(int file, size_t end, struct content *ret)
{
	unsigned mode = crypto_random_below(3);
	size_t synced = last_sync(end, DID_SYNC, file);

	*ret = tape.before[file];
	for (size_t i = 0; i < end; i++) {
		const struct done *done = &tape.done[i];

		if (done->file != file || (i > synced && mode == 0))
			continue;
		if (done->what == DID_TRUNCATE && (i <= synced || mode == 1 || crypto_random_below(2)))
			ret->len = 0;
		if (done->what == DID_WRITE && i > synced && mode == 2) {
			tear(ret, done);
		} else if (done->what == DID_WRITE) {
			grow(ret, done->at + done->len);
			memcpy(ret->data + done->at, done->data, done->len);
		}
	}
}

static void make_image(struct stage *stage, size_t end)
{
	struct folder folder = names_at(end);
	struct content content[FILES];

	each_file(stage, "work", NULL);
	for (int i = 0; i < tape.n_files; i++)
		content_at(i, end, &content[i]);
	for (size_t i = 0; i < folder.n; i++) {
		const struct content *is = &content[folder.names[i].file];
		bool is_credential = strcmp(folder.names[i].name, "credential") == 0;
		int fd = open(folder.names[i].name, O_WRONLY | O_CREAT | O_TRUNC, is_credential ? 0400 : 0600);

		check_true(fd >= 0);
		check_int(write(fd, is->data, is->len), (ssize_t)is->len);
		close(fd);
	}
}

static int play_cuts(struct stage *stage, const struct scene *scene, int images)
{
	struct rehearsal rehearsal = rehearse(stage, scene);

	record(stage, scene);
	for (int i = 0; i < images; i++) {
		size_t end = i == 0 ? tape.n : crypto_random_below((uint32_t)tape.n + 1);

		make_image(stage, end);
		cut.at = (int)end;
		cut.n = (int)tape.n;
		check_stage(stage, scene, &rehearsal, end == tape.n);
	}
	for (size_t i = 0; i < tape.n; i++)
		free(tape.done[i].data);
	return images;
}

/* GW_IMAGES asks for more of them for each verb. */
static void the_power_goes_in_every_verb(void **state)
{
	const char *more = getenv("GW_IMAGES");
	int n = 0, images = more ? atoi(more) : IMAGES;
	struct stage stage;

	(void)state;
	for (enum seal_suite suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		stage_init(&stage, suite);
		for (size_t i = 0; i < N_ELEMENTS(scenes); i++)
			n += play_cuts(&stage, &scenes[i], suite == SEAL_SM4 ? images / 3 : images);
		stage_deinit(&stage);
	}
	print_message("%d images\n", n);
	check_true(n > 20 * images);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_power_goes_in_every_verb),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
