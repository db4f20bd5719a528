/* To load a library is to run it. So the order is: look for the symbol in the file, hash the file,
 * give away every right that loading does not need, load that same open file through /proc/self/fd,
 * look at its descriptor, let it open, and then give away the rest. Until the fence stands nothing
 * of the plugin has run.
 */
#include "host/plugin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "host/elf_symbol.h"
#include "host/trust.h"

static const char plugin_symbol[] = "gwa_plugin_v1";

static const char *const library_paths[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
					     "/usr/local/lib" };
static const char *const library_files[] = { "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path",
					     "/etc/localtime",	 "/usr/share/zoneinfo",
					     "/etc/ssl",	 "/proc/self/maps" };
/* What looking up a name in the network reads. */
static const char *const net_files[] = { "/etc/resolv.conf",	"/etc/hosts",
					 "/etc/nsswitch.conf",	"/etc/host.conf",
					 "/etc/gai.conf",	"/etc/services",
					 "/run/systemd/resolve" };

static int find_path(const struct plugin_place *place, char path[PLUGIN_PATH_LEN],
		     char name[PLUGIN_PATH_LEN])
{
	const char *slash = strrchr(place->word, '/');

	if (slash) {
		if (!text_copy(path, PLUGIN_PATH_LEN, place->word) ||
		    !text_copy(name, PLUGIN_PATH_LEN, slash + 1))
			return -ENAMETOOLONG;
		return 0;
	}
	if (!text_is_slug(place->word, 32))
		return -EINVAL;
	if (!text_print(path, PLUGIN_PATH_LEN, "%s/%s.so", place->dir ? place->dir : GW_PLUGIN_DIR,
			place->word) ||
	    !text_print(name, PLUGIN_PATH_LEN, "%s.so", place->word))
		return -ENAMETOOLONG;
	return 0;
}

static int find_symbol(int fd)
{
	struct stat st;
	void *data;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > ELF_FILE_MAX)
		return ELF_E_FORMAT;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = elf_symbol_find(data, (size_t)st.st_size, plugin_symbol);
	munmap(data, (size_t)st.st_size);
	return r;
}

static int check_trust(const struct plugin_place *place, const char *name, int fd)
{
	char list[PLUGIN_PATH_LEN];

	if (place->untrusted)
		return 0;
	if (place->sha256)
		return trust_check_hash(place->sha256, fd);
	if (!place->dir)
		return trust_check_list(GW_PLUGIN_LIST, name, fd);
	if (!text_print(list, sizeof(list), "%s/plugins.list", place->dir))
		return -ENAMETOOLONG;
	return trust_check_list(list, name, fd);
}

int plugin_find(const struct plugin_place *place, struct plugin_file *ret, char why[PLUGIN_WHY_LEN])
{
	char name[PLUGIN_PATH_LEN];
	struct plugin_file file = { .fd = -1, .net = place->net };
	int r = find_path(place, file.path, name);

	if (r) {
		text_print(why, PLUGIN_WHY_LEN, "%s is no name of a plugin", place->word);
		return r;
	}
	file.fd = open(file.path, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0) {
		r = -errno;
		text_print(why, PLUGIN_WHY_LEN, "%s: %s", file.path, strerror(-r));
		return r;
	}
	r = find_symbol(file.fd);
	if (r) {
		text_print(why, PLUGIN_WHY_LEN, "%s: %s", file.path,
			   r == ELF_E_MISSING  ? "exports no gwa_plugin_v1"
			   : r == ELF_E_FORMAT ? "is no shared object of this machine"
					       : strerror(-r));
		r = r < 0 ? r : -ENOEXEC;
	} else {
		r = check_trust(place, name, file.fd);
		if (r)
			text_print(why, PLUGIN_WHY_LEN, "%s is not loaded: %s", file.path,
				   trust_word(r));
		r = r > 0 ? -EPERM : r;
	}
	if (r) {
		close(file.fd);
		return r;
	}
	*ret = file;
	return 0;
}

struct paths {
	const char *all[N_ELEMENTS(library_files) + N_ELEMENTS(net_files) + PLUGIN_READS_MAX + 1];
	size_t n;
};

static void add_paths(struct paths *paths, const char *const *more, size_t n)
{
	for (size_t i = 0; i < n && more[i] && paths->n < N_ELEMENTS(paths->all) - 1; i++)
		paths->all[paths->n++] = more[i];
}

int plugin_load(struct plugin_file *file, const char *const *reads, char why[PLUGIN_WHY_LEN])
{
	const char *libraries[N_ELEMENTS(library_paths) + 2] = { NULL };
	struct paths paths = { .n = 0 };
	struct host_fence fence = { .read_paths = paths.all,
				    .exec_paths = libraries,
				    .net = file->net };
	char by_fd[64];
	int r;

	add_paths(&paths, library_files, N_ELEMENTS(library_files));
	if (file->net)
		add_paths(&paths, net_files, N_ELEMENTS(net_files));
	if (reads)
		add_paths(&paths, reads, PLUGIN_READS_MAX);
	memcpy(libraries, library_paths, sizeof(library_paths));
	libraries[N_ELEMENTS(library_paths)] = file->path;
	r = host_fence(&fence, &file->fence);
	if (r) {
		text_print(why, PLUGIN_WHY_LEN, "the fence does not stand: %s", strerror(-r));
		return r;
	}
	text_print(by_fd, sizeof(by_fd), "/proc/self/fd/%d", file->fd);
	file->library = dlopen(by_fd, RTLD_NOW | RTLD_LOCAL);
	if (!file->library) {
		text_print(why, PLUGIN_WHY_LEN, "%s: %.200s", file->path, dlerror());
		return -ENOEXEC;
	}
	file->desc = dlsym(file->library, plugin_symbol);
	if (!file->desc) {
		text_print(why, PLUGIN_WHY_LEN, "%s: its symbol is gone", file->path);
		return -ENOEXEC;
	}
	return plugin_check(file->desc, why);
}

int plugin_fence(struct plugin_file *file, const char *const *reads, char why[PLUGIN_WHY_LEN])
{
	struct paths paths = { .n = 0 };
	struct host_fence fence = { .stage_two = true };
	int r;

	fence.net = file->net && (file->desc->flags & GWA_F_NET);
	if (fence.net)
		add_paths(&paths, net_files, N_ELEMENTS(net_files));
	if (reads)
		add_paths(&paths, reads, PLUGIN_READS_MAX);
	if (paths.n)
		fence.read_paths = paths.all;
	r = host_fence(&fence, &file->fence);
	if (r)
		text_print(why, PLUGIN_WHY_LEN, "the fence's second stage does not stand: %s",
			   strerror(-r));
	return r;
}

/* A plugin of 1.0 has a shorter struct: what would be there is not ours to read. */
bool plugin_can_ask(const struct gwa_plugin *desc)
{
	return (desc->flags & GWA_F_RADIO) && desc->ops->size >= offsetof(struct gwa_ops, ask) + sizeof(desc->ops->ask) &&
	       desc->ops->ask;
}

static const char *ops_fault(const struct gwa_plugin *desc)
{
	const struct gwa_ops *ops = desc->ops;

	/* Those of 1.0; what came later is looked at where it is used. */
	if (!ops || ops->size < offsetof(struct gwa_ops, ask))
		return "its operations are missing or too few";
	if (!ops->open || !ops->close || !ops->command || !ops->on_stored || !ops->on_fd ||
	    !ops->on_timer)
		return "one of open, close, command, on_stored, on_fd, on_timer is missing";
	if ((desc->flags & GWA_F_JOIN) && !ops->permit_join)
		return "it opens join windows, but has no permit_join";
	if ((desc->flags & GWA_F_REMOVE) && !ops->remove)
		return "it removes devices, but has no remove";
	if ((desc->flags & GWA_F_RADIO) && !plugin_can_ask(desc))
		return "it answers asks, but has no ask";
	return NULL;
}

static const char *desc_fault(const struct gwa_plugin *desc)
{
	size_t n = 0;

	if (desc->magic != GWA_MAGIC)
		return "its magic number is wrong";
	if (desc->size < sizeof(*desc))
		return "its descriptor is too short";
	if (desc->abi_minor > GWA_ABI_MINOR)
		return "it needs a newer host";
	if (!desc->name || !text_is_slug(desc->name, 32))
		return "its name is not one: small letters, digits, - and _";
	if (!desc->summary || !text_is_utf8(desc->summary, strlen(desc->summary)))
		return "its summary is no text";
	while (desc->ports && desc->ports[n] && n <= PLUGIN_PORTS_MAX)
		n++;
	if (n > PLUGIN_PORTS_MAX)
		return "it wants too many ports";
	return ops_fault(desc);
}

int plugin_check(const struct gwa_plugin *desc, char why[PLUGIN_WHY_LEN])
{
	const char *fault = desc_fault(desc);

	if (!fault)
		return 0;
	text_print(why, PLUGIN_WHY_LEN, "the plugin is refused: %s", fault);
	return -EPROTO;
}

/* The library stays loaded: what it registered with its own libraries may still be called at exit.
 */
void plugin_deinit(struct plugin_file *file)
{
	if (file->fd > 0)
		close(file->fd);
	file->fd = -1;
}
