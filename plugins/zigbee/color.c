/* sRGB primaries and D65 (IEC 61966-2-1). Brightness is another capability: a colour here is at its full one, so only the
 * ratio of the three lights counts.
 */
#include "zigbee/color.h"

#include <math.h>

static double expand(double c)
{
	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double compress(double c)
{
	return c <= 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1 / 2.4) - 0.055;
}

/* One of red, green, blue at full value: distance is how far its hue is away, in degrees. */
static double channel(double distance, double saturation)
{
	double k = fmod(distance + 360, 360) / 60;
	double slope = fmin(fmin(k, 4 - k), 1);

	return expand(1 - saturation * fmax(slope, 0));
}

static uint16_t coordinate(double part, double sum)
{
	double v = sum > 0 ? part / sum * 65536 : 0;

	return (uint16_t)lround(fmin(v, 65279)); /* ZCL 5.2.2.2.1.4: 0xfeff is the most */
}

struct color_xy color_to_xy(struct color_hs color)
{
	double s = color.saturation / 100.0;
	double r = channel(300 + color.hue, s), g = channel(180 + color.hue, s), b = channel(60 + color.hue, s);
	double x = 0.4124564 * r + 0.3575761 * g + 0.1804375 * b;
	double y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
	double z = 0.0193339 * r + 0.1191920 * g + 0.9503041 * b;

	return (struct color_xy){ coordinate(x, x + y + z), coordinate(y, x + y + z) };
}

static double hue_of(double r, double g, double b, double top, double span)
{
	double hue;

	if (span <= 0)
		return 0;
	if (top <= r)
		hue = (g - b) / span;
	else if (top <= g)
		hue = 2 + (b - r) / span;
	else
		hue = 4 + (r - g) / span;
	return fmod(hue * 60 + 360, 360);
}

struct color_hs color_to_hs(struct color_xy color)
{
	double cx = color.x / 65536.0, cy = fmax(color.y, 1) / 65536.0;
	double x = cx / cy, z = fmax(1 - cx - cy, 0) / cy;
	double r = fmax(3.2404542 * x - 1.5371385 - 0.4985314 * z, 0);
	double g = fmax(-0.9692660 * x + 1.8760108 + 0.0415560 * z, 0);
	double b = fmax(0.0556434 * x - 0.2040259 + 1.0572252 * z, 0);
	double top = fmax(fmax(r, g), b), low;

	if (top <= 0)
		return (struct color_hs){ 0, 0 };
	r = compress(r / top);
	g = compress(g / top);
	b = compress(b / top);
	top = fmax(fmax(r, g), b);
	low = fmin(fmin(r, g), b);
	return (struct color_hs){ (int)lround(hue_of(r, g, b, top, top - low)) % 360, (int)lround((top - low) / top * 100) };
}
