/* Events: their bytes, there and back, every truncation and every contradiction refused. */
#include "check.h"

#include "model/alarm.h"
#include "model/capability.h"
#include "model/event.h"

static struct event report(void)
{
	return (struct event){
		.kind = EVENT_REPORT,
		.event_class = EVENT_CLASS_TELEMETRY,
		.device = { { 1, 0, 0xa1, 0xb2, 0xc0, 0xff, 0xee, 1, 2, 3, 4, 5 } },
		.endpoint = 1,
		.cap = CAP_TEMPERATURE,
		.value = value_real(21.5),
		.wall_us = 1700000000000000,
		.number = 7,
	};
}

static struct event alarm_event(void)
{
	return (struct event){
		.kind = EVENT_ALARM,
		.event_class = EVENT_CLASS_ALARM,
		.number = 1,
		.text = view_text("clone"),
		.detail = view_text("Zwei Geräte"),
		.severity = SEVERITY_CRITICAL,
		.phase = 2,
		.risky = true,
	};
}

static size_t encode(const struct event *e, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	event_put(&w, e);
	check_true(!w.bad);
	return writer_len(&w);
}

static void golden(void **state)
{
	static const uint8_t want[] = {
		0,    2,    0,	  0,	0, /* report, telemetry */
		1,    0,    0xa1, 0xb2, 0xc0, 0xff, 0xee, 1,	2,    3, 4, 5, /* device */
		1,    64,   0,					      /* endpoint, capability */
		0x00, 0x40, 0x1e, 0x18, 0x24, 0x0a, 0x06, 0x00,	      /* wall */
		7,    0,    0,	  0,	0,    0,    0,	  0,	      /* number */
		3,    0,    0,	  0,	0,    0,    0x80, 0x35, 0x40, /* 21.5 */
		0,    0,    0,	  0,				      /* no texts */
	};
	const struct event e = report();
	uint8_t buf[EVENT_LEN_MAX];

	(void)state;
	check_bytes(buf, encode(&e, buf, sizeof(buf)), want, sizeof(want));
}

static void there_and_back(void **state)
{
	const struct event events[] = {
		report(),
		alarm_event(),
		{ .kind = EVENT_AVAILABILITY,
		  .event_class = EVENT_CLASS_STATE,
		  .value = value_bool(true) },
		{ .kind = EVENT_DEVICE, .event_class = EVENT_CLASS_STATE, .text = view_text("ours") },
		{ .kind = EVENT_HEALTH,
		  .event_class = EVENT_CLASS_TELEMETRY,
		  .value = value_int(9),
		  .text = view_text("rss") },
		{ .kind = EVENT_ANCHOR,
		  .event_class = EVENT_CLASS_ALARM,
		  .value = value_bytes("\0\377", 2),
		  .detail = view_text("x") },
	};
	uint8_t buf[EVENT_LEN_MAX], again[EVENT_LEN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		size_t len = encode(&events[i], buf, sizeof(buf));
		struct reader r = reader_over(buf, len);
		struct event got;

		check_ok(event_get(&r, &got));
		check_true(reader_is_done(&r));
		check_int(got.kind, events[i].kind);
		check_int(got.risky, events[i].risky);
		check_bytes(again, encode(&got, again, sizeof(again)), buf, len);
		for (size_t cut = 0; cut < len; cut++) {
			r = reader_over(buf, cut);
			check_int(event_get(&r, &got), EVENT_E_SYNTAX);
		}
	}
}

static void contradictions_are_refused(void **state)
{
	/* Place in the bytes of a report, and what is put there. */
	static const struct {
		size_t at;
		uint8_t byte;
	} bad[] = {
		{ 0, EVENT_KINDS },   { 0, EVENT_AVAILABILITY },
		{ 0, EVENT_ALARM },   { 0, EVENT_HEALTH },
		{ 1, EVENT_CLASSES }, { 2, 4 },
		{ 3, SEVERITIES },    { 4, 3 },
		{ 27, 0x80 },	      { 36, VALUE_TYPES },
	};
	const struct event e = report();
	uint8_t buf[EVENT_LEN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = encode(&e, buf, sizeof(buf));
		struct event got;
		struct reader r;

		buf[bad[i].at] = bad[i].byte;
		r = reader_over(buf, len);
		check_int(event_get(&r, &got), EVENT_E_SYNTAX);
	}
}

static void writing_a_contradiction_is_bad(void **state)
{
	struct event bad[5] = { report(), report(), alarm_event(), alarm_event(), report() };
	uint8_t buf[EVENT_LEN_MAX];

	(void)state;
	bad[0].value = (struct value){ 0 };
	bad[1].wall_us = -1;
	bad[2].severity = SEVERITIES;
	bad[3].text = (struct view){ (const uint8_t *)"\xff", 1 };
	bad[4].kind = EVENT_AVAILABILITY;
	for (size_t i = 0; i < 5; i++) {
		struct writer w = writer_over(buf, sizeof(buf));

		event_put(&w, &bad[i]);
		check_true(w.bad);
	}
}

static void limits_are_reached(void **state)
{
	static char long_text[VALUE_LEN_MAX + 1];
	struct event e = report(), got;
	uint8_t buf[EVENT_LEN_MAX];
	struct reader r;
	struct writer w;

	(void)state;
	memset(long_text, 'a', VALUE_LEN_MAX);
	e.value = value_text(long_text);
	e.text = e.detail = (struct view){ (const uint8_t *)long_text, EVENT_TEXT_MAX };
	r = reader_over(buf, encode(&e, buf, sizeof(buf)));
	check_ok(event_get(&r, &got));
	check_uint(got.detail.len, EVENT_TEXT_MAX);
	e.text.len++;
	w = writer_over(buf, sizeof(buf));
	event_put(&w, &e);
	check_true(w.bad);
}

static void words(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_KINDS; i++)
		check_true(event_kind_name((enum event_kind)i) != NULL);
	check_text(event_kind_name(EVENT_ANCHOR), "anchor");
	check_text(event_class_name(EVENT_CLASS_ALARM), "alarm");
	check_text(event_class_name(EVENT_CLASS_TELEMETRY), "telemetry");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(writing_a_contradiction_is_bad),
		cmocka_unit_test(limits_are_reached),
		cmocka_unit_test(words),
	};

	return CHECK_RUN(rows);
}
