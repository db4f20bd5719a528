/* What a person asks a radio. Long texts come and go in pieces; a backup is written for its owner alone and over nothing that is there,
 * because what is in it opens the network.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/parts.h"
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "sys/crypto.h"
#include "sys/host.h"

enum { TEXT_MAX = 262144, TEXT_DEPTH = 16, PART = 4096 };

/* The whole of an answer. 0, or an exit code. */
static int fetch(struct run *run, const char *method, struct json *params, struct parts *ret)
{
	struct json *result = NULL;
	int r = run_call(run, method, params, &result);
	*ret = (struct parts){ .max = TEXT_MAX + 1 };
	while (r == 0) {
		const char *text = json_get_text(result, "text");
		int64_t more = 0;
		if (text && parts_add(ret, text, strlen(text)) != 0)
			abort();
		if (text)
			crypto_wipe((char *)(uintptr_t)text, strlen(text));
		if (!json_to_i64(json_get(result, "more"), &more))
			break;
		result = json_free(result);
		params = json_new_object();
		json_set_i64(params, "more", more);
		r = run_call(run, "radio.more", params, &result);
	}
	json_free(result);
	if (r != 0)
		parts_wipe(ret);
	return r;
}

/* radio info, radio map */
int perform_radio_ask(struct run *run, const struct command *command, struct json *params)
{
	struct parts text;
	struct json *answer = NULL;
	int r = fetch(run, command->method, params, &text);
	if (r != 0)
		return r;
	if (json_parse(text.data, text.len, TEXT_MAX, TEXT_DEPTH, NULL, 0, &answer) != 0) {
		run_complain(run, "the radio's answer cannot be read");
		r = EXIT_REFUSED;
	} else {
		run_show(run, command, answer);
	}
	json_free(answer);
	parts_wipe(&text);
	return r;
}

static struct json *only_adapter(struct json *params)
{
	struct json *sent = json_new_object();
	json_set_text(sent, "adapter", json_get_text(params, "adapter"));
	return sent;
}

/* What is told becomes the text that the plugin reads. */
int perform_radio_group(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = only_adapter(params), *data = json_new_object();
	static const char *const keys[] = { "id", "name", "members" };
	char *text = NULL;
	bool remove = false;
	(void)json_to_bool(json_get(params, "remove"), &remove);
	for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
		if (json_get(params, keys[i]))
			json_set(data, keys[i], json_copy(json_get(params, keys[i])));
	}
	if (remove)
		json_set(data, "members", json_new_array());
	json_free(params);
	int r = json_print(data, &text, NULL);
	json_free(data);
	if (r != 0) {
		json_free(sent);
		return EXIT_REFUSED;
	}
	json_set_text(sent, "data", text);
	free(text);
	return perform_radio_ask(run, command, sent);
}

static int write_new(const char *path, const struct parts *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), r;
	if (fd < 0)
		return -errno;
	r = host_write_fd(fd, text->data, text->len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r != 0)
		unlink(path);
	return r;
}

int perform_radio_backup(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = only_adapter(params);
	struct parts text;
	char path[512];
	bool force = false;
	text_copy(path, sizeof(path), json_get_text(params, "file"));
	(void)json_to_bool(json_get(params, "force"), &force);
	json_free(params);
	if (!force && access(path, F_OK) == 0) {
		run_complain(run, "%s is there already: another name, or force=yes", path);
		json_free(sent);
		return EXIT_REFUSED;
	}
	int r = run_ask_into(run, sent, "password", "Your password again", false);
	if (r != 0) {
		json_free(sent);
		return r;
	}
	r = fetch(run, command->method, sent, &text);
	if (r != 0)
		return r;
	r = force ? host_write_file(path, 0600, text.data, text.len) : write_new(path, &text);
	if (r != 0)
		run_complain(run, "%s: %s", path, strerror(-r));
	else if (!run->json)
		fprintf(run->err, "The network with its keys is in %s, %zu bytes. Keep it like a key.\n", path, text.len);
	parts_wipe(&text);
	return r == 0 ? EXIT_FINE : EXIT_REFUSED;
}

/* --- what cannot be taken back ------------------------------------------------------------------------------------------- */

/* 0, or an exit code. */
static int are_you_sure(struct run *run, const struct json *params, const char *what)
{
	char typed[ASK_LEN_MAX];
	bool sure = false;
	(void)json_to_bool(json_get(params, "sure"), &sure); /* is for here, not for the gateway */
	if (sure)
		return 0;
	fprintf(run->err, "%s\n", what);
	int r = ask_word("Type yes to go on", run->password_stdin, typed);
	if (r == 0 && text_equal(typed, "yes"))
		return 0;
	run_complain(run, "%s", r == -ENXIO ? "there is no terminal to ask at: use --password-stdin or sure=yes" : "nothing was changed");
	return EXIT_REFUSED;
}

/* All but the last part; the last stands in sent. 0, or an exit code. */
static int send_parts(struct run *run, const char *method, const char *text, size_t len, struct json *sent)
{
	char part[PART + 1];
	int r = 0;
	for (size_t at = 0; r == 0;) {
		size_t n = len - at < PART ? len - at : PART;
		/* Not in the middle of a character. */
		while (at + n < len && n > 1 && ((unsigned char)text[at + n] & 0xc0) == 0x80)
			n--;
		text_copy_n(part, sizeof(part), text + at, n);
		at += n;
		if (at == len) {
			json_set_text(sent, "data", part);
			break;
		}
		struct json *params = only_adapter(sent), *result = NULL;
		json_set_text(params, "data", part);
		json_set_bool(params, "more", true);
		r = run_call(run, method, params, &result);
		json_free(result);
	}
	crypto_wipe(part, sizeof(part));
	return r;
}

static int restore_text(struct run *run, const struct command *command, const char *text, size_t len, struct json *sent)
{
	int r = run_ask_into(run, sent, "password", "Your password again", false);
	if (r == 0)
		r = send_parts(run, command->method, text, len, sent);
	if (r != 0) {
		json_free(sent);
		return r;
	}
	r = run_command(run, command, sent);
	if (r == 0 && !run->json)
		fputs("Restored.\n", run->out);
	return r;
}

int perform_radio_restore(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = only_adapter(params);
	const char *path = json_get_text(params, "file");
	char *text = NULL;
	size_t len = 0;
	int r = host_read_file(path, TEXT_MAX, &text, &len);
	if (r == 0 && (!len || !text_is_utf8(text, len)))
		r = -EINVAL;
	if (r != 0) {
		run_complain(run, "%s: %s", path, r > 0 ? "too large for a backup" : r == -EINVAL ? "is no backup of a radio" : strerror(-r));
		r = EXIT_REFUSED;
	} else {
		r = are_you_sure(run, params, "What is on the stick and what was known of its network is replaced. Devices that are not in the backup have to join anew.");
	}
	if (r == 0)
		r = restore_text(run, command, text, len, STEAL(sent));
	json_free(sent);
	json_free(params);
	if (text)
		crypto_wipe(text, len);
	free(text);
	return r;
}

int perform_radio_form(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = only_adapter(params);
	int r = are_you_sure(run, params, "A new network begins: every device of the old one has to join anew.");
	if (json_get(params, "channel"))
		json_set(sent, "channel", json_copy(json_get(params, "channel")));
	json_free(params);
	if (r == 0)
		return perform_again(run, command, sent);
	json_free(sent);
	return r;
}

int perform_radio_adopt(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = only_adapter(params);
	int r = are_you_sure(run, params, "The network that is on the stick becomes this gateway's; whoever else has its key hears it, too.");
	json_free(params);
	if (r == 0)
		return run_command(run, command, sent);
	json_free(sent);
	return r;
}
