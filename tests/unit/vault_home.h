#pragma once
/* A state folder with a vault in it, whose key file is beside it. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/base.h"
#include "check.h"
#include "sys/crypto.h"
#include "tmpdir.h"
#include "vault/vault.h"

#define NOW_S 1800000000
#define PHRASE "twelve little owls"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

struct vault_home {
	struct tmpdir dir;
	struct vault_options options;
	char key_path[320], why[256];
	struct vault *vault;
};

static inline void home_init(struct vault_home *home, enum seal_suite suite)
{
	memset(home, 0, sizeof(*home));
	tmpdir_init(&home->dir);
	strcpy(home->key_path, tmpdir_path(&home->dir, "kek.key"));
	home->options = (struct vault_options){
		.folder = home->dir.path, .suite = suite, .source = KEY_SOURCE_FILE, .path = home->key_path, .now_s = NOW_S,
	};
}

static inline int home_try(struct vault_home *home)
{
	return vault_open(&home->options, home->why, sizeof(home->why), &home->vault);
}

static inline void home_open(struct vault_home *home)
{
	int r = home_try(home);

	if (r)
		print_error("vault_open: %d: %s\n", r, home->why);
	check_int(r, 0);
}

static inline void home_reopen(struct vault_home *home)
{
	home->vault = vault_close(home->vault);
	home_open(home);
}

static inline void home_deinit(struct vault_home *home)
{
	vault_close(home->vault);
	tmpdir_deinit(&home->dir);
}
