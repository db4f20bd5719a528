/* The token is as good as the password while its session lasts, so it lies where only this user reads it, in memory where the
 * system has such a folder (XDG_RUNTIME_DIR), and goes at logout. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "ctl/keep.h"
#include "sys/crypto.h"
#include "sys/host.h"

static bool is_mine(const char *folder)
{
	struct stat st;
	return folder && folder[0] == '/' && stat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static int folder_of(char *ret, size_t cap)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	const struct passwd *user;
	if (is_mine(runtime))
		return text_print(ret, cap, "%s/gatewayctl", runtime) ? 0 : -ENAMETOOLONG;
	if (!is_mine(home)) {
		user = getpwuid(geteuid());
		home = user ? user->pw_dir : NULL;
	}
	if (!is_mine(home))
		return -ENOENT;
	if (!text_print(ret, cap, "%s/.cache", home))
		return -ENAMETOOLONG;
	int r = host_mkdir(ret, 0700);
	if (r == 0 && !text_append(ret, cap, "/gatewayctl"))
		r = -ENAMETOOLONG;
	return r;
}

int keep_path(const char *socket, char *ret, size_t cap)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	char name[17];
	int r = folder_of(ret, cap);
	if (r == 0)
		r = host_mkdir(ret, 0700);
	if (r != 0)
		return r;
	crypto_sha256(socket, strlen(socket), hash);
	hex_print(hash, 8, name);
	return text_append(ret, cap, "/session-%s", name) ? 0 : -ENAMETOOLONG;
}

int keep_read(const char *path, char ret[KEEP_TOKEN_MAX])
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return -ENOENT;
	int r = host_read_file(path, KEEP_TOKEN_MAX - 1, &text, &len);
	if (r == 0 && (len == 0 || strlen(text) != len))
		r = -ENOENT;
	if (r == 0)
		text_copy(ret, KEEP_TOKEN_MAX, text);
	if (text)
		crypto_wipe(text, len);
	free(text);
	return r > 0 ? -ENOENT : r;
}

int keep_write(const char *path, const char *token)
{
	return host_write_file(path, 0600, token, strlen(token));
}

void keep_remove(const char *path)
{
	(void)unlink(path);
}
