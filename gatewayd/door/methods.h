#pragma once
/* methods - the handlers that the table in door/method names, and the few steps that many of them share.
 *
 *   above   door/method  door/events
 *   below   base/base  base/text  door/method  model/capability  router/claims
 *   owns    nothing
 *   limits  METHODS_BUDGET_MAX
 *
 * A helper that fails the call says so by its result; the handler just returns then.
 */
#include "base/base.h"
#include "door/method.h"

enum { METHODS_BUDGET_MAX = 48 * 1024 }; /* bytes of one answer's list: the rest is asked for with "after" */

/* The device of parameter key, by name or identity; NULL: failed with unknown-device, also when the caller may not know it. */
const struct device *call_device(struct call *call, const struct json *params, const char *key);
bool call_may_read(struct call *call, const struct device *device);
/* The caller sees that it is there: may read it, or may set it up. */
bool call_may_see(struct call *call, const struct device *device);
/* False: failed, on record, the rule named to those who may know. */
bool call_may_configure(struct call *call, const struct device *device);
/* A capability's number by its name; false: failed. */
bool call_capability(struct call *call, const struct json *params, const char *key, uint16_t *ret);
/* The user of parameter key; NULL: failed with not-found. */
const struct user *call_user(struct call *call, const struct json *params, const char *key);
int64_t param_i64(const struct json *params, const char *key, int64_t preset);
bool param_bool(const struct json *params, const char *key, bool preset);
/* Adds item to list unless that would pass the budget; false: full, item is freed. */
bool budget_push(size_t *used, struct json *list, struct json *item);
/* Ends of verbs: 0 answers {}, all else fails in that module's words. ctx is the call. */
void call_registry_done(void *ctx, int r);
void call_people_done(void *ctx, int r);
void call_claims_done(void *ctx, int r);
/* A record that stands alone; answers result when it is in the log. Takes result. */
void call_append_answer(struct call *call, const struct audit_record *record, struct json *result);

typedef void method_fn(struct call *call, const struct json *params);
/* system */
method_fn method_hello, method_status, method_map, method_link_list, method_spool_list, method_alarm_list, method_alarm_ack, method_freshness_confirm,
	method_conf_show, method_conf_reload, method_broker_client, method_diagnose;
/* events */
method_fn method_events_subscribe, method_events_unsubscribe;
/* people */
method_fn method_setup, method_recovery, method_login, method_logout, method_session_list, method_session_end, method_user_list,
	method_user_add, method_user_set_role, method_user_set_password, method_user_disable, method_user_enable, method_user_remove,
	method_user_unlock;
/* device */
method_fn method_device_list, method_device_get, method_device_set, method_device_rename, method_device_room, method_device_move,
	method_device_retire, method_device_quarantine, method_device_release, method_room_list;
/* bind */
method_fn method_bind_code, method_join_open, method_claim_press, method_join_close, method_join_status, method_claim_list, method_claim_confirm,
	method_bind_transfer, method_bind_unbind, method_code_redeem;
/* radio */
method_fn method_radio_info, method_radio_map, method_radio_backup, method_radio_restore, method_radio_channel, method_radio_form,
	method_radio_adopt, method_radio_group, method_radio_more;
/* policy and rules */
method_fn method_policy_list, method_policy_add, method_policy_remove, method_policy_explain, method_rule_list, method_rule_add,
	method_rule_remove, method_rule_enable, method_rule_disable;
/* record */
method_fn method_audit_tail, method_audit_verify, method_audit_export, method_audit_head, method_audit_seed, method_audit_prove,
	method_audit_consistency;
/* vault */
method_fn method_key_list, method_key_create, method_key_activate, method_key_disable, method_key_compromise, method_key_rotate,
	method_key_destroy, method_key_distribute, method_key_source, method_audit_keys;
/* backup */
method_fn method_recovery_key_show, method_recovery_key_set, method_backup_make, method_gateway_erase;
