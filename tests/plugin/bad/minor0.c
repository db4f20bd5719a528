/* Good, but of 1.0: its operations end where ask would be. */
#include <stddef.h>
#include "sdk/gw_adapter.h"
#define BAD_NAME     "minor0"
#define BAD_OPS_SIZE offsetof(struct gwa_ops, ask)
#include "bad.h"
