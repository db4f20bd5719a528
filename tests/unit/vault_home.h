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

static inline const uint8_t *home_key(struct vault_home *home, uint32_t id)
{
	const uint8_t *bytes = NULL;

	check_ok(vault_key(home->vault, id, &bytes));
	return bytes;
}

/* Its id is 0 when there is none. */
static inline struct vault_key_info home_info_at(struct vault_home *home, uint32_t id, int64_t now_s)
{
	struct vault_key_info list[KEYSTORE_KEYS_MAX], none = { .id = 0 };
	size_t n = vault_list(home->vault, now_s, list, KEYSTORE_KEYS_MAX);

	for (size_t i = 0; i < n; i++) {
		if (list[i].id == id)
			return list[i];
	}
	return none;
}

static inline struct vault_key_info home_info(struct vault_home *home, uint32_t id)
{
	return home_info_at(home, id, NOW_S);
}

static inline uint32_t home_create(struct vault_home *home, enum key_purpose purpose)
{
	uint32_t id = 0;

	check_ok(vault_create(home->vault, purpose, NOW_S, &id));
	return id;
}

static inline void home_deinit(struct vault_home *home)
{
	vault_close(home->vault);
	tmpdir_deinit(&home->dir);
}

static inline struct secret *phrase_of(const char *text)
{
	struct secret *secret = NULL;

	check_ok(secret_new(text, strlen(text), &secret));
	return secret;
}

static inline void write_file(const char *path, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	check_true(fd >= 0);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)i;

		check_int(write(fd, &byte, 1), 1);
	}
	check_ok(fchmod(fd, mode));
	close(fd);
}

static inline bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}
