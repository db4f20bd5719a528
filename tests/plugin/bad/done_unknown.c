/* Answers what nobody asked, and with a status that does not exist. */
#define BAD_NAME "done-unknown"
#define BAD_COMMAND(self, req)                                             \
	do {                                                               \
		gwa((self)->host)->done((self)->host, req + 1000, GWA_OK); \
		gwa((self)->host)->done((self)->host, 0, GWA_OK);          \
		gwa((self)->host)->done((self)->host, req, 4711);          \
	} while (0)
#include "bad.h"
