/* One reader a type: text in, field out, false when it is not what the row expects. The sentence
 * that says what was expected comes from the table, so no reader needs to explain itself.
 */
#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "conf/value.h"
#include "model/capability.h"
#include "sys/crypto.h"

enum {
	SOCKET_PATH_MAX = 107, /* sockaddr_un, without its NUL */
	FILE_PATH_MAX = 1024,
	OPTION_TEXT_MAX = 1024,
	TOPIC_MAX = 64,
	HOST_NAME_MAX_LEN = 253,
};

static bool keep(struct load *load, void *field, const char *text)
{
	*(char **)field = load_text(load, text, strlen(text));
	return true;
}

/* Characters of text are all letters, digits or in more. */
static bool made_of(const char *text, const char *more)
{
	for (; *text; text++) {
		if (!isascii(*text) || (!isalnum((unsigned char)*text) && !strchr(more, *text)))
			return false;
	}
	return true;
}

/* What YAML people write for "no value" is no text. */
static bool is_nothing(const char *text, bool quoted)
{
	return !quoted && (!*text || text_equal(text, "~") || text_equal(text, "null"));
}

static bool read_text(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	size_t len = strlen(text);

	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	return len >= (size_t)row->min && len <= (size_t)row->max && keep(load, field, text);
}

static bool read_int(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	uint32_t v;

	(void)load;
	if (text_to_u32(text, (uint32_t)row->min, (uint32_t)row->max, &v))
		return false;
	*(unsigned *)field = v;
	return true;
}

static const struct {
	const char *suffix;
	unsigned shift;
} size_units[] = { { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "", 0 } };

static bool read_size(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	char digits[24];
	size_t n = strspn(text, "0123456789");
	uint64_t v;

	(void)load;
	if (n == 0 || n >= sizeof(digits) || !text_copy_n(digits, sizeof(digits), text, n))
		return false;
	text += n;
	text += *text == ' ';
	for (size_t i = 0; i < N_ELEMENTS(size_units); i++) {
		if (!text_equal(text, size_units[i].suffix))
			continue;
		if (text_to_u64(digits, 0, UINT64_MAX >> size_units[i].shift, &v))
			return false;
		v <<= size_units[i].shift;
		if (v < (uint64_t)row->min || v > (uint64_t)row->max)
			return false;
		*(uint64_t *)field = v;
		return true;
	}
	return false;
}

static bool read_bool(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	(void)load;
	(void)row;
	if (!text_equal(text, "true") && !text_equal(text, "false"))
		return false;
	*(bool *)field = text[0] == 't';
	return true;
}

bool value_choice_is_bool(const struct conf_row *row)
{
	return row->group == IN_CONF && row->at == offsetof(struct conf, audit_sm3);
}

static bool read_choice(struct load *load, const struct conf_row *row, const char *text,
			void *field)
{
	size_t len = strlen(text);
	int place = (int)row->min;

	(void)load;
	for (const char *p = row->choices; p; place++) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, text, n)) {
			if (value_choice_is_bool(row))
				*(bool *)field = place > 0;
			else
				*(int *)field = place;
			return true;
		}
		p = p[n] ? p + n + 1 : NULL;
	}
	return false;
}

static bool read_mode(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	unsigned v = 0;

	(void)load;
	(void)row;
	if (strlen(text) < 3 || strlen(text) > 4 || text[strspn(text, "01234567")] ||
	    (strlen(text) == 4 && text[0] != '0'))
		return false;
	for (; *text; text++)
		v = v * 8 + (unsigned)(*text - '0');
	*(unsigned *)field = v;
	return true;
}

static bool read_code(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	uint8_t b[3];

	(void)load;
	(void)row;
	if (hex_parse(text, strlen(text), b, sizeof(b)))
		return false;
	*(uint32_t *)field = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
	return true;
}

static bool read_timezone(struct load *load, const struct conf_row *row, const char *text,
			  void *field)
{
	char path[128];
	struct stat st;

	(void)row;
	if (!isalpha((unsigned char)*text) || strstr(text, "..") || !made_of(text, "_+-/"))
		return false;
	if (!text_equal(text, "UTC")) {
		if (!text_print(path, sizeof(path), "/usr/share/zoneinfo/%s", text) ||
		    stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			return false;
	}
	return keep(load, field, text);
}

static bool read_folder(struct load *load, const struct conf_row *row, const char *text,
			void *field)
{
	(void)row;
	return text[0] == '/' && strlen(text) <= FILE_PATH_MAX && keep(load, field, text);
}

/* A relative one is completed when run_dir is known. */
static bool read_socket(struct load *load, const struct conf_row *row, const char *text,
			void *field)
{
	(void)row;
	return *text && strlen(text) <= SOCKET_PATH_MAX && keep(load, field, text);
}

static bool read_file(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	(void)row;
	if (!*text || strlen(text) > FILE_PATH_MAX)
		return false;
	if (text[0] == '/')
		return keep(load, field, text);
	*(char **)field = load_join(load, load->folder, text);
	return true;
}

static bool read_user(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	uint32_t number;
	size_t len = strlen(text);

	(void)row;
	if (text_to_u32(text, 0, UINT32_MAX - 1, &number) &&
	    (len < 1 || len > 32 || !(islower((unsigned char)*text) || *text == '_') ||
	     !made_of(text, "_-")))
		return false;
	return keep(load, field, text);
}

static bool read_plugin(struct load *load, const struct conf_row *row, const char *text,
			void *field)
{
	(void)row;
	if (!(text[0] == '/' && text[1] && strlen(text) <= FILE_PATH_MAX) &&
	    !text_is_slug(text, 32))
		return false;
	return keep(load, field, text);
}

static bool read_hash(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	uint8_t b[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];

	(void)row;
	if (hex_parse(text, strlen(text), b, sizeof(b)))
		return false;
	hex_print(b, sizeof(b), hex);
	return keep(load, field, hex);
}

static bool read_topic(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	size_t len = strlen(text);

	(void)row;
	if (len < 1 || len > TOPIC_MAX || !made_of(text, "_-./") || text[0] == '/' ||
	    text[len - 1] == '/' || strstr(text, "//"))
		return false;
	return keep(load, field, text);
}

static bool read_client_id(struct load *load, const struct conf_row *row, const char *text,
			   void *field)
{
	size_t len = strlen(text);

	(void)row;
	return len >= 1 && len <= 64 && made_of(text, "_-.") && keep(load, field, text);
}

static bool read_devices(struct load *load, const struct conf_row *row, const char *text,
			 void *field)
{
	const char *name = !strncmp(text, "room:", 5) ? text + 5 : text;

	(void)row;
	if (!text_equal(text, "*") && !text_is_name(name, 64))
		return false;
	return keep(load, field, text);
}

/* host, host:port, [v6] or [v6]:port. */
static bool split_host(const char *text, char host[HOST_NAME_MAX_LEN + 3], uint32_t *ret_port)
{
	size_t n = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");

	*ret_port = 8883;
	if (n > strlen(text) || n > HOST_NAME_MAX_LEN + 2 || n == 0 ||
	    !text_copy_n(host, HOST_NAME_MAX_LEN + 3, text, n))
		return false;
	if (text[n] == ':' && text_to_u32(text + n + 1, 1, 65535, ret_port))
		return false;
	if (text[n] && text[n] != ':')
		return false;
	if (host[0] == '[')
		return n > 4 && strspn(host + 1, "0123456789abcdefABCDEF:.") == n - 2;
	return isalnum((unsigned char)host[0]) && made_of(host, "-.");
}

static bool read_endpoint(struct load *load, const struct conf_row *row, const char *text,
			  void *field)
{
	char host[HOST_NAME_MAX_LEN + 3], whole[HOST_NAME_MAX_LEN + 32];
	uint32_t port;

	(void)row;
	if (!strncmp(text, "unix:/", 6))
		return strlen(text) - 5 <= SOCKET_PATH_MAX && text[6] && keep(load, field, text);
	if (strncmp(text, "mqtts://", 8) || !split_host(text + 8, host, &port))
		return false;
	text_print(whole, sizeof(whole), "mqtts://%s:%u", host, port);
	return keep(load, field, whole);
}

/* Hex or base64, with or without padding; kept as base64 with padding, as openssl writes it. */
static bool read_pin(struct load *load, const struct conf_row *row, const char *text, void *field)
{
	uint8_t b[CRYPTO_HASH_LEN];
	char url[48];
	size_t len = strlen(text), n = 0;

	(void)row;
	if (hex_parse(text, len, b, sizeof(b))) {
		if (len == 44 && text[43] == '=')
			len--;
		if (len != 43 || !text_copy_n(url, sizeof(url), text, len))
			return false;
		for (char *p = url; *p; p++)
			*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
		if (base64url_parse(url, len, b, sizeof(b), &n) || n != sizeof(b))
			return false;
	}
	base64url_print(b, sizeof(b), url, sizeof(url));
	for (char *p = url; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	return text_append(url, sizeof(url), "=") && keep(load, field, url);
}

static bool read_capability(struct load *load, const struct conf_row *row, const char *text,
			    void *field)
{
	(void)load;
	(void)row;
	return capability_id_of(text, field) == 0;
}

static bool read_option(struct load *load, const struct conf_row *row, const char *text,
			void *field)
{
	(void)row;
	return strlen(text) <= OPTION_TEXT_MAX && keep(load, field, text);
}

typedef bool (*read_fn)(struct load *load, const struct conf_row *row, const char *text,
			void *field);

/* Of lists and maps, the reader of one member. */
static const read_fn readers[TYPES] = {
	[TYPE_TEXT] = read_text,       [TYPE_INT] = read_int,
	[TYPE_SIZE] = read_size,       [TYPE_BOOL] = read_bool,
	[TYPE_CHOICE] = read_choice,   [TYPE_MODE] = read_mode,
	[TYPE_CODE] = read_code,       [TYPE_TIMEZONE] = read_timezone,
	[TYPE_FOLDER] = read_folder,   [TYPE_SOCKET] = read_socket,
	[TYPE_FILE] = read_file,       [TYPE_USER] = read_user,
	[TYPE_PLUGIN] = read_plugin,   [TYPE_HASH] = read_hash,
	[TYPE_TOPIC] = read_topic,     [TYPE_CLIENT_ID] = read_client_id,
	[TYPE_DEVICES] = read_devices, [TYPE_ENDPOINTS] = read_endpoint,
	[TYPE_PINS] = read_pin,	       [TYPE_CAPS] = read_capability,
	[TYPE_OPTIONS] = read_option,  [TYPE_PORTS] = read_folder,
};

bool value_read(struct load *load, const struct conf_row *row, const char *text, bool quoted,
		void *field)
{
	bool is_word = row->type == TYPE_INT || row->type == TYPE_BOOL;

	if ((quoted && is_word) || is_nothing(text, quoted))
		return false;
	return readers[row->type](load, row, text, field);
}

bool value_is_list(const struct conf_row *row)
{
	return row->type == TYPE_ENDPOINTS || row->type == TYPE_PINS || row->type == TYPE_CAPS;
}

size_t value_item_size(const struct conf_row *row)
{
	if (row->type == TYPE_CAPS)
		return sizeof(uint16_t);
	if (row->type == TYPE_OPTIONS || row->type == TYPE_PORTS)
		return sizeof(struct conf_option);
	return row->type == TYPE_SHARES ? sizeof(struct conf_share) : sizeof(char *);
}

/* A key whose name says secret must name a file: the settings are read by more than the plugin. */
static bool names_a_secret(const char *key)
{
	size_t len = strlen(key);

	if (len > 5 && !strcmp(key + len - 5, "_file"))
		return false;
	return strstr(key, "password") || strstr(key, "secret") || strstr(key, "token");
}

bool value_key_is_good(const struct conf_row *row, const char *key)
{
	return text_is_slug(key, 32) && (row->type == TYPE_PORTS || !names_a_secret(key));
}
