#pragma once
/* plugin - what shelly offers to the host.
 *
 *   above   shelly/shelly
 *   below   base/base  base/text  sdk/gw_adapter  shelly/shelly_inside  sys/crypto
 *   owns    nothing
 */
#include "sdk/gw_adapter.h"

extern const struct gwa_ops shelly_ops;
