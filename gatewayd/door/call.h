#pragma once
/* call - the door's own side of a request being served; handlers see it through door/method only.
 *
 *   above   door/door
 *   below   base/base  base/list  door/door  door/method  sys/packet
 *   owns    struct call, struct client
 *   limits  -
 */
#include "base/base.h"
#include "base/list.h"
#include "door/door.h"
#include "door/method.h"
#include "sys/packet.h"

struct client { /* one connection */
	struct list node;
	struct door *door;
	struct packet_conn *conn;
	uid_t uid;
	char name[64];       /* "uid:1000": sessions are bound to it */
	struct list calls;
	size_t n_calls;
	struct router_listener *listener;
	const struct people *door_people;
	uint64_t listener_session;
	uint64_t n_lost;     /* events that found its queue full */
	int64_t rate_ms;     /* token bucket of requests */
	uint32_t rate_left;
};

struct door;
struct call {
	struct list node;
	struct door *door;     /* is there as long as a call is */
	struct client *client; /* NULL: it has gone, the answer goes nowhere */
	const struct method *method; /* NULL: none of that name */
	struct json *request;        /* lives as long as the call: later steps may read its parameters */
	const struct json *params;   /* within it */
	struct asker asker;
	struct session session; /* a copy; number 0 when there is none */
	char asker_name[NAME_MAX_LEN + 1];
	char field[64];
	int32_t rule;          /* who decided a refusal; told to those who may know */
	bool handled;          /* its handler has it: a failure is that method's, and goes on record as such */
	bool recorded;         /* some lower layer records how it ended */
};

struct door {
	struct door_parts parts;
	struct packet_server *server;
	struct desk *desk;
	struct list clients;
	size_t n_clients, n_calls; /* of calls also those whose client has gone */
	bool closed;               /* its parts may be gone, too: a call that ends now says and records nothing */
};

/* door.c */
void client_send_json(struct client *client, struct json *document); /* takes it */
void call_free(struct call *call);
/* events.c: a subscription of the call's client. */
must_check int client_listen(struct client *client, const struct call *call);
void client_unlisten(struct client *client);
