/* Whatever loads is a tree within its limits, and every place in it is a place. */
#include <stdlib.h>
#include <string.h>

#include "sys/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void walk(const struct yaml_node *node, bool in_map, unsigned depth, unsigned *nodes)
{
	for (; node; node = node->next) {
		must(++*nodes <= YAML_NODES_MAX && depth <= YAML_DEPTH_MAX);
		must(node->line > 0 && node->column > 0 && !strcmp(node->file, "fuzz"));
		must((node->key != NULL) == in_map);
		if (node->key)
			must(node->key_line > 0 && node->key_line <= node->line &&
			     node->key_column > 0);
		must((node->kind == YAML_SCALAR) == (node->text != NULL));
		must(node->kind != YAML_SCALAR || !node->first);
		walk(node->first, node->kind == YAML_MAP, depth + 1, nodes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_doc *doc = NULL;
	char error[256] = "";
	unsigned nodes = 0;
	int r;

	r = yaml_load_text("fuzz", (const char *)data, size, error, sizeof(error), &doc);
	if (r) {
		must(r > 0 && !doc && !strncmp(error, "fuzz:", 5));
		return 0;
	}
	walk(yaml_root(doc), false, 0, &nodes);
	yaml_doc_free(doc);
	return 0;
}
