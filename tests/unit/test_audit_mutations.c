/* A hundred thousand changes to a sealed log by somebody who has every key but those that are gone, and the signing keys: he
 * changes rows, takes them away, adds and exchanges them, chains everything anew, cuts the end, drops checkpoints and files,
 * and splices two logs. With a seed and an anchor from outside each is found, and the first bad record named: exactly, where a
 * seed vouches for it; before the seed, not behind the checkpoint that covers it.
 *
 * Rows lie in memory and go through the same walk as files do; a few hundred changes are made to real files as well.
 * A number is printed when one gets through; GW_SEED=n does that one alone, GW_EDITS=n fewer of them.
 */
#include "audit_model.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/inside.h"

enum { MUTATIONS = 100000, ON_FILES = 300, MODEL_ROWS = 40, SEED_AT = 4 };

/* --- two logs that are ours ------------------------------------------------------------------------------------------ */

struct lab {
	struct audit_home home;
	struct model logs[2], now; /* the one that is changed, another one, and the changed one */
	struct audit_public publics[2];
	struct audit_anchor anchor;
	uint64_t seed_seq, last;
	uint8_t seed[AUDIT_SEED_LEN];
	struct crypto_hash *hash;
	uint64_t rnd;
};

static void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	struct lab *lab = ctx;

	check_ok(r);
	lab->seed_seq = seq;
	memcpy(lab->seed, seed, sizeof(lab->seed));
}

static void write_some(struct audit_home *home, int n)
{
	char name[16];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		audit_home_append(home, name);
	}
	audit_home_settle(home);
}

/* Three files with a few checkpoints each; the seed is taken in the first. */
static void log_write(struct lab *lab, struct audit_home *home, bool seeded)
{
	struct audit_record record = { .subject.kind = SUBJECT_SYSTEM };

	for (int file = 0; file < 3; file++) {
		if (file) {
			home->audit->segment_bytes = UINT64_MAX / 2; /* due */
			loop_advance(home->loop, AUDIT_WINDOW_MS);
			audit_home_settle(home);
		}
		write_some(home, SEED_AT - 1);
		if (!file) {
			check_ok(audit_seed(home->audit, &record, on_seed, lab));
			audit_home_settle(home);
		}
		write_some(home, 4);
		check_ok(audit_checkpoint_now(home->audit, NULL, NULL));
		write_some(home, seeded ? 5 : 7);
	}
}

static void lab_init(struct lab *lab)
{
	struct audit_home other;

	memset(lab, 0, sizeof(*lab));
	check_ok(crypto_hash_new(CRYPTO_SHA256, &lab->hash));
	audit_home_init(&other);
	log_write(lab, &other, false);
	audit_home_close(&other);
	model_read(other.dir.path, &lab->logs[1]);
	audit_home_keys_free(&other);
	tmpdir_deinit(&other.dir);
	audit_home_make(&lab->home);
	lab->home.seal.sign_sm2 = NULL; /* many checks of many signatures: the quick ones; the few on files have both */
	audit_home_open(&lab->home);
	log_write(lab, &lab->home, true);
	lab->last = lab->anchor.seq = audit_head(lab->home.audit).seq;
	memcpy(lab->anchor.head, audit_head(lab->home.audit).head, CRYPTO_HASH_LEN);
	audit_home_close(&lab->home);
	model_read(lab->home.dir.path, &lab->logs[0]);
	check_uint(lab->logs[0].n_files, 3);
	const struct file *last = &lab->logs[0].files[2];

	lab->anchor.checkpoint = (uint64_t)last->points[last->n_points - 1].number;
	check_true(lab->last > 30 && lab->last <= MODEL_ROWS && lab->anchor.checkpoint >= 6);
	lab->publics[0] = (struct audit_public){ lab->home.seal.sign_id, sign_key_public(lab->home.sign) };
	lab->publics[1] = (struct audit_public){ lab->home.seal.sign_sm2_id, sign_key_public(lab->home.sign_sm2) };
}

static void lab_deinit(struct lab *lab)
{
	crypto_hash_free(lab->hash);
	audit_home_keys_free(&lab->home);
	tmpdir_deinit(&lab->home.dir);
}

static struct walk walk_of(struct lab *lab, struct model *model)
{
	for (size_t i = 0; i < model->n_files; i++)
		model->names[i] = model->files[i].name;
	return (struct walk){ .names = model->names, .n_names = model->n_files,
			      .check = { .anchors = &lab->anchor, .n_anchors = 1, .seed_seq = lab->seed_seq, .seed = lab->seed },
			      .is_sealed = true, .keys = lab->publics, .n_keys = 2 };
}

static int verify(struct lab *lab, struct audit_verdict *ret)
{
	struct walk walk = walk_of(lab, &lab->now);
	struct source source = { .model = &lab->now };

	return walk_log(&walk, &from_memory, &source, ret);
}

/* --- what is done to it ---------------------------------------------------------------------------------------------- */

static uint32_t dice(struct lab *lab, uint32_t n)
{
	lab->rnd = lab->rnd * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(lab->rnd >> 33) % n;
}

/* Where the first bad record is: at `exactly`, or, 0, from `least` to `most`. */
struct expect {
	uint64_t exactly, least, most;
};

static struct file *any_file(struct lab *lab)
{
	return &lab->now.files[dice(lab, (uint32_t)lab->now.n_files)];
}

static void row_delete(struct file *file, size_t i)
{
	memmove(&file->rows[i], &file->rows[i + 1], (file->n_rows - i - 1) * sizeof(*file->rows));
	file->n_rows--;
}

static void row_insert(struct file *file, size_t i, const struct row *row)
{
	struct row kept = *row;

	memmove(&file->rows[i + 1], &file->rows[i], (file->n_rows - i) * sizeof(*file->rows));
	file->rows[i] = kept;
	file->n_rows++;
}

/* Says something else, in perfect form. */
static void row_forge(struct lab *lab, struct row *row)
{
	struct record r;
	uint8_t rec[AUDIT_RECORD_MAX];

	check_ok(record_decode(row->rec, row->len, &r));
	switch (dice(lab, 5)) {
	case 0:
		r.record.outcome = r.record.outcome == AUDIT_OK ? AUDIT_DENIED : AUDIT_OK;
		break;
	case 1:
		r.record.subject_name = r.record.subject_name && !strcmp(r.record.subject_name, "mallory") ? "anna" : "mallory";
		break;
	case 2:
		r.stamp.wall_us += 1 + dice(lab, 1000000);
		break;
	case 3:
		r.record.rule += 1 + (int32_t)dice(lab, 100);
		break;
	default:
		r.record.count += 1 + dice(lab, 100);
	}
	row->len = record_encode(&r.record, &r.stamp, r.outbox, &r.segment, rec);
	memcpy(row->rec, rec, row->len);
}

static struct row *row_at(struct model *model, uint64_t place)
{
	for (size_t i = 0; i < model->n_files; i++) {
		if (place < model->files[i].n_rows)
			return &model->files[i].rows[place];
		place -= model->files[i].n_rows;
	}
	return NULL;
}

/* Numbers and chain anew from the row at place on, to the end of the log: all that can be done without the MAC keys. The first
 * rows of files get the head before them.
 */
static void rechain(struct lab *lab, uint64_t place)
{
	uint8_t head[CRYPTO_HASH_LEN] = { 0 };
	struct row *row = place ? row_at(&lab->now, place - 1) : NULL;
	struct record r;

	if (row)
		memcpy(head, row->head, sizeof(head));
	for (; (row = row_at(&lab->now, place)); place++) {
		if (record_decode(row->rec, row->len, &r))
			continue;
		if (r.segment.present) {
			uint8_t rec[AUDIT_RECORD_MAX];

			memcpy(r.segment.previous_head, head, sizeof(head));
			row->len = record_encode(&r.record, &r.stamp, r.outbox, &r.segment, rec);
			memcpy(row->rec, rec, row->len);
		}
		row->seq = (int64_t)place + 1;
		record_set_seq(row->rec, place + 1);
		segment_chain(lab->hash, head, row->rec, row->len, row->head);
		memcpy(head, row->head, sizeof(head));
	}
}

/* A change at seq that is not chained on is found there; one that is, by the MAC: there too, where the seed vouches for it. */
static struct expect at(struct lab *lab, uint64_t seq, bool chained)
{
	if (!chained || seq > lab->seed_seq)
		return (struct expect){ .exactly = seq };
	return (struct expect){ .least = seq, .most = lab->seed_seq + 1 };
}

static struct expect mutate_change(struct lab *lab)
{
	struct file *file = any_file(lab);
	struct row *row = &file->rows[dice(lab, (uint32_t)file->n_rows)];
	uint64_t seq = (uint64_t)row->seq;

	switch (dice(lab, 5)) {
	case 0:
		row->rec[dice(lab, (uint32_t)row->len)] ^= (uint8_t)(1 + dice(lab, 255));
		return at(lab, seq, false);
	case 1:
		row->head[dice(lab, CRYPTO_HASH_LEN)] ^= (uint8_t)(1 + dice(lab, 255));
		return at(lab, seq, false);
	case 2:
		row->mac[dice(lab, CRYPTO_HASH_LEN)] ^= (uint8_t)(1 + dice(lab, 255));
		if (seq <= lab->seed_seq) /* nobody outside can say what it was */
			row->has_mac = false;
		return at(lab, seq, false);
	case 3:
		row->has_mac = false;
		return at(lab, seq, false);
	default:
		row_forge(lab, row);
		return at(lab, seq, false);
	}
}

static struct expect mutate_delete(struct lab *lab)
{
	struct file *file = any_file(lab);
	size_t i = dice(lab, (uint32_t)file->n_rows);
	uint64_t seq = (uint64_t)file->rows[i].seq;

	row_delete(file, i);
	return at(lab, seq, false);
}

static struct expect mutate_insert(struct lab *lab)
{
	struct file *file = any_file(lab);
	size_t i = dice(lab, (uint32_t)file->n_rows), from = dice(lab, (uint32_t)file->n_rows);
	struct row copy = file->rows[from];
	uint64_t seq = (uint64_t)file->rows[i].seq;

	if (dice(lab, 2)) { /* at the end of the file, with the next number */
		copy.seq = file->rows[file->n_rows - 1].seq + 1;
		seq = (uint64_t)copy.seq;
		record_set_seq(copy.rec, seq);
		i = file->n_rows;
	}
	if (i == from)
		row_forge(lab, &copy);
	row_insert(file, i, &copy);
	return i == from ? (struct expect){ .least = seq, .most = seq + 1 } : at(lab, seq, false);
}

static struct expect mutate_swap(struct lab *lab)
{
	struct file *file = any_file(lab);
	size_t a = dice(lab, (uint32_t)file->n_rows), b = (a + 1 + dice(lab, (uint32_t)file->n_rows - 1)) % file->n_rows;
	struct row row = file->rows[a];
	uint64_t first = (uint64_t)file->rows[a < b ? a : b].seq;

	file->rows[a] = file->rows[b];
	file->rows[b] = row;
	if (dice(lab, 2)) { /* each with the number of its new place */
		file->rows[b].seq = file->rows[a].seq;
		file->rows[a].seq = row.seq;
		record_set_seq(file->rows[a].rec, (uint64_t)file->rows[a].seq);
		record_set_seq(file->rows[b].rec, (uint64_t)file->rows[b].seq);
	}
	return at(lab, first, false);
}

/* Any of these, and then all is chained to the end as somebody would who knows the specification; the MACs he cannot make. */
static struct expect mutate_rechain(struct lab *lab)
{
	uint64_t place = dice(lab, (uint32_t)lab->last), i = place;
	struct file *file = lab->now.files;

	while (i >= file->n_rows)
		i -= file++->n_rows;
	if (i == 0) { /* a segment's own record: it is only changed */
		row_forge(lab, &file->rows[0]);
	} else {
		switch (dice(lab, 3)) {
		case 0:
			row_forge(lab, &file->rows[i]);
			break;
		case 1:
			row_delete(file, (size_t)i);
			break;
		default:
			row_insert(file, (size_t)i, &file->rows[i]);
			row_forge(lab, &file->rows[i]);
		}
	}
	rechain(lab, place);
	return at(lab, place + 1, true);
}

static struct expect mutate_tail(struct lab *lab)
{
	size_t n = 1 + dice(lab, (uint32_t)lab->last - 1);
	struct model *now = &lab->now;

	while (n >= now->files[now->n_files - 1].n_rows)
		n -= now->files[--now->n_files].n_rows;
	struct file *file = &now->files[now->n_files - 1];
	uint64_t seq;

	if (!now->n_files)
		return (struct expect){ .exactly = 1 };
	file->n_rows -= n;
	seq = (uint64_t)file->rows[file->n_rows - 1].seq + 1;
	while (file->n_points) { /* and of the checkpoints nothing is left that would tell */
		struct checkpoint c;

		check_ok(checkpoint_decode(file->points[file->n_points - 1].body, file->points[file->n_points - 1].len, &c));
		if (c.tree.size < seq)
			break;
		file->n_points--;
	}
	return seq > lab->seed_seq ? (struct expect){ .exactly = seq } : (struct expect){ .least = 1, .most = seq };
}

/* A checkpoint says where it was missed: at the next one, or where its file ends, or, the last, at the end. */
static struct expect mutate_checkpoint(struct lab *lab)
{
	struct file *file = any_file(lab);
	size_t i = dice(lab, (uint32_t)file->n_points);
	struct point *p = &file->points[i];
	struct checkpoint c;
	uint64_t least;

	check_ok(checkpoint_decode(p->body, p->len, &c));
	least = c.tree.size;
	switch (dice(lab, 5)) {
	case 0: /* one byte; it may be its size, and then it stands elsewhere */
		p->body[dice(lab, (uint32_t)p->len)] ^= (uint8_t)(1 + dice(lab, 255));
		return (struct expect){ .least = 1, .most = lab->last + 1 };
	case 1:
		p->a[dice(lab, SIGN_LEN)] ^= (uint8_t)(1 + dice(lab, 255));
		return (struct expect){ .exactly = least };
	case 2:
		p->has_a = false;
		return (struct expect){ .exactly = least };
	case 3: /* of the other log */
		*p = lab->logs[1].files[0].points[dice(lab, (uint32_t)lab->logs[1].files[0].n_points)];
		return (struct expect){ .least = 1, .most = lab->last };
	default:
		memmove(p, p + 1, (file->n_points - i - 1) * sizeof(*p));
		file->n_points--;
		return (struct expect){ .least = least, .most = lab->last };
	}
}

static struct expect mutate_segment(struct lab *lab)
{
	struct model *now = &lab->now;
	size_t i = dice(lab, (uint32_t)now->n_files);
	uint64_t seq = (uint64_t)now->files[i].rows[0].seq;
	bool closed = dice(lab, 2) && i + 1 < now->n_files;

	memmove(&now->files[i], &now->files[i + 1], (now->n_files - i - 1) * sizeof(*now->files));
	now->n_files--;
	if (closed) { /* the next takes its name and its place in the chain */
		now->files[i].name = lab->logs[0].files[i].name;
		rechain(lab, seq - 1);
	}
	return (struct expect){ .exactly = seq };
}

/* The end, or a row, of another log that the same gateway has written. */
static struct expect mutate_splice(struct lab *lab)
{
	struct model *now = &lab->now, *other = &lab->logs[1];
	size_t f = dice(lab, (uint32_t)now->n_files);
	struct file *file = &now->files[f];
	size_t i = dice(lab, (uint32_t)(file->n_rows < other->files[f].n_rows ? file->n_rows : other->files[f].n_rows));
	uint64_t seq = (uint64_t)file->rows[i].seq;
	bool chained = false;

	switch (dice(lab, 3)) {
	case 0: /* a row, with the number of its place */
		file->rows[i] = other->files[f].rows[i];
		file->rows[i].seq = (int64_t)seq;
		record_set_seq(file->rows[i].rec, seq);
		return seq == 1 ? (struct expect){ .exactly = 2 } : at(lab, seq, false); /* a first record is whole in itself */
	case 1: /* from there on all of it */
		memcpy(&file->rows[i], &other->files[f].rows[i], (other->files[f].n_rows - i) * sizeof(*file->rows));
		file->n_rows = other->files[f].n_rows;
		for (size_t k = f + 1; k < now->n_files; k++)
			now->files[k] = other->files[k];
		chained = dice(lab, 2) && i;
		break;
	default: /* whole files, with their checkpoints */
		for (size_t k = f; k < now->n_files; k++)
			now->files[k] = other->files[k];
		seq = (uint64_t)lab->logs[0].files[f].rows[0].seq;
		i = 0;
	}
	if (chained)
		rechain(lab, seq - 1);
	/* The first file of another log is whole in itself: then it is the record of the seed that is missing, or is another's. */
	return f == 0 && seq <= lab->seed_seq ? (struct expect){ .least = 1, .most = lab->seed_seq + 1 } : at(lab, seq, chained);
}

static struct expect (*const mutations[])(struct lab *lab) = {
	mutate_change, mutate_delete, mutate_insert, mutate_swap, mutate_rechain, mutate_rechain, mutate_tail, mutate_checkpoint, mutate_segment,
	mutate_splice,
};

static bool is_as_expected(const struct expect *expect, const struct audit_verdict *verdict)
{
	if (expect->exactly)
		return verdict->first_bad == expect->exactly;
	return verdict->first_bad >= expect->least && verdict->first_bad <= expect->most;
}

static void one_mutation(struct lab *lab, unsigned n)
{
	struct audit_verdict verdict = { .records = 0 };
	struct expect expect;
	int r;

	lab->rnd = n * 7919u + 1;
	(void)dice(lab, 2);
	do {
		lab->now = lab->logs[0];
		expect = mutations[n % N_ELEMENTS(mutations)](lab);
	} while (memcmp(&lab->now, &lab->logs[0], sizeof(lab->now)) == 0); /* what was exchanged was the same */
	r = verify(lab, &verdict);
	if (r != AUDIT_E_TAMPERED || !is_as_expected(&expect, &verdict))
		print_error("mutation %u: %d, first bad %" PRIu64 " (%s); expected %" PRIu64 ", or %" PRIu64 " to %" PRIu64 "\n", n, r,
			    verdict.first_bad, verdict.what, expect.exactly, expect.least, expect.most);
	check_int(r, AUDIT_E_TAMPERED);
	check_true(is_as_expected(&expect, &verdict) && verdict.what[0]);
}

static unsigned n_mutations(void)
{
	const char *fewer = getenv("GW_EDITS");
	unsigned n = fewer ? (unsigned)atoi(fewer) : MUTATIONS;

	return n > 0 && n < MUTATIONS ? n : MUTATIONS;
}

/* Every step-th from first on, on logs of its own. */
static void mutations_from(unsigned first, unsigned step)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct audit_verdict verdict;

	assert_non_null(lab);
	lab_init(lab);
	lab->now = lab->logs[0]; /* as it is, it holds */
	check_int(verify(lab, &verdict), 0);
	check_uint(verdict.records, lab->last);
	check_uint(verdict.anchors, 1);
	for (unsigned n = first, last = getenv("GW_SEED") ? first : n_mutations(); n <= last; n += step)
		one_mutation(lab, n);
	lab_deinit(lab);
	free(lab);
}

static void a_hundred_thousand_mutations_are_all_found(void **state)
{
	const char *only = getenv("GW_SEED");
	int status = 0;

	(void)state;
	if (only) {
		mutations_from((unsigned)atoi(only), MUTATIONS);
		return;
	}
	pid_t pid = fork();

	if (pid == 0) {
		mutations_from(2, 2); /* a failure here ends in a status that is not 0 */
		_exit(0);
	}
	mutations_from(1, 2);
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
	print_message("mutations 1 to %u\n", n_mutations());
}

/* --- the same on files ----------------------------------------------------------------------------------------------- */

static void sql(sqlite3 *db, const char *text)
{
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		print_error("%s: %s\n", text, sqlite3_errmsg(db));
	check_int(rc, SQLITE_OK);
}

static void file_store(struct lab *lab, const struct file *file)
{
	struct sqlite3_stmt *s;
	sqlite3 *db;

	check_int(sqlite3_open(tmpdir_path(&lab->home.dir, file->name.text), &db), SQLITE_OK);
	check_int(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), SQLITE_OK);
	sql(db, "PRAGMA synchronous=OFF; BEGIN; DELETE FROM audit; DELETE FROM checkpoint");
	check_int(sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO audit VALUES(?1, ?2, ?3, ?4)", -1, &s, NULL), SQLITE_OK);
	for (size_t i = 0; i < file->n_rows; i++) {
		const struct row *row = &file->rows[i];

		sqlite3_bind_int64(s, 1, row->seq);
		sqlite3_bind_blob(s, 2, row->rec, (int)row->len, SQLITE_STATIC);
		sqlite3_bind_blob(s, 3, row->head, CRYPTO_HASH_LEN, SQLITE_STATIC);
		sqlite3_bind_blob(s, 4, row->has_mac ? row->mac : NULL, CRYPTO_HASH_LEN, SQLITE_STATIC);
		check_int(sqlite3_step(s), SQLITE_DONE);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	check_int(sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO checkpoint VALUES(?1, ?2, ?3, ?4)", -1, &s, NULL), SQLITE_OK);
	for (size_t i = 0; i < file->n_points; i++) {
		const struct point *p = &file->points[i];

		sqlite3_bind_int64(s, 1, p->number);
		sqlite3_bind_blob(s, 2, p->body, (int)p->len, SQLITE_STATIC);
		sqlite3_bind_blob(s, 3, p->has_a ? p->a : NULL, SIGN_LEN, SQLITE_STATIC);
		sqlite3_bind_blob(s, 4, p->has_b ? p->b : NULL, SIGN_LEN, SQLITE_STATIC);
		check_int(sqlite3_step(s), SQLITE_DONE);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	sql(db, "COMMIT");
	check_int(sqlite3_close(db), SQLITE_OK);
}

static int verify_files(struct lab *lab, struct audit_verdict *ret)
{
	struct walk walk = walk_of(lab, &lab->now);

	return walk_files(&walk, &(struct walk_files){ .folder = lab->home.dir.path }, ret);
}

/* Those that a database can hold: two rows of one number are one there, and their order is that of their numbers. */
static void a_few_hundred_are_found_in_files_too(void **state)
{
	static const unsigned kinds[] = { 0, 1, 4, 5, 6, 7, 9 };
	struct lab *lab = calloc(1, sizeof(*lab));
	struct audit_verdict verdict;

	(void)state;
	lab_init(lab);
	for (unsigned n = 0; n < ON_FILES; n++) {
		struct expect expect;

		lab->rnd = n * 104729u + 1;
		lab->now = lab->logs[0];
		do {
			expect = mutations[kinds[n % N_ELEMENTS(kinds)]](lab);
		} while (memcmp(&lab->now, &lab->logs[0], sizeof(lab->now)) == 0);
		for (size_t i = 0; i < lab->now.n_files; i++)
			file_store(lab, &lab->now.files[i]);
		int r = verify_files(lab, &verdict);

		if (r != AUDIT_E_TAMPERED || !is_as_expected(&expect, &verdict))
			print_error("on files %u: %d, first bad %" PRIu64 " (%s); expected %" PRIu64 ", or %" PRIu64 " to %" PRIu64 "\n", n, r,
				    verdict.first_bad, verdict.what, expect.exactly, expect.least, expect.most);
		check_int(r, AUDIT_E_TAMPERED);
		check_true(is_as_expected(&expect, &verdict));
		for (size_t i = 0; i < lab->logs[0].n_files; i++)
			file_store(lab, &lab->logs[0].files[i]);
	}
	lab->now = lab->logs[0];
	check_int(verify_files(lab, &verdict), 0);
	lab_deinit(lab);
	free(lab);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_hundred_thousand_mutations_are_all_found),
		cmocka_unit_test(a_few_hundred_are_found_in_files_too),
	};

	return CHECK_RUN(rows);
}
