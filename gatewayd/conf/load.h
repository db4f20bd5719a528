#pragma once
/* load - a struct conf in the making: its memory, where each setting came from, what was wrong.
 *
 *   above   conf
 *   below   base/base  base/text  conf/conf  conf/table  conf/value  sys/yaml
 *   owns    struct conf_origins: the texts of a conf and the place of each setting that a file made
 *   limits  CONF_PATH_MAX
 */
#include "base/base.h"
#include "conf/conf.h"
#include "conf/table.h"
#include "sys/yaml.h"

enum { CONF_PATH_MAX = 256 };

struct conf_text {
	struct conf_text *next;
	char text[];
};

struct conf_origin {
	const char *path;  /* "links.cloud.share[0].device" */
	const char *place; /* "file:line:column" */
};

struct conf_origins {
	struct conf_text *texts;
	struct conf_origin *rows;
	size_t n, cap;
};

struct load {
	struct conf *conf;
	const char *folder; /* of the main file */
	char *errors;
	size_t errors_cap;
	unsigned n_errors;
	int fatal; /* sticky: -ENOMEM */
};

/* NULL when memory is short; load->fatal says so at the end. */
char *load_text(struct load *load, const char *text, size_t len);
char *load_join(struct load *load, const char *folder, const char *name);
/* place: "file:line:column". */
void load_error(struct load *load, const char *place, const char *path, const char *fmt, ...) printf_like(4, 5);
const char *conf_origin_of(const struct conf *conf, const char *path); /* the place, NULL: it is a default */

/* One document into load->conf; every fault in it is told. */
void load_document(struct load *load, const struct yaml_node *root);
/* After the last document: defaults for what was not set, and a word for what is needed and missing. */
void load_defaults(struct load *load);
