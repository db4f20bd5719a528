/* Interviews of real devices: each step of interview.h is put to the radio or into the device's queue, and its answer brings the
 * next. An interview that fails is tried again when the device speaks, and less and less often.
 */
#include <stdlib.h>
#include "sys/crypto.h"
#include "zigbee/zigbee_inside.h"

enum { STEP_TTL_MS = 30000, SLEEPY_STEP_TTL_MS = 120000, BUSY_MS = 500, CROWDED_MS = 1000, FAILED_MS = 60000,
       FAILED_LONGEST_MS = 60 * 60 * 1000, SELF_TRIES = 4 };

/* Those that pause take no time of the air, and one that sleeps may pause for long. */
static size_t count(const gwa_self *self)
{
	size_t n = 0;

	for (size_t i = 0; i < self->nodes.n; i++) {
		const struct device *device = device_of(self->nodes.rows[i]);

		n += device->interview && !device->resumes;
	}
	return n;
}

static void later(gwa_self *self, struct device *device, uint64_t ms, bool resumes)
{
	device->inquiry_due_ms = zigbee_now(self) + ms;
	device->resumes = resumes;
}

void inquiry_stop(struct device *device)
{
	if (device->interview)
		interview_deinit(device->interview);
	free(device->interview);
	device->interview = NULL;
	device->step = 0;
	device->inquiry_due_ms = UINT64_MAX;
	device->resumes = false;
}

/* What was found out becomes the device's. */
static void take_over(gwa_self *self, struct device *device, uint8_t stage)
{
	uint16_t nwk = device->row.node.nwk;
	uint8_t evidence = device->row.node.evidence;

	if (interview_node(&device->interview->node, &device->row.node))
		return;
	device->row.node.nwk = nwk;
	device->row.node.evidence = evidence;
	device->row.stage = stage;
	device->peer.sleepy = node_is_sleepy(&device->row.node);
	kept_changed(self);
}

static void described(gwa_self *self, struct device *device)
{
	if (device->retold)
		return;
	device->retold = true;
	take_over(self, device, NODES_DESCRIBED);
	device_tell(self, device);
	device_joining(self, device, GWA_JOIN_CONFIGURE, NULL);
}

static void finished(gwa_self *self, struct device *device)
{
	inquiry_stop(device);
	device->inquiry_fails = 0;
	device->proven = true;
	if (device->row.stage != NODES_READY) {
		device->row.stage = NODES_READY;
		kept_changed(self);
		self->backup_due_ms = zigbee_now(self) + BACKUP_AFTER_MS;
	}
	device_joining(self, device, GWA_JOIN_READY, NULL);
	device->joining = false;
}

static void failed(gwa_self *self, struct device *device)
{
	uint64_t ms = FAILED_MS;

	device->anew = device->anew || !device->retold; /* from the start */
	device_joining(self, device, GWA_JOIN_FAILED, device->interview->why);
	if (device->joining)
		zigbee_log(self, 5, "the interview of %016llx failed: %s", (unsigned long long)device->row.node.eui,
			   device->interview->why);
	inquiry_stop(device);
	for (unsigned i = 0; i < device->inquiry_fails && ms < FAILED_LONGEST_MS; i++)
		ms *= 3;
	if (device->inquiry_fails < UINT8_MAX)
		device->inquiry_fails++;
	later(self, device, ms < FAILED_LONGEST_MS ? ms : FAILED_LONGEST_MS, false);
	device_doubt(self, device);
}

static bool put_step(gwa_self *self, struct device *device, struct interview_step *step)
{
	uint32_t cookie = zigbee_id(self, OWNER_INQUIRY);
	int r;

	if (step->want == INTERVIEW_ASK) {
		r = self->state == NET_READY ? self->radio->ops->ask(self->radio, cookie, &step->question) : RADIO_E_STATE;
	} else {
		step->ask.tag = cookie;
		step->ask.ttl_ms = device->peer.sleepy ? SLEEPY_STEP_TTL_MS : STEP_TTL_MS;
		r = talk_add(&self->talk, &device->peer, &step->ask);
	}
	if (r)
		return false;
	device->step = cookie;
	device->asking = step->want == INTERVIEW_ASK;
	device->resumes = false;
	device->inquiry_due_ms = UINT64_MAX;
	return true;
}

static void go_on(gwa_self *self, struct device *device)
{
	struct interview_step step;

	interview_next(device->interview, &step);
	if (interview_is_described(device->interview))
		described(self, device);
	if (step.want == INTERVIEW_READY)
		finished(self, device);
	else if (step.want == INTERVIEW_FAILED)
		failed(self, device);
	else if (step.want == INTERVIEW_PAUSE)
		later(self, device, step.pause_ms, true);
	else if (!put_step(self, device, &step))
		later(self, device, BUSY_MS, true);
}

void inquiry_start(gwa_self *self, struct device *device, enum interview_phase from)
{
	inquiry_stop(device);
	if (count(self) >= INQUIRIES_MAX) {
		later(self, device, CROWDED_MS, false);
		return;
	}
	device->interview = malloc(sizeof(*device->interview));
	if (!device->interview || interview_init(device->interview, &device->row.node, self->network.eui, from)) {
		free(device->interview);
		device->interview = NULL;
		later(self, device, CROWDED_MS, false);
		return;
	}
	/* What it was is told until what it is now is known. */
	if (from == INTERVIEW_NODE && device->row.stage == NODES_READY)
		device->row.stage = NODES_DESCRIBED;
	device->retold = from > INTERVIEW_FACTS;
	if (from == INTERVIEW_NODE)
		device_joining(self, device, GWA_JOIN_INTERVIEW, NULL);
	go_on(self, device);
}

static enum interview_phase begin_at(const struct device *device)
{
	if (device->anew || device->row.stage == NODES_HEARD)
		return INTERVIEW_NODE;
	return device->row.stage == NODES_DESCRIBED ? INTERVIEW_SET_UP : INTERVIEW_VALUES;
}

static void resume(gwa_self *self, struct device *device)
{
	device->inquiry_due_ms = UINT64_MAX;
	if (device->interview) {
		interview_go_on(device->interview);
		go_on(self, device);
	} else {
		inquiry_start(self, device, begin_at(device));
		device->anew = false;
	}
}

void inquiry_heard(gwa_self *self, struct device *device)
{
	if (device->step || self->state != NET_READY)
		return;
	if (device->interview) {
		if (device->peer.sleepy && device->resumes)
			resume(self, device);
	} else if (device->row.stage != NODES_READY || device->anew) {
		if (device->inquiry_due_ms <= zigbee_now(self) || device->inquiry_due_ms == UINT64_MAX)
			resume(self, device);
	}
}

static struct device *find(gwa_self *self, uint32_t cookie)
{
	for (size_t i = 0; i < self->nodes.n; i++) {
		struct device *device = device_of(self->nodes.rows[i]);

		if (device->step == cookie && device->interview)
			return device;
	}
	return NULL;
}

void inquiry_answered(gwa_self *self, uint32_t cookie, const struct radio_answer *answer)
{
	struct device *device = find(self, cookie);

	if (!device)
		return;
	device->step = 0;
	interview_answered(device->interview, answer);
	go_on(self, device);
}

void inquiry_talked(gwa_self *self, const struct talk_result *result)
{
	struct device *device = find(self, (uint32_t)result->tag);

	if (!device)
		return;
	device->step = 0;
	interview_talked(device->interview, result);
	go_on(self, device);
}

void inquiry_lost(gwa_self *self)
{
	const struct radio_answer answer = { .status = RADIO_FAILED };

	for (size_t i = 0; i < self->nodes.n; i++) {
		struct device *device = device_of(self->nodes.rows[i]);

		if (device->step && device->asking)
			inquiry_answered(self, device->step, &answer);
	}
}

/* One who sleeps, or who was tried often, is not tried again before it speaks. Of one that was never asked, because its announcement
 * was lost or because a backup named it, nobody knows yet whether it sleeps. */
static bool waits_for_time(const struct device *device)
{
	if (device->row.node.kind == ZDO_KIND_UNKNOWN && !device->inquiry_fails)
		return true;
	return device->interview || (!device->peer.sleepy && device->inquiry_fails < SELF_TRIES);
}

/* What it said last may have been among what was dropped. */
static bool waits_to_be_reread(const struct device *device)
{
	return device->reread_due_ms && !device->interview && device->row.stage == NODES_READY;
}

void inquiry_tick(gwa_self *self)
{
	uint64_t now = zigbee_now(self);

	for (size_t i = 0; self->state == NET_READY && i < self->nodes.n; i++) {
		struct device *device = device_of(self->nodes.rows[i]);

		if (device->inquiry_due_ms <= now && !device->step && waits_for_time(device))
			resume(self, device);
		if (waits_to_be_reread(device) && device->reread_due_ms <= now) {
			device->reread_due_ms = 0;
			inquiry_start(self, device, INTERVIEW_VALUES);
		}
	}
}

uint64_t inquiry_due_ms(const gwa_self *self)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; self->state == NET_READY && i < self->nodes.n; i++) {
		const struct device *device = device_of(self->nodes.rows[i]);

		if (!device->step && waits_for_time(device) && device->inquiry_due_ms < due)
			due = device->inquiry_due_ms;
		if (waits_to_be_reread(device) && device->reread_due_ms < due)
			due = device->reread_due_ms;
	}
	return due;
}
