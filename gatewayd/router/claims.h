#pragma once
/* claims - how a device becomes somebody's: join windows opened with a one-time code, waiting devices, confirm, transfer, unbind.
 *
 *   above   door/methods  door/methods_bind  door/methods_device  router/internal
 *   below   adapter/hub  audit/audit  base/base  base/text  model/device  people/people  registry/registry  router/joins
 *           sys/crypto
 *   owns    the open join windows (one an adapter), what is told of joins, who is about to press a device
 *   limits  CLAIMS_WINDOW_S_MAX CLAIMS_PER_WINDOW_MAX CLAIMS_PRESSES_MAX
 *   errors  CLAIMS_E_WINDOW CLAIMS_E_NOT_WAITING CLAIMS_E_OTHER_USER CLAIMS_E_SECRET CLAIMS_E_PRESSING CLAIMS_E_NOT_PRESSED
 *           CLAIMS_E_NOTHING_WAITS, and those of people
 *
 * Never automatic: a device that joined in a window waits for the user who opened it and is confirmed by that user,
 * by name or by pressing it (clause 6.2.2-b). A device that presents the code itself is bound by code_redeem.
 */
#include "adapter/hub.h"
#include "audit/audit.h"
#include "base/base.h"
#include "people/people.h"
#include "registry/registry.h"
#include "router/joins.h"

enum { CLAIMS_WINDOW_S_MAX = 600, CLAIMS_PER_WINDOW_MAX = 8, CLAIMS_PRESSES_MAX = 8 };
enum { CLAIMS_E_WINDOW = 20, CLAIMS_E_NOT_WAITING, CLAIMS_E_OTHER_USER, CLAIMS_E_SECRET, CLAIMS_E_PRESSING, CLAIMS_E_NOT_PRESSED,
       CLAIMS_E_NOTHING_WAITS };
struct claims;
typedef void (*claims_done_fn)(void *ctx, int r);
must_check int claims_new(struct loop *loop, struct people *people, struct registry *registry, struct audit *audit, struct claims **ret);
struct claims *claims_close(struct claims *claims);
void claims_set_hub(struct claims *claims, struct hub *hub);
struct joins *claims_joins(struct claims *claims);
struct claims_wish {
	const char *adapter;
	uint16_t seconds;     /* 0 closes */
	struct address addr;  /* only this device; len 0 any */
	const void *secret;   /* its install code or bind key, copied and wiped; CLAIMS_E_SECRET when the adapter has no use for it */
	size_t secret_len;
};
/* The code must be one that this user was issued; it is used up by opening. */
void claims_open_window(struct claims *claims, uint32_t user, const char *code, const struct claims_wish *wish,
			const struct audit_record *record, claims_done_fn done, void *ctx);
/* For whom a device waits that comes at this address now: whose window is open, or was when it was first heard; 0 nobody, or as many
 * as a window takes wait for him already. owned: it is somebody's and waits for nobody; then it is only whose window. */
uint32_t claims_taker(struct claims *claims, const char *adapter, const struct address *addr, bool owned);
bool claims_window_is_full(struct claims *claims, const char *adapter);
uint32_t claims_window_whose(struct claims *claims, const char *adapter); /* whose it is, full or not */
unsigned claims_n_waiting(const struct claims *claims, uint32_t user);
/* From the adapters, by the router: how a join goes; a device that came when the window was full. */
void claims_joining(struct claims *claims, const char *adapter, const struct address *addr, enum join_stage stage, const char *text);
void claims_not_taken(struct claims *claims, const char *adapter, const struct address *addr);
/* The next device waiting for this user that says it was pressed: done once, 0 and which, or CLAIMS_E_NOT_PRESSED when the seconds
 * are over or he asks anew. It is not his yet: claims_confirm. CLAIMS_E_PRESSING: somebody else's devices at the same adapter are
 * about to be pressed. */
typedef void (*claims_pressed_fn)(void *ctx, int r, struct device_id device);
void claims_press(struct claims *claims, uint32_t user, unsigned seconds, claims_pressed_fn done, void *ctx);
void claims_reported(struct claims *claims, const struct device *device, const struct event *event, const struct value *before);
int64_t claims_window_left_ms(struct claims *claims, const char *adapter);
void claims_confirm(struct claims *claims, uint32_t user, struct device_id device, const struct audit_record *record, claims_done_fn done, void *ctx);
void claims_presented(struct claims *claims, struct device_id device, const char *code, const char *adapter); /* from the device side */
void claims_transfer(struct claims *claims, struct device_id device, uint32_t to, const struct audit_record *record, claims_done_fn done, void *ctx);
void claims_unbind(struct claims *claims, struct device_id device, const struct audit_record *record, claims_done_fn done, void *ctx);
