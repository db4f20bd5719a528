/* The order of a start: connect, be told the options, open the ports, find and check the plugin's
 * file, put up the fence, load, open, close the fence for good, say OPENED. After that the plugin
 * stays loaded whatever happens to the core: a new core is told everything again. Only other
 * options, or the plugin's own word that it cannot go on, end the process, and the service manager
 * starts a new one.
 */
#include "host/adapter.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "host/host.h"
#include "host/options.h"
#include "host/plugin.h"
#include "model/wire.h"
#include "remote/session.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/loop.h"

struct adapter {
	const struct adapter_options *config;
	struct loop *loop;
	struct session *session;
	struct gwa_host *host;
	struct plugin_file file;
	struct options options, offered; /* in force; being heard */
	struct timer *watchdog, *end;
	int64_t watchdog_ms;
	uint32_t credit;
	uint16_t core_minor;
	bool loaded;
	enum adapter_exit code;
};

static void finish(struct adapter *adapter, enum adapter_exit code)
{
	adapter->code = code;
	loop_stop(adapter->loop);
}

static void on_end(void *ctx)
{
	struct adapter *adapter = ctx;

	loop_stop(adapter->loop);
}

/* The reason has to reach the core before we go. */
static void refuse(struct adapter *adapter, int error, const char *why, enum adapter_exit code)
{
	log_error("the adapter does not start", log_text("why", why));
	adapter->code = code;
	if (session_opened(adapter->session, 0, error, why))
		loop_stop(adapter->loop);
	else
		timer_start(adapter->end, 100);
}

/* Ports and files: opened while we still may. */

static int open_port(struct adapter *adapter, const char *name, const char *where)
{
	uint32_t number;
	int fd;

	if (strncmp(where, "fd:", 3) == 0 && text_to_u32(where + 3, 3, 1023, &number) == 0)
		fd = fcntl((int)number, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(where, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	/* A file that is only to be read, such as a password's. */
	if (fd < 0 && (errno == EACCES || errno == EROFS))
		fd = open(where, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : host_add_port(adapter->host, name, fd);
}

static int open_ports(struct adapter *adapter, char why[PLUGIN_WHY_LEN])
{
	const char *where, *name;
	size_t cursor = 0;

	while ((where = options_next(&adapter->options, "port.", &cursor, &name))) {
		int r = open_port(adapter, name, where);

		if (r) {
			text_print(why, PLUGIN_WHY_LEN, "port %.32s: %.128s: %s", name, where,
				   strerror(-r));
			return r;
		}
	}
	return 0;
}

static int list_reads(struct adapter *adapter, const char *reads[PLUGIN_READS_MAX + 1])
{
	const char *path;
	size_t cursor = 0, n = 0;

	while ((path = options_next_file(&adapter->options, &cursor))) {
		if (n == PLUGIN_READS_MAX)
			return -E2BIG;
		reads[n++] = path;
	}
	reads[n] = NULL;
	return 0;
}

static int open_plugin(struct adapter *adapter, char why[PLUGIN_WHY_LEN])
{
	const char *reads[PLUGIN_READS_MAX + 1];
	struct gwa_opt opts[OPTIONS_MAX];
	size_t n = options_for_plugin(&adapter->options, opts);
	int r = list_reads(adapter, reads);

	if (r) {
		text_print(why, PLUGIN_WHY_LEN, "more than %d options ..._file", PLUGIN_READS_MAX);
		return r;
	}
	r = plugin_load(&adapter->file, reads, why);
	if (r)
		return r;
	r = host_open(adapter->host, adapter->file.desc, opts, (uint32_t)n);
	if (r) {
		text_print(why, PLUGIN_WHY_LEN, "the plugin cannot open (%d)", r);
		return r;
	}
	return plugin_fence(&adapter->file, reads, why);
}

static bool is_yes(const char *text)
{
	return text_equal(text, "yes") || text_equal(text, "true") || text_equal(text, "1");
}

static void start(struct adapter *adapter)
{
	char why[PLUGIN_WHY_LEN] = "";
	struct plugin_place place = { .word = adapter->config->plugin,
				      .dir = adapter->config->plugin_dir };
	int r;

	if (!place.word)
		place.word = options_find(&adapter->options, "plugin");
	if (!place.word)
		place.word = adapter->config->name;
	place.sha256 = options_find(&adapter->options, "plugin.sha256");
	place.net = is_yes(options_find(&adapter->options, "net"));
	r = plugin_find(&place, &adapter->file, why);
	if (r) {
		refuse(adapter, r, why, ADAPTER_CONFIG);
		return;
	}
	r = open_ports(adapter, why);
	if (!r)
		r = open_plugin(adapter, why);
	if (r) {
		refuse(adapter, r, why,
		       r == -EPROTO || r == -ENOEXEC || r == -E2BIG ? ADAPTER_CONFIG
								    : ADAPTER_AGAIN);
		return;
	}
	adapter->loaded = true;
	log_info("the plugin is open", log_text("plugin", adapter->file.desc->name),
		 log_text("file", adapter->file.path),
		 log_i64("landlock", adapter->file.fence.landlock_abi),
		 log_i64("seccomp", adapter->file.fence.seccomp));
	if (host_notify("READY=1\nSTATUS=open\n") < 0)
		log_warn("the service manager was not told", log_text("what", "READY=1"));
}

static void say_opened(struct adapter *adapter)
{
	if (session_opened(adapter->session, (uint8_t)adapter->file.desc->flags, 0, ""))
		session_drop(adapter->session, "OPENED could not be said");
	else
		host_live(adapter->host, adapter->credit, adapter->core_minor);
}

static void on_start(struct adapter *adapter)
{
	if (adapter->loaded && !options_equal(&adapter->options, &adapter->offered)) {
		log_notice("the options are others now: starting anew");
		finish(adapter, ADAPTER_AGAIN);
		return;
	}
	options_deinit(&adapter->options);
	adapter->options = adapter->offered;
	adapter->offered = (struct options){ 0 };
	if (!adapter->loaded)
		start(adapter);
	if (adapter->loaded)
		say_opened(adapter);
}

static void on_message(void *ctx, const struct wire_msg *msg)
{
	struct adapter *adapter = ctx;

	switch (msg->type) {
	case WIRE_WELCOME:
		adapter->credit = msg->welcome.credit;
		adapter->core_minor = msg->welcome.minor;
		return;
	case WIRE_OPTION:
		if (options_add(&adapter->offered, msg->option.key, msg->option.value))
			session_drop(adapter->session, "the core sends too many options");
		return;
	case WIRE_STATE:
		host_fill(adapter->host, msg->state.key, msg->state.data);
		return;
	case WIRE_START:
		on_start(adapter);
		return;
	default:
		host_message(adapter->host, msg);
	}
}

static void on_turn(void *ctx)
{
	struct adapter *adapter = ctx;

	host_turn(adapter->host);
}

static void on_room(void *ctx)
{
	struct adapter *adapter = ctx;

	host_pump(adapter->host);
}

static void on_lost(void *ctx, const char *why)
{
	struct adapter *adapter = ctx;

	log_notice("the connection to the core ended", log_text("why", why));
	options_deinit(&adapter->offered);
	host_away(adapter->host);
	/* A core that was told why we cannot start has closed: nothing is left to wait for. */
	if (!adapter->loaded && adapter->code != ADAPTER_STOPPED)
		loop_stop(adapter->loop);
}

static const struct session_ops session_ops = {
	.on_message = on_message, .on_turn = on_turn, .on_room = on_room, .on_lost = on_lost
};

static bool core_put(void *ctx, const void *message, size_t len)
{
	struct adapter *adapter = ctx;

	return session_put(adapter->session, message, len);
}

static void core_failed(void *ctx, const char *why)
{
	struct adapter *adapter = ctx;

	log_error("the plugin cannot go on", log_text("why", why));
	finish(adapter, ADAPTER_AGAIN);
}

static void core_stuck(void *ctx)
{
	struct adapter *adapter = ctx;

	session_drop(adapter->session, "the core does not take what must be said");
}

static const struct host_core core = { .put = core_put,
				       .failed = core_failed,
				       .stuck = core_stuck };

static void on_watchdog(void *ctx)
{
	struct adapter *adapter = ctx;

	if (host_notify("WATCHDOG=1") < 0)
		log_warn("the service manager was not told", log_text("what", "WATCHDOG=1"));
	timer_start(adapter->watchdog, adapter->watchdog_ms / 3 + 1);
}

static void on_signal(void *ctx, int signum)
{
	struct adapter *adapter = ctx;

	(void)signum;
	finish(adapter, adapter->code);
}

static int set_up(struct adapter *adapter)
{
	int r = loop_new(&adapter->loop);

	if (!r)
		r = timer_new(adapter->loop, on_watchdog, adapter, &adapter->watchdog);
	if (!r)
		r = timer_new(adapter->loop, on_end, adapter, &adapter->end);
	if (!r)
		r = host_new(adapter->loop, &core, adapter, &adapter->host);
	if (!r)
		r = session_new(adapter->loop, adapter->config->socket, WIRE_ADAPTER, adapter->config->name,
				&session_ops, adapter, &adapter->session);
	if (!r)
		r = loop_on_signal(adapter->loop, SIGTERM, on_signal, adapter);
	if (!r)
		r = loop_on_signal(adapter->loop, SIGINT, on_signal, adapter);
	adapter->watchdog_ms = host_watchdog_ms();
	if (!r && adapter->watchdog_ms)
		timer_start(adapter->watchdog, 0);
	return r;
}

static void tear_down(struct adapter *adapter)
{
	adapter->host = host_free(adapter->host);
	adapter->session = session_close(adapter->session);
	adapter->watchdog = timer_close(adapter->watchdog);
	adapter->end = timer_close(adapter->end);
	options_deinit(&adapter->options);
	options_deinit(&adapter->offered);
	plugin_deinit(&adapter->file);
	if (adapter->loop)
		loop_free(adapter->loop);
}

enum adapter_exit adapter_run(const struct adapter_options *options)
{
	struct adapter adapter = { .config = options, .file.fd = -1 };
	int r = set_up(&adapter);

	if (!r)
		r = loop_run(adapter.loop);
	if (r) {
		log_error("the adapter cannot run", log_err(r));
		adapter.code = ADAPTER_FAULT;
	}
	tear_down(&adapter);
	return adapter.code;
}
