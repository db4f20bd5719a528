/* Who is there: the first owner, sessions, users. Passwords come in as JSON text on a socket that the kernel guards; what held
 * them is wiped when the call ends (door.c), and people/ keeps its own copy guarded until it is hashed. */
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
	session_end(call_parts(call)->people, call_session(call)->number, "logout");
	call_answer(call, NULL);
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
	session_end(call_parts(call)->people, number, "ended by hand");
	call_answer(call, NULL);
}
