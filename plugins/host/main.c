/* gatewayd-adapter: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>
#include "host/adapter.h"
#include "host/check.h"
#include "sys/crypto.h"
#include "sys/heap.h"
#include "sys/log.h"

enum { EXIT_USAGE = 64 };

#if defined(__SANITIZE_ADDRESS__)
/* The leak check at exit starts a process, which the fence forbids. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static const char usage[] =
	"usage: gatewayd-adapter NAME [--socket PATH] [--plugin FILE] [--plugin-dir DIR]\n"
	"       gatewayd-adapter --check FILE.so [--option KEY=VALUE]...\n"
	"\n"
	"Loads one plugin behind a fence and connects it to gatewayd as the adapter NAME.\n"
	"  --socket PATH     the core's socket (default /run/gatewayd/wire.sock)\n"
	"  --plugin FILE     a packaged plugin's name or a file; else the core's option `plugin`, "
	"else NAME\n"
	"  --plugin-dir DIR  plugins and plugins.list of a build folder instead of the packaged "
	"ones\n"
	"  --check FILE.so   drive the plugin through its contract without a core and say how it "
	"did\n"
	"  --option K=V      an option for the plugin under --check\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },	{ "plugin", required_argument, NULL, 'p' },
	{ "plugin-dir", required_argument, NULL, 'd' }, { "check", required_argument, NULL, 'c' },
	{ "option", required_argument, NULL, 'o' },	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },		{ NULL, 0, NULL, 0 },
};

struct words {
	struct adapter_options adapter;
	struct check_options check;
	bool help, version;
};

static int parse(int argc, char **argv, struct words *words)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 's')
			words->adapter.socket = optarg;
		else if (c == 'p')
			words->adapter.plugin = optarg;
		else if (c == 'd')
			words->adapter.plugin_dir = optarg;
		else if (c == 'c')
			words->check.file = optarg;
		else if (c == 'h')
			words->help = true;
		else if (c == 'V')
			words->version = true;
		else if (c != 'o' || check_add_option(&words->check, optarg))
			return -EINVAL;
	}
	if (optind < argc)
		words->adapter.name = argv[optind++];
	if (words->help || words->version)
		return 0;
	if (optind < argc || !words->adapter.name == !words->check.file)
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	struct words words = { .adapter = { .socket = "/run/gatewayd/wire.sock" } };
	int r;

	heap_init();
	r = parse(argc, argv, &words);

	if (r || words.help) {
		fputs(usage, r ? stderr : stdout);
		return r ? EXIT_USAGE : 0;
	}
	if (words.version) {
		puts("gatewayd-adapter " GW_VERSION);
		return 0;
	}
	log_open(LOG_INFO);
	if (crypto_init() < 0) {
		log_error("no cryptography");
		return ADAPTER_FAULT;
	}
	r = words.check.file ? check_run(&words.check) : (int)adapter_run(&words.adapter);
	fflush(stdout);
	/* What the plugin registered to run at exit is not run: it was closed. */
	_exit(r);
}
