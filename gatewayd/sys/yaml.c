/* libyaml delivers events; a stack of open containers turns them into nodes. What a settings file
 * does not need is refused where it stands: anchors and aliases (a few lines of them make a billion
 * nodes), tags, merge keys, directives, a second document. All memory of a document hangs on one
 * chain and goes at once.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "sys/host.h"
#include "sys/yaml.h"

struct piece {
	struct piece *next;
	max_align_t data[];
};

struct yaml_doc {
	struct piece *pieces;
	const char *name;
	struct yaml_node *root;
};

/* An open list or map: where its next child goes, and in a map the key that waits for its value. */
struct open {
	enum yaml_kind kind;
	struct yaml_node **tail;
	const char *key;
	unsigned key_line, key_column;
};

struct build {
	struct yaml_doc *doc;
	struct open stack[YAML_DEPTH_MAX];
	unsigned depth, nodes, documents;
	char *error;
	size_t error_cap;
};

static void *doc_alloc(struct yaml_doc *doc, size_t size)
{
	struct piece *piece = calloc(1, sizeof(*piece) + size);

	if (!piece)
		return NULL;
	piece->next = doc->pieces;
	doc->pieces = piece;
	return piece->data;
}

static char *doc_text(struct yaml_doc *doc, const void *text, size_t len)
{
	char *copy = doc_alloc(doc, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

static int build_fail(struct build *build, int r, yaml_mark_t mark, const char *what)
{
	text_print(build->error, build->error_cap, "%s:%zu:%zu: %s", build->doc->name,
		   mark.line + 1, mark.column + 1, what);
	return r;
}

/* Hangs a new node under the innermost open container, or makes it the root. */
must_check static int build_node(struct build *build, enum yaml_kind kind, yaml_mark_t mark,
				 struct yaml_node **ret)
{
	struct open *open = build->depth > 0 ? &build->stack[build->depth - 1] : NULL;
	struct yaml_node *node;

	if (++build->nodes > YAML_NODES_MAX)
		return build_fail(build, YAML_E_LIMIT, mark, "too many values");
	node = doc_alloc(build->doc, sizeof(*node));
	if (!node)
		return -ENOMEM;
	*node = (struct yaml_node){ .kind = kind,
				    .file = build->doc->name,
				    .line = (unsigned)mark.line + 1,
				    .column = (unsigned)mark.column + 1 };
	if (!open) {
		build->doc->root = node;
	} else {
		node->key = open->key;
		node->key_line = open->key_line;
		node->key_column = open->key_column;
		open->key = NULL;
		*open->tail = node;
		open->tail = &node->next;
	}
	*ret = node;
	return 0;
}

static bool waits_for_key(const struct build *build)
{
	return build->depth > 0 && build->stack[build->depth - 1].kind == YAML_MAP &&
	       !build->stack[build->depth - 1].key;
}

must_check static int build_key(struct build *build, const yaml_event_t *event, const char *text)
{
	struct open *open = &build->stack[build->depth - 1];

	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(text, "<<"))
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "merge keys are not used here");
	open->key = text;
	open->key_line = (unsigned)event->start_mark.line + 1;
	open->key_column = (unsigned)event->start_mark.column + 1;
	return 0;
}

must_check static int build_scalar(struct build *build, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	struct yaml_node *node;
	char *text;
	int r;

	if (memchr(event->data.scalar.value, '\0', len))
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "NUL character in a text");
	text = doc_text(build->doc, event->data.scalar.value, len);
	if (!text)
		return -ENOMEM;
	if (waits_for_key(build))
		return build_key(build, event, text);
	r = build_node(build, YAML_SCALAR, event->start_mark, &node);
	if (r)
		return r;
	node->text = text;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

must_check static int build_open(struct build *build, enum yaml_kind kind, yaml_mark_t mark)
{
	struct yaml_node *node;
	int r;

	if (waits_for_key(build))
		return build_fail(build, YAML_E_SYNTAX, mark, "a key must be a plain text");
	if (build->depth == YAML_DEPTH_MAX)
		return build_fail(build, YAML_E_LIMIT, mark, "nested too deeply");
	r = build_node(build, kind, mark, &node);
	if (r)
		return r;
	build->stack[build->depth++] = (struct open){ .kind = kind, .tail = &node->first };
	return 0;
}

must_check static int build_document(struct build *build, const yaml_event_t *event)
{
	if (build->documents++ > 0)
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "a second document in one file");
	if (event->data.document_start.version_directive ||
	    event->data.document_start.tag_directives.start !=
		    event->data.document_start.tag_directives.end)
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "directives are not used here");
	return 0;
}

must_check static int build_plain(struct build *build, const yaml_event_t *event,
				  const void *anchor, const void *tag)
{
	if (anchor)
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "anchors are not used here");
	if (tag)
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "tags are not used here");
	return 0;
}

must_check static int build_event(struct build *build, const yaml_event_t *event)
{
	int r;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return build_document(build, event);
	case YAML_ALIAS_EVENT:
		return build_fail(build, YAML_E_SYNTAX, event->start_mark,
				  "aliases are not used here");
	case YAML_SCALAR_EVENT:
		r = build_plain(build, event, event->data.scalar.anchor, event->data.scalar.tag);
		return r ? r : build_scalar(build, event);
	case YAML_SEQUENCE_START_EVENT:
		r = build_plain(build, event, event->data.sequence_start.anchor,
				event->data.sequence_start.tag);
		return r ? r : build_open(build, YAML_LIST, event->start_mark);
	case YAML_MAPPING_START_EVENT:
		r = build_plain(build, event, event->data.mapping_start.anchor,
				event->data.mapping_start.tag);
		return r ? r : build_open(build, YAML_MAP, event->start_mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		build->depth--;
		return 0;
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_NO_EVENT:
		break;
	}
	return 0;
}

static size_t character_at(const char *text, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (text_is_utf8(text, n))
			return n;
	}
	return 0;
}

/* A byte that is no character has an offset only, and in a broken sequence not that of its first
 * byte. */
static yaml_mark_t mark_of_offset(const char *text, size_t len, size_t offset)
{
	yaml_mark_t mark = { .index = 0 };

	while (mark.index < offset && mark.index < len) {
		size_t step = character_at(text + mark.index, len - mark.index);

		if (step == 0)
			break;
		mark.column++;
		if (text[mark.index] == '\n') {
			mark.line++;
			mark.column = 0;
		}
		mark.index += step;
	}
	return mark;
}

static int parser_fail(struct build *build, const yaml_parser_t *parser, const char *text,
		       size_t len)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR)
		return build_fail(build, YAML_E_SYNTAX,
				  mark_of_offset(text, len, parser->problem_offset),
				  "not UTF-8 text");
	return build_fail(build, YAML_E_SYNTAX, parser->problem_mark,
			  parser->problem ? parser->problem : "not YAML");
}

must_check static int build_all(struct build *build, yaml_parser_t *parser, const char *text,
				size_t len)
{
	bool more = true;

	while (more) {
		yaml_event_t event;
		int r;

		if (!yaml_parser_parse(parser, &event))
			return parser_fail(build, parser, text, len);
		r = build_event(build, &event);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (r)
			return r;
	}
	return 0;
}

must_check static int doc_new(const char *name, struct yaml_doc **ret)
{
	struct yaml_doc *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return -ENOMEM;
	doc->name = doc_text(doc, name, strlen(name));
	if (!doc->name) {
		yaml_doc_free(doc);
		return -ENOMEM;
	}
	*ret = doc;
	return 0;
}

int yaml_load_text(const char *name, const char *text, size_t len, char *error, size_t error_cap,
		   struct yaml_doc **ret)
{
	cleanup(yaml_doc_freep) struct yaml_doc *doc = NULL;
	struct build build = { .error = error, .error_cap = error_cap };
	yaml_parser_t parser;
	int r;

	r = doc_new(name, &doc);
	if (r)
		return r;
	build.doc = doc;
	if (len > YAML_FILE_MAX)
		return build_fail(&build, YAML_E_LIMIT, (yaml_mark_t){ .line = 0 },
				  "file too long");
	/* The mark that some editors put in front. With the encoding given, libyaml would take it
	 * for text. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	r = build_all(&build, &parser, text, len);
	yaml_parser_delete(&parser);
	if (!r)
		*ret = STEAL(doc);
	return r;
}

int yaml_load_file(const char *path, char *error, size_t error_cap, struct yaml_doc **ret)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	r = host_read_file(path, YAML_FILE_MAX, &text, &len);
	if (r == HOST_E_TOO_LARGE) {
		text_print(error, error_cap, "%s:1:1: file too long", path);
		return YAML_E_LIMIT;
	}
	if (r) {
		text_print(error, error_cap, "%s: %s", path, strerror(-r));
		return r;
	}
	r = yaml_load_text(path, text, len, error, error_cap, ret);
	free(text);
	return r;
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
	return doc->root;
}

struct yaml_doc *yaml_doc_free(struct yaml_doc *doc)
{
	struct piece *next;

	if (!doc)
		return NULL;
	for (struct piece *piece = doc->pieces; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	free(doc);
	return NULL;
}
