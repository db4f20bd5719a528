/* Flash is precious and a counter rises with each beacon: so counters are in a small blob of their own that is written each
 * BLE_MARKS_MS, and at once only when something was done that acts in a home (a button, a lock): what is replayed after a
 * crash is a measurement of the last minutes at most.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ble/ble_inside.h"

static const char *const parts[] = { "beacons", "beacons.1" };

static void log_once(gwa_self *self, const char *text)
{
	gwa(self->host)->log(self->host, 3, text);
}

static uint8_t *blob_new(void)
{
	uint8_t *blob = malloc(GWA_STATE_MAX);

	if (!blob)
		abort();
	return blob;
}

/* Bind keys went through it. */
static void blob_free(uint8_t *blob)
{
	explicit_bzero(blob, GWA_STATE_MAX);
	free(blob);
}

void keep_load(gwa_self *self)
{
	uint8_t *blob = blob_new();
	struct reader r;
	uint32_t len;

	for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
		len = GWA_STATE_MAX;
		if (gwa(self->host)->load(self->host, parts[i], blob, &len))
			break;
		r = reader_over(blob, len);
		if (beacons_get(&self->beacons, &r))
			log_once(self, "what was kept of the devices cannot be read: they have to join again");
	}
	len = GWA_STATE_MAX;
	if (!gwa(self->host)->load(self->host, "marks", blob, &len)) {
		r = reader_over(blob, len);
		if (beacons_get_marks(&self->beacons, &r))
			log_once(self, "the counters that were kept cannot be read");
	}
	blob_free(blob);
}

void keep_beacons_now(gwa_self *self)
{
	uint8_t *blob = blob_new();
	size_t at = 0;

	for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
		struct writer w = writer_over(blob, GWA_STATE_MAX);

		/* A second part that was never needed is not made. */
		if (i && at == self->beacons.n && self->beacons.n < BEACONS_MAX / 2)
			break;
		beacons_put(&self->beacons, &at, &w);
		if (w.bad || gwa(self->host)->save(self->host, parts[i], blob, (uint32_t)writer_len(&w)))
			log_once(self, "the devices could not be kept");
	}
	blob_free(blob);
	self->beacons_ms = UINT64_MAX;
	gwa(self->host)->timer(self->host, TIMER_BEACONS, 0);
}

void keep_marks_now(gwa_self *self)
{
	uint8_t blob[3 + BEACONS_MAX * BEACONS_MARK_BYTES];
	struct writer w = writer_over(blob, sizeof(blob));

	beacons_put_marks(&self->beacons, &w);
	if (w.bad || gwa(self->host)->save(self->host, "marks", blob, (uint32_t)writer_len(&w)))
		log_once(self, "the counters could not be kept");
	self->marks_ms = UINT64_MAX;
	gwa(self->host)->timer(self->host, TIMER_MARKS, 0);
}

void keep_beacons(gwa_self *self)
{
	ble_set_timer(self, TIMER_BEACONS, &self->beacons_ms, ble_now(self) + BLE_BEACONS_MS);
}

void keep_marks(gwa_self *self)
{
	ble_set_timer(self, TIMER_MARKS, &self->marks_ms, ble_now(self) + BLE_MARKS_MS);
}

void keep_now(gwa_self *self)
{
	if (self->beacons_ms != UINT64_MAX)
		keep_beacons_now(self);
	if (self->marks_ms != UINT64_MAX)
		keep_marks_now(self);
}
