/* Days and times as a person types them and reads them back. What is printed can be parsed again. */
#include <string.h>
#include "base/text.h"
#include "door/when.h"

static const char day_names[7][4] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int day_at(const char *text)
{
	for (int i = 0; i < 7; i++)
		if (strncasecmp(text, day_names[i], 3) == 0)
			return i;
	return -1;
}

int when_parse_days(const char *text, uint8_t *ret)
{
	uint8_t days = 0;
	if (strcmp(text, "daily") == 0) {
		*ret = DAYS_ALL;
		return 0;
	}
	for (;;) {
		int from = day_at(text), to = from;
		if (from < 0)
			return WHEN_E_SYNTAX;
		text += 3;
		if (*text == '-') {
			to = day_at(text + 1);
			if (to < 0)
				return WHEN_E_SYNTAX;
			text += 4;
		}
		for (int day = from;; day = (day + 1) % 7) {
			days |= (uint8_t)(1u << day);
			if (day == to)
				break;
		}
		if (*text == 0)
			break;
		if (*text++ != ',')
			return WHEN_E_SYNTAX;
	}
	*ret = days;
	return 0;
}

static bool two_digits(const char *text, unsigned max, unsigned *ret)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return *ret <= max;
}

/* The five characters at text. */
static int minute_at(const char *text, uint16_t *ret)
{
	unsigned hour, minute;
	if (!two_digits(text, 24, &hour) || text[2] != ':' || !two_digits(text + 3, 59, &minute) || hour * 60 + minute > 1440)
		return WHEN_E_SYNTAX;
	*ret = (uint16_t)(hour * 60 + minute);
	return 0;
}

int when_parse_minute(const char *text, uint16_t *ret)
{
	return strlen(text) == 5 ? minute_at(text, ret) : WHEN_E_SYNTAX;
}

/* Cuts "days " off the front of *text; without it every day. */
static int cut_days(const char **text, uint8_t *ret)
{
	char days[WHEN_TEXT_MAX];
	const char *space = strchr(*text, ' ');
	*ret = DAYS_ALL;
	if (!space)
		return 0;
	if (!text_copy_n(days, sizeof(days), *text, (size_t)(space - *text)))
		return WHEN_E_SYNTAX;
	*text = space + 1;
	return when_parse_days(days, ret);
}

int when_parse_moment(const char *text, uint8_t *ret_day, uint16_t *ret_minute)
{
	uint8_t days, day = 0;
	uint16_t minute;
	if (!strchr(text, ' ') || cut_days(&text, &days) != 0 || when_parse_minute(text, &minute) != 0 || minute == 1440 ||
	    (days & (days - 1)) != 0)
		return WHEN_E_SYNTAX;
	while (days >> (day + 1))
		day++;
	*ret_day = day;
	*ret_minute = minute;
	return 0;
}

int when_parse_window(const char *text, struct policy_window *ret)
{
	struct policy_window window;
	if (cut_days(&text, &window.days) != 0 || strlen(text) != 11 || text[5] != '-' || minute_at(text, &window.from) != 0 ||
	    minute_at(text + 6, &window.to) != 0)
		return WHEN_E_SYNTAX;
	*ret = window;
	return 0;
}

void when_print_days(uint8_t days, char ret[WHEN_TEXT_MAX])
{
	ret[0] = 0;
	if (days == DAYS_ALL)
		text_copy(ret, WHEN_TEXT_MAX, "daily");
	for (unsigned d = 0; d < 7 && days != DAYS_ALL; d++)
		if (days & (1u << d))
			text_append(ret, WHEN_TEXT_MAX, "%s%s", ret[0] ? "," : "", day_names[d]);
}

void when_print_window(const struct policy_window *window, char ret[WHEN_TEXT_MAX])
{
	char days[WHEN_TEXT_MAX];
	when_print_days(window->days, days);
	text_print(ret, WHEN_TEXT_MAX, "%s%s%02u:%02u-%02u:%02u", window->days == DAYS_ALL ? "" : days, window->days == DAYS_ALL ? "" : " ",
		   window->from / 60, window->from % 60, window->to / 60, window->to % 60);
}
