#pragma once
/* door - people's way in: a unix socket, one JSON document a packet, one table of methods; gatewayctl and gatewayd-api use it.
 *
 *   above   app
 *   below   base/base  base/text  door/call  door/desk  door/method  door/request  sys/host  sys/loop
 *   owns    the listening socket, the clients, their event subscriptions, their rate
 *   limits  DOOR_CLIENTS_MAX DOOR_PENDING_MAX DOOR_RATE_PER_S
 *
 * docs/spec/door.md. A client is "uid:N" by the kernel; a token is bound to the door and that client. uid 0 without a token is
 * administrator only while there is no owner (first set-up) and for the method recovery.
 */
#include "base/base.h"
#include "door/method.h"
#include "sys/loop.h"

enum { DOOR_CLIENTS_MAX = 32, DOOR_PENDING_MAX = 16, DOOR_RATE_PER_S = 200 };
struct door;
must_check int door_new(const struct door_parts *parts, const char *path, unsigned mode, struct door **ret);
struct door *door_close(struct door *door);
size_t door_clients(const struct door *door);
