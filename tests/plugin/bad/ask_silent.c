/* Tells something, and never that this was all. */
#define BAD_NAME	   "ask-silent"
#define BAD_FLAGS	   GWA_F_RADIO
#define BAD_ASK(self, req) gwa((self)->host)->tell((self)->host, req, "{}", 2)
#include "bad.h"
