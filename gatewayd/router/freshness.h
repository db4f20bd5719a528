#pragma once
/* freshness - is what is stored here as new as what this gateway has said outside? An older image that was put back is in doubt.
 *
 *   above   app  link/links  router/internal
 *   below   audit/audit  base/base  base/text  router/alarms  sys/log  sys/store
 *   owns    table freshness of gateway.db
 *   limits  FRESHNESS_WHY_MAX
 *   errors  -
 *
 * Nothing inside an image can tell that all of it is old. Outside is: the last anchor that a link's broker keeps for us, signed by this
 * gateway. Inside, parts may differ in age (a database put back, the keystore not): the app compares those and says so with
 * freshness_doubt. While in doubt an alarm stands and orders of links are refused, over restarts too, until an owner confirms that
 * the older state is meant (a restored backup). People at home, local rules and devices go on: they are not what was replayed.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "router/alarms.h"
#include "sys/store.h"

enum { FRESHNESS_WHY_MAX = 160 };

/* What an anchor says, once its signature was found to be ours. */
struct freshness_point {
	uint64_t number, size, starts;
};
struct freshness_ops {
	/* 0 and ret; positive: not ours, or not signed by a key of ours (an error of the far side, no doubt). */
	int (*read)(void *ctx, const void *body, size_t len, const char *signatures, struct freshness_point *ret);
	/* What we have. */
	struct freshness_point (*here)(void *ctx);
	/* Is that point, which is no later than ours, one of ours? fn once, on the loop: 0 or -ENOENT (too old to say), else positive. */
	int (*knows)(void *ctx, uint64_t number, const void *body, size_t len, void (*fn)(void *ctx, int r), void *fn_ctx);
	/* Say where we are, outside, in place of what was found there. */
	void (*say)(void *ctx);
};
struct freshness;
extern const char freshness_schema_1[]; /* part of gateway.db's first version */
must_check int freshness_new(struct store *store, unsigned db, struct audit *audit, struct alarms *alarms, const struct freshness_ops *ops,
			     void *ctx, struct freshness **ret);
must_check int freshness_load(struct freshness *f); /* before the store starts */
struct freshness *freshness_free(struct freshness *f);
void freshness_doubt(struct freshness *f, const char *why); /* again: the first reason stays */
void freshness_anchor(struct freshness *f, const char *link, const void *body, size_t len, const char *signatures);
const char *freshness_why(const struct freshness *f); /* in doubt because of; NULL: in no doubt */
/* An owner means it. What was said outside so far is no reason any more. done after the record is durable. */
must_check int freshness_confirm(struct freshness *f, const struct audit_record *record, void (*done)(void *ctx, int r), void *ctx);
