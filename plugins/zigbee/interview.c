/* The place is (phase, endpoint, row of a plan). Plans come from traits.h whenever one is needed: they are pure, so asking for
 * one again costs less than keeping it. Attributes of a cluster are read some at a time; when that fails, one at a time, because
 * there are devices that refuse a whole frame for one attribute in it.
 */
#include "zigbee/interview.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "zigbee/traits.h"

enum { HOST_ENDPOINT = 1, BASIC = 0x0000, IAS_ZONE = 0x0500, CIE_ADDRESS = 0x0010, ENROLLED_AS = 23 };
enum outcome { WELL, REFUSED, SILENT, AWAY }; /* refused: by the device itself; silent: got it and said nothing */

static const struct trait_attribute basics[] = {
	{ BASIC, 0x0004, ZCL_STRING, NODE_FACTS }, { BASIC, 0x0005, ZCL_STRING, NODE_FACTS },
	{ BASIC, 0x0007, ZCL_ENUM8, NODE_FACTS },  { BASIC, 0x4000, ZCL_STRING, NODE_FACTS },
};

int interview_node(const struct node *node, struct node *ret)
{
	struct node copy = *node;

	copy.endpoints = NULL;
	if (node->n_endpoints) {
		copy.endpoints = calloc(node->n_endpoints, sizeof(*copy.endpoints));
		if (!copy.endpoints)
			return -ENOMEM;
		memcpy(copy.endpoints, node->endpoints, node->n_endpoints * sizeof(*copy.endpoints));
	}
	free(ret->endpoints);
	*ret = copy;
	return 0;
}

int interview_init(struct interview *interview, const struct node *node, uint64_t host, enum interview_phase from)
{
	*interview = (struct interview){ .host = host, .phase = (uint8_t)from };
	return interview_node(node, &interview->node);
}

void interview_deinit(struct interview *interview)
{
	free(interview->node.endpoints);
	interview->node.endpoints = NULL;
	interview->node.n_endpoints = 0;
}

bool interview_is_described(const struct interview *interview)
{
	return interview->phase >= INTERVIEW_SET_UP;
}

/* Places */

static const struct node_endpoint *endpoint_of(const struct interview *iv)
{
	return iv->endpoint < iv->node.n_endpoints ? &iv->node.endpoints[iv->endpoint] : NULL;
}

static void phase_to(struct interview *iv, enum interview_phase phase)
{
	iv->phase = (uint8_t)phase;
	iv->endpoint = iv->at = iv->n = iv->single = iv->tries = 0;
	iv->bound = false;
}

static void next_endpoint(struct interview *iv)
{
	iv->endpoint++;
	iv->at = iv->n = iv->single = iv->tries = 0;
	iv->bound = false;
}

/* Every endpoint may have Basic; it says the same in each. */
static bool is_basic_known(const struct interview *iv)
{
	for (size_t i = 0; i < iv->endpoint; i++) {
		if (node_has_in(&iv->node.endpoints[i], BASIC))
			return true;
	}
	return !node_has_in(endpoint_of(iv), BASIC);
}

static size_t plan_of(const struct interview *iv, struct trait_attribute plan[TRAITS_PLAN_MAX])
{
	const struct node_endpoint *e = endpoint_of(iv);

	switch ((enum interview_phase)iv->phase) {
	case INTERVIEW_BASIC:
		if (is_basic_known(iv))
			return 0;
		memcpy(plan, basics, sizeof(basics));
		return N_ELEMENTS(basics);
	case INTERVIEW_FACTS:
		return traits_facts(e, plan);
	case INTERVIEW_VALUES:
		return traits_first(e, plan);
	case INTERVIEW_NODE:
	case INTERVIEW_ENDPOINTS:
	case INTERVIEW_SIMPLE:
	case INTERVIEW_SET_UP:
	case INTERVIEW_ZONE:
	case INTERVIEW_ENROL:
	case INTERVIEW_DONE:
	default:
		return 0;
	}
}

/* Steps */

static bool ask(struct interview *iv, struct interview_step *ret, uint8_t kind)
{
	const struct node_endpoint *e = endpoint_of(iv);

	ret->want = INTERVIEW_ASK;
	ret->question = (struct radio_question){ .kind = kind, .nwk = iv->node.nwk, .eui = iv->node.eui, .endpoint = e ? e->id : 0 };
	return true;
}

static struct writer talk(struct interview *iv, struct interview_step *ret, uint16_t cluster, uint8_t command)
{
	const struct node_endpoint *e = endpoint_of(iv);

	ret->want = INTERVIEW_TALK;
	ret->ask = (struct talk_ask){ .endpoint = e->id, .profile = e->profile, .cluster = cluster, .command = command };
	return writer_over(ret->bytes, sizeof(ret->bytes));
}

static bool talk_end(struct interview_step *ret, const struct writer *w)
{
	ret->ask.payload = (struct view){ ret->bytes, writer_len(w) };
	return !w->bad;
}

static bool read_step(struct interview *iv, struct interview_step *ret)
{
	struct trait_attribute plan[TRAITS_PLAN_MAX];
	size_t n = plan_of(iv, plan), k = 0;
	struct writer w;

	if (iv->at >= n)
		return false;
	w = talk(iv, ret, plan[iv->at].cluster, ZCL_READ);
	for (; iv->at + k < n && k < (iv->single ? 1 : INTERVIEW_READ_MAX) && plan[iv->at + k].cluster == plan[iv->at].cluster; k++)
		put_u16(&w, plan[iv->at + k].attribute);
	iv->n = (uint8_t)k;
	return talk_end(ret, &w);
}

static int report_write(struct writer *w, const struct trait_report *row)
{
	struct zcl_record record = { .attribute = row->attribute, .type = zcl_type_find(row->type), .min_s = row->min_s,
				     .max_s = row->max_s };

	if (!record.type)
		return -EINVAL;
	record.value.type = record.type;
	if (record.type->form == ZCL_F_FLOAT)
		record.value.f = row->change;
	else
		record.value.u = (uint64_t)row->change;
	return zcl_record_write(w, ZCL_CONFIGURE_REPORT, &record);
}

static bool set_up_step(struct interview *iv, struct interview_step *ret)
{
	struct trait_report plan[TRAITS_PLAN_MAX];
	size_t n = traits_reports(endpoint_of(iv), plan), k = 0;
	struct writer w;

	while (iv->at < n && iv->bound && plan[iv->at].bind_only) {
		iv->bound = iv->at + 1u < n && plan[iv->at + 1].cluster == plan[iv->at].cluster;
		iv->at++;
	}
	if (iv->at >= n)
		return false;
	if (!iv->bound) {
		ask(iv, ret, RADIO_Q_BIND);
		ret->question.cluster = plan[iv->at].cluster;
		ret->question.to_eui = iv->host;
		ret->question.to_endpoint = HOST_ENDPOINT;
		return true;
	}
	w = talk(iv, ret, plan[iv->at].cluster, ZCL_CONFIGURE_REPORT);
	for (; iv->at + k < n && k < (iv->single ? 1 : INTERVIEW_REPORTS_MAX) && !plan[iv->at + k].bind_only &&
	       plan[iv->at + k].cluster == plan[iv->at].cluster;
	     k++) {
		if (report_write(&w, &plan[iv->at + k]))
			break;
	}
	iv->n = (uint8_t)(k ? k : 1);
	return talk_end(ret, &w);
}

static bool zone_step(struct interview *iv, struct interview_step *ret)
{
	struct writer w;

	if (!node_has_in(endpoint_of(iv), IAS_ZONE))
		return false;
	if (iv->phase == INTERVIEW_ZONE) {
		w = talk(iv, ret, IAS_ZONE, ZCL_WRITE);
		put_u16(&w, CIE_ADDRESS);
		put_u8(&w, ZCL_EUI64);
		put_u64(&w, iv->host);
		return talk_end(ret, &w);
	}
	/* Some ask to be enrolled, some wait to be told. */
	w = talk(iv, ret, IAS_ZONE, 0x00);
	ret->ask.own = ret->ask.ack_only = true;
	put_u8(&w, 0);
	put_u8(&w, ENROLLED_AS);
	return talk_end(ret, &w);
}

/* The step at this place; false: there is none, go on. */
static bool step_at(struct interview *iv, struct interview_step *ret)
{
	switch ((enum interview_phase)iv->phase) {
	case INTERVIEW_NODE:
		return ask(iv, ret, RADIO_Q_NODE);
	case INTERVIEW_ENDPOINTS:
		return ask(iv, ret, RADIO_Q_ENDPOINTS);
	case INTERVIEW_SIMPLE:
		return ask(iv, ret, RADIO_Q_SIMPLE);
	case INTERVIEW_BASIC:
	case INTERVIEW_FACTS:
	case INTERVIEW_VALUES:
		return read_step(iv, ret);
	case INTERVIEW_SET_UP:
		return set_up_step(iv, ret);
	case INTERVIEW_ZONE:
	case INTERVIEW_ENROL:
		return zone_step(iv, ret);
	case INTERVIEW_DONE:
	default:
		return false;
	}
}

void interview_next(struct interview *iv, struct interview_step *ret)
{
	uint32_t square = (uint32_t)iv->tries * iv->tries;

	*ret = (struct interview_step){ .want = INTERVIEW_READY };
	if (iv->why) {
		ret->want = INTERVIEW_FAILED;
		return;
	}
	if (iv->waits) {
		ret->want = INTERVIEW_PAUSE;
		ret->pause_ms = node_is_sleepy(&iv->node) ? INTERVIEW_SLEEPY_PAUSE_MS : INTERVIEW_PAUSE_MS * square;
		return;
	}
	while (iv->phase != INTERVIEW_DONE) {
		bool each = iv->phase > INTERVIEW_ENDPOINTS;

		if ((!each || iv->endpoint < iv->node.n_endpoints) && step_at(iv, ret))
			return;
		if (each && iv->endpoint < iv->node.n_endpoints)
			next_endpoint(iv);
		else
			phase_to(iv, (enum interview_phase)(iv->phase + 1));
	}
	ret->want = INTERVIEW_READY;
}

void interview_go_on(struct interview *iv)
{
	iv->waits = false;
}

/* Outcomes */

/* It could not be reached, or said nothing: again later, until it was tried often enough. True: that was the last time. */
static bool again(struct interview *iv)
{
	iv->tries++;
	if (iv->tries >= (node_is_sleepy(&iv->node) ? INTERVIEW_SLEEPY_TRIES_MAX : INTERVIEW_TRIES_MAX))
		return true;
	iv->waits = true;
	return false;
}

static void count_refused(struct interview *iv)
{
	if (iv->refused < UINT8_MAX)
		iv->refused++;
}

static void fail(struct interview *iv, const char *why)
{
	iv->why = why;
}

static const char *words_of_silence(const struct interview *iv)
{
	if (iv->phase >= INTERVIEW_SET_UP)
		return "it went silent while it was being set up; that goes on when it speaks again";
	return node_is_sleepy(&iv->node) ? "it fell asleep before it had told what it is; press its button to wake it" :
					   "it does not answer; is it near enough to another mains-powered device?";
}

static void clean(char *text)
{
	if (!text_is_utf8(text, strlen(text)))
		text[0] = '\0';
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void keep_text(char ret[NODE_TEXT_MAX + 1], const struct zcl_value *value)
{
	size_t len = value->bytes.len;

	if (value->type->form != ZCL_F_STRING || value->none)
		return;
	/* Padded with zeros or blanks as often as not. */
	len = len ? strnlen((const char *)value->bytes.data, len) : 0;
	while (len && value->bytes.data[len - 1] == ' ')
		len--;
	text_copy_n(ret, NODE_TEXT_MAX + 1, len ? value->bytes.data : (const uint8_t *)"", len);
	clean(ret);
}

static void keep_basic(struct node *node, uint16_t attribute, const struct zcl_value *value)
{
	if (attribute == 0x0004)
		keep_text(node->vendor, value);
	else if (attribute == 0x0005)
		keep_text(node->model, value);
	else if (attribute == 0x4000)
		keep_text(node->firmware, value);
	else if (attribute == 0x0007 && value->type->form == ZCL_F_UINT)
		node->power = (uint8_t)(value->u & 0x7f);
}

/* How many of the attributes that were asked are in the answer, good or not. */
static size_t keep_records(struct interview *iv, const struct zcl_frame *frame)
{
	struct trait_attribute plan[TRAITS_PLAN_MAX];
	size_t n = plan_of(iv, plan), met = 0;
	struct view records = frame->payload;
	struct zcl_record record;

	while (zcl_record_next(&frame->header, &records, &record)) {
		for (size_t i = iv->at; i < n && i < (size_t)iv->at + iv->n; i++) {
			if (plan[i].attribute != record.attribute)
				continue;
			met++;
			if (!record.status && iv->phase == INTERVIEW_BASIC)
				keep_basic(&iv->node, record.attribute, &record.value);
			else if (!record.status && iv->phase == INTERVIEW_FACTS)
				(void)traits_learn(&iv->node.endpoints[iv->endpoint], plan[i].cluster, 0, record.attribute,
						   &record.value);
			if (record.status)
				count_refused(iv);
		}
	}
	return met;
}

/* Past the rows of this step. */
static void rows_done(struct interview *iv)
{
	iv->at = (uint8_t)(iv->at + iv->n);
	iv->single = iv->single > iv->n ? (uint8_t)(iv->single - iv->n) : 0;
	iv->tries = 0;
}

static void after_rows(struct interview *iv, enum outcome outcome, const struct zcl_frame *frame)
{
	bool whole = outcome == WELL && (!frame || keep_records(iv, frame) >= iv->n);

	if (!whole && outcome != SILENT && iv->n > 1)
		iv->single = iv->n;
	else if (outcome == SILENT && iv->tries == 0)
		again(iv);
	else
		rows_done(iv);
	if (outcome == REFUSED)
		count_refused(iv);
}

static void after_report(struct interview *iv, enum outcome outcome)
{
	struct trait_report plan[TRAITS_PLAN_MAX];
	size_t n = traits_reports(endpoint_of(iv), plan);
	uint16_t cluster = iv->at < n ? plan[iv->at].cluster : 0;

	if (outcome == REFUSED)
		count_refused(iv);
	if (outcome == REFUSED && iv->n > 1) {
		iv->single = iv->n;
		return;
	}
	if (outcome == SILENT && iv->tries == 0) {
		again(iv);
		return;
	}
	rows_done(iv);
	iv->bound = iv->at < n && plan[iv->at].cluster == cluster;
}

void interview_talked(struct interview *iv, const struct talk_result *result)
{
	static const enum outcome outcomes[] = { [TALK_OK] = WELL, [TALK_REFUSED] = REFUSED, [TALK_UNREACHABLE] = AWAY,
						 [TALK_TIMEOUT] = SILENT, [TALK_DROPPED] = AWAY };
	enum outcome outcome = outcomes[result->status];

	if (outcome == AWAY) {
		if (again(iv))
			fail(iv, words_of_silence(iv));
	} else if (iv->phase == INTERVIEW_SET_UP) {
		after_report(iv, outcome);
	} else if (iv->phase == INTERVIEW_ZONE || iv->phase == INTERVIEW_ENROL) {
		next_endpoint(iv);
	} else if (iv->phase == INTERVIEW_BASIC || iv->phase == INTERVIEW_FACTS || iv->phase == INTERVIEW_VALUES) {
		after_rows(iv, outcome, result->frame);
	}
}

/* Answers of the device objects */

static void take_endpoints(struct interview *iv, const struct zdo_endpoints *list)
{
	struct node_endpoint *endpoints;
	uint8_t n = 0;

	endpoints = calloc(NODE_ENDPOINTS_MAX, sizeof(*endpoints));
	if (!endpoints) {
		fail(iv, "there is no memory for it");
		return;
	}
	for (size_t i = 0; i < list->n && n < NODE_ENDPOINTS_MAX; i++) {
		bool known = list->ids[i] == 242; /* Green Power: nothing of it is for us */

		for (uint8_t k = 0; k < n; k++)
			known = known || endpoints[k].id == list->ids[i];
		if (!known)
			endpoints[n++].id = list->ids[i];
	}
	free(iv->node.endpoints);
	iv->node.endpoints = endpoints;
	iv->node.n_endpoints = n;
	if (!n)
		fail(iv, "it says that it has no endpoints");
	else
		phase_to(iv, INTERVIEW_SIMPLE);
}

static uint8_t take_clusters(uint16_t *ret, const uint16_t *ids, size_t n)
{
	uint8_t taken = (uint8_t)(n < NODE_CLUSTERS_MAX ? n : NODE_CLUSTERS_MAX);

	memcpy(ret, ids, taken * sizeof(*ids));
	return taken;
}

static void take_simple(struct interview *iv, const struct zdo_simple *simple)
{
	struct node_endpoint *e = &iv->node.endpoints[iv->endpoint];

	e->profile = simple->profile;
	e->device = simple->device;
	e->n_in = take_clusters(e->in, simple->in, simple->n_in);
	e->n_out = take_clusters(e->out, simple->out, simple->n_out);
	next_endpoint(iv);
}

/* An endpoint that nothing can be said about is none. */
static void drop_endpoint(struct interview *iv)
{
	struct node_endpoint *all = iv->node.endpoints;

	memmove(all + iv->endpoint, all + iv->endpoint + 1, (size_t)(iv->node.n_endpoints - iv->endpoint - 1) * sizeof(*all));
	iv->node.n_endpoints--;
	iv->tries = 0;
	if (!iv->node.n_endpoints)
		fail(iv, "it does not say what its endpoints are");
}

static void take_node(struct interview *iv, const struct zdo_node *node)
{
	iv->node.kind = node->kind;
	iv->node.capabilities = node->capabilities;
	iv->node.manufacturer = node->manufacturer;
	phase_to(iv, INTERVIEW_ENDPOINTS);
}

/* The device said no. */
static void refused(struct interview *iv)
{
	count_refused(iv);
	if (iv->phase == INTERVIEW_NODE)
		phase_to(iv, INTERVIEW_ENDPOINTS);
	else if (iv->phase == INTERVIEW_ENDPOINTS)
		fail(iv, "it refuses to say what endpoints it has");
	else if (iv->phase == INTERVIEW_SIMPLE)
		drop_endpoint(iv);
	else
		iv->bound = true; /* reporting may work all the same: some are bound already */
}

void interview_answered(struct interview *iv, const struct radio_answer *answer)
{
	if (answer->status == RADIO_REFUSED) {
		refused(iv);
	} else if (answer->status != RADIO_OK) {
		if (again(iv))
			fail(iv, words_of_silence(iv));
	} else if (iv->phase == INTERVIEW_NODE && answer->kind == RADIO_Q_NODE) {
		take_node(iv, &answer->node);
	} else if (iv->phase == INTERVIEW_ENDPOINTS && answer->kind == RADIO_Q_ENDPOINTS) {
		take_endpoints(iv, &answer->endpoints);
	} else if (iv->phase == INTERVIEW_SIMPLE && answer->kind == RADIO_Q_SIMPLE) {
		take_simple(iv, &answer->simple);
	} else if (iv->phase == INTERVIEW_SET_UP && answer->kind == RADIO_Q_BIND) {
		iv->bound = true;
		iv->tries = 0;
	}
}
