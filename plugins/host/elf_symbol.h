#pragma once
/* elf_symbol - is a data symbol defined in this shared object, asked of the file's bytes before any of it is run.
 *
 *   above   host/plugin
 *   below   base/base
 *   owns    nothing
 *   limits  ELF_FILE_MAX
 *   errors  ELF_E_FORMAT ELF_E_MISSING
 */
#include "base/base.h"

enum { ELF_FILE_MAX = 64 * 1024 * 1024 };
enum { ELF_E_FORMAT = 1, ELF_E_MISSING = 2 };

/* Native class and byte order only: another machine's library could not be loaded anyway. */
must_check int elf_symbol_find(const void *data, size_t len, const char *symbol);
