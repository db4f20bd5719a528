#pragma once
/* request - the bytes of one packet as a request, judged as far as that needs no house: bounds, shape, method, parameters. Pure.
 *
 *   above   door/door
 *   below   base/base  base/text  door/method  people/people  sys/crypto  sys/json
 *   owns    nothing
 *   limits  REQUEST_LEN_MAX REQUEST_DEPTH_MAX REQUEST_ERROR_MAX
 *   errors  REQUEST_E_SYNTAX REQUEST_E_METHOD REQUEST_E_PARAMS
 */
#include "base/base.h"
#include "door/method.h"
#include "sys/json.h"

enum { REQUEST_LEN_MAX = 32768, REQUEST_DEPTH_MAX = 12, REQUEST_ERROR_MAX = 200 };
enum { REQUEST_E_SYNTAX = 1, REQUEST_E_METHOD = 2, REQUEST_E_PARAMS = 3 };

/* *ret is an object always, also when the bytes were none, so that its id can be answered; params is there and an object when 0. */
must_check int request_parse(const void *data, size_t len, char error[REQUEST_ERROR_MAX], struct json **ret);
/* Only after 0 of the other. *ret is set unless REQUEST_E_METHOD. */
must_check int request_match(const struct json *request, char error[REQUEST_ERROR_MAX], const struct method **ret);
/* A request may hold passwords, codes and a token: none of its texts stays behind in free memory. NULL is fine; returns NULL. */
struct json *request_free(struct json *request);
