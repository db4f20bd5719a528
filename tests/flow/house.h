#pragma once
/* house - the real core in the test's own process: real wiring, real databases, time that stands still, a scripted adapter
 * and a captured link at the ends of real sockets.
 *
 *	struct house house;
 *	house_open(&house, NULL);
 *	house_adapter_up(&house);             the scripted adapter "sim" is READY
 *	house_describe(&house, 7, "lamp", lamp_caps, n);
 *	...
 *	house_close(&house);
 */
#include <stdbool.h>
#include <stdint.h>
#include "app_internal.h"
#include "adapter/hub.h"
#include "base/parts.h"
#include "link/links.h"
#include "model/wire.h"
#include "people/people.h"
#include "policy/rulebook.h"
#include "registry/registry.h"
#include "router/alarms.h"
#include "router/automation.h"
#include "router/claims.h"
#include "router/router.h"
#include "router/time_trust.h"
#include "sys/packet.h"
#include "tmpdir.h"

enum { HOUSE_SEEN_MAX = 4096, HOUSE_EVENTS_MAX = 512, HOUSE_TURNS_MAX = 2000 };
/* Monday, 2026-11-23 08:00:00 UTC. */
#define HOUSE_WALL_US (INT64_C(1795420800) * 1000000)

/* A message as it was received, with what tests look at copied out of the packet. */
struct heard {
	uint8_t type;
	uint64_t number; /* report: stored up to; command: req; link event: spool number */
	struct address addr;
	struct device_id device;
	uint8_t endpoint;
	uint16_t cap;
	enum value_type value_type;
	double value;
	bool duplicate;
	uint8_t event_kind;
	uint16_t result;
	uint32_t ttl_ms;
	uint64_t event_number;
	char text[160]; /* reason, state, key */
	uint8_t n_caps;
};

struct actor { /* the far end of a wire connection */
	struct house *house;
	const char *name;
	struct packet_conn *conn;
	struct wire_peer wire;
	struct wire_scratch scratch;
	struct heard *heard;
	size_t n;
	bool closed;
	bool answers;    /* adapter: says RESULT_OK to every command */
	enum result answer;
	uint64_t seq;
	struct view tells;       /* adapter: what its radio answers */
	struct parts asked;      /* the whole text of the last ask */
	bool asking;             /* there is more of it to come */
	char verb[WIRE_VERB_MAX + 1];
	struct address join_addr; /* of the last join */
	uint8_t code[WIRE_CODE_MAX];
	size_t code_len;
};

struct house {
	struct tmpdir dir;
	struct loop *loop;
	struct app *app;
	struct actor adapter, second, link;
	uint32_t owner, other;
	char password[32];
};

/* extra: more YAML lines behind the usual ones, or NULL. */
void house_open(struct house *house, const char *extra);
void house_close(struct house *house);
void house_restart(struct house *house); /* the core goes and comes back; time goes on */
bool house_until(struct house *house, bool (*done)(void *ctx), void *ctx); /* turns until done */
void house_settle(struct house *house);  /* turns until nothing is under way any more */
void house_sleep(struct house *house, int64_t ms); /* virtual time passes in steps, work is done in between */

void house_adapter_up(struct house *house);
void house_second_up(struct house *house); /* another adapter: "bridge" */
void house_link_up(struct house *house);   /* captured link "cloud": connected */
void actor_drop(struct actor *actor);
void actor_say(struct actor *actor, const struct wire_msg *msg);
const struct heard *actor_last(const struct actor *actor, uint8_t type); /* NULL: never heard */
size_t actor_count(const struct actor *actor, uint8_t type);

/* A device with these capabilities at address n; returns its identity once the registry knows it. */
struct house_cap {
	uint16_t id;
	uint8_t type, access;
};
struct device_id house_describe(struct house *house, uint8_t n, const char *name, const struct house_cap *caps, size_t n_caps);
struct device_id actor_describe(struct actor *adapter, uint8_t n, const char *name, const struct house_cap *caps, size_t n_caps);
struct device_id house_lamp(struct house *house, uint8_t n, const char *name);
struct device_id house_lock(struct house *house, uint8_t n, const char *name);
struct device_id house_sensor(struct house *house, uint8_t n, const char *name); /* temperature, contact */
void house_report(struct house *house, uint8_t n, uint16_t cap, struct value value);
void actor_report(struct actor *adapter, uint8_t n, uint16_t cap, struct value value);
void actor_joining(struct actor *adapter, uint8_t n, enum join_stage stage, const char *text);
void actor_gone(struct actor *adapter, uint8_t n, bool left);
void house_people(struct house *house);   /* owner "anna", member "ben" */
void house_bind(struct house *house, struct device_id id, uint32_t owner);
struct asker house_user(struct house *house, uint32_t user);
struct asker house_link_asker(struct house *house, const char *name);
int32_t house_allow(struct house *house, const struct policy_rule *rule); /* rule number */

struct outcome {
	bool done;
	enum result result;
	int32_t rule;
	char reason[160];
};
/* Runs it through the router and waits for its end. */
struct outcome house_command(struct house *house, const struct asker *asker, const struct command *command);
struct command house_set(struct device_id device, uint16_t cap, struct value value);
/* How many rows of this kind the record holds, and the last of them. */
size_t house_audit(struct house *house, uint16_t kind, struct audit_row *ret_last);
bool house_alarm(struct house *house, enum alarm_kind kind);
