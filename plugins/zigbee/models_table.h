#pragma once
/* models_table - the constants that the build makes of models.tsv (models.py), as models.c reads them.
 *
 *   above   -
 *   below   base/base
 *   owns    nothing
 *   limits  MODELS_BUCKETS
 *
 * Texts are offsets into one pool, so that nothing is relocated and the pages of the table stay on the disk, or shared, until somebody
 * asks. Rows of one bucket are next to each other; which bucket is the hash of model id and manufacturer's name, the
 * latter empty where the row does not want any.
 */
#include "base/base.h"

enum { MODELS_BUCKETS = 4096 };

struct model_row {
	uint32_t id, maker, more; /* offsets: what the device says; further conditions (tests/sim/models.mjs) */
	uint32_t names;           /* offset: vendor, model, description, and capabilities as bytes, one after the other */
	uint16_t rank;            /* among the rows of one model id: the least that fits is it */
	uint16_t flags;           /* enum model_flag, MODEL_MORE, MODEL_VARIES */
};
extern const struct model_row models_rows[];
extern const uint16_t models_first[MODELS_BUCKETS + 1];
extern const char models_pool[];
extern const uint32_t models_pool_size;
