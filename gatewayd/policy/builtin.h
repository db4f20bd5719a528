#pragma once
/* builtin - what everybody may do before the household has written a rule.
 *
 *   above   policy/compile
 *   below   base/base  policy/policy
 *   owns    the constant table
 *   limits  -
 */
#include "base/base.h"
#include "policy/policy.h"

size_t policy_builtin_count(void);
const struct policy_rule *policy_builtin_at(size_t i); /* by id: -1, -2, ... */
