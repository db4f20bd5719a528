#pragma once
/* hasher - password hashes, one at a time, off the loop: memory is bounded and nobody can hurry another's login.
 *
 *   above   people/internal
 *   below   base/base  sys/crypto  sys/loop
 *   owns    a queue of guarded passwords
 *   limits  HASHER_QUEUE_MAX
 *   errors  HASHER_E_BUSY
 */
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/loop.h"

enum { HASHER_QUEUE_MAX = 8 };
enum { HASHER_E_BUSY = 1 };

struct hasher;
/* r of a verify: 0, CRYPTO_E_MISMATCH or negative. hash: the new one, when one was made. */
typedef void (*hasher_fn)(void *ctx, int r, const char *hash);
must_check int hasher_new(struct loop *loop, struct crypto_password_cost cost, struct hasher **ret);
/* Starts the worker by making the hash nobody has: after the process has shut itself in, so that the thread is inside. */
must_check int hasher_start(struct hasher *hasher);
struct hasher *hasher_close(struct hasher *hasher); /* pending callbacks get -ECANCELED */
must_check int hasher_make(struct hasher *hasher, const char *password, hasher_fn fn, void *ctx);
/* hash NULL: nobody's; takes the same time and never matches. */
must_check int hasher_verify(struct hasher *hasher, const char *hash, const char *password, hasher_fn fn, void *ctx);
