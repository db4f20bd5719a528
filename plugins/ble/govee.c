/* One number of three bytes holds both: tenths of a degree times 1000 plus tenths of a percent, highest byte
 * first, its top bit the sign of the temperature; then the battery, whose top bit says that the sensor is
 * broken. Other models have two plain numbers in hundredths, lowest byte first.
 */
#include "ble/govee.h"

#include <string.h>

struct form {
	uint16_t company;
	uint8_t len;
	uint8_t offset;
	bool packed;
	const char *name; /* NULL: company and length suffice */
};

static const struct form forms[] = {
	{ 0xec88, 6, 1, true, NULL },  /* H5072, H5075 */
	{ 0xec88, 7, 1, false, NULL }, /* H5074 */
	{ 0xec88, 9, 1, false, NULL }, /* H5051, H5052, H5071 */
	{ 0x8801, 9, 4, false, NULL }, /* H5179 */
	{ 0x0001, 6, 2, true, "H5100" },
	{ 0x0001, 6, 2, true, "H5101" },
	{ 0x0001, 6, 2, true, "H5102" },
	{ 0x0001, 6, 2, true, "H5103" },
	{ 0x0001, 6, 2, true, "H5104" },
	{ 0x0001, 6, 2, true, "H5105" },
	{ 0x0001, 6, 2, true, "H5110" },
	{ 0x0001, 6, 2, true, "H5174" },
	{ 0x0001, 6, 2, true, "H5177" },
	{ 0x0001, 6, 2, true, "GV5179" },
	{ 0x0001, 8, 2, true, "H5108" },
};

/* What the sensors can measure; more is a fault of theirs. */
enum { HEAT_MIN = -40, HEAT_MOST = 100 };

static const struct form *form_of(uint16_t company, struct view name, struct view data)
{
	for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
		const struct form *f = &forms[i];

		if (f->company == company && f->len == data.len &&
		    (!f->name || (name.len && memmem(name.data, name.len, f->name, strlen(f->name)))))
			return f;
	}
	return NULL;
}

static int add(struct govee *g, double heat, double humidity, double battery)
{
	int err = 0;

	g->fault |= heat < HEAT_MIN || heat > HEAT_MOST;
	if (!g->fault)
		err = readings_add(&g->readings, CAP_TEMPERATURE, value_real(heat));
	if (!err && !g->fault)
		err = readings_add(&g->readings, CAP_HUMIDITY, value_real(humidity));
	return err ? err : readings_add(&g->readings, CAP_BATTERY, value_real(battery));
}

static int read_packed(struct govee *g, const uint8_t *d)
{
	uint32_t both = (uint32_t)(d[0] & 0x7f) << 16 | (uint32_t)d[1] << 8 | d[2];
	double heat = both / 1000 / 10.0;

	g->fault = d[3] & 0x80;
	return add(g, d[0] & 0x80 ? -heat : heat, both % 1000 / 10.0, d[3] & 0x7f);
}

static int read_plain(struct govee *g, const uint8_t *d)
{
	struct reader r = reader_over(d, 5);
	int16_t heat = (int16_t)get_u16(&r);
	uint16_t humidity = get_u16(&r);

	return add(g, heat / 100.0, humidity / 100.0, get_u8(&r));
}

int govee_read(uint16_t company, struct view name, struct view data, struct govee *ret)
{
	const struct form *form = form_of(company, name, data);

	if (!form)
		return GOVEE_E_UNKNOWN;
	*ret = (struct govee){ 0 };
	return form->packed ? read_packed(ret, data.data + form->offset) : read_plain(ret, data.data + form->offset);
}
