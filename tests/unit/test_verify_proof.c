#include "check.h"
#include "export_file.h"
#include "verify/hashes.h"
#include "verify/proof.h"

/* An inclusion proof with n hashes of zeros for record 1 under the first checkpoint of a made export. What holds and what does not is
 * tried in tests/system/test_audit_verify.py against an independent maker; here is what is no proof at all. */
static struct export_file file;
static char anchor[8192];

static int setup(void **state)
{
	(void)state;
	if (crypto_init())
		return -1;
	export_load("sha256", &file);
	export_anchor(export_checkpoint(&file, 0), anchor, sizeof(anchor));
	return 0;
}

static int check(const char *text, size_t len, struct proof_verdict *ret)
{
	const struct walk_given given = { 0 };
	char why[160] = "";
	int r = proof_check(text, len, &given, why, sizeof(why), ret);

	check_true(r == 0 || *why);
	return r;
}

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static void no_proofs(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"proof\":\"inclusion\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"..\"}",
		"{\"proof\":\"other\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":0,\"leaf\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"00\",\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"size\":1,\"root\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"consistency\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[7],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[\"00\"],\"checkpoint\":\"%s\"}",
		"{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"" ZERO "\",\"path\":[],\"checkpoint\":\"%s\",\"more\":1}",
	};
	char text[16384];
	struct proof_verdict v;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const char *mark = strstr(rows[i], "%s");
		size_t head = mark ? (size_t)(mark - rows[i]) : strlen(rows[i]);

		memcpy(text, rows[i], head);
		text[head] = '\0';
		if (mark)
			check_true(text_append(text, sizeof(text), "%s%s", anchor, mark + 2));
		if (check(text, strlen(text), &v) != PROOF_E_SYNTAX)
			fail_msg("row %zu", i);
	}
}

static void with_path(unsigned n, const char *more, char *ret, size_t cap)
{
	check_true(text_print(ret, cap, "{\"proof\":\"inclusion\",\"seq\":1,\"leaf\":\"" ZERO "\",%s\"path\":[", more));
	for (unsigned i = 0; i < n; i++)
		check_true(text_append(ret, cap, "%s\"" ZERO "\"", i ? "," : ""));
	check_true(text_append(ret, cap, "],\"checkpoint\":\"%s\"}", anchor));
}

static void within_limits(void **state)
{
	static char text[PROOF_FILE_MAX + 2];
	struct proof_verdict v;

	(void)state;
	with_path(PROOF_PATH_MAX, "", text, sizeof(text));
	check_ok(check(text, strlen(text), &v));
	check_true(!v.holds && !v.vouched && v.inclusion);
	check_text(v.what, "the record is not in the tree");
	with_path(PROOF_PATH_MAX + 1, "", text, sizeof(text));
	check_int(check(text, strlen(text), &v), PROOF_E_SYNTAX);
	with_path(3, "\"record\":\"0011\",", text, sizeof(text));
	check_ok(check(text, strlen(text), &v));
	check_text(v.what, "the record is not the one that the leaf is of");
	memset(text, ' ', sizeof(text));
	check_int(check(text, PROOF_FILE_MAX + 1, &v), PROOF_E_SYNTAX);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup(no_proofs, setup),
		cmocka_unit_test_setup(within_limits, setup),
	};

	return CHECK_RUN(rows);
}
