/* How a verb takes effect: the file first, then the memory. Whatever can fail for want of memory is done before the file is
 * written; what comes after cannot fail, so that file and memory never part.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vault/inside.h"
#include "vault/shelf.h"

enum { SLOTS = 64, COUNT_STEPS = 4096 /* writes that counting alone causes over the life of a key */ };

int vault_begin(struct vault *vault)
{
	pthread_mutex_lock(&vault->verbs);
	if (vault->gone) {
		pthread_mutex_unlock(&vault->verbs);
		return -ESHUTDOWN;
	}
	crypto_guarded_allow(vault->now, GUARD_READ);
	crypto_guarded_allow(vault->next, GUARD_WRITE);
	memcpy(vault->next, vault->now, sizeof(*vault->next));
	return 0;
}

void vault_end(struct vault *vault)
{
	crypto_wipe(vault->next, sizeof(*vault->next));
	crypto_guarded_allow(vault->next, GUARD_HIDDEN);
	crypto_guarded_allow(vault->now, GUARD_HIDDEN);
	pthread_mutex_unlock(&vault->verbs);
}

void vault_bytes_free(struct vault_bytes *bytes)
{
	while (bytes) {
		struct vault_bytes *next = bytes->next;

		crypto_guarded_free(bytes->slots);
		free(bytes);
		bytes = next;
	}
}

must_check static int add_chunk(struct vault *vault)
{
	struct vault_bytes *chunk = calloc(1, sizeof(*chunk));
	void *slots = NULL;
	int r;

	if (!chunk)
		return -ENOMEM;
	r = crypto_guarded_new((size_t)SLOTS * KEYSTORE_SECRET_LEN, &slots);
	if (r) {
		free(chunk);
		return r;
	}
	crypto_guarded_allow(slots, GUARD_READ);
	chunk->slots = slots;
	chunk->next = vault->bytes;
	vault->bytes = chunk;
	return 0;
}

must_check static int add_bytes(struct vault *vault, const uint8_t secret[KEYSTORE_SECRET_LEN], const uint8_t **ret)
{
	struct vault_bytes *chunk = vault->bytes;
	int r = !chunk || chunk->used == SLOTS ? add_chunk(vault) : 0;

	if (r)
		return r;
	chunk = vault->bytes;
	crypto_guarded_allow(chunk->slots, GUARD_WRITE);
	memcpy(chunk->slots[chunk->used], secret, KEYSTORE_SECRET_LEN);
	crypto_guarded_allow(chunk->slots, GUARD_READ);
	*ret = chunk->slots[chunk->used++];
	return 0;
}

static void wipe_bytes(struct vault *vault, const uint8_t *bytes)
{
	for (struct vault_bytes *chunk = vault->bytes; chunk; chunk = chunk->next) {
		for (uint32_t i = 0; i < chunk->used; i++) {
			if (chunk->slots[i] != bytes)
				continue;
			crypto_guarded_allow(chunk->slots, GUARD_WRITE);
			crypto_wipe(chunk->slots[i], KEYSTORE_SECRET_LEN);
			crypto_guarded_allow(chunk->slots, GUARD_READ);
			return;
		}
	}
}

static struct vault_row *find_row(struct vault_rows *rows, uint32_t id)
{
	for (uint32_t i = 0; rows && i < rows->n; i++) {
		if (rows->row[i].info.id == id)
			return &rows->row[i];
	}
	return NULL;
}

must_check static int public_of(const struct keystore_key *key, struct sign_public *ret)
{
	struct sign_key *sign = NULL;
	int r;

	if ((key->purpose != KEY_SIGN && key->purpose != KEY_SIGN_SM2) || key->state == KEY_DESTROYED)
		return 0;
	r = sign_key_new((enum sign_kind)key->suite, key->secret, &sign);
	if (r == -ENOTSUP)
		return 0; /* brought from a machine that has SM2: kept, and of no use here */
	if (r)
		return r;
	*ret = sign_key_public(sign);
	sign_key_free(sign);
	return 0;
}

/* Bytes and public key are made once in the life of a key here. */
must_check static int fill_row(struct vault *vault, const struct keystore_key *key, struct vault_row *row)
{
	const struct vault_row *before = find_row(vault->rows, key->id);
	int r = 0;

	row->info = (struct vault_key_info){
		.id = key->id,
		.purpose = (enum key_purpose)key->purpose,
		.state = (enum key_state)key->state,
		.suite = key->suite,
		.made_s = key->made_s,
		.active_s = key->active_s,
		.ended_s = key->ended_s,
		.age_max_s = key->age_max_s,
		.uses = key->uses,
		.uses_max = key->uses_max,
	};
	row->ceiling = key->uses;
	if (before) {
		row->bytes = before->bytes;
		row->info.public = before->info.public;
		return 0;
	}
	r = public_of(key, &row->info.public);
	return r ? r : add_bytes(vault, key->secret, &row->bytes);
}

/* Those that a verb has made and that never came to be. */
static void forget_rows(struct vault *vault, struct vault_rows *rows)
{
	for (uint32_t i = 0; i < rows->n; i++) {
		if (!find_row(vault->rows, rows->row[i].info.id))
			wipe_bytes(vault, rows->row[i].bytes);
	}
	free(rows);
}

must_check static int make_rows(struct vault *vault, const struct keystore *store, struct vault_rows **ret)
{
	struct vault_rows *rows = calloc(1, sizeof(*rows));
	int r;

	if (!rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < store->n_keys; i++) {
		r = fill_row(vault, &store->keys[i], &rows->row[i]);
		if (r) {
			forget_rows(vault, rows);
			return r;
		}
		rows->n++;
	}
	*ret = rows;
	return 0;
}

/* Takes rows. What was counted meanwhile is carried over; what is destroyed is wiped, now that it is so on the disk. */
static void show_rows(struct vault *vault, const struct keystore *store, struct vault_rows *rows)
{
	struct vault_rows *before;

	pthread_mutex_lock(&vault->look);
	before = vault->rows;
	for (uint32_t i = 0; i < rows->n; i++) {
		const struct vault_row *was = find_row(before, rows->row[i].info.id);

		if (was && was->counting) {
			rows->row[i].info.uses = was->info.uses;
			rows->row[i].counting = true;
		}
	}
	vault->rows = rows;
	vault->generation = store->generation;
	vault->starts = store->starts;
	if (!before) /* read without the lock afterwards */
		memcpy(vault->gateway_id, store->gateway_id, sizeof(vault->gateway_id));
	for (uint32_t i = 0; i < rows->n; i++) {
		if (rows->row[i].info.state == KEY_DESTROYED)
			wipe_bytes(vault, rows->row[i].bytes);
	}
	pthread_mutex_unlock(&vault->look);
	free(before);
}

int vault_show(struct vault *vault)
{
	struct vault_rows *rows = NULL;
	int r = make_rows(vault, vault->now, &rows);

	if (!r)
		show_rows(vault, vault->now, rows);
	return r;
}

/* A crash loses what was counted since the last write; so the file is always ahead of it. */
static void count_ahead(struct vault *vault, struct keystore *store)
{
	pthread_mutex_lock(&vault->look);
	for (uint32_t i = 0; i < store->n_keys; i++) {
		struct keystore_key *key = &store->keys[i];
		const struct vault_row *row = find_row(vault->rows, key->id);

		if (row && row->counting && key->state != KEY_DESTROYED)
			key->uses = row->info.uses + key->uses_max / COUNT_STEPS;
	}
	pthread_mutex_unlock(&vault->look);
}

must_check static int write_next(struct vault *vault, const struct seal_key *kek, bool overwrite, bool *ret_replaced)
{
	struct shelf_write write = {
		.data = vault->page, .keep_old = vault->bad_bin, .overwrite_old = overwrite,
	};
	int r = keystore_write(vault->next, kek, vault->page, &write.len);

	return r ? r : shelf_write(vault->folder, &write, ret_replaced);
}

static void swap(struct vault *vault)
{
	struct keystore *before = vault->now;

	vault->now = vault->next;
	vault->next = before;
	crypto_guarded_allow(vault->now, GUARD_READ);
	crypto_guarded_allow(vault->next, GUARD_WRITE);
	memcpy(vault->next, vault->now, sizeof(*vault->next));
}

int vault_commit(struct vault *vault, const struct seal_key *kek, bool overwrite)
{
	struct vault_rows *rows = NULL;
	bool replaced = false;
	int r;

	/* A generation that cannot be read may have been the next one. */
	vault->next->generation += vault->bad_bin ? 2 : 1;
	count_ahead(vault, vault->next);
	r = make_rows(vault, vault->next, &rows);
	if (r)
		return r;
	r = write_next(vault, kek, overwrite, &replaced);
	if (!replaced) {
		vault->stale_old = true; /* it may have gone already */
		forget_rows(vault, rows);
		return r;
	}
	vault->stale_old = r != 0;
	vault->bad_bin = false;
	show_rows(vault, vault->next, rows);
	swap(vault);
	return r;
}

void vault_forget(struct vault *vault)
{
	pthread_mutex_lock(&vault->look);
	for (struct vault_bytes *chunk = vault->bytes; chunk; chunk = chunk->next) {
		crypto_guarded_allow(chunk->slots, GUARD_WRITE);
		crypto_wipe(chunk->slots, (size_t)SLOTS * KEYSTORE_SECRET_LEN);
		crypto_guarded_allow(chunk->slots, GUARD_READ);
	}
	if (vault->rows)
		vault->rows->n = 0;
	pthread_mutex_unlock(&vault->look);
	vault->kek = seal_key_free(vault->kek);
}
