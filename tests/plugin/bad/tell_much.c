/* One byte more than an answer may be, in four pieces, and then it is content. */
#define BAD_NAME  "tell-much"
#define BAD_FLAGS GWA_F_RADIO
#define BAD_ASK(self, req)                                                                 \
	do {                                                                               \
		static const char piece[GWA_ASK_MAX / 4];                                  \
		for (int i = 0; i < 4; i++)                                                \
			gwa((self)->host)->tell((self)->host, req, piece, sizeof(piece)); \
		gwa((self)->host)->tell((self)->host, req, "!", 1);                        \
		gwa((self)->host)->done((self)->host, req, GWA_OK);                        \
	} while (0)
#include "bad.h"
