#pragma once
/* replay - the highest counter of every (link, sender), durable ahead of use in blocks.
 *
 *   above   app  router/internal
 *   below   base/base  base/text  model/command  model/device  sys/store
 *   owns    the counters; table replay of gateway.db
 *   limits  REPLAY_SENDERS_MAX REPLAY_BLOCK
 *   errors  REPLAY_E_OLD REPLAY_E_FULL
 *
 * Before a counter above the reserved mark is accepted, the mark is raised by a block and committed with fsync: after a crash every
 * counter up to the mark counts as used, so nothing recorded can be played again (at the price of skipped numbers: senders
 * continue from what the answer tells, docs/spec/cloud.md).
 */
#include "base/base.h"
#include "sys/store.h"

enum { REPLAY_SENDERS_MAX = 256, REPLAY_BLOCK = 64 };
enum { REPLAY_E_OLD = 1, REPLAY_E_FULL = 2 };
extern const char replay_schema_1[]; /* part of gateway.db's version 1 */
struct replay;
must_check int replay_new(struct store *store, unsigned db, struct replay **ret);
must_check int replay_load(struct replay *replay);
struct replay *replay_free(struct replay *replay);
/* done: 0 accepted (and durable), REPLAY_E_OLD, REPLAY_E_FULL, negative. May be called before this returns. */
void replay_check(struct replay *replay, const char *link, const char *sender, uint64_t counter, void (*done)(void *ctx, int r), void *ctx);
uint64_t replay_last(const struct replay *replay, const char *link, const char *sender);
