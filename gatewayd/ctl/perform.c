/* A secret never stands on the command line, so whoever needs one asks for it here. Values get the type that the core tells
 * of the capability: "on" is true for a lamp and a word for a text. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "ctl/show.h"
#include "model/value.h"
#include "sys/crypto.h"

/* Asks for it and puts it into params. 0, or an exit code. */
int run_ask_into(struct run *run, struct json *params, const char *key, const char *prompt, bool twice)
{
	char secret[ASK_LEN_MAX];
	int r = ask_secret(prompt, run->password_stdin, twice, secret);
	if (r == 0) {
		json_set_text(params, key, secret);
		crypto_wipe(secret, sizeof(secret));
		return 0;
	}
	run_complain(run, "%s",
		     r == ASK_E_DIFFERENT ? "the two are different" :
		     r == ASK_E_LONG	  ? "that is too long" :
		     r == ASK_E_CANCELLED ? "cancelled" :
		     r == -ENXIO	  ? "there is no terminal to ask at: use --password-stdin" :
					    "the terminal does not work");
	return EXIT_REFUSED;
}

/* setup, recovery, user add */
int perform_new_password(struct run *run, const struct command *command, struct json *params)
{
	int r = run_ask_into(run, params, "password", "New password", true);
	if (r == 0)
		return run_command(run, command, params);
	json_free(params);
	return r;
}

static int own_name(struct run *run, struct json **ret)
{
	struct json *sessions = NULL;
	int r = run_call(run, "session.list", NULL, &sessions);
	if (r != 0)
		return r;
	*ret = json_new_object();
	const struct json *list = json_get(sessions, "sessions");
	for (size_t i = 0; i < json_len(list); i++) {
		bool this = false;
		if (json_to_bool(json_get(json_at(list, i), "this"), &this) && this)
			json_set_text(*ret, "user", json_get_text(json_at(list, i), "user"));
	}
	json_free(sessions);
	return 0;
}

int perform_password(struct run *run, const struct command *command, struct json *params)
{
	struct json *own = NULL;
	int r = own_name(run, &own);
	bool mine = r == 0 && text_equal(json_get_text(own, "user"), json_get_text(params, "user"));
	json_free(own);
	if (r == 0 && mine)
		r = run_ask_into(run, params, "old", "Old password", false);
	if (r == 0)
		r = run_ask_into(run, params, "password", "New password", true);
	if (r != 0) {
		json_free(params);
		return r;
	}
	r = run_command(run, command, params);
	/* It ended the sessions of that user. */
	if (r == 0 && mine && run->token_path[0]) {
		keep_remove(run->token_path);
		fprintf(run->err, "Log in again with the new password.\n");
	}
	return r;
}

int perform_login(struct run *run, const struct command *command, struct json *params)
{
	struct json *result = NULL, *told = json_new_object();
	int r = run->token_path[0] ? 0 : EXIT_REFUSED;
	if (r != 0)
		run_complain(run, "there is no folder of yours to keep a session in");
	if (r == 0)
		r = run_ask_into(run, params, "password", "Password", false);
	if (r == 0)
		r = run_call(run, command->method, STEAL(params), &result);
	json_free(params);
	if (r == 0 && keep_write(run->token_path, json_get_text(result, "token")) != 0) {
		run_complain(run, "the session cannot be kept at %s", run->token_path);
		r = EXIT_REFUSED;
	}
	if (r == 0) {
		static const char *const keys[] = { "user", "role", "number", "idle_s", "ends_in_s" };
		for (size_t i = 0; i < N_ELEMENTS(keys); i++)
			json_set(told, keys[i], json_copy(json_get(result, keys[i])));
		if (!run->json)
			fprintf(run->out, "You are %s, %s.\n", json_get_text(told, "user"), json_get_text(told, "role"));
		run_show(run, command, told);
	}
	const char *token = json_get_text(result, "token");
	if (token)
		crypto_wipe((char *)(uintptr_t)token, strlen(token));
	json_free(result);
	json_free(told);
	return r;
}

int perform_logout(struct run *run, const struct command *command, struct json *params)
{
	int r = run_command(run, command, params);
	if (run->token_path[0] && r != EXIT_UNREACHABLE)
		keep_remove(run->token_path);
	return r == EXIT_NO_SESSION ? EXIT_FINE : r; /* it was over already */
}

static enum value_type type_of(const char *word)
{
	static const char *const words[VALUE_TYPES] = { [VALUE_NONE] = "none", [VALUE_BOOL] = "bool", [VALUE_INT] = "int",
							[VALUE_REAL] = "real", [VALUE_TEXT] = "text", [VALUE_BYTES] = "bytes" };
	for (int i = 0; i < VALUE_TYPES; i++)
		if (text_equal(words[i], word))
			return (enum value_type)i;
	return VALUE_NONE;
}

/* The core tells; VALUE_NONE when it does not, because the asker may not know. *ret: 0 or an exit code. */
static enum value_type ask_type(struct run *run, const struct json *point, int *ret)
{
	struct json *params = json_new_object(), *device = NULL;
	enum value_type type = VALUE_NONE;
	int64_t endpoint = 0, at = 0;
	json_set_text(params, "device", json_get_text(point, "device"));
	*ret = run_call(run, "device.get", params, &device);
	if (*ret != 0)
		return VALUE_NONE;
	(void)json_to_i64(json_get(point, "endpoint"), &endpoint);
	const struct json *caps = json_get(device, "capabilities");
	for (size_t i = 0; i < json_len(caps) && type == VALUE_NONE; i++) {
		const struct json *cap = json_at(caps, i);
		(void)json_to_i64(json_get(cap, "endpoint"), &at);
		if (text_equal(json_get_text(cap, "name"), json_get_text(point, "capability")) && (endpoint == 0 || at == endpoint))
			type = type_of(json_get_text(cap, "type"));
	}
	json_free(device);
	return type;
}

static void set_value(struct json *params, const char *key, const struct value *value)
{
	if (value->type == VALUE_BOOL)
		json_set_bool(params, key, value->b);
	else if (value->type == VALUE_INT)
		json_set_i64(params, key, value->i);
	else if (value->type == VALUE_REAL)
		json_set_f64(params, key, value->f);
}

/* params' text at key becomes a value of the type of point's capability. 0, or an exit code. */
static int type_value(struct run *run, const struct json *point, struct json *params, const char *key)
{
	static const enum value_type guesses[] = { VALUE_BOOL, VALUE_INT, VALUE_REAL };
	const char *text = json_get_text(params, key);
	struct value value = { .type = VALUE_NONE };
	int r = 0;
	if (!text || strcmp(text, "toggle") == 0)
		return 0;
	enum value_type type = ask_type(run, point, &r);
	if (r != 0 || type == VALUE_TEXT)
		return r;
	if (type == VALUE_NONE)
		for (size_t i = 0; i < N_ELEMENTS(guesses) && value.type == VALUE_NONE; i++)
			(void)!value_parse(guesses[i], text, &value);
	else if (value_parse(type, text, &value) != 0) {
		run_complain(run, "bad-value at %s: %s", key, type == VALUE_BOOL ? "expected on or off" : "expected a number");
		return EXIT_REFUSED;
	}
	set_value(params, key, &value);
	return 0;
}

int perform_set(struct run *run, const struct command *command, struct json *params)
{
	int r = type_value(run, params, params, "value");
	if (r == 0)
		return run_command(run, command, params);
	json_free(params);
	return r;
}

int perform_rule(struct run *run, const struct command *command, struct json *params)
{
	int r = type_value(run, json_get(params, "when"), params, "threshold");
	if (r == 0)
		r = type_value(run, json_get(params, "then"), params, "set");
	if (r == 0)
		return run_command(run, command, params);
	json_free(params);
	return r;
}

int perform_code(struct run *run, const struct command *command, struct json *params)
{
	int r = run_ask_into(run, params, "code", "Code", false);
	if (r == 0)
		return run_command(run, command, params);
	json_free(params);
	return r;
}

int perform_verify(struct run *run, const struct command *command, struct json *params)
{
	enum { TAMPERED = 1, NO_ANCHOR = 2 };
	struct json *result = NULL;
	int r = run_call(run, command->method, params, &result);
	if (r != 0)
		return r;
	run_show(run, command, result);
	const char *verdict = json_get_text(result, "verdict");
	r = text_equal(verdict, "ok") ? EXIT_FINE : text_equal(verdict, "no-anchor") ? NO_ANCHOR : TAMPERED;
	json_free(result);
	return r;
}

static bool take_event(void *ctx, const struct json *event)
{
	struct run *run = ctx;
	char *text = NULL;
	if (text_equal(json_get_text(event, "event"), "end"))
		return false;
	if (run->json && json_print(event, &text, NULL) == 0) {
		fprintf(run->out, "%s\n", text);
		fflush(run->out);
	} else {
		show_event(run->out, event);
	}
	free(text);
	return ferror(run->out) == 0;
}

int perform_events(struct run *run, const struct command *command, struct json *params)
{
	struct json *result = NULL;
	client_on_event(run->client, take_event, run);
	int r = run_call(run, command->method, params, &result);
	json_free(result);
	if (r != 0)
		return r;
	r = client_follow(run->client);
	run_complain(run, r == 0 ? "the session ended" : "the gateway closed the connection");
	return r == 0 ? EXIT_NO_SESSION : EXIT_UNREACHABLE;
}
