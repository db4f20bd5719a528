/* Reports on and on, whatever it is told. */
#define BAD_NAME "flood"
#define BAD_COMMAND(self, req)                                      \
	do {                                                        \
		for (int i = 0; i < 20000; i++)                     \
			bad_report(self, i);                        \
		gwa((self)->host)->done((self)->host, req, GWA_OK); \
	} while (0)
#include "bad.h"
