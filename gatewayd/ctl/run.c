/* From words to an exit code. What went wrong is said once, on standard error, in one line. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/arguments.h"
#include "ctl/plain.h"
#include "ctl/run.h"
#include "sys/crypto.h"

void run_complain(struct run *run, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fputs("gatewayctl: ", run->err);
	plain_put(run->err, text);
	fputc('\n', run->err);
}

/* The gateway said no. */
static int refused(struct run *run, const struct json *error)
{
	const char *code = json_get_text(error, "code"), *message = json_get_text(error, "message"), *field = json_get_text(error, "field");
	char rule[32] = "";
	int64_t number;
	if (json_to_i64(json_get(error, "rule"), &number))
		text_print(rule, sizeof(rule), " (rule %lld)", (long long)number);
	run_complain(run, "%s%s%s: %s%s", code ? code : "refused", field ? " at " : "", field ? field : "", message ? message : "-", rule);
	if (run->json) {
		char *text = NULL;
		if (json_print(error, &text, NULL) == 0)
			fprintf(run->out, "%s\n", text);
		free(text);
	}
	if (!text_equal(code, "no-session"))
		return EXIT_REFUSED;
	/* A session that is over is of no more use. */
	if (client_token(run->client) && run->token_path[0])
		keep_remove(run->token_path);
	return EXIT_NO_SESSION;
}

int run_call(struct run *run, const char *method, struct json *params, struct json **ret)
{
	struct json *answer = NULL;
	int r = client_call(run->client, method, params, &answer), exit_code;
	switch (r) {
	case 0:
		*ret = answer;
		return 0;
	case CLIENT_E_REFUSED:
		exit_code = refused(run, answer);
		json_free(answer);
		return exit_code;
	case CLIENT_E_LATE:
		run_complain(run, "the gateway does not answer");
		return EXIT_UNREACHABLE;
	default:
		run_complain(run, "the gateway closed the connection");
		return EXIT_UNREACHABLE;
	}
}

void run_show(struct run *run, const struct command *command, const struct json *result)
{
	char *text = NULL;
	if (run->json && json_print(result, &text, NULL) == 0)
		fprintf(run->out, "%s\n", text);
	else if (!run->json && command->show)
		command->show(run->out, result);
	free(text);
}

enum { PAGES = 1000 };

/* Goes on with the list where the answer's budget ended. */
static int more_pages(struct run *run, const struct command *command, const struct json *params, struct json *result)
{
	struct json *list = json_get(result, command->pages);
	struct json *next = json_copy(json_get(result, "next"));
	int r = 0;
	for (int page = 0; r == 0 && json_kind(next) != JSON_NULL && page < PAGES; page++) {
		struct json *more = NULL, *again = json_copy(params);
		json_set(again, "after", next);
		next = NULL;
		r = run_call(run, command->method, again, &more);
		if (r != 0)
			break;
		const struct json *rows = json_get(more, command->pages);
		for (size_t i = 0; i < json_len(rows); i++)
			json_push(list, json_copy(json_at(rows, i)));
		next = json_get(more, "next") ? json_copy(json_get(more, "next")) : NULL;
		json_free(more);
	}
	json_free(next);
	json_set_null(result, "next");
	return r;
}

int run_command(struct run *run, const struct command *command, struct json *params)
{
	struct json *result = NULL, *kept = command->pages ? json_copy(params) : NULL;
	int r = run_call(run, command->method, params, &result);
	if (r == 0 && command->pages)
		r = more_pages(run, command, kept, result);
	if (r == 0)
		run_show(run, command, result);
	json_free(result);
	json_free(kept);
	return r;
}

static void load_token(struct run *run)
{
	char token[KEEP_TOKEN_MAX];
	if (run->token_path[0] && keep_read(run->token_path, token) == 0) {
		client_set_token(run->client, token);
		crypto_wipe(token, sizeof(token));
	}
}

static int connect_door(struct run *run)
{
	int r = client_new(run->socket, &run->client);
	if (r == -ENOENT || r == -ECONNREFUSED)
		run_complain(run, "no gateway answers at %s: is gatewayd running?", run->socket);
	else if (r == -EACCES)
		run_complain(run, "you may not knock at %s: your user is not in its group", run->socket);
	else if (r != 0)
		run_complain(run, "%s: %s", run->socket, strerror(-r));
	return r == 0 ? 0 : EXIT_UNREACHABLE;
}

int run_main(struct run *run, int argc, char *const *argv)
{
	char error[200], usage[400];
	struct json *params = NULL;
	int n_words = 0;
	const struct command *command = command_find(argc, argv, &n_words);
	if (!command) {
		run_complain(run, "there is no such command: gatewayctl --help lists them");
		return EXIT_USAGE;
	}
	if (arguments_parse(command, argc - n_words, argv + n_words, error, sizeof(error), &params) != 0) {
		command_usage(command, usage, sizeof(usage));
		run_complain(run, "%s", error);
		run_complain(run, "usage: gatewayctl %s", usage);
		return EXIT_USAGE;
	}
	if (!command->method)
		return command->perform(run, command, params);
	int r = connect_door(run);
	if (r != 0) {
		json_free(params);
		return r;
	}
	if (keep_path(run->socket, run->token_path, sizeof(run->token_path)) != 0)
		run->token_path[0] = 0;
	load_token(run);
	r = command->perform ? command->perform(run, command, params) : run_command(run, command, params);
	run->client = client_free(run->client);
	return r;
}
