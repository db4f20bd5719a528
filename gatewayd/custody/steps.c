/* The table of verbs: what each does to the vault, on the writer thread, and how at a start it is known whether it had been
 * done when it was cut off. Each step is one durable write of the keystore, or a few that a later start can go on from.
 */
#include <assert.h>
#include <string.h>
#include "base/bytes.h"
#include "base/text.h"
#include "custody/inside.h"
#include "custody/rotate.h"
#include "sys/crypto.h"

/* --- steps, on the writer thread ---------------------------------------------------------------------------------------- */

static int step_create(struct verb *verb)
{
	int r = vault_create(verb->custody->options.vault, verb->order.purpose, verb->now_s, &verb->id);
	if (r == 0)
		text_copy(verb->detail, sizeof(verb->detail), "made, not in use yet");
	return r == -ENOSPC && custody_is_full(verb->custody) ? CUSTODY_E_FULL : r;
}

static int step_activate(struct verb *verb)
{
	struct custody *custody = verb->custody;
	if (verb->order.purpose == KEY_DB && !ring_has_room(custody->options.ring))
		return CUSTODY_E_FULL;
	int r = vault_activate(custody->options.vault, verb->id, verb->now_s);
	if (r == 0 && verb->order.purpose == KEY_DB)
		r = ring_turn_pages(custody->options.ring);
	if (r == 0)
		text_print(verb->detail, sizeof(verb->detail), "active; key %u before it is deactivated", verb->before);
	return r;
}

/* The active one only where another waits: the vault puts it in its place in the same write. */
static int step_disable(struct verb *verb)
{
	struct custody *custody = verb->custody;
	if (verb->order.purpose == KEY_DB && !ring_has_room(custody->options.ring))
		return CUSTODY_E_FULL;
	int r = vault_deactivate(custody->options.vault, verb->id, verb->now_s);
	if (r == 0 && verb->order.purpose == KEY_DB)
		r = ring_turn_pages(custody->options.ring);
	if (r == 0)
		text_print(verb->detail, sizeof(verb->detail), "deactivated; key %u is active",
			   vault_active(custody->options.vault, verb->order.purpose));
	return r;
}

/* What was sealed with it is sealed anew, as in a rotation; with one that was never in use nothing was. */
static int step_compromise(struct verb *verb)
{
	struct custody *custody = verb->custody;
	struct vault_key_info info;
	if (!custody_key(custody, verb->id, &info))
		return VAULT_E_UNKNOWN;
	if (info.state != KEY_PREACTIVE)
		return rotate_turn(verb);
	int r = vault_compromise(custody->options.vault, verb->id, verb->now_s);
	if (r == 0)
		text_copy(verb->detail, sizeof(verb->detail), "marked as known to somebody else");
	return r;
}

/* What a key has sealed is lost with it: so nothing may be left that carries it. */
static int step_destroy(struct verb *verb)
{
	struct custody *custody = verb->custody;
	struct vault_key_info info;
	if (!custody_key(custody, verb->id, &info))
		return VAULT_E_UNKNOWN;
	if (info.state != KEY_PREACTIVE && key_may_become(info.state, KEY_DESTROYED)) {
		int r = rotate_is_carried(custody, &info);
		if (r != 0)
			return r;
	}
	int r = vault_destroy(custody->options.vault, verb->id, verb->now_s);
	if (r == 0 && info.purpose == KEY_DB)
		(void)!db_keys_drop(ring_pages(custody->options.ring), verb->id); /* a preactive one is not in there */
	if (r == 0)
		text_copy(verb->detail, sizeof(verb->detail), "destroyed");
	return r;
}

/* "GWKEY1", purpose, suite, id, gateway's id, key: 60 bytes, sealed to the recipient (docs/spec/door.md "Keys"). */
enum { LETTER_LEN = 6 + 1 + 1 + 4 + 16 + KEYSTORE_SECRET_LEN };
_Static_assert((int)LETTER_LEN <= (int)BOX_TEXT_MAX, "a letter fits into a box");

static int step_distribute(struct verb *verb)
{
	struct custody *custody = verb->custody;
	uint8_t letter[LETTER_LEN], sealed[BOX_SEALED_MAX];
	const uint8_t *key;
	size_t len;
	struct vault_key_info info;
	if (!custody_key(custody, verb->id, &info))
		return VAULT_E_UNKNOWN;
	if (info.purpose != KEY_FILES && info.purpose != KEY_DEVICES)
		return CUSTODY_E_KEPT;
	if (custody->options.suite == SEAL_SM4 && verb->to.kind != BOX_SM2)
		return CUSTODY_E_SUITE;
	int r = vault_key(custody->options.vault, verb->id, &key);
	if (r != 0)
		return r;
	struct writer w = writer_over(letter, sizeof(letter));
	put_bytes(&w, "GWKEY1", 6);
	put_u8(&w, (uint8_t)info.purpose);
	put_u8(&w, info.suite);
	put_u32(&w, info.id);
	put_bytes(&w, vault_gateway_id(custody->options.vault), 16);
	put_bytes(&w, key, KEYSTORE_SECRET_LEN);
	assert(!w.bad && writer_len(&w) == sizeof(letter));
	r = box_seal(&verb->to, letter, sizeof(letter), sealed, &len);
	crypto_wipe(letter, sizeof(letter));
	if (r != 0)
		return r;
	text_copy(verb->text, sizeof(verb->text), "gw-sealed-key:");
	base64url_print(sealed, len, verb->text + strlen(verb->text), sizeof(verb->text) - strlen(verb->text));
	char to[BOX_KEY_TEXT_MAX];
	box_public_print(&verb->to, to);
	text_print(verb->detail, sizeof(verb->detail), "sealed to %s", to);
	return 0;
}
_Static_assert((int)CUSTODY_TEXT_MAX >= 14 + (int)BASE64URL_CAP(BOX_SEALED_MAX), "a sealed letter fits as text");

static int step_source(struct verb *verb)
{
	static const char *const names[KEY_SOURCES] = { [KEY_SOURCE_FILE] = "a file", [KEY_SOURCE_CREDENTIAL] = "a credential of the service manager",
							[KEY_SOURCE_PASSPHRASE] = "a passphrase" };
	const struct custody *custody = verb->custody;
	const struct custody_options *o = &custody->options;
	struct vault_options options = { .folder = custody->folder, .suite = o->suite, .source = verb->order.source, .passphrase = verb->passphrase,
					 .mem_kib = o->mem_kib, .passes = o->passes, .now_s = verb->now_s };
	if (options.source == KEY_SOURCE_FILE)
		options.path = custody->key_file;
	if (options.source == KEY_SOURCE_CREDENTIAL)
		options.path = custody->credential;
	if (options.source != KEY_SOURCE_PASSPHRASE && !options.path)
		return -ENOENT;
	if (options.source == KEY_SOURCE_PASSPHRASE && !options.passphrase)
		return VAULT_E_LOCKED;
	int r = vault_rewrap(o->vault, &options);
	if (r == 0)
		text_print(verb->detail, sizeof(verb->detail), "the keystore opens with %s from now on", names[options.source]);
	return r;
}

/* --- what a cut left, on the loop --------------------------------------------------------------------------------------- */

static enum found found_create(struct verb *verb)
{
	uint32_t newest = custody_highest(verb->custody, verb->order.purpose);
	if (newest <= verb->highest)
		return FOUND_UNDONE;
	verb->id = newest;
	return FOUND_DONE;
}

static enum found found_state(struct verb *verb, enum key_state reached)
{
	struct vault_key_info info;
	return custody_key(verb->custody, verb->id, &info) && info.state >= reached ? FOUND_DONE : FOUND_UNDONE;
}

static enum found found_activate(struct verb *verb)
{
	return found_state(verb, KEY_ACTIVE);
}

static enum found found_disable(struct verb *verb)
{
	return found_state(verb, KEY_DEACTIVATED);
}

static enum found found_rotate(struct verb *verb)
{
	return custody_highest(verb->custody, verb->order.purpose) > verb->highest ? FOUND_HALF : FOUND_UNDONE;
}

/* What it had sealed may be there still. */
static enum found found_compromise(struct verb *verb)
{
	struct vault_key_info info;
	if (custody_key(verb->custody, verb->id, &info) && info.state == KEY_COMPROMISED)
		return FOUND_HALF;
	return found_state(verb, KEY_COMPROMISED);
}

static enum found found_destroy(struct verb *verb)
{
	return found_state(verb, KEY_DESTROYED);
}

static enum found found_unknown(struct verb *verb)
{
	(void)verb;
	return FOUND_UNKNOWN;
}

static const struct verb_row rows[CUSTODY_VERBS] = {
	[CUSTODY_CREATE] = { "key.create", AUDIT_KEY_CREATE, true, step_create, found_create },
	[CUSTODY_ACTIVATE] = { "key.activate", AUDIT_KEY_ACTIVATE, true, step_activate, found_activate },
	[CUSTODY_DISABLE] = { "key.disable", AUDIT_KEY_DISABLE, true, step_disable, found_disable },
	[CUSTODY_COMPROMISE] = { "key.compromise", AUDIT_KEY_COMPROMISE, true, step_compromise, found_compromise },
	[CUSTODY_DESTROY] = { "key.destroy", AUDIT_KEY_DESTROY, true, step_destroy, found_destroy },
	[CUSTODY_ROTATE] = { "key.rotate", AUDIT_KEY_ROTATE, true, rotate_turn, found_rotate },
	[CUSTODY_DISTRIBUTE] = { "key.distribute", AUDIT_KEY_DISTRIBUTE, false, step_distribute, found_unknown },
	[CUSTODY_SOURCE] = { "key.source", AUDIT_KEY_SOURCE, true, step_source, found_unknown },
};


const struct verb_row *verb_row(enum custody_verb verb)
{
	return verb > 0 && verb < CUSTODY_VERBS ? &rows[verb] : NULL;
}
