#pragma once
/* app - the wiring: makes every part in layer order, introduces them to each other, stops them in reverse.
 *
 *   above   main
 *   below   adapter/blobs  adapter/hub  app_internal  audit/audit  base/base  base/text  conf/conf  custody/backup
 *           custody/erase  custody/ring  door/door  link/links  people/people  policy/rulebook  registry/registry  room
 *           router/alarms  router/automation  router/freshness  router/replay  router/router  spool/spool  sys/crypto  sys/host
 *           sys/json  sys/log  sys/loop  sys/packet  sys/store
 *   owns    every part of a running core
 *   limits  -
 */
#include <stdio.h>
#include "base/base.h"
#include "conf/conf.h"
#include "sys/json.h"
#include "sys/loop.h"

struct app;
struct secret;
struct app_options {
	const char *config;      /* path, kept for SIGHUP */
	const char *boot_id;     /* text, NULL: ask the kernel */
	bool fence;              /* shut ourselves in after the start (THREATS.md) */
	bool no_system_clock;    /* tests: time is trusted when a peer says so */
	const struct secret *passphrase; /* borrowed until app_new returns; NULL: none was given */
};
/* error gets plain words for the one who started us. conf is taken. */
must_check int app_new(struct loop *loop, const struct app_options *options, struct conf *conf, char *error, size_t error_cap,
		       struct app **ret);
/* Sockets open, service manager told. */
must_check int app_start(struct app *app, char *error, size_t error_cap);
struct app *app_close(struct app *app);
bool app_is_erased(const struct app *app); /* its keys are gone: what follows is app_close, and no other start */
must_check int app_reload(struct app *app, char *error, size_t error_cap); /* SIGHUP: a bad file changes nothing */
/* --restore: conf is taken, out is told what came of it. In a process that runs nothing else. */
struct app_restore {
	const char *parcel, *key_file;
	const char *credential; /* what the service manager will hand over as gatewayd.kek; NULL: kek.key beside the settings, if it is there */
	const char *config;
};
must_check int app_restore(const struct app_restore *what, struct conf *conf, FILE *out, char *error, size_t error_cap);
struct json *app_links_status(void *app);
struct json *app_map(void *app);
