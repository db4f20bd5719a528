#pragma once
/* fake_core - the core's end of the wire, played by a test: listens, greets one adapter, remembers what it says.
 *
 *	struct fake_core *core = fake_core_new(loop, path);
 *	fake_core_option(core, "devices", "lamp=1");
 *	... start the adapter ...
 *	fake_core_until(core, fake_core_is_synced, 5000)
 *
 * It keeps the wire's rules itself: a message that breaks them is counted in n_broken and ends the connection.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/wire.h"
#include "sys/loop.h"

enum {
	FAKE_CORE_OPTIONS = 16,
	FAKE_CORE_DEVICES = 64,
	FAKE_CORE_REPORTS = 8192,
	FAKE_CORE_DONES = 1024,
	FAKE_CORE_STATES = 8,
	FAKE_CORE_TEXT = 160,
};

struct fake_report {
	uint64_t seq;
	bool again;
	struct address addr;
	uint8_t endpoint;
	uint16_t cap;
	int64_t wall_us;
	enum value_type type;
	double number;
	char text[32];
};
struct fake_done {
	uint64_t req;
	int32_t status;
};
struct fake_state {
	char key[64];
	uint8_t data[256];
	size_t len;
};

struct fake_core {
	struct loop *loop;
	struct packet_server *server;
	struct packet_conn *conn;
	struct timer *beat;
	struct wire_peer wire;
	struct wire_scratch scratch;
	struct wire_msg msg;
	char path[108];
	char keys[FAKE_CORE_OPTIONS][64], values[FAKE_CORE_OPTIONS][FAKE_CORE_TEXT];
	size_t n_options;
	struct fake_state states[FAKE_CORE_STATES]; /* saved by the adapter or set by the test; sent
						       at each start */
	size_t n_states;
	/* How it behaves. */
	uint64_t epoch;
	uint32_t credit;
	bool stores;   /* answers every report with STORED */
	bool no_beats; /* a core that hangs */
	/* What it has heard; of all connections unless said. */
	char name[64];
	unsigned n_hellos, n_opened, n_closed, n_broken, n_synced, n_gone, n_left, n_device_msgs,
		n_saves;
	int opened_error;
	uint8_t opened_flags;
	char opened_reason[WIRE_TEXT_MAX + 1];
	struct device_desc *devices[FAKE_CORE_DEVICES]; /* of this connection */
	size_t n_devices;
	struct fake_report reports[FAKE_CORE_REPORTS];
	size_t n_reports;
	uint64_t stored;
	struct fake_done dones[FAKE_CORE_DONES];
	size_t n_dones;
	unsigned notes[NOTES];
	char note_text[NOTES][WIRE_TEXT_MAX + 1];
	char claim[WIRE_CODE_MAX + 1];
	struct address claim_addr;
	unsigned n_claims;
	unsigned n_joinings[JOIN_STAGES];
	char join_text[JOIN_STAGES][WIRE_TEXT_MAX + 1]; /* the last words */
	uint8_t told[WIRE_ASK_MAX]; /* what was told since the last ask */
	size_t n_told;
	uint64_t req; /* the last one asked */
	int64_t heard_ms;
};

struct fake_core *fake_core_new(struct loop *loop, const char *path);
struct fake_core *fake_core_free(struct fake_core *core);
void fake_core_option(struct fake_core *core, const char *key, const char *value);

typedef bool (*fake_core_fn)(struct fake_core *core);
/* Turns the loop until fn says so; false when ms are over. */
bool fake_core_until(struct fake_core *core, fake_core_fn fn, int64_t ms);
void fake_core_run(struct fake_core *core, int64_t ms);
bool fake_core_is_synced(struct fake_core *core);
bool fake_core_is_opened(struct fake_core *core);
bool fake_core_is_answered(struct fake_core *core); /* as many answers as questions */
bool fake_core_is_closed(struct fake_core *core);   /* nobody is connected */

void fake_core_send(struct fake_core *core, const struct wire_msg *msg);
uint64_t fake_core_command(struct fake_core *core, const struct address *addr, uint16_t cap,
			   struct value value, uint32_t ttl_ms);
uint64_t fake_core_join(struct fake_core *core, uint16_t seconds);
uint64_t fake_core_join_code(struct fake_core *core, uint16_t seconds, const void *code, size_t len);
uint64_t fake_core_ask(struct fake_core *core, const char *verb, const void *data, size_t len);
uint64_t fake_core_remove(struct fake_core *core, const struct address *addr);
void fake_core_store(struct fake_core *core, uint64_t up_to, uint32_t credit);
void fake_core_drop(struct fake_core *core);   /* ends the connection; goes on listening */
void fake_core_forget(struct fake_core *core); /* what was heard so far, but for states */
int fake_core_result(const struct fake_core *core, uint64_t req); /* -1: not answered */
unsigned fake_core_answers(const struct fake_core *core, uint64_t req);
const struct device_desc *fake_core_device(const struct fake_core *core, const char *name);
