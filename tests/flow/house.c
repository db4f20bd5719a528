/* What every flow test does, once. The core is app.c's own wiring; only the clock is ours. Work on the writer thread is
 * real, so "settle" turns the loop until store, spool and outbox have nothing left to do. */
#include "house.h"

#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"

static const char settings[] = "site:\n  name: House\n  timezone: UTC\n  maker: \"00aa01\"\n  product: \"000002\"\n"
			       "adapters:\n  sim:\n    plugin: sim\n    user: \"64901\"\n"
			       "  bridge:\n    plugin: sim\n    user: \"64903\"\n"
			       "links:\n  cloud:\n    profile: native\n    user: \"64902\"\n    endpoints: [\"unix:/nowhere\"]\n"
			       "    client_id: t\n    share:\n      - device: \"*\"\n        class: sensitive\n";

static void house_start(struct house *house)
{
	struct app_options options = { .config = tmpdir_path(&house->dir, "g.yaml"), .boot_id = "0123456789abcdef0123456789abcdef", .no_system_clock = true };
	char errors[4096];
	struct conf *conf;
	int r = conf_load(options.config, errors, sizeof(errors), &conf);
	if (r != 0)
		print_error("%s\n", errors);
	check_ok(r);
	r = app_new(house->loop, &options, conf, errors, sizeof(errors), &house->app);
	if (r != 0)
		print_error("%s\n", errors);
	check_ok(r);
	r = app_start(house->app, errors, sizeof(errors));
	if (r != 0)
		print_error("%s\n", errors);
	check_ok(r);
	/* Trusted, unless a test says otherwise: a peer vouches for the clock. */
	time_trust_peer(router_time(house->app->router), loop_wall_us(house->loop));
}

void house_open(struct house *house, const char *extra)
{
	/* Every flow must hold in both suites: the second run of each sets this. */
	const char *suite = getenv("GW_SUITE");
	char *text;
	memset(house, 0, sizeof(*house));
	check_ok(crypto_init());
	tmpdir_init(&house->dir);
	house->adapter.house = house->second.house = house->link.house = house;
	text_copy(house->password, sizeof(house->password), "a long enough one");
	assert_true(asprintf(&text, "state_dir: %s/state\nrun_dir: %s/run\nvault: {suite: %s}\n%s%s", house->dir.path, house->dir.path,
			     suite ? suite : "standard", settings, extra ? extra : "") > 0);
	tmpdir_write(&house->dir, "g.yaml", text);
	free(text);
	check_ok(loop_new_virtual(1000000, HOUSE_WALL_US, &house->loop));
	house_start(house);
}

void actor_drop(struct actor *actor)
{
	if (actor->conn)
		actor->conn = packet_close(actor->conn);
	actor->wire = (struct wire_peer){ 0 };
}

void house_close(struct house *house)
{
	actor_drop(&house->adapter);
	actor_drop(&house->second);
	actor_drop(&house->link);
	app_close(house->app);
	loop_free(house->loop);
	free(house->adapter.heard);
	free(house->second.heard);
	free(house->link.heard);
	parts_wipe(&house->adapter.asked);
	parts_wipe(&house->second.asked);
	tmpdir_deinit(&house->dir);
}

void house_restart(struct house *house)
{
	actor_drop(&house->adapter);
	actor_drop(&house->second);
	actor_drop(&house->link);
	house->app = app_close(house->app);
	house_start(house);
}

bool house_until(struct house *house, bool (*done)(void *ctx), void *ctx)
{
	for (int i = 0; i < HOUSE_TURNS_MAX; i++) {
		if (done(ctx))
			return true;
		check_ok(loop_turn(house->loop, i < 50 ? 0 : 2));
	}
	return done(ctx);
}

void house_settle(struct house *house)
{
	for (int i = 0; i < 6; i++) {
		store_drain(house->app->store);
		for (int k = 0; k < 6; k++)
			check_ok(loop_turn(house->loop, 0));
	}
}

static void actor_beat(struct actor *actor)
{
	if (actor->conn && actor->wire.phase != WIRE_NEW)
		actor_say(actor, &(struct wire_msg){ .type = WIRE_BEAT });
}

void house_sleep(struct house *house, int64_t ms)
{
	while (ms > 0) {
		int64_t step = ms < 500 ? ms : 500;
		/* The actors' side of the beats. */
		actor_beat(&house->adapter);
		actor_beat(&house->second);
		actor_beat(&house->link);
		check_ok(loop_turn(house->loop, 0));
		check_ok(loop_turn(house->loop, 0));
		loop_advance(house->loop, step);
		check_ok(loop_turn(house->loop, 0));
		ms -= step;
	}
	house_settle(house);
}

/* Actors. */

void actor_say(struct actor *actor, const struct wire_msg *msg)
{
	size_t cap = wire_len_max(msg);
	uint8_t *room = packet_room(actor->conn, cap);
	assert_non_null(room);
	struct writer w = writer_over(room, cap);
	wire_put(&w, msg);
	check_true(!w.bad);
	packet_commit(actor->conn, writer_len(&w));
	wire_peer_step(&actor->wire, msg);
}

static void copy_text(char *to, size_t cap, struct view view)
{
	text_copy_n(to, cap, view.data, view.len);
}

static void note_value(struct heard *heard, const struct value *value)
{
	heard->value_type = value->type;
	heard->value = value_number(value);
	if (value->type == VALUE_TEXT)
		text_copy_n(heard->text, sizeof(heard->text), value->data, value->len);
}

static void actor_note(struct actor *actor, const struct wire_msg *msg)
{
	struct heard heard = { .type = msg->type };
	if (msg->type == WIRE_STORED) {
		heard.number = msg->stored.up_to;
	} else if (msg->type == WIRE_COMMAND) {
		heard.number = msg->command.req;
		heard.addr = msg->command.addr;
		heard.endpoint = msg->command.endpoint;
		heard.cap = msg->command.cap;
		heard.ttl_ms = msg->command.ttl_ms;
		note_value(&heard, &msg->command.value);
	} else if (msg->type == WIRE_JOIN) {
		heard.number = msg->join.req;
		heard.value = msg->join.seconds;
		actor->join_addr = msg->join.addr;
		actor->code_len = msg->join.code.len;
		if (msg->join.code.len)
			memcpy(actor->code, msg->join.code.data, msg->join.code.len);
	} else if (msg->type == WIRE_ASK) {
		heard.number = msg->ask.req;
		copy_text(actor->verb, sizeof(actor->verb), msg->ask.verb);
		actor->asked.max = WIRE_ASK_MAX;
		check_ok(parts_add(&actor->asked, msg->ask.data.data, msg->ask.data.len));
	} else if (msg->type == WIRE_STATE || msg->type == WIRE_OPTION) {
		copy_text(heard.text, sizeof(heard.text), msg->state.key);
	} else if (msg->type == WIRE_LINK_EVENT) {
		heard.number = msg->link_event.number;
		heard.duplicate = msg->link_event.duplicate;
		heard.device = msg->link_event.event.device;
		heard.event_kind = (uint8_t)msg->link_event.event.kind;
		heard.cap = msg->link_event.event.cap;
		heard.event_number = msg->link_event.event.number;
		copy_text(heard.text, sizeof(heard.text), msg->link_event.event.text);
		note_value(&heard, &msg->link_event.event.value);
	} else if (msg->type == WIRE_LINK_DEVICE) {
		heard.device = msg->link_device.id;
		heard.result = msg->link_device.reachable;
		text_copy(heard.text, sizeof(heard.text), msg->link_device.desc->name);
		for (uint8_t e = 0; e < msg->link_device.desc->n_endpoints; e++)
			heard.n_caps = (uint8_t)(heard.n_caps + msg->link_device.desc->endpoints[e].n_caps);
	} else if (msg->type == WIRE_LINK_GONE) {
		heard.device = msg->link_gone.id;
	} else if (msg->type == WIRE_LINK_ANSWER) {
		heard.result = msg->link_answer.result;
		copy_text(heard.text, sizeof(heard.text), msg->link_answer.reason);
	}
	if (!actor->heard)
		actor->heard = calloc(HOUSE_SEEN_MAX, sizeof(*actor->heard));
	if (actor->n < HOUSE_SEEN_MAX)
		actor->heard[actor->n++] = heard;
}

static void actor_tell(struct actor *actor, uint64_t req)
{
	struct wire_msg msg = { .type = WIRE_TELL };
	for (size_t at = 0; at < actor->tells.len; at += msg.tell.data.len) {
		size_t left = actor->tells.len - at;
		msg.tell.req = req;
		msg.tell.data = (struct view){ actor->tells.data + at, left < WIRE_STATE_MAX ? left : WIRE_STATE_MAX };
		actor_say(actor, &msg);
	}
	actor_say(actor, &(struct wire_msg){ .type = WIRE_DONE, .done = { req, (int32_t)actor->answer } });
}

static void actor_on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct actor *actor = ctx;
	struct reader packet = reader_over(data, len);
	struct wire_msg msg;
	int r;
	while ((r = wire_next(&packet, &actor->wire, &actor->scratch, &msg)) == 1) {
		wire_peer_step(&actor->wire, &msg);
		if (msg.type == WIRE_BEAT)
			continue;
		if (msg.type == WIRE_ASK && !actor->asking)
			parts_wipe(&actor->asked);
		actor->asking = msg.type == WIRE_ASK && !msg.ask.last;
		actor_note(actor, &msg);
		if (msg.type == WIRE_ASK && msg.ask.last) {
			if (actor->answers)
				actor_tell(actor, msg.ask.req);
			continue;
		}
		uint64_t req = msg.type == WIRE_COMMAND ? msg.command.req : msg.type == WIRE_JOIN ? msg.join.req : msg.remove.req;
		if (actor->answers && (msg.type == WIRE_COMMAND || msg.type == WIRE_JOIN || msg.type == WIRE_REMOVE))
			actor_say(actor, &(struct wire_msg){ .type = WIRE_DONE, .done = { req, (int32_t)actor->answer } });
	}
	check_int(r, 0);
}

static void actor_on_close(void *ctx, int r)
{
	struct actor *actor = ctx;
	(void)r;
	actor->conn = NULL;
	actor->closed = true;
}

static const struct packet_ops actor_ops = { .on_packet = actor_on_packet, .on_close = actor_on_close };

static bool is_opening(void *ctx)
{
	const struct actor *actor = ctx;
	return actor->wire.phase == WIRE_OPENING || actor->closed;
}

static void actor_greet(struct actor *actor, enum wire_kind kind, const char *name, struct packet_conn *conn)
{
	actor->name = name;
	actor->conn = conn;
	actor->wire = (struct wire_peer){ .kind = kind, .phase = WIRE_NEW };
	actor->closed = false;
	actor->answers = true;
	actor->n = 0;
	actor->seq = 0;
	check_ok(packet_start(conn, &actor_ops, actor));
	struct wire_msg hello = { .type = WIRE_HELLO };
	hello.hello.major = WIRE_MAJOR;
	hello.hello.kind = (uint8_t)kind;
	hello.hello.name = (struct view){ (const uint8_t *)name, strlen(name) };
	hello.hello.version = (struct view){ (const uint8_t *)"1", 1 };
	actor_say(actor, &hello);
	check_true(house_until(actor->house, is_opening, actor));
	check_true(!actor->closed);
	actor_say(actor, &(struct wire_msg){ .type = WIRE_OPENED, .opened.flags = kind == WIRE_ADAPTER ? 1 | 8 : 0 });
	house_settle(actor->house);
}

static void adapter_up(struct actor *adapter, const char *name)
{
	struct packet_conn *core, *ours;
	check_ok(packet_pair(adapter->house->loop, &core, &ours));
	hub_accept(adapter->house->app->hub, name, core);
	actor_greet(adapter, WIRE_ADAPTER, name, ours);
}

void house_adapter_up(struct house *house)
{
	adapter_up(&house->adapter, "sim");
}

void house_second_up(struct house *house)
{
	adapter_up(&house->second, "bridge");
}

void house_link_up(struct house *house)
{
	struct packet_conn *core, *ours;
	check_ok(packet_pair(house->loop, &core, &ours));
	links_accept(house->app->links, "cloud", core);
	actor_greet(&house->link, WIRE_LINK, "cloud", ours);
	struct wire_msg state = { .type = WIRE_LINK_STATE };
	state.link_state.connected = true;
	state.link_state.reason = LINK_CONNECTED;
	actor_say(&house->link, &state);
	house_settle(house);
}

const struct heard *actor_last(const struct actor *actor, uint8_t type)
{
	for (size_t i = actor->n; i > 0; i--)
		if (actor->heard[i - 1].type == type)
			return &actor->heard[i - 1];
	return NULL;
}

size_t actor_count(const struct actor *actor, uint8_t type)
{
	size_t n = 0;
	for (size_t i = 0; i < actor->n; i++)
		n += actor->heard[i].type == type;
	return n;
}

void actor_joining(struct actor *adapter, uint8_t n, enum join_stage stage, const char *text)
{
	struct wire_msg msg = { .type = WIRE_JOINING };
	msg.joining.addr = (struct address){ .len = 2, .bytes = { 0xad, n } };
	msg.joining.stage = (uint8_t)stage;
	msg.joining.text = view_text(text);
	actor_say(adapter, &msg);
	house_settle(adapter->house);
}

void actor_gone(struct actor *adapter, uint8_t n, bool left)
{
	struct wire_msg msg = { .type = WIRE_GONE };
	msg.gone.addr = (struct address){ .len = 2, .bytes = { 0xad, n } };
	msg.gone.left = left;
	actor_say(adapter, &msg);
	house_settle(adapter->house);
}

/* Devices. */

static struct address address_of(uint8_t n)
{
	return (struct address){ .len = 2, .bytes = { 0xad, n } };
}

struct device_id actor_describe(struct actor *adapter, uint8_t n, const char *name, const struct house_cap *caps, size_t n_caps)
{
	struct capability_desc descs[16] = { 0 };
	for (size_t i = 0; i < n_caps; i++)
		descs[i] = (struct capability_desc){ .id = caps[i].id, .type = caps[i].type, .access = caps[i].access };
	struct endpoint_desc endpoint = { .id = 1, .n_caps = (uint8_t)n_caps, .caps = descs };
	struct wire_msg msg = { .type = WIRE_DEVICE };
	msg.device = (struct device_desc){ .addr = address_of(n), .hw = { .len = 8, .bytes = { 1, 2, 3, 4, 5, 6, 7, n } }, .evidence = 2,
					   .vendor = "V", .model = "M", .firmware = "1", .name = name, .n_endpoints = 1, .endpoints = &endpoint };
	actor_say(adapter, &msg);
	house_settle(adapter->house);
	struct address addr = address_of(n);
	const struct device *device = registry_find_way(adapter->house->app->registry, adapter->name, &addr);
	assert_non_null(device);
	return device->id;
}

struct device_id house_describe(struct house *house, uint8_t n, const char *name, const struct house_cap *caps, size_t n_caps)
{
	return actor_describe(&house->adapter, n, name, caps, n_caps);
}

struct device_id house_lamp(struct house *house, uint8_t n, const char *name)
{
	const struct house_cap caps[] = { { CAP_ON_OFF, VALUE_BOOL, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT },
					  { CAP_LEVEL, VALUE_INT, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT } };
	return house_describe(house, n, name, caps, N_ELEMENTS(caps));
}

struct device_id house_lock(struct house *house, uint8_t n, const char *name)
{
	const struct house_cap caps[] = { { CAP_LOCK_STATE, VALUE_TEXT, ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT | ACCESS_SECURE } };
	return house_describe(house, n, name, caps, N_ELEMENTS(caps));
}

struct device_id house_sensor(struct house *house, uint8_t n, const char *name)
{
	const struct house_cap caps[] = { { CAP_TEMPERATURE, VALUE_REAL, ACCESS_READ | ACCESS_REPORT }, { CAP_CONTACT, VALUE_BOOL, ACCESS_READ | ACCESS_REPORT } };
	return house_describe(house, n, name, caps, N_ELEMENTS(caps));
}

void actor_report(struct actor *adapter, uint8_t n, uint16_t cap, struct value value)
{
	struct wire_msg msg = { .type = WIRE_REPORT };
	msg.report.seq = ++adapter->seq;
	msg.report.addr = address_of(n);
	msg.report.endpoint = 1;
	msg.report.cap = cap;
	msg.report.value = value;
	actor_say(adapter, &msg);
	house_settle(adapter->house);
}

void house_report(struct house *house, uint8_t n, uint16_t cap, struct value value)
{
	actor_report(&house->adapter, n, cap, value);
}

/* People. */

struct waiting {
	bool done;
	int r;
	int32_t id;
};

static void on_done(void *ctx, int r)
{
	struct waiting *w = ctx;
	w->done = true;
	w->r = r;
}

static void on_rule(void *ctx, int r, int32_t id, const char *error)
{
	struct waiting *w = ctx;
	if (r != 0)
		print_error("rule: %s\n", error ? error : "?");
	w->done = true;
	w->r = r;
	w->id = id;
}

static bool is_done(void *ctx)
{
	return ((struct waiting *)ctx)->done;
}

static uint32_t add_user(struct house *house, const char *name, enum role role)
{
	struct waiting w = { 0 };
	struct audit_record record = { .kind = AUDIT_USER_ADD };
	user_add(house->app->people, name, role, house->password, &record, on_done, &w);
	check_true(house_until(house, is_done, &w));
	check_ok(w.r);
	return user_find_name(house->app->people, name)->id;
}

void house_people(struct house *house)
{
	house->owner = add_user(house, "anna", ROLE_OWNER);
	house->other = add_user(house, "ben", ROLE_MEMBER);
}

void house_bind(struct house *house, struct device_id id, uint32_t owner)
{
	struct waiting w = { 0 };
	struct audit_record record = { .kind = AUDIT_BIND, .subject = { SUBJECT_USER, owner } };
	binding_set(house->app->people, id, owner, &record, on_done, &w);
	check_true(house_until(house, is_done, &w));
	check_ok(w.r);
	registry_apply_owner(house->app->registry, id, owner);
	house_settle(house);
}

struct asker house_user(struct house *house, uint32_t user)
{
	const struct user *u = user_find(house->app->people, user);
	struct asker asker = { .subject = { SUBJECT_USER, user }, .role = u->role, .name = u->name, .source = SOURCE_DOOR, .loop = LOOP_SMALL };
	text_copy(asker.addr, sizeof(asker.addr), "uid:1000");
	return asker;
}

struct asker house_link_asker(struct house *house, const char *name)
{
	(void)house;
	return (struct asker){ .subject = { SUBJECT_LINK, conf_link_number(name) }, .name = name, .source = SOURCE_LINK_CLOUD, .loop = LOOP_BIG };
}

int32_t house_allow(struct house *house, const struct policy_rule *rule)
{
	struct waiting w = { 0 };
	struct audit_record record = { .kind = AUDIT_RULE_ADD };
	rulebook_add(house->app->rulebook, rule, &record, on_rule, &w);
	check_true(house_until(house, is_done, &w));
	check_ok(w.r);
	return w.id;
}

/* Commands. */

static void on_command(void *ctx, enum result result, int32_t rule, const char *reason)
{
	struct outcome *outcome = ctx;
	check_true(!outcome->done);
	outcome->done = true;
	outcome->result = result;
	outcome->rule = rule;
	text_copy(outcome->reason, sizeof(outcome->reason), reason);
}

static bool has_ended(void *ctx)
{
	return ((struct outcome *)ctx)->done;
}

struct command house_set(struct device_id device, uint16_t cap, struct value value)
{
	return (struct command){ .source = SOURCE_DOOR, .device = device, .cap = cap, .value = value };
}

struct outcome house_command(struct house *house, const struct asker *asker, const struct command *command)
{
	struct outcome outcome = { 0 };
	struct command c = *command;
	c.subject = asker->subject;
	c.source = asker->source;
	c.loop = asker->loop;
	router_command(house->app->router, asker, &c, on_command, &outcome);
	check_true(house_until(house, has_ended, &outcome));
	house_settle(house);
	return outcome;
}

/* The record. */

struct reading {
	bool done;
	uint16_t kind;
	size_t n;
	uint64_t last;
	struct audit_row *ret; /* its texts are gone: numbers only */
};

static void on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct reading *reading = ctx;
	check_ok(r);
	for (size_t i = 0; i < n; i++) {
		reading->last = rows[i].seq;
		if (rows[i].record.kind != reading->kind)
			continue;
		reading->n++;
		if (reading->ret)
			*reading->ret = rows[i];
	}
	reading->done = n == 0;
}

size_t house_audit(struct house *house, uint16_t kind, struct audit_row *ret_last)
{
	struct reading reading = { .kind = kind, .ret = ret_last };
	house_settle(house);
	for (int page = 0; page < 1000 && !reading.done; page++) {
		check_ok(audit_read(house->app->audit, reading.last, 64, false, on_rows, &reading));
		house_settle(house);
	}
	return reading.n;
}

bool house_alarm(struct house *house, enum alarm_kind kind)
{
	const struct alarm *alarm;
	for (size_t i = 0; (alarm = alarms_at(router_alarms(house->app->router), i)); i++)
		if (alarm->kind == kind)
			return true;
	return false;
}
