/* A window and what comes through it. The window opens with a code of the one who opens it, made and used here in one step; then, on
 * a terminal, we stay and say how each device fares until the window closes or the keyboard says so. What is printed on a
 * device is read from a file, from standard input or from the terminal without echo: it is a secret and no word of a
 * command line.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "ctl/follow.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "sys/crypto.h"
#include "sys/host.h"

enum { SECRET_FILE_MAX = 256, TURN_S = 1, LINE_WIDTH = 40 };

/* The first line of a file. 0, or an exit code. */
static int secret_from_file(struct run *run, struct json *sent, const char *path)
{
	char *text = NULL;
	size_t len = 0;
	int r = host_read_file(path, SECRET_FILE_MAX, &text, &len);
	if (r != 0) {
		run_complain(run, "%s: %s", path, r < 0 ? strerror(-r) : "too long for what is printed on a device");
		return EXIT_REFUSED;
	}
	text[strcspn(text, "\r\n")] = '\0';
	json_set_text(sent, "secret", text);
	crypto_wipe(text, len);
	free(text);
	return 0;
}

static int take_secret(struct run *run, struct json *sent, const char *from)
{
	bool before = run->password_stdin;
	int r;
	if (!from)
		return 0;
	if (strcmp(from, "ask") != 0 && strcmp(from, "-") != 0)
		return secret_from_file(run, sent, from);
	run->password_stdin = before || strcmp(from, "-") == 0;
	r = run_ask_into(run, sent, "secret", "What is printed on the device", false);
	run->password_stdin = before;
	return r;
}

static void take_code(struct json *sent, struct json *code)
{
	const char *text = json_get_text(code, "code");
	json_set_text(sent, "code", text);
	if (text)
		crypto_wipe((char *)(uintptr_t)text, strlen(text));
	json_free(code);
}

/* --- following ----------------------------------------------------------------------------------------------------------- */

/* Ctrl-C is waited for like any other thing that may come: no handler. */
static bool keyboard_says_stop(const sigset_t *signals)
{
	const struct timespec turn = { .tv_sec = TURN_S };
	return sigtimedwait(signals, NULL, &turn) > 0;
}

static void put_countdown(struct run *run, int64_t left_s)
{
	char text[LINE_WIDTH];
	text_print(text, sizeof(text), "%lld:%02lld left, Ctrl-C ends", (long long)(left_s / 60), (long long)(left_s % 60));
	fprintf(run->out, "\r%-*s", LINE_WIDTH - 1, text);
	fflush(run->out);
}

static void clear_countdown(struct run *run)
{
	fprintf(run->out, "\r%*s\r", LINE_WIDTH - 1, "");
}

/* What is new; *ret_left: how long the window is still open. 0, or an exit code. */
static int look(struct run *run, struct follow *follow, const char *adapter, bool terminal, bool is_new, int64_t *ret_left)
{
	struct json *status = NULL;
	char *text = NULL;
	size_t len = 0;
	int r = run_call(run, "join.status", NULL, &status);
	if (r != 0)
		return r;
	const struct json *item = follow_adapter(status, adapter);
	if (is_new)
		follow_past(follow, item);
	FILE *lines = open_memstream(&text, &len);
	if (!lines)
		abort();
	size_t n = follow_say(follow, lines, item);
	fclose(lines);
	if (n && run->json) {
		char *line = NULL;
		if (json_print(item, &line, NULL) == 0)
			fprintf(run->out, "%s\n", line);
		free(line);
	} else if (n) {
		if (terminal)
			clear_countdown(run);
		fputs(text, run->out);
	}
	fflush(run->out);
	crypto_wipe(text, len);
	free(text);
	*ret_left = follow_left_s(item);
	json_free(status);
	return 0;
}

/* Until the window closes. opened: Ctrl-C closes it. */
static int follow_window(struct run *run, const char *adapter, bool opened)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	bool terminal = !run->json && isatty(fileno(run->out)) == 1, stop = false, is_new = opened;
	sigset_t signals, before;
	int64_t left = 0;
	int r = 0;
	if (!follow)
		abort();
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &before);
	for (; !stop && (r = look(run, follow, adapter, terminal, is_new, &left)) == 0 && left; is_new = false) {
		if (terminal)
			put_countdown(run, left);
		stop = keyboard_says_stop(&signals);
	}
	if (terminal)
		clear_countdown(run);
	if (stop && opened) {
		struct json *params = json_new_object(), *result = NULL;
		json_set_text(params, "adapter", adapter);
		r = run_call(run, "join.close", params, &result);
		json_free(result);
	}
	if (r == 0 && !run->json && !stop && follow->n_said == 0)
		fputs("No device was heard. Is it near, has it power, and was it reset, so that it looks for a network? Its manual says how.\n", run->out);
	if (r == 0 && !run->json && (opened || !stop))
		fputs("The window is closed. What waits for you: gatewayctl claim list\n", run->out);
	sigprocmask(SIG_SETMASK, &before, NULL);
	crypto_wipe(follow, sizeof(*follow));
	free(follow);
	return r;
}

int perform_join(struct run *run, const struct command *command, struct json *params)
{
	static const char *const keys[] = { "adapter", "seconds", "address" };
	struct json *code = NULL, *sent = json_new_object(), *result = NULL;
	char adapter[64];
	bool follow = !run->json && isatty(fileno(run->out)) == 1;
	text_copy(adapter, sizeof(adapter), json_get_text(params, "adapter"));
	(void)json_to_bool(json_get(params, "follow"), &follow);
	for (size_t i = 0; i < N_ELEMENTS(keys); i++)
		if (json_get(params, keys[i]))
			json_set(sent, keys[i], json_copy(json_get(params, keys[i])));
	int r = take_secret(run, sent, json_get_text(params, "secret"));
	json_free(params);
	if (r == 0)
		r = run_call(run, "bind.code", NULL, &code);
	if (r != 0) {
		json_free(sent);
		return r;
	}
	take_code(sent, code);
	r = run_call(run, command->method, sent, &result);
	if (r != 0)
		return r;
	run_show(run, command, result);
	json_free(result);
	if (!run->json)
		fputs(follow ? "Let the device join now.\n" : "Let the device join now; then: gatewayctl claim list\n", run->out);
	return follow ? follow_window(run, adapter, true) : 0;
}

int perform_join_follow(struct run *run, const struct command *command, struct json *params)
{
	char adapter[64];
	(void)command;
	text_copy(adapter, sizeof(adapter), json_get_text(params, "adapter"));
	json_free(params);
	return follow_window(run, adapter, false);
}

int perform_press(struct run *run, const struct command *command, struct json *params)
{
	enum { SECONDS = 30 };
	int64_t seconds = SECONDS;
	(void)json_to_i64(json_get(params, "seconds"), &seconds);
	json_set_i64(params, "seconds", seconds);
	if (!run->json)
		fprintf(run->err, "Press a button on the device, switch it or open it, within %lld s; once more if nothing happens.\n",
			(long long)seconds);
	return run_command(run, command, params);
}
