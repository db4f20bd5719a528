/* The settings from their files: the main one, then conf.d in name order, then defaults, then what
 * no single row can say (two processes with one user, a certificate without its key).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/conf.h"
#include "conf/load.h"

enum { CONF_FILES_MAX = 64, SOCKET_PATH_MAX = 107 };

must_check static int conf_new(struct conf **ret)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return -ENOMEM;
	conf->origins = calloc(1, sizeof(*conf->origins));
	if (!conf->origins) {
		free(conf);
		return -ENOMEM;
	}
	*ret = conf;
	return 0;
}

struct conf *conf_free(struct conf *conf)
{
	if (!conf)
		return NULL;
	while (conf->origins->texts) {
		struct conf_text *next = conf->origins->texts->next;

		free(conf->origins->texts);
		conf->origins->texts = next;
	}
	free(conf->origins->rows);
	free(conf->origins);
	free(conf);
	return NULL;
}

/* Each file's syntax is a fault like another: the rest is read all the same. */
must_check static int load_one(struct load *load, const char *path)
{
	cleanup(yaml_doc_freep) struct yaml_doc *doc = NULL;
	char error[512];
	int r = yaml_load_file(path, error, sizeof(error), &doc);

	if (r == -ENOMEM)
		return r;
	if (r) {
		if (load->n_errors++ < CONF_ERRORS_MAX)
			text_append(load->errors, load->errors_cap, "%s\n", error);
		return r < 0 ? r : 0;
	}
	load_document(load, yaml_root(doc));
	return load->fatal;
}

static int is_fragment(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* no locale decides what wins */
}

must_check static int load_fragment(struct load *load, const char *folder, const char *name)
{
	char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	r = load_one(load, path);
	free(path);
	return r;
}

must_check static int load_fragments(struct load *load)
{
	struct dirent **entries = NULL;
	char *folder = NULL;
	int n, r = 0;

	if (asprintf(&folder, "%s/conf.d", load->folder) < 0)
		return -ENOMEM;
	n = scandir(folder, &entries, is_fragment, by_name);
	if (n > CONF_FILES_MAX)
		load_error(load, folder, "", "at most %d files", CONF_FILES_MAX);
	for (int i = 0; i < n; i++) {
		if (r == 0 && i < CONF_FILES_MAX)
			r = load_fragment(load, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return n < 0 && errno != ENOENT ? -errno : r;
}

static void complete_socket(struct load *load, char **field, const char *path)
{
	if (!*field || (*field)[0] == '/' || !load->conf->run_dir)
		return;
	*field = load_join(load, load->conf->run_dir, *field);
	if (*field && strlen(*field) > SOCKET_PATH_MAX) {
		const char *place = conf_origin_of(load->conf, path);

		if (!place)
			place = conf_origin_of(load->conf, "run_dir");
		load_error(load, place ? place : "default", path,
			   "longer than %d bytes below run_dir", SOCKET_PATH_MAX);
	}
}

/* Who stands at path in the settings and has user as its process's user. */
struct holder {
	char path[CONF_PATH_MAX];
	const char *user;
};

static void check_users(struct load *load)
{
	struct holder holders[CONF_ADAPTERS_MAX + CONF_LINKS_MAX];
	const struct conf *conf = load->conf;
	size_t n = 0;

	for (size_t i = 0; i < conf->n_adapters; i++, n++) {
		text_print(holders[n].path, CONF_PATH_MAX, "adapters.%s", conf->adapters[i].name);
		holders[n].user = conf->adapters[i].user;
	}
	for (size_t i = 0; i < conf->n_links; i++, n++) {
		text_print(holders[n].path, CONF_PATH_MAX, "links.%s", conf->links[i].name);
		holders[n].user = conf->links[i].user;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!holders[i].user || !text_equal(holders[i].user, holders[k].user))
				continue;
			load_error(load, conf_origin_of(conf, holders[i].path), holders[i].path,
				   "has the same user as %s: the core knows a process by its user",
				   holders[k].path);
			break;
		}
	}
}

static void check_adapters(struct load *load)
{
	for (size_t i = 0; i < load->conf->n_adapters; i++) {
		const struct conf_adapter *adapter = &load->conf->adapters[i];
		char path[CONF_PATH_MAX];

		if (!adapter->plugin || adapter->plugin[0] != '/' || adapter->sha256)
			continue;
		text_print(path, sizeof(path), "adapters.%s", adapter->name);
		load_error(load, conf_origin_of(load->conf, path), path,
			   "a foreign plugin needs its sha256");
	}
}

static void check_links(struct load *load)
{
	for (size_t i = 0; i < load->conf->n_links; i++) {
		const struct conf_link *link = &load->conf->links[i];
		char path[CONF_PATH_MAX];

		text_print(path, sizeof(path), "links.%s", link->name);
		if (!link->cert != !link->key_file)
			load_error(load, conf_origin_of(load->conf, path), path,
				   "cert and key_file go together");
		if (link->password_file && !link->username)
			load_error(load, conf_origin_of(load->conf, path), path,
				   "password_file needs username");
	}
}

static void check_pair(struct load *load, unsigned small, unsigned big, const char *small_path,
		       const char *big_path)
{
	const char *place = conf_origin_of(load->conf, small_path);

	if (small <= big)
		return;
	if (!place)
		place = conf_origin_of(load->conf, big_path);
	load_error(load, place ? place : "default", small_path, "expected no more than %s",
		   big_path);
}

/* Only when each setting is good by itself: then every field has a value. */
static void check_whole(struct load *load)
{
	struct conf *conf = load->conf;

	complete_socket(load, &conf->door_socket, "door.socket");
	complete_socket(load, &conf->wire_socket, "wire.socket");
	complete_socket(load, &conf->broker_socket, "broker.socket");
	check_pair(load, conf->session_idle_s, conf->session_absolute_s, "session.idle_s",
		   "session.absolute_s");
	check_pair(load, conf->sessions_per_user, conf->sessions_max, "session.max_per_user",
		   "session.max");
	check_users(load);
	check_adapters(load);
	check_links(load);
}

must_check static int load_all(struct load *load, const char *path)
{
	int r = load_one(load, path);

	if (!r)
		r = load_fragments(load);
	if (r)
		return r;
	load_defaults(load);
	if (load->n_errors == 0)
		check_whole(load);
	if (load->fatal)
		return load->fatal;
	if (load->n_errors > CONF_ERRORS_MAX)
		text_append(load->errors, load->errors_cap, "and more\n");
	return load->n_errors > 0 ? CONF_E_INVALID : 0;
}

/* Absolute whatever path is: other processes, with another working folder, open what lies in it. */
must_check static int folder_of(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	char *whole;

	if (!folder)
		return -ENOMEM;
	if (folder[0] == '/') {
		*ret = folder;
		return 0;
	}
	whole = realpath(folder, NULL);
	free(folder);
	if (!whole)
		return -errno;
	*ret = whole;
	return 0;
}

int conf_load(const char *path, char *errors, size_t errors_cap, struct conf **ret)
{
	cleanup(conf_freep) struct conf *conf = NULL;
	struct load load = { .errors = errors, .errors_cap = errors_cap };
	char *folder = NULL;
	int r;

	text_copy(errors, errors_cap, "");
	r = conf_new(&conf);
	if (r)
		return r;
	r = folder_of(path, &folder);
	if (r) {
		text_print(errors, errors_cap, "%s: %s\n", path, strerror(-r));
		return r;
	}
	load.conf = conf;
	load.folder = folder;
	r = load_all(&load, path);
	free(folder);
	if (!r)
		*ret = STEAL(conf);
	return r;
}

/* FNV-1a: eight names at most are to differ, nobody is to be kept out by it. */
uint32_t conf_link_number(const char *name)
{
	uint32_t hash = 2166136261u;
	for (const char *c = name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	return hash ? hash : 1;
}

const struct conf_link *conf_link(const struct conf *conf, uint32_t number)
{
	for (size_t i = 0; i < conf->n_links; i++)
		if (conf_link_number(conf->links[i].name) == number)
			return &conf->links[i];
	return NULL;
}
