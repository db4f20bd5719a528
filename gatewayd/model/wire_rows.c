/* The fields that several messages share. Each is read with its limits, so that no body has to
 * think of them. */
#include "model/wire_rows.h"

#include <string.h>
#include "base/text.h"
#include "model/device.h"
#include "model/device_id.h"
#include "model/value.h"

enum { DESC_SLEEPY = 1u };

bool wire_get_bool(struct reader *r)
{
	uint8_t b = get_u8(r);

	if (b > 1)
		r->bad = true;
	return b == 1;
}

void wire_put_text(struct writer *w, struct view text, size_t min, size_t max)
{
	if (text.len < min || text.len > max || (text.len && !text_is_utf8(text.data, text.len)))
		w->bad = true;
	put_view16(w, text.data, text.len);
}

struct view wire_get_text(struct reader *r, size_t min, size_t max)
{
	struct view text = get_text16(r, max);

	if (text.len < min)
		r->bad = true;
	return text;
}

void wire_put_addr(struct writer *w, const struct address *addr, size_t min)
{
	if (addr->len < min || addr->len > ADDRESS_MAX) {
		w->bad = true;
		return;
	}
	put_u8(w, addr->len);
	put_bytes(w, addr->bytes, addr->len);
}

struct address wire_get_addr(struct reader *r, size_t min)
{
	struct address addr = { .len = get_u8(r) };
	struct view v;

	if (addr.len < min || addr.len > ADDRESS_MAX)
		r->bad = true;
	v = get_view(r, addr.len);
	if (v.len)
		memcpy(addr.bytes, v.data, v.len);
	return addr;
}

void wire_put_id(struct writer *w, struct device_id id)
{
	put_bytes(w, id.b, sizeof(id.b));
}

struct device_id wire_get_id(struct reader *r)
{
	struct device_id id = { { 0 } };
	struct view v = get_view(r, sizeof(id.b));

	if (v.len)
		memcpy(id.b, v.data, v.len);
	return id;
}

struct value wire_get_value(struct reader *r)
{
	struct value v = { 0 };

	if (value_get(r, &v))
		r->bad = true;
	return v;
}

static void put_cap(struct writer *w, const struct capability_desc *cap)
{
	put_u16(w, cap->id);
	put_u8(w, cap->type);
	put_u8(w, cap->access);
	put_u32(w, cap->unit);
	put_i64(w, cap->min);
	put_i64(w, cap->max);
	put_i64(w, cap->step);
}

static struct capability_desc get_cap(struct reader *r)
{
	struct capability_desc cap = { 0 };

	cap.id = get_u16(r);
	cap.type = get_u8(r);
	cap.access = get_u8(r);
	cap.unit = get_u32(r);
	cap.min = get_i64(r);
	cap.max = get_i64(r);
	cap.step = get_i64(r);
	return cap;
}

void wire_put_desc(struct writer *w, const struct device_desc *desc)
{
	put_u8(w, desc->evidence);
	put_u8(w, desc->sleepy ? DESC_SLEEPY : 0);
	put_text16(w, desc->vendor);
	put_text16(w, desc->model);
	put_text16(w, desc->firmware);
	put_text16(w, desc->name);
	put_u8(w, desc->n_endpoints);
	for (uint8_t i = 0; i < desc->n_endpoints; i++) {
		const struct endpoint_desc *e = &desc->endpoints[i];

		put_u8(w, e->id);
		put_u16(w, e->profile);
		put_u8(w, e->n_caps);
		for (uint8_t k = 0; k < e->n_caps; k++)
			put_cap(w, &e->caps[k]);
	}
}

static const char *get_desc_text(struct reader *r, char copy[DEVICE_TEXT_MAX + 1])
{
	struct view text = get_text16(r, DEVICE_TEXT_MAX);

	text_copy_n(copy, DEVICE_TEXT_MAX + 1, text.data, text.len);
	return copy;
}

static void get_endpoints(struct reader *r, struct wire_scratch *scratch, uint8_t n)
{
	size_t n_caps = 0;

	if (n > DEVICE_ENDPOINTS_MAX) {
		r->bad = true;
		return;
	}
	for (uint8_t i = 0; i < n && !r->bad; i++) {
		struct endpoint_desc *e = &scratch->endpoints[i];

		e->id = get_u8(r);
		e->profile = get_u16(r);
		e->n_caps = get_u8(r);
		e->caps = scratch->caps + n_caps;
		if (e->n_caps > DEVICE_CAPS_MAX - n_caps) {
			r->bad = true;
			return;
		}
		for (uint8_t k = 0; k < e->n_caps; k++)
			scratch->caps[n_caps++] = get_cap(r);
	}
}

void wire_get_desc(struct reader *r, struct wire_scratch *scratch, struct device_desc *desc)
{
	uint8_t flags;

	desc->evidence = get_u8(r);
	flags = get_u8(r);
	if (flags > DESC_SLEEPY)
		r->bad = true;
	desc->sleepy = flags & DESC_SLEEPY;
	desc->vendor = get_desc_text(r, scratch->text[0]);
	desc->model = get_desc_text(r, scratch->text[1]);
	desc->firmware = get_desc_text(r, scratch->text[2]);
	desc->name = get_desc_text(r, scratch->text[3]);
	desc->n_endpoints = get_u8(r);
	desc->endpoints = scratch->endpoints;
	get_endpoints(r, scratch, desc->n_endpoints);
}
