/* What a plugin may ask for. Each argument is foreign: a pointer may be missing, a length too long,
 * a text no text. */
#include "host/host_inside.h"

#include <string.h>
#include "base/text.h"
#include "model/command.h"
#include "model/device.h"
#include "model/value.h"
#include "sys/log.h"

bool host_is_open(struct gwa_host *host)
{
	if (host->closed)
		host_breach(host, HOST_FAULT_AFTER_CLOSE);
	return !host->closed;
}

bool host_addr_in(const struct gwa_addr *addr, struct address *ret)
{
	if (!addr || addr->len == 0 || addr->len > GWA_ADDR_MAX)
		return false;
	*ret = (struct address){ .len = addr->len };
	memcpy(ret->bytes, addr->bytes, addr->len);
	return true;
}

struct view host_text_in(const char *text, size_t max)
{
	size_t len = text ? strnlen(text, max) : 0;

	while (len && !text_is_utf8(text, len))
		len--;
	return (struct view){ (const uint8_t *)text, len };
}

static void op_log(gwa_host *host, int level, const char *text)
{
	uint32_t left_out;

	if (!text || !host_limit_take(host, &host->logs, HOST_NOTES_MAX, &left_out))
		return;
	log_at(level >= LOG_ERR && level <= LOG_DEBUG ? level : LOG_ERR, "plugin",
	       log_text("plugin", host->plugin ? host->plugin->name : "?"), log_text("says", text),
	       log_i64("left_out", left_out));
}

static int op_port(gwa_host *host, const char *name)
{
	for (size_t i = 0; name && i < host->n_ports; i++) {
		if (strcmp(host->ports[i].name, name) == 0)
			return host->ports[i].fd;
	}
	return -1;
}

static int op_watch(gwa_host *host, int fd, uint32_t events)
{
	return host_is_open(host) ? host_io_watch(host, fd, events) : -1;
}

static void op_timer(gwa_host *host, uint32_t number, uint32_t ms)
{
	if (host_is_open(host))
		host_io_timer(host, number, ms);
}

static uint64_t op_now_ms(gwa_host *host)
{
	return (uint64_t)loop_now_ms(host->loop);
}

/* Devices */

struct desc_copy {
	struct endpoint_desc endpoints[DEVICE_ENDPOINTS_MAX];
	struct capability_desc caps[DEVICE_CAPS_MAX];
	char text[4][DEVICE_TEXT_MAX + 1];
};

static bool endpoints_in(const struct gwa_device *device, struct desc_copy *copy)
{
	size_t n_caps = 0;

	if (device->nendpoints > DEVICE_ENDPOINTS_MAX || (device->nendpoints && !device->endpoints))
		return false;
	for (uint8_t i = 0; i < device->nendpoints; i++) {
		const struct gwa_endpoint *e = &device->endpoints[i];

		if (e->ncaps > DEVICE_CAPS_MAX - n_caps || (e->ncaps && !e->caps))
			return false;
		copy->endpoints[i] =
			(struct endpoint_desc){ e->id, e->profile, e->ncaps, copy->caps + n_caps };
		for (uint8_t k = 0; k < e->ncaps; k++) {
			const struct gwa_cap *cap = &e->caps[k];

			copy->caps[n_caps++] =
				(struct capability_desc){ cap->id,   cap->type, cap->access,
							  cap->unit, cap->min,	cap->max,
							  cap->step };
		}
	}
	return true;
}

/* Names come from strangers' devices: one that is too long is cut, what is no text is left out. */
static const char *name_in(const char *text, char copy[DEVICE_TEXT_MAX + 1])
{
	struct view v = host_text_in(text, DEVICE_TEXT_MAX);

	text_copy_n(copy, DEVICE_TEXT_MAX + 1, v.data, v.len);
	return copy;
}

static bool desc_in(const struct gwa_device *device, struct desc_copy *copy,
		    struct device_desc *ret)
{
	struct device_desc desc = { .n_endpoints = device->nendpoints,
				    .endpoints = copy->endpoints };

	if (!host_addr_in(&device->addr, &desc.addr) || device->hw.len > GWA_ADDR_MAX ||
	    !endpoints_in(device, copy))
		return false;
	if (device->hw.len && !host_addr_in(&device->hw, &desc.hw))
		return false;
	memcpy(desc.id.b, device->identity, sizeof(desc.id.b));
	desc.evidence = device->evidence;
	desc.sleepy = device->sleepy;
	desc.vendor = name_in(device->vendor, copy->text[0]);
	desc.model = name_in(device->model, copy->text[1]);
	desc.firmware = name_in(device->firmware, copy->text[2]);
	desc.name = name_in(device->name, copy->text[3]);
	*ret = desc;
	return device_desc_check(ret) == 0;
}

/* This core has heard of it; the others are still to be said. */
static bool was_said(const struct gwa_host *host, const struct known_device *device)
{
	return (size_t)(device - host->known.devices) < host->n_said;
}

static void op_device_up(gwa_host *host, const struct gwa_device *device)
{
	struct known_device *old;
	struct device_desc desc;
	struct desc_copy copy;

	if (!host_is_open(host))
		return;
	if (!device || device->size < sizeof(*device) || !desc_in(device, &copy, &desc)) {
		host_breach(host, HOST_FAULT_DEVICE);
		return;
	}
	old = known_find(&host->known, &desc.addr);
	if (known_put(&host->known, &desc)) {
		host_breach(host, HOST_FAULT_DEVICES);
		return;
	}
	if (!old || !was_said(host, old))
		host_pump(host);
	else if (host->live && !host_say_device(host, old))
		host->core->stuck(host->ctx);
}

static void op_devices_synced(gwa_host *host)
{
	if (!host_is_open(host))
		return;
	host->synced = true;
	host->synced_said = false;
	host_pump(host);
}

static void op_device_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	struct known_device *device;
	struct wire_msg msg;

	if (!host_is_open(host))
		return;
	if (!host_addr_in(addr, &msg.gone.addr)) {
		host_breach(host, HOST_FAULT_DEVICE);
		return;
	}
	msg.type = WIRE_GONE;
	msg.gone.left = left != 0;
	device = known_find(&host->known, &msg.gone.addr);
	if (!device)
		return;
	device->away = true;
	host_must_say(host, &msg);
	if (!left)
		return;
	if (was_said(host, device))
		host->n_said--;
	known_remove(&host->known, &msg.gone.addr);
}

/* Reports */

static bool value_in(const struct gwa_value *value, struct value *ret)
{
	struct value v = { 0 };

	if (!value || value->type == GWA_T_NONE || value->type > GWA_T_BYTES)
		return false;
	v.type = (enum value_type)value->type;
	if (v.type == VALUE_BOOL) {
		v.b = value->v.i != 0;
	} else if (v.type == VALUE_INT) {
		v.i = value->v.i;
	} else if (v.type == VALUE_REAL) {
		v.f = value->v.f;
	} else {
		v.len = value->len;
		v.data = value->v.data;
		if (v.len > GWA_VALUE_MAX || (v.len && !v.data))
			return false;
	}
	*ret = v;
	return true;
}

static uint64_t refuse_report(struct gwa_host *host)
{
	if (++host->refused % HOST_REFUSED_MAX == 0)
		host_breach(host, HOST_FAULT_FLOOD);
	return 0;
}

static uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint,
			  uint16_t cap, const struct gwa_value *value, int64_t wall_us)
{
	struct writer w = writer_over(host->message, sizeof(host->message));
	struct wire_msg msg;

	if (!host_is_open(host))
		return 0;
	msg.type = WIRE_REPORT;
	msg.report.seq = outbox_next(&host->outbox);
	if (msg.report.seq == 0)
		return refuse_report(host);
	msg.report.again = host->repeats;
	msg.report.endpoint = endpoint;
	msg.report.cap = cap;
	/* Who cannot be heard now says when it was. */
	msg.report.wall_us = wall_us || host->live ? wall_us : loop_wall_us(host->loop);
	if (host_addr_in(addr, &msg.report.addr) && value_in(value, &msg.report.value) &&
	    msg.report.wall_us >= 0)
		wire_put(&w, &msg);
	else
		w.bad = true;
	if (w.bad) {
		host_breach(host, HOST_FAULT_REPORT);
		return 0;
	}
	if (outbox_add(&host->outbox, host->message, writer_len(&w)))
		return refuse_report(host);
	host_pump(host);
	return msg.report.seq;
}

/* Answers */

static enum result result_of(struct gwa_host *host, int status)
{
	static const enum result results[] = {
		[GWA_OK] = RESULT_OK,
		[-GWA_FAILED] = RESULT_FAILED,
		[-GWA_UNREACHABLE] = RESULT_UNREACHABLE,
		[-GWA_BAD_VALUE] = RESULT_BAD_VALUE,
		[-GWA_UNSUPPORTED] = RESULT_UNKNOWN_CAPABILITY,
		[-GWA_TIMEOUT] = RESULT_TIMEOUT,
		[-GWA_BUSY] = RESULT_BUSY,
	};

	if (status > 0 || status < GWA_BUSY) {
		host_breach(host, HOST_FAULT_STATUS);
		return RESULT_FAILED;
	}
	return results[-status];
}

static void op_done(gwa_host *host, uint64_t req, int status)
{
	struct wire_msg msg;
	int r;

	if (!host_is_open(host))
		return;
	r = requests_done(&host->requests, req, &msg.done.req);
	if (r == REQUESTS_E_UNKNOWN)
		host_breach(host, HOST_FAULT_DONE_UNKNOWN);
	if (r)
		return;
	msg.done.status = result_of(host, status);
	if (host->asking.mine == req) {
		host_asking_done(host, (enum result)msg.done.status);
		return;
	}
	msg.type = WIRE_DONE;
	host_must_say(host, &msg);
}

static void op_claim(gwa_host *host, const struct gwa_addr *addr, const char *code, uint32_t len)
{
	struct wire_msg msg;

	if (!host_is_open(host))
		return;
	if (!host_addr_in(addr, &msg.claim.addr) || !code || len == 0 || len > WIRE_CODE_MAX ||
	    !text_is_utf8(code, len)) {
		host_breach(host, HOST_FAULT_CLAIM);
		return;
	}
	msg.type = WIRE_CLAIM;
	msg.claim.code = (struct view){ (const uint8_t *)code, len };
	host_must_say(host, &msg);
}

static void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	struct wire_msg msg;
	uint32_t left_out;

	if (!host_is_open(host) || kind < 0 || kind >= NOTES ||
	    !host_limit_take(host, &host->notes, HOST_NOTES_MAX, &left_out))
		return;
	msg.type = WIRE_NOTE;
	msg.note.kind = (uint8_t)kind;
	msg.note.count = count < UINT32_MAX - left_out ? count + left_out : UINT32_MAX;
	msg.note.object = host_text_in(object, WIRE_TEXT_MAX);
	msg.note.text = host_text_in(text, WIRE_TEXT_MAX);
	(void)host_say(host, &msg);
}

/* Saved state */

static int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	const struct shelf_item *item;

	if (!key || !len || (*len && !buf))
		return -1;
	item = shelf_find(&host->shelf, host_text_in(key, SHELF_KEY_MAX + 1));
	if (!item || item->len > *len)
		return -1;
	memcpy(buf, item->data, item->len);
	*len = (uint32_t)item->len;
	return 0;
}

static int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct view name = host_text_in(key, SHELF_KEY_MAX + 1);

	if (!host_is_open(host))
		return -1;
	if (!name.len || (len && !buf) ||
	    shelf_save(&host->shelf, name, (struct view){ buf, len })) {
		host_breach(host, HOST_FAULT_SAVE);
		return -1;
	}
	host_say_dirty(host);
	return 0;
}

static void op_failed(gwa_host *host, const char *why)
{
	if (host_is_open(host))
		host->core->failed(host->ctx, why ? why : "it does not say why");
}

static void op_repeats(gwa_host *host, int on)
{
	host->repeats = on != 0;
}

const struct gwa_host_ops host_ops = {
	.size = sizeof(host_ops),
	.log = op_log,
	.port = op_port,
	.watch = op_watch,
	.timer = op_timer,
	.now_ms = op_now_ms,
	.device_up = op_device_up,
	.devices_synced = op_devices_synced,
	.device_down = op_device_down,
	.report = op_report,
	.done = op_done,
	.claim = op_claim,
	.note = op_note,
	.load = op_load,
	.save = op_save,
	.failed = op_failed,
	.repeats = op_repeats,
	.joining = host_op_joining,
	.tell = host_op_tell,
};
