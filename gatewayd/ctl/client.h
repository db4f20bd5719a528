#pragma once
/* client - one connection to the door: ask, get the answer; hear events.
 *
 *   above   -
 *   below   base/base  base/text  sys/crypto  sys/json  sys/loop  sys/packet
 *   owns    the loop and the connection
 *   limits  -
 *   errors  CLIENT_E_REFUSED CLIENT_E_GONE CLIENT_E_LATE
 */
#include "base/base.h"
#include "sys/json.h"

enum { CLIENT_E_REFUSED = 1, CLIENT_E_GONE = 2, CLIENT_E_LATE = 3 };

struct client;
/* Negative: nobody answers at path. */
must_check int client_new(const char *path, struct client **ret);
struct client *client_free(struct client *client);
void client_set_token(struct client *client, const char *token); /* copied, wiped with the client; NULL none */
const char *client_token(const struct client *client);
/* params is taken, its texts are wiped. 0 and *ret: the result. CLIENT_E_REFUSED and *ret: the error object. Others: no *ret. */
must_check int client_call(struct client *client, const char *method, struct json *params, struct json **ret);
/* fn hears each event that comes, until it says false. client_follow waits for that: 0, or CLIENT_E_GONE when the gateway went. */
void client_on_event(struct client *client, bool (*fn)(void *ctx, const struct json *event), void *ctx);
must_check int client_follow(struct client *client);
