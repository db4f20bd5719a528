/* Lists of endpoints as the generators of tests/sim write them: "e1,i0006.0008,o0019,a0300.400a=31 e2,...". */
#pragma once
#include "zigbee_home.h"

enum { READABLE_MAX = 16 };
struct readable {
	uint8_t endpoint;
	uint16_t cluster, attribute;
};
struct list {
	struct home home;
	struct readable readable[READABLE_MAX * NODE_ENDPOINTS_MAX];
	size_t n_readable;
};

static inline FILE *list_file(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/unit/%s", getenv("GW_SOURCE_ROOT"), name);
	f = fopen(path, "re");
	assert_non_null(f);
	return f;
}

static inline uint8_t list_type(const struct node_endpoint *endpoint, uint16_t cluster, uint16_t attribute)
{
	struct trait_attribute facts[TRAITS_PLAN_MAX];
	size_t n = traits_facts(endpoint, facts);

	for (size_t i = 0; i < n; i++) {
		if (facts[i].cluster == cluster && facts[i].attribute == attribute)
			return facts[i].type;
	}
	fail_msg("%04x/%04x is no fact", cluster, attribute);
	return 0;
}

/* "a0500.0001=13" */
static inline void list_attribute(struct list *list, struct node_endpoint *endpoint, const char *text)
{
	uint16_t cluster = (uint16_t)strtoul(text + 1, NULL, 16), attribute = (uint16_t)strtoul(text + 6, NULL, 16);
	struct zcl_value value = home_value(list_type(endpoint, cluster, attribute), atoi(text + 11));

	(void)traits_learn(endpoint, cluster, 0, attribute, &value);
	list->readable[list->n_readable++] = (struct readable){ endpoint->id, cluster, attribute };
}

/* "e1,i0006.0008,o0019,a0300.400a=31 e2,..." */
static inline void list_read(char *text, struct list *ret)
{
	char *save_word, *save;

	*ret = (struct list){ 0 };
	for (char *word = strtok_r(text, " ", &save_word); word; word = strtok_r(NULL, " ", &save_word)) {
		struct node_endpoint *endpoint = NULL;

		for (char *part = strtok_r(word, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
			if (*part == 'e')
				endpoint = home_endpoint(&ret->home, (uint8_t)atoi(part + 1));
			else if (*part == 'a')
				list_attribute(ret, endpoint, part);
			for (char *p = part + 1; (*part == 'i' || *part == 'o') && *p; p += *p == '.') {
				uint16_t cluster = (uint16_t)strtoul(p, &p, 16);

				if (*part == 'i')
					endpoint->in[endpoint->n_in++] = cluster;
				else
					endpoint->out[endpoint->n_out++] = cluster;
			}
		}
	}
}
