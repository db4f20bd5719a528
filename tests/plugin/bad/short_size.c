#define BAD_NAME "short-size"
#define BAD_SIZE (sizeof(struct gwa_plugin) - sizeof(void *))
#include "bad.h"
