/* What unknown devices are exposed as: on 1,000 random lists of endpoints (expose_vectors.txt, tests/sim/expose_vectors.mjs) the same as
 * zigbee-herdsman-converters' generator makes of them, but for the differences in expose_differences.tsv. A difference that no row
 * there explains fails, and so does a row that explains nothing.
 *
 * A row: who exposes it (theirs, ours), the capability, when, why. When: +CLUSTER the endpoint has it, -CLUSTER has it not, >CLUSTER it
 * gives its commands, ^CLUSTER an endpoint before it has it, *CLUSTER any other one, =CLUSTER.ATTRIBUTE that could be read.
 */
#include "zigbee_list.h"

#include "model/capability.h"

enum { LINE = 4096, DIFFERENCES_MAX = 64 };

struct difference {
	char line[512];
	const char *side, *cap, *when, *why;
	size_t used;
};
static size_t differences_read(struct difference *ret)
{
	FILE *f = list_file("expose_differences.tsv");
	size_t n = 0;

	while (fgets(ret[n].line, sizeof(ret[n].line), f)) {
		char *p = ret[n].line;

		p[strcspn(p, "\n")] = '\0';
		if (*p == '#')
			continue;
		ret[n].side = strsep(&p, "\t");
		ret[n].cap = strsep(&p, "\t");
		ret[n].when = strsep(&p, "\t");
		ret[n].why = strsep(&p, "\t");
		assert_non_null(ret[n].why);
		check_true(ret[n].why[0]);
		ret[n++].used = 0;
		assert_true(n < DIFFERENCES_MAX);
	}
	fclose(f);
	return n;
}

static bool is_elsewhere(const struct list *list, const struct node_endpoint *endpoint, uint16_t cluster, bool before)
{
	for (const struct node_endpoint *e = list->home.endpoints; e < list->home.endpoints + list->home.node.n_endpoints; e++) {
		if (e == endpoint && before)
			return false;
		if (e != endpoint && node_has_in(e, cluster))
			return true;
	}
	return false;
}

static bool is_readable(const struct list *list, uint8_t endpoint, uint16_t cluster, uint16_t attribute)
{
	for (size_t i = 0; i < list->n_readable; i++) {
		const struct readable *r = &list->readable[i];

		if (r->endpoint == endpoint && r->cluster == cluster && r->attribute == attribute)
			return true;
	}
	return false;
}

static bool holds(const struct list *list, const struct node_endpoint *endpoint, const char *when)
{
	bool all = true;

	for (const char *p = when; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		uint16_t cluster = (uint16_t)strtoul(p + 1, NULL, 16);

		if (*p == '+')
			all = all && node_has_in(endpoint, cluster);
		else if (*p == '-')
			all = all && !node_has_in(endpoint, cluster);
		else if (*p == '>')
			all = all && node_has_out(endpoint, cluster);
		else if (*p == '^' || *p == '*')
			all = all && is_elsewhere(list, endpoint, cluster, *p == '^');
		else if (*p == '=')
			all = all && is_readable(list, endpoint->id, cluster, (uint16_t)strtoul(p + 6, NULL, 16));
		else
			fail_msg("what is %s?", p);
	}
	return all;
}

static bool is_explained(const struct list *list, struct difference *rows, size_t n, const char *side, uint8_t endpoint, const char *cap)
{
	const struct node_endpoint *at = node_endpoint(&list->home.node, endpoint);

	for (size_t i = 0; at && i < n; i++) {
		if (strcmp(rows[i].side, side) != 0 || strcmp(rows[i].cap, cap) != 0 || !holds(list, at, rows[i].when))
			continue;
		rows[i].used++;
		return true;
	}
	return false;
}

static bool is_said(const char *words, uint8_t endpoint, const char *cap)
{
	char want[64];
	const char *at;
	size_t len = (size_t)snprintf(want, sizeof(want), " %u:%s", endpoint, cap);

	for (at = strstr(words, want); at; at = strstr(at + 1, want)) {
		if (at[len] == ' ' || !at[len])
			return true;
	}
	return false;
}

/* How many differences have no row. words begins with a blank. */
static size_t compare(const struct list *list, const char *words, size_t line, struct difference *rows, size_t n_rows)
{
	struct trait traits[TRAITS_MAX];
	size_t n = traits_of(&list->home.node, traits), bad = 0;

	for (size_t i = 0; i < n; i++) {
		const char *cap = capability_find(traits[i].cap.id)->name;

		if (is_said(words, traits[i].endpoint, cap) || is_explained(list, rows, n_rows, "ours", traits[i].endpoint, cap))
			continue;
		print_error("%zu: only ours: %u:%s\n", line, traits[i].endpoint, cap);
		bad++;
	}
	for (const char *p = words; *p; p += strcspn(p + 1, " ") + 1) {
		char cap[CAPABILITY_NAME_MAX];
		unsigned endpoint;
		uint16_t id;

		assert_int_equal(sscanf(p, " %u:%31[^ ]", &endpoint, cap), 2);
		check_ok(capability_id_of(cap, &id));
		if (home_can(&list->home, (uint8_t)endpoint, id, NULL) || is_explained(list, rows, n_rows, "theirs", (uint8_t)endpoint, cap))
			continue;
		print_error("%zu: only theirs: %u:%s\n", line, endpoint, cap);
		bad++;
	}
	return bad;
}

static void unknown_devices_are_what_others_take_them_for(void **state)
{
	struct difference *rows = calloc(DIFFERENCES_MAX, sizeof(*rows));
	size_t n_rows = differences_read(rows), n = 0, bad = 0;
	FILE *f = list_file("expose_vectors.txt");
	char line[LINE];

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		char *bar = strchr(line, '|'), words[LINE];
		struct list list;

		assert_non_null(bar);
		*bar = '\0';
		bar[1 + strcspn(bar + 1, "\n")] = '\0';
		snprintf(words, sizeof(words), "%s%s", bar[1] ? " " : "", bar + 1);
		list_read(line, &list);
		bad += compare(&list, words, ++n, rows, n_rows);
	}
	fclose(f);
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].used)
			continue;
		print_error("this row explains nothing: %s %s %s\n", rows[i].side, rows[i].cap, rows[i].when);
		bad++;
	}
	free(rows);
	check_uint(n, 1000);
	check_uint(bad, 0);
}

/* Endpoints by number, each capability once in an endpoint, none beyond its row of the gateway's table. */
static void traits_are_in_order(void **state)
{
	FILE *f = list_file("expose_vectors.txt");
	char line[LINE];

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		struct trait traits[TRAITS_MAX];
		struct list list;
		size_t n;

		*strchr(line, '|') = '\0';
		list_read(line, &list);
		n = traits_of(&list.home.node, traits);
		for (size_t i = 0; i < n; i++) {
			const struct gwa_cap *cap = &traits[i].cap;
			struct capability_desc desc = { cap->id, cap->type, cap->access, cap->unit, cap->min, cap->max, cap->step };

			check_ok(capability_desc_check(&desc));
			check_true(!i || traits[i - 1].endpoint <= traits[i].endpoint);
			for (size_t k = 0; k < i; k++)
				check_true(traits[k].endpoint != traits[i].endpoint || traits[k].cap.id != cap->id);
		}
	}
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_devices_are_what_others_take_them_for),
		cmocka_unit_test(traits_are_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
