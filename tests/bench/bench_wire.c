/* What the adapters' wire costs: reports written into packets as a busy adapter batches them, and read again as the
 * core does. The packets that come out must carry what went in.
 */
#include "model/wire.h"
#include "stopwatch.h"

#include <stdio.h>

enum { BATCH = 500, PACKETS = 400, TURNS = 9 };

struct wire_bench {
	uint8_t packet[WIRE_PACKET_MAX];
	struct wire_scratch scratch;
	uint64_t put_ns[TURNS], take_ns[TURNS];
	size_t packet_len;
};

static size_t put_packet(struct wire_bench *bench, uint64_t from)
{
	struct writer w = writer_over(bench->packet, sizeof(bench->packet));
	struct wire_msg msg = { /* once: it is large, and what is measured is the codec */
		.type = WIRE_REPORT,
		.report = {
			.addr = { .len = 8, .bytes = { 1, 2, 3, 4, 5, 6, 7, 8 } },
			.endpoint = 1,
			.cap = CAP_ENERGY,
			.wall_us = 1700000000000000,
		},
	};

	for (uint64_t i = 0; i < BATCH; i++) {
		msg.report.seq = from + i;
		msg.report.addr.bytes[7] = (uint8_t)i;
		msg.report.value = value_real((double)i);
		wire_put(&w, &msg);
	}
	return w.bad ? 0 : writer_len(&w);
}

static int take_packet(struct wire_bench *bench, uint64_t from)
{
	struct wire_peer peer = { .kind = WIRE_ADAPTER, .phase = WIRE_READY, .is_core = true };
	struct reader packet = reader_over(bench->packet, bench->packet_len);
	struct wire_msg msg;
	uint64_t n = 0;
	int r;

	while ((r = wire_next(&packet, &peer, &bench->scratch, &msg)) == 1) {
		if (msg.type != WIRE_REPORT || msg.report.seq != from + n)
			return -EINVAL;
		n++;
	}
	return r ? -EINVAL : n == BATCH ? 0 : -EINVAL;
}

static int turn(struct wire_bench *bench, unsigned at)
{
	uint64_t put_ns = 0;
	uint64_t take_ns = 0;

	for (uint64_t i = 0; i < PACKETS; i++) {
		uint64_t began_ns = stopwatch_now_ns();
		uint64_t between_ns;

		bench->packet_len = put_packet(bench, i * BATCH + 1);
		between_ns = stopwatch_now_ns();
		put_ns += between_ns - began_ns;
		if (!bench->packet_len || take_packet(bench, i * BATCH + 1))
			return -EINVAL;
		take_ns += stopwatch_now_ns() - between_ns;
	}
	bench->put_ns[at] = put_ns;
	bench->take_ns[at] = take_ns;
	return 0;
}

static double each_ns(uint64_t turns_ns[TURNS])
{
	qsort(turns_ns, TURNS, sizeof(*turns_ns), stopwatch_by_size);
	return (double)turns_ns[TURNS / 2] / PACKETS / BATCH;
}

int main(void)
{
	struct wire_bench *bench = calloc(1, sizeof(*bench));
	int r = bench ? 0 : -ENOMEM;

	for (unsigned i = 0; i < TURNS && !r; i++)
		r = turn(bench, i);
	if (r)
		fputs("bench-wire: a packet did not come back as it went\n", stderr);
	else
		printf("{\"wire_put_ns\":%.1f,\"wire_take_ns\":%.1f,\"wire_report_bytes\":%.1f}\n",
		       each_ns(bench->put_ns), each_ns(bench->take_ns),
		       (double)bench->packet_len / BATCH);
	free(bench);
	return r ? 1 : 0;
}
