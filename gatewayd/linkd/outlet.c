/* Between the profile, which knows what is said, and the two connections, which know how. Acknowledgements are gathered for a
 * turn, complaints for a second: neither a fast platform nor a stranger who sends nonsense costs the core a message each.
 */
#include "linkd/outlet.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

struct complaint {
	uint32_t count;
	char object[WIRE_TEXT_MAX + 1], text[WIRE_TEXT_MAX + 1];
};

struct outlet {
	struct loop *loop;
	const struct outlet_ops *ops;
	void *ctx;
	struct session *session;
	struct mqtt *mqtt; /* only while it is up */
	struct flight flight;
	struct timer *retry, *gather;
	struct idle_hook hook;
	uint64_t acks[WIRE_ACKS_MAX];
	size_t n_acks;
	struct complaint complaints[NOTES];
	bool gathering, refused;
};

/* To the core. */

bool outlet_say(struct outlet *outlet, const struct wire_msg *msg)
{
	size_t cap = wire_len_max(msg);
	uint8_t small[2048], *buf = cap <= sizeof(small) ? small : malloc(cap);
	struct writer w;
	bool said = false;

	if (!buf)
		return false;
	w = writer_over(buf, cap);
	wire_put(&w, msg);
	/* Texts from outside are cut to size and checked before they come here. */
	if (!w.bad)
		said = session_put(outlet->session, buf, writer_len(&w));
	if (buf != small)
		free(buf);
	if (!said)
		session_drop(outlet->session, "the core does not take what must be said");
	return said;
}

static void say_acks(struct outlet *outlet)
{
	struct wire_msg msg = { .type = WIRE_LINK_ACKED };

	if (!outlet->n_acks)
		return;
	msg.link_acked.n = (uint16_t)outlet->n_acks;
	msg.link_acked.numbers = outlet->acks;
	outlet->n_acks = 0;
	outlet_say(outlet, &msg);
}

static void on_turn_end(void *ctx)
{
	struct outlet *outlet = ctx;

	say_acks(outlet);
}

void outlet_ack(struct outlet *outlet, uint64_t number)
{
	if (!number)
		return;
	if (outlet->n_acks == WIRE_ACKS_MAX)
		say_acks(outlet);
	outlet->acks[outlet->n_acks++] = number;
	loop_at_turn_end(outlet->loop, &outlet->hook);
}

static void say_complaint(struct outlet *outlet, enum note_kind kind)
{
	struct complaint *complaint = &outlet->complaints[kind];
	struct wire_msg msg = { .type = WIRE_NOTE };

	msg.note.kind = (uint8_t)kind;
	msg.note.count = complaint->count;
	msg.note.object = view_text(complaint->object);
	msg.note.text = view_text(complaint->text);
	complaint->count = 0;
	outlet_say(outlet, &msg);
}

/* The first is said at once; while the timer runs others are counted, and the last of each kind is said. */
static void on_gather(void *ctx)
{
	struct outlet *outlet = ctx;
	bool some = false;

	for (unsigned kind = 0; kind < NOTES; kind++) {
		if (!outlet->complaints[kind].count)
			continue;
		some = true;
		say_complaint(outlet, (enum note_kind)kind);
	}
	outlet->gathering = some;
	if (some)
		timer_start(outlet->gather, OUTLET_NOTE_MS);
}

/* Topics are the broker's bytes; the wire carries text. */
static void copy_words(char *dst, size_t cap, const char *src)
{
	text_copy(dst, cap, text_is_utf8(src, strlen(src)) ? src : "(not UTF-8)");
}

void outlet_note(struct outlet *outlet, enum note_kind kind, const char *object, const char *text)
{
	struct complaint *complaint = &outlet->complaints[kind];

	if (complaint->count < UINT32_MAX)
		complaint->count++;
	copy_words(complaint->object, sizeof(complaint->object), object);
	copy_words(complaint->text, sizeof(complaint->text), text);
	if (outlet->gathering)
		return;
	outlet->gathering = true;
	timer_start(outlet->gather, 0);
}

/* To the broker. */

static bool is_transient(uint8_t code)
{
	/* MQTT 5, 3.4.2.1 and 2.4: these pass; what is not authorised or not valid stays so until somebody changes it. */
	static const uint8_t passing[] = { 0x80, 0x83, 0x88, 0x89, 0x91, 0x93, 0x96, 0x97 };

	return memchr(passing, code, sizeof(passing)) != NULL;
}

static void refuse(struct outlet *outlet, struct flight_entry *entry, uint8_t code)
{
	outlet->refused = true;
	outlet->ops->on_refused(outlet->ctx, code, entry->topic);
	if (entry->lane == LANE_ANSWERS) {
		flight_drop(&outlet->flight, entry);
		return;
	}
	flight_hold(&outlet->flight, entry,
		    loop_now_ms(outlet->loop) + (is_transient(code) ? OUTLET_RETRY_MS : OUTLET_RETRY_REFUSED_MS));
	timer_start(outlet->retry, flight_next_due_ms(&outlet->flight) - loop_now_ms(outlet->loop));
}

static bool send_entry(struct outlet *outlet, struct flight_entry *entry)
{
	int r = mqtt_publish(outlet->mqtt, entry->topic, entry->payload, entry->len, entry->retain, &entry->mid);

	if (r == 0)
		return true;
	entry->mid = -1;
	if (r == -EMSGSIZE)
		refuse(outlet, entry, 0x95);
	/* Else the connection is over, which is told by other means. */
	return r == -EMSGSIZE;
}

static void on_retry(void *ctx)
{
	struct outlet *outlet = ctx;
	int64_t now = loop_now_ms(outlet->loop), next;
	struct flight_entry *entry;

	while (outlet->mqtt && (entry = flight_due(&outlet->flight, now)))
		if (!send_entry(outlet, entry))
			return;
	next = flight_next_due_ms(&outlet->flight);
	if (next >= 0)
		timer_start(outlet->retry, next > now ? next - now : 0);
}

bool outlet_is_up(const struct outlet *outlet)
{
	return outlet->mqtt != NULL;
}

bool outlet_has_room(const struct outlet *outlet, enum lane lane)
{
	return outlet->mqtt && flight_has_room(&outlet->flight, lane);
}

bool outlet_publish(struct outlet *outlet, const struct parcel *parcel)
{
	struct flight_entry *entry;

	if (!outlet_has_room(outlet, parcel->lane) || flight_add(&outlet->flight, parcel, &entry) != 0)
		return false;
	return send_entry(outlet, entry);
}

void outlet_published(struct outlet *outlet, int mid, uint8_t code)
{
	struct flight_entry *entry = flight_find(&outlet->flight, mid);
	bool had_room;
	enum lane lane;

	if (!entry)
		return;
	if (code >= 0x80) {
		refuse(outlet, entry, code);
		return;
	}
	lane = entry->lane;
	had_room = flight_has_room(&outlet->flight, lane);
	for (size_t i = 0; i < entry->n_numbers; i++)
		outlet_ack(outlet, entry->numbers[i]);
	flight_drop(&outlet->flight, entry);
	if (outlet->refused && flight_next_due_ms(&outlet->flight) < 0) {
		outlet->refused = false;
		outlet->ops->on_refused(outlet->ctx, 0, "");
	}
	if (!had_room)
		outlet->ops->on_room(outlet->ctx);
}

void outlet_subscribe(struct outlet *outlet, const char *filter)
{
	if (outlet->mqtt && mqtt_subscribe(outlet->mqtt, filter) != 0)
		outlet_note(outlet, NOTE_DROPPED, filter, "not subscribed");
}

void outlet_unsubscribe(struct outlet *outlet, const char *filter)
{
	if (outlet->mqtt && mqtt_unsubscribe(outlet->mqtt, filter) != 0)
		outlet_note(outlet, NOTE_DROPPED, filter, "not unsubscribed");
}

void outlet_up(struct outlet *outlet, struct mqtt *mqtt)
{
	outlet->mqtt = mqtt;
}

void outlet_down(struct outlet *outlet)
{
	outlet->mqtt = NULL;
	outlet->refused = false;
	timer_stop(outlet->retry);
	flight_deinit(&outlet->flight);
	flight_init(&outlet->flight);
}

void outlet_set_session(struct outlet *outlet, struct session *session)
{
	outlet->session = session;
}

int outlet_new(struct loop *loop, const struct outlet_ops *ops, void *ctx, struct outlet **ret)
{
	struct outlet *outlet = calloc(1, sizeof(*outlet));
	int r;

	if (!outlet)
		return -ENOMEM;
	outlet->loop = loop;
	outlet->ops = ops;
	outlet->ctx = ctx;
	outlet->hook = (struct idle_hook){ .fn = on_turn_end, .ctx = outlet };
	flight_init(&outlet->flight);
	r = timer_new(loop, on_retry, outlet, &outlet->retry);
	if (!r)
		r = timer_new(loop, on_gather, outlet, &outlet->gather);
	if (r) {
		outlet_free(outlet);
		return r;
	}
	*ret = outlet;
	return 0;
}

struct outlet *outlet_free(struct outlet *outlet)
{
	if (!outlet)
		return NULL;
	loop_forget_hook(outlet->loop, &outlet->hook);
	flight_deinit(&outlet->flight);
	outlet->retry = timer_close(outlet->retry);
	outlet->gather = timer_close(outlet->gather);
	free(outlet);
	return NULL;
}
