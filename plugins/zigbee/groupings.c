/* Groups as the core sees them, and making them. A group is a device of ours that can do what all its members can: an order to it is
 * one frame that they all hear. Who is to be in it is told so, all at once, and each answers for itself; who does not answer, or
 * says no, is not in it. One that was in it and is silent now stays: it has not forgotten it.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sdk/gw_caps.h"
#include "zigbee/zigbee_inside.h"

enum { GROUPS_CLUSTER = 0x0004, HA_PROFILE = 0x0104, ADD = 0x00, REMOVE = 0x03, TELL_TTL_MS = 20000, EVIDENCE_SHARED_KEY = 1 };
enum { STATUS_OK = 0x00, STATUS_EXISTS = 0x8a, STATUS_NOT_FOUND = 0x8b }; /* of an answer: it is as it was to be */
enum { CAPS_MAX = 5, TEXT_DEPTH = 4, TEXT_MAX = 4096, CHANGES_MAX = 2 * GROUPS_MEMBERS_MAX };
static const uint16_t sayable[CAPS_MAX] = { GWA_CAP_ON_OFF, GWA_CAP_LEVEL, GWA_CAP_COLOR_TEMPERATURE, GWA_CAP_COVER_POSITION,
					    GWA_CAP_COVER_MOVE };

struct change {
	uint64_t eui;
	uint32_t tag; /* 0: nothing is waited for */
	bool add, held, done;
};
struct grouping {
	struct group group; /* its members: not yet */
	size_t n, waiting;
	struct change changes[CHANGES_MAX];
};

struct gwa_addr groupings_addr(uint16_t id)
{
	return (struct gwa_addr){ .len = 3, .bytes = { 'G', (uint8_t)id, (uint8_t)(id >> 8) } };
}

struct group *groupings_find(gwa_self *self, const struct gwa_addr *addr)
{
	if (addr->len != 3 || addr->bytes[0] != 'G')
		return NULL;
	return groups_find(&self->groups, (uint16_t)(addr->bytes[1] | addr->bytes[2] << 8));
}

/* What it can do */

/* The endpoint that is told; NULL: it can be in no group. */
static const struct node_endpoint *endpoint_of(const struct nodes_row *row)
{
	for (size_t i = 0; row && row->stage != NODES_HEARD && i < row->node.n_endpoints; i++) {
		if (node_has_in(&row->node.endpoints[i], GROUPS_CLUSTER))
			return &row->node.endpoints[i];
	}
	return NULL;
}

static bool is_sayable(uint16_t cap)
{
	for (size_t i = 0; i < CAPS_MAX; i++) {
		if (sayable[i] == cap)
			return true;
	}
	return false;
}

static size_t caps_of_member(const gwa_self *self, uint64_t eui, struct gwa_cap ret[CAPS_MAX])
{
	struct nodes_row *row = nodes_by_eui(&self->nodes, eui);
	const struct node_endpoint *endpoint = endpoint_of(row);
	struct trait traits[TRAITS_MAX];
	size_t n = endpoint ? traits_of(&row->node, traits) : 0, kept = 0;

	for (size_t i = 0; i < n && kept < CAPS_MAX; i++) {
		if (traits[i].endpoint == endpoint->id && is_sayable(traits[i].cap.id) && traits[i].cap.access & GWA_A_WRITE &&
		    !(traits[i].cap.access & GWA_A_SECURE))
			ret[kept++] = traits[i].cap;
	}
	return kept;
}

/* False: there is no value that both take. */
static bool narrow(struct gwa_cap *cap, const struct gwa_cap *by)
{
	cap->access &= by->access;
	if (!cap->min && !cap->max) {
		cap->min = by->min;
		cap->max = by->max;
	} else if (by->min || by->max) {
		cap->min = cap->min > by->min ? cap->min : by->min;
		cap->max = cap->max < by->max ? cap->max : by->max;
	}
	return cap->min <= cap->max;
}

static size_t caps_of(const gwa_self *self, const struct group *group, struct gwa_cap ret[CAPS_MAX])
{
	size_t n = caps_of_member(self, group->members[0], ret);

	for (size_t m = 1; m < group->n; m++) {
		struct gwa_cap theirs[CAPS_MAX];
		size_t n_theirs = caps_of_member(self, group->members[m], theirs), kept = 0;

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < n_theirs; k++) {
				if (theirs[k].id == ret[i].id && narrow(&ret[i], &theirs[k])) {
					ret[kept++] = ret[i];
					break;
				}
			}
		}
		n = kept;
	}
	return n;
}

static uint64_t sum_of(const struct gwa_cap *caps, size_t n)
{
	uint64_t sum = 14695981039346656037ull;

	for (size_t i = 0; i < n; i++) {
		const uint64_t words[] = { caps[i].id, caps[i].access, (uint64_t)caps[i].min, (uint64_t)caps[i].max };

		for (size_t k = 0; k < N_ELEMENTS(words); k++)
			sum = (sum ^ words[k]) * 1099511628211ull;
	}
	return sum;
}

static void say(gwa_self *self, struct group *group, bool anew)
{
	struct gwa_cap caps[CAPS_MAX];
	size_t n = caps_of(self, group, caps);
	uint64_t sum = sum_of(caps, n);
	struct gwa_endpoint endpoint = { .id = 1, .ncaps = (uint8_t)n, .caps = caps };
	struct gwa_device told = { .size = sizeof(told), .addr = groupings_addr(group->id), .evidence = EVIDENCE_SHARED_KEY,
				   .vendor = "Zigbee", .model = "group", .firmware = "", .name = group->name,
				   .nendpoints = n ? 1 : 0, .endpoints = &endpoint };

	if (!anew && sum == group->told)
		return;
	group->told = sum;
	group->up = true;
	gwa(self->host)->device_up(self->host, &told);
}

void groupings_say(gwa_self *self)
{
	for (size_t i = 0; i < self->groups.n; i++)
		say(self, &self->groups.rows[i], true);
}

void groupings_away(gwa_self *self)
{
	for (size_t i = 0; i < self->groups.n; i++) {
		struct gwa_addr addr = groupings_addr(self->groups.rows[i].id);

		if (self->groups.rows[i].up)
			gwa(self->host)->device_down(self->host, &addr, 0);
		self->groups.rows[i].up = false;
	}
}

static void take_out(gwa_self *self, uint16_t id)
{
	struct gwa_addr addr = groupings_addr(id);

	orders_forget_group(self, id);
	groups_take_out(&self->groups, id);
	gwa(self->host)->device_down(self->host, &addr, 1);
}

void groupings_ready(gwa_self *self)
{
	if (self->groups.ext_pan != self->network.ext_pan) {
		bool had = self->groups.n;

		while (self->groups.n)
			take_out(self, self->groups.rows[0].id);
		self->groups = (struct groups){ .ext_pan = self->network.ext_pan };
		if (had)
			kept_groups(self);
	}
	groupings_say(self);
}

void groupings_member_told(gwa_self *self, uint64_t eui)
{
	for (size_t i = 0; i < self->groups.n; i++) {
		if (self->groups.rows[i].up && groups_has(&self->groups.rows[i], eui))
			say(self, &self->groups.rows[i], false);
	}
}

void groupings_member_gone(gwa_self *self, uint64_t eui)
{
	bool changed = false;

	for (size_t i = self->groups.n; i-- > 0;) {
		struct group *group = &self->groups.rows[i];

		if (!groups_has(group, eui))
			continue;
		changed = true;
		groups_drop(group, eui);
		if (!group->n)
			take_out(self, group->id);
		else if (group->up)
			say(self, group, false);
	}
	if (changed)
		kept_groups(self);
}

/* Of the members' ways to say it the shortest: what it leaves out is a choice that not all of them know. */
int groupings_order(gwa_self *self, const struct group *group, uint16_t cap, const struct gwa_value *value, struct trait_order *ret)
{
	struct gwa_cap caps[CAPS_MAX];
	size_t n = caps_of(self, group, caps), shortest = SIZE_MAX;
	bool can = false;

	for (size_t i = 0; i < n; i++)
		can = can || caps[i].id == cap;
	for (size_t m = 0; can && m < group->n; m++) {
		struct nodes_row *row = nodes_by_eui(&self->nodes, group->members[m]);
		struct trait_order plan;
		size_t len = 0;
		int r = traits_order(&row->node, endpoint_of(row)->id, cap, value, &plan);

		if (r)
			return r;
		for (size_t i = 0; i < plan.n; i++)
			len += plan.frames[i].len;
		if (len < shortest) {
			shortest = len;
			*ret = plan;
		}
	}
	return can ? 0 : TRAITS_E_NONE;
}

/* In words */

static void push_eui(struct json *list, uint64_t eui)
{
	char text[17];

	text_print(text, sizeof(text), "%016llx", (unsigned long long)eui);
	json_push_text(list, text);
}

static struct json *members_words(const struct group *group)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < group->n; i++)
		push_eui(list, group->members[i]);
	return list;
}

struct json *groupings_words(const gwa_self *self)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < self->groups.n; i++) {
		struct json *json = json_new_object();

		json_set_i64(json, "id", self->groups.rows[i].id);
		json_set_text(json, "name", self->groups.rows[i].name);
		json_set(json, "members", members_words(&self->groups.rows[i]));
		json_push(list, json);
	}
	return list;
}

/* Making one */

static void finish(gwa_self *self)
{
	struct grouping *grouping = self->grouping;
	cleanup(json_freep) struct json *answer = json_new_object();
	struct json *refused = json_new_array();
	struct group *group = &grouping->group;
	bool had = groups_find(&self->groups, group->id);

	for (size_t i = 0; i < grouping->n; i++) {
		const struct change *change = &grouping->changes[i];

		if (change->add && change->done)
			group->members[group->n++] = change->eui;
		if (!change->done)
			push_eui(refused, change->eui);
	}
	json_set_i64(answer, "id", group->id);
	json_set(answer, "members", members_words(group));
	json_set(answer, "refused", refused);
	if (group->n && groups_put(&self->groups, group) == 0)
		say(self, groups_find(&self->groups, group->id), true);
	else if (had)
		take_out(self, group->id);
	kept_groups(self);
	asks_end(self, asks_tell(self, answer) ? GWA_OK : GWA_FAILED);
}

static bool is_done(const struct change *change, const struct talk_result *result)
{
	bool words = result->frame && result->frame->header.cluster && result->frame->payload.len;
	uint8_t status = words ? result->frame->payload.data[0] : STATUS_OK;

	if (result->status == TALK_OK)
		return status == STATUS_OK || status == (change->add ? STATUS_EXISTS : STATUS_NOT_FOUND);
	return change->add && change->held && (result->status == TALK_UNREACHABLE || result->status == TALK_TIMEOUT);
}

void groupings_talked(gwa_self *self, const struct talk_result *result)
{
	for (size_t i = 0; self->grouping && i < self->grouping->n; i++) {
		struct change *change = &self->grouping->changes[i];

		if (!change->tag || change->tag != result->tag)
			continue;
		change->tag = 0;
		change->done = is_done(change, result);
		if (--self->grouping->waiting == 0)
			finish(self);
		return;
	}
}

/* Who cannot be told is refused at once. */
static void tell_change(gwa_self *self, struct change *change)
{
	struct nodes_row *row = nodes_by_eui(&self->nodes, change->eui);
	const struct node_endpoint *endpoint = endpoint_of(row);
	/* ZCL 3.6.2.3.1: the number, and a name of no letters. */
	uint8_t payload[] = { (uint8_t)self->grouping->group.id, (uint8_t)(self->grouping->group.id >> 8), 0 };
	struct talk_ask ask = { .cluster = GROUPS_CLUSTER, .own = true, .command = change->add ? ADD : REMOVE,
				.payload = { payload, change->add ? 3 : 2 }, .ttl_ms = TELL_TTL_MS };

	if (!endpoint)
		return;
	ask.endpoint = endpoint->id;
	ask.profile = endpoint->profile ? endpoint->profile : HA_PROFILE;
	ask.tag = zigbee_id(self, OWNER_GROUPING);
	if (talk_add(&self->talk, &device_of(row)->peer, &ask))
		return;
	change->tag = (uint32_t)ask.tag;
	self->grouping->waiting++;
}

static void tell_all(gwa_self *self, const struct group *before)
{
	struct grouping *grouping = self->grouping;

	for (size_t i = 0; before && i < before->n; i++) {
		bool stays = false;

		for (size_t k = 0; k < grouping->n; k++) {
			if (grouping->changes[k].eui == before->members[i])
				stays = grouping->changes[k].held = true;
		}
		if (!stays)
			grouping->changes[grouping->n++] = (struct change){ .eui = before->members[i] };
	}
	for (size_t i = 0; i < grouping->n; i++)
		tell_change(self, &grouping->changes[i]);
	if (!grouping->waiting)
		finish(self);
}

static bool read_members(const struct json *list, struct grouping *ret)
{
	if (json_kind(list) != JSON_ARRAY || json_len(list) > GROUPS_MEMBERS_MAX)
		return false;
	for (size_t i = 0; i < json_len(list); i++) {
		const char *text = json_text(json_at(list, i), NULL);
		uint64_t eui = 0;
		uint8_t bytes[8];

		if (!text || hex_parse(text, strlen(text), bytes, sizeof(bytes)))
			return false;
		for (size_t k = 0; k < sizeof(bytes); k++)
			eui = eui << 8 | bytes[k];
		for (size_t k = 0; k < ret->n; k++) {
			if (ret->changes[k].eui == eui)
				return false;
		}
		ret->changes[ret->n++] = (struct change){ .eui = eui, .add = true };
	}
	return true;
}

/* ret_before: the one that it is in the place of. */
static bool read_wish(gwa_self *self, const struct json *json, struct grouping *ret, const struct group **ret_before)
{
	const char *name = json_get_text(json, "name");
	int64_t id = 0;

	if (json_get(json, "id") && (!json_to_i64(json_get(json, "id"), &id) || id < 1 || id > GROUPS_ID_MAX))
		return false;
	if (!read_members(json_get(json, "members"), ret))
		return false;
	*ret_before = id ? groups_find(&self->groups, (uint16_t)id) : NULL;
	if (!*ret_before && (!ret->n || !name || self->groups.n == GROUPS_MAX))
		return false;
	if (json_get(json, "name") && (!name || !name[0]))
		return false;
	if (!text_copy(ret->group.name, sizeof(ret->group.name), name ? name : (*ret_before)->name))
		return false;
	ret->group.id = id ? (uint16_t)id : groups_next(&self->groups);
	return true;
}

int groupings_ask(gwa_self *self, const void *data, uint32_t len)
{
	cleanup(json_freep) struct json *json = NULL;
	struct grouping *grouping = calloc(1, sizeof(*grouping));
	const struct group *before = NULL;

	if (!grouping)
		return GWA_FAILED;
	if (json_parse(data, len, TEXT_MAX, TEXT_DEPTH, NULL, 0, &json) || json_kind(json) != JSON_OBJECT ||
	    !read_wish(self, json, grouping, &before)) {
		free(grouping);
		return GWA_BAD_VALUE;
	}
	self->grouping = grouping;
	tell_all(self, before);
	return GWA_OK;
}
