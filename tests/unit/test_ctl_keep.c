/* Where the session lies: one's own folder, one file a door, readable by nobody else. */
#include "check.h"

#include "base/text.h"
#include "ctl/keep.h"
#include "sys/crypto.h"
#include "tmpdir.h"

static void kept_and_gone(void **state)
{
	struct tmpdir dir;
	char path[512], other[512], token[KEEP_TOKEN_MAX];
	struct stat st;
	(void)state;
	tmpdir_init(&dir);
	setenv("XDG_RUNTIME_DIR", dir.path, 1);
	check_ok(keep_path("/run/a.sock", path, sizeof(path)));
	check_ok(keep_path("/run/b.sock", other, sizeof(other)));
	check_true(strncmp(path, dir.path, strlen(dir.path)) == 0 && strcmp(path, other) != 0);
	check_int(keep_read(path, token), -ENOENT);
	check_ok(keep_write(path, "gws1_abc"));
	check_ok(stat(path, &st));
	check_uint(st.st_mode & 0777, 0600);
	check_ok(keep_read(path, token));
	check_text(token, "gws1_abc");
	check_int(keep_read(other, token), -ENOENT);
	keep_remove(path);
	check_int(keep_read(path, token), -ENOENT);
	keep_remove(path);
	tmpdir_deinit(&dir);
}

static void what_others_may_read_is_no_session(void **state)
{
	struct tmpdir dir;
	char path[512], token[KEEP_TOKEN_MAX];
	(void)state;
	tmpdir_init(&dir);
	setenv("XDG_RUNTIME_DIR", dir.path, 1);
	check_ok(keep_path("/run/a.sock", path, sizeof(path)));
	check_ok(keep_write(path, "gws1_abc"));
	check_ok(chmod(path, 0640));
	check_int(keep_read(path, token), -ENOENT);
	keep_remove(path);
	check_ok(symlink(tmpdir_write(&dir, "elsewhere", "gws1_abc"), path));
	check_int(keep_read(path, token), -ENOENT);
	tmpdir_deinit(&dir);
}

static void bounds(void **state)
{
	struct tmpdir dir;
	char path[512], token[KEEP_TOKEN_MAX], text[KEEP_TOKEN_MAX + 1];
	(void)state;
	tmpdir_init(&dir);
	setenv("XDG_RUNTIME_DIR", dir.path, 1);
	check_ok(keep_path("/run/a.sock", path, sizeof(path)));
	memset(text, 'a', sizeof(text));
	text[KEEP_TOKEN_MAX - 1] = 0;
	check_ok(keep_write(path, text));
	check_ok(keep_read(path, token));
	check_uint(strlen(token), KEEP_TOKEN_MAX - 1);
	memset(text, 'a', sizeof(text));
	text[KEEP_TOKEN_MAX] = 0;
	check_ok(keep_write(path, text));
	check_int(keep_read(path, token), -ENOENT);
	check_ok(keep_write(path, ""));
	check_int(keep_read(path, token), -ENOENT);
	tmpdir_deinit(&dir);
}

static void without_a_runtime_folder_at_home(void **state)
{
	struct tmpdir dir;
	char path[512], want[128];
	(void)state;
	tmpdir_init(&dir);
	unsetenv("XDG_RUNTIME_DIR");
	setenv("HOME", dir.path, 1);
	check_ok(keep_path("/run/a.sock", path, sizeof(path)));
	text_print(want, sizeof(want), "%s/.cache/gatewayctl/session-", dir.path);
	check_true(strncmp(path, want, strlen(want)) == 0);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(kept_and_gone), cmocka_unit_test(what_others_may_read_is_no_session), cmocka_unit_test(bounds),
					   cmocka_unit_test(without_a_runtime_folder_at_home) };
	if (crypto_init() != 0)
		return 1;
	return CHECK_RUN(rows);
}
