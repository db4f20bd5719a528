/* The same bytes mean the same, and the same orders become the same bytes, as with zigbee-herdsman-converters: 1,200 lines of
 * converter_vectors.txt (tests/sim/converter_vectors.mjs), but for the differences in converter_differences.tsv. A difference that no
 * row explains fails, and so does a row that explains nothing.
 *
 * A row: kind of line, where (CLUSTER/ATTRIBUTE, CLUSTER/COMMAND, of an order its cluster and command), capability, theirs, ours, why. Theirs
 * and ours: a value or bytes, "-" for none, a trailing "*" for any end; "out" a number that is outside of the capability's range, or that
 * the attribute's type calls none.
 */
#include "zigbee_list.h"

#include <math.h>
#include "base/text.h"
#include "model/capability.h"

enum { LINE = 1024, DIFFERENCES_MAX = 64, VALUE = 160 };

struct difference {
	char line[512];
	const char *kind, *where, *cap, *theirs, *ours;
	size_t used;
};
struct differences {
	struct difference rows[DIFFERENCES_MAX];
	size_t n;
};
struct said {
	char cap[CAPABILITY_NAME_MAX], value[VALUE];
};

static void differences_read(struct differences *ret)
{
	FILE *f = list_file("converter_differences.tsv");

	ret->n = 0;
	while (fgets(ret->rows[ret->n].line, sizeof(ret->rows[ret->n].line), f)) {
		struct difference *row = &ret->rows[ret->n];
		char *p = row->line;

		p[strcspn(p, "\n")] = '\0';
		if (*p == '#')
			continue;
		row->kind = strsep(&p, "\t");
		row->where = strsep(&p, "\t");
		row->cap = strsep(&p, "\t");
		row->theirs = strsep(&p, "\t");
		row->ours = strsep(&p, "\t");
		assert_true(p && p[0]);
		row->used = 0;
		assert_true(++ret->n < DIFFERENCES_MAX);
	}
	fclose(f);
}

static bool is_out(const char *cap, const char *value)
{
	const struct capability *row = capability_find_name(cap);
	double number = strtod(value, NULL);

	return (row->type == VALUE_REAL || row->type == VALUE_INT) && (number < row->min || number > row->max);
}

static bool fits(const char *pattern, const char *cap, const char *value, bool none)
{
	size_t n = strlen(pattern);

	if (strcmp(pattern, "out") == 0)
		return none || is_out(cap, value);
	if (n && pattern[n - 1] == '*')
		return strncmp(pattern, value, n - 1) == 0;
	return strcmp(pattern, value) == 0;
}

static bool is_explained(struct differences *list, const char *kind, const char *where, const char *cap, const char *theirs, const char *ours,
			 bool none)
{
	for (size_t i = 0; i < list->n; i++) {
		struct difference *row = &list->rows[i];

		if (strcmp(row->kind, kind) != 0 || strcmp(row->where, where) != 0 || strcmp(row->cap, cap) != 0 ||
		    !fits(row->theirs, cap, theirs, none) || !fits(row->ours, cap, ours, false))
			continue;
		row->used++;
		return true;
	}
	return false;
}

static void print_value(const struct gwa_value *value, char ret[VALUE])
{
	if (value->type == GWA_T_TEXT)
		snprintf(ret, VALUE, "%.*s", (int)value->len, (const char *)value->v.data);
	else if (value->type == GWA_T_REAL)
		snprintf(ret, VALUE, "%.12g", value->v.f);
	else
		snprintf(ret, VALUE, "%lld", (long long)value->v.i);
}

static bool is_same(const char *a, const char *b)
{
	char *end_a, *end_b;
	double x = strtod(a, &end_a), y = strtod(b, &end_b);

	if (*end_a || *end_b || end_a == a || end_b == b)
		return strcmp(a, b) == 0;
	/* Single precision on the way. */
	return fabs(x - y) <= 1e-6 * fmax(1, fabs(x));
}

static size_t theirs_read(char *text, struct said *ret)
{
	size_t n = 0;
	char *save;

	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *is = strchr(word, '=');

		assert_non_null(is);
		*is = '\0';
		check_true(text_copy(ret[n].cap, sizeof(ret[n].cap), word));
		check_true(text_copy(ret[n++].value, sizeof(ret->value), is + 1));
	}
	return n;
}

static size_t ours_read(const struct trait_reading *readings, size_t n, struct said *ret)
{
	for (size_t i = 0; i < n; i++) {
		text_copy(ret[i].cap, sizeof(ret[i].cap), capability_find(readings[i].cap)->name);
		print_value(&readings[i].value, ret[i].value);
	}
	return n;
}

static const char *said_of(const struct said *said, size_t n, const char *cap)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(said[i].cap, cap) == 0)
			return said[i].value;
	}
	return "-";
}

static bool agrees(struct differences *list, const char *kind, const char *where, const char *cap, const char *theirs, const char *ours,
		   bool none, size_t line)
{
	if (is_same(theirs, ours) || is_explained(list, kind, where, cap, theirs, ours, none))
		return true;
	print_error("%zu: %s %s %s: theirs %s, ours %s\n", line, kind, where, cap, theirs, ours);
	return false;
}

static size_t compare(struct differences *list, const char *kind, const char *where, char *theirs, const struct trait_reading *readings,
		      size_t n, bool none, size_t line)
{
	struct said their[16], our[TRAITS_READINGS_MAX];
	size_t n_their = theirs_read(theirs, their), n_our = ours_read(readings, n, our), bad = 0;

	for (size_t i = 0; i < n_their; i++)
		bad += !agrees(list, kind, where, their[i].cap, their[i].value, said_of(our, n_our, their[i].cap), none, line);
	for (size_t i = 0; i < n_our; i++) {
		if (strcmp(said_of(their, n_their, our[i].cap), "-") == 0)
			bad += !agrees(list, kind, where, our[i].cap, "-", our[i].value, none, line);
	}
	return bad;
}

static struct view bytes_read(const char *hex, uint8_t *ret, size_t cap)
{
	size_t len = strlen(hex) / 2;

	assert_true(len <= cap);
	check_ok(hex_parse(hex, 2 * len, ret, len));
	return (struct view){ ret, len };
}

/* "0402 0000 29 2909" */
static size_t check_read(struct differences *list, struct list *home, char *columns[4], size_t line)
{
	unsigned cluster, attribute, type;
	char hex[64], where[16];
	uint8_t bytes[32];
	struct view view;
	struct reader r;
	struct zcl_value value;
	struct trait_reading readings[TRAITS_READINGS_MAX];
	size_t n;

	assert_int_equal(sscanf(columns[2], "%x %x %x %63s", &cluster, &attribute, &type, hex), 4);
	view = bytes_read(hex, bytes, sizeof(bytes));
	r = reader_over(view.data, view.len);
	check_ok(zcl_value_read(&r, (uint8_t)type, &value));
	(void)traits_learn(&home->home.endpoints[0], (uint16_t)cluster, 0, (uint16_t)attribute, &value);
	n = traits_attribute(&home->home.node, 1, (uint16_t)cluster, 0, (uint16_t)attribute, &value, readings);
	snprintf(where, sizeof(where), "%04x/%04x", cluster, attribute);
	return compare(list, "read", where, columns[3], readings, n, value.none, line);
}

/* "0008 05 s 0040" */
static size_t check_heard(struct differences *list, struct list *home, char *columns[4], size_t line)
{
	unsigned cluster, command;
	char to, hex[64] = "", where[16];
	uint8_t bytes[32];
	struct zcl_frame frame = { .header = { .cluster = true } };
	struct trait_reading readings[TRAITS_READINGS_MAX];
	size_t n;

	assert_true(sscanf(columns[2], "%x %x %c %63s", &cluster, &command, &to, hex) >= 3);
	frame.header.command = (uint8_t)command;
	frame.header.to_client = to == 'c';
	frame.payload = bytes_read(hex, bytes, sizeof(bytes));
	n = traits_command(&home->home.node, 1, (uint16_t)cluster, &frame, readings);
	snprintf(where, sizeof(where), "%04x/%02x", cluster, command);
	return compare(list, "heard", where, columns[3], readings, n, false, line);
}

static struct gwa_value order_value(uint16_t cap, const char *text)
{
	switch ((int)capability_find(cap)->type) {
	case VALUE_TEXT:
		return home_text(text);
	case VALUE_REAL:
		return home_real(strtod(text, NULL));
	case VALUE_BOOL:
		return home_bool(text[0] == '1');
	default:
		return home_int(atoi(text));
	}
}

static void print_order(const struct trait_order *order, char ret[VALUE])
{
	size_t at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < order->n; i++) {
		const struct trait_frame *frame = &order->frames[i];

		at += (size_t)snprintf(ret + at, VALUE - at, "%s%04x %c %02x ", i ? ";" : "", frame->cluster, frame->general ? 'w' : 'c',
				       frame->command);
		for (size_t k = 0; k < frame->len && at < VALUE - 3; k++)
			at += (size_t)snprintf(ret + at, VALUE - at, "%02x", frame->payload[k]);
	}
}

static size_t check_order(struct differences *list, struct list *home, char *columns[4], size_t line)
{
	char *is = strchr(columns[2], '='), ours[VALUE], where[16];
	struct gwa_value value;
	struct trait_order order;
	uint16_t cap;

	assert_non_null(is);
	*is = '\0';
	check_ok(capability_id_of(columns[2], &cap));
	value = order_value(cap, is + 1);
	check_ok(traits_order(&home->home.node, 1, cap, &value, &order));
	print_order(&order, ours);
	snprintf(where, sizeof(where), "%04x/%02x", order.frames[0].cluster, order.frames[0].command);
	return !agrees(list, "order", where, columns[2], columns[3], ours, false, line);
}

static void they_and_we_mean_the_same(void **state)
{
	static const struct {
		const char *kind;
		size_t (*check)(struct differences *list, struct list *home, char *columns[4], size_t line);
		size_t least;
	} kinds[] = { { "read", check_read, 800 }, { "heard", check_heard, 200 }, { "order", check_order, 90 } };
	struct differences *list = calloc(1, sizeof(*list));
	size_t count[N_ELEMENTS(kinds)] = { 0 }, bad = 0, number = 0;
	FILE *f = list_file("converter_vectors.txt");
	char line[LINE];

	(void)state;
	differences_read(list);
	while (fgets(line, sizeof(line), f)) {
		char *columns[4], *p = line;
		struct list home;

		number++;
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < N_ELEMENTS(columns); i++)
			columns[i] = strsep(&p, "|");
		assert_non_null(columns[3]);
		list_read(columns[1], &home);
		for (size_t k = 0; k < N_ELEMENTS(kinds); k++) {
			if (strcmp(columns[0], kinds[k].kind) != 0)
				continue;
			count[k]++;
			bad += kinds[k].check(list, &home, columns, number);
		}
	}
	fclose(f);
	for (size_t k = 0; k < N_ELEMENTS(kinds); k++)
		check_true(count[k] > kinds[k].least);
	for (size_t i = 0; i < list->n; i++) {
		if (list->rows[i].used)
			continue;
		print_error("this row explains nothing: %s %s %s %s %s\n", list->rows[i].kind, list->rows[i].where, list->rows[i].cap,
			    list->rows[i].theirs, list->rows[i].ours);
		bad++;
	}
	free(list);
	check_uint(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_and_we_mean_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
