/* Who verifies brings keys, anchors and seeds from elsewhere. Each may be a word of the command line or a file of such words; a
 * seed better a file, because whoever has it can also forge what follows it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/host.h"
#include "verify/options.h"

enum { FILE_MAX = 8 << 20 };

/* 0, OPTIONS_E_USAGE: not in its form, or one too many, or negative errno. */
typedef int (*take_fn)(struct options *o, const char *text);

must_check static int take_public(struct options *o, const char *text)
{
	if (o->given.n_keys >= OPTIONS_KEYS_MAX || sign_public_parse(text, &o->keys[o->given.n_keys]) != 0)
		return OPTIONS_E_USAGE;
	o->given.n_keys++;
	return 0;
}

/* SEQ:HEX of 32 bytes. */
static bool pair_parse(const char *text, uint64_t *ret_seq, uint8_t ret[CRYPTO_HASH_LEN])
{
	const char *colon = strchr(text, ':');
	char number[24];

	return colon && text_copy_n(number, sizeof(number), text, (size_t)(colon - text)) &&
	       text_to_u64(number, 1, UINT64_MAX, ret_seq) == 0 &&
	       hex_parse(colon + 1, strlen(colon + 1), ret, CRYPTO_HASH_LEN) == 0;
}

/* The line that the gateway gives to the system's log, with whatever that puts in front of it. */
static bool syslog_parse(const char *text, struct anchor *ret)
{
	const char *line = strstr(text, "audit checkpoint ");
	char size[24], head[2 * CRYPTO_HASH_LEN + 1];

	return line &&
	       sscanf(line, "audit checkpoint %*23[0-9] size %23[0-9] root %*64[0-9a-f] head %64[0-9a-f]", size, head) == 2 &&
	       text_to_u64(size, 1, UINT64_MAX, &ret->seq) == 0 &&
	       hex_parse(head, strlen(head), ret->head, CRYPTO_HASH_LEN) == 0;
}

must_check static int take_anchor(struct options *o, const char *text)
{
	struct anchor a = { 0 };

	if (o->given.n_anchors >= OPTIONS_ANCHORS_MAX)
		return OPTIONS_E_USAGE;
	if (!pair_parse(text, &a.seq, a.head) && !syslog_parse(text, &a)) {
		a.whole = calloc(1, sizeof(*a.whole));
		if (!a.whole)
			return -ENOMEM;
		if (point_parse_text(text, a.whole) != 0) {
			free(a.whole);
			return OPTIONS_E_USAGE;
		}
		a.seq = a.whole->tree.size;
		memcpy(a.head, a.whole->head, sizeof(a.head));
	}
	o->anchors[o->given.n_anchors++] = a;
	return 0;
}

must_check static int take_seed(struct options *o, const char *text)
{
	struct seed seed;

	if (o->given.n_seeds >= OPTIONS_SEEDS_MAX || !pair_parse(text, &seed.seq, seed.key))
		return OPTIONS_E_USAGE;
	for (size_t i = 0; i < o->given.n_seeds; i++) {
		if (o->seeds[i].seq == seed.seq)
			return OPTIONS_E_USAGE;
	}
	o->seeds[o->given.n_seeds++] = seed;
	return 0;
}

/* One a line; empty lines and those that begin with # are for people. */
must_check static int take_file(struct options *o, const char *path, take_fn take)
{
	char *text = NULL;
	size_t len = 0;
	int r = host_read_file(path, FILE_MAX, &text, &len);

	if (r)
		return r;
	for (char *line = text, *next; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, strstr(line, "audit checkpoint ") ? "\r" : " \t\r")] = '\0';
		if (*line && *line != '#')
			r = take(o, line);
	}
	crypto_wipe(text, len);
	free(text);
	return r;
}

must_check static int take_either(struct options *o, const char *text, take_fn take)
{
	int r = take(o, text);

	return r == OPTIONS_E_USAGE && access(text, F_OK) == 0 ? take_file(o, text, take) : r;
}

must_check static int take_key(struct options *o, const char *path)
{
	char text[BOX_KEY_TEXT_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	r = n < 0 ? -errno : 0;
	close(fd);
	if (r == 0) {
		text[n] = '\0';
		text[strcspn(text, " \t\r\n")] = '\0';
		o->secret = secret_free(o->secret);
		r = box_secret_parse(text, &o->key.kind, &o->secret);
		o->key.secret = o->secret;
	}
	crypto_wipe(text, sizeof(text));
	return r > 0 ? OPTIONS_E_USAGE : r;
}

must_check static int take_proof(struct options *o, const char *text)
{
	o->proof = text;
	return 0;
}

must_check static int take_pub(struct options *o, const char *text)
{
	return take_either(o, text, take_public);
}

must_check static int take_anchors(struct options *o, const char *text)
{
	return take_either(o, text, take_anchor);
}

must_check static int take_seeds(struct options *o, const char *text)
{
	return take_either(o, text, take_seed);
}

static const struct {
	const char *name;
	take_fn take;
	const char *want;
} rows[] = {
	{ "--pub", take_pub, "a public key (gw-ed25519-pub:..., gw-sm2-sign-pub:...) or a file of such" },
	{ "--anchor", take_anchors, "SEQ:HEX, a checkpoint's BODY.SIGNATURE.SIGNATURE or line of the system's log, or a file of such" },
	{ "--seed", take_seeds, "SEQ:HEX, each SEQ once, or a file of such" },
	{ "--key", take_key, "a file with a private key (gw-x25519-key:..., gw-sm2-key:...)" },
	{ "--proof", take_proof, "a file" },
};

/* Takes argv[*at], and its value if it has one. */
must_check static int take_word(struct options *o, int argc, char **argv, int *at, char *why, size_t why_cap)
{
	const char *word = argv[*at], *value;
	int r;

	if (strncmp(word, "-", 1) != 0) {
		text_print(why, why_cap, "one export, please: %s", word);
		if (o->path)
			return OPTIONS_E_USAGE;
		o->path = word;
		return 0;
	}
	o->json = o->json || text_equal(word, "--json");
	o->help = o->help || text_equal(word, "--help");
	o->version = o->version || text_equal(word, "--version");
	if (text_equal(word, "--json") || text_equal(word, "--help") || text_equal(word, "--version"))
		return 0;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t len = strlen(rows[i].name);

		if (strncmp(word, rows[i].name, len) != 0 || (word[len] && word[len] != '='))
			continue;
		value = word[len] ? word + len + 1 : *at + 1 < argc ? argv[++*at] : "";
		r = rows[i].take(o, value);
		text_print(why, why_cap, "%s wants %s%s%s", rows[i].name, rows[i].want, r < 0 ? ": " : "",
			   r < 0 ? strerror(-r) : "");
		return r;
	}
	text_print(why, why_cap, "there is no option %s", word);
	return OPTIONS_E_USAGE;
}

/* A checkpoint that is no gateway's own vouches for nothing. */
must_check static int anchors_check(const struct options *o, char *why, size_t why_cap)
{
	unsigned checked = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && o->given.n_keys && i < o->given.n_anchors; i++) {
		if (!o->anchors[i].whole)
			continue;
		r = point_check(o->anchors[i].whole, o->keys, o->given.n_keys, &checked);
		if (r > 0) {
			text_print(why, why_cap, "the anchor at record %llu is not signed with a key that was given",
				   (unsigned long long)o->anchors[i].seq);
			r = OPTIONS_E_USAGE;
		}
	}
	return r;
}

int options_parse(int argc, char **argv, char *why, size_t why_cap, struct options **ret)
{
	struct options *o = calloc(1, sizeof(*o));
	int r = 0;

	if (!o)
		return -ENOMEM;
	*ret = o;
	o->given.keys = o->keys;
	o->given.anchors = o->anchors;
	o->given.seeds = o->seeds;
	for (int at = 1; r == 0 && at < argc; at++)
		r = take_word(o, argc, argv, &at, why, why_cap);
	if (r == 0 && !o->help && !o->version && !o->path == !o->proof) {
		text_print(why, why_cap, "an export or a proof, please: gatewayd-audit-verify --help");
		r = OPTIONS_E_USAGE;
	}
	return r ? r : anchors_check(o, why, why_cap);
}

struct options *options_free(struct options *options)
{
	if (!options)
		return NULL;
	for (size_t i = 0; i < options->given.n_anchors; i++)
		free(options->anchors[i].whole);
	secret_free(options->secret);
	crypto_wipe(options, sizeof(*options));
	free(options);
	return NULL;
}
