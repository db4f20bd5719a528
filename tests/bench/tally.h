#pragma once
/* tally - the books of a run: what was sent, what came, twice, late or never, and how long it took.
 *
 *   above   bench/crowd  bench/watcher  bench/load
 *   owns    struct tally: a row for each publisher and the latencies of the measured span
 *   limits  TALLY_STAMPS TALLY_SAMPLES_MAX
 */
#include "message.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TALLY_STAMPS = 4096,           /* send times kept for each publisher: the most it may have on the way */
	TALLY_SAMPLES_MAX = 8000000,   /* latencies kept of one run; later ones are not */
};

struct tally_row {
	uint64_t n_sent;
	uint64_t n_seen;     /* different messages */
	uint64_t next;       /* one past the highest number seen */
	uint64_t n_late;     /* came after a higher one */
	uint64_t given_up;   /* below this nothing is waited for any more */
	uint64_t moved_ns;   /* when the last one was sent or came */
	uint64_t *bits;      /* seen or not */
	size_t n_bits;
	uint64_t *stamps_ns; /* ring of TALLY_STAMPS */
};

struct tally {
	uint64_t base; /* the number that every publisher starts with */
	unsigned n_rows;
	struct tally_row rows[MESSAGE_PUBLISHERS_MAX];

	bool measuring;
	uint64_t n_measured; /* different messages that came while measuring */
	uint64_t n_twice;
	uint64_t n_foreign; /* numbers nobody of ours sent in this run */
	uint32_t *samples_us10; /* tenths of a microsecond */
	size_t n_samples, samples_max;
};

struct tally_sums {
	uint64_t n_sent, n_seen, n_lost, n_twice, n_late, n_foreign;
};

/* 0 or -ENOMEM */
__attribute__((warn_unused_result)) int tally_init(struct tally *tally, unsigned n_rows,
						   uint64_t base);
void tally_deinit(struct tally *tally);

/* Books one as sent; what to write on it. */
struct message tally_send(struct tally *tally, unsigned publisher, uint64_t now_ns);
/* Books one as come; false when it cannot be one of this run. */
bool tally_see(struct tally *tally, const struct message *message, uint64_t now_ns);

/* How many of this publisher are on the way and still waited for. */
uint64_t tally_outstanding(const struct tally *tally, unsigned publisher);
/* Books n as sent by somebody else (another run of the load), so that they can be seen. */
void tally_expect(struct tally *tally, unsigned publisher, uint64_t n);
/* Does not wait any longer for the publishers of which nothing has moved since before_ns; how many those were.
 * What comes later all the same still counts as seen. */
unsigned tally_give_up(struct tally *tally, uint64_t before_ns);

struct tally_sums tally_sum(const struct tally *tally);
/* The q-th part (0..1) of the latencies in microseconds; sorts the samples. 0 when there are none. */
double tally_percentile_us(struct tally *tally, double q);
