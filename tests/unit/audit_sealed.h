#pragma once
/* audit_sealed - what the tests of the sealed log do again and again: append, verify, take a seed, put an older file back. */
#include "audit_home.h"

static inline void append_many(struct audit_home *home, int n)
{
	for (int i = 0; i < n; i++)
		audit_home_append(home, "x");
	audit_home_settle(home);
}

struct heard {
	bool called;
	int r;
	struct audit_verdict verdict;
};

static inline void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	*(struct heard *)ctx = (struct heard){ true, r, *verdict };
}

static inline void wait_for(struct audit_home *home, const bool *called)
{
	for (int i = 0; i < 2000 && !*called; i++) {
		store_drain(home->store);
		check_ok(loop_turn(home->loop, 5));
	}
	check_true(*called);
}

static inline struct heard verify(struct audit_home *home, const struct audit_check *check)
{
	struct heard heard = { .called = false };

	check_ok(audit_verify_with(home->audit, check, on_verdict, &heard));
	wait_for(home, &heard.called);
	return heard;
}

/* The log holds; an anchor at its end is compared. */
static inline void check_sound(struct audit_home *home, uint64_t seed_seq, const uint8_t *seed)
{
	struct audit_anchor anchor = { .seq = audit_head(home->audit).seq };
	struct audit_check check = { .anchors = &anchor, .n_anchors = 1, .seed_seq = seed_seq, .seed = seed };

	memcpy(anchor.head, audit_head(home->audit).head, CRYPTO_HASH_LEN);
	struct heard heard = verify(home, &check);

	if (heard.r)
		print_error("%s, first bad %" PRIu64 "\n", heard.verdict.what, heard.verdict.first_bad);
	check_int(heard.r, 0);
	check_uint(heard.verdict.records, anchor.seq);
}

static inline void on_flag(void *ctx, int r)
{
	check_ok(r);
	*(bool *)ctx = true;
}

struct seeding {
	bool called;
	int r;
	uint64_t seq;
	uint8_t seed[AUDIT_SEED_LEN];
};

static inline void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	struct seeding *s = ctx;

	*s = (struct seeding){ .called = true, .r = r, .seq = seq };
	if (r == 0)
		memcpy(s->seed, seed, sizeof(s->seed));
}

static inline struct seeding take_seed(struct audit_home *home)
{
	struct audit_record record = { .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .action = "audit.seed" };
	struct seeding seeding = { .called = false };

	check_ok(audit_seed(home->audit, &record, on_seed, &seeding));
	audit_home_settle(home);
	check_true(seeding.called);
	check_ok(seeding.r);
	return seeding;
}

static inline void copy(struct audit_home *home, const char *from, const char *to)
{
	char command[400], a[160], b[160];

	snprintf(a, sizeof(a), "%s", tmpdir_path(&home->dir, from));
	snprintf(b, sizeof(b), "%s", tmpdir_path(&home->dir, to));
	snprintf(command, sizeof(command), "cp %s %s", a, b);
	check_int(system(command), 0);
}
