/*
 * A backup from anywhere: what is read is written, and reads the same again. And the bytes as an install code, whose checksum
 * is right then.
 */
#include <stdlib.h>
#include <string.h>

#include "zigbee/backup.h"
#include "zigbee/install_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void try_code(const uint8_t *data, size_t size)
{
	struct install_code code;
	uint8_t key[INSTALL_CODE_KEY_LEN];

	if (install_code_read((const char *)data, size, &code))
		return;
	must(!install_code_check((struct view){ code.bytes, code.len }));
	must(!install_code_key((struct view){ code.bytes, code.len }, key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct radio_network network, again;
	struct radio_key *keys, *keys_again;
	char error[BACKUP_ERROR_CAP] = "", *text;
	size_t n, n_again, len;
	int err;

	try_code(data, size);
	err = backup_read((const char *)data, size, &network, &keys, &n, error, sizeof(error));
	if (err) {
		must(strlen(error) > 0);
		return 0;
	}
	must(n <= RADIO_KEYS_MAX);
	must(!backup_write(&network, keys, n, &text, &len));
	must(len <= BACKUP_LEN_MAX);
	network.channels |= 1u << network.channel; /* the one in use is in the list at any rate */
	must(!backup_read(text, len, &again, &keys_again, &n_again, NULL, 0));
	must(n == n_again && network.eui == again.eui && network.frame_counter == again.frame_counter && network.channels == again.channels);
	must(!memcmp(network.key, again.key, sizeof(network.key)));
	for (size_t i = 0; i < n; i++)
		must(keys[i].eui == keys_again[i].eui && keys[i].has_key == keys_again[i].has_key && !memcmp(keys[i].key, keys_again[i].key, 16));
	backup_keys_free(keys, n);
	backup_keys_free(keys_again, n_again);
	backup_text_free(text, len);
	return 0;
}
