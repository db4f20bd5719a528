#pragma once
/* yaml - a YAML document as a tree of nodes that remember file, line and column.
 *
 *   above   conf
 *   below   base/base  base/text  sys/host
 *   owns    struct yaml_doc and all its nodes and texts
 *   limits  YAML_FILE_MAX YAML_DEPTH_MAX YAML_NODES_MAX
 *   errors  YAML_E_SYNTAX YAML_E_LIMIT
 *
 * Anchors, aliases, tags, merge keys and more than one document are refused: a settings file needs none.
 */
#include "base/base.h"

enum { YAML_FILE_MAX = 1024 * 1024, YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 20000 };
enum { YAML_E_SYNTAX = 1, YAML_E_LIMIT = 2 };
enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	const char *file;
	unsigned line, column; /* from 1, columns in characters */
	const char *key;       /* in a map: its key, else NULL */
	unsigned key_line, key_column;
	const char *text;      /* scalar; "" for a key without value */
	bool quoted;           /* "5" is text, 5 a number */
	struct yaml_node *first, *next;
};

struct yaml_doc;
/* error gets "file:line:column: what", also for a file that cannot be read (then with a negative return, and no line). */
must_check int yaml_load_file(const char *path, char *error, size_t error_cap, struct yaml_doc **ret);
must_check int yaml_load_text(const char *name, const char *text, size_t len, char *error, size_t error_cap,
			      struct yaml_doc **ret);
const struct yaml_node *yaml_root(const struct yaml_doc *doc); /* NULL: empty document */
struct yaml_doc *yaml_doc_free(struct yaml_doc *doc); /* libyaml has a yaml_free of its own */
DEFINE_CLEANUP(yaml_doc_free, struct yaml_doc *)
