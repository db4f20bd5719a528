/* A command that is taken is a message that the core takes, and says what the JSON said; a refusal is an answer that parses. */
#include <stdlib.h>
#include <string.h>

#include "linkd/native_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_taken(const struct native_command *command)
{
	struct wire_peer core = { .kind = WIRE_LINK, .phase = WIRE_READY, .is_core = true };
	size_t cap = wire_len_max(&command->msg);
	uint8_t *buf = malloc(cap);
	struct writer w = writer_over(buf, cap);
	static struct wire_scratch scratch;
	struct wire_msg msg;
	struct reader r;

	wire_put(&w, &command->msg);
	must(!w.bad);
	r = reader_over(buf, writer_len(&w));
	must(wire_next(&r, &core, &scratch, &msg) == 1 && msg.type == WIRE_LINK_COMMAND);
	must(msg.link_command.has_counter && msg.link_command.has_times && msg.link_command.counter > 0);
	must(value_equal(&msg.link_command.value, &command->msg.link_command.value));
	must(msg.link_command.id.len > 0 && msg.link_command.sender.len > 0);
	free(buf);
}

static void check_refused(const struct native_command *command)
{
	struct jsonw w = { 0 };
	struct json *json = NULL;

	must(command->why[0] && command->fault < NOTES);
	native_put_refusal(&w, command);
	must(!w.bad && json_parse(w.data, w.len, w.len, 2, NULL, 0, &json) == 0);
	json_free(json);
	jsonw_deinit(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct native_command command;
	struct native_anchor anchor;
	int64_t us = 0;
	int r = native_read_command(data, size, &command);

	if (r == 0) {
		check_taken(&command);
	} else {
		must(r == NATIVE_E_REFUSED);
		check_refused(&command);
	}
	native_command_deinit(&command);
	if (native_read_time(data, size, &us) == 0)
		must(us > 0 && us % 1000 == 0);
	if (native_read_anchor(data, size, &anchor) == 0)
		must(anchor.len <= sizeof(anchor.body) && strlen(anchor.signatures) < sizeof(anchor.signatures));
	return 0;
}
