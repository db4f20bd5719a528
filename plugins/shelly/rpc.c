/* Frames by their members (shelly-api-docs, Gen2, RPC Protocol), errors by a table. */
#include "shelly/rpc.h"

#include <string.h>
#include "base/text.h"

static const char *text_of(const struct json *json, const char *key)
{
	const char *text = json_get_text(json, key);

	return text && strlen(text) <= RPC_NAME_MAX ? text : "";
}

struct notice {
	const char *method;
	enum rpc_kind kind;
};
static const struct notice notices[] = {
	{ "NotifyStatus", RPC_STATUS },
	{ "NotifyFullStatus", RPC_FULL_STATUS },
	{ "NotifyEvent", RPC_EVENT },
};

static int read_notice(const struct json *tree, struct rpc_message *ret)
{
	const char *method = json_get_text(tree, "method");

	ret->kind = RPC_OTHER;
	for (size_t i = 0; i < N_ELEMENTS(notices); i++) {
		if (text_equal(notices[i].method, method))
			ret->kind = notices[i].kind;
	}
	if (ret->kind == RPC_OTHER)
		return 0;
	ret->body = json_get(tree, "params");
	return json_kind(ret->body) == JSON_OBJECT ? 0 : RPC_E_TYPE;
}

static int read_error(const struct json *error, struct rpc_message *ret)
{
	const char *text = json_get_text(error, "message");

	ret->kind = RPC_ERROR;
	ret->text = text ? text : "";
	return json_to_i64(json_get(error, "code"), &ret->code) ? 0 : RPC_E_TYPE;
}

static int read_tree(const struct json *tree, struct rpc_message *ret)
{
	const struct json *error = json_get(tree, "error"), *result = json_get(tree, "result");

	if (json_kind(tree) != JSON_OBJECT)
		return RPC_E_TYPE;
	ret->src = text_of(tree, "src");
	ret->dst = text_of(tree, "dst");
	ret->text = "";
	if (json_get_text(tree, "method"))
		return read_notice(tree, ret);
	if (!json_to_i64(json_get(tree, "id"), &ret->id) || !error == !result)
		return RPC_E_TYPE;
	if (error)
		return read_error(error, ret);
	ret->kind = RPC_RESULT;
	ret->body = json_kind(result) == JSON_NULL ? NULL : result;
	return 0;
}

int rpc_read(const void *data, size_t len, struct rpc_message *ret)
{
	struct rpc_message message = { 0 };
	int r = json_parse(data, len, RPC_BYTES_MAX, RPC_DEPTH_MAX, NULL, 0, &message.tree);

	if (r)
		return r == JSON_E_SIZE ? RPC_E_SIZE : RPC_E_MALFORMED;
	r = read_tree(message.tree, &message);
	if (r)
		json_free(message.tree);
	else
		*ret = message;
	return r;
}

void rpc_message_deinit(struct rpc_message *message)
{
	json_free(message->tree);
	*message = (struct rpc_message){ 0 };
}

int rpc_write(int64_t id, const char *src, const char *method, struct json *params, struct json *auth, char **ret, size_t *ret_len)
{
	struct json *frame = json_new_object();
	int r;

	json_set_i64(frame, "id", id);
	json_set_text(frame, "src", src);
	json_set_text(frame, "method", method);
	if (params)
		json_set(frame, "params", params);
	if (auth)
		json_set(frame, "auth", auth);
	r = json_print(frame, ret, ret_len);
	json_free(frame);
	return r;
}

struct outcome {
	int64_t code;
	int status;
};
/* Errors as the Gen2 documentation numbers them; what is not here is plain failure. */
static const struct outcome outcomes[] = {
	{ -103, GWA_BAD_VALUE },   /* invalid argument */
	{ -104, GWA_TIMEOUT },	   /* deadline exceeded */
	{ -105, GWA_UNSUPPORTED }, /* no such component */
	{ -108, GWA_BUSY },	   /* resource exhausted */
	{ -114, GWA_UNREACHABLE }, /* unavailable */
	{ 404, GWA_UNSUPPORTED },  /* no such method */
	{ 429, GWA_BUSY },
	{ 503, GWA_BUSY },
};

int rpc_outcome(int64_t code)
{
	for (size_t i = 0; i < N_ELEMENTS(outcomes); i++) {
		if (outcomes[i].code == code)
			return outcomes[i].status;
	}
	return GWA_FAILED;
}

bool rpc_mac_of(const char *id, size_t len, uint8_t ret[6])
{
	const char *dash = memrchr(id, '-', len);
	size_t rest = dash ? len - (size_t)(dash + 1 - id) : 0;

	return rest == 12 && !hex_parse(dash + 1, rest, ret, 6);
}

/* Words for people: what could disturb a terminal or a topic is a space. Empty when it is no text at all. */
static void take_words(char ret[GWA_TEXT_MAX + 1], const char *text)
{
	text_copy(ret, GWA_TEXT_MAX + 1, text && text_is_utf8(text, strlen(text)) ? text : "");
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("+#/$", *p))
			*p = ' ';
	}
}

int rpc_info_read(const struct json *result, struct rpc_info *ret)
{
	const char *mac = json_get_text(result, "mac"), *id = json_get_text(result, "id"), *app = json_get_text(result, "app");
	struct rpc_info info = { 0 };
	int64_t generation = 0;

	if (!mac || hex_parse(mac, strlen(mac), info.mac, 6) || !id || !id[0] || !text_is_utf8(id, strlen(id)) ||
	    !text_copy(info.id, sizeof(info.id), id))
		return RPC_E_TYPE;
	if (!json_to_i64(json_get(result, "gen"), &generation) || generation < 2 || generation > 99)
		return RPC_E_GENERATION;
	info.generation = (unsigned)generation;
	take_words(info.name, json_get_text(result, "name"));
	take_words(info.model, app && app[0] ? app : json_get_text(result, "model"));
	take_words(info.firmware, json_get_text(result, "ver"));
	(void)json_to_bool(json_get(result, "auth_en"), &info.wants_password);
	*ret = info;
	return 0;
}
