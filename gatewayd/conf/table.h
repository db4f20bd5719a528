#pragma once
/* table - every setting there is: its key, type, range, default and what it does. A new setting is a new row.
 *
 *   above   conf
 *   below   base/base  base/text  conf/conf
 *   owns    the constant table
 */
#include "base/base.h"
#include "conf/conf.h"

enum conf_type {
	TYPE_TEXT,      /* min..max bytes of UTF-8 */
	TYPE_INT,       /* unsigned field, min..max */
	TYPE_SIZE,      /* uint64_t field, bytes; KiB, MiB, GiB may follow */
	TYPE_BOOL,
	TYPE_CHOICE,    /* field holds the place of the word in choices, plus min */
	TYPE_MODE,      /* octal */
	TYPE_CODE,      /* uint32_t field, six hex digits */
	TYPE_TIMEZONE,
	TYPE_FOLDER,    /* absolute */
	TYPE_SOCKET,    /* absolute, or in run_dir */
	TYPE_FILE,      /* absolute, or beside the main file */
	TYPE_USER,
	TYPE_PLUGIN,    /* a packaged plugin's name, or a path */
	TYPE_HASH,      /* 64 hex digits */
	TYPE_TOPIC,     /* MQTT topic without wildcards */
	TYPE_CLIENT_ID,
	TYPE_DEVICES,   /* *, an identity, a name, room:NAME */
	TYPE_ENDPOINTS, /* list */
	TYPE_PINS,      /* list */
	TYPE_CAPS,      /* list */
	TYPE_SHARES,    /* list of maps, whose keys are rows IN_SHARE */
	TYPE_OPTIONS,   /* map of free keys */
	TYPE_PORTS,     /* map of free keys to device paths */
	TYPES
};
/* Which struct the field is in. */
enum conf_group { IN_CONF, IN_ADAPTER, IN_LINK, IN_SHARE };
enum conf_rank { OPTIONAL, NEEDED };
enum conf_change { LIVE, RESTART }; /* what a change of it asks of a running core */

struct conf_row {
	const char *path; /* "session.idle_s"; <name> stands for an adapter's or link's own name, [] for a place in a list */
	enum conf_group group;
	enum conf_type type;
	size_t at;       /* the field; of lists the array */
	size_t count_at; /* of lists: their length */
	int64_t min, max;
	const char *unit;
	const char *preset;  /* the default as it would be written; NULL: none */
	const char *choices; /* "a|b" */
	enum conf_rank rank;
	enum conf_change change;
	const char *help;
};

const struct conf_row *conf_row_at(size_t i); /* NULL past the end */
const struct conf_row *conf_row_find(const char *path);
bool conf_row_is_section(const char *path);            /* some row lies below it */
const char *conf_row_near(const char *section, const char *word); /* the key of section that word may have meant, NULL none */
/* "whole number of 30..86400 s": what a value must be. */
void conf_row_expected(const struct conf_row *row, char *ret, size_t cap);
