#pragma once
/* ways - on which topics a trait is heard and ordered, when each has its own, and through which template.
 *
 *   above   wifi/hass  wifi/hass_faces  wifi/lan_device
 *   below   base/base  base/text  sdk/gw_adapter  wifi/template  wifi/trait
 *   owns    struct way, struct presence: their texts
 *   limits  WAYS_WORDS_MAX
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "wifi/trait.h"

enum { WAYS_WORDS_MAX = 4 };

/* What the device calls a word, and what the trait's table calls it. */
struct way_word {
	char theirs[TRAIT_WORD_MAX], ours[TRAIT_WORD_MAX];
};
struct way {
	struct trait trait;    /* its key is its number in the device */
	char *state, *value;   /* topic, template; NULL: never heard; the payload itself */
	char *command, *order; /* topic, template; NULL: cannot be ordered; the value itself */
	const char *name;      /* of the value in the template of an order; constant */
	size_t n_heard, n_said;
	struct way_word heard[WAYS_WORDS_MAX], said[WAYS_WORDS_MAX]; /* in states; in orders */
};
struct presence {
	char *topic, *value;
	char online[TRAIT_WORD_MAX], offline[TRAIT_WORD_MAX];
	bool known, here; /* as last heard */
};
struct ways {
	size_t n, n_presences;
	struct way *all;
	struct presence *presences;
	bool any_presence;
};

void way_copy(const struct way *from, struct way *ret);
void presence_copy(const struct presence *from, struct presence *ret);
void way_deinit(struct way *way);
void presence_deinit(struct presence *presence);
struct ways *ways_free(struct ways *ways);
bool ways_equal(const struct ways *a, const struct ways *b); /* what was heard of presence does not count */

/* The k-th topic: of its ways, then of its presences; NULL: none, or one that was there before. */
const char *ways_topic(const struct ways *ways, size_t k);

/* What a payload on topic says: a state with a member for each way that is heard there (the caller's). ret_bad: templates that gave no value. */
struct json *ways_read(const struct ways *ways, const char *topic, const void *payload, size_t len, uint32_t *ret_bad);
/* Topic (borrowed) and payload (malloc'ed) of an order. TRAIT_E_VALUE: it cannot be told this. */
must_check int ways_order(const struct ways *ways, const struct trait *trait, const struct gwa_value *value, const char **ret_topic,
			  char **ret_payload);
/* Takes note of a presence; true when topic is one of its topics. */
bool ways_hear_presence(struct ways *ways, const char *topic, const void *payload, size_t len);
bool ways_are_present(const struct ways *ways); /* nothing said yet counts as here */
