/* What a device can do is what its endpoints' clusters say, row by row of the table. A capability that two rows give is one, with
 * what both allow; ranges narrow where a device said its own. Some have clusters for show: a plug that measures nothing may have a meter's.
 * Of a model that is known, and all of which is understood, what it is not known to expose goes, unless the device proved it itself.
 */
#include "zigbee/traits.h"

#include <assert.h>
#include "sdk/gw_caps.h"
#include "zigbee/clusters.h"

enum {
	/* ZCL 5.2.2.2.1.16: a lamp that does not say how far it goes. */
	MIREDS_MIN = 150,
	MIREDS_MAX = 500,
	/* ZCL 6.3.2.2.1.4 and 5: hundredths of a degree. */
	SETPOINT_MIN = 700,
	SETPOINT_MAX = 3000,
	SETPOINT_LIMIT = 5000,
};

static uint8_t value_type(uint8_t form, uint16_t cap)
{
	switch ((enum cluster_form)form) {
	case FORM_TRUTH:
	case FORM_BITS:
	case FORM_NO_BITS:
	case FORM_ORDER:
		return GWA_T_BOOL;
	case FORM_WORD:
	case FORM_MOVE:
		return GWA_T_TEXT;
	case FORM_WHOLE:
	case FORM_SHARE:
	case FORM_TURN:
	case FORM_TURN16:
	case FORM_OPEN:
	case FORM_COLOR:
		return GWA_T_INT;
	case FORM_NUMBER:
	case FORM_LUX:
	case FORM_METER:
	case FORM_CELL:
		break;
	}
	(void)cap;
	return GWA_T_REAL;
}

static void narrow(const struct node_endpoint *endpoint, struct gwa_cap *cap)
{
	int32_t low, high;

	if (cap->id == GWA_CAP_COLOR_TEMPERATURE) {
		low = node_fact(endpoint, FACT_MIREDS_MIN, MIREDS_MIN);
		high = node_fact(endpoint, FACT_MIREDS_MAX, MIREDS_MAX);
		if (low < 1 || high > 1000 || low >= high) {
			low = MIREDS_MIN;
			high = MIREDS_MAX;
		}
		cap->min = low;
		cap->max = high;
		cap->step = 1;
	} else if (cap->id == GWA_CAP_TARGET_TEMPERATURE || cap->id == GWA_CAP_TARGET_COOLING) {
		low = node_fact(endpoint, FACT_SETPOINT_MIN, SETPOINT_MIN);
		high = node_fact(endpoint, FACT_SETPOINT_MAX, SETPOINT_MAX);
		if (low < 0 || high > SETPOINT_LIMIT || low >= high) {
			low = SETPOINT_MIN;
			high = SETPOINT_MAX;
		}
		cap->min = 10 * (int64_t)low;
		cap->max = 10 * (int64_t)high;
		cap->step = 10;
	}
}

static size_t add(struct trait *ret, size_t first, size_t n, uint8_t endpoint, const struct gwa_cap *cap)
{
	for (size_t i = first; i < n; i++) {
		if (ret[i].cap.id == cap->id) {
			ret[i].cap.access |= cap->access;
			return n;
		}
	}
	if (n == TRAITS_MAX)
		return n;
	ret[n] = (struct trait){ endpoint, *cap };
	return n + 1;
}

static size_t add_endpoint(const struct node_endpoint *endpoint, struct trait *ret, size_t n)
{
	const struct cluster_row *row;
	size_t first = n;

	for (size_t i = 0; (row = clusters_at(i)); i++) {
		struct gwa_cap cap = { .id = row->cap, .access = row->access };

		if (!clusters_apply(row, endpoint))
			continue;
		cap.type = value_type(row->form, row->cap);
		narrow(endpoint, &cap);
		n = add(ret, first, n, endpoint->id, &cap);
	}
	if (clusters_is_pressed(endpoint)) {
		struct gwa_cap cap = { .id = GWA_CAP_BUTTON, .type = GWA_T_TEXT, .access = GWA_A_READ | GWA_A_REPORT };

		n = add(ret, first, n, endpoint->id, &cap);
	}
	return n;
}

static bool is_exposed(const struct node *node, uint16_t cap)
{
	for (const uint8_t *p = node->exposes; *p; p++) {
		if (*p == cap)
			return true;
	}
	return false;
}

/* A button proves itself only when it is pressed: it always stays. */
static bool is_proven(const struct node *node, const struct trait *trait)
{
	const struct node_endpoint *endpoint = node_endpoint(node, trait->endpoint);
	const struct cluster_row *row;

	for (size_t i = 0; (row = clusters_at(i)); i++) {
		if (row->cap == trait->cap.id && clusters_apply(row, endpoint) && clusters_is_proven(row, endpoint))
			return true;
	}
	return trait->cap.id == GWA_CAP_BUTTON;
}

/* Else it does some of it in a way of its own (a cover by the level of a lamp), and the clusters that seem to be too many are how. */
static bool has_all_exposed(const struct node *node, const struct trait *traits, size_t n)
{
	for (const uint8_t *p = node->exposes; *p; p++) {
		bool found = clusters_is_health(*p);

		for (size_t i = 0; i < n; i++)
			found = found || traits[i].cap.id == *p;
		if (!found)
			return false;
	}
	return true;
}

static size_t without_phantoms(const struct node *node, struct trait *traits, size_t n)
{
	size_t left = 0;

	if (!node->exposes || !has_all_exposed(node, traits, n))
		return n;
	for (size_t i = 0; i < n; i++) {
		if (is_exposed(node, traits[i].cap.id) || is_proven(node, &traits[i]))
			traits[left++] = traits[i];
	}
	return left;
}

size_t traits_of(const struct node *node, struct trait ret[TRAITS_MAX])
{
	size_t n = 0;

	/* In the order of their numbers, whatever order the device named them in. */
	for (unsigned id = 0; id <= UINT8_MAX; id++) {
		const struct node_endpoint *endpoint = node_endpoint(node, (uint8_t)id);

		if (endpoint)
			n = add_endpoint(endpoint, ret, n);
	}
	assert(n <= TRAITS_MAX);
	return without_phantoms(node, ret, n);
}
