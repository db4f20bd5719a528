/* An advertisement is a row of AD structures, each a length, a type and data (Core 5.4, Vol 3 Part C, 11).
 * A length of zero ends it early, and what follows must be zero. Types are those of the Assigned Numbers,
 * 2.3; a type that is not ours is passed over. A structure that says more than there is, a name that is no
 * UTF-8, flags twice: the whole is refused, because nothing tells which half is true.
 */
#include "ble/advert.h"

#include "base/text.h"

enum {
	AD_FLAGS = 0x01,
	AD_NAME_SHORT = 0x08,
	AD_NAME = 0x09,
	AD_SERVICE16 = 0x16,
	AD_SERVICE128 = 0x21,
	AD_MAKER = 0xff,
};

static int take_flags(struct advert *advert, struct view part)
{
	if (advert->has_flags || part.len < 1)
		return ADVERT_E_MALFORMED;
	advert->has_flags = true;
	advert->flags = part.data[0];
	return 0;
}

static int take_name(struct advert *advert, struct view part, bool whole)
{
	if (!text_is_utf8(part.data, part.len))
		return ADVERT_E_MALFORMED;
	if (advert->name.data && advert->name_is_whole == whole)
		return ADVERT_E_MALFORMED;
	if (advert->name.data && !whole)
		return 0;
	advert->name = part;
	advert->name_is_whole = whole;
	return 0;
}

static int take_service16(struct advert *advert, struct view part)
{
	struct reader r = reader_over(part.data, part.len);
	struct advert_service16 service = { .uuid = get_u16(&r) };

	service.data = get_view(&r, reader_left(&r));
	if (r.bad)
		return ADVERT_E_MALFORMED;
	if (advert->nservices16 == ADVERT_PARTS_MAX)
		return ADVERT_E_SIZE;
	advert->services16[advert->nservices16++] = service;
	return 0;
}

static int take_service128(struct advert *advert, struct view part)
{
	struct advert_service128 *service;

	if (part.len < sizeof(service->uuid))
		return ADVERT_E_MALFORMED;
	if (advert->nservices128 == ADVERT_PARTS_MAX)
		return ADVERT_E_SIZE;
	service = &advert->services128[advert->nservices128++];
	for (size_t i = 0; i < sizeof(service->uuid); i++)
		service->uuid[i] = part.data[sizeof(service->uuid) - 1 - i];
	service->data = (struct view){ part.data + sizeof(service->uuid), part.len - sizeof(service->uuid) };
	return 0;
}

static int take_maker(struct advert *advert, struct view part)
{
	struct reader r = reader_over(part.data, part.len);
	struct advert_maker maker = { .company = get_u16(&r) };

	maker.data = get_view(&r, reader_left(&r));
	if (r.bad)
		return ADVERT_E_MALFORMED;
	if (advert->nmakers == ADVERT_PARTS_MAX)
		return ADVERT_E_SIZE;
	advert->makers[advert->nmakers++] = maker;
	return 0;
}

static int take(struct advert *advert, uint8_t type, struct view part)
{
	switch (type) {
	case AD_FLAGS:
		return take_flags(advert, part);
	case AD_NAME_SHORT:
	case AD_NAME:
		return take_name(advert, part, type == AD_NAME);
	case AD_SERVICE16:
		return take_service16(advert, part);
	case AD_SERVICE128:
		return take_service128(advert, part);
	case AD_MAKER:
		return take_maker(advert, part);
	default:
		return 0;
	}
}

static bool is_padding(struct reader *r)
{
	while (reader_left(r))
		if (get_u8(r))
			return false;
	return true;
}

int advert_read(const void *data, size_t len, struct advert *ret)
{
	struct reader r = reader_over(data, len);
	struct advert advert = { 0 };
	int err;

	if (len > ADVERT_BYTES_MAX)
		return ADVERT_E_SIZE;
	while (reader_left(&r)) {
		uint8_t part_len = get_u8(&r), type;
		struct view part;

		if (!part_len) {
			if (!is_padding(&r))
				return ADVERT_E_MALFORMED;
			break;
		}
		type = get_u8(&r);
		part = get_view(&r, part_len - 1u);
		if (r.bad)
			return ADVERT_E_MALFORMED;
		err = take(&advert, type, part);
		if (err)
			return err;
	}
	*ret = advert;
	return 0;
}
