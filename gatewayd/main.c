/* gatewayd: reads its settings, makes the app, turns the loop until it is told to stop. Everything else is below. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app.h"
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/heap.h"
#include "sys/host.h"
#include "sys/log.h"

#if defined(__SANITIZE_ADDRESS__)
/* The leak check at exit starts a process, which the fence forbids; leaks are looked for where there is no fence, in the flow tests. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

enum { OPT_CHECK = 256, OPT_SHOW, OPT_MAN, OPT_BOOT_ID, OPT_NO_FENCE, OPT_RESTORE, OPT_RECOVERY_KEY, OPT_CREDENTIAL, ERROR_MAX = 8192 };
enum { EXIT_ERASED = 3 /* the service manager is not to start it again */ };

struct run {
	struct loop *loop;
	struct app *app;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },        { "check-config", no_argument, NULL, OPT_CHECK },
	{ "show-config", no_argument, NULL, OPT_SHOW },    { "man-config", no_argument, NULL, OPT_MAN },
	{ "boot-id", required_argument, NULL, OPT_BOOT_ID }, { "no-fence", no_argument, NULL, OPT_NO_FENCE },
	{ "restore", required_argument, NULL, OPT_RESTORE }, { "recovery-key", required_argument, NULL, OPT_RECOVERY_KEY },
	{ "credential", required_argument, NULL, OPT_CREDENTIAL },
	{ "version", no_argument, NULL, 'V' },             { "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(FILE *out, int code)
{
	fputs("usage: gatewayd [--config FILE] [--check-config | --show-config | --man-config]\n"
	      "                [--boot-id ID] [--no-fence] [--version]\n"
	      "       gatewayd [--config FILE] --restore BACKUP --recovery-key FILE [--credential FILE]\n",
	      out);
	return code;
}

static void on_stop(void *ctx, int signum)
{
	struct run *run = ctx;
	(void)signum;
	(void)!host_notify("STOPPING=1");
	loop_stop(run->loop);
}

static void on_reload(void *ctx, int signum)
{
	struct run *run = ctx;
	char error[ERROR_MAX];
	(void)signum;
	if (app_reload(run->app, error, sizeof(error)) == 0)
		log_notice("settings applied");
	else
		log_error("settings refused, nothing changed", log_text("why", error));
}

static int run_core(const struct app_options *options, struct conf *conf)
{
	struct run run = { 0 };
	char error[ERROR_MAX] = "the event loop";
	int r = loop_new(&run.loop);
	if (r != 0)
		conf_free(conf);
	else
		r = app_new(run.loop, options, conf, error, sizeof(error), &run.app);
	if (r == 0)
		r = loop_on_signal(run.loop, SIGTERM, on_stop, &run);
	if (r == 0)
		r = loop_on_signal(run.loop, SIGINT, on_stop, &run);
	if (r == 0)
		r = loop_on_signal(run.loop, SIGHUP, on_reload, &run);
	if (r == 0)
		r = app_start(run.app, error, sizeof(error));
	if (r == 0) {
		log_notice("serving", log_text("version", GW_VERSION));
		r = loop_run(run.loop);
	} else {
		log_error("could not start", log_text("why", error), log_err(r));
	}
	bool erased = run.app && app_is_erased(run.app);
	app_close(run.app);
	if (run.loop)
		loop_free(run.loop);
	return r != 0 ? EXIT_FAILURE : erased ? EXIT_ERASED : EXIT_SUCCESS;
}

/* By its place: what an argument is worth before the call beside it was made is nobody's promise. */
static int print_text(int r, char **text)
{
	if (r == 0)
		fputs(*text, stdout);
	free(*text);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_restore(const struct app_restore *restore, struct conf *conf)
{
	char error[ERROR_MAX];
	int r = app_restore(restore, conf, stdout, error, sizeof(error));
	if (r == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "gatewayd: nothing was restored: %s\n", error);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct app_restore restore = { 0 };
	struct app_options options = { .config = "/etc/gatewayd/gatewayd.yaml", .fence = true };
	char errors[ERROR_MAX], *text = NULL;
	struct conf *conf;
	int mode = 0, c;

	heap_init();
	while ((c = getopt_long(argc, argv, "c:Vh", long_options, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == OPT_BOOT_ID)
			options.boot_id = optarg;
		else if (c == OPT_NO_FENCE)
			options.fence = false;
		else if (c == OPT_RESTORE)
			restore.parcel = optarg;
		else if (c == OPT_RECOVERY_KEY)
			restore.key_file = optarg;
		else if (c == OPT_CREDENTIAL)
			restore.credential = optarg;
		else if (c == 'h')
			return usage(stdout, EXIT_SUCCESS);
		else if (c == '?')
			return usage(stderr, 2);
		else
			mode = c;
	}
	if (optind != argc || !restore.parcel != !restore.key_file || (restore.credential && !restore.parcel))
		return usage(stderr, 2);
	if (mode == 'V') {
		puts("gatewayd " GW_VERSION);
		return EXIT_SUCCESS;
	}
	if (mode == OPT_MAN)
		return print_text(conf_man(&text), &text);
	/* A peer that went, a file system that is full: errors to be handled, not ends. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	log_open(LOG_INFO);
	int r = crypto_init();
	if (r == 0)
		r = conf_load(options.config, errors, sizeof(errors), &conf);
	if (r != 0) {
		fputs(r < 0 ? strerror(-r) : errors, stderr);
		fputc('\n', stderr);
		return 2;
	}
	log_open(conf->log_level);
	if (mode == OPT_CHECK || mode == OPT_SHOW) {
		int code = EXIT_SUCCESS;
		if (mode == OPT_SHOW)
			code = print_text(conf_show(conf, &text), &text);
		conf_free(conf);
		return code;
	}
	restore.config = options.config;
	return restore.parcel ? run_restore(&restore, conf) : run_core(&options, conf);
}
