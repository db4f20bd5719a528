/* What no table can say stands here; every command comes from the table. */
#include <string.h>
#include "ctl/command.h"
#include "ctl/man.h"

static const char *const head =
	".Dd November 23, 2026\n"
	".Dt GATEWAYCTL 1\n"
	".Os gatewayd\n"
	".Sh NAME\n"
	".Nm gatewayctl\n"
	".Nd ask and command the smart-home gateway gatewayd\n"
	".Sh SYNOPSIS\n"
	".Nm\n"
	".Op Fl -socket Ar PATH\n"
	".Op Fl -json\n"
	".Op Fl -password-stdin\n"
	".Ar COMMAND ...\n"
	".Sh DESCRIPTION\n"
	".Nm\n"
	"is a client of the gateway's door, a unix socket.\n"
	"What it may do is decided there: log in first, then every command is asked with your session.\n"
	"Only root on a gateway that nobody owns yet may do without:\n"
	".Ic setup\n"
	"makes the first owner.\n"
	".Pp\n"
	"Words in brackets may be left out; those with an equals sign stand in any order.\n"
	"After\n"
	".Ql --\n"
	"no word is taken for one of them.\n"
	"Characters in names that would change the terminal are shown escaped.\n"
	".Bl -tag -width Ds\n"
	".It Fl -socket Ar PATH\n"
	"The door, when it is not\n"
	".Pa /run/gatewayd/door.sock .\n"
	".It Fl -json\n"
	"The answer as one line of JSON, as docs/spec/door.md describes it; events one a line.\n"
	".It Fl -password-stdin\n"
	"Passwords and codes are lines of standard input, in the order in which they would be asked for.\n"
	"They are never words of the command line.\n"
	".It Fl -help\n"
	"The commands in short.\n"
	".It Fl -version\n"
	"The version.\n"
	".El\n"
	".Sh COMMANDS\n"
	".Bl -tag -width Ds\n";

static const char *const tail =
	".El\n"
	".Sh ENVIRONMENT\n"
	".Bl -tag -width Ds\n"
	".It Ev GATEWAYCTL_SOCKET\n"
	"The door, unless\n"
	".Fl -socket\n"
	"names one.\n"
	".El\n"
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa $XDG_RUNTIME_DIR/gatewayctl/session-*\n"
	"The session of each door until logout, readable by you only; without such a folder it is in\n"
	".Pa ~/.cache/gatewayctl .\n"
	".El\n"
	".Sh EXIT STATUS\n"
	".Bl -tag -width Ds -compact\n"
	".It 0\n"
	"done\n"
	".It 1\n"
	"refused, or it failed\n"
	".It 2\n"
	"the command line was wrong\n"
	".It 3\n"
	"the gateway cannot be reached\n"
	".It 4\n"
	"there is no session: log in\n"
	".El\n"
	".Pp\n"
	".Ic audit verify\n"
	"has its own: 0 whole, 1 tampered with, 2 whole in itself but compared with no anchor.\n"
	".Sh EXAMPLES\n"
	".Bd -literal -offset indent\n"
	"gatewayctl login anna\n"
	"gatewayctl device set lamp on-off on\n"
	"gatewayctl rule add night-light time at=22:30 then=lamp/level set=10\n"
	"gatewayctl policy add allow link:cloud device:lamp capability=on-off actions=observe,command\n"
	"gatewayctl policy explain link:cloud lamp on-off\n"
	"gatewayctl audit tail last=50\n"
	".Ed\n"
	".Sh SEE ALSO\n"
	".Xr gatewayd.yaml 5\n";

static void print_arg(FILE *out, const struct command_arg *arg)
{
	if (arg->place == ARG_NEEDED)
		fprintf(out, " Ar %s", arg->word);
	else if (arg->place == ARG_MORE)
		fprintf(out, " Op Ar %s", arg->word);
	else
		fprintf(out, " Op Ar %s Ns =...", arg->word);
}

static void print_command(FILE *out, const struct command *command)
{
	fprintf(out, ".It Ic %s", command->words);
	for (size_t i = 0; i < command->n_args; i++)
		print_arg(out, &command->args[i]);
	fprintf(out, "\n%s.\n", command->help);
	for (size_t i = 0; i < command->n_args; i++)
		if (command->args[i].help)
			fprintf(out, ".br\n.Ar %s :\n%s.\n", command->args[i].word, command->args[i].help);
}

void man_print(FILE *out)
{
	const struct command *command;
	fputs(head, out);
	for (size_t i = 0; (command = command_at(i)); i++)
		print_command(out, command);
	fputs(tail, out);
}

void man_help(FILE *out)
{
	const struct command *command;
	char usage[400];
	fputs("gatewayctl [--socket PATH] [--json] [--password-stdin] COMMAND ...\n\n", out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		command_usage(command, usage, sizeof(usage));
		fprintf(out, "  %s\n      %s\n", usage, command->help);
	}
}
