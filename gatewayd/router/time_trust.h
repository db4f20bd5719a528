#pragma once
/* time_trust - may the wall clock be believed? A Pi has none at boot.
 *
 *   above   door/methods_diagnose  door/methods_system  link/links  router/internal
 *   below   base/base  base/text  router/zone  sys/host  sys/loop  sys/store
 *   owns    the persisted floor (table meta(key TEXT PRIMARY KEY, value INTEGER) of gateway.db, made by app; key time_floor_us)
 *   limits  TIME_PEER_TOLERANCE_US TIME_FLOOR_STEP_S
 *
 * Trusted when the system says it is synchronised, or when it is past the floor and a peer's time (a link's) agrees.
 * Untrusted: link commands that carry times are refused (RESULT_CLOCK), allow rules with windows do not match.
 * Local time for rules: site.timezone through the C library's zone files; day 0 is Monday.
 */
#include "base/base.h"
#include "sys/loop.h"
#include "sys/store.h"

#define TIME_PEER_TOLERANCE_US (5 * 60 * INT64_C(1000000))
enum { TIME_FLOOR_STEP_S = 3600 };
struct time_trust;
typedef void (*time_trust_fn)(void *ctx, bool trusted);
must_check int time_trust_new(struct loop *loop, struct store *store, unsigned db, const char *timezone, bool (*synced)(void *ctx), time_trust_fn fn,
			      void *ctx, struct time_trust **ret);
must_check int time_trust_load(struct time_trust *t);
struct time_trust *time_trust_close(struct time_trust *t);
void time_trust_peer(struct time_trust *t, int64_t wall_us); /* a link's peer told its time */
bool time_is_trusted(const struct time_trust *t);
const char *time_trust_why(const struct time_trust *t);
void time_local(const struct time_trust *t, int64_t wall_us, uint8_t *ret_day, uint16_t *ret_minute);
