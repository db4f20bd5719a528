/* Who is there: the first owner, sessions, users. Passwords come in as JSON text on a socket that the kernel guards; what held
 * them is wiped when the call ends (door.c), and people/ keeps its own copy guarded until it is hashed. */
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"

static void record_root(struct audit_record *record)
{
	record->subject = (struct subject){ SUBJECT_SYSTEM, 0 };
	record->subject_name = "root";
}

void method_setup(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_SETUP);
	record_root(&record);
	user_add(call_parts(call)->people, json_get_text(params, "name"), ROLE_OWNER, json_get_text(params, "password"), &record,
		 call_people_done, call);
}

void method_recovery(struct call *call, const struct json *params)
{
	struct people *people = call_parts(call)->people;
	const struct user *user = call_user(call, params, "user");
	if (!user)
		return;
	if (user->role != ROLE_OWNER) {
		call_fail(call, RESULT_CONFLICT, "this is no owner: an owner can help");
		return;
	}
	struct audit_record record = call_record(call, AUDIT_RECOVERY);
	record_root(&record);
	(void)people_unlock(people, user->name);
	user_set_password(people, user->id, json_get_text(params, "password"), &record, call_people_done, call);
}

static void on_login(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	if (r != 0) {
		call_people_done(call, r);
		return;
	}
	struct people *people = call_parts(call)->people;
	if (call_is_gone(call)) {
		session_end(people, session->number, "its client went away");
		call_answer(call, NULL);
		return;
	}
	int64_t now = loop_now_ms(call_parts(call)->loop);
	const struct user *user = user_find(people, session->user);
	struct json *result = json_new_object();
	json_set_text(result, "token", token);
	json_set_text(result, "user", user ? user->name : NULL);
	json_set_text(result, "role", user ? role_name(user->role) : NULL);
	json_set_i64(result, "number", (int64_t)session->number);
	json_set_i64(result, "idle_s", (session->idle_ms - now) / 1000);
	json_set_i64(result, "ends_in_s", (session->absolute_ms - now) / 1000);
	call_answer(call, result);
}

void method_login(struct call *call, const struct json *params)
{
	call_is_recorded(call); /* people/login knows the reason, and who was tried */
	people_login(call_parts(call)->people, json_get_text(params, "user"), json_get_text(params, "password"), SOURCE_DOOR,
		     call_asker(call)->addr, call_token(call), on_login, call);
}

void method_logout(struct call *call, const struct json *params)
{
	(void)params;
	session_end_on_record(call_parts(call)->people, call_session(call)->number, "logout", call_people_done, call);
}

static bool is_owner(const struct call *call)
{
	return call_asker(call)->role == ROLE_OWNER;
}

void method_session_list(struct call *call, const struct json *params)
{
	const struct people *people = call_parts(call)->people;
	struct json *result = json_new_object(), *list = json_new_array();
	const struct session *session;
	(void)params;
	for (size_t i = 0; (session = session_at(people, i)); i++) {
		if (!is_owner(call) && session->user != call_asker(call)->subject.id)
			continue;
		struct json *item = render_session(session, people, loop_now_ms(call_parts(call)->loop));
		json_set_bool(item, "this", session->number == call_session(call)->number);
		json_push(list, item);
	}
	json_set(result, "sessions", list);
	call_answer(call, result);
}

void method_session_end(struct call *call, const struct json *params)
{
	uint64_t number = (uint64_t)param_i64(params, "number", 0);
	const struct session *session = session_find(call_parts(call)->people, number);
	if (!session || (!is_owner(call) && session->user != call_asker(call)->subject.id)) {
		call_fail(call, RESULT_NOT_FOUND, "there is no such session");
		return;
	}
	session_end_on_record(call_parts(call)->people, number, "ended by hand", call_people_done, call);
}

void method_user_list(struct call *call, const struct json *params)
{
	const struct people *people = call_parts(call)->people;
	struct json *result = json_new_object(), *list = json_new_array();
	const struct user *user;
	(void)params;
	for (size_t i = 0; (user = user_at(people, i)); i++)
		json_push(list, render_user(user));
	json_set(result, "users", list);
	call_answer(call, result);
}

static bool role_of(struct call *call, const struct json *params, enum role *ret)
{
	if (role_parse(json_get_text(params, "role"), ret) == 0 && *ret != ROLE_NONE)
		return true;
	call_field(call, "role");
	call_fail(call, RESULT_BAD_VALUE, "a role is owner, member, guest, installer or auditor");
	return false;
}

void method_user_add(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_USER_ADD);
	enum role role;
	if (!role_of(call, params, &role))
		return;
	record.detail = role_name(role);
	user_add(call_parts(call)->people, json_get_text(params, "name"), role, json_get_text(params, "password"), &record, call_people_done,
		 call);
}

void method_user_set_role(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_USER_CHANGE);
	enum role role;
	const struct user *user = call_user(call, params, "user");
	if (!user || !role_of(call, params, &role))
		return;
	record.detail = role_name(role);
	user_set_role(call_parts(call)->people, user->id, role, &record, call_people_done, call);
}

static void set_password(struct call *call, const char *name)
{
	struct audit_record record = call_record(call, AUDIT_PASSWORD);
	const struct user *user = user_find_name(call_parts(call)->people, name);
	const char *password = json_get_text(json_get(call_request(call), "params"), "password");
	if (user)
		user_set_password(call_parts(call)->people, user->id, password, &record, call_people_done, call);
	else
		call_people_done(call, PEOPLE_E_UNKNOWN);
}

static void on_old_password(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	(void)session;
	(void)token;
	if (r != 0)
		call_people_done(call, r);
	else
		set_password(call, call_asker(call)->name);
}

/* A session alone is not enough to take over its user for good: who changes his own password says the old one again. */
void method_user_set_password(struct call *call, const struct json *params)
{
	const char *name = json_get_text(params, "user"), *old = json_get_text(params, "old");
	bool own = strcmp(name, call_asker(call)->name) == 0;
	if (!own && !is_owner(call)) {
		call_fail(call, RESULT_DENIED, "only an owner may set somebody else's password");
	} else if (own && !old) {
		call_field(call, "old");
		call_fail(call, RESULT_MALFORMED, "the old password is needed, too");
	} else if (own) {
		people_verify(call_parts(call)->people, name, old, SOURCE_DOOR, call_asker(call)->addr, on_old_password, call);
	} else {
		set_password(call, name);
	}
}

static void set_disabled(struct call *call, const struct json *params, bool disabled)
{
	struct audit_record record = call_record(call, AUDIT_USER_CHANGE);
	const struct user *user = call_user(call, params, "user");
	if (user)
		user_set_disabled(call_parts(call)->people, user->id, disabled, &record, call_people_done, call);
}

void method_user_disable(struct call *call, const struct json *params)
{
	set_disabled(call, params, true);
}

void method_user_enable(struct call *call, const struct json *params)
{
	set_disabled(call, params, false);
}

void method_user_remove(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_USER_REMOVE);
	const struct user *user = call_user(call, params, "user");
	if (user)
		user_remove(call_parts(call)->people, user->id, &record, call_people_done, call);
}

void method_user_unlock(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_USER_CHANGE);
	struct json *result = json_new_object();
	const char *name = json_get_text(params, "user");
	/* Also a name that nobody has can be locked: who asks is told no more than that. */
	bool was = people_unlock(call_parts(call)->people, name);
	json_set_bool(result, "was_locked", was);
	record.object = name;
	record.detail = was ? "lock-out ended" : "was not locked";
	call_append_answer(call, &record, result);
}
