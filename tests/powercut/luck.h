#pragma once
/* luck - what is random in this process follows from a seed: SQLite's salts, our keys and ids. For tests and for nothing else. */
#include <stdint.h>

void luck_fix(uint64_t seed);
