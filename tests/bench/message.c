/* A gateway that understands its devices decodes the payload and encodes it anew, so nothing but the value
 * itself can be relied on to come out at the other end. The value therefore says everything: the running
 * number and, in its lowest digits, the publisher. As an energy meter's reading it only ever grows, which is
 * also what such a device would send.
 */
#include "message.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 32 /* characters of a number that we read */

void message_write(char *out, const struct message *message)
{
	uint64_t value = message->seq * MESSAGE_PUBLISHERS_MAX + message->publisher;
	char text[MESSAGE_LEN + 1];
	int n;

	assert(message->publisher < MESSAGE_PUBLISHERS_MAX);
	n = snprintf(text, sizeof(text), "{\"energy\":%" PRIu64 ",\"last_seen\":\"2026-01-01T00:00:00Z\"",
		     value);
	assert(n > 0 && n < MESSAGE_LEN);
	memset(out, ' ', MESSAGE_LEN);
	memcpy(out, text, (size_t)n);
	out[MESSAGE_LEN - 1] = '}';
}

/* Unsigned decimal with fraction and exponent, from a text that is not terminated. Returns its length. */
static size_t read_number(const char *p, size_t left, double *ret)
{
	char text[NUMBER_MAX + 1];
	size_t n = 0;
	int used = 0;

	while (n < left && n < NUMBER_MAX && strchr("0123456789.eE+-", p[n]) && p[n])
		n++;
	memcpy(text, p, n);
	text[n] = '\0';
	if (sscanf(text, "%lf%n", ret, &used) != 1)
		return 0;
	return (size_t)used;
}

/* The common case, digits only, without the price of sscanf. */
static size_t read_digits(const char *p, size_t left, double *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < left && n < 15 && p[n] >= '0' && p[n] <= '9')
		value = value * 10 + (uint64_t)(p[n++] - '0');
	if (!n || (n < left && strchr(".eE0123456789", p[n]) && p[n]))
		return read_number(p, left, ret);
	*ret = (double)value;
	return n;
}

static bool message_from(double value, double scale, struct message *ret)
{
	double exact = round(value / scale);

	if (!(exact >= 0 && exact < 9007199254740992.0)) /* 2^53 */
		return false;
	*ret = (struct message){
		.publisher = (unsigned)((uint64_t)exact % MESSAGE_PUBLISHERS_MAX),
		.seq = (uint64_t)exact / MESSAGE_PUBLISHERS_MAX,
	};
	return true;
}

size_t message_scan(const struct message_matcher *matcher, const void *payload, size_t payload_len,
		    message_fn fn, void *ctx)
{
	const char *p = payload;
	const char *end = p + payload_len;
	size_t key_len = strlen(matcher->key);
	size_t n_found = 0;

	while ((p = memmem(p, (size_t)(end - p), matcher->key, key_len))) {
		struct message message;
		double value = 0;

		p += key_len;
		while (p < end && *p == ' ')
			p++;
		if (!read_digits(p, (size_t)(end - p), &value) ||
		    !message_from(value, matcher->scale, &message))
			continue;
		fn(ctx, &message);
		n_found++;
	}
	return n_found;
}
