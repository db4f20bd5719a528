/* The keys' side of the app: the vault is opened before anything that is stored, its page keys go to the databases, its
 * signing keys to the audit record; and what the record has said outside is compared with what is here. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "app_internal.h"
#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "base/text.h"
#include "custody/ring.h"
#include "router/alarms.h"
#include "router/freshness.h"
#include "router/router.h"
#include "sys/db_keys.h"
#include "sys/log.h"
#include "sys/sign.h"
#include "unlock.h"
#include "vault/vault.h"

static const char credential_name[] = "gatewayd.kek";

/* auto: what the keystore is locked with; before there is one, what the service manager hands over, else the file. */
static enum key_source choose_source(const struct app *app)
{
	enum key_source source;

	switch ((enum conf_source)app->conf->vault_source) {
	case SOURCE_FILE:
		return KEY_SOURCE_FILE;
	case SOURCE_CREDENTIAL:
		return KEY_SOURCE_CREDENTIAL;
	case SOURCE_PASSPHRASE:
		return KEY_SOURCE_PASSPHRASE;
	case SOURCE_AUTO:
		break;
	}
	if (vault_source_of(app->conf->state_dir, &source) == 0)
		return source;
	return app->credential[0] ? KEY_SOURCE_CREDENTIAL : KEY_SOURCE_FILE;
}

/* Where a key-encryption key may lie. */
int app_find_source(struct app *app, enum key_source *ret, const char **ret_path)
{
	const struct conf *conf = app->conf;
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	bool fits = conf->vault_key_file ? text_copy(app->key_file, sizeof(app->key_file), conf->vault_key_file)
					 : text_print(app->key_file, sizeof(app->key_file), "%s/kek.key", conf->state_dir);

	if (!folder || !text_print(app->credential, sizeof(app->credential), "%s/%s", folder, credential_name) || access(app->credential, R_OK) != 0)
		app->credential[0] = 0;
	*ret = choose_source(app);
	*ret_path = *ret == KEY_SOURCE_CREDENTIAL ? app->credential : *ret == KEY_SOURCE_FILE ? app->key_file : NULL;
	if (*ret == KEY_SOURCE_CREDENTIAL && !app->credential[0])
		return -ENOENT;
	return fits ? 0 : -ENAMETOOLONG;
}

enum seal_suite app_suite(const struct conf *conf)
{
	return conf->vault_suite == SUITE_SM ? SEAL_SM4 : SEAL_XCHACHA;
}

int app_open_vault(struct app *app, char *error, size_t error_cap)
{
	const struct conf *conf = app->conf;
	struct vault_options options = { .folder = conf->state_dir,
					 .suite = app_suite(conf),
					 .passphrase = app->options.passphrase,
					 .mem_kib = conf->password_mem_kib,
					 .passes = conf->password_passes,
					 .now_s = loop_wall_us(app->loop) / 1000000,
					 .age_max_s = (int64_t)conf->vault_rotate_days * 86400 };
	int r = app_find_source(app, &options.source, &options.path);

	if (r < 0) {
		text_print(error, error_cap, "vault.source: the service manager handed over no credential %s", credential_name);
		return r;
	}
	r = unlock_vault(app->loop, conf->run_dir, conf->door_mode, &options, error, error_cap, &app->wrong_passphrases, &app->vault);
	if (r != 0)
		return r;
	const struct ring_options ring = { .vault = app->vault, .folder = conf->state_dir, .suite = app_suite(conf) };
	return ring_new(&ring, &app->ring);
}

static void on_key(void *ctx, const struct vault_key_info *info)
{
	struct app *app = ctx;
	struct device_id none = { { 0 } };
	struct alarms *alarms = router_alarms(app->router);
	char object[64], detail[160];

	/* By purpose, so that its successor, which is not worn, clears it. */
	text_print(object, sizeof(object), "%s key", key_purpose_name(info->purpose));
	text_print(detail, sizeof(detail), "key %u has reached its age or its uses: gatewayctl key rotate %s", info->id,
		   key_purpose_name(info->purpose));
	if (info->worn)
		alarms_raise(alarms, ALARM_KEY_WORN, none, object, detail);
	else
		alarms_clear(alarms, ALARM_KEY_WORN, none, object);
}

static const struct custody_ops custody_ops = { .key = on_key };

int app_make_custody(struct app *app)
{
	const struct conf *conf = app->conf;
	const struct custody_options options = {
		.loop = app->loop,
		.store = app->store,
		.db = app->gateway_db,
		.audit = app->audit,
		.vault = app->vault,
		.ring = app->ring,
		.folder = conf->state_dir,
		.suite = app_suite(conf),
		.key_file = app->key_file,
		.credential = app->credential[0] ? app->credential : NULL,
		.mem_kib = conf->password_mem_kib,
		.passes = conf->password_passes,
		.ops = &custody_ops,
		.ctx = app,
	};
	int r = custody_new(&options, &app->custody);

	return r == 0 ? custody_load(app->custody) : r;
}

void app_close_vault(struct app *app)
{
	app->ring = ring_free(app->ring);
	app->vault = vault_close(app->vault);
}

void app_look_at_vault(struct app *app)
{
	struct db_keys_stats stats = db_keys_stats(ring_pages(app->ring));
	struct alarms *alarms = router_alarms(app->router);
	struct device_id none = { { 0 } };
	char detail[160];

	if (vault_fell_back(app->vault))
		alarms_raise(alarms, ALARM_STORE_DAMAGED, none, "keystore", "keystore.bin did not open; the one before it did");
	if (stats.refused == app->pages_refused && stats.lost_frames == app->frames_lost)
		return;
	app->pages_refused = stats.refused;
	app->frames_lost = stats.lost_frames;
	text_print(detail, sizeof(detail), "%llu pages did not open and %llu that were written are lost, the last at byte %lld of %s",
		   (unsigned long long)stats.refused, (unsigned long long)stats.lost_frames, (long long)stats.last_offset, stats.last_file);
	alarms_raise(alarms, ALARM_STORE_DAMAGED, none, stats.last_file, detail);
}

/* --- starts ----------------------------------------------------------------------------------------------------------- */

/* The daemon's starts are counted in the keystore and in gateway.db, the keystore first: so at a start they are equal, or the keystore is
 * one ahead because the last start was cut between the two. Anything else is two files of different age. */
int app_count_start(struct app *app, uint64_t in_db, uint64_t *ret)
{
	uint64_t in_vault = vault_starts(app->vault), next;

	if (in_db != in_vault && in_db + 1 != in_vault)
		text_print(app->doubt, sizeof(app->doubt), "gateway.db knows of %llu starts and the keystore of %llu", (unsigned long long)in_db,
			   (unsigned long long)in_vault);
	next = in_db + 1 == in_vault ? in_vault : (in_db > in_vault ? in_db : in_vault) + 1;
	*ret = next;
	return next == in_vault ? 0 : vault_set_starts(app->vault, next);
}

/* --- outside ---------------------------------------------------------------------------------------------------------- */

static void signatures_print(const struct audit_checkpoint *c, char *ret, size_t cap)
{
	char a[BASE64URL_CAP(SIGN_LEN)] = "", b[BASE64URL_CAP(SIGN_LEN)] = "";

	if (c->has_a)
		base64url_print(c->signature_a, SIGN_LEN, a, sizeof(a));
	if (c->has_b)
		base64url_print(c->signature_b, SIGN_LEN, b, sizeof(b));
	text_print(ret, cap, "%s.%s", a, b);
}

static bool signature_parse(const char *text, size_t len, bool *ret_has, uint8_t ret[SIGN_LEN])
{
	size_t n = 0;

	*ret_has = len > 0;
	return !len || (base64url_parse(text, len, ret, SIGN_LEN, &n) == 0 && n == SIGN_LEN);
}

static void to_syslog(struct app *app, const struct audit_checkpoint *c)
{
	enum { LOG_ID_AT = 12, LOG_ID_LEN = 16 }; /* of a checkpoint's body: docs/spec/audit.md, section 7 */
	char line[512], root[2 * CRYPTO_HASH_LEN + 1], head[2 * CRYPTO_HASH_LEN + 1], log[2 * LOG_ID_LEN + 1];
	int r;

	hex_print(c->root, sizeof(c->root), root);
	hex_print(c->head, sizeof(c->head), head);
	hex_print(c->body + LOG_ID_AT, LOG_ID_LEN, log);
	text_print(line, sizeof(line), "audit checkpoint %llu size %llu root %s head %s log %s", (unsigned long long)c->number,
		   (unsigned long long)c->size, root, head, log);
	r = app->conf->audit_syslog ? host_syslog(app->conf->audit_syslog, LOG_NOTICE, "gatewayd", line) : 0;
	/* Said once: a home without a system log is no reason for a line a minute. */
	if (r != 0 && !app->syslog_failed)
		log_warn("the system's log does not take the record's points", log_text("path", app->conf->audit_syslog), log_err(r));
	app->syslog_failed = r != 0;
}

void app_on_checkpoint(void *ctx, const struct audit_checkpoint *checkpoint)
{
	struct app *app = ctx;
	char signatures[2 * BASE64URL_CAP(SIGN_LEN) + 2];

	if (app->custody)
		custody_count_checkpoint(app->custody);
	signatures_print(checkpoint, signatures, sizeof(signatures));
	app->point = (struct freshness_point){ checkpoint->number, checkpoint->size, vault_starts(app->vault) };
	router_anchor(app->router, checkpoint->body, checkpoint->len, signatures);
	to_syslog(app, checkpoint);
}

/* Every key that ever signed here, but those that others may have. */
static size_t signing_keys(const struct app *app, struct audit_public *ret, size_t max)
{
	struct vault_key_info rows[KEYSTORE_KEYS_MAX];
	size_t n_rows = vault_list(app->vault, 0, rows, N_ELEMENTS(rows)), n = 0;

	for (size_t i = 0; i < n_rows && n < max; i++)
		if ((rows[i].purpose == KEY_SIGN || rows[i].purpose == KEY_SIGN_SM2) && rows[i].state != KEY_PREACTIVE &&
		    rows[i].state != KEY_COMPROMISED && rows[i].state != KEY_DESTROYED)
			ret[n++] = (struct audit_public){ .id = rows[i].id, .key = rows[i].public };
	return n;
}

static int read_anchor(void *ctx, const void *body, size_t len, const char *text, struct freshness_point *ret)
{
	struct app *app = ctx;
	struct audit_public keys[KEYSTORE_KEYS_MAX];
	uint8_t a[SIGN_LEN], b[SIGN_LEN];
	struct checkpoint checkpoint;
	const char *dot = strchr(text, '.');
	bool has_a, has_b;

	if (!dot || !signature_parse(text, (size_t)(dot - text), &has_a, a) || !signature_parse(dot + 1, strlen(dot + 1), &has_b, b) ||
	    checkpoint_decode(body, len, &checkpoint) != 0)
		return 1;
	const struct checkpoint_signatures signatures = { { a, has_a ? SIGN_LEN : 0 }, { b, has_b ? SIGN_LEN : 0 } };
	if (checkpoint_check_signatures(&checkpoint, body, len, &signatures, keys, signing_keys(app, keys, N_ELEMENTS(keys))))
		return 1;
	*ret = (struct freshness_point){ checkpoint.number, checkpoint.tree.size, checkpoint.starts };
	return 0;
}

static struct freshness_point here(void *ctx)
{
	return ((struct app *)ctx)->point;
}

static int knows(void *ctx, uint64_t number, const void *body, size_t len, void (*fn)(void *ctx, int r), void *fn_ctx)
{
	return audit_knows(((struct app *)ctx)->audit, number, body, len, fn, fn_ctx);
}

static void on_said(void *ctx, int r)
{
	(void)ctx;
	if (r != 0)
		log_warn("the record's newest point could not be told outside", log_err(r));
}

void app_say_point(void *ctx)
{
	struct app *app = ctx;
	int r = audit_checkpoint_now(app->audit, on_said, app);

	if (r != 0)
		on_said(app, r);
}

const struct freshness_ops app_freshness_ops = { read_anchor, here, knows, app_say_point };
