/* Any bytes as a settings file: faults are told, or the settings can be shown, and what is shown
 * loads again. The file is in memory; "conf.d" beside it does not exist. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static int load(const void *data, size_t size, char *errors, size_t errors_cap, struct conf **ret)
{
	int fd = memfd_create("conf", MFD_CLOEXEC), r;
	char path[64];

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = conf_load(path, errors, errors_cap, ret);
	close(fd);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char errors[4096];
	struct conf *conf = NULL, *again = NULL;
	char *text = NULL;
	int r = load(data, size, errors, sizeof(errors), &conf);

	if (r) {
		must(r == CONF_E_INVALID && !conf && strstr(errors, "/proc/self/fd/"));
		return 0;
	}
	must(!errors[0] && conf->n_adapters <= CONF_ADAPTERS_MAX &&
	     conf->n_links <= CONF_LINKS_MAX);
	must(!conf_show(conf, &text));
	must(!load(text, strlen(text), errors, sizeof(errors), &again));
	/* Only places differ, and they are no settings. */
	must(!conf_may_apply(conf, again, errors, sizeof(errors)));
	free(text);
	conf_free(again);
	conf_free(conf);
	return 0;
}
