/* A link's process reads no settings file: the core tells it what it needs to know, which is little. Names of key files go
 * over, keys do not: the process opens its own, which only its user may read. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "link/options.h"

static int add(struct link_options *options, const char *key, const char *value)
{
	if (!value || !value[0])
		return 0;
	if (options->n == WIRE_OPTIONS_MAX)
		return -ENOSPC;
	char *k = strdup(key), *v = strdup(value);
	if (!k || !v) {
		free(k);
		free(v);
		return -ENOMEM;
	}
	options->rows[options->n++] = (struct peer_option){ k, v };
	return 0;
}

int link_options_init(struct link_options *options, const struct conf_link *conf)
{
	char keepalive[16];
	*options = (struct link_options){ 0 };
	text_print(keepalive, sizeof(keepalive), "%u", conf->keepalive_s);
	const struct { const char *key, *value; } rows[] = {
		{ "profile", conf->profile == PROFILE_NATIVE ? "native" : "homeassistant" },
		{ "ca", conf->ca },
		{ "cert", conf->cert },
		{ "key-file", conf->key_file },
		{ "username", conf->username },
		{ "password-file", conf->password_file },
		{ "client-id", conf->client_id },
		{ "base-topic", conf->base_topic },
		{ "discovery-prefix", conf->discovery_prefix },
		{ "keepalive-s", keepalive },
	};
	int r = 0;
	for (size_t i = 0; r == 0 && i < N_ELEMENTS(rows); i++)
		r = add(options, rows[i].key, rows[i].value);
	for (size_t i = 0; r == 0 && i < conf->n_endpoints; i++)
		r = add(options, "endpoint", conf->endpoints[i]);
	for (size_t i = 0; r == 0 && i < conf->n_pins; i++)
		r = add(options, "pin", conf->pins[i]);
	if (r != 0)
		link_options_deinit(options);
	return r;
}

void link_options_deinit(struct link_options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		free((char *)(uintptr_t)options->rows[i].key);
		free((char *)(uintptr_t)options->rows[i].value);
	}
	options->n = 0;
}
