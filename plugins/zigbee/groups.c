/* A short table. Kept as fixed fields, a count, rows: nothing in it is optional, and a blob that is not exactly that is refused as a
 * whole.
 */
#include "zigbee/groups.h"

#include <string.h>
#include "base/text.h"

enum { VERSION = 1 };

struct group *groups_find(struct groups *groups, uint16_t id)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (groups->rows[i].id == id)
			return &groups->rows[i];
	}
	return NULL;
}

bool groups_has(const struct group *group, uint64_t eui)
{
	for (size_t i = 0; i < group->n; i++) {
		if (group->members[i] == eui)
			return true;
	}
	return false;
}

uint16_t groups_next(struct groups *groups)
{
	do
		groups->last = (uint16_t)(groups->last % GROUPS_ID_MAX + 1);
	while (groups_find(groups, groups->last));
	return groups->last;
}

int groups_put(struct groups *groups, const struct group *group)
{
	struct group *row = groups_find(groups, group->id);

	if (!row && groups->n == GROUPS_MAX)
		return GROUPS_E_FULL;
	if (!row)
		row = &groups->rows[groups->n++];
	*row = *group;
	return 0;
}

void groups_take_out(struct groups *groups, uint16_t id)
{
	struct group *row = groups_find(groups, id);

	if (row)
		*row = groups->rows[--groups->n];
}

void groups_drop(struct group *group, uint64_t eui)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->n; i++) {
		if (group->members[i] != eui)
			group->members[kept++] = group->members[i];
	}
	group->n = (uint8_t)kept;
}

size_t groups_write(const struct groups *groups, uint8_t buf[GROUPS_BYTES_MAX])
{
	struct writer w = writer_over(buf, GROUPS_BYTES_MAX);

	put_u8(&w, VERSION);
	put_u64(&w, groups->ext_pan);
	put_u16(&w, groups->last);
	put_u8(&w, groups->n);
	for (size_t i = 0; i < groups->n; i++) {
		const struct group *group = &groups->rows[i];

		put_u16(&w, group->id);
		put_u8(&w, (uint8_t)strlen(group->name));
		put_bytes(&w, group->name, strlen(group->name));
		put_u8(&w, group->n);
		for (size_t m = 0; m < group->n; m++)
			put_u64(&w, group->members[m]);
	}
	return w.bad ? 0 : writer_len(&w);
}

static bool get_group(struct reader *r, struct groups *groups)
{
	struct group group = { .id = get_u16(r) };
	struct view name = get_view(r, get_u8(r));
	uint8_t n = get_u8(r);

	if (r->bad || !name.len || name.len > GROUPS_NAME_MAX || !text_is_utf8(name.data, name.len))
		return false;
	memcpy(group.name, name.data, name.len);
	if (!group.id || group.id > GROUPS_ID_MAX || !n || n > GROUPS_MEMBERS_MAX || groups_find(groups, group.id))
		return false;
	while (group.n < n) {
		uint64_t eui = get_u64(r);

		if (r->bad || !eui || groups_has(&group, eui))
			return false;
		group.members[group.n++] = eui;
	}
	return groups_put(groups, &group) == 0;
}

int groups_read(struct view blob, struct groups *ret)
{
	struct reader r = reader_over(blob.data, blob.len);
	uint8_t version = get_u8(&r), n;
	bool good = true;

	*ret = (struct groups){ .n = 0 };
	ret->ext_pan = get_u64(&r);
	ret->last = get_u16(&r);
	n = get_u8(&r);
	for (size_t i = 0; i < n && good && !r.bad; i++)
		good = get_group(&r, ret);
	if (good && version == VERSION && ret->last <= GROUPS_ID_MAX && reader_is_done(&r))
		return 0;
	*ret = (struct groups){ .n = 0 };
	return GROUPS_E_DAMAGED;
}
