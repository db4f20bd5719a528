/* Keys leave the vault here and nowhere else in the core. The vault keeps their bytes guarded; what is made of them (page keys,
 * seal and signing keys) keeps its own copy guarded, so that a key that is destroyed in the vault goes on sealing only until
 * its holder has been given the next one. */
#include "custody/ring.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"

/* audit.key: two slots, each with its key's id behind eight bytes of magic (docs/spec/audit.md section 7). */
enum { SLOT_LEN = 4096, SLOT_ID_AT = 8, AUDIT_KEY_LEN = 2 * SLOT_LEN };

struct seal_set {
	struct seal_key *file, *file_old;
	struct sign_key *sign, *sign_sm2;
	struct audit_public publics[KEYSTORE_KEYS_MAX];
	struct audit_seal seal;
};

struct ring {
	struct ring_options options;
	char *folder;
	struct db_keys *pages;
	struct seal_set *now, *next;
};

static struct seal_set *set_free(struct seal_set *set)
{
	if (!set)
		return NULL;
	seal_key_free(set->file);
	seal_key_free(set->file_old);
	sign_key_free(set->sign);
	sign_key_free(set->sign_sm2);
	free(set);
	return NULL;
}

static bool info_of(const struct vault *vault, uint32_t id, struct vault_key_info *ret)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(vault, 0, infos, N_ELEMENTS(infos));
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == id) {
			*ret = infos[i];
			return true;
		}
	return false;
}

static int make_seal_key(const struct vault *vault, uint32_t id, struct seal_key **ret)
{
	struct vault_key_info info;
	const uint8_t *bytes;
	if (!info_of(vault, id, &info))
		return VAULT_E_UNKNOWN;
	int r = vault_key(vault, id, &bytes);
	return r == 0 ? seal_key_new((enum seal_suite)info.suite, bytes, ret) : r;
}

/* None of that purpose is no error here: one of the two signs. */
static int make_sign_key(const struct vault *vault, enum key_purpose purpose, enum sign_kind kind, struct sign_key **ret, uint32_t *ret_id)
{
	const uint8_t *bytes;
	uint32_t id = vault_active(vault, purpose);
	if (!id)
		return 0;
	int r = vault_key(vault, id, &bytes);
	if (r == 0)
		r = sign_key_new(kind, bytes, ret);
	if (r == 0)
		*ret_id = id;
	return r;
}

/* The ids of the keys that the two slots of audit.key name; 0 where there is none. */
static void ids_in_file(const struct ring *ring, uint32_t ret[2])
{
	char path[512], *bytes = NULL;
	size_t len = 0;
	ret[0] = ret[1] = 0;
	if (!text_print(path, sizeof(path), "%s/audit.key", ring->folder) || host_read_file(path, AUDIT_KEY_LEN, &bytes, &len) != 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		if (i * SLOT_LEN + SLOT_ID_AT + 4 > len)
			break;
		struct reader slot = reader_over((const uint8_t *)bytes + i * SLOT_LEN + SLOT_ID_AT, 4);
		ret[i] = get_u32(&slot);
	}
	free(bytes);
}

bool ring_file_names(const struct ring *ring, uint32_t id)
{
	uint32_t ids[2];
	ids_in_file(ring, ids);
	return ids[0] == id || ids[1] == id;
}

/* A key other than the active one that a slot of audit.key names; 0 none. */
static uint32_t key_left_in_file(const struct ring *ring, uint32_t active)
{
	const uint8_t *unused;
	uint32_t ids[2];
	ids_in_file(ring, ids);
	for (size_t i = 0; i < 2; i++)
		if (ids[i] != active && vault_key(ring->options.vault, ids[i], &unused) == 0)
			return ids[i];
	return 0;
}

/* Who checks the record needs the keys that signed it once, too. */
static size_t list_publics(const struct vault *vault, struct audit_public *ret)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(vault, 0, infos, N_ELEMENTS(infos)), n_ret = 0;
	for (size_t i = 0; i < n; i++)
		if (infos[i].public.len && infos[i].state != KEY_PREACTIVE)
			ret[n_ret++] = (struct audit_public){ infos[i].id, infos[i].public };
	return n_ret;
}

static int set_new(const struct ring *ring, uint32_t file_old, struct seal_set **ret)
{
	struct vault *vault = ring->options.vault;
	struct seal_set *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->seal = (struct audit_seal){ .pages = ring->pages, .file_id = vault_active(vault, KEY_AUDIT),
					 .generation = vault_generation(vault), .starts = vault_starts(vault) };
	int r = make_seal_key(vault, set->seal.file_id, &set->file);
	if (!file_old)
		file_old = key_left_in_file(ring, set->seal.file_id);
	if (r == 0 && file_old && file_old != set->seal.file_id) {
		r = make_seal_key(vault, file_old, &set->file_old);
		set->seal.file_old_id = file_old;
	}
	if (r == 0 && ring->options.suite != SEAL_SM4)
		r = make_sign_key(vault, KEY_SIGN, SIGN_ED25519, &set->sign, &set->seal.sign_id);
	if (r == 0)
		r = make_sign_key(vault, KEY_SIGN_SM2, SIGN_SM2, &set->sign_sm2, &set->seal.sign_sm2_id);
	if (r == 0 && !set->sign && !set->sign_sm2)
		r = VAULT_E_UNKNOWN;
	if (r != 0) {
		set_free(set);
		return r;
	}
	set->seal.n_publics = list_publics(vault, set->publics);
	set->seal.publics = set->publics;
	set->seal.file = set->file;
	set->seal.file_old = set->file_old;
	set->seal.sign = set->sign;
	set->seal.sign_sm2 = set->sign_sm2;
	*ret = set;
	return 0;
}

static int put_page_key(struct ring *ring, const struct vault_key_info *info)
{
	const uint8_t *bytes;
	int r = vault_key(ring->options.vault, info->id, &bytes);
	if (r == 0)
		r = db_keys_put(ring->pages, info->id, (enum seal_suite)info->suite, bytes);
	return r == -EEXIST ? 0 : r;
}

static bool is_readable(enum key_state state)
{
	return state == KEY_ACTIVE || state == KEY_DEACTIVATED || state == KEY_COMPROMISED;
}

/* Every key that some page may still carry, and the one that new pages get. */
int ring_turn_pages(struct ring *ring)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(ring->options.vault, 0, infos, N_ELEMENTS(infos));
	uint32_t active = vault_active(ring->options.vault, KEY_DB);
	int r = active ? 0 : VAULT_E_UNKNOWN;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (infos[i].purpose == KEY_DB && is_readable(infos[i].state))
			r = put_page_key(ring, &infos[i]);
	if (r == 0)
		r = db_keys_activate(ring->pages, active);
	return r;
}

bool ring_has_room(const struct ring *ring)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(ring->options.vault, 0, infos, N_ELEMENTS(infos)), live = 0;
	for (size_t i = 0; i < n; i++)
		live += infos[i].purpose == KEY_DB && is_readable(infos[i].state);
	return live < DB_KEYS_MAX;
}

int ring_new(const struct ring_options *options, struct ring **ret)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	ring->options = *options;
	ring->folder = strdup(options->folder);
	int r = ring->folder ? db_keys_new(&ring->pages) : -ENOMEM;
	if (r == 0)
		r = ring_turn_pages(ring);
	if (r == 0)
		r = set_new(ring, 0, &ring->now);
	if (r != 0) {
		ring_free(ring);
		return r;
	}
	*ret = ring;
	return 0;
}

struct ring *ring_free(struct ring *ring)
{
	if (!ring)
		return NULL;
	set_free(ring->next);
	set_free(ring->now);
	db_keys_free(ring->pages);
	free(ring->folder);
	free(ring);
	return NULL;
}

struct db_keys *ring_pages(const struct ring *ring)
{
	return ring->pages;
}

const struct audit_seal *ring_seal(const struct ring *ring)
{
	return &ring->now->seal;
}

int ring_prepare(struct ring *ring, const struct audit_seal **ret)
{
	struct seal_set *next;
	int r = set_new(ring, ring->now->seal.file_id, &next);
	if (r != 0)
		return r;
	set_free(ring->next);
	ring->next = next;
	*ret = &next->seal;
	return 0;
}

void ring_settle(struct ring *ring, bool taken)
{
	struct seal_set *gone = taken ? ring->now : ring->next;
	if (taken)
		ring->now = ring->next;
	ring->next = NULL;
	set_free(gone);
}
