/* Commands on keys that want something of a person first: the password again, a passphrase, a second look before something is
 * gone for good. And unlocking, which speaks with a core that has no door yet.
 */
#include <string.h>
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "ctl/unlock.h"
#include "sys/crypto.h"

/* key compromise, key distribute */
int perform_again(struct run *run, const struct command *command, struct json *params)
{
	int r = run_ask_into(run, params, "password", "Your password again", false);
	if (r == 0)
		return run_command(run, command, params);
	json_free(params);
	return r;
}

static int confirm(struct run *run, int64_t id)
{
	char typed[ASK_LEN_MAX], wanted[24];
	text_print(wanted, sizeof(wanted), "%lld", (long long)id);
	fprintf(run->err, "What is still sealed with key %s is lost for ever, in backups that hold it sealed as well.\n", wanted);
	int r = ask_word("Type the key's number once more to destroy it", run->password_stdin, typed);
	if (r == 0 && text_equal(typed, wanted))
		return 0;
	run_complain(run, "%s", r == -ENXIO ? "there is no terminal to ask at: use --password-stdin or sure=yes" : "not destroyed");
	return EXIT_REFUSED;
}

int perform_key_destroy(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = json_new_object();
	int64_t id = 0;
	bool sure = false;
	(void)json_to_i64(json_get(params, "id"), &id);
	(void)json_to_bool(json_get(params, "sure"), &sure); /* is for here, not for the gateway */
	json_free(params);
	json_set_i64(sent, "id", id);
	int r = sure ? 0 : confirm(run, id);
	if (r == 0)
		return perform_again(run, command, sent);
	json_free(sent);
	return r;
}

int perform_key_source(struct run *run, const struct command *command, struct json *params)
{
	int r = 0;
	if (text_equal(json_get_text(params, "source"), "passphrase"))
		r = run_ask_into(run, params, "passphrase", "New passphrase", true);
	if (r == 0)
		return perform_again(run, command, params);
	json_free(params);
	return r;
}

int perform_unlock(struct run *run, const struct command *command, struct json *params)
{
	char passphrase[ASK_LEN_MAX], path[512];
	(void)command;
	json_free(params);
	int r = ask_secret("Passphrase of the keystore", run->password_stdin, false, passphrase);
	if (r != 0) {
		run_complain(run, "%s", r == -ENXIO ? "there is no terminal to ask at: use --password-stdin" : "cancelled");
		return EXIT_REFUSED;
	}
	r = unlock_path(run->socket, path, sizeof(path)) ? unlock_send(path, passphrase) : -ENAMETOOLONG;
	crypto_wipe(passphrase, sizeof(passphrase));
	if (r == 0 && !run->json)
		fputs("Unlocked.\n", run->out);
	if (r == 0)
		return EXIT_FINE;
	if (r == UNLOCK_E_WRONG || r == UNLOCK_E_WAIT) {
		run_complain(run, "%s", r == UNLOCK_E_WRONG ? "that is not the passphrase" : "wrong too often: wait a little and try again");
		return EXIT_REFUSED;
	}
	if (r == -ENOENT || r == -ECONNREFUSED)
		run_complain(run, "nothing waits for a passphrase at %s: the gateway is unlocked, or is not running", path);
	else
		run_complain(run, "%s: %s", path, r < 0 ? strerror(-r) : "it did not open: the log of the gateway says why");
	return EXIT_UNREACHABLE;
}
