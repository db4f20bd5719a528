/* Lamps that speak in coordinates can show more than sRGB, and people who ask for red want all the red there is. So the three lights are
 * those of the wide gamut that such lamps are built for (D65 white), without a gamma. Brightness is another capability: a colour here
 * is at its full one, so only the ratio of the three counts.
 */
#include "zigbee/color.h"

#include <math.h>

enum { STEPS = 65535, LARGEST = 65279 }; /* ZCL 5.2.2.2.1.4: 0xfeff is the most */

/* One of red, green, blue; distance is how far its hue is away, in degrees. */
static double channel(double distance, double saturation)
{
	double k = fmod(distance + 360, 360) / 60;
	double slope = fmin(fmin(k, 4 - k), 1);

	return 1 - saturation * fmax(slope, 0);
}

/* To four places: finer is no lamp. */
static uint16_t coordinate(double part, double sum)
{
	return (uint16_t)fmin(round(round(part / sum * 10000) / 10000 * STEPS), LARGEST);
}

struct color_xy color_to_xy(struct color_hs color)
{
	double s = color.saturation / 100.0;
	double r = channel(300 + color.hue, s), g = channel(180 + color.hue, s), b = channel(60 + color.hue, s);
	double x = 0.664511 * r + 0.154324 * g + 0.162028 * b;
	double y = 0.283881 * r + 0.668433 * g + 0.047685 * b;
	double z = 0.000088 * r + 0.072310 * g + 0.986039 * b;

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
	double cx = color.x / (double)STEPS, cy = fmax(color.y, 1) / STEPS;
	double x = cx / cy, z = fmax(1 - cx - cy, 0) / cy;
	double r = fmax(1.656492 * x - 0.354851 - 0.255038 * z, 0);
	double g = fmax(-0.707196 * x + 1.655397 + 0.036152 * z, 0);
	double b = fmax(0.051713 * x - 0.121364 + 1.011530 * z, 0);
	double top = fmax(fmax(r, g), b), low = fmin(fmin(r, g), b);

	if (top <= 0)
		return (struct color_hs){ 0, 0 };
	return (struct color_hs){ (int)lround(hue_of(r, g, b, top, top - low)) % 360, (int)lround((top - low) / top * 100) };
}
