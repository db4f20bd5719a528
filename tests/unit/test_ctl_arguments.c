/* Words of the command line as a method's parameters; and the table of commands itself. */
#include "check.h"

#include "base/text.h"
#include "ctl/arguments.h"

/* words are separated by '|'. */
static int parse(const char *words, char error[200], char **ret)
{
	char copy[1024], *argv[32];
	int argc = 0, n = 0;
	struct json *params = NULL;
	text_copy(copy, sizeof(copy), words);
	for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
		argv[argc++] = word;
	const struct command *command = command_find(argc, argv, &n);
	assert_non_null(command);
	error[0] = 0;
	int r = arguments_parse(command, argc - n, argv + n, error, 200, &params);
	if (r == 0) {
		check_ok(json_print(params, ret, NULL));
		json_free(params);
	}
	return r;
}

static void words(void **state)
{
	static const struct { const char *words, *params; } rows[] = {
		{ "status", "{}" },
		{ "device|set|lamp|on-off|on", "{\"device\":\"lamp\",\"capability\":\"on-off\",\"value\":\"on\"}" },
		{ "device|set|endpoint=2|lamp|on-off|on", "{\"endpoint\":2,\"device\":\"lamp\",\"capability\":\"on-off\",\"value\":\"on\"}" },
		{ "device|rename|a|--|endpoint=2", "{\"device\":\"a\",\"name\":\"endpoint=2\"}" },
		{ "device|rename|a|room=b", "{\"device\":\"a\",\"name\":\"room=b\"}" }, /* it has no such option */
		{ "device|list|room=Hall|retired=yes", "{\"room\":\"Hall\",\"retired\":true}" },
		{ "diagnose", "{}" },
		{ "diagnose|lamp", "{\"device\":\"lamp\"}" },
		{ "audit|tail|last=5", "{\"n\":5}" },
		{ "policy|add|allow|link:cloud|*|actions=read,observe|windows=mon 07:00-08:00;sun 09:00-10:00",
		  "{\"effect\":\"allow\",\"who\":\"link:cloud\",\"what\":\"*\",\"actions\":[\"read\",\"observe\"],"
		  "\"windows\":[\"mon 07:00-08:00\",\"sun 09:00-10:00\"]}" },
		{ "rule|add|n|above|when=s/temperature|threshold=25|hysteresis=0.5|then=f/2/on-off|set=on",
		  "{\"name\":\"n\",\"trigger\":\"above\",\"when\":{\"device\":\"s\",\"capability\":\"temperature\"},\"threshold\":\"25\",\"hysteresis\":0.5,"
		  "\"then\":{\"device\":\"f\",\"capability\":\"on-off\",\"endpoint\":2},\"set\":\"on\"}" },
		{ "spool", "{}" },
		{ "broker|client|remove|shed", "{\"name\":\"shed\"}" },
	};
	char error[200], *params;
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_ok(parse(rows[i].words, error, &params));
		check_text(params, rows[i].params);
		free(params);
	}
}

static void anchors(void **state)
{
	char error[200], *params = NULL, text[300];
	char head[65];
	(void)state;
	memset(head, 'a', 64);
	head[64] = 0;
	text_print(text, sizeof(text), "audit|verify|anchor=7:%s|anchor=9:%s", head, head);
	check_ok(parse(text, error, &params));
	check_true(strncmp(params, "{\"anchors\":[{\"seq\":7,\"head\":\"aaaa", 33) == 0 && strstr(params, "},{\"seq\":9,"));
	free(params);
}

static void refused(void **state)
{
	static const struct { const char *words, *error; } rows[] = {
		{ "device|set|lamp|on-off", "VALUE is missing" },
		{ "status|now", "there is a word too many" },
		{ "session|end|one", "NUMBER: expected a whole number" },
		{ "device|list|retired=maybe", "retired: expected yes or no" },
		{ "rule|add|n|above|when=lamp", "when: expected DEVICE/CAPABILITY" },
		{ "rule|add|n|above|when=lamp/x/on-off", "when: expected DEVICE/CAPABILITY" },
		{ "rule|add|n|above|when=/on-off", "when: expected DEVICE/CAPABILITY" },
		{ "rule|add|n|above|hysteresis=much", "hysteresis: expected a number" },
		{ "audit|verify|anchor=7", "anchor: expected SEQ:HEAD" },
		{ "audit|verify|anchor=0:00", "anchor: expected SEQ:HEAD" },
		{ "device|show|\xff", "DEVICE: expected UTF-8" },
	};
	char error[200], *params;
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_int(parse(rows[i].words, error, &params), ARGUMENTS_E_USAGE);
		check_text(error, rows[i].error);
	}
}

static void table(void **state)
{
	const struct command *command;
	char usage[400], set[400] = "";
	(void)state;
	for (size_t i = 0; (command = command_at(i)); i++) {
		bool more = false;
		check_true((command->method ? command->method[0] : command->perform != NULL) && command->help[0] && command->n_args <= COMMAND_ARGS_MAX);
		command_usage(command, usage, sizeof(usage));
		check_true(strncmp(usage, command->words, strlen(command->words)) == 0 && strlen(usage) < sizeof(usage) - 1);
		if (strcmp(command->words, "device set") == 0)
			text_copy(set, sizeof(set), usage);
		for (size_t k = 0; k < command->n_args; k++) {
			const struct command_arg *arg = &command->args[k];
			/* Behind a word that may be missing none is needed; no secret is ever a word. */
			check_true(!(more && arg->place == ARG_NEEDED));
			more |= arg->place == ARG_MORE;
			check_true(strcmp(arg->param, "password") != 0 && strcmp(arg->param, "code") != 0 && strcmp(arg->param, "token") != 0);
		}
	}
	check_text(set, "device set DEVICE CAPABILITY VALUE [endpoint=...] [id=...]");
}

static void found_by_most_words(void **state)
{
	char broker[] = "broker", client[] = "client", add[] = "add", other[] = "other";
	char *const argv[] = { broker, client, add, other };
	int n = 0;
	(void)state;
	check_text(command_find(4, argv, &n)->words, "broker client add");
	check_int(n, 3);
	check_true(command_find(2, argv, &n) == NULL && command_find(0, argv, &n) == NULL);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(words), cmocka_unit_test(anchors), cmocka_unit_test(refused), cmocka_unit_test(table),
					   cmocka_unit_test(found_by_most_words) };
	return CHECK_RUN(rows);
}
