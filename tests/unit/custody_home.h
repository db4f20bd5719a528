#pragma once
/* custody_home - a vault, sealed databases, a sealed record and custody over them, on a virtual loop; several segments when filled.
 *
 *	struct home h;
 *	home_init(&h);
 *	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));    waits for the answer
 *	home_settle_rotations(&h);                              and for what goes on behind it
 *	home_deinit(&h);
 */
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "audit_home.h"
#include "custody/custody.h"
#include "custody/ring.h"
#include "custody/rotate.h"

#define HOME_WALL_US (INT64_C(1795500000) * 1000000)

struct home {
	enum seal_suite suite;
	enum key_source source;
	const struct secret *passphrase;
	bool either;       /* the source may be the file or the passphrase: a change was cut off */
	struct tmpdir dir;
	struct loop *loop;
	struct vault *vault;
	struct ring *ring;
	struct store *store;
	struct audit *audit;
	struct custody *custody;
	unsigned db, spool;
	int r;
	unsigned n_done, told, told_worn;
	uint32_t answer_id, target;
	char answer_text[CUSTODY_TEXT_MAX];
	int steps_left;    /* killed at that step; 0: never */
	bool was_killed;
};

static inline void home_on_key(void *ctx, const struct vault_key_info *info)
{
	struct home *h = ctx;
	h->told++;
	h->told_worn += info->worn;
}

static inline void home_on_step(void *ctx, const char *what)
{
	struct home *h = ctx;
	(void)what;
	if (__atomic_load_n(&h->steps_left, __ATOMIC_SEQ_CST) > 0 && __atomic_sub_fetch(&h->steps_left, 1, __ATOMIC_SEQ_CST) == 0)
		kill(getpid(), SIGKILL);
}

static const struct custody_ops home_ops = { home_on_key, home_on_step };

static inline int home_open_vault(struct home *h, enum key_source source)
{
	struct vault_options options = { .folder = h->dir.path, .suite = h->suite, .source = source, .mem_kib = 8192, .passes = 1,
					 .now_s = HOME_WALL_US / 1000000, .passphrase = h->passphrase };
	char why[256];
	options.path = source == KEY_SOURCE_FILE ? tmpdir_path(&h->dir, "kek.key") : NULL;
	int r = vault_open(&options, why, sizeof(why), &h->vault);
	if (r != 0 && !h->either)
		print_error("%s\n", why);
	return r;
}

static inline void home_open(struct home *h)
{
	static const uint8_t boot_id[16] = { 0xb0 };
	char *schema;
	if (!h->suite)
		h->suite = SEAL_XCHACHA;
	if (!h->source)
		h->source = KEY_SOURCE_FILE;
	int r = home_open_vault(h, h->source);
	if (r == VAULT_E_WRONG_KEY && h->either) {
		h->source = h->source == KEY_SOURCE_FILE ? KEY_SOURCE_PASSPHRASE : KEY_SOURCE_FILE;
		r = home_open_vault(h, h->source);
	}
	check_ok(r);
	const struct ring_options ring = { h->vault, h->dir.path, h->suite };
	check_ok(ring_new(&ring, &h->ring));
	check_ok(loop_new_virtual(5000, HOME_WALL_US, &h->loop));
	check_ok(store_new(h->loop, &h->store));
	assert_true(asprintf(&schema, "%s%sCREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;", custody_schema_1, audit_outbox_schema) > 0);
	const struct db_migration migration = { 1, schema }, plain = { 1, "CREATE TABLE s(id INTEGER PRIMARY KEY) STRICT;" };
	const struct db_options gateway = { .sync = DB_SYNC_EXTRA, .migrations = &migration, .n_migrations = 1, .keys = ring_pages(h->ring) };
	const struct db_options spool = { .sync = DB_SYNC_NORMAL, .migrations = &plain, .n_migrations = 1, .keys = ring_pages(h->ring) };
	check_ok(store_add(h->store, "gateway", tmpdir_path(&h->dir, "gateway.db"), &gateway, &h->db));
	check_ok(store_add(h->store, "spool", tmpdir_path(&h->dir, "spool.db"), &spool, &h->spool));
	free(schema);
	const struct audit_options audit = { .folder = h->dir.path, .hash = h->suite == SEAL_SM4 ? CRYPTO_SM3 : CRYPTO_SHA256, .boot_id = boot_id,
					     .segment_bytes_max = 64 * 1024, .seal = ring_seal(h->ring) };
	check_ok(audit_new(h->loop, h->store, &audit, &h->audit));
	check_ok(audit_attach_outbox(h->audit, h->db));
	const char *key_file = tmpdir_path(&h->dir, "kek.key");
	const struct custody_options custody = { .loop = h->loop, .store = h->store, .db = h->db, .audit = h->audit, .vault = h->vault, .ring = h->ring,
						 .folder = h->dir.path, .suite = h->suite, .key_file = key_file, .mem_kib = 8192, .passes = 1,
						 .ops = &home_ops, .ctx = h };
	check_ok(custody_new(&custody, &h->custody));
	check_ok(custody_load(h->custody));
	check_ok(store_start(h->store));
	custody_start(h->custody);
}

static inline void home_settle(struct home *h)
{
	for (int i = 0; i < 40; i++) {
		store_drain(h->store);
		check_ok(loop_turn(h->loop, 0));
	}
}

static inline void home_settle_rotations(struct home *h)
{
	struct custody_progress progress;
	home_settle(h);
	for (int i = 0; i < 20000 && custody_progress_at(h->custody, 0, &progress); i++) {
		store_drain(h->store);
		check_ok(loop_turn(h->loop, 1));
		if (progress.trouble)
			loop_advance(h->loop, ROTATE_RETRY_MS);
	}
	check_true(!custody_progress_at(h->custody, 0, &progress));
	home_settle(h);
}

/* As the app does, whatever is under way. */
static inline void home_close_now(struct home *h)
{
	h->custody = custody_close(h->custody);
	h->audit = audit_close(h->audit);
	h->store = store_close(h->store);
	h->loop = loop_free(h->loop);
	h->ring = ring_free(h->ring);
	h->vault = vault_close(h->vault);
}

static inline void home_close(struct home *h)
{
	home_settle(h);
	home_close_now(h);
}

/* A kill is no power cut: memory will do where there is such a folder, and is not slowed down by whoever else syncs. */
static inline void home_init_dir(struct tmpdir *dir)
{
	memset(dir, 0, sizeof(*dir));
	snprintf(dir->path, sizeof(dir->path), "/dev/shm/gw-test-XXXXXX");
	if (!mkdtemp(dir->path))
		tmpdir_init(dir);
}

/* What was set in it before stays. */
static inline void home_init_as(struct home *h)
{
	check_ok(crypto_init());
	home_init_dir(&h->dir);
	home_open(h);
}

static inline void home_init(struct home *h)
{
	memset(h, 0, sizeof(*h));
	home_init_as(h);
}

static inline void home_deinit(struct home *h)
{
	home_close(h);
	tmpdir_deinit(&h->dir);
}

static inline void home_restart(struct home *h)
{
	home_close(h);
	home_open(h);
	home_settle(h);
}

/* --- orders ------------------------------------------------------------------------------------------------------------- */

static inline void home_on_done(void *ctx, int r, const struct custody_answer *answer)
{
	struct home *h = ctx;
	h->r = r;
	h->n_done++;
	h->answer_id = answer->id;
	snprintf(h->answer_text, sizeof(h->answer_text), "%s", answer->text);
}

static inline int home_do(struct home *h, const struct custody_order *order)
{
	const struct audit_record record = { .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .action = "test" };
	unsigned before = h->n_done;
	custody_do(h->custody, order, &record, home_on_done, h);
	for (int i = 0; i < 20000 && h->n_done == before; i++) {
		store_drain(h->store);
		check_ok(loop_turn(h->loop, i < 100 ? 0 : 1));
	}
	check_uint(h->n_done, before + 1);
	return h->r;
}

static inline int order_id(struct home *h, enum custody_verb verb, uint32_t id)
{
	return home_do(h, &(struct custody_order){ .verb = verb, .id = id });
}

static inline int order_purpose(struct home *h, enum custody_verb verb, enum key_purpose purpose)
{
	return home_do(h, &(struct custody_order){ .verb = verb, .purpose = purpose });
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

static inline bool home_info(struct home *h, uint32_t id, struct vault_key_info *ret)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(h->vault, 0, infos, KEYSTORE_KEYS_MAX);
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == id) {
			*ret = infos[i];
			return true;
		}
	return false;
}

static inline enum key_state home_state(struct home *h, uint32_t id)
{
	struct vault_key_info info = { 0 };
	return home_info(h, id, &info) ? info.state : 0;
}

static inline void check_one_active(struct home *h)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(h->vault, 0, infos, KEYSTORE_KEYS_MAX);
	for (enum key_purpose purpose = KEY_DB; purpose < KEY_PURPOSES; purpose++) {
		unsigned active = 0;
		for (size_t i = 0; i < n; i++)
			active += infos[i].purpose == purpose && infos[i].state == KEY_ACTIVE;
		check_uint(active, 1);
	}
	check_uint(db_keys_active(ring_pages(h->ring)), vault_active(h->vault, KEY_DB));
}

static inline unsigned home_each_file(struct home *h, void (*fn)(struct home *h, const char *path))
{
	DIR *dir = opendir(h->dir.path);
	struct dirent *entry;
	unsigned n = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		if (len < 3 || strcmp(entry->d_name + len - 3, ".db") != 0)
			continue;
		n++;
		if (fn)
			fn(h, tmpdir_path(&h->dir, entry->d_name));
	}
	closedir(dir);
	return n;
}

static inline unsigned home_files(struct home *h)
{
	return home_each_file(h, NULL);
}

static inline void home_check_file(struct home *h, const char *path)
{
	uint64_t others = 1;
	check_ok(db_keys_scan(path, vault_active(h->vault, KEY_DB), &others));
	if (others)
		print_error("%s: %u pages of another key\n", path, (unsigned)others);
	check_uint(others, 0);
}

/* No page of any file carries another key than the active one, and the keystore has no other left. */
static inline void check_one_key(struct home *h)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(h->vault, 0, infos, KEYSTORE_KEYS_MAX);
	home_settle(h);
	home_each_file(h, home_check_file);
	for (size_t i = 0; i < n; i++)
		if (infos[i].purpose == KEY_DB)
			check_true(infos[i].state == KEY_ACTIVE || infos[i].state == KEY_DESTROYED || infos[i].state == KEY_PREACTIVE);
}

struct home_asked {
	struct home *h;
	const char *sql;
	int64_t answer;
};

static inline int home_sql_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct home_asked *asked = arg;
	struct stmt *s;
	(void)store;
	if (strncmp(asked->sql, "SELECT", 6) != 0)
		return db_exec(dbs[asked->h->db], asked->sql);
	int r = db_prepare(dbs[asked->h->db], asked->sql, &s);
	if (r == 0)
		r = stmt_step(s);
	if (r == 1) {
		asked->answer = stmt_i64(s, 0);
		stmt_reset(s);
	}
	return r < 0 ? r : 0;
}

static inline int64_t home_sql(struct home *h, const char *sql)
{
	struct home_asked asked = { h, sql, -1 };
	home_settle(h);
	check_ok(store_submit_task(h->store, home_sql_task, NULL, &asked));
	store_drain(h->store);
	return asked.answer;
}

static inline unsigned home_pending(struct home *h)
{
	return (unsigned)home_sql(h, "SELECT count(*) FROM custody");
}

static inline int home_insert_job(struct db *db, void *arg)
{
	struct stmt *s;
	(void)arg;
	int r = db_prepare(db, "INSERT INTO t(text) VALUES ('something worth keeping, and worth keeping secret')", &s);
	return r == 0 ? stmt_run(s) : r;
}

static inline void home_fill(struct home *h, unsigned n)
{
	char detail[600];
	memset(detail, 'd', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = 0;
	for (unsigned i = 0; i < n; i++) {
		struct audit_record record = audit_home_record("lamp");
		record.detail = detail;
		check_ok(store_submit(h->store, h->db, 0, home_insert_job, NULL, NULL));
		check_ok(audit_append(h->audit, &record, NULL, NULL));
		if (i % 20 == 19)
			home_settle(h);
	}
	home_settle(h);
}

static inline void check_content(struct home *h, unsigned n)
{
	check_int(home_sql(h, "SELECT count(*) FROM t"), n);
}

static inline void home_on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	int *ret = ctx;
	if (r == AUDIT_E_TAMPERED)
		print_error("record %llu: %s\n", (unsigned long long)verdict->first_bad, verdict->what);
	*ret = r;
}

static inline void home_age(struct home *h, int64_t seconds)
{
	loop_set_wall_us(h->loop, loop_wall_us(h->loop) + seconds * 1000000);
}

static inline void check_verified(struct home *h)
{
	int r = -1;
	home_settle(h);
	check_ok(audit_verify(h->audit, NULL, 0, home_on_verdict, &r));
	for (int i = 0; i < 5000 && r == -1; i++) {
		store_drain(h->store);
		check_ok(loop_turn(h->loop, 1));
	}
	check_int(r, AUDIT_E_NO_ANCHOR);
}

struct home_reading {
	uint16_t kind;
	uint64_t last;
	bool ended;
	struct audit_seen *seen;
};

static inline void home_on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct home_reading *reading = ctx;
	struct audit_seen *page = calloc(1, sizeof(*page));
	assert_non_null(page);
	audit_home_on_rows(page, r, rows, n);
	check_ok(r);
	for (size_t i = 0; i < page->n; i++) {
		reading->last = page->rows[i].seq;
		if (page->rows[i].kind == reading->kind)
			reading->seen->rows[reading->seen->n++] = page->rows[i];
	}
	reading->ended = n == 0;
	free(page);
}

/* All records of a kind; the caller frees. */
static inline struct audit_seen *home_record(struct home *h, uint16_t kind)
{
	struct home_reading reading = { .kind = kind, .seen = calloc(1, sizeof(*reading.seen)) };
	assert_non_null(reading.seen);
	home_settle(h);
	while (!reading.ended) {
		check_ok(audit_read(h->audit, reading.last, AUDIT_READ_MAX, false, home_on_rows, &reading));
		home_settle(h);
	}
	check_true(reading.seen->n > 0);
	return reading.seen;
}

/* --- one verb of each kind, that succeeds ------------------------------------------------------------------------------- */

struct home_case {
	const char *name;
	enum custody_verb verb;
	enum key_purpose purpose;
	enum key_state from; /* of the key that it is about; 0: it is about the purpose */
	enum key_state to;   /* of that key, or of the one that was active, when it was carried out */
};

static inline const struct home_case *home_case_at(size_t i)
{
	static const struct home_case cases[] = {
		{ "create", CUSTODY_CREATE, KEY_DB, 0, KEY_ACTIVE },
		{ "activate db", CUSTODY_ACTIVATE, KEY_DB, KEY_PREACTIVE, KEY_ACTIVE },
		{ "activate audit", CUSTODY_ACTIVATE, KEY_AUDIT, KEY_PREACTIVE, KEY_ACTIVE },
		{ "disable db", CUSTODY_DISABLE, KEY_DB, KEY_ACTIVE, KEY_DEACTIVATED },
		{ "compromise db", CUSTODY_COMPROMISE, KEY_DB, KEY_ACTIVE, KEY_DESTROYED },
		{ "compromise audit", CUSTODY_COMPROMISE, KEY_AUDIT, KEY_ACTIVE, KEY_DESTROYED },
		{ "destroy files", CUSTODY_DESTROY, KEY_FILES, KEY_PREACTIVE, KEY_DESTROYED },
		{ "rotate db", CUSTODY_ROTATE, KEY_DB, 0, KEY_DESTROYED },
		{ "rotate audit", CUSTODY_ROTATE, KEY_AUDIT, 0, KEY_DESTROYED },
		{ "rotate sign", CUSTODY_ROTATE, KEY_SIGN, 0, KEY_DEACTIVATED },
		{ "rotate sign-sm2", CUSTODY_ROTATE, KEY_SIGN_SM2, 0, KEY_DEACTIVATED },
		{ "rotate files", CUSTODY_ROTATE, KEY_FILES, 0, KEY_DEACTIVATED },
		{ "source", CUSTODY_SOURCE, 0, 0, 0 },
	};
	return i < sizeof(cases) / sizeof(cases[0]) ? &cases[i] : NULL;
}

static inline void home_case_prepare(struct home *h, const struct home_case *c)
{
	static const char text[] = "correct horse battery";
	h->target = c->purpose ? vault_active(h->vault, c->purpose) : 0;
	if (c->from == KEY_PREACTIVE || c->verb == CUSTODY_DISABLE) {
		check_ok(order_purpose(h, CUSTODY_CREATE, c->purpose));
		if (c->from == KEY_PREACTIVE)
			h->target = h->answer_id;
	}
	if (c->verb == CUSTODY_SOURCE) {
		struct secret *secret;
		h->either = true;
		check_ok(secret_new(text, sizeof(text) - 1, &secret));
		h->passphrase = secret;
	}
}

static inline void home_case_run(struct home *h, const struct home_case *c)
{
	const struct custody_order order = { .verb = c->verb, .purpose = c->purpose, .id = c->from ? h->target : 0, .passphrase = h->passphrase,
					     .source = c->verb == CUSTODY_SOURCE ? KEY_SOURCE_PASSPHRASE : 0 };
	check_ok(home_do(h, &order));
}

/* Carried out or undone; nothing between. */
static inline void home_case_check(struct home *h, const struct home_case *c)
{
	enum key_state undone = c->from ? c->from : KEY_ACTIVE;
	if (!h->target)
		return;
	enum key_state is = home_state(h, h->target);
	if (is != c->to && (is != undone || !h->was_killed))
		print_error("%s: the key is %s\n", c->name, key_state_name(is));
	check_true(is == c->to || (is == undone && h->was_killed));
}

static inline void home_any(struct home *h, enum custody_verb verb)
{
	struct box_public to;
	struct secret *secret;
	struct home_case c = { "any", verb, KEY_FILES, 0, 0 };
	if (verb == CUSTODY_ACTIVATE || verb == CUSTODY_DESTROY)
		c.from = KEY_PREACTIVE;
	if (verb == CUSTODY_DISABLE || verb == CUSTODY_COMPROMISE)
		c.from = KEY_ACTIVE;
	if (verb == CUSTODY_DISTRIBUTE) {
		check_ok(box_pair_new(BOX_X25519, &to, &secret));
		secret_free(secret);
		check_ok(home_do(h, &(struct custody_order){ .verb = verb, .id = vault_active(h->vault, KEY_FILES), .to = &to }));
		return;
	}
	if (verb == CUSTODY_SOURCE) {
		check_ok(home_do(h, &(struct custody_order){ .verb = verb, .source = KEY_SOURCE_FILE }));
		return;
	}
	home_case_prepare(h, &c);
	home_case_run(h, &c);
}
