#pragma once
/* rulebook - the household's access rules: kept in gateway.db, compiled off the loop, swapped in whole.
 *
 *   above   door/methods  app  router
 *   below   base/base  policy/policy  sys/loop  sys/store  sys/db  audit/outbox
 *   owns    the rules in memory and the current snapshot
 *   limits  POLICY_RULES_MAX
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

struct rulebook;
typedef void (*rulebook_done_fn)(void *ctx, int r, int32_t id, const char *error);

extern const struct db_migration rulebook_migrations[]; /* part of gateway.db's list, see app.c */
must_check int rulebook_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, struct rulebook **ret);
must_check int rulebook_load(struct rulebook *book); /* before the store starts */
struct rulebook *rulebook_close(struct rulebook *book);

struct policy_snapshot *rulebook_snapshot(const struct rulebook *book); /* borrowed; never NULL after load */
/* record: the audit row of the verb (subject, session, source), completed here with the rule. done exactly once. */
void rulebook_add(struct rulebook *book, const struct policy_rule *rule, const struct audit_record *record,
		  rulebook_done_fn done, void *ctx);
void rulebook_remove(struct rulebook *book, int32_t id, const struct audit_record *record, rulebook_done_fn done, void *ctx);
size_t rulebook_count(const struct rulebook *book);
const struct policy_rule *rulebook_at(const struct rulebook *book, size_t i);
