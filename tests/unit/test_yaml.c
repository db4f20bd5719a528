#include "check.h"
#include "sys/yaml.h"
#include "tmpdir.h"

static struct yaml_doc *load(const char *text)
{
	struct yaml_doc *doc = NULL;
	char error[256] = "";
	int r = yaml_load_text("x.yaml", text, strlen(text), error, sizeof(error), &doc);

	check_text(error, "");
	check_int(r, 0);
	return doc;
}

static void check_node(const struct yaml_node *node, enum yaml_kind kind, const char *key,
		       unsigned line, unsigned column)
{
	check_true(node != NULL);
	check_int(node->kind, kind);
	check_text(node->key, key);
	check_uint(node->line, line);
	check_uint(node->column, column);
	check_text(node->file, "x.yaml");
}

static void makes_a_tree(void **state)
{
	struct yaml_doc *doc = load("# settings\n"
				    "site:\n"
				    "  name: Home 5\n"
				    "  \xe5\xae\xa2: '5'\n"
				    "list: [a, \"b c\", 5]\n"
				    "empty:\n"
				    "more:\n"
				    "  - x: 1\n"
				    "  - {y: 2}\n");
	const struct yaml_node *site, *list, *more;

	(void)state;
	check_node(yaml_root(doc), YAML_MAP, NULL, 2, 1);
	site = yaml_root(doc)->first;
	check_node(site, YAML_MAP, "site", 3, 3);
	check_uint(site->key_line, 2);
	check_uint(site->key_column, 1);
	check_node(site->first, YAML_SCALAR, "name", 3, 9);
	check_text(site->first->text, "Home 5");
	check_true(!site->first->quoted);
	check_uint(site->first->key_column, 3);
	/* Columns are characters, not bytes. */
	check_node(site->first->next, YAML_SCALAR, "\xe5\xae\xa2", 4, 6);
	check_text(site->first->next->text, "5");
	check_true(site->first->next->quoted);
	check_true(!site->first->next->next);

	list = site->next;
	check_node(list, YAML_LIST, "list", 5, 7);
	check_node(list->first->next, YAML_SCALAR, NULL, 5, 11);
	check_text(list->first->next->text, "b c");
	check_text(list->first->next->next->text, "5");
	check_true(!list->first->next->next->next);

	check_node(list->next, YAML_SCALAR, "empty", 6, 7);
	check_text(list->next->text, "");
	more = list->next->next;
	check_node(more, YAML_LIST, "more", 8, 3);
	check_node(more->first, YAML_MAP, NULL, 8, 5);
	check_node(more->first->next->first, YAML_SCALAR, "y", 9, 9);
	check_true(!more->next);
	check_true(!yaml_doc_free(doc));
	check_true(!yaml_doc_free(NULL));
}

static void small_documents(void **state)
{
	static const char *const empty[] = { "", "\n", "# nothing\n", "\xef\xbb\xbf",
					     "\xef\xbb\xbf# mark\n" };
	struct yaml_doc *doc;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(empty); i++) {
		doc = load(empty[i]);
		check_true(!yaml_root(doc));
		yaml_doc_free(doc);
	}
	doc = load("text");
	check_node(yaml_root(doc), YAML_SCALAR, NULL, 1, 1);
	yaml_doc_free(doc);
	doc = load("---\na: b\n...\n");
	check_node(yaml_root(doc), YAML_MAP, NULL, 2, 1);
	yaml_doc_free(doc);
	/* Keys that stand twice are kept: who reads the tree names both places. */
	doc = load("a: 1\na: 2\n");
	check_text(yaml_root(doc)->first->key, "a");
	check_text(yaml_root(doc)->first->next->key, "a");
	check_uint(yaml_root(doc)->first->next->key_line, 2);
	yaml_doc_free(doc);
	/* What looks like a merge key but is quoted is a key. */
	doc = load("'<<': 1\n");
	check_text(yaml_root(doc)->first->key, "<<");
	yaml_doc_free(doc);
}

#define ROW(text, error, say)                      \
	{                                          \
		text, sizeof(text) - 1, error, say \
	}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int error;
		const char *say;
	} rows[] = {
		ROW("a: &x 1\n", YAML_E_SYNTAX, "x.yaml:1:4: anchors are not used here"),
		ROW("a: &x [1]\n", YAML_E_SYNTAX, "x.yaml:1:4: anchors are not used here"),
		ROW("a: &x {b: 1}\n", YAML_E_SYNTAX, "x.yaml:1:4: anchors are not used here"),
		ROW("b: *x\n", YAML_E_SYNTAX, "x.yaml:1:4: aliases are not used here"),
		ROW("a: !!int 1\n", YAML_E_SYNTAX, "x.yaml:1:4: tags are not used here"),
		ROW("a: !x [1]\n", YAML_E_SYNTAX, "x.yaml:1:4: tags are not used here"),
		ROW("a: !x {}\n", YAML_E_SYNTAX, "x.yaml:1:4: tags are not used here"),
		ROW("!k a: 1\n", YAML_E_SYNTAX, "x.yaml:1:1: tags are not used here"),
		ROW("a: 1\n<<: {b: 2}\n", YAML_E_SYNTAX,
		    "x.yaml:2:1: merge keys are not used here"),
		ROW("a: 1\n---\nb: 2\n", YAML_E_SYNTAX,
		    "x.yaml:2:1: a second document in one file"),
		ROW("%YAML 1.1\n---\na: 1\n", YAML_E_SYNTAX,
		    "x.yaml:1:1: directives are not used here"),
		ROW("%TAG ! x\n---\na: 1\n", YAML_E_SYNTAX,
		    "x.yaml:1:1: directives are not used here"),
		ROW("? [a]\n: 1\n", YAML_E_SYNTAX, "x.yaml:1:3: a key must be a plain text"),
		ROW("{{a: 1}: 2}\n", YAML_E_SYNTAX, "x.yaml:1:2: a key must be a plain text"),
		ROW("a: \"b\\0c\"\n", YAML_E_SYNTAX, "x.yaml:1:4: NUL character in a text"),
		ROW("a: 1\nb: \xff\n", YAML_E_SYNTAX, "x.yaml:2:4: not UTF-8 text"),
		ROW("a: 1\n\xe5\xae\xa2: \xe5\xae\n", YAML_E_SYNTAX, "x.yaml:2:4: not UTF-8 text"),
		ROW("a: \x01\n", YAML_E_SYNTAX, "x.yaml:1:4: not UTF-8 text"),
		ROW("a: b\0c\n", YAML_E_SYNTAX, "x.yaml:1:5: not UTF-8 text"),
		ROW("a: [1\nb: 2\n", YAML_E_SYNTAX, NULL),
		ROW("a: 1\n  b: 2\n", YAML_E_SYNTAX, NULL),
		ROW("a:\n\tb: 2\n", YAML_E_SYNTAX, NULL),
		ROW("a: 'x\n", YAML_E_SYNTAX, NULL),
		ROW("]\n", YAML_E_SYNTAX, NULL),
		ROW("a: b: c\n", YAML_E_SYNTAX,
		    "x.yaml:1:5: mapping values are not allowed in this context"),
		ROW("\xff\xfe"
		    "a\0:\0 \0",
		    YAML_E_SYNTAX, "x.yaml:1:1: not UTF-8 text"),
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct yaml_doc *doc = NULL;
		char error[256] = "";
		int r = yaml_load_text("x.yaml", rows[i].text, rows[i].len, error, sizeof(error),
				       &doc);

		if (r != rows[i].error || (rows[i].say && strcmp(error, rows[i].say)))
			print_error("row %zu: %s\n", i, rows[i].text);
		check_int(r, rows[i].error);
		if (rows[i].say)
			check_text(error, rows[i].say);
		check_true(!strncmp(error, "x.yaml:", 7));
		check_true(!doc);
	}
}

static void limits(void **state)
{
	char nested[2 * (YAML_DEPTH_MAX + 1) + 1] = "", error[256];
	size_t len = 2 * YAML_NODES_MAX + 10;
	struct yaml_doc *doc = NULL;
	char *many = malloc(YAML_FILE_MAX + 2);

	(void)state;
	check_true(many != NULL);
	memset(nested, '[', YAML_DEPTH_MAX);
	memset(nested + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	doc = load(nested);
	doc = yaml_doc_free(doc);
	memset(nested, '[', YAML_DEPTH_MAX + 1);
	memset(nested + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
	check_int(yaml_load_text("x", nested, 2 * YAML_DEPTH_MAX + 2, error, sizeof(error), &doc),
		  YAML_E_LIMIT);
	check_text(error, "x:1:17: nested too deeply");

	/* A list of one value less than the limit (the list is a value, too), then one of the
	 * limit. */
	many[0] = '[';
	for (size_t i = 1; i < len; i += 2)
		memcpy(many + i, "1,", 2);
	memcpy(many + 2 * (YAML_NODES_MAX - 1), "]", 2);
	check_ok(yaml_load_text("x", many, strlen(many), error, sizeof(error), &doc));
	doc = yaml_doc_free(doc);
	memcpy(many + 2 * (YAML_NODES_MAX - 1), ",1]", 4);
	check_int(yaml_load_text("x", many, strlen(many), error, sizeof(error), &doc),
		  YAML_E_LIMIT);
	check_true(strstr(error, "too many values"));

	memset(many, '#', YAML_FILE_MAX + 1);
	check_ok(yaml_load_text("x", many, YAML_FILE_MAX, error, sizeof(error), &doc));
	doc = yaml_doc_free(doc);
	check_int(yaml_load_text("x", many, YAML_FILE_MAX + 1, error, sizeof(error), &doc),
		  YAML_E_LIMIT);
	check_text(error, "x:1:1: file too long");
	free(many);
}

static void reads_files(void **state)
{
	struct tmpdir dir;
	struct yaml_doc *doc = NULL;
	char error[256] = "", *big = malloc(YAML_FILE_MAX + 2);
	const char *path;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_write(&dir, "a.yaml", "a: 1\n");
	check_ok(yaml_load_file(path, error, sizeof(error), &doc));
	check_text(yaml_root(doc)->file, path);
	doc = yaml_doc_free(doc);
	check_int(yaml_load_file("/no/such.yaml", error, sizeof(error), &doc), -ENOENT);
	check_text(error, "/no/such.yaml: No such file or directory");
	memset(big, '#', YAML_FILE_MAX + 1);
	big[YAML_FILE_MAX + 1] = '\0';
	check_int(yaml_load_file(tmpdir_write(&dir, "big.yaml", big), error, sizeof(error), &doc),
		  YAML_E_LIMIT);
	check_true(strstr(error, "big.yaml:1:1: file too long"));
	check_true(!doc);
	free(big);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(makes_a_tree), cmocka_unit_test(small_documents),
		cmocka_unit_test(refuses),	cmocka_unit_test(limits),
		cmocka_unit_test(reads_files),
	};

	return CHECK_RUN(rows);
}
