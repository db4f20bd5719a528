#pragma once
/* conf_home - a settings folder of its own; what loading it says comes without the folder's name.
 *
 *	struct home home;
 *	home_init(&home);
 *	home_good(&home, "session: {idle_s: 60}\n")	   the settings, or the test fails
 *	home_load_text(&home, "sites: {}\n");		   home.r, home.errors
 *	home_deinit(&home);
 */
#include "check.h"
#include "conf/conf.h"
#include "tmpdir.h"

enum { ERRORS_CAP = 16384 };

struct home {
	struct tmpdir dir;
	char errors[ERRORS_CAP];
	struct conf *conf;
	int r;
};

static inline void home_init(struct home *home)
{
	memset(home, 0, sizeof(*home));
	tmpdir_init(&home->dir);
	check_ok(mkdir(tmpdir_path(&home->dir, "conf.d"), 0700));
}

/* Every "/tmp/gw-test-x/" of text goes. */
static inline void strip_folder(const struct home *home, char *text)
{
	char folder[80];
	char *p;

	snprintf(folder, sizeof(folder), "%s/", home->dir.path);
	while ((p = strstr(text, folder)))
		memmove(p, p + strlen(folder), strlen(p + strlen(folder)) + 1);
}

static inline void home_load(struct home *home)
{
	home->conf = conf_free(home->conf);
	home->r = conf_load(tmpdir_path(&home->dir, "gatewayd.yaml"), home->errors,
			    sizeof(home->errors), &home->conf);
	strip_folder(home, home->errors);
}

static inline void home_load_text(struct home *home, const char *text)
{
	tmpdir_write(&home->dir, "gatewayd.yaml", text);
	home_load(home);
}

static inline const struct conf *home_good(struct home *home, const char *text)
{
	home_load_text(home, text);
	check_text(home->errors, "");
	check_int(home->r, 0);
	return home->conf;
}

static inline void home_deinit(struct home *home)
{
	home->conf = conf_free(home->conf);
	tmpdir_deinit(&home->dir);
}
