/* What a turn of the loop can bring from outside: descriptors that are ready, signals, wakes from
 * other threads, work that a pool thread has finished. Each is a libuv handle with our owner's
 * callback in it; it is freed in the handle's close callback, so closing one inside its own
 * callback is safe.
 */
#include "sys/loop.h"

#include <stdlib.h>
#include "sys/loop_inside.h"

struct watch {
	uv_poll_t poll;
	struct loop *loop;
	watch_fn fn;
	void *ctx;
	uint32_t events;
};

struct wake {
	uv_async_t async;
	struct loop *loop;
	timer_fn fn;
	void *ctx;
};

struct work {
	uv_work_t req;
	struct list link;
	struct loop *loop;
	work_fn fn;
	work_done_fn done;
	void *ctx;
};

struct loop_signal {
	uv_signal_t signal;
	struct list link;
	struct loop *loop;
	signal_fn fn;
	void *ctx;
};

/* Descriptors */

static void on_poll(uv_poll_t *poll, int status, int uv_events)
{
	struct watch *watch = CONTAINER_OF(poll, struct watch, poll);
	uint32_t events = 0;

	loop_woke(watch->loop);
	if (uv_events & UV_READABLE)
		events |= WATCH_READ;
	if (uv_events & UV_WRITABLE)
		events |= WATCH_WRITE;
	if (uv_events & UV_DISCONNECT)
		events |= WATCH_HANGUP;
	/* An error condition: libuv has stopped the handle, and its owner finds the error by using
	 * the descriptor. */
	if (status < 0) {
		events = watch->events | WATCH_HANGUP;
		watch->events = 0;
	}
	watch->fn(watch->ctx, events);
}

int watch_new(struct loop *loop, int fd, watch_fn fn, void *ctx, struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->loop = loop;
	watch->fn = fn;
	watch->ctx = ctx;
	r = uv_poll_init(&loop->uv, &watch->poll, fd);
	if (r < 0) {
		free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

int watch_set(struct watch *watch, uint32_t events)
{
	int uv_events = 0, r;

	if (events == watch->events)
		return 0;
	if (events & WATCH_READ)
		uv_events |= UV_READABLE;
	if (events & WATCH_WRITE)
		uv_events |= UV_WRITABLE;
	if (events & WATCH_HANGUP)
		uv_events |= UV_DISCONNECT;
	r = uv_events ? uv_poll_start(&watch->poll, uv_events, on_poll)
		      : uv_poll_stop(&watch->poll);
	if (r < 0)
		return r;
	watch->events = events;
	return 0;
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF((uv_poll_t *)handle, struct watch, poll));
}

struct watch *watch_close(struct watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
	return NULL;
}

/* Signals, for the loop's whole life */

static void on_signal(uv_signal_t *handle, int signum)
{
	struct loop_signal *sig = CONTAINER_OF(handle, struct loop_signal, signal);

	loop_woke(sig->loop);
	sig->fn(sig->ctx, signum);
}

static void on_signal_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF((uv_signal_t *)handle, struct loop_signal, signal));
}

int loop_on_signal(struct loop *loop, int signum, signal_fn fn, void *ctx)
{
	struct loop_signal *sig = calloc(1, sizeof(*sig));
	int r;

	if (!sig)
		return -ENOMEM;
	sig->loop = loop;
	sig->fn = fn;
	sig->ctx = ctx;
	r = uv_signal_init(&loop->uv, &sig->signal);
	if (r < 0) {
		free(sig);
		return r;
	}
	r = uv_signal_start(&sig->signal, on_signal, signum);
	if (r < 0) {
		uv_close((uv_handle_t *)&sig->signal, on_signal_closed);
		return r;
	}
	list_append(&loop->signals, &sig->link);
	return 0;
}

void loop_end_signals(struct loop *loop)
{
	struct loop_signal *sig, *next;

	list_each(sig, next, &loop->signals, link)
	{
		list_remove(&sig->link);
		uv_close((uv_handle_t *)&sig->signal, on_signal_closed);
	}
}

/* Wakes, from any thread */

static void on_async(uv_async_t *async)
{
	struct wake *wake = CONTAINER_OF(async, struct wake, async);

	loop_woke(wake->loop);
	wake->fn(wake->ctx);
}

int wake_new(struct loop *loop, timer_fn fn, void *ctx, struct wake **ret)
{
	struct wake *wake = calloc(1, sizeof(*wake));
	int r;

	if (!wake)
		return -ENOMEM;
	wake->loop = loop;
	wake->fn = fn;
	wake->ctx = ctx;
	r = uv_async_init(&loop->uv, &wake->async, on_async);
	if (r < 0) {
		free(wake);
		return r;
	}
	*ret = wake;
	return 0;
}

void wake_send(struct wake *wake)
{
	uv_async_send(&wake->async);
}

static void on_wake_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF((uv_async_t *)handle, struct wake, async));
}

struct wake *wake_close(struct wake *wake)
{
	if (wake)
		uv_close((uv_handle_t *)&wake->async, on_wake_closed);
	return NULL;
}

/* Work off the loop */

static void on_work(uv_work_t *req)
{
	struct work *work = CONTAINER_OF(req, struct work, req);

	work->fn(work->ctx);
}

static void on_work_done(uv_work_t *req, int status)
{
	struct work *work = CONTAINER_OF(req, struct work, req);

	loop_woke(work->loop);
	list_remove(&work->link);
	work->done(work->ctx, work->loop->closing ? -ECANCELED : status);
	free(work);
}

int loop_work(struct loop *loop, work_fn fn, work_done_fn done, void *ctx)
{
	struct work *work;
	int r;

	if (loop->closing)
		return -ECANCELED;
	work = calloc(1, sizeof(*work));
	if (!work)
		return -ENOMEM;
	work->loop = loop;
	work->fn = fn;
	work->done = done;
	work->ctx = ctx;
	r = uv_queue_work(&loop->uv, &work->req, on_work, on_work_done);
	if (r < 0) {
		free(work);
		return r;
	}
	list_append(&loop->works, &work->link);
	return 0;
}

void loop_end_work(struct loop *loop)
{
	struct work *work, *next;

	list_each(work, next, &loop->works, link)(void)
		uv_cancel((uv_req_t *)&work->req); /* -EBUSY: it runs already */
	while (!list_is_empty(&loop->works))
		uv_run(&loop->uv, UV_RUN_ONCE);
}
