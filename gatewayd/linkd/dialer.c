/* The first endpoint is the one that is wanted, the others are for when it is away. A round tries all of them one after
 * the other; between rounds the wait doubles. All gateways of a region lose their broker in the same second, so the wait
 * has a share of chance in it.
 */
#include "linkd/dialer.h"

void dialer_init(struct dialer *dialer, size_t n)
{
	*dialer = (struct dialer){ .n = n, .wait_ms = DIALER_WAIT_MS, .up_since_ms = -1 };
}

void dialer_up(struct dialer *dialer, int64_t now_ms)
{
	dialer->up_since_ms = now_ms;
}

static uint32_t with_jitter(uint32_t ms, uint32_t random)
{
	uint32_t part = ms * DIALER_JITTER_PERCENT / 100;

	return ms - part + random % (2 * part + 1);
}

static uint32_t next_wait(struct dialer *dialer, uint32_t random)
{
	uint32_t wait = dialer->wait_ms;

	dialer->wait_ms = wait < DIALER_WAIT_MS_MAX / 2 ? 2 * wait : DIALER_WAIT_MS_MAX;
	return with_jitter(wait, random);
}

uint32_t dialer_down(struct dialer *dialer, int64_t now_ms, uint32_t random)
{
	bool was_up = dialer->up_since_ms >= 0;

	if (was_up && now_ms - dialer->up_since_ms >= DIALER_STABLE_MS)
		dialer->wait_ms = DIALER_WAIT_MS;
	dialer->up_since_ms = -1;
	if (!was_up && dialer->at + 1 < dialer->n) {
		dialer->at++;
		return DIALER_NEXT_MS;
	}
	dialer->at = 0;
	return next_wait(dialer, random);
}

int64_t dialer_failback_ms(const struct dialer *dialer, int64_t now_ms)
{
	int64_t left;

	if (dialer->up_since_ms < 0 || dialer->at == 0)
		return -1;
	left = dialer->up_since_ms + DIALER_FAILBACK_MS - now_ms;
	return left > 0 ? left : 0;
}
