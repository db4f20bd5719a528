/* A plugin is code, so which file is loaded is a decision of who installed the machine: packaged
 * ones are in a list that comes with them, foreign ones have their hash in the configuration. What
 * is hashed is the open file that is loaded afterwards, never a path that could lead elsewhere by
 * then.
 */
#include "host/trust.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"

int trust_find(const char *text, const char *name, char ret[TRUST_HASH_TEXT_LEN + 1])
{
	size_t name_len = strlen(name);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (len && line[0] != '#') {
			if (len <= TRUST_HASH_TEXT_LEN + 2 ||
			    strncmp(line + TRUST_HASH_TEXT_LEN, "  ", 2))
				return TRUST_E_SYNTAX;
			if (len - TRUST_HASH_TEXT_LEN - 2 == name_len &&
			    memcmp(line + TRUST_HASH_TEXT_LEN + 2, name, name_len) == 0) {
				memcpy(ret, line, TRUST_HASH_TEXT_LEN);
				ret[TRUST_HASH_TEXT_LEN] = '\0';
				return 0;
			}
		}
		line += len + (line[len] == '\n');
	}
	return TRUST_E_UNLISTED;
}

int trust_check_hash(const char *sha256_hex, int fd)
{
	uint8_t want[CRYPTO_HASH_LEN], got[CRYPTO_HASH_LEN];
	int r;

	if (hex_parse(sha256_hex, strlen(sha256_hex), want, sizeof(want)))
		return TRUST_E_SYNTAX;
	r = crypto_sha256_fd(fd, got);
	if (r)
		return r;
	return memcmp(want, got, sizeof(want)) ? TRUST_E_CHANGED : 0;
}

/* Root's, or the developer's who built this very program. */
static int check_owner(const char *list_path)
{
	struct stat list, self;

	if (stat(list_path, &list) < 0)
		return -errno;
	if (list.st_mode & (S_IWGRP | S_IWOTH))
		return TRUST_E_OWNER;
	if (list.st_uid == 0)
		return 0;
	if (stat("/proc/self/exe", &self) < 0)
		return -errno;
	return self.st_uid == list.st_uid ? 0 : TRUST_E_OWNER;
}

int trust_check_list(const char *list_path, const char *name, int fd)
{
	char hash[TRUST_HASH_TEXT_LEN + 1];
	char *text;
	size_t len;
	int r = check_owner(list_path);

	if (r)
		return r == -ENOENT ? TRUST_E_UNLISTED : r;
	r = host_read_file(list_path, TRUST_LIST_MAX, &text, &len);
	if (r)
		return r;
	r = trust_find(text, name, hash);
	free(text);
	return r ? r : trust_check_hash(hash, fd);
}

const char *trust_word(int error)
{
	switch (error) {
	case TRUST_E_UNLISTED:
		return "it is in no list of plugins";
	case TRUST_E_CHANGED:
		return "its hash is another than the listed one";
	case TRUST_E_OWNER:
		return "the list of plugins belongs to somebody else, or others may write it";
	case TRUST_E_SYNTAX:
		return "the listed hash is not one";
	default:
		return error < 0 ? strerror(-error) : "unknown reason";
	}
}
