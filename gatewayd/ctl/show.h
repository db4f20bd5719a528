#pragma once
/* show - answers of the gateway for people: tables and lines.
 *
 *   above   ctl/command  ctl/perform
 *   below   base/base  base/text  ctl/grid  ctl/plain  sys/json
 *   owns    nothing
 *   limits  -
 */
#include <stdio.h>
#include "base/base.h"
#include "sys/json.h"

typedef void show_fn(FILE *out, const struct json *result);
show_fn show_hello, show_status, show_map, show_findings, show_devices, show_device, show_rooms, show_joins, show_claims, show_code, show_owner,
	show_users, show_sessions, show_policies, show_id, show_explanation, show_rules, show_links, show_spool, show_alarms, show_records,
	show_head, show_verdict, show_path, show_text, show_event, show_keys, show_key_verb, show_audit_keys, show_seed, show_proof,
	show_recovery_key, show_radio, show_radio_map, show_radio_group, show_pressed;
