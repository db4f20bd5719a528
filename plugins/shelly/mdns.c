/* One pass over the records: services' instances are noted with where they are and what generation they say, hosts with their
 * addresses; at the end the two are put together. Names are compared without their letters' case, as they stand on the wire. */
#include "shelly/mdns.h"

#include <string.h>
#include <strings.h>
#include "base/bytes.h"
#include "base/text.h"

enum { HEAD_LEN = 12, POINTER = 0xc0, RESPONSE = 0x8000, OPCODE = 0x7800, RCODE = 0x000f };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_SRV = 33, CLASS_IN = 1, CLASS_FLUSH = 0x8000 };

struct name {
	uint8_t len; /* without the root's zero */
	uint8_t bytes[MDNS_NAME_MAX];
};
enum service { SERVICE_NONE, SERVICE_SHELLY, SERVICE_HTTP };
struct instance {
	struct name name, host;
	enum service service;
	uint16_t port;
	unsigned generation;
};
struct host {
	struct name name;
	uint8_t address[4];
};
struct tables {
	struct instance instances[2 * MDNS_FOUND_MAX];
	struct host hosts[MDNS_HOSTS_MAX];
	size_t n_instances, n_hosts;
};
struct packet {
	const uint8_t *data;
	size_t len, at;
	bool bad;
};

#define LABELS(text) { (uint8_t)(sizeof(text) - 1), text }
static const struct service_row {
	uint8_t len;
	const char *labels;
} services[] = {
	[SERVICE_SHELLY] = LABELS("\7_shelly\4_tcp\5local"),
	[SERVICE_HTTP] = LABELS("\5_http\4_tcp\5local"),
};

/* DNS counts with the big end first. */
static uint16_t next_u16(struct packet *p)
{
	uint16_t v;

	if (p->len - p->at < 2)
		p->bad = true;
	if (p->bad)
		return 0;
	v = (uint16_t)(p->data[p->at] << 8 | p->data[p->at + 1]);
	p->at += 2;
	return v;
}

static uint32_t next_u32(struct packet *p)
{
	uint32_t high = next_u16(p);

	return high << 16 | next_u16(p);
}

static bool add_label(struct name *name, const uint8_t *label, size_t len)
{
	if (len + 1 > (size_t)MDNS_NAME_MAX - name->len)
		return false;
	memcpy(name->bytes + name->len, label, len + 1);
	name->len = (uint8_t)(name->len + len + 1);
	return true;
}

/* The name at p->at, which moves behind it. */
static void next_name(struct packet *p, struct name *ret)
{
	size_t at = p->at, floor = p->at;
	unsigned jumps = 0;

	ret->len = 0;
	while (!p->bad) {
		uint8_t n = at < p->len ? p->data[at] : POINTER - 1;

		if (n == 0) {
			if (!jumps)
				p->at = at + 1;
			return;
		}
		if (n >= POINTER) {
			size_t to = at + 1 < p->len ? (size_t)(n & ~POINTER) << 8 | p->data[at + 1] : p->len;

			if (!jumps)
				p->at = at + 2;
			/* Only backwards: it cannot go round. */
			p->bad = to >= floor || ++jumps > MDNS_JUMPS_MAX;
			at = floor = to;
		} else if (n > MDNS_LABEL_MAX || p->len - at <= n || !add_label(ret, p->data + at, n)) {
			p->bad = true;
		} else {
			at += (size_t)n + 1;
		}
	}
}

/* Label lengths are below 'A', so a comparison without case is right for them, too. */
static bool name_is(const struct name *name, const void *labels, size_t len)
{
	return name->len == len && strncasecmp((const char *)name->bytes, labels, len) == 0;
}

static enum service service_at(const uint8_t *labels, size_t len)
{
	for (unsigned i = SERVICE_SHELLY; i < N_ELEMENTS(services); i++) {
		if (len == services[i].len && strncasecmp((const char *)labels, services[i].labels, len) == 0)
			return i;
	}
	return SERVICE_NONE;
}

/* "shellyplus1pm-a8032abe54dc._shelly._tcp.local": one label before a service of ours. */
static enum service service_of(const struct name *name)
{
	size_t first = name->len ? (size_t)name->bytes[0] + 1 : 0;

	return first && first < name->len ? service_at(name->bytes + first, name->len - first) : SERVICE_NONE;
}

static struct instance *instance_of(struct tables *t, const struct name *name)
{
	enum service service = service_of(name);

	if (!service)
		return NULL;
	for (size_t i = 0; i < t->n_instances; i++) {
		if (name_is(&t->instances[i].name, name->bytes, name->len))
			return &t->instances[i];
	}
	if (t->n_instances == N_ELEMENTS(t->instances))
		return NULL;
	t->instances[t->n_instances] = (struct instance){ .name = *name, .service = service };
	return &t->instances[t->n_instances++];
}

/* "gen=2" among the strings. */
static void take_txt(const uint8_t *data, size_t len, struct instance *instance)
{
	while (len) {
		size_t n = data[0];

		if (n >= len)
			return;
		if (n == 5 && strncasecmp((const char *)data + 1, "gen=", 4) == 0 && data[5] >= '0' && data[5] <= '9')
			instance->generation = (unsigned)(data[5] - '0');
		data += n + 1;
		len -= n + 1;
	}
}

static void take_host(struct tables *t, const struct name *name, const uint8_t *address)
{
	struct host *host;

	if (t->n_hosts == MDNS_HOSTS_MAX)
		return;
	host = &t->hosts[t->n_hosts++];
	host->name = *name;
	memcpy(host->address, address, 4);
}

/* The data of one record are p->at .. end. */
static void take_data(struct packet *p, unsigned type, const struct name *owner, size_t end, struct tables *t)
{
	struct instance *instance = NULL;
	struct name name;

	if (type == TYPE_A && end - p->at == 4) {
		take_host(t, owner, p->data + p->at);
	} else if (type == TYPE_PTR && service_at(owner->bytes, owner->len)) {
		next_name(p, &name);
		if (!p->bad)
			(void)instance_of(t, &name);
	} else if (type == TYPE_TXT) {
		instance = instance_of(t, owner);
		if (instance)
			take_txt(p->data + p->at, end - p->at, instance);
	} else if (type == TYPE_SRV && end - p->at > 6) {
		instance = instance_of(t, owner);
		p->at += 4;
		if (instance) {
			instance->port = next_u16(p);
			next_name(p, &instance->host);
		}
	}
}

static void next_record(struct packet *p, struct tables *t)
{
	struct name owner;
	unsigned type, class;
	uint32_t life;
	size_t n, end;

	next_name(p, &owner);
	type = next_u16(p);
	class = next_u16(p) & ~(unsigned)CLASS_FLUSH;
	life = next_u32(p);
	n = next_u16(p);
	if (p->bad || p->len - p->at < n) {
		p->bad = true;
		return;
	}
	end = p->at + n;
	/* A life of nothing is a goodbye. */
	if (class == CLASS_IN && life)
		take_data(p, type, &owner, end, t);
	p->bad = p->bad || p->at > end;
	p->at = end;
}

static void skip_questions(struct packet *p, unsigned n)
{
	struct name name;

	for (; n && !p->bad; n--) {
		next_name(p, &name);
		next_u32(p);
	}
}

static const struct host *host_of(const struct tables *t, const struct name *name)
{
	for (size_t i = 0; name->len && i < t->n_hosts; i++) {
		if (name_is(&t->hosts[i].name, name->bytes, name->len))
			return &t->hosts[i];
	}
	return NULL;
}

static bool add_found(const struct tables *t, const struct instance *instance, struct mdns_found *found, size_t n)
{
	const struct host *host = host_of(t, &instance->host);
	struct mdns_found one = { .port = instance->port };

	if (!host || !instance->port || (instance->generation < 2 && (instance->service == SERVICE_HTTP || instance->generation)))
		return false;
	memcpy(one.name, instance->name.bytes + 1, instance->name.bytes[0]);
	memcpy(one.address, host->address, 4);
	if (!text_is_name(one.name, MDNS_LABEL_MAX))
		return false;
	/* One device is two services. */
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(found[i].name, one.name) == 0)
			return false;
	}
	found[n] = one;
	return true;
}

int mdns_read(const void *data, size_t len, struct mdns_found ret[MDNS_FOUND_MAX], size_t *ret_n)
{
	struct packet p = { .data = data, .len = len, .at = 2 };
	struct tables t = { 0 };
	unsigned flags, questions, records;
	size_t n = 0;

	if (len < HEAD_LEN || len > MDNS_BYTES_MAX)
		return MDNS_E_MALFORMED;
	flags = next_u16(&p);
	if (!(flags & RESPONSE) || flags & (OPCODE | RCODE))
		return MDNS_E_OTHER;
	questions = next_u16(&p);
	records = next_u16(&p);
	records += next_u16(&p);
	records += next_u16(&p);
	if (questions > MDNS_QUESTIONS_MAX)
		return MDNS_E_OTHER;
	skip_questions(&p, questions);
	for (unsigned i = 0; i < records && i < MDNS_RECORDS_MAX && !p.bad; i++)
		next_record(&p, &t);
	if (p.bad)
		return MDNS_E_MALFORMED;
	/* _shelly first: it has the say on the port. */
	for (unsigned service = SERVICE_SHELLY; service <= SERVICE_HTTP; service++) {
		for (size_t i = 0; i < t.n_instances && n < MDNS_FOUND_MAX; i++)
			n += t.instances[i].service == service && add_found(&t, &t.instances[i], ret, n);
	}
	*ret_n = n;
	return 0;
}

size_t mdns_ask(void *ret, size_t cap)
{
	static const uint8_t head[HEAD_LEN] = { 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0 };
	static const uint8_t tail[] = { 0, 0, TYPE_PTR, 0, CLASS_IN };
	struct writer w = writer_over(ret, cap);

	put_bytes(&w, head, sizeof(head));
	for (unsigned i = SERVICE_SHELLY; i <= SERVICE_HTTP; i++) {
		put_bytes(&w, services[i].labels, services[i].len);
		put_bytes(&w, tail, sizeof(tail));
	}
	return w.bad ? 0 : writer_len(&w);
}
