/* The gateway as a whole: its backups, its end, and (in a process of its own, without a loop) its making out of a backup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "app_internal.h"
#include "base/text.h"
#include "custody/backup.h"
#include "custody/erase.h"
#include "custody/restore.h"
#include "custody/ring.h"
#include "spool/spool.h"
#include "sys/crypto.h"
#include "sys/log.h"

static void on_over(void *ctx)
{
	struct app *app = ctx;

	log_notice("erased: stopping");
	loop_stop(app->loop);
}

int app_make_backup(struct app *app)
{
	const struct backup_options backup = { .loop = app->loop, .store = app->store, .db = app->gateway_db, .audit = app->audit, .vault = app->vault,
					       .pages = ring_pages(app->ring), .folder = app->conf->state_dir, .suite = app_suite(app->conf) };
	const struct erase_options erase = { .loop = app->loop, .store = app->store, .db = app->gateway_db, .audit = app->audit, .vault = app->vault,
					     .folder = app->conf->state_dir, .suite = app_suite(app->conf), .over = on_over, .ctx = app };
	int r = backup_new(&backup, &app->backup);

	if (r == 0)
		r = backup_load(app->backup);
	return r == 0 ? erase_new(&erase, &app->erase) : r;
}

void app_close_backup(struct app *app)
{
	app->backup = backup_close(app->backup);
	app->erased = app_is_erased(app);
	app->erase = erase_close(app->erase);
}

bool app_is_erased(const struct app *app)
{
	return app->erase && erase_is_over(app->erase);
}

int app_end_erasure(struct app *app)
{
	enum key_source source;
	const char *path = NULL;
	int r;

	if (!erase_is_pending(app->conf->state_dir))
		return 0;
	if (app_find_source(app, &source, &path) != 0 || source != KEY_SOURCE_FILE)
		path = NULL;
	r = erase_files(app->conf->state_dir, path);
	if (r != 0)
		log_error("not everything that was erased could be removed", log_text("folder", app->conf->state_dir), log_err(r));
	else
		log_notice("what was left of an erased gateway is gone", log_text("folder", app->conf->state_dir));
	return r;
}

/* --- a gateway out of a backup ------------------------------------------------------------------------------------------ */

/* One line of standard input; typed blindly where somebody types. */
static int ask_passphrase(struct secret **ret)
{
	struct termios seen, blind;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &seen) == 0;
	char line[256];

	if (terminal) {
		blind = seen;
		blind.c_lflag &= ~(tcflag_t)ECHO;
		fputs("Passphrase of the new keystore: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &blind);
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	const char *got = fgets(line, sizeof(line), stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
		fputc('\n', stderr);
	}
	if (!got)
		return -ENODATA;
	line[strcspn(line, "\r\n")] = '\0';
	int r = line[0] ? secret_new(line, strlen(line), ret) : -ENODATA;
	crypto_wipe(line, sizeof(line));
	return r;
}

/* This process was not started by the service manager, but the gateway will be: then it opens its keystore with that file. */
static bool find_credential(const struct conf *conf, const struct app_restore *what, char *ret, size_t cap)
{
	const char *slash = strrchr(what->config, '/');

	if (what->credential)
		return text_copy(ret, cap, what->credential);
	return !getenv("CREDENTIALS_DIRECTORY") && slash && !conf->vault_key_file &&
	       (conf->vault_source == SOURCE_AUTO || conf->vault_source == SOURCE_CREDENTIAL) &&
	       text_print(ret, cap, "%.*s/kek.key", (int)(slash - what->config), what->config) && access(ret, F_OK) == 0;
}

static int restore_with(struct app *app, const struct app_restore *what, struct secret **passphrase, char *error, size_t error_cap,
			struct restore_result *ret)
{
	const struct conf *conf = app->conf;
	struct vault_options vault = { .folder = conf->state_dir, .suite = app_suite(conf), .mem_kib = conf->password_mem_kib,
				       .passes = conf->password_passes, .now_s = time(NULL), .age_max_s = (int64_t)conf->vault_rotate_days * 86400 };
	char beside[512];
	int r = 0;

	if (find_credential(conf, what, beside, sizeof(beside))) {
		vault.source = KEY_SOURCE_CREDENTIAL;
		vault.path = beside;
	} else {
		r = app_find_source(app, &vault.source, &vault.path);
	}
	if (r != 0) {
		text_print(error, error_cap, "vault.source: the service manager handed over no credential");
		return r;
	}
	if (vault.source == KEY_SOURCE_PASSPHRASE)
		r = ask_passphrase(passphrase);
	if (r != 0) {
		text_print(error, error_cap, "vault.source is passphrase: it is read from standard input, and there was none");
		return r;
	}
	vault.passphrase = *passphrase;
	r = app_gateway_schema(app);
	if (r != 0)
		return r;
	const struct db_options gateway = { .sync = DB_SYNC_EXTRA, .migrations = app->migrations, .n_migrations = N_ELEMENTS(app->migrations) };
	const struct db_options spool = { .sync = DB_SYNC_NORMAL, .migrations = spool_migrations, .n_migrations = spool_n_migrations };
	const struct restore_options options = { .parcel = what->parcel, .key_file = what->key_file, .vault = vault, .gateway = &gateway, .spool = &spool };
	return restore_run(&options, error, error_cap, ret);
}

int app_restore(const struct app_restore *what, struct conf *conf, FILE *out, char *error, size_t error_cap)
{
	struct app *app = calloc(1, sizeof(*app));
	struct secret *passphrase = NULL;
	struct restore_result result;
	int r = -ENOMEM;

	error[0] = '\0';
	if (app) {
		app->conf = conf;
		r = restore_with(app, what, &passphrase, error, error_cap, &result);
		free(app->schema);
		free(app);
	}
	if (r == 0)
		fprintf(out,
			"Restored gateway %s as it was at %s (gatewayd %s): %u files, %llu bytes, into %s.\n"
			"Nobody is logged in. Links take no commands until an owner says that this state is meant: gatewayctl freshness confirm\n",
			result.gateway, result.made, result.version, result.files, (unsigned long long)result.bytes, conf->state_dir);
	else if (!error[0])
		text_print(error, error_cap, "%s", r < 0 ? strerror(-r) : "refused");
	secret_free(passphrase);
	conf_free(conf);
	return r;
}
