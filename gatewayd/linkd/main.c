/* gatewayd-link: the command line. */
#include <getopt.h>
#include <mosquitto.h>
#include <stdio.h>
#include "linkd/linkd.h"
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
	"usage: gatewayd-link NAME [--socket PATH]\n"
	"\n"
	"Connects gatewayd to one MQTT broker as the link NAME, behind a fence.\n"
	"  --socket PATH  the core's socket (default /run/gatewayd/wire.sock)\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	const char *socket = "/run/gatewayd/wire.sock";
	int c, code;

	heap_init();
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 's') {
			socket = optarg;
		} else if (c == 'V') {
			puts("gatewayd-link " GW_VERSION);
			return 0;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	log_open(LOG_INFO);
	if (crypto_init() < 0 || mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
		log_error("no cryptography, or no MQTT library");
		return LINKD_FAULT;
	}
	code = (int)linkd_run(argv[optind], socket);
	mosquitto_lib_cleanup();
	return code;
}
