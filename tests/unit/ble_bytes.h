#pragma once
/* ble_bytes - hex into heap bytes of exactly that length, so that a read past the end is seen; and all ways to spoil them. */
#include "check.h"

#include "ble/reading.h"
#include "model/capability.h"

struct ble_bytes {
	uint8_t *data;
	size_t len;
};

static inline struct ble_bytes ble_copy(const void *data, size_t len)
{
	struct ble_bytes b = { malloc(len ? len : 1), len };

	assert_non_null(b.data);
	if (len)
		memcpy(b.data, data, len);
	return b;
}

static inline struct ble_bytes ble_hex(const char *hex)
{
	struct ble_bytes b = { malloc(strlen(hex) / 2 + 1), strlen(hex) / 2 };

	assert_non_null(b.data);
	for (size_t i = 0; i < b.len; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		b.data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return b;
}

static inline struct view ble_view(const struct ble_bytes *b)
{
	return (struct view){ b->data, b->len };
}

/* Every reading is of its row's type and within its range. */
__attribute__((unused)) static void ble_check_fit(const struct readings *readings)
{
	check_true(readings->n <= READINGS_MAX);
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->rows[i];
		const struct capability *row = capability_find(r->cap);
		struct capability_desc desc = { .id = r->cap };
		struct value fit;

		check_true(row || (r->cap >= BLE_CAP_MASS && r->cap < BLE_CAP_LAST));
		if (!row || r->value.type == VALUE_NONE)
			continue;
		desc.type = (uint8_t)row->type;
		desc.access = row->access;
		desc.unit = row->unit;
		check_ok(capability_value_check(&desc, &r->value, &fit));
	}
}

__attribute__((unused)) static void ble_check_real(const struct readings *readings, uint16_t cap, uint8_t index, double want)
{
	const struct reading *r = readings_find(readings, cap, index);

	assert_non_null(r);
	check_int(r->value.type, VALUE_REAL);
	check_near(r->value.f, want, 1e-9 * (want < 0 ? -want : want) + 1e-9);
}

__attribute__((unused)) static void ble_check_int(const struct readings *readings, uint16_t cap, uint8_t index, int64_t want)
{
	const struct reading *r = readings_find(readings, cap, index);

	assert_non_null(r);
	check_int(r->value.type, VALUE_INT);
	check_int(r->value.i, want);
}

__attribute__((unused)) static void ble_check_bool(const struct readings *readings, uint16_t cap, uint8_t index, bool want)
{
	const struct reading *r = readings_find(readings, cap, index);

	assert_non_null(r);
	check_int(r->value.type, VALUE_BOOL);
	check_int(r->value.b, want);
}

__attribute__((unused)) static void ble_check_text(const struct readings *readings, uint16_t cap, uint8_t index, const char *want)
{
	const struct reading *r = readings_find(readings, cap, index);

	assert_non_null(r);
	check_int(r->value.type, VALUE_TEXT);
	check_bytes(r->value.data, r->value.len, want, strlen(want));
}

/* try reads the bytes and checks what it got; it says whether they were taken. Every shorter form, and 20,000 mutations. */
__attribute__((unused)) static size_t ble_spoil(const char *hex, bool (*try)(struct view data))
{
	struct ble_bytes whole = ble_hex(hex);
	uint64_t seed = 88172645463325252u;
	size_t taken = 0;

	for (size_t n = 0; n < whole.len; n++) {
		struct ble_bytes cut = ble_copy(whole.data, n);

		taken += try(ble_view(&cut));
		free(cut.data);
	}
	for (int i = 0; i < 20000; i++) {
		struct ble_bytes changed = ble_copy(whole.data, whole.len);

		for (int k = 0; k <= i % 4; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			changed.data[(seed >> 8) % whole.len] = (uint8_t)(seed >> 32);
		}
		(void)try(ble_view(&changed));
		free(changed.data);
	}
	free(whole.data);
	return taken;
}
