/* How much room the log takes, and what is done when there is little.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "audit/inside.h"
#include "base/text.h"

void audit_set_tight(struct audit *audit, bool tight)
{
	collapse_set_strict(audit->collapse, tight);
}

/* The file and its log. */
static uint64_t bytes_of(const char *folder, const struct segment_name *name)
{
	static const char *const endings[] = { "", "-wal" };
	uint64_t bytes = 0;
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < N_ELEMENTS(endings); i++) {
		if (text_print(path, sizeof(path), "%s/%s%s", folder, name->text, endings[i]) && stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

uint64_t audit_bytes(const struct audit *audit)
{
	struct segment_name *names = NULL;
	uint64_t bytes = 0;
	size_t n = 0;

	if (segment_list(audit->folder, &names, &n))
		return audit->segment_bytes;
	for (size_t i = 0; i < n; i++)
		bytes += bytes_of(audit->folder, &names[i]);
	free(names);
	return bytes;
}
