/* The steps of a key's life. For each purpose one key is active at any time: what takes the active one away puts another in
 * its place in the same write.
 */
#include <string.h>

#include "vault/inside.h"

enum { DAY_S = 24 * 3600 };

/* XChaCha20's and SM4-CTR's random nonces would bear far more; the age comes first in a home. Signatures have no such limit:
 * theirs is there to be noticed when something signs in a loop. */
static const struct {
	uint64_t uses_max;
	int64_t age_max_s; /* 0: as the options say */
} limits[KEY_PURPOSES] = {
	[KEY_DB] = { UINT64_C(1) << 32, 0 },	  [KEY_AUDIT] = { UINT64_C(1) << 32, 0 },
	[KEY_FILES] = { UINT64_C(1) << 32, 0 },	  [KEY_DEVICES] = { UINT64_C(1) << 32, 0 },
	[KEY_SIGN] = { UINT64_C(1) << 32, 3650 * (int64_t)DAY_S }, [KEY_SIGN_SM2] = { UINT64_C(1) << 32, 3650 * (int64_t)DAY_S },
};

struct keystore_key *vault_find(struct keystore *store, uint32_t id)
{
	for (uint32_t i = 0; i < store->n_keys; i++) {
		if (store->keys[i].id == id)
			return &store->keys[i];
	}
	return NULL;
}

static struct keystore_key *find_state(struct keystore *store, enum key_purpose purpose, enum key_state state)
{
	for (uint32_t i = 0; i < store->n_keys; i++) {
		if (store->keys[i].purpose == purpose && store->keys[i].state == state)
			return &store->keys[i];
	}
	return NULL;
}

struct keystore_key *vault_find_active(struct keystore *store, enum key_purpose purpose)
{
	return find_state(store, purpose, KEY_ACTIVE);
}

void vault_step(struct keystore_key *key, enum key_state to, int64_t now_s)
{
	if (to == KEY_ACTIVE)
		key->active_s = now_s;
	else if (key->ended_s == 0)
		key->ended_s = now_s;
	if (to == KEY_DESTROYED)
		crypto_wipe(key->secret, sizeof(key->secret));
	key->state = (uint8_t)to;
}

/* The oldest key that is nothing but a row any more makes room; the record of it is the audit's. */
must_check static int make_room(struct keystore *store)
{
	uint32_t i = 0;

	if (store->n_keys < KEYSTORE_KEYS_MAX)
		return 0;
	while (i < store->n_keys && store->keys[i].state != KEY_DESTROYED)
		i++;
	if (i == store->n_keys)
		return -ENOSPC;
	store->n_keys--;
	memmove(&store->keys[i], &store->keys[i + 1], (store->n_keys - i) * sizeof(store->keys[0]));
	crypto_wipe(&store->keys[store->n_keys], sizeof(store->keys[0]));
	return 0;
}

/* Made and tried: there are builds of OpenSSL without SM2. */
must_check static int make_signing(enum sign_kind kind, struct keystore_key *key)
{
	struct sign_key *sign = NULL;
	int r = sign_secret_new(kind, key->secret);

	if (!r)
		r = sign_key_new(kind, key->secret, &sign);
	sign_key_free(sign);
	key->suite = (uint8_t)kind;
	return r;
}

int vault_add_key(struct vault *vault, enum key_purpose purpose, int64_t now_s, struct keystore_key **ret)
{
	struct keystore *store = vault->next;
	struct keystore_key *key;
	int r;

	if (purpose <= 0 || purpose >= KEY_PURPOSES || store->next_id == UINT32_MAX)
		return -EINVAL;
	r = make_room(store);
	if (r)
		return r;
	key = &store->keys[store->n_keys];
	*key = (struct keystore_key){
		.id = store->next_id,
		.purpose = (uint8_t)purpose,
		.state = KEY_PREACTIVE,
		.suite = (uint8_t)vault->suite,
		.made_s = now_s,
		.uses_max = limits[purpose].uses_max,
		.age_max_s = limits[purpose].age_max_s ? limits[purpose].age_max_s : vault->age_max_s,
	};
	crypto_random(key->secret, sizeof(key->secret));
	if (purpose == KEY_SIGN || purpose == KEY_SIGN_SM2)
		r = make_signing(purpose == KEY_SIGN ? SIGN_ED25519 : SIGN_SM2, key);
	if (r)
		return r;
	store->next_id++;
	store->n_keys++;
	*ret = key;
	return 0;
}

int vault_add_missing(struct vault *vault, int64_t now_s, uint32_t *ret_n)
{
	uint32_t n = 0;

	for (enum key_purpose purpose = KEY_DB; purpose < KEY_PURPOSES; purpose++) {
		struct keystore_key *key;
		int r;

		if (vault_find_active(vault->next, purpose))
			continue;
		r = vault_add_key(vault, purpose, now_s, &key);
		if (r == -ENOTSUP && purpose == KEY_SIGN_SM2 && vault->suite != SEAL_SM4)
			continue;
		if (r)
			return r;
		vault_step(key, KEY_ACTIVE, now_s);
		n++;
	}
	*ret_n = n;
	return 0;
}

bool vault_mend_times(struct keystore *store, int64_t now_s)
{
	bool changed = false;

	for (uint32_t i = 0; now_s >= VAULT_CLOCK_FLOOR_S && i < store->n_keys; i++) {
		struct keystore_key *key = &store->keys[i];

		if (key->state != KEY_ACTIVE || key->active_s >= VAULT_CLOCK_FLOOR_S)
			continue;
		key->active_s = now_s;
		changed = true;
	}
	return changed;
}

/* Somebody waiting takes over. */
static bool promote(struct keystore *store, enum key_purpose purpose, int64_t now_s)
{
	struct keystore_key *waiting = find_state(store, purpose, KEY_PREACTIVE);

	if (waiting)
		vault_step(waiting, KEY_ACTIVE, now_s);
	return waiting;
}

must_check static int find_for(struct vault *vault, uint32_t id, enum key_state to, struct keystore_key **ret)
{
	struct keystore_key *key = vault_find(vault->next, id);

	if (!key)
		return VAULT_E_UNKNOWN;
	if (!key_may_become((enum key_state)key->state, to))
		return VAULT_E_STATE;
	*ret = key;
	return 0;
}

int vault_create(struct vault *vault, enum key_purpose purpose, int64_t now_s, uint32_t *ret_id)
{
	struct keystore_key *key = NULL;
	uint32_t id = 0;
	int r = vault_begin(vault);

	if (r)
		return r;
	r = vault_add_key(vault, purpose, now_s, &key);
	if (!r) {
		id = key->id;
		r = vault_commit(vault, vault->kek, false);
	}
	vault_end(vault);
	if (!r)
		*ret_id = id;
	return r;
}

int vault_activate(struct vault *vault, uint32_t id, int64_t now_s)
{
	struct keystore_key *key = NULL, *before;
	int r = vault_begin(vault);

	if (r)
		return r;
	r = find_for(vault, id, KEY_ACTIVE, &key);
	if (!r) {
		before = vault_find_active(vault->next, (enum key_purpose)key->purpose);
		if (before)
			vault_step(before, KEY_DEACTIVATED, now_s);
		vault_step(key, KEY_ACTIVE, now_s);
		r = vault_commit(vault, vault->kek, false);
	}
	vault_end(vault);
	return r;
}

int vault_deactivate(struct vault *vault, uint32_t id, int64_t now_s)
{
	struct keystore_key *key = NULL;
	int r = vault_begin(vault);

	if (r)
		return r;
	r = find_for(vault, id, KEY_DEACTIVATED, &key);
	if (!r) {
		vault_step(key, KEY_DEACTIVATED, now_s);
		r = promote(vault->next, (enum key_purpose)key->purpose, now_s) ? vault_commit(vault, vault->kek, false) :
										  VAULT_E_NEEDED;
	}
	vault_end(vault);
	return r;
}

must_check static int replace(struct vault *vault, enum key_purpose purpose, int64_t now_s)
{
	struct keystore_key *fresh = NULL;
	int r;

	if (promote(vault->next, purpose, now_s))
		return 0;
	r = vault_add_key(vault, purpose, now_s, &fresh);
	if (!r)
		vault_step(fresh, KEY_ACTIVE, now_s);
	return r;
}

int vault_compromise(struct vault *vault, uint32_t id, int64_t now_s)
{
	struct keystore_key *key = NULL;
	int r = vault_begin(vault);

	if (r)
		return r;
	r = find_for(vault, id, KEY_COMPROMISED, &key);
	if (!r) {
		enum key_purpose purpose = (enum key_purpose)key->purpose;
		bool active = key->state == KEY_ACTIVE;

		vault_step(key, KEY_COMPROMISED, now_s);
		if (active)
			r = replace(vault, purpose, now_s);
		if (!r)
			r = vault_commit(vault, vault->kek, false);
	}
	vault_end(vault);
	return r;
}

/* Twice, so that the generation before has it no more either. The second time is made up for when the first was cut. */
int vault_destroy(struct vault *vault, uint32_t id, int64_t now_s)
{
	struct keystore_key *key = NULL;
	bool again;
	int r = vault_begin(vault);

	if (r)
		return r;
	key = vault_find(vault->next, id);
	again = key && key->state == KEY_DESTROYED && vault->stale_old;
	r = again ? 0 : find_for(vault, id, KEY_DESTROYED, &key);
	if (!r && !again) {
		vault_step(key, KEY_DESTROYED, now_s);
		r = vault_commit(vault, vault->kek, true);
	}
	if (!r) {
		r = vault_commit(vault, vault->kek, true);
		vault->stale_old = vault->stale_old || r;
	}
	vault_end(vault);
	return r;
}

int vault_set_starts(struct vault *vault, uint64_t starts)
{
	int r = vault_begin(vault);

	if (r)
		return r;
	vault->next->starts = starts;
	r = vault_commit(vault, vault->kek, false);
	vault_end(vault);
	return r;
}

/* True when the file must be written before more is counted. */
static bool count(struct vault_row *row, uint64_t uses)
{
	row->info.uses = row->info.uses > UINT64_MAX / 2 - uses ? UINT64_MAX / 2 : row->info.uses + uses;
	row->counting = true;
	return row->info.uses > row->ceiling;
}

int vault_count(struct vault *vault, uint32_t id, uint64_t uses)
{
	bool known = false, write = false;
	int r;

	if (uses > UINT32_MAX)
		return -EINVAL;
	pthread_mutex_lock(&vault->look);
	for (uint32_t i = 0; vault->rows && i < vault->rows->n; i++) {
		if (vault->rows->row[i].info.id == id) {
			known = true;
			write = uses > 0 && count(&vault->rows->row[i], uses);
		}
	}
	pthread_mutex_unlock(&vault->look);
	if (!known)
		return VAULT_E_UNKNOWN;
	if (!write)
		return 0;
	r = vault_begin(vault);
	if (r)
		return r;
	r = vault_commit(vault, vault->kek, false);
	vault_end(vault);
	return r;
}
