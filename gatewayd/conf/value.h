#pragma once
/* value - one setting's text into its field.
 *
 *   above   conf
 *   below   base/base  base/text  conf/load  conf/table  model/capability  sys/crypto
 *   owns    nothing
 */
#include "base/base.h"
#include "conf/load.h"
#include "conf/table.h"

/* text as it stands in the file, or as preset. quoted: it is a text and no number. False: not what row expects. */
bool value_read(struct load *load, const struct conf_row *row, const char *text, bool quoted, void *field);
bool value_is_list(const struct conf_row *row);          /* a YAML list of texts: endpoints, pins, capabilities */
size_t value_item_size(const struct conf_row *row);      /* of one place in the field's array */
bool value_key_is_good(const struct conf_row *row, const char *key); /* of TYPE_OPTIONS and TYPE_PORTS */
bool value_choice_is_bool(const struct conf_row *row); /* its field is a bool; the other choices' are an int or enum */
