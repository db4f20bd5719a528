/* gatewayctl: the options before the command; all else is run.c's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/man.h"
#include "ctl/run.h"
#include "sys/crypto.h"
#include "sys/heap.h"

static const char default_socket[] = "/run/gatewayd/door.sock";

/* 0: go on. Else how it ends, less one. */
static int take_option(struct run *run, int argc, char **argv, int *at)
{
	const char *word = argv[*at];
	if (text_equal(word, "--json")) {
		run->json = true;
	} else if (text_equal(word, "--password-stdin")) {
		run->password_stdin = true;
	} else if (text_equal(word, "--socket") && *at + 1 < argc) {
		run->socket = argv[++*at];
	} else if (strncmp(word, "--socket=", 9) == 0) {
		run->socket = word + 9;
	} else if (text_equal(word, "--help")) {
		man_help(stdout);
		return 1 + EXIT_FINE;
	} else if (text_equal(word, "--man")) {
		man_print(stdout);
		return 1 + EXIT_FINE;
	} else if (text_equal(word, "--version")) {
		puts("gatewayctl " GW_VERSION);
		return 1 + EXIT_FINE;
	} else {
		run_complain(run, "there is no option %s: gatewayctl --help", word);
		return 1 + EXIT_USAGE;
	}
	return 0;
}

/* Options may stand anywhere before "--"; what is left are the command's words. 0, or how it ends, less one. */
static int take_options(struct run *run, int argc, char **argv, int *ret_n)
{
	int n = 0, r = 0;
	for (int at = 1; at < argc && r == 0; at++) {
		if (text_equal(argv[at], "--")) {
			while (at < argc)
				argv[n++] = argv[at++];
		} else if (strncmp(argv[at], "--", 2) == 0) {
			r = take_option(run, argc, argv, &at);
		} else {
			argv[n++] = argv[at];
		}
	}
	*ret_n = n;
	return r;
}

int main(int argc, char **argv)
{
	const char *named = getenv("GATEWAYCTL_SOCKET");
	struct run run = { .out = stdout, .err = stderr, .socket = named && named[0] ? named : default_socket };
	int n = 0;

	heap_init();
	signal(SIGPIPE, SIG_IGN);
	if (crypto_init() != 0) {
		run_complain(&run, "no random numbers are to be had");
		return EXIT_REFUSED;
	}
	int r = take_options(&run, argc, argv, &n);
	if (r != 0)
		return r - 1;
	if (n == 0) {
		man_help(stderr);
		return EXIT_USAGE;
	}
	r = run_main(&run, n, argv);
	return fflush(stdout) == 0 || r != 0 ? r : EXIT_REFUSED;
}
