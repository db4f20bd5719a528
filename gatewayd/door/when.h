#pragma once
/* when - days and times of day as people write them: "mon-fri,sun", "07:30", "mon-fri 22:00-06:00".
 *
 *   above   door/methods_policy  door/methods_rule  door/render
 *   below   base/base  base/text  policy/policy
 *   owns    nothing
 *   limits  WHEN_TEXT_MAX
 *   errors  WHEN_E_SYNTAX
 */
#include "base/base.h"
#include "policy/policy.h"

enum { WHEN_TEXT_MAX = 48 };
enum { WHEN_E_SYNTAX = 1 };
must_check int when_parse_days(const char *text, uint8_t *ret);             /* bit 0 Monday; "daily" is all */
must_check int when_parse_minute(const char *text, uint16_t *ret);          /* 00:00 to 23:59, "24:00" is 1440 */
must_check int when_parse_moment(const char *text, uint8_t *ret_day, uint16_t *ret_minute); /* "tue 07:30" */
must_check int when_parse_window(const char *text, struct policy_window *ret); /* days first, or none for every day */
void when_print_days(uint8_t days, char ret[WHEN_TEXT_MAX]);
void when_print_window(const struct policy_window *window, char ret[WHEN_TEXT_MAX]);
