/* Tells nobody's request, a missing text, and once more after it was done. */
#define BAD_NAME  "tell-wrong"
#define BAD_FLAGS GWA_F_RADIO
#define BAD_ASK(self, req)                                                  \
	do {                                                                \
		gwa((self)->host)->tell((self)->host, req + 1000, "a", 1);  \
		gwa((self)->host)->tell((self)->host, 0, "a", 1);           \
		gwa((self)->host)->tell((self)->host, req, NULL, 5);        \
		gwa((self)->host)->tell((self)->host, req, "{}", 2);        \
		gwa((self)->host)->done((self)->host, req, GWA_OK);         \
		gwa((self)->host)->tell((self)->host, req, "late", 4);      \
	} while (0)
#include "bad.h"
