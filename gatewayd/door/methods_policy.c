/* The household's access rules, as people write them: who, what, which action, from where, when. What a rule means is
 * policy/'s; here words become its fields and back (door/render), and "explain" shows how a question would be decided. */
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "door/when.h"

/* The part behind "prefix:", or NULL. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool bad(struct call *call, const char *field, const char *expected)
{
	call_field(call, field);
	call_fail(call, RESULT_BAD_VALUE, "expected %s", expected);
	return false;
}

static bool link_named(struct call *call, const char *name, uint32_t *ret)
{
	const struct conf *conf = *call_parts(call)->conf;
	for (size_t i = 0; i < conf->n_links; i++)
		if (strcmp(conf->links[i].name, name) == 0) {
			*ret = conf_link_number(name);
			return true;
		}
	return bad(call, "who", "the name of a link");
}

static bool take_who(struct call *call, const char *text, enum policy_who *ret_who, uint32_t *ret_id)
{
	const char *name;
	const struct user *user;
	enum role role;

	if (strcmp(text, "anybody") == 0) {
		*ret_who = WHO_ANY;
	} else if (strcmp(text, "owner-of-device") == 0) {
		*ret_who = WHO_OWNER;
	} else if ((name = behind(text, "user:"))) {
		user = user_find_name(call_parts(call)->people, name);
		if (!user)
			return bad(call, "who", "the name of a user");
		*ret_who = WHO_USER;
		*ret_id = user->id;
	} else if ((name = behind(text, "role:"))) {
		if (role_parse(name, &role) != 0 || role == ROLE_NONE)
			return bad(call, "who", "a role");
		*ret_who = WHO_ROLE;
		*ret_id = role;
	} else if ((name = behind(text, "link:"))) {
		*ret_who = WHO_LINK;
		return link_named(call, name, ret_id);
	} else if ((name = behind(text, "rule:"))) {
		*ret_who = WHO_RULE;
		if (text_to_u32(name, 1, UINT32_MAX, ret_id) != 0)
			return bad(call, "who", "the number of a rule");
	} else {
		return bad(call, "who", "anybody, owner-of-device, user:NAME, role:NAME, link:NAME or rule:NUMBER");
	}
	return true;
}

static bool take_what(struct call *call, const char *text, struct policy_rule *rule)
{
	const struct registry *registry = call_parts(call)->registry;
	const char *name;
	const struct device *device;
	const struct room *room;

	if (strcmp(text, "*") == 0) {
		rule->what = WHAT_ANY;
	} else if ((name = behind(text, "device:"))) {
		device = registry_find_name(registry, name);
		if (!device)
			return bad(call, "what", "the name or identity of a device");
		rule->what = WHAT_DEVICE;
		rule->device = device->id;
	} else if ((name = behind(text, "room:"))) {
		room = registry_room_named(registry, name);
		if (!room)
			return bad(call, "what", "the name of a room");
		rule->what = WHAT_ROOM;
		rule->room = room->id;
	} else if ((name = behind(text, "class:"))) {
		rule->what = WHAT_CLASS;
		if (data_class_parse(name, &rule->data_class) != 0)
			return bad(call, "what", "public, ordinary, personal or sensitive");
	} else {
		return bad(call, "what", "*, device:NAME, room:NAME or class:NAME");
	}
	return true;
}

static int parse_action(const char *text, unsigned *ret)
{
	enum action action;
	int r = action_parse(text, &action);
	if (r == 0)
		*ret = action;
	return r;
}

static int parse_loop(const char *text, unsigned *ret)
{
	for (unsigned i = 0; i < LOOPS; i++)
		if (strcmp(text, loop_kind_name((enum loop_kind)i)) == 0) {
			*ret = i;
			return 0;
		}
	return SUBJECT_E_SYNTAX;
}

static int parse_source(const char *text, unsigned *ret)
{
	enum source_kind source;
	int r = source_kind_parse(text, &source);
	if (r == 0)
		*ret = source;
	return r;
}

/* A list of words as bits; absent: preset. */
static bool take_bits(struct call *call, const struct json *params, const char *key, int (*parse)(const char *text, unsigned *ret),
		      unsigned preset, uint8_t *ret)
{
	const struct json *list = json_get(params, key);
	unsigned bits = 0, bit;
	*ret = (uint8_t)preset;
	if (!list)
		return true;
	for (size_t i = 0; i < json_len(list); i++) {
		const char *word = json_text(json_at(list, i), NULL);
		if (!word || parse(word, &bit) != 0)
			return bad(call, key, "a list of the words that docs/spec/door.md names");
		bits |= 1u << bit;
	}
	*ret = (uint8_t)bits;
	return true;
}

static bool take_windows(struct call *call, const struct json *params, struct policy_rule *rule)
{
	const struct json *list = json_get(params, "windows");
	for (size_t i = 0; i < json_len(list); i++) {
		const char *text = json_text(json_at(list, i), NULL);
		if (!text || when_parse_window(text, &rule->windows[i]) != 0)
			return bad(call, "windows", "texts such as \"07:00-22:30\" or \"mon-fri 07:00-22:30\"");
		rule->n_windows++;
	}
	return true;
}

static bool take_risk(struct call *call, const struct json *params, enum risk *ret)
{
	const char *text = json_get_text(params, "risk_max");
	*ret = RISK_HIGH;
	if (!text)
		return true;
	for (int i = RISK_LOW; i <= RISK_HIGH; i++)
		if (strcmp(text, risk_name((enum risk)i)) == 0) {
			*ret = (enum risk)i;
			return true;
		}
	return bad(call, "risk_max", "low, raised or high");
}

/* What is meant when nothing is said: a link's rule is for links, everybody else's for doors and rules; a denial is for all. */
static unsigned usual_sources(const struct policy_rule *rule)
{
	unsigned links = 1u << SOURCE_LINK_HOME | 1u << SOURCE_LINK_CLOUD, all = (1u << SOURCES) - 1;
	if (rule->who == WHO_LINK)
		return links;
	if (rule->who == WHO_RULE)
		return 1u << SOURCE_RULE;
	return rule->effect == POLICY_DENY ? all : all & ~links;
}

static bool take_rule(struct call *call, const struct json *params, struct policy_rule *rule)
{
	enum { USUAL_ACTIONS = 1u << ACTION_READ | 1u << ACTION_OBSERVE | 1u << ACTION_COMMAND };
	const char *effect = json_get_text(params, "effect"), *note = json_get_text(params, "note");
	if (strcmp(effect, "allow") != 0 && strcmp(effect, "deny") != 0)
		return bad(call, "effect", "allow or deny");
	rule->effect = effect[0] == 'a' ? POLICY_ALLOW : POLICY_DENY;
	text_copy(rule->note, sizeof(rule->note), note ? note : "");
	if (!take_who(call, json_get_text(params, "who"), &rule->who, &rule->who_id) || !take_what(call, json_get_text(params, "what"), rule))
		return false;
	if (json_get(params, "capability") && !call_capability(call, params, "capability", &rule->cap))
		return false;
	return take_bits(call, params, "actions", parse_action, USUAL_ACTIONS, &rule->actions) &&
	       take_bits(call, params, "loops", parse_loop, (1u << LOOPS) - 1, &rule->loops) &&
	       take_bits(call, params, "sources", parse_source, usual_sources(rule), &rule->sources) && take_windows(call, params, rule) &&
	       take_risk(call, params, &rule->risk_max);
}

static void on_changed(void *ctx, int r, int32_t id, const char *error)
{
	struct call *call = ctx;
	if (r == 0) {
		struct json *result = json_new_object();
		json_set_i64(result, "id", id);
		call_answer(call, result);
	} else if (r == RULEBOOK_E_UNKNOWN) {
		call_fail(call, RESULT_NOT_FOUND, "there is no rule of this number");
	} else if (r == POLICY_E_CROWDED || r == POLICY_E_RULE) {
		call_fail(call, r == POLICY_E_RULE ? RESULT_BAD_VALUE : RESULT_CONFLICT, "%s", error ? error : "the rule cannot stand");
	} else {
		call_fail_errno(call, r, "changing the rules");
	}
}

void method_policy_add(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_RULE_ADD);
	struct policy_rule rule = { 0 };
	char error[160];
	if (!take_rule(call, params, &rule))
		return;
	if (policy_rule_check(&rule, error, sizeof(error)) != 0)
		call_fail(call, RESULT_BAD_VALUE, "%s", error);
	else
		rulebook_add(call_parts(call)->rulebook, &rule, &record, on_changed, call);
}

void method_policy_remove(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_RULE_REMOVE);
	rulebook_remove(call_parts(call)->rulebook, (int32_t)param_i64(params, "id", 0), &record, on_changed, call);
}

void method_policy_list(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	const struct policy_snapshot *snapshot = rulebook_snapshot(parts->rulebook);
	struct json *result = json_new_object(), *list = json_new_array();
	int64_t after = param_i64(params, "after", 0), last = 0;
	const struct policy_rule *rule;
	bool begun = after == 0, full = false;
	size_t used = 0;

	for (size_t i = 0; !full && (rule = policy_rule_at(snapshot, i)); i++) {
		if (!begun) {
			begun = rule->id == after;
			continue;
		}
		full = !budget_push(&used, list, render_policy_rule(rule, *parts->conf, parts->registry, parts->people));
		last = full ? last : rule->id;
	}
	json_set(result, "rules", list);
	if (full)
		json_set_i64(result, "next", last);
	call_answer(call, result);
}

/* Explaining */

static bool asker_of(struct call *call, const char *text, struct asker *ret)
{
	const struct door_parts *parts = call_parts(call);
	const struct automation_rule *rule;
	const struct user *user = NULL;
	enum policy_who who = WHO_ANY;
	uint32_t id = 0;

	if (!take_who(call, text, &who, &id))
		return false;
	*ret = (struct asker){ .loop = LOOP_SMALL, .source = SOURCE_DOOR, .name = text };
	if (who == WHO_USER) {
		user = user_find(parts->people, id);
		ret->subject = (struct subject){ SUBJECT_USER, id };
		ret->role = user ? user->role : ROLE_NONE;
	} else if (who == WHO_LINK) {
		const struct conf_link *link = conf_link(*parts->conf, id);
		bool home = link && link->home;
		ret->subject = (struct subject){ SUBJECT_LINK, id };
		ret->source = home ? SOURCE_LINK_HOME : SOURCE_LINK_CLOUD;
		ret->loop = home ? LOOP_SMALL : LOOP_BIG;
	} else if (who == WHO_RULE) {
		for (size_t i = 0; (rule = automation_at(router_automation(parts->router), i)); i++)
			if (rule->id == id)
				user = user_find(parts->people, rule->owner);
		if (!user)
			return bad(call, "who", "the number of a rule");
		ret->subject = (struct subject){ SUBJECT_RULE, id };
		ret->role = user->role;
		ret->behalf_user = user->id;
		ret->source = SOURCE_RULE;
	} else {
		return bad(call, "who", "user:NAME, link:NAME or rule:NUMBER");
	}
	return true;
}

static bool take_way(struct call *call, const struct json *params, struct asker *asker)
{
	const char *loop = json_get_text(params, "loop"), *source = json_get_text(params, "source");
	unsigned word;
	if (loop) {
		if (parse_loop(loop, &word) != 0)
			return bad(call, "loop", "small or big");
		asker->loop = (enum loop_kind)word;
	}
	if (source && source_kind_parse(source, &asker->source) != 0)
		return bad(call, "source", "door, api, link-home, link-cloud or rule");
	return true;
}

static struct json *trace_json(const struct door_parts *parts, const struct policy_trace *trace, size_t n)
{
	const struct policy_snapshot *snapshot = rulebook_snapshot(parts->rulebook);
	struct json *list = json_new_array();
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *rule = policy_rule_find(snapshot, trace[i].rule);
		struct json *item = rule ? render_policy_rule(rule, *parts->conf, parts->registry, parts->people) : json_new_object();
		json_set_bool(item, "matched", trace[i].matched);
		json_set_text(item, "why_not", trace[i].why_not);
		json_push(list, item);
	}
	return list;
}

static struct json *facts_json(const struct policy_question *q)
{
	struct json *facts = json_new_object();
	char at[WHEN_TEXT_MAX];
	when_print_days((uint8_t)(1u << q->day), at);
	text_append(at, sizeof(at), " %02u:%02u", q->minute / 60, q->minute % 60);
	json_set_text(facts, "role", role_name(q->role));
	json_set_bool(facts, "bound", q->bound);
	json_set_text(facts, "class", data_class_name(q->data_class));
	json_set_text(facts, "risk", risk_name(q->risk));
	json_set_text(facts, "loop", loop_kind_name(q->loop));
	json_set_text(facts, "source", source_kind_name(q->source));
	json_set_text(facts, "at", at);
	json_set_bool(facts, "time_trusted", q->time_trusted);
	return facts;
}

void method_policy_explain(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	const struct device *device = registry_find_name(parts->registry, json_get_text(params, "device"));
	const char *word = json_get_text(params, "action"), *at = json_get_text(params, "at");
	struct policy_trace trace[POLICY_CANDIDATES_MAX];
	struct policy_question question;
	struct policy_verdict verdict;
	enum action action = ACTION_COMMAND;
	uint16_t cap = 0;
	struct asker asker;

	if (!device) {
		call_field(call, "device");
		call_fail(call, RESULT_UNKNOWN_DEVICE, "%s", result_text(RESULT_UNKNOWN_DEVICE));
		return;
	}
	if (!asker_of(call, json_get_text(params, "who"), &asker) || !take_way(call, params, &asker))
		return;
	if (word && action_parse(word, &action) != 0) {
		bad(call, "action", "read, observe, command or configure");
		return;
	}
	if ((action != ACTION_CONFIGURE || json_get(params, "capability")) && !call_capability(call, params, "capability", &cap))
		return;
	router_question(parts->router, &asker, device, cap, action, &question);
	if (at && when_parse_moment(at, &question.day, &question.minute) != 0) {
		bad(call, "at", "a day and a time such as \"tue 07:30\"");
		return;
	}
	if (at)
		question.time_trusted = true;
	size_t n = policy_explain(rulebook_snapshot(parts->rulebook), &question, &verdict, trace);
	bool shared = asker.subject.kind != SUBJECT_LINK || router_link_shares(parts->router, asker.subject.id, device, cap);
	struct json *result = json_new_object();
	json_set_bool(result, "allowed", verdict.allowed && shared);
	json_set_i64(result, "rule", verdict.rule);
	json_set_text(result, "because", !shared ? "the link's share list does not name it" :
					 verdict.rule == 0 ? "no rule matches: what no rule allows is denied" :
					 verdict.allowed ? "this rule allows it and none denies it" : "this rule denies it");
	json_set(result, "facts", facts_json(&question));
	json_set(result, "rules", trace_json(parts, trace, n));
	call_answer(call, result);
}
