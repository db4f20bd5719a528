#pragma once
/* dice - numbers that look random and come again from the same seed (SplitMix64). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_u64(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline struct dice dice_of(uint64_t seed, uint64_t more)
{
	struct dice dice = { seed ^ more * UINT64_C(0xd6e8feb86659fd93) };

	dice.state = dice_u64(&dice);
	return dice;
}

/* 0 .. n-1 */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
	return n ? dice_u64(dice) % n : 0;
}

static inline bool dice_percent(struct dice *dice, unsigned percent)
{
	return dice_below(dice, 100) < percent;
}

static inline void dice_fill(struct dice *dice, void *ret, size_t len)
{
	uint8_t *p = ret;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(dice_u64(dice) >> 24);
}
