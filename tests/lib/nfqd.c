/* nfqd - holds packets back, so that a test network has a distance.
 *
 * Usage: nfqd QUEUE DELAY_MS JITTER_MS LOSS_PERCENT
 *
 * The kernel of a test machine may have no netem. It has NFQUEUE: every packet of a chain is handed to this program, which answers the
 * verdict "accept" after delay +- jitter, or "drop" for the given share. Packets keep their order: a packet never leaves before one that came earlier,
 * because what is modelled is one long cable and not many paths. Each packet waits in a ring; when the ring is full the packet
 * is dropped, as a full router does. The program ends by signal; the kernel then drops what it still holds.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#define NFQD_RING 65536u	 /* packets that can wait at once */
#define NFQD_MS_MAX 60000	 /* longest delay or jitter */
#define NFQD_QUEUE_MAX 65535	 /* queue numbers are 16 bits wide */
#define NFQD_HEADER_BYTES 0xffff /* copy range; the packets are small */
#define NFQD_RCVBUF (8 << 20)

struct waiting {
	uint32_t id;
	int64_t due_ns;
};

struct nfqd {
	struct nfq_handle *handle;
	struct nfq_q_handle *queue;
	int64_t delay_ns;
	int64_t jitter_ns;
	int loss_percent;
	struct waiting *ring;
	uint32_t head;
	uint32_t tail;
	int64_t last_due_ns;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void verdict(struct nfqd *self, uint32_t id, uint32_t what)
{
	if (nfq_set_verdict(self->queue, id, what, 0, NULL) < 0)
		perror("nfqd: verdict");
}

static int64_t due_after(struct nfqd *self, int64_t now)
{
	int64_t due = now + self->delay_ns;

	if (self->jitter_ns > 0)
		due += (int64_t)(drand48() * 2.0 * (double)self->jitter_ns) - self->jitter_ns;
	if (due < self->last_due_ns)
		due = self->last_due_ns;
	self->last_due_ns = due;
	return due;
}

static int on_packet(struct nfq_q_handle *queue, struct nfgenmsg *msg, struct nfq_data *data,
		     void *ctx)
{
	struct nfqd *self = ctx;
	const struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(data);

	(void)queue;
	(void)msg;
	if (!header)
		return 0;

	uint32_t id = ntohl(header->packet_id);

	if (self->loss_percent > 0 && drand48() * 100.0 < self->loss_percent) {
		verdict(self, id, NF_DROP);
		return 0;
	}
	if (self->tail - self->head == NFQD_RING) {
		verdict(self, id, NF_DROP);
		return 0;
	}
	self->ring[self->tail++ % NFQD_RING] = (struct waiting){
		.id = id,
		.due_ns = due_after(self, now_ns()),
	};
	return 0;
}

static void release_due(struct nfqd *self)
{
	while (self->head != self->tail && self->ring[self->head % NFQD_RING].due_ns <= now_ns())
		verdict(self, self->ring[self->head++ % NFQD_RING].id, NF_ACCEPT);
}

/* Waits for the next packet or for the moment the oldest one may go. */
static int step(struct nfqd *self)
{
	char packet[NFQD_HEADER_BYTES + 4096] __attribute__((aligned(8)));
	struct pollfd poll_fd = { .fd = nfq_fd(self->handle), .events = POLLIN };
	struct timespec wait;
	struct timespec *until = NULL;

	if (self->head != self->tail) {
		int64_t left = self->ring[self->head % NFQD_RING].due_ns - now_ns();

		if (left < 0)
			left = 0;
		wait = (struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
		until = &wait;
	}
	if (ppoll(&poll_fd, 1, until, NULL) < 0 && errno != EINTR)
		return -errno;
	if (poll_fd.revents & POLLIN) {
		ssize_t n = recv(poll_fd.fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0)
			nfq_handle_packet(self->handle, packet, (int)n);
	}
	release_due(self);
	return 0;
}

static int open_queue(struct nfqd *self, uint16_t number)
{
	self->handle = nfq_open();
	if (!self->handle)
		return -errno;
	self->queue = nfq_create_queue(self->handle, number, on_packet, self);
	if (!self->queue)
		return -EBUSY;
	if (nfq_set_mode(self->queue, NFQNL_COPY_META, NFQD_HEADER_BYTES) < 0)
		return -EIO;
	if (nfq_set_queue_maxlen(self->queue, NFQD_RING) < 0)
		return -EIO;
	(void)nfnl_rcvbufsiz(nfq_nfnlh(self->handle), NFQD_RCVBUF);
	return 0;
}

static bool number(const char *text, long max, long *ret)
{
	char *end = NULL;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > max)
		return false;
	*ret = value;
	return true;
}

int main(int argc, char **argv)
{
	struct nfqd self = { 0 };
	long queue, delay, jitter, loss;
	int r;

	if (argc != 5 || !number(argv[1], NFQD_QUEUE_MAX, &queue) ||
	    !number(argv[2], NFQD_MS_MAX, &delay) || !number(argv[3], NFQD_MS_MAX, &jitter) ||
	    !number(argv[4], 100, &loss)) {
		fprintf(stderr, "usage: nfqd QUEUE DELAY_MS JITTER_MS LOSS_PERCENT\n");
		return 2;
	}
	self.delay_ns = delay * 1000000;
	self.jitter_ns = jitter * 1000000;
	self.loss_percent = (int)loss;
	self.ring = calloc(NFQD_RING, sizeof(*self.ring));
	if (!self.ring)
		return 1;
	srand48((long)now_ns());

	r = open_queue(&self, (uint16_t)queue);
	if (r < 0) {
		fprintf(stderr, "nfqd: queue %ld: error %d\n", queue, -r);
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (r == 0)
		r = step(&self);
	fprintf(stderr, "nfqd: ended by error %d\n", -r);
	return 1;
}
