/* The last line is the verdict; before it stands what it rests on, because "all holds" is worth as much as what was given to
 * hold it against.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "sys/json.h"
#include "verify/report.h"

static const char *result_name(int code)
{
	static const char *const names[] = { [EXIT_HOLDS] = "ok", [EXIT_TAMPERED] = "tampered", [EXIT_OPEN] = "no-anchor" };

	return names[code];
}

static int tell(FILE *out, struct json *object, int code)
{
	char *text = NULL;
	int r = json_print(object, &text, NULL);

	json_free(object);
	if (r == 0)
		fprintf(out, "%s\n", text);
	free(text);
	return r ? EXIT_OPEN : code;
}

static void set_u64(struct json *object, const char *name, uint64_t v)
{
	json_set_i64(object, name, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static int walk_json(FILE *out, const struct walk_verdict *v, int code)
{
	struct json *o = json_new_object();
	char head[2 * CRYPTO_HASH_LEN + 1];

	hex_print(v->head, sizeof(v->head), head);
	json_set_text(o, "result", result_name(code));
	set_u64(o, "first_bad", v->first_bad);
	json_set_text(o, "check", check_name(v->failed));
	json_set_text(o, "what", check_words(v->failed));
	set_u64(o, "records", v->records);
	set_u64(o, "first", v->first);
	set_u64(o, "last", v->last);
	json_set_text(o, "head", head);
	set_u64(o, "checkpoints", v->checkpoints);
	set_u64(o, "signatures", v->signatures);
	set_u64(o, "signed_to", v->signed_to);
	set_u64(o, "macs", v->macs);
	set_u64(o, "anchors", v->anchors);
	set_u64(o, "newest_anchor", v->newest_anchor);
	return tell(out, o, code);
}

/* What nothing given vouches for. */
static void say_rest(FILE *out, const struct walk_verdict *v)
{
	uint64_t known = v->newest_anchor > v->signed_to ? v->newest_anchor : v->signed_to;

	if (v->mac_to_end || known >= v->last)
		return;
	fprintf(out, "nothing that was given vouches for records %" PRIu64 " to %" PRIu64 "\n",
		known >= v->first ? known + 1 : v->first, v->last);
}

int report_walk(FILE *out, bool json, const struct walk_given *given, const struct walk_verdict *v)
{
	int code = v->failed ? EXIT_TAMPERED : v->anchors ? EXIT_HOLDS : EXIT_OPEN;

	if (json)
		return walk_json(out, v, code);
	fprintf(out, "records:     %" PRIu64, v->records);
	if (v->records)
		fprintf(out, ", %" PRIu64 " to %" PRIu64, v->first, v->last);
	fprintf(out, "\ncheckpoints: %" PRIu64 "\n", v->checkpoints);
	if (given->n_keys)
		fprintf(out, "signatures:  %" PRIu64 " hold, up to record %" PRIu64 "\n", v->signatures, v->signed_to);
	else
		fputs("signatures:  not checked, no public key was given\n", out);
	if (given->n_seeds)
		fprintf(out, "macs:        %" PRIu64 " hold\n", v->macs);
	else
		fputs("macs:        not checked, no seed was given\n", out);
	fprintf(out, "anchors:     %" PRIu64 " of %zu compared", v->anchors, given->n_anchors);
	if (v->anchors)
		fprintf(out, ", the newest at record %" PRIu64, v->newest_anchor);
	fputc('\n', out);
	if (v->failed) {
		fprintf(out, "TAMPERED, first bad record: %" PRIu64 "; check %s: %s\n", v->first_bad, check_name(v->failed),
			check_words(v->failed));
		return code;
	}
	say_rest(out, v);
	fputs(v->anchors ? "all holds\n" : "all holds, but no anchor says so\n", out);
	return code;
}

int report_proof(FILE *out, bool json, const struct proof_verdict *v)
{
	int code = !v->holds ? EXIT_TAMPERED : v->vouched ? EXIT_HOLDS : EXIT_OPEN;
	struct json *o;

	if (!json) {
		fprintf(out, "%s %" PRIu64 " under the checkpoint of %" PRIu64 " records: %s\n", v->inclusion ? "record" : "the first",
			v->seq, v->size, v->what);
		return code;
	}
	o = json_new_object();
	json_set_text(o, "result", result_name(code));
	json_set_text(o, "proof", v->inclusion ? "inclusion" : "consistency");
	set_u64(o, v->inclusion ? "seq" : "first", v->seq);
	set_u64(o, "size", v->size);
	json_set_text(o, "what", v->what);
	return tell(out, o, code);
}
