/* The plugin's timers and descriptors on our loop. It names a timer by a small number and a
 * descriptor by itself. */
#include "host/host_inside.h"

#include <poll.h>

static void on_timer(void *ctx)
{
	struct host_timer *timer = ctx;
	struct gwa_host *host = timer->host;

	if (!host->closed)
		host->plugin->ops->on_timer(host->self, timer->number);
}

void host_io_timer(struct gwa_host *host, uint32_t number, uint32_t ms)
{
	struct host_timer *timer;

	if (number >= HOST_TIMERS_MAX) {
		host_breach(host, HOST_FAULT_WATCH);
		return;
	}
	timer = &host->timers[number];
	if (ms == 0) {
		if (timer->timer)
			timer_stop(timer->timer);
		return;
	}
	timer->host = host;
	timer->number = number;
	if (!timer->timer && timer_new(host->loop, on_timer, timer, &timer->timer)) {
		host->core->failed(host->ctx, "no timer could be made");
		return;
	}
	timer_start(timer->timer, ms);
}

static void on_watch(void *ctx, uint32_t events)
{
	struct host_watch *watch = ctx;
	struct gwa_host *host = watch->host;
	uint32_t happened = 0;

	if (events & WATCH_READ)
		happened |= POLLIN;
	if (events & WATCH_WRITE)
		happened |= POLLOUT;
	/* A descriptor whose other end is gone is readable: the read says so. */
	if (events & WATCH_HANGUP)
		happened |= POLLIN | POLLHUP;
	if (happened && !host->closed)
		host->plugin->ops->on_fd(host->self, watch->fd, happened);
}

static struct host_watch *find_watch(struct gwa_host *host, int fd)
{
	struct host_watch *spare = NULL;

	for (size_t i = 0; i < HOST_WATCHES_MAX; i++) {
		struct host_watch *watch = &host->watches[i];

		if (watch->watch && watch->fd == fd)
			return watch;
		if (!watch->watch && !spare)
			spare = watch;
	}
	return spare;
}

int host_io_watch(struct gwa_host *host, int fd, uint32_t events)
{
	struct host_watch *watch = fd >= 0 ? find_watch(host, fd) : NULL;
	uint32_t want = 0;
	int r = 0;

	if (!watch || (events & ~(uint32_t)(POLLIN | POLLOUT))) {
		host_breach(host, HOST_FAULT_WATCH);
		return -1;
	}
	if (events == 0) {
		watch->watch = watch_close(watch->watch);
		return 0;
	}
	if (events & POLLIN)
		want |= WATCH_READ;
	if (events & POLLOUT)
		want |= WATCH_WRITE;
	if (!watch->watch) {
		*watch = (struct host_watch){ .host = host, .fd = fd };
		r = watch_new(host->loop, fd, on_watch, watch, &watch->watch);
	}
	if (!r)
		r = watch_set(watch->watch, want);
	return r ? -1 : 0;
}

void host_io_stop(struct gwa_host *host)
{
	for (size_t i = 0; i < HOST_TIMERS_MAX; i++)
		host->timers[i].timer = timer_close(host->timers[i].timer);
	for (size_t i = 0; i < HOST_WATCHES_MAX; i++) {
		if (host->watches[i].watch)
			host->watches[i].watch = watch_close(host->watches[i].watch);
	}
}
