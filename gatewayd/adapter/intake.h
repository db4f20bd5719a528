#pragma once
/* intake - which numbered reports of one connection are stored: answers "all up to N" however the stores finish.
 *
 *   above   adapter/hub
 *   below   base/base
 *   owns    struct intake, until its connection has gone and the last report in it is stored
 *   limits  INTAKE_MAX
 *   errors  INTAKE_E_ORDER INTAKE_E_FLOOD
 *
 * Numbers rise by one within a connection. A store may finish after the connection has gone: the cell it was given
 * outlives both, and the last one out frees the intake.
 */
#include "base/base.h"

enum { INTAKE_MAX = 4096 };
enum { INTAKE_E_ORDER = 1, INTAKE_E_FLOOD = 2 };

struct intake;
struct intake_cell; /* one report on its way to the store */
typedef void (*intake_fn)(void *ctx); /* "up to" has moved */

must_check int intake_new(intake_fn moved, void *ctx, struct intake **ret);
/* The connection is gone: moved is never called again; freed when nothing is outstanding. Returns NULL. */
struct intake *intake_leave(struct intake *intake);
/* The first number sets where counting begins. */
must_check int intake_take(struct intake *intake, uint64_t seq, struct intake_cell **ret);
void intake_stored(struct intake_cell *cell);
uint64_t intake_up_to(const struct intake *intake);
size_t intake_outstanding(const struct intake *intake);
