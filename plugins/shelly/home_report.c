/* Readings go to the core as they come. Those that find no credit wait here, in order, and meanwhile no socket is read. */
#include <stdlib.h>
#include <string.h>
#include "shelly/shelly_inside.h"

static void keep_pending(gwa_self *self, const struct gwa_addr *addr, const struct status_reading *reading)
{
	if (!self->pending)
		self->pending = calloc(SHELLY_PENDING_MAX, sizeof(*self->pending));
	if (!self->pending)
		abort();
	if (self->n_pending == SHELLY_PENDING_MAX) {
		self->dropped++;
		return;
	}
	self->pending[self->n_pending++] = (struct pending){ *addr, *reading };
}

static bool report_one(gwa_self *self, const struct gwa_addr *addr, const struct status_reading *reading)
{
	return gwa(self->host)->report(self->host, addr, reading->endpoint, reading->cap, &reading->value, 0) != 0;
}

void home_report(gwa_self *self, const struct unit *unit, const struct status_reading *readings, size_t n)
{
	struct gwa_addr addr = home_addr(unit);

	for (size_t i = 0; i < n; i++) {
		if (self->n_pending || !report_one(self, &addr, &readings[i]))
			keep_pending(self, &addr, &readings[i]);
	}
}

void home_flush(gwa_self *self)
{
	size_t i = 0;

	while (i < self->n_pending && report_one(self, &self->pending[i].addr, &self->pending[i].reading))
		i++;
	self->n_pending -= i;
	if (self->n_pending) {
		memmove(self->pending, self->pending + i, self->n_pending * sizeof(*self->pending));
		return;
	}
	free(self->pending);
	self->pending = NULL;
	if (self->dropped)
		shelly_note(self, GWA_NOTE_DROPPED, self->dropped, NULL, "readings that found no room");
	self->dropped = 0;
}
