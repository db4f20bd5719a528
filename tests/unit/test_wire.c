/* The wire: every message's bytes, there and back; every truncation, wrong phase, wrong direction
 * and wrong kind of peer refused; every limit reached.
 */
#include "check.h"

#include "model/wire.h"
#include "wire_vectors.h"

struct bench {
	struct wire_vector vectors[WIRE_VECTORS];
	struct wire_scratch scratch;
	struct wire_msg msg;
	uint8_t buf[WIRE_PACKET_MAX + 64];
	uint8_t other[WIRE_PACKET_MAX + 64];
	char text[2 * WIRE_PACKET_MAX];
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	wire_vectors(b->vectors);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The end that receives such a message, in a phase in which it may come. */
static struct wire_peer receiver(uint8_t type)
{
	const struct wire_row *row = wire_row(type);
	struct wire_peer peer = { .is_core = row->direction == WIRE_UP };

	while (!(row->kinds & 1u << peer.kind))
		peer.kind++;
	while (!(row->phases & 1u << peer.phase))
		peer.phase++;
	return peer;
}

static size_t encode(const struct wire_msg *msg, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);

	wire_put(&w, msg);
	check_true(!w.bad);
	check_true(writer_len(&w) <= wire_len_max(msg));
	return writer_len(&w);
}

static int decode(struct bench *b, const struct wire_peer *peer, size_t len)
{
	struct reader packet = reader_over(b->buf, len);

	return wire_next(&packet, peer, &b->scratch, &b->msg);
}

static void golden_bytes(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		size_t len = encode(&b->vectors[i].msg, b->buf, sizeof(b->buf));

		hex_print(b->buf, len, b->text);
		check_text(b->text, b->vectors[i].hex);
	}
}

static void every_row_has_a_vector_and_the_document_shows_it(void **state)
{
	struct bench *b = *state;
	char path[512], line[1024];
	const struct wire_row *row;
	FILE *f;

	for (size_t i = 0; (row = wire_row_at(i)); i++) {
		size_t k = 0;

		while (k < WIRE_VECTORS && b->vectors[k].msg.type != row->type)
			k++;
		check_true(k < WIRE_VECTORS);
		check_true(wire_row(row->type) == row);
	}
	snprintf(path, sizeof(path), "%s/docs/spec/wire.md", getenv("GW_SOURCE_ROOT"));
	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		bool found = false;

		f = fopen(path, "re");
		assert_non_null(f);
		while (!found && fgets(line, sizeof(line), f))
			found = strstr(line, b->vectors[i].hex) != NULL;
		fclose(f);
		if (!found)
			print_error("not in docs/spec/wire.md: %s\n", b->vectors[i].hex);
		check_true(found);
	}
}

static void decode_then_encode_is_the_same(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		struct wire_peer peer = receiver(b->vectors[i].msg.type);
		size_t len = encode(&b->vectors[i].msg, b->buf, sizeof(b->buf));

		check_int(decode(b, &peer, len), 1);
		check_int(b->msg.type, b->vectors[i].msg.type);
		check_bytes(b->other, encode(&b->msg, b->other, sizeof(b->other)), b->buf, len);
	}
}

/* Both ways: the packet is cut, and the body is cut while its length says so. */
static void every_truncation_is_refused(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		struct wire_peer peer = receiver(b->vectors[i].msg.type);
		size_t len = encode(&b->vectors[i].msg, b->other, sizeof(b->other));

		for (size_t cut = 1; cut < len; cut++) {
			memcpy(b->buf, b->other, cut);
			check_int(decode(b, &peer, cut), WIRE_E_MALFORMED);
			if (cut < 4)
				continue;
			b->buf[2] = (uint8_t)(cut - 4);
			b->buf[3] = (uint8_t)((cut - 4) >> 8);
			check_int(decode(b, &peer, cut), WIRE_E_MALFORMED);
		}
	}
}

static void trailing_bytes_are_refused(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		struct wire_peer peer = receiver(b->vectors[i].msg.type);
		size_t len = encode(&b->vectors[i].msg, b->buf, sizeof(b->buf));

		b->buf[len] = 0;
		b->buf[2] = (uint8_t)(len - 3);
		b->buf[3] = (uint8_t)((len - 3) >> 8);
		check_int(decode(b, &peer, len + 1), WIRE_E_MALFORMED);
	}
}

static void the_second_byte_is_zero(void **state)
{
	struct bench *b = *state;
	struct wire_peer peer = receiver(WIRE_BEAT);
	size_t len = encode(&b->vectors[7].msg, b->buf, sizeof(b->buf));

	b->buf[1] = 1;
	check_int(decode(b, &peer, len), WIRE_E_MALFORMED);
}

static void unknown_types_are_refused(void **state)
{
	struct bench *b = *state;
	struct wire_peer peer = { .kind = WIRE_ADAPTER, .phase = WIRE_READY, .is_core = true };
	unsigned n = 0;

	memset(b->buf, 0, 4);
	for (unsigned type = 0; type < 256; type++) {
		if (wire_row((uint8_t)type))
			continue;
		b->buf[0] = (uint8_t)type;
		check_int(decode(b, &peer, 4), WIRE_E_UNKNOWN);
		n++;
	}
	check_true(n > 200);
}

/* Every message at every kind of peer, in every phase, at both ends: let through where its row
 * says, and nowhere else. */
static void rows_are_kept(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		const struct wire_row *row = wire_row(b->vectors[i].msg.type);
		size_t len = encode(&b->vectors[i].msg, b->buf, sizeof(b->buf));

		for (int n = 0; n < 2 * 2 * WIRE_PHASES; n++) {
			struct wire_peer peer = { .is_core = n & 1,
						  .kind = n & 2 ? WIRE_LINK : WIRE_ADAPTER,
						  .phase = (enum wire_phase)(n / 4) };
			int want = 1;

			if (row->direction != WIRE_BOTH &&
			    (row->direction == WIRE_UP) != peer.is_core)
				want = WIRE_E_DIRECTION;
			else if (!(row->kinds & 1u << peer.kind))
				want = WIRE_E_KIND;
			else if (!(row->phases & 1u << peer.phase))
				want = WIRE_E_PHASE;
			check_int(decode(b, &peer, len), want);
		}
	}
}

static void a_packet_holds_many_messages(void **state)
{
	struct bench *b = *state;
	struct wire_peer peer = receiver(WIRE_BEAT);
	struct writer w = writer_over(b->buf, WIRE_PACKET_MAX);
	struct reader packet;

	for (unsigned i = 0; i < 5000; i++) {
		b->msg.type = WIRE_BEAT;
		b->msg.beat.count = i;
		wire_put(&w, &b->msg);
	}
	check_true(!w.bad);
	packet = reader_over(b->buf, writer_len(&w));
	for (unsigned i = 0; i < 5000; i++) {
		check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), 1);
		check_uint(b->msg.beat.count, i);
	}
	check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), 0);
	check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), 0);
}

static void nothing_is_taken_after_a_broken_rule(void **state)
{
	struct bench *b = *state;
	struct wire_peer peer = receiver(WIRE_BEAT);
	struct writer w = writer_over(b->buf, sizeof(b->buf));
	struct reader packet;

	wire_put(&w, &b->vectors[7].msg);
	wire_put(&w, &b->vectors[4].msg); /* start, to a core */
	wire_put(&w, &b->vectors[7].msg);
	packet = reader_over(b->buf, writer_len(&w));
	peer.is_core = true;
	check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), 1);
	check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), WIRE_E_DIRECTION);
	check_int(wire_next(&packet, &peer, &b->scratch, &b->msg), WIRE_E_MALFORMED);
}

static void phases_follow_the_messages(void **state)
{
	struct bench *b = *state;
	static const struct {
		size_t vector;
		enum wire_phase then;
	} walk[] = {
		{ 0, WIRE_SETUP },   { 1, WIRE_SETUP }, { 2, WIRE_SETUP },
		{ 3, WIRE_SETUP },   { 7, WIRE_SETUP }, { 4, WIRE_OPENING },
		{ 6, WIRE_OPENING }, { 5, WIRE_READY }, { 12, WIRE_READY },
	};
	struct wire_peer peer = { .kind = WIRE_ADAPTER };

	for (size_t i = 0; i < sizeof(walk) / sizeof(walk[0]); i++) {
		wire_peer_step(&peer, &b->vectors[walk[i].vector].msg);
		check_int(peer.phase, walk[i].then);
	}
}

/* What may not be written may not be read either: first the writer refuses, then the same bytes,
 * made by hand. */
static void writer_refuses(struct bench *b, const struct wire_msg *msg)
{
	struct writer w = writer_over(b->buf, sizeof(b->buf));

	wire_put(&w, msg);
	check_true(w.bad);
}

static void texts_have_limits(void **state)
{
	struct bench *b = *state;
	char *text = b->text;
	struct wire_peer peer = receiver(WIRE_OPTION);
	size_t len;

	memset(text, 'a', WIRE_STATE_MAX + 1);
	b->msg = b->vectors[2].msg;
	b->msg.option.key = (struct view){ (uint8_t *)text, WIRE_TEXT_MAX };
	b->msg.option.value = (struct view){ (uint8_t *)text, WIRE_OPTION_MAX };
	len = encode(&b->msg, b->buf, sizeof(b->buf));
	check_int(decode(b, &peer, len), 1);
	check_uint(b->msg.option.value.len, WIRE_OPTION_MAX);
	b->msg.option.value.len++;
	writer_refuses(b, &b->msg);
	b->msg.option.value.len = 0;
	b->msg.option.key.len++;
	writer_refuses(b, &b->msg);
	b->msg.option.key.len = 0;
	writer_refuses(b, &b->msg);
	b->msg.option.key = wire_view("\xff");
	writer_refuses(b, &b->msg);

	b->msg = b->vectors[0].msg;
	b->msg.hello.name = (struct view){ (uint8_t *)text, ADAPTER_NAME_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.hello.name.len++;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[3].msg;
	b->msg.state.data = (struct view){ (uint8_t *)text, WIRE_STATE_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.state.data.len++;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[15].msg;
	b->msg.join.code = (struct view){ (uint8_t *)text, WIRE_CODE_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.join.code.len++;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[31].msg;
	b->msg.ask.verb = (struct view){ (uint8_t *)text, WIRE_VERB_MAX };
	b->msg.ask.data = (struct view){ (uint8_t *)text, WIRE_STATE_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.ask.data.len++;
	writer_refuses(b, &b->msg);
	b->msg.ask.data.len = 0;
	b->msg.ask.verb.len++;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[32].msg;
	b->msg.tell.data = (struct view){ (uint8_t *)text, WIRE_STATE_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.tell.data.len++;
	writer_refuses(b, &b->msg);
	memset(text, '7', WIRE_PASSKEY_MAX + 1);
	b->msg = b->vectors[30].msg;
	b->msg.joining.text = (struct view){ (uint8_t *)text, WIRE_PASSKEY_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.joining.text.len++;
	writer_refuses(b, &b->msg);
	b->msg.joining.text.len = 0;
	writer_refuses(b, &b->msg);
	b->msg.joining.stage = JOIN_STAGES;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[25].msg;
	b->msg.link_command.id = (struct view){ (uint8_t *)text, COMMAND_ID_MAX };
	b->msg.link_command.sender = (struct view){ (uint8_t *)text, SENDER_MAX };
	encode(&b->msg, b->buf, sizeof(b->buf));
	b->msg.link_command.sender.len++;
	writer_refuses(b, &b->msg);
}

/* Vector, place in its bytes, byte put there: each makes the message one that is not permitted. */
static void bodies_are_checked(void **state)
{
	static const struct {
		size_t vector, at;
		uint8_t byte;
	} bad[] = {
		{ 0, 8, 2 },	/* hello: kind */
		{ 0, 9, 0 },	/* hello: empty name, so what follows is wrong */
		{ 1, 30, 2 },	/* welcome: a bool of 2 */
		{ 2, 6, 0xff }, /* option: key is not UTF-8 */
		{ 2, 6, 0 },	/* option: NUL in key */
		{ 8, 4, NOTES },
		{ 9, 4, 0 },	      /* device: no address */
		{ 9, 4, 17 },	      /* device: long address */
		{ 9, 7, 17 },	      /* device: long hardware address */
		{ 9, 28, 4 },	      /* device: evidence */
		{ 9, 29, 2 },	      /* device: flags */
		{ 9, 54, 33 },	      /* device: endpoints */
		{ 9, 55, 0 },	      /* device: endpoint 0 */
		{ 9, 58, 129 },	      /* device: capabilities */
		{ 9, 61, VALUE_INT }, /* device: on-off is no number */
		{ 11, 4, 0 },	      /* gone: no address */
		{ 11, 7, 2 },	      /* gone: a bool of 2 */
		{ 12, 4, 0 },	      /* report: number 0 */
		{ 12, 26, 0x80 },     /* report: time below 0 */
		{ 12, 27, 0 },	      /* report: no value */
		{ 12, 27, VALUE_TYPES },
		{ 14, 12, 0 }, /* command: no address */
		{ 17, 12, RESULTS },
		{ 17, 15, 0x80 },
		{ 19, 4, 0 }, /* claim: no address */
		{ 20, 4, 2 }, /* link-state: a bool of 2 */
		{ 20, 5, LINK_REASONS },
		{ 21, 16, DEVICE_STATES },
		{ 21, 17, 2 },
		{ 23, 12, 2 }, /* link-event: a bool of 2 */
		{ 23, 13, EVENT_KINDS },
		{ 24, 4, 0 },	  /* link-acked: none */
		{ 24, 4, 3 },	  /* link-acked: more than there are */
		{ 25, 37, 4 },	  /* link-command: flags */
		{ 26, 28, 0xff }, /* link-answer: result */
		{ 30, 4, 0 },	  /* joining: no address */
		{ 30, 7, JOIN_STAGES },
		{ 30, 10, 'a' },  /* joining: a passkey is digits */
		{ 31, 12, 0 },	  /* ask: no verb, so what follows is wrong */
		{ 31, 21, 2 },	  /* ask: a bool of 2 */
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_peer peer = receiver(b->vectors[bad[i].vector].msg.type);
		size_t len = encode(&b->vectors[bad[i].vector].msg, b->buf, sizeof(b->buf));

		check_true(bad[i].at < len && b->buf[bad[i].at] != bad[i].byte);
		b->buf[bad[i].at] = bad[i].byte;
		if (decode(b, &peer, len) != WIRE_E_MALFORMED)
			print_error("vector %zu, byte %zu\n", bad[i].vector, bad[i].at);
		check_int(decode(b, &peer, len), WIRE_E_MALFORMED);
	}
}

static void writer_limits(void **state)
{
	struct bench *b = *state;

	b->msg = b->vectors[9].msg;
	b->msg.device.evidence = 4;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[12].msg;
	b->msg.report.seq = 0;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[12].msg;
	b->msg.report.value = (struct value){ 0 };
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[12].msg;
	b->msg.report.addr.len = 0;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[17].msg;
	b->msg.done.status = RESULTS;
	writer_refuses(b, &b->msg);
	b->msg.done.status = -1;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[21].msg;
	b->msg.link_device.desc = NULL;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[24].msg;
	b->msg.link_acked.n = 0;
	writer_refuses(b, &b->msg);
	b->msg.link_acked.n = WIRE_ACKS_MAX + 1;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[26].msg;
	b->msg.link_answer.result = RESULTS;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[0].msg;
	b->msg.hello.kind = WIRE_LINK + 1;
	writer_refuses(b, &b->msg);
	b->msg = b->vectors[8].msg;
	b->msg.note.kind = NOTES;
	writer_refuses(b, &b->msg);
}

static void the_largest_messages_fit(void **state)
{
	struct bench *b = *state;
	struct capability_desc caps[DEVICE_CAPS_MAX];
	struct endpoint_desc e[DEVICE_ENDPOINTS_MAX];
	char text[DEVICE_TEXT_MAX + 1];
	struct wire_peer peer = receiver(WIRE_DEVICE);
	size_t len;

	memset(text, 'a', DEVICE_TEXT_MAX);
	text[DEVICE_TEXT_MAX] = '\0';
	for (size_t i = 0; i < DEVICE_CAPS_MAX; i++)
		caps[i] = (struct capability_desc){
			(uint16_t)(0x8000 + i), VALUE_INT, ACCESS_READ, 0, 1, 2, 1
		};
	for (size_t i = 0; i < DEVICE_ENDPOINTS_MAX; i++)
		e[i] = (struct endpoint_desc){ (uint8_t)(i + 1), 0, 4, caps + 4 * i };
	b->msg = b->vectors[9].msg;
	b->msg.device.addr.len = b->msg.device.hw.len = ADDRESS_MAX;
	b->msg.device.vendor = b->msg.device.model = b->msg.device.firmware = b->msg.device.name =
		text;
	b->msg.device.n_endpoints = DEVICE_ENDPOINTS_MAX;
	b->msg.device.endpoints = e;
	len = encode(&b->msg, b->buf, sizeof(b->buf));
	check_int(decode(b, &peer, len), 1);
	check_ok(device_desc_check(&b->msg.device));
	check_text(b->msg.device.name, text);
	check_uint(b->msg.device.endpoints[31].caps[3].id, 0x8000 + 127);

	b->msg.type = WIRE_LINK_ACKED;
	b->msg.link_acked.n = WIRE_ACKS_MAX;
	uint64_t numbers[WIRE_ACKS_MAX];
	for (size_t i = 0; i < WIRE_ACKS_MAX; i++)
		numbers[i] = i;
	b->msg.link_acked.numbers = numbers;
	len = encode(&b->msg, b->buf, sizeof(b->buf));
	peer = receiver(WIRE_LINK_ACKED);
	check_int(decode(b, &peer, len), 1);
	check_uint(b->msg.link_acked.numbers[WIRE_ACKS_MAX - 1], WIRE_ACKS_MAX - 1);
}

static void writing_past_the_end_is_bad(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WIRE_VECTORS; i++) {
		size_t len = encode(&b->vectors[i].msg, b->other, sizeof(b->other));

		for (size_t cap = 0; cap < len; cap++) {
			struct writer w = writer_over(b->buf, cap);

			wire_put(&w, &b->vectors[i].msg);
			check_true(w.bad);
		}
	}
}

static void words(void **state)
{
	(void)state;
	for (int i = 0; i < NOTES; i++)
		check_true(note_kind_name((enum note_kind)i) != NULL);
	check_text(note_kind_name(NOTE_REFUSED_COMMAND), "refused-command");
	check_true(WIRE_HANG_MS > 2 * WIRE_BEAT_MS);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup_teardown(golden_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(every_row_has_a_vector_and_the_document_shows_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(decode_then_encode_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(every_truncation_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(trailing_bytes_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_second_byte_is_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_types_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_packet_holds_many_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_taken_after_a_broken_rule, setup,
						teardown),
		cmocka_unit_test_setup_teardown(phases_follow_the_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_have_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(bodies_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(writer_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_messages_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(writing_past_the_end_is_bad, setup, teardown),
		cmocka_unit_test(words),
	};

	return CHECK_RUN(rows);
}
