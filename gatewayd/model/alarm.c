/* What can be wrong with a home, and in plain words what it means and what to do about it. */
#include "model/alarm.h"

#include <assert.h>
#include "base/text.h"

#define ALARM(kind, name, severity, clears, text) [kind] = { kind, name, severity, clears, text }

static const struct alarm_row rows[ALARMS] = {
	ALARM(ALARM_CLONE, "clone", SEVERITY_CRITICAL, false,
	      "Two devices claim the same identity; the second was refused. Find out which one is "
	      "yours and retire "
	      "the other."),
	ALARM(ALARM_ADAPTER_VIOLATION, "adapter-violation", SEVERITY_ERROR, false,
	      "An adapter broke the rules of its connection and was cut off. Check or remove its "
	      "plugin."),
	ALARM(ALARM_ADAPTER_GONE, "adapter-gone", SEVERITY_WARNING, true,
	      "An adapter stopped; its devices cannot be reached until it is back. Check its stick "
	      "or service."),
	ALARM(ALARM_LINK_DOWN, "link-down", SEVERITY_WARNING, true,
	      "The connection to a platform is down; what waits for it is kept. The home itself "
	      "goes on working."),
	ALARM(ALARM_LINK_IDENTITY, "link-identity", SEVERITY_CRITICAL, true,
	      "A platform showed a certificate for another name or with another key; nothing was "
	      "sent to it."),
	ALARM(ALARM_SPOOL_DROPS, "spool-drops", SEVERITY_WARNING, false,
	      "The waiting room for a platform was full and the oldest readings were given up."),
	ALARM(ALARM_STORE_FAILING, "store-failing", SEVERITY_CRITICAL, true,
	      "Nothing can be written to storage. Check for a full or worn-out disk."),
	ALARM(ALARM_AUDIT_BROKEN, "audit-broken", SEVERITY_CRITICAL, false,
	      "The audit record does not agree with itself: somebody or a fault changed it. Export "
	      "and verify it."),
	ALARM(ALARM_CLOCK_UNTRUSTED, "clock-untrusted", SEVERITY_WARNING, true,
	      "The time is not known for certain; orders from outside that depend on it are "
	      "refused until it is."),
	ALARM(ALARM_CODE_GUESSING, "code-guessing", SEVERITY_ERROR, false,
	      "Several one-time codes were used up by wrong tries. Somebody may be guessing."),
	ALARM(ALARM_LOGIN_LOCKED, "login-locked", SEVERITY_WARNING, true,
	      "A user was locked out for a while after wrong passwords."),
	ALARM(ALARM_RULE_LOOP, "rule-loop", SEVERITY_WARNING, false,
	      "A rule set itself off again and was stopped. Change its condition."),
	ALARM(ALARM_BATTERY_LOW, "battery-low", SEVERITY_WARNING, true,
	      "A device's battery is nearly empty."),
	ALARM(ALARM_DEVICE_TAMPER, "device-tamper", SEVERITY_CRITICAL, true,
	      "A device reports that it is being opened or removed."),
	ALARM(ALARM_DEVICE_FLOOD, "device-flood", SEVERITY_WARNING, true,
	      "A device sends far more than it should and is being held back."),
	ALARM(ALARM_BROKER_UNENFORCED, "broker-unenforced", SEVERITY_WARNING, true,
	      "The broker in the home lets others than the gateway give orders to devices. Use the "
	      "configuration "
	      "that comes with the gateway."),
	ALARM(ALARM_STORE_DAMAGED, "store-damaged", SEVERITY_CRITICAL, false,
	      "Something stored does not open with its key: the disk is failing or somebody changed it. Export the "
	      "audit record and restore a backup."),
	ALARM(ALARM_ROLLBACK, "rollback", SEVERITY_CRITICAL, true,
	      "What is stored here is older than what this gateway has said before. Orders from outside wait until an owner "
	      "confirms that this is meant."),
	ALARM(ALARM_KEY_WORN, "key-worn", SEVERITY_WARNING, true,
	      "A key has reached its age or its number of uses. Rotate it."),
	ALARM(ALARM_SPACE_LOW, "space-low", SEVERITY_WARNING, true,
	      "The room for the audit record is nearly used up. Export the record or make room."),
	ALARM(ALARM_SPACE_OUT, "space-out", SEVERITY_CRITICAL, true,
	      "There is no room left. Only what keeps the home safe is still recorded. Make room."),
	ALARM(ALARM_SECOND_WAY, "second-way", SEVERITY_WARNING, true,
	      "Another adapter says that it has a device of yours. It is not reached over it before you move it; if this is not "
	      "your doing, somebody shows its address."),
};
static const char *const severity_names[SEVERITIES] = { "info", "warning", "error", "critical" };

const struct alarm_row *alarm_row(enum alarm_kind kind)
{
	assert(kind < ALARMS);
	return &rows[kind];
}

int alarm_kind_parse(const char *name, enum alarm_kind *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (!text_equal(rows[i].name, name))
			continue;
		*ret = rows[i].kind;
		return 0;
	}
	return ALARM_E_SYNTAX;
}

const char *severity_name(enum severity severity)
{
	assert(severity < SEVERITIES);
	return severity_names[severity];
}
