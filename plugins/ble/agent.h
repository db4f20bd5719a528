#pragma once
/* agent - what BlueZ asks while a device pairs: answered for a device that a person lets in right now, refused else.
 *
 *   above   ble/ble_inside  ble/plugin  ble/gatt
 *   below   base/base  ble/bus  ble/gatt  ble/window  sdk/gw_adapter
 *   owns    struct agent: the one question that waits for a person
 *   limits  -
 *
 * It is no default agent: BlueZ asks it only about pairings that we began. Digits go to whoever opened the window,
 * through joining(), and nowhere else.
 *
 *   DisplayPasskey       the person types our digits on the device: authenticated
 *   RequestPasskey       the device has digits, on a label or a display: those that the person gave, or gives now: authenticated
 *   RequestConfirmation  both have digits: the person compares them and says yes on the device. That he did we know only if he says
 *                        the device's digits here, too, as its code: authenticated then; wrong ones end it
 *   RequestAuthorization nobody has digits: not authenticated
 */
#include <dbus/dbus.h>
#include "base/base.h"
#include "sdk/gw_adapter.h"

#define AGENT_PATH "/gatewayd/agent"

struct agent {
	DBusMessage *waiting; /* a RequestPasskey */
	uint8_t mac[6];	      /* its device */
};

void agent_register(gwa_self *self); /* at a bluetoothd that knows nothing of us */
/* True: the call is one for an agent; it is answered, now or later. */
bool agent_asked(gwa_self *self, DBusMessage *call);
/* The person gives the digits that the device shows. False: nobody waits for them. */
bool agent_give(gwa_self *self, const uint8_t mac[6], uint32_t passkey);
void agent_end(gwa_self *self, const uint8_t mac[6]); /* the pairing is over */
void agent_deinit(gwa_self *self);
