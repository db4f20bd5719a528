/* The core has put the wish on record before anything is said here; it has no connection to the broker itself. The password
 * of the new account is made here, told to the broker and to the person, and kept by neither of us. */
#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "ctl/broker.h"
#include "ctl/perform.h"
#include "ctl/run.h"
#include "sys/crypto.h"
#include "sys/host.h"

enum { PASSWORD_BYTES = 24, WAIT_S = 10, TURN_MS = 100, ANSWER_MAX = 65536, ANSWER_DEPTH = 8 };
static const char control_topic[] = "$CONTROL/dynamic-security/v1";
static const char answer_topic[] = "$CONTROL/dynamic-security/v1/response";

static void add_acl(struct json *acls, const char *type, bool allow, const char *fmt, ...) printf_like(4, 5);
static void add_acl(struct json *acls, const char *type, bool allow, const char *fmt, ...)
{
	struct json *acl = json_new_object();
	char topic[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(topic, sizeof(topic), fmt, args);
	va_end(args);
	json_set_text(acl, "acltype", type);
	json_set_text(acl, "topic", topic);
	json_set_i64(acl, "priority", allow ? 0 : 100); /* what is forbidden stands before what is allowed */
	json_set_bool(acl, "allow", allow);
	json_push(acls, acl);
}

static void add_prefix_acls(struct json *acls, const char *name)
{
	static const char *const orders[] = { "set", "set/#", "get", "get/#" };
	for (size_t i = 0; i < N_ELEMENTS(orders); i++)
		add_acl(acls, "publishClientSend", false, "%s/%s", name, orders[i]);
	add_acl(acls, "publishClientSend", true, "%s", name);
	add_acl(acls, "publishClientSend", true, "%s/#", name);
	for (size_t i = 0; i < N_ELEMENTS(orders); i++) {
		add_acl(acls, "subscribePattern", true, "%s/%s", name, orders[i]);
		add_acl(acls, "publishClientReceive", true, "%s/%s", name, orders[i]);
	}
}

static void add_tasmota_acls(struct json *acls, const char *name, const char *mac)
{
	add_acl(acls, "publishClientSend", true, "tele/%s/#", name);
	add_acl(acls, "publishClientSend", true, "stat/%s/#", name);
	add_acl(acls, "publishClientSend", true, "tasmota/discovery/%s/config", mac);
	add_acl(acls, "publishClientSend", true, "tasmota/discovery/%s/sensors", mac);
	add_acl(acls, "subscribePattern", true, "cmnd/%s/#", name);
	add_acl(acls, "publishClientReceive", true, "cmnd/%s/#", name);
	add_acl(acls, "subscribePattern", true, "cmnd/tasmotas/#");
	add_acl(acls, "publishClientReceive", true, "cmnd/tasmotas/#");
}

/* Its discovery topics have its name, so that it cannot describe another one. */
static void add_discovery_acls(struct json *acls, const char *name)
{
	static const char *const orders[] = { "+/command", "+/+/command", "+/+/+/command" };
	for (size_t i = 0; i < N_ELEMENTS(orders); i++)
		add_acl(acls, "publishClientSend", false, "%s/%s", name, orders[i]);
	add_acl(acls, "publishClientSend", true, "%s/#", name);
	add_acl(acls, "publishClientSend", true, "discovery/+/%s/+/config", name);
	add_acl(acls, "publishClientSend", true, "discovery/device/%s/config", name);
	for (size_t i = 0; i < N_ELEMENTS(orders); i++) {
		add_acl(acls, "subscribePattern", true, "%s/%s", name, orders[i]);
		add_acl(acls, "publishClientReceive", true, "%s/%s", name, orders[i]);
	}
}

static void add_shelly_acls(struct json *acls, const char *name)
{
	static const char *const orders[] = { "rpc", "command", "command/#" };
	for (size_t i = 0; i < N_ELEMENTS(orders); i++)
		add_acl(acls, "publishClientSend", false, "%s/%s", name, orders[i]);
	add_acl(acls, "publishClientSend", true, "%s/#", name);
	add_acl(acls, "publishClientSend", true, "gateway-rpc/%s/rpc", name);
	for (size_t i = 0; i < N_ELEMENTS(orders); i++) {
		add_acl(acls, "subscribePattern", true, "%s/%s", name, orders[i]);
		add_acl(acls, "publishClientReceive", true, "%s/%s", name, orders[i]);
	}
	add_acl(acls, "subscribePattern", true, "shellies/command");
	add_acl(acls, "publishClientReceive", true, "shellies/command");
}

static struct json *add_command(struct json *list, const char *command)
{
	struct json *object = json_new_object();
	char number[16];
	text_print(number, sizeof(number), "%zu", json_len(list) + 1);
	json_set_text(object, "command", command);
	json_set_text(object, "correlationData", number);
	json_push(list, object);
	return object;
}

struct json *broker_add_request(const char *name, enum broker_kind kind, const char *mac, const char *password)
{
	struct json *request = json_new_object(), *list = json_new_array(), *acls = json_new_array();
	struct json *roles = json_new_array(), *role = json_new_object();
	char role_name[80];
	text_print(role_name, sizeof(role_name), "device-%s", name);
	struct json *make_role = add_command(list, "createRole");
	json_set_text(make_role, "rolename", role_name);
	if (kind == BROKER_TASMOTA)
		add_tasmota_acls(acls, name, mac);
	else if (kind == BROKER_DISCOVERY)
		add_discovery_acls(acls, name);
	else if (kind == BROKER_SHELLY)
		add_shelly_acls(acls, name);
	else
		add_prefix_acls(acls, name);
	json_set(make_role, "acls", acls);
	struct json *make_client = add_command(list, "createClient");
	json_set_text(make_client, "username", name);
	json_set_text(make_client, "password", password);
	json_set_text(role, "rolename", role_name);
	json_set_i64(role, "priority", 0);
	json_push(roles, role);
	json_set(make_client, "roles", roles);
	json_set(request, "commands", list);
	return request;
}

struct json *broker_remove_request(const char *name)
{
	struct json *request = json_new_object(), *list = json_new_array();
	char role_name[80];
	text_print(role_name, sizeof(role_name), "device-%s", name);
	json_set_text(add_command(list, "deleteClient"), "username", name);
	json_set_text(add_command(list, "deleteRole"), "rolename", role_name);
	json_set(request, "commands", list);
	return request;
}

int broker_judge(const struct json *answer, size_t n_commands, char *error, size_t error_cap)
{
	const struct json *list = json_get(answer, "responses");
	for (size_t i = 0; i < json_len(list); i++) {
		const char *why = json_get_text(json_at(list, i), "error"), *command = json_get_text(json_at(list, i), "command");
		if (why) {
			text_print(error, error_cap, "the broker says of %s: %s", command ? command : "it", why);
			return BROKER_E_REFUSED;
		}
	}
	if (json_len(list) == n_commands)
		return 0;
	text_print(error, error_cap, "the broker answered something else");
	return BROKER_E_REFUSED;
}

struct talk {
	struct json *answer;
	bool subscribed, refused;
};

static void on_connect(struct mosquitto *mosq, void *ctx, int code)
{
	struct talk *talk = ctx;
	if (code != 0 || mosquitto_subscribe(mosq, NULL, answer_topic, 1) != MOSQ_ERR_SUCCESS)
		talk->refused = true;
}

static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int n, const int *granted)
{
	struct talk *talk = ctx;
	(void)mosq;
	(void)mid;
	talk->subscribed = n == 1 && granted[0] < 3;
	talk->refused |= !talk->subscribed;
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
	struct talk *talk = ctx;
	(void)mosq;
	if (!talk->answer && strcmp(message->topic, answer_topic) == 0 && message->payloadlen > 0)
		(void)!json_parse(message->payload, (size_t)message->payloadlen, ANSWER_MAX, ANSWER_DEPTH, NULL, 0, &talk->answer);
}

/* Turns until done says so. */
static int turn_until(struct mosquitto *mosq, struct talk *talk, bool (*done)(const struct talk *talk))
{
	time_t until = time(NULL) + WAIT_S;
	while (!done(talk) && !talk->refused) {
		if (time(NULL) > until)
			return BROKER_E_LATE;
		if (mosquitto_loop(mosq, TURN_MS, 1) != MOSQ_ERR_SUCCESS)
			return -ECONNRESET;
	}
	return talk->refused ? -EACCES : 0;
}

static bool is_subscribed(const struct talk *talk)
{
	return talk->subscribed;
}

static bool is_answered(const struct talk *talk)
{
	return talk->answer != NULL;
}

static int talk_over(struct mosquitto *mosq, struct talk *talk, const char *socket, const struct json *request)
{
	char *text = NULL;
	size_t len = 0;
	/* A path and port 0: a unix socket. */
	if (mosquitto_connect(mosq, socket, 0, WAIT_S) != MOSQ_ERR_SUCCESS)
		return -ECONNREFUSED;
	int r = turn_until(mosq, talk, is_subscribed);
	if (r == 0)
		r = json_print(request, &text, &len);
	if (r == 0 && mosquitto_publish(mosq, NULL, control_topic, (int)len, text, 1, false) != MOSQ_ERR_SUCCESS)
		r = -ECONNRESET;
	if (text)
		crypto_wipe(text, len);
	free(text);
	return r == 0 ? turn_until(mosq, talk, is_answered) : r;
}

int broker_ask(const char *socket, const char *user, const char *password, const struct json *request, char *error, size_t error_cap)
{
	struct talk talk = { 0 };
	mosquitto_lib_init();
	struct mosquitto *mosq = mosquitto_new(NULL, true, &talk);
	int r = mosq && mosquitto_username_pw_set(mosq, user, password) == MOSQ_ERR_SUCCESS ? 0 : -ENOMEM;
	if (r == 0) {
		mosquitto_connect_callback_set(mosq, on_connect);
		mosquitto_subscribe_callback_set(mosq, on_subscribe);
		mosquitto_message_callback_set(mosq, on_message);
		r = talk_over(mosq, &talk, socket, request);
	}
	if (r == 0)
		r = broker_judge(talk.answer, json_len(json_get(request, "commands")), error, error_cap);
	else
		text_print(error, error_cap, "%s",
			   r == BROKER_E_LATE	 ? "the broker does not answer" :
			   r == -EACCES		 ? "the broker does not accept its admin account" :
			   r == -ECONNREFUSED	 ? "no broker listens at its socket" :
						   strerror(-r));
	json_free(talk.answer);
	mosquitto_destroy(mosq);
	mosquitto_lib_cleanup();
	return r;
}

/* Recorded by the gateway, then told to the broker. 0, or an exit code after the reason was said. */
static int record_and_tell(struct run *run, const char *verb, const char *name, const struct json *request)
{
	struct json *params = json_new_object(), *where = NULL;
	char error[240] = "", *password = NULL;
	size_t len = 0;
	json_set_text(params, "verb", verb);
	json_set_text(params, "name", name);
	int r = run_call(run, "broker.client", params, &where);
	if (r != 0)
		return r;
	const char *file = json_get_text(where, "password_file");
	r = host_read_file(file, 1024, &password, &len);
	if (r != 0) {
		run_complain(run, "%s cannot be read: run this as the user who may", file);
	} else {
		password[strcspn(password, "\n")] = 0;
		r = broker_ask(json_get_text(where, "socket"), json_get_text(where, "user"), password, request, error, sizeof(error));
		if (r != 0)
			run_complain(run, "%s", error);
		crypto_wipe(password, len);
	}
	free(password);
	json_free(where);
	return r == 0 ? 0 : EXIT_REFUSED;
}

static bool is_mac(const char *text)
{
	uint8_t mac[6];
	return text && hex_parse(text, strlen(text), mac, sizeof(mac)) == 0;
}

static bool take_kind(struct run *run, const struct json *params, enum broker_kind *ret_kind, const char **ret_mac)
{
	const char *kind = json_get_text(params, "kind"), *mac = json_get_text(params, "mac");
	*ret_mac = NULL;
	*ret_kind = BROKER_PREFIX;
	if (!kind || strcmp(kind, "prefix") == 0)
		return true;
	*ret_kind = BROKER_DISCOVERY;
	if (strcmp(kind, "discovery") == 0)
		return true;
	*ret_kind = BROKER_SHELLY;
	if (strcmp(kind, "shelly") == 0)
		return true;
	*ret_kind = BROKER_TASMOTA;
	*ret_mac = mac;
	if (strcmp(kind, "tasmota") == 0 && is_mac(mac))
		return true;
	run_complain(run, "kind is prefix, discovery, shelly, or tasmota with mac=112233445566");
	return false;
}

int perform_broker_add(struct run *run, const struct command *command, struct json *params)
{
	uint8_t random[PASSWORD_BYTES];
	char password[BASE64URL_CAP(PASSWORD_BYTES)];
	const char *mac, *name = json_get_text(params, "name");
	enum broker_kind kind;
	if (!take_kind(run, params, &kind, &mac)) {
		json_free(params);
		return EXIT_USAGE;
	}
	crypto_random(random, sizeof(random));
	base64url_print(random, sizeof(random), password, sizeof(password));
	struct json *request = broker_add_request(name, kind, mac, password);
	int r = record_and_tell(run, "add", name, request);
	if (r == 0) {
		struct json *told = json_new_object();
		json_set_text(told, "name", name);
		json_set_text(told, "password", password);
		if (!run->json)
			fprintf(run->out, "User      %s\nPassword  %s\nIt is not shown again.\n", name, password);
		run_show(run, command, told);
		json_free(told);
	}
	crypto_wipe(random, sizeof(random));
	crypto_wipe(password, sizeof(password));
	json_free(request);
	json_free(params);
	return r;
}

int perform_broker_remove(struct run *run, const struct command *command, struct json *params)
{
	const char *name = json_get_text(params, "name");
	struct json *request = broker_remove_request(name);
	int r = record_and_tell(run, "remove", name, request);
	(void)command;
	json_free(request);
	json_free(params);
	return r;
}
