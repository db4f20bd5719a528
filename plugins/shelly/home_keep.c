/* What outlives a start: pages of eight devices, kept by the gateway, sealed. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "shelly/shelly_inside.h"
#include "sys/crypto.h"

static void page_key(unsigned page, char ret[16])
{
	text_print(ret, 16, "devices-%u", page);
}

void home_save(gwa_self *self, const struct unit *unit)
{
	const struct kept *page[KEEP_PAGE_MAX] = { NULL };
	unsigned number = unit->slot / KEEP_PAGE_MAX;
	char key[16], *text = NULL;
	size_t len = 0;

	for (unsigned i = 0; i < KEEP_PAGE_MAX; i++) {
		const struct unit *one = self->units[number * KEEP_PAGE_MAX + i];

		if (one && one->ours)
			page[i] = &one->kept;
	}
	page_key(number, key);
	if (keep_print(page, KEEP_PAGE_MAX, &text, &len) || len > GWA_STATE_MAX ||
	    gwa(self->host)->save(self->host, key, text, (uint32_t)len))
		shelly_log(self, 3, unit, "cannot be remembered");
	if (text)
		crypto_wipe(text, len);
	free(text);
}

static void take_kept(gwa_self *self, struct kept *kept, unsigned slot)
{
	struct unit *unit = home_find(self, kept->info.mac) ? NULL : home_new(self, kept->info.mac, &kept->place);

	if (!unit) {
		status_map_deinit(&kept->map);
		return;
	}
	/* Into its page, whatever order they come in. */
	if (slot != unit->slot && !self->units[slot]) {
		self->units[unit->slot] = NULL;
		self->units[slot] = unit;
		unit->slot = slot;
	}
	unit->kept = *kept;
	unit->place = kept->place;
	unit->ours = true;
	unit->evidence = kept->must_prove;
	unit->dial_at = shelly_now(self);
}

static void load_page(gwa_self *self, unsigned page, char *text)
{
	struct kept kept[KEEP_PAGE_MAX];
	uint32_t len = GWA_STATE_MAX;
	char key[16];
	size_t n = 0;

	page_key(page, key);
	if (gwa(self->host)->load(self->host, key, text, &len) || !len)
		return;
	if (keep_parse(text, len, kept, &n))
		gwa(self->host)->log(self->host, 4, "a page of devices cannot be read");
	for (unsigned i = 0; i < n; i++)
		take_kept(self, &kept[i], page * KEEP_PAGE_MAX + i);
	crypto_wipe(kept, sizeof(kept));
	crypto_wipe(text, len);
}

/* Sleepers are said at once: they are as reachable as ever. The others are when they have answered. */
void home_load(gwa_self *self)
{
	char *text = malloc(GWA_STATE_MAX);

	for (unsigned page = 0; text && page < KEEP_PAGES_MAX; page++)
		load_page(self, page, text);
	free(text);
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i] && self->units[i]->kept.map.sleep_s)
			home_tell(self, self->units[i]);
	}
}
