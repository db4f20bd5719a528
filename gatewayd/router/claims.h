#pragma once
/* claims - how a device becomes somebody's: join windows opened with a one-time code, waiting devices, confirm, transfer, unbind.
 *
 *   above   door/methods  door/methods_bind  door/methods_device  router/internal
 *   below   adapter/hub  audit/audit  base/base  base/text  model/device  people/people  registry/registry
 *   owns    the open join windows (one an adapter)
 *   limits  CLAIMS_WINDOW_S_MAX CLAIMS_PER_WINDOW_MAX
 *   errors  CLAIMS_E_WINDOW CLAIMS_E_NOT_WAITING CLAIMS_E_OTHER_USER, and those of people
 *
 * Never automatic: a device that joined in a window waits for the user who opened it and is confirmed by that user,
 * by name or by pressing it (clause 6.2.2-b). A device that presents the code itself is bound by code_redeem.
 */
#include "adapter/hub.h"
#include "audit/audit.h"
#include "base/base.h"
#include "people/people.h"
#include "registry/registry.h"

enum { CLAIMS_WINDOW_S_MAX = 600, CLAIMS_PER_WINDOW_MAX = 8 };
enum { CLAIMS_E_WINDOW = 20, CLAIMS_E_NOT_WAITING, CLAIMS_E_OTHER_USER };
struct claims;
typedef void (*claims_done_fn)(void *ctx, int r);
must_check int claims_new(struct loop *loop, struct people *people, struct registry *registry, struct audit *audit, struct claims **ret);
struct claims *claims_close(struct claims *claims);
void claims_set_hub(struct claims *claims, struct hub *hub);
/* seconds 0 closes. The code must be one that this user was issued; it is used up by opening. */
void claims_open_window(struct claims *claims, uint32_t user, const char *code, const char *adapter, uint16_t seconds,
			const struct audit_record *record, claims_done_fn done, void *ctx);
uint32_t claims_window_user(struct claims *claims, const char *adapter); /* 0: none open, or it is full */
int64_t claims_window_left_ms(struct claims *claims, const char *adapter);
void claims_confirm(struct claims *claims, uint32_t user, struct device_id device, const struct audit_record *record, claims_done_fn done, void *ctx);
void claims_presented(struct claims *claims, struct device_id device, const char *code, const char *adapter); /* from the device side */
void claims_transfer(struct claims *claims, struct device_id device, uint32_t to, const struct audit_record *record, claims_done_fn done, void *ctx);
void claims_unbind(struct claims *claims, struct device_id device, const struct audit_record *record, claims_done_fn done, void *ctx);
