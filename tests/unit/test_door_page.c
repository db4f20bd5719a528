/* docs/spec/door.md says of every method what the table says. `test_door_page print` prints the rows for the page. */
#include "check.h"

#include "base/text.h"
#include "door/method.h"
#include "sys/host.h"

static const char *const kinds[] = { [JSON_NULL] = "any", [JSON_BOOL] = "bool", [JSON_INT] = "int",	   [JSON_REAL] = "number",
				     [JSON_TEXT] = "text", [JSON_ARRAY] = "list", [JSON_OBJECT] = "object" };

static void add_field(const struct json_field *field, char *row, size_t cap)
{
	text_append(row, cap, field->required ? "`%s` %s" : "[`%s`] %s", field->name, kinds[field->kind]);
	/* Bounds that are those of the type say nothing. */
	if ((field->min || field->max) && field->max < INT32_MAX)
		text_append(row, cap, " %lld..%lld", (long long)field->min, (long long)field->max);
}

static void row_of(const struct method *method, char *row, size_t cap)
{
	static const struct { unsigned bit; const char *word; } who[] = {
		{ METHOD_ANYBODY, "anybody" }, { METHOD_SETUP, "root, while there is no owner" }, { METHOD_RECOVERY, "root" }, { METHOD_OWNERS, "owner" },
		{ METHOD_MEMBERS, "member" },  { METHOD_GUESTS, "guest" }, { METHOD_INSTALLERS, "installer" }, { METHOD_AUDITORS, "auditor" },
	};
	text_print(row, cap, "| `%s` | ", method->name);
	if ((method->who & METHOD_ALL_ROLES) == METHOD_ALL_ROLES)
		text_append(row, cap, "every role");
	else
		for (size_t i = 0, n = 0; i < N_ELEMENTS(who); i++)
			if (method->who & who[i].bit)
				text_append(row, cap, "%s%s", n++ ? ", " : "", who[i].word);
	text_append(row, cap, " | ");
	for (size_t i = 0; i < method->n_fields; i++) {
		text_append(row, cap, "%s", i ? ", " : "");
		add_field(&method->fields[i], row, cap);
	}
	text_append(row, cap, " | %s | %s |", method->audit_kind ? audit_kind_row(method->audit_kind)->name : "", method->help);
}

static void every_method_has_its_row(void **state)
{
	const char *root = getenv("GW_SOURCE_ROOT");
	const struct method *method;
	char path[512], row[1024], *page = NULL;
	size_t len, n = 0;
	(void)state;
	check_true(root != NULL);
	text_print(path, sizeof(path), "%s/docs/spec/door.md", root);
	check_ok(host_read_file(path, HOST_FILE_MAX, &page, &len));
	for (; (method = method_at(n)); n++) {
		row_of(method, row, sizeof(row));
		if (!strstr(page, row))
			print_error("the page lacks: %s\n", row);
		check_true(strstr(page, row) != NULL);
	}
	free(page);
	check_true(n > 0);
}

/* And the page names no method that there is not. */
static void no_row_without_a_method(void **state)
{
	const char *root = getenv("GW_SOURCE_ROOT");
	char path[512], name[80], *page = NULL, *at, *end;
	size_t len;
	(void)state;
	check_true(root != NULL);
	text_print(path, sizeof(path), "%s/docs/spec/door.md", root);
	check_ok(host_read_file(path, HOST_FILE_MAX, &page, &len));
	at = strstr(page, "| method | who |");
	end = at ? strstr(at, "\n\n") : NULL;
	check_true(at && end);
	while ((at = strstr(at, "\n| `")) && at < end) {
		at += 4;
		text_copy_n(name, sizeof(name), at, strcspn(at, "`"));
		if (!method_find(name))
			print_error("there is no method %s\n", name);
		check_true(method_find(name) != NULL);
	}
	free(page);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(every_method_has_its_row), cmocka_unit_test(no_row_without_a_method) };
	char row[1024];
	if (argc == 2 && strcmp(argv[1], "print") == 0) {
		for (size_t i = 0; method_at(i); i++) {
			row_of(method_at(i), row, sizeof(row));
			puts(row);
		}
		return 0;
	}
	return CHECK_RUN(rows);
}
