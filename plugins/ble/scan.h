#pragma once
/* scan - what is told to an adapter so that it listens: power, an active scan for everything, or passive monitors.
 *
 *   above   ble/bluez  ble/plugin
 *   below   base/base  ble/bluez  ble/bus
 *   owns    nothing
 *   limits  -
 *
 * An active scan asks each device for its scan response, where names and SwitchBot's values are; it costs the devices'
 * batteries a little, and BlueZ rests in between. Passive monitors listen all the time and ask nobody; BlueZ offers
 * them where the kernel does (AdvertisementMonitorManager1).
 */
#include <dbus/dbus.h>
#include "base/base.h"

struct bluez;

#define SCAN_ROOT "/gatewayd/monitors"

/* NULL: no memory. path: the adapter's. */
DBusMessage *scan_power_on(const struct bluez *bluez, const char *path);
DBusMessage *scan_filter(const struct bluez *bluez, const char *path);
DBusMessage *scan_register(const struct bluez *bluez, const char *path);
/* The answer to a call to one of our monitors' objects; NULL: not for us. */
DBusMessage *scan_answer(DBusMessage *call);
