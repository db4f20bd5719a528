#pragma once
/* zcl - frames of the Zigbee Cluster Library: header, general commands record by record, fields of cluster commands.
 *
 *   above   -
 *   below   base/base  base/bytes  zigbee/zcl_type
 *   owns    nothing: what is read borrows from the frame
 *   limits  ZCL_FRAME_MAX
 *   errors  those of zigbee/zcl_type
 *
 * A general command is read whole before its first record is given: a frame that is broken anywhere is refused.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/zcl_type.h"

enum { ZCL_FRAME_MAX = 1024 }; /* longer is no fragmented message that anybody sends either */

/* ZCL revision 8, table 2-3. */
enum zcl_command {
	ZCL_READ = 0x00,
	ZCL_READ_RSP = 0x01,
	ZCL_WRITE = 0x02,
	ZCL_WRITE_UNDIVIDED = 0x03,
	ZCL_WRITE_RSP = 0x04,
	ZCL_WRITE_NO_RSP = 0x05,
	ZCL_CONFIGURE_REPORT = 0x06,
	ZCL_CONFIGURE_REPORT_RSP = 0x07,
	ZCL_READ_REPORT_CONFIG = 0x08,
	ZCL_READ_REPORT_CONFIG_RSP = 0x09,
	ZCL_REPORT = 0x0a,
	ZCL_DEFAULT_RSP = 0x0b,
	ZCL_DISCOVER = 0x0c,
	ZCL_DISCOVER_RSP = 0x0d,
	ZCL_DISCOVER_RECEIVED = 0x11,
	ZCL_DISCOVER_RECEIVED_RSP = 0x12,
	ZCL_DISCOVER_GENERATED = 0x13,
	ZCL_DISCOVER_GENERATED_RSP = 0x14,
	ZCL_DISCOVER_EXTENDED = 0x15,
	ZCL_DISCOVER_EXTENDED_RSP = 0x16,
};

struct zcl_header {
	bool cluster;         /* a cluster's own command, not a general one */
	bool to_client;       /* from the side that has the attributes */
	bool quiet;           /* no default response if all is well */
	uint16_t manufacturer; /* 0: the standard's */
	uint8_t sequence, command;
};

struct zcl_frame {
	struct zcl_header header;
	bool complete;       /* answers to discovery: there is no more */
	struct view payload; /* a cluster's fields, or a general command's records */
};

/* One row of a general command; which members count, the command says. */
struct zcl_record {
	uint8_t status;
	bool all; /* answers to writing and configuring: status 0 stands for every attribute */
	uint8_t direction; /* of reporting: 0 the receiver is to report, 1 it is to expect reports */
	uint16_t attribute;
	struct zcl_value value;                /* also: the change that is reported */
	const struct zcl_type *type;           /* of the attribute */
	uint16_t min_s, max_s, timeout_s;      /* of reporting */
	uint8_t command, count, access;        /* default response, discovery */
};

must_check int zcl_frame_read(struct view bytes, struct zcl_frame *ret);

/* Of a general command that was read: start with frame->payload. */
must_check bool zcl_record_next(const struct zcl_header *header, struct view *records, struct zcl_record *ret);

/* A frame is its header (complete: for answers to discovery), then records, or fields, or bytes. */
must_check int zcl_header_write(struct writer *w, const struct zcl_header *h, bool complete);
must_check int zcl_record_write(struct writer *w, uint8_t command, const struct zcl_record *record);

/* A cluster command's payload by the types of its fields; nothing may be left over. */
must_check int zcl_fields_read(struct view payload, const uint8_t *types, size_t n, struct zcl_value *ret);
