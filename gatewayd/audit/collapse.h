#pragma once
/* collapse - repeats become counts: the first is written, what follows within the minute is only counted.
 *
 *   above   audit/inside
 *   below   audit/audit  base/base  base/text  model/device_id
 *   owns    struct collapse, its entries and the telemetry counts
 *   limits  COLLAPSE_OBJECTS_MAX COLLAPSE_DEVICES_MAX
 *
 * Pure: no clock, a window is from one flush to the next. Entries are told apart by (kind, outcome, subject, source,
 * address, object). A group, which is the same without address and object, may have COLLAPSE_OBJECTS_MAX of them: who
 * varies what he asks for gets one count for the rest, and in the windows that follow hardly any entry of his own.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "model/device_id.h"

enum { COLLAPSE_OBJECTS_MAX = 32, COLLAPSE_OBJECTS_NOISY = 2, COLLAPSE_DEVICES_MAX = 5000 };

struct collapse;
typedef void (*collapse_fn)(void *ctx, const struct audit_record *record);

must_check int collapse_new(struct collapse **ret);
struct collapse *collapse_free(struct collapse *collapse);
/* true: write the record; false: it was counted. */
must_check bool collapse_note(struct collapse *collapse, const struct audit_record *record);
void collapse_count(struct collapse *collapse, struct device_id device, uint32_t n); /* allowed telemetry */
/* While room is short: nothing that collapses is written at once but a known user's lock-out, groups are not told apart by object, nor
 * telemetry by device. */
void collapse_set_strict(struct collapse *collapse, bool strict);
/* The end of a window: fn gets a record for every count. */
void collapse_flush(struct collapse *collapse, collapse_fn fn, void *ctx);
bool collapse_is_empty(const struct collapse *collapse);
