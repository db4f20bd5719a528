/* Text in JSON. A map is kept as its skeleton, and made again by the same function that reads a device's status. */
#include "shelly/keep.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"

enum { PAGE_BYTES_MAX = 32768, PAGE_DEPTH = 8, SKELETON_MAX = 3000 };

/* A map that is too long is asked for again. */
static void set_map(struct json *one, const struct status_map *map)
{
	struct json *skeleton;
	char *text = NULL;
	size_t len = 0;

	if (!map->n)
		return;
	skeleton = status_skeleton(map);
	if (json_print(skeleton, &text, &len) == 0 && len <= SKELETON_MAX)
		json_set(one, "status", skeleton);
	else
		json_free(skeleton);
	free(text);
}

static struct json *one_of(const struct kept *kept)
{
	struct json *one = json_new_object();
	char mac[13], place[24];

	hex_print(kept->info.mac, 6, mac);
	place_print(&kept->place, place);
	json_set_text(one, "mac", mac);
	json_set_text(one, "place", place);
	json_set_text(one, "id", kept->info.id);
	json_set_text(one, "name", kept->info.name);
	json_set_text(one, "app", kept->info.model);
	json_set_text(one, "ver", kept->info.firmware);
	json_set_i64(one, "gen", kept->info.generation);
	json_set_bool(one, "auth_en", kept->info.wants_password);
	json_set_bool(one, "proven", kept->must_prove);
	if (kept->password[0])
		json_set_text(one, "password", kept->password);
	set_map(one, &kept->map);
	return one;
}

int keep_print(const struct kept *const *kept, size_t n, char **ret, size_t *ret_len)
{
	struct json *page = json_new_array();
	int r;

	for (size_t i = 0; i < n; i++) {
		if (kept[i])
			json_push(page, one_of(kept[i]));
	}
	r = json_print(page, ret, ret_len);
	json_free(page);
	return r;
}

static bool parse_one(const struct json *one, struct kept *ret)
{
	const char *place = json_get_text(one, "place"), *password = json_get_text(one, "password");
	struct kept kept = { .must_prove = false };

	if (rpc_info_read(one, &kept.info) || !place || place_parse(place, &kept.place))
		return false;
	if (password && !text_copy(kept.password, sizeof(kept.password), password))
		return false;
	(void)json_to_bool(json_get(one, "proven"), &kept.must_prove);
	if (status_map(json_get(one, "status"), &kept.map))
		kept.map = (struct status_map){ 0 };
	*ret = kept;
	crypto_wipe(kept.password, sizeof(kept.password));
	return true;
}

int keep_parse(const void *data, size_t len, struct kept ret[KEEP_PAGE_MAX], size_t *ret_n)
{
	struct json *page = NULL;
	size_t n = 0;

	if (json_parse(data, len, PAGE_BYTES_MAX, PAGE_DEPTH, NULL, 0, &page) || json_kind(page) != JSON_ARRAY) {
		json_free(page);
		return KEEP_E_MALFORMED;
	}
	for (size_t i = 0; i < json_len(page) && n < KEEP_PAGE_MAX; i++)
		n += parse_one(json_at(page, i), &ret[n]);
	json_free(page);
	*ret_n = n;
	return 0;
}
