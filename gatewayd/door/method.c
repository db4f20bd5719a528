/* The table of everything that can be asked of the gateway. A row says who may call it at all, what its parameters must look
 * like, and under which kind it stands in the record; docs/spec/door.md has the same rows for people, and a test compares
 * the two. */
#include <string.h>
#include "door/methods.h"
#include "router/automation.h"

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
static const struct json_field list_fields[] = { TEXT("after", DEVICE_ID_TEXT_MAX - 1), TEXT("room", DEVICE_TEXT_MAX), TEXT("state", 16),
						 { "retired", JSON_BOOL, false, 0, 0 } };
static const struct json_field device_fields[] = { DEVICE_NEEDED };
static const struct json_field set_fields[] = { DEVICE_NEEDED, TEXT_NEEDED("capability", CAPABILITY_NAME_MAX),
						{ "value", JSON_NULL, true, 0, 0 }, NUMBER("endpoint", 0, 255), TEXT("id", COMMAND_ID_MAX) };

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
	{ "status", "How the gateway is", EVERY_ROLE, 0, NONE, method_status },
	{ "device.list", "The devices that you may know of", DEVICE_READERS, 0, WITH(list_fields), method_device_list },
	{ "device.get", "One device", DEVICE_READERS, 0, WITH(device_fields), method_device_get },
	{ "device.set", "Command a device and wait for its answer", DEVICE_READERS, AUDIT_COMMAND, WITH(set_fields), method_device_set },
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
