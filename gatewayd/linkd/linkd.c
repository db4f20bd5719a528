/* The order of a start: connect to the core, be told the settings, read keys and certificates, put up the fence, say OPENED,
 * and only then speak with the world. A key lies in this process's memory and in no file that it could still open.
 *
 * Everything that comes later is one of two things ending: when the broker goes, the next endpoint is dialled; when the
 * core goes, the connection to the broker is closed, because without the core nobody could answer for what is said.
 */
#include "linkd/linkd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "linkd/dialer.h"
#include "linkd/mqtt.h"
#include "linkd/outlet.h"
#include "linkd/profile.h"
#include "linkd/settings.h"
#include "model/wire.h"
#include "remote/session.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/tls.h"

enum { WHY_LEN = 256 };

/* What looking up a name reads first. A fence on files is a fence on those very files: when the machine writes them anew
 * (another network, a name server by DHCP), a process behind the fence does not see it. */
static const char *const name_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf" };

struct linkd {
	const char *name, *socket;
	struct loop *loop;
	struct session *session;
	struct outlet *outlet;
	struct profile *profile;
	struct mqtt *mqtt;
	struct dialer dialer;
	struct timer *dial, *failback, *watchdog, *end;
	struct idle_hook flush;
	struct settings settings, offered; /* in force; being heard */
	char offered_why[WHY_LEN];         /* what is wrong with them */
	struct tls_client *tls[SETTINGS_ENDPOINTS_MAX];
	struct secret *password;
	struct stat names[N_ELEMENTS(name_files)]; /* as the fence found them */
	int64_t watchdog_ms;
	bool open; /* settings are in force, the fence stands */
	bool ready; /* the core listens */
	bool up;
	struct wire_msg told; /* the last LINK_STATE */
	char told_detail[WHY_LEN];
	enum linkd_exit code;
};

static const struct endpoint *endpoint_of(const struct linkd *linkd)
{
	return &linkd->settings.endpoints[linkd->dialer.at];
}

/* What the core is told about the connection: each change once. */

static void tell_state(struct linkd *linkd, bool connected, enum link_reason reason, const char *detail)
{
	struct wire_msg msg = { .type = WIRE_LINK_STATE };
	char words[WHY_LEN];

	text_copy(words, sizeof(words), detail);
	msg.link_state.connected = connected;
	msg.link_state.reason = (uint8_t)reason;
	msg.link_state.endpoint = view_text(endpoint_of(linkd)->text);
	msg.link_state.detail = view_text(words);
	if (!linkd->ready || (linkd->told.type && linkd->told.link_state.connected == connected &&
			      linkd->told.link_state.reason == msg.link_state.reason &&
			      linkd->told.link_state.endpoint.data == msg.link_state.endpoint.data &&
			      strcmp(linkd->told_detail, words) == 0))
		return;
	linkd->told = msg;
	text_copy(linkd->told_detail, sizeof(linkd->told_detail), words);
	outlet_say(linkd->outlet, &msg);
	log_notice(connected ? "connected" : "not connected", log_text("endpoint", endpoint_of(linkd)->text),
		   log_text("why", words));
}

/* The broker's side. */

static void hang_up(struct linkd *linkd)
{
	bool was_up = linkd->up;

	linkd->up = false;
	timer_stop(linkd->failback);
	outlet_down(linkd->outlet);
	if (was_up)
		linkd->profile->ops->down(linkd->profile);
	linkd->mqtt = mqtt_close(linkd->mqtt);
}

static void on_up(void *ctx)
{
	struct linkd *linkd = ctx;
	int64_t now = loop_now_ms(linkd->loop), failback;

	linkd->up = true;
	dialer_up(&linkd->dialer, now);
	outlet_up(linkd->outlet, linkd->mqtt);
	tell_state(linkd, true, LINK_CONNECTED, "");
	failback = dialer_failback_ms(&linkd->dialer, now);
	if (failback >= 0)
		timer_start(linkd->failback, failback);
	linkd->profile->ops->up(linkd->profile);
}

static void dial_later(struct linkd *linkd)
{
	uint32_t random;

	crypto_random(&random, sizeof(random));
	timer_start(linkd->dial, dialer_down(&linkd->dialer, loop_now_ms(linkd->loop), random));
}

static struct stat look_at(const char *path)
{
	struct stat st = { 0 };

	if (stat(path, &st) != 0)
		st = (struct stat){ 0 };
	return st;
}

/* Out of reach, and the machine looks up names by other files than those behind the fence. */
static bool names_have_changed(const struct linkd *linkd)
{
	for (size_t i = 0; i < N_ELEMENTS(name_files); i++) {
		struct stat now = look_at(name_files[i]);

		if (now.st_ino != linkd->names[i].st_ino || now.st_dev != linkd->names[i].st_dev)
			return true;
	}
	return false;
}

static void on_down(void *ctx, enum link_reason reason, const char *detail)
{
	struct linkd *linkd = ctx;

	hang_up(linkd);
	tell_state(linkd, false, reason, detail);
	if (reason == LINK_UNREACHABLE && names_have_changed(linkd)) {
		log_notice("names are looked up elsewhere now: starting anew");
		linkd->code = LINKD_AGAIN;
		loop_stop(linkd->loop);
		return;
	}
	dial_later(linkd);
}

static void on_published(void *ctx, int mid, uint8_t code)
{
	struct linkd *linkd = ctx;

	outlet_published(linkd->outlet, mid, code);
}

static void on_refused_subscription(void *ctx, uint8_t code)
{
	struct linkd *linkd = ctx;
	char words[WHY_LEN];

	text_print(words, sizeof(words), "the broker lets us not hear commands: %s", mqtt_code_words(code));
	tell_state(linkd, true, LINK_REFUSED, words);
}

static void on_broker_message(void *ctx, const struct mqtt_message *message)
{
	struct linkd *linkd = ctx;

	linkd->profile->ops->message(linkd->profile, message);
}

static const struct mqtt_ops mqtt_ops = {
	.on_up = on_up,
	.on_down = on_down,
	.on_published = on_published,
	.on_refused_subscription = on_refused_subscription,
	.on_message = on_broker_message,
};

static void on_dial(void *ctx)
{
	struct linkd *linkd = ctx;
	const struct profile_ops *ops = linkd->profile->ops;
	const struct endpoint *endpoint = endpoint_of(linkd);
	struct mqtt_options options = {
		.host = endpoint->host,
		.port = endpoint->port,
		.tls = linkd->tls[linkd->dialer.at],
		.client_id = linkd->settings.client_id,
		.username = linkd->settings.username,
		.password = linkd->password,
		.keepalive_s = linkd->settings.keepalive_s,
		.session_expiry_s = ops->session_expiry_s,
		.clean_start = ops->clean_start,
		.will_topic = ops->will_topic(linkd->profile),
		.will_payload = ops->will_payload,
	};
	int r;

	if (!linkd->told.type || linkd->told.link_state.connected || linkd->told.link_state.reason == LINK_LOST)
		tell_state(linkd, false, LINK_CONNECTING, "connecting");
	r = mqtt_new(linkd->loop, &options, &mqtt_ops, linkd, &linkd->mqtt);
	if (r) {
		tell_state(linkd, false, LINK_SETTINGS, strerror(-r));
		dial_later(linkd);
	}
}

/* Long enough elsewhere: the wanted endpoint is tried again. */
static void on_failback(void *ctx)
{
	struct linkd *linkd = ctx;

	hang_up(linkd);
	tell_state(linkd, false, LINK_CONNECTING, "back to the first endpoint");
	dial_later(linkd);
}

/* From the outlet. */

static void on_room(void *ctx)
{
	struct linkd *linkd = ctx;

	loop_at_turn_end(linkd->loop, &linkd->flush);
}

static void on_refused(void *ctx, uint8_t code, const char *topic)
{
	struct linkd *linkd = ctx;
	char words[WHY_LEN];

	if (code == 0) {
		tell_state(linkd, true, LINK_CONNECTED, "");
		return;
	}
	text_print(words, sizeof(words), "the broker does not take %.128s: %s", topic, mqtt_code_words(code));
	tell_state(linkd, true, LINK_REFUSED, words);
}

static const struct outlet_ops outlet_ops = { .on_room = on_room, .on_refused = on_refused };

static void on_flush(void *ctx)
{
	struct linkd *linkd = ctx;

	if (linkd->profile)
		linkd->profile->ops->flush(linkd->profile);
}

/* Opening. */

must_check static int open_tls(struct linkd *linkd, char why[WHY_LEN])
{
	const struct settings *s = &linkd->settings;

	for (size_t i = 0; i < s->n_endpoints; i++) {
		struct tls_client_options options = {
			.ca = s->ca[0] ? s->ca : NULL,
			.cert = s->cert[0] ? s->cert : NULL,
			.key_file = s->key_file[0] ? s->key_file : NULL,
			.host = s->endpoints[i].host,
			.pins = s->pins,
			.n_pins = s->n_pins,
		};
		int r = s->endpoints[i].local ? 0 : tls_client_new(&options, why, &linkd->tls[i]);

		if (r)
			return r;
	}
	return 0;
}

must_check static int read_password(struct linkd *linkd, char why[WHY_LEN])
{
	char *text = NULL;
	size_t len = 0, end;
	int r;

	if (!linkd->settings.password_file[0])
		return 0;
	r = host_read_file(linkd->settings.password_file, 4096, &text, &len);
	end = len;
	while (r == 0 && end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	/* With its end, since libmosquitto wants a C string. */
	if (r == 0) {
		text[end] = '\0';
		r = secret_new(text, end + 1, &linkd->password);
		crypto_wipe(text, len);
	}
	free(text);
	if (r)
		text_print(why, WHY_LEN, "the password file %.128s: %s", linkd->settings.password_file,
			   r < 0 ? strerror(-r) : "too large");
	return r < 0 ? r : r ? -EFBIG : 0;
}

/* What looking up a name reads (nsswitch.conf(5)), and the system's authorities; keys are in memory by now. */
must_check static int put_up_fence(struct linkd *linkd, char why[WHY_LEN])
{
	static const char *const reads[] = {
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
		"/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/etc/ssl/certs", "/usr/lib/ssl",
		"/usr/share/ca-certificates", "/etc/localtime", NULL,
	};
	struct host_fence fence = { .stage_two = true };
	struct host_fence_state state;
	int r;

	for (size_t i = 0; i < linkd->settings.n_endpoints; i++)
		fence.net |= !linkd->settings.endpoints[i].local;
	if (fence.net)
		fence.read_paths = reads;
	for (size_t i = 0; i < N_ELEMENTS(name_files); i++)
		linkd->names[i] = look_at(name_files[i]);
	r = host_fence(&fence, &state);
	if (r)
		text_print(why, WHY_LEN, "the fence does not stand: %s", strerror(-r));
	else
		log_info("the fence stands", log_i64("landlock", state.landlock_abi), log_i64("seccomp", state.seccomp),
			 log_i64("net", fence.net));
	return r;
}

must_check static int open_link(struct linkd *linkd, char why[WHY_LEN])
{
	int r = open_tls(linkd, why);

	if (!r)
		r = read_password(linkd, why);
	if (!r)
		r = linkd->settings.profile == SETTINGS_NATIVE ?
			    native_new(linkd->loop, &linkd->settings, linkd->outlet, &linkd->profile) :
			    ha_new(linkd->loop, &linkd->settings, linkd->outlet, &linkd->profile);
	if (!r)
		r = put_up_fence(linkd, why);
	if (!r)
		dialer_init(&linkd->dialer, linkd->settings.n_endpoints);
	return r;
}

/* The core's side. */

static void finish(struct linkd *linkd, enum linkd_exit code)
{
	linkd->code = code;
	loop_stop(linkd->loop);
}

static void on_end(void *ctx)
{
	struct linkd *linkd = ctx;

	loop_stop(linkd->loop);
}

/* The reason has to reach the core before we go. */
static void refuse(struct linkd *linkd, int error, const char *why, enum linkd_exit code)
{
	log_error("the link does not start", log_text("why", why));
	linkd->code = code;
	if (session_opened(linkd->session, 0, error, why))
		loop_stop(linkd->loop);
	else
		timer_start(linkd->end, 100);
}

static void start(struct linkd *linkd)
{
	char why[WHY_LEN] = "";
	const char *missing = linkd->offered_why[0] ? linkd->offered_why : settings_complete(&linkd->offered, linkd->name);
	int r;

	if (missing) {
		refuse(linkd, -EINVAL, missing, LINKD_CONFIG);
		return;
	}
	linkd->settings = linkd->offered;
	r = open_link(linkd, why);
	if (r) {
		refuse(linkd, r, why[0] ? why : strerror(-r), LINKD_AGAIN);
		return;
	}
	linkd->open = true;
	if (host_notify("READY=1\nSTATUS=open\n") < 0)
		log_warn("the service manager was not told", log_text("what", "READY=1"));
}

static void on_start(struct linkd *linkd)
{
	if (linkd->open) {
		const char *missing;

		settings_keep_client_id(&linkd->offered, &linkd->settings);
		missing = settings_complete(&linkd->offered, linkd->name);

		if (missing || linkd->offered_why[0] || memcmp(&linkd->offered, &linkd->settings, sizeof(linkd->settings)) != 0) {
			log_notice("the settings are others now: starting anew");
			finish(linkd, LINKD_AGAIN);
			return;
		}
	} else {
		start(linkd);
	}
	if (!linkd->open)
		return;
	if (session_opened(linkd->session, 0, 0, "")) {
		session_drop(linkd->session, "OPENED could not be said");
		return;
	}
	linkd->ready = true;
	linkd->told.type = 0;
	if (linkd->profile->ops->ready)
		linkd->profile->ops->ready(linkd->profile);
	timer_start(linkd->dial, 0);
}

static void on_option(struct linkd *linkd, const struct wire_msg *msg)
{
	char key[WIRE_TEXT_MAX + 1];

	if (settings_add(&linkd->offered, msg->option.key, msg->option.value) == 0 || linkd->offered_why[0])
		return;
	text_copy_n(key, sizeof(key), msg->option.key.data, msg->option.key.len);
	text_print(linkd->offered_why, sizeof(linkd->offered_why), "the setting %.64s has a value that cannot be", key);
}

static void on_message(void *ctx, const struct wire_msg *msg)
{
	struct linkd *linkd = ctx;

	if (msg->type == WIRE_WELCOME) {
		settings_init(&linkd->offered);
		linkd->offered_why[0] = '\0';
	} else if (msg->type == WIRE_OPTION) {
		on_option(linkd, msg);
	} else if (msg->type == WIRE_START) {
		on_start(linkd);
	} else if (linkd->open) {
		linkd->profile->ops->core(linkd->profile, msg);
	}
}

static void on_turn(void *ctx)
{
	struct linkd *linkd = ctx;

	if (linkd->open)
		loop_at_turn_end(linkd->loop, &linkd->flush);
}

static void on_session_room(void *ctx)
{
	(void)ctx; /* what found no room has ended the session already */
}

static void on_lost(void *ctx, const char *why)
{
	struct linkd *linkd = ctx;

	log_notice("the connection to the core ended", log_text("why", why));
	linkd->ready = false;
	if (linkd->open) {
		timer_stop(linkd->dial);
		hang_up(linkd);
		linkd->profile->ops->forget(linkd->profile);
		dialer_init(&linkd->dialer, linkd->settings.n_endpoints);
	} else if (linkd->code != LINKD_STOPPED) {
		/* A core that was told why we cannot start has closed: nothing is left to wait for. */
		loop_stop(linkd->loop);
	}
}

static const struct session_ops session_ops = {
	.on_message = on_message, .on_turn = on_turn, .on_room = on_session_room, .on_lost = on_lost
};

/* The process. */

static void on_watchdog(void *ctx)
{
	struct linkd *linkd = ctx;

	if (host_notify("WATCHDOG=1") < 0)
		log_warn("the service manager was not told", log_text("what", "WATCHDOG=1"));
	timer_start(linkd->watchdog, linkd->watchdog_ms / 3 + 1);
}

static void on_signal(void *ctx, int signum)
{
	struct linkd *linkd = ctx;

	(void)signum;
	finish(linkd, linkd->code);
}

must_check static int set_up_timers(struct linkd *linkd)
{
	const struct {
		struct timer **timer;
		timer_fn fn;
	} rows[] = {
		{ &linkd->dial, on_dial }, { &linkd->failback, on_failback }, { &linkd->watchdog, on_watchdog }, { &linkd->end, on_end },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_ELEMENTS(rows); i++)
		r = timer_new(linkd->loop, rows[i].fn, linkd, rows[i].timer);
	return r;
}

must_check static int set_up(struct linkd *linkd)
{
	int r = loop_new(&linkd->loop);

	if (!r)
		r = set_up_timers(linkd);
	if (!r)
		r = outlet_new(linkd->loop, &outlet_ops, linkd, &linkd->outlet);
	if (!r)
		r = session_new(linkd->loop, linkd->socket, WIRE_LINK, linkd->name, &session_ops, linkd, &linkd->session);
	if (!r) {
		outlet_set_session(linkd->outlet, linkd->session);
		r = loop_on_signal(linkd->loop, SIGTERM, on_signal, linkd);
	}
	if (!r)
		r = loop_on_signal(linkd->loop, SIGINT, on_signal, linkd);
	linkd->watchdog_ms = host_watchdog_ms();
	if (!r && linkd->watchdog_ms)
		timer_start(linkd->watchdog, 0);
	return r;
}

static void tear_down(struct linkd *linkd)
{
	linkd->mqtt = mqtt_close(linkd->mqtt);
	if (linkd->profile)
		linkd->profile = linkd->profile->ops->free(linkd->profile);
	linkd->outlet = outlet_free(linkd->outlet);
	linkd->session = session_close(linkd->session);
	linkd->dial = timer_close(linkd->dial);
	linkd->failback = timer_close(linkd->failback);
	linkd->watchdog = timer_close(linkd->watchdog);
	linkd->end = timer_close(linkd->end);
	if (linkd->loop) {
		loop_forget_hook(linkd->loop, &linkd->flush);
		loop_free(linkd->loop);
	}
	for (size_t i = 0; i < SETTINGS_ENDPOINTS_MAX; i++)
		linkd->tls[i] = tls_client_free(linkd->tls[i]);
	linkd->password = secret_free(linkd->password);
}

enum linkd_exit linkd_run(const char *name, const char *socket)
{
	struct linkd linkd = { .name = name, .socket = socket };
	int r;

	linkd.flush = (struct idle_hook){ .fn = on_flush, .ctx = &linkd };
	r = set_up(&linkd);
	if (!r)
		r = loop_run(linkd.loop);
	if (r) {
		log_error("the link cannot run", log_err(r));
		linkd.code = LINKD_FAULT;
	}
	/* A name look-up cannot be called off: its thread ends with the process. */
	if (linkd.mqtt && !linkd.up)
		_exit(linkd.code);
	tear_down(&linkd);
	return linkd.code;
}
