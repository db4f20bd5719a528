/* No radio at all, but answers of the right shape, so that everything between a person and a radio can be tried. Its key is
 * in plain sight on purpose: tests look for it where it must not be. */
#include "sim/radio.h"

#include <stdio.h>
#include <string.h>
#include "base/text.h"

enum { CHANNEL_FIRST = 11, CHANNEL_LAST = 26 };

static const char backup_mark[] = "{\"metadata\": {\"format\": \"zigpy/open-coordinator-backup\", \"version\": 1, \"source\": \"gatewayd-sim\"}";

static void say(const struct radio_ear *ear, const char *text)
{
	ear->say(ear->ctx, text, strlen(text));
}

static int say_info(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	char out[RADIO_PIECE];

	(void)text;
	snprintf(out, sizeof(out),
		 "{\"radio\": \"sim\", \"firmware\": \"1\", \"state\": \"ready\", \"channel\": %u, \"pan\": \"0x%04x\", "
		 "\"ext_pan\": \"73696d0000000001\", \"eui\": \"73696d00000000ff\", \"devices\": %u, \"permit_s\": 0, \"counters\": {}}",
		 radio->channel, 0x1a00u + radio->network, devices);
	say(ear, out);
	return GWA_OK;
}

static int say_map(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	char out[RADIO_PIECE];

	(void)radio;
	(void)text;
	say(ear, "{\"nodes\": [{\"eui\": \"73696d00000000ff\", \"nwk\": \"0x0000\", \"kind\": \"coordinator\", \"name\": \"\", \"seen_s\": 0, \"lqi\": 255}");
	for (uint32_t i = 0; i < devices; i++) {
		snprintf(out, sizeof(out),
			 ", {\"eui\": \"73696d000000%04x\", \"nwk\": \"0x%04x\", \"kind\": \"%s\", \"name\": \"simulated %u\", \"seen_s\": 1, \"lqi\": %u}",
			 i, i + 1, i % 2 ? "end-device" : "router", i, 200 - i % 100);
		say(ear, out);
	}
	say(ear, "], \"links\": [");
	for (uint32_t i = 0; i < devices; i++) {
		snprintf(out, sizeof(out),
			 "%s{\"from\": \"73696d00000000ff\", \"to\": \"73696d000000%04x\", \"lqi\": %u, \"relation\": \"child\", \"depth\": 1}",
			 i ? ", " : "", i, 200 - i % 100);
		say(ear, out);
	}
	say(ear, "], \"silent\": []}");
	return GWA_OK;
}

static int say_backup(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	static const char fill[] = "                                                                ";
	char out[RADIO_PIECE];
	size_t len;

	(void)text;
	(void)devices;
	len = (size_t)snprintf(out, sizeof(out), "%s, \"channel\": %u, \"network_key\": {\"key\": \"5117ca11edbadbadbadbadbadbad51%02x\"}}", backup_mark,
			       radio->channel, radio->network & 0xff);
	say(ear, out);
	while (len < radio->backup_bytes) {
		size_t part = radio->backup_bytes - len < sizeof(fill) - 1 ? radio->backup_bytes - len : sizeof(fill) - 1;

		ear->say(ear->ctx, fill, part);
		len += part;
	}
	return GWA_OK;
}

static int do_restore(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	const char *channel = strstr(text, "\"channel\": ");
	char number[3] = "";

	(void)devices;
	(void)ear;
	if (strncmp(text, backup_mark, sizeof(backup_mark) - 1) != 0 || !channel)
		return GWA_BAD_VALUE;
	text_copy_n(number, sizeof(number), channel + 11, 2);
	return text_to_u32(number, CHANNEL_FIRST, CHANNEL_LAST, &radio->channel) ? GWA_BAD_VALUE : GWA_OK;
}

static int do_channel(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	(void)devices;
	(void)ear;
	return text_to_u32(text, CHANNEL_FIRST, CHANNEL_LAST, &radio->channel) ? GWA_BAD_VALUE : GWA_OK;
}

static int do_form(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	const char *channel = strstr(text, "\"channel\":");

	(void)devices;
	(void)ear;
	if (channel) {
		char number[3] = "";

		channel += 10;
		channel += strspn(channel, " ");
		text_copy_n(number, sizeof(number), channel, strspn(channel, "0123456789") > 2 ? 0 : strspn(channel, "0123456789"));
		if (text_to_u32(number, CHANNEL_FIRST, CHANNEL_LAST, &radio->channel))
			return GWA_BAD_VALUE;
	} else if (*text) {
		return GWA_BAD_VALUE;
	}
	radio->network++;
	return GWA_OK;
}

static int do_adopt(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear)
{
	(void)radio;
	(void)devices;
	(void)ear;
	return *text ? GWA_BAD_VALUE : GWA_OK;
}

static const struct {
	const char *verb;
	int (*carry_out)(struct radio *radio, const char *text, uint32_t devices, const struct radio_ear *ear);
} rows[] = {
	{ "info", say_info },	 { "map", say_map },   { "backup", say_backup }, { "restore", do_restore },
	{ "channel", do_channel }, { "form", do_form }, { "adopt", do_adopt },
};

int radio_ask(struct radio *radio, const char *verb, const void *data, size_t len, uint32_t devices, const struct radio_ear *ear)
{
	char text[RADIO_PIECE];

	text_copy_n(text, sizeof(text), data, len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].verb, verb) == 0)
			return rows[i].carry_out(radio, text, devices, ear);
	}
	return GWA_UNSUPPORTED;
}
