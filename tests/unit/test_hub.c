/* The adapters' slots: requests with one answer each, reports with credit, one connection a name. */
#include "far_end.h"
#include "gateway_home.h"

#include "adapter/blobs.h"
#include "adapter/hub.h"
#include "base/base.h"

struct world {
	struct gateway g;
	struct blobs *blobs;
	struct hub *hub;
	struct far_end far, next;
	unsigned n_up, n_down, n_reports, n_done[RESULTS];
	enum peer_end end;
	bool refuses, holds; /* reports */
	hub_stored_fn stored;
	void *stored_ctx;
	unsigned n_told, n_joining;
	enum result told;
	uint8_t text[WIRE_ASK_MAX];
	size_t text_len;
	bool asks_again;
};

static void on_up(void *ctx, const char *adapter, uint8_t flags)
{
	check_text(adapter, "sim");
	check_uint(flags & ~8u, 1);
	((struct world *)ctx)->n_up++;
}

static void on_down(void *ctx, const char *adapter, enum peer_end end, const char *why)
{
	struct world *w = ctx;
	check_text(adapter, "sim");
	check_true(why[0]);
	w->n_down++;
	w->end = end;
}

static int on_report(void *ctx, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap, const struct value *value,
		     int64_t wall_us, bool again, hub_stored_fn stored, void *stored_ctx)
{
	struct world *w = ctx;
	(void)adapter;
	(void)addr;
	(void)wall_us;
	(void)again;
	check_uint(endpoint, 1);
	check_uint(cap, CAP_ON_OFF);
	check_int(value->type, VALUE_BOOL);
	w->n_reports++;
	if (w->refuses)
		return 1;
	if (w->holds) {
		w->stored = stored;
		w->stored_ctx = stored_ctx;
	} else {
		stored(stored_ctx, 0);
	}
	return 0;
}

static void on_joining(void *ctx, const char *adapter, const struct address *joins, enum join_stage stage, const char *text)
{
	struct world *w = ctx;
	check_text(adapter, "sim");
	check_uint(joins->len, 1);
	check_int(stage, JOIN_PASSKEY);
	check_text(text, "047293");
	w->n_joining++;
}

static const struct hub_ops ops = { .on_up = on_up, .on_down = on_down, .on_report = on_report, .on_joining = on_joining };

static void on_done(void *ctx, enum result result)
{
	((struct world *)ctx)->n_done[result]++;
}

static void greet(struct world *w, struct far_end *far)
{
	struct packet_conn *core;
	far_open(far, w->g.loop, WIRE_ADAPTER, &core);
	hub_accept(w->hub, "sim", core);
	far_hello(far, "sim", WIRE_MAJOR);
	far_turns(w->g.loop);
	far_opened(far, 1 | 8);
	far_turns(w->g.loop);
}

static void world_open(struct world *w)
{
	const struct peer_option option = { "key", "value" };
	memset(w, 0, sizeof(*w));
	gateway_open(&w->g, blobs_schema_1);
	check_ok(blobs_new(w->g.store, w->g.db, &w->blobs));
	check_ok(blobs_load(w->blobs));
	gateway_start(&w->g);
	check_ok(hub_new(w->g.loop, w->blobs, w->g.audit, 1, &ops, w, &w->hub));
	check_ok(hub_add(w->hub, "sim", &option, 1));
	greet(w, &w->far);
	check_true(hub_is_up(w->hub, "sim"));
}

static void world_close(struct world *w)
{
	far_close(&w->far);
	far_close(&w->next);
	hub_close(w->hub);
	gateway_settle(&w->g);
	blobs_free(w->blobs);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static const struct address addr = { .len = 1, .bytes = { 1 } };

static int command(struct world *w, uint32_t ttl_ms)
{
	const struct value on = value_bool(true);
	return hub_command(w->hub, "sim", &addr, 1, CAP_ON_OFF, &on, ttl_ms, on_done, w);
}

static void answer(struct world *w, uint64_t req, int32_t status)
{
	far_say(&w->far, &(struct wire_msg){ .type = WIRE_DONE, .done = { req, status } });
	far_turns(w->g.loop);
}

static void on_told(void *ctx, enum result result, struct view text)
{
	struct world *w = ctx;
	w->n_told++;
	w->told = result;
	w->text_len = text.len;
	if (text.len)
		memcpy(w->text, text.data, text.len);
	if (w->asks_again)
		check_ok(hub_ask(w->hub, "sim", "info", NULL, 0, on_told, w));
	w->asks_again = false;
}

static void tell(struct world *w, uint64_t req, const void *data, size_t len)
{
	struct wire_msg msg = { .type = WIRE_TELL };
	msg.tell.req = req;
	msg.tell.data = (struct view){ data, len };
	far_say(&w->far, &msg);
	far_turns(w->g.loop);
}

static void report(struct world *w, uint64_t seq)
{
	struct wire_msg msg = { .type = WIRE_REPORT };
	msg.report.seq = seq;
	msg.report.addr = addr;
	msg.report.endpoint = 1;
	msg.report.cap = CAP_ON_OFF;
	msg.report.value = value_bool(true);
	far_say(&w->far, &msg);
}

static void so_many_adapters_and_options(void **state)
{
	struct peer_option options[WIRE_OPTIONS_MAX + 1];
	struct world w;
	char name[16];
	(void)state;
	world_open(&w);
	for (size_t i = 0; i <= WIRE_OPTIONS_MAX; i++)
		options[i] = (struct peer_option){ "key", "value" };
	check_int(hub_add(w.hub, "sim", NULL, 0), HUB_E_BUSY);
	check_int(hub_add(w.hub, "a1", options, WIRE_OPTIONS_MAX + 1), HUB_E_BUSY);
	for (unsigned i = 1; i < HUB_ADAPTERS_MAX; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		check_ok(hub_add(w.hub, name, options, WIRE_OPTIONS_MAX));
	}
	check_int(hub_add(w.hub, "more", NULL, 0), HUB_E_BUSY);
	world_close(&w);
}

static void a_request_is_answered_once(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(command(&w, 1000));
	far_turns(w.g.loop);
	check_uint(w.far.heard[WIRE_COMMAND], 1);
	uint64_t req = w.far.req;
	answer(&w, req + 1, RESULT_OK); /* nobody's */
	check_uint(w.n_done[RESULT_OK], 0);
	answer(&w, req, RESULT_OK);
	check_uint(w.n_done[RESULT_OK], 1);
	answer(&w, req, RESULT_OK); /* again */
	check_uint(w.n_done[RESULT_OK], 1);
	/* Too late: it has ended by its deadline. */
	check_ok(command(&w, 1000));
	far_turns(w.g.loop);
	loop_advance(w.g.loop, 1000);
	check_uint(w.n_done[RESULT_TIMEOUT], 1);
	answer(&w, w.far.req, RESULT_OK);
	check_uint(w.n_done[RESULT_OK], 1);
	check_int(hub_command(w.hub, "nobody", &addr, 1, CAP_ON_OFF, &(struct value){ .type = VALUE_BOOL }, 1, on_done, &w), HUB_E_UNKNOWN);
	world_close(&w);
}

static void so_many_requests_wait(void **state)
{
	struct world w;
	struct hub_stats stats;
	(void)state;
	world_open(&w);
	for (int i = 0; i < HUB_PENDING_MAX; i++)
		check_ok(command(&w, 1000));
	check_int(command(&w, 1000), HUB_E_BUSY);
	check_int(hub_join(w.hub, "sim", 60, NULL, NULL, 0, on_done, &w), HUB_E_BUSY);
	check_true(hub_stats_at(w.hub, 0, &stats));
	check_uint(stats.pending, HUB_PENDING_MAX);
	far_turns(w.g.loop);
	answer(&w, w.far.req, RESULT_OK); /* one ends, one may come */
	check_ok(command(&w, 1000));
	check_int(command(&w, 1000), HUB_E_BUSY);
	/* The adapter goes: all of them have their end, in one turn. */
	far_close(&w.far);
	far_turns(w.g.loop);
	check_uint(w.n_done[RESULT_UNREACHABLE], HUB_PENDING_MAX);
	check_int(command(&w, 1000), HUB_E_AWAY);
	check_true(!hub_is_up(w.hub, "sim") && !hub_can_join(w.hub, "sim"));
	world_close(&w);
}

static void closing_ends_what_waits(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(command(&w, 1000));
	w.hub = hub_close(w.hub);
	check_uint(w.n_done[RESULT_CANCELLED], 1);
	world_close(&w);
}

static void stored_is_said_when_it_is_stored(void **state)
{
	struct world w;
	struct hub_stats stats;
	(void)state;
	world_open(&w);
	report(&w, 1);
	report(&w, 2);
	far_turns(w.g.loop);
	check_uint(w.far.up_to, 2);
	check_uint(w.far.heard[WIRE_STORED], 1); /* one word for both */
	w.holds = true;
	report(&w, 3);
	far_turns(w.g.loop);
	check_uint(w.far.up_to, 2);
	check_true(hub_stats_at(w.hub, 0, &stats));
	check_uint(stats.unstored, 1);
	w.stored(w.stored_ctx, 0);
	far_turns(w.g.loop);
	check_uint(w.far.up_to, 3);
	/* A refused one is off the adapter's hands as well. */
	w.holds = false;
	w.refuses = true;
	report(&w, 4);
	far_turns(w.g.loop);
	check_uint(w.far.up_to, 4);
	check_true(hub_stats_at(w.hub, 0, &stats));
	check_uint(stats.n_refused, 1);
	check_uint(stats.n_reports, 4);
	world_close(&w);
}

/* Stored after its adapter has gone: nobody to tell, nothing to free twice. */
static void what_is_stored_too_late_finds_nobody(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	w.holds = true;
	report(&w, 1);
	far_turns(w.g.loop);
	far_close(&w.far);
	far_turns(w.g.loop);
	check_uint(w.n_down, 1);
	w.stored(w.stored_ctx, 0);
	greet(&w, &w.next);
	check_uint(w.next.heard[WIRE_STORED], 0);
	world_close(&w);
}

static void a_skipped_number_ends_it(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	report(&w, 1);
	report(&w, 3);
	far_turns(w.g.loop);
	check_uint(w.n_reports, 1);
	check_uint(w.n_down, 1);
	check_int(w.end, PEER_VIOLATION);
	world_close(&w);
}

static void a_second_connection_takes_the_place_of_the_first(void **state)
{
	struct world w;
	struct hub_stats stats;
	(void)state;
	world_open(&w);
	check_ok(command(&w, 1000));
	greet(&w, &w.next);
	check_true(w.far.closed);
	check_int(w.end, PEER_REPLACED);
	check_uint(w.n_up, 2);
	check_uint(w.n_down, 1);
	check_uint(w.n_done[RESULT_UNREACHABLE], 1);
	check_true(hub_stats_at(w.hub, 0, &stats));
	check_uint(stats.restarts, 1);
	world_close(&w);
}

static void what_it_saved_is_sent_before_it_starts(void **state)
{
	struct world w;
	struct wire_msg msg = { .type = WIRE_SAVE };
	(void)state;
	world_open(&w);
	check_uint(w.far.heard[WIRE_STATE], 0);
	msg.state.key = (struct view){ (const uint8_t *)"k", 1 };
	msg.state.data = (struct view){ (const uint8_t *)"secret", 6 };
	far_say(&w.far, &msg);
	far_turns(w.g.loop);
	far_close(&w.far);
	far_turns(w.g.loop);
	greet(&w, &w.next);
	check_uint(w.next.heard[WIRE_STATE], 1);
	world_close(&w);
}

static void a_radio_is_asked_and_tells(void **state)
{
	static const uint8_t bytes[WIRE_ASK_MAX + 1] = { 1, 2, 3 };
	struct world w;
	(void)state;
	world_open(&w);
	check_true(hub_can_ask(w.hub, "sim"));
	check_ok(hub_ask(w.hub, "sim", "map", NULL, 0, on_told, &w));
	check_int(hub_ask(w.hub, "sim", "info", NULL, 0, on_told, &w), HUB_E_BUSY);
	far_turns(w.g.loop);
	check_uint(w.far.heard[WIRE_ASK], 1);
	uint64_t req = w.far.req;
	tell(&w, req + 1, "no", 2); /* nobody's */
	tell(&w, req, "{\"a\":", 5);
	tell(&w, req, "1}", 2);
	w.asks_again = true;
	answer(&w, req, RESULT_OK);
	check_uint(w.n_told, 1);
	check_int(w.told, RESULT_OK);
	check_bytes(w.text, w.text_len, "{\"a\":1}", 7);
	/* Its end may be the next one's beginning; what was told before it failed is not an answer. */
	far_turns(w.g.loop);
	check_uint(w.far.heard[WIRE_ASK], 2);
	tell(&w, w.far.req, "{", 1);
	answer(&w, w.far.req, RESULT_FAILED);
	check_uint(w.n_told, 2);
	check_int(w.told, RESULT_FAILED);
	check_uint(w.text_len, 0);
	/* Too late. */
	check_ok(hub_ask(w.hub, "sim", "map", NULL, 0, on_told, &w));
	far_turns(w.g.loop);
	req = w.far.req;
	for (int i = 0; i < HUB_ASK_MS / 1000; i++) {
		far_say(&w.far, &(struct wire_msg){ .type = WIRE_BEAT });
		far_turns(w.g.loop);
		loop_advance(w.g.loop, 1000);
	}
	check_uint(w.n_told, 3);
	check_int(w.told, RESULT_TIMEOUT);
	tell(&w, req, "{", 1);
	answer(&w, req, RESULT_OK);
	check_uint(w.n_told, 3);
	/* The longest question and the longest answer; nothing longer. */
	check_int(hub_ask(w.hub, "sim", "restore", bytes, WIRE_ASK_MAX + 1, on_told, &w), HUB_E_UNABLE);
	w.far.heard[WIRE_ASK] = 0;
	check_ok(hub_ask(w.hub, "sim", "restore", bytes, WIRE_ASK_MAX, on_told, &w));
	far_turns(w.g.loop);
	check_uint(w.far.heard[WIRE_ASK], WIRE_ASK_MAX / WIRE_STATE_MAX);
	for (int i = 0; i < WIRE_ASK_MAX / WIRE_STATE_MAX; i++)
		tell(&w, w.far.req, bytes, WIRE_STATE_MAX);
	answer(&w, w.far.req, RESULT_OK);
	check_uint(w.n_told, 4);
	check_uint(w.text_len, WIRE_ASK_MAX);
	check_ok(hub_ask(w.hub, "sim", "map", NULL, 0, on_told, &w));
	far_turns(w.g.loop);
	for (int i = 0; i < WIRE_ASK_MAX / WIRE_STATE_MAX; i++)
		tell(&w, w.far.req, bytes, WIRE_STATE_MAX);
	tell(&w, w.far.req, bytes, 1);
	check_uint(w.n_down, 1);
	check_int(w.end, PEER_VIOLATION);
	check_int(w.told, RESULT_UNREACHABLE);
	check_int(hub_ask(w.hub, "sim", "map", NULL, 0, on_told, &w), HUB_E_AWAY);
	check_int(hub_ask(w.hub, "nobody", "map", NULL, 0, on_told, &w), HUB_E_UNKNOWN);
	check_uint(w.n_told, 5);
	world_close(&w);
}

static void closing_ends_a_question(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(hub_ask(w.hub, "sim", "map", NULL, 0, on_told, &w));
	far_turns(w.g.loop);
	tell(&w, w.far.req, "secret", 6);
	w.hub = hub_close(w.hub);
	check_uint(w.n_told, 1);
	check_int(w.told, RESULT_CANCELLED);
	world_close(&w);
}

static void how_a_join_goes_is_heard(void **state)
{
	struct wire_msg msg = { .type = WIRE_JOINING };
	struct world w;
	(void)state;
	world_open(&w);
	msg.joining.addr = addr;
	msg.joining.stage = JOIN_PASSKEY;
	msg.joining.text = (struct view){ (const uint8_t *)"047293", 6 };
	far_say(&w.far, &msg);
	far_turns(w.g.loop);
	check_uint(w.n_joining, 1);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(so_many_adapters_and_options),
		cmocka_unit_test(a_request_is_answered_once),
		cmocka_unit_test(so_many_requests_wait),
		cmocka_unit_test(closing_ends_what_waits),
		cmocka_unit_test(stored_is_said_when_it_is_stored),
		cmocka_unit_test(what_is_stored_too_late_finds_nobody),
		cmocka_unit_test(a_skipped_number_ends_it),
		cmocka_unit_test(a_second_connection_takes_the_place_of_the_first),
		cmocka_unit_test(what_it_saved_is_sent_before_it_starts),
		cmocka_unit_test(a_radio_is_asked_and_tells),
		cmocka_unit_test(closing_ends_a_question),
		cmocka_unit_test(how_a_join_goes_is_heard),
	};
	return CHECK_RUN(rows);
}
