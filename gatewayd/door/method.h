#pragma once
/* method - one row a method: its name, who may call it, its parameters, what it leaves in the audit record, its handler.
 *
 *   above   door/call  door/door  door/methods
 *   below   adapter/hub  audit/audit  base/base  conf/conf  custody/custody  door/desk  door/methods  people/people
 *           policy/rulebook  registry/registry  router/automation  router/join_secret  router/router  spool/spool  sys/json
 *           sys/store  vault/vault
 *   owns    the constant table
 *   limits  METHOD_FIELDS_MAX
 *
 * Handlers answer exactly once, now or later. A handler that is given a session has had it checked; which devices it may touch
 * it asks the router (policy), never a role by itself.
 */
#include "adapter/hub.h"
#include "audit/audit.h"
#include "base/base.h"
#include "conf/conf.h"
#include "custody/custody.h"
#include "people/people.h"
#include "policy/rulebook.h"
#include "registry/registry.h"
#include "router/router.h"
#include "spool/spool.h"
#include "sys/json.h"
#include "sys/store.h"
#include "vault/vault.h"

enum { METHOD_FIELDS_MAX = 12 };
/* Who may call it at all (rights on devices come on top, by policy). */
enum method_who {
	METHOD_ANYBODY = 1u,       /* no session: hello, login */
	METHOD_SETUP = 2u,         /* uid 0 while there is no owner */
	METHOD_RECOVERY = 4u,      /* uid 0, any time */
	METHOD_OWNERS = 8u, METHOD_MEMBERS = 16u, METHOD_GUESTS = 32u, METHOD_INSTALLERS = 64u, METHOD_AUDITORS = 128u,
	METHOD_PEOPLE = METHOD_OWNERS | METHOD_MEMBERS | METHOD_GUESTS,
	METHOD_ALL_ROLES = METHOD_PEOPLE | METHOD_INSTALLERS | METHOD_AUDITORS,
};

struct backup;
struct desk;
struct erase;
struct call; /* one request being served */
struct door_parts { /* borrowed for the door's life */
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	struct vault *vault;
	struct custody *custody;
	struct backup *backup;
	struct erase *erase;
	struct spool *spool;
	struct hub *hub;
	struct registry *registry;
	struct people *people;
	struct rulebook *rulebook;
	struct router *router;
	const struct conf *const *conf;                /* the current one: SIGHUP swaps it */
	struct json *(*links_status)(void *ctx);       /* a list, by app: row 7 neighbours do not meet */
	struct json *(*map)(void *ctx);                /* the living processes and queues, by app */
	int (*reload)(void *ctx, char *error, size_t error_cap);
	void *ctx;
};
struct method {
	const char *name, *help;
	unsigned who;                /* enum method_who */
	uint16_t audit_kind;         /* 0: a plain read, counted only */
	const struct json_field *fields;
	size_t n_fields;
	void (*handle)(struct call *call, const struct json *params);
};
const struct method *method_find(const char *name);
const struct method *method_at(size_t i);

/* For handlers. */
const struct door_parts *call_parts(const struct call *call);
const struct asker *call_asker(const struct call *call);   /* role NONE when there is no session */
const struct session *call_session(const struct call *call);
const struct json *call_request(const struct call *call);  /* lives as long as the call: later steps read it again */
const char *call_token(const struct call *call);           /* as presented, NULL none */
bool call_is_gone(const struct call *call);                /* its client went away: nobody will hear the answer */
bool call_has_audit(const struct call *call);              /* its method's doings are on record */
struct desk *call_desk(const struct call *call);           /* NULL when the door is closed */
bool call_door_is_closed(const struct call *call);         /* the gateway is stopping: nothing can be recorded any more */
void call_is_recorded(struct call *call);                  /* a lower layer records how it ends: the door does not */
void call_rule(struct call *call, int32_t rule);           /* named in the next call_fail to those who may know */
struct audit_record call_record(const struct call *call, uint16_t kind); /* filled with who, session, source, action = method name */
void call_answer(struct call *call, struct json *result);   /* takes result; NULL is {} */
void call_fail(struct call *call, enum result result, const char *fmt, ...) printf_like(3, 4);
void call_fail_errno(struct call *call, int r, const char *what); /* negative errno or a NOUN_E_ that has no better word */
void call_field(struct call *call, const char *field); /* names the bad parameter in the next call_fail */
