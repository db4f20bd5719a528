/* The load and the yardstick of ./dev bench: devices that publish to the LAN broker and a platform that subscribes
 * to the cloud broker, in one single-threaded process, so that one clock sees both ends. It knows nothing of the
 * system in between. One run does one of four things (see modes[]) and says what it finds in lines of JSON.
 */
#include "crowd.h"
#include "watcher.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define EVENTS_MAX 64
#define STALL_NS (SECOND_NS / 2) /* a publisher of which nothing moves for so long has lost what was on the way */
#define FIRST_TICK_NS (SECOND_NS / 1000)
#define FIRST_GIVE_UP_NS (30 * SECOND_NS)

enum { NAME_WATCHER = 100, NAME_TIMER = 101 };

struct options {
	const char *mode;
	const char *cloud;
	struct line_tls tls;
	struct crowd_options crowd;
	struct watcher_options watcher;
	uint64_t base, rate, count;
	double seconds, warmup, quiet;
};

struct load {
	struct options options;
	struct tally tally;
	struct crowd crowd;
	struct watcher watcher;
	struct ssl_ctx_st *tls;
	int epoll, timer;
	uint64_t begin_ns, end_ns; /* of what is measured */
	uint64_t n_held, n_stalls;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t after(uint64_t from_ns, double seconds)
{
	return from_ns + (uint64_t)(seconds * (double)SECOND_NS);
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / (double)SECOND_NS : 0;
}

static void say(const char *event)
{
	printf("{\"event\":\"%s\",\"now_ns\":%" PRIu64 "}\n", event, now_ns());
	fflush(stdout);
}

static void say_result(struct load *load)
{
	struct tally_sums sums = tally_sum(&load->tally);
	double seconds = seconds_between(load->begin_ns, load->end_ns);

	printf("{\"event\":\"result\",\"sent\":%" PRIu64 ",\"seen\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"twice\":%" PRIu64 ",\"late\":%" PRIu64 ",\"foreign\":%" PRIu64
	       ",\"unknown\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"held\":%" PRIu64
	       ",\"stalls\":%" PRIu64 ",\"acked\":%" PRIu64 ",",
	       sums.n_sent, sums.n_seen, sums.n_lost, sums.n_twice, sums.n_late, sums.n_foreign,
	       load->watcher.n_unknown, load->watcher.n_packets, load->n_held, load->n_stalls,
	       load->crowd.n_acked);
	printf("\"measured\":%" PRIu64 ",\"seconds\":%.6f,\"rate\":%.1f,\"p50_us\":%.1f"
	       ",\"p99_us\":%.1f,\"p999_us\":%.1f,\"first_ns\":%" PRIu64 ",\"last_ns\":%" PRIu64
	       "}\n",
	       load->tally.n_measured, seconds,
	       seconds > 0 ? (double)load->tally.n_measured / seconds : 0,
	       tally_percentile_us(&load->tally, 0.50), tally_percentile_us(&load->tally, 0.99),
	       tally_percentile_us(&load->tally, 0.999), load->watcher.first_ns,
	       load->watcher.last_ns);
	fflush(stdout);
}

static int start_timer(struct load *load, uint64_t period_ns)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = NAME_TIMER };
	struct timespec period = {
		.tv_sec = (time_t)(period_ns / SECOND_NS),
		.tv_nsec = (long)(period_ns % SECOND_NS),
	};
	struct itimerspec spec = { .it_interval = period, .it_value = period };

	load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (load->timer < 0 || timerfd_settime(load->timer, 0, &spec, NULL) < 0 ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->timer, &event) < 0)
		return -errno;
	return 0;
}

static uint64_t take_ticks(struct load *load)
{
	uint64_t n = 0;

	return read(load->timer, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* Waits at most timeout_ms and serves what has come; the timer's ticks are for the mode. */
static int serve(struct load *load, int timeout_ms, uint64_t *ret_ticks)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(load->epoll, events, EVENTS_MAX, timeout_ms);
	int r = 0;

	*ret_ticks = 0;
	for (int i = 0; i < n && !r; i++) {
		uint32_t name = events[i].data.u32;

		if (name == NAME_TIMER)
			*ret_ticks += take_ticks(load);
		else if (name == NAME_WATCHER)
			r = watcher_on_event(&load->watcher);
		else
			r = crowd_on_event(&load->crowd, name);
	}
	return r;
}

static uint64_t outstanding(const struct load *load)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < load->tally.n_rows; i++)
		n += tally_outstanding(&load->tally, i);
	return n;
}

static int open_watcher(struct load *load)
{
	return watcher_open(&load->watcher, &load->options.watcher, &load->tally, load->epoll,
			    NAME_WATCHER);
}

static int open_crowd(struct load *load)
{
	return crowd_open(&load->crowd, &load->options.crowd, &load->tally, load->epoll);
}

/* One turn of flow until a moment: send what is due, book what came. */
static int flow_until(struct load *load, uint64_t until_ns, bool sending)
{
	uint64_t ticks;
	int r = 0;

	while (!r && now_ns() < until_ns) {
		if (sending && !load->options.rate)
			r = crowd_pump(&load->crowd);
		if (!r)
			r = serve(load, 50, &ticks);
		if (!r && sending)
			r = crowd_send(&load->crowd, ticks, &load->n_held);
		if (now_ns() > STALL_NS)
			load->n_stalls += tally_give_up(&load->tally, now_ns() - STALL_NS);
		if (!sending && !outstanding(load))
			break;
	}
	return r;
}

/* Both ends: warm up, measure, then wait for what is on the way. */
static int run_flow(struct load *load)
{
	int r = open_watcher(load);

	load->options.crowd.end_to_end = true;
	if (!r)
		r = open_crowd(load);
	if (!r && load->options.rate)
		r = start_timer(load, SECOND_NS / load->options.rate);
	if (r)
		return r;
	say("ready");
	r = flow_until(load, after(now_ns(), load->options.warmup), true);
	if (r)
		return r;

	load->begin_ns = now_ns();
	load->tally.measuring = true;
	say("begin");
	r = flow_until(load, after(load->begin_ns, load->options.seconds), true);
	load->tally.measuring = false;
	load->end_ns = now_ns();
	say("end");
	return r ? r : flow_until(load, after(now_ns(), load->options.quiet), false);
}

/* Only the LAN side: how fast count messages, the same number from each, are acknowledged. */
static int run_send(struct load *load)
{
	uint64_t want = load->options.count / load->options.crowd.n * load->options.crowd.n;
	uint64_t moved_ns;
	uint64_t n_acked = 0;
	uint64_t ticks;
	int r;

	load->options.crowd.quota = load->options.count / load->options.crowd.n;
	r = open_crowd(load);
	if (r)
		return r;
	load->begin_ns = moved_ns = now_ns();
	say("begin");
	while (!r && n_acked < want && now_ns() < after(moved_ns, load->options.quiet)) {
		r = crowd_pump(&load->crowd);
		if (!r)
			r = serve(load, 50, &ticks);
		if (load->crowd.n_acked != n_acked)
			moved_ns = now_ns();
		n_acked = load->crowd.n_acked;
	}
	load->end_ns = now_ns();
	load->tally.n_measured = n_acked;
	say("end");
	return r;
}

/* Only the cloud side: which of the count messages that a send run with the same options sent do arrive. */
static int run_count(struct load *load)
{
	unsigned n = load->options.crowd.n;
	uint64_t quiet_from_ns;
	uint64_t ticks;
	int r = open_watcher(load);

	if (r)
		return r;
	for (unsigned i = 0; i < n; i++)
		tally_expect(&load->tally, i, load->options.count / n);
	load->tally.measuring = true;
	say("ready");
	load->begin_ns = quiet_from_ns = now_ns();
	while (!r && tally_sum(&load->tally).n_lost &&
	       now_ns() < after(quiet_from_ns, load->options.quiet)) {
		r = serve(load, 50, &ticks);
		if (load->watcher.last_ns > quiet_from_ns)
			quiet_from_ns = load->watcher.last_ns;
	}
	/* duplicates may follow the last of the first ones */
	for (uint64_t until_ns = after(now_ns(), 0.3); !r && now_ns() < until_ns;)
		r = serve(load, 50, &ticks);
	load->end_ns = now_ns();
	return r;
}

static void first_tick(struct load *load)
{
	uint64_t n_held = 0;

	if (load->crowd.publishers[0].line.fd < 0 && open_crowd(load))
		return;
	if (crowd_send(&load->crowd, 1, &n_held))
		crowd_close(&load->crowd);
}

/* A message each millisecond from before the system starts, until the first one arrives. */
static int run_first(struct load *load)
{
	uint64_t give_up_ns = now_ns() + FIRST_GIVE_UP_NS;
	uint64_t ticks;
	int r = open_watcher(load);

	assert(load->options.crowd.n == 1);
	load->crowd.publishers[0].line.fd = -1;
	if (!r)
		r = start_timer(load, FIRST_TICK_NS);
	if (r)
		return r;
	say("ready");
	while (!load->watcher.first_ns && now_ns() < give_up_ns) {
		r = serve(load, 50, &ticks);
		if (r && load->watcher.line.fd >= 0)
			crowd_close(&load->crowd); /* the LAN broker is not there yet, or again */
		if (ticks)
			first_tick(load);
	}
	return 0;
}

static const struct mode {
	const char *name, *help;
	int (*run)(struct load *load);
} modes[] = {
	{ "flow", "publish and subscribe, --rate N a second or saturated (0)", run_flow },
	{ "send", "publish --count messages, as fast as they are acknowledged", run_send },
	{ "count", "subscribe, and find --count messages that another run sent", run_count },
	{ "first", "publish each millisecond until the first message arrives", run_first },
};

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	return NULL;
}

static void usage(void)
{
	fputs("load MODE --lan unix:PATH|HOST:PORT --cloud HOST:PORT [--ca --cert --key FILE]\n"
	      "  --publishers N --qos 0|1 --window N --rate N --count N --seconds S --warmup S --quiet S\n"
	      "  --topic PREFIX --filter FILTER --match KEY --scale FACTOR --base N --show\n",
	      stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "  %-6s %s\n", modes[i].name, modes[i].help);
}

static const struct option long_options[] = {
	{ "lan", required_argument, NULL, 'l' },      { "cloud", required_argument, NULL, 'c' },
	{ "ca", required_argument, NULL, 'a' },       { "cert", required_argument, NULL, 'e' },
	{ "key", required_argument, NULL, 'k' },      { "publishers", required_argument, NULL, 'n' },
	{ "qos", required_argument, NULL, 'q' },      { "window", required_argument, NULL, 'w' },
	{ "rate", required_argument, NULL, 'r' },     { "count", required_argument, NULL, 'C' },
	{ "seconds", required_argument, NULL, 's' },  { "warmup", required_argument, NULL, 'W' },
	{ "quiet", required_argument, NULL, 'Q' },    { "topic", required_argument, NULL, 't' },
	{ "filter", required_argument, NULL, 'f' },   { "match", required_argument, NULL, 'm' },
	{ "scale", required_argument, NULL, 'S' },    { "base", required_argument, NULL, 'b' },
	{ "show", no_argument, NULL, 'v' },           { 0 },
};

static int take_option(struct options *o, int name, const char *value)
{
	switch (name) {
	case 'l': o->crowd.address = value; break;
	case 'c': o->cloud = value; break;
	case 'a': o->tls.ca = value; break;
	case 'e': o->tls.cert = value; break;
	case 'k': o->tls.key = value; break;
	case 'n': o->crowd.n = (unsigned)strtoul(value, NULL, 10); break;
	case 'q': o->crowd.qos = o->watcher.qos = *value == '1'; break;
	case 'w': o->crowd.window = strtoull(value, NULL, 10); break;
	case 'r': o->rate = strtoull(value, NULL, 10); break;
	case 'C': o->count = strtoull(value, NULL, 10); break;
	case 's': o->seconds = strtod(value, NULL); break;
	case 'W': o->warmup = strtod(value, NULL); break;
	case 'Q': o->quiet = strtod(value, NULL); break;
	case 't': o->crowd.topic = value; break;
	case 'f': o->watcher.filter = value; break;
	case 'm': o->watcher.matcher.key = value; break;
	case 'S': o->watcher.matcher.scale = strtod(value, NULL); break;
	case 'b': o->base = strtoull(value, NULL, 10); break;
	case 'v': o->watcher.show = true; break;
	default: return -EINVAL;
	}
	return 0;
}

static int read_options(int argc, char **argv, struct options *ret)
{
	struct options o = {
		.cloud = "",
		.crowd = { .address = "", .topic = "zigbee2mqtt/bench-", .n = 50, .window = 16 },
		.watcher = { .filter = "#", .matcher = { .key = "\"energy\":", .scale = 1 } },
		.seconds = 3, .warmup = 1, .quiet = 3,
	};
	int name;

	while ((name = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (take_option(&o, name, optarg))
			return -EINVAL;
	if (optind != argc - 1 || !o.crowd.n || o.crowd.n > MESSAGE_PUBLISHERS_MAX ||
	    !o.crowd.window || o.crowd.window > TALLY_STAMPS || o.rate > SECOND_NS ||
	    (!strcmp(argv[optind], "send") && !o.crowd.qos) || !*o.watcher.matcher.key || !(o.watcher.matcher.scale > 0))
		return -EINVAL;
	o.mode = argv[optind];
	o.watcher.address = o.cloud;
	*ret = o;
	return 0;
}

static int load_init(struct load *load, const struct options *options)
{
	*load = (struct load){ .options = *options, .epoll = -1, .timer = -1 };
	load->watcher.line.fd = -1;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		return -errno;
	if (options->tls.ca) {
		load->tls = line_tls_new(&options->tls);
		if (!load->tls)
			return -EINVAL;
		load->options.watcher.tls = load->tls;
	}
	return tally_init(&load->tally, options->crowd.n, options->base);
}

static void load_deinit(struct load *load)
{
	crowd_close(&load->crowd);
	watcher_close(&load->watcher);
	line_tls_free(load->tls);
	tally_deinit(&load->tally);
	if (load->timer >= 0)
		close(load->timer);
	if (load->epoll >= 0)
		close(load->epoll);
}

int main(int argc, char **argv)
{
	struct options options;
	struct load load;
	const struct mode *mode;
	int r;

	if (read_options(argc, argv, &options) || !(mode = find_mode(options.mode))) {
		usage();
		return 2;
	}
	/* a timer that may be 50 us late would be part of every latency */
	prctl(PR_SET_TIMERSLACK, 1UL);
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	r = load_init(&load, &options);
	if (!r)
		r = mode->run(&load);
	if (r)
		fprintf(stderr, "load: %s: %s\n", options.mode, strerror(-r));
	say_result(&load);
	load_deinit(&load);
	return r ? 1 : 0;
}
