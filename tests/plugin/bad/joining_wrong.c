/* Says of a join what cannot be. */
#define BAD_NAME "joining-wrong"
#define BAD_COMMAND(self, req)                                                                       \
	do {                                                                                         \
		const struct gwa_addr none = { .len = 0 };                                           \
		gwa_host *host = (self)->host;                                                       \
		gwa(host)->joining(host, NULL, GWA_JOIN_SEEN, NULL);                                 \
		gwa(host)->joining(host, &none, GWA_JOIN_SEEN, NULL);                                \
		gwa(host)->joining(host, &bad_addr, -1, NULL);                                       \
		gwa(host)->joining(host, &bad_addr, GWA_JOIN_PASSKEY + 1, NULL);                     \
		gwa(host)->joining(host, &bad_addr, GWA_JOIN_FAILED, "\xff");                        \
		gwa(host)->joining(host, &bad_addr, GWA_JOIN_PASSKEY, NULL);                         \
		gwa(host)->joining(host, &bad_addr, GWA_JOIN_PASSKEY, "12345a");                     \
		gwa(host)->joining(host, &bad_addr, GWA_JOIN_PASSKEY, "12345678901234567");          \
		gwa(host)->done(host, req, GWA_OK);                                                  \
	} while (0)
#include "bad.h"
