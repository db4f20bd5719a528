/* A device that gets no answer asks again and again, and a battery pays for it: so whatever is asked is answered, be it with a
 * "no". ZCL revision 8: reading 2.5.1, default response 2.5.12, Time 3.12, Poll Control 3.16, IAS Zone 8.2, OTA 11.
 */
#include "zigbee/serve.h"

#include <string.h>

enum { BASIC = 0x0000, TIME = 0x000a, OTA = 0x0019, POLL_CONTROL = 0x0020, IAS_ZONE = 0x0500 };
enum { UNSUPPORTED_ATTRIBUTE = 0x86, UNSUPPORTED_GENERAL = 0x82, NO_IMAGE = 0x98 };
enum { SECONDS_1970_TO_2000 = 946684800, FAST_POLL_QUARTERS = 60 };

/* Attributes that we have. */
static bool attribute_of(uint16_t cluster, uint16_t attribute, const struct serve_asker *asker, struct zcl_value *ret)
{
	uint32_t utc = asker->utc_s > SECONDS_1970_TO_2000 ? (uint32_t)(asker->utc_s - SECONDS_1970_TO_2000) : UINT32_MAX;
	uint32_t local = utc == UINT32_MAX ? utc : utc + (uint32_t)asker->offset_s;
	const struct {
		uint16_t cluster, attribute;
		uint8_t type;
		struct zcl_value value;
	} rows[] = {
		{ BASIC, 0x0000, ZCL_UINT8, { .u = 8 } },
		{ BASIC, 0x0004, ZCL_STRING, { .bytes = view_text("gatewayd") } },
		{ BASIC, 0x0005, ZCL_STRING, { .bytes = view_text("coordinator") } },
		{ BASIC, 0x0007, ZCL_ENUM8, { .u = 1 } },
		{ TIME, 0x0000, ZCL_UTC, { .u = utc } },
		{ TIME, 0x0001, ZCL_MAP8, { .u = utc == UINT32_MAX ? 0 : 3 } }, /* master, synchronised */
		{ TIME, 0x0002, 0x2b, { .i = asker->offset_s } },
		{ TIME, 0x0006, ZCL_UINT32, { .u = local } }, /* standard time */
		{ TIME, 0x0007, ZCL_UINT32, { .u = local } },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].cluster != cluster || rows[i].attribute != attribute)
			continue;
		*ret = rows[i].value;
		ret->type = zcl_type_find(rows[i].type);
		return true;
	}
	return false;
}

static struct zcl_header header_back(const struct zcl_header *asked, bool own, uint8_t command)
{
	return (struct zcl_header){ .cluster = own, .to_client = !asked->to_client, .quiet = true,
				    .manufacturer = asked->manufacturer, .sequence = asked->sequence, .command = command };
}

static size_t say_default(const struct zcl_header *asked, uint8_t status, uint8_t *buf)
{
	struct writer w = writer_over(buf, SERVE_ANSWER_MAX);
	struct zcl_header header = header_back(asked, false, ZCL_DEFAULT_RSP);

	if (zcl_header_write(&w, &header, true))
		return 0;
	put_u8(&w, asked->command);
	put_u8(&w, status);
	return writer_len(&w);
}

static size_t say_own(const struct zcl_header *asked, uint8_t command, const void *payload, size_t len, uint8_t *buf)
{
	struct writer w = writer_over(buf, SERVE_ANSWER_MAX);
	struct zcl_header header = header_back(asked, true, command);

	if (zcl_header_write(&w, &header, true))
		return 0;
	put_bytes(&w, payload, len);
	return writer_len(&w);
}

/* As many records as fit: who asks for more asks again. */
static size_t say_read(const struct radio_message *m, const struct zcl_frame *f, const struct serve_asker *asker, uint8_t *buf)
{
	struct writer w = writer_over(buf, SERVE_ANSWER_MAX);
	struct zcl_header header = header_back(&f->header, false, ZCL_READ_RSP);
	struct view records = f->payload;
	struct zcl_record record;
	size_t len;

	if (zcl_header_write(&w, &header, true))
		return 0;
	len = writer_len(&w);
	while (zcl_record_next(&f->header, &records, &record)) {
		struct zcl_record row = { .attribute = record.attribute, .status = UNSUPPORTED_ATTRIBUTE };

		if (!f->header.manufacturer && attribute_of(m->cluster, record.attribute, asker, &row.value)) {
			row.status = 0;
			row.type = row.value.type;
		}
		if (zcl_record_write(&w, ZCL_READ_RSP, &row))
			break;
		len = writer_len(&w);
	}
	return len;
}

static size_t general(const struct radio_message *m, const struct zcl_frame *f, const struct serve_asker *asker, uint8_t *buf)
{
	switch ((enum zcl_command)f->header.command) {
	case ZCL_READ:
		return say_read(m, f, asker, buf);
	case ZCL_REPORT:
		return f->header.quiet ? 0 : say_default(&f->header, 0, buf);
	case ZCL_WRITE:
	case ZCL_WRITE_UNDIVIDED:
	case ZCL_CONFIGURE_REPORT:
	case ZCL_READ_REPORT_CONFIG:
	case ZCL_DISCOVER:
	case ZCL_DISCOVER_RECEIVED:
	case ZCL_DISCOVER_GENERATED:
	case ZCL_DISCOVER_EXTENDED:
		return say_default(&f->header, UNSUPPORTED_GENERAL, buf);
	case ZCL_READ_RSP:
	case ZCL_WRITE_RSP:
	case ZCL_WRITE_NO_RSP:
	case ZCL_CONFIGURE_REPORT_RSP:
	case ZCL_READ_REPORT_CONFIG_RSP:
	case ZCL_DEFAULT_RSP:
	case ZCL_DISCOVER_RSP:
	case ZCL_DISCOVER_RECEIVED_RSP:
	case ZCL_DISCOVER_GENERATED_RSP:
	case ZCL_DISCOVER_EXTENDED_RSP:
	default:
		return 0;
	}
}

static size_t own(const struct radio_message *m, const struct zcl_frame *f, const struct serve_asker *asker, uint8_t *buf)
{
	const struct zcl_header *h = &f->header;
	uint8_t zone[] = { 0, SERVE_ZONE }, image[] = { NO_IMAGE };
	uint8_t poll[] = { asker->wait, asker->wait ? FAST_POLL_QUARTERS : 0, 0 };

	if (!h->manufacturer && m->cluster == IAS_ZONE && h->to_client && h->command == 0x01)
		return say_own(h, 0x00, zone, sizeof(zone), buf);
	if (!h->manufacturer && m->cluster == POLL_CONTROL && h->to_client && h->command == 0x00)
		return say_own(h, 0x00, poll, sizeof(poll), buf);
	if (!h->manufacturer && m->cluster == OTA && !h->to_client && h->command == 0x01)
		return say_own(h, 0x02, image, sizeof(image), buf);
	return h->quiet ? 0 : say_default(h, 0, buf);
}

size_t serve(const struct radio_message *message, const struct zcl_frame *frame, const struct serve_asker *asker,
	     uint8_t ret[SERVE_ANSWER_MAX])
{
	/* What was said to many is answered by nobody. */
	if (message->mode != RADIO_UNICAST)
		return 0;
	return frame->header.cluster ? own(message, frame, asker, ret) : general(message, frame, asker, ret);
}
