/* A window ends by itself, and with it what was typed in for it. */
#include "ble/window.h"

#include <string.h>
#include "base/text.h"

enum { PASSKEY_LEN = 6 };

static bool read_passkey(const uint8_t *code, size_t len, struct guest *ret)
{
	uint32_t number = 0;

	for (size_t i = 0; i < len; i++) {
		if (code[i] < '0' || code[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(code[i] - '0');
	}
	ret->passkey = number;
	ret->has_passkey = true;
	return true;
}

int window_read_code(const uint8_t *code, size_t len, struct guest *ret)
{
	if (len == PASSKEY_LEN)
		return read_passkey(code, len, ret) ? 0 : WINDOW_E_CODE;
	if (len == 16 || len == 12) {
		memcpy(ret->key.bytes, code, len);
	} else if (len == 32 || len == 24) {
		len /= 2;
		if (hex_parse((const char *)code, 2 * len, ret->key.bytes, len))
			return WINDOW_E_CODE;
	} else {
		return WINDOW_E_CODE;
	}
	ret->key.len = (uint8_t)len;
	return 0;
}

void window_dismiss(struct guest *guest)
{
	explicit_bzero(guest, sizeof(*guest));
}

struct guest *window_guest(struct window *window, const uint8_t mac[6])
{
	for (size_t i = 0; i < WINDOW_GUESTS_MAX; i++) {
		if (window->guests[i].used && memcmp(window->guests[i].mac, mac, 6) == 0)
			return &window->guests[i];
	}
	return NULL;
}

/* A new window, new words. */
static void forget_told(struct window *window, const uint8_t mac[6])
{
	for (size_t i = 0; i < window->n_told; i++) {
		if (memcmp(window->told[i], mac, 6) == 0)
			memcpy(window->told[i], window->told[--window->n_told], 6);
	}
}

int window_invite(struct window *window, struct guest *like)
{
	struct guest *guest = window_guest(window, like->mac);

	for (size_t i = 0; !guest && i < WINDOW_GUESTS_MAX; i++)
		guest = window->guests[i].used ? NULL : &window->guests[i];
	if (guest) {
		*guest = *like;
		guest->used = true;
		forget_told(window, like->mac);
	}
	explicit_bzero(like, sizeof(*like));
	return guest ? 0 : WINDOW_E_FULL;
}

void window_open(struct window *window, uint64_t until_ms)
{
	window->until_ms = until_ms;
	window->n_joined = 0;
	window->n_told = 0;
}

void window_close(struct window *window)
{
	explicit_bzero(window, sizeof(*window));
}

uint64_t window_turn(struct window *window, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;

	if (window->until_ms && window->until_ms <= now_ms)
		window->until_ms = 0;
	if (window->until_ms)
		next = window->until_ms;
	for (size_t i = 0; i < WINDOW_GUESTS_MAX; i++) {
		struct guest *guest = &window->guests[i];

		if (guest->used && guest->until_ms <= now_ms)
			window_dismiss(guest);
		if (guest->used && guest->until_ms < next)
			next = guest->until_ms;
	}
	return next;
}

bool window_is_open(const struct window *window, uint64_t now_ms)
{
	return window->until_ms > now_ms && window->n_joined < WINDOW_JOINED_MAX;
}

bool window_is_any(const struct window *window)
{
	for (size_t i = 0; i < WINDOW_GUESTS_MAX; i++) {
		if (window->guests[i].used)
			return true;
	}
	return window->until_ms != 0;
}

bool window_tell(struct window *window, const uint8_t mac[6])
{
	for (size_t i = 0; i < window->n_told; i++) {
		if (memcmp(window->told[i], mac, 6) == 0)
			return false;
	}
	if (window->n_told == WINDOW_TOLD_MAX)
		return false;
	memcpy(window->told[window->n_told++], mac, 6);
	return true;
}
