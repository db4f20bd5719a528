/* A stand-in until the tables are written. */
#include "zigbee/znp_start.h"

step_fn *const restore_steps[] = { start_ready };
