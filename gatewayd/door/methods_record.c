/* The audit record from outside: its end, its check, a copy of it, what proves it to others. Reading it is itself on record. */
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"

void method_audit_head(struct call *call, const struct json *params)
{
	struct audit_head head = audit_head(call_parts(call)->audit);
	struct json *result = json_new_object();
	char hex[2 * CRYPTO_HASH_LEN + 1];
	(void)params;
	hex_print(head.head, sizeof(head.head), hex);
	json_set_i64(result, "seq", (int64_t)head.seq);
	json_set_text(result, "head", hex);
	json_set_text(result, "segment", head.segment);
	call_answer(call, result);
}

/* Newest first they come when no place is named; oldest first they are told. */
static struct json *rows_json(const struct registry *registry, const struct audit_row *rows, size_t n, bool backwards, bool *ret_cut)
{
	struct json *list = json_new_array();
	size_t used = 0, first = 0;
	/* Backwards: how many of the newest fit? */
	struct json *probe = json_new_array();
	while (backwards && first < n && budget_push(&used, probe, render_audit(&rows[first], registry)))
		first++;
	json_free(probe);
	*ret_cut = backwards && first < n;
	used = 0;
	for (size_t i = 0; i < (backwards ? first : n); i++) {
		const struct audit_row *row = backwards ? &rows[first - 1 - i] : &rows[i];
		if (!budget_push(&used, list, render_audit(row, registry))) {
			*ret_cut = true;
			break;
		}
	}
	return list;
}

static void on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct call *call = ctx;
	bool backwards = !json_get(json_get(call_request(call), "params"), "after"), cut = false;
	if (r != 0) {
		call_fail_errno(call, r, "reading the record");
		return;
	}
	struct json *result = json_new_object();
	json_set(result, "records", rows_json(call_parts(call)->registry, rows, n, backwards, &cut));
	json_set_bool(result, "cut", cut);
	struct audit_record record = call_record(call, AUDIT_READ);
	record.object = "audit";
	call_append_answer(call, &record, result);
}

void method_audit_tail(struct call *call, const struct json *params)
{
	enum { ROWS = 20 };
	bool from = json_get(params, "after") != NULL;
	int r = audit_read(call_parts(call)->audit, (uint64_t)param_i64(params, "after", 0), (size_t)param_i64(params, "n", ROWS), !from, on_rows,
			   call);
	if (r != 0)
		on_rows(call, r < 0 ? r : -EAGAIN, NULL, 0);
}

static const char *verdict_name(int r)
{
	return r == 0 ? "ok" : r == AUDIT_E_TAMPERED ? "tampered" : "no-anchor";
}

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	struct call *call = ctx;
	if (r != 0 && r != AUDIT_E_TAMPERED && r != AUDIT_E_NO_ANCHOR) {
		call_fail_errno(call, r, "checking the record");
		return;
	}
	struct audit_record record = call_record(call, AUDIT_LOG_VERIFY);
	struct json *result = json_new_object();
	json_set_text(result, "verdict", verdict_name(r));
	json_set_i64(result, "records", (int64_t)verdict->records);
	json_set_i64(result, "first_bad", (int64_t)verdict->first_bad);
	json_set_text(result, "what", verdict->what);
	json_set_i64(result, "anchors", verdict->anchors);
	record.outcome = r == AUDIT_E_TAMPERED ? AUDIT_FAILED : AUDIT_OK;
	record.object = verdict_name(r);
	record.detail = verdict->what;
	call_append_answer(call, &record, result);
}

static bool take_anchor(const struct json *json, struct audit_anchor *ret)
{
	static const struct json_field fields[] = { { "seq", JSON_INT, true, 1, INT64_MAX },
						    { "head", JSON_TEXT, true, 2 * CRYPTO_HASH_LEN, 2 * CRYPTO_HASH_LEN } };
	int64_t seq = 0;
	size_t len;
	if (json_kind(json) != JSON_OBJECT || json_check(json, fields, N_ELEMENTS(fields), NULL, 0) != 0)
		return false;
	const char *head = json_text(json_get(json, "head"), &len);
	(void)json_to_i64(json_get(json, "seq"), &seq);
	ret->seq = (uint64_t)seq;
	ret->checkpoint = 0;
	return hex_parse(head, len, ret->head, sizeof(ret->head)) == 0;
}

void method_audit_verify(struct call *call, const struct json *params)
{
	struct audit_anchor anchors[64];
	const struct json *list = json_get(params, "anchors");
	size_t n = list ? json_len(list) : 0;
	for (size_t i = 0; i < n; i++)
		if (!take_anchor(json_at(list, i), &anchors[i])) {
			call_field(call, "anchors");
			call_fail(call, RESULT_MALFORMED, "an anchor has a seq and a head of 64 hex digits");
			return;
		}
	int r = audit_verify(call_parts(call)->audit, anchors, n, on_verdict, call);
	if (r != 0)
		call_fail_errno(call, r < 0 ? r : -EAGAIN, "checking the record");
}

/* Sealed to an auditor it is a parcel; else it is as docs/spec/audit.md section 10 has it, for whoever reads this gateway's folder. */
static void export_path(const struct call *call, char *ret, size_t cap)
{
	const struct json *params = json_get(call_request(call), "params");
	text_print(ret, cap, "%s/exports/%s.%s", (*call_parts(call)->conf)->state_dir, json_get_text(params, "name"),
		   json_get(params, "to") ? "parcel" : "audit");
}

static void on_exported(void *ctx, int r)
{
	struct call *call = ctx;
	struct audit_record record = call_record(call, AUDIT_LOG_EXPORT);
	char path[512];
	if (r != 0) {
		call_fail_errno(call, r, "writing the copy");
		return;
	}
	struct json *result = json_new_object();
	export_path(call, path, sizeof(path));
	json_set_text(result, "path", path);
	record.object = json_get_text(json_get(call_request(call), "params"), "name");
	record.detail = json_get_text(json_get(call_request(call), "params"), "to");
	call_append_answer(call, &record, result);
}

/* Into one folder of ours and nowhere else: the name is no path. */
void method_audit_export(struct call *call, const struct json *params)
{
	const char *to = json_get_text(params, "to");
	struct box_public recipient;
	char path[512];
	if (!text_is_slug(json_get_text(params, "name"), 48)) {
		call_field(call, "name");
		call_fail(call, RESULT_BAD_VALUE, "a name has small letters, digits, - and _ only");
		return;
	}
	if (to && box_public_parse(to, &recipient) != 0) {
		call_field(call, "to");
		call_fail(call, RESULT_BAD_VALUE, "a public key is gw-x25519-pub:... or gw-sm2-pub:...");
		return;
	}
	export_path(call, path, sizeof(path));
	int r = to ? audit_export_sealed(call_parts(call)->audit, path, &recipient, on_exported, call) :
		     audit_export(call_parts(call)->audit, path, on_exported, call);
	if (r != 0)
		call_fail_errno(call, r < 0 ? r : -EAGAIN, "writing the copy");
}

/* --- what proves it to somebody else ------------------------------------------------------------------------------------ */

static void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	struct call *call = ctx;
	char hex[2 * AUDIT_SEED_LEN + 1];
	if (r != 0) {
		call_fail_errno(call, r, "a new seed");
		return;
	}
	struct json *result = json_new_object();
	hex_print(seed, AUDIT_SEED_LEN, hex);
	json_set_i64(result, "seq", (int64_t)seq);
	json_set_text(result, "seed", hex);
	crypto_wipe(hex, sizeof(hex));
	call_answer(call, result);
}

/* The record of it is the log's own, written with the change of keys. */
void method_audit_seed(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_SEED);
	(void)params;
	int r = audit_seed(call_parts(call)->audit, &record, on_seed, call);
	if (r != 0)
		call_fail_errno(call, r < 0 ? r : -EAGAIN, "a new seed");
}

/* A whole anchor: BODY.SIGNATURE.SIGNATURE (docs/spec/audit.md section 7). */
static void set_checkpoint(struct json *object, const struct audit_checkpoint *checkpoint)
{
	enum { SIGNATURE_CAP = BASE64URL_CAP(SIGN_LEN) };
	char text[BASE64URL_CAP(AUDIT_CHECKPOINT_MAX) + 2 * SIGNATURE_CAP + 2], signature[SIGNATURE_CAP];
	base64url_print(checkpoint->body, checkpoint->len, text, sizeof(text));
	signature[0] = 0;
	if (checkpoint->has_a)
		base64url_print(checkpoint->signature_a, SIGN_LEN, signature, sizeof(signature));
	text_append(text, sizeof(text), ".%s", signature);
	signature[0] = 0;
	if (checkpoint->has_b)
		base64url_print(checkpoint->signature_b, SIGN_LEN, signature, sizeof(signature));
	text_append(text, sizeof(text), ".%s", signature);
	json_set_text(object, "checkpoint", text);
}

/* In the form that gatewayd-audit-verify --proof reads. */
static void on_proof(void *ctx, int r, const struct audit_checkpoint *checkpoint, const uint8_t leaf[CRYPTO_HASH_LEN],
		     const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n)
{
	struct call *call = ctx;
	const struct json *params = json_get(call_request(call), "params");
	char hex[2 * CRYPTO_HASH_LEN + 1];
	if (r == -ENOENT || r == -ERANGE || r == -EINVAL) {
		call_fail(call, RESULT_NOT_FOUND, "no checkpoint covers that many records yet, or there is no such record");
		return;
	}
	if (r != 0) {
		call_fail_errno(call, r, "a proof");
		return;
	}
	struct json *result = json_new_object(), *list = json_new_array();
	json_set_text(result, "proof", leaf ? "inclusion" : "consistency");
	if (leaf) {
		json_set_i64(result, "seq", param_i64(params, "seq", 0));
		hex_print(leaf, CRYPTO_HASH_LEN, hex);
		json_set_text(result, "leaf", hex);
	} else {
		json_set_i64(result, "size", param_i64(params, "size", 0));
		json_set_text(result, "root", json_get_text(params, "root"));
	}
	for (size_t i = 0; i < n; i++) {
		hex_print(path[i], CRYPTO_HASH_LEN, hex);
		json_push_text(list, hex);
	}
	json_set(result, "path", list);
	set_checkpoint(result, checkpoint);
	struct audit_record record = call_record(call, AUDIT_READ);
	record.object = leaf ? "proof of a record" : "proof of a beginning";
	call_append_answer(call, &record, result);
}

void method_audit_prove(struct call *call, const struct json *params)
{
	int r = audit_prove(call_parts(call)->audit, (uint64_t)param_i64(params, "seq", 0), on_proof, call);
	if (r != 0)
		on_proof(call, r < 0 ? r : -EAGAIN, NULL, NULL, NULL, 0);
}

void method_audit_consistency(struct call *call, const struct json *params)
{
	uint8_t root[CRYPTO_HASH_LEN];
	const char *text = json_get_text(params, "root");
	if (hex_parse(text, strlen(text), root, sizeof(root)) != 0) {
		call_field(call, "root");
		call_fail(call, RESULT_BAD_VALUE, "a root has 64 hex digits, as the anchor has it");
		return;
	}
	int r = audit_prove_consistency(call_parts(call)->audit, (uint64_t)param_i64(params, "size", 0), on_proof, call);
	if (r != 0)
		on_proof(call, r < 0 ? r : -EAGAIN, NULL, NULL, NULL, 0);
}
