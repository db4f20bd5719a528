/* A word is word=value when the command has such an option, else it is the next parameter in order. */
#include <float.h>
#include <string.h>
#include "base/text.h"
#include "ctl/arguments.h"

static const struct command_arg *option_of(const struct command *command, const char *word, const char **ret_value)
{
	const char *equals = strchr(word, '=');
	for (size_t i = 0; equals && i < command->n_args; i++) {
		const struct command_arg *arg = &command->args[i];
		size_t len = strlen(arg->word);
		if (arg->place == ARG_OPTION && len == (size_t)(equals - word) && strncmp(word, arg->word, len) == 0) {
			*ret_value = equals + 1;
			return arg;
		}
	}
	return NULL;
}

static const struct command_arg *place_of(const struct command *command, size_t n)
{
	for (size_t i = 0; i < command->n_args; i++)
		if (command->args[i].place != ARG_OPTION && n-- == 0)
			return &command->args[i];
	return NULL;
}

static struct json *split(const char *text, char border)
{
	struct json *list = json_new_array();
	char part[256];
	for (;;) {
		const char *end = strchr(text, border);
		text_copy_n(part, sizeof(part), text, end ? (size_t)(end - text) : strlen(text));
		json_push_text(list, part);
		if (!end)
			return list;
		text = end + 1;
	}
}

/* DEVICE/CAPABILITY, DEVICE/ENDPOINT/CAPABILITY: no name has a slash in it. */
static bool set_point(struct json *params, const char *param, const char *text)
{
	const char *first = strchr(text, '/'), *last = strrchr(text, '/');
	char device[128], endpoint[8];
	uint32_t number = 0;
	if (!first || first == text || !last[1])
		return false;
	text_copy_n(device, sizeof(device), text, (size_t)(first - text));
	if (last != first) {
		text_copy_n(endpoint, sizeof(endpoint), first + 1, (size_t)(last - first - 1));
		if (text_to_u32(endpoint, 0, 255, &number) != 0)
			return false;
	}
	struct json *point = json_new_object();
	json_set_text(point, "device", device);
	json_set_text(point, "capability", last + 1);
	if (last != first)
		json_set_i64(point, "endpoint", number);
	json_set(params, param, point);
	return true;
}

static bool add_anchor(struct json *params, const char *param, const char *text)
{
	const char *colon = strchr(text, ':');
	char number[24];
	uint64_t seq;
	uint8_t head[32];
	if (!colon || hex_parse(colon + 1, strlen(colon + 1), head, sizeof(head)) != 0)
		return false;
	text_copy_n(number, sizeof(number), text, (size_t)(colon - text));
	if (text_to_u64(number, 1, INT64_MAX, &seq) != 0)
		return false;
	if (!json_get(params, param))
		json_set(params, param, json_new_array());
	struct json *anchor = json_new_object();
	json_set_i64(anchor, "seq", (int64_t)seq);
	json_set_text(anchor, "head", colon + 1);
	json_push(json_get(params, param), anchor);
	return true;
}

static const char *expected(enum arg_kind kind)
{
	switch (kind) {
	case ARG_NUMBER:
		return "a whole number";
	case ARG_REAL:
		return "a number";
	case ARG_FLAG:
		return "yes or no";
	case ARG_POINT:
		return "DEVICE/CAPABILITY";
	case ARG_ANCHOR:
		return "SEQ:HEAD";
	case ARG_TEXT:
	case ARG_WORDS:
	case ARG_WINDOWS:
	case ARG_VALUE:
		break;
	}
	return "UTF-8";
}

static bool set_arg(struct json *params, const struct command_arg *arg, const char *text)
{
	int64_t number;
	double real;
	if (*text && !text_is_utf8(text, strlen(text)))
		return false;
	switch (arg->kind) {
	case ARG_NUMBER:
		if (text_to_i64(text, INT64_MIN, INT64_MAX, &number) != 0)
			return false;
		json_set_i64(params, arg->param, number);
		return true;
	case ARG_REAL:
		if (text_to_f64(text, -DBL_MAX, DBL_MAX, &real) != 0)
			return false;
		json_set_f64(params, arg->param, real);
		return true;
	case ARG_FLAG:
		if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
			return false;
		json_set_bool(params, arg->param, text[0] == 'y');
		return true;
	case ARG_WORDS:
		json_set(params, arg->param, split(text, ','));
		return true;
	case ARG_WINDOWS:
		json_set(params, arg->param, split(text, ';'));
		return true;
	case ARG_POINT:
		return set_point(params, arg->param, text);
	case ARG_ANCHOR:
		return add_anchor(params, arg->param, text);
	case ARG_TEXT:
	case ARG_VALUE:
		break;
	}
	json_set_text(params, arg->param, text);
	return true;
}

int arguments_parse(const struct command *command, int argc, char *const *argv, char *error, size_t error_cap, struct json **ret)
{
	struct json *params = json_new_object();
	bool plain = false;
	size_t n = 0;

	for (int i = 0; i < argc; i++) {
		const char *value = argv[i];
		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
			continue;
		}
		const struct command_arg *arg = plain ? NULL : option_of(command, argv[i], &value);
		if (!arg)
			arg = place_of(command, n++);
		if (!arg)
			text_print(error, error_cap, "there is a word too many");
		else if (!set_arg(params, arg, value))
			text_print(error, error_cap, "%s: expected %s", arg->word, expected(arg->kind));
		else
			continue;
		json_free(params);
		return ARGUMENTS_E_USAGE;
	}
	const struct command_arg *missing = place_of(command, n);
	if (missing && missing->place == ARG_NEEDED) {
		text_print(error, error_cap, "%s is missing", missing->word);
		json_free(params);
		return ARGUMENTS_E_USAGE;
	}
	*ret = params;
	return 0;
}
