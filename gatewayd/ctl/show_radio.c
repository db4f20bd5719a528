/* A radio's own words, as its plugin says them (docs/spec/radio.md): nothing that is missing or strange in them may trip us. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/grid.h"
#include "ctl/plain.h"
#include "ctl/show.h"

void show_radio(FILE *out, const struct json *result)
{
	static const struct grid_column columns[] = { { "Radio", "radio", NULL },	{ "Firmware", "firmware", NULL }, { "State", "state", NULL },
						      { "Channel", "channel", NULL },	{ "PAN", "pan", NULL },		  { "Extended PAN", "ext_pan", NULL },
						      { "Address", "eui", NULL },	{ "Devices", "devices", NULL },	  { "Joining open for", "permit_s", grid_age },
						      { "Groups", "groups", NULL },	  { "Counters", "counters", NULL } };
	grid_print_fields(out, result, columns, N_ELEMENTS(columns));
}

void show_radio_group(FILE *out, const struct json *result)
{
	static const struct grid_column columns[] = { { "Group", "id", NULL }, { "Members", "members", NULL }, { "Refused", "refused", NULL } };
	grid_print_fields(out, result, columns, N_ELEMENTS(columns));
}

/* The name of who has this address, or the address. */
static const char *name_of(const struct json *nodes, const char *eui)
{
	for (size_t i = 0; eui && i < json_len(nodes); i++) {
		const struct json *node = json_at(nodes, i);
		const char *name = json_get_text(node, "name");
		if (!text_equal(json_get_text(node, "eui"), eui))
			continue;
		if (name && name[0])
			return name;
		if (text_equal(json_get_text(node, "kind"), "coordinator"))
			return "the coordinator";
	}
	return eui;
}

static void put_names(FILE *out, const struct json *nodes, const struct json *list)
{
	for (size_t i = 0; i < json_len(list); i++) {
		fputs(i ? ", " : "", out);
		plain_put(out, name_of(nodes, json_text(json_at(list, i), NULL)));
	}
	fputc('\n', out);
}

void show_radio_map(FILE *out, const struct json *result)
{
	static const struct grid_column columns[] = { { "FROM", "from", NULL }, { "TO", "to", NULL }, { "LQI", "lqi", NULL },
						      { "RELATION", "relation", NULL } };
	const struct json *nodes = json_get(result, "nodes"), *links = json_get(result, "links"), *silent = json_get(result, "silent");
	struct json *rows = json_new_array();
	for (size_t i = 0; i < json_len(links); i++) {
		const struct json *link = json_at(links, i);
		struct json *row = json_new_object();
		json_set_text(row, "from", name_of(nodes, json_get_text(link, "from")));
		json_set_text(row, "to", name_of(nodes, json_get_text(link, "to")));
		if (json_get(link, "lqi"))
			json_set(row, "lqi", json_copy(json_get(link, "lqi")));
		json_set_text(row, "relation", json_get_text(link, "relation"));
		json_push(rows, row);
	}
	grid_print(out, rows, columns, N_ELEMENTS(columns));
	json_free(rows);
	if (json_len(silent)) {
		fputs("No answer came from: ", out);
		put_names(out, nodes, silent);
	}
}
