/* Every publisher stands for one device. Saturated, a publisher refills when half of its window is free, in one
 * write, so that the load spends its share of the two cores on few system calls and the systems under test get
 * the rest; the bound on what is on the way keeps every queue of every system finite, so nobody has to drop.
 */
#include "crowd.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#define IN_MAX (64 * 1024)
#define CONNACK_MS 5000

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int wait_connack(struct publisher *publisher)
{
	struct pollfd poll_fd = { .fd = publisher->line.fd, .events = POLLIN };
	struct mqtt_packet packet;
	size_t used = 0;
	int r;

	do {
		if (poll(&poll_fd, 1, CONNACK_MS) != 1)
			return -ETIMEDOUT;
		r = line_fill(&publisher->line);
		if (r < 0)
			return r;
		r = mqtt_take(publisher->line.in, publisher->line.in_len, &packet, &used);
	} while (r == MQTT_E_SHORT);

	if (r || packet.type != MQTT_CONNACK || packet.body_len != 2 || packet.body[1])
		return -ECONNREFUSED;
	line_used(&publisher->line, used);
	return 0;
}

static int open_one(struct crowd *crowd, unsigned i)
{
	struct publisher *publisher = &crowd->publishers[i];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
	char client_id[MQTT_TOPIC_MAX];
	int r;

	snprintf(publisher->topic, sizeof(publisher->topic), "%.100s%02u", crowd->options.topic, i);
	snprintf(client_id, sizeof(client_id), "bench-device-%02u", i);
	r = line_open(&publisher->line, crowd->options.address, NULL, IN_MAX);
	if (r)
		return r;
	line_added(&publisher->line, mqtt_put_connect(line_room(&publisher->line), client_id));
	r = line_flush(&publisher->line);
	if (!r)
		r = wait_connack(publisher);
	if (!r && epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, publisher->line.fd, &event) < 0)
		r = -errno;
	return r;
}

int crowd_open(struct crowd *crowd, const struct crowd_options *options, struct tally *tally,
	       int epoll)
{
	*crowd = (struct crowd){ .options = *options, .tally = tally, .epoll = epoll };
	assert(options->n <= MESSAGE_PUBLISHERS_MAX && options->window <= TALLY_STAMPS);
	for (unsigned i = 0; i < options->n; i++)
		crowd->publishers[i].line.fd = -1;
	for (unsigned i = 0; i < options->n; i++) {
		int r = open_one(crowd, i);

		if (r) {
			crowd_close(crowd);
			return r;
		}
	}
	return 0;
}

void crowd_close(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->options.n; i++)
		line_close(&crowd->publishers[i].line);
}

static int flush(struct crowd *crowd, unsigned i)
{
	struct publisher *publisher = &crowd->publishers[i];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
	bool left;
	int r = line_flush(&publisher->line);

	left = publisher->line.out_len > 0;
	if (r || left == publisher->polled_out)
		return r;
	if (left)
		event.events |= EPOLLOUT;
	publisher->polled_out = left;
	return epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, publisher->line.fd, &event) < 0 ? -errno : 0;
}

int crowd_on_event(struct crowd *crowd, unsigned i)
{
	struct publisher *publisher = &crowd->publishers[i];
	struct mqtt_packet packet;
	size_t at = 0;
	size_t used = 0;
	int r;

	r = line_fill(&publisher->line);
	if (r < 0)
		return r;
	while (!(r = mqtt_take(publisher->line.in + at, publisher->line.in_len - at, &packet,
			       &used))) {
		if (packet.type == MQTT_PUBACK) {
			publisher->n_acked++;
			crowd->n_acked++;
		}
		at += used;
	}
	if (r == MQTT_E_BAD)
		return -EPROTO;
	line_used(&publisher->line, at);
	return publisher->polled_out ? flush(crowd, i) : 0;
}

static uint64_t room_of(const struct crowd *crowd, unsigned i)
{
	const struct publisher *publisher = &crowd->publishers[i];
	uint64_t window = crowd->options.window;
	uint64_t busy = 0;

	if (crowd->options.qos)
		busy = crowd->tally->rows[i].n_sent - publisher->n_acked;
	if (crowd->options.end_to_end && tally_outstanding(crowd->tally, i) > busy)
		busy = tally_outstanding(crowd->tally, i);
	return busy < window ? window - busy : 0;
}

/* Enough room to be worth a write: half of the window, or all that the quota leaves. */
static uint64_t burst_of(const struct crowd *crowd, unsigned i)
{
	uint64_t room = room_of(crowd, i);
	uint64_t quota = crowd->options.quota;
	uint64_t left = quota ? quota - crowd->tally->rows[i].n_sent : UINT64_MAX;

	if (left <= room)
		return left;
	return room * 2 >= crowd->options.window ? room : 0;
}

static void put_one(struct crowd *crowd, unsigned i, uint64_t now)
{
	struct publisher *publisher = &crowd->publishers[i];
	struct message message = tally_send(crowd->tally, i, now);
	uint16_t id = (uint16_t)(message.seq % UINT16_MAX + 1);
	char payload[MESSAGE_LEN];

	message_write(payload, &message);
	line_added(&publisher->line, mqtt_put_publish(line_room(&publisher->line), publisher->topic,
						      crowd->options.qos, id, payload,
						      sizeof(payload)));
}

static bool can_put(const struct crowd *crowd, unsigned i)
{
	return line_has_room(&crowd->publishers[i].line,
			     MQTT_HEAD_MAX + MQTT_TOPIC_MAX + MESSAGE_LEN);
}

int crowd_pump(struct crowd *crowd)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < crowd->options.n; i++) {
		uint64_t burst = burst_of(crowd, i);
		int r;

		if (!burst)
			continue;
		for (; burst && can_put(crowd, i); burst--)
			put_one(crowd, i, now);
		r = flush(crowd, i);
		if (r)
			return r;
	}
	return 0;
}

int crowd_send(struct crowd *crowd, uint64_t n, uint64_t *n_held)
{
	while (n--) {
		unsigned i = crowd->next++ % crowd->options.n;
		int r;

		if (!room_of(crowd, i) || !can_put(crowd, i)) {
			++*n_held;
			continue;
		}
		put_one(crowd, i, now_ns());
		r = flush(crowd, i);
		if (r)
			return r;
	}
	return 0;
}
