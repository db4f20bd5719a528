#pragma once
/* rulebook - the household's access rules: kept in gateway.db, compiled off the loop, swapped in whole.
 *
 *   above   router  door  app
 *   below   audit/audit  base/base  base/bytes  base/text  policy/policy  sys/store
 *   owns    the rules in memory, the current snapshot, the table policy_rule of gateway.db
 *   limits  RULEBOOK_CHANGES_MAX
 *   errors  RULEBOOK_E_UNKNOWN, and those of policy
 *
 * A change is compiled first, then written with its audit row in one transaction, then swapped in; a set that does
 * not compile changes nothing.
 */
#include "base/base.h"
#include "audit/audit.h"
#include "policy/policy.h"
#include "sys/store.h"

enum { RULEBOOK_E_UNKNOWN = 10 };
enum { RULEBOOK_CHANGES_MAX = 64 }; /* waiting for each other; one more is -ENOBUFS */

struct rulebook;
/* r: 0; POLICY_E_RULE, POLICY_E_CROWDED, RULEBOOK_E_UNKNOWN with plain words in error; negative errno. */
typedef void (*rulebook_done_fn)(void *ctx, int r, int32_t id, const char *error);

extern const char rulebook_schema_1[]; /* SQL of its table, part of gateway.db's version 1 */
must_check int rulebook_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, struct rulebook **ret);
must_check int rulebook_load(struct rulebook *book); /* before the store starts */
struct rulebook *rulebook_close(struct rulebook *book);

struct policy_snapshot *rulebook_snapshot(const struct rulebook *book); /* borrowed; never NULL after load */
/* record (may be NULL): the audit row of the verb (kind, subject, session, source, action), whose object and detail become the rule's. done
 * exactly once. */
void rulebook_add(struct rulebook *book, const struct policy_rule *rule, const struct audit_record *record,
		  rulebook_done_fn done, void *ctx);
void rulebook_remove(struct rulebook *book, int32_t id, const struct audit_record *record, rulebook_done_fn done, void *ctx);
size_t rulebook_count(const struct rulebook *book);
const struct policy_rule *rulebook_at(const struct rulebook *book, size_t i);
