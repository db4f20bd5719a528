/* The interview by itself: a device is a few answers in a row, good ones and bad ones. */
#include "check.h"

#include "zigbee/interview.h"
#include "zigbee/traits.h"

enum { HOST = 0x55, STEPS_MAX = 1000 };

/* How the device behaves. */
struct device {
	uint8_t capabilities;
	unsigned n_endpoints;
	bool refuses_groups;	/* reads of more than one attribute */
	bool refuses_bind, dumb; /* dumb: acknowledges and says nothing */
	unsigned away;		/* so many steps are lost first */
	uint8_t simple_refused; /* this endpoint */
	const char *model;
	size_t model_len;
	/* what was seen */
	unsigned asks, reads, writes, configures, binds, enrols, pauses;
};

static struct radio_answer answer(struct device *d, const struct radio_question *q)
{
	struct radio_answer a = { .kind = q->kind, .status = d->away ? RADIO_NO_ACK : RADIO_OK };

	d->asks++;
	d->away -= d->away > 0;
	if (q->kind == RADIO_Q_NODE)
		a.node = (struct zdo_node){ .kind = ZDO_ROUTER, .capabilities = d->capabilities, .manufacturer = 0x1234 };
	if (q->kind == RADIO_Q_ENDPOINTS) {
		a.endpoints.n = d->n_endpoints;
		for (unsigned i = 0; i < d->n_endpoints; i++)
			a.endpoints.ids[i] = (uint8_t)(i + 1);
		if (d->n_endpoints)
			a.endpoints.ids[d->n_endpoints - 1] = d->n_endpoints > 2 ? 242 : (uint8_t)d->n_endpoints;
	}
	if (q->kind == RADIO_Q_SIMPLE) {
		a.simple = (struct zdo_simple){ .endpoint = q->endpoint, .profile = 0x0104, .device = 0x0402, .n_in = 4,
						.in = { 0x0000, 0x0001, 0x0402, 0x0500 } };
		if (q->endpoint == d->simple_refused)
			a.status = RADIO_REFUSED;
	}
	if (q->kind == RADIO_Q_BIND) {
		d->binds++;
		check_uint(q->to_eui, HOST);
		check_uint(q->to_endpoint, 1);
		if (d->refuses_bind)
			a.status = RADIO_REFUSED;
	}
	return a;
}

static size_t read_answer(const struct device *d, const struct talk_ask *ask, uint8_t *out, size_t cap)
{
	struct writer w = writer_over(out, cap);
	struct reader r = reader_over(ask->payload.data, ask->payload.len);

	put_u8(&w, 0x18);
	put_u8(&w, 1);
	put_u8(&w, ZCL_READ_RSP);
	while (reader_left(&r)) {
		uint16_t attribute = get_u16(&r);

		put_u16(&w, attribute);
		if (ask->cluster == 0 && attribute == 5) {
			put_u8(&w, 0);
			put_u8(&w, 0x42);
			put_u8(&w, (uint8_t)d->model_len);
			put_bytes(&w, d->model, d->model_len);
		} else if (ask->cluster == 0x0500 && attribute == 1) {
			put_u8(&w, 0);
			put_u8(&w, 0x31);
			put_u16(&w, 0x0015);
		} else {
			put_u8(&w, 0x86);
		}
	}
	return writer_len(&w);
}

static void talk(struct device *d, struct interview *iv, const struct talk_ask *ask)
{
	struct talk_result result = { .status = d->away ? TALK_UNREACHABLE : d->dumb ? TALK_TIMEOUT : TALK_OK };
	uint8_t out[256];
	struct zcl_frame frame;
	size_t len = 0;

	d->away -= d->away > 0;
	d->reads += !ask->own && ask->command == ZCL_READ;
	d->writes += !ask->own && ask->command == ZCL_WRITE;
	d->configures += !ask->own && ask->command == ZCL_CONFIGURE_REPORT;
	d->enrols += ask->own;
	check_true(ask->payload.len <= TALK_PAYLOAD_MAX && ask->payload.len <= INTERVIEW_BYTES_MAX);
	if (!ask->own && ask->command == ZCL_READ) {
		check_true(ask->payload.len <= 2 * INTERVIEW_READ_MAX);
		len = read_answer(d, ask, out, sizeof(out));
		if (d->refuses_groups && ask->payload.len > 2)
			result = (struct talk_result){ .status = TALK_REFUSED, .zcl = 0x86 };
	}
	if (len && result.status == TALK_OK) {
		check_ok(zcl_frame_read((struct view){ out, len }, &frame));
		result.frame = &frame;
	}
	interview_talked(iv, &result);
}

static enum interview_want go(struct device *d, struct interview *iv)
{
	struct interview_step step;

	for (unsigned i = 0; i < STEPS_MAX; i++) {
		interview_next(iv, &step);
		if (step.want == INTERVIEW_READY || step.want == INTERVIEW_FAILED)
			return step.want;
		if (step.want == INTERVIEW_PAUSE) {
			check_true(step.pause_ms >= INTERVIEW_PAUSE_MS);
			d->pauses++;
			interview_go_on(iv);
		} else if (step.want == INTERVIEW_ASK) {
			struct radio_answer a = answer(d, &step.question);

			interview_answered(iv, &a);
		} else {
			talk(d, iv, &step.ask);
		}
	}
	fail_msg("it never ends");
	return INTERVIEW_FAILED;
}

static enum interview_want whole(struct device *d, struct interview *iv)
{
	struct node node = { .eui = 0x77, .nwk = 0x1234, .capabilities = d->capabilities };

	check_ok(interview_init(iv, &node, HOST, INTERVIEW_NODE));
	return go(d, iv);
}

static void test_good(void **state)
{
	struct device d = { .capabilities = 0x8e, .n_endpoints = 3, .model = "lumi.sensor \0\0", .model_len = 14 };
	struct interview iv, again;

	(void)state;
	check_int(whole(&d, &iv), INTERVIEW_READY);
	check_true(interview_is_described(&iv));
	check_uint(iv.node.n_endpoints, 2); /* 242 is nothing of ours */
	check_text(iv.node.model, "lumi.sensor");
	check_uint(iv.node.manufacturer, 0x1234);
	check_int(node_fact(&iv.node.endpoints[0], FACT_ZONE_TYPE, 0), 0x15);
	check_true(d.binds >= 4 && d.configures >= 2);
	check_uint(d.writes, 2); /* the zone of each endpoint is told whose it is */
	check_uint(d.enrols, 2);
	check_uint(d.pauses, 0);
	/* From the middle on: nothing is asked that is known. */
	d.asks = d.binds = 0;
	check_ok(interview_init(&again, &iv.node, HOST, INTERVIEW_VALUES));
	check_int(go(&d, &again), INTERVIEW_READY);
	check_uint(d.asks, 0);
	interview_deinit(&again);
	interview_deinit(&iv);
}

/* One attribute that it has not makes it refuse them all: they are read one by one. */
static void test_one_by_one(void **state)
{
	struct device d = { .capabilities = 0x8e, .n_endpoints = 1, .refuses_groups = true, .model = "m", .model_len = 1 };
	struct interview iv;

	(void)state;
	check_int(whole(&d, &iv), INTERVIEW_READY);
	check_text(iv.node.model, "m");
	check_int(node_fact(&iv.node.endpoints[0], FACT_ZONE_TYPE, 0), 0x15);
	check_true(iv.refused > 0);
	interview_deinit(&iv);
}

/* Bindings refused, an endpoint that says nothing of itself, one that never answers what it got: it works as far as it goes. */
static void test_refusals(void **state)
{
	struct device d = { .capabilities = 0x8e, .n_endpoints = 2, .refuses_bind = true, .simple_refused = 1, .model = "m", .model_len = 1 };
	struct device dumb = { .capabilities = 0x8e, .n_endpoints = 1, .dumb = true, .model = "", .model_len = 0 };
	struct device mute = { .capabilities = 0x8e, .n_endpoints = 1, .simple_refused = 1 };
	struct interview iv;

	(void)state;
	check_int(whole(&d, &iv), INTERVIEW_READY);
	check_uint(iv.node.n_endpoints, 1);
	check_uint(iv.node.endpoints[0].id, 2);
	check_true(d.configures > 0);
	interview_deinit(&iv);
	check_int(whole(&dumb, &iv), INTERVIEW_READY);
	check_true(dumb.pauses > 0);
	interview_deinit(&iv);
	check_int(whole(&mute, &iv), INTERVIEW_FAILED);
	check_true(strstr(iv.why, "endpoints"));
	interview_deinit(&iv);
}

/* Lost steps are tried again, and not for ever; one that sleeps has more patience. */
static void test_away(void **state)
{
	struct device few = { .capabilities = 0x8e, .n_endpoints = 1, .away = INTERVIEW_TRIES_MAX - 1, .model = "m", .model_len = 1 };
	struct device many = { .capabilities = 0x8e, .n_endpoints = 1, .away = INTERVIEW_TRIES_MAX };
	struct device sleepy = { .capabilities = 0x80, .n_endpoints = 1, .away = INTERVIEW_SLEEPY_TRIES_MAX - 1, .model = "m", .model_len = 1 };
	struct interview iv;

	(void)state;
	check_int(whole(&few, &iv), INTERVIEW_READY);
	check_uint(few.pauses, INTERVIEW_TRIES_MAX - 1);
	interview_deinit(&iv);
	check_int(whole(&many, &iv), INTERVIEW_FAILED);
	check_true(strstr(iv.why, "does not answer"));
	check_true(!interview_is_described(&iv));
	interview_deinit(&iv);
	check_int(whole(&sleepy, &iv), INTERVIEW_READY);
	interview_deinit(&iv);
	sleepy.away = INTERVIEW_SLEEPY_TRIES_MAX;
	check_int(whole(&sleepy, &iv), INTERVIEW_FAILED);
	check_true(strstr(iv.why, "asleep"));
	interview_deinit(&iv);
}

/* What it says of itself is a stranger's: more endpoints than we keep, none, the same twice, names that are no text. */
static void test_strangers(void **state)
{
	struct device none = { .capabilities = 0x8e, .n_endpoints = 0 };
	struct device many = { .capabilities = 0x8e, .n_endpoints = NODE_ENDPOINTS_MAX + 4, .model = "\xff\xfe", .model_len = 2 };
	struct device longest = { .capabilities = 0x8e, .n_endpoints = 1, .model = "0123456789012345678901234567890123456789\n", .model_len = 41 };
	struct interview iv;

	(void)state;
	check_int(whole(&none, &iv), INTERVIEW_FAILED);
	interview_deinit(&iv);
	check_int(whole(&many, &iv), INTERVIEW_READY);
	check_uint(iv.node.n_endpoints, NODE_ENDPOINTS_MAX);
	check_text(iv.node.model, "");
	interview_deinit(&iv);
	check_int(whole(&longest, &iv), INTERVIEW_READY);
	check_uint(strlen(iv.node.model), NODE_TEXT_MAX);
	interview_deinit(&iv);
}

/* Three rows of reporting fit into what a step may carry, whatever their types. */
static void test_sizes(void **state)
{
	(void)state;
	check_true(INTERVIEW_REPORTS_MAX * (1 + 2 + 1 + 2 + 2 + 8) <= INTERVIEW_BYTES_MAX);
	check_true((int)NODE_CLUSTERS_MAX <= (int)ZDO_CLUSTERS_MAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_one_by_one), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_away), cmocka_unit_test(test_strangers),	cmocka_unit_test(test_sizes),
	};

	return CHECK_RUN(rows);
}
