#pragma once
/* alarms - what is wrong now: raised once per (kind, device or object), acknowledged by a person, cleared.
 *
 *   above   app  door/methods_diagnose  door/methods_system  door/render  link/links  router/internal
 *   below   audit/audit  base/base  base/text  model/alarm  model/device_id  sys/loop  sys/store
 *   owns    the active alarms; table alarm of gateway.db
 *   limits  ALARMS_MAX
 *   errors  ALARMS_E_UNKNOWN
 */
#include "audit/audit.h"
#include "base/base.h"
#include "model/alarm.h"
#include "model/device_id.h"
#include "sys/loop.h"
#include "sys/store.h"

enum { ALARMS_MAX = 512 };
enum { ALARMS_E_UNKNOWN = 1 };
extern const char alarms_schema_1[]; /* part of gateway.db's version 1 */
struct alarms;
struct alarm {
	uint32_t id;
	enum alarm_kind kind;
	struct device_id device;
	char object[64], detail[160];
	int64_t raised_us, raised_ms;
	uint32_t count;
	bool acknowledged;
	char by[64];
};
typedef void (*alarms_event_fn)(void *ctx, const struct alarm *alarm, unsigned phase); /* 0 raised 1 acknowledged 2 cleared */
must_check int alarms_new(struct loop *loop, struct store *store, unsigned db, struct audit *audit, alarms_event_fn fn, void *ctx, struct alarms **ret);
must_check int alarms_load(struct alarms *alarms);
struct alarms *alarms_close(struct alarms *alarms);
void alarms_raise(struct alarms *alarms, enum alarm_kind kind, struct device_id device, const char *object, const char *detail);
void alarms_clear(struct alarms *alarms, enum alarm_kind kind, struct device_id device, const char *object);
must_check int alarms_acknowledge(struct alarms *alarms, uint32_t id, const struct audit_record *record, void (*done)(void *ctx, int r), void *ctx);
const struct alarm *alarms_at(const struct alarms *alarms, size_t i);
