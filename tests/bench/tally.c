/* Messages of one publisher are numbered from base upwards without a gap, so one bit a number tells first from
 * second arrivals, and the highest number seen tells late ones. The send time sits in a ring beside it: publisher
 * and subscriber are one process, so both ends are read from one clock and no time need travel in the payload.
 */
#include "tally.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tally_init(struct tally *tally, unsigned n_rows, uint64_t base)
{
	assert(n_rows > 0 && n_rows <= MESSAGE_PUBLISHERS_MAX);
	*tally = (struct tally){ .base = base, .n_rows = n_rows };
	for (unsigned i = 0; i < n_rows; i++) {
		tally->rows[i].stamps_ns = calloc(TALLY_STAMPS, sizeof(uint64_t));
		if (!tally->rows[i].stamps_ns) {
			tally_deinit(tally);
			return -ENOMEM;
		}
	}
	return 0;
}

void tally_deinit(struct tally *tally)
{
	for (unsigned i = 0; i < tally->n_rows; i++) {
		free(tally->rows[i].stamps_ns);
		free(tally->rows[i].bits);
	}
	free(tally->samples_us10);
	*tally = (struct tally){ 0 };
}

struct message tally_send(struct tally *tally, unsigned publisher, uint64_t now_ns)
{
	struct tally_row *row = &tally->rows[publisher];
	uint64_t number = row->n_sent++;

	row->stamps_ns[number % TALLY_STAMPS] = now_ns;
	row->moved_ns = now_ns;
	return (struct message){ .publisher = publisher, .seq = tally->base + number };
}

/* Sets the bit of a number; true when it was set before. No memory counts as seen for the first time. */
static bool mark(struct tally_row *row, uint64_t number)
{
	size_t word = (size_t)(number / 64);
	uint64_t bit = UINT64_C(1) << number % 64;

	if (word >= row->n_bits) {
		size_t n_bits = word * 2 + 64;
		uint64_t *bits = realloc(row->bits, n_bits * sizeof(*bits));

		if (!bits)
			return false;
		memset(bits + row->n_bits, 0, (n_bits - row->n_bits) * sizeof(*bits));
		row->bits = bits;
		row->n_bits = n_bits;
	}
	if (row->bits[word] & bit)
		return true;
	row->bits[word] |= bit;
	return false;
}

static void keep_sample(struct tally *tally, uint64_t latency_ns)
{
	uint64_t us10 = latency_ns / 100;

	if (tally->n_samples == tally->samples_max) {
		size_t max = tally->samples_max * 2 + 65536;
		uint32_t *samples;

		if (tally->n_samples >= TALLY_SAMPLES_MAX)
			return;
		samples = realloc(tally->samples_us10, max * sizeof(*samples));
		if (!samples)
			return;
		tally->samples_us10 = samples;
		tally->samples_max = max;
	}
	tally->samples_us10[tally->n_samples++] = us10 > UINT32_MAX ? UINT32_MAX : (uint32_t)us10;
}

bool tally_see(struct tally *tally, const struct message *message, uint64_t now_ns)
{
	struct tally_row *row = &tally->rows[message->publisher];
	uint64_t number = message->seq - tally->base;

	if (message->publisher >= tally->n_rows || message->seq < tally->base ||
	    number >= row->n_sent) {
		tally->n_foreign++;
		return false;
	}
	if (mark(row, number)) {
		tally->n_twice++;
		return true;
	}
	row->n_seen++;
	row->moved_ns = now_ns;
	if (number < row->next)
		row->n_late++;
	else
		row->next = number + 1;
	if (tally->measuring) {
		tally->n_measured++;
		if (row->n_sent - number <= TALLY_STAMPS)
			keep_sample(tally, now_ns - row->stamps_ns[number % TALLY_STAMPS]);
	}
	return true;
}

uint64_t tally_outstanding(const struct tally *tally, unsigned publisher)
{
	const struct tally_row *row = &tally->rows[publisher];
	uint64_t done = row->next > row->given_up ? row->next : row->given_up;

	return row->n_sent - done;
}

void tally_expect(struct tally *tally, unsigned publisher, uint64_t n)
{
	tally->rows[publisher].n_sent += n;
}

unsigned tally_give_up(struct tally *tally, uint64_t before_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tally->n_rows; i++) {
		if (!tally_outstanding(tally, i) || tally->rows[i].moved_ns >= before_ns)
			continue;
		tally->rows[i].given_up = tally->rows[i].n_sent;
		n++;
	}
	return n;
}

struct tally_sums tally_sum(const struct tally *tally)
{
	struct tally_sums sums = { .n_twice = tally->n_twice, .n_foreign = tally->n_foreign };

	for (unsigned i = 0; i < tally->n_rows; i++) {
		sums.n_sent += tally->rows[i].n_sent;
		sums.n_seen += tally->rows[i].n_seen;
		sums.n_late += tally->rows[i].n_late;
	}
	sums.n_lost = sums.n_sent - sums.n_seen;
	return sums;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

double tally_percentile_us(struct tally *tally, double q)
{
	size_t at;

	if (!tally->n_samples)
		return 0;
	qsort(tally->samples_us10, tally->n_samples, sizeof(uint32_t), by_size);
	at = (size_t)(q * (double)(tally->n_samples - 1));
	return tally->samples_us10[at] / 10.0;
}
