#pragma once
/* color - the colour of a lamp as two coordinates, and as hue and saturation.
 *
 *   above   -
 *   below   base/base
 *   owns    nothing
 *   limits  -
 *
 * CIE 1931 x and y in 65535ths, as lamps take them; hue in degrees, saturation in percent.
 */
#include "base/base.h"

struct color_xy {
	uint16_t x, y;
};
struct color_hs {
	int hue, saturation; /* 0..360, 0..100 */
};
struct color_xy color_to_xy(struct color_hs color);
struct color_hs color_to_hs(struct color_xy color);
