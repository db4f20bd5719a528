#include "check.h"
#include "export_file.h"
#include "tmpdir.h"
#include "verify/options.h"

enum { ARGS_MAX = 4096 };

struct args {
	int n;
	char *v[ARGS_MAX];
	char why[256];
};

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

static void add(struct args *args, const char *word)
{
	check_true(args->n < ARGS_MAX);
	args->v[args->n++] = strdup(word);
}

static struct args *begin(void)
{
	static struct args args;

	for (int i = 0; i < args.n; i++)
		free(args.v[i]);
	args.n = 0;
	add(&args, "gatewayd-audit-verify");
	return &args;
}

/* Ends with what is given as text, split at blanks. */
static int parse(struct args *args, const char *words, struct options **ret)
{
	char copy[1024], *save = NULL;

	check_true(text_copy(copy, sizeof(copy), words));
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		add(args, word);
	*ret = NULL;
	return options_parse(args->n, args->v, args->why, sizeof(args->why), ret);
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void words(void **state)
{
	static const struct {
		const char *words;
		int want;
	} rows[] = {
		{ "x.gwa", 0 },
		{ "--json x.gwa", 0 },
		{ "x.gwa --anchor 7:" HASH, 0 },
		{ "--anchor=7:" HASH " x.gwa --seed=1:" HASH, 0 },
		{ "--proof p", 0 },
		{ "--help", 0 },
		{ "--version", 0 },
		{ "", OPTIONS_E_USAGE },
		{ "--proof p x.gwa", OPTIONS_E_USAGE },
		{ "x.gwa y.gwa", OPTIONS_E_USAGE },
		{ "--anchors 7:" HASH " x.gwa", OPTIONS_E_USAGE },
		{ "-h", OPTIONS_E_USAGE },
		{ "x.gwa --anchor", OPTIONS_E_USAGE },
		{ "x.gwa --anchor 0:" HASH, OPTIONS_E_USAGE },
		{ "x.gwa --anchor -1:" HASH, OPTIONS_E_USAGE },
		{ "x.gwa --anchor 7:" HASH "00", OPTIONS_E_USAGE },
		{ "x.gwa --anchor 7", OPTIONS_E_USAGE },
		{ "x.gwa --anchor audit", OPTIONS_E_USAGE },
		{ "x.gwa --anchor x..", OPTIONS_E_USAGE },
		{ "x.gwa --anchor 99999999999999999999999999:" HASH, OPTIONS_E_USAGE },
		{ "x.gwa --seed 1:" HASH " --seed 1:" HASH, OPTIONS_E_USAGE },
		{ "x.gwa --pub gw-ed25519-pub:", OPTIONS_E_USAGE },
		{ "x.gwa --pub gw-x25519-pub:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", OPTIONS_E_USAGE },
		{ "x.gwa --key /nowhere/at/all", -ENOENT },
		{ "x.gwa --key /dev/null", OPTIONS_E_USAGE },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct options *options;
		struct args *args = begin();
		int r = parse(args, rows[i].words, &options);

		if (r != rows[i].want)
			fail_msg("%s: %d, want %d (%s)", rows[i].words, r, rows[i].want, args->why);
		check_true(r == 0 || *args->why);
		options_free(options);
	}
}

static void seven_and_one(struct args *args, const char *option, unsigned n)
{
	char text[128];

	for (unsigned i = 1; i <= n; i++) {
		add(args, option);
		text_print(text, sizeof(text), "%u:" HASH, i);
		add(args, text);
	}
}

static void as_many_as_there_may_be(void **state)
{
	static const struct {
		const char *option;
		unsigned max;
	} rows[] = { { "--anchor", OPTIONS_ANCHORS_MAX }, { "--seed", OPTIONS_SEEDS_MAX } };
	char key[128] = "gw-ed25519-pub:";
	struct options *options;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct args *args = begin();

		seven_and_one(args, rows[i].option, rows[i].max);
		check_ok(parse(args, "x.gwa", &options));
		check_uint(options->given.n_anchors + options->given.n_seeds, rows[i].max);
		options_free(options);
		args = begin();
		seven_and_one(args, rows[i].option, rows[i].max + 1);
		check_int(parse(args, "x.gwa", &options), OPTIONS_E_USAGE);
		options_free(options);
	}
	base64url_print(HASH, 32, key + strlen(key), sizeof(key) - strlen(key));
	for (unsigned more = 0; more < 2; more++) {
		struct args *args = begin();

		for (unsigned i = 0; i < OPTIONS_KEYS_MAX + more; i++) {
			add(args, "--pub");
			add(args, key);
		}
		check_int(parse(args, "x.gwa", &options), more ? OPTIONS_E_USAGE : 0);
		options_free(options);
	}
}

static void from_files(void **state)
{
	static struct export_file file;
	struct sign_public keys[4];
	struct box_public mine;
	struct secret *secret = NULL;
	struct options *options;
	struct args *args = begin();
	struct tmpdir dir;
	char text[8192] = "# kept by the auditor\n\n7:" HASH "\r\nNov 23 10:00:00 home gatewayd: audit checkpoint 3 size 12 root " HASH " head " HASH
			  " log 00112233445566778899aabbccddeeff\n", key[BOX_KEY_TEXT_MAX + 2], pub[SIGN_TEXT_MAX];

	(void)state;
	tmpdir_init(&dir);
	export_load("ed25519", &file);
	export_anchor(export_checkpoint(&file, 1), text + strlen(text), sizeof(text) - strlen(text));
	add(args, "--anchor");
	add(args, tmpdir_write(&dir, "anchors", text));
	add(args, "--seed");
	add(args, tmpdir_write(&dir, "seeds", "5:" HASH "\n6:" HASH));
	check_uint(export_keys(&file, keys), 1);
	sign_public_print(&keys[0], pub);
	add(args, "--pub");
	add(args, tmpdir_write(&dir, "pub", pub));
	check_ok(box_pair_new(BOX_X25519, &mine, &secret));
	box_secret_print(BOX_X25519, secret, key);
	add(args, "--key");
	add(args, tmpdir_write(&dir, "key", key));
	check_ok(parse(args, "x.gwa", &options));
	check_uint(options->given.n_anchors, 3);
	check_true(!options->anchors[0].whole && !options->anchors[1].whole && options->anchors[2].whole);
	check_uint(options->anchors[1].seq, 12);
	check_uint(options->anchors[1].head[1], 0x11);
	check_uint(options->given.n_seeds, 2);
	check_uint(options->given.n_keys, 1);
	check_true(options->key.kind == BOX_X25519 && secret_equal(secret, secret_view(options->key.secret).data, 32));
	options_free(options);
	/* A whole anchor that no given key has signed is none; nor is a file with a line of nonsense. */
	keys[0].data[0] ^= 1;
	sign_public_print(&keys[0], pub);
	args = begin();
	add(args, "--pub");
	add(args, pub);
	add(args, "--anchor");
	add(args, tmpdir_path(&dir, "anchors"));
	check_int(parse(args, "x.gwa", &options), OPTIONS_E_USAGE);
	check_true(strstr(args->why, "not signed"));
	options_free(options);
	args = begin();
	add(args, "--seed");
	add(args, tmpdir_path(&dir, "anchors"));
	check_int(parse(args, "x.gwa", &options), OPTIONS_E_USAGE);
	options_free(options);
	secret_free(secret);
	tmpdir_deinit(&dir);
	begin();
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup(words, setup),
		cmocka_unit_test_setup(as_many_as_there_may_be, setup),
		cmocka_unit_test_setup(from_files, setup),
	};

	return CHECK_RUN(rows);
}
