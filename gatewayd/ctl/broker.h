#pragma once
/* broker - accounts at the LAN broker: its dynamic-security plugin is told over the unix socket, as the admin account.
 *
 *   above   -
 *   below   base/base  base/text  ctl/perform  ctl/run  sys/crypto  sys/host  sys/json
 *   owns    nothing
 *   limits  -
 *   errors  BROKER_E_REFUSED BROKER_E_LATE
 */
#include "base/base.h"
#include "sys/json.h"

enum { BROKER_E_REFUSED = 1, BROKER_E_LATE = 2 };
/* How a device speaks: Zigbee2MQTT's grammar under a prefix of its own; Tasmota's; Home Assistant's discovery, as ESPHome does;
 * JSON-RPC, as Gen2+ Shellys do. */
enum broker_kind { BROKER_PREFIX, BROKER_TASMOTA, BROKER_DISCOVERY, BROKER_SHELLY };
/* The plugin's commands: pure (conf/broker/README.md). mac: of a Tasmota, else NULL. */
struct json *broker_add_request(const char *name, enum broker_kind kind, const char *mac, const char *password);
struct json *broker_remove_request(const char *name);
/* 0, BROKER_E_REFUSED and why in error, BROKER_E_LATE, negative. */
must_check int broker_ask(const char *socket, const char *user, const char *password, const struct json *request, char *error, size_t error_cap);
/* Did every command of the request succeed? Pure; says the first that did not. */
must_check int broker_judge(const struct json *answer, size_t n_commands, char *error, size_t error_cap);
