/* Lets a thread of its own go on talking after it was closed. */
#include <pthread.h>
#include <unistd.h>

#include "sdk/gw_adapter.h"

static void *talk(void *arg);

#define BAD_NAME "after-close"
#define BAD_CLOSE(self)                                                     \
	do {                                                                \
		pthread_t thread;                                           \
		(self)->number = pthread_create(&thread, NULL, talk, self); \
	} while (0)
#include "bad.h"

static void *talk(void *arg)
{
	usleep(20000);
	bad_report(arg, 1);
	return NULL;
}
