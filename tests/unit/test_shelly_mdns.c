/* mDNS: what a Shelly announces, put together here from its records; pointers that lead nowhere; limits. */
#include "check.h"

#include <arpa/inet.h>
#include "base/text.h"
#include "shelly/mdns.h"

struct packet {
	uint8_t data[MDNS_BYTES_MAX + 1];
	size_t len;
};

static void put(struct packet *p, const void *data, size_t len)
{
	assert_true(p->len + len <= sizeof(p->data));
	memcpy(p->data + p->len, data, len);
	p->len += len;
}

static void put_u16(struct packet *p, unsigned v)
{
	const uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(p, bytes, 2);
}

static void head(struct packet *p, unsigned flags, unsigned questions, unsigned answers, unsigned additional)
{
	p->len = 0;
	put_u16(p, 0);
	put_u16(p, flags);
	put_u16(p, questions);
	put_u16(p, answers);
	put_u16(p, 0);
	put_u16(p, additional);
}

/* "a._shelly._tcp.local" */
static void put_name(struct packet *p, const char *name)
{
	while (*name) {
		uint8_t n = (uint8_t)strcspn(name, ".");

		put(p, &n, 1);
		put(p, name, n);
		name += n + (name[n] == '.');
	}
	put(p, "", 1);
}

static void put_record(struct packet *p, const char *name, unsigned type, uint32_t life, const void *data, size_t len)
{
	put_name(p, name);
	put_u16(p, type);
	put_u16(p, 0x8001);
	put_u16(p, life >> 16);
	put_u16(p, life & 0xffff);
	put_u16(p, (unsigned)len);
	put(p, data, len);
}

static void put_ptr(struct packet *p, const char *service, const char *instance)
{
	struct packet inner = { .len = 0 };

	put_name(&inner, instance);
	put_record(p, service, 12, 120, inner.data, inner.len);
}

static void put_srv(struct packet *p, const char *instance, unsigned port, const char *host, uint32_t life)
{
	struct packet inner = { .len = 0 };

	put_u16(&inner, 0);
	put_u16(&inner, 0);
	put_u16(&inner, port);
	put_name(&inner, host);
	put_record(p, instance, 33, life, inner.data, inner.len);
}

static void put_txt(struct packet *p, const char *instance, const char *text)
{
	struct packet inner = { .len = 0 };
	uint8_t n = (uint8_t)strlen(text);

	put(&inner, "\5app=x", 6);
	put(&inner, &n, 1);
	put(&inner, text, n);
	put_record(p, instance, 16, 120, inner.data, inner.len);
}

static void put_a(struct packet *p, const char *host, const char *address)
{
	struct in_addr in;

	check_int(inet_pton(AF_INET, address, &in), 1);
	put_record(p, host, 1, 120, &in, 4);
}

#define NAME "shellyplus1pm-a8032abe54dc"

static void a_shelly(struct packet *p)
{
	head(p, 0x8400, 0, 5, 2);
	put_ptr(p, "_shelly._tcp.local", NAME "._shelly._tcp.local");
	put_ptr(p, "_http._tcp.local", NAME "._http._tcp.local");
	put_srv(p, NAME "._shelly._tcp.local", 80, "ShellyPlus1PM-A8032ABE54DC.local", 120);
	put_txt(p, NAME "._shelly._tcp.local", "gen=2");
	put_srv(p, NAME "._http._tcp.local", 8080, "ShellyPlus1PM-A8032ABE54DC.local", 120);
	put_txt(p, NAME "._http._tcp.local", "gen=2");
	put_a(p, "shellyplus1pm-a8032abe54dc.LOCAL", "192.168.1.5");
}

static void what_a_shelly_says(void **state)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	struct packet p;
	size_t n = 0;

	(void)state;
	a_shelly(&p);
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, 1);
	check_text(found[0].name, NAME);
	check_uint(found[0].port, 80);
	check_bytes(found[0].address, 4, "\xc0\xa8\x01\x05", 4);
	/* Cut anywhere it is malformed, and never more than that. */
	for (size_t cut = 0; cut < p.len; cut++)
		check_int(mdns_read(p.data, cut, found, &n), MDNS_E_MALFORMED);
}

/* Generation by the TXT record; a first one is not ours, nor is any web server. */
static void generations(void **state)
{
	static const struct {
		const char *service, *txt;
		bool ours;
	} rows[] = {
		{ "_http._tcp.local", "gen=2", true },	{ "_http._tcp.local", "gen=3", true },	 { "_http._tcp.local", "gen=1", false },
		{ "_http._tcp.local", "id=x", false },	{ "_shelly._tcp.local", "id=x", true }, { "_shelly._tcp.local", "gen=1", false },
		{ "_shelly._tcp.local", "GEN=4", true }, { "_ipp._tcp.local", "gen=2", false },
	};
	struct mdns_found found[MDNS_FOUND_MAX];
	char instance[64];
	struct packet p;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t n = 0;

		text_print(instance, sizeof(instance), "x.%s", rows[i].service);
		head(&p, 0x8400, 0, 4, 0);
		put_ptr(&p, rows[i].service, instance);
		put_srv(&p, instance, 80, "x.local", 120);
		put_txt(&p, instance, rows[i].txt);
		put_a(&p, "x.local", "10.0.0.1");
		check_ok(mdns_read(p.data, p.len, found, &n));
		if (n != rows[i].ours)
			fail_msg("%s %s", rows[i].service, rows[i].txt);
	}
}

static void what_is_not_an_answer(void **state)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	struct packet p;
	size_t n = 9;

	(void)state;
	head(&p, 0, 0, 0, 0);
	check_int(mdns_read(p.data, p.len, found, &n), MDNS_E_OTHER);
	head(&p, 0x8403, 0, 0, 0);
	check_int(mdns_read(p.data, p.len, found, &n), MDNS_E_OTHER);
	head(&p, 0x8400, MDNS_QUESTIONS_MAX + 1, 0, 0);
	check_int(mdns_read(p.data, p.len, found, &n), MDNS_E_OTHER);
	head(&p, 0x8400, 0, 0, 0);
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, 0);
	/* A goodbye; a host that nobody says the address of; a name that is none of ours. */
	head(&p, 0x8400, 0, 2, 0);
	put_srv(&p, NAME "._shelly._tcp.local", 80, "x.local", 0);
	put_a(&p, "x.local", "10.0.0.1");
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, 0);
	head(&p, 0x8400, 0, 2, 0);
	put_srv(&p, NAME "._shelly._tcp.local", 80, "y.local", 120);
	put_a(&p, "x.local", "10.0.0.1");
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, 0);
	head(&p, 0x8400, 0, 2, 0);
	put_srv(&p, "a/b#._shelly._tcp.local", 80, "x.local", 120);
	put_a(&p, "x.local", "10.0.0.1");
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, 0);
	memset(p.data, 0, sizeof(p.data));
	check_int(mdns_read(p.data, MDNS_BYTES_MAX + 1, found, &n), MDNS_E_MALFORMED);
}

static int read_name(const char *hex)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	struct packet p;
	size_t n = strlen(hex) / 2, got;

	head(&p, 0x8400, 0, 1, 0);
	check_ok(hex_parse(hex, 2 * n, p.data + p.len, n));
	p.len += n;
	put(&p, "\0\1\0\1\0\0\0\x78\0\4\1\2\3\4", 14);
	return mdns_read(p.data, p.len, found, &got);
}

static void names_end(void **state)
{
	char hex[2 * 300 + 1] = "";

	(void)state;
	check_ok(read_name("016100"));
	check_int(read_name("c00c"), MDNS_E_MALFORMED);	    /* to itself */
	check_int(read_name("0161c00c"), MDNS_E_MALFORMED); /* to its own beginning */
	check_int(read_name("c0ff"), MDNS_E_MALFORMED);	    /* forwards */
	check_int(read_name("8061"), MDNS_E_MALFORMED);	    /* a reserved kind of label */
	/* Labels of 63 bytes: 3 of them and 62 more are 255 with the lengths; one more byte is too long. */
	for (size_t i = 0; i < 3; i++) {
		text_append(hex, sizeof(hex), "3f");
		for (size_t k = 0; k < 63; k++)
			text_append(hex, sizeof(hex), "61");
	}
	text_append(hex, sizeof(hex), "3e");
	for (size_t k = 0; k < 62; k++)
		text_append(hex, sizeof(hex), "61");
	text_append(hex, sizeof(hex), "00");
	check_ok(read_name(hex));
	hex[strlen(hex) - 2] = '\0';
	text_append(hex, sizeof(hex), "016100");
	check_int(read_name(hex), MDNS_E_MALFORMED);
	_Static_assert(MDNS_NAME_MAX == 3 * 64 + 63 && MDNS_LABEL_MAX == 63, "as built above");
}

/* A chain of names, each the one before by a pointer: sixteen jumps are followed, one more is not. */
static void jumps_are_counted(void **state)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	size_t n;

	(void)state;
	for (unsigned chain = MDNS_JUMPS_MAX; chain <= MDNS_JUMPS_MAX + 1; chain++) {
		struct packet p;
		size_t before = 12;

		head(&p, 0x8400, 0, 1 + chain, 0);
		put_record(&p, "a", 16, 1, "", 0);
		for (unsigned i = 0; i < chain; i++) {
			size_t here = p.len;

			put_u16(&p, 0xc000u | (unsigned)before);
			put(&p, "\0\x10\0\1\0\0\0\1\0\0", 10);
			before = here;
		}
		check_int(mdns_read(p.data, p.len, found, &n), chain > MDNS_JUMPS_MAX ? MDNS_E_MALFORMED : 0);
	}
}

static void a_packet_is_bounded(void **state)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	char instance[64], host[32];
	struct packet p;
	size_t n = 0;

	(void)state;
	/* More devices than MDNS_FOUND_MAX, more hosts than MDNS_HOSTS_MAX, more records than MDNS_RECORDS_MAX. */
	head(&p, 0x8400, 0, 2 * 40, 0);
	for (unsigned i = 0; i < 40; i++) {
		text_print(instance, sizeof(instance), "s%u._shelly._tcp.local", i);
		text_print(host, sizeof(host), "s%u.local", i);
		put_srv(&p, instance, 80, host, 120);
		put_a(&p, host, "10.0.0.1");
	}
	_Static_assert(2 * 40 > MDNS_RECORDS_MAX && 40 > MDNS_HOSTS_MAX, "more than there is room for");
	check_ok(mdns_read(p.data, p.len, found, &n));
	check_uint(n, MDNS_FOUND_MAX);
}

static void the_question(void **state)
{
	static const char want[] = "\0\0\0\0\0\2\0\0\0\0\0\0\7_shelly\4_tcp\5local\0\0\x0c\0\1\5_http\4_tcp\5local\0\0\x0c\0\1";
	uint8_t ask[512];

	(void)state;
	check_bytes(ask, mdns_ask(ask, sizeof(ask)), want, sizeof(want) - 1);
	check_uint(mdns_ask(ask, sizeof(want) - 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_shelly_says), cmocka_unit_test(generations),	   cmocka_unit_test(what_is_not_an_answer),
		cmocka_unit_test(names_end),	      cmocka_unit_test(jumps_are_counted), cmocka_unit_test(a_packet_is_bounded),
		cmocka_unit_test(the_question),
	};

	return CHECK_RUN(tests);
}
