/* dlopen runs what is in a library before it says whether the library is what we want. So the file
 * is read first: its section table leads to the dynamic symbols and their names, and every offset
 * is held against the file's length.
 */
#include "host/elf_symbol.h"

#include <elf.h>
#include <link.h>
#include <string.h>

struct image {
	const uint8_t *data;
	size_t len;
};

/* A piece of the file, or NULL when it is not wholly inside. */
static const void *piece(const struct image *image, uint64_t offset, uint64_t len)
{
	if (offset > image->len || image->len - offset < len)
		return NULL;
	return image->data + offset;
}

static bool head_is_ours(const ElfW(Ehdr) * head)
{
	static const uint16_t one = 1;
	unsigned char order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;

	return memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
	       head->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       head->e_ident[EI_DATA] == order && head->e_type == ET_DYN &&
	       head->e_shentsize == sizeof(ElfW(Shdr)) && head->e_shnum > 0;
}

/* Copies section i's header: tables in a file need not be aligned. */
static bool get_section(const struct image *image, const ElfW(Ehdr) * head, uint64_t i,
			ElfW(Shdr) * ret)
{
	const void *at;

	if (i >= head->e_shnum)
		return false;
	at = piece(image, head->e_shoff + i * sizeof(*ret), sizeof(*ret));
	if (!at || head->e_shoff > image->len)
		return false;
	memcpy(ret, at, sizeof(*ret));
	return true;
}

static bool name_is(const char *names, uint64_t names_len, uint64_t at, const char *symbol)
{
	size_t len = strlen(symbol) + 1;

	return at < names_len && names_len - at >= len && memcmp(names + at, symbol, len) == 0;
}

static int find_in(const struct image *image, const ElfW(Ehdr) * head, const ElfW(Shdr) * table,
		   const char *symbol)
{
	ElfW(Shdr) strings;
	const char *names;
	const uint8_t *symbols;

	if (!get_section(image, head, table->sh_link, &strings))
		return ELF_E_FORMAT;
	names = piece(image, strings.sh_offset, strings.sh_size);
	symbols = piece(image, table->sh_offset, table->sh_size);
	if (!names || !symbols || table->sh_entsize != sizeof(ElfW(Sym)))
		return ELF_E_FORMAT;
	for (uint64_t i = 0; i < table->sh_size / sizeof(ElfW(Sym)); i++) {
		ElfW(Sym) sym;

		memcpy(&sym, symbols + i * sizeof(sym), sizeof(sym));
		if (sym.st_shndx != SHN_UNDEF && (sym.st_info & 0xf) == STT_OBJECT &&
		    name_is(names, strings.sh_size, sym.st_name, symbol))
			return 0;
	}
	return ELF_E_MISSING;
}

int elf_symbol_find(const void *data, size_t len, const char *symbol)
{
	const struct image image = { data, len };
	ElfW(Ehdr) head;

	if (len < sizeof(head) || len > ELF_FILE_MAX)
		return ELF_E_FORMAT;
	memcpy(&head, data, sizeof(head));
	if (!head_is_ours(&head))
		return ELF_E_FORMAT;
	for (uint64_t i = 0; i < head.e_shnum; i++) {
		ElfW(Shdr) section;

		if (!get_section(&image, &head, i, &section))
			return ELF_E_FORMAT;
		if (section.sh_type == SHT_DYNSYM)
			return find_in(&image, &head, &section, symbol);
	}
	return ELF_E_MISSING;
}
