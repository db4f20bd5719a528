#pragma once
/* perform - commands that are more than one call: secrets asked for, values typed, sessions kept, brokers told.
 *
 *   above   ctl/command
 *   below   base/base  base/text  ctl/ask  ctl/run  ctl/show  model/value  sys/crypto  sys/json
 *   owns    nothing
 *   limits  -
 */
#include "base/base.h"
#include "sys/json.h"

struct run;
struct command;
typedef int perform_fn(struct run *run, const struct command *command, struct json *params);
perform_fn perform_new_password, perform_password, perform_login, perform_logout, perform_set, perform_rule, perform_join, perform_code,
	perform_verify, perform_events, perform_broker_add, perform_broker_remove, perform_again, perform_key_destroy, perform_key_source,
	perform_unlock, perform_recovery_new, perform_erase, perform_receipt_check, perform_join_follow, perform_press, perform_radio_ask,
	perform_radio_backup, perform_radio_restore, perform_radio_form, perform_radio_adopt, perform_radio_group;
/* Asks for a secret and puts it into params. 0, or an exit code after the reason was said. */
must_check int run_ask_into(struct run *run, struct json *params, const char *key, const char *prompt, bool twice);
