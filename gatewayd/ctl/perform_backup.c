/* A person's side of backups and of a gateway's end: the recovery key is made here and its private half stays here; a receipt is
 * saved here and can be checked when there is no gateway any more.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "sys/box.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "vault/receipt.h"

static const char confirm_word[] = "erase";

/* New, of one's own, on the disk; never in the place of something. */
static int write_new(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), r;
	if (fd < 0)
		return -errno;
	r = host_write_fd(fd, text, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r != 0)
		unlink(path);
	return r;
}

static int make_pair(const char *path, enum box_kind kind, char public_text[BOX_KEY_TEXT_MAX])
{
	char text[BOX_KEY_TEXT_MAX + 1];
	struct secret *secret = NULL;
	struct box_public public;
	int r = box_pair_new(kind, &public, &secret);
	if (r != 0)
		return r;
	box_public_print(&public, public_text);
	box_secret_print(kind, secret, text);
	secret_free(secret);
	text_append(text, sizeof(text), "\n");
	r = write_new(path, text, strlen(text));
	crypto_wipe(text, sizeof(text));
	return r;
}

int perform_recovery_new(struct run *run, const struct command *command, struct json *params)
{
	char path[512], public[BOX_KEY_TEXT_MAX];
	bool sm2 = false;
	(void)command;
	text_copy(path, sizeof(path), json_get_text(params, "file"));
	(void)json_to_bool(json_get(params, "sm2"), &sm2);
	json_free(params);
	int r = make_pair(path, sm2 ? BOX_SM2 : BOX_X25519, public);
	if (r != 0) {
		run_complain(run, "%s: %s", path, r == -EEXIST ? "is there already; a key is never written over" : strerror(r < 0 ? -r : EIO));
		return EXIT_REFUSED;
	}
	if (run->json)
		fprintf(run->out, "{\"key\": \"%s\"}\n", public);
	else
		fprintf(run->out, "%s\n", public);
	fprintf(run->err, "The private half is in %s. Keep it away from the gateway: whoever has it reads every backup, and without it none opens.\n"
			  "Then: gatewayctl recovery-key set %s\n", path, public);
	return EXIT_FINE;
}

/* --- the end of a gateway ----------------------------------------------------------------------------------------------- */

static int confirm(struct run *run)
{
	char typed[ASK_LEN_MAX];
	fputs("Every key of this gateway is destroyed, and all that it stored with them: devices, users, rules, the record. Nothing\n"
	      "brings it back but a backup with its recovery key. Backups and exports elsewhere are not touched.\n", run->err);
	int r = ask_word("Type the word erase to go on", run->password_stdin, typed);
	if (r == 0 && text_equal(typed, confirm_word))
		return 0;
	run_complain(run, "%s", r == -ENXIO ? "there is no terminal to ask at: use --password-stdin" : "nothing was erased");
	return EXIT_REFUSED;
}

static void receipt_path(const struct json *params, char *ret, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	if (json_get_text(params, "receipt"))
		text_copy(ret, cap, json_get_text(params, "receipt"));
	else
		strftime(ret, cap, "erased-%Y%m%d-%H%M%S.receipt", &tm);
}

int perform_erase(struct run *run, const struct command *command, struct json *params)
{
	struct json *sent = json_new_object(), *result = NULL;
	char path[512];
	receipt_path(params, path, sizeof(path));
	json_free(params);
	/* Before anything is destroyed: a receipt that cannot be saved is noticed now. */
	int r = access(path, F_OK) == 0 ? -EEXIST : write_new(path, "", 0);
	if (r != 0) {
		run_complain(run, "%s: %s", path, strerror(-r));
		json_free(sent);
		return EXIT_REFUSED;
	}
	unlink(path);
	json_set_text(sent, "confirm", confirm_word);
	r = confirm(run);
	if (r == 0)
		r = run_ask_into(run, sent, "password", "Your password again", false);
	if (r != 0) {
		json_free(sent);
		return r;
	}
	r = run_call(run, command->method, sent, &result);
	if (r != 0)
		return r;
	const char *receipt = json_get_text(result, "receipt");
	r = receipt ? write_new(path, receipt, strlen(receipt)) : -EIO;
	fputs(receipt ? receipt : "", run->out);
	if (r != 0)
		run_complain(run, "%s: %s: save what is shown above", path, strerror(-r));
	else
		fprintf(run->err, "Erased. The receipt is in %s; gatewayctl receipt check %s\n"
				  "Where the service manager hands the gateway its key (/etc/gatewayd/kek.key), destroy that file, too: a gateway may not.\n",
			path, path);
	json_free(result);
	return r == 0 ? EXIT_FINE : EXIT_REFUSED;
}

int perform_receipt_check(struct run *run, const struct command *command, struct json *params)
{
	struct receipt_signers signers;
	char path[512], key[SIGN_TEXT_MAX], *text = NULL;
	size_t len = 0;
	(void)command;
	text_copy(path, sizeof(path), json_get_text(params, "file"));
	json_free(params);
	int r = host_read_file(path, RECEIPT_MAX, &text, &len);
	if (r != 0) {
		run_complain(run, "%s: %s", path, r < 0 ? strerror(-r) : "too large for a receipt");
		return EXIT_REFUSED;
	}
	r = receipt_check(text, len, &signers);
	free(text);
	if (r != 0) {
		run_complain(run, "%s: %s", path,
			     r == RECEIPT_E_SIGNATURE ? "a signature does not hold: it was changed" : "not a receipt, or not a whole one");
		return EXIT_REFUSED;
	}
	fputs("The receipt is whole, and signed by:\n", run->out);
	for (unsigned i = 0; i < signers.n; i++) {
		sign_public_print(&signers.keys[i], key);
		fprintf(run->out, "%s\n", key);
	}
	fputs("Whose keys these are, an export, an anchor or `audit keys` of that gateway tells, if somebody kept one.\n", run->out);
	return EXIT_FINE;
}
