#define BAD_NAME "done-twice"
#define BAD_COMMAND(self, req)                                          \
	do {                                                            \
		gwa((self)->host)->done((self)->host, req, GWA_OK);     \
		gwa((self)->host)->done((self)->host, req, GWA_FAILED); \
	} while (0)
#include "bad.h"
