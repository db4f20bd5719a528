#pragma once
/* window - who may join now: everybody for a while, or those whom a person named, with what the person knows of them.
 *
 *   above   ble/ble_inside  ble/sensors  ble/gatt  ble/agent
 *   below   base/base  base/text  ble/hear
 *   owns    struct window: bind keys and passkeys, wiped when used or when their time is over
 *   limits  WINDOW_GUESTS_MAX WINDOW_JOINED_MAX WINDOW_TOLD_MAX
 *   errors  WINDOW_E_FULL WINDOW_E_CODE
 */
#include "base/base.h"
#include "ble/hear.h"

enum {
	WINDOW_GUESTS_MAX = 8,
	WINDOW_JOINED_MAX = 8, /* a window; whoever comes later waits for the next one */
	WINDOW_TOLD_MAX = 32,
};
enum { WINDOW_E_FULL = 1, WINDOW_E_CODE = 2 };

struct guest {
	bool used;
	uint8_t mac[6];
	uint64_t until_ms;
	struct hear_key key; /* secret */
	bool has_passkey;
	uint32_t passkey; /* secret */
};
struct window {
	uint64_t until_ms; /* for everybody; 0: closed */
	unsigned n_joined;
	struct guest guests[WINDOW_GUESTS_MAX];
	size_t n_told;
	uint8_t told[WINDOW_TOLD_MAX][6]; /* what stands in their way was said once */
};

/* code: a bind key of 16 or 12 bytes, as bytes or in hex, or six digits. WINDOW_E_CODE: none of these. */
must_check int window_read_code(const uint8_t *code, size_t len, struct guest *ret);
/* mac NULL: everybody. */
void window_open(struct window *window, uint64_t until_ms);
/* In place of an earlier one of the same address. Takes like's secrets; like is wiped. */
must_check int window_invite(struct window *window, struct guest *like);
void window_close(struct window *window);
/* Whoever's time is over goes. The next time when something ends; UINT64_MAX: nothing is open. */
uint64_t window_turn(struct window *window, uint64_t now_ms);

struct guest *window_guest(struct window *window, const uint8_t mac[6]); /* NULL: not named */
void window_dismiss(struct guest *guest);
/* May somebody whom nobody named join now? */
bool window_is_open(const struct window *window, uint64_t now_ms);
bool window_is_any(const struct window *window); /* for everybody or for somebody */
/* True once for each address in a window. */
bool window_tell(struct window *window, const uint8_t mac[6]);
