/* What seals the log: checkpoints when they are due, keys that are gone afterwards, seeds, keys that are exchanged, proofs.
 */
#include "audit_sealed.h"

#include <dirent.h>
#include <unistd.h>

#include "audit/evolve.h"
#include "audit/inside.h"
#include "audit/keyfile.h"

enum { POINTS_MAX = 64 };

/* The checkpoints that the loop was told of. */
struct told {
	size_t n;
	struct audit_checkpoint points[POINTS_MAX];
	struct checkpoint said[POINTS_MAX];
};

static void on_point(void *ctx, const struct audit_checkpoint *checkpoint)
{
	struct told *told = ctx;

	check_true(told->n < POINTS_MAX);
	told->points[told->n] = *checkpoint;
	check_ok(checkpoint_decode(checkpoint->body, checkpoint->len, &told->said[told->n]));
	check_uint(told->said[told->n].tree.size, checkpoint->size);
	check_uint(told->said[told->n++].number, checkpoint->number);
}

static struct told *listen(struct audit_home *home)
{
	struct told *told = calloc(1, sizeof(*told));

	assert_non_null(told);
	audit_on_checkpoint(home->audit, on_point, told);
	return told;
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

static void checkpoints_come_by_number_time_gravity_and_demand(void **state)
{
	struct audit_home home;
	struct audit_record grave = { .kind = AUDIT_CLONE, .subject.kind = SUBJECT_SYSTEM, .object = "x" };
	bool asked = false;

	(void)state;
	audit_home_init(&home);
	struct told *told = listen(&home);

	append_many(&home, AUDIT_EPOCH_RECORDS - 2);
	check_uint(told->n, 0);
	append_many(&home, 1); /* with the segment's own record it is full */
	check_uint(told->n, 1);
	check_uint(told->said[0].reason, CHECKPOINT_RECORDS);
	check_uint(told->points[0].size, AUDIT_EPOCH_RECORDS);
	append_many(&home, 3 * AUDIT_EPOCH_RECORDS + 10); /* more than a batch: none is skipped */
	check_uint(told->n, 4);
	check_uint(told->points[3].size, 4 * AUDIT_EPOCH_RECORDS);
	loop_advance(home.loop, AUDIT_EPOCH_MS);
	audit_home_settle(&home);
	check_uint(told->n, 5);
	check_uint(told->said[4].reason, CHECKPOINT_TIME);
	check_uint(told->points[4].size, 4 * AUDIT_EPOCH_RECORDS + 10);
	loop_advance(home.loop, 10 * AUDIT_EPOCH_MS); /* nothing new: nothing to say */
	audit_home_settle(&home);
	check_uint(told->n, 5);
	check_ok(audit_append(home.audit, &grave, NULL, NULL));
	audit_home_settle(&home);
	check_uint(told->n, 6);
	check_uint(told->said[5].reason, CHECKPOINT_GRAVE);
	check_ok(audit_checkpoint_now(home.audit, on_flag, &asked));
	audit_home_settle(&home);
	check_true(asked);
	check_uint(told->n, 7);
	check_uint(told->said[6].reason, CHECKPOINT_ASKED);
	check_uint(told->points[6].size, told->points[5].size);
	for (size_t i = 0; i < told->n; i++) {
		const struct checkpoint *c = &told->said[i];
		uint8_t hash[CRYPTO_HASH_LEN] = { 0 };
		struct crypto_hash *h;

		check_ok(crypto_hash_new(CRYPTO_SHA256, &h));
		if (i)
			checkpoint_hash(h, told->points[i - 1].body, told->points[i - 1].len, hash);
		crypto_hash_free(h);
		check_bytes(c->previous, sizeof(hash), hash, sizeof(hash));
		check_uint(c->number, i + 1);
		check_true(told->points[i].has_a && told->points[i].has_b && c->generation == 3 && c->starts == 4);
	}
	append_many(&home, 1);
	free(told);
	audit_home_close(&home); /* a stop makes one, which nobody hears any more */
	audit_home_open(&home);
	check_uint(sealer_uncovered(home.audit->writer.sealer), 0);
	check_uint(sealer_checkpoints(home.audit->writer.sealer), 8);
	check_sound(&home, 0, NULL);
	audit_home_deinit(&home);
}

static void a_segment_ends_with_a_checkpoint(void **state)
{
	struct audit_home home;

	(void)state;
	audit_home_init(&home);
	struct told *told = listen(&home);

	for (int file = 0; file < 3; file++) {
		append_many(&home, 5);
		home.audit->segment_bytes = UINT64_MAX / 2; /* due */
		loop_advance(home.loop, AUDIT_WINDOW_MS - 1000);
		append_many(&home, 1);
		loop_advance(home.loop, 1000);
		audit_home_settle(&home);
		append_many(&home, 1);
	}
	check_true(home.audit->segment.n >= 3);
	unsigned ends = 0;

	for (size_t i = 0; i < told->n; i++)
		ends += told->said[i].reason == CHECKPOINT_SEGMENT_END;
	check_true(ends >= 1);
	check_sound(&home, 0, NULL);
	audit_on_checkpoint(home.audit, NULL, NULL);
	free(told);
	home.suite = CRYPTO_SM3; /* chained with another hash from here on; the tree goes on in its own */
	audit_home_restart(&home);
	append_many(&home, 5);
	check_sound(&home, 0, NULL);
	audit_home_restart(&home);
	append_many(&home, 5);
	check_sound(&home, 0, NULL);
	home.suite = CRYPTO_SHA256;
	audit_home_restart(&home);
	check_sound(&home, 0, NULL);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_deinit(&home);
}

/* SM2, SM3 and SM4 alone; and Ed25519 alone. */
static void one_signature_is_enough(void **state)
{
	struct audit_home home;
	uint8_t key[32] = { 5 };

	(void)state;
	for (int sm = 0; sm < 2; sm++) {
		audit_home_make(&home);
		home.suite = sm ? CRYPTO_SM3 : CRYPTO_SHA256;
		if (sm) {
			home.seal.sign = NULL;
			home.file_key = seal_key_free(home.file_key);
			check_ok(seal_key_new(SEAL_SM4, key, &home.file_key));
			home.seal.file = home.file_key;
		} else {
			home.seal.sign_sm2 = NULL;
		}
		audit_home_open(&home);
		struct told *told = listen(&home);

		append_many(&home, 300);
		check_uint(told->n, 1);
		check_true(told->points[0].has_a == !sm && told->points[0].has_b == !!sm);
		free(told);
		audit_on_checkpoint(home.audit, NULL, NULL);
		check_sound(&home, 0, NULL);
		audit_home_restart(&home);
		check_true(audit_fault(home.audit) == NULL);
		check_sound(&home, 0, NULL);
		audit_home_deinit(&home);
	}
}

/* --- keys that are gone ---------------------------------------------------------------------------------------------- */

/* Every byte of every file in the folder, and what is in the two slots when they are opened. */
static size_t folder_bytes(struct audit_home *home, uint8_t *ret, size_t cap)
{
	DIR *dir = opendir(home->dir.path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		FILE *f = entry->d_name[0] == '.' ? NULL : fopen(tmpdir_path(&home->dir, entry->d_name), "re");

		if (!f)
			continue;
		if (strcmp(entry->d_name, "audit.key") != 0) {
			n += fread(ret + n, 1, cap - n, f);
			fclose(f);
			continue;
		}
		for (int slot = 0; slot < 2; slot++) {
			uint8_t *at = ret + n;

			check_uint(fread(at, 1, KEYFILE_SLOT, f), KEYFILE_SLOT);
			check_ok(seal_open(home->file_key, at + 16, at, 40, at + 72, KEYFILE_SLOT - 72, at + 40, at + 72));
			n += KEYFILE_SLOT;
		}
		fclose(f);
	}
	closedir(dir);
	check_true(n < cap);
	return n;
}

/* The seed is known here, so every key that ever was can be computed; the folder may hold none but the one it has now. */
static void no_file_holds_a_key_of_the_past(void **state)
{
	enum { RECORDS = 2000, CAP = 16 << 20 };
	struct audit_home home;
	struct evolve *evolve;
	struct crypto_hash *hash;
	uint8_t *bytes = malloc(CAP), (*keys)[CRYPTO_HASH_LEN] = calloc(RECORDS + 2, CRYPTO_HASH_LEN);
	size_t n_keys = 0, found = 0;

	(void)state;
	audit_home_init(&home);
	struct seeding seeding = take_seed(&home);

	for (int i = 0; i < RECORDS / 100; i++) {
		append_many(&home, 100);
		if (i % 5 == 0)
			loop_advance(home.loop, AUDIT_EPOCH_MS);
		audit_home_settle(&home);
	}
	check_sound(&home, seeding.seq, seeding.seed);
	check_ok(evolve_new(&evolve));
	check_ok(crypto_hash_new(CRYPTO_SHA256, &hash));
	evolve_begin(evolve, seeding.seq + 1, seeding.seed);
	audit_home_close(&home); /* with a checkpoint, so that all keys but the last are of the past */
	audit_home_open(&home);
	while (evolve_next(evolve) <= audit_head(home.audit).seq) {
		memcpy(keys[n_keys++], evolve_key(evolve), CRYPTO_HASH_LEN);
		evolve_step(evolve, hash);
	}
	check_true(n_keys >= RECORDS);
	size_t n = folder_bytes(&home, bytes, CAP);
	unsigned now = 0;

	for (const uint8_t *p = bytes; (p = memmem(p, n - (size_t)(p - bytes), evolve_key(evolve), CRYPTO_HASH_LEN)); p++)
		now++;
	check_uint(now, 2); /* the search would find one: the current key is in both slots */
	for (size_t i = 0; i < n_keys; i++)
		found += memmem(bytes, n, keys[i], CRYPTO_HASH_LEN) != NULL;
	check_uint(found, 0);
	evolve_free(evolve);
	crypto_hash_free(hash);
	audit_home_deinit(&home);
	free(bytes);
	free(keys);
}

static int failing_job(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return -EIO;
}

/* A job that fails makes the writer take its group back and run it again: keys and tree go back with it. */
static void what_is_taken_back_is_sealed_again(void **state)
{
	struct audit_home home;

	(void)state;
	audit_home_init(&home);
	struct seeding seeding = take_seed(&home);

	for (int i = 0; i < 200; i++) {
		audit_home_append(&home, "x");
		check_ok(loop_turn(home.loop, 0)); /* given to the writer */
		check_ok(store_submit(home.store, home.audit->db, 0, failing_job, NULL, NULL));
		if (i % 20 == 19)
			audit_home_settle(&home);
	}
	audit_home_settle(&home);
	check_uint(home.n_done, 200);
	check_sound(&home, seeding.seq, seeding.seed);
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	check_sound(&home, seeding.seq, seeding.seed);
	audit_home_deinit(&home);
}

static void a_seed_vouches_up_to_the_next(void **state)
{
	struct audit_home home;
	struct seeding first, second;
	struct audit_check check;
	struct heard heard;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 20);
	first = take_seed(&home);
	append_many(&home, 300);
	audit_home_restart(&home);
	append_many(&home, 10);
	check_sound(&home, first.seq, first.seed);
	second = take_seed(&home);
	check_true(memcmp(first.seed, second.seed, sizeof(first.seed)) != 0);
	append_many(&home, 10);
	check_sound(&home, first.seq, first.seed);
	check_sound(&home, second.seq, second.seed);
	check = (struct audit_check){ .seed_seq = second.seq, .seed = first.seed };
	heard = verify(&home, &check); /* not this one's */
	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, second.seq);
	check = (struct audit_check){ .seed_seq = 5, .seed = first.seed };
	check_int(verify(&home, &check).r, AUDIT_E_TAMPERED); /* no record of a seed */
	check = (struct audit_check){ .seed_seq = 100000, .seed = first.seed };
	check_int(verify(&home, &check).r, AUDIT_E_TAMPERED);
	audit_home_deinit(&home);
}

/* --- keys that change ------------------------------------------------------------------------------------------------ */

static void keys_are_exchanged_while_it_runs(void **state)
{
	struct audit_home home;
	struct seal_key *file;
	struct sign_key *sign;
	uint8_t bytes[32] = { 0x44 };
	bool done = false;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 5);
	check_ok(seal_key_new(SEAL_SM4, bytes, &file));
	check_ok(sign_key_new(SIGN_ED25519, bytes, &sign));
	struct audit_public publics[] = { { home.seal.sign_id, sign_key_public(home.sign) },
					  { home.seal.sign_sm2_id, sign_key_public(home.sign_sm2) },
					  { 21, sign_key_public(sign) } };
	struct audit_seal next = { .file = file, .file_id = 20, .sign = sign, .sign_id = 21, .generation = 9, .publics = publics, .n_publics = 3 };

	check_ok(audit_checkpoint_now(home.audit, NULL, NULL));
	copy(&home, "audit.key", "before");
	check_ok(audit_set_seal(home.audit, &next, on_flag, &done));
	audit_home_settle(&home);
	check_true(done);
	append_many(&home, 300);
	check_sound(&home, 0, NULL);
	struct audit_seal old = home.seal;

	home.seal = next;
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	check_sound(&home, 0, NULL);
	audit_home_close(&home);
	/* A rotation that was cut off before audit.key was sealed anew: the old key is named beside. */
	copy(&home, "before", "audit.key");
	home.seal.file_old = old.file;
	home.seal.file_old_id = old.file_id;
	audit_home_open(&home);
	check_true(audit_fault(home.audit) == NULL);
	home.seal.file_old = NULL; /* and is not needed any more */
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	/* A verifier that does not know the old keys cannot say that all holds. */
	home.seal.n_publics = 0;
	audit_home_restart(&home);
	struct heard heard = verify(&home, &(struct audit_check){ .n_anchors = 0 });

	check_int(heard.r, AUDIT_E_TAMPERED);
	check_true(strstr(heard.verdict.what, "not known") != NULL);
	audit_home_deinit(&home);
	seal_key_free(file);
	sign_key_free(sign);
}

/* --- proofs ---------------------------------------------------------------------------------------------------------- */

struct proof {
	bool called, has_leaf;
	int r;
	size_t n;
	struct audit_checkpoint checkpoint;
	uint8_t leaf[CRYPTO_HASH_LEN], path[AUDIT_PATH_MAX][CRYPTO_HASH_LEN];
};

static void on_proof(void *ctx, int r, const struct audit_checkpoint *checkpoint, const uint8_t leaf[CRYPTO_HASH_LEN],
		     const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n)
{
	struct proof *proof = ctx;

	proof->called = true;
	proof->r = r;
	proof->n = n;
	proof->has_leaf = leaf != NULL;
	if (r)
		return;
	check_true(n <= AUDIT_PATH_MAX);
	proof->checkpoint = *checkpoint;
	if (leaf)
		memcpy(proof->leaf, leaf, CRYPTO_HASH_LEN);
	memcpy(proof->path, path, n * CRYPTO_HASH_LEN);
}

static void node_of(const uint8_t *left, const uint8_t *right, uint8_t ret[CRYPTO_HASH_LEN])
{
	uint8_t bytes[1 + 2 * CRYPTO_HASH_LEN] = { 1 };

	memcpy(bytes + 1, left, CRYPTO_HASH_LEN);
	memcpy(bytes + 1 + CRYPTO_HASH_LEN, right, CRYPTO_HASH_LEN);
	crypto_sha256(bytes, sizeof(bytes), ret);
}

/* RFC 9162, 2.1.3.2. */
static void fold_path(uint64_t index, uint64_t size, const struct proof *p, uint8_t ret[CRYPTO_HASH_LEN])
{
	uint64_t fn = index, sn = size - 1;

	memcpy(ret, p->leaf, CRYPTO_HASH_LEN);
	for (size_t i = 0; i < p->n; i++) {
		if (fn & 1 || fn == sn) {
			node_of(p->path[i], ret, ret);
			while (!(fn & 1) && fn)
				fn >>= 1, sn >>= 1;
		} else {
			node_of(ret, p->path[i], ret);
		}
		fn >>= 1;
		sn >>= 1;
	}
	check_uint(sn, 0);
}

static void records_are_proven_to_be_in_the_tree(void **state)
{
	struct audit_home home;
	uint8_t root[CRYPTO_HASH_LEN];

	(void)state;
	audit_home_init(&home);
	append_many(&home, 20);
	home.audit->segment_bytes = UINT64_MAX / 2;
	loop_advance(home.loop, AUDIT_WINDOW_MS);
	append_many(&home, 20);
	check_uint(home.audit->segment.n, 2);
	for (uint64_t seq = 1; seq <= audit_head(home.audit).seq; seq += 5) {
		struct proof proof = { .called = false };

		append_many(&home, 1); /* not covered yet: it is, before the proof */
		check_ok(audit_prove(home.audit, seq, on_proof, &proof));
		wait_for(&home, &proof.called);
		check_ok(proof.r);
		check_uint(proof.checkpoint.size, audit_head(home.audit).seq);
		fold_path(seq - 1, proof.checkpoint.size, &proof, root);
		check_bytes(root, sizeof(root), proof.checkpoint.root, sizeof(root));
	}
	struct proof proof = { .called = false };

	check_ok(audit_prove(home.audit, audit_head(home.audit).seq + 1, on_proof, &proof));
	wait_for(&home, &proof.called);
	check_int(proof.r, -ENOENT);
	check_int(audit_prove(home.audit, 0, on_proof, &proof), -ENOENT);
	proof.called = false;
	check_ok(audit_prove_consistency(home.audit, 17, on_proof, &proof));
	wait_for(&home, &proof.called);
	check_ok(proof.r);
	check_true(!proof.has_leaf && proof.n > 0);
	audit_home_deinit(&home);
}

/* --- where the beginning was dropped --------------------------------------------------------------------------------- */

/* As audit_drop_old does it, without the half year. */
static void drop_first(struct audit_home *home)
{
	struct audit_record record = { .kind = AUDIT_SEGMENT_DROP, .subject.kind = SUBJECT_SYSTEM, .object = "audit-202611-1.db" };
	struct record_stamp stamp = audit_stamp_now(home->audit);
	struct audit_checkpoint last;
	struct segment_name name;
	uint8_t rec[AUDIT_RECORD_MAX];
	struct db *db;

	check_true(segment_name_parse(record.object, &name));
	check_ok(segment_open(home->dir.path, &name, NULL, &db));
	check_ok(segment_checkpoint_read(db, 0, &last));
	db_close(db);
	check_ok(audit_put_encoded(home->audit, rec, record_encode_drop(&record, &stamp, &last, rec), NULL, NULL));
	audit_home_settle(home);
	check_int(unlink(tmpdir_path(&home->dir, record.object)), 0);
}

static void what_follows_a_dropped_file_is_still_verified_and_proven(void **state)
{
	struct audit_home home;
	struct seeding gone, kept;
	struct heard heard;
	uint8_t root[CRYPTO_HASH_LEN];

	(void)state;
	audit_home_init(&home);
	gone = take_seed(&home);
	append_many(&home, 20);
	const uint64_t dropped = audit_head(home.audit).seq;

	home.audit->segment_bytes = UINT64_MAX / 2;
	loop_advance(home.loop, AUDIT_WINDOW_MS);
	append_many(&home, 20);
	check_uint(home.audit->segment.n, 2);
	drop_first(&home);
	kept = take_seed(&home);
	append_many(&home, 5);
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	append_many(&home, 5);
	heard = verify(&home, &(struct audit_check){ .seed_seq = kept.seq, .seed = kept.seed });
	check_int(heard.r, AUDIT_E_NO_ANCHOR);
	check_uint(heard.verdict.records, audit_head(home.audit).seq - dropped);
	heard = verify(&home, &(struct audit_check){ .seed_seq = gone.seq, .seed = gone.seed });
	check_int(heard.r, AUDIT_E_NO_ANCHOR); /* it vouches for nothing that is there */
	for (uint64_t seq = 1; seq <= audit_head(home.audit).seq; seq++) {
		struct proof proof = { .called = false };

		check_ok(audit_prove(home.audit, seq, on_proof, &proof));
		wait_for(&home, &proof.called);
		check_int(proof.r, seq <= dropped ? -ENOENT : 0);
		if (proof.r)
			continue;
		fold_path(seq - 1, proof.checkpoint.size, &proof, root);
		check_bytes(root, sizeof(root), proof.checkpoint.root, sizeof(root));
	}
	struct proof proof = { .called = false };

	check_ok(audit_prove_consistency(home.audit, 30, on_proof, &proof));
	wait_for(&home, &proof.called);
	check_ok(proof.r);
	audit_home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(checkpoints_come_by_number_time_gravity_and_demand),
		cmocka_unit_test(a_segment_ends_with_a_checkpoint),
		cmocka_unit_test(one_signature_is_enough),
		cmocka_unit_test(no_file_holds_a_key_of_the_past),
		cmocka_unit_test(what_is_taken_back_is_sealed_again),
		cmocka_unit_test(a_seed_vouches_up_to_the_next),
		cmocka_unit_test(keys_are_exchanged_while_it_runs),
		cmocka_unit_test(records_are_proven_to_be_in_the_tree),
		cmocka_unit_test(what_follows_a_dropped_file_is_still_verified_and_proven),
	};

	return CHECK_RUN(rows);
}
