/* What readers see: the keys' states and bytes as the last write left them. Nothing here waits for the disk, but for the close,
 * which writes down what was really counted.
 */
#include "vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "vault/inside.h"

/* Not writing it costs no more than a count that is too high. */
static void write_counts(struct vault *vault)
{
	bool ahead = false;

	if (vault_begin(vault))
		return;
	for (uint32_t i = 0; i < vault->rows->n; i++) {
		const struct vault_row *row = &vault->rows->row[i];
		struct keystore_key *key = vault_find(vault->next, row->info.id);

		if (!row->counting || !key || key->state == KEY_DESTROYED)
			continue;
		key->uses = row->info.uses;
		ahead = true;
		vault->rows->row[i].counting = false;
	}
	if (ahead && vault_commit(vault, vault->kek, false))
		ahead = false;
	vault_end(vault);
}

struct vault *vault_close(struct vault *vault)
{
	if (!vault)
		return NULL;
	if (vault->rows && !vault->gone)
		write_counts(vault);
	crypto_guarded_free(vault->now);
	crypto_guarded_free(vault->next);
	crypto_guarded_free(vault->page);
	vault_bytes_free(vault->bytes);
	seal_key_free(vault->kek);
	free(vault->rows);
	free(vault->folder);
	free(vault->path);
	pthread_mutex_destroy(&vault->verbs);
	pthread_mutex_destroy(&vault->look);
	free(vault);
	return NULL;
}

bool vault_fell_back(const struct vault *vault)
{
	return vault->fell_back;
}

/* A lock is no part of what a reader may not change. */
static pthread_mutex_t *lock_of(const struct vault *vault)
{
	return &((struct vault *)(uintptr_t)vault)->look;
}

int vault_key(const struct vault *vault, uint32_t id, const uint8_t **ret)
{
	int r = VAULT_E_UNKNOWN;

	pthread_mutex_lock(lock_of(vault));
	for (uint32_t i = 0; vault->rows && i < vault->rows->n; i++) {
		const struct vault_row *row = &vault->rows->row[i];

		if (row->info.id != id)
			continue;
		r = row->info.state == KEY_PREACTIVE || row->info.state == KEY_DESTROYED ? VAULT_E_STATE : 0;
		if (!r)
			*ret = row->bytes;
	}
	pthread_mutex_unlock(lock_of(vault));
	return r;
}

uint32_t vault_active(const struct vault *vault, enum key_purpose purpose)
{
	uint32_t id = 0;

	pthread_mutex_lock(lock_of(vault));
	for (uint32_t i = 0; vault->rows && i < vault->rows->n; i++) {
		const struct vault_key_info *info = &vault->rows->row[i].info;

		if (info->purpose == purpose && info->state == KEY_ACTIVE)
			id = info->id;
	}
	pthread_mutex_unlock(lock_of(vault));
	return id;
}

static bool is_worn(const struct vault_key_info *info, int64_t now_s)
{
	bool aged = info->active_s >= VAULT_CLOCK_FLOOR_S && now_s > info->active_s && now_s - info->active_s >= info->age_max_s;

	return info->state == KEY_ACTIVE && (aged || info->uses >= info->uses_max);
}

size_t vault_list(const struct vault *vault, int64_t now_s, struct vault_key_info *ret, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(lock_of(vault));
	for (uint32_t i = 0; vault->rows && i < vault->rows->n && n < max; i++) {
		ret[n] = vault->rows->row[i].info;
		ret[n].worn = is_worn(&ret[n], now_s);
		n++;
	}
	pthread_mutex_unlock(lock_of(vault));
	return n;
}

uint64_t vault_generation(const struct vault *vault)
{
	uint64_t generation;

	pthread_mutex_lock(lock_of(vault));
	generation = vault->generation;
	pthread_mutex_unlock(lock_of(vault));
	return generation;
}

uint64_t vault_starts(const struct vault *vault)
{
	uint64_t starts;

	pthread_mutex_lock(lock_of(vault));
	starts = vault->starts;
	pthread_mutex_unlock(lock_of(vault));
	return starts;
}

/* Made once, before the vault is anybody's; never changed. */
const uint8_t *vault_gateway_id(const struct vault *vault)
{
	return vault->gateway_id;
}
