#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/text.h"
#include "check.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "tmpdir.h"
#include "traces.h"
#include "vault/parcel.h"

static const struct {
	enum box_kind box;
	enum seal_suite suite;
} ways[] = { { BOX_X25519, SEAL_XCHACHA }, { BOX_SM2, SEAL_SM4 }, { BOX_SM2, SEAL_XCHACHA } };

struct pair {
	enum box_kind kind;
	struct box_public public;
	struct secret *secret;
};

static struct pair pair_of(enum box_kind kind)
{
	struct pair p = { .kind = kind };

	check_ok(box_pair_new(kind, &p.public, &p.secret));
	return p;
}

/* Two parts and an empty one. */
static const char *small_parcel(struct tmpdir *dir, const char *name, const struct pair *to, enum seal_suite suite)
{
	const char *path = tmpdir_path(dir, name);
	struct parcel_writer *w = NULL;

	check_ok(parcel_create(path, PARCEL_BACKUP, suite, &to->public, &w));
	check_ok(parcel_part(w, "manifest", 5));
	check_ok(parcel_write(w, "first", 5));
	check_ok(parcel_part(w, "nothing", 0));
	check_ok(parcel_part(w, "audit-202611-1.db", 11));
	check_ok(parcel_write(w, "sec", 3));
	check_ok(parcel_write(w, "ond part", 8));
	check_ok(parcel_finish(w));
	check_true(!parcel_writer_free(w));
	return path;
}

/* To the sound end, or what was wrong. */
static int fate(const char *path, const struct pair *who, size_t step)
{
	struct parcel_reader *r = NULL;
	enum parcel_kind kind = 0;
	char name[PARCEL_NAME_MAX], buf[64];
	uint64_t len = 0;
	int e = parcel_open(path, who->kind, who->secret, &kind, &r);

	if (e)
		return e;
	while ((e = parcel_next(r, name, &len)) == 0)
		while (e == 0 && step > 0 && len > 0) {
			size_t n = step < len ? step : (size_t)len;

			e = parcel_read(r, buf, n);
			len -= n;
		}
	check_int(parcel_next(r, name, &len), e); /* and it stays so */
	parcel_reader_free(r);
	return e;
}

static void there_and_back(void **state)
{
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		struct pair me = pair_of(ways[i].box);
		const char *path = small_parcel(&dir, "a.gwb", &me, ways[i].suite);
		struct parcel_reader *r = NULL;
		enum parcel_kind kind = 0;
		char name[PARCEL_NAME_MAX], buf[64];
		struct stat st;
		uint64_t len = 0;

		assert_true(stat(path, &st) == 0);
		check_uint(st.st_mode & 07777, 0600);
		check_true(access(tmpdir_path(&dir, "a.gwb.part"), F_OK) < 0);
		check_ok(parcel_open(path, me.kind, me.secret, &kind, &r));
		check_int(kind, PARCEL_BACKUP);
		check_ok(parcel_next(r, name, &len));
		check_text(name, "manifest");
		check_uint(len, 5);
		check_int(parcel_read(r, buf, 6), -EINVAL);
		check_ok(parcel_read(r, buf, 5));
		check_bytes(buf, 5, "first", 5);
		check_int(parcel_read(r, buf, 1), -EINVAL);
		check_ok(parcel_next(r, name, &len));
		check_text(name, "nothing");
		check_uint(len, 0);
		check_ok(parcel_next(r, name, &len));
		check_text(name, "audit-202611-1.db");
		check_ok(parcel_read(r, buf, 11));
		check_bytes(buf, 11, "second part", 11);
		check_int(parcel_next(r, name, &len), PARCEL_E_END);
		check_int(parcel_next(r, name, &len), PARCEL_E_END);
		check_true(!parcel_reader_free(r));
		check_int(fate(path, &me, 0), PARCEL_E_END); /* unread parts are passed over */
		secret_free(me.secret);
	}
	tmpdir_deinit(&dir);
}

static void only_for_the_recipient(void **state)
{
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		struct pair me = pair_of(ways[i].box), other = pair_of(ways[i].box);
		struct pair stranger = pair_of(ways[i].box == BOX_SM2 ? BOX_X25519 : BOX_SM2);
		const char *path = small_parcel(&dir, "a.gwb", &me, ways[i].suite);

		check_int(fate(path, &other, 1), PARCEL_E_NOT_FOR_YOU);
		check_int(fate(path, &stranger, 1), PARCEL_E_NOT_FOR_YOU);
		stranger.kind = me.kind; /* right form, other key */
		check_int(fate(path, &stranger, 1), PARCEL_E_NOT_FOR_YOU);
		check_int(fate(path, &me, 1), PARCEL_E_END);
		secret_free(me.secret);
		secret_free(other.secret);
		secret_free(stranger.secret);
	}
	tmpdir_deinit(&dir);
}

static char *whole(const char *path, size_t *ret_len)
{
	char *data = NULL;

	check_ok(host_read_file(path, 1 << 20, &data, ret_len));
	return data;
}

static int fate_of_bytes(struct tmpdir *dir, const void *data, size_t len, const struct pair *who)
{
	const char *path = tmpdir_path(dir, "changed.gwb");
	FILE *f = fopen(path, "we");

	assert_true(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
	return fate(path, who, 3);
}

static void cut_or_changed_anywhere(void **state)
{
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		struct pair me = pair_of(ways[i].box);
		size_t len = 0;
		char *data = whole(small_parcel(&dir, "a.gwb", &me, ways[i].suite), &len);
		int e;

		check_int(fate_of_bytes(&dir, data, len, &me), PARCEL_E_END);
		/* SM2 is slow where a processor is emulated. */
		for (size_t at = 0; at < len; at += me.kind == BOX_SM2 ? 11 : 1) {
			e = fate_of_bytes(&dir, data, at, &me);
			check_true(e > 0 && e != PARCEL_E_END);
			for (int bit = 0; bit < 8; bit += 7) {
				data[at] ^= (char)(1 << bit);
				e = fate_of_bytes(&dir, data, len, &me);
				check_true(e > 0 && e != PARCEL_E_END);
				data[at] ^= (char)(1 << bit);
			}
		}
		data[len] = 0; /* host_read_file's NUL: one byte more */
		check_int(fate_of_bytes(&dir, data, len + 1, &me), PARCEL_E_DAMAGED);
		free(data);
		secret_free(me.secret);
	}
	tmpdir_deinit(&dir);
}

/* Two parcels one behind the other; one's head on the other's stream. */
static void joined(void **state)
{
	struct tmpdir dir;
	struct pair me = pair_of(BOX_X25519);
	size_t n_a = 0, n_b = 0, head = 8 + 6 + 32 + 2 + 80;

	(void)state;
	tmpdir_init(&dir);
	char *a = whole(small_parcel(&dir, "a.gwb", &me, SEAL_XCHACHA), &n_a);
	char *b = whole(small_parcel(&dir, "b.gwb", &me, SEAL_XCHACHA), &n_b);
	char *both = malloc(n_a + n_b);

	assert_non_null(both);
	memcpy(both, a, n_a);
	memcpy(both + n_a, b, n_b);
	check_int(fate_of_bytes(&dir, both, n_a + n_b, &me), PARCEL_E_DAMAGED);
	memcpy(both + head, b + head, n_b - head);
	check_uint(n_a, n_b);
	check_int(fate_of_bytes(&dir, both, n_a, &me), PARCEL_E_DAMAGED);
	free(a);
	free(b);
	free(both);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

static void newer_and_no_parcel(void **state)
{
	struct tmpdir dir;
	struct pair me = pair_of(BOX_X25519);
	size_t len = 0;

	(void)state;
	tmpdir_init(&dir);
	char *data = whole(small_parcel(&dir, "a.gwb", &me, SEAL_XCHACHA), &len);

	data[8] = 2; /* version */
	check_int(fate_of_bytes(&dir, data, len, &me), PARCEL_E_NEWER);
	data[8] = 0;
	data[9] = 1;
	check_int(fate_of_bytes(&dir, data, len, &me), PARCEL_E_NEWER);
	data[9] = 0;
	check_int(fate_of_bytes(&dir, data, len, &me), PARCEL_E_SYNTAX);
	check_int(fate_of_bytes(&dir, "GWPARCEK 012345678901234567890", 30, &me), PARCEL_E_SYNTAX);
	check_int(fate_of_bytes(&dir, "", 0, &me), PARCEL_E_SYNTAX);
	check_int(fate(tmpdir_path(&dir, "missing"), &me, 1), -ENOENT);
	check_int(fate(dir.path, &me, 1), -EISDIR);
	assert_true(mkfifo(tmpdir_path(&dir, "pipe"), 0600) == 0);
	check_int(fate(tmpdir_path(&dir, "pipe"), &me, 1), -EINVAL);
	free(data);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

static void names_and_lengths_are_checked(void **state)
{
	static const char *const bad[] = { "", ".hidden", "..", "a/b", "a b", "a\n", "\xc3\xa4", "a\\b" };
	char longest[PARCEL_NAME_MAX + 1];
	struct parcel_writer *w = NULL;
	struct pair me = pair_of(BOX_X25519);
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	check_int(parcel_create(tmpdir_path(&dir, "x"), (enum parcel_kind)0, SEAL_XCHACHA, &me.public, &w), -EINVAL);
	check_int(parcel_create(tmpdir_path(&dir, "x"), (enum parcel_kind)4, SEAL_XCHACHA, &me.public, &w), -EINVAL);
	check_int(parcel_create(tmpdir_path(&dir, "x"), PARCEL_KEY, (enum seal_suite)3, &me.public, &w), -EINVAL);
	check_int(parcel_create(tmpdir_path(&dir, "no/x"), PARCEL_KEY, SEAL_XCHACHA, &me.public, &w), -ENOENT);
	check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_KEY, SEAL_XCHACHA, &me.public, &w));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(parcel_part(w, bad[i], 1), -EINVAL);
	memset(longest, 'n', sizeof(longest));
	longest[PARCEL_NAME_MAX] = '\0';
	check_int(parcel_part(w, longest, 1), -EINVAL);
	check_int(parcel_part(w, "huge", UINT64_MAX), -EINVAL);
	longest[PARCEL_NAME_MAX - 1] = '\0';
	check_ok(parcel_part(w, longest, 2));
	check_int(parcel_write(w, "abc", 3), -EINVAL);
	check_ok(parcel_write(w, "a", 1));
	check_int(parcel_part(w, "early", 1), -EINVAL);
	check_int(parcel_finish(w), -EINVAL);
	check_ok(parcel_write(w, "b", 1));
	check_ok(parcel_finish(w));
	parcel_writer_free(w);
	check_int(fate(tmpdir_path(&dir, "x"), &me, 1), PARCEL_E_END);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

static void parts_are_counted(void **state)
{
	struct parcel_writer *w = NULL;
	struct pair me = pair_of(BOX_X25519);
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_AUDIT, SEAL_XCHACHA, &me.public, &w));
	for (int i = 0; i < PARCEL_PARTS_MAX; i++)
		check_ok(parcel_part(w, "p", 0));
	check_int(parcel_part(w, "p", 0), -ENOSPC);
	check_ok(parcel_finish(w));
	parcel_writer_free(w);
	check_int(fate(tmpdir_path(&dir, "x"), &me, 1), PARCEL_E_END);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

/* Somebody who knows the public key alone can write what no parcel_writer writes: the reader believes none of it. */
static void hostile_contents(void **state)
{
	static const struct {
		const char *what, *hex;
	} rows[] = {
		{ "no end mark", "" },
		{ "unknown mark", "02" },
		{ "bytes behind the end", "0000" },
		{ "mark alone", "01" },
		{ "half a name's length", "0101" },
		{ "empty name", "010000" },
		{ "name longer than allowed", "014000" },
		{ "huge name", "01ffff" },
		{ "name with a slash", "0103002e2e2f0000000000000000" },
		{ "name that is dots", "0102002e2e000000000000000000" },
		{ "name with a NUL", "010200610000000000000000" },
		{ "no length", "01010061" },
		{ "huge length", "01010061ffffffffffffffff" },
		{ "length that nothing follows", "01010061ffffffffffffff7f" },
		{ "one byte too few", "01010061020000000000000061" },
		{ "no end behind a part", "01010061010000000000000061" },
	};
	struct pair me = pair_of(BOX_X25519);
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(rows) + 1; i++) {
		const char *hex = i < N_ELEMENTS(rows) ? rows[i].hex : "0101006101000000000000006100" /* good */;
		uint8_t head[256] = "GWPARCEL", text[64], key[SEAL_KEY_LEN] = { 7 }, sealed[BOX_SEALED_MAX];
		struct writer out = writer_over(head + 8, sizeof(head) - 8);
		const char *path = tmpdir_path(&dir, "x");
		struct stream_writer *w = NULL;
		size_t n = 0, n_head;
		int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		check_ok(box_seal(&me.public, key, sizeof(key), sealed, &n));
		put_u16(&out, 1);
		put_u8(&out, PARCEL_BACKUP);
		put_u8(&out, SEAL_XCHACHA);
		put_u8(&out, BOX_X25519);
		put_u8(&out, 32);
		put_bytes(&out, me.public.data, 32);
		put_view16(&out, sealed, n);
		n_head = 8 + writer_len(&out);
		assert_true(fd >= 0 && write(fd, head, n_head) == (ssize_t)n_head);
		check_ok(stream_writer_new(fd, SEAL_XCHACHA, key, head, n_head, &w));
		check_ok(hex_parse(hex, strlen(hex), text, strlen(hex) / 2));
		check_ok(stream_write(w, text, strlen(hex) / 2));
		check_ok(stream_finish(w));
		stream_writer_free(w);
		close(fd);
		if (i < N_ELEMENTS(rows) && fate(path, &me, 1) != PARCEL_E_DAMAGED)
			fail_msg("%s", rows[i].what);
		check_int(fate(path, &me, 0), i < N_ELEMENTS(rows) ? PARCEL_E_DAMAGED : PARCEL_E_END);
	}
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

static void files(void **state)
{
	struct pair me = pair_of(BOX_X25519);
	struct parcel_writer *w = NULL;
	struct parcel_reader *r = NULL;
	enum parcel_kind kind;
	char name[PARCEL_NAME_MAX];
	struct tmpdir dir;
	uint64_t len = 0;
	enum { LARGE = 5 * 1024 * 1024 + 321 };
	uint8_t *data = malloc(LARGE), *got = malloc(LARGE);
	int64_t before;
	FILE *f;

	(void)state;
	assert_true(data && got);
	tmpdir_init(&dir);
	crypto_random(data, LARGE);
	f = fopen(tmpdir_path(&dir, "large"), "we");
	assert_true(f && fwrite(data, 1, LARGE, f) == LARGE && fclose(f) == 0);
	tmpdir_write(&dir, "empty", "");
	assert_true(symlink("large", tmpdir_path(&dir, "link")) == 0);
	check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_BACKUP, SEAL_XCHACHA, &me.public, &w));
	check_int(parcel_add_file(w, "missing", tmpdir_path(&dir, "missing")), -ENOENT);
	check_int(parcel_add_file(w, "folder", dir.path), -EINVAL);
	check_int(parcel_add_file(w, "link", tmpdir_path(&dir, "link")), -ELOOP);
	check_ok(parcel_add_file(w, "empty", tmpdir_path(&dir, "empty")));
	before = host_rss_kib(0);
	check_ok(parcel_add_file(w, "large", tmpdir_path(&dir, "large")));
	assert_in_range(host_rss_kib(0), 1, before + 512); /* bounded */
	check_ok(parcel_finish(w));
	parcel_writer_free(w);
	check_ok(parcel_open(tmpdir_path(&dir, "x"), me.kind, me.secret, &kind, &r));
	check_ok(parcel_next(r, name, &len));
	check_uint(len, 0);
	check_ok(parcel_next(r, name, &len));
	check_uint(len, LARGE);
	check_ok(parcel_read(r, got, LARGE));
	check_true(memcmp(got, data, LARGE) == 0);
	check_int(parcel_next(r, name, &len), PARCEL_E_END);
	parcel_reader_free(r);
	free(data);
	free(got);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

/* The name is there only when the whole is; what was given up leaves nothing; what was cut before is swept aside. */
static void all_or_nothing(void **state)
{
	struct pair me = pair_of(BOX_X25519);
	struct parcel_writer *w = NULL;
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	tmpdir_write(&dir, "x.part", "of a run that was cut");
	check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_BACKUP, SEAL_XCHACHA, &me.public, &w));
	check_true(access(tmpdir_path(&dir, "x"), F_OK) < 0);
	check_ok(parcel_part(w, "p", 1));
	w = parcel_writer_free(w);
	check_true(access(tmpdir_path(&dir, "x"), F_OK) < 0);
	check_true(access(tmpdir_path(&dir, "x.part"), F_OK) < 0);
	/* A disk that is full. */
	struct rlimit old, limit = { 1000, RLIM_INFINITY };
	uint8_t data[4096] = { 0 };

	assert_true(getrlimit(RLIMIT_FSIZE, &old) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_true(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_BACKUP, SEAL_XCHACHA, &me.public, &w));
	check_ok(parcel_part(w, "p", sizeof(data)));
	check_ok(parcel_write(w, data, sizeof(data)));
	check_int(parcel_finish(w), -EFBIG);
	w = parcel_writer_free(w);
	assert_true(setrlimit(RLIMIT_FSIZE, &old) == 0);
	check_true(access(tmpdir_path(&dir, "x"), F_OK) < 0);
	check_true(access(tmpdir_path(&dir, "x.part"), F_OK) < 0);
	secret_free(me.secret);
	tmpdir_deinit(&dir);
}

static void leaves_no_traces(void **state)
{
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		struct pair me = pair_of(ways[i].box);
		struct traces key_traces = traces_of(secret_view(me.secret).data, BOX_SECRET_LEN), text_traces;
		struct parcel_writer *w = NULL;
		struct parcel_reader *r = NULL;
		struct secret *text = NULL;
		enum parcel_kind kind;
		char name[PARCEL_NAME_MAX];
		uint64_t len;

		check_ok(secret_new_random(64, &text));
		text_traces = traces_of(secret_view(text).data, 64);
		check_ok(parcel_create(tmpdir_path(&dir, "x"), PARCEL_KEY, ways[i].suite, &me.public, &w));
		check_ok(parcel_part(w, "keys", 64));
		check_ok(parcel_write(w, secret_view(text).data, 64));
		check_ok(parcel_finish(w));
		parcel_writer_free(w);
		text = secret_free(text);
		check_uint(traces_count(&text_traces), 0);
		check_ok(parcel_open(tmpdir_path(&dir, "x"), me.kind, me.secret, &kind, &r));
		check_ok(parcel_next(r, name, &len));
		check_uint(traces_count(&text_traces), 1); /* the guarded chunk */
		parcel_reader_free(r);
		secret_free(me.secret);
		check_uint(traces_count(&text_traces), 0);
		check_uint(traces_count(&key_traces), 0);
	}
	tmpdir_deinit(&dir);
}

/* docs/spec/keystore.md shows these very keys and bytes. */
static void the_page_is_right(void **state)
{
	static const struct {
		const char *public, *key, *hex;
	} rows[] = {
		{ "gw-x25519-pub:O0aD8lAUAl_Ld25HXEVr4cj-nlOgwlOiQWqnfHj2jgU", "gw-x25519-key:YSByZWNvdmVyeSBrZXkgdGhhdCBpcyBrbm93bi4uLgA",
		  "475750415243454c0100010101203b4683f25014025fcb776e475c456be1c8fe9e53a0c253a2416a"
		  "a77c78f68e055000177821a98d7c566ccff33167d057a256b28d3718f3ceb4d04828d222b1f70179"
		  "005f69d16fa99dda681c0bbcd113ef412e0e002d8dd72f13ec9f8acb4f7ef990d9f2cf6d0289ee34"
		  "b14d418c0031c46aa4e56e7cb64a3ac8980a8ffa718b225a6443b6b9ecbd32f3f1a8be713fa5bfb9"
		  "a6492d33834070a0750cc430582ec822dad0c0bcf468255f0cf30721c465a0e169697f542ae6c54f"
		  "c915b5fdb824d65cd72087eb301b1ada7a" },
		{ "gw-sm2-pub:BAn53zEeVCGhUN19Fh5LxcZyF5-tGDP8B2uwj_NW81AgzOpJDOJndaUtxupxjMGqYArtBfvzXghKZjL2By2prRM",
		  "gw-sm2-key:OUUgj3shRLE_NuOKxtOflYiTk2koYLUaQvuB7033xbg",
		  "475750415243454c0100010202410409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076b"
		  "b08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad138c"
		  "00308189022100e45088a407b3b4880f5e024e0f983d98a8113cd0adf930f7ca0c706b9e27727a02"
		  "201484892ec68b141249db2dee89d58ac44ff407cd83c29d6713034480f86788410420abc289e35c"
		  "ae8947ba4803f6b7784e38ff74153f1eb74c841debe41180b996250420084454a629e835d196f43a"
		  "735d24100fdaf043bef9bd6877856ba900ac338117d9cb86f569ce62088a42d3c8265974b4624974"
		  "b9f752545dee55c8ec9b14da8b6682f723e4c3e2397e624346a6c33591d95e4ec0cdaf76f8e09760"
		  "3c3d65f13622e4dde5e63b2dc72978f2da63e6c8db8f0c07f8d7f44d78d685b3fc33aa8278267e60"
		  "d6f14ce25def51aff769d81f33b8e494f436b35008b6ca5ef2b2878ce7" },
	};
	char path[512], *page = NULL;
	size_t n_page = 0, n = 0;
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	snprintf(path, sizeof(path), "%s/docs/spec/keystore.md", getenv("GW_SOURCE_ROOT"));
	check_ok(host_read_file(path, 1 << 20, &page, &n_page));
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct box_public public, named;
		struct parcel_reader *r = NULL;
		struct secret *secret = NULL;
		enum parcel_kind kind = 0;
		enum box_kind box = 0;
		char name[PARCEL_NAME_MAX], buf[8];
		size_t len = strlen(rows[i].hex) / 2;
		uint8_t bytes[1024];
		uint64_t n_part = 0;
		FILE *f = fopen(tmpdir_path(&dir, "x"), "we");

		check_ok(hex_parse(rows[i].hex, 2 * len, bytes, len));
		assert_true(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
		check_ok(box_secret_parse(rows[i].key, &box, &secret));
		check_ok(box_public_of(box, secret, &public));
		check_ok(box_public_parse(rows[i].public, &named));
		check_bytes(public.data, public.len, named.data, named.len);
		check_ok(parcel_open(tmpdir_path(&dir, "x"), box, secret, &kind, &r));
		check_int(kind, PARCEL_BACKUP);
		check_ok(parcel_next(r, name, &n_part));
		check_text(name, "manifest");
		check_ok(parcel_read(r, buf, 2));
		check_bytes(buf, 2, "{}", 2);
		check_ok(parcel_next(r, name, &n_part));
		check_text(name, "gateway.db");
		check_ok(parcel_read(r, buf, 5));
		check_bytes(buf, 5, "bytes", 5);
		check_int(parcel_next(r, name, &n_part), PARCEL_E_END);
		parcel_reader_free(r);
		secret_free(secret);
		check_true(strstr(page, rows[i].public) && strstr(page, rows[i].key));
	}
	for (size_t i = 0; i < n_page; i++) /* the page breaks the lines, this file does too */
		if (page[i] != '\n')
			page[n++] = page[i];
	page[n] = '\0';
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		check_true(strstr(page, rows[i].hex));
	free(page);
	tmpdir_deinit(&dir);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_page_is_right),
		cmocka_unit_test(only_for_the_recipient),
		cmocka_unit_test(cut_or_changed_anywhere),
		cmocka_unit_test(joined),
		cmocka_unit_test(newer_and_no_parcel),
		cmocka_unit_test(names_and_lengths_are_checked),
		cmocka_unit_test(parts_are_counted),
		cmocka_unit_test(hostile_contents),
		cmocka_unit_test(files),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(leaves_no_traces),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
