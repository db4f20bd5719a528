/* A small table, searched from end to end: 256 rows are read faster than a hash of them is kept. */
#include "host/requests.h"

static struct request *find_free(struct requests *table)
{
	struct request *oldest = NULL;

	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct request *row = &table->rows[i];

		if (row->mine == 0)
			return row;
		if (row->answered && (!oldest || row->mine < oldest->mine))
			oldest = row;
	}
	return oldest;
}

int requests_add(struct requests *table, uint64_t theirs, int64_t deadline_ms, uint64_t *ret_mine)
{
	struct request *row = find_free(table);

	if (!row)
		return REQUESTS_E_FULL;
	*row = (struct request){ .mine = ++table->last,
				 .theirs = theirs,
				 .deadline_ms = deadline_ms };
	*ret_mine = row->mine;
	return 0;
}

int requests_done(struct requests *table, uint64_t mine, uint64_t *ret_theirs)
{
	for (size_t i = 0; mine && i < REQUESTS_MAX; i++) {
		struct request *row = &table->rows[i];
		bool answered = row->answered;

		if (row->mine != mine)
			continue;
		*ret_theirs = row->theirs;
		*row = (struct request){ 0 };
		return answered ? REQUESTS_E_LATE : 0;
	}
	return REQUESTS_E_UNKNOWN;
}

bool requests_is_late(const struct requests *table, uint64_t mine)
{
	for (size_t i = 0; mine && i < REQUESTS_MAX; i++) {
		if (table->rows[i].mine == mine)
			return table->rows[i].answered;
	}
	return false;
}

bool requests_expire(struct requests *table, int64_t now_ms, uint64_t *ret_theirs)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct request *row = &table->rows[i];

		if (row->mine == 0 || row->answered || row->deadline_ms > now_ms)
			continue;
		row->answered = true;
		*ret_theirs = row->theirs;
		return true;
	}
	return false;
}

int64_t requests_deadline(const struct requests *table)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		const struct request *row = &table->rows[i];

		if (row->mine && !row->answered && row->deadline_ms < first)
			first = row->deadline_ms;
	}
	return first;
}

void requests_forget(struct requests *table)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		table->rows[i].answered = true;
}
