#pragma once
/* rpc - JSON-RPC as Gen2+ Shellys speak it, over whatever carries it (WebSocket, MQTT): requests out, answers and notices in.
 *
 *   above   shelly/session
 *   below   base/base  base/text  sdk/gw_adapter  sys/json
 *   owns    struct rpc_message's tree
 *   limits  RPC_BYTES_MAX RPC_DEPTH_MAX RPC_NAME_MAX
 *   errors  RPC_E_MALFORMED RPC_E_SIZE RPC_E_TYPE RPC_E_GENERATION
 *
 * A frame that has "result" or "error" is an answer, one that has "method" is a notice or a request; members that we do not
 * know are passed over.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "sys/json.h"

enum { RPC_BYTES_MAX = 65536, RPC_DEPTH_MAX = 16, RPC_NAME_MAX = 64 };
enum {
	RPC_E_MALFORMED = 1,
	RPC_E_SIZE = 2,
	RPC_E_TYPE = 3,	      /* JSON, but no frame; or no device's description of itself */
	RPC_E_GENERATION = 4, /* of a first generation, which speaks no JSON-RPC */
};
enum { RPC_UNAUTHORISED = 401 };

enum rpc_kind {
	RPC_RESULT,	 /* body: the result, NULL for null */
	RPC_ERROR,	 /* code, text */
	RPC_STATUS,	 /* NotifyStatus; body: params, an object */
	RPC_FULL_STATUS, /* NotifyFullStatus */
	RPC_EVENT,	 /* NotifyEvent */
	RPC_OTHER,	 /* a request to us, or a notice that we do not know */
};
struct rpc_message {
	enum rpc_kind kind;
	int64_t id, code;
	const char *text, *src, *dst; /* "" when absent; borrowed from tree */
	const struct json *body;
	struct json *tree;
};
must_check int rpc_read(const void *data, size_t len, struct rpc_message *ret);
void rpc_message_deinit(struct rpc_message *message);

/* Takes params and auth, either of which may be NULL. *ret is malloc'ed; it holds the answer to a challenge: not a secret itself. */
must_check int rpc_write(int64_t id, const char *src, const char *method, struct json *params, struct json *auth, char **ret,
			 size_t *ret_len);
/* What an error's code means for an order: GWA_*. */
int rpc_outcome(int64_t code);

/* Shelly.GetDeviceInfo. */
struct rpc_info {
	uint8_t mac[6];
	char id[RPC_NAME_MAX + 1];   /* shellyplus1pm-a8032abe54dc */
	char name[GWA_TEXT_MAX + 1]; /* what its owner calls it; "": nothing */
	char model[GWA_TEXT_MAX + 1], firmware[GWA_TEXT_MAX + 1];
	unsigned generation;
	bool wants_password;
};
must_check int rpc_info_read(const struct json *result, struct rpc_info *ret);
/* "shellyplus1pm-a8032abe54dc", a topic's or a service's first word: the MAC at its end. False: there is none. */
bool rpc_mac_of(const char *id, size_t len, uint8_t ret[6]);
