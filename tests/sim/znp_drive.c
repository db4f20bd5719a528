/*
 * znp_drive - our Z-Stack radio on a socket, told what to do line by line: what a network above would do, by hand or by a test.
 *
 *     znp_drive PORT       lines in on stdin, one event a line out on stdout
 *
 *     begin form CHANNEL KEY [PAN EXTPAN] | begin resume [FILE] | begin adopt | begin restore FILE
 *     permit SECONDS [NWK] | keep FILE | channel N | group ID EP 0|1 | code EUI CODE
 *     ask node|endpoints|simple|neighbours|leave NWK ... | ask bind NWK EUI EP CLUSTER TOEUI TOEP | ask address EUI
 *     send unicast|group|broadcast TO EP CLUSTER HEX | stats | quit
 *
 * Numbers are hexadecimal, but for seconds and channels.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/crypto.h"
#include "zigbee/backup.h"
#include "zigbee/install_code.h"
#include "zigbee/znp.h"

struct drive {
	struct radio *radio;
	int fd;
	uint32_t cookie;
	char keep[512];
};

static uint64_t now_ms(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void drive_write(void *ctx, const void *data, size_t len)
{
	struct drive *d = ctx;

	if (write(d->fd, data, len) != (ssize_t)len)
		perror("write");
}

static void print_hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

static void print_network(const char *what, const struct radio_network *n)
{
	printf("%s pan %04x ext %016" PRIx64 " eui %016" PRIx64 " channel %u channels %08x sequence %u level %u update %u counter %u key ", what, n->pan,
	       n->ext_pan, n->eui, n->channel, n->channels, n->key_sequence, n->security_level, n->update_id, n->frame_counter);
	print_hex(n->key, sizeof(n->key));
}

static void on_ready(void *ctx, const struct radio_network *n, const char *firmware)
{
	(void)ctx;
	print_network("ready", n);
	printf(" firmware %s\n", firmware);
}

static void on_foreign(void *ctx, const struct radio_network *n)
{
	(void)ctx;
	print_network("foreign", n);
	putchar('\n');
}

static void on_failed(void *ctx, const char *why)
{
	(void)ctx;
	printf("failed %s\n", why);
}

static void on_done(void *ctx, uint32_t cookie, enum radio_status status)
{
	(void)ctx;
	printf("done %u status %d\n", cookie, status);
}

static void on_answer(void *ctx, uint32_t cookie, const struct radio_answer *a)
{
	(void)ctx;
	printf("answer %u kind %u status %u zdo %02x", cookie, a->kind, a->status, a->zdo);
	if (!a->status && a->kind == RADIO_Q_NODE)
		printf(" node %u manufacturer %04x", a->node.kind, a->node.manufacturer);
	if (!a->status && a->kind == RADIO_Q_ENDPOINTS)
		for (size_t i = 0; i < a->endpoints.n; i++)
			printf(" %u", a->endpoints.ids[i]);
	if (!a->status && a->kind == RADIO_Q_SIMPLE)
		printf(" endpoint %u profile %04x device %04x in %zu out %zu", a->simple.endpoint, a->simple.profile, a->simple.device, a->simple.n_in,
		       a->simple.n_out);
	if (!a->status && a->kind == RADIO_Q_NEIGHBOURS)
		printf(" total %u start %u n %zu", a->neighbours.total, a->neighbours.start, a->neighbours.n);
	if (!a->status && a->kind == RADIO_Q_ADDRESS)
		printf(" nwk %04x", a->nwk);
	putchar('\n');
}

static void on_kept(void *ctx, uint32_t cookie, enum radio_status status, const struct radio_network *n, const struct radio_key *keys, size_t n_keys)
{
	struct drive *d = ctx;
	char *text = NULL;
	size_t len;
	FILE *file;

	if (!status && backup_write(n, keys, n_keys, &text, &len))
		status = RADIO_FAILED;
	if (!status && (file = fopen(d->keep, "w"))) {
		fwrite(text, 1, len, file);
		fclose(file);
	}
	free(text);
	printf("kept %u status %d devices %zu\n", cookie, status, n_keys);
}

static void on_message(void *ctx, const struct radio_message *m)
{
	(void)ctx;
	printf("message nwk %04x ep %u to %u cluster %04x mode %u lqi %u len %zu data ", m->nwk, m->source, m->target, m->cluster, m->mode, m->lqi,
	       m->data.len);
	print_hex(m->data.data, m->data.len);
	putchar('\n');
}

static void on_announce(void *ctx, const struct zdo_announce *a)
{
	(void)ctx;
	printf("announce nwk %04x eui %016" PRIx64 " capabilities %02x\n", a->nwk, a->eui, a->capabilities);
}

static void on_joined(void *ctx, uint64_t eui, uint16_t nwk, uint16_t parent)
{
	(void)ctx;
	printf("joined nwk %04x eui %016" PRIx64 " parent %04x\n", nwk, eui, parent);
}

static void on_left(void *ctx, uint64_t eui, uint16_t nwk, bool rejoins)
{
	(void)ctx;
	printf("left nwk %04x eui %016" PRIx64 " rejoins %d\n", nwk, eui, rejoins);
}

static void on_reset(void *ctx, const char *why)
{
	(void)ctx;
	printf("reset %s\n", why);
}

static const struct radio_events events = {
	.now_ms = now_ms,	  .write = drive_write,	    .on_ready = on_ready,     .on_foreign = on_foreign, .on_failed = on_failed,
	.on_done = on_done,	  .on_answer = on_answer,   .on_kept = on_kept,	      .on_message = on_message, .on_announce = on_announce,
	.on_joined = on_joined,	  .on_left = on_left,	    .on_reset = on_reset,
};

static size_t unhex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	unsigned int byte;

	for (; n < cap && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static int from_file(struct drive *d, enum radio_begin how, const char *path)
{
	static const size_t cap = 1 << 20;
	struct radio_network network;
	struct radio_key *keys = NULL;
	char *text = malloc(cap), error[160] = "";
	FILE *file = fopen(path, "r");
	size_t n = file && text ? fread(text, 1, cap, file) : 0, n_keys;
	int err = n ? backup_read(text, n, &network, &keys, &n_keys, error, sizeof(error)) : -ENOENT;

	if (file)
		fclose(file);
	free(text);
	if (err) {
		printf("error %d %s\n", err, error);
		return err;
	}
	err = d->radio->ops->begin(d->radio, how, &network, keys, n_keys);
	backup_keys_free(keys, n_keys);
	return err;
}

static int begin(struct drive *d, char *words[], size_t n)
{
	struct radio_network network = { 0 };

	if (n > 2 && !strcmp(words[1], "restore"))
		return from_file(d, RADIO_RESTORE, words[2]);
	if (n > 2 && !strcmp(words[1], "resume"))
		return from_file(d, RADIO_RESUME, words[2]);
	if (n > 3 && !strcmp(words[1], "form")) {
		network.channel = (uint8_t)atoi(words[2]);
		unhex(words[3], network.key, sizeof(network.key));
		if (n > 5) {
			network.pan = (uint16_t)strtoul(words[4], NULL, 16);
			network.ext_pan = strtoull(words[5], NULL, 16);
		}
		return d->radio->ops->begin(d->radio, RADIO_FORM, &network, NULL, 0);
	}
	return d->radio->ops->begin(d->radio, n > 1 && !strcmp(words[1], "adopt") ? RADIO_ADOPT : RADIO_RESUME, NULL, NULL, 0);
}

static uint64_t hex(char *words[], size_t n, size_t i)
{
	return i < n ? strtoull(words[i], NULL, 16) : 0;
}

static int ask(struct drive *d, char *words[], size_t n)
{
	static const char *const kinds[RADIO_QUESTIONS] = { "node", "endpoints", "simple", "bind", "unbind", "neighbours", "address", "leave" };
	struct radio_question q = { .nwk = (uint16_t)hex(words, n, 2) };

	while (q.kind < RADIO_QUESTIONS && strcmp(kinds[q.kind], n > 1 ? words[1] : ""))
		q.kind++;
	if (q.kind == RADIO_Q_SIMPLE)
		q.endpoint = (uint8_t)hex(words, n, 3);
	if (q.kind == RADIO_Q_NEIGHBOURS)
		q.start = (uint8_t)hex(words, n, 3);
	if (q.kind == RADIO_Q_ADDRESS)
		q.eui = hex(words, n, 2);
	if (q.kind == RADIO_Q_LEAVE || q.kind == RADIO_Q_BIND || q.kind == RADIO_Q_UNBIND)
		q.eui = hex(words, n, 3);
	if (q.kind == RADIO_Q_BIND || q.kind == RADIO_Q_UNBIND) {
		q.endpoint = (uint8_t)hex(words, n, 4);
		q.cluster = (uint16_t)hex(words, n, 5);
		q.to_eui = hex(words, n, 6);
		q.to_endpoint = (uint8_t)hex(words, n, 7);
	}
	return d->radio->ops->ask(d->radio, ++d->cookie, &q);
}

static int send_data(struct drive *d, char *words[], size_t n)
{
	uint8_t data[RADIO_DATA_MAX];
	uint16_t to = (uint16_t)hex(words, n, 2);
	struct radio_message m = { .nwk = to, .group = to, .source = 1, .target = (uint8_t)hex(words, n, 3), .profile = 0x0104 };

	if (n < 6)
		return -EINVAL;
	m.mode = !strcmp(words[1], "group") ? RADIO_GROUP : !strcmp(words[1], "broadcast") ? RADIO_BROADCAST : RADIO_UNICAST;
	m.cluster = (uint16_t)hex(words, n, 4);
	m.data = (struct view){ data, unhex(words[5], data, sizeof(data)) };
	return d->radio->ops->send(d->radio, ++d->cookie, &m);
}

static int code(struct drive *d, char *words[], size_t n)
{
	struct install_code c;
	int err = n < 3 ? -EINVAL : install_code_read(words[2], strlen(words[2]), &c);

	return err ? err : d->radio->ops->install_code(d->radio, ++d->cookie, hex(words, n, 1), (struct view){ c.bytes, c.len });
}

static int obey(struct drive *d, char *line)
{
	const struct radio_ops *ops = d->radio->ops;
	char *words[10], *rest = line;
	size_t n = 0;

	while (n < N_ELEMENTS(words) && (words[n] = strsep(&rest, " \n")) && *words[n])
		n++;
	if (!n)
		return 0;
	if (!strcmp(words[0], "begin"))
		return begin(d, words, n);
	if (!strcmp(words[0], "ask"))
		return ask(d, words, n);
	if (!strcmp(words[0], "send"))
		return send_data(d, words, n);
	if (!strcmp(words[0], "code"))
		return code(d, words, n);
	if (!strcmp(words[0], "permit") && n > 1)
		return ops->permit(d->radio, ++d->cookie, (uint8_t)atoi(words[1]), n > 2 ? (uint16_t)hex(words, n, 2) : 0xfffc);
	if (!strcmp(words[0], "channel") && n > 1)
		return ops->channel(d->radio, ++d->cookie, (uint8_t)atoi(words[1]));
	if (!strcmp(words[0], "group") && n > 3)
		return ops->group(d->radio, ++d->cookie, (uint16_t)hex(words, n, 1), (uint8_t)hex(words, n, 2), hex(words, n, 3) != 0);
	if (!strcmp(words[0], "keep") && n > 1) {
		snprintf(d->keep, sizeof(d->keep), "%s", words[1]);
		return ops->keep(d->radio, ++d->cookie);
	}
	if (!strcmp(words[0], "stats")) {
		const struct radio_stats *s = &d->radio->stats;

		printf("stats in %" PRIu64 " out %" PRIu64 " bad %" PRIu64 " timeouts %" PRIu64 " unexpected %" PRIu64 " resets %" PRIu64 "\n", s->in, s->out,
		       s->bad_frames, s->timeouts, s->unexpected, s->resets);
		return 0;
	}
	return -EINVAL;
}

/* A line from stdin; false at the end. */
static bool heard(struct drive *d)
{
	char line[4096];
	int err;

	if (!fgets(line, sizeof(line), stdin) || !strncmp(line, "quit", 4))
		return false;
	err = obey(d, line);
	printf(err ? "refused %d\n" : "taken %d\n", err ? err : (int)d->cookie);
	return true;
}

static int run(struct drive *d)
{
	struct pollfd fds[] = { { .fd = 0, .events = POLLIN }, { .fd = d->fd, .events = POLLIN } };

	for (;;) {
		uint64_t due = d->radio->ops->due_ms(d->radio), now = now_ms(d);
		int wait = due == UINT64_MAX ? -1 : due <= now ? 0 : (int)(due - now);
		uint8_t bytes[512];
		ssize_t n;

		fflush(stdout);
		if (poll(fds, 2, wait) < 0)
			return 1;
		if (fds[1].revents) {
			n = read(d->fd, bytes, sizeof(bytes));
			if (n <= 0)
				return 2;
			d->radio->ops->input(d->radio, bytes, (size_t)n);
		}
		if (fds[0].revents && !heard(d))
			return 0;
		if (d->radio->ops->due_ms(d->radio) <= now_ms(d))
			d->radio->ops->tick(d->radio);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct drive d = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	int rc;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc != 2 || crypto_init())
		return 64;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	if (connect(d.fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return 1;
	}
	d.radio = znp_new(&events, &d);
	rc = run(&d);
	d.radio = d.radio->ops->free(d.radio);
	close(d.fd);
	return rc;
}
