/* docs/man/gatewayctl.1 is what the command table prints (gatewayctl --man > docs/man/gatewayctl.1), and it names every command. */
#include "check.h"

#include "base/text.h"
#include "ctl/command.h"
#include "ctl/man.h"
#include "sys/host.h"

static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	print(out);
	fclose(out);
	return text;
}

static void page_is_the_table(void **state)
{
	const char *root = getenv("GW_SOURCE_ROOT");
	char path[512], *page = NULL, *text = printed(man_print);
	size_t len;
	(void)state;
	check_true(root != NULL);
	text_print(path, sizeof(path), "%s/docs/man/gatewayctl.1", root);
	check_ok(host_read_file(path, HOST_FILE_MAX, &page, &len));
	check_text(page, text);
	free(page);
	free(text);
}

static void help_names_every_command(void **state)
{
	char *text = printed(man_help), usage[400];
	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		command_usage(command_at(i), usage, sizeof(usage));
		check_true(strstr(text, usage) != NULL);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(page_is_the_table), cmocka_unit_test(help_names_every_command) };
	return CHECK_RUN(rows);
}
