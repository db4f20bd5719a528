/* What must survive: the table of devices in up to 13 blobs, the network with its key, the newest backup, and the groups. Written when
 * something has changed, a while later, so that a join is one write and not twenty; a blob that is the same is not written again.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "zigbee/chest.h"
#include "zigbee/zigbee_inside.h"

enum { COUNTER_AHEAD = 250000 }; /* more frames than a coordinator sends in the days that a backup may be old */

static uint64_t sum_of(const uint8_t *data, size_t len)
{
	uint64_t sum = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ data[i]) * 1099511628211ull;
	return len ? sum | 1 : 0;
}

static void name_of(size_t i, char ret[16])
{
	text_print(ret, 16, "nodes.%zu", i);
}

/* Loading */

static int load_row(gwa_self *self, struct nodes_row *row)
{
	struct device *device;
	int r = device_add(self, row->node.eui, row->node.nwk, row->node.capabilities, &device);

	if (r) {
		nodes_row_deinit(row);
		return r < 0 ? r : 0;
	}
	row->node.nwk = device->row.node.nwk;
	device->row = *row;
	device->peer.sleepy = node_is_sleepy(&row->node);
	return 0;
}

static int load_blob(gwa_self *self, struct view blob)
{
	struct nodes_row row;
	bool started = false;
	int r;

	while ((r = nodes_read(&blob, &started, &row)) == 0) {
		r = load_row(self, &row);
		if (r)
			return r;
	}
	if (r == NODES_E_BLOB)
		zigbee_log(self, 4, "a kept list of devices is damaged: what was readable is used");
	return r < 0 ? r : 0;
}

static int load_nodes(gwa_self *self)
{
	uint8_t *buf = malloc(NODES_BLOB_MAX);
	int r = buf ? 0 : -ENOMEM;
	char name[16];

	for (size_t i = 0; !r && i < NODES_BLOBS_MAX; i++) {
		uint32_t len = NODES_BLOB_MAX;

		name_of(i, name);
		if (gwa(self->host)->load(self->host, name, buf, &len) || !len)
			continue;
		self->blob_sums[i] = sum_of(buf, len);
		r = load_blob(self, (struct view){ buf, len });
	}
	free(buf);
	return r;
}

/* NULL: none is kept. The network alone is a chest without devices' keys. */
static struct chest *load_chest(gwa_self *self, const char *name)
{
	uint8_t *buf = malloc(CHEST_BYTES_MAX);
	struct chest *chest = calloc(1, sizeof(*chest));
	uint32_t len = CHEST_BYTES_MAX;
	bool good = buf && chest && gwa(self->host)->load(self->host, name, buf, &len) == 0 && len &&
		    chest_read((struct view){ buf, len }, chest) == 0;

	if (buf)
		crypto_wipe(buf, CHEST_BYTES_MAX);
	free(buf);
	return good ? chest : chest_free(chest);
}

static int load_groups(gwa_self *self)
{
	uint8_t *buf = malloc(GROUPS_BYTES_MAX);
	uint32_t len = GROUPS_BYTES_MAX;

	if (buf && gwa(self->host)->load(self->host, "groups", buf, &len) == 0 && len &&
	    groups_read((struct view){ buf, len }, &self->groups))
		zigbee_log(self, 4, "the kept groups are damaged: they are to be made anew");
	free(buf);
	return buf ? 0 : -ENOMEM;
}

int kept_load(gwa_self *self)
{
	struct chest *chest = load_chest(self, "network");
	int r;

	if (chest) {
		self->network = chest->network;
		self->adopted = chest->adopted;
		self->has_network = true;
	}
	chest_free(chest);
	r = load_nodes(self);
	if (!r)
		r = load_groups(self);
	self->save_due_ms = UINT64_MAX;
	return r;
}

/* Saving */

void kept_changed(gwa_self *self)
{
	if (self->save_due_ms == UINT64_MAX)
		self->save_due_ms = zigbee_now(self) + SAVE_AFTER_MS;
}

void kept_tick(gwa_self *self, bool now)
{
	size_t at = 0, len;
	uint8_t *buf;
	char name[16];

	if (self->save_due_ms == UINT64_MAX || (!now && self->save_due_ms > zigbee_now(self)))
		return;
	self->save_due_ms = UINT64_MAX;
	buf = malloc(NODES_BLOB_MAX);
	if (!buf) {
		kept_changed(self);
		return;
	}
	for (size_t i = 0; i < NODES_BLOBS_MAX; i++) {
		len = nodes_write(&self->nodes, &at, buf, NODES_BLOB_MAX);
		if (sum_of(buf, len) == self->blob_sums[i])
			continue;
		name_of(i, name);
		if (gwa(self->host)->save(self->host, name, buf, (uint32_t)len) == 0)
			self->blob_sums[i] = sum_of(buf, len);
	}
	free(buf);
}

void kept_groups(gwa_self *self)
{
	uint8_t *buf = malloc(GROUPS_BYTES_MAX);
	size_t len = buf ? groups_write(&self->groups, buf) : 0;

	if (!len || gwa(self->host)->save(self->host, "groups", buf, (uint32_t)len))
		zigbee_log(self, 3, "the groups could not be kept");
	free(buf);
}

static void save_chest(gwa_self *self, const char *name, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	struct chest *chest = calloc(1, sizeof(*chest));
	uint8_t *buf = malloc(CHEST_BYTES_MAX);
	size_t len = 0;

	if (chest && buf && n <= RADIO_KEYS_MAX) {
		chest->network = *network;
		chest->adopted = self->adopted;
		chest->n = n;
		if (n)
			memcpy(chest->keys, keys, n * sizeof(*keys));
		len = chest_write(chest, buf);
	}
	if (!len || gwa(self->host)->save(self->host, name, buf, (uint32_t)len))
		zigbee_log(self, 3, "the network could not be kept");
	if (buf)
		crypto_wipe(buf, CHEST_BYTES_MAX);
	free(buf);
	chest_free(chest);
}

void kept_network(gwa_self *self)
{
	save_chest(self, "network", &self->network, NULL, 0);
}

void kept_backup(gwa_self *self, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	save_chest(self, "backup", network, keys, n);
	if (!self->take_keys)
		return;
	self->take_keys = false;
	asks_devices(self, keys, n);
}

bool kept_restore(gwa_self *self)
{
	struct chest *chest = load_chest(self, "backup");
	bool good = chest && chest->network.ext_pan == self->network.ext_pan &&
		    crypto_equal(chest->network.key, self->network.key, sizeof(self->network.key));

	if (good) {
		zigbee_log(self, 5, "the stick is blank: our network is restored to it, with %zu devices' keys", chest->n);
		chest->network.frame_counter += COUNTER_AHEAD;
		network_start(self, RADIO_RESTORE, &chest->network, chest->keys, chest->n);
	}
	chest_free(chest);
	return good;
}
