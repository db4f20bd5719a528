#pragma once
/* runner - a day, and the images of it, in a child process: an image on which the real code dies or hangs costs that image only. */
#include "judge.h"
#include "work.h"

enum { IMAGES_A_DAY = 400 };

struct run_options {
	const char *base; /* a folder in memory */
	const char *keep; /* copies of the image asked for; NULL */
	long only;        /* image; -1 all */
	unsigned tell;    /* so many operations before its cut are told */
	enum tap_deaf deaf;
	enum db_sync sync;
	bool quiet;
};

/* In memory shared with the children. */
struct tally {
	uint64_t images, verdicts[VERDICTS], died, days, broken_days, ops, hash;
	bool lived;  /* the day went by, images are being judged */
	unsigned at; /* image of the day that is being judged */
	unsigned told;
};

struct tally *tally_new(void);
uint64_t tally_bad(const struct tally *tally);
/* images of them, IMAGES_A_DAY at most. */
void run_day(const struct run_options *options, struct tally *tally, const struct day *day, uint64_t seed, unsigned images);
