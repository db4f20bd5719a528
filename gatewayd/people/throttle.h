#pragma once
/* throttle - who has failed too often to be asked again now: per name and per source, known or not. Pure but for time given.
 *
 *   above   people/internal
 *   below   base/base  base/text
 *   owns    a bounded table of failures
 *   limits  THROTTLE_MAX THROTTLE_KEY_MAX
 */
#include "base/base.h"

enum { THROTTLE_MAX = 512, THROTTLE_KEY_MAX = 80 };
struct throttle;
struct throttle_options {
	uint32_t tries, window_s, lock_s;
};
struct throttle_row { /* what is kept over a restart */
	char key[THROTTLE_KEY_MAX + 1];
	uint32_t failures, locks;
	int64_t lock_left_ms;
};
must_check int throttle_new(const struct throttle_options *options, struct throttle **ret);
struct throttle *throttle_free(struct throttle *throttle);
bool throttle_is_locked(const struct throttle *throttle, const char *key, int64_t now_ms);
/* true: this failure locked it. Each further lock lasts twice as long, up to a day. */
bool throttle_fail(struct throttle *throttle, const char *key, uint32_t tries_factor, int64_t now_ms);
void throttle_ok(struct throttle *throttle, const char *key);
void throttle_restore(struct throttle *throttle, const struct throttle_row *row, int64_t now_ms);
bool throttle_get(const struct throttle *throttle, const char *key, int64_t now_ms, struct throttle_row *ret);
