/* What devices say in commands of their own: a remote control's presses, which are words of one vocabulary (docs/devices.md), and the
 * events of alarm zones and locks, which are readings like those of attributes.
 */
#include "zigbee/traits.h"

#include <string.h>
#include "sdk/gw_caps.h"
#include "zigbee/clusters.h"

enum press_form {
	PRESS_PLAIN, /* words[0] */
	PRESS_MODE,  /* the first byte chooses between the words */
	PRESS_SCENE, /* group, then scene: its number follows the word */
};
enum { PRESS_MODES = 4, SCENE_OFFSET = 2, SCENES = 17 };

struct press_row {
	uint16_t cluster;
	uint8_t command, form;
	char words[PRESS_MODES][TRAITS_WORD_MAX]; /* "": says nothing */
};

static const struct press_row rows[] = {
	{ CLUSTER_ON_OFF, 0x00, PRESS_PLAIN, { "off" } },
	{ CLUSTER_ON_OFF, 0x01, PRESS_PLAIN, { "on" } },
	{ CLUSTER_ON_OFF, 0x02, PRESS_PLAIN, { "toggle" } },
	{ CLUSTER_ON_OFF, 0x40, PRESS_PLAIN, { "off" } },
	{ CLUSTER_ON_OFF, 0x41, PRESS_PLAIN, { "on" } },
	{ CLUSTER_ON_OFF, 0x42, PRESS_PLAIN, { "on" } },
	{ CLUSTER_LEVEL, 0x00, PRESS_PLAIN, { "brightness_move_to_level" } },
	{ CLUSTER_LEVEL, 0x01, PRESS_MODE, { "brightness_move_up", "brightness_move_down" } },
	{ CLUSTER_LEVEL, 0x02, PRESS_MODE, { "brightness_step_up", "brightness_step_down" } },
	{ CLUSTER_LEVEL, 0x03, PRESS_PLAIN, { "brightness_stop" } },
	{ CLUSTER_LEVEL, 0x04, PRESS_PLAIN, { "brightness_move_to_level" } },
	{ CLUSTER_LEVEL, 0x05, PRESS_MODE, { "brightness_move_up", "brightness_move_down" } },
	{ CLUSTER_LEVEL, 0x06, PRESS_MODE, { "brightness_step_up", "brightness_step_down" } },
	{ CLUSTER_LEVEL, 0x07, PRESS_PLAIN, { "brightness_stop" } },
	{ CLUSTER_COVERING, 0x00, PRESS_PLAIN, { "open" } },
	{ CLUSTER_COVERING, 0x01, PRESS_PLAIN, { "close" } },
	{ CLUSTER_COVERING, 0x02, PRESS_PLAIN, { "stop" } },
	{ CLUSTER_COLOR, 0x00, PRESS_PLAIN, { "move_to_hue" } },
	{ CLUSTER_COLOR, 0x01, PRESS_MODE, { "hue_stop", "hue_move", "hue_stop", "hue_down" } },
	{ CLUSTER_COLOR, 0x02, PRESS_MODE, { "", "color_hue_step_up", "", "color_hue_step_down" } },
	{ CLUSTER_COLOR, 0x03, PRESS_PLAIN, { "move_to_saturation" } },
	{ CLUSTER_COLOR, 0x05, PRESS_MODE, { "", "color_saturation_step_up", "", "color_saturation_step_down" } },
	{ CLUSTER_COLOR, 0x06, PRESS_PLAIN, { "move_to_hue_and_saturation" } },
	{ CLUSTER_COLOR, 0x07, PRESS_PLAIN, { "color_move" } },
	{ CLUSTER_COLOR, 0x0a, PRESS_PLAIN, { "color_temperature_move" } },
	{ CLUSTER_COLOR, 0x43, PRESS_PLAIN, { "enhanced_move_to_hue_and_saturation" } },
	{ CLUSTER_COLOR, 0x44, PRESS_PLAIN, { "color_loop_set" } },
	{ CLUSTER_COLOR, 0x47, PRESS_PLAIN, { "stop_move_step" } },
	{ CLUSTER_COLOR, 0x4b, PRESS_MODE,
	  { "color_temperature_move_stop", "color_temperature_move_up", "", "color_temperature_move_down" } },
	{ CLUSTER_COLOR, 0x4c, PRESS_MODE, { "", "color_temperature_step_up", "", "color_temperature_step_down" } },
	{ CLUSTER_SCENES, 0x05, PRESS_SCENE, { "recall" } },
	{ CLUSTER_ACE, 0x00, PRESS_MODE, { "disarm", "arm_day_zones", "arm_night_zones", "arm_all_zones" } },
	{ CLUSTER_ACE, 0x02, PRESS_PLAIN, { "emergency" } },
	{ CLUSTER_ACE, 0x03, PRESS_PLAIN, { "fire" } },
	{ CLUSTER_ACE, 0x04, PRESS_PLAIN, { "panic" } },
};
static const char scenes[SCENES][TRAITS_WORD_MAX] = {
	"recall_0", "recall_1",  "recall_2",  "recall_3",  "recall_4",  "recall_5",  "recall_6",  "recall_7",  "recall_8",
	"recall_9", "recall_10", "recall_11", "recall_12", "recall_13", "recall_14", "recall_15", "recall_16",
};

static const char *press_word(const struct press_row *row, struct view fields)
{
	if (row->form == PRESS_PLAIN)
		return row->words[0];
	if (row->form == PRESS_MODE)
		return fields.len && fields.data[0] < PRESS_MODES ? row->words[fields.data[0]] : "";
	if (fields.len <= SCENE_OFFSET || fields.data[SCENE_OFFSET] >= SCENES)
		return row->words[0];
	return scenes[fields.data[SCENE_OFFSET]];
}

static size_t press(const struct node_endpoint *endpoint, uint16_t cluster, const struct zcl_frame *frame, struct trait_reading *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const char *text;

		if (rows[i].cluster != cluster || rows[i].command != frame->header.command)
			continue;
		text = press_word(&rows[i], frame->payload);
		if (!text[0])
			return 0;
		*ret = (struct trait_reading){ endpoint->id, GWA_CAP_BUTTON,
					       { .type = GWA_T_TEXT, .len = (uint32_t)strlen(text), .v.data = text } };
		return 1;
	}
	return 0;
}

/* As if the attribute that the event is about had been reported. */
static size_t as_attribute(const struct node *node, uint8_t endpoint, uint16_t cluster, uint16_t attribute, uint8_t type, uint64_t number,
			   struct trait_reading *ret)
{
	struct zcl_value value = { .type = zcl_type_find(type), .u = number };

	return traits_attribute(node, endpoint, cluster, 0, attribute, &value, ret);
}

/* ZCL 7.3.2.16.28, operation event: source, code. Which of them leave the bolt where. */
static uint64_t lock_state_after(uint8_t code)
{
	static const uint8_t after[] = { [0x01] = 1, [0x02] = 2, [0x07] = 1, [0x08] = 1, [0x09] = 2, [0x0a] = 1,
					 [0x0b] = 1, [0x0c] = 2, [0x0d] = 1, [0x0e] = 2 };

	return code < N_ELEMENTS(after) && after[code] ? after[code] : UINT8_MAX;
}

static size_t event(const struct node *node, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *frame, struct trait_reading *ret)
{
	struct reader r = reader_over(frame->payload.data, frame->payload.len);
	uint8_t command = frame->header.command, code;

	if (cluster == CLUSTER_ZONE && command == 0x00) {
		uint16_t status = get_u16(&r);

		return r.bad ? 0 : as_attribute(node, endpoint, cluster, 0x0002, 0x19, status, ret);
	}
	if (cluster == CLUSTER_LOCK && command == 0x20) {
		(void)get_u8(&r);
		code = get_u8(&r);
		return r.bad ? 0 : as_attribute(node, endpoint, cluster, 0x0000, ZCL_ENUM8, lock_state_after(code), ret);
	}
	/* ZCL 7.3.2.15.1: alarm 0 of a lock is a jammed bolt. */
	if (cluster == CLUSTER_ALARMS && command == 0x00) {
		code = get_u8(&r);
		if (get_u16(&r) == CLUSTER_LOCK && !r.bad && code == 0)
			return as_attribute(node, endpoint, CLUSTER_LOCK, 0x0000, ZCL_ENUM8, 0, ret);
	}
	return 0;
}

size_t traits_command(const struct node *node, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *frame,
		      struct trait_reading ret[TRAITS_READINGS_MAX])
{
	const struct node_endpoint *at = node_endpoint(node, endpoint);

	if (!at || !frame->header.cluster || frame->header.manufacturer)
		return 0;
	if (frame->header.to_client)
		return event(node, endpoint, cluster, frame, ret);
	return node_has_out(at, cluster) ? press(at, cluster, frame, ret) : 0;
}
