/* The subscriber reads all there is, looks into each payload for values of ours, and answers a whole reading's
 * QoS 1 messages with one write of PUBACKs: what it costs is the same for every system, and small.
 */
#include "watcher.h"

#include "mqtt.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#define IN_MAX (1024 * 1024)
#define ANSWER_MS 5000

static int wait_for(struct watcher *watcher, enum mqtt_type type)
{
	struct pollfd poll_fd = { .fd = watcher->line.fd, .events = POLLIN };
	struct mqtt_packet packet;
	size_t used = 0;
	int r;

	for (;;) {
		r = line_fill(&watcher->line);
		if (r < 0)
			return r;
		r = mqtt_take(watcher->line.in, watcher->line.in_len, &packet, &used);
		if (r != MQTT_E_SHORT)
			break;
		if (poll(&poll_fd, 1, ANSWER_MS) != 1)
			return -ETIMEDOUT;
	}
	if (r || packet.type != type || packet.body_len < 2 ||
	    packet.body[packet.body_len - 1] > (type == MQTT_SUBACK ? 2 : 0))
		return -ECONNREFUSED;
	line_used(&watcher->line, used);
	return 0;
}

static int subscribe(struct watcher *watcher)
{
	struct line *line = &watcher->line;
	int r;

	line_added(line, mqtt_put_connect(line_room(line), "bench-watcher"));
	r = line_flush(line);
	if (!r)
		r = wait_for(watcher, MQTT_CONNACK);
	if (r)
		return r;
	line_added(line, mqtt_put_subscribe(line_room(line), 1, watcher->options.filter,
					    watcher->options.qos));
	r = line_flush(line);
	return r ? r : wait_for(watcher, MQTT_SUBACK);
}

int watcher_open(struct watcher *watcher, const struct watcher_options *options,
		 struct tally *tally, int epoll, uint32_t name)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = name };
	int r;

	*watcher = (struct watcher){
		.options = *options, .tally = tally, .epoll = epoll, .name = name, .line.fd = -1,
	};
	r = line_open(&watcher->line, options->address, options->tls, IN_MAX);
	if (r)
		return r;
	r = subscribe(watcher);
	if (!r && epoll_ctl(epoll, EPOLL_CTL_ADD, watcher->line.fd, &event) < 0)
		r = -errno;
	if (r)
		watcher_close(watcher);
	return r;
}

void watcher_close(struct watcher *watcher)
{
	line_close(&watcher->line);
}

static void on_message(void *ctx, const struct message *message)
{
	struct watcher *watcher = ctx;

	if (!tally_see(watcher->tally, message, watcher->now_ns))
		return;
	if (!watcher->first_ns)
		watcher->first_ns = watcher->now_ns;
	watcher->last_ns = watcher->now_ns;
}

static int on_packet(struct watcher *watcher, const struct mqtt_packet *packet)
{
	struct mqtt_publish publish;
	int r;

	if (packet->type != MQTT_PUBLISH)
		return 0;
	r = mqtt_read_publish(packet, &publish);
	if (r)
		return -EPROTO;
	watcher->n_packets++;
	if (watcher->options.show)
		printf("%.*s %.*s\n", (int)publish.topic_len, (const char *)publish.topic,
		       (int)publish.payload_len, (const char *)publish.payload);
	if (!message_scan(&watcher->options.matcher, publish.payload, publish.payload_len,
			  on_message, watcher))
		watcher->n_unknown++;
	if (!publish.qos)
		return 0;
	if (!line_has_room(&watcher->line, MQTT_HEAD_MAX))
		return -ENOBUFS;
	line_added(&watcher->line, mqtt_put_puback(line_room(&watcher->line), publish.id));
	return 0;
}

static int flush(struct watcher *watcher)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = watcher->name };
	int r = line_flush(&watcher->line);
	bool left = watcher->line.out_len > 0;

	if (r || left == watcher->polled_out)
		return r;
	if (left)
		event.events |= EPOLLOUT;
	watcher->polled_out = left;
	return epoll_ctl(watcher->epoll, EPOLL_CTL_MOD, watcher->line.fd, &event) < 0 ? -errno : 0;
}

int watcher_on_event(struct watcher *watcher)
{
	struct mqtt_packet packet;
	struct timespec t;
	size_t at = 0;
	size_t used = 0;
	int r;

	r = line_fill(&watcher->line);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &t);
	watcher->now_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;

	while (!(r = mqtt_take(watcher->line.in + at, watcher->line.in_len - at, &packet, &used))) {
		r = on_packet(watcher, &packet);
		if (r)
			return r;
		at += used;
	}
	if (r == MQTT_E_BAD)
		return -EPROTO;
	line_used(&watcher->line, at);
	return flush(watcher);
}
