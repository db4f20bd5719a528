#pragma once
/* session - one connection's talk with a Shelly, without the connection: who are you, how are you, a challenge, orders.
 *
 *   above   shelly/unit
 *   below   base/base  base/text  sdk/gw_adapter  shelly/digest  shelly/rpc  sys/json
 *   owns    the params of calls that are open
 *   limits  SESSION_CALLS_MAX SESSION_PASSWORD_MAX SESSION_TRIES_MAX
 *   errors  SESSION_E_OTHER SESSION_E_PASSWORD SESSION_E_NO_PASSWORD SESSION_E_OPEN SESSION_E_OLD SESSION_E_NONSENSE SESSION_E_BUSY
 *           SESSION_E_NOTHING SESSION_E_SILENT
 *
 * A frame goes in; what it means and what is to be sent come out. Shelly.GetDeviceInfo is answered without a password: it says
 * which device this is before any proof is made for it. Shelly.GetStatus wants the password where one is set.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "shelly/digest.h"
#include "shelly/rpc.h"
#include "sys/json.h"

enum {
	SESSION_CALLS_MAX = 16,
	SESSION_PASSWORD_MAX = 64,
	SESSION_TRIES_MAX = 2, /* without proof, and with one: after that the password is wrong */
	SESSION_GREET_MS = 5000,
	SESSION_METHOD_MAX = 40,
};
enum {
	SESSION_E_OTHER = 1,	   /* not the device that was looked for */
	SESSION_E_PASSWORD = 2,	   /* ours was refused */
	SESSION_E_NO_PASSWORD = 3, /* it wants one and we have none */
	SESSION_E_OPEN = 4,	   /* it had a password when we met and asks for none now */
	SESSION_E_OLD = 5,	   /* first generation */
	SESSION_E_NONSENSE = 6,	   /* no description, no status, no challenge */
	SESSION_E_BUSY = 7,	   /* too many calls are open */
	SESSION_E_NOTHING = 8,
	SESSION_E_SILENT = 9,	   /* it did not say who or how it is in time */
};
const char *session_reason(int error); /* in plain words, for people */

enum session_stage { SESSION_OFF, SESSION_INFO, SESSION_STATUS, SESSION_LIVE };
enum session_word {
	SAYS_NOTHING,
	SAYS_WHO,   /* info is filled in */
	SAYS_WHOLE, /* body: the whole status */
	SAYS_PART,  /* body: what changed */
	SAYS_EVENT, /* body: params of NotifyEvent */
	SAYS_DONE,  /* an order came to its end: req, status */
};
struct session_says {
	enum session_word word;
	const struct json *body; /* in the frame */
	uint64_t req;
	int status;
	char *send; /* malloc'ed, to be sent now; NULL: nothing */
	size_t send_len;
};

struct session_call {
	int64_t id; /* 0: a free row */
	uint64_t req, deadline_ms; /* req 0: one of our own */
	unsigned tries;
	char method[SESSION_METHOD_MAX];
	struct json *params;
};
struct session {
	enum session_stage stage;
	/* Set by who owns it, before each start. */
	const char *password; /* NULL: none */
	const uint8_t *mac;   /* that it must be; NULL: whoever it is */
	bool must_prove;      /* it is known to have a password */
	uint32_t cnonce;      /* random */
	/* Its own. */
	bool challenged, proven; /* proven: it took our password */
	struct digest_challenge challenge;
	int64_t last_id;
	uint32_t unknown; /* frames that say nothing to us, counted */
	struct rpc_info info;
	struct session_call calls[SESSION_CALLS_MAX];
};

/* The first thing to send. */
must_check int session_start(struct session *session, uint64_t now_ms, struct session_says *ret);
void session_stop(struct session *session); /* forgets calls: take their requests with session_any first */
must_check int session_take(struct session *session, const struct rpc_message *message, uint64_t now_ms, struct session_says *ret);
/* Takes params. */
must_check int session_order(struct session *session, uint64_t req, const char *method, struct json *params, uint64_t deadline_ms,
			     struct session_says *ret);
/* An order that is late (0), none (NOTHING), or the greeting is (SILENT). */
must_check int session_late(struct session *session, uint64_t now_ms, uint64_t *ret_req);
uint64_t session_any(struct session *session);		/* any open order, which is forgotten; 0: none */
uint64_t session_deadline(const struct session *session); /* UINT64_MAX: none */
