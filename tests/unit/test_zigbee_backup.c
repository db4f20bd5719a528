/* Backups: what others wrote, every field that is missing or wrong, there and back; and the seed that is in the keys. */
#include "check.h"

#include "sys/crypto.h"
#include "zigbee/backup.h"
#include "zigbee/nv_form.h"
#include "zigbee/tclk.h"

/* As zigbee-herdsman writes it, and with what zigpy adds. */
static const char sample[] =
	"{\"metadata\":{\"format\":\"zigpy/open-coordinator-backup\",\"version\":1,\"source\":\"zigbee-herdsman@10.9.2\","
	"\"internal\":{\"date\":\"2026-01-01T00:00:00.000Z\",\"znpVersion\":1}},"
	"\"stack_specific\":{\"zstack\":{\"tclk_seed\":\"5a69676265652d73696d2d736565642e\"}},"
	"\"coordinator_ieee\":\"00124b0018ed1234\",\"pan_id\":\"a62\",\"extended_pan_id\":\"a1b2c3d4e5f60718\",\"nwk_update_id\":2,"
	"\"security_level\":5,\"channel\":11,\"channel_mask\":[11,15],"
	"\"network_key\":{\"key\":\"01030507090b0d0f00020406080a0c0d\",\"sequence_number\":1,\"frame_counter\":4294967295},"
	"\"devices\":[{\"nwk_address\":\"1a01\",\"ieee_address\":\"000b57fffe00a101\",\"is_child\":false,\"link_key\":"
	"{\"key\":\"5bc8679c9a32267368cc2d8d9a326f2e\",\"rx_counter\":5,\"tx_counter\":6}},"
	"{\"nwk_address\":null,\"ieee_address\":\"00124b00300ac303\",\"is_child\":true}]}";

struct got {
	struct radio_network network;
	struct radio_key *keys;
	size_t n;
	char error[BACKUP_ERROR_CAP];
};

static int read_text(const char *text, size_t len, struct got *ret)
{
	*ret = (struct got){ .n = 77 };
	return backup_read(text, len, &ret->network, &ret->keys, &ret->n, ret->error, sizeof(ret->error));
}

static void test_read(void **state)
{
	static const uint8_t key[] = { 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13 };
	struct got g;

	(void)state;
	check_ok(read_text(sample, strlen(sample), &g));
	check_uint(g.network.eui, 0x00124b0018ed1234);
	check_uint(g.network.pan, 0x0a62);
	check_uint(g.network.ext_pan, 0xa1b2c3d4e5f60718);
	check_uint(g.network.channel, 11);
	check_uint(g.network.channels, 1u << 11 | 1u << 15);
	check_uint(g.network.update_id, 2);
	check_uint(g.network.security_level, 5);
	check_uint(g.network.key_sequence, 1);
	check_uint(g.network.frame_counter, UINT32_MAX);
	check_bytes(g.network.key, 16, key, 16);
	check_uint(g.n, 2);
	check_uint(g.keys[0].eui, 0x000b57fffe00a101);
	check_uint(g.keys[0].nwk, 0x1a01);
	check_true(!g.keys[0].child && g.keys[0].has_key && g.keys[1].child && !g.keys[1].has_key);
	check_uint(g.keys[0].rx_counter, 5);
	check_uint(g.keys[0].tx_counter, 6);
	check_uint(g.keys[1].nwk, 0xfffe);
	g.keys = backup_keys_free(g.keys, g.n);
}

/* The sample with one thing replaced. */
static int read_with(const char *what, const char *by, struct got *ret)
{
	char text[4096];
	const char *at = strstr(sample, what);

	check_true(at != NULL);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - sample), sample, by, at + strlen(what));
	return read_text(text, strlen(text), ret);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *what, *by, *error;
	} rows[] = {
		{ "zigpy/open", "zigpy/shut", "metadata.format: expected zigpy/open-coordinator-backup" },
		{ "\"version\":1", "\"version\":2", "metadata.version: expected 1" },
		{ "\"coordinator_ieee\":\"00124b0018ed1234\"", "\"x\":1", "coordinator_ieee: expected 16 hex digits" },
		{ "00124b0018ed1234", "00124b0018ed123", "coordinator_ieee: expected 16 hex digits" },
		{ "00124b0018ed1234", "00124b0018ed123g", "coordinator_ieee: expected 16 hex digits" },
		{ "\"a62\"", "\"\"", "pan_id: expected a number of 1 to 4 hex digits" },
		{ "\"a62\"", "2658", "pan_id: expected a number of 1 to 4 hex digits" },
		{ "\"a62\"", "\"ffff\"", "pan_id: expected a number from 1 to fffd" },
		{ "\"a62\"", "\"0\"", "pan_id: expected a number from 1 to fffd" },
		{ "a1b2c3d4e5f60718", "-1b2c3d4e5f60718", "extended_pan_id: expected 16 hex digits" },
		{ "\"nwk_update_id\":2", "\"nwk_update_id\":256", "nwk_update_id: expected a number from 0 to 255" },
		{ "\"security_level\":5", "\"security_level\":8", "security_level: expected a number from 0 to 7" },
		{ "\"channel\":11", "\"channel\":10", "channel: expected a number from 11 to 26" },
		{ "[11,15]", "[11,27]", "channel_mask: expected channels from 11 to 26" },
		{ "[11,15]", "7", "channel_mask: expected a list of channels" },
		{ "01030507090b0d0f00020406080a0c0d", "01030507090b0d0f00020406080a0c", "network_key.key: expected 32 hex digits" },
		{ "\"sequence_number\":1", "\"sequence_number\":-1", "network_key.sequence_number: expected a number from 0 to 255" },
		{ "4294967295", "4294967296", "network_key.frame_counter: expected a number from 0 to 4294967295" },
		{ "4294967295", "1.5", "network_key.frame_counter: expected a number from 0 to 4294967295" },
		{ "\"devices\":[", "\"devices\":7,\"x\":[", "devices: expected a list of up to 256" },
		{ "\"devices\":[", "\"devices\":[1,", "devices[0].ieee_address: expected 16 hex digits" },
		{ "000b57fffe00a101", "00124b00300ac303", "devices[1].ieee_address: expected one that is there once" },
		{ "\"1a01\"", "\"1a011\"", "devices[0].nwk_address: expected a number of 1 to 4 hex digits" },
		{ "\"is_child\":true", "\"is_child\":1", "devices[1].is_child: expected true or false" },
		{ "5bc8679c9a32267368cc2d8d9a326f2e", "", "devices[0].link_key.key: expected 32 hex digits" },
		{ "\"rx_counter\":5", "\"rx_counter\":\"5\"", "devices[0].link_key.rx_counter: expected a number from 0 to 4294967295" },
		{ "\"tx_counter\":6", "\"y\":6", "devices[0].link_key.tx_counter: expected a number from 0 to 4294967295" },
	};
	struct got g;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_int(read_with(rows[i].what, rows[i].by, &g), BACKUP_E_FIELD);
		check_text(g.error, rows[i].error);
		check_true(!g.keys && g.n == 77);
	}
	/* What can be done without. */
	check_ok(read_with(",\"channel_mask\":[11,15]", "", &g));
	check_uint(g.network.channels, 1u << 11);
	backup_keys_free(g.keys, g.n);
	check_ok(read_with(",\"is_child\":true", "", &g));
	backup_keys_free(g.keys, g.n);
	check_ok(read_with("\"nwk_update_id\"", "\"new\":{\"from\":\"elsewhere\"},\"nwk_update_id\"", &g));
	backup_keys_free(g.keys, g.n);
	check_int(read_text("{", 1, &g), BACKUP_E_JSON);
	check_int(read_text("[]", 2, &g), BACKUP_E_FIELD);
	for (size_t n = 0; n < strlen(sample); n++) {
		check_true(read_text(sample, n, &g) == BACKUP_E_JSON);
		check_true(!strstr(g.error, "01030507"));
	}
}

static void test_limits(void **state)
{
	struct radio_key *keys = test_calloc(RADIO_KEYS_MAX + 1, sizeof(*keys));
	struct radio_network n = { .eui = 1, .pan = 1, .channel = 26, .channels = 1u << 26 | 1u << 11 };
	char *text, *big = test_calloc(1, BACKUP_LEN_MAX + 2);
	size_t len;
	struct got g;

	(void)state;
	for (size_t i = 0; i <= RADIO_KEYS_MAX; i++) {
		keys[i] = (struct radio_key){ .eui = i + 1, .nwk = (uint16_t)i, .child = true, .has_key = true, .rx_counter = UINT32_MAX };
		crypto_random(keys[i].key, 16);
	}
	check_ok(backup_write(&n, keys, RADIO_KEYS_MAX + 1, &text, &len));
	check_int(read_text(text, len, &g), BACKUP_E_FIELD);
	check_text(g.error, "devices: expected a list of up to 256");
	backup_text_free(text, len);
	/* The largest there is, and it fits. */
	check_ok(backup_write(&n, keys, RADIO_KEYS_MAX, &text, &len));
	check_true(len < BACKUP_LEN_MAX);
	check_ok(read_text(text, len, &g));
	check_uint(g.n, RADIO_KEYS_MAX);
	for (size_t i = 0; i < g.n; i++)
		check_bytes(&g.keys[i].key, 16, keys[i].key, 16);
	g.keys = backup_keys_free(g.keys, g.n);
	/* Who takes the first channel of the list for the one in use is right. */
	check_true(strstr(text, "\"channel_mask\": [\n    26,\n    11\n  ]") != NULL);
	backup_text_free(text, len);
	memset(big, ' ', BACKUP_LEN_MAX + 1);
	memcpy(big, sample, strlen(sample));
	check_ok(read_text(big, BACKUP_LEN_MAX, &g));
	backup_keys_free(g.keys, g.n);
	check_int(read_text(big, BACKUP_LEN_MAX + 1, &g), BACKUP_E_JSON);
	test_free(big);
	test_free(keys);
}

static void test_again(void **state)
{
	struct got a, b;
	char *text, *second;
	size_t len, second_len;

	(void)state;
	check_ok(read_text(sample, strlen(sample), &a));
	check_ok(backup_write(&a.network, a.keys, a.n, &text, &len));
	check_ok(read_text(text, len, &b));
	check_ok(backup_write(&b.network, b.keys, b.n, &second, &second_len));
	check_bytes(second, second_len, text, len);
	check_uint(b.keys[1].nwk, 0xfffe);
	/* One key alone says nothing of a seed. */
	check_true(!strstr(text, "tclk_seed"));
	backup_text_free(text, len);
	backup_text_free(second, second_len);
	backup_keys_free(a.keys, a.n);
	backup_keys_free(b.keys, b.n);
}

/* Keys as zigbee-herdsman computed them on the simulator, of the seed "Zigbee-sim-seed.". */
static void test_seed(void **state)
{
	static const uint8_t seed[] = "Zigbee-sim-seed.";
	struct radio_key keys[12] = { 0 };
	uint8_t found[TCLK_LEN], key[TCLK_LEN];

	(void)state;
	check_true(!tclk_seed_find(keys, 0, found));
	for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
		keys[i].eui = 0x00124b00300ac303 + i * 77;
		keys[i].has_key = i != 3;
		tclk_key(seed, keys[i].eui, (unsigned int)(i % 5), keys[i].key);
		if (i > 7)
			memset(keys[i].key, (int)i, sizeof(keys[i].key));
	}
	check_int(tclk_shift(seed, keys[2].eui, keys[2].key), 2);
	check_int(tclk_shift(seed, keys[2].eui + 1, keys[2].key), -1);
	check_int(tclk_shift(seed, keys[9].eui, keys[9].key), -1);
	check_true(tclk_seed_find(keys, N_ELEMENTS(keys), found));
	for (size_t i = 0; i < 8; i++) {
		int shift = tclk_shift(found, keys[i].eui, keys[i].key);

		check_true(shift >= 0);
		tclk_key(found, keys[i].eui, (unsigned int)shift, key);
		check_bytes(key, TCLK_LEN, keys[i].key, TCLK_LEN);
	}
	check_true(!tclk_seed_find(keys + 8, 4, found));
}

/* Where zigbee-herdsman's structs have these members, in both layouts. */
static void test_places(void **state)
{
	static const struct {
		size_t len;
		uint8_t level, channel, pan, channels, ext_pan, update_id;
	} rows[] = { { 110, 12, 22, 33, 36, 53, 109 }, { 116, 12, 24, 36, 40, 57, 114 } };
	struct nv_nib nib = { 0xa1, 0xa2, 0xa9, 0xa4a3, 0xa8a7a6a5, 0xb8b7b6b5b4b3b2b1 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t bytes[NV_NIB_LEN_ALIGNED] = { 0 };

		check_ok(nv_nib_patch(bytes, rows[i].len, &nib));
		check_uint(bytes[rows[i].level], 0xa1);
		check_uint(bytes[rows[i].channel], 0xa2);
		check_bytes(&bytes[rows[i].pan], 2, "\xa3\xa4", 2);
		check_bytes(&bytes[rows[i].channels], 4, "\xa5\xa6\xa7\xa8", 4);
		check_bytes(&bytes[rows[i].ext_pan], 8, "\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8", 8);
		check_uint(bytes[rows[i].update_id], 0xa9);
	}
}

/* Records of the stick's memory in both layouts, and in none. */
static void test_records(void **state)
{
	static const size_t lens[] = { NV_NIB_LEN, NV_NIB_LEN_ALIGNED };
	struct nv_nib nib = { 5, 15, 3, 0x1a62, 0x8000, 0x0102030405060708 }, got;
	uint8_t bytes[128];
	struct nv_address a = { 3, 0x1a01, 0x1122334455667788 }, a2;
	struct nv_tclk t = { 1, 2, 3, 4, 5, 6 }, t2;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lens); i++) {
		memset(bytes, 0xee, sizeof(bytes));
		check_ok(nv_nib_patch(bytes, lens[i], &nib));
		check_ok(nv_nib_read((struct view){ bytes, lens[i] }, &got));
		check_uint(got.ext_pan, nib.ext_pan);
		check_uint(got.pan, nib.pan);
		check_uint(got.channels, nib.channels);
		check_true(got.security_level == 5 && got.channel == 15 && got.update_id == 3 && nv_nib_is_network(&got));
	}
	check_int(nv_nib_patch(bytes, 112, &nib), NV_FORM_E_SIZE);
	check_int(nv_nib_read((struct view){ bytes, 0 }, &got), NV_FORM_E_SIZE);
	for (size_t len = 0; len <= NV_RECORD_MAX; len++) {
		int fits = len == 11 || len == 12 ? 0 : -EINVAL;

		check_int(nv_address_write(&a, bytes, len), fits);
		check_int(nv_address_read((struct view){ bytes, len }, &a2), fits ? NV_FORM_E_SIZE : 0);
		check_true(fits || (a2.user == 3 && a2.nwk == 0x1a01 && a2.eui == a.eui));
		fits = len == 19 || len == 20 ? 0 : -EINVAL;
		check_int(nv_tclk_write(&t, bytes, len), fits);
		check_int(nv_tclk_read((struct view){ bytes, len }, &t2), fits ? NV_FORM_E_SIZE : 0);
		check_true(fits || (t2.tx == 1 && t2.rx == 2 && t2.eui == 3 && t2.attributes == 4 && t2.type == 5 && t2.shift == 6));
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_read),  cmocka_unit_test(test_wrong), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_again), cmocka_unit_test(test_seed),  cmocka_unit_test(test_records), cmocka_unit_test(test_places),
	};

	return crypto_init() || CHECK_RUN(rows);
}
