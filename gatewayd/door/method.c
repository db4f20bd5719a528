/* The table of everything that can be asked of the gateway. A row says who may call it at all, what its parameters must look
 * like, and under which kind it stands in the record; docs/spec/door.md has the same rows for people, and a test compares
 * the two. */
#include <string.h>
#include "door/desk.h"
#include "door/methods.h"
#include "router/automation.h"
#include "router/join_secret.h"

enum { OWNERS = METHOD_OWNERS, HOUSE = METHOD_OWNERS | METHOD_MEMBERS, SETUP_PEOPLE = HOUSE | METHOD_INSTALLERS,
       STAFF = METHOD_OWNERS | METHOD_INSTALLERS | METHOD_AUDITORS, RECORD_READERS = METHOD_OWNERS | METHOD_AUDITORS,
       DEVICE_READERS = METHOD_PEOPLE | METHOD_INSTALLERS, EVERY_ROLE = METHOD_ALL_ROLES };

#define TEXT_NEEDED(name, max) { name, JSON_TEXT, true, 1, max }
#define TEXT(name, max) { name, JSON_TEXT, false, 1, max }
#define NUMBER_NEEDED(name, min, max) { name, JSON_INT, true, min, max }
#define NUMBER(name, min, max) { name, JSON_INT, false, min, max }

enum { NUMBER_MAX = INT32_MAX };
#define DEVICE_NEEDED TEXT_NEEDED("device", DEVICE_TEXT_MAX)

static const struct json_field credentials[] = { TEXT_NEEDED("user", USER_NAME_MAX), TEXT_NEEDED("password", PASSWORD_LEN_MAX) };
static const struct json_field setup_fields[] = { TEXT_NEEDED("name", USER_NAME_MAX), TEXT_NEEDED("password", PASSWORD_LEN_MAX) };
static const struct json_field session_fields[] = { { "number", JSON_INT, true, 1, INT64_MAX } };
static const struct json_field user_fields[] = { TEXT_NEEDED("user", USER_NAME_MAX) };
static const struct json_field user_add_fields[] = { TEXT_NEEDED("name", USER_NAME_MAX), TEXT_NEEDED("role", 16),
						     TEXT_NEEDED("password", PASSWORD_LEN_MAX) };
static const struct json_field user_role_fields[] = { TEXT_NEEDED("user", USER_NAME_MAX), TEXT_NEEDED("role", 16) };
static const struct json_field user_password_fields[] = { TEXT_NEEDED("user", USER_NAME_MAX), TEXT_NEEDED("password", PASSWORD_LEN_MAX),
							  TEXT("old", PASSWORD_LEN_MAX) };
static const struct json_field alarm_fields[] = { NUMBER_NEEDED("id", 1, UINT32_MAX) };
static const struct json_field broker_fields[] = { TEXT_NEEDED("verb", 8), TEXT_NEEDED("name", 64) };
static const struct json_field diagnose_fields[] = { TEXT("device", DEVICE_TEXT_MAX) };
static const struct json_field list_fields[] = { TEXT("after", DEVICE_ID_TEXT_MAX - 1), TEXT("room", DEVICE_TEXT_MAX), TEXT("state", 16),
						 { "retired", JSON_BOOL, false, 0, 0 } };
static const struct json_field device_fields[] = { DEVICE_NEEDED };
static const struct json_field set_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("capability", CAPABILITY_NAME_MAX),
						{ "value", JSON_NULL, true, 0, 0 }, NUMBER("endpoint", 0, 255), TEXT("id", COMMAND_ID_MAX) };
static const struct json_field rename_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("name", DEVICE_TEXT_MAX) };
static const struct json_field room_fields[] = { DEVICE_NEEDED, { "room", JSON_TEXT, true, 0, DEVICE_TEXT_MAX } };
static const struct json_field move_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("adapter", ADAPTER_NAME_MAX) };
static const struct json_field join_open_fields[] = { TEXT_NEEDED("adapter", ADAPTER_NAME_MAX), TEXT_NEEDED("code", 32),
						      NUMBER("seconds", 1, 600), TEXT("address", 50), TEXT("secret", JOIN_SECRET_TEXT_MAX) };
static const struct json_field press_fields[] = { NUMBER_NEEDED("seconds", 5, 60) };
static const struct json_field join_fields[] = { TEXT_NEEDED("adapter", ADAPTER_NAME_MAX) };
static const struct json_field transfer_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("to", USER_NAME_MAX) };
static const struct json_field redeem_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("code", 32) };
static const struct json_field policy_fields[] = {
	TEXT_NEEDED("effect", 8),   TEXT_NEEDED("who", 80),  TEXT_NEEDED("what", 80), TEXT("capability", CAPABILITY_NAME_MAX),
	{ "actions", JSON_ARRAY, false, 1, ACTIONS }, { "loops", JSON_ARRAY, false, 1, LOOPS }, { "sources", JSON_ARRAY, false, 1, SOURCES },
	{ "windows", JSON_ARRAY, false, 1, POLICY_WINDOWS_MAX }, TEXT("risk_max", 16), TEXT("note", POLICY_TEXT_MAX),
};
static const struct json_field policy_list_fields[] = { { "after", JSON_INT, false, INT32_MIN, INT32_MAX } };
static const struct json_field policy_remove_fields[] = { NUMBER_NEEDED("id", 1, NUMBER_MAX) };
static const struct json_field explain_fields[] = {
	TEXT_NEEDED("who", 80), DEVICE_NEEDED, TEXT("capability", CAPABILITY_NAME_MAX), TEXT("action", 16), TEXT("loop", 16), TEXT("source", 16),
	TEXT("at", 16),
};
static const struct json_field rule_list_fields[] = { NUMBER("after", 0, UINT32_MAX) };
static const struct json_field rule_add_fields[] = {
	TEXT_NEEDED("name", AUTOMATION_NAME_MAX), TEXT_NEEDED("trigger", 8), { "when", JSON_OBJECT, false, 0, 0 },
	{ "threshold", JSON_NULL, false, 0, 0 },  { "hysteresis", JSON_REAL, false, 0, 0 }, TEXT("at", 5), TEXT("days", 32),
	{ "then", JSON_OBJECT, true, 0, 0 },	  { "set", JSON_NULL, false, 0, 0 },
};
static const struct json_field rule_fields[] = { NUMBER_NEEDED("id", 1, UINT32_MAX) };
static const struct json_field tail_fields[] = { NUMBER("n", 1, 500), { "after", JSON_INT, false, 0, INT64_MAX } };
static const struct json_field verify_fields[] = { { "anchors", JSON_ARRAY, false, 0, 64 } };
static const struct json_field export_fields[] = { TEXT_NEEDED("name", 48), TEXT("to", BOX_KEY_TEXT_MAX) };
static const struct json_field prove_fields[] = { { "seq", JSON_INT, true, 1, INT64_MAX } };
static const struct json_field consistency_fields[] = { { "size", JSON_INT, true, 1, INT64_MAX },
							{ "root", JSON_TEXT, true, 2 * CRYPTO_HASH_LEN, 2 * CRYPTO_HASH_LEN } };
#define KEY_NEEDED NUMBER_NEEDED("id", 1, UINT32_MAX)
#define PASSWORD_AGAIN TEXT_NEEDED("password", PASSWORD_LEN_MAX)
static const struct json_field purpose_fields[] = { TEXT_NEEDED("purpose", 16) };
static const struct json_field key_fields[] = { KEY_NEEDED };
static const struct json_field key_again_fields[] = { KEY_NEEDED, PASSWORD_AGAIN };
static const struct json_field distribute_fields[] = { KEY_NEEDED, TEXT_NEEDED("to", BOX_KEY_TEXT_MAX), PASSWORD_AGAIN };
static const struct json_field source_fields[] = { TEXT_NEEDED("source", 16), TEXT("passphrase", PASSWORD_LEN_MAX), PASSWORD_AGAIN };

#define ADAPTER_NEEDED TEXT_NEEDED("adapter", ADAPTER_NAME_MAX)
static const struct json_field radio_fields[] = { ADAPTER_NEEDED };
static const struct json_field radio_again_fields[] = { ADAPTER_NEEDED, PASSWORD_AGAIN };
static const struct json_field radio_restore_fields[] = { ADAPTER_NEEDED, TEXT_NEEDED("data", DESK_PIECE_MAX), { "more", JSON_BOOL, false, 0, 0 },
							  TEXT("password", PASSWORD_LEN_MAX) };
static const struct json_field radio_channel_fields[] = { ADAPTER_NEEDED, NUMBER_NEEDED("channel", 11, 26) };
static const struct json_field radio_group_fields[] = { ADAPTER_NEEDED, TEXT_NEEDED("data", 4096) };
static const struct json_field radio_form_fields[] = { ADAPTER_NEEDED, NUMBER("channel", 11, 26), PASSWORD_AGAIN };
static const struct json_field radio_more_fields[] = { NUMBER_NEEDED("more", 1, UINT32_MAX) };
static const struct json_field recovery_key_fields[] = { TEXT_NEEDED("key", BOX_KEY_TEXT_MAX), PASSWORD_AGAIN };
static const struct json_field backup_fields[] = { TEXT_NEEDED("name", 48) };
static const struct json_field erase_fields[] = { TEXT_NEEDED("confirm", 16), PASSWORD_AGAIN };

#define NONE NULL, 0
#define WITH(fields) fields, N_ELEMENTS(fields)

static const struct method table[] = {
	{ "hello", "What this gateway is, and whether somebody owns it", METHOD_ANYBODY, 0, NONE, method_hello },
	{ "setup", "Make the first owner", METHOD_SETUP, AUDIT_SETUP, WITH(setup_fields), method_setup },
	{ "recovery", "Give an owner a new password and end his lock-out", METHOD_RECOVERY, AUDIT_RECOVERY, WITH(credentials), method_recovery },
	{ "login", "Begin a session", METHOD_ANYBODY, AUDIT_LOGIN, WITH(credentials), method_login },
	{ "logout", "End this session", EVERY_ROLE, AUDIT_LOGOUT, NONE, method_logout },
	{ "session.list", "Your sessions; an owner's list holds everybody's", EVERY_ROLE, 0, NONE, method_session_list },
	{ "session.end", "End a session", EVERY_ROLE, AUDIT_LOGOUT, WITH(session_fields), method_session_end },
	{ "user.list", "Who may come in", RECORD_READERS, 0, NONE, method_user_list },
	{ "user.add", "Make a user", OWNERS, AUDIT_USER_ADD, WITH(user_add_fields), method_user_add },
	{ "user.set-role", "Change what a user may; ends his sessions", OWNERS, AUDIT_USER_CHANGE, WITH(user_role_fields), method_user_set_role },
	{ "user.set-password", "Change your password (old: the one so far), or an owner somebody's; ends that user's sessions", EVERY_ROLE,
	  AUDIT_PASSWORD, WITH(user_password_fields), method_user_set_password },
	{ "user.disable", "Let a user in no more", OWNERS, AUDIT_USER_CHANGE, WITH(user_fields), method_user_disable },
	{ "user.enable", "Let a user in again", OWNERS, AUDIT_USER_CHANGE, WITH(user_fields), method_user_enable },
	{ "user.remove", "Remove a user who owns no device", OWNERS, AUDIT_USER_REMOVE, WITH(user_fields), method_user_remove },
	{ "user.unlock", "End the lock-out of a name", OWNERS, AUDIT_USER_CHANGE, WITH(user_fields), method_user_unlock },
	{ "status", "How the gateway is", EVERY_ROLE, 0, NONE, method_status },
	{ "map", "The living processes and their queues", STAFF, 0, NONE, method_map },
	{ "diagnose", "Why something does not work", SETUP_PEOPLE | METHOD_AUDITORS, 0, WITH(diagnose_fields), method_diagnose },
	{ "link.list", "The links and how they are", STAFF, 0, NONE, method_link_list },
	{ "spool.list", "What waits to be sent", STAFF, 0, NONE, method_spool_list },
	{ "alarm.list", "What is wrong now", SETUP_PEOPLE | METHOD_AUDITORS, 0, NONE, method_alarm_list },
	{ "alarm.ack", "Take note of an alarm", HOUSE, AUDIT_ALARM_ACKED, WITH(alarm_fields), method_alarm_ack },
	{ "freshness.confirm", "Say that an older state than was told outside is meant", OWNERS, AUDIT_FRESHNESS, NONE, method_freshness_confirm },
	{ "conf.show", "The settings in force", RECORD_READERS, 0, NONE, method_conf_show },
	{ "conf.reload", "Read the configuration anew", OWNERS, AUDIT_CONFIG, NONE, method_conf_reload },
	{ "broker.client", "Put on record that a client of the LAN broker is added or removed", OWNERS, AUDIT_BROKER_CLIENT, WITH(broker_fields),
	  method_broker_client },
	{ "device.list", "The devices that you may know of", DEVICE_READERS, 0, WITH(list_fields), method_device_list },
	{ "device.get", "One device", DEVICE_READERS, 0, WITH(device_fields), method_device_get },
	{ "device.set", "Command a device and wait for its answer", DEVICE_READERS, AUDIT_COMMAND, WITH(set_fields), method_device_set },
	{ "device.rename", "Give a device a name", SETUP_PEOPLE, AUDIT_DEVICE_NAME, WITH(rename_fields), method_device_rename },
	{ "device.room", "Put a device into a room, made when it is new; \"\" takes it out", SETUP_PEOPLE, AUDIT_DEVICE_ROOM, WITH(room_fields),
	  method_device_room },
	{ "device.move", "Reach a device over another of its adapters", SETUP_PEOPLE, AUDIT_DEVICE_MOVE, WITH(move_fields), method_device_move },
	{ "device.retire", "Take a device out of service for ever", HOUSE, AUDIT_DEVICE_RETIRE, WITH(device_fields), method_device_retire },
	{ "device.quarantine", "Cut a device off", HOUSE, AUDIT_DEVICE_STATE, WITH(device_fields), method_device_quarantine },
	{ "device.release", "End a quarantine", HOUSE, AUDIT_DEVICE_STATE, WITH(device_fields), method_device_release },
	{ "room.list", "The rooms", DEVICE_READERS, 0, NONE, method_room_list },
	{ "bind.code", "A one-time code for you, shown once", HOUSE, AUDIT_CODE_ISSUED, NONE, method_bind_code },
	{ "bind.transfer", "Hand a device on", HOUSE, AUDIT_TRANSFER, WITH(transfer_fields), method_bind_transfer },
	{ "bind.unbind", "Let a device go", HOUSE, AUDIT_UNBIND, WITH(device_fields), method_bind_unbind },
	{ "code.redeem", "Present a code at a device: it becomes its user's", METHOD_OWNERS | METHOD_INSTALLERS, AUDIT_BIND, WITH(redeem_fields),
	  method_code_redeem },
	{ "join.open", "Let devices join over an adapter for a while", HOUSE, AUDIT_JOIN_OPEN, WITH(join_open_fields), method_join_open },
	{ "join.close", "Let none join any more", HOUSE, AUDIT_JOIN_CLOSE, WITH(join_fields), method_join_close },
	{ "join.status", "Where devices may join now", SETUP_PEOPLE, 0, NONE, method_join_status },
	{ "claim.list", "Devices that wait for you; an owner's list holds all", HOUSE, 0, NONE, method_claim_list },
	{ "claim.confirm", "Make a waiting device yours", HOUSE, AUDIT_BIND, WITH(device_fields), method_claim_confirm },
	{ "claim.press", "Make the waiting device yours that you press next", HOUSE, AUDIT_BIND, WITH(press_fields), method_claim_press },
	{ "radio.info", "What a radio is and how it is", METHOD_OWNERS | METHOD_INSTALLERS, 0, WITH(radio_fields), method_radio_info },
	{ "radio.map", "Who hears whom how well in its network", METHOD_OWNERS | METHOD_INSTALLERS, 0, WITH(radio_fields), method_radio_map },
	{ "radio.backup", "Its network with its keys, to be kept like a key", OWNERS, AUDIT_RADIO, WITH(radio_again_fields), method_radio_backup },
	{ "radio.restore", "Put a backup in the place of its network", OWNERS, AUDIT_RADIO, WITH(radio_restore_fields), method_radio_restore },
	{ "radio.channel", "Move its network to another channel", OWNERS, AUDIT_RADIO, WITH(radio_channel_fields), method_radio_channel },
	{ "radio.form", "Begin a new network; every device has to join anew", OWNERS, AUDIT_RADIO, WITH(radio_form_fields), method_radio_form },
	{ "radio.adopt", "Take over the network that is on the stick", OWNERS, AUDIT_RADIO, WITH(radio_fields), method_radio_adopt },
	{ "radio.group", "Make, change or remove a group of devices that one order reaches", OWNERS, AUDIT_RADIO, WITH(radio_group_fields), method_radio_group },
	{ "radio.more", "The next piece of a long answer", METHOD_OWNERS | METHOD_INSTALLERS, 0, WITH(radio_more_fields), method_radio_more },
	{ "policy.list", "The access rules, the household's first", RECORD_READERS, 0, WITH(policy_list_fields), method_policy_list },
	{ "policy.add", "Add an access rule", OWNERS, AUDIT_RULE_ADD, WITH(policy_fields), method_policy_add },
	{ "policy.remove", "Remove an access rule", OWNERS, AUDIT_RULE_REMOVE, WITH(policy_remove_fields), method_policy_remove },
	{ "policy.explain", "Who may what, and which rule decides it", RECORD_READERS, 0, WITH(explain_fields), method_policy_explain },
	{ "rule.list", "Your local rules; an owner's list holds everybody's", HOUSE, 0, WITH(rule_list_fields), method_rule_list },
	{ "rule.add", "Add a local rule; it runs with your rights", HOUSE, AUDIT_AUTOMATION_ADD, WITH(rule_add_fields), method_rule_add },
	{ "rule.remove", "Remove a local rule", HOUSE, AUDIT_AUTOMATION_REMOVE, WITH(rule_fields), method_rule_remove },
	{ "rule.enable", "Let a local rule run (again)", HOUSE, AUDIT_METHOD, WITH(rule_fields), method_rule_enable },
	{ "rule.disable", "Let a local rule rest", HOUSE, AUDIT_METHOD, WITH(rule_fields), method_rule_disable },
	{ "audit.tail", "Records: the newest, or those after a number", RECORD_READERS, AUDIT_READ, WITH(tail_fields), method_audit_tail },
	{ "audit.head", "The chain's end, to be kept elsewhere as an anchor", RECORD_READERS, 0, NONE, method_audit_head },
	{ "audit.verify", "Check the whole record", RECORD_READERS, AUDIT_LOG_VERIFY, WITH(verify_fields), method_audit_verify },
	{ "audit.export", "Write a copy of the record into the gateway's folder", RECORD_READERS, AUDIT_LOG_EXPORT, WITH(export_fields),
	  method_audit_export },
	{ "audit.seed", "Begin a new chain of keys; its seed, shown once, is to be kept offline", RECORD_READERS, AUDIT_SEED, NONE, method_audit_seed },
	{ "audit.prove", "A proof that a record is under the newest checkpoint", RECORD_READERS, AUDIT_READ, WITH(prove_fields), method_audit_prove },
	{ "audit.consistency", "A proof that the newest checkpoint continues an earlier one", RECORD_READERS, AUDIT_READ, WITH(consistency_fields),
	  method_audit_consistency },
	{ "audit.keys", "The public keys that sign the record, for a verifier", RECORD_READERS, 0, NONE, method_audit_keys },
	{ "key.list", "The keys, their states, and rotations under way", RECORD_READERS, 0, NONE, method_key_list },
	{ "key.create", "Make a key that is not in use yet", OWNERS, AUDIT_KEY_CREATE, WITH(purpose_fields), method_key_create },
	{ "key.activate", "Put a key into use; the one before is deactivated", OWNERS, AUDIT_KEY_ACTIVATE, WITH(key_fields), method_key_activate },
	{ "key.disable", "Take a key out of use; another must wait to take its place", OWNERS, AUDIT_KEY_DISABLE, WITH(key_fields),
	  method_key_disable },
	{ "key.compromise", "Say that somebody else knows a key: another takes its place, what it sealed is sealed anew", OWNERS, AUDIT_KEY_COMPROMISE,
	  WITH(key_again_fields), method_key_compromise },
	{ "key.rotate", "A new key for a purpose, and nothing left that carries the old one", OWNERS, AUDIT_KEY_ROTATE, WITH(purpose_fields),
	  method_key_rotate },
	{ "key.destroy", "Wipe a key that is out of use, for ever", OWNERS, AUDIT_KEY_DESTROY, WITH(key_again_fields), method_key_destroy },
	{ "key.distribute", "A copy of a key for files or devices, sealed to a public key", OWNERS, AUDIT_KEY_DISTRIBUTE, WITH(distribute_fields),
	  method_key_distribute },
	{ "key.source", "Where the key that opens the keystore comes from", OWNERS, AUDIT_KEY_SOURCE, WITH(source_fields), method_key_source },
	{ "recovery-key.show", "The public key to which backups are sealed", RECORD_READERS, 0, NONE, method_recovery_key_show },
	{ "recovery-key.set", "Seal backups to this key from now on; its private half stays offline", OWNERS, AUDIT_BACKUP, WITH(recovery_key_fields),
	  method_recovery_key_set },
	{ "backup.make", "A backup of everything, sealed to the recovery key, into the gateway's folder", OWNERS, AUDIT_BACKUP, WITH(backup_fields),
	  method_backup_make },
	{ "gateway.erase", "Destroy every key and all data; a signed receipt remains", OWNERS, AUDIT_ERASE, WITH(erase_fields), method_gateway_erase },
	{ "events.subscribe", "Hear what happens, as far as you may", EVERY_ROLE, 0, NONE, method_events_subscribe },
	{ "events.unsubscribe", "Hear no more", EVERY_ROLE, 0, NONE, method_events_unsubscribe },
};

const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct method *method_at(size_t i)
{
	return i < N_ELEMENTS(table) ? &table[i] : NULL;
}
