/* Every kind of record, by number: its name outside, how grave it is, which of its repeats become counts, and the clause
 * that asks for it. What a person or a rule ordered and got stands alone, always; what a stranger can cause as often as
 * he likes, and what a flapping radio causes, does not.
 */
#include "audit/audit.h"

#include "model/alarm.h"

static const struct audit_kind_row rows[] = {
	{ AUDIT_START, "start", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-a" },
	{ AUDIT_STOP, "stop", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-a" },
	{ AUDIT_CONFIG, "config", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-a" },
	{ AUDIT_CLOCK, "clock", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-b" },
	{ AUDIT_SEGMENT, "segment", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_SEED, "seed", SEVERITY_WARNING, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_SEGMENT_DROP, "segment-drop", SEVERITY_WARNING, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_COMMAND, "command", SEVERITY_INFO, COLLAPSE_NEVER, "6.2.6-a" },
	{ AUDIT_DENIAL, "denial", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-a" },
	{ AUDIT_REFUSED, "refused", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-a" },
	{ AUDIT_READ, "read", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.6-a" },
	{ AUDIT_TELEMETRY_COUNT, "telemetry-count", SEVERITY_INFO, COLLAPSE_NEVER, "6.2.6-a" },
	{ AUDIT_BAD_INPUT, "bad-input", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-a" },
	{ AUDIT_LOGIN, "login", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_LOGOUT, "logout", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-a" },
	{ AUDIT_LOCKOUT, "lockout", SEVERITY_WARNING, COLLAPSE_FAILURES, "6.2.1-c" },
	{ AUDIT_SESSION, "session", SEVERITY_INFO, COLLAPSE_FAILURES, "7-g" },
	{ AUDIT_USER_ADD, "user-add", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_USER_CHANGE, "user-change", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_USER_REMOVE, "user-remove", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_PASSWORD, "password", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_SETUP, "setup", SEVERITY_WARNING, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_RECOVERY, "recovery", SEVERITY_WARNING, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_CODE_ISSUED, "code-issued", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_CODE_USED, "code-used", SEVERITY_INFO, COLLAPSE_NEVER, "6.2.2-b" },
	{ AUDIT_CODE_FAILED, "code-failed", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.2-b" },
	{ AUDIT_BIND, "bind", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_UNBIND, "unbind", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_TRANSFER, "transfer", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_CLAIM_WAITING, "claim-waiting", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.2-b" },
	{ AUDIT_JOIN_OPEN, "join-open", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_JOIN_CLOSE, "join-close", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.2-b" },
	{ AUDIT_DEVICE_SEEN, "device-seen", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_DEVICE_STATE, "device-state", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_DEVICE_NAME, "device-name", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.6-a" },
	{ AUDIT_DEVICE_ROOM, "device-room", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.6-a" },
	{ AUDIT_DEVICE_MOVE, "device-move", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.6-a" },
	{ AUDIT_DEVICE_RETIRE, "device-retire", SEVERITY_INFO, COLLAPSE_FAILURES, "6.2.6-a" },
	{ AUDIT_CLONE, "clone", SEVERITY_ERROR, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_RULE_ADD, "rule-add", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_RULE_REMOVE, "rule-remove", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_AUTOMATION_ADD, "automation-add", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_AUTOMATION_REMOVE, "automation-remove", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_AUTOMATION_STOPPED, "automation-stopped", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_ADAPTER_UP, "adapter-up", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_ADAPTER_DOWN, "adapter-down", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_ADAPTER_VIOLATION, "adapter-violation", SEVERITY_ERROR, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_LINK_UP, "link-up", SEVERITY_INFO, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_LINK_DOWN, "link-down", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_LINK_REFUSED, "link-refused", SEVERITY_ERROR, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_ALARM_RAISED, "alarm-raised", SEVERITY_WARNING, COLLAPSE_NEVER, "6.2.6-a" },
	{ AUDIT_ALARM_ACKED, "alarm-acked", SEVERITY_INFO, COLLAPSE_NEVER, "6.2.6-a" },
	{ AUDIT_ALARM_CLEARED, "alarm-cleared", SEVERITY_INFO, COLLAPSE_NEVER, "6.2.6-a" },
	{ AUDIT_LOG_VERIFY, "log-verify", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_LOG_EXPORT, "log-export", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_SPOOL_DROP, "spool-drop", SEVERITY_WARNING, COLLAPSE_ALWAYS, "6.2.6-b" },
	{ AUDIT_BROKER_CLIENT, "broker-client", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_METHOD, "method", SEVERITY_INFO, COLLAPSE_FAILURES, "6.1.6-a" },
	{ AUDIT_KEY_CREATE, "key-create", SEVERITY_INFO, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_ACTIVATE, "key-activate", SEVERITY_INFO, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_DISABLE, "key-disable", SEVERITY_INFO, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_COMPROMISE, "key-compromise", SEVERITY_ERROR, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_ROTATE, "key-rotate", SEVERITY_INFO, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_DISTRIBUTE, "key-distribute", SEVERITY_WARNING, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_DESTROY, "key-destroy", SEVERITY_WARNING, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_KEY_SOURCE, "key-source", SEVERITY_WARNING, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_BACKUP, "backup", SEVERITY_INFO, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_RESTORE, "restore", SEVERITY_WARNING, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_ERASE, "erase", SEVERITY_CRITICAL, COLLAPSE_NEVER, "8.1.2-d" },
	{ AUDIT_FRESHNESS, "freshness", SEVERITY_WARNING, COLLAPSE_NEVER, "6.1.6-c" },
	{ AUDIT_RADIO, "radio", SEVERITY_WARNING, COLLAPSE_NEVER, "6.1.6-a" },
};

/* Numbers rise, with gaps. */
const struct audit_kind_row *audit_kind_row(uint16_t kind)
{
	size_t low = 0, high = N_ELEMENTS(rows);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle].kind < kind)
			low = middle + 1;
		else
			high = middle;
	}
	return low < N_ELEMENTS(rows) && rows[low].kind == kind ? &rows[low] : NULL;
}

const struct audit_kind_row *audit_kind_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}
