#pragma once
/* shares - may this capability of this device leave by that link? The allow-list of the settings, asked once an event.
 *
 *   above   link/links
 *   below   base/base  conf/conf  registry/registry
 *   owns    nothing: pure
 */
#include "base/base.h"
#include "conf/conf.h"
#include "registry/registry.h"

/* cap 0: any of its capabilities. */
bool shares_allow(const struct conf_link *link, const struct registry *registry, const struct device *device, uint16_t cap,
		  enum data_class data_class);
