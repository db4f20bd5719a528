/* The table of gatewayctl's commands. docs/man/gatewayctl.1 is printed from it, and a test holds the two together. */
#include <string.h>
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/perform.h"
#include "ctl/show.h"

#define NEED(word, param, help) { word, param, ARG_TEXT, ARG_NEEDED, help }
#define MORE(word, param, help) { word, param, ARG_TEXT, ARG_MORE, help }
#define OPTION(word, param, kind, help) { word, param, kind, ARG_OPTION, help }
#define DEVICE NEED("DEVICE", "device", "its name or identity")

static const struct command_arg name_arg[] = { NEED("NAME", "name", "of the new owner") };
static const struct command_arg user_arg[] = { NEED("USER", "user", NULL) };
static const struct command_arg user_add_args[] = { NEED("NAME", "name", NULL), NEED("ROLE", "role", "owner, member, guest, installer, auditor") };
static const struct command_arg user_role_args[] = { NEED("USER", "user", NULL), NEED("ROLE", "role", NULL) };
static const struct command_arg session_arg[] = { { "NUMBER", "number", ARG_NUMBER, ARG_NEEDED, "from session list" } };
static const struct command_arg device_arg[] = { DEVICE };
static const struct command_arg diagnose_args[] = { MORE("DEVICE", "device", "without it: the gateway as a whole") };
static const struct command_arg list_args[] = { OPTION("room", "room", ARG_TEXT, "only that room"), OPTION("state", "state", ARG_TEXT, "only that state"),
						OPTION("retired", "retired", ARG_FLAG, "yes: retired ones, too") };
static const struct command_arg set_args[] = { DEVICE, NEED("CAPABILITY", "capability", "such as on-off, level, target-temperature"),
					       { "VALUE", "value", ARG_VALUE, ARG_NEEDED, "on, off, a number, a word" },
					       OPTION("endpoint", "endpoint", ARG_NUMBER, "when it has several"),
					       OPTION("id", "id", ARG_TEXT, "the same id again is not carried out twice") };
static const struct command_arg rename_args[] = { DEVICE, NEED("NAME", "name", NULL) };
static const struct command_arg room_args[] = { DEVICE, NEED("ROOM", "room", "made when it is new; \"\" takes the device out") };
static const struct command_arg move_args[] = { DEVICE, NEED("ADAPTER", "adapter", NULL) };
static const struct command_arg join_open_args[] = {
	NEED("ADAPTER", "adapter", NULL),
	OPTION("seconds", "seconds", ARG_NUMBER, "180 unless told, 600 at most"),
	OPTION("follow", "follow", ARG_FLAG, "yes: stay and say how each device fares, until the window closes; Ctrl-C closes it. So it is on a terminal unless told"),
	OPTION("address", "address", ARG_TEXT, "hex: only this device"),
	OPTION("secret", "secret", ARG_TEXT, "where what is printed on the device is read (install code, text of the square, bind key): a file, - or ask"),
};
static const struct command_arg press_args[] = { OPTION("seconds", "seconds", ARG_NUMBER, "30 unless told, 5 to 60") };
static const struct command_arg radio_backup_args[] = { NEED("ADAPTER", "adapter", NULL), NEED("FILE", "file", "it must not be there yet"),
							OPTION("force", "force", ARG_FLAG, "yes: in the place of one that is there") };
static const struct command_arg radio_restore_args[] = { NEED("ADAPTER", "adapter", NULL), NEED("FILE", "file", "a backup in the open coordinator format"),
							 OPTION("sure", "sure", ARG_FLAG, "yes: does not ask once more") };
static const struct command_arg radio_channel_args[] = { NEED("ADAPTER", "adapter", NULL), { "CHANNEL", "channel", ARG_NUMBER, ARG_NEEDED, "11 to 26" } };
static const struct command_arg radio_form_args[] = { NEED("ADAPTER", "adapter", NULL), OPTION("channel", "channel", ARG_NUMBER, "11 to 26; chosen when not told"),
						      OPTION("sure", "sure", ARG_FLAG, "yes: does not ask once more") };
static const struct command_arg radio_adopt_args[] = { NEED("ADAPTER", "adapter", NULL), OPTION("sure", "sure", ARG_FLAG, "yes: does not ask once more") };
static const struct command_arg radio_group_args[] = {
	NEED("ADAPTER", "adapter", NULL),
	OPTION("id", "id", ARG_NUMBER, "1 to 65000: one that is there; without it a new one is made"),
	OPTION("name", "name", ARG_TEXT, "needed for a new one"),
	OPTION("members", "members", ARG_WORDS, "IEEE addresses, 16 hex digits each: all who are to be in it"),
	OPTION("remove", "remove", ARG_FLAG, "yes: the group is to be no more"),
};
static const struct command_arg join_args[] = { NEED("ADAPTER", "adapter", NULL) };
static const struct command_arg transfer_args[] = { DEVICE, NEED("USER", "to", NULL) };
static const struct command_arg policy_add_args[] = {
	NEED("EFFECT", "effect", "allow or deny"),
	NEED("WHO", "who", "anybody, owner-of-device, user:NAME, role:NAME, link:NAME, rule:NUMBER"),
	NEED("WHAT", "what", "*, device:NAME, room:NAME, class:public|ordinary|personal|sensitive"),
	OPTION("capability", "capability", ARG_TEXT, "only this one"),
	OPTION("actions", "actions", ARG_WORDS, "of read,observe,command,configure; the first three unless told"),
	OPTION("loops", "loops", ARG_WORDS, "of small,big; both unless told"),
	OPTION("sources", "sources", ARG_WORDS, "of door,api,link-home,link-cloud,rule"),
	OPTION("windows", "windows", ARG_WINDOWS, "\"mon-fri 07:00-22:30;sun 09:00-24:00\""),
	OPTION("risk", "risk_max", ARG_TEXT, "up to low, raised or high"),
	OPTION("note", "note", ARG_TEXT, "why"),
};
static const struct command_arg number_arg[] = { { "ID", "id", ARG_NUMBER, ARG_NEEDED, NULL } };
static const struct command_arg explain_args[] = {
	NEED("WHO", "who", "user:NAME, link:NAME or rule:NUMBER"),
	DEVICE,
	MORE("CAPABILITY", "capability", NULL),
	OPTION("action", "action", ARG_TEXT, "command unless told"),
	OPTION("loop", "loop", ARG_TEXT, NULL),
	OPTION("source", "source", ARG_TEXT, NULL),
	OPTION("at", "at", ARG_TEXT, "\"tue 07:30\""),
};
static const struct command_arg rule_add_args[] = {
	NEED("NAME", "name", NULL),
	NEED("TRIGGER", "trigger", "change, equals, above, below or time"),
	OPTION("when", "when", ARG_POINT, "DEVICE/CAPABILITY or DEVICE/ENDPOINT/CAPABILITY"),
	OPTION("threshold", "threshold", ARG_VALUE, "of equals, above and below"),
	OPTION("hysteresis", "hysteresis", ARG_REAL, "how far it must come back before it counts again"),
	OPTION("at", "at", ARG_TEXT, "07:30, of time"),
	OPTION("days", "days", ARG_TEXT, "mon-fri,sun"),
	OPTION("then", "then", ARG_POINT, "what is commanded, written like when"),
	OPTION("set", "set", ARG_VALUE, "to what: a value, toggle; nothing copies the value that came"),
};
static const struct command_arg tail_args[] = { OPTION("last", "n", ARG_NUMBER, "how many, 20 unless told"),
						OPTION("after", "after", ARG_NUMBER, "those behind this number, oldest first") };
static const struct command_arg verify_args[] = { OPTION("anchor", "anchors", ARG_ANCHOR, "SEQ:HEAD as audit head told it once; as often as wanted") };
static const struct command_arg export_args[] = { NEED("NAME", "name", "of the copy, in the gateway's folder"),
						  OPTION("to", "to", ARG_TEXT, "an auditor's public key, gw-x25519-pub:... or gw-sm2-pub:...: sealed to it") };
static const struct command_arg prove_args[] = { { "SEQ", "seq", ARG_NUMBER, ARG_NEEDED, "the record's number" } };
static const struct command_arg consistency_args[] = { { "SIZE", "size", ARG_NUMBER, ARG_NEEDED, "of an earlier checkpoint" },
						       NEED("ROOT", "root", "of the same, 64 hex digits") };
static const struct command_arg purpose_arg[] = { NEED("PURPOSE", "purpose", "db, audit, files, devices, sign or sign-sm2") };
static const struct command_arg key_arg[] = { { "ID", "id", ARG_NUMBER, ARG_NEEDED, "from key list" } };
static const struct command_arg recovery_new_args[] = { NEED("FILE", "file", "for the private half; it must not be there yet"),
							OPTION("sm2", "sm2", ARG_FLAG, "yes: an SM2 key, for a gateway that uses SM algorithms alone") };
static const struct command_arg recovery_set_args[] = { NEED("KEY", "key", "gw-x25519-pub:... or gw-sm2-pub:...") };
static const struct command_arg backup_args[] = { NEED("NAME", "name", "of the backup, in the gateway's folder") };
static const struct command_arg erase_args[] = { OPTION("receipt", "receipt", ARG_TEXT, "where the receipt is saved; in this folder unless told") };
static const struct command_arg receipt_args[] = { NEED("FILE", "file", NULL) };
static const struct command_arg key_destroy_args[] = { { "ID", "id", ARG_NUMBER, ARG_NEEDED, "from key list" },
						       OPTION("sure", "sure", ARG_FLAG, "yes: does not ask once more") };
static const struct command_arg distribute_args[] = { { "ID", "id", ARG_NUMBER, ARG_NEEDED, "of a key for files or devices" },
						      NEED("PUBLICKEY", "to", "gw-x25519-pub:... or gw-sm2-pub:...") };
static const struct command_arg source_args[] = { NEED("SOURCE", "source", "file, credential or passphrase (asked for)") };
static const struct command_arg broker_args[] = { NEED("NAME", "name", "of the client, which is its topic as well"),
						  OPTION("kind", "kind", ARG_TEXT, "prefix (NAME/...), tasmota, discovery (ESPHome) or shelly"),
						  OPTION("mac", "mac", ARG_TEXT, "of a Tasmota device, 12 hex digits") };

#define NONE NULL, 0
#define WITH(args) args, N_ELEMENTS(args)

static const struct command table[] = {
	{ "hello", "hello", "What answers there, and whether it has an owner", NONE, show_hello, NULL, NULL },
	{ "setup", "setup", "Make the first owner (root, while there is none)", WITH(name_arg), NULL, perform_new_password, NULL },
	{ "recovery", "recovery", "Give an owner a new password (root)", WITH(user_arg), NULL, perform_new_password, NULL },
	{ "login", "login", "Begin a session", WITH(user_arg), NULL, perform_login, NULL },
	{ "logout", "logout", "End the session", NONE, NULL, perform_logout, NULL },
	{ "status", "status", "How the gateway is", NONE, show_status, NULL, NULL },
	{ "map", "map", "The living processes and their queues", NONE, show_map, NULL, NULL },
	{ "diagnose", "diagnose", "Why something does not work", WITH(diagnose_args), show_findings, NULL, NULL },
	{ "device list", "device.list", "The devices", WITH(list_args), show_devices, NULL, "devices" },
	{ "device show", "device.get", "One device and what it says", WITH(device_arg), show_device, NULL, NULL },
	{ "device set", "device.set", "Command a device and wait for its answer", WITH(set_args), NULL, perform_set, NULL },
	{ "device rename", "device.rename", "Give it a name", WITH(rename_args), NULL, NULL, NULL },
	{ "device room", "device.room", "Put it into a room", WITH(room_args), NULL, NULL, NULL },
	{ "device move", "device.move", "Reach it over another of its adapters", WITH(move_args), NULL, NULL, NULL },
	{ "device retire", "device.retire", "Take it out of service for ever", WITH(device_arg), NULL, NULL, NULL },
	{ "device quarantine", "device.quarantine", "Cut it off", WITH(device_arg), NULL, NULL, NULL },
	{ "device release", "device.release", "End its quarantine", WITH(device_arg), NULL, NULL, NULL },
	{ "room list", "room.list", "The rooms", NONE, show_rooms, NULL, NULL },
	{ "join open", "join.open", "Let devices join for a while, to be yours when you confirm", WITH(join_open_args), NULL, perform_join, NULL },
	{ "join close", "join.close", "Let none join any more", WITH(join_args), NULL, NULL, NULL },
	{ "join status", "join.status", "Where devices may join now", NONE, show_joins, NULL, NULL },
	{ "join follow", "join.status", "Stay and say how each device fares, until the window closes", WITH(join_args), NULL, perform_join_follow, NULL },
	{ "claim list", "claim.list", "Devices that wait for you", NONE, show_claims, NULL, NULL },
	{ "claim confirm", "claim.confirm", "Make a waiting device yours", WITH(device_arg), NULL, NULL, NULL },
	{ "claim press", "claim.press", "Make the waiting device yours that you press next", WITH(press_args), show_pressed, perform_press, NULL },
	{ "radio info", "radio.info", "What a radio is and how it is", WITH(join_args), show_radio, perform_radio_ask, NULL },
	{ "radio map", "radio.map", "Who hears whom how well in its network", WITH(join_args), show_radio_map, perform_radio_ask, NULL },
	{ "radio backup", "radio.backup", "Its network with its keys into a file of yours", WITH(radio_backup_args), NULL, perform_radio_backup, NULL },
	{ "radio restore", "radio.restore", "Put a backup in the place of its network", WITH(radio_restore_args), NULL, perform_radio_restore, NULL },
	{ "radio channel", "radio.channel", "Move its network to another channel", WITH(radio_channel_args), NULL, NULL, NULL },
	{ "radio form", "radio.form", "Begin a new network; every device has to join anew", WITH(radio_form_args), NULL, perform_radio_form, NULL },
	{ "radio adopt", "radio.adopt", "Take over the network that is on the stick", WITH(radio_adopt_args), NULL, perform_radio_adopt, NULL },
	{ "radio group", "radio.group", "Make, change or remove a group of devices that one order reaches", WITH(radio_group_args), show_radio_group, perform_radio_group, NULL },
	{ "bind code", "bind.code", "A one-time code for you, shown once", NONE, show_code, NULL, NULL },
	{ "bind redeem", "code.redeem", "Present somebody's code (asked for) at a device: it becomes his", WITH(device_arg), show_owner, perform_code, NULL },
	{ "bind transfer", "bind.transfer", "Hand a device on", WITH(transfer_args), NULL, NULL, NULL },
	{ "bind unbind", "bind.unbind", "Let a device go", WITH(device_arg), NULL, NULL, NULL },
	{ "user list", "user.list", "Who may come in", NONE, show_users, NULL, NULL },
	{ "user add", "user.add", "Make a user", WITH(user_add_args), NULL, perform_new_password, NULL },
	{ "user role", "user.set-role", "Change what a user may", WITH(user_role_args), NULL, NULL, NULL },
	{ "user password", "user.set-password", "Change a password", WITH(user_arg), NULL, perform_password, NULL },
	{ "user disable", "user.disable", "Let a user in no more", WITH(user_arg), NULL, NULL, NULL },
	{ "user enable", "user.enable", "Let a user in again", WITH(user_arg), NULL, NULL, NULL },
	{ "user remove", "user.remove", "Remove a user who owns no device", WITH(user_arg), NULL, NULL, NULL },
	{ "user unlock", "user.unlock", "End the lock-out of a name", WITH(user_arg), NULL, NULL, NULL },
	{ "session list", "session.list", "The sessions", NONE, show_sessions, NULL, NULL },
	{ "session end", "session.end", "End one", WITH(session_arg), NULL, NULL, NULL },
	{ "policy list", "policy.list", "The access rules", NONE, show_policies, NULL, "rules" },
	{ "policy add", "policy.add", "Add an access rule", WITH(policy_add_args), show_id, NULL, NULL },
	{ "policy remove", "policy.remove", "Remove an access rule", WITH(number_arg), NULL, NULL, NULL },
	{ "policy explain", "policy.explain", "Who may what, and which rule decides it", WITH(explain_args), show_explanation, NULL, NULL },
	{ "rule list", "rule.list", "The local rules", NONE, show_rules, NULL, "rules" },
	{ "rule add", "rule.add", "Add a local rule", WITH(rule_add_args), show_id, perform_rule, NULL },
	{ "rule remove", "rule.remove", "Remove a local rule", WITH(number_arg), NULL, NULL, NULL },
	{ "rule enable", "rule.enable", "Let a local rule run (again)", WITH(number_arg), NULL, NULL, NULL },
	{ "rule disable", "rule.disable", "Let a local rule rest", WITH(number_arg), NULL, NULL, NULL },
	{ "link list", "link.list", "The links to brokers", NONE, show_links, NULL, NULL },
	{ "spool", "spool.list", "What waits to be sent", NONE, show_spool, NULL, NULL },
	{ "alarm list", "alarm.list", "What is wrong now", NONE, show_alarms, NULL, NULL },
	{ "alarm ack", "alarm.ack", "Take note of an alarm", WITH(number_arg), NULL, NULL, NULL },
	{ "freshness confirm", "freshness.confirm", "Say that an older state than was told outside is meant, after a restore", NONE, NULL, NULL, NULL },
	{ "audit tail", "audit.tail", "The newest records", WITH(tail_args), show_records, NULL, NULL },
	{ "audit head", "audit.head", "The chain's end, to be kept elsewhere as an anchor", NONE, show_head, NULL, NULL },
	{ "audit verify", "audit.verify", "Check the whole record: exits 0 whole, 1 tampered with, 2 without an anchor", WITH(verify_args), show_verdict,
	  perform_verify, NULL },
	{ "audit export", "audit.export", "Write a copy of the record", WITH(export_args), show_path, NULL, NULL },
	{ "audit seed", "audit.seed", "Begin a new chain of keys and show its seed, to be kept offline", NONE, show_seed, NULL, NULL },
	{ "audit prove", "audit.prove", "A proof that a record is under the newest checkpoint, for gatewayd-audit-verify", WITH(prove_args), show_proof,
	  NULL, NULL },
	{ "audit consistency", "audit.consistency", "A proof that the newest checkpoint continues an earlier one", WITH(consistency_args), show_proof,
	  NULL, NULL },
	{ "audit keys", "audit.keys", "The public keys that sign the record, for gatewayd-audit-verify", NONE, show_audit_keys, NULL, NULL },
	{ "key list", "key.list", "The keys, their states, and rotations under way", NONE, show_keys, NULL, NULL },
	{ "key create", "key.create", "Make a key that is not in use yet", WITH(purpose_arg), show_key_verb, NULL, NULL },
	{ "key activate", "key.activate", "Put a key into use", WITH(key_arg), NULL, NULL, NULL },
	{ "key disable", "key.disable", "Take a key out of use; another must wait to take its place", WITH(key_arg), NULL, NULL, NULL },
	{ "key compromise", "key.compromise", "Say that somebody else knows a key: another takes its place", WITH(key_arg), NULL, perform_again, NULL },
	{ "key rotate", "key.rotate", "A new key for a purpose, and nothing left that carries the old one", WITH(purpose_arg), show_key_verb, NULL,
	  NULL },
	{ "key destroy", "key.destroy", "Wipe a key that is out of use, for ever", WITH(key_destroy_args), NULL, perform_key_destroy, NULL },
	{ "key distribute", "key.distribute", "A copy of a key, sealed to a public key", WITH(distribute_args), show_key_verb, perform_again, NULL },
	{ "key source", "key.source", "Change where the key that opens the keystore comes from", WITH(source_args), NULL, perform_key_source, NULL },
	{ "recovery-key new", NULL, "Make a recovery key: its private half into a file, its public half shown", WITH(recovery_new_args), NULL,
	  perform_recovery_new, NULL },
	{ "recovery-key set", "recovery-key.set", "Seal backups to this key from now on", WITH(recovery_set_args), NULL, perform_again, NULL },
	{ "recovery-key show", "recovery-key.show", "The public key to which backups are sealed", NONE, show_recovery_key, NULL, NULL },
	{ "backup", "backup.make", "A backup of everything, sealed to the recovery key, into the gateway's folder", WITH(backup_args), show_path, NULL,
	  NULL },
	{ "erase", "gateway.erase", "Destroy every key and all data of this gateway, against a signed receipt", WITH(erase_args), NULL, perform_erase,
	  NULL },
	{ "receipt check", NULL, "Check the receipt of an erasure", WITH(receipt_args), NULL, perform_receipt_check, NULL },
	{ "unlock", NULL, "Give a gateway that has just started the passphrase of its keystore", NONE, NULL, perform_unlock, NULL },
	{ "events", "events.subscribe", "Follow what happens, until interrupted", NONE, NULL, perform_events, NULL },
	{ "conf show", "conf.show", "The settings in force and where they come from", NONE, show_text, NULL, NULL },
	{ "conf reload", "conf.reload", "Read the configuration anew", NONE, NULL, NULL, NULL },
	{ "broker client add", "broker.client", "Give a device an account at the LAN broker; its password is shown once", WITH(broker_args), NULL,
	  perform_broker_add, NULL },
	{ "broker client remove", "broker.client", "Take an account away", WITH(broker_args), NULL, perform_broker_remove, NULL },
};

const struct command *command_at(size_t i)
{
	return i < N_ELEMENTS(table) ? &table[i] : NULL;
}

/* How many of argv the words take, 0: they are others. */
static int match(const char *words, int argc, char *const *argv)
{
	int n = 0;
	for (const char *p = words; *p; n++) {
		size_t len = strcspn(p, " ");
		if (n == argc || strlen(argv[n]) != len || strncmp(argv[n], p, len) != 0)
			return 0;
		p += len + (p[len] == ' ');
	}
	return n;
}

const struct command *command_find(int argc, char *const *argv, int *ret_words)
{
	const struct command *best = NULL;
	int most = 0;
	for (size_t i = 0; i < N_ELEMENTS(table); i++) {
		int n = match(table[i].words, argc, argv);
		if (n > most) {
			best = &table[i];
			most = n;
		}
	}
	if (best)
		*ret_words = most;
	return best;
}

void command_usage(const struct command *command, char *ret, size_t cap)
{
	text_copy(ret, cap, command->words);
	for (size_t i = 0; i < command->n_args; i++) {
		const struct command_arg *arg = &command->args[i];
		text_append(ret, cap,
			    arg->place == ARG_NEEDED ? " %s" :
			    arg->place == ARG_MORE   ? " [%s]" :
						       " [%s=...]",
			    arg->word);
	}
}
