#pragma once
/* plugin - what ble offers to the host.
 *
 *   above   ble/ble
 *   below   ble/ble_inside  sdk/gw_adapter
 *   owns    nothing
 */
#include "sdk/gw_adapter.h"

extern const struct gwa_ops ble_ops;
