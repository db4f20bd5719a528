#pragma once
/* alarm - the one table of what can be wrong: name, severity, whether it clears by itself, plain words.
 *
 *   above   audit/kinds  linkd/native_codec  model/event  registry/registry  router/alarms
 *   below   base/base  base/text
 *   owns    the constant table
 *   limits  -
 *   errors  ALARM_E_SYNTAX
 */
#include "base/base.h"

enum { ALARM_E_SYNTAX = 1 };

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL, SEVERITIES };
enum alarm_kind {
	ALARM_CLONE,            /* two holders of one identity */
	ALARM_ADAPTER_VIOLATION,/* an adapter broke the wire's rules */
	ALARM_ADAPTER_GONE,
	ALARM_LINK_DOWN,
	ALARM_LINK_IDENTITY,    /* broker certificate: wrong name or pin */
	ALARM_SPOOL_DROPS,
	ALARM_STORE_FAILING,    /* the writer thread cannot write */
	ALARM_AUDIT_BROKEN,
	ALARM_CLOCK_UNTRUSTED,
	ALARM_CODE_GUESSING,    /* several one-time codes burnt */
	ALARM_LOGIN_LOCKED,
	ALARM_RULE_LOOP,        /* a rule triggered itself and was stopped */
	ALARM_BATTERY_LOW,
	ALARM_DEVICE_TAMPER,
	ALARM_DEVICE_FLOOD,
	ALARM_BROKER_UNENFORCED,/* the LAN broker lets others publish commands */
	ALARM_STORE_DAMAGED,    /* pages or a keystore that do not open: damaged or changed */
	ALARM_ROLLBACK,         /* older than what this gateway has said outside: an old image was put back */
	ALARM_KEY_WORN,         /* past its age or its uses, or disabled without a successor */
	ALARM_SPACE_LOW,        /* 80 % of the room for records, or of the disk */
	ALARM_SPACE_OUT,        /* 95 %, or the reserve is in use */
	ALARM_SECOND_WAY,       /* a device that somebody owns shows up at another adapter, outside its owner's window */
	ALARMS
};
struct alarm_row {
	enum alarm_kind kind;
	const char *name; /* "clone", kebab-case */
	enum severity severity;
	bool clears_itself;
	const char *text; /* one plain sentence of what it means and what to do */
};
const struct alarm_row *alarm_row(enum alarm_kind kind);
must_check int alarm_kind_parse(const char *name, enum alarm_kind *ret);
const char *severity_name(enum severity severity);
