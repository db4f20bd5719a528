/* What the core can tell of itself: its links, and the map of living processes and queues that gatewayctl draws in the same
 * boxes as docs/ARCHITECTURE.md. */
#include <unistd.h>
#include "adapter/hub.h"
#include "app_internal.h"
#include "door/door.h"
#include "link/links.h"
#include "router/router.h"
#include "sys/store.h"

int app_reload_by_door(void *ctx, char *error, size_t error_cap)
{
	return app_reload(ctx, error, error_cap);
}

static struct json *notes_json(const uint64_t notes[NOTES])
{
	struct json *object = json_new_object();
	for (int i = 0; i < NOTES; i++)
		if (notes[i] && i != NOTE_STATUS)
			json_set_i64(object, note_kind_name((enum note_kind)i), (int64_t)notes[i]);
	return object;
}

struct json *app_links_status(void *ctx)
{
	struct app *app = ctx;
	struct json *list = json_new_array();
	struct links_stats stats;
	for (size_t i = 0; links_stats_at(app->links, i, &stats); i++) {
		struct json *link = json_new_object(), *queued = json_new_object(), *dropped = json_new_object();
		json_set_text(link, "name", stats.name);
		json_set_text(link, "profile", stats.profile);
		json_set_bool(link, "running", stats.up);
		json_set_bool(link, "connected", stats.connected);
		json_set_i64(link, "pid", stats.pid);
		json_set_text(link, "endpoint", stats.endpoint);
		json_set_text(link, "detail", stats.detail);
		json_set_i64(link, "sent", (int64_t)stats.n_sent);
		json_set_i64(link, "acknowledged", (int64_t)stats.n_acked);
		json_set_i64(link, "in_flight", (int64_t)stats.in_flight);
		json_set_i64(link, "commands", (int64_t)stats.n_commands);
		json_set_i64(link, "refused", (int64_t)stats.n_refused);
		json_set(link, "bad_input", notes_json(stats.n_notes));
		for (int c = 0; c < EVENT_CLASSES; c++) {
			json_set_i64(queued, event_class_name((enum event_class)c), (int64_t)stats.spool.queued[c]);
			json_set_i64(dropped, event_class_name((enum event_class)c), (int64_t)stats.spool.dropped[c]);
		}
		json_set(link, "queued", queued);
		json_set(link, "dropped", dropped);
		json_set_i64(link, "spool_bytes", (int64_t)stats.spool.bytes);
		json_push(list, link);
	}
	return list;
}

static struct json *adapters_json(const struct app *app)
{
	struct json *list = json_new_array();
	struct hub_stats stats;
	for (size_t i = 0; hub_stats_at(app->hub, i, &stats); i++) {
		struct json *adapter = json_new_object(), *status = json_new_array();
		json_set_text(adapter, "name", stats.name);
		json_set_bool(adapter, "running", stats.up);
		json_set_i64(adapter, "pid", stats.pid);
		json_set_i64(adapter, "restarts", stats.restarts);
		json_set_i64(adapter, "reports", (int64_t)stats.n_reports);
		json_set_i64(adapter, "refused", (int64_t)stats.n_refused);
		json_set_i64(adapter, "commands", (int64_t)stats.n_commands);
		json_set_i64(adapter, "pending", (int64_t)stats.pending);
		json_set_i64(adapter, "unstored", (int64_t)stats.unstored);
		json_set_i64(adapter, "queued_bytes", (int64_t)stats.queued_bytes);
		json_set(adapter, "bad_input", notes_json(stats.n_notes));
		for (size_t k = 0; k < N_ELEMENTS(stats.status); k++)
			if (stats.status[k][0])
				json_push_text(status, stats.status[k]);
		json_set(adapter, "status", status);
		json_push(list, adapter);
	}
	return list;
}

static struct json *core_json(const struct app *app)
{
	struct json *core = json_new_object();
	struct router_stats stats = router_stats_of(app->router);
	json_set_text(core, "version", GW_VERSION);
	json_set_i64(core, "pid", getpid());
	json_set_i64(core, "epoch", app->epoch);
	json_set_i64(core, "uptime_s", (loop_now_ms(app->loop) - app->started_ms) / 1000);
	json_set_i64(core, "rss_kib", host_rss_kib(getpid()));
	json_set_i64(core, "loop_turns", (int64_t)loop_turns(app->loop));
	json_set_i64(core, "writer_queued", (int64_t)store_queued(app->store));
	json_set_i64(core, "writer_groups", (int64_t)store_progress(app->store));
	json_set_i64(core, "bytes_written", (int64_t)store_bytes_written(app->store));
	json_set_i64(core, "reports", (int64_t)stats.n_reports);
	json_set_i64(core, "events", (int64_t)stats.n_events);
	json_set_i64(core, "commands", (int64_t)stats.n_commands);
	json_set_i64(core, "denied", (int64_t)stats.n_denied);
	json_set_i64(core, "pending", (int64_t)stats.pending);
	json_set_i64(core, "listeners", (int64_t)stats.listeners);
	json_set_i64(core, "door_clients", (int64_t)door_clients(app->door));
	return core;
}

struct json *app_map(void *ctx)
{
	struct app *app = ctx;
	struct json *map = json_new_object();
	json_set(map, "core", core_json(app));
	json_set(map, "adapters", adapters_json(app));
	json_set(map, "links", app_links_status(app));
	return map;
}
