#pragma once
/* known - the devices that the plugin described, kept so that they can be said again to a core that has started anew.
 *
 *   above   host/host
 *   below   base/base  model/device
 *   owns    copies of the descriptions
 *   limits  KNOWN_MAX
 *   errors  KNOWN_E_FULL
 */
#include "base/base.h"
#include "model/device.h"

enum { KNOWN_MAX = 1024 };
enum { KNOWN_E_FULL = 1 };

struct known_device {
	struct device_desc *desc;
	bool away;
};
/* Zero-initialised is empty. */
struct known {
	struct known_device *devices;
	size_t n, cap;
};

/* Replaces one of the same address. */
must_check int known_put(struct known *known, const struct device_desc *desc);
struct known_device *known_find(struct known *known, const struct address *addr);
void known_remove(struct known *known, const struct address *addr);
void known_deinit(struct known *known);
