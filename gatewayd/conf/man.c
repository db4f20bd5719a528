/* The man page gatewayd.yaml(5), in mdoc: what no table can say stands here, every setting comes
 * from the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/table.h"
#include "conf/value.h"

static const char *const head =
	".Dd November 23, 2026\n"
	".Dt GATEWAYD.YAML 5\n"
	".Os gatewayd\n"
	".Sh NAME\n"
	".Nm gatewayd.yaml\n"
	".Nd settings of the smart-home gateway gatewayd\n"
	".Sh SYNOPSIS\n"
	".Pa /etc/gatewayd/gatewayd.yaml\n"
	".Pp\n"
	".Pa /etc/gatewayd/conf.d/*.yaml\n"
	".Sh DESCRIPTION\n"
	"The settings are YAML: maps, lists and plain values.\n"
	"Anchors, aliases, tags and several documents in one file are refused.\n"
	"After the main file the files of\n"
	".Pa conf.d\n"
	"beside it are read in the order of their names.\n"
	"Maps grow from file to file; a setting that two files make is a fault.\n"
	"So is a key that is not listed here.\n"
	"Every fault is told with its file, line and column:\n"
	".Pp\n"
	".Dl gatewayd --check-config\n"
	".Pp\n"
	"What is in force, and where each setting comes from, is shown by\n"
	".Pp\n"
	".Dl gatewayd --show-config\n"
	".Pp\n"
	"At SIGHUP the files are read again.\n"
	"A set with a fault is refused as a whole and everything stays as it was.\n"
	"So is one that changes a setting which needs a restart; only those marked\n"
	".Dq at once\n"
	"may change.\n"
	".Pp\n"
	"Passwords and keys are no settings: keys that end in\n"
	".Li _file\n"
	"name the file that holds one.\n"
	"Paths without a leading slash are relative: sockets to\n"
	".Li run_dir ,\n"
	"other files to the folder of the main file.\n"
	".Sh SETTINGS\n"
	"A dot stands for one step of indentation;\n"
	".Li <name>\n"
	"for the name that you give an adapter or a link.\n"
	".Bl -tag -width Ds\n";

static const char *const tail =
	".El\n"
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa /etc/gatewayd/gatewayd.yaml\n"
	"The main file.\n"
	".It Pa /etc/gatewayd/conf.d\n"
	"More of them.\n"
	".El\n"
	".Sh EXAMPLES\n"
	"A lamp simulator, and a platform that learns what lamps and plugs do:\n"
	".Bd -literal -offset indent\n"
	"site:\n"
	"  name: Home\n"
	"  timezone: Asia/Shanghai\n"
	"adapters:\n"
	"  sim:\n"
	"    plugin: sim\n"
	"links:\n"
	"  cloud:\n"
	"    profile: native\n"
	"    endpoints: [\"mqtts://cloud.example:8883\"]\n"
	"    ca: cloud-ca.crt\n"
	"    cert: cloud.crt\n"
	"    key_file: cloud.key\n"
	"    share:\n"
	"      - {device: \"*\", class: ordinary}\n"
	".Ed\n"
	".Sh SEE ALSO\n"
	".Xr gatewayctl 1 ,\n"
	".Xr gatewayd 8\n";

/* No text of the table becomes a request: backslashes are doubled, a leading dot or quote is
 * shielded. */
static void put_plain(FILE *to, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", to);
	for (; *text; text++)
		fputs(*text == '\\' ? "\\e" : (char[]){ *text, '\0' }, to);
}

static void put_setting(FILE *to, const struct conf_row *row)
{
	char expected[200];

	conf_row_expected(row, expected, sizeof(expected));
	fputs(".It Li ", to);
	put_plain(to, row->path);
	fputc('\n', to);
	put_plain(to, row->help);
	fprintf(to, "\n.br\nValue: %s", value_is_list(row) ? "list; each " : "");
	put_plain(to, expected);
	if (row->preset)
		fprintf(to, "; default %s", row->preset);
	if (row->rank == NEEDED)
		fputs("; needed", to);
	fprintf(to, "; changes %s.\n", row->change == LIVE ? "at once" : "at a restart");
}

int conf_man(char **ret)
{
	const struct conf_row *row;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return -ENOMEM;
	fputs(head, to);
	for (size_t i = 0; (row = conf_row_at(i)); i++)
		put_setting(to, row);
	fputs(tail, to);
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
