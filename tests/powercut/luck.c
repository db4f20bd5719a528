#include "luck.h"

#include <sodium.h>
#include <sqlite3.h>

#include "dice.h"

/* libsodium asks for its generator without saying for whom. */
static struct dice luck;

static const char *luck_name(void)
{
	return "seeded";
}

static void luck_fill(void *const ret, const size_t len)
{
	dice_fill(&luck, ret, len);
}

static uint32_t luck_u32(void)
{
	return (uint32_t)dice_u64(&luck);
}

void luck_fix(uint64_t seed)
{
	static randombytes_implementation implementation = { .implementation_name = luck_name, .random = luck_u32, .buf = luck_fill };

	luck = dice_of(seed, 3);
	randombytes_set_implementation(&implementation);
	sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(dice_u64(&luck) >> 33) | 1, (sqlite3 *)NULL);
}
