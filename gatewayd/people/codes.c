/* One-time codes: eleven symbols of Crockford's alphabet (55 bits) and a check symbol that catches every single wrong
 * symbol and every swap of neighbours, so that a slip of the finger is told from a guess. What is stored is a keyed hash; the
 * key lives as long as the process. One statement redeems a code, so of a hundred who present it at once one wins.
 * A guess costs every code that is out one of its tries: who could guess one could have meant any. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "people/internal.h"

enum { CODE_SYMBOLS = 11, BURNT_WINDOW_MS = 3600 * 1000, BURNT_MAX = 3 };
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* GF(32) with x^5 + x^2 + 1: the check is the sum of symbol i times x^i. */
static unsigned times_x(unsigned v)
{
	v <<= 1;
	return v & 32u ? v ^ 37u : v;
}

static unsigned check_symbol(const uint8_t symbols[CODE_SYMBOLS])
{
	unsigned sum = 0;
	for (int i = CODE_SYMBOLS - 1; i >= 0; i--)
		sum = times_x(sum ^ symbols[i]);
	return sum;
}

/* Crockford's reading: either case, O is 0, I and L are 1, hyphens and spaces do not count. */
static int symbol_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

static void code_print(const uint8_t symbols[CODE_SYMBOLS + 1], char ret[CODE_TEXT_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i <= CODE_SYMBOLS; i++) {
		if (i == 4 || i == 8)
			ret[n++] = '-';
		ret[n++] = alphabet[symbols[i]];
	}
	ret[n] = 0;
}

int code_parse(const char *text, size_t len, char ret[CODE_TEXT_MAX])
{
	uint8_t symbols[CODE_SYMBOLS + 1];
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' || text[i] == ' ')
			continue;
		int symbol = symbol_of(text[i]);
		if (symbol < 0 || n > CODE_SYMBOLS)
			return PEOPLE_E_CODE;
		symbols[n++] = (uint8_t)symbol;
	}
	if (n != CODE_SYMBOLS + 1 || check_symbol(symbols) != symbols[CODE_SYMBOLS])
		return PEOPLE_E_CODE;
	code_print(symbols, ret);
	return 0;
}

static void code_hash(const struct people *people, const char *code, uint8_t ret[CRYPTO_HASH_LEN])
{
	struct view pepper = secret_view(people->pepper);
	crypto_hmac_sha256(pepper.data, pepper.len, code, strlen(code), ret);
}

struct issue {
	struct people *people;
	uint32_t user;
	char code[CODE_TEXT_MAX];
	uint8_t hash[CRYPTO_HASH_LEN];
	int64_t now_ms, life_ms;
	struct audit_record *record;
	code_done_fn done;
	void *ctx;
};

static int issue_job(struct db *db, void *arg)
{
	const struct issue *issue = arg;
	struct stmt *s;
	/* A user has one code at a time; what is over goes. */
	int r = db_prepare(db, "DELETE FROM code WHERE user = ?1 OR expires_ms <= ?2", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, issue->user);
	stmt_bind_i64(s, 2, issue->now_ms);
	r = stmt_run(s);
	if (r == 0)
		r = db_prepare(db, "INSERT INTO code (hash, user, expires_ms, attempts_left) VALUES (?, ?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, issue->hash, sizeof(issue->hash));
	stmt_bind_i64(s, 2, issue->user);
	stmt_bind_i64(s, 3, issue->now_ms + issue->life_ms);
	stmt_bind_i64(s, 4, issue->people->options.code_tries);
	r = stmt_run(s);
	return r == 0 ? audit_outbox_put(db, issue->record) : r;
}

static void issue_end(struct issue *issue, int r)
{
	issue->done(issue->ctx, people_word(r), r == 0 ? issue->code : NULL, issue->life_ms);
	audit_record_free(issue->record);
	crypto_wipe(issue, sizeof(*issue));
	free(issue);
}

static void issue_done(void *arg, int r)
{
	struct issue *issue = arg;
	if (r == 0)
		audit_drain(issue->people->audit);
	issue_end(issue, r);
}

/* Were too many codes burnt by guessing within the hour? Then no new ones for now. */
static bool issuing_paused(const struct people *people)
{
	return people->n_burnt >= BURNT_MAX && loop_now_ms(people->loop) - people->burnt_ms[people->n_burnt % BURNT_MAX] < BURNT_WINDOW_MS;
}

void code_issue(struct people *people, uint32_t user, const struct audit_record *record, code_done_fn done, void *ctx)
{
	uint8_t symbols[CODE_SYMBOLS + 1];
	if (!user_find(people, user) || issuing_paused(people)) {
		done(ctx, user_find(people, user) ? PEOPLE_E_LOCKED : PEOPLE_E_UNKNOWN, NULL, 0);
		return;
	}
	struct issue *issue = calloc(1, sizeof(*issue));
	if (!issue) {
		done(ctx, -ENOMEM, NULL, 0);
		return;
	}
	for (size_t i = 0; i < CODE_SYMBOLS; i++)
		symbols[i] = (uint8_t)crypto_random_below(32);
	symbols[CODE_SYMBOLS] = (uint8_t)check_symbol(symbols);
	*issue = (struct issue){ .people = people, .user = user, .now_ms = loop_now_ms(people->loop),
				 .life_ms = people->options.code_life_s * INT64_C(1000), .done = done, .ctx = ctx };
	code_print(symbols, issue->code);
	crypto_wipe(symbols, sizeof(symbols));
	code_hash(people, issue->code, issue->hash);
	issue->record = audit_record_copy(record);
	int r = store_submit(people->store, people->db, STORE_SYNC, issue_job, issue_done, issue);
	if (r != 0)
		issue_end(issue, r);
}

struct redeem {
	struct people *people;
	uint8_t hash[CRYPTO_HASH_LEN];
	bool well_formed, for_window;
	uint32_t user; /* window: whose it must be; redeem: whose it was */
	struct device_id device;
	int64_t now_ms, wall_us;
	struct audit_record *record;
	redeem_done_fn done;
	void *ctx;
	int verdict;
	unsigned burnt; /* codes that this guess used up */
};

/* The one statement. 1: it was good and is used up; its user in *ret. */
static int use_code(struct db *db, const struct redeem *redeem, uint32_t *ret)
{
	struct stmt *s;
	int r = db_prepare(db,
			   "UPDATE code SET used_ms = ?1 WHERE hash = ?2 AND used_ms IS NULL AND attempts_left > 0 AND expires_ms > ?1"
			   " AND (?3 = 0 OR user = ?3) RETURNING user",
			   &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, redeem->now_ms);
	stmt_bind_blob(s, 2, redeem->hash, sizeof(redeem->hash));
	stmt_bind_i64(s, 3, redeem->for_window ? redeem->user : 0);
	r = stmt_step(s);
	if (r == 1)
		*ret = (uint32_t)stmt_i64(s, 0);
	stmt_reset(s);
	return r;
}

static int count_guess(struct db *db, struct redeem *redeem)
{
	struct stmt *s;
	int r = db_prepare(db, "UPDATE code SET attempts_left = attempts_left - 1 WHERE used_ms IS NULL AND attempts_left > 0 AND expires_ms > ?", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, redeem->now_ms);
	r = stmt_run(s);
	if (r == 0)
		r = db_prepare(db, "DELETE FROM code WHERE used_ms IS NULL AND attempts_left = 0", &s);
	if (r != 0)
		return r;
	r = stmt_run(s);
	redeem->burnt = r == 0 ? (unsigned)db_changes(db) : 0;
	return r;
}

static int put_binding(struct db *db, const struct redeem *redeem, uint32_t owner)
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO binding (device, owner, made_us) VALUES (?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_blob(s, 1, redeem->device.b, sizeof(redeem->device.b));
	stmt_bind_i64(s, 2, owner);
	stmt_bind_i64(s, 3, redeem->wall_us);
	r = stmt_run(s);
	return r == 0 ? redeem->people->put_owner(db, redeem->device, owner) : r;
}

static int redeem_job(struct db *db, void *arg)
{
	struct redeem *redeem = arg;
	struct audit_record record = *redeem->record;
	uint32_t owner = redeem->user;
	int r = redeem->well_formed ? use_code(db, redeem, &owner) : 0;

	redeem->burnt = 0;
	if (r < 0)
		return r;
	redeem->verdict = r == 1 ? 0 : PEOPLE_E_CODE;
	if (r == 1) {
		r = redeem->for_window ? 0 : put_binding(db, redeem, owner);
		redeem->user = owner;
		if (!redeem->for_window)
			record.subject = (struct subject){ SUBJECT_USER, owner };
	} else {
		/* A slip that the check symbol catches is no guess. */
		r = redeem->well_formed ? count_guess(db, redeem) : 0;
		record.kind = AUDIT_CODE_FAILED;
		record.outcome = AUDIT_DENIED;
		record.detail = redeem->well_formed ? "wrong, used or expired" : "mistyped";
	}
	return r == 0 ? audit_outbox_put(db, &record) : r;
}

static void redeem_end(struct redeem *redeem, int r)
{
	redeem->done(redeem->ctx, r, redeem->user);
	audit_record_free(redeem->record);
	crypto_wipe(redeem, sizeof(*redeem));
	free(redeem);
}

static void redeem_done(void *arg, int r)
{
	struct redeem *redeem = arg;
	struct people *people = redeem->people;
	for (unsigned i = 0; r == 0 && i < redeem->burnt; i++)
		people->burnt_ms[people->n_burnt++ % BURNT_MAX] = loop_now_ms(people->loop);
	if (r == 0)
		audit_drain(people->audit);
	if (r == 0)
		redeem_end(redeem, redeem->verdict);
	else
		redeem_end(redeem, r == -EEXIST ? PEOPLE_E_BOUND : people_word(r));
}

static void redeem_start(struct people *people, const char *text, struct redeem *redeem, const struct audit_record *record)
{
	char code[CODE_TEXT_MAX];
	redeem->people = people;
	redeem->now_ms = loop_now_ms(people->loop);
	redeem->wall_us = loop_wall_us(people->loop);
	redeem->well_formed = code_parse(text, strlen(text), code) == 0;
	if (redeem->well_formed)
		code_hash(people, code, redeem->hash);
	crypto_wipe(code, sizeof(code));
	redeem->record = audit_record_copy(record);
	int r = store_submit(people->store, people->db, STORE_SYNC, redeem_job, redeem_done, redeem);
	if (r != 0)
		redeem_end(redeem, people_word(r));
}

void code_redeem(struct people *people, const char *code, struct device_id device, const struct audit_record *record, redeem_done_fn done,
		 void *ctx)
{
	struct redeem *redeem = calloc(1, sizeof(*redeem));
	if (!redeem) {
		done(ctx, -ENOMEM, 0);
		return;
	}
	*redeem = (struct redeem){ .device = device, .done = done, .ctx = ctx };
	redeem_start(people, code, redeem, record);
}

void code_use_for_window(struct people *people, const char *code, uint32_t user, const struct audit_record *record, redeem_done_fn done, void *ctx)
{
	struct redeem *redeem = calloc(1, sizeof(*redeem));
	if (!redeem) {
		done(ctx, -ENOMEM, 0);
		return;
	}
	*redeem = (struct redeem){ .for_window = true, .user = user, .done = done, .ctx = ctx };
	redeem_start(people, code, redeem, record);
}

bool codes_are_paused(const struct people *people)
{
	return issuing_paused(people);
}
