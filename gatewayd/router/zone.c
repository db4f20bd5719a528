/* A zone file lists when the offset changed and, in its last line, the rule for all years after the list (as POSIX TZ text:
 * CET-1CEST,M3.5.0,M10.5.0/3). The list is searched; past its end the rule is computed. Only the Mm.w.d form of rules is
 * in use by any zone of today; another form is refused rather than guessed. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "router/zone.h"

enum { HEADER_LEN = 44, DAY_S = 86400, RULE_MAX = 64 };

struct rule { /* on the week-th weekday of a month, at a local second of the day */
	int month, week, day;
	int32_t at_s;
};

struct zone {
	size_t n;
	int64_t times[ZONE_TIMES_MAX];
	int32_t offsets[ZONE_TIMES_MAX];
	int32_t first_offset;          /* before the first change */
	bool has_rule, has_summer;
	int32_t winter_s, summer_s;    /* offsets by the rule */
	struct rule to_summer, to_winter;
};

struct counts {
	uint32_t isut, isstd, leap, times, types, chars;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool read_header(const uint8_t *data, size_t len, struct counts *ret)
{
	if (len < HEADER_LEN || memcmp(data, "TZif", 4) != 0)
		return false;
	*ret = (struct counts){ be32(data + 20), be32(data + 24), be32(data + 28), be32(data + 32), be32(data + 36), be32(data + 40) };
	return ret->times <= ZONE_TIMES_MAX && ret->types > 0 && ret->types <= 256 && ret->chars <= 4096 && ret->leap <= 4096 &&
	       ret->isut <= 256 && ret->isstd <= 256;
}

static size_t block_len(const struct counts *c, size_t time_size)
{
	return c->times * (time_size + 1) + c->types * 6 + c->chars + c->leap * (time_size + 4) + c->isstd + c->isut;
}

static bool skip_name(const char **p)
{
	const char *start = *p;
	if (**p == '<') {
		while (**p && **p != '>')
			(*p)++;
		return *(*p)++ == '>';
	}
	while (isalpha((unsigned char)**p))
		(*p)++;
	return *p - start >= 3;
}

static bool read_number(const char **p, int max, int *ret)
{
	int v = 0;
	if (!isdigit((unsigned char)**p))
		return false;
	while (isdigit((unsigned char)**p) && v <= max)
		v = v * 10 + (*(*p)++ - '0');
	*ret = v;
	return v <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **p, int32_t *ret)
{
	int part[3] = { 0, 0, 0 }, sign = 1;
	if (**p == '-' || **p == '+')
		sign = *(*p)++ == '-' ? -1 : 1;
	if (!read_number(p, 167, &part[0]))
		return false;
	for (int i = 1; i < 3 && **p == ':'; i++) {
		(*p)++;
		if (!read_number(p, 59, &part[i]))
			return false;
	}
	*ret = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool read_rule(const char **p, struct rule *ret)
{
	*ret = (struct rule){ .at_s = 2 * 3600 };
	if (*(*p)++ != ',' || *(*p)++ != 'M' || !read_number(p, 12, &ret->month) || *(*p)++ != '.' || !read_number(p, 5, &ret->week) ||
	    *(*p)++ != '.' || !read_number(p, 6, &ret->day) || ret->month < 1 || ret->week < 1)
		return false;
	if (**p != '/')
		return true;
	(*p)++;
	return read_time(p, &ret->at_s);
}

static bool parse_rule(struct zone *zone, const char *p)
{
	if (!skip_name(&p) || !read_time(&p, &zone->winter_s))
		return false;
	zone->winter_s = -zone->winter_s; /* POSIX counts west */
	zone->has_rule = true;
	if (!*p)
		return true;
	zone->summer_s = zone->winter_s + 3600;
	if (!skip_name(&p))
		return false;
	if (*p && *p != ',') {
		if (!read_time(&p, &zone->summer_s))
			return false;
		zone->summer_s = -zone->summer_s;
	}
	zone->has_summer = true;
	return read_rule(&p, &zone->to_summer) && read_rule(&p, &zone->to_winter) && !*p;
}

static int read_block(struct zone *zone, const uint8_t *p, const struct counts *c)
{
	const uint8_t *index = p + c->times * 8, *types = index + c->times;
	zone->n = c->times;
	zone->first_offset = (int32_t)be32(types);
	for (size_t i = 0; i < c->times; i++) {
		if (index[i] >= c->types)
			return ZONE_E_SYNTAX;
		zone->times[i] = be64(p + i * 8);
		zone->offsets[i] = (int32_t)be32(types + index[i] * 6);
		if (i && zone->times[i] <= zone->times[i - 1])
			return ZONE_E_SYNTAX;
	}
	return 0;
}

static int read_footer(struct zone *zone, const uint8_t *p, size_t len)
{
	char text[RULE_MAX + 1];
	if (len < 2 || p[0] != '\n')
		return ZONE_E_SYNTAX;
	const uint8_t *end = memchr(p + 1, '\n', len - 1);
	size_t text_len = end ? (size_t)(end - p - 1) : 0;
	if (!end || text_len > RULE_MAX)
		return ZONE_E_SYNTAX;
	memcpy(text, p + 1, text_len);
	text[text_len] = 0;
	return text_len == 0 || parse_rule(zone, text) ? 0 : ZONE_E_SYNTAX;
}

static int zone_read(struct zone *zone, const uint8_t *data, size_t len)
{
	struct counts c;
	/* The first block is for readers of 32 bits; the second has the same in 64. */
	if (!read_header(data, len, &c) || data[4] < '2' || len - HEADER_LEN < block_len(&c, 4))
		return ZONE_E_SYNTAX;
	data += HEADER_LEN + block_len(&c, 4);
	len -= HEADER_LEN + block_len(&c, 4);
	if (!read_header(data, len, &c) || len - HEADER_LEN < block_len(&c, 8))
		return ZONE_E_SYNTAX;
	int r = read_block(zone, data + HEADER_LEN, &c);
	return r == 0 ? read_footer(zone, data + HEADER_LEN + block_len(&c, 8), len - HEADER_LEN - block_len(&c, 8)) : r;
}

int zone_parse(const void *data, size_t len, struct zone **ret)
{
	struct zone *zone = len <= ZONE_FILE_MAX ? calloc(1, sizeof(*zone)) : NULL;
	if (!zone)
		return len <= ZONE_FILE_MAX ? -ENOMEM : ZONE_E_SYNTAX;
	int r = zone_read(zone, data, len);
	if (r != 0)
		zone_free(zone);
	else
		*ret = zone;
	return r;
}

struct zone *zone_free(struct zone *zone)
{
	free(zone);
	return NULL;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t unix_s)
{
	int64_t days = unix_s / DAY_S - (unix_s % DAY_S < 0), year = 1970 + days / 366;
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (days_of(year, 1, 1) > days)
		year--;
	return year;
}

/* When rule comes in year, in seconds of local time by the offset before it. */
static int64_t rule_time(const struct rule *rule, int64_t year)
{
	int64_t first = days_of(year, rule->month, 1);
	int64_t next = rule->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, rule->month + 1, 1);
	int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	int64_t day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * INT64_C(7);
	while (day >= next)
		day -= 7;
	return day * DAY_S + rule->at_s;
}

static int32_t offset_by_rule(const struct zone *zone, int64_t unix_s)
{
	if (!zone->has_summer)
		return zone->winter_s;
	int64_t year = year_of(unix_s + zone->winter_s);
	int64_t summer = rule_time(&zone->to_summer, year) - zone->winter_s, winter = rule_time(&zone->to_winter, year) - zone->summer_s;
	bool is_summer = summer < winter ? unix_s >= summer && unix_s < winter : unix_s >= summer || unix_s < winter;
	return is_summer ? zone->summer_s : zone->winter_s;
}

int32_t zone_offset_s(const struct zone *zone, int64_t unix_s)
{
	if (!zone)
		return 0;
	if (zone->has_rule && (zone->n == 0 || unix_s >= zone->times[zone->n - 1]))
		return offset_by_rule(zone, unix_s);
	size_t low = 0, high = zone->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (zone->times[mid] <= unix_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? zone->offsets[low - 1] : zone->first_offset;
}
