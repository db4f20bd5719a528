/* Windows and leaving. A window is as long as the core says and lets eight in; a device that comes outside of one (somebody
 * pressed a button on a router) is told to leave again.
 */
#include <string.h>
#include "sys/crypto.h"
#include "zigbee/install_code.h"
#include "zigbee/zigbee_inside.h"

enum { ROUTERS = 0xfffc, REFUSED_NOTE_MS = 60000, RENEW_AGAIN_MS = 1000 };

static void done(gwa_self *self, uint64_t req, int status)
{
	if (req)
		gwa(self->host)->done(self->host, req, status);
}

static struct pending *add_pending(gwa_self *self, uint64_t req, uint64_t eui, uint32_t seconds)
{
	for (size_t i = 0; i < JOINS_PENDING_MAX; i++) {
		struct pending *row = &self->pending[i];

		if (row->id)
			continue;
		*row = (struct pending){ .id = zigbee_id(self, OWNER_PENDING), .req = req, .eui = eui, .seconds = seconds };
		return row;
	}
	return NULL;
}

static void end(gwa_self *self, struct pending *row, int status)
{
	uint64_t req = row->req;

	*row = (struct pending){ .id = 0 };
	done(self, req, status);
}

/* Windows */

static int permit(gwa_self *self, struct pending *row)
{
	uint32_t part = row->seconds < PERMIT_PART_S ? row->seconds : PERMIT_PART_S;

	row->what = PENDING_PERMIT;
	return self->radio->ops->permit(self->radio, row->id, (uint8_t)part, ROUTERS);
}

static void open_window(gwa_self *self, uint64_t req, uint32_t seconds)
{
	struct pending *row = add_pending(self, req, 0, seconds);

	if (!row || self->state != NET_READY || permit(self, row)) {
		if (row)
			row->id = 0;
		done(self, req, self->state == NET_READY ? GWA_BUSY : seconds ? GWA_UNREACHABLE : GWA_OK);
		return;
	}
	self->joins.until_ms = seconds ? zigbee_now(self) + 1000ull * seconds : 0;
	self->joins.renew_ms = seconds > PERMIT_PART_S ? zigbee_now(self) + 1000ull * (PERMIT_PART_S - 5) : UINT64_MAX;
}

static bool read_code(const struct gwa_join *join, struct install_code *ret)
{
	struct view bytes = { join->code, join->ncode };

	if (join->ncode > sizeof(join->code))
		return false;
	if (install_code_check(bytes) == 0) {
		*ret = (struct install_code){ .len = (uint8_t)bytes.len };
		memcpy(ret->bytes, bytes.data, bytes.len);
		return true;
	}
	return install_code_read((const char *)join->code, join->ncode, ret) == 0;
}

static void open_with_code(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	struct pending *row = NULL;
	struct install_code code;
	uint64_t eui = 0;
	int r = -1;

	for (unsigned i = 0; join->addr.len == 8 && i < 8; i++)
		eui = eui << 8 | join->addr.bytes[i];
	if (self->state != NET_READY || !read_code(join, &code)) {
		done(self, req, self->state != NET_READY ? GWA_UNREACHABLE : GWA_BAD_VALUE);
		return;
	}
	eui = eui ? eui : code.eui;
	if (eui && (!code.eui || code.eui == eui) && self->joins.n_coded < JOINS_A_WINDOW_MAX)
		row = add_pending(self, req, eui, join->seconds);
	if (row)
		r = self->radio->ops->install_code(self->radio, row->id, eui, (struct view){ code.bytes, code.len });
	crypto_wipe(&code, sizeof(code));
	if (r) {
		if (row)
			row->id = 0;
		done(self, req, eui ? GWA_BUSY : GWA_BAD_VALUE);
		return;
	}
	row->what = PENDING_CODE;
}

void joins_permit(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	/* A window that was over is another one. */
	if (self->joins.until_ms <= zigbee_now(self))
		self->joins.n = self->joins.n_coded = 0;
	if (join->ncode && join->seconds)
		open_with_code(self, req, join);
	else
		open_window(self, req, join->seconds);
}

static void close_window(gwa_self *self)
{
	self->joins.until_ms = 0;
	self->joins.renew_ms = UINT64_MAX;
	open_window(self, 0, 0);
}

static void tell_to_leave(gwa_self *self, uint64_t eui, uint16_t nwk)
{
	struct radio_question leave = { .kind = RADIO_Q_LEAVE, .nwk = nwk, .eui = eui };
	uint64_t now = zigbee_now(self);

	if (self->state == NET_READY && self->radio->ops->ask(self->radio, zigbee_id(self, OWNER_NOBODY), &leave))
		self->dropped++;
	if (self->joins.said_ms && now - self->joins.said_ms < REFUSED_NOTE_MS)
		return;
	self->joins.said_ms = now;
	gwa(self->host)->note(self->host, GWA_NOTE_REFUSED_COMMAND, 1, "join", "a device came while no window was open; it was told to leave");
}

static bool was_refused(const gwa_self *self, uint64_t eui)
{
	for (size_t i = 0; i < JOINS_A_WINDOW_MAX; i++) {
		if (self->joins.refused[i] == eui)
			return true;
	}
	return false;
}

bool joins_admit(gwa_self *self, uint64_t eui, uint16_t nwk, bool announced)
{
	bool open = self->joins.until_ms > zigbee_now(self) && self->joins.n < JOINS_A_WINDOW_MAX;

	/* Of an adopted network we do not know all who live in it; who was let in just now is none of them. */
	if (!open && announced && self->adopted && !was_refused(self, eui))
		return true;
	if (!open) {
		self->joins.refused[self->joins.n_refused++ % JOINS_A_WINDOW_MAX] = eui;
		tell_to_leave(self, eui, nwk);
		return false;
	}
	if (++self->joins.n == JOINS_A_WINDOW_MAX)
		self->joins.close = true;
	return true;
}

uint8_t joins_evidence(const gwa_self *self, uint64_t eui)
{
	for (unsigned i = 0; i < self->joins.n_coded; i++) {
		if (self->joins.coded[i] == eui)
			return 2;
	}
	return 1;
}

void joins_ready(gwa_self *self)
{
	uint64_t now = zigbee_now(self);

	if (self->joins.until_ms > now)
		open_window(self, 0, (uint32_t)((self->joins.until_ms - now) / 1000));
}

void joins_tick(gwa_self *self)
{
	uint64_t now = zigbee_now(self);

	if (self->state != NET_READY)
		return;
	if (self->joins.close) {
		self->joins.close = false;
		close_window(self);
	} else if (self->joins.until_ms && self->joins.renew_ms <= now) {
		/* What is not taken now is tried again in a second. */
		self->joins.renew_ms = now + RENEW_AGAIN_MS;
		if (self->joins.until_ms <= now)
			self->joins.until_ms = 0;
		joins_ready(self);
	}
}

uint64_t joins_due_ms(const gwa_self *self)
{
	if (self->state != NET_READY)
		return UINT64_MAX;
	return self->joins.close ? 0 : self->joins.until_ms ? self->joins.renew_ms : UINT64_MAX;
}

/* Leaving */

void joins_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	struct device *device = device_find(self, addr);
	struct radio_question leave = { .kind = RADIO_Q_LEAVE };
	struct pending *row;

	if (!device) {
		done(self, req, GWA_UNREACHABLE);
		return;
	}
	leave.nwk = device->row.node.nwk;
	leave.eui = device->row.node.eui;
	row = add_pending(self, req, leave.eui, 0);
	if (!row || self->state != NET_READY || self->radio->ops->ask(self->radio, row->id, &leave)) {
		if (row)
			row->id = 0;
		done(self, req, self->state == NET_READY ? GWA_BUSY : GWA_UNREACHABLE);
		return;
	}
	row->what = PENDING_LEAVE;
}

/* Gone is gone: one that was not reached is told to leave if it ever speaks again. */
static void leave_answered(gwa_self *self, struct pending *row, enum radio_status status)
{
	struct nodes_row *node = nodes_by_eui(&self->nodes, row->eui);

	if (status == RADIO_FAILED) { /* it was not even told */
		end(self, row, GWA_FAILED);
		return;
	}
	if (status != RADIO_OK)
		zigbee_log(self, 5, "%016llx was removed without having been reached", (unsigned long long)row->eui);
	if (node)
		device_forget(self, device_of(node), true);
	end(self, row, GWA_OK);
}

void joins_done(gwa_self *self, uint32_t cookie, enum radio_status status)
{
	struct pending *row = NULL;

	for (size_t i = 0; i < JOINS_PENDING_MAX; i++) {
		if (self->pending[i].id == cookie)
			row = &self->pending[i];
	}
	if (!row)
		return;
	if (row->what == PENDING_LEAVE) {
		leave_answered(self, row, status);
	} else if (row->what == PENDING_CODE && status == RADIO_OK) {
		if (self->joins.n_coded < JOINS_A_WINDOW_MAX)
			self->joins.coded[self->joins.n_coded++] = row->eui;
		open_window(self, row->req, row->seconds);
		row->id = 0;
	} else {
		end(self, row, status == RADIO_OK ? GWA_OK : status == RADIO_REFUSED ? GWA_BAD_VALUE : GWA_FAILED);
	}
}

/* The radio is another one now, or gone: it answers nothing of what was asked. */
void joins_fail(gwa_self *self)
{
	for (size_t i = 0; i < JOINS_PENDING_MAX; i++) {
		if (self->pending[i].id)
			end(self, &self->pending[i], GWA_FAILED);
	}
}
