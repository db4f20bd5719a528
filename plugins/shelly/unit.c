/* One device from dialling to hanging up. What a frame means is the session's to say, who may come in is home's; this file sees
 * to the order of things: dial, open, greet, listen, ping, and start anew with patience when something breaks.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "base/text.h"
#include "shelly/shelly_inside.h"
#include "sys/crypto.h"

static const char *line_reason(int r)
{
	static const char *const reasons[] = {
		[LINE_E_CLOSED] = "it has closed the connection",
		[LINE_E_REFUSED] = "it takes no WebSocket",
		[LINE_E_PROTOCOL] = "it does not speak WebSocket as it should",
		[LINE_E_FULL] = "it does not take what is said",
	};

	return r > 0 && (size_t)r < N_ELEMENTS(reasons) && reasons[r] ? reasons[r] : "it cannot be reached";
}

/* Watching */

static bool watch(gwa_self *self, struct unit *unit, int operation)
{
	bool out = line_wants_out(&unit->line);
	struct epoll_event event = { .events = out ? EPOLLIN | EPOLLOUT : EPOLLIN,
				     .data.u64 = (uint64_t)unit->serial << 32 | unit->slot };

	unit->watches_out = out;
	return epoll_ctl(self->poll, operation, unit->line.fd, &event) == 0;
}

static void rewatch(gwa_self *self, struct unit *unit)
{
	if (unit->line.state != LINE_OFF && unit->watches_out != line_wants_out(&unit->line))
		(void)watch(self, unit, EPOLL_CTL_MOD);
}

void unit_dial(gwa_self *self, struct unit *unit)
{
	uint64_t now = shelly_now(self);

	unit->dial_at = UINT64_MAX;
	unit->dialled_at = now;
	unit->serial = ++self->serial;
	if (line_dial(&unit->line, &unit->place) || !watch(self, unit, EPOLL_CTL_ADD)) {
		home_lost(self, unit, 0, "it cannot be reached");
		return;
	}
	unit->open_by = now + SHELLY_OPEN_MS;
}

void unit_hang_up(gwa_self *self, struct unit *unit)
{
	uint64_t req;

	while ((req = session_any(&unit->session)))
		gwa(self->host)->done(self->host, req, GWA_UNREACHABLE);
	session_stop(&unit->session);
	line_close(&unit->line);
	unit->open_by = unit->ping_at = UINT64_MAX;
	unit->pinged = false;
}

/* Talking */

/* False: the line is broken; the unit may be gone. */
static bool send_out(gwa_self *self, struct unit *unit, struct session_says *says)
{
	int r = says->send ? line_say(&unit->line, says->send, says->send_len) : 0;

	free(says->send);
	says->send = NULL;
	if (r)
		home_lost(self, unit, 0, line_reason(r));
	return r == 0;
}

static const char *password_of(const gwa_self *self, const struct unit *unit)
{
	if (unit->kept.password[0])
		return unit->kept.password;
	return self->settings.password[0] ? self->settings.password : NULL;
}

static bool greet(gwa_self *self, struct unit *unit)
{
	struct session *session = &unit->session;
	struct session_says says;

	session->password = password_of(self, unit);
	session->mac = unit->has_mac ? unit->kept.info.mac : NULL;
	session->must_prove = unit->ours && unit->kept.must_prove;
	session->cnonce = crypto_random_below(UINT32_MAX);
	unit->open_by = UINT64_MAX;
	if (session_start(session, shelly_now(self), &says)) {
		home_lost(self, unit, 0, "out of memory");
		return false;
	}
	return send_out(self, unit, &says);
}

/* All pings fall on the same moments, so that a hundred devices wake us up once. */
static void ping_later(gwa_self *self, struct unit *unit)
{
	uint64_t period = self->settings.ping_ms;

	unit->ping_at = ((shelly_now(self) + period / 2) / period + 1) * period;
	unit->pinged = false;
	unit->has_rumour = false;
}

static void report_part(gwa_self *self, struct unit *unit, const struct session_says *says)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	uint32_t bad = 0;
	size_t n;

	if (says->word == SAYS_PART)
		n = status_read(&unit->kept.map, says->body, readings, &bad);
	else
		n = status_events(&unit->kept.map, says->body, readings);
	home_report(self, unit, readings, n);
	if (bad)
		shelly_note(self, GWA_NOTE_BAD_VALUE, bad, unit, "values that cannot be");
}

static bool act(gwa_self *self, struct unit *unit, const struct session_says *says)
{
	if (says->word == SAYS_WHO)
		return home_who(self, unit);
	if (says->word == SAYS_WHOLE)
		return home_whole(self, unit, says->body);
	if (says->word == SAYS_PART || says->word == SAYS_EVENT)
		report_part(self, unit, says);
	else if (says->word == SAYS_DONE)
		gwa(self->host)->done(self->host, says->req, says->status);
	return true;
}

static bool take_text(gwa_self *self, struct unit *unit, const char *text, size_t len)
{
	struct rpc_message message;
	struct session_says says;
	bool there = true;
	int r = rpc_read(text, len, &message);

	if (r) {
		shelly_note(self, r == RPC_E_SIZE ? GWA_NOTE_OVERSIZE : GWA_NOTE_MALFORMED, 1, unit, "a frame that is none");
		return true;
	}
	r = session_take(&unit->session, &message, shelly_now(self), &says);
	if (r) {
		free(says.send);
		home_lost(self, unit, r, session_reason(r));
		there = false;
	}
	if (there)
		there = send_out(self, unit, &says);
	if (there)
		there = act(self, unit, &says);
	rpc_message_deinit(&message);
	return there;
}

/* A device has a hundred frames in a second, and no more. */
static bool is_flood(gwa_self *self, struct unit *unit)
{
	uint64_t second = shelly_now(self) / 1000;

	if (unit->second != second) {
		unit->second = second;
		unit->n_second = 0;
	}
	return ++unit->n_second > SHELLY_BURST_MAX;
}

void unit_pump(gwa_self *self, struct unit *unit)
{
	const char *text = NULL;
	bool opened = false;
	size_t len = 0;
	int r;

	while (!self->n_pending) {
		r = line_next(&unit->line, &opened, &text, &len);
		/* The greeting goes out first; a device says nothing before it. */
		if (opened && !greet(self, unit))
			return;
		if (r == LINE_E_NOTHING)
			break;
		if (r) {
			home_lost(self, unit, 0, line_reason(r));
			return;
		}
		if (is_flood(self, unit)) {
			shelly_note(self, GWA_NOTE_FLOOD, 1, unit, "more frames than a device has to say");
			unit->tries = UINT32_MAX;
			home_lost(self, unit, 0, "it floods");
			return;
		}
		if (!take_text(self, unit, text, len))
			return;
	}
	rewatch(self, unit);
}

void unit_events(gwa_self *self, struct unit *unit, uint32_t events)
{
	int r = 0;

	if (unit->line.state == LINE_DIALLING || events & EPOLLOUT)
		r = line_write(&unit->line, &unit->place);
	if (!r && unit->line.state != LINE_DIALLING && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		r = line_read(&unit->line);
		unit->heard_at = shelly_now(self);
		if (!r && unit->session.stage == SESSION_LIVE)
			ping_later(self, unit);
	}
	/* What came before the end still counts. */
	if (r == LINE_E_CLOSED && unit->line.n_in && unit->session.stage == SESSION_LIVE) {
		uint32_t serial = unit->serial;
		unsigned slot = unit->slot;

		unit_pump(self, unit);
		if (self->units[slot] != unit || unit->serial != serial || unit->line.state == LINE_OFF)
			return;
	}
	if (r)
		home_lost(self, unit, 0, line_reason(r));
	else
		unit_pump(self, unit);
}

/* Time */

uint64_t unit_due(const gwa_self *self, const struct unit *unit)
{
	uint64_t due = session_deadline(&unit->session);

	if (unit->dial_at < due)
		due = unit->dial_at;
	if (unit->open_by < due)
		due = unit->open_by;
	if (!self->n_pending && unit->ping_at < due)
		due = unit->ping_at;
	if (unit->up && unit->kept.map.sleep_s && unit->line.state == LINE_OFF) {
		uint64_t gone = unit->heard_at + (2 * (uint64_t)unit->kept.map.sleep_s + SHELLY_SLACK_S) * 1000;

		due = gone < due ? gone : due;
	}
	return due;
}

static void ping(gwa_self *self, struct unit *unit)
{
	uint64_t wait = self->settings.ping_ms < SHELLY_PONG_MS ? self->settings.ping_ms : SHELLY_PONG_MS;
	int r;

	if (unit->pinged) {
		home_lost(self, unit, 0, "it does not answer any more");
		return;
	}
	unit->pinged = true;
	self->n_pings++;
	unit->ping_at = shelly_now(self) + wait;
	r = line_ping(&unit->line);
	if (r)
		home_lost(self, unit, 0, line_reason(r));
	else
		rewatch(self, unit);
}

/* Two periods and nothing: the battery, or the way to here. */
static bool overslept(gwa_self *self, struct unit *unit, uint64_t now)
{
	struct gwa_addr addr = home_addr(unit);

	if (!unit->up || !unit->kept.map.sleep_s || unit->line.state != LINE_OFF ||
	    unit->heard_at + (2 * (uint64_t)unit->kept.map.sleep_s + SHELLY_SLACK_S) * 1000 > now)
		return false;
	unit->up = false;
	gwa(self->host)->device_down(self->host, &addr, 0);
	return true;
}

void unit_tick(gwa_self *self, struct unit *unit)
{
	uint64_t now = shelly_now(self), req = 0;
	int r;

	while ((r = session_late(&unit->session, now, &req)) == 0)
		gwa(self->host)->done(self->host, req, GWA_TIMEOUT);
	if (r == SESSION_E_SILENT)
		home_lost(self, unit, 0, session_reason(r));
	else if (unit->open_by <= now)
		home_lost(self, unit, 0, "nobody answers at its address");
	else if (unit->dial_at <= now)
		unit_dial(self, unit);
	else if (unit->ping_at <= now && !self->n_pending)
		ping(self, unit);
	else
		(void)overslept(self, unit, now);
}

/* A little less than the host gives us, so that it hears our answer and not its own. */
static uint64_t deadline_of(const gwa_self *self, uint32_t ttl_ms)
{
	uint32_t ttl = ttl_ms ? ttl_ms : SHELLY_TTL_MS;

	return shelly_now(self) + (ttl > 1000 ? ttl - 100 : ttl - ttl / 10);
}

void unit_order(gwa_self *self, struct unit *unit, uint64_t req, uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
		uint32_t ttl_ms)
{
	struct status_order order = { .params = NULL };
	struct session_says says = { 0 };
	int r, status = GWA_OK;

	if (unit->session.stage != SESSION_LIVE) {
		gwa(self->host)->done(self->host, req, GWA_UNREACHABLE);
		return;
	}
	r = status_order(&unit->kept.map, endpoint, cap, value, &order);
	if (r) {
		status = r == STATUS_E_VALUE ? GWA_BAD_VALUE : GWA_UNSUPPORTED;
	} else {
		r = session_order(&unit->session, req, order.method, order.params, deadline_of(self, ttl_ms), &says);
		status = r == SESSION_E_BUSY ? GWA_BUSY : r ? GWA_FAILED : GWA_OK;
	}
	if (status != GWA_OK) {
		gwa(self->host)->done(self->host, req, status);
		return;
	}
	/* A line that breaks now answers the order, too. */
	if (send_out(self, unit, &says))
		rewatch(self, unit);
}
