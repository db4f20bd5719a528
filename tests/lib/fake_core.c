#include "fake_core.h"

#include "check.h"

#include "base/text.h"
#include "sys/packet.h"

static void take_view(char *dst, size_t cap, struct view v)
{
	text_copy_n(dst, cap, v.data, v.len);
}

void fake_core_send(struct fake_core *core, const struct wire_msg *msg)
{
	uint8_t *room = packet_room(core->conn, wire_len_max(msg));
	struct writer w = writer_over(room, wire_len_max(msg));

	assert_non_null(room);
	wire_put(&w, msg);
	assert_false(w.bad);
	packet_commit(core->conn, writer_len(&w));
	wire_peer_step(&core->wire, msg);
}

static void greet(struct fake_core *core)
{
	struct wire_msg msg = { .type = WIRE_WELCOME };

	msg.welcome.major = WIRE_MAJOR;
	msg.welcome.minor = WIRE_MINOR;
	msg.welcome.epoch = core->epoch;
	msg.welcome.credit = core->credit;
	msg.welcome.beat_ms = WIRE_BEAT_MS;
	fake_core_send(core, &msg);
	for (size_t i = 0; i < core->n_options; i++) {
		msg.type = WIRE_OPTION;
		msg.option.key = view_text(core->keys[i]);
		msg.option.value = view_text(core->values[i]);
		fake_core_send(core, &msg);
	}
	for (size_t i = 0; i < core->n_states; i++) {
		msg.type = WIRE_STATE;
		msg.state.key = view_text(core->states[i].key);
		msg.state.data = (struct view){ core->states[i].data, core->states[i].len };
		fake_core_send(core, &msg);
	}
	fake_core_send(core, &(struct wire_msg){ .type = WIRE_START });
}

static void on_report(struct fake_core *core)
{
	const struct value *v = &core->msg.report.value;
	struct fake_report *r;

	assert_true(core->n_reports < FAKE_CORE_REPORTS);
	r = &core->reports[core->n_reports++];
	*r = (struct fake_report){
		.seq = core->msg.report.seq,
		.again = core->msg.report.again,
		.addr = core->msg.report.addr,
		.endpoint = core->msg.report.endpoint,
		.cap = core->msg.report.cap,
		.wall_us = core->msg.report.wall_us,
		.type = v->type,
		.number = value_number(v),
	};
	if (v->type == VALUE_TEXT)
		text_copy_n(r->text, sizeof(r->text), v->data, v->len);
	if (core->stores)
		fake_core_store(core, r->seq, core->credit);
}

static void on_device(struct fake_core *core)
{
	struct device_desc *copy;

	core->n_device_msgs++;
	for (size_t i = 0; i < core->n_devices; i++) {
		if (!address_equal(&core->devices[i]->addr, &core->msg.device.addr))
			continue;
		device_desc_free(core->devices[i]);
		core->devices[i] = core->devices[--core->n_devices];
		break;
	}
	assert_true(core->n_devices < FAKE_CORE_DEVICES);
	assert_int_equal(device_desc_copy(&core->msg.device, &copy), 0);
	core->devices[core->n_devices++] = copy;
}

static void on_save(struct fake_core *core)
{
	struct fake_state *state = NULL;
	char key[64];

	take_view(key, sizeof(key), core->msg.state.key);
	for (size_t i = 0; i < core->n_states; i++) {
		if (strcmp(core->states[i].key, key) == 0)
			state = &core->states[i];
	}
	if (!state) {
		assert_true(core->n_states < FAKE_CORE_STATES);
		state = &core->states[core->n_states++];
	}
	assert_true(core->msg.state.data.len <= sizeof(state->data));
	text_copy(state->key, sizeof(state->key), key);
	memcpy(state->data, core->msg.state.data.data, core->msg.state.data.len);
	state->len = core->msg.state.data.len;
	core->n_saves++;
}

static void on_note(struct fake_core *core)
{
	core->notes[core->msg.note.kind]++;
	take_view(core->note_text[core->msg.note.kind], sizeof(core->note_text[0]),
		  core->msg.note.text);
}

static void on_hello(struct fake_core *core)
{
	core->n_hellos++;
	take_view(core->name, sizeof(core->name), core->msg.hello.name);
	greet(core);
}

static void on_opened(struct fake_core *core)
{
	core->n_opened++;
	core->opened_error = core->msg.opened.error;
	core->opened_flags = core->msg.opened.flags;
	take_view(core->opened_reason, sizeof(core->opened_reason), core->msg.opened.reason);
	if (core->opened_error)
		fake_core_drop(core);
}

static void on_claim(struct fake_core *core)
{
	core->n_claims++;
	core->claim_addr = core->msg.claim.addr;
	take_view(core->claim, sizeof(core->claim), core->msg.claim.code);
}

static void take(struct fake_core *core)
{
	wire_peer_step(&core->wire, &core->msg);
	if (core->msg.type == WIRE_HELLO) {
		on_hello(core);
	} else if (core->msg.type == WIRE_OPENED) {
		on_opened(core);
	} else if (core->msg.type == WIRE_DEVICE) {
		on_device(core);
	} else if (core->msg.type == WIRE_SYNCED) {
		core->n_synced++;
	} else if (core->msg.type == WIRE_GONE) {
		core->n_gone++;
		core->n_left += core->msg.gone.left;
	} else if (core->msg.type == WIRE_REPORT) {
		on_report(core);
	} else if (core->msg.type == WIRE_DONE) {
		assert_true(core->n_dones < FAKE_CORE_DONES);
		core->dones[core->n_dones++] =
			(struct fake_done){ core->msg.done.req, core->msg.done.status };
	} else if (core->msg.type == WIRE_SAVE) {
		on_save(core);
	} else if (core->msg.type == WIRE_CLAIM) {
		on_claim(core);
	} else if (core->msg.type == WIRE_JOINING) {
		core->n_joinings[core->msg.joining.stage]++;
		take_view(core->join_text[core->msg.joining.stage], sizeof(core->join_text[0]), core->msg.joining.text);
	} else if (core->msg.type == WIRE_TELL) {
		assert_true(core->msg.tell.req == core->req);
		assert_true(core->msg.tell.data.len <= sizeof(core->told) - core->n_told);
		if (core->msg.tell.data.len)
			memcpy(core->told + core->n_told, core->msg.tell.data.data, core->msg.tell.data.len);
		core->n_told += core->msg.tell.data.len;
	} else if (core->msg.type == WIRE_NOTE) {
		on_note(core);
	}
}

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct fake_core *core = ctx;
	struct reader packet = reader_over(data, len);
	int r = 1;

	core->heard_ms = loop_now_ms(core->loop);
	while (core->conn && (r = wire_next(&packet, &core->wire, &core->scratch, &core->msg)) == 1)
		take(core);
	if (r > 1) {
		print_error("the adapter broke a rule of the wire: %d\n", r);
		core->n_broken++;
		fake_core_drop(core);
	}
}

static void on_close(void *ctx, int r)
{
	struct fake_core *core = ctx;

	(void)r;
	core->conn = NULL;
	core->n_closed++;
}

static const struct packet_ops packet_ops = { .on_packet = on_packet, .on_close = on_close };

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct fake_core *core = ctx;

	(void)peer;
	assert_null(core->conn);
	core->conn = conn;
	core->wire = (struct wire_peer){ .kind = WIRE_ADAPTER, .phase = WIRE_NEW, .is_core = true };
	while (core->n_devices)
		device_desc_free(core->devices[--core->n_devices]);
	assert_int_equal(packet_start(conn, &packet_ops, core), 0);
}

static void on_beat(void *ctx)
{
	struct fake_core *core = ctx;
	struct wire_msg msg = { .type = WIRE_BEAT };

	timer_start(core->beat, WIRE_BEAT_MS);
	if (core->conn && core->wire.phase != WIRE_NEW && !core->no_beats)
		fake_core_send(core, &msg);
}

struct fake_core *fake_core_new(struct loop *loop, const char *path)
{
	struct fake_core *core = calloc(1, sizeof(*core));

	assert_non_null(core);
	core->loop = loop;
	core->credit = 256;
	core->epoch = 1;
	core->stores = true;
	text_copy(core->path, sizeof(core->path), path);
	assert_int_equal(packet_listen(loop, path, 0600, on_accept, core, &core->server), 0);
	assert_int_equal(timer_new(loop, on_beat, core, &core->beat), 0);
	timer_start(core->beat, WIRE_BEAT_MS);
	return core;
}

struct fake_core *fake_core_free(struct fake_core *core)
{
	fake_core_drop(core);
	packet_server_close(core->server);
	timer_close(core->beat);
	while (core->n_devices)
		device_desc_free(core->devices[--core->n_devices]);
	free(core);
	return NULL;
}

void fake_core_option(struct fake_core *core, const char *key, const char *value)
{
	assert_true(core->n_options < FAKE_CORE_OPTIONS);
	assert_true(text_copy(core->keys[core->n_options], sizeof(core->keys[0]), key));
	assert_true(text_copy(core->values[core->n_options], sizeof(core->values[0]), value));
	core->n_options++;
}

bool fake_core_until(struct fake_core *core, fake_core_fn fn, int64_t ms)
{
	int64_t end;

	assert_int_equal(loop_turn(core->loop, 0), 0);
	end = loop_now_ms(core->loop) + ms;
	while (!fn(core)) {
		if (loop_now_ms(core->loop) >= end)
			return false;
		assert_int_equal(loop_turn(core->loop, 20), 0);
	}
	return true;
}

static bool never(struct fake_core *core)
{
	(void)core;
	return false;
}

void fake_core_run(struct fake_core *core, int64_t ms)
{
	fake_core_until(core, never, ms);
}

bool fake_core_is_synced(struct fake_core *core)
{
	return core->n_synced > 0;
}

bool fake_core_is_opened(struct fake_core *core)
{
	return core->n_opened > 0;
}

bool fake_core_is_answered(struct fake_core *core)
{
	return core->n_dones >= core->req;
}

bool fake_core_is_closed(struct fake_core *core)
{
	return !core->conn;
}

uint64_t fake_core_command(struct fake_core *core, const struct address *addr, uint16_t cap,
			   struct value value, uint32_t ttl_ms)
{
	struct wire_msg msg = { .type = WIRE_COMMAND };

	msg.command.req = ++core->req;
	msg.command.addr = *addr;
	msg.command.endpoint = 1;
	msg.command.cap = cap;
	msg.command.ttl_ms = ttl_ms;
	msg.command.value = value;
	fake_core_send(core, &msg);
	return core->req;
}

uint64_t fake_core_join_code(struct fake_core *core, uint16_t seconds, const void *code, size_t len)
{
	struct wire_msg msg = { .type = WIRE_JOIN };

	msg.join.req = ++core->req;
	msg.join.seconds = seconds;
	msg.join.code = (struct view){ code, len };
	fake_core_send(core, &msg);
	return core->req;
}

uint64_t fake_core_join(struct fake_core *core, uint16_t seconds)
{
	return fake_core_join_code(core, seconds, NULL, 0);
}

uint64_t fake_core_ask(struct fake_core *core, const char *verb, const void *data, size_t len)
{
	struct wire_msg msg = { .type = WIRE_ASK };
	const uint8_t *p = data;

	core->n_told = 0;
	msg.ask.req = ++core->req;
	msg.ask.verb = view_text(verb);
	do {
		size_t part = len < WIRE_STATE_MAX ? len : WIRE_STATE_MAX;

		msg.ask.data = (struct view){ p, part };
		msg.ask.last = part == len;
		fake_core_send(core, &msg);
		p = part ? p + part : p;
		len -= part;
	} while (len);
	return core->req;
}

uint64_t fake_core_remove(struct fake_core *core, const struct address *addr)
{
	struct wire_msg msg = { .type = WIRE_REMOVE };

	msg.remove.req = ++core->req;
	msg.remove.addr = *addr;
	fake_core_send(core, &msg);
	return core->req;
}

void fake_core_store(struct fake_core *core, uint64_t up_to, uint32_t credit)
{
	struct wire_msg msg;

	msg.type = WIRE_STORED;
	msg.stored.up_to = up_to;
	msg.stored.credit = credit;
	core->stored = up_to;
	fake_core_send(core, &msg);
}

void fake_core_drop(struct fake_core *core)
{
	if (!core->conn)
		return;
	core->conn = packet_close(core->conn);
	core->n_closed++;
}

void fake_core_forget(struct fake_core *core)
{
	core->n_hellos = core->n_opened = core->n_closed = core->n_synced = core->n_gone =
		core->n_left = 0;
	core->n_device_msgs = core->n_saves = core->n_claims = 0;
	core->n_reports = core->n_dones = core->n_told = 0;
	memset(core->n_joinings, 0, sizeof(core->n_joinings));
	core->req = 0;
	memset(core->notes, 0, sizeof(core->notes));
}

int fake_core_result(const struct fake_core *core, uint64_t req)
{
	for (size_t i = 0; i < core->n_dones; i++) {
		if (core->dones[i].req == req)
			return core->dones[i].status;
	}
	return -1;
}

unsigned fake_core_answers(const struct fake_core *core, uint64_t req)
{
	unsigned n = 0;

	for (size_t i = 0; i < core->n_dones; i++)
		n += core->dones[i].req == req;
	return n;
}

const struct device_desc *fake_core_device(const struct fake_core *core, const char *name)
{
	for (size_t i = 0; i < core->n_devices; i++) {
		if (strcmp(core->devices[i]->name, name) == 0)
			return core->devices[i];
	}
	return NULL;
}
