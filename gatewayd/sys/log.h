#pragma once
/* log - one line an event on stderr, logfmt with a syslog priority prefix; foreign text is quoted. Not the audit record.
 *
 *   above   layers 4 to 8 and the programs (rows 0 to 3 do not log)
 *   below   base/base  base/text
 *   owns    nothing: it writes to stderr
 *   limits  LOG_LINE_MAX
 *
 *   log_warn("adapter refused", log_text("adapter", name), log_err(r));
 *   <4>adapter refused mod=adapter/hub adapter=zigbee err=EPERM
 */
#include <syslog.h>
#include "base/base.h"

enum { LOG_LINE_MAX = 1024 };
enum log_kind { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_I64, LOG_FIELD_ERR };

struct log_field {
	enum log_kind kind;
	const char *key;
	const char *text;
	int64_t i;
};

static inline struct log_field log_text(const char *key, const char *text)
{
	return (struct log_field){ .kind = LOG_FIELD_TEXT, .key = key, .text = text };
}
static inline struct log_field log_i64(const char *key, int64_t i)
{
	return (struct log_field){ .kind = LOG_FIELD_I64, .key = key, .i = i };
}
static inline struct log_field log_err(int r)
{
	return (struct log_field){ .kind = LOG_FIELD_ERR, .key = "err", .i = r };
}

/* The one deliberate process-wide setting, kept in libc's setlogmask. GATEWAYD_LOG_LEVEL (a name as below) wins over
 * max_priority. Before log_open everything is written. */
void log_open(int max_priority);
/* error, warning, notice, info or debug; false for anything else. */
must_check bool log_level_parse(const char *text, int *ret);
void log_write(int priority, const char *file, const char *message, const struct log_field *fields);

#define log_at(priority, message, ...)                                                  \
	log_write(priority, __FILE__, message,                                          \
		  (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ LOG_FIELD_END, NULL, NULL, 0 } })
#define log_debug(message, ...) log_at(LOG_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...) log_at(LOG_INFO, message, __VA_ARGS__)
#define log_notice(message, ...) log_at(LOG_NOTICE, message, __VA_ARGS__)
#define log_warn(message, ...) log_at(LOG_WARNING, message, __VA_ARGS__)
#define log_error(message, ...) log_at(LOG_ERR, message, __VA_ARGS__)
