/* One row an option. An option that nobody knows is an error: it is a misspelt one. */
#include "sim/settings.h"

#include <string.h>
#include "base/text.h"

static bool read_count(const char *item, size_t len, struct settings *s)
{
	const char *equal = memchr(item, '=', len);
	size_t name_len = equal ? (size_t)(equal - item) : len;
	char number[16] = "1";
	enum script_kind kind;

	if (!script_kind_parse(item, name_len, &kind))
		return false;
	if (equal && !text_copy_n(number, sizeof(number), equal + 1, len - name_len - 1))
		return false;
	return text_to_u32(number, 0, SETTINGS_DEVICES_MAX, &s->counts[kind]) == 0;
}

static bool read_devices(const char *value, struct settings *s)
{
	uint32_t total = 0;

	memset(s->counts, 0, sizeof(s->counts));
	while (*value) {
		size_t len = strcspn(value, ",");

		if (!read_count(value, len, s))
			return false;
		value += len;
		value += *value == ',';
	}
	for (int i = 0; i < SCRIPT_KINDS; i++)
		total += s->counts[i];
	return total <= SETTINGS_DEVICES_MAX;
}

static bool read_period(const char *value, struct settings *s)
{
	return text_to_u32(value, 1, 86400000, &s->period_ms) == 0;
}

static bool read_slow(const char *value, struct settings *s)
{
	return text_to_u32(value, 0, 600000, &s->slow_ms) == 0;
}

static bool read_seed(const char *value, struct settings *s)
{
	return text_to_u64(value, 0, UINT64_MAX, &s->seed) == 0;
}

static bool read_spare(const char *value, struct settings *s)
{
	s->has_spare = script_kind_parse(value, strlen(value), &s->spare);
	return s->has_spare;
}

static bool read_spares(const char *value, struct settings *s)
{
	return text_to_u32(value, 1, SETTINGS_SPARES_MAX, &s->n_spares) == 0;
}

static bool read_spare_hw(const char *value, struct settings *s)
{
	size_t len = strlen(value);

	if (len < 2 || len > 2 * sizeof(s->spare_hw.bytes) || len % 2)
		return false;
	s->spare_hw.len = (uint8_t)(len / 2);
	return hex_parse(value, len, s->spare_hw.bytes, len / 2) == 0;
}

static bool read_join_ms(const char *value, struct settings *s)
{
	return text_to_u32(value, 4, 600000, &s->join_ms) == 0;
}

static bool read_join_fails(const char *value, struct settings *s)
{
	return text_copy(s->join_fails, sizeof(s->join_fails), value);
}

static bool read_passkey(const char *value, struct settings *s)
{
	return strspn(value, "0123456789") == strlen(value) && text_copy(s->passkey, sizeof(s->passkey), value);
}

static bool read_join_code(const char *value, struct settings *s)
{
	size_t len = strlen(value);

	if (len < 2 || len > 2 * sizeof(s->join_code) || len % 2)
		return false;
	s->n_join_code = (uint8_t)(len / 2);
	return hex_parse(value, len, s->join_code, len / 2) == 0;
}

static bool read_backup_bytes(const char *value, struct settings *s)
{
	return text_to_u32(value, 0, 2 * GWA_ASK_MAX, &s->backup_bytes) == 0;
}

static bool read_code(const char *value, struct settings *s)
{
	return text_copy(s->claim_code, sizeof(s->claim_code), value);
}

static bool read_fault(const char *value, struct settings *s)
{
	static const char *const words[] = { "none", "silent", "fail", "flood" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], value) != 0)
			continue;
		s->fault = (enum settings_fault)i;
		return true;
	}
	return false;
}

static const struct {
	const char *key;
	bool (*read)(const char *value, struct settings *s);
} rows[] = {
	{ "devices", read_devices }, { "period_ms", read_period }, { "slow_ms", read_slow },
	{ "seed", read_seed },	     { "spare", read_spare },	   { "claim_code", read_code },
	{ "fault", read_fault },	   { "spares", read_spares },  { "spare_hw", read_spare_hw },
	{ "join_ms", read_join_ms },   { "join_fails", read_join_fails }, { "passkey", read_passkey },
	{ "join_code", read_join_code }, { "backup_bytes", read_backup_bytes },
};

uint32_t settings_read(struct settings *ret, const struct gwa_opt *opts, uint32_t n)
{
	struct settings s = { .counts = { 1, 1, 1, 1, 1 }, .period_ms = 5000, .seed = 1, .n_spares = 1, .join_ms = 300 };

	for (uint32_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < sizeof(rows) / sizeof(rows[0]) && strcmp(rows[k].key, opts[i].key) != 0)
			k++;
		if (k == sizeof(rows) / sizeof(rows[0]) || !rows[k].read(opts[i].value, &s))
			return i + 1;
	}
	*ret = s;
	return 0;
}
