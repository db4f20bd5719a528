#pragma once
/* knock - a client at the house's door: asks by method and parameters as text, gets the answer, keeps the events.
 *
 *	struct knock anna;
 *	knock_open(&anna, &house);
 *	knock_login(&anna, "anna");
 *	knock(&anna, "device.get", "{'device':'lamp'}");   ' stands for "
 *	check_text(knock_code(&anna), "ok");               "ok", or the error's code
 */
#include "house.h"

enum { KNOCK_EVENTS_MAX = 256 };
struct knock {
	struct house *house;
	struct packet_conn *conn;
	char token[TOKEN_TEXT_MAX];
	int64_t id;
	struct json *answer; /* the whole of it */
	size_t n_answers;    /* of all requests */
	char events[KNOCK_EVENTS_MAX][24];
	size_t n_events;
	bool closed;
};
void knock_open(struct knock *knock, struct house *house);
void knock_close(struct knock *knock);
/* Sends it and waits for its answer. */
void knock(struct knock *knock, const char *method, const char *params);
void knock_send(struct knock *knock, const char *method, const char *params); /* and does not wait */
void knock_raw(struct knock *knock, const void *data, size_t len);            /* and waits for one answer more */
void knock_login(struct knock *knock, const char *user);                      /* with the house's password */
/* Opens a join window with a code of his; "ok", or the error's code. more: further parameters, each with its comma in front. */
const char *knock_window(struct knock *knock, const char *adapter, const char *more);
const struct json *knock_status(struct knock *knock, size_t adapter);         /* its row of join.status */
const char *knock_code(const struct knock *knock);                            /* of the last answer */
const struct json *knock_result(const struct knock *knock);
const char *knock_text(const struct knock *knock, const char *key);           /* of the result */
size_t knock_heard(const struct knock *knock, const char *event);

/* A house in which two people knock: anna, who owns it, and ben, a member. Set-up and tear-down of a cmocka test. */
struct couple {
	struct house house;
	struct knock anna, ben;
};
int couple_setup(void **state);
int couple_teardown(void **state);
void couple_of_owners(struct couple *couple); /* ben is an owner, too, from now on */
