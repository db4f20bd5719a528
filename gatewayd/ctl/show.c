/* What a person sees of each answer. A table where there are many of a kind, lines where there is one; --json has it all. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/grid.h"
#include "ctl/plain.h"
#include "ctl/show.h"

#define GRID(out, rows, ...)                                                        \
	do {                                                                        \
		static const struct grid_column columns[] = { __VA_ARGS__ };        \
		_Static_assert(N_ELEMENTS(columns) <= GRID_COLUMNS_MAX, "too wide"); \
		grid_print(out, rows, columns, N_ELEMENTS(columns));                \
	} while (0)
#define FIELDS(out, object, ...)                                                    \
	do {                                                                        \
		static const struct grid_column columns[] = { __VA_ARGS__ };        \
		grid_print_fields(out, object, columns, N_ELEMENTS(columns));       \
	} while (0)

static void put_line(FILE *out, const char *before, const char *text)
{
	fputs(before, out);
	plain_put(out, text);
	fputc('\n', out);
}

void show_hello(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Site", "site", NULL }, { "Version", "version", NULL }, { "Has an owner", "has_owner", NULL });
}

void show_status(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Site", "site", NULL }, { "Version", "version", NULL }, { "Running for", "uptime_s", grid_age },
	       { "Time", "clock.now", grid_time }, { "Time is certain", "clock.trusted", NULL }, { "because", "clock.why", NULL },
	       { "Devices", "devices", NULL }, { "Alarms", "alarms", NULL }, { "Records", "audit.seq", NULL }, { "Chain's end", "audit.head", NULL });
	if (json_len(json_get(result, "adapters"))) {
		fputc('\n', out);
		GRID(out, json_get(result, "adapters"), { "ADAPTER", "name", NULL }, { "RUNNING", "running", NULL }, { "RESTARTS", "restarts", NULL },
		     { "SAYS", "status", NULL });
	}
	if (json_len(json_get(result, "links"))) {
		fputc('\n', out);
		GRID(out, json_get(result, "links"), { "LINK", "name", NULL }, { "PROFILE", "profile", NULL }, { "CONNECTED", "connected", NULL },
		     { "WAITING", "queued", NULL }, { "LOST", "dropped", NULL }, { "DETAIL", "detail", NULL });
	}
}

void show_map(FILE *out, const struct json *result)
{
	fputs("core\n", out);
	FIELDS(out, json_get(result, "core"), { "  pid", "pid", NULL }, { "  running for", "uptime_s", grid_age }, { "  memory KiB", "rss_kib", NULL },
	       { "  writer: waiting", "writer_queued", NULL }, { "  writer: groups", "writer_groups", NULL },
	       { "  bytes written", "bytes_written", NULL }, { "  reports", "reports", NULL }, { "  events", "events", NULL },
	       { "  commands", "commands", NULL }, { "  denied", "denied", NULL }, { "  pending", "pending", NULL },
	       { "  listeners", "listeners", NULL }, { "  door clients", "door_clients", NULL });
	fputs("\nbelow: adapters\n", out);
	GRID(out, json_get(result, "adapters"), { "NAME", "name", NULL }, { "PID", "pid", NULL }, { "RUNNING", "running", NULL },
	     { "REPORTS", "reports", NULL }, { "REFUSED", "refused", NULL }, { "COMMANDS", "commands", NULL }, { "PENDING", "pending", NULL },
	     { "UNSTORED", "unstored", NULL }, { "BAD INPUT", "bad_input", NULL });
	fputs("\nabove: links\n", out);
	GRID(out, json_get(result, "links"), { "NAME", "name", NULL }, { "PID", "pid", NULL }, { "CONNECTED", "connected", NULL },
	     { "SENT", "sent", NULL }, { "ACKNOWLEDGED", "acknowledged", NULL }, { "IN FLIGHT", "in_flight", NULL }, { "WAITING", "queued", NULL },
	     { "COMMANDS", "commands", NULL }, { "REFUSED", "refused", NULL }, { "BAD INPUT", "bad_input", NULL });
}

void show_findings(FILE *out, const struct json *result)
{
	const struct json *findings = json_get(result, "findings");
	if (json_len(findings) == 0)
		fputs("Nothing is wrong that the gateway knows of.\n", out);
	for (size_t i = 0; i < json_len(findings); i++)
		put_line(out, "* ", json_text(json_at(findings, i), NULL));
}

static void print_value(FILE *out, const struct json *cap)
{
	char *cell = grid_cell(json_get(cap, "value"));
	const char *unit = json_get_text(cap, "unit");
	bool b;
	if (json_to_bool(json_get(cap, "value"), &b))
		plain_put(out, b ? "on" : "off");
	else
		plain_put(out, cell);
	if (unit)
		fprintf(out, " %s", unit);
	free(cell);
}

/* "on-off on, power 12.5 W": what the device says, on one line. */
static char *cell_values(const struct json *caps)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		abort();
	for (size_t i = 0, n = 0; i < json_len(caps); i++) {
		const struct json *cap = json_at(caps, i);
		bool stale = false;
		if (json_kind(json_get(cap, "value")) == JSON_NULL)
			continue;
		fprintf(out, "%s%s ", n++ ? ", " : "", json_get_text(cap, "name"));
		print_value(out, cap);
		if (json_to_bool(json_get(cap, "stale"), &stale) && stale)
			fputs(" (old)", out);
	}
	fclose(out);
	return text;
}

void show_devices(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "devices"), { "NAME", "name", NULL }, { "ROOM", "room", NULL }, { "STATE", "state", NULL },
	     { "OWNER", "owner", NULL }, { "IDENTITY", "id", NULL }, { "SAYS", "capabilities", cell_values });
}

static char *cell_now(const struct json *value)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool b;
	if (!out)
		abort();
	if (json_to_bool(value, &b)) {
		fputs(b ? "on" : "off", out);
	} else {
		char *cell = grid_cell(value);
		fputs(cell, out);
		free(cell);
	}
	fclose(out);
	return text;
}

void show_device(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Name", "name", NULL }, { "Identity", "id", NULL }, { "State", "state", NULL }, { "Owner", "owner", NULL },
	       { "Waits for", "waiting_for", NULL }, { "Room", "room", NULL }, { "Vendor", "vendor", NULL }, { "Model", "model", NULL },
	       { "Firmware", "firmware", NULL }, { "Evidence of identity", "evidence", NULL }, { "Reports", "reports", NULL },
	       { "of them refused", "refused", NULL });
	fputc('\n', out);
	GRID(out, json_get(result, "ways"), { "ADAPTER", "adapter", NULL }, { "ADDRESS", "address", NULL }, { "UP", "up", NULL },
	     { "ACTIVE", "active", NULL });
	fputc('\n', out);
	GRID(out, json_get(result, "capabilities"), { "CAPABILITY", "name", NULL }, { "ENDPOINT", "endpoint", NULL }, { "VALUE", "value", cell_now },
	     { "UNIT", "unit", NULL }, { "WANTED", "desired", cell_now }, { "SINCE", "since", grid_time }, { "OLD", "stale", NULL },
	     { "CAN BE SET", "writable", NULL }, { "FROM", "min", NULL }, { "TO", "max", NULL }, { "CLASS", "class", NULL }, { "RISK", "risk", NULL });
}

void show_rooms(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "rooms"), { "ROOM", "name", NULL }, { "DEVICES", "devices", NULL });
}

void show_joins(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "adapters"), { "ADAPTER", "adapter", NULL }, { "RUNNING", "running", NULL }, { "CAN TAKE IN", "can_join", NULL },
	     { "OPEN FOR", "open_s", grid_age }, { "OPENED BY", "user", NULL });
	for (size_t i = 0; i < json_len(json_get(result, "adapters")); i++) {
		const struct json *joins = json_get(json_at(json_get(result, "adapters"), i), "joins");
		if (json_len(joins) == 0)
			continue;
		put_line(out, "\nJoining over ", json_get_text(json_at(json_get(result, "adapters"), i), "adapter"));
		GRID(out, joins, { "ADDRESS", "address", NULL }, { "SINCE", "since_s", grid_age }, { "STAGE", "stage", NULL }, { "DIGITS", "passkey", NULL },
		     { "DEVICE", "device", NULL }, { "IS", "state", NULL }, { "BECAUSE", "why", NULL });
	}
}

void show_claims(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "devices"), { "NAME", "name", NULL }, { "IDENTITY", "id", NULL }, { "VENDOR", "vendor", NULL },
	     { "MODEL", "model", NULL }, { "WAITS FOR", "waiting_for", NULL });
}

void show_pressed(FILE *out, const struct json *result)
{
	put_line(out, "It is yours: ", json_get_text(result, "device"));
}

void show_code(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Code", "code", NULL }, { "Good for", "life_s", grid_age });
}

void show_owner(FILE *out, const struct json *result)
{
	put_line(out, "It belongs to ", json_get_text(result, "owner"));
}

void show_users(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "users"), { "NAME", "name", NULL }, { "ROLE", "role", NULL }, { "DISABLED", "disabled", NULL });
}

void show_sessions(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "sessions"), { "NUMBER", "number", NULL }, { "USER", "user", NULL }, { "DOOR", "door", NULL },
	     { "CLIENT", "client", NULL }, { "IDLE", "idle_s", grid_age }, { "ENDS IN", "ends_in_s", grid_age }, { "THIS", "this", NULL });
}

void show_policies(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "rules"), { "ID", "id", NULL }, { "EFFECT", "effect", NULL }, { "WHO", "who", NULL }, { "WHAT", "what", NULL },
	     { "CAPABILITY", "capability", NULL }, { "ACTIONS", "actions", NULL }, { "LOOPS", "loops", NULL }, { "SOURCES", "sources", NULL },
	     { "WHEN", "windows", NULL }, { "RISK TO", "risk_max", NULL }, { "NOTE", "note", NULL });
}

void show_id(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Number", "id", NULL });
}

void show_explanation(FILE *out, const struct json *result)
{
	bool allowed = false;
	(void)json_to_bool(json_get(result, "allowed"), &allowed);
	put_line(out, allowed ? "Allowed: " : "Denied: ", json_get_text(result, "because"));
	FIELDS(out, result, { "Rule", "rule", NULL }, { "Facts", "facts", NULL });
	fputc('\n', out);
	GRID(out, json_get(result, "rules"), { "ID", "id", NULL }, { "EFFECT", "effect", NULL }, { "WHO", "who", NULL }, { "WHAT", "what", NULL },
	     { "CAPABILITY", "capability", NULL }, { "MATCHED", "matched", NULL }, { "WHY NOT", "why_not", NULL }, { "NOTE", "note", NULL });
}

void show_rules(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "rules"), { "ID", "id", NULL }, { "NAME", "name", NULL }, { "OWNER", "owner", NULL }, { "RUNS", "enabled", NULL },
	     { "STOPPED", "stopped", NULL }, { "TRIGGER", "trigger", NULL }, { "AT", "at", NULL }, { "OF", "when.name", NULL },
	     { "SAYS", "when.capability", NULL }, { "THEN", "then.name", NULL }, { "SETS", "then.capability", NULL }, { "TO", "set", cell_now });
}

void show_links(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "links"), { "LINK", "name", NULL }, { "PROFILE", "profile", NULL }, { "RUNNING", "running", NULL },
	     { "CONNECTED", "connected", NULL }, { "BROKER", "endpoint", NULL }, { "SENT", "sent", NULL }, { "WAITING", "queued", NULL },
	     { "LOST", "dropped", NULL }, { "REFUSED", "refused", NULL }, { "DETAIL", "detail", NULL });
}

void show_spool(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "links"), { "LINK", "link", NULL }, { "WAITING", "queued", NULL }, { "BYTES", "bytes", NULL },
	     { "DELIVERED", "delivered", NULL }, { "LOST", "dropped", NULL });
}

void show_alarms(FILE *out, const struct json *result)
{
	if (json_len(json_get(result, "alarms")) == 0) {
		fputs("No alarms.\n", out);
		return;
	}
	GRID(out, json_get(result, "alarms"), { "ID", "id", NULL }, { "SEVERITY", "severity", NULL }, { "ALARM", "alarm", NULL },
	     { "OF", "object", NULL }, { "SINCE", "raised", grid_time }, { "TIMES", "count", NULL }, { "SEEN BY", "acknowledged_by", NULL },
	     { "DETAIL", "detail", NULL }, { "MEANING", "meaning", NULL });
}

void show_records(FILE *out, const struct json *result)
{
	GRID(out, json_get(result, "records"), { "SEQ", "seq", NULL }, { "TIME", "at", grid_time }, { "KIND", "kind", NULL },
	     { "OUTCOME", "outcome", NULL }, { "WHO", "name", NULL }, { "FROM", "source", NULL }, { "DEVICE", "device_name", NULL },
	     { "OBJECT", "object", NULL }, { "ACTION", "action", NULL }, { "RULE", "rule", NULL }, { "TIMES", "count", NULL }, { "RESULT", "result", NULL },
	     { "DETAIL", "detail", NULL });
}

void show_head(FILE *out, const struct json *result)
{
	FIELDS(out, result, { "Records", "seq", NULL }, { "Head", "head", NULL }, { "Segment", "segment", NULL });
}

void show_verdict(FILE *out, const struct json *result)
{
	const char *verdict = json_get_text(result, "verdict");
	if (text_equal(verdict, "ok"))
		fputs("The record is whole.\n", out);
	else if (text_equal(verdict, "tampered"))
		fputs("THE RECORD WAS TAMPERED WITH.\n", out);
	else
		fputs("The record is whole in itself; without an anchor kept elsewhere nobody can say that it is the one it was.\n", out);
	FIELDS(out, result, { "Records", "records", NULL }, { "First bad", "first_bad", NULL }, { "What", "what", NULL },
	       { "Anchors compared", "anchors", NULL });
}

void show_path(FILE *out, const struct json *result)
{
	put_line(out, "", json_get_text(result, "path"));
}

void show_recovery_key(FILE *out, const struct json *result)
{
	const char *key = json_get_text(result, "key");
	put_line(out, "", key ? key : "There is no recovery key yet; gatewayctl recovery-key new makes one.");
}

void show_text(FILE *out, const struct json *result)
{
	const char *text = json_get_text(result, "text");
	while (text && *text) {
		char line[1024];
		size_t len = strcspn(text, "\n");
		text_copy_n(line, sizeof(line), text, len);
		put_line(out, "", line);
		text += len + (text[len] == '\n');
	}
}

void show_event(FILE *out, const struct json *event)
{
	const struct json *data = json_get(event, "data");
	char *at = grid_time(json_get(data, "at")), *value = cell_now(json_get(data, "value"));
	const char *kind = json_get_text(event, "event"), *name = json_get_text(data, "name");
	fprintf(out, "%-19s  %-12s ", at, kind ? kind : "?");
	plain_put(out, name ? name : "gateway");
	fputc(' ', out);
	static const char *const words[] = { "capability", "what", "state", "alarm", "detail", "phase", "head" };
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		const char *word = json_get_text(data, words[i]);
		if (word && word[0]) {
			fputc(' ', out);
			plain_put(out, word);
		}
	}
	if (json_get(data, "value")) {
		fputs(" = ", out);
		plain_put(out, value);
	}
	bool reachable;
	if (json_to_bool(json_get(data, "reachable"), &reachable))
		fputs(reachable ? " reachable" : " unreachable", out);
	int64_t n;
	if (json_to_i64(json_get(data, "count"), &n))
		fprintf(out, " %lld events were lost: this terminal is too slow", (long long)n);
	fputc('\n', out);
	fflush(out);
	free(at);
	free(value);
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

void show_keys(FILE *out, const struct json *result)
{
	const struct json *rotating = json_get(result, "rotating");
	GRID(out, json_get(result, "keys"), { "KEY", "id", NULL }, { "PURPOSE", "purpose", NULL }, { "STATE", "state", NULL },
	     { "SUITE", "suite", NULL }, { "MADE", "made", grid_time }, { "IN USE SINCE", "active", grid_time }, { "USES", "uses", NULL },
	     { "WORN", "worn", NULL });
	for (size_t i = 0; i < json_len(rotating); i++) {
		const struct json *row = json_at(rotating, i);
		const char *trouble = json_get_text(row, "trouble");
		int64_t key = 0, files = 0, done = 0;
		(void)json_to_i64(json_get(row, "key"), &key);
		(void)json_to_i64(json_get(row, "files"), &files);
		(void)json_to_i64(json_get(row, "files_done"), &done);
		fprintf(out, "%s: rotating to key %lld, %lld of %lld files", json_get_text(row, "purpose"), (long long)key, (long long)done,
			(long long)files);
		if (trouble)
			put_line(out, "; waits: ", trouble);
		else
			fputc('\n', out);
	}
}

void show_key_verb(FILE *out, const struct json *result)
{
	int64_t id = 0;
	if (json_get_text(result, "text"))
		put_line(out, "", json_get_text(result, "text"));
	else if (json_to_i64(json_get(result, "id"), &id))
		fprintf(out, "key %lld\n", (long long)id);
}

/* One a line, as gatewayd-audit-verify takes them. */
void show_audit_keys(FILE *out, const struct json *result)
{
	const struct json *keys = json_get(result, "keys");
	for (size_t i = 0; i < json_len(keys); i++)
		put_line(out, "", json_get_text(json_at(keys, i), "key"));
}

/* The first line is as gatewayd-audit-verify --seed takes it. */
void show_seed(FILE *out, const struct json *result)
{
	int64_t seq = 0;
	(void)json_to_i64(json_get(result, "seq"), &seq);
	fprintf(out, "%lld:", (long long)seq);
	put_line(out, "", json_get_text(result, "seed"));
	fputs("It is shown this once and kept nowhere on the gateway. Write it down or scan it, and keep it away from the\n"
	      "gateway: whoever has it can check that no record behind it was changed; whoever has it and the gateway could\n"
	      "change them unseen.\n",
	      out);
}

void show_proof(FILE *out, const struct json *result)
{
	char *text = NULL;
	if (json_print(result, &text, NULL) == 0)
		fprintf(out, "%s\n", text);
	free(text);
}
