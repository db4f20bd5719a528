/*
 * The format is what zigpy and zigbee-herdsman agreed on: one JSON object, addresses and keys as hex texts with the
 * first byte first, counters as numbers. Other writers leave things out that can be done without, and add their own;
 * what is needed for a network that devices still know is required.
 */
#include "zigbee/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/json.h"
#include "zigbee/tclk.h"

static const char format_name[] = "zigpy/open-coordinator-backup";

enum { DEPTH_MAX = 8, PATH_CAP = 64, CHANNEL_MIN = 11, CHANNEL_MAX = 26 };

/* Where we are, for the error; once something is wrong nothing more is read. */
struct look {
	char *error;
	size_t cap;
	const char *place; /* "devices[3]." */
	int err;
};

static void wrong(struct look *k, const char *field, const char *expected)
{
	if (!k->err && k->error)
		text_print(k->error, k->cap, "%s%s: expected %s", k->place, field, expected);
	k->err = BACKUP_E_FIELD;
}

/* Hex digits, most significant first; as many as digits, or with 0 one to four. */
static uint64_t hex_number(struct look *k, const struct json *object, const char *field, size_t digits)
{
	const char *text = json_get_text(object, field);
	size_t len = text ? strlen(text) : 0;
	uint64_t number = 0;
	char *end;

	if (!len || (digits ? len != digits : len > 4) || strspn(text, "0123456789abcdefABCDEF") != len) {
		wrong(k, field, digits ? "16 hex digits" : "a number of 1 to 4 hex digits");
		return 0;
	}
	number = strtoull(text, &end, 16);
	return number;
}

static void hex_key(struct look *k, const struct json *object, const char *field, uint8_t ret[16])
{
	const char *text = json_get_text(object, field);

	if (!text || hex_parse(text, strlen(text), ret, 16))
		wrong(k, field, "32 hex digits");
}

static uint32_t number(struct look *k, const struct json *object, const char *field, int64_t min, int64_t max)
{
	char expected[64];
	int64_t v = 0;

	if (json_to_i64(json_get(object, field), &v) && v >= min && v <= max)
		return (uint32_t)v;
	text_print(expected, sizeof(expected), "a number from %lld to %lld", (long long)min, (long long)max);
	wrong(k, field, expected);
	return 0;
}

static void head_read(struct look *k, const struct json *root)
{
	const struct json *metadata = json_get(root, "metadata");
	const char *format = json_get_text(metadata, "format");
	int64_t version;

	k->place = "metadata.";
	if (!format || strcmp(format, format_name))
		wrong(k, "format", format_name);
	if (!json_to_i64(json_get(metadata, "version"), &version) || version != 1)
		wrong(k, "version", "1");
	k->place = "";
}

static uint32_t mask_read(struct look *k, const struct json *root, uint8_t channel)
{
	struct json *list = json_get(root, "channel_mask");
	uint32_t mask = 0;
	int64_t v;

	if (!list)
		return 1u << channel;
	if (json_kind(list) != JSON_ARRAY)
		wrong(k, "channel_mask", "a list of channels");
	for (size_t i = 0; !k->err && i < json_len(list); i++) {
		if (json_to_i64(json_at(list, i), &v) && v >= CHANNEL_MIN && v <= CHANNEL_MAX)
			mask |= 1u << v;
		else
			wrong(k, "channel_mask", "channels from 11 to 26");
	}
	return mask;
}

static void network_read(struct look *k, const struct json *root, struct radio_network *ret)
{
	const struct json *key = json_get(root, "network_key");
	struct radio_network n = { 0 };

	n.eui = hex_number(k, root, "coordinator_ieee", 16);
	n.pan = (uint16_t)hex_number(k, root, "pan_id", 0);
	n.ext_pan = hex_number(k, root, "extended_pan_id", 16);
	if (!k->err && (!n.pan || n.pan >= 0xfffe))
		wrong(k, "pan_id", "a number from 1 to fffd");
	n.update_id = (uint8_t)number(k, root, "nwk_update_id", 0, UINT8_MAX);
	n.security_level = (uint8_t)number(k, root, "security_level", 0, 7);
	n.channel = (uint8_t)number(k, root, "channel", CHANNEL_MIN, CHANNEL_MAX);
	n.channels = mask_read(k, root, n.channel);
	k->place = "network_key.";
	hex_key(k, key, "key", n.key);
	n.key_sequence = (uint8_t)number(k, key, "sequence_number", 0, UINT8_MAX);
	n.frame_counter = number(k, key, "frame_counter", 0, UINT32_MAX);
	k->place = "";
	*ret = n;
	crypto_wipe(&n, sizeof(n));
}

static void device_read(struct look *k, const struct json *object, struct radio_key *ret)
{
	const struct json *key = json_get(object, "link_key");
	const char *outer = k->place;
	char place[PATH_CAP];

	ret->eui = hex_number(k, object, "ieee_address", 16);
	ret->nwk = 0xfffe; /* not known */
	if (json_kind(json_get(object, "nwk_address")) != JSON_NULL)
		ret->nwk = (uint16_t)hex_number(k, object, "nwk_address", 0);
	if (json_get(object, "is_child") && !json_to_bool(json_get(object, "is_child"), &ret->child))
		wrong(k, "is_child", "true or false");
	if (json_kind(key) == JSON_NULL || k->err)
		return;
	text_print(place, sizeof(place), "%slink_key.", outer);
	k->place = place;
	ret->has_key = true;
	hex_key(k, key, "key", ret->key);
	ret->rx_counter = number(k, key, "rx_counter", 0, UINT32_MAX);
	ret->tx_counter = number(k, key, "tx_counter", 0, UINT32_MAX);
	k->place = outer;
}

static bool is_twice(const struct radio_key *keys, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (keys[j].eui == keys[i].eui)
			return true;
	}
	return false;
}

static void devices_read(struct look *k, const struct json *root, struct radio_key *keys, size_t n)
{
	char place[PATH_CAP];

	k->place = place;
	for (size_t i = 0; !k->err && i < n; i++) {
		text_print(place, sizeof(place), "devices[%zu].", i);
		device_read(k, json_at(json_get(root, "devices"), i), &keys[i]);
		if (!k->err && is_twice(keys, i))
			wrong(k, "ieee_address", "one that is there once");
	}
	k->place = "";
}

int backup_read(const char *text, size_t len, struct radio_network *ret, struct radio_key **ret_keys, size_t *ret_n, char *error, size_t error_cap)
{
	cleanup(json_freep) struct json *root = NULL;
	struct look k = { .error = error, .cap = error_cap, .place = "" };
	struct radio_network network = { 0 };
	struct radio_key *keys = NULL;
	struct json *list;
	size_t n = 0;
	int err = json_parse(text, len, BACKUP_LEN_MAX, DEPTH_MAX, error, error_cap, &root);

	if (err)
		return err < 0 ? err : BACKUP_E_JSON;
	head_read(&k, root);
	if (!k.err)
		network_read(&k, root, &network);
	list = json_get(root, "devices");
	if (!k.err && (json_kind(list) != JSON_ARRAY || json_len(list) > RADIO_KEYS_MAX))
		wrong(&k, "devices", "a list of up to 256");
	if (!k.err) {
		n = json_len(list);
		keys = calloc(n + 1, sizeof(*keys));
		if (!keys)
			k.err = -ENOMEM;
	}
	if (!k.err)
		devices_read(&k, root, keys, n);
	if (!k.err) {
		*ret = network;
		*ret_keys = STEAL(keys);
		*ret_n = n;
	}
	backup_keys_free(keys, n);
	crypto_wipe(&network, sizeof(network));
	return k.err;
}

static void set_hex(struct json *object, const char *field, uint64_t v, int digits)
{
	char text[17];

	text_print(text, sizeof(text), "%0*llx", digits, (unsigned long long)v);
	json_set_text(object, field, text);
}

static void set_key(struct json *object, const char *field, const uint8_t key[16])
{
	char text[33];

	hex_print(key, 16, text);
	json_set_text(object, field, text);
	crypto_wipe(text, sizeof(text));
}

static struct json *device_make(const struct radio_key *key)
{
	struct json *device = json_new_object(), *link;

	if (key->nwk < 0xfff8)
		set_hex(device, "nwk_address", key->nwk, 4);
	else
		json_set_null(device, "nwk_address");
	set_hex(device, "ieee_address", key->eui, 16);
	json_set_bool(device, "is_child", key->child);
	if (key->has_key) {
		link = json_new_object();
		set_key(link, "key", key->key);
		json_set_i64(link, "rx_counter", key->rx_counter);
		json_set_i64(link, "tx_counter", key->tx_counter);
		json_set(device, "link_key", link);
	}
	return device;
}

static struct json *metadata_make(void)
{
	struct json *metadata = json_new_object();

	json_set_text(metadata, "format", format_name);
	json_set_i64(metadata, "version", 1);
	json_set_text(metadata, "source", "gatewayd@" GW_VERSION);
	json_set(metadata, "internal", json_new_object());
	return metadata;
}

/* Who restores to a Z-Stack stick can keep the keys as one seed. */
static struct json *specific_make(const struct radio_key *keys, size_t n)
{
	struct json *specific = json_new_object(), *zstack;
	uint8_t seed[TCLK_LEN];

	if (tclk_seed_find(keys, n, seed)) {
		zstack = json_new_object();
		set_key(zstack, "tclk_seed", seed);
		json_set(specific, "zstack", zstack);
		crypto_wipe(seed, sizeof(seed));
	}
	return specific;
}

/* A number for an array: there is no other way to make one. */
static void push_number(struct json *array, int64_t v)
{
	struct json *holder = json_new_object();

	json_set_i64(holder, "n", v);
	json_push(array, json_copy(json_get(holder, "n")));
	json_free(holder);
}

/* The channel in use first: there are readers that take the first one for it. */
static struct json *mask_make(const struct radio_network *network)
{
	struct json *mask = json_new_array();

	push_number(mask, network->channel);
	for (int i = CHANNEL_MIN; i <= CHANNEL_MAX; i++) {
		if (i != network->channel && network->channels >> i & 1)
			push_number(mask, i);
	}
	return mask;
}

int backup_write(const struct radio_network *network, const struct radio_key *keys, size_t n, char **ret, size_t *ret_len)
{
	cleanup(json_freep) struct json *root = json_new_object();
	struct json *key = json_new_object(), *devices = json_new_array();

	json_set(root, "metadata", metadata_make());
	json_set(root, "stack_specific", specific_make(keys, n));
	set_hex(root, "coordinator_ieee", network->eui, 16);
	set_hex(root, "pan_id", network->pan, 4);
	set_hex(root, "extended_pan_id", network->ext_pan, 16);
	json_set_i64(root, "nwk_update_id", network->update_id);
	json_set_i64(root, "security_level", network->security_level);
	json_set_i64(root, "channel", network->channel);
	json_set(root, "channel_mask", mask_make(network));
	set_key(key, "key", network->key);
	json_set_i64(key, "sequence_number", network->key_sequence);
	json_set_i64(key, "frame_counter", network->frame_counter);
	json_set(root, "network_key", key);
	for (size_t i = 0; i < n; i++)
		json_push(devices, device_make(&keys[i]));
	json_set(root, "devices", devices);
	return json_print_pretty(root, ret, ret_len);
}

struct radio_key *backup_keys_free(struct radio_key *keys, size_t n)
{
	if (keys)
		crypto_wipe(keys, n * sizeof(*keys));
	free(keys);
	return NULL;
}

char *backup_text_free(char *text, size_t len)
{
	if (text)
		crypto_wipe(text, len);
	free(text);
	return NULL;
}
