/* A status is an object of components. Describing it walks over its members and asks the table; reading it walks over what was
 * described, so a notice costs a look-up for each of a device's traits and nothing that it does not know can get in.
 */
#include "shelly/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

/* "switch light" has "light". */
static bool has_word(const char *words, const char *word, size_t len)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, word, n) == 0)
			return true;
		words += n + strspn(words + n, " ");
	}
	return false;
}

/* "switch:0": 6 and 0. "wifi": 4 and 0. */
static bool split_key(const char *key, size_t *ret_len, uint8_t *ret_id)
{
	const char *colon = strchr(key, ':');
	uint32_t id = 0;

	if (colon && text_to_u32(colon + 1, 0, STATUS_ID_MAX, &id))
		return false;
	*ret_len = colon ? (size_t)(colon - key) : strlen(key);
	*ret_id = (uint8_t)id;
	return *ret_len > 0;
}

static const struct json *value_of(const struct status_row *row, const struct json *component)
{
	const struct json *at = json_get(component, row->key);

	return at && row->inner ? json_get(at, row->inner) : at;
}

static struct gwa_value word_value(const char *word)
{
	return (struct gwa_value){ .type = GWA_T_TEXT, .len = (uint32_t)strlen(word), .v.data = word };
}

struct word {
	const char *theirs, *ours;
};
static const struct word moves[] = {
	{ "opening", "open" }, { "closing", "close" }, { "stopped", "stop" }, { "open", "stop" }, { "closed", "stop" }, { "calibrating", "stop" },
};
static const struct word pushes[] = {
	{ "single_push", "single" }, { "double_push", "double" }, { "triple_push", "triple" }, { "long_push", "hold" },
};

static const char *ours_of(const struct word *words, size_t n, const char *theirs)
{
	for (size_t i = 0; theirs && i < n; i++) {
		if (text_equal(words[i].theirs, theirs))
			return words[i].ours;
	}
	return NULL;
}

/* Reading */

static bool color_of(const struct json *rgb, double ret[3])
{
	for (size_t i = 0; i < 3; i++) {
		if (json_len(rgb) != 3 || !json_to_f64(json_at(rgb, i), &ret[i]) || ret[i] < 0 || ret[i] > 255)
			return false;
	}
	return true;
}

/* Degrees 0..360 and percent 0..100 of the corner of the cube that the colour is in. */
static void hue_of(const double c[3], double *ret_hue, double *ret_saturation)
{
	double high = fmax(c[0], fmax(c[1], c[2])), low = fmin(c[0], fmin(c[1], c[2])), span = high - low, hue = 0;

	if (span > 0 && c[0] >= high)
		hue = 60 * (c[1] - c[2]) / span;
	else if (span > 0 && c[1] >= high)
		hue = 60 * (c[2] - c[0]) / span + 120;
	else if (span > 0)
		hue = 60 * (c[0] - c[1]) / span + 240;
	*ret_hue = hue < 0 ? hue + 360 : hue;
	*ret_saturation = high > 0 ? 100 * span / high : 0;
}

static bool number_of(const struct status_row *row, const struct json *json, double *ret)
{
	double color[3], hue, saturation;

	if (row->form == FORM_HUE || row->form == FORM_SATURATION) {
		if (!color_of(json, color))
			return false;
		hue_of(color, &hue, &saturation);
		*ret = row->form == FORM_HUE ? hue : saturation;
		return true;
	}
	if (!json_to_f64(json, ret) || !isfinite(*ret))
		return false;
	if (row->form == FORM_KELVIN) {
		if (*ret < 1000)
			return false;
		*ret = 1e6 / *ret;
	} else {
		*ret *= row->scale;
	}
	return true;
}

static int read_number(const struct status_row *row, const struct json *json, struct gwa_value *ret)
{
	const struct capability *cap = capability_find(row->cap);
	double number;

	if (!number_of(row, json, &number))
		return STATUS_E_VALUE;
	if (cap->type == VALUE_INT)
		number = round(number);
	if (fabs(number) > 1e15 || ((cap->min != 0 || cap->max != 0) && (number < cap->min || number > cap->max)))
		return STATUS_E_VALUE;
	if (cap->type == VALUE_INT)
		*ret = (struct gwa_value){ .type = GWA_T_INT, .v.i = (int64_t)number };
	else
		*ret = (struct gwa_value){ .type = GWA_T_REAL, .v.f = number };
	return 0;
}

/* NOTHING: null, which is a sensor that cannot say now, or a push button between pushes. */
static int read_value(const struct status_row *row, const struct json *json, struct gwa_value *ret)
{
	const char *word;
	bool flag;

	if (json_kind(json) == JSON_NULL || row->form == FORM_PUSH)
		return STATUS_E_NOTHING;
	if (row->form == FORM_BOOL || row->form == FORM_HEAT) {
		if (!json_to_bool(json, &flag))
			return STATUS_E_VALUE;
		*ret = row->form == FORM_BOOL ? (struct gwa_value){ .type = GWA_T_BOOL, .v.i = flag } :
						word_value(flag ? "heat" : "off");
		return 0;
	}
	if (row->form == FORM_MOVE) {
		word = ours_of(moves, N_ELEMENTS(moves), json_text(json, NULL));
		if (word)
			*ret = word_value(word);
		return word ? 0 : STATUS_E_VALUE;
	}
	return read_number(row, json, ret);
}

void status_key(const struct status_trait *trait, char ret[STATUS_KEY_MAX])
{
	text_copy(ret, STATUS_KEY_MAX, trait->component->key);
	if (!trait->component->single)
		text_append(ret, STATUS_KEY_MAX, ":%u", trait->id);
}

static const struct json *component_of(const struct status_trait *trait, const struct json *status)
{
	char key[STATUS_KEY_MAX];

	status_key(trait, key);
	return json_get(status, key);
}

size_t status_read(struct status_map *map, const struct json *status, struct status_reading *ret, uint32_t *ret_bad)
{
	size_t n = 0;

	*ret_bad = 0;
	for (size_t i = 0; i < map->n; i++) {
		struct status_trait *trait = &map->traits[i];
		const struct json *component = component_of(trait, status), *at = component ? value_of(trait->row, component) : NULL;
		struct gwa_value value = { 0 };
		int r = at ? read_value(trait->row, at, &value) : STATUS_E_NOTHING;

		if (r == STATUS_E_VALUE)
			++*ret_bad;
		if (r)
			continue;
		if (value.type == GWA_T_INT)
			trait->last = (double)value.v.i;
		ret[n++] = (struct status_reading){ trait->endpoint, trait->row->cap, value };
	}
	return n;
}

size_t status_events(const struct status_map *map, const struct json *params, struct status_reading *ret)
{
	const struct json *events = json_get(params, "events");
	size_t n = 0;

	for (size_t i = 0; i < json_len(events) && n < STATUS_TRAITS_MAX; i++) {
		const struct json *event = json_at(events, i);
		const char *word = ours_of(pushes, N_ELEMENTS(pushes), json_get_text(event, "event"));
		const char *key = json_get_text(event, "component");
		const struct status_trait *trait;
		uint8_t id;
		size_t len;

		if (!word || !key || !split_key(key, &len, &id) || !has_word("input", key, len))
			continue;
		trait = status_find(map, (uint8_t)(id + 1), CAP_BUTTON);
		if (trait)
			ret[n++] = (struct status_reading){ trait->endpoint, CAP_BUTTON, word_value(word) };
	}
	return n;
}

/* Describing */

struct status_trait *status_find(const struct status_map *map, uint8_t endpoint, uint16_t cap)
{
	for (size_t i = 0; i < map->n; i++) {
		if (map->traits[i].endpoint == endpoint && map->traits[i].row->cap == cap)
			return &map->traits[i];
	}
	return NULL;
}

static size_t count_endpoints(const struct status_map *map, uint8_t with)
{
	bool seen[UINT8_MAX + 1] = { [0] = false };
	size_t n = 0;

	seen[with] = true;
	for (size_t i = 0; i < map->n; i++)
		seen[map->traits[i].endpoint] = true;
	for (size_t i = 0; i <= UINT8_MAX; i++)
		n += seen[i];
	return n;
}

/* Is the value there, of the kind that this row wants? An input is a contact when it has a state, a button when it has none. */
static bool is_there(const struct status_row *row, const struct json *component)
{
	const struct json *at = value_of(row, component);
	struct gwa_value value;
	bool known = true;
	double number;

	if (!at)
		return false;
	if (row->form == FORM_PUSH)
		return json_kind(at) == JSON_NULL;
	/* A cover that was not calibrated knows no position. */
	if (row->cap == CAP_COVER_POSITION && json_to_bool(json_get(component, "pos_control"), &known) && !known)
		return false;
	if (json_kind(at) == JSON_NULL)
		return row->cap == CAP_TEMPERATURE || row->cap == CAP_HUMIDITY || row->cap == CAP_BATTERY;
	return read_value(row, at, &value) == 0 || (row->form == FORM_NUMBER && json_to_f64(at, &number));
}

static bool add_trait(struct status_map *map, const struct status_row *row, const struct status_component *component, uint8_t id)
{
	struct status_trait trait = { .row = row, .component = component, .id = id, .endpoint = (uint8_t)(id + 1 + row->shift) };
	struct status_trait *grown;

	if (map->n == STATUS_TRAITS_MAX || status_find(map, trait.endpoint, row->cap) ||
	    count_endpoints(map, trait.endpoint) > STATUS_ENDPOINTS_MAX)
		return false;
	trait.access = (uint8_t)(capability_find(row->cap)->access &
				 (row->way ? GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT : GWA_A_READ | GWA_A_REPORT));
	grown = reallocarray(map->traits, map->n + 1, sizeof(*grown));
	if (!grown)
		abort();
	map->traits = grown;
	map->traits[map->n++] = trait;
	return true;
}

/* Components that say something of the device itself and not of the home. */
static bool is_quiet(const char *key, size_t len)
{
	return has_word("sys ble cloud mqtt ws eth ui script schedule knx matter modbus ht_ui plugs_ui plugpm_ui bthome ts webhook kvs v_eve", key, len);
}

static const struct status_component *component_named(const char *key, size_t len, uint8_t id)
{
	for (size_t i = 0; i < status_components_n; i++) {
		const struct status_component *component = &status_components[i];

		if (has_word(component->key, key, len) && (!component->single || id == 0))
			return component;
	}
	return NULL;
}

static void add_component(struct status_map *map, const char *key, const struct json *json)
{
	const struct status_component *component;
	uint8_t id = 0;
	size_t len = 0;

	if (json_kind(json) != JSON_OBJECT)
		return;
	component = split_key(key, &len, &id) ? component_named(key, len, id) : NULL;
	if (!component) {
		map->left_out += !is_quiet(key, strcspn(key, ":"));
		return;
	}
	for (size_t i = 0; i < status_rows_n; i++) {
		const struct status_row *row = &status_rows[i];

		if (has_word(row->component, key, len) && is_there(row, json))
			(void)add_trait(map, row, component, id);
	}
}

static uint32_t sleep_of(const struct json *status)
{
	int64_t seconds = 0;

	if (!json_to_i64(json_get(json_get(status, "sys"), "wakeup_period"), &seconds) || seconds < 0 || seconds > 30 * 86400)
		return 0;
	return (uint32_t)seconds;
}

/* Traits in the table's order and by endpoint: the same device gives the same map, in whatever order it tells. */
static int compare_traits(const void *a, const void *b)
{
	const struct status_trait *x = a, *y = b;

	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return x->row == y->row ? 0 : x->row < y->row ? -1 : 1;
}

int status_map(const struct json *status, struct status_map *ret)
{
	struct status_map map = { .sleep_s = sleep_of(status) };
	/* jansson's cursor wants what it walks over writable; nothing is written. */
	struct json *walk = (struct json *)(uintptr_t)status, *component;
	void *cursor = NULL;
	const char *key;

	while (json_kind(status) == JSON_OBJECT && (key = json_next(walk, &cursor, &component)))
		add_component(&map, key, component);
	if (!map.n)
		return STATUS_E_NOTHING;
	qsort(map.traits, map.n, sizeof(*map.traits), compare_traits);
	*ret = map;
	return 0;
}

void status_map_deinit(struct status_map *map)
{
	free(map->traits);
	*map = (struct status_map){ 0 };
}

bool status_map_equal(const struct status_map *a, const struct status_map *b)
{
	if (a->n != b->n || a->sleep_s != b->sleep_s)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (compare_traits(&a->traits[i], &b->traits[i]) != 0)
			return false;
	}
	return true;
}

void status_describe(const struct status_map *map, struct status_description *ret)
{
	*ret = (struct status_description){ 0 };
	for (size_t i = 0; i < map->n; i++) {
		const struct status_trait *trait = &map->traits[i];
		const struct capability *cap = capability_find(trait->row->cap);
		struct gwa_endpoint *last = ret->n_endpoints ? &ret->endpoints[ret->n_endpoints - 1] : NULL;

		if (!last || last->id != trait->endpoint) {
			last = &ret->endpoints[ret->n_endpoints++];
			*last = (struct gwa_endpoint){ .id = trait->endpoint, .caps = &ret->caps[i] };
		}
		last->ncaps++;
		ret->caps[i] = (struct gwa_cap){ .id = cap->id, .type = (uint8_t)cap->type, .access = trait->access, .unit = cap->unit };
	}
}
