/* How a device becomes somebody's. A user asks for a one-time code; who can present that code, or wait in the window that
 * it opened, can become that user's. Three ways end here: a device that presents the code itself; a device that joined in
 * the window and is confirmed by the user who opened it; an owner who hands a device on or lets it go. None of them
 * happens by itself (clause 6.2.2-b), and each is one transaction with its audit row (people/bindings). */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/device.h"
#include "router/claims.h"
#include "sys/crypto.h"

struct window {
	char adapter[ADAPTER_NAME_MAX + 1];
	uint32_t user;
	int64_t until_ms;
	unsigned n_joined;
};

/* Somebody has a device in his hand and is about to press it. */
struct press {
	struct claims *claims;
	uint32_t user; /* 0: free */
	struct timer *end;
	claims_pressed_fn done;
	void *ctx;
};

struct claims {
	struct loop *loop;
	struct people *people;
	struct registry *registry;
	struct audit *audit;
	struct hub *hub;
	struct joins *joins;
	struct window windows[HUB_ADAPTERS_MAX];
	struct press presses[CLAIMS_PRESSES_MAX];
};

static void press_end(struct press *press, int r, struct device_id device)
{
	claims_pressed_fn done = press->done;
	void *ctx = press->ctx;
	press->user = 0;
	timer_stop(press->end);
	done(ctx, r, device);
}

static void on_press_end(void *ctx)
{
	press_end(ctx, CLAIMS_E_NOT_PRESSED, (struct device_id){ { 0 } });
}

int claims_new(struct loop *loop, struct people *people, struct registry *registry, struct audit *audit, struct claims **ret)
{
	struct claims *claims = calloc(1, sizeof(*claims));
	if (!claims)
		return -ENOMEM;
	*claims = (struct claims){ .loop = loop, .people = people, .registry = registry, .audit = audit };
	int r = joins_new(loop, &claims->joins);
	for (size_t i = 0; r == 0 && i < CLAIMS_PRESSES_MAX; i++) {
		claims->presses[i].claims = claims;
		r = timer_new(loop, on_press_end, &claims->presses[i], &claims->presses[i].end);
	}
	if (r != 0) {
		claims_close(claims);
		return r;
	}
	*ret = claims;
	return 0;
}

struct claims *claims_close(struct claims *claims)
{
	if (!claims)
		return NULL;
	for (size_t i = 0; i < CLAIMS_PRESSES_MAX; i++) {
		if (claims->presses[i].user)
			press_end(&claims->presses[i], CLAIMS_E_NOT_PRESSED, (struct device_id){ { 0 } });
		claims->presses[i].end = timer_close(claims->presses[i].end);
	}
	claims->joins = joins_close(claims->joins);
	free(claims);
	return NULL;
}

struct joins *claims_joins(struct claims *claims)
{
	return claims->joins;
}

void claims_set_hub(struct claims *claims, struct hub *hub)
{
	claims->hub = hub;
}

static struct window *window_of(struct claims *claims, const char *adapter)
{
	int64_t now = loop_now_ms(claims->loop);
	for (size_t i = 0; i < HUB_ADAPTERS_MAX; i++)
		if (claims->windows[i].until_ms > now && strcmp(claims->windows[i].adapter, adapter) == 0)
			return &claims->windows[i];
	return NULL;
}

static struct window *window_free(struct claims *claims)
{
	int64_t now = loop_now_ms(claims->loop);
	for (size_t i = 0; i < HUB_ADAPTERS_MAX; i++)
		if (claims->windows[i].until_ms <= now)
			return &claims->windows[i];
	return NULL;
}

/* How many wait for this user now: the window takes no more than it may. */
static unsigned n_waiting(const struct claims *claims, uint32_t user)
{
	const struct device *device;
	unsigned n = 0;
	for (size_t i = 0; (device = registry_at(claims->registry, i)); i++)
		n += device->state == DEVICE_WAITING && device->waiting_for == user;
	return n;
}

uint32_t claims_taker(struct claims *claims, const char *adapter, const struct address *addr, bool owned)
{
	const struct window *window = window_of(claims, adapter);
	uint32_t user = window ? window->user : joins_user(claims->joins, adapter, addr);
	return owned || n_waiting(claims, user) < CLAIMS_PER_WINDOW_MAX ? user : 0;
}

bool claims_window_is_full(struct claims *claims, const char *adapter)
{
	const struct window *window = window_of(claims, adapter);
	return window && n_waiting(claims, window->user) >= CLAIMS_PER_WINDOW_MAX;
}

uint32_t claims_window_whose(struct claims *claims, const char *adapter)
{
	const struct window *window = window_of(claims, adapter);
	return window ? window->user : 0;
}

unsigned claims_n_waiting(const struct claims *claims, uint32_t user)
{
	return n_waiting(claims, user);
}

int64_t claims_window_left_ms(struct claims *claims, const char *adapter)
{
	const struct window *window = window_of(claims, adapter);
	return window ? window->until_ms - loop_now_ms(claims->loop) : 0;
}

struct opening {
	struct claims *claims;
	char adapter[ADAPTER_NAME_MAX + 1];
	uint32_t user;
	uint16_t seconds;
	struct address addr;
	uint8_t code[WIRE_CODE_MAX]; /* an install code or a bind key: wiped */
	size_t code_len;
	int64_t asked_ms; /* when the adapter was */
	claims_done_fn done;
	void *ctx;
};

static void opening_end(struct opening *opening, int r)
{
	opening->done(opening->ctx, r);
	crypto_wipe(opening, sizeof(*opening));
	free(opening);
}

/* Devices that were there before anybody asked (a network that was paired with another program, the simulated ones) can be
 * claimed in the window like those that join in it: up to as many as it takes, the others in the next. */
static void offer_described(struct claims *claims, const char *adapter, uint32_t user)
{
	const struct device *device;
	for (size_t i = 0; (device = registry_at(claims->registry, i)); i++) {
		const struct way *way = device_way(device);
		if (device->state != DEVICE_DESCRIBED || !way || strcmp(way->adapter, adapter) != 0)
			continue;
		if (n_waiting(claims, user) >= CLAIMS_PER_WINDOW_MAX)
			return;
		registry_set_waiting(claims->registry, device->id, user);
	}
}

static void on_adapter_joins(void *ctx, enum result result)
{
	struct opening *opening = ctx;
	struct claims *claims = opening->claims;
	struct window *window = window_of(claims, opening->adapter);

	if (result != RESULT_OK) {
		bool wanted = opening->addr.len || opening->code_len;
		opening_end(opening, wanted && (result == RESULT_BAD_VALUE || result == RESULT_UNKNOWN_CAPABILITY) ? CLAIMS_E_SECRET : CLAIMS_E_WINDOW);
		return;
	}
	if (opening->seconds == 0) {
		if (window)
			window->until_ms = 0;
		joins_window_closed(claims->joins, opening->adapter);
		opening_end(opening, 0);
		return;
	}
	if (!window)
		window = window_free(claims);
	if (!window) {
		opening_end(opening, CLAIMS_E_WINDOW);
		return;
	}
	offer_described(claims, opening->adapter, opening->user);
	*window = (struct window){ .user = opening->user, .until_ms = loop_now_ms(claims->loop) + opening->seconds * INT64_C(1000) };
	text_copy(window->adapter, sizeof(window->adapter), opening->adapter);
	joins_adopt(claims->joins, opening->adapter, opening->asked_ms, window->user, window->until_ms);
	opening_end(opening, 0);
}

/* An adapter without a network of its own to open (devices come by themselves) has a window all the same: in it they are claimed. */
static void ask_adapter(struct opening *opening)
{
	opening->asked_ms = loop_now_ms(opening->claims->loop);
	if (!hub_can_join(opening->claims->hub, opening->adapter)) {
		on_adapter_joins(opening, RESULT_OK);
		return;
	}
	int r = hub_join(opening->claims->hub, opening->adapter, opening->seconds, opening->addr.len ? &opening->addr : NULL,
			 opening->code_len ? opening->code : NULL, opening->code_len, on_adapter_joins, opening);
	if (r != 0)
		opening_end(opening, CLAIMS_E_WINDOW);
}

static void on_code_used(void *ctx, int r, uint32_t user)
{
	struct opening *opening = ctx;
	(void)user;
	if (r != 0)
		opening_end(opening, r);
	else
		ask_adapter(opening);
}

void claims_open_window(struct claims *claims, uint32_t user, const char *code, const struct claims_wish *wish,
			const struct audit_record *record, claims_done_fn done, void *ctx)
{
	struct window *window = window_of(claims, wish->adapter);
	if (!hub_is_up(claims->hub, wish->adapter) || wish->seconds > CLAIMS_WINDOW_S_MAX || (window && window->user != user)) {
		done(ctx, CLAIMS_E_WINDOW);
		return;
	}
	/* Before the one-time code is spent. */
	if ((wish->addr.len || wish->secret_len) && (wish->secret_len > WIRE_CODE_MAX || !hub_can_join(claims->hub, wish->adapter))) {
		done(ctx, CLAIMS_E_SECRET);
		return;
	}
	struct opening *opening = calloc(1, sizeof(*opening));
	if (!opening) {
		done(ctx, -ENOMEM);
		return;
	}
	*opening = (struct opening){ .claims = claims, .user = user, .seconds = wish->seconds, .addr = wish->addr, .done = done, .ctx = ctx };
	text_copy(opening->adapter, sizeof(opening->adapter), wish->adapter);
	if (wish->secret_len)
		memcpy(opening->code, wish->secret, wish->secret_len);
	opening->code_len = wish->secret_len;
	if (wish->seconds == 0)
		ask_adapter(opening);
	else
		code_use_for_window(claims->people, code, user, record, on_code_used, opening);
}

struct binding {
	struct claims *claims;
	struct device_id device;
	uint32_t owner;
	claims_done_fn done;
	void *ctx;
};

static void on_bound(void *ctx, int r)
{
	struct binding *binding = ctx;
	if (r == 0)
		registry_apply_owner(binding->claims->registry, binding->device, binding->owner);
	binding->done(binding->ctx, r);
	free(binding);
}

static void bind_to(struct claims *claims, struct device_id device, uint32_t owner, const struct audit_record *record, claims_done_fn done,
		    void *ctx)
{
	struct binding *binding = malloc(sizeof(*binding));
	if (!binding) {
		done(ctx, -ENOMEM);
		return;
	}
	*binding = (struct binding){ claims, device, owner, done, ctx };
	binding_set(claims->people, device, owner, record, on_bound, binding);
}

void claims_confirm(struct claims *claims, uint32_t user, struct device_id id, const struct audit_record *record, claims_done_fn done, void *ctx)
{
	const struct device *device = registry_find(claims->registry, id);
	if (!device || device->state != DEVICE_WAITING)
		done(ctx, CLAIMS_E_NOT_WAITING);
	else if (device->waiting_for != user)
		done(ctx, CLAIMS_E_OTHER_USER);
	else
		bind_to(claims, id, user, record, done, ctx);
}

/* --- by pressing it ------------------------------------------------------------------------------------------------------ */

/* What a person causes with a finger at the device. What comes by itself (a temperature, somebody walking by, a leak) is no sign that
 * this is the one in his hand. */
static const struct {
	uint16_t cap;
	bool momentary; /* a report is a press; else a change of what it was is */
} press_rows[] = {
	{ CAP_BUTTON, true }, { CAP_DIMMER, true }, { CAP_ON_OFF, false }, { CAP_CONTACT, false }, { CAP_INPUT, false }, { CAP_TAMPER, false },
	{ CAP_LOCK_STATE, false }, { CAP_DOOR_STATE, false },
};

static bool is_press(const struct device *device, const struct event *event, const struct value *before)
{
	if (event->duplicate)
		return false;
	for (size_t i = 0; i < N_ELEMENTS(press_rows); i++) {
		if (press_rows[i].cap != event->cap)
			continue;
		/* The first that it says after it was described is how it is, not what was done to it. */
		return press_rows[i].momentary ? device->n_reports > 1 : before && !value_equal(before, &event->value);
	}
	return false;
}

/* Do these two have devices waiting at one adapter? */
static bool meet(const struct claims *claims, uint32_t a, uint32_t b)
{
	const struct device *mine, *theirs;
	for (size_t i = 0; (mine = registry_at(claims->registry, i)); i++) {
		if (mine->state != DEVICE_WAITING || mine->waiting_for != a || !device_way(mine))
			continue;
		for (size_t k = 0; (theirs = registry_at(claims->registry, k)); k++)
			if (theirs->state == DEVICE_WAITING && theirs->waiting_for == b && device_way(theirs) &&
			    strcmp(device_way(mine)->adapter, device_way(theirs)->adapter) == 0)
				return true;
	}
	return false;
}

/* His own earlier one, which is over now; or a free one. NULL and *ret_r: somebody else is pressing there, or too many are. */
static struct press *press_place(struct claims *claims, uint32_t user, int *ret_r)
{
	struct press *place = NULL;
	*ret_r = CLAIMS_E_PRESSING;
	for (size_t i = 0; i < CLAIMS_PRESSES_MAX; i++) {
		struct press *press = &claims->presses[i];
		if (press->user == user)
			press_end(press, CLAIMS_E_NOT_PRESSED, (struct device_id){ { 0 } });
		else if (press->user && meet(claims, user, press->user))
			return NULL;
		if (!press->user && !place)
			place = press;
	}
	return place;
}

void claims_press(struct claims *claims, uint32_t user, unsigned seconds, claims_pressed_fn done, void *ctx)
{
	int r = 0;
	struct device_id none = { { 0 } };
	struct press *press = n_waiting(claims, user) ? press_place(claims, user, &r) : NULL;
	if (!press) {
		done(ctx, r ? r : CLAIMS_E_NOTHING_WAITS, none);
		return;
	}
	press->user = user;
	press->done = done;
	press->ctx = ctx;
	timer_start(press->end, seconds * INT64_C(1000));
}

void claims_reported(struct claims *claims, const struct device *device, const struct event *event, const struct value *before)
{
	if (device->state != DEVICE_WAITING || !is_press(device, event, before))
		return;
	for (size_t i = 0; i < CLAIMS_PRESSES_MAX; i++) {
		if (claims->presses[i].user == 0 || claims->presses[i].user != device->waiting_for)
			continue;
		press_end(&claims->presses[i], 0, device->id);
		return;
	}
}

/* --- what adapters say --------------------------------------------------------------------------------------------------- */

void claims_joining(struct claims *claims, const char *adapter, const struct address *addr, enum join_stage stage, const char *text)
{
	const struct window *window = window_of(claims, adapter);
	joins_heard(claims->joins, adapter, addr, stage, text, window ? window->user : 0, window ? window->until_ms : 0);
	/* Its owner opened the window himself: this way to it is as good as the one before. */
	if (stage == JOIN_READY)
		registry_welcome(claims->registry, adapter, addr, claims_taker(claims, adapter, addr, true));
}

void claims_not_taken(struct claims *claims, const char *adapter, const struct address *addr)
{
	const struct window *window = window_of(claims, adapter);
	uint32_t user = claims_taker(claims, adapter, addr, true);
	if (user && n_waiting(claims, user) >= CLAIMS_PER_WINDOW_MAX)
		joins_heard(claims->joins, adapter, addr, JOIN_FAILED,
			    "it joined, but as many devices as a window takes wait already: make those yours, then open another",
			    window ? user : 0, window ? window->until_ms : 0);
}

struct presented {
	struct claims *claims;
	struct device_id device;
};

static void on_redeemed(void *ctx, int r, uint32_t user)
{
	struct presented *presented = ctx;
	if (r == 0)
		registry_apply_owner(presented->claims->registry, presented->device, user);
	free(presented); /* a wrong code has been counted and recorded by people/codes */
}

void claims_presented(struct claims *claims, struct device_id id, const char *code, const char *adapter)
{
	const struct device *device = registry_find(claims->registry, id);
	if (!device || device->owner || (device->state != DEVICE_DESCRIBED && device->state != DEVICE_WAITING))
		return;
	struct presented *presented = malloc(sizeof(*presented));
	if (!presented)
		return;
	*presented = (struct presented){ claims, id };
	struct audit_record record = { .kind = AUDIT_BIND, .subject = { SUBJECT_ADAPTER, 0 }, .subject_name = adapter, .device = id,
				       .object = device->name, .action = "presented a one-time code" };
	code_redeem(claims->people, code, id, &record, on_redeemed, presented);
}

void claims_transfer(struct claims *claims, struct device_id id, uint32_t to, const struct audit_record *record, claims_done_fn done, void *ctx)
{
	const struct device *device = registry_find(claims->registry, id);
	const struct user *user = user_find(claims->people, to);
	if (!device || !device->owner)
		done(ctx, CLAIMS_E_NOT_WAITING);
	else if (!user || user->disabled)
		done(ctx, PEOPLE_E_UNKNOWN);
	else
		bind_to(claims, id, to, record, done, ctx);
}

void claims_unbind(struct claims *claims, struct device_id id, const struct audit_record *record, claims_done_fn done, void *ctx)
{
	const struct device *device = registry_find(claims->registry, id);
	if (!device || !device->owner)
		done(ctx, CLAIMS_E_NOT_WAITING);
	else
		bind_to(claims, id, 0, record, done, ctx);
}
