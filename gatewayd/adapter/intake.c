/* Reports are stored in groups by a thread, alarms with a sync and telemetry without, so they can finish out of order,
 * while an adapter wants one number: up to here everything is safe. A ring of flags, one a report in flight, gives it. */
#include <stdlib.h>
#include "adapter/intake.h"

struct intake_cell {
	struct intake *intake;
	bool stored;
};

struct intake {
	struct intake_cell cells[INTAKE_MAX];
	uint64_t up_to, last; /* (up_to, last] are outstanding or waiting for an earlier one */
	size_t outstanding;
	bool begun, left;
	intake_fn moved;
	void *ctx;
};

int intake_new(intake_fn moved, void *ctx, struct intake **ret)
{
	struct intake *intake = calloc(1, sizeof(*intake));
	if (!intake)
		return -ENOMEM;
	intake->moved = moved;
	intake->ctx = ctx;
	for (size_t i = 0; i < INTAKE_MAX; i++)
		intake->cells[i].intake = intake;
	*ret = intake;
	return 0;
}

struct intake *intake_leave(struct intake *intake)
{
	if (!intake)
		return NULL;
	intake->left = true;
	if (intake->outstanding == 0)
		free(intake);
	return NULL;
}

int intake_take(struct intake *intake, uint64_t seq, struct intake_cell **ret)
{
	if (!intake->begun) {
		if (seq == 0)
			return INTAKE_E_ORDER;
		intake->begun = true;
		intake->up_to = intake->last = seq - 1;
	}
	if (seq != intake->last + 1)
		return INTAKE_E_ORDER;
	if (intake->last - intake->up_to >= INTAKE_MAX)
		return INTAKE_E_FLOOD;
	intake->last = seq;
	intake->outstanding++;
	struct intake_cell *cell = &intake->cells[seq % INTAKE_MAX];
	cell->stored = false;
	*ret = cell;
	return 0;
}

void intake_stored(struct intake_cell *cell)
{
	struct intake *intake = cell->intake;
	uint64_t before = intake->up_to;

	cell->stored = true;
	intake->outstanding--;
	while (intake->up_to < intake->last && intake->cells[(intake->up_to + 1) % INTAKE_MAX].stored)
		intake->up_to++;
	if (intake->left) {
		if (intake->outstanding == 0)
			free(intake);
		return;
	}
	if (intake->up_to != before)
		intake->moved(intake->ctx);
}

uint64_t intake_up_to(const struct intake *intake)
{
	return intake->up_to;
}

size_t intake_outstanding(const struct intake *intake)
{
	return intake->outstanding;
}
