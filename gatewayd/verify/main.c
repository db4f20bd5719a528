/* gatewayd-audit-verify: whether an export of a gateway's record is what the gateway wrote. It needs nothing of the gateway: not
 * its disk, not its keys, not its network; it is for whoever is to judge the gateway and runs elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/heap.h"
#include "sys/host.h"
#include "verify/hashes.h"
#include "verify/options.h"
#include "verify/proof.h"
#include "verify/report.h"

static const char help[] =
	"gatewayd-audit-verify [--pub KEY]... [--anchor ANCHOR]... [--seed SEED]... [--key FILE] [--json] EXPORT\n"
	"gatewayd-audit-verify --proof FILE [--pub KEY]... [--anchor ANCHOR]... [--json]\n"
	"\n"
	"  --pub     a public signing key of the gateway, as it prints it, or a file of such\n"
	"  --anchor  SEQ:HEX, or a checkpoint as links or the system's log got it, or a file of such\n"
	"  --seed    SEQ:HEX, or better a file of such: the number of the record of a seed, and the seed\n"
	"  --key     a file with the auditor's private key, for an export that is sealed to it\n"
	"  --proof   a file with a proof that a record is under a checkpoint, or that one checkpoint continues another\n"
	"  --json    the verdict as JSON\n"
	"\n"
	"ends with 0 when all holds and an anchor was compared, with 1 when the record was tampered with (the first bad record and\n"
	"the check are named), with 2 when all holds but no anchor was compared, or when it could not be done\n";

static int complain(const char *what, const char *more)
{
	fprintf(stderr, "gatewayd-audit-verify: %s%s%s\n", what, *more ? ": " : "", more);
	return EXIT_OPEN;
}

static int verify_proof(const struct options *o)
{
	struct proof_verdict verdict = { 0 };
	char *text = NULL, why[160] = "";
	size_t len = 0;
	int r = host_read_file(o->proof, PROOF_FILE_MAX, &text, &len);

	if (r == 0)
		r = proof_check(text, len, &o->given, why, sizeof(why), &verdict);
	free(text);
	if (r)
		return complain(o->proof, r < 0 ? strerror(-r) : why);
	return report_proof(stdout, o->json, &verdict);
}

static int verify_export(const struct options *o)
{
	struct walk_verdict verdict = { 0 };
	struct source *source = NULL;
	int r = source_open(o->path, &o->key, &source);

	if (r == SOURCE_E_KEY)
		return complain(o->path, o->secret ? "is not sealed to this key" : "is sealed: whose key opens it? (--key FILE)");
	if (r == SOURCE_E_NEWER)
		return complain(o->path, "was written by a newer gatewayd");
	if (r > 0) {
		verdict.failed = CHECK_END;
		verdict.first_bad = r == SOURCE_E_DAMAGED;
		return report_walk(stdout, o->json, &o->given, &verdict);
	}
	if (r == 0)
		r = walk_export(source, &o->given, &verdict);
	source_free(source);
	if (r < 0)
		return complain(o->path, strerror(-r));
	return report_walk(stdout, o->json, &o->given, &verdict);
}

/* An export is a stranger's bytes, and the auditor's key is here beside them: from now on only that file can be read, and nothing
 * written, sent or executed. Both hashes are made once before, so that OpenSSL has read what it wants to read.
 */
must_check static int shut_in(const struct options *o)
{
	const char *read[] = { o->proof ? o->proof : o->path, NULL };
	const struct host_fence fence = { .read_paths = read, .stage_two = true };
	struct host_fence_state state;
	struct hashes hashes;
	int r = hashes_init(&hashes);

	if (r)
		return r;
	hashes_deinit(&hashes);
	return host_fence(&fence, &state);
}

int main(int argc, char **argv)
{
	struct options *options cleanup(options_freep) = NULL;
	char why[256] = "";
	int r;

	heap_init();
	r = crypto_init();
	if (r == 0)
		r = options_parse(argc, argv, why, sizeof(why), &options);
	if (r)
		return complain(r < 0 ? strerror(-r) : why, r < 0 ? why : "");
	if (options->help || options->version) {
		fputs(options->help ? help : "gatewayd-audit-verify " GW_VERSION "\n", stdout);
		return 0;
	}
	r = shut_in(options);
	if (r)
		return complain("cannot shut itself in", strerror(-r));
	r = options->proof ? verify_proof(options) : verify_export(options);
	return fflush(stdout) == 0 ? r : EXIT_OPEN;
}
