#pragma once
/* plugin - what wifi offers to the host.
 *
 *   above   wifi/wifi
 *   below   base/base  base/text  sdk/gw_adapter  wifi/wifi_inside
 *   owns    nothing
 */
#include "sdk/gw_adapter.h"

extern const struct gwa_ops wifi_ops;
