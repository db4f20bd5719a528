/* A symbol asked of a file's bytes: of real libraries, of pieces of them, of broken ones. */
#include "check.h"

#include "host/elf_symbol.h"

struct file {
	uint8_t *data;
	size_t len;
};

static struct file read_plugin(const char *name)
{
	struct file file;
	char path[512];
	long len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/plugin/%s.so", getenv("GW_BUILD_ROOT"), name);
	f = fopen(path, "re");
	assert_non_null(f);
	check_ok(fseek(f, 0, SEEK_END));
	len = ftell(f);
	rewind(f);
	file.len = (size_t)len;
	file.data = malloc(file.len);
	assert_true(fread(file.data, 1, file.len, f) == file.len);
	fclose(f);
	return file;
}

static void found_and_missing(void **state)
{
	struct file null = read_plugin("null"), none = read_plugin("no_symbol");

	(void)state;
	check_ok(elf_symbol_find(null.data, null.len, "gwa_plugin_v1"));
	check_int(elf_symbol_find(null.data, null.len, "gwa_plugin_v"), ELF_E_MISSING);
	check_int(elf_symbol_find(null.data, null.len, "gwa_plugin_v11"), ELF_E_MISSING);
	/* A function, and something that is only wanted. */
	check_int(elf_symbol_find(null.data, null.len, "calloc"), ELF_E_MISSING);
	check_int(elf_symbol_find(none.data, none.len, "gwa_plugin_v1"), ELF_E_MISSING);
	check_ok(elf_symbol_find(none.data, none.len, "gwa_plugin_v2"));
	free(null.data);
	free(none.data);
}

static void not_ours(void **state)
{
	struct file f = read_plugin("null");
	static const struct {
		size_t at;
		uint8_t byte;
	} bad[] = { { 0, 'X' }, { 4, 9 }, { 5, 9 }, { 16, 2 }, { 58, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t was = f.data[bad[i].at];

		f.data[bad[i].at] = bad[i].byte;
		check_int(elf_symbol_find(f.data, f.len, "gwa_plugin_v1"), ELF_E_FORMAT);
		f.data[bad[i].at] = was;
	}
	check_int(elf_symbol_find("", 0, "x"), ELF_E_FORMAT);
	check_int(elf_symbol_find(f.data, (size_t)ELF_FILE_MAX + 1, "x"), ELF_E_FORMAT);
	free(f.data);
}

/* Every length, and every byte of the head and the tables flipped: an answer, and no read outside
 * (the sanitizer's job). */
static void cut_and_flipped(void **state)
{
	struct file f = read_plugin("null");
	uint8_t *copy;
	int r;

	(void)state;
	for (size_t len = 0; len < f.len; len += 1 + len / 64) {
		copy = malloc(len + 1);
		memcpy(copy, f.data, len);
		r = elf_symbol_find(copy, len, "gwa_plugin_v1");
		/* The table of sections is at the end: without it nothing is found. */
		check_true(r > 0 || (r == 0 && len > f.len / 2));
		free(copy);
	}
	copy = malloc(f.len);
	memcpy(copy, f.data, f.len);
	for (size_t at = 0; at < f.len; at += at < 64 ? 1 : 7) {
		for (int bit = 0; bit < 8; bit += 7) {
			copy[at] ^= (uint8_t)(1 << bit);
			r = elf_symbol_find(copy, f.len, "gwa_plugin_v1");
			check_true(r >= 0);
			copy[at] ^= (uint8_t)(1 << bit);
		}
	}
	free(copy);
	free(f.data);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(found_and_missing),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(cut_and_flipped),
	};

	return CHECK_RUN(rows);
}
